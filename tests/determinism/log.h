/* A log in a file, made once and played by many builds of the engine: MessagePack values, one after the
 * other.
 *
 *   [partition, max_orders, currency, road_factor_e4]   an engine of its own begins
 *   [time, record]                                      a record in its ledger form, at a log time (s)
 *   nil                                                 the engine is replaced by one loaded from its
 * snapshot
 */
#ifndef XD_TESTS_DETERMINISM_LOG_H
#define XD_TESTS_DETERMINISM_LOG_H

enum { XD_LOG_WORLD_VALUES = 4, XD_LOG_RECORD_VALUES = 2 };

#endif

/* Makes a book of N resting orders as a market would: from nothing, by orders that come and go, until what
 * rests is what is left over from a long time of trading. Meanwhile the level of bids is moved until 40 % of
 * the orders that come match at once; then it is fixed. */
#ifndef XD_TESTS_BENCH_ENGINE_PREPARE_H
#define XD_TESTS_BENCH_ENGINE_PREPARE_H

#include "tests/bench/engine/meter.h"

/* Just fills a book with orders that do not match: requests bid next to nothing. False as xd_meter_step. */
bool xd_prepare_unmatched(struct xd_meter *meter);

/* `turns`: N orders come so many times after the book is full. Tells of its progress on stderr. False as
 * xd_meter_step. */
bool xd_prepare_book(struct xd_meter *meter, double turns);

#endif

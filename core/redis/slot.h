/* Redis Cluster's hash slots. */
#ifndef XD_CORE_REDIS_SLOT_H
#define XD_CORE_REDIS_SLOT_H

#include <stddef.h>
#include <stdint.h>

enum { XD_REDIS_SLOTS = 16384 };

/* The slot of a key: CRC16 (XMODEM) of what stands between its first '{' and the next '}', where that is not
 * empty, else of all of it; modulo 16384. Source: the Redis Cluster specification, "Hash tags" and appendix
 * A. */
uint16_t xd_redis_slot(const char *key, size_t len);

#endif

/* Carries out what the relay of a partition decides (relay.h): reads the outbox, looks what receivers have
 * seen, appends to their logs, trims. Part of the owner: it begins with the lease and ends with it. */
#ifndef XD_MATCHER_COURIER_H
#define XD_MATCHER_COURIER_H

#include "core/ledger/ledger_redis.h"

struct event_base;
struct xd_courier;

/* For `partition`, whose messages go to the partitions first..first+count-1. NULL without memory. */
struct xd_courier *xd_courier_start(struct event_base *base, struct xd_ledger *ledger, uint16_t partition,
                                    uint16_t first, uint32_t count);

/* There is more in the outbox. */
void xd_courier_grew(struct xd_courier *courier);

/* Frees once the ledger has called back for what is under way, at the latest while it is closed. NULL is
 * allowed. */
void xd_courier_stop(struct xd_courier *courier);

#endif

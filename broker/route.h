/* Which partition an order or a match lives in. One place, so that more than one partition changes nothing
 * else. */
#ifndef XD_BROKER_ROUTE_H
#define XD_BROKER_ROUTE_H

#include "core/id.h"
#include "core/order.h"

enum { XD_PARTITIONS = 1 };

static inline uint16_t xd_route_order(const struct xd_order *order)
{
    (void)order;
    return 0;
}

/* Of an order's or match's id; false where there is no such partition. */
static inline bool xd_route_id(uint64_t id, uint16_t *partition)
{
    if (xd_id_partition(id) >= XD_PARTITIONS) return false;
    *partition = xd_id_partition(id);
    return true;
}

#endif

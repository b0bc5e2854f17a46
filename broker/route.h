/* Which partition an order or a match lives in (docs/CLUSTER.md, Partitions). */
#ifndef XD_BROKER_ROUTE_H
#define XD_BROKER_ROUTE_H

#include "broker/broker.h"
#include "core/id.h"
#include "core/order.h"

static inline uint16_t xd_route_order(const struct xd_broker *broker, const struct xd_order *order)
{
    if (!broker->layout) return 0;
    return xd_layout_partition(broker->layout, (unsigned)order->kind,
                               order->kind == XD_TRUCK ? order->from : order->at);
}

/* Of an order's or match's id; false where there is no such partition. */
static inline bool xd_route_id(const struct xd_broker *broker, uint64_t id, uint16_t *partition)
{
    if (xd_id_partition(id) >= broker->partitions) return false;
    *partition = xd_id_partition(id);
    return true;
}

#endif

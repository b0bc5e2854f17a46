/* How market.c's orders are made, kind by kind: for market*.c only. Each fills in what is its kind's own;
 * side, kind and confirm are there already. */
#ifndef XD_BENCH_MARKET_PARTS_H
#define XD_BENCH_MARKET_PARTS_H

#include "clients/bench/market.h"
#include "clients/bench/places.h"
#include "core/schema.h"

enum { XD_MARKET_ACCOUNTS = 4096, XD_MARKET_ACCOUNT_NAME = 16 };

struct xd_market_play {
    struct xd_random random;
    struct xd_places *places;
    double road_factor;
    struct xd_buf bytes; /* of the order given out last */
    char accounts[XD_MARKET_ACCOUNTS][XD_MARKET_ACCOUNT_NAME];
};

static inline void xd_market_gives(struct xd_order *order, enum xd_field_id id)
{
    order->given |= UINT64_C(1) << id;
}

/* Each returns the town of `from` or `at`. */
uint32_t xd_market_truck_offer(struct xd_market_play *play, int64_t now, struct xd_order *order);
uint32_t xd_market_truck_request(struct xd_market_play *play, int64_t now, struct xd_order *order);
uint32_t xd_market_storage_offer(struct xd_market_play *play, int64_t now, struct xd_order *order);
uint32_t xd_market_storage_request(struct xd_market_play *play, int64_t now, struct xd_order *order);

#endif

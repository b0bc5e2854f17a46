/* A freight market played: seeded orders of all kinds between real places, valid by the schema, that find
 * partners about as often as on a busy exchange. The same seed gives the same orders (times are relative to
 * the `now` given).
 *
 *     truck offers 30 %     half-empty trucks going home: three sizes, a fifth cooled, a quarter without `to`
 *     truck requests 45 %   0.25 to 20 pallets over distances as freight has them, a fifth with a temperature
 *     cold storage 11 %     chambers in four bands; lots of days to months, a third may be split
 *     warehouses 14 %       floor by the square metre
 *
 * A few (4 %) confirm by hand. */
#ifndef XD_BENCH_MARKET_H
#define XD_BENCH_MARKET_H

#include "clients/bench/source.h"

struct xd_market_play;

/* `road_factor` is the broker's. NULL without memory. */
struct xd_market_play *xd_market_create(uint64_t seed, double road_factor);
void xd_market_destroy(struct xd_market_play *play);

/* What the market brings next. Fills in everything but the ref (order->given and order->ref), and returns the
 * account and the town of `from` or `at`. */
struct xd_market_order {
    struct xd_order order;
    const char *account;
    uint32_t town;
};
void xd_market_draw(struct xd_market_play *play, int64_t now, struct xd_market_order *out);

/* The market as a source of orders; takes `play` over. */
struct xd_source xd_market_source(struct xd_market_play *play);

#endif

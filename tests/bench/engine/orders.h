/* The orders that the engine is measured with: seeded, between real places chosen by their people, of the
 * same make however many rest. Only `level` differs from book to book: what requests bid, so that the share
 * of orders that match stays the same in thick markets and thin ones.
 *
 *     storage   four in five cold (four bands of temperature), the rest warehouses; offers of 30 to 365 days,
 * requests of 3 to 90 within 20 to 150 km, a third of them may be split truck     three sizes; three in four
 * offers have a `to`; windows of 6 to 36 hours, detours of 30 to 200 km; one in five needs, or has, a cooled
 * body */
#ifndef XD_TESTS_BENCH_ENGINE_ORDERS_H
#define XD_TESTS_BENCH_ENGINE_ORDERS_H

#include "clients/bench/places.h"
#include "core/order.h"

enum xd_shape { XD_SHAPE_STORAGE, XD_SHAPE_TRUCK, XD_SHAPES };

extern const char *const xd_shape_names[XD_SHAPES];

struct xd_order_maker {
    enum xd_shape shape;
    double level; /* what requests bid, 1 being the market's usual rate */
    double cold;  /* share of storage that is cold */
    struct xd_random random;
    const struct xd_places *places;
    int64_t currency;
};

/* An order of a side at `now` (seconds), valid by the schema but for its ref, which is the caller's. */
void xd_make_order(struct xd_order_maker *maker, enum xd_side side, int64_t now, struct xd_order *out);

/* For orders*.c: the kinds' own parts. */
void xd_make_storage_offer(struct xd_order_maker *maker, int64_t now, struct xd_order *order);
void xd_make_storage_request(struct xd_order_maker *maker, int64_t now, struct xd_order *order);
void xd_make_truck_offer(struct xd_order_maker *maker, int64_t now, struct xd_order *order);
void xd_make_truck_request(struct xd_order_maker *maker, int64_t now, struct xd_order *order);

/* What a request bids: around a fair price, moved by the level. */
void xd_make_bid(struct xd_order_maker *maker, double fair, double spread, struct xd_order *order);

/* Adds a feature by its name. */
void xd_make_feature(struct xd_order *order, const char *name);

#endif

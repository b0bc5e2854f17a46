/* Which ranges of the curve an extent touches: the partitions that an order is announced to (docs/CLUSTER.md,
 * Extents).
 *
 * A set of ranges is a word, bit r for range r. A set never lacks a range that the extent touches; it may
 * have one that the extent only comes near. A range that is found ends the search in its other blocks,
 * so the work goes by the number of cuts and the extent's edge, not by its area. Only + - * / and sqrt, so
 * that every machine finds the same set. */
#ifndef XD_CORE_COVER_H
#define XD_CORE_COVER_H

#include "core/curve.h"
#include "core/order.h"

/* The places A with d(a, A) + d(A, b) <= metres, d being the great circle. A disc has its centre twice. */
struct xd_oval {
    struct xd_unit_vector a, b;
    double metres;
};

/* What lies within `road_m` road metres of a place, and what a way of `road_m` from `a` to `b` can pass: with
 * room for the rounding of distances along a whole plan. Negative metres are an empty extent. */
struct xd_oval xd_oval_disc(struct xd_unit_vector centre, int64_t road_m, int32_t road_factor_e4);
struct xd_oval xd_oval_lane(struct xd_unit_vector a, struct xd_unit_vector b, int64_t road_m,
                            int32_t road_factor_e4);

/* The place that an order's home is decided by: `from` of trucks, else `at`. */
struct xd_place xd_order_place(const struct xd_order *order);

/* Where the other side's places may lie, as the order stands before its first match: a truck offer's
 * corridor, a storage request's disc. False for a point order, which has no extent. (A truck without `to`
 * moves on with its plan: xd_oval_disc.) */
bool xd_order_extent(const struct xd_order *order, int32_t road_factor_e4, struct xd_oval *out);

/* Those of the set `among` that the extent touches; the fewer are asked about, the less work it is. */
uint64_t xd_cover_oval(const struct xd_layout *layout, const struct xd_oval *oval, uint64_t among);

/* A box of the map, its edges included; one whose west is east of its east goes over the antimeridian. */
uint64_t xd_cover_box(const struct xd_layout *layout, struct xd_place south_west, struct xd_place north_east);

#endif

/* The most surplus that an incoming order could have with each of some rows, or with anything in each of some
 * boxes: the one pass that looks at a leaf's rows and at a branch's children, several at a time.
 *
 * What is looked at are necessary conditions only. Distances are chords lengthened to less than their arcs,
 * and a little less for what floats lose; prices lie on straight lines below concave, above convex functions;
 * a truck's way is at least that from where it is free to the pickup, on to the delivery and on to its end
 * (the triangle inequality, whatever else it carries): this many metres and minutes are certain, and what
 * they exceed the planned way by is the least that the detour costs. */
#ifndef XD_ENGINE_BOUNDS_H
#define XD_ENGINE_BOUNDS_H

#include "engine/index/rows.h"

/* Of `count` (at most 64) boxes, which could bring a surplus of `at_least` (>= 0): a bit each, and in
 * `bounds` how much at most. Numbers are at low[column * stride + i] and high[column * stride + i]: the same
 * for rows. Masks are not looked at. `bounds` has room for 64, and is written for those of which the bit is
 * set. */
typedef uint64_t xd_bound_function(enum xd_shelf shelf, const struct xd_sought *sought, const float *low,
                                   const float *high, unsigned stride, unsigned count, float at_least,
                                   float *bounds);

/* The one that is best on this processor. They may differ in how much too generous they are, never in what
 * they let pass. */
xd_bound_function *xd_bound_here(void);

/* What there is to choose from. */
xd_bound_function xd_bound_plain;
#ifdef XD_WITH_AVX2
xd_bound_function xd_bound_avx2;
#endif

#endif

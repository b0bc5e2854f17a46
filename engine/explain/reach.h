/* What lies in reach of an order by places alone, whatever else stands against it (docs/RULES.md,
 * "Explaining"). */
#ifndef XD_ENGINE_REACH_H
#define XD_ENGINE_REACH_H

#include "engine/index/rows.h"

/* How far, as a chord, the order that seeks is from the nearest place between two rows; negative: nothing
 * there is within its reach, or the other's, and `spare_m` metres. Generous by a few metres: rows are floats.
 */
double xd_reach(enum xd_shelf shelf, const struct xd_sought *sought, const float *lo, const float *hi,
                double spare_m);

/* The same of two orders, exactly. */
bool xd_in_reach(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4,
                 int64_t now, int64_t spare_m);

#endif

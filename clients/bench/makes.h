/* The makes of trucks and chambers that drawn orders are of, with their usual rates in CNY. */
#ifndef XD_BENCH_MAKES_H
#define XD_BENCH_MAKES_H

#include "clients/bench/random.h"
#include "core/order.h"

struct xd_truck_make {
    int percent;         /* of all trucks */
    int64_t kg, pallets; /* of the whole truck, pallets in 1e-2 */
    double t_km, detour_km, base;
};

struct xd_chamber_make {
    struct xd_range band;      /* the chamber stays in */
    struct xd_range tolerated; /* by goods that want such a chamber */
    double pallet_day;
};

#define XD_USUAL_M2_DAY 0.9

const struct xd_truck_make *xd_draw_truck(struct xd_random *random);
const struct xd_chamber_make *xd_draw_chamber(struct xd_random *random);

#endif

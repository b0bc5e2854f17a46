#include "engine/explain/reach.h"

#include "engine/state.h"

#include <math.h>

/* For floats, and for a plan's legs, of which each is rounded by itself. */
static const double MARGIN_M = 100;

/* The least that two numbers can be apart. */
static double apart(float low, float high, float other_low, float other_high)
{
    if (other_low > high) return (double)other_low - (double)high;
    return low > other_high ? (double)low - (double)other_high : 0;
}

/* The shortest chord between two boxes of places. */
static double chord(const float lo[3], const float hi[3], const float other_lo[3], const float other_hi[3])
{
    double sum = 0;
    for (unsigned i = 0; i < 3; i++) {
        double side = apart(lo[i], hi[i], other_lo[i], other_hi[i]);
        sum += side * side;
    }
    return sqrt(sum);
}

double xd_reach(enum xd_shelf shelf, const struct xd_sought *sought, const float *lo, const float *hi,
                double spare_m)
{
    double away = chord(sought->place, sought->place, lo, hi), road = (double)sought->road;
    double metres = away * road, most;
    switch (shelf) {
    case XD_SHELF_LANES:
        metres += (double)sought->direct +
                  chord(sought->to, sought->to, lo + XD_TRUCK_TO_X, hi + XD_TRUCK_TO_X) * road;
        most = (double)hi[XD_TRUCK_LONGEST];
        break;
    case XD_SHELF_ROAMERS:
        most = (double)hi[XD_TRUCK_LONGEST] + (double)hi[XD_TRUCK_PLANNED];
        break;
    case XD_SHELF_LOADS:
        if (sought->ends) {
            metres += chord(lo, hi, lo + XD_LOAD_TO_X, hi + XD_LOAD_TO_X) * road;
            metres += chord(sought->to, sought->to, lo + XD_LOAD_TO_X, hi + XD_LOAD_TO_X) * road;
        }
        most = (double)sought->longest + (sought->ends ? 0 : (double)sought->planned);
        break;
    case XD_SHELF_COLD_REQUESTS:
    case XD_SHELF_FLOOR_REQUESTS:
        most = (double)hi[XD_WANT_REACH] * road * (1 + 1e-5);
        break;
    default:
        most = sqrt((double)sought->reach2) * road * (1 + 1e-5);
        break;
    }
    return metres > most + spare_m + MARGIN_M ? -1 : away;
}

/* With `to`: within the ellipse that the truck's way and its detour span; without: no farther than the detour
 * goes. */
static bool truck_in_reach(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4,
                           int64_t now, int64_t spare_m)
{
    const struct xd_truck *truck = &offer->truck_offer.truck;
    const struct xd_load *load = &request->truck_request;
    struct xd_way way = xd_way_of(offer, now);
    int64_t metres = xd_distance_m(*way.head, load->pickup, road_factor_e4);
    if (truck->has_to) metres += load->direct_m + xd_distance_m(load->delivery, truck->to, road_factor_e4);
    return metres <= way.longest_m + spare_m;
}

bool xd_in_reach(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4,
                 int64_t now, int64_t spare_m)
{
    if (offer->kind == XD_TRUCK) return truck_in_reach(offer, request, road_factor_e4, now, spare_m);
    int64_t metres = xd_distance_m(offer->storage_offer.at, request->storage_request.at, road_factor_e4);
    return metres <= request->storage_request.radius_m + spare_m;
}

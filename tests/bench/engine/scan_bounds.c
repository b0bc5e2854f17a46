#include "tests/bench/engine/scan_bounds.h"

#include "engine/state.h"

struct xd_scan_way xd_scan_way_of(const struct xd_slot *truck_offer, int64_t now)
{
    const struct xd_truck *truck = &truck_offer->truck_offer.truck;
    const struct xd_plan *plan = &truck_offer->truck_offer.plan;
    int64_t lawful_m = truck->has_to ? truck->lane_m : plan->direct_m; /* what counts as no detour */
    int64_t length_m = xd_plan_detour(plan, truck) + lawful_m;
    int64_t done_m = plan->done_m;
    uint32_t fixed = xd_plan_fixed(plan, now);
    struct xd_scan_way way = {.head = plan->at, .free = plan->free, .idle = fixed == plan->count};
    for (uint32_t i = 0; i < fixed; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        way.head = stop->delivery ? stop->load->delivery : stop->load->pickup;
        way.free = stop->end;
        done_m += stop->leg_m;
    }
    way.longest_m = truck->max_detour_m + lawful_m - done_m;
    way.planned_m = length_m - done_m;
    return way;
}

int64_t xd_scan_emptiest_day(const struct xd_slot *storage_offer)
{
    const struct xd_slot *offer = storage_offer;
    enum xd_dim main = xd_main_dim(offer->kind);
    int64_t most = 0;
    for (int64_t day = offer->storage_offer.from_day; day < offer->storage_offer.until_day && most < offer->whole; day++) {
        int64_t free = xd_slot_free(offer, main, day, day + 1);
        if (free > most) most = free;
    }
    return most;
}

int64_t xd_scan_least_part(const struct xd_slot *storage_request)
{
    int64_t least = storage_request->min_part;
    return least && least < storage_request->open ? least : storage_request->open;
}

double xd_scan_reach(int64_t radius_m, int32_t road_factor_e4)
{
    enum { ROUNDING_M = 4 };
    double metres = (double)radius_m * 1.000001 + ROUNDING_M;
    double chord = metres / (XD_SCAN_EARTH_M * (double)road_factor_e4 / 1e4) + 4e-7;
    return chord * chord * 1.000001;
}

double xd_scan_most(int64_t amount)
{
    return (double)amount * 1.000001;
}

double xd_scan_least(int64_t amount)
{
    return (double)amount * 0.999999;
}

int32_t xd_scan_time_down(int64_t time)
{
    return (int32_t)(time / 4);
}

int32_t xd_scan_time_up(int64_t time)
{
    return (int32_t)((time + 3) / 4);
}

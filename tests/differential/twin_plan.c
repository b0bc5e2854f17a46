#include "tests/differential/twin_plan.h"

#include "core/schema.h"
#include "tests/differential/grow.h"

#include <string.h>

struct twin_truck twin_truck_of(const struct xd_order *offer, int32_t road_factor_e4)
{
    struct twin_truck truck = {.from = xd_place_vector(offer->from),
                               .has_to = xd_order_gave(offer, XD_F_TO),
                               .has_temp = xd_order_gave(offer, XD_F_TEMP_C),
                               .road_factor_e4 = road_factor_e4,
                               .max_detour_m = offer->max_detour_m,
                               .available_from = offer->available_from,
                               .available_until = offer->available_until,
                               .speed = offer->speed,
                               .temp = offer->temp};
    if (truck.has_to) truck.to = xd_place_vector(offer->to);
    for (unsigned d = 0; d < XD_DIMS; d++) {
        truck.states[d] = xd_order_gave(offer, XD_F_PALLETS + d);
        truck.capacity[d] = offer->amount[d];
    }
    return truck;
}

struct twin_load twin_load_of(const struct xd_order *request)
{
    struct twin_load load = {.from = request->from,
                             .to = request->to,
                             .pickup = xd_place_vector(request->from),
                             .delivery = xd_place_vector(request->to),
                             .pickup_from = request->pickup_from,
                             .pickup_until = request->pickup_until,
                             .deliver_until = request->deliver_until,
                             .load_s = request->load_min * 60,
                             .unload_s = request->unload_min * 60,
                             .has_temp = xd_order_gave(request, XD_F_TEMP_C),
                             .temp = request->temp};
    memcpy(load.amount, request->amount, sizeof load.amount);
    return load;
}

void twin_plan_free(struct twin_plan *plan)
{
    for (uint32_t i = 0; i < plan->load_count; i++) {
        free(plan->loads[i]);
    }
    free(plan->loads);
    free(plan->stops);
    *plan = (struct twin_plan){0};
}

const struct twin_stop *twin_plan_stop(const struct twin_plan *plan, uint64_t match_id, bool delivery)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct twin_stop *stop = &plan->stops[i];
        if (stop->load->match_id == match_id && stop->delivery == delivery && !stop->off) return stop;
    }
    return NULL;
}

/* --- lengths and times
 * ------------------------------------------------------------------------------------------------------ */

static struct xd_unit_vector place_of(const struct twin_stop *stop)
{
    return stop->delivery ? stop->load->delivery : stop->load->pickup;
}

/* Where the truck is before stop `i`, and when it is free there. */
static struct xd_unit_vector place_before(const struct twin_plan *plan, const struct twin_truck *truck,
                                          uint32_t i)
{
    return i ? place_of(&plan->stops[i - 1]) : truck->from;
}

static int64_t free_before(const struct twin_plan *plan, const struct twin_truck *truck, uint32_t i)
{
    return i ? plan->stops[i - 1].end : truck->available_from;
}

static int64_t metres(const struct twin_truck *truck, struct xd_unit_vector a, struct xd_unit_vector b)
{
    return xd_distance_m(a, b, truck->road_factor_e4);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From the last stop (or `from`) to `to`; 0 without it. */
static int64_t last_leg_m(const struct twin_plan *plan, const struct twin_truck *truck)
{
    return truck->has_to ? metres(truck, place_before(plan, truck, plan->count), truck->to) : 0;
}

int64_t twin_plan_detour(const struct twin_plan *plan, const struct twin_truck *truck)
{
    int64_t length = last_leg_m(plan, truck);
    int64_t paid = truck->has_to ? metres(truck, truck->from, truck->to) : 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct twin_stop *stop = &plan->stops[i];
        length += metres(truck, place_before(plan, truck, i), place_of(stop));
        if (!truck->has_to && stop->delivery) paid += metres(truck, stop->load->pickup, stop->load->delivery);
    }
    return length - paid;
}

/* Rule 5, for the stops from `first` on. */
static void make_times(struct twin_plan *plan, const struct twin_truck *truck, uint32_t first, int64_t now)
{
    for (uint32_t i = first; i < plan->count; i++) {
        struct twin_stop *stop = &plan->stops[i];
        int64_t drive_s =
            xd_drive_s(metres(truck, place_before(plan, truck, i), place_of(stop)), truck->speed);
        stop->depart = later(free_before(plan, truck, i), now);
        if (!stop->delivery) stop->depart = later(stop->depart, stop->load->pickup_from - drive_s);
        stop->start = stop->depart + drive_s;
        stop->end = stop->start + (stop->delivery ? stop->load->unload_s : stop->load->load_s);
    }
}

static uint32_t count_fixed(const struct twin_plan *plan, int64_t now)
{
    uint32_t fixed = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        fixed += plan->stops[i].depart <= now;
    }
    return fixed;
}

static uint32_t count_served(const struct twin_plan *plan, int64_t now)
{
    uint32_t served = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        served += plan->stops[i].end <= now;
    }
    return served;
}

/* --- what a plan must be
 * ---------------------------------------------------------------------------------------------------- */

/* On the legs to stops that are not served: the offer may have stated other room before. */
static bool within_capacity(const struct twin_plan *plan, const struct twin_truck *truck, uint32_t served)
{
    int64_t aboard[XD_DIMS] = {0};
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct twin_stop *stop = &plan->stops[i];
        if (stop->off) continue;
        for (unsigned d = 0; d < XD_DIMS; d++) {
            aboard[d] += stop->delivery ? -stop->load->amount[d] : stop->load->amount[d];
            if (i + 1 >= served && truck->states[d] && aboard[d] > truck->capacity[d]) return false;
        }
    }
    return true;
}

/* Of what is on the plan: what was served before the insertion is history. */
static bool within_windows(const struct twin_plan *plan, uint32_t served)
{
    for (uint32_t i = served; i < plan->count; i++) {
        const struct twin_stop *stop = &plan->stops[i];
        if (stop->off) continue;
        if (stop->start > (stop->delivery ? stop->load->deliver_until : stop->load->pickup_until))
            return false;
        if (!stop->delivery && stop->start < stop->load->pickup_from) return false;
    }
    return true;
}

static bool ends_in_time(const struct twin_plan *plan, const struct twin_truck *truck)
{
    int64_t drive_s = xd_drive_s(last_leg_m(plan, truck), truck->speed);
    return free_before(plan, truck, plan->count) + drive_s <= truck->available_until;
}

static bool ranges_meet(const struct xd_range *range, int64_t *min, int64_t *max)
{
    if (range->min > *min) *min = range->min;
    if (range->max < *max) *max = range->max;
    return *min <= *max;
}

/* One set-point suits the truck, the load and all that is not delivered yet. */
static bool temperatures_meet(const struct twin_plan *plan, const struct twin_truck *truck,
                              const struct twin_load *load, int64_t now)
{
    if (load->has_temp && !truck->has_temp) return false;
    int64_t min = INT64_MIN, max = INT64_MAX;
    if (truck->has_temp && !ranges_meet(&truck->temp, &min, &max)) return false;
    if (load->has_temp && !ranges_meet(&load->temp, &min, &max)) return false;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct twin_stop *stop = &plan->stops[i];
        if (!stop->delivery || stop->end <= now || !stop->load->has_temp) continue;
        if (!ranges_meet(&stop->load->temp, &min, &max)) return false;
    }
    return true;
}

static bool takes_one_more(const struct twin_plan *plan, int64_t now)
{
    uint32_t undelivered = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        undelivered += plan->stops[i].delivery && plan->stops[i].end > now;
    }
    return undelivered < TWIN_LOADS_MAX && plan->count - count_served(plan, now) + 2 <= TWIN_STOPS_MAX;
}

/* The lane's end is a stop like any other: nothing goes before it once the truck has left for it. */
static bool lane_is_open(const struct twin_plan *plan, const struct twin_truck *truck, int64_t now)
{
    if (!truck->has_to) return true;
    return truck->available_until - xd_drive_s(last_leg_m(plan, truck), truck->speed) > now;
}

/* --- changing ------------------------------------------------------------------------------------------- */

static void put_stop(struct twin_plan *plan, uint32_t position, const struct twin_load *load, bool delivery)
{
    plan->stops = xd_grown(plan->stops, plan->count, sizeof *plan->stops);
    for (uint32_t i = plan->count; i > position; i--) {
        plan->stops[i] = plan->stops[i - 1];
    }
    plan->stops[position] = (struct twin_stop){.load = load, .delivery = delivery};
    plan->count++;
}

static struct twin_plan copy_of(const struct twin_plan *plan)
{
    struct twin_plan copy = {.history = plan->history};
    for (uint32_t i = 0; i < plan->count; i++) {
        copy.stops = xd_grown(copy.stops, i, sizeof *copy.stops);
        copy.stops[i] = plan->stops[i];
    }
    copy.count = plan->count;
    return copy;
}

/* The plan with the load's stops at the two positions, all times made anew. The caller frees its stops. */
static struct twin_plan rebuild(const struct twin_plan *plan, const struct twin_truck *truck,
                                const struct twin_load *load, int64_t now, uint32_t pickup, uint32_t delivery)
{
    struct twin_plan trial = copy_of(plan);
    put_stop(&trial, delivery, load, true);
    put_stop(&trial, pickup, load, false);
    make_times(&trial, truck, count_fixed(plan, now), now);
    return trial;
}

static bool feasible(const struct twin_plan *trial, const struct twin_truck *truck, uint32_t served)
{
    return within_capacity(trial, truck, served) && within_windows(trial, served) && ends_in_time(trial, truck) &&
           twin_plan_detour(trial, truck) <= truck->max_detour_m;
}

bool twin_plan_try(const struct twin_plan *plan, const struct twin_truck *truck, const struct twin_load *load,
                   int64_t now, struct twin_insertion *out)
{
    if (!temperatures_meet(plan, truck, load, now) || !takes_one_more(plan, now)) return false;
    if (!lane_is_open(plan, truck, now)) return false;
    uint32_t fixed = count_fixed(plan, now), served = count_served(plan, now);
    int64_t before = twin_plan_detour(plan, truck);
    int64_t direct = truck->has_to ? 0 : metres(truck, load->pickup, load->delivery);
    bool found = false;
    for (uint32_t pickup = fixed; pickup <= plan->count; pickup++) {
        for (uint32_t delivery = pickup; delivery <= plan->count; delivery++) {
            struct twin_plan trial = rebuild(plan, truck, load, now, pickup, delivery);
            if (feasible(&trial, truck, served)) {
                int64_t more = twin_plan_detour(&trial, truck) - before;
                if (!found || more + direct < out->added_m) {
                    *out = (struct twin_insertion){.pickup = pickup - plan->history,
                                                   .delivery = delivery - plan->history,
                                                   .added_m = more + direct,
                                                   .charged_m = later(more, 0)};
                }
                found = true;
            }
            free(trial.stops);
        }
    }
    return found;
}

void twin_plan_insert(struct twin_plan *plan, const struct twin_truck *truck, const struct twin_load *load,
                      int64_t now, const struct twin_insertion *insertion)
{
    struct twin_load *kept = xd_needed(malloc(sizeof *kept));
    *kept = *load;
    plan->loads = xd_grown(plan->loads, plan->load_count, sizeof(*plan->loads));
    plan->loads[plan->load_count++] = kept;
    uint32_t fixed = count_fixed(plan, now), served = count_served(plan, now);
    put_stop(plan, plan->history + insertion->delivery, kept, true);
    put_stop(plan, plan->history + insertion->pickup, kept, false);
    make_times(plan, truck, fixed, now);
    plan->history = served;
}

bool twin_plan_remove(struct twin_plan *plan, const struct twin_truck *truck, uint64_t match_id, int64_t now)
{
    const struct twin_stop *delivery = twin_plan_stop(plan, match_id, true);
    if (!delivery || delivery->depart <= now) return false;
    uint32_t fixed = count_fixed(plan, now), kept = 0;
    plan->history = count_served(plan, now);
    for (uint32_t i = 0; i < plan->count; i++) {
        struct twin_stop stop = plan->stops[i];
        bool its = stop.load->match_id == match_id;
        if (its && stop.depart > now) continue;
        stop.off |= its;
        plan->stops[kept++] = stop;
    }
    plan->count = kept;
    make_times(plan, truck, fixed, now);
    return true;
}

/* Where on a plan a load goes best: every pair of positions is tried (rules 3, 4 and 5). */
#include "engine/fit/plan_parts.h"

#include <math.h>
#include <string.h>

/* The tables of one trial: distances from every node to the new pickup and delivery, and what is on board
 * there. */
enum { TRIAL_NODES = XD_PLAN_STOPS_MAX + 4 };

struct trial {
    const struct xd_plan *plan;
    const struct xd_truck *truck;
    const struct xd_load *load;
    int64_t now;
    uint32_t first;                       /* position after the fixed stops */
    bool has_next;                        /* the plan's end is a place */
    int64_t direct_m;                     /* pickup-delivery */
    int64_t pickup_m[TRIAL_NODES];        /* node i to the pickup */
    int64_t delivery_m[TRIAL_NODES];      /* node i to the delivery */
    int64_t leg_m[TRIAL_NODES];           /* node i to node i+1 */
    int64_t aboard[TRIAL_NODES][XD_DIMS]; /* when leaving node i */
};

static bool temperature_suits(const struct xd_plan *plan, const struct xd_truck *truck,
                              const struct xd_load *load, int64_t now)
{
    if (!truck->has_temp || !load->has_temp)
        return !load->has_temp; /* what it carries already has one in common */
    int16_t min = load->temp.min > truck->temp.min ? load->temp.min : truck->temp.min;
    int16_t max = load->temp.max < truck->temp.max ? load->temp.max : truck->temp.max;
    for (uint32_t i = 0; i < plan->count && min <= max; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        if (!stop->delivery || stop->end <= now || !stop->load->has_temp) continue;
        min = stop->load->temp.min > min ? stop->load->temp.min : min;
        max = stop->load->temp.max < max ? stop->load->temp.max : max;
    }
    return min <= max;
}

/* Whether the plan may get two stops more. */
static bool has_seats(const struct xd_plan *plan, int64_t now)
{
    uint32_t undelivered = 0, unserved = 0;
    for (uint32_t i = plan->count; i-- > 0 && plan->stops[i].end > now;) { /* ends are in order */
        undelivered += plan->stops[i].delivery;
        unserved++;
    }
    return undelivered < XD_PLAN_LOADS_MAX && unserved <= XD_PLAN_STOPS_MAX - 2;
}

static void count_aboard(struct trial *trial)
{
    const struct xd_plan *plan = trial->plan;
    int64_t aboard[XD_DIMS];
    xd_plan_aboard_at_first(plan, aboard);
    for (uint32_t i = 0; i <= plan->count; i++) {
        if (i >= trial->first) memcpy(trial->aboard[i - trial->first], aboard, sizeof aboard);
        if (i == plan->count) break;
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && !stop->load->off; d++) {
            aboard[d] += stop->delivery ? -stop->load->amount[d] : stop->load->amount[d];
        }
    }
}

static void measure(struct trial *trial,
                    int32_t (*metres)(const struct xd_truck *, const struct xd_unit_vector *,
                                      const struct xd_unit_vector *))
{
    const struct xd_plan *plan = trial->plan;
    uint32_t end = plan->count - trial->first + 1;
    for (uint32_t k = 0; k < end; k++) {
        const struct xd_unit_vector *here = xd_plan_node(plan, trial->first + k);
        trial->pickup_m[k] = metres(trial->truck, here, &trial->load->pickup);
        trial->delivery_m[k] = metres(trial->truck, here, &trial->load->delivery);
    }
    if (trial->has_next) {
        trial->pickup_m[end] = metres(trial->truck, &trial->truck->to, &trial->load->pickup);
        trial->delivery_m[end] = metres(trial->truck, &trial->truck->to, &trial->load->delivery);
    }
}

/* No more than the distance, and a few metres less at most: the series of the arc over the chord, cut off. */
static int32_t distance_at_least(const struct xd_truck *truck, const struct xd_unit_vector *a,
                                 const struct xd_unit_vector *b)
{
    double x = a->x - b->x, y = a->y - b->y, z = a->z - b->z;
    double square = x * x + y * y + z * z;
    double arc = sqrt(square) * (1 + square / 24);
    return (int32_t)(arc * (6371008.8 * 1e-4) * truck->road_factor_e4) - 1;
}

static bool has_room(const struct trial *trial, uint32_t k)
{
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if ((trial->truck->dims >> d & 1) &&
            trial->aboard[k][d] + trial->load->amount[d] > trial->truck->capacity[d])
            return false;
    }
    return true;
}

/* What the plan grows by with the pickup at k and the delivery at l (positions counted after the fixed
 * stops). */
static int64_t added_m(const struct trial *trial, uint32_t k, uint32_t l)
{
    uint32_t end = trial->plan->count - trial->first;
    bool next = l < end || trial->has_next;
    int64_t after_delivery = next ? trial->delivery_m[l + 1] - trial->leg_m[l] : 0;
    if (k == l) return trial->pickup_m[k] + trial->direct_m + after_delivery;
    int64_t pickup = trial->pickup_m[k] + trial->pickup_m[k + 1] - trial->leg_m[k];
    return pickup + trial->delivery_m[l] + after_delivery;
}

/* Plays the plan's times with the load inserted; true if every window and the plan's end are kept. */
static bool in_time(const struct trial *trial, uint32_t k, uint32_t l)
{
    const struct xd_plan *plan = trial->plan;
    const struct xd_truck *truck = trial->truck;
    uint32_t end = plan->count - trial->first;
    int64_t free = xd_plan_free_at(plan, trial->first + k);
    int64_t metres = trial->pickup_m[k];
    if (!xd_stop_serve(trial->load, false, xd_drive_s(metres, truck->speed), trial->now, &free, NULL))
        return false;
    for (uint32_t s = k; s <= end; s++) {
        if (s == l) {
            metres = k == l ? trial->direct_m : trial->delivery_m[s];
            if (!xd_stop_serve(trial->load, true, xd_drive_s(metres, truck->speed), trial->now, &free, NULL))
                return false;
        }
        if (s == end && !trial->has_next) return free <= truck->available_until;
        if (s == l) {
            metres = trial->delivery_m[s + 1];
        } else {
            metres = s == k ? trial->pickup_m[s + 1] : trial->leg_m[s];
        }
        if (s == end) break;
        const struct xd_stop *stop = &plan->stops[trial->first + s];
        if (!xd_stop_serve(stop->load, stop->delivery, xd_drive_s(metres, truck->speed), trial->now, &free,
                           NULL))
            return false;
    }
    return free + xd_drive_s(metres, truck->speed) <= truck->available_until;
}

static bool may_insert(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load,
                       int64_t now)
{
    if (!has_seats(plan, now) || !temperature_suits(plan, truck, load, now)) return false;
    if (!truck->has_to) return true;
    return truck->available_until - xd_drive_s(plan->last_leg_m, truck->speed) > now;
}

/* Whether any pair of positions could add less than `best`, by distances that are no longer than the real
 * ones, and were there room. */
static bool could_add_less(struct trial *trial, int64_t best)
{
    uint32_t end = trial->plan->count - trial->first;
    measure(trial, distance_at_least);
    for (uint32_t k = 0; k <= end; k++) {
        for (uint32_t l = k; l <= end; l++) {
            if (added_m(trial, k, l) < best) return true;
        }
    }
    return false;
}

static bool best_pair(struct trial *trial, int64_t best, struct xd_insertion *out)
{
    uint32_t end = trial->plan->count - trial->first;
    bool found = false;
    measure(trial, xd_truck_distance);
    for (uint32_t k = 0; k <= end; k++) {
        for (uint32_t l = k; l <= end && has_room(trial, l); l++) {
            int64_t added = added_m(trial, k, l);
            if (added >= best || !in_time(trial, k, l)) continue;
            best = added;
            found = true;
            *out = (struct xd_insertion){
                .pickup = trial->first + k, .delivery = trial->first + l, .added_m = added};
        }
    }
    return found;
}

static void keep_legs(struct trial *trial)
{
    const struct xd_plan *plan = trial->plan;
    for (uint32_t i = trial->first; i <= plan->count; i++) {
        trial->leg_m[i - trial->first] = i < plan->count ? plan->stops[i].leg_m : plan->last_leg_m;
    }
}

bool xd_plan_try_within(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load,
                        int64_t now, int64_t most_charged_m, struct xd_insertion *out)
{
    if (!may_insert(plan, truck, load, now)) return false;
    struct trial trial; /* not cleared: it is large, and filled as far as it is used */
    trial.plan = plan;
    trial.truck = truck;
    trial.load = load;
    trial.now = now;
    trial.direct_m = load->direct_m;
    trial.has_next = truck->has_to;
    trial.first = xd_plan_fixed(plan, now);
    int64_t own = truck->has_to ? 0 : load->direct_m; /* what the load itself takes off the detour */
    int64_t most = truck->max_detour_m - xd_plan_detour(plan, truck);
    if (most_charged_m < most) most = most_charged_m;
    keep_legs(&trial);
    if (!could_add_less(&trial, most + own + 1)) return false;
    count_aboard(&trial);
    if (!best_pair(&trial, most + own + 1, out)) return false;
    out->charged_m = out->added_m > own ? out->added_m - own : 0;
    return true;
}

bool xd_plan_try(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load,
                 int64_t now, struct xd_insertion *out)
{
    return xd_plan_try_within(plan, truck, load, now, INT64_MAX, out);
}

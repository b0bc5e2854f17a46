#include "matcher/plan.h"

#include <math.h>
#include <string.h>

void xd_plan_init(struct xd_plan *plan, const struct xd_truck *truck)
{
    *plan = (struct xd_plan){.at = truck->from,
                             .free = truck->available_from,
                             .last_leg_m = truck->lane_m,
                             .length_m = truck->lane_m};
}

void xd_plan_free(struct xd_plan *plan, struct xd_pool *pool)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        /* A load goes with its last stop: its delivery, or the fixed pickup of one taken off. */
        if (plan->stops[i].delivery || plan->stops[i].load->off) xd_pool_give(pool, plan->stops[i].load);
    }
    xd_pool_give(pool, plan->stops);
    *plan = (struct xd_plan){0};
}

/* The place before stop `i`: node i of the plan. */
static const struct xd_unit_vector *node(const struct xd_plan *plan, uint32_t i)
{
    return i == 0 ? &plan->at : &plan->stops[i - 1].place;
}

static int64_t free_at_node(const struct xd_plan *plan, uint32_t i)
{
    return i == 0 ? plan->free : plan->stops[i - 1].end;
}

static int32_t distance(const struct xd_truck *truck, const struct xd_unit_vector *a, const struct xd_unit_vector *b)
{
    return (int32_t)xd_distance_m(*a, *b, truck->road_factor_e4);
}

uint32_t xd_plan_fixed(const struct xd_plan *plan, int64_t now)
{
    uint32_t fixed = 0;
    while (fixed < plan->count && plan->stops[fixed].depart <= now) {
        fixed++;
    }
    return fixed;
}

const struct xd_stop *xd_plan_stop(const struct xd_plan *plan, uint64_t match_id, bool delivery)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        if (stop->load->match_id == match_id && stop->delivery == delivery && !stop->load->off) return stop;
    }
    return NULL;
}

void xd_plan_measure(struct xd_plan *plan, const struct xd_truck *truck)
{
    plan->last_leg_m = truck->has_to ? distance(truck, node(plan, plan->count), &truck->to) : 0;
    plan->length_m = plan->done_m + plan->last_leg_m;
    for (uint32_t i = 0; i < plan->count; i++) {
        plan->length_m += plan->stops[i].leg_m;
    }
}

int64_t xd_plan_detour(const struct xd_plan *plan, const struct xd_truck *truck)
{
    return plan->length_m - (truck->has_to ? truck->lane_m : plan->direct_m);
}

/* --- feasibility --------------------------------------------------------------------------------------------------------- */

/* A stop's times from the time its truck is free; false if they miss its window. */
static bool serve(const struct xd_load *load, bool delivery, int64_t drive_s, int64_t now, int64_t *free,
                  struct xd_stop *times)
{
    int64_t depart = *free > now ? *free : now;
    if (!delivery && depart < load->pickup_from - drive_s) depart = load->pickup_from - drive_s;
    int64_t start = depart + drive_s;
    *free = start + (delivery ? load->unload_s : load->load_s);
    if (times) {
        times->depart = depart;
        times->start = start;
        times->end = *free;
    }
    return start <= (delivery ? load->deliver_until : load->pickup_until);
}

/* The tables of one trial: distances from every node to the new pickup and delivery, and what is on board there. */
enum { TRIAL_NODES = XD_PLAN_STOPS_MAX + 4 };

struct trial {
    const struct xd_plan *plan;
    const struct xd_truck *truck;
    const struct xd_load *load;
    int64_t now;
    uint32_t first;              /* position after the fixed stops */
    bool has_next;               /* the plan's end is a place */
    int64_t direct_m;            /* pickup-delivery */
    int64_t pickup_m[TRIAL_NODES]; /* node i to the pickup */
    int64_t delivery_m[TRIAL_NODES]; /* node i to the delivery */
    int64_t leg_m[TRIAL_NODES];  /* node i to node i+1 */
    int64_t aboard[TRIAL_NODES][XD_DIMS]; /* when leaving node i */
};

static bool temperature_suits(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load,
                              int64_t now)
{
    if (!truck->has_temp || !load->has_temp) return !load->has_temp; /* what it carries already has one in common */
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

/* What was picked up before the first stop that is still on the plan, and not delivered there. */
static void aboard_at_first(const struct xd_plan *plan, int64_t aboard[XD_DIMS])
{
    memset(aboard, 0, XD_DIMS * sizeof *aboard);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && stop->delivery && stop->load->picked_up; d++) {
            aboard[d] += stop->load->amount[d];
        }
    }
}

static void count_aboard(struct trial *trial)
{
    const struct xd_plan *plan = trial->plan;
    int64_t aboard[XD_DIMS];
    aboard_at_first(plan, aboard);
    for (uint32_t i = 0; i <= plan->count; i++) {
        if (i >= trial->first) memcpy(trial->aboard[i - trial->first], aboard, sizeof aboard);
        if (i == plan->count) break;
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && !stop->load->off; d++) {
            aboard[d] += stop->delivery ? -stop->load->amount[d] : stop->load->amount[d];
        }
    }
}

static void measure(struct trial *trial, int32_t (*metres)(const struct xd_truck *, const struct xd_unit_vector *,
                                                           const struct xd_unit_vector *))
{
    const struct xd_plan *plan = trial->plan;
    uint32_t end = plan->count - trial->first + 1;
    for (uint32_t k = 0; k < end; k++) {
        const struct xd_unit_vector *here = node(plan, trial->first + k);
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

/* What the plan grows by with the pickup at k and the delivery at l (positions counted after the fixed stops). */
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
    int64_t free = free_at_node(plan, trial->first + k);
    int64_t metres = trial->pickup_m[k];
    if (!serve(trial->load, false, xd_drive_s(metres, truck->speed), trial->now, &free, NULL)) return false;
    for (uint32_t s = k; s <= end; s++) {
        if (s == l) {
            metres = k == l ? trial->direct_m : trial->delivery_m[s];
            if (!serve(trial->load, true, xd_drive_s(metres, truck->speed), trial->now, &free, NULL)) return false;
        }
        if (s == end && !trial->has_next) return free <= truck->available_until;
        if (s == l) {
            metres = trial->delivery_m[s + 1];
        } else {
            metres = s == k ? trial->pickup_m[s + 1] : trial->leg_m[s];
        }
        if (s == end) break;
        const struct xd_stop *stop = &plan->stops[trial->first + s];
        if (!serve(stop->load, stop->delivery, xd_drive_s(metres, truck->speed), trial->now, &free, NULL))
            return false;
    }
    return free + xd_drive_s(metres, truck->speed) <= truck->available_until;
}

static bool may_insert(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load, int64_t now)
{
    if (!has_seats(plan, now) || !temperature_suits(plan, truck, load, now)) return false;
    if (!truck->has_to) return true;
    return truck->available_until - xd_drive_s(plan->last_leg_m, truck->speed) > now;
}

/* Whether any pair of positions could add less than `best`, by distances that are no longer than the real ones, and were
 * there room. */
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
    measure(trial, distance);
    for (uint32_t k = 0; k <= end; k++) {
        for (uint32_t l = k; l <= end && has_room(trial, l); l++) {
            int64_t added = added_m(trial, k, l);
            if (added >= best || !in_time(trial, k, l)) continue;
            best = added;
            found = true;
            *out = (struct xd_insertion){.pickup = trial->first + k, .delivery = trial->first + l, .added_m = added};
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

bool xd_plan_try_within(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load, int64_t now,
                        int64_t most_charged_m, struct xd_insertion *out)
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

bool xd_plan_try(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load, int64_t now,
                 struct xd_insertion *out)
{
    return xd_plan_try_within(plan, truck, load, now, INT64_MAX, out);
}

/* --- changing ------------------------------------------------------------------------------------------------------------ */

/* Takes the stops whose service has ended off the front; how many. */
static uint32_t leave_behind(struct xd_plan *plan, struct xd_pool *pool, int64_t now)
{
    uint32_t gone = 0;
    while (gone < plan->count && plan->stops[gone].end <= now) {
        struct xd_stop *stop = &plan->stops[gone++];
        plan->at = stop->place;
        plan->free = stop->end;
        plan->done_m += stop->leg_m;
        stop->load->picked_up = true;
        if (stop->delivery || stop->load->off) xd_pool_give(pool, stop->load);
    }
    plan->count = (uint16_t)(plan->count - gone);
    memmove(plan->stops, plan->stops + gone, plan->count * sizeof *plan->stops);
    return gone;
}

/* Legs and times of the stops from `first` on. */
static void remake(struct xd_plan *plan, const struct xd_truck *truck, uint32_t first, int64_t now)
{
    int64_t free = free_at_node(plan, first);
    for (uint32_t i = first; i < plan->count; i++) {
        struct xd_stop *stop = &plan->stops[i];
        stop->leg_m = distance(truck, node(plan, i), &stop->place);
        serve(stop->load, stop->delivery, xd_drive_s(stop->leg_m, truck->speed), now, &free, stop);
    }
    xd_plan_measure(plan, truck);
}

static bool make_room(struct xd_plan *plan, struct xd_pool *pool, uint32_t stops)
{
    if (plan->count + stops <= plan->room) return true;
    uint32_t room = plan->count + stops + plan->count / 2;
    struct xd_stop *grown = xd_pool_take(pool, room * sizeof *grown);
    if (!grown) return false;
    if (plan->count) memcpy(grown, plan->stops, plan->count * sizeof *grown);
    xd_pool_give(pool, plan->stops);
    plan->stops = grown;
    plan->room = (uint16_t)(xd_pool_room(grown) / sizeof *grown);
    return true;
}

static void put_stop(struct xd_plan *plan, uint32_t position, struct xd_load *load, bool delivery)
{
    memmove(plan->stops + position + 1, plan->stops + position,
            (plan->count - position) * sizeof *plan->stops);
    plan->stops[position] = (struct xd_stop){
        .place = delivery ? load->delivery : load->pickup, .load = load, .delivery = delivery};
    plan->count++;
}

bool xd_plan_insert(struct xd_plan *plan, struct xd_pool *pool, const struct xd_truck *truck, const struct xd_load *load,
                    int64_t now, const struct xd_insertion *insertion)
{
    struct xd_load *copy = xd_pool_take(pool, sizeof *copy);
    if (!copy || !make_room(plan, pool, 2)) {
        xd_pool_give(pool, copy);
        return false;
    }
    *copy = *load;
    /* First, so that whoever looks at the plan afterwards finds the new load's stops, though they may end at once. */
    uint32_t gone = leave_behind(plan, pool, now);
    uint32_t first = xd_plan_fixed(plan, now);
    put_stop(plan, insertion->delivery - gone, copy, true);
    put_stop(plan, insertion->pickup - gone, copy, false);
    plan->direct_m += load->direct_m;
    remake(plan, truck, first, now);
    return true;
}

/* The load of a match that has stops from `first` on, or NULL. */
static struct xd_load *load_after(const struct xd_plan *plan, uint32_t first, uint64_t match_id)
{
    for (uint32_t i = first; i < plan->count; i++) {
        if (plan->stops[i].load->match_id == match_id) return plan->stops[i].load;
    }
    return NULL;
}

bool xd_plan_remove(struct xd_plan *plan, struct xd_pool *pool, const struct xd_truck *truck, uint64_t match_id, int64_t now)
{
    struct xd_load *load = load_after(plan, xd_plan_fixed(plan, now), match_id);
    if (!load) return false;
    leave_behind(plan, pool, now);
    uint32_t fixed = xd_plan_fixed(plan, now);
    bool keeps_pickup = false;
    for (uint32_t i = 0; i < fixed; i++) {
        keeps_pickup |= plan->stops[i].load == load;
    }
    uint16_t kept = (uint16_t)fixed;
    for (uint32_t i = fixed; i < plan->count; i++) {
        if (plan->stops[i].load != load) plan->stops[kept++] = plan->stops[i];
    }
    plan->count = kept;
    plan->direct_m -= load->direct_m;
    if (keeps_pickup) {
        load->off = true;
    } else {
        xd_pool_give(pool, load);
    }
    remake(plan, truck, fixed, now);
    return true;
}

bool xd_plan_append(struct xd_plan *plan, struct xd_pool *pool, const struct xd_stop *stop)
{
    if (!make_room(plan, pool, 1)) return false;
    plan->stops[plan->count++] = *stop;
    return true;
}

/* The copy of a stop's load, shared with the stop that has it already. */
static struct xd_load *copy_of_load(const struct xd_plan *to, struct xd_pool *pool, const struct xd_plan *from, uint32_t i)
{
    for (uint32_t earlier = 0; earlier < i; earlier++) {
        if (from->stops[earlier].load == from->stops[i].load) return to->stops[earlier].load;
    }
    struct xd_load *load = xd_pool_take(pool, sizeof *load);
    if (load) *load = *from->stops[i].load;
    return load;
}

/* Gives back a copy of which only the first stops of some loads may have been made. */
static void drop_copy(struct xd_plan *to, struct xd_pool *pool)
{
    for (uint32_t i = to->count; i-- > 0;) {
        bool shared = false;
        for (uint32_t earlier = 0; earlier < i; earlier++) {
            shared |= to->stops[earlier].load == to->stops[i].load;
        }
        if (!shared) xd_pool_give(pool, to->stops[i].load);
    }
    xd_pool_give(pool, to->stops);
}

bool xd_plan_copy(struct xd_plan *to, struct xd_pool *pool, const struct xd_plan *from)
{
    *to = *from;
    to->stops = from->room ? xd_pool_take(pool, from->room * sizeof *to->stops) : NULL;
    if (from->room && !to->stops) return false;
    for (to->count = 0; to->count < from->count; to->count++) {
        struct xd_load *load = copy_of_load(to, pool, from, to->count);
        if (!load) {
            drop_copy(to, pool);
            return false;
        }
        to->stops[to->count] = from->stops[to->count];
        to->stops[to->count].load = load;
    }
    return true;
}

/* --- what it needs --------------------------------------------------------------------------------------------------------- */

static void need_temp(struct xd_plan_needs *needs, const struct xd_load *load)
{
    if (!load->has_temp) return;
    if (!needs->has_temp || load->temp.min > needs->temp.min) needs->temp.min = load->temp.min;
    if (!needs->has_temp || load->temp.max < needs->temp.max) needs->temp.max = load->temp.max;
    needs->has_temp = true;
}

void xd_plan_needs(const struct xd_plan *plan, const struct xd_truck *truck, int64_t now, struct xd_plan_needs *out)
{
    int64_t aboard[XD_DIMS];
    *out = (struct xd_plan_needs){0};
    aboard_at_first(plan, aboard);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        bool served = stop->end <= now;
        for (unsigned d = 0; d < XD_DIMS; d++) {
            if (!served && aboard[d] > out->aboard[d]) out->aboard[d] = aboard[d];
            if (!stop->load->off) aboard[d] += stop->delivery ? -stop->load->amount[d] : stop->load->amount[d];
        }
        if (served) continue;
        if (stop->delivery) need_temp(out, stop->load);
        out->end = stop->end;
    }
    if (out->end && truck->has_to) out->end += xd_drive_s(plan->last_leg_m, truck->speed);
}

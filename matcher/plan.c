#include "matcher/plan.h"

#include <stdlib.h>
#include <string.h>

void xd_plan_init(struct xd_plan *plan, const struct xd_truck *truck)
{
    *plan = (struct xd_plan){.at = truck->from, .free = truck->available_from};
}

void xd_plan_free(struct xd_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        /* A load is freed with its last stop: its delivery, or the fixed pickup of one taken off. */
        if (plan->stops[i].delivery || plan->stops[i].load->off) free(plan->stops[i].load);
    }
    free(plan->stops);
    *plan = (struct xd_plan){0};
}

static const struct xd_unit_vector *stop_place(const struct xd_stop *stop)
{
    return stop->delivery ? &stop->load->delivery : &stop->load->pickup;
}

/* The place before stop `i`: node i of the plan. */
static const struct xd_unit_vector *node(const struct xd_plan *plan, uint32_t i)
{
    return i == 0 ? &plan->at : stop_place(&plan->stops[i - 1]);
}

static int64_t free_at_node(const struct xd_plan *plan, uint32_t i)
{
    return i == 0 ? plan->free : plan->stops[i - 1].end;
}

static int64_t distance(const struct xd_truck *truck, const struct xd_unit_vector *a, const struct xd_unit_vector *b)
{
    return xd_distance_m(*a, *b, truck->road_factor_e4);
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

static int64_t last_leg_m(const struct xd_plan *plan, const struct xd_truck *truck)
{
    return truck->has_to ? distance(truck, node(plan, plan->count), &truck->to) : 0;
}

static int64_t length_m(const struct xd_plan *plan, const struct xd_truck *truck)
{
    int64_t metres = plan->done_m;
    for (uint32_t i = 0; i < plan->count; i++) {
        metres += plan->stops[i].leg_m;
    }
    return metres + last_leg_m(plan, truck);
}

int64_t xd_plan_detour(const struct xd_plan *plan, const struct xd_truck *truck)
{
    return length_m(plan, truck) - (truck->has_to ? truck->lane_m : plan->direct_m);
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
    int64_t delivery_m[TRIAL_NODES];
    int64_t leg_m[TRIAL_NODES];  /* node i to node i+1 */
    int64_t aboard[TRIAL_NODES][XD_DIMS]; /* when leaving node i */
};

static bool temperature_suits(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load,
                              int64_t now)
{
    if (!truck->has_temp) return !load->has_temp; /* what it carries already has none either */
    int64_t min = truck->temp.min, max = truck->temp.max;
    if (load->has_temp) {
        min = load->temp.min > min ? load->temp.min : min;
        max = load->temp.max < max ? load->temp.max : max;
    }
    for (uint32_t i = 0; i < plan->count && min <= max; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        if (!stop->delivery || stop->end <= now || !stop->load->has_temp) continue;
        min = stop->load->temp.min > min ? stop->load->temp.min : min;
        max = stop->load->temp.max < max ? stop->load->temp.max : max;
    }
    return min <= max;
}

static uint32_t undelivered(const struct xd_plan *plan, int64_t now)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        count += plan->stops[i].delivery && plan->stops[i].end > now;
    }
    return count;
}

static uint32_t unserved(const struct xd_plan *plan, int64_t now)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        count += plan->stops[i].end > now;
    }
    return count;
}

static void count_aboard(struct trial *trial)
{
    const struct xd_plan *plan = trial->plan;
    int64_t aboard[XD_DIMS] = {0};
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && stop->delivery && stop->load->picked_up; d++) {
            aboard[d] += stop->load->amount[d];
        }
    }
    for (uint32_t i = 0; i <= plan->count; i++) {
        if (i >= trial->first) memcpy(trial->aboard[i - trial->first], aboard, sizeof aboard);
        if (i == plan->count) break;
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && !stop->load->off; d++) {
            aboard[d] += stop->delivery ? -stop->load->amount[d] : stop->load->amount[d];
        }
    }
}

static void measure(struct trial *trial)
{
    const struct xd_plan *plan = trial->plan;
    for (uint32_t i = trial->first; i <= plan->count; i++) {
        uint32_t k = i - trial->first;
        const struct xd_unit_vector *here = node(plan, i);
        trial->pickup_m[k] = distance(trial->truck, here, &trial->load->pickup);
        trial->delivery_m[k] = distance(trial->truck, here, &trial->load->delivery);
        trial->leg_m[k] = i < plan->count ? plan->stops[i].leg_m : last_leg_m(plan, trial->truck);
    }
    uint32_t end = plan->count - trial->first + 1;
    trial->has_next = trial->truck->has_to;
    if (trial->has_next) {
        trial->pickup_m[end] = distance(trial->truck, &trial->truck->to, &trial->load->pickup);
        trial->delivery_m[end] = distance(trial->truck, &trial->truck->to, &trial->load->delivery);
    }
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
    if (!temperature_suits(plan, truck, load, now)) return false;
    if (undelivered(plan, now) >= XD_PLAN_LOADS_MAX || unserved(plan, now) > XD_PLAN_STOPS_MAX - 2) return false;
    if (!truck->has_to) return true;
    return truck->available_until - xd_drive_s(last_leg_m(plan, truck), truck->speed) > now;
}

bool xd_plan_try(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load, int64_t now,
                 struct xd_insertion *out)
{
    if (!may_insert(plan, truck, load, now)) return false;
    struct trial trial = {.plan = plan, .truck = truck, .load = load, .now = now, .direct_m = load->direct_m};
    trial.first = xd_plan_fixed(plan, now);
    uint32_t end = plan->count - trial.first;
    count_aboard(&trial);
    measure(&trial);
    int64_t before = xd_plan_detour(plan, truck);
    int64_t own = truck->has_to ? 0 : load->direct_m; /* what the load itself takes off the detour */
    int64_t best = truck->max_detour_m - before + own + 1;
    bool found = false;
    for (uint32_t k = 0; k <= end; k++) {
        for (uint32_t l = k; l <= end && has_room(&trial, l); l++) {
            int64_t added = added_m(&trial, k, l);
            if (added >= best || !in_time(&trial, k, l)) continue;
            best = added;
            found = true;
            *out = (struct xd_insertion){.pickup = trial.first + k, .delivery = trial.first + l, .added_m = added};
        }
    }
    if (found) out->charged_m = best - own > 0 ? best - own : 0;
    return found;
}

/* --- changing ------------------------------------------------------------------------------------------------------------ */

/* Takes the stops whose service has ended off the front. */
static void leave_behind(struct xd_plan *plan, int64_t now)
{
    uint32_t gone = 0;
    while (gone < plan->count && plan->stops[gone].end <= now) {
        struct xd_stop *stop = &plan->stops[gone++];
        plan->at = *stop_place(stop);
        plan->free = stop->end;
        plan->done_m += stop->leg_m;
        stop->load->picked_up = true;
        if (stop->delivery || stop->load->off) free(stop->load);
    }
    plan->count -= gone;
    memmove(plan->stops, plan->stops + gone, plan->count * sizeof *plan->stops);
}

/* Legs and times of the stops from `first` on. */
static void remake(struct xd_plan *plan, const struct xd_truck *truck, uint32_t first, int64_t now)
{
    int64_t free = free_at_node(plan, first);
    for (uint32_t i = first; i < plan->count; i++) {
        struct xd_stop *stop = &plan->stops[i];
        stop->leg_m = distance(truck, node(plan, i), stop_place(stop));
        serve(stop->load, stop->delivery, xd_drive_s(stop->leg_m, truck->speed), now, &free, stop);
    }
}

static bool make_room(struct xd_plan *plan, uint32_t stops)
{
    if (plan->count + stops <= plan->room) return true;
    uint32_t room = plan->room ? plan->room * 2 : 4;
    struct xd_stop *grown = realloc(plan->stops, room * sizeof *grown);
    if (!grown) return false;
    plan->stops = grown;
    plan->room = room;
    return true;
}

static void put_stop(struct xd_plan *plan, uint32_t position, struct xd_load *load, bool delivery)
{
    memmove(plan->stops + position + 1, plan->stops + position,
            (plan->count - position) * sizeof *plan->stops);
    plan->stops[position] = (struct xd_stop){.load = load, .delivery = delivery};
    plan->count++;
}

bool xd_plan_insert(struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load, int64_t now,
                    const struct xd_insertion *insertion)
{
    struct xd_load *copy = malloc(sizeof *copy);
    if (!copy || !make_room(plan, 2)) {
        free(copy);
        return false;
    }
    *copy = *load;
    uint32_t first = xd_plan_fixed(plan, now);
    put_stop(plan, insertion->delivery, copy, true);
    put_stop(plan, insertion->pickup, copy, false);
    plan->direct_m += load->direct_m;
    remake(plan, truck, first, now);
    leave_behind(plan, now);
    return true;
}

bool xd_plan_remove(struct xd_plan *plan, const struct xd_truck *truck, uint64_t match_id, int64_t now)
{
    uint32_t fixed = xd_plan_fixed(plan, now);
    struct xd_load *load = NULL;
    bool keeps_pickup = false;
    uint32_t kept = fixed;
    for (uint32_t i = 0; i < fixed; i++) {
        keeps_pickup |= plan->stops[i].load->match_id == match_id && !plan->stops[i].delivery;
    }
    for (uint32_t i = fixed; i < plan->count; i++) {
        if (plan->stops[i].load->match_id == match_id) {
            load = plan->stops[i].load;
        } else {
            plan->stops[kept++] = plan->stops[i];
        }
    }
    if (!load) return false;
    plan->count = kept;
    plan->direct_m -= load->direct_m;
    if (keeps_pickup) {
        load->off = true;
    } else {
        free(load);
    }
    remake(plan, truck, fixed, now);
    leave_behind(plan, now);
    return true;
}

bool xd_plan_append(struct xd_plan *plan, const struct xd_stop *stop)
{
    if (!make_room(plan, 1)) return false;
    plan->stops[plan->count++] = *stop;
    return true;
}

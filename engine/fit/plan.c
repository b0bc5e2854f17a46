#include "engine/fit/plan_parts.h"

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
    plan->last_leg_m =
        truck->has_to ? xd_truck_distance(truck, xd_plan_node(plan, plan->count), &truck->to) : 0;
    plan->length_m = plan->done_m + plan->last_leg_m;
    for (uint32_t i = 0; i < plan->count; i++) {
        plan->length_m += plan->stops[i].leg_m;
    }
}

int64_t xd_plan_detour(const struct xd_plan *plan, const struct xd_truck *truck)
{
    return plan->length_m - (truck->has_to ? truck->lane_m : plan->direct_m);
}

void xd_plan_aboard_at_first(const struct xd_plan *plan, int64_t aboard[XD_DIMS])
{
    memset(aboard, 0, XD_DIMS * sizeof *aboard);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && stop->delivery && stop->load->picked_up; d++) {
            aboard[d] += stop->load->amount[d];
        }
    }
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
    int64_t free = xd_plan_free_at(plan, first);
    for (uint32_t i = first; i < plan->count; i++) {
        struct xd_stop *stop = &plan->stops[i];
        stop->leg_m = xd_truck_distance(truck, xd_plan_node(plan, i), &stop->place);
        xd_stop_serve(stop->load, stop->delivery, xd_drive_s(stop->leg_m, truck->speed), now, &free, stop);
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
    xd_plan_aboard_at_first(plan, aboard);
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

/* The partitions together are one market: of all orders that rest, wherever they are at home, no offer and
 * request are left that should have been matched. The naive twin says who fits (tests/differential), from
 * what the orders' homes hold; who has parted is known from what was told.
 *
 * Two that fit may rest all the same where they did not fit when either was last treated (rules 9 and 12):
 *   - what others took of a request may have left less than its `min_part`, which is then a last part;
 *   - what others put on a truck may lead it past the load. The loads came in the order of their matches, and
 * a truck that one was taken off is treated again: so a load that fits with none of them, with the first,
 * with the first two and so on up to all, fitted at that time. */
#include "core/id.h"
#include "engine/border/border.h"
#include "tests/differential/twin_state.h"
#include "tests/sim/audit.h"
#include "tests/sim/rest.h"

#include <stdlib.h>

/* Hundredths. A part's price is rounded by itself: a smaller part may be a cent better than the larger was.
 */
enum { ROUNDING = 2 };

struct pairs {
    struct sim_world *world;
    struct xd_twin twin; /* its clock and market */
    struct twin_order *orders[XD_SIDES];
    const struct xd_slot **slots[XD_SIDES];
    size_t count[XD_SIDES];
};

/* --- what rests ----------------------------------------------------------------------------------------- */

static bool rests(const struct xd_slot *slot)
{
    return slot->fill == XD_FILL_REST && !slot->aside && slot->ended == XD_LIVE && xd_is_open(slot);
}

/* As much taken of each day as there is. */
static void copy_calendar(const struct xd_slot *slot, struct twin_calendar *out)
{
    for (int32_t day = slot->storage_offer.from_day; day < slot->storage_offer.until_day; day++) {
        struct twin_take take = {.from = day, .until = day + 1};
        for (unsigned dim = 0; dim < XD_DIMS; dim++) {
            if (!(slot->dims >> dim & 1)) continue;
            take.amount[dim] =
                xd_slot_amount(slot, (enum xd_dim)dim) - xd_slot_free(slot, (enum xd_dim)dim, day, day + 1);
        }
        twin_calendar_take(out, &take);
    }
}

static void add(struct pairs *pairs, const struct xd_slot *slot)
{
    size_t *count = &pairs->count[slot->side];
    struct twin_order **orders = &pairs->orders[slot->side];
    *orders = sim_grown(*orders, *count, sizeof **orders);
    pairs->slots[slot->side] = sim_grown(pairs->slots[slot->side], *count, sizeof *pairs->slots[0]);
    pairs->slots[slot->side][*count] = slot;
    struct twin_order *order = &(*orders)[(*count)++];
    *order = (struct twin_order){
        .id = slot->id, .account = {slot->account->name, slot->account->len}, .credit = slot->credit};
    xd_slot_order(slot, &order->order);
    if (slot->side != XD_OFFER) return;
    if (slot->kind == XD_TRUCK) {
        order->truck = twin_truck_of(&order->order, pairs->twin.options.market.road_factor_e4);
    } else {
        copy_calendar(slot, &order->calendar);
    }
}

static void gather(struct pairs *pairs, struct xd_engine *const *engines)
{
    for (unsigned p = 0; p < pairs->world->store->count; p++) {
        const struct xd_engine *engine = engines[p];
        if (engine->now > pairs->twin.now) pairs->twin.now = engine->now;
        for (const struct xd_slot *slot = xd_slot_at(engine, engine->first_order); slot;
             slot = xd_slot_at(engine, slot->everybody.after)) {
            if (rests(slot)) add(pairs, slot);
        }
    }
}

/* --- plans ---------------------------------------------------------------------------------------------- */

static struct twin_load copy_load(const struct xd_load *load)
{
    struct twin_load copy = {.match_id = load->match_id,
                             .pickup = load->pickup,
                             .delivery = load->delivery,
                             .pickup_from = load->pickup_from,
                             .pickup_until = load->pickup_until,
                             .deliver_until = load->deliver_until,
                             .load_s = load->load_s,
                             .unload_s = load->unload_s,
                             .has_temp = load->has_temp,
                             .temp = {load->temp.min, load->temp.max}};
    memcpy(copy.amount, load->amount, sizeof copy.amount);
    return copy;
}

/* A plan of which nothing is fixed yet has all that it ever was. */
static bool is_whole(const struct xd_plan *plan, int64_t now)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->stops[i].load->picked_up || plan->stops[i].load->off) return false;
    }
    return !plan->done_m && !xd_plan_fixed(plan, now);
}

/* The match of the load that came next after `match`; 0: there is none. */
static uint64_t next_load(const struct xd_plan *plan, uint64_t match)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        uint64_t id = plan->stops[i].load->match_id;
        if (id > match && (!next || id < next)) next = id;
    }
    return next;
}

/* The plan with the loads up to `match`; freed by the caller, with `loads`. */
static struct twin_plan plan_up_to(const struct xd_plan *plan, uint64_t match, struct twin_load **loads)
{
    struct twin_plan out = {.stops = sim_new((plan->count + 1) * sizeof *out.stops)};
    *loads = sim_new((plan->count + 1) * sizeof **loads);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        if (stop->load->match_id > match) continue;
        (*loads)[i] = copy_load(stop->load);
        out.stops[out.count++] = (struct twin_stop){.load = &(*loads)[i],
                                                    .delivery = stop->delivery,
                                                    .depart = stop->depart,
                                                    .start = stop->start,
                                                    .end = stop->end};
    }
    return out;
}

static bool fitted_all_along(const struct pairs *pairs, const struct xd_slot *truck, struct twin_order *offer,
                             struct twin_order *request, int64_t open)
{
    const struct xd_plan *plan = &truck->truck_offer.plan;
    bool fits = is_whole(plan, pairs->twin.now);
    uint64_t match = 0;
    do {
        struct twin_load *loads;
        struct twin_candidate candidate;
        offer->plan = plan_up_to(plan, match, &loads);
        fits = fits && twin_fit(&pairs->twin, offer, request, open, &candidate);
        free(offer->plan.stops);
        free(loads);
        match = next_load(plan, match);
    } while (fits && match);
    return fits;
}

/* --- pairs ---------------------------------------------------------------------------------------------- */

static bool should_have_met(const struct pairs *pairs, size_t offer_at, size_t request_at)
{
    struct twin_order *offer = &pairs->orders[XD_OFFER][offer_at],
                      *request = &pairs->orders[XD_REQUEST][request_at];
    const struct xd_slot *truck = pairs->slots[XD_OFFER][offer_at];
    int64_t open = pairs->slots[XD_REQUEST][request_at]->open;
    struct twin_candidate candidate;
    if (sim_audit_parted(pairs->world, offer->order.ref, request->order.ref)) return false;
    if (truck->kind == XD_TRUCK) return fitted_all_along(pairs, truck, offer, request, open);
    return twin_fit(&pairs->twin, offer, request, open, &candidate) && candidate.surplus >= ROUNDING &&
           candidate.part >= request->order.min_part;
}

static void check(const struct pairs *pairs)
{
    for (size_t o = 0; o < pairs->count[XD_OFFER]; o++) {
        for (size_t r = 0; r < pairs->count[XD_REQUEST]; r++) {
            const struct twin_order *offer = &pairs->orders[XD_OFFER][o],
                                    *request = &pairs->orders[XD_REQUEST][r];
            if (!should_have_met(pairs, o, r)) continue;
            sim_fail(pairs->world, "missed: %.*s of p%u and %.*s of p%u rest, and fit",
                     (int)offer->order.ref.len, offer->order.ref.at,
                     (unsigned)(xd_id_partition(offer->id) - pairs->world->store->first),
                     (int)request->order.ref.len, request->order.ref.at,
                     (unsigned)(xd_id_partition(request->id) - pairs->world->store->first));
        }
    }
}

void sim_check_pairs(struct sim_world *world, struct xd_engine *const *engines)
{
    struct pairs pairs = {
        .world = world,
        .twin = {.options.market = world->market->terms, .now = sim_store_ms(world->store) / 1000}};
    gather(&pairs, engines);
    check(&pairs);
    for (size_t i = 0; i < pairs.count[XD_OFFER]; i++) {
        twin_calendar_free(&pairs.orders[XD_OFFER][i].calendar);
    }
    for (unsigned side = 0; side < XD_SIDES; side++) {
        free(pairs.orders[side]);
        free(pairs.slots[side]);
    }
}

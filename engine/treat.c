/* Rule 9: what an incoming order takes; rule 12: orders that have grown come in once more. */
#include "core/when.h"
#include "engine/state.h"

#include <stdlib.h>
#include <string.h>

/* One part that a request is to take, its capacity already taken. */
struct part {
    struct xd_slot *offer;
    struct xd_candidate candidate;
};

static bool take_capacity(struct xd_engine *engine, struct xd_slot *offer, const struct xd_slot *request,
                          const struct xd_candidate *candidate, uint64_t match_id)
{
    bool taken;
    xd_touch_order(engine, offer);
    if (offer->kind == XD_TRUCK) {
        struct xd_load load = request->truck_request;
        load.match_id = match_id;
        taken = xd_plan_insert(&offer->truck_offer.plan, &engine->pool, &offer->truck_offer.truck, &load, engine->now,
                               &candidate->insertion);
    } else {
        taken = xd_slot_take(engine, offer, candidate->amount, request->storage_request.from_day,
                             request->storage_request.until_day);
    }
    if (!taken) engine->failed = true;
    return taken;
}

static bool manual(const struct xd_slot *slot)
{
    return slot->confirm == XD_CONFIRM_MANUAL;
}

/* How long a proposal of the two is held, seconds; 0 when neither side is manual. */
static int64_t hold_of(const struct xd_slot *offer, const struct xd_slot *request)
{
    if (manual(offer) && manual(request)) {
        return offer->hold_s < request->hold_s ? offer->hold_s : request->hold_s;
    }
    return manual(offer) ? offer->hold_s : manual(request) ? request->hold_s : 0;
}

static struct xd_deal *make_deal(struct xd_engine *engine, struct xd_slot *offer, struct xd_slot *request,
                                 const struct xd_candidate *candidate, uint64_t id)
{
    struct xd_deal *deal = xd_pool_take(&engine->pool, sizeof *deal);
    if (!deal) {
        engine->failed = true;
        return NULL;
    }
    deal->id = id;
    deal->group = id;
    deal->order[XD_OFFER] = offer;
    deal->order[XD_REQUEST] = request;
    deal->accepted[XD_OFFER] = !manual(offer);
    deal->accepted[XD_REQUEST] = !manual(request);
    deal->part = candidate->part;
    memcpy(deal->amount, candidate->amount, sizeof deal->amount);
    deal->quote = candidate->quote;
    deal->surplus = candidate->surplus;
    deal->price = candidate->quote + candidate->surplus / 2;
    deal->access = candidate->access;
    deal->km_m = candidate->km_m;
    deal->added_m = candidate->added_m;
    if (offer->kind != XD_TRUCK) deal->planned_end = request->storage_request.until_day * XD_DAY_S;
    deal->deadline.age = id;
    deal->state = XD_MATCH_PROPOSED;
    engine->proposal_count++;
    if (!xd_deal_enter(engine, deal)) {
        xd_pool_give(&engine->pool, deal);
        return NULL;
    }
    return deal;
}

/* Tells of a match just made: confirmed at once where its hold is 0, else proposed. */
static void announce(struct xd_engine *engine, struct xd_deal *deal, int64_t hold_s)
{
    if (hold_s) {
        deal->hold_until = engine->now + hold_s;
        deal->deadline.class = XD_DEADLINE_HOLD;
        if (!xd_deadlines_set(&engine->deadlines, &deal->deadline, deal->hold_until)) engine->failed = true;
        xd_report_match(engine, deal, XD_EVENT_MATCH_PROPOSED, NULL, NULL);
    } else {
        xd_confirm(engine, deal);
    }
    if (deal->order[XD_OFFER]->kind == XD_TRUCK) xd_report_moved(engine, deal->order[XD_OFFER], deal);
}

static bool pair(struct xd_engine *engine, struct xd_slot *offer, struct xd_slot *request,
                 const struct xd_candidate *candidate)
{
    if (offer->role == XD_ROLE_GHOST || request->role == XD_ROLE_GHOST) {
        bool ghost_offers = offer->role == XD_ROLE_GHOST;
        xd_border_claim(engine, ghost_offers ? request : offer, ghost_offers ? offer : request, candidate);
        return !engine->failed;
    }
    uint64_t id = xd_id(engine->options.partition, engine->next_match++);
    if (!take_capacity(engine, offer, request, candidate, id)) return false;
    xd_touch_order(engine, request);
    request->open -= candidate->part;
    struct xd_deal *deal = make_deal(engine, offer, request, candidate, id);
    if (!deal) return false;
    announce(engine, deal, hold_of(offer, request));
    xd_book_update(engine, offer);
    xd_book_update(engine, request);
    return !engine->failed;
}

static void treat_offer(struct xd_engine *engine, struct xd_slot *offer)
{
    struct xd_candidate candidate;
    struct xd_slot *request;
    while (!engine->failed && (request = xd_border_best(engine, offer, &candidate))) {
        pair(engine, offer, request, &candidate);
        xd_settle_order(engine, request);
    }
    if (offer->fill != XD_FILL_NOW || xd_border_claimed(engine, offer)) return;
    xd_touch_order(engine, offer);
    offer->ended = XD_ENDED_DROPPED;
    xd_report_order(engine, offer, XD_EVENT_ORDER_CANCELLED, "fill_now");
}

/* --- whole or nothing ------------------------------------------------------------------------------------------------------ */

struct parts {
    struct part *list;
    uint32_t count, room;
};

static bool add_part(struct parts *parts, struct xd_slot *offer, const struct xd_candidate *candidate)
{
    if (parts->count == parts->room) {
        uint32_t room = parts->room ? parts->room * 2 : 8;
        struct part *list = realloc(parts->list, room * sizeof *list);
        if (!list) return false;
        parts->list = list;
        parts->room = room;
    }
    parts->list[parts->count++] = (struct part){offer, *candidate};
    return true;
}

/* Runs the greedy, taking capacity as it goes, and gives it back where something remains. */
static void gather_parts(struct xd_engine *engine, struct xd_slot *request, struct parts *parts)
{
    int32_t wanted = request->open;
    xd_touch_order(engine, request);
    struct xd_candidate candidate;
    struct xd_slot *offer;
    while (!engine->failed && request->open > 0 && (offer = xd_border_best(engine, request, &candidate))) {
        uint64_t id = xd_id(engine->options.partition, engine->next_match + parts->count);
        if (!add_part(parts, offer, &candidate)) {
            engine->failed = true;
        } else if (take_capacity(engine, offer, request, &candidate, id)) {
            request->open -= candidate.part;
        }
    }
    if (request->open == 0 || engine->failed) return;
    for (uint32_t i = 0; i < parts->count; i++) { /* only storage comes in parts */
        bool given = xd_slot_give(engine, parts->list[i].offer, parts->list[i].candidate.amount,
                                  request->storage_request.from_day, request->storage_request.until_day);
        if (!given) engine->failed = true;
    }
    parts->count = 0;
    request->open = wanted;
}

static int64_t shortest_hold(const struct parts *parts, const struct xd_slot *request)
{
    int64_t shortest = 0;
    for (uint32_t i = 0; i < parts->count; i++) {
        int64_t hold_s = hold_of(parts->list[i].offer, request);
        if (hold_s && (!shortest || hold_s < shortest)) shortest = hold_s;
    }
    return shortest;
}

static void treat_all_now(struct xd_engine *engine, struct xd_slot *request)
{
    struct parts parts = {0};
    gather_parts(engine, request, &parts);
    int64_t hold_s = shortest_hold(&parts, request);
    uint64_t first = xd_id(engine->options.partition, engine->next_match);
    struct xd_deal *deal;
    uint32_t made = 0;
    for (; made < parts.count && !engine->failed; made++) {
        uint64_t id = xd_id(engine->options.partition, engine->next_match++);
        deal = make_deal(engine, parts.list[made].offer, request, &parts.list[made].candidate, id);
        if (deal && hold_s) deal->group = first;
    }
    for (uint32_t i = 0; i < made && !engine->failed; i++) {
        deal = xd_table_get(&engine->deals, first + i);
        announce(engine, deal, hold_s);
        xd_book_update(engine, deal->order[XD_OFFER]);
    }
    free(parts.list);
}

/* --- requests -------------------------------------------------------------------------------------------------------------- */

static void treat_request(struct xd_engine *engine, struct xd_slot *request)
{
    if (request->fill == XD_FILL_ALL_NOW && !(engine->border && request->kind == XD_TRUCK)) { /* it has one part only */
        treat_all_now(engine, request);
    } else {
        struct xd_candidate candidate;
        struct xd_slot *offer;
        while (!engine->failed && request->open > 0 && (offer = xd_border_best(engine, request, &candidate))) {
            pair(engine, offer, request, &candidate);
        }
    }
    if (request->fill == XD_FILL_REST || request->open == 0) return;
    xd_touch_order(engine, request);
    request->open = 0;
    request->ended = XD_ENDED_DROPPED;
    xd_report_order(engine, request, XD_EVENT_ORDER_CANCELLED, "fill_now");
}

void xd_treat_now(struct xd_engine *engine, struct xd_slot *slot)
{
    if (slot->side == XD_OFFER) {
        if (slot->ended == XD_LIVE) treat_offer(engine, slot);
    } else if (slot->open > 0) {
        treat_request(engine, slot);
    }
    xd_settle_order(engine, slot);
}

void xd_treat(struct xd_engine *engine, struct xd_slot *slot)
{
    if (!xd_border_defers(engine, slot)) xd_treat_now(engine, slot);
}

/* --- rule 12 --------------------------------------------------------------------------------------------------------------- */

void xd_grow(struct xd_engine *engine, struct xd_slot *slot)
{
    if (slot->grown) return;
    if (engine->grown_count == engine->grown_room) {
        uint32_t room = engine->grown_room ? engine->grown_room * 2 : 16;
        struct xd_slot **grown = realloc(engine->grown, room * sizeof(*grown));
        if (!grown) {
            engine->failed = true;
            return;
        }
        engine->grown = grown;
        engine->grown_room = room;
    }
    slot->grown = true;
    engine->grown[engine->grown_count++] = slot;
}

/* Copies of other partitions' orders come last. */
static int older_first(const void *a, const void *b)
{
    const struct xd_slot *slot = *(struct xd_slot *const *)a, *than = *(struct xd_slot *const *)b;
    uint64_t one = slot->age, other = than->age;
    if (slot->role != than->role) return slot->role < than->role ? -1 : 1;
    return one < other ? -1 : one > other;
}

void xd_treat_grown(struct xd_engine *engine)
{
    if (!engine->grown_count) return;
    qsort(engine->grown, engine->grown_count, sizeof(*engine->grown), older_first);
    for (uint32_t i = 0; i < engine->grown_count && !engine->failed; i++) {
        struct xd_slot *slot = engine->grown[i];
        slot->grown = false;
        if (!slot->dead) xd_treat(engine, slot);
    }
    engine->grown_count = 0;
}

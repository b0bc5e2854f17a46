/* What ends orders and matches: deadlines, their owners, the other side (rules 10, 11 and 13). */
#include "core/when.h"
#include "engine/state.h"

#include <stddef.h>

enum { COMPLETION_S = 30 * 86400 };

static const char *side_name(enum xd_side side)
{
    return side == XD_OFFER ? "offer" : "request";
}

void xd_settle_order(struct xd_engine *engine, struct xd_slot *slot)
{
    if (slot->dead) return;
    if (slot->role != XD_ROLE_OWN) {
        xd_border_settle(engine, slot);
        return;
    }
    xd_book_update(engine, slot);
    bool open = slot->side == XD_OFFER ? slot->ended == XD_LIVE : slot->open > 0;
    if (!open && !slot->first_deal && !xd_border_holds(engine, slot)) xd_slot_leave(engine, slot);
}

/* --- confirming ------------------------------------------------------------------------------------------------------------ */

static void await_completion(struct xd_engine *engine, struct xd_deal *deal)
{
    deal->deadline.class = XD_DEADLINE_COMPLETION;
    if (!xd_deadlines_set(&engine->deadlines, &deal->deadline, deal->planned_end + COMPLETION_S)) engine->failed = true;
}

void xd_plan_end(struct xd_engine *engine, struct xd_deal *deal, int64_t planned_end)
{
    xd_touch_match(engine, deal);
    deal->planned_end = planned_end;
    if (deal->state == XD_MATCH_CONFIRMED) await_completion(engine, deal);
}

void xd_confirm(struct xd_engine *engine, struct xd_deal *deal)
{
    struct xd_slot *request = deal->order[XD_REQUEST];
    xd_touch_match(engine, deal);
    xd_touch_order(engine, request);
    deal->state = XD_MATCH_CONFIRMED;
    deal->hold_until = 0;
    request->confirmed += deal->part;
    engine->proposal_count--;
    xd_deadlines_remove(&engine->deadlines, &deal->deadline);
    xd_report_match(engine, deal, XD_EVENT_MATCH_CONFIRMED, NULL, NULL);
    await_completion(engine, deal);
    xd_border_confirmed(engine, deal);
    if (request->confirmed == request->whole && request->role == XD_ROLE_OWN) {
        xd_report_order(engine, request, XD_EVENT_ORDER_FILLED, NULL);
    }
}

/* --- ending a match -------------------------------------------------------------------------------------------------------- */

static bool begun(const struct xd_engine *engine, const struct xd_deal *deal)
{
    const struct xd_slot *offer = deal->order[XD_OFFER], *request = deal->order[XD_REQUEST];
    if (offer->kind != XD_TRUCK) return request->storage_request.from_day * XD_DAY_S <= engine->now;
    const struct xd_stop *pickup = xd_plan_stop(&offer->truck_offer.plan, deal->id, false);
    return !pickup || pickup->depart <= engine->now;
}

/* Gives back what is not fixed or begun. The day from which on storage is given back, or 0. */
static int64_t give_back(struct xd_engine *engine, const struct xd_deal *deal)
{
    struct xd_slot *offer = deal->order[XD_OFFER];
    const struct xd_slot *request = deal->order[XD_REQUEST];
    if (offer->kind == XD_TRUCK) {
        bool given = xd_plan_remove(&offer->truck_offer.plan, &engine->pool, &offer->truck_offer.truck, deal->id,
                                    engine->now);
        if (given) xd_grow(engine, offer);
        return 0;
    }
    int64_t from = request->storage_request.from_day, until = request->storage_request.until_day;
    int64_t next_day = engine->now / XD_DAY_S + 1;
    if (from * XD_DAY_S <= engine->now) from = next_day;
    if (from >= until) return 0;
    if (offer->role != XD_ROLE_OWN) return from; /* its home gives it back */
    if (!xd_slot_give(engine, offer, deal->amount, from, until)) engine->failed = true;
    xd_grow(engine, offer);
    return from;
}

/* An order has lapsed when its own deadline was carried out: one that is due at this record, but after what ends the match,
 * comes to it yet. */
void xd_reopen(struct xd_engine *engine, struct xd_slot *request, int32_t part)
{
    if (request->ended == XD_ENDED_CANCELLED || request->ended == XD_ENDED_EXPIRED) return;
    if (!request->lapse.index) {
        request->ended = XD_ENDED_EXPIRED;
        xd_report_order(engine, request, XD_EVENT_ORDER_EXPIRED, NULL);
        return;
    }
    request->open += part;
    xd_grow(engine, request);
}

/* Noted with the request; with the offer where the request is a copy, which goes with the match. */
static void bar(struct xd_engine *engine, struct xd_slot *offer, struct xd_slot *request)
{
    if (request->role == XD_ROLE_OWN) {
        xd_slot_bar(engine, request, offer->id);
    } else {
        xd_slot_bar(engine, offer, request->id);
    }
}

struct ending {
    enum xd_match_state state;
    enum xd_event_type event;
    const char *by, *reason;
    bool gives_back, reopens, bars;
};

static void end_deal(struct xd_engine *engine, struct xd_deal *deal, const struct ending *ending)
{
    struct xd_slot *offer = deal->order[XD_OFFER], *request = deal->order[XD_REQUEST];
    int32_t part = deal->part;
    bool proposed = deal->state == XD_MATCH_PROPOSED;
    xd_touch_match(engine, deal);
    xd_touch_order(engine, offer);
    xd_touch_order(engine, request);
    deal->state = (uint8_t)ending->state;
    deal->hold_until = 0;
    if (proposed) {
        engine->proposal_count--;
    } else if (ending->state != XD_MATCH_COMPLETED) {
        request->confirmed -= part;
    }
    int64_t give_from = ending->gives_back ? give_back(engine, deal) : 0;
    if (ending->bars) bar(engine, offer, request);
    xd_report_match(engine, deal, ending->event, ending->by, ending->reason);
    if (ending->gives_back && offer->kind == XD_TRUCK) xd_report_moved(engine, offer, deal);
    xd_border_ended(engine, deal, give_from, ending->reopens);
    xd_deal_leave(engine, deal);
    xd_pool_give(&engine->pool, deal);
    if (ending->reopens && request->role == XD_ROLE_OWN) xd_reopen(engine, request, part);
    xd_settle_order(engine, offer);
    xd_settle_order(engine, request);
}

static struct xd_deal *next_of_group(const struct xd_slot *request, uint64_t group)
{
    struct xd_deal *deal = request->first_deal;
    while (deal && (deal->group != group || deal->state != XD_MATCH_PROPOSED)) {
        deal = xd_deal_next(deal, request);
    }
    return deal;
}

/* Ends a proposal and, as one proposal with it, the other parts of its group. */
static void end_proposal(struct xd_engine *engine, struct xd_deal *deal, const struct ending *ending)
{
    struct xd_slot *request = deal->order[XD_REQUEST];
    uint64_t group = deal->group;
    bool lapses = ending->state == XD_MATCH_LAPSED;
    struct ending with_it = *ending;
    with_it.reason = lapses ? ending->reason : "group";
    with_it.bars = false;
    end_deal(engine, deal, ending);
    while (!engine->failed && (deal = next_of_group(request, group))) {
        if (lapses) with_it.bars = !deal->accepted[XD_OFFER] || !deal->accepted[XD_REQUEST];
        end_deal(engine, deal, &with_it);
    }
}

/* --- deadlines ------------------------------------------------------------------------------------------------------------- */

static void lapse_hold(struct xd_engine *engine, struct xd_deal *deal)
{
    end_proposal(engine, deal, &(struct ending){.state = XD_MATCH_LAPSED,
                                                .event = XD_EVENT_MATCH_LAPSED,
                                                .gives_back = true,
                                                .reopens = true,
                                                .bars = !deal->accepted[XD_OFFER] || !deal->accepted[XD_REQUEST]});
}

void xd_lapse_order(struct xd_engine *engine, struct xd_slot *slot)
{
    bool open = slot->side == XD_OFFER ? slot->ended == XD_LIVE : slot->open > 0;
    if (!open) return;
    xd_touch_order(engine, slot);
    slot->open = 0;
    slot->ended = XD_ENDED_EXPIRED;
    xd_report_order(engine, slot, XD_EVENT_ORDER_EXPIRED, NULL);
    xd_settle_order(engine, slot);
}

static void order_due(struct xd_engine *engine, struct xd_slot *slot)
{
    xd_deadlines_remove(&engine->deadlines, &slot->lapse);
    if (slot->role == XD_ROLE_GHOST) { /* its home says what becomes of it */
        slot->ended = XD_ENDED_EXPIRED;
        xd_book_update(engine, slot);
    } else if (!xd_border_delays_lapse(engine, slot)) {
        xd_lapse_order(engine, slot);
    }
}

static const struct ending completion = {.state = XD_MATCH_COMPLETED, .event = XD_EVENT_MATCH_COMPLETED};

static void *owner_of(struct xd_deadline *deadline, size_t offset)
{
    return (char *)deadline - offset;
}

void xd_lapse_due(struct xd_engine *engine)
{
    struct xd_deadline *due;
    while (!engine->failed && (due = xd_deadlines_first(&engine->deadlines)) && due->when <= engine->now) {
        if (due->class == XD_DEADLINE_ORDER) {
            order_due(engine, owner_of(due, offsetof(struct xd_slot, lapse)));
            continue;
        }
        if (due->class == XD_DEADLINE_GATHER) {
            xd_border_gathered(engine, due);
            continue;
        }
        struct xd_deal *deal = owner_of(due, offsetof(struct xd_deal, deadline));
        if (due->class == XD_DEADLINE_HOLD) {
            lapse_hold(engine, deal);
        } else {
            end_deal(engine, deal, &completion);
        }
    }
}

/* --- what the parties do --------------------------------------------------------------------------------------------------- */

static bool is_account(const struct xd_account *account, struct xd_str name)
{
    return xd_str_equal((struct xd_str){account->name, account->len}, name);
}

struct xd_deal *xd_first_proposal(const struct xd_slot *slot)
{
    struct xd_deal *deal = slot->first_deal;
    while (deal && deal->state != XD_MATCH_PROPOSED) {
        deal = xd_deal_next(deal, slot);
    }
    return deal;
}

void xd_withdraw_order(struct xd_engine *engine, struct xd_slot *slot)
{
    xd_touch_order(engine, slot);
    slot->open = 0;
    slot->ended = XD_ENDED_CANCELLED;
    xd_report_order(engine, slot, XD_EVENT_ORDER_CANCELLED, "owner");
    struct ending withdrawal = {.state = XD_MATCH_DECLINED,
                                .event = XD_EVENT_MATCH_DECLINED,
                                .by = side_name(slot->side),
                                .reason = "order_cancelled",
                                .gives_back = true,
                                .reopens = true};
    struct xd_deal *deal;
    while (!engine->failed && (deal = xd_first_proposal(slot))) {
        end_proposal(engine, deal, &withdrawal);
    }
    xd_border_withdraw(engine, slot);
    xd_settle_order(engine, slot);
}

enum xd_code xd_cancel_order(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_slot *slot = xd_table_get(&engine->orders, record->order_id);
    if (!slot) {
        bool closed = xd_seen_contains(&engine->seen, xd_id_number(record->order_id));
        return closed ? XD_WRONG_STATE : XD_NOT_FOUND;
    }
    if (!is_account(slot->account, record->account)) return XD_NOT_FOUND;
    bool open = slot->side == XD_OFFER ? slot->ended == XD_LIVE : slot->open > 0;
    if (!open && !xd_first_proposal(slot) && !xd_border_claimed(engine, slot) && !xd_border_proposed(engine, slot)) {
        return XD_WRONG_STATE;
    }
    if (!xd_border_delays_cancel(engine, slot)) xd_withdraw_order(engine, slot);
    return XD_OK;
}

/* Why a record names no live match: it has ended, or there never was one. */
static enum xd_code no_deal(const struct xd_engine *engine, const struct xd_record *record)
{
    bool ended = record->match_id && !xd_table_get(&engine->deals, record->match_id) &&
                 xd_id_number(record->match_id) < engine->next_match;
    return ended ? XD_WRONG_STATE : XD_NOT_FOUND;
}

/* The match of a record and the side that its account has in it; NULL if it has none. */
static struct xd_deal *deal_of(const struct xd_engine *engine, const struct xd_record *record, enum xd_side *side)
{
    struct xd_deal *deal = xd_table_get(&engine->deals, record->match_id);
    if (!deal) return NULL;
    *side = is_account(deal->order[XD_OFFER]->account, record->account) ? XD_OFFER : XD_REQUEST;
    return is_account(deal->order[*side]->account, record->account) ? deal : NULL;
}

static struct ending ending_of(enum xd_record_type type, enum xd_side side)
{
    struct ending ending = {.by = side_name(side), .gives_back = true};
    switch (type) {
    case XD_RECORD_DECLINE:
        ending.state = XD_MATCH_DECLINED;
        ending.event = XD_EVENT_MATCH_DECLINED;
        ending.reopens = ending.bars = true;
        break;
    case XD_RECORD_CANCEL_MATCH:
        ending.state = XD_MATCH_CANCELLED;
        ending.event = XD_EVENT_MATCH_CANCELLED;
        ending.reopens = side == XD_OFFER;
        ending.bars = true;
        break;
    case XD_RECORD_NO_SHOW:
        ending.state = XD_MATCH_NO_SHOW;
        ending.event = XD_EVENT_MATCH_NO_SHOW;
        break;
    default:
        ending = completion;
        ending.by = side_name(side);
        break;
    }
    return ending;
}

enum xd_code xd_end_match(struct xd_engine *engine, const struct xd_record *record)
{
    enum xd_side side;
    struct xd_deal *deal = deal_of(engine, record, &side);
    if (!deal) return no_deal(engine, record);
    bool declines = record->type == XD_RECORD_DECLINE;
    if (declines != (deal->state == XD_MATCH_PROPOSED)) return XD_WRONG_STATE;
    bool needs_begun = record->type == XD_RECORD_COMPLETE || record->type == XD_RECORD_NO_SHOW;
    if (needs_begun && !begun(engine, deal)) return XD_WRONG_STATE;
    struct ending ending = ending_of(record->type, side);
    if (declines) {
        end_proposal(engine, deal, &ending);
    } else {
        end_deal(engine, deal, &ending);
    }
    return XD_OK;
}

enum xd_code xd_accept_match(struct xd_engine *engine, const struct xd_record *record)
{
    enum xd_side side;
    struct xd_deal *deal = deal_of(engine, record, &side);
    if (!deal) return no_deal(engine, record);
    if (deal->state != XD_MATCH_PROPOSED) return deal->accepted[side] ? XD_OK : XD_WRONG_STATE;
    const struct xd_slot *request = deal->order[XD_REQUEST];
    uint64_t group = deal->group;
    xd_touch_match(engine, deal);
    deal->accepted[side] = true;
    bool all = true;
    for (struct xd_deal *part = request->first_deal; part; part = xd_deal_next(part, request)) {
        if (part->group != group) continue;
        xd_touch_match(engine, part);
        if (side == XD_REQUEST) part->accepted[side] = true;
        all &= part->accepted[XD_OFFER] && part->accepted[XD_REQUEST];
    }
    for (uint64_t id = group; all && (deal = xd_table_get(&engine->deals, id)) && deal->group == group; id++) {
        xd_confirm(engine, deal); /* the parts of a group have consecutive ids */
    }
    return XD_OK;
}

void xd_end_again(struct xd_engine *engine, struct xd_deal *deal, enum xd_match_state state, bool reopens)
{
    static const enum xd_event_type event_of[XD_MATCH_STATE_COUNT] = {
        [XD_MATCH_DECLINED] = XD_EVENT_MATCH_DECLINED,
        [XD_MATCH_LAPSED] = XD_EVENT_MATCH_LAPSED,
        [XD_MATCH_COMPLETED] = XD_EVENT_MATCH_COMPLETED,
        [XD_MATCH_CANCELLED] = XD_EVENT_MATCH_CANCELLED,
        [XD_MATCH_NO_SHOW] = XD_EVENT_MATCH_NO_SHOW};
    struct ending ending = {.state = state,
                            .event = event_of[state],
                            .gives_back = state != XD_MATCH_COMPLETED,
                            .reopens = reopens,
                            .bars = state == XD_MATCH_DECLINED || state == XD_MATCH_CANCELLED};
    bool was_proposed = state == XD_MATCH_DECLINED || state == XD_MATCH_LAPSED;
    if (state == XD_MATCH_CANCELLED) ending.by = side_name(reopens ? XD_OFFER : XD_REQUEST);
    if (!was_proposed && deal->state == XD_MATCH_PROPOSED) xd_confirm(engine, deal);
    if (was_proposed) {
        end_proposal(engine, deal, &ending);
    } else {
        end_deal(engine, deal, &ending);
    }
}

void xd_end_withdrawn(struct xd_engine *engine, struct xd_deal *deal, enum xd_side by, bool rollback)
{
    struct ending ending = {.state = XD_MATCH_DECLINED,
                            .event = XD_EVENT_MATCH_DECLINED,
                            .by = side_name(by),
                            .reason = "order_cancelled",
                            .gives_back = true,
                            .reopens = true};
    if (rollback) {
        ending.state = XD_MATCH_CANCELLED;
        ending.event = XD_EVENT_MATCH_CANCELLED;
        ending.reason = "rollback";
    }
    if (deal->state == XD_MATCH_PROPOSED) {
        end_proposal(engine, deal, &ending);
    } else if (rollback) {
        end_deal(engine, deal, &ending);
    }
}

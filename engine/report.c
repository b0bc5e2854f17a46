/* Events: what each side is told, and no more than it may see. */
#include "engine/border/border.h"

static struct xd_str name_of(const struct xd_account *account)
{
    return (struct xd_str){account->name, account->len};
}

void xd_view_order(const struct xd_slot *slot, struct xd_order_view *view)
{
    *view = (struct xd_order_view){.ref = xd_slot_ref(slot),
                                   .id = slot->id,
                                   .account = name_of(slot->account),
                                   .side = slot->side,
                                   .kind = slot->kind,
                                   .state = xd_slot_state(slot),
                                   .amount = slot->whole,
                                   .open = slot->open,
                                   .valid_until = slot->valid_until};
}

void xd_report_order(struct xd_engine *engine, const struct xd_slot *slot, enum xd_event_type type, const char *reason)
{
    struct xd_order_view view;
    xd_view_order(slot, &view);
    view.reason = reason;
    xd_event_order(&engine->output->events, type, engine->now, &view);
    xd_output_end_event(engine->output);
}

void xd_report_amended(struct xd_engine *engine, const struct xd_slot *slot, const struct xd_amendment *amendment,
                       uint64_t changes, bool kept_priority)
{
    struct xd_order_view view;
    xd_view_order(slot, &view);
    view.amendment = amendment;
    view.changes = changes;
    view.kept_priority = kept_priority;
    xd_event_order(&engine->output->events, XD_EVENT_ORDER_AMENDED, engine->now, &view);
    xd_output_end_event(engine->output);
}

void xd_report_rejected(struct xd_engine *engine, const struct xd_record *record, enum xd_code code)
{
    const struct xd_order *order = &record->order;
    struct xd_order_view view = {.ref = order->ref,
                                 .id = record->order_id,
                                 .account = record->account,
                                 .side = (enum xd_side)order->side,
                                 .kind = (enum xd_kind)order->kind,
                                 .state = XD_ORDER_REJECTED,
                                 .amount = order->amount[xd_main_dim((enum xd_kind)order->kind)],
                                 .valid_until = order->valid_until,
                                 .error = code};
    xd_event_order(&engine->output->events, XD_EVENT_ORDER_REJECTED, engine->now, &view);
    xd_output_end_event(engine->output);
}

static struct xd_party_view party(const struct xd_slot *slot)
{
    return (struct xd_party_view){
        .ref = xd_slot_ref(slot), .id = slot->id, .account = name_of(slot->account), .credit = slot->credit};
}

/* The whole plan to the carrier, its own stops to the shipper. */
static uint32_t visible_stops(const struct xd_deal *deal, enum xd_side to, struct xd_stop_view *stops)
{
    const struct xd_plan *plan = &deal->order[XD_OFFER]->truck_offer.plan;
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->count && count < XD_PLAN_STOPS_MAX; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        if (to == XD_REQUEST && (stop->load->match_id != deal->id || stop->load->off)) continue;
        stops[count++] = (struct xd_stop_view){
            .request_id = stop->load->request_id,
            .delivery = stop->delivery,
            .place = stop->delivery ? stop->load->delivery_place : stop->load->pickup_place,
            .eta = stop->start,
            .leave = stop->end};
    }
    return count;
}

void xd_view_match(const struct xd_deal *deal, enum xd_side to, struct xd_match_view *view, struct xd_stop_view *stops)
{
    const struct xd_slot *offer = deal->order[XD_OFFER], *request = deal->order[XD_REQUEST];
    *view = (struct xd_match_view){.id = deal->id,
                                   .kind = offer->kind,
                                   .state = deal->state,
                                   .offer = party(offer),
                                   .request = party(request),
                                   .dims = request->dims,
                                   .currency = offer->currency,
                                   .quote = deal->quote,
                                   .price = deal->price,
                                   .surplus = deal->surplus,
                                   .access = deal->access,
                                   .km_m = deal->km_m,
                                   .added_m = deal->added_m,
                                   .hold_until = deal->hold_until,
                                   .note = xd_slot_note(deal->order[!to])};
    for (unsigned d = 0; d < XD_DIMS; d++) {
        view->amount[d] = deal->amount[d];
    }
    if (offer->kind == XD_TRUCK) {
        view->stop_count = visible_stops(deal, to, stops);
        view->stops = stops;
    } else {
        view->from_day = request->storage_request.from_day;
        view->until_day = request->storage_request.until_day;
    }
}

static void tell(struct xd_engine *engine, const struct xd_deal *deal, enum xd_side to, enum xd_event_type type,
                 const char *by, const char *reason)
{
    struct xd_stop_view stops[XD_PLAN_STOPS_MAX];
    struct xd_match_view view;
    xd_view_match(deal, to, &view, stops);
    view.by = by;
    view.reason = reason;
    xd_event_match(&engine->output->events, type, engine->now, name_of(deal->order[to]->account), &view);
    xd_output_end_event(engine->output);
}

/* The requester knows the times of its stops as they now are; so does the match. */
static void mark_told(struct xd_engine *engine, struct xd_slot *truck_offer, uint64_t match_id)
{
    const struct xd_plan *plan = &truck_offer->truck_offer.plan;
    xd_touch_order(engine, truck_offer);
    struct xd_deal *deal = xd_table_get(&engine->deals, match_id);
    for (uint32_t i = 0; i < plan->count; i++) {
        struct xd_stop *stop = &plan->stops[i];
        if (stop->load->match_id != match_id) continue;
        stop->told = stop->start;
        if (deal && stop->delivery) xd_plan_end(engine, deal, stop->end);
    }
}

void xd_report_match(struct xd_engine *engine, const struct xd_deal *deal, enum xd_event_type type, const char *by,
                     const char *reason)
{
    tell(engine, deal, XD_OFFER, type, by, reason);
    tell(engine, deal, XD_REQUEST, type, by, reason);
    if (deal->order[XD_OFFER]->kind == XD_TRUCK) mark_told(engine, deal->order[XD_OFFER], deal->id);
}

void xd_report_moved(struct xd_engine *engine, struct xd_slot *truck_offer, const struct xd_deal *except)
{
    const struct xd_plan *plan = &truck_offer->truck_offer.plan;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        if (stop->load->off || stop->start == stop->told || stop->load->match_id == except->id) continue;
        const struct xd_deal *deal = xd_table_get(&engine->deals, stop->load->match_id);
        mark_told(engine, truck_offer, stop->load->match_id);
        if (deal) tell(engine, deal, XD_REQUEST, XD_EVENT_MATCH_RESCHEDULED, NULL, NULL);
    }
}

void xd_report_lost(struct xd_engine *engine, const struct xd_slot *native, const struct xd_mirror *mirror)
{
    struct xd_match_view view = {.id = mirror->id,
                                 .kind = native->kind,
                                 .state = XD_MATCH_CANCELLED,
                                 .dims = native->dims,
                                 .currency = native->currency,
                                 .from_day = mirror->from_day,
                                 .until_day = mirror->until_day,
                                 .reason = "rollback"};
    struct xd_party_view other = {.ref = {"", 0}, .account = {"", 0}, .id = mirror->ghost};
    view.offer = native->side == XD_OFFER ? party(native) : other;
    view.request = native->side == XD_OFFER ? other : party(native);
    memcpy(view.amount, mirror->amount, sizeof view.amount);
    xd_event_match(&engine->output->events, XD_EVENT_MATCH_CANCELLED, engine->now, name_of(native->account), &view);
    xd_output_end_event(engine->output);
}

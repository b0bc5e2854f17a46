/* Events: what each side is told, and no more than it may see. Listings show the same. */
#include "core/schema.h"
#include "tests/differential/twin_state.h"

static struct xd_order_view order_view(const struct twin_order *order)
{
    return (struct xd_order_view){.ref = order->order.ref,
                                  .id = order->id,
                                  .account = order->account,
                                  .side = (enum xd_side)order->order.side,
                                  .kind = (enum xd_kind)order->order.kind,
                                  .state = twin_order_state(order),
                                  .amount = twin_whole(order),
                                  .open = order->order.side == XD_REQUEST ? twin_open(order) : 0,
                                  .valid_until = order->order.valid_until};
}

static void tell_order(struct xd_twin *twin, enum xd_event_type type, const struct xd_order_view *view)
{
    twin->told[type]++;
    xd_event_order(&twin->output->events, type, twin->now, view);
    xd_output_end_event(twin->output);
}

void twin_report_order(struct xd_twin *twin, const struct twin_order *order, enum xd_event_type type,
                       const char *reason)
{
    struct xd_order_view view = order_view(order);
    view.reason = reason;
    tell_order(twin, type, &view);
}

void twin_report_amended(struct xd_twin *twin, const struct twin_order *order,
                         const struct xd_amendment *amendment, uint64_t changes, bool kept_priority)
{
    struct xd_order_view view = order_view(order);
    view.amendment = amendment;
    view.changes = changes;
    view.kept_priority = kept_priority;
    twin->told[XD_EVENT_ORDER_AMENDED]++;
    xd_event_order(&twin->output->events, XD_EVENT_ORDER_AMENDED, twin->now, &view);
    xd_output_end_event(twin->output);
}

void twin_report_rejected(struct xd_twin *twin, const struct xd_record *record, enum xd_code code)
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
    tell_order(twin, XD_EVENT_ORDER_REJECTED, &view);
}

/* --- matches -------------------------------------------------------------------------------------------- */

static struct xd_party_view party(const struct twin_order *order)
{
    return (struct xd_party_view){
        .ref = order->order.ref, .id = order->id, .account = order->account, .credit = order->credit};
}

/* The whole plan but its history to the carrier, its own stops to the shipper. */
static uint32_t visible_stops(const struct twin_match *match, enum xd_side to, struct xd_stop_view *stops)
{
    const struct twin_plan *plan = &match->offer->plan;
    uint32_t count = 0;
    for (uint32_t i = plan->history; i < plan->count && count < TWIN_STOPS_MAX; i++) {
        const struct twin_stop *stop = &plan->stops[i];
        if (to == XD_REQUEST && (stop->load->match_id != match->id || stop->off)) continue;
        stops[count++] = (struct xd_stop_view){.request_id = stop->load->request_id,
                                               .delivery = stop->delivery,
                                               .place = stop->delivery ? stop->load->to : stop->load->from,
                                               .eta = stop->start,
                                               .leave = stop->end};
    }
    return count;
}

static uint32_t stated_dims(const struct xd_order *order)
{
    uint32_t dims = 0;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if (order->given >> (XD_F_PALLETS + d) & 1) dims |= 1u << d;
    }
    return dims;
}

/* `stops` has room for TWIN_STOPS_MAX and must live as long as the view. */
static struct xd_match_view match_view(const struct twin_match *match, enum xd_side to,
                                       struct xd_stop_view *stops)
{
    const struct xd_order *offer = &match->offer->order, *request = &match->request->order;
    struct xd_match_view view = {.id = match->id,
                                 .kind = (enum xd_kind)offer->kind,
                                 .state = match->state,
                                 .offer = party(match->offer),
                                 .request = party(match->request),
                                 .dims = stated_dims(request),
                                 .currency = offer->currency,
                                 .quote = match->quote,
                                 .price = match->quote + match->surplus / 2,
                                 .surplus = match->surplus,
                                 .access = match->access,
                                 .km_m = match->km_m,
                                 .added_m = match->added_m,
                                 .hold_until = match->hold_until,
                                 .note = to == XD_OFFER ? request->note : offer->note};
    for (unsigned d = 0; d < XD_DIMS; d++) {
        view.amount[d] = match->amount[d];
    }
    if (offer->kind == XD_TRUCK) {
        view.stop_count = visible_stops(match, to, stops);
        view.stops = stops;
    } else {
        view.from_day = request->from_day;
        view.until_day = request->until_day;
    }
    return view;
}

static void tell(struct xd_twin *twin, const struct twin_match *match, enum xd_side to,
                 enum xd_event_type type, const char *by, const char *reason)
{
    struct xd_stop_view stops[TWIN_STOPS_MAX];
    struct xd_match_view view = match_view(match, to, stops);
    view.by = by;
    view.reason = reason;
    struct xd_str account = to == XD_OFFER ? match->offer->account : match->request->account;
    twin->told[type]++;
    xd_event_match(&twin->output->events, type, twin->now, account, &view);
    xd_output_end_event(twin->output);
}

static void mark_told(struct twin_plan *plan, uint64_t match_id)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->stops[i].load->match_id == match_id) plan->stops[i].told = plan->stops[i].start;
    }
}

void twin_report_match(struct xd_twin *twin, struct twin_match *match, enum xd_event_type type,
                       const char *by, const char *reason)
{
    tell(twin, match, XD_OFFER, type, by, reason);
    tell(twin, match, XD_REQUEST, type, by, reason);
    mark_told(&match->offer->plan, match->id);
}

void twin_report_moved(struct xd_twin *twin, struct twin_order *offer, const struct twin_match *except)
{
    struct twin_plan *plan = &offer->plan;
    for (uint32_t i = plan->history; i < plan->count; i++) {
        const struct twin_stop *stop = &plan->stops[i];
        if (stop->off || stop->start == stop->told || stop->load->match_id == except->id) continue;
        const struct twin_match *match = twin_find_match(twin, stop->load->match_id);
        mark_told(plan, stop->load->match_id);
        if (match) tell(twin, match, XD_REQUEST, XD_EVENT_MATCH_RESCHEDULED, NULL, NULL);
    }
}

/* --- listings ------------------------------------------------------------------------------------------- */

static bool is_for(struct xd_str account, const struct twin_order *order)
{
    return xd_str_equal(account, xd_str_of("*")) || xd_str_equal(account, order->account);
}

void xd_twin_list_orders(const struct xd_twin *twin, struct xd_str account, struct xd_buf *out)
{
    for (uint32_t i = 0; i < twin->order_count; i++) {
        if (!is_for(account, twin->orders[i])) continue;
        struct xd_order_view view = order_view(twin->orders[i]);
        xd_order_view_write(out, &view);
    }
}

void xd_twin_list_matches(const struct xd_twin *twin, struct xd_str account, struct xd_buf *out)
{
    for (uint32_t i = 0; i < twin->match_count; i++) {
        const struct twin_match *match = twin->matches[i];
        bool carrier = is_for(account, match->offer);
        if (!carrier && !is_for(account, match->request)) continue;
        struct xd_stop_view stops[TWIN_STOPS_MAX];
        struct xd_match_view view = match_view(match, carrier ? XD_OFFER : XD_REQUEST, stops);
        xd_match_view_write(out, &view);
    }
}

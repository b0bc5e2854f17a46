/* What ends orders and matches: deadlines, their owners, the other side (rules 10, 11 and 13). */
#include "tests/differential/twin_state.h"

#include "core/id.h"
#include "core/when.h"

enum { COMPLETION_S = 30 * 86400 };

static const char *side_name(enum xd_side side)
{
    return side == XD_OFFER ? "offer" : "request";
}

void twin_confirm(struct xd_twin *twin, struct twin_match *match)
{
    match->state = XD_MATCH_CONFIRMED;
    match->hold_until = 0;
    twin_report_match(twin, match, XD_EVENT_MATCH_CONFIRMED, NULL, NULL);
    if (twin_bound(match->request) == twin_whole(match->request)) {
        twin_report_order(twin, match->request, XD_EVENT_ORDER_FILLED, NULL);
    }
}

/* --- ending a match ------------------------------------------------------------------------------------- */

bool twin_begun(const struct xd_twin *twin, const struct twin_match *match)
{
    if (match->offer->order.kind != XD_TRUCK) return match->request->order.from_day * XD_DAY_S <= twin->now;
    return twin_plan_stop(&match->offer->plan, match->id, false)->depart <= twin->now;
}

/* The last planned moment of a match: when it is unloaded, or its last day ends. */
static int64_t planned_end(const struct twin_match *match)
{
    if (match->offer->order.kind != XD_TRUCK) return match->request->order.until_day * XD_DAY_S;
    return twin_plan_stop(&match->offer->plan, match->id, true)->end;
}

/* Gives back what is not fixed or begun. */
static bool give_back(const struct xd_twin *twin, const struct twin_match *match)
{
    struct twin_order *offer = match->offer;
    if (offer->order.kind == XD_TRUCK)
        return twin_plan_remove(&offer->plan, &offer->truck, match->id, twin->now);
    int64_t day = match->request->order.from_day;
    while (day * XD_DAY_S <= twin->now) {
        day++;
    }
    return twin_calendar_give(&offer->calendar, match->id, day);
}

/* The part counts as open again by the way its match ended. If the order's own deadline has been carried out,
 * it lapses at once; if that is due at this record, but later, it comes to it yet. */
static void reopen(struct xd_twin *twin, struct twin_order *request)
{
    if (request->ended == TWIN_CANCELLED || request->ended == TWIN_EXPIRED) return;
    if (request->order.valid_until <= twin->now && request->order.valid_until < twin->reached) {
        request->ended = TWIN_EXPIRED;
        twin_report_order(twin, request, XD_EVENT_ORDER_EXPIRED, NULL);
    } else {
        request->grown = true;
    }
}

static void forget(struct xd_twin *twin, const struct twin_match *match)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < twin->match_count; i++) {
        if (twin->matches[i] != match) twin->matches[kept++] = twin->matches[i];
    }
    twin->match_count = kept;
}

/* How a match ends; `by` NULL: by the clock. */
struct ending {
    enum xd_match_state state;
    enum xd_event_type event;
    const char *by, *reason;
};

static const struct ending lapse = {XD_MATCH_LAPSED, XD_EVENT_MATCH_LAPSED, NULL, NULL};
static const struct ending completion = {XD_MATCH_COMPLETED, XD_EVENT_MATCH_COMPLETED, NULL, NULL};

static void end_match(struct xd_twin *twin, struct twin_match *match, const struct ending *ending)
{
    struct twin_order *offer = match->offer, *request = match->request;
    bool completes = ending->state == XD_MATCH_COMPLETED, no_show = ending->state == XD_MATCH_NO_SHOW;
    match->state = ending->state;
    match->reason = ending->reason;
    match->by = ending->by && ending->by[0] == 'r' ? XD_REQUEST : XD_OFFER;
    match->hold_until = 0;
    if (!completes && give_back(twin, match)) offer->grown = true;
    twin_report_match(twin, match, ending->event, ending->by, ending->reason);
    if (!completes) twin_report_moved(twin, offer, match);
    forget(twin, match);
    bool by_requester = ending->state == XD_MATCH_CANCELLED && match->by == XD_REQUEST;
    if (!completes && !no_show && !by_requester) reopen(twin, request);
    twin_settle(twin, offer);
    twin_settle(twin, request);
}

/* The latest proposal of a request that belongs to the group. */
static struct twin_match *next_of_group(const struct twin_order *request, uint64_t group)
{
    for (uint32_t i = request->match_count; i-- > 0;) {
        struct twin_match *match = request->matches[i];
        if (match->group == group && match->state == XD_MATCH_PROPOSED) return match;
    }
    return NULL;
}

/* Ends a proposal and, as one proposal with it, the other parts of its group. */
static void end_proposal(struct xd_twin *twin, struct twin_match *match, const struct ending *ending)
{
    struct twin_order *request = match->request;
    uint64_t group = match->group;
    struct ending with_it = *ending;
    if (ending->state == XD_MATCH_DECLINED) with_it.reason = "group";
    end_match(twin, match, ending);
    while ((match = next_of_group(request, group))) {
        end_match(twin, match, &with_it);
    }
}

/* --- deadlines ------------------------------------------------------------------------------------------ */

struct due {
    int64_t when, class; /* holds before orders before completions */
    uint64_t age;
    struct twin_order *order;
    struct twin_match *match;
};

static bool earlier(const struct due *a, const struct due *b)
{
    if (a->when != b->when) return a->when < b->when;
    return a->class != b->class ? a->class < b->class : a->age < b->age;
}

static struct due first_due(const struct xd_twin *twin)
{
    struct due first = {.when = INT64_MAX, .class = 3};
    for (uint32_t i = 0; i < twin->order_count; i++) {
        struct twin_order *order = twin->orders[i];
        struct due due = {order->order.valid_until, 1, order->age, order, NULL};
        if (twin_is_open(order) && earlier(&due, &first)) first = due;
    }
    for (uint32_t i = 0; i < twin->match_count; i++) {
        struct twin_match *match = twin->matches[i];
        struct due due = {match->hold_until, 0, match->id, NULL, match};
        if (match->state == XD_MATCH_CONFIRMED) {
            due.when = planned_end(match) + COMPLETION_S;
            due.class = 2;
        }
        if (earlier(&due, &first)) first = due;
    }
    return first;
}

int64_t xd_twin_next_deadline(const struct xd_twin *twin)
{
    return first_due(twin).when;
}

void twin_carry_out_deadlines(struct xd_twin *twin)
{
    struct due due;
    while ((due = first_due(twin)).when <= twin->now) {
        twin->reached = due.when;
        if (due.order) {
            due.order->ended = TWIN_EXPIRED;
            twin_report_order(twin, due.order, XD_EVENT_ORDER_EXPIRED, NULL);
            twin_settle(twin, due.order);
        } else if (due.match->state == XD_MATCH_PROPOSED) {
            end_proposal(twin, due.match, &lapse);
        } else {
            end_match(twin, due.match, &completion);
        }
    }
    twin->reached = INT64_MAX;
}

/* --- what the parties do
 * ---------------------------------------------------------------------------------------------------- */

/* The latest proposal of an order. */
static struct twin_match *last_proposal(const struct xd_twin *twin, const struct twin_order *order)
{
    for (uint32_t i = twin->match_count; i-- > 0;) {
        struct twin_match *match = twin->matches[i];
        bool its = match->offer == order || match->request == order;
        if (its && match->state == XD_MATCH_PROPOSED) return match;
    }
    return NULL;
}

enum xd_code twin_cancel_order(struct xd_twin *twin, const struct xd_record *record)
{
    struct twin_order *order = twin_find_order(twin, record->order_id);
    if (!order) return twin_is_seen(twin, xd_id_number(record->order_id)) ? XD_WRONG_STATE : XD_NOT_FOUND;
    if (!xd_str_equal(order->account, record->account)) return XD_NOT_FOUND;
    struct twin_match *match = last_proposal(twin, order);
    if (!twin_is_open(order) && !match) return XD_WRONG_STATE;
    order->ended = TWIN_CANCELLED;
    twin_report_order(twin, order, XD_EVENT_ORDER_CANCELLED, "owner");
    struct ending withdrawal = {XD_MATCH_DECLINED, XD_EVENT_MATCH_DECLINED,
                                side_name((enum xd_side)order->order.side), "order_cancelled"};
    for (; match; match = last_proposal(twin, order)) {
        end_proposal(twin, match, &withdrawal);
    }
    twin_settle(twin, order);
    return XD_OK;
}

/* The live match of a record and the side that its account has in it. A match that has ended is forgotten,
 * with whose it was; that it has been is known from its number. */
static enum xd_code find_side(const struct xd_twin *twin, const struct xd_record *record,
                              struct twin_match **match, enum xd_side *side)
{
    *match = twin_find_match(twin, record->match_id);
    if (!*match) return xd_id_number(record->match_id) < twin->next_match ? XD_WRONG_STATE : XD_NOT_FOUND;
    if (xd_str_equal((*match)->offer->account, record->account)) {
        *side = XD_OFFER;
    } else if (xd_str_equal((*match)->request->account, record->account)) {
        *side = XD_REQUEST;
    } else {
        return XD_NOT_FOUND;
    }
    return XD_OK;
}

enum xd_code twin_end(struct xd_twin *twin, const struct xd_record *record)
{
    enum xd_side side = XD_OFFER;
    struct twin_match *match;
    enum xd_code found = find_side(twin, record, &match, &side);
    if (found != XD_OK) return found;
    if ((record->type == XD_RECORD_DECLINE) != (match->state == XD_MATCH_PROPOSED)) return XD_WRONG_STATE;
    bool after_begin = record->type == XD_RECORD_COMPLETE || record->type == XD_RECORD_NO_SHOW;
    if (after_begin && !twin_begun(twin, match)) return XD_WRONG_STATE;
    struct ending ending = {.by = side_name(side)};
    switch (record->type) {
    case XD_RECORD_DECLINE:
        ending.state = XD_MATCH_DECLINED;
        ending.event = XD_EVENT_MATCH_DECLINED;
        end_proposal(twin, match, &ending);
        return XD_OK;
    case XD_RECORD_CANCEL_MATCH:
        ending.state = XD_MATCH_CANCELLED;
        ending.event = XD_EVENT_MATCH_CANCELLED;
        break;
    case XD_RECORD_NO_SHOW:
        ending.state = XD_MATCH_NO_SHOW;
        ending.event = XD_EVENT_MATCH_NO_SHOW;
        break;
    default:
        ending.state = XD_MATCH_COMPLETED;
        ending.event = XD_EVENT_MATCH_COMPLETED;
        break;
    }
    end_match(twin, match, &ending);
    return XD_OK;
}

enum xd_code twin_accept(struct xd_twin *twin, const struct xd_record *record)
{
    enum xd_side side = XD_OFFER;
    struct twin_match *match;
    enum xd_code found = find_side(twin, record, &match, &side);
    if (found != XD_OK) return found;
    if (match->state != XD_MATCH_PROPOSED) return XD_OK; /* once more, after all had */
    match->accepted[side] = true;
    bool all = true;
    for (uint32_t i = 0; i < twin->match_count; i++) {
        struct twin_match *part = twin->matches[i];
        if (part->group != match->group) continue;
        if (side == XD_REQUEST) part->accepted[side] = true;
        all &= part->accepted[XD_OFFER] && part->accepted[XD_REQUEST];
    }
    uint64_t group = match->group;
    for (uint32_t i = 0; all && i < twin->match_count; i++) {
        if (twin->matches[i]->group == group) twin_confirm(twin, twin->matches[i]);
    }
    return XD_OK;
}

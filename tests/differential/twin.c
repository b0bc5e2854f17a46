#include "tests/differential/twin_state.h"

#include "tests/differential/grow.h"

#include <string.h>

/* --- what there is -------------------------------------------------------------------------------------- */

struct twin_order *twin_find_order(const struct xd_twin *twin, uint64_t id)
{
    for (uint32_t i = 0; i < twin->order_count; i++) {
        if (twin->orders[i]->id == id) return twin->orders[i];
    }
    return NULL;
}

struct twin_match *twin_find_match(const struct xd_twin *twin, uint64_t id)
{
    for (uint32_t i = 0; i < twin->match_count; i++) {
        if (twin->matches[i]->id == id) return twin->matches[i];
    }
    return NULL;
}

bool twin_is_seen(const struct xd_twin *twin, uint64_t number)
{
    for (uint32_t i = 0; i < twin->seen_count; i++) {
        if (twin->seen[i] == number) return true;
    }
    return false;
}

int64_t twin_whole(const struct twin_order *order)
{
    return order->order.amount[xd_main_dim((enum xd_kind)order->order.kind)];
}

/* A part that is no longer open and will not be again. */
static bool is_spent(const struct twin_match *match)
{
    switch (match->state) {
    case XD_MATCH_DECLINED:
    case XD_MATCH_LAPSED:
        return false;
    case XD_MATCH_CANCELLED:
        return match->by == XD_REQUEST;
    default:
        return true;
    }
}

int64_t twin_open(const struct twin_order *request)
{
    if (request->ended == TWIN_CANCELLED || request->ended == TWIN_EXPIRED) return 0;
    int64_t open = twin_whole(request) - request->dropped;
    for (uint32_t i = 0; i < request->match_count; i++) {
        if (is_spent(request->matches[i])) open -= request->matches[i]->part;
    }
    return open;
}

int64_t twin_bound(const struct twin_order *request)
{
    int64_t bound = 0;
    for (uint32_t i = 0; i < request->match_count; i++) {
        const struct twin_match *match = request->matches[i];
        if (match->state == XD_MATCH_CONFIRMED || match->state == XD_MATCH_COMPLETED) bound += match->part;
    }
    return bound;
}

bool twin_is_open(const struct twin_order *order)
{
    return order->order.side == XD_OFFER ? order->ended == TWIN_LIVE : twin_open(order) > 0;
}

enum xd_order_state twin_order_state(const struct twin_order *order)
{
    if (order->ended == TWIN_EXPIRED) return XD_ORDER_EXPIRED;
    if (order->ended != TWIN_LIVE) return XD_ORDER_CANCELLED;
    if (order->order.side == XD_OFFER || twin_bound(order) == 0) return XD_ORDER_OPEN;
    return twin_bound(order) == twin_whole(order) ? XD_ORDER_FILLED : XD_ORDER_PARTLY_FILLED;
}

/* --- making and unmaking orders
 * --------------------------------------------------------------------------------------------- */

static void keep(char **at, struct xd_str *text)
{
    memcpy(*at, text->at, text->len);
    text->at = *at;
    *at += text->len;
}

/* Copies of the strings, which live only as long as the record. */
static void keep_strings(struct twin_order *order)
{
    size_t len = order->account.len + order->order.ref.len + order->order.note.len;
    struct xd_accounts *lists[] = {&order->order.only, &order->order.never};
    for (unsigned l = 0; l < 2; l++) {
        for (uint32_t i = 0; i < lists[l]->count; i++) {
            len += lists[l]->at[i].len;
        }
    }
    char *at = order->text = xd_needed(malloc(len));
    keep(&at, &order->account);
    keep(&at, &order->order.ref);
    if (order->order.note.len) keep(&at, &order->order.note);
    for (unsigned l = 0; l < 2; l++) {
        for (uint32_t i = 0; i < lists[l]->count; i++) {
            keep(&at, &lists[l]->at[i]);
        }
    }
}

static void outfit(const struct xd_twin *twin, struct twin_order *order)
{
    if (order->order.kind == XD_TRUCK && order->order.side == XD_OFFER) {
        order->truck = twin_truck_of(&order->order, twin->options.market.road_factor_e4);
    }
}

void twin_rewrite(const struct xd_twin *twin, struct twin_order *order, const struct xd_order *new)
{
    char *old = order->text;
    order->order = *new;
    keep_strings(order);
    outfit(twin, order);
    free(old);
}

static struct twin_order *make_order(struct xd_twin *twin, const struct xd_record *record)
{
    struct twin_order *order = xd_needed(calloc(1, sizeof *order));
    order->id = record->order_id;
    order->age = twin->next_age++;
    order->order = record->order;
    order->account = record->account;
    order->credit = record->credit;
    keep_strings(order);
    outfit(twin, order);
    return order;
}

static void free_order(struct twin_order *order)
{
    for (uint32_t i = 0; i < order->match_count; i++) {
        free(order->matches[i]);
    }
    free(order->matches);
    free(order->text);
    twin_plan_free(&order->plan);
    twin_calendar_free(&order->calendar);
    free(order);
}

static bool has_live_match(const struct xd_twin *twin, const struct twin_order *order)
{
    for (uint32_t i = 0; i < twin->match_count; i++) {
        if (twin->matches[i]->offer == order || twin->matches[i]->request == order) return true;
    }
    return false;
}

void twin_settle(struct xd_twin *twin, struct twin_order *order)
{
    if (twin_is_open(order) || has_live_match(twin, order)) return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < twin->order_count; i++) {
        if (twin->orders[i] != order) twin->orders[kept++] = twin->orders[i];
    }
    if (kept == twin->order_count) return; /* it has left before */
    twin->order_count = kept;
    twin->gone = xd_grown(twin->gone, twin->gone_count, sizeof(*twin->gone));
    twin->gone[twin->gone_count++] = order;
    xd_output_close_ref(twin->output, order->id, order->account, order->order.ref, false);
}

/* --- records -------------------------------------------------------------------------------------------- */

static enum xd_code take_order(struct xd_twin *twin, const struct xd_record *record)
{
    uint64_t number = xd_id_number(record->order_id);
    if (twin_is_seen(twin, number)) return XD_OK;
    enum xd_code refused = record->order.valid_until <= twin->now          ? XD_LAPSED
                           : twin->order_count >= twin->options.max_orders ? XD_BOOK_FULL
                                                                           : XD_OK;
    if (refused) {
        twin_report_rejected(twin, record, refused);
        xd_output_close_ref(twin->output, record->order_id, record->account, record->order.ref, true);
        return refused;
    }
    struct twin_order *order = make_order(twin, record);
    twin->orders = xd_grown(twin->orders, twin->order_count, sizeof(*twin->orders));
    twin->orders[twin->order_count++] = order;
    twin->seen = xd_grown(twin->seen, twin->seen_count, sizeof *twin->seen);
    twin->seen[twin->seen_count++] = number;
    twin_report_order(twin, order, XD_EVENT_ORDER_ACCEPTED, NULL);
    twin_treat(twin, order);
    return XD_OK;
}

static enum xd_code set_credit(struct xd_twin *twin, const struct xd_record *record)
{
    for (uint32_t i = 0; i < twin->order_count; i++) {
        struct twin_order *order = twin->orders[i];
        if (xd_str_equal(order->account, record->account)) order->credit = record->credit;
    }
    return XD_OK;
}

static enum xd_code carry_out(struct xd_twin *twin, const struct xd_record *record, unsigned *note)
{
    switch (record->type) {
    case XD_RECORD_ORDER:
        return take_order(twin, record);
    case XD_RECORD_AMEND:
        return twin_amend(twin, record, note);
    case XD_RECORD_CANCEL:
        return twin_cancel_order(twin, record);
    case XD_RECORD_ACCEPT:
        return twin_accept(twin, record);
    case XD_RECORD_DECLINE:
    case XD_RECORD_CANCEL_MATCH:
    case XD_RECORD_COMPLETE:
    case XD_RECORD_NO_SHOW:
        return twin_end(twin, record);
    case XD_RECORD_CREDIT:
        return set_credit(twin, record);
    default:
        return XD_OK;
    }
}

void xd_twin_apply(struct xd_twin *twin, int64_t now, const struct xd_record *record,
                   struct xd_output *output)
{
    twin->output = output;
    twin->now = now;
    twin_carry_out_deadlines(twin);
    twin_treat_grown(twin);
    unsigned note = 0;
    enum xd_code outcome = carry_out(twin, record, &note);
    twin_treat_grown(twin);
    xd_output_outcome_noted(output, outcome, note);
    while (twin->gone_count) {
        free_order(twin->gone[--twin->gone_count]);
    }
    twin->output = NULL;
}

struct xd_twin *xd_twin_create(const struct xd_twin_options *options)
{
    struct xd_twin *twin = xd_needed(calloc(1, sizeof *twin));
    twin->reached = INT64_MAX;
    twin->options = *options;
    twin->next_age = 1;
    twin->next_match = 1;
    return twin;
}

void xd_twin_destroy(struct xd_twin *twin)
{
    if (!twin) return;
    for (uint32_t i = 0; i < twin->order_count; i++) {
        free_order(twin->orders[i]);
    }
    free(twin->orders);
    free(twin->matches);
    free(twin->seen);
    free(twin->gone);
    free(twin);
}

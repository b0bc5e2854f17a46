#include "core/event.h"

#include "core/mp.h"
#include "core/pair.h"
#include "core/schema.h"

#include <string.h>

static const char *const type_names[XD_EVENT_TYPE_COUNT] = {
#define X(id, name) name,
    XD_EVENT_TYPES(X)
#undef X
};

static const char *const order_state_names[XD_ORDER_STATE_COUNT] = {
#define X(id, name) name,
    XD_ORDER_STATES(X)
#undef X
};

static const char *const match_state_names[XD_MATCH_STATE_COUNT] = {
#define X(id, name) name,
    XD_MATCH_STATES(X)
#undef X
};

const char *xd_event_type_name(enum xd_event_type type)
{
    return type_names[type];
}

const char *xd_order_state_name(enum xd_order_state state)
{
    return order_state_names[state];
}

const char *xd_match_state_name(enum xd_match_state state)
{
    return match_state_names[state];
}

/* --- pairs --- */

/* --- an order --- */

static void put_error(struct xd_buf *out, enum xd_code code)
{
    xd_mp_cstr(out, "error");
    xd_mp_map(out, 2);
    xd_pair_cstr(out, "code", xd_code_name(code));
    xd_pair_cstr(out, "message", xd_code_meaning(code));
}

void xd_order_view_write(struct xd_buf *out, const struct xd_order_view *order)
{
    enum { ALWAYS = 8 };
    int scale = xd_dim_scale[xd_main_dim(order->kind)];
    bool request = order->side == XD_REQUEST;
    uint32_t amended = order->amendment ? 2 : 0;
    xd_mp_map(out, ALWAYS + (uint32_t)request + (order->reason != NULL) + (order->error != XD_OK) + amended);
    xd_pair_str(out, "ref", order->ref);
    xd_pair_order_id(out, "id", order->id);
    xd_pair_str(out, "account", order->account);
    xd_pair_cstr(out, "side", xd_side_names[order->side]);
    xd_pair_cstr(out, "kind", xd_kind_names[order->kind]);
    xd_pair_cstr(out, "state", xd_order_state_name(order->state));
    xd_pair_decimal(out, "amount", order->amount, scale);
    if (request) xd_pair_decimal(out, "open", order->open, scale);
    xd_pair_int(out, "valid_until", order->valid_until);
    if (order->reason != NULL) xd_pair_cstr(out, "reason", order->reason);
    if (order->error != XD_OK) put_error(out, order->error);
    if (!order->amendment) return;
    xd_pair_bool(out, "kept_priority", order->kept_priority);
    xd_mp_cstr(out, "changes");
    xd_amendment_write(order->amendment, order->changes, out);
}

/* --- a match --- */

enum { MONEY_SCALE = 2, KM_SCALE = 3, DEGREE_SCALE = 7 };

static void put_party(struct xd_buf *out, const char *key, const struct xd_party_view *party)
{
    xd_mp_cstr(out, key);
    xd_mp_map(out, 4);
    xd_pair_str(out, "ref", party->ref);
    xd_pair_order_id(out, "id", party->id);
    xd_pair_str(out, "account", party->account);
    xd_pair_int(out, "credit", party->credit);
}

static void put_stops(struct xd_buf *out, const struct xd_match_view *match)
{
    xd_mp_cstr(out, "stops");
    xd_mp_array(out, match->stop_count);
    for (uint32_t i = 0; i < match->stop_count; i++) {
        const struct xd_stop_view *stop = &match->stops[i];
        xd_mp_map(out, 6);
        xd_pair_order_id(out, "order", stop->request_id);
        xd_pair_cstr(out, "action", stop->delivery ? "delivery" : "pickup");
        xd_pair_decimal(out, "lat", stop->place.lat_e7, DEGREE_SCALE);
        xd_pair_decimal(out, "lon", stop->place.lon_e7, DEGREE_SCALE);
        xd_pair_int(out, "eta", stop->eta);
        xd_pair_int(out, "leave", stop->leave);
    }
}

static uint32_t match_pairs(const struct xd_match_view *match)
{
    enum { ALWAYS = 12 }; /* id to request, currency to surplus, km, and the two of trucks or of storage */
    return ALWAYS + (uint32_t)__builtin_popcount(match->dims) + (match->access != 0) +
           (match->hold_until != 0) + (match->by != NULL) + (match->reason != NULL) + (match->note.len > 0);
}

static void put_money(struct xd_buf *out, const struct xd_match_view *match)
{
    xd_pair_currency(out, "currency", match->currency);
    xd_pair_decimal(out, "quote", match->quote, MONEY_SCALE);
    xd_pair_decimal(out, "price", match->price, MONEY_SCALE);
    xd_pair_decimal(out, "surplus", match->surplus, MONEY_SCALE);
    if (match->access != 0) xd_pair_decimal(out, "access", match->access, MONEY_SCALE);
}

void xd_match_view_write(struct xd_buf *out, const struct xd_match_view *match)
{
    xd_mp_map(out, match_pairs(match));
    xd_pair_match_id(out, "id", match->id);
    xd_pair_cstr(out, "kind", xd_kind_names[match->kind]);
    xd_pair_cstr(out, "state", xd_match_state_name(match->state));
    put_party(out, "offer", &match->offer);
    put_party(out, "request", &match->request);
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (match->dims >> dim & 1)
            xd_pair_decimal(out, xd_dim_names[dim], match->amount[dim], xd_dim_scale[dim]);
    }
    put_money(out, match);
    xd_pair_decimal(out, "km", match->km_m, KM_SCALE);
    if (match->kind == XD_TRUCK) xd_pair_decimal(out, "added_km", match->added_m, KM_SCALE);
    if (match->hold_until != 0) xd_pair_int(out, "hold_until", match->hold_until);
    if (match->by != NULL) xd_pair_cstr(out, "by", match->by);
    if (match->reason != NULL) xd_pair_cstr(out, "reason", match->reason);
    if (match->note.len > 0) xd_pair_str(out, "note", match->note);
    if (match->kind == XD_TRUCK) {
        put_stops(out, match);
    } else {
        xd_pair_day(out, "from_day", match->from_day);
        xd_pair_day(out, "until_day", match->until_day);
    }
}

/* --- an event --- */

enum { EVENT_PAIRS = 4, FIXMAP = 0x80, FIXMAP_MAX = 15, FIXSTR = 0xa0, FIXSTR_MAX = 31, STR8 = 0xd9 };

static void put_head(struct xd_buf *out, enum xd_event_type type, int64_t time, struct xd_str account)
{
    xd_mp_map(out, EVENT_PAIRS);
    xd_pair_str(out, "account", account);
    xd_pair_cstr(out, "type", xd_event_type_name(type));
    xd_pair_int(out, "time", time);
}

void xd_event_order(struct xd_buf *out, enum xd_event_type type, int64_t time,
                    const struct xd_order_view *order)
{
    put_head(out, type, time, order->account);
    xd_mp_cstr(out, "order");
    xd_order_view_write(out, order);
}

void xd_event_match(struct xd_buf *out, enum xd_event_type type, int64_t time, struct xd_str account,
                    const struct xd_match_view *match)
{
    put_head(out, type, time, account);
    xd_mp_cstr(out, "match");
    xd_match_view_write(out, match);
}

struct xd_str xd_event_account(const uint8_t *bytes, size_t len)
{
    static const uint8_t start[] = {FIXMAP | EVENT_PAIRS, FIXSTR | 7, 'a', 'c', 'c', 'o', 'u', 'n', 't'};
    struct xd_str none = {.at = "", .len = 0};
    size_t at = sizeof start;
    if (len < at + 2 || memcmp(bytes, start, at) != 0) return none;
    uint8_t head = bytes[at++];
    uint32_t account_len = head - (uint32_t)FIXSTR;
    if (head == STR8) {
        account_len = bytes[at++];
    } else if (head < FIXSTR || head > FIXSTR + FIXSTR_MAX) {
        return none;
    }
    if (account_len > len - at) return none;
    return (struct xd_str){(const char *)bytes + at, account_len};
}

void xd_event_deliver(struct xd_buf *out, const uint8_t *bytes, size_t len, struct xd_event_id id,
                      struct xd_str cursor)
{
    enum { ADDED = 2 };
    if (len == 0 || bytes[0] < FIXMAP || bytes[0] > FIXMAP + FIXMAP_MAX - ADDED) {
        out->failed = true;
        return;
    }
    xd_mp_map(out, bytes[0] - (uint32_t)FIXMAP + ADDED);
    xd_pair_event_id(out, "id", id);
    xd_pair_str(out, "cursor", cursor);
    xd_buf_add(out, bytes + 1, len - 1);
}

#include "core/event.h"

#include "core/mp.h"
#include "core/schema.h"
#include "core/when.h"

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

static void put_text(struct xd_buf *out, const char *key, struct xd_str value)
{
    xd_mp_cstr(out, key);
    xd_mp_str(out, value.at, value.len);
}

static void put_cstr(struct xd_buf *out, const char *key, const char *value)
{
    xd_mp_cstr(out, key);
    xd_mp_cstr(out, value);
}

static void put_int(struct xd_buf *out, const char *key, int64_t value)
{
    xd_mp_cstr(out, key);
    xd_mp_int(out, value);
}

static void put_decimal(struct xd_buf *out, const char *key, int64_t value, int scale)
{
    xd_mp_cstr(out, key);
    xd_mp_decimal(out, value, scale);
}

static void put_day(struct xd_buf *out, const char *key, int64_t day)
{
    char text[16];
    xd_day_format(day, text);
    put_cstr(out, key, text);
}

static void put_order_id(struct xd_buf *out, const char *key, uint64_t id)
{
    char text[XD_ID_TEXT];
    xd_mp_cstr(out, key);
    xd_mp_str(out, text, xd_order_id_format(id, text));
}

static void put_match_id(struct xd_buf *out, const char *key, uint64_t id)
{
    char text[XD_ID_TEXT];
    xd_mp_cstr(out, key);
    xd_mp_str(out, text, xd_match_id_format(id, text));
}

/* --- an order --- */

static void put_error(struct xd_buf *out, enum xd_code code)
{
    xd_mp_cstr(out, "error");
    xd_mp_map(out, 2);
    put_cstr(out, "code", xd_code_name(code));
    put_cstr(out, "message", xd_code_meaning(code));
}

void xd_order_view_write(struct xd_buf *out, const struct xd_order_view *order)
{
    enum { ALWAYS = 8 };
    int scale = xd_dim_scale[xd_main_dim(order->kind)];
    bool request = order->side == XD_REQUEST;
    uint32_t amended = order->amendment ? 2 : 0;
    xd_mp_map(out, ALWAYS + (uint32_t)request + (order->reason != NULL) + (order->error != XD_OK) + amended);
    put_text(out, "ref", order->ref);
    put_order_id(out, "id", order->id);
    put_text(out, "account", order->account);
    put_cstr(out, "side", xd_side_names[order->side]);
    put_cstr(out, "kind", xd_kind_names[order->kind]);
    put_cstr(out, "state", xd_order_state_name(order->state));
    put_decimal(out, "amount", order->amount, scale);
    if (request) put_decimal(out, "open", order->open, scale);
    put_int(out, "valid_until", order->valid_until);
    if (order->reason != NULL) put_cstr(out, "reason", order->reason);
    if (order->error != XD_OK) put_error(out, order->error);
    if (!order->amendment) return;
    xd_mp_cstr(out, "kept_priority");
    xd_mp_bool(out, order->kept_priority);
    xd_mp_cstr(out, "changes");
    xd_amendment_write(order->amendment, order->changes, out);
}

/* --- a match --- */

enum { MONEY_SCALE = 2, KM_SCALE = 3, DEGREE_SCALE = 7 };

static void put_party(struct xd_buf *out, const char *key, const struct xd_party_view *party)
{
    xd_mp_cstr(out, key);
    xd_mp_map(out, 4);
    put_text(out, "ref", party->ref);
    put_order_id(out, "id", party->id);
    put_text(out, "account", party->account);
    put_int(out, "credit", party->credit);
}

static void put_currency(struct xd_buf *out, int64_t currency)
{
    char text[4];
    xd_currency_format(currency, text);
    put_cstr(out, "currency", text);
}

static void put_stops(struct xd_buf *out, const struct xd_match_view *match)
{
    xd_mp_cstr(out, "stops");
    xd_mp_array(out, match->stop_count);
    for (uint32_t i = 0; i < match->stop_count; i++) {
        const struct xd_stop_view *stop = &match->stops[i];
        xd_mp_map(out, 6);
        put_order_id(out, "order", stop->request_id);
        put_cstr(out, "action", stop->delivery ? "delivery" : "pickup");
        put_decimal(out, "lat", stop->place.lat_e7, DEGREE_SCALE);
        put_decimal(out, "lon", stop->place.lon_e7, DEGREE_SCALE);
        put_int(out, "eta", stop->eta);
        put_int(out, "leave", stop->leave);
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
    put_currency(out, match->currency);
    put_decimal(out, "quote", match->quote, MONEY_SCALE);
    put_decimal(out, "price", match->price, MONEY_SCALE);
    put_decimal(out, "surplus", match->surplus, MONEY_SCALE);
    if (match->access != 0) put_decimal(out, "access", match->access, MONEY_SCALE);
}

void xd_match_view_write(struct xd_buf *out, const struct xd_match_view *match)
{
    xd_mp_map(out, match_pairs(match));
    put_match_id(out, "id", match->id);
    put_cstr(out, "kind", xd_kind_names[match->kind]);
    put_cstr(out, "state", xd_match_state_name(match->state));
    put_party(out, "offer", &match->offer);
    put_party(out, "request", &match->request);
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (match->dims >> dim & 1)
            put_decimal(out, xd_dim_names[dim], match->amount[dim], xd_dim_scale[dim]);
    }
    put_money(out, match);
    put_decimal(out, "km", match->km_m, KM_SCALE);
    if (match->kind == XD_TRUCK) put_decimal(out, "added_km", match->added_m, KM_SCALE);
    if (match->hold_until != 0) put_int(out, "hold_until", match->hold_until);
    if (match->by != NULL) put_cstr(out, "by", match->by);
    if (match->reason != NULL) put_cstr(out, "reason", match->reason);
    if (match->note.len > 0) put_text(out, "note", match->note);
    if (match->kind == XD_TRUCK) {
        put_stops(out, match);
    } else {
        put_day(out, "from_day", match->from_day);
        put_day(out, "until_day", match->until_day);
    }
}

/* --- an event --- */

enum { EVENT_PAIRS = 4, FIXMAP = 0x80, FIXMAP_MAX = 15, FIXSTR = 0xa0, FIXSTR_MAX = 31, STR8 = 0xd9 };

static void put_head(struct xd_buf *out, enum xd_event_type type, int64_t time, struct xd_str account)
{
    xd_mp_map(out, EVENT_PAIRS);
    put_text(out, "account", account);
    put_cstr(out, "type", xd_event_type_name(type));
    put_int(out, "time", time);
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
    char text[XD_ID_TEXT];
    xd_mp_map(out, bytes[0] - (uint32_t)FIXMAP + ADDED);
    xd_mp_cstr(out, "id");
    xd_mp_str(out, text, xd_event_id_format(id, text));
    xd_mp_cstr(out, "cursor");
    xd_mp_str(out, cursor.at, cursor.len);
    xd_buf_add(out, bytes + 1, len - 1);
}

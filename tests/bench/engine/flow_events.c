#include "tests/bench/engine/flow_events.h"

#include "core/event.h"
#include "core/mp.h"
#include "core/when.h"

#include <stdlib.h>
#include <string.h>

/* The type is the second pair of every event, behind the account: most events need no more reading. */
static bool is_type(const uint8_t *bytes, size_t len, struct xd_str account, enum xd_event_type type)
{
    const char *at = account.at + account.len;
    const char *end = (const char *)bytes + len;
    const char *name = xd_event_type_name(type);
    size_t head = 1 + strlen("type") + 1; /* both strings are short: a byte before each */
    return (size_t)(end - at) > head + strlen(name) && !memcmp(at + head, name, strlen(name));
}

static bool is_any_of_interest(const uint8_t *bytes, size_t len, struct xd_str account,
                               enum xd_event_type *type)
{
    static const enum xd_event_type types[] = {XD_EVENT_MATCH_CONFIRMED, XD_EVENT_ORDER_FILLED,
                                               XD_EVENT_ORDER_EXPIRED, XD_EVENT_ORDER_CANCELLED,
                                               XD_EVENT_ORDER_REJECTED};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        *type = types[i];
        if (is_type(bytes, len, account, types[i])) return true;
    }
    return false;
}

static struct xd_str text_of(const msgpack_object *map, const char *key)
{
    struct xd_str text = {"", 0};
    if (map) xd_mp_get_str(map, key, &text);
    return text;
}

/* The digits at the end of a name such as "r17" or "firm-0017". */
static uint64_t number_of(struct xd_str name)
{
    char text[32] = "";
    uint32_t first = name.len;
    while (first && name.at[first - 1] >= '0' && name.at[first - 1] <= '9')
        first--;
    if (name.len - first < sizeof text) memcpy(text, name.at + first, name.len - first);
    return strtoull(text, NULL, 10);
}

static void read_order(const msgpack_object *event, enum xd_event_type type, struct xd_flow_event *out)
{
    const msgpack_object *order = xd_mp_get(event, "order");
    out->what = XD_FLOW_ORDER_LEFT;
    out->number = number_of(text_of(order, "ref"));
    out->side = xd_str_equal(text_of(order, "side"), xd_str_of("offer")) ? XD_OFFER : XD_REQUEST;
    out->lapsed = type == XD_EVENT_ORDER_EXPIRED;
}

/* When a match can be completed: a load when it is on the truck, goods in store some time on their first day.
 */
static int64_t due_of(const msgpack_object *match, uint64_t id)
{
    int64_t due = 0, day = 0;
    const msgpack_object *stops = xd_mp_get(match, "stops");
    for (uint32_t i = 0; stops && i < stops->via.array.size; i++) {
        int64_t leave;
        if (xd_mp_get_int(&stops->via.array.ptr[i], "leave", &leave) && (!due || leave < due)) due = leave;
    }
    struct xd_str from_day = text_of(match, "from_day");
    if (stops || !xd_day_parse(from_day.at, from_day.len, &day)) return due;
    return day * XD_DAY_S + (int64_t)(id * UINT64_C(0x9e3779b97f4a7c15) % (uint64_t)XD_DAY_S);
}

static void read_match(const msgpack_object *event, struct xd_str account, struct xd_flow_event *out)
{
    const msgpack_object *match = xd_mp_get(event, "match");
    const msgpack_object *request = match ? xd_mp_get(match, "request") : NULL;
    struct xd_str id = text_of(match, "id");
    if (!xd_str_equal(text_of(request, "account"), account)) return; /* told to the offer's side */
    if (!xd_match_id_parse(id.at, id.len, &out->match.id)) {
        out->what = XD_FLOW_REFUSED;
        return;
    }
    out->what = XD_FLOW_MATCHED;
    out->offer = number_of(text_of(xd_mp_get(match, "offer"), "ref"));
    out->match.account = number_of(account);
    out->match.due = due_of(match, out->match.id);
}

void xd_flow_read_event(msgpack_zone *zone, const uint8_t *bytes, size_t len, struct xd_flow_event *out)
{
    struct xd_str account = xd_event_account(bytes, len);
    enum xd_event_type type;
    *out = (struct xd_flow_event){.what = XD_FLOW_NOTHING};
    if (!is_any_of_interest(bytes, len, account, &type)) return;
    msgpack_object event;
    size_t at = 0;
    out->what = XD_FLOW_REFUSED;
    if (type != XD_EVENT_ORDER_REJECTED &&
        msgpack_unpack((const char *)bytes, len, &at, zone, &event) == MSGPACK_UNPACK_SUCCESS) {
        out->what = XD_FLOW_NOTHING;
        if (type == XD_EVENT_MATCH_CONFIRMED) {
            read_match(&event, account, out);
        } else {
            read_order(&event, type, out);
        }
    }
    msgpack_zone_clear(zone);
}

#include "tests/sim/told.h"

#include "core/mp.h"
#include "core/schema.h"

#include <string.h>

static bool read_type(const msgpack_object *map, enum xd_event_type *out)
{
    struct xd_str name;
    if (!xd_mp_get_str(map, "type", &name)) return false;
    for (unsigned i = 0; i < XD_EVENT_TYPE_COUNT; i++) {
        if (!xd_str_equal(name, xd_str_of(xd_event_type_name((enum xd_event_type)i)))) continue;
        *out = (enum xd_event_type)i;
        return true;
    }
    return false;
}

static bool read_order_id(const msgpack_object *map, const char *key, uint64_t *out)
{
    struct xd_str text;
    return xd_mp_get_str(map, key, &text) && xd_order_id_parse(text.at, text.len, out);
}

static bool read_party(const msgpack_object *map, struct sim_told_party *out)
{
    return map && map->type == MSGPACK_OBJECT_MAP && xd_mp_get_str(map, "ref", &out->ref) &&
           xd_mp_get_str(map, "account", &out->account) && read_order_id(map, "id", &out->id);
}

/* Back from a decimal to the table's units. */
static int64_t read_amount(const msgpack_object *value, int scale)
{
    double number = 0;
    if (!value) return 0;
    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER) number = (double)value->via.u64;
    if (value->type == MSGPACK_OBJECT_FLOAT64 || value->type == MSGPACK_OBJECT_FLOAT32)
        number = value->via.f64;
    for (int i = 0; i < scale; i++) {
        number *= 10;
    }
    return (int64_t)(number + 0.5);
}

static bool read_stops(const msgpack_object *list, struct sim_told *out)
{
    out->stop_count = 0;
    if (!list) return true;
    if (list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size > SIM_STOPS_MAX) return false;
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        const msgpack_object *stop = &list->via.array.ptr[i];
        struct xd_str action;
        if (!read_order_id(stop, "order", &out->stops[i].request) || !xd_mp_get_str(stop, "action", &action))
            return false;
        out->stops[i].delivery = xd_str_equal(action, xd_str_of("delivery"));
    }
    out->stop_count = list->via.array.size;
    return true;
}

static void read_amounts(const msgpack_object *map, struct sim_told *out)
{
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        out->amount[dim] = map ? read_amount(xd_mp_get(map, xd_dim_names[dim]), xd_dim_scale[dim]) : 0;
    }
}

static bool read_match(const msgpack_object *map, struct sim_told *out)
{
    struct xd_str text, reason, by;
    out->by_requester = xd_mp_get_str(map, "by", &by) && xd_str_equal(by, xd_str_of("request"));
    out->lost = xd_mp_get_str(map, "reason", &reason) && xd_str_equal(reason, xd_str_of("rollback"));
    if (!xd_mp_get_str(map, "id", &text) || !xd_match_id_parse(text.at, text.len, &out->match_id))
        return false;
    read_amounts(map, out);
    return read_party(xd_mp_get(map, "offer"), &out->party[XD_OFFER]) &&
           read_party(xd_mp_get(map, "request"), &out->party[XD_REQUEST]) &&
           read_stops(xd_mp_get(map, "stops"), out);
}

static bool read_order(const msgpack_object *map, struct sim_told *out)
{
    struct xd_str reason;
    if (!read_party(map, &out->order)) return false;
    read_amounts(xd_mp_get(map, "changes"), out);
    out->dropped = xd_mp_get_str(map, "reason", &reason) && xd_str_equal(reason, xd_str_of("fill_now"));
    return true;
}

bool sim_told_read(const msgpack_object *object, struct sim_told *out)
{
    if (object->type != MSGPACK_OBJECT_MAP || !read_type(object, &out->type)) return false;
    if (!xd_mp_get_str(object, "account", &out->account)) return false;
    const msgpack_object *match = xd_mp_get(object, "match");
    out->is_match = match != NULL;
    return match ? read_match(match, out) : read_order(xd_mp_get(object, "order"), out);
}

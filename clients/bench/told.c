#include "clients/bench/told.h"

#include "core/mp.h"
#include "core/schema.h"
#include "core/when.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

static bool is_number(const msgpack_object *value)
{
    return value && (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
                     value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER ||
                     value->type == MSGPACK_OBJECT_FLOAT64 || value->type == MSGPACK_OBJECT_FLOAT32);
}

static double as_double(const msgpack_object *value)
{
    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER) return (double)value->via.u64;
    if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) return (double)value->via.i64;
    return value->via.f64;
}

/* A number of the map in units of 10^-scale. Rounding suffices, and is much faster than reading the decimal:
 * what the broker says has no more decimals than `scale`. */
static bool get_units(const msgpack_object *map, const char *name, int scale, int64_t *out)
{
    static const double units[] = {1, 10, 100, 1000};
    const msgpack_object *value = xd_mp_get(map, name);
    if (!is_number(value)) return false;
    double scaled = as_double(value) * units[scale];
    if (!(fabs(scaled) < 9e18)) return false;
    *out = llround(scaled);
    return true;
}

static bool equals(struct xd_str text, const char *name)
{
    return strlen(name) == text.len && memcmp(text.at, name, text.len) == 0;
}

static bool read_party(const msgpack_object *map, const char *name, struct xd_told_party *out)
{
    const msgpack_object *party = name ? xd_mp_get(map, name) : map;
    struct xd_str id;
    return party && party->type == MSGPACK_OBJECT_MAP && xd_mp_get_str(party, "ref", &out->ref) &&
           xd_mp_get_str(party, "account", &out->account) && xd_mp_get_str(party, "id", &id) &&
           xd_order_id_parse(id.at, id.len, &out->id);
}

static bool read_kind(const msgpack_object *map, enum xd_kind *out)
{
    struct xd_str name;
    if (!xd_mp_get_str(map, "kind", &name)) return false;
    for (int kind = 0; kind < XD_KINDS; kind++) {
        if (!equals(name, xd_kind_names[kind])) continue;
        *out = (enum xd_kind)kind;
        return true;
    }
    return false;
}

static bool read_days(const msgpack_object *map, int64_t *out)
{
    struct xd_str from_text, until_text;
    int64_t from, until;
    if (!xd_mp_get_str(map, "from_day", &from_text) || !xd_day_parse(from_text.at, from_text.len, &from))
        return false;
    if (!xd_mp_get_str(map, "until_day", &until_text) || !xd_day_parse(until_text.at, until_text.len, &until))
        return false;
    *out = until - from;
    return true;
}

static void read_stop(const msgpack_object *stop, struct xd_told_match *out)
{
    struct xd_str order, action;
    uint64_t id;
    const msgpack_object *lat = xd_mp_get(stop, "lat");
    const msgpack_object *lon = xd_mp_get(stop, "lon");
    if (!xd_mp_get_str(stop, "order", &order) || !xd_order_id_parse(order.at, order.len, &id)) return;
    if (id != out->request.id || !xd_mp_get_str(stop, "action", &action)) return;
    if (!is_number(lat) || !is_number(lon)) return;
    bool delivery = equals(action, "delivery");
    *(delivery ? &out->to_lat : &out->from_lat) = as_double(lat);
    *(delivery ? &out->to_lon : &out->from_lon) = as_double(lon);
}

static bool read_way(const msgpack_object *map, struct xd_told_match *out)
{
    const msgpack_object *stops = xd_mp_get(map, "stops");
    if (!get_units(map, "added_km", 3, &out->added_m)) return false;
    if (!stops || stops->type != MSGPACK_OBJECT_ARRAY) return false;
    for (uint32_t i = 0; i < stops->via.array.size; i++) {
        if (stops->via.array.ptr[i].type == MSGPACK_OBJECT_MAP) read_stop(&stops->via.array.ptr[i], out);
    }
    return true;
}

static bool read_match(const msgpack_object *map, struct xd_told_match *out)
{
    struct xd_str id;
    if (!xd_mp_get_str(map, "id", &id) || !xd_match_id_parse(id.at, id.len, &out->id)) return false;
    if (!read_kind(map, &out->kind)) return false;
    if (!read_party(map, "offer", &out->offer) || !read_party(map, "request", &out->request)) return false;
    for (int dim = 0; dim < XD_DIMS; dim++)
        get_units(map, xd_dim_names[dim], xd_dim_scale[dim], &out->amount[dim]);
    if (!get_units(map, "quote", 2, &out->quote) || !get_units(map, "price", 2, &out->price)) return false;
    if (!xd_mp_get_str(map, "currency", &out->currency)) return false;
    if (!get_units(map, "surplus", 2, &out->surplus) || !get_units(map, "km", 3, &out->km_m)) return false;
    return out->kind == XD_TRUCK ? read_way(map, out) : read_days(map, &out->days);
}

bool xd_told_read(const msgpack_object *event, struct xd_told *out)
{
    struct xd_str type;
    memset(out, 0, sizeof *out);
    if (event->type != MSGPACK_OBJECT_MAP || !xd_mp_get_str(event, "account", &out->account)) return false;
    if (!xd_mp_get_str(event, "type", &type)) return false;
    int known = 0;
    while (known < XD_EVENT_TYPE_COUNT && !equals(type, xd_event_type_name((enum xd_event_type)known)))
        known++;
    if (known == XD_EVENT_TYPE_COUNT) return false;
    out->type = (enum xd_event_type)known;
    const msgpack_object *match = xd_mp_get(event, "match");
    out->is_match = match != NULL;
    if (match) return match->type == MSGPACK_OBJECT_MAP && read_match(match, &out->match);
    return read_party(event, "order", &out->order);
}

int xd_told_side(const struct xd_told *told)
{
    if (xd_str_equal(told->account, told->match.offer.account)) return 0;
    return xd_str_equal(told->account, told->match.request.account) ? 1 : -1;
}

uint64_t xd_told_facts(const struct xd_told_match *match)
{
    struct {
        uint64_t ids[3];
        int64_t amount[XD_DIMS];
        int64_t numbers[5];
    } facts;
    memset(&facts, 0, sizeof facts);
    facts.ids[0] = match->id;
    facts.ids[1] = match->offer.id;
    facts.ids[2] = match->request.id;
    memcpy(facts.amount, match->amount, sizeof facts.amount);
    int64_t numbers[5] = {match->quote, match->price, match->surplus, match->km_m, match->days};
    memcpy(facts.numbers, numbers, sizeof facts.numbers);
    return XXH3_64bits(&facts, sizeof facts);
}

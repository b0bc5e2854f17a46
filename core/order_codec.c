/* An order in bytes: as clients write it, and in the ledger's form, a map of the fields' tags in the table's
 * order. */
#include "core/features.h"
#include "core/mp.h"
#include "core/order_parts.h"
#include "core/pair.h"
#include "core/utf8.h"
#include "core/when.h"

#include <string.h>
#include <xxhash.h>

/* Added to a field's tag where its value is a default filled in when the order was read: `given` survives. */
enum { TAG_DEFAULT = 64 };

/* Fields whose defaults do not follow from the table alone, so that the ledger keeps them. */
static const uint64_t always = UINT64_C(1) << XD_F_VALID_UNTIL | UINT64_C(1) << XD_F_CURRENCY;

static uint32_t bits(uint64_t set)
{
    return (uint32_t)__builtin_popcountll(set);
}

/* --- as clients write it --- */

static void write_place(struct xd_buf *out, const struct xd_place *place)
{
    xd_mp_map(out, 2);
    xd_pair_decimal(out, "lat", place->lat_e7, 7);
    xd_pair_decimal(out, "lon", place->lon_e7, 7);
}

static void write_range(struct xd_buf *out, const struct xd_range *range, int scale)
{
    xd_mp_map(out, 2);
    xd_pair_decimal(out, "min", range->min, scale);
    xd_pair_decimal(out, "max", range->max, scale);
}

static void write_features(struct xd_buf *out, uint64_t features)
{
    xd_mp_array(out, bits(features));
    for (unsigned bit = 0; bit < XD_FEATURE_COUNT; bit++) {
        if (features >> bit & 1) xd_mp_cstr(out, xd_feature_name(bit));
    }
}

static void write_accounts(struct xd_buf *out, const struct xd_accounts *accounts)
{
    xd_mp_array(out, accounts->count);
    for (uint32_t i = 0; i < accounts->count; i++)
        xd_mp_str(out, accounts->at[i].at, accounts->at[i].len);
}

static void write_text(struct xd_buf *out, const struct xd_str *text)
{
    xd_mp_str(out, text->at, text->len);
}

static void write_day(struct xd_buf *out, int64_t day)
{
    char text[16];
    xd_day_format(day, text);
    xd_mp_cstr(out, text);
}

static void write_currency(struct xd_buf *out, int64_t currency)
{
    char text[4];
    xd_currency_format(currency, text);
    xd_mp_cstr(out, text);
}

void xd_value_write(struct xd_buf *out, const struct xd_field *field, const void *at)
{
    switch (field->type) {
    case XD_TYPE_CHOICE:
        xd_mp_cstr(out, field->choices[*(const int64_t *)at]);
        break;
    case XD_TYPE_REF:
    case XD_TYPE_TEXT:
        write_text(out, at);
        break;
    case XD_TYPE_NUMBER:
        xd_mp_decimal(out, *(const int64_t *)at, field->scale);
        break;
    case XD_TYPE_TIME:
        xd_mp_int(out, *(const int64_t *)at);
        break;
    case XD_TYPE_DAY:
        write_day(out, *(const int64_t *)at);
        break;
    case XD_TYPE_PLACE:
        write_place(out, at);
        break;
    case XD_TYPE_RANGE:
        write_range(out, at, field->scale);
        break;
    case XD_TYPE_FEATURES:
        write_features(out, *(const uint64_t *)at);
        break;
    case XD_TYPE_ACCOUNTS:
        write_accounts(out, at);
        break;
    case XD_TYPE_CURRENCY:
        write_currency(out, *(const int64_t *)at);
        break;
    }
}

void xd_order_write(const struct xd_order *order, struct xd_buf *out)
{
    xd_mp_map(out, bits(order->given));
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        if (!xd_order_gave(order, id)) continue;
        xd_mp_cstr(out, xd_fields[id].name);
        xd_value_write(out, &xd_fields[id], xd_order_at(order, &xd_fields[id]));
    }
}

/* --- the ledger's form: writing --- */

static void pack_two(struct xd_buf *out, int64_t a, int64_t b)
{
    xd_mp_array(out, 2);
    xd_mp_int(out, a);
    xd_mp_int(out, b);
}

void xd_value_pack(struct xd_buf *out, const struct xd_field *field, const void *at)
{
    const struct xd_place *place = at;
    const struct xd_range *range = at;
    switch (field->type) {
    case XD_TYPE_REF:
    case XD_TYPE_TEXT:
        write_text(out, at);
        break;
    case XD_TYPE_PLACE:
        pack_two(out, place->lat_e7, place->lon_e7);
        break;
    case XD_TYPE_RANGE:
        pack_two(out, range->min, range->max);
        break;
    case XD_TYPE_FEATURES:
        xd_mp_uint(out, *(const uint64_t *)at);
        break;
    case XD_TYPE_ACCOUNTS:
        write_accounts(out, at);
        break;
    default:
        xd_mp_int(out, *(const int64_t *)at);
        break;
    }
}

static void pack_fields(const struct xd_order *order, uint64_t set, struct xd_buf *out)
{
    xd_mp_map(out, bits(set));
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        if (!(set >> id & 1)) continue;
        xd_mp_uint(out, xd_fields[id].tag + (xd_order_gave(order, id) ? 0U : (unsigned)TAG_DEFAULT));
        xd_value_pack(out, &xd_fields[id], xd_order_at(order, &xd_fields[id]));
    }
}

void xd_order_pack(const struct xd_order *order, struct xd_buf *out)
{
    pack_fields(order, order->given | always, out);
}

struct xd_digest xd_order_digest(const struct xd_order *order)
{
    uint8_t bytes[XD_ORDER_PACKED_MAX];
    struct xd_buf buf = {.data = bytes, .cap = sizeof bytes, .limit = sizeof bytes}; /* never grows */
    pack_fields(order, order->given, &buf);
    XXH128_hash_t hash = XXH3_128bits(bytes, buf.len);
    return (struct xd_digest){.high = hash.high64, .low = hash.low64};
}

/* --- the ledger's form: reading --- */

static bool unpack_int(const msgpack_object *value, int64_t min, int64_t max, int64_t *out)
{
    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        if (value->via.u64 > INT64_MAX) return false;
    } else if (value->type != MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        return false;
    }
    if (value->via.i64 < min || value->via.i64 > max) return false;
    *out = value->via.i64;
    return true;
}

static bool unpack_two(const msgpack_object *value, const int64_t min[2], const int64_t max[2],
                       int64_t out[2])
{
    if (value->type != MSGPACK_OBJECT_ARRAY || value->via.array.size != 2) return false;
    return unpack_int(&value->via.array.ptr[0], min[0], max[0], &out[0]) &&
           unpack_int(&value->via.array.ptr[1], min[1], max[1], &out[1]);
}

static bool unpack_place(const msgpack_object *value, struct xd_place *out)
{
    static const int64_t low[2] = {INT64_C(-90) * XD_E7, INT64_C(-180) * XD_E7};
    static const int64_t high[2] = {INT64_C(90) * XD_E7, INT64_C(180) * XD_E7};
    int64_t degrees[2];
    if (!unpack_two(value, low, high, degrees)) return false;
    *out = (struct xd_place){(int32_t)degrees[0], (int32_t)degrees[1]};
    return true;
}

static bool unpack_range(const struct xd_field *field, const msgpack_object *value, struct xd_range *out)
{
    const int64_t low[2] = {field->min, field->min};
    const int64_t high[2] = {field->max, field->max};
    int64_t ends[2];
    if (!unpack_two(value, low, high, ends)) return false;
    *out = (struct xd_range){ends[0], ends[1]};
    return true;
}

static bool unpack_text(const struct xd_field *field, const msgpack_object *value, struct xd_str *out)
{
    if (value->type != MSGPACK_OBJECT_STR) return false;
    if (value->via.str.size < field->min || value->via.str.size > field->max) return false;
    *out = (struct xd_str){value->via.str.ptr, value->via.str.size};
    return field->type == XD_TYPE_REF ? xd_ref_valid(*out) : xd_utf8_valid(out->at, out->len);
}

static bool unpack_features(const msgpack_object *value, uint64_t *out)
{
    if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return false;
    *out = value->via.u64;
    return value->via.u64 >> XD_FEATURE_COUNT == 0;
}

static bool unpack_accounts(const struct xd_field *field, const msgpack_object *value,
                            struct xd_accounts *out)
{
    if (value->type != MSGPACK_OBJECT_ARRAY) return false;
    if (value->via.array.size < field->min || value->via.array.size > field->max) return false;
    for (uint32_t i = 0; i < value->via.array.size; i++) {
        const msgpack_object *name = &value->via.array.ptr[i];
        if (name->type != MSGPACK_OBJECT_STR) return false;
        out->at[i] = (struct xd_str){name->via.str.ptr, name->via.str.size};
        if (!xd_account_valid(out->at[i])) return false;
    }
    out->count = value->via.array.size;
    return true;
}

static bool unpack_currency(const msgpack_object *value, int64_t *out)
{
    char text[4];
    if (!unpack_int(value, 0, 0xffffff, out)) return false;
    xd_currency_format(*out, text);
    return xd_currency(text, 3) == *out && *out != 0;
}

bool xd_value_unpack(const struct xd_field *field, const msgpack_object *value, struct xd_order *out)
{
    void *at = xd_order_int(out, field);
    switch (field->type) {
    case XD_TYPE_REF:
    case XD_TYPE_TEXT:
        return unpack_text(field, value, at);
    case XD_TYPE_PLACE:
        return unpack_place(value, at);
    case XD_TYPE_RANGE:
        return unpack_range(field, value, at);
    case XD_TYPE_FEATURES:
        return unpack_features(value, at);
    case XD_TYPE_ACCOUNTS:
        return unpack_accounts(field, value, at);
    case XD_TYPE_CURRENCY:
        return unpack_currency(value, at);
    default:
        return unpack_int(value, field->min, field->max, at);
    }
}

/* All required fields are there, and none that orders of this side and kind do not have. */
static bool fits_column(const struct xd_order *order)
{
    enum xd_column column = xd_column((enum xd_side)order->side, (enum xd_kind)order->kind);
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        bool gave = xd_order_gave(order, id);
        if (xd_fields[id].need[column] == (gave ? XD_NEVER : XD_REQUIRED)) return false;
    }
    return true;
}

bool xd_order_unpack(const msgpack_object *object, struct xd_order *out)
{
    if (object->type != MSGPACK_OBJECT_MAP) return false;
    memset(out, 0, sizeof *out);
    const msgpack_object_kv *kv = object->via.map.ptr;
    const msgpack_object_kv *end = kv + object->via.map.size;
    uint64_t seen = 0;
    /* Fields are in the table's order, so one pass over the table meets them all. */
    for (unsigned id = 0; id < XD_FIELD_COUNT && kv < end; id++) {
        if (kv->key.type != MSGPACK_OBJECT_POSITIVE_INTEGER) return false;
        bool gave = kv->key.via.u64 == xd_fields[id].tag;
        bool filled = (always >> id & 1) && kv->key.via.u64 == xd_fields[id].tag + (unsigned)TAG_DEFAULT;
        if (!gave && !filled) continue;
        if (!xd_value_unpack(&xd_fields[id], &kv->val, out)) return false;
        seen |= UINT64_C(1) << id;
        if (gave) out->given |= UINT64_C(1) << id;
        kv++;
    }
    if (kv != end || (seen & always) != always || !fits_column(out)) return false;
    xd_order_default(out);
    struct xd_error error;
    return xd_order_check(out, &error);
}

#include "core/order.h"

#include "core/given.h"
#include "core/mp.h"
#include "core/order_parts.h"
#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

int64_t xd_currency(const char *text, size_t len)
{
    if (len != 3) return 0;
    int64_t currency = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 'A' || text[i] > 'Z') return 0;
        currency = currency << 8 | text[i];
    }
    return currency;
}

void xd_currency_format(int64_t currency, char out[static 4])
{
    out[0] = (char)(currency >> 16 & 0x7f);
    out[1] = (char)(currency >> 8 & 0x7f);
    out[2] = (char)(currency & 0x7f);
    out[3] = '\0';
}

enum xd_dim xd_main_dim(enum xd_kind kind)
{
    return kind == XD_WAREHOUSE ? XD_M2 : XD_PALLETS;
}

static bool is_name(struct xd_str text, uint32_t max, bool at_sign)
{
    for (uint32_t i = 0; i < text.len && i < max; i++) {
        char c = text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        bool mark = c == '.' || c == '_' || c == ':' || c == '-' || (at_sign && c == '@');
        if (!letter && !digit && !mark) return false;
    }
    return text.len >= 1 && text.len <= max;
}

bool xd_ref_valid(struct xd_str ref)
{
    return is_name(ref, XD_REF_MAX, false);
}

bool xd_account_valid(struct xd_str account)
{
    return is_name(account, XD_ACCOUNT_MAX, true);
}

/* Side and kind come first, wherever in the map they are: what else may be there depends on them. */
static bool read_side_and_kind(const msgpack_object *map, struct xd_order *out, struct xd_error *error)
{
    const msgpack_object *side = xd_mp_get(map, "side");
    const msgpack_object *kind = xd_mp_get(map, "kind");
    if (side == NULL) {
        return xd_fail(error, XD_MISSING_FIELD, "side", "an order needs side: offer or request");
    }
    if (!xd_value_read(&xd_fields[XD_F_SIDE], side, out, error)) return false;
    if (kind == NULL) {
        return xd_fail(error, XD_MISSING_FIELD, "kind", "an order needs kind: truck, cold or warehouse");
    }
    return xd_value_read(&xd_fields[XD_F_KIND], kind, out, error);
}

bool xd_field_unknown(const msgpack_object_str *key, const char *owner, struct xd_error *error)
{
    char name[XD_GIVEN];
    xd_given_name(key->ptr, key->size, name);
    if (!xd_utf8_valid(key->ptr, key->size)) {
        return xd_fail(error, XD_BAD_UTF8, name, "the name of a field, \"%s\", is not UTF-8", name);
    }
    return xd_fail(error, XD_UNKNOWN_FIELD, name, "%s has no field \"%s\"", owner, name);
}

/* The field exists, but for other orders: says for which. */
bool xd_field_misplaced(const struct xd_field *field, enum xd_column column, struct xd_error *error)
{
    char others[160] = "";
    for (unsigned other = 0; other < XD_COLUMNS; other++) {
        if (field->need[other] == XD_NEVER) continue;
        size_t used = strlen(others);
        snprintf(others + used, sizeof others - used, "%s%ss", used == 0 ? "" : ", ",
                 xd_column_name((enum xd_column)other));
    }
    return xd_fail(error, XD_UNKNOWN_FIELD, field->name, "a %s has no field \"%s\"; it is for %s",
                   xd_column_name(column), field->name, others);
}

static bool read_field(const msgpack_object_kv *kv, enum xd_column column, struct xd_order *out,
                       struct xd_error *error)
{
    if (kv->key.type != MSGPACK_OBJECT_STR) {
        char given[XD_GIVEN];
        xd_given_value(&kv->key, given);
        return xd_fail(error, XD_BAD_TYPE, NULL, "the name of a field is a string, not %s", given);
    }
    const msgpack_object_str *key = &kv->key.via.str;
    const struct xd_field *field = xd_field_find(key->ptr, key->size);
    if (field == NULL) {
        char owner[32];
        snprintf(owner, sizeof owner, "a %s", xd_column_name(column));
        return xd_field_unknown(key, owner, error);
    }
    if (field->need[column] == XD_NEVER) return xd_field_misplaced(field, column, error);
    enum xd_field_id id = xd_field_id(field);
    if (xd_order_gave(out, id)) {
        return xd_fail(error, XD_DUPLICATE_FIELD, field->name, "%s is given twice", field->name);
    }
    if (!xd_value_read(field, &kv->val, out, error)) return false;
    out->given |= UINT64_C(1) << id;
    return true;
}

bool xd_order_complete(const struct xd_order *order, enum xd_column column, struct xd_error *error)
{
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (field->need[column] != XD_REQUIRED || xd_order_gave(order, id)) continue;
        return xd_fail(error, XD_MISSING_FIELD, field->name, "a %s needs %s: %s", xd_column_name(column),
                       field->name, field->doc);
    }
    return true;
}

bool xd_order_read(const msgpack_object *map, const struct xd_market *market, struct xd_order *out,
                   struct xd_error *error)
{
    if (map->type != MSGPACK_OBJECT_MAP) {
        char given[XD_GIVEN];
        xd_given_value(map, given);
        return xd_fail(error, XD_BAD_TYPE, NULL, "an order is a map of fields, not %s", given);
    }
    memset(out, 0, sizeof *out);
    if (!read_side_and_kind(map, out, error)) return false;
    enum xd_column column = xd_column((enum xd_side)out->side, (enum xd_kind)out->kind);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        if (!read_field(&map->via.map.ptr[i], column, out, error)) return false;
    }
    if (!xd_order_complete(out, column, error)) return false;
    xd_order_default(out);
    if (!xd_order_gave(out, XD_F_VALID_UNTIL)) out->valid_until = xd_order_end(out);
    if (!xd_order_gave(out, XD_F_CURRENCY)) out->currency = market->currency;
    return xd_order_check(out, error);
}

#include "core/amend.h"

#include "core/features.h"
#include "core/given.h"
#include "core/mp.h"
#include "core/order_parts.h"

#include <string.h>

static uint64_t bit_of(unsigned id)
{
    return UINT64_C(1) << id;
}

static enum xd_column column_of(const struct xd_order *order)
{
    return xd_column((enum xd_side)order->side, (enum xd_kind)order->kind);
}

static bool amendable(const struct xd_field *field)
{
    for (unsigned column = 0; column < XD_COLUMNS; column++) {
        if (field->amend[column] != XD_AMEND_NOT) return true;
    }
    return false;
}

static bool not_amendable(const struct xd_field *field, struct xd_error *error)
{
    return xd_fail(error, XD_NOT_AMENDABLE, field->name, "%s cannot be amended; cancel the order and submit another",
                   field->name);
}

/* --- as clients write it --- */

static bool says_which_order(struct xd_str name)
{
    return xd_str_equal(name, xd_str_of("id")) || xd_str_equal(name, xd_str_of("ref")) ||
           xd_str_equal(name, xd_str_of("account"));
}

static bool read_change(const msgpack_object_kv *kv, struct xd_amendment *out, struct xd_error *error)
{
    if (kv->key.type != MSGPACK_OBJECT_STR) {
        char given[XD_GIVEN];
        xd_given_value(&kv->key, given);
        return xd_fail(error, XD_BAD_TYPE, NULL, "the name of a field is a string, not %s", given);
    }
    const msgpack_object_str *key = &kv->key.via.str;
    if (says_which_order((struct xd_str){key->ptr, key->size})) return true;
    const struct xd_field *field = xd_field_find(key->ptr, key->size);
    if (!field) return xd_field_unknown(key, "an order", error);
    if (!amendable(field)) return not_amendable(field, error);
    uint64_t bit = bit_of(xd_field_id(field));
    if ((out->to.given | out->removed) & bit) {
        return xd_fail(error, XD_DUPLICATE_FIELD, field->name, "%s is given twice", field->name);
    }
    if (kv->val.type == MSGPACK_OBJECT_NIL) {
        out->removed |= bit;
        return true;
    }
    out->to.given |= bit;
    return xd_value_read(field, &kv->val, &out->to, error);
}

bool xd_amendment_read(const msgpack_object *map, struct xd_amendment *out, struct xd_error *error)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        if (!read_change(&map->via.map.ptr[i], out, error)) return false;
    }
    if (out->to.given | out->removed) return true;
    return xd_fail(error, XD_BAD_PARAMS, NULL, "an amendment needs a field to change");
}

/* `named`: as clients write it, else in the ledger's form. */
static void put_changes(const struct xd_amendment *amendment, uint64_t which, bool named, struct xd_buf *out)
{
    uint64_t set = (amendment->to.given | amendment->removed) & which;
    xd_mp_map(out, (uint32_t)__builtin_popcountll(set));
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (!(set & bit_of(id))) continue;
        if (named) {
            xd_mp_cstr(out, field->name);
        } else {
            xd_mp_uint(out, field->tag);
        }
        if (amendment->removed & bit_of(id)) {
            xd_mp_nil(out);
        } else {
            (named ? xd_value_write : xd_value_pack)(out, field, xd_order_at(&amendment->to, field));
        }
    }
}

void xd_amendment_write(const struct xd_amendment *amendment, uint64_t which, struct xd_buf *out)
{
    put_changes(amendment, which, true, out);
}

/* --- the ledger's form --- */

void xd_amendment_pack(const struct xd_amendment *amendment, struct xd_buf *out)
{
    put_changes(amendment, UINT64_MAX, false, out);
}

bool xd_amendment_unpack(const msgpack_object *object, struct xd_amendment *out)
{
    if (object->type != MSGPACK_OBJECT_MAP || object->via.map.size == 0) return false;
    memset(out, 0, sizeof *out);
    const msgpack_object_kv *kv = object->via.map.ptr;
    const msgpack_object_kv *end = kv + object->via.map.size;
    for (unsigned id = 0; id < XD_FIELD_COUNT && kv < end; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (kv->key.type != MSGPACK_OBJECT_POSITIVE_INTEGER) return false;
        if (kv->key.via.u64 != field->tag) continue;
        if (!amendable(field)) return false;
        bool nil = kv->val.type == MSGPACK_OBJECT_NIL;
        if (!nil && !xd_value_unpack(field, &kv->val, &out->to)) return false;
        *(nil ? &out->removed : &out->to.given) |= bit_of(id);
        kv++;
    }
    return kv == end;
}

/* --- amending --- */

static size_t size_of(const struct xd_field *field)
{
    switch (field->type) {
    case XD_TYPE_REF:
    case XD_TYPE_TEXT:
        return sizeof(struct xd_str);
    case XD_TYPE_PLACE:
        return sizeof(struct xd_place);
    case XD_TYPE_RANGE:
        return sizeof(struct xd_range);
    case XD_TYPE_ACCOUNTS:
        return sizeof(struct xd_accounts);
    default:
        return sizeof(int64_t);
    }
}

static void set_field(struct xd_order *order, unsigned id, const struct xd_amendment *amendment)
{
    const struct xd_field *field = &xd_fields[id];
    void *at = xd_order_int(order, field);
    if (amendment->removed & bit_of(id)) {
        order->given &= ~bit_of(id);
        memset(at, 0, size_of(field));
    } else {
        order->given |= bit_of(id);
        memcpy(at, xd_order_at(&amendment->to, field), size_of(field));
    }
}

bool xd_order_amend(const struct xd_order *order, const struct xd_amendment *amendment, struct xd_order *out,
                    struct xd_error *error)
{
    enum xd_column column = column_of(order);
    *out = *order;
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (!((amendment->to.given | amendment->removed) & bit_of(id))) continue;
        if (field->need[column] == XD_NEVER) return xd_field_misplaced(field, column, error);
        if (field->amend[column] == XD_AMEND_NOT) return not_amendable(field, error);
        set_field(out, id, amendment);
    }
    if (!xd_order_complete(out, column, error)) return false;
    xd_order_default(out);
    if (!xd_order_gave(out, XD_F_VALID_UNTIL)) out->valid_until = xd_order_end(out);
    return xd_order_check(out, error);
}

/* --- what has changed --- */

static bool lists(const struct xd_accounts *accounts, struct xd_str name)
{
    for (uint32_t i = 0; i < accounts->count; i++) {
        if (xd_str_equal(accounts->at[i], name)) return true;
    }
    return false;
}

static bool same_accounts(const struct xd_accounts *a, const struct xd_accounts *b)
{
    bool same = a->count == b->count;
    for (uint32_t i = 0; same && i < a->count; i++) {
        same = xd_str_equal(a->at[i], b->at[i]);
    }
    return same;
}

static bool same_value(const struct xd_field *field, const void *a, const void *b)
{
    switch (field->type) {
    case XD_TYPE_REF:
    case XD_TYPE_TEXT:
        return xd_str_equal(*(const struct xd_str *)a, *(const struct xd_str *)b);
    case XD_TYPE_ACCOUNTS:
        return same_accounts(a, b);
    default:
        return memcmp(a, b, size_of(field)) == 0;
    }
}

uint64_t xd_order_changes(const struct xd_order *order, const struct xd_order *other)
{
    enum xd_column column = column_of(order);
    uint64_t changes = order->given ^ other->given;
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (field->need[column] == XD_NEVER) continue;
        if (!same_value(field, xd_order_at(order, field), xd_order_at(other, field))) changes |= bit_of(id);
    }
    return changes;
}

/* How one value compares with another that took its place; a set can do both. */
struct growth {
    bool grew, shrank;
};

/* What leaving the field out stands for: all there could be of it (an offer without `m3` does not limit it, a request
 * without `min_part` wants the whole, one without `temp_c` tolerates anything), or none. */
static bool absent_is_all(const struct xd_order *order, enum xd_field_id id)
{
    if (id == XD_F_ONLY) return true;
    bool amount = id >= XD_F_PALLETS && id <= XD_F_M2;
    if (order->side == XD_OFFER) return amount;
    return id == XD_F_MIN_PART || id == XD_F_TEMP_C;
}

static struct growth growth_of_accounts(const struct xd_accounts *before, const struct xd_accounts *after)
{
    struct growth growth = {0};
    for (uint32_t i = 0; i < after->count; i++) {
        growth.grew |= !lists(before, after->at[i]);
    }
    for (uint32_t i = 0; i < before->count; i++) {
        growth.shrank |= !lists(after, before->at[i]);
    }
    return growth;
}

static struct growth growth_of_features(const struct xd_order *before, const struct xd_order *after)
{
    bool offer = before->side == XD_OFFER;
    uint64_t old = offer ? xd_features_implied(before->features) : before->features;
    uint64_t new = offer ? xd_features_implied(after->features) : after->features;
    return (struct growth){.grew = (new & ~old) != 0, .shrank = (old & ~new) != 0};
}

static struct growth growth_of_value(const struct xd_field *field, const void *before, const void *after)
{
    if (field->type == XD_TYPE_ACCOUNTS) return growth_of_accounts(before, after);
    if (field->type == XD_TYPE_RANGE) {
        const struct xd_range *old = before, *new = after;
        return (struct growth){.grew = new->min < old->min || new->max > old->max,
                               .shrank = new->min > old->min || new->max < old->max};
    }
    int64_t old = *(const int64_t *)before, new = *(const int64_t *)after;
    return (struct growth){.grew = new > old, .shrank = new < old};
}

static struct growth growth_of(const struct xd_order *before, const struct xd_order *after, unsigned id)
{
    const struct xd_field *field = &xd_fields[id];
    if (id == XD_F_FEATURES) return growth_of_features(before, after);
    bool had = xd_order_gave(before, id), has = xd_order_gave(after, id);
    bool stands_alone = !field->has_default && field->need[column_of(before)] == XD_OPTIONAL;
    if (!stands_alone || (had && has)) return growth_of_value(field, xd_order_at(before, field), xd_order_at(after, field));
    if (had == has) return (struct growth){0};
    bool grew = has != absent_is_all(before, (enum xd_field_id)id);
    return (struct growth){.grew = grew, .shrank = !grew};
}

struct xd_ease xd_order_ease(const struct xd_order *before, const struct xd_order *after)
{
    enum xd_column column = column_of(before);
    struct xd_ease ease = {0};
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        enum xd_amend amend = (enum xd_amend)xd_fields[id].amend[column];
        if (amend != XD_AMEND_MORE && amend != XD_AMEND_LESS) continue;
        struct growth growth = growth_of(before, after, id);
        bool more = amend == XD_AMEND_MORE;
        ease.easier |= more ? growth.grew : growth.shrank;
        ease.harder |= more ? growth.shrank : growth.grew;
    }
    return ease;
}

#include "core/record.h"

#include "core/id.h"
#include "core/mp.h"

#include <string.h>

/* What a record of each type carries. */
enum { ACCOUNT = 1, ORDER_ID = 2, MATCH_ID = 4, CREDIT = 8, ORDER = 16, CHANGES = 32 };

static const uint8_t parts_of[XD_RECORD_TYPE_COUNT] = {
    [XD_RECORD_ORDER] = ACCOUNT | ORDER_ID | CREDIT | ORDER,
    [XD_RECORD_AMEND] = ACCOUNT | ORDER_ID | CHANGES,
    [XD_RECORD_CANCEL] = ACCOUNT | ORDER_ID,
    [XD_RECORD_CANCEL_MATCH] = ACCOUNT | MATCH_ID,
    [XD_RECORD_ACCEPT] = ACCOUNT | MATCH_ID,
    [XD_RECORD_DECLINE] = ACCOUNT | MATCH_ID,
    [XD_RECORD_COMPLETE] = ACCOUNT | MATCH_ID,
    [XD_RECORD_NO_SHOW] = ACCOUNT | MATCH_ID,
    [XD_RECORD_CREDIT] = ACCOUNT | CREDIT,
    [XD_RECORD_TICK] = 0,
};

static const char *const type_names[XD_RECORD_TYPE_COUNT] = {
#define X(id, name) name,
    XD_RECORD_TYPES(X)
#undef X
};

const char *xd_record_type_name(enum xd_record_type type)
{
    return type_names[type];
}

static void write_order_id(struct xd_buf *out, uint64_t id, bool text)
{
    char name[XD_ID_TEXT];
    if (text) {
        xd_mp_str(out, name, xd_order_id_format(id, name));
    } else {
        xd_mp_uint(out, id);
    }
}

static void write_match_id(struct xd_buf *out, uint64_t id, bool text)
{
    char name[XD_ID_TEXT];
    if (text) {
        xd_mp_str(out, name, xd_match_id_format(id, name));
    } else {
        xd_mp_uint(out, id);
    }
}

static void write_order(struct xd_buf *out, const struct xd_order *order, bool text)
{
    xd_mp_cstr(out, "order");
    if (text) {
        xd_order_write(order, out);
    } else {
        xd_order_pack(order, out);
    }
}

static void write_changes(struct xd_buf *out, const struct xd_amendment *amendment, bool text)
{
    xd_mp_cstr(out, "changes");
    if (text) {
        xd_amendment_write(amendment, UINT64_MAX, out);
    } else {
        xd_amendment_pack(amendment, out);
    }
}

/* Both forms: `text` is the one for people. */
static void write(const struct xd_record *record, bool text, struct xd_buf *out)
{
    unsigned parts = parts_of[record->type];
    xd_mp_map(out, 1 + (uint32_t)__builtin_popcount(parts));
    xd_mp_cstr(out, "type");
    xd_mp_cstr(out, type_names[record->type]);
    if (parts & ACCOUNT) {
        xd_mp_cstr(out, "account");
        xd_mp_str(out, record->account.at, record->account.len);
    }
    if (parts & ORDER_ID) {
        xd_mp_cstr(out, "id");
        write_order_id(out, record->order_id, text);
    }
    if (parts & MATCH_ID) {
        xd_mp_cstr(out, "match");
        write_match_id(out, record->match_id, text);
    }
    if (parts & CREDIT) {
        xd_mp_cstr(out, "credit");
        xd_mp_int(out, record->credit);
    }
    if (parts & ORDER) write_order(out, &record->order, text);
    if (parts & CHANGES) write_changes(out, &record->amendment, text);
}

void xd_record_pack(const struct xd_record *record, struct xd_buf *out)
{
    write(record, false, out);
}

void xd_record_write(const struct xd_record *record, struct xd_buf *out)
{
    write(record, true, out);
}

static bool key_is(const msgpack_object *key, const char *name)
{
    if (key->type != MSGPACK_OBJECT_STR) return false;
    return xd_str_equal((struct xd_str){key->via.str.ptr, key->via.str.size}, xd_str_of(name));
}

static bool read_type(const msgpack_object *value, enum xd_record_type *out)
{
    for (unsigned type = 0; type < XD_RECORD_TYPE_COUNT; type++) {
        if (!key_is(value, type_names[type])) continue;
        *out = (enum xd_record_type)type;
        return true;
    }
    return false;
}

static bool read_account(const msgpack_object *value, struct xd_str *out)
{
    if (value->type != MSGPACK_OBJECT_STR) return false;
    *out = (struct xd_str){value->via.str.ptr, value->via.str.size};
    return xd_account_valid(*out);
}

static bool read_uint(const msgpack_object *value, uint64_t min, uint64_t max, uint64_t *out)
{
    if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return false;
    *out = value->via.u64;
    return *out >= min && *out <= max;
}

/* One pair after the type; the part it is, or 0 if it is none or malformed. */
static unsigned read_part(const msgpack_object_kv *kv, struct xd_record *out)
{
    uint64_t credit;
    if (key_is(&kv->key, "account")) return read_account(&kv->val, &out->account) ? ACCOUNT : 0;
    if (key_is(&kv->key, "id")) return read_uint(&kv->val, 1, UINT64_MAX, &out->order_id) ? ORDER_ID : 0;
    if (key_is(&kv->key, "match")) return read_uint(&kv->val, 1, UINT64_MAX, &out->match_id) ? MATCH_ID : 0;
    if (key_is(&kv->key, "order")) return xd_order_unpack(&kv->val, &out->order) ? ORDER : 0;
    if (key_is(&kv->key, "changes")) return xd_amendment_unpack(&kv->val, &out->amendment) ? CHANGES : 0;
    if (!key_is(&kv->key, "credit") || !read_uint(&kv->val, 0, XD_CREDIT_MAX, &credit)) return 0;
    out->credit = (int64_t)credit;
    return CREDIT;
}

bool xd_record_unpack(const msgpack_object *object, struct xd_record *out)
{
    if (object->type != MSGPACK_OBJECT_MAP || object->via.map.size == 0) return false;
    const msgpack_object_kv *kv = object->via.map.ptr;
    memset(out, 0, offsetof(struct xd_record, order));
    if (!key_is(&kv->key, "type") || !read_type(&kv->val, &out->type)) return false;
    unsigned seen = 0;
    for (uint32_t i = 1; i < object->via.map.size; i++) {
        unsigned part = read_part(&kv[i], out);
        if (part == 0 || (seen & part) != 0) return false;
        seen |= part;
    }
    return seen == parts_of[out->type];
}

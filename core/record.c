#include "core/record.h"

#include "core/claim.h"
#include "core/event.h"
#include "core/id.h"
#include "core/mp.h"
#include "core/pair.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* What records carry: a row for each key. */
enum value_type {
    IS_ACCOUNT,
    IS_ORDER_ID,
    IS_MATCH_ID,
    IS_UINT,
    IS_INT,
    IS_STATE,
    IS_BOOL,
    IS_BYTES,
    IS_ORDER,
    IS_CHANGES
};

enum part {
    ACCOUNT,
    ORDER_ID,
    MATCH_ID,
    CREDIT,
    FROM,
    FROM_GEN,
    TO_GEN,
    SEQ,
    VERSION,
    ROUND,
    GHOST_ID,
    GENERATION,
    STATE,
    GIVE_FROM,
    UNTIL,
    ASK,
    FULL,
    REOPENS,
    ROLLBACK,
    PLAN,
    BARRED,
    CLAIMS,
    ANSWERS,
    ORDER,
    CHANGES,
    PART_COUNT
};

static const struct {
    const char *key;
    enum value_type type;
    size_t offset;
    uint64_t min, max; /* of a number */
} parts[] = {
    [ACCOUNT] = {"account", IS_ACCOUNT, offsetof(struct xd_record, account), 0, 0},
    [ORDER_ID] = {"id", IS_ORDER_ID, offsetof(struct xd_record, order_id), 1, UINT64_MAX},
    [MATCH_ID] = {"match", IS_MATCH_ID, offsetof(struct xd_record, match_id), 1, UINT64_MAX},
    [CREDIT] = {"credit", IS_INT, offsetof(struct xd_record, credit), 0, XD_CREDIT_MAX},
    [FROM] = {"from", IS_UINT, offsetof(struct xd_record, head.from), 0, UINT16_MAX},
    [FROM_GEN] = {"from_gen", IS_UINT, offsetof(struct xd_record, head.from_gen), 0, UINT32_MAX},
    [TO_GEN] = {"to_gen", IS_UINT, offsetof(struct xd_record, head.to_gen), 0, UINT32_MAX},
    [SEQ] = {"seq", IS_UINT, offsetof(struct xd_record, head.seq), 1, UINT64_MAX},
    [VERSION] = {"version", IS_UINT, offsetof(struct xd_record, version), 0, UINT64_MAX},
    [ROUND] = {"round", IS_UINT, offsetof(struct xd_record, round), 0, UINT64_MAX},
    [GHOST_ID] = {"ghost", IS_ORDER_ID, offsetof(struct xd_record, ghost_id), 1, UINT64_MAX},
    [GENERATION] = {"generation", IS_UINT, offsetof(struct xd_record, generation), 1, UINT32_MAX},
    [STATE] = {"state", IS_STATE, offsetof(struct xd_record, state), 0, XD_MATCH_STATE_COUNT - 1},
    [GIVE_FROM] = {"give_from", IS_INT, offsetof(struct xd_record, give_from), 0, INT32_MAX},
    [UNTIL] = {"until", IS_INT, offsetof(struct xd_record, until), 0, INT32_MAX},
    [ASK] = {"ask", IS_BOOL, offsetof(struct xd_record, ask), 0, 0},
    [FULL] = {"full", IS_BOOL, offsetof(struct xd_record, full), 0, 0},
    [REOPENS] = {"reopens", IS_BOOL, offsetof(struct xd_record, reopens), 0, 0},
    [ROLLBACK] = {"rollback", IS_BOOL, offsetof(struct xd_record, rollback), 0, 0},
    [PLAN] = {"plan", IS_BYTES, offsetof(struct xd_record, plan), 0, 0},
    [BARRED] = {"barred", IS_BYTES, offsetof(struct xd_record, barred), 0, 0},
    [CLAIMS] = {"claims", IS_BYTES, offsetof(struct xd_record, claims), 0, 0},
    [ANSWERS] = {"answers", IS_BYTES, offsetof(struct xd_record, answers), 0, 0},
    [ORDER] = {"order", IS_ORDER, offsetof(struct xd_record, order), 0, 0},
    [CHANGES] = {"changes", IS_CHANGES, offsetof(struct xd_record, amendment), 0, 0},
};
static_assert(sizeof parts / sizeof *parts == PART_COUNT, "a row for each part");

#define BIT(part) (1u << (part))
#define HEAD      (BIT(FROM) | BIT(FROM_GEN) | BIT(TO_GEN) | BIT(SEQ))

static const uint32_t parts_of[XD_RECORD_TYPE_COUNT] = {
    [XD_RECORD_ORDER] = BIT(ACCOUNT) | BIT(ORDER_ID) | BIT(CREDIT) | BIT(ORDER),
    [XD_RECORD_AMEND] = BIT(ACCOUNT) | BIT(ORDER_ID) | BIT(CHANGES),
    [XD_RECORD_CANCEL] = BIT(ACCOUNT) | BIT(ORDER_ID),
    [XD_RECORD_CANCEL_MATCH] = BIT(ACCOUNT) | BIT(MATCH_ID),
    [XD_RECORD_ACCEPT] = BIT(ACCOUNT) | BIT(MATCH_ID),
    [XD_RECORD_DECLINE] = BIT(ACCOUNT) | BIT(MATCH_ID),
    [XD_RECORD_COMPLETE] = BIT(ACCOUNT) | BIT(MATCH_ID),
    [XD_RECORD_NO_SHOW] = BIT(ACCOUNT) | BIT(MATCH_ID),
    [XD_RECORD_CREDIT] = BIT(ACCOUNT) | BIT(CREDIT),
    [XD_RECORD_TICK] = 0,
    [XD_RECORD_GHOST] = HEAD | BIT(ACCOUNT) | BIT(ORDER_ID) | BIT(CREDIT) | BIT(VERSION) | BIT(ASK) |
                        BIT(PLAN) | BIT(BARRED) | BIT(ORDER),
    [XD_RECORD_GHOST_GONE] = HEAD | BIT(ORDER_ID),
    [XD_RECORD_CLAIMS] = HEAD | BIT(ORDER_ID) | BIT(VERSION) | BIT(ROUND) | BIT(FULL) | BIT(CLAIMS),
    [XD_RECORD_ANSWERS] = HEAD | BIT(ORDER_ID) | BIT(ROUND) | BIT(ANSWERS),
    [XD_RECORD_MATCH_STATE] =
        HEAD | BIT(MATCH_ID) | BIT(VERSION) | BIT(STATE) | BIT(GIVE_FROM) | BIT(REOPENS),
    [XD_RECORD_WITHDRAW] = HEAD | BIT(MATCH_ID) | BIT(ROLLBACK),
    [XD_RECORD_SYNC] = HEAD,
    [XD_RECORD_SYNC_MATCH] = HEAD | BIT(ORDER_ID) | BIT(MATCH_ID) | BIT(VERSION) | BIT(GHOST_ID) |
                             BIT(GIVE_FROM) | BIT(UNTIL) | BIT(ANSWERS),
    [XD_RECORD_SYNC_END] = HEAD,
    [XD_RECORD_GENERATION] = BIT(GENERATION),
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

bool xd_record_is_message(enum xd_record_type type)
{
    return parts_of[type] & BIT(FROM);
}

/* --- writing
 * ----------------------------------------------------------------------------------------------------------------
 */

static void write_packed(const void *at, enum value_type type, struct xd_buf *out)
{
    const struct xd_str *text = at;
    switch (type) {
    case IS_ACCOUNT:
        xd_mp_str(out, text->at, text->len);
        break;
    case IS_BYTES:
        xd_mp_bin(out, text->at, text->len);
        break;
    case IS_ORDER_ID:
    case IS_MATCH_ID:
    case IS_UINT:
        xd_mp_uint(out, *(const uint64_t *)at);
        break;
    case IS_INT:
    case IS_STATE:
        xd_mp_int(out, *(const int64_t *)at);
        break;
    case IS_BOOL:
        xd_mp_bool(out, *(const bool *)at);
        break;
    case IS_ORDER:
        xd_order_pack(at, out);
        break;
    case IS_CHANGES:
        xd_amendment_pack(at, out);
        break;
    }
}

static void write_bytes_as_text(const struct xd_str *bytes, enum part part, struct xd_buf *out)
{
    if (part == CLAIMS) {
        xd_claims_write(*bytes, out);
    } else if (part == ANSWERS) {
        xd_answers_write(*bytes, out);
    } else {
        xd_buf_add(out, bytes->at, bytes->len); /* is MessagePack already */
    }
}

static void write_text(const void *at, enum part part, struct xd_buf *out)
{
    char name[XD_ID_TEXT];
    switch (parts[part].type) {
    case IS_ORDER_ID:
        xd_mp_str(out, name, xd_order_id_format(*(const uint64_t *)at, name));
        break;
    case IS_MATCH_ID:
        xd_mp_str(out, name, xd_match_id_format(*(const uint64_t *)at, name));
        break;
    case IS_STATE:
        xd_mp_cstr(out, xd_match_state_name((enum xd_match_state) * (const int64_t *)at));
        break;
    case IS_BYTES:
        write_bytes_as_text(at, part, out);
        break;
    case IS_ORDER:
        xd_order_write(at, out);
        break;
    case IS_CHANGES:
        xd_amendment_write(at, UINT64_MAX, out);
        break;
    default:
        write_packed(at, parts[part].type, out);
        break;
    }
}

/* Both forms: `text` is the one for people. */
static void write(const struct xd_record *record, bool text, struct xd_buf *out)
{
    uint32_t carried = parts_of[record->type];
    xd_mp_map(out, 1 + (uint32_t)__builtin_popcount(carried));
    xd_pair_cstr(out, "type", type_names[record->type]);
    for (; carried; carried &= carried - 1) {
        enum part part = (enum part)__builtin_ctz(carried);
        const void *at = (const char *)record + parts[part].offset;
        xd_mp_cstr(out, parts[part].key);
        if (text) {
            write_text(at, part, out);
        } else {
            write_packed(at, parts[part].type, out);
        }
    }
}

void xd_record_pack(const struct xd_record *record, struct xd_buf *out)
{
    write(record, false, out);
}

void xd_record_write(const struct xd_record *record, struct xd_buf *out)
{
    write(record, true, out);
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------------------
 */

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

static bool read_bytes(const msgpack_object *value, struct xd_str *out)
{
    if (value->type != MSGPACK_OBJECT_BIN) return false;
    *out = (struct xd_str){value->via.bin.ptr, value->via.bin.size};
    return true;
}

/* A number of any of the types: never negative, so that the signed and the unsigned are stored alike. */
static bool read_number(const msgpack_object *value, enum part part, void *out)
{
    if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return false;
    if (value->via.u64 < parts[part].min || value->via.u64 > parts[part].max) return false;
    memcpy(out, &value->via.u64, sizeof value->via.u64);
    return true;
}

static bool read_value(const msgpack_object *value, enum part part, void *out)
{
    switch (parts[part].type) {
    case IS_ACCOUNT:
        return read_account(value, out);
    case IS_BYTES:
        return read_bytes(value, out);
    case IS_BOOL:
        *(bool *)out = value->type == MSGPACK_OBJECT_BOOLEAN && value->via.boolean;
        return value->type == MSGPACK_OBJECT_BOOLEAN;
    case IS_ORDER:
        return xd_order_unpack(value, out);
    case IS_CHANGES:
        return xd_amendment_unpack(value, out);
    default:
        return read_number(value, part, out);
    }
}

/* One pair after the type; the bit of the part it is, or 0 if it is none of `expected` or malformed. */
static uint32_t read_part(const msgpack_object_kv *kv, uint32_t expected, struct xd_record *out)
{
    for (; expected; expected &= expected - 1) {
        enum part part = (enum part)__builtin_ctz(expected);
        if (!key_is(&kv->key, parts[part].key)) continue;
        return read_value(&kv->val, part, (char *)out + parts[part].offset) ? BIT(part) : 0;
    }
    return 0;
}

bool xd_record_unpack(const msgpack_object *object, struct xd_record *out)
{
    if (object->type != MSGPACK_OBJECT_MAP || object->via.map.size == 0) return false;
    const msgpack_object_kv *kv = object->via.map.ptr;
    memset(out, 0, offsetof(struct xd_record, order));
    if (!key_is(&kv->key, "type") || !read_type(&kv->val, &out->type)) return false;
    uint32_t missing = parts_of[out->type];
    for (uint32_t i = 1; i < object->via.map.size; i++) {
        uint32_t part = read_part(&kv[i], missing, out);
        if (!part) return false;
        missing &= ~part;
    }
    return !missing;
}

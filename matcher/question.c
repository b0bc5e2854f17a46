#include "matcher/question.h"

#include "core/mp.h"
#include "core/pair.h"
#include "engine/explain/explain.h"

#include <inttypes.h>
#include <stdio.h>

enum { FIELDS = 7 };

/* --- answers -------------------------------------------------------------------------------------------- */

static void list(const struct xd_question *question, const struct xd_engine *engine, struct xd_buf *out)
{
    struct xd_listing listing = {.account = question->account,
                                 .state = question->state,
                                 .after = question->after,
                                 .limit = question->limit};
    struct xd_buf entries;
    uint64_t last = 0;
    uint32_t count = 0;
    bool more = false, fits = false;
    xd_buf_init(&entries, out->limit);
    while (!fits) {
        xd_buf_clear(&entries);
        last = 0;
        more = false;
        count = question->type == XD_ASK_ORDERS
                    ? xd_engine_list_orders(engine, &listing, &entries, &last, &more)
                    : xd_engine_list_matches(engine, &listing, &entries, &last, &more);
        fits = (entries.len <= XD_ANSWER_BYTES && !entries.failed) || listing.limit == 1;
        listing.limit /= 2;
    }
    xd_mp_array(out, 3);
    xd_mp_uint(out, count);
    xd_mp_uint(out, last);
    xd_mp_bool(out, more);
    xd_buf_add(out, entries.data, entries.len);
    out->failed = out->failed || entries.failed;
    xd_buf_free(&entries);
}

static void hash(struct xd_engine *engine, uint16_t partition, uint64_t records, struct xd_buf *out)
{
    char text[24];
    snprintf(text, sizeof(text), "%016" PRIx64, xd_engine_state_hash(engine));
    xd_mp_map(out, 3);
    xd_pair_int(out, "partition", partition);
    xd_pair_uint(out, "records", records);
    xd_pair_cstr(out, "hash", text);
}

bool xd_question_answer(const struct xd_question *question, struct xd_engine *engine, uint16_t partition,
                        uint64_t records, int64_t now, struct xd_buf *out, struct xd_error *error)
{
    switch (question->type) {
    case XD_ASK_ORDERS:
    case XD_ASK_MATCHES:
        list(question, engine, out);
        return true;
    case XD_ASK_EXPLAIN:
        return xd_engine_explain(engine, now, question->account, question->id, out, error);
    case XD_ASK_WHAT_IF:
        return xd_engine_what_if(engine, now, &question->order, question->account, XD_CREDIT_UNKNOWN, out,
                                 error);
    case XD_ASK_STATE_HASH:
        hash(engine, partition, records, out);
        return true;
    case XD_ASK_COUNT:
        break;
    }
    return xd_fail(error, XD_INTERNAL, NULL, "%s", xd_code_meaning(XD_INTERNAL));
}

bool xd_listing_head_read(struct xd_str answer, struct xd_listing_head *head, struct xd_str *entries)
{
    msgpack_unpacked object;
    size_t at = 0;
    msgpack_unpacked_init(&object);
    bool well = msgpack_unpack_next(&object, answer.at, answer.len, &at) == MSGPACK_UNPACK_SUCCESS &&
                object.data.type == MSGPACK_OBJECT_ARRAY && object.data.via.array.size == 3;
    const msgpack_object *part = well ? object.data.via.array.ptr : NULL;
    well = well && part[0].type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
           part[1].type == MSGPACK_OBJECT_POSITIVE_INTEGER && part[2].type == MSGPACK_OBJECT_BOOLEAN &&
           part[0].via.u64 <= UINT32_MAX;
    if (well) {
        *head = (struct xd_listing_head){(uint32_t)part[0].via.u64, part[1].via.u64, part[2].via.boolean};
        *entries = (struct xd_str){answer.at + at, answer.len - (uint32_t)at};
    }
    msgpack_unpacked_destroy(&object);
    return well;
}

/* --- packing -------------------------------------------------------------------------------------------- */

void xd_question_pack(const struct xd_question *question, struct xd_buf *out)
{
    xd_mp_array(out, FIELDS);
    xd_mp_int(out, question->type);
    xd_mp_str(out, question->account.at ? question->account.at : "", question->account.len);
    xd_mp_int(out, question->state);
    xd_mp_uint(out, question->after);
    xd_mp_uint(out, question->limit);
    xd_mp_uint(out, question->id);
    if (question->type == XD_ASK_WHAT_IF)
        xd_order_pack(&question->order, out);
    else
        xd_mp_nil(out);
}

static bool take_number(const msgpack_object *object, uint64_t max, uint64_t *out)
{
    if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER || object->via.u64 > max) return false;
    *out = object->via.u64;
    return true;
}

bool xd_question_unpack(const msgpack_object *object, struct xd_question *out)
{
    if (object->type != MSGPACK_OBJECT_ARRAY || object->via.array.size != FIELDS) return false;
    const msgpack_object *part = object->via.array.ptr;
    uint64_t type, limit;
    bool has_state =
        part[2].type == MSGPACK_OBJECT_POSITIVE_INTEGER || part[2].type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
    if (!take_number(&part[0], XD_ASK_COUNT - 1, &type) || part[1].type != MSGPACK_OBJECT_STR || !has_state ||
        part[2].via.i64 < -1 || part[2].via.i64 > XD_MATCH_STATE_COUNT ||
        !take_number(&part[3], UINT64_MAX, &out->after) || !take_number(&part[4], UINT32_MAX, &limit) ||
        !take_number(&part[5], UINT64_MAX, &out->id))
        return false;
    out->type = (enum xd_question_type)type;
    out->account = (struct xd_str){part[1].via.str.ptr, part[1].via.str.size};
    out->state = (int)part[2].via.i64;
    out->limit = (uint32_t)limit;
    if (out->type == XD_ASK_WHAT_IF) return xd_order_unpack(&part[6], &out->order);
    bool lists = out->type == XD_ASK_ORDERS || out->type == XD_ASK_MATCHES;
    return !lists || out->limit > 0;
}

#include "core/claim.h"

#include "core/mp.h"
#include "core/pair.h"

static void pack_amount(const int64_t amount[XD_DIMS], struct xd_buf *out)
{
    xd_mp_cstr(out, "amount");
    xd_mp_array(out, XD_DIMS);
    for (unsigned d = 0; d < XD_DIMS; d++) {
        xd_mp_int(out, amount[d]);
    }
}

/* Both forms of a claim: `text` is the one for people. */
static void put_claim(const struct xd_claim *claim, bool text, struct xd_buf *out)
{
    xd_mp_map(out, 7);
    if (text) {
        xd_pair_order_id(out, "id", claim->id);
    } else {
        xd_pair_uint(out, "id", claim->id);
    }
    xd_pair_str(out, "account", claim->account);
    xd_pair_int(out, "credit", claim->credit);
    pack_amount(claim->amount, out);
    xd_pair_int(out, "part", claim->part);
    xd_pair_int(out, "surplus", claim->surplus);
    xd_mp_cstr(out, "order");
    if (text) {
        xd_order_write(&claim->order, out);
    } else {
        xd_order_pack(&claim->order, out);
    }
}

static void put_answer(const struct xd_answer *answer, bool text, struct xd_buf *out)
{
    if (!answer->yes) {
        xd_mp_nil(out);
        return;
    }
    xd_mp_map(out, 4);
    if (text) {
        xd_pair_match_id(out, "match", answer->match_id);
    } else {
        xd_pair_uint(out, "match", answer->match_id);
    }
    pack_amount(answer->amount, out);
    xd_pair_int(out, "part", answer->part);
    xd_pair_int(out, "state", answer->state);
}

void xd_claim_pack(const struct xd_claim *claim, struct xd_buf *out)
{
    put_claim(claim, false, out);
}

void xd_answer_pack(const struct xd_answer *answer, struct xd_buf *out)
{
    put_answer(answer, false, out);
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------------------
 */

void xd_claim_reader_begin(struct xd_claim_reader *reader, struct xd_str bytes)
{
    reader->bytes = bytes;
    reader->at = 0;
    msgpack_unpacked_init(&reader->object);
}

void xd_claim_reader_end(struct xd_claim_reader *reader)
{
    msgpack_unpacked_destroy(&reader->object);
}

bool xd_claim_reader_more(const struct xd_claim_reader *reader)
{
    return reader->at < reader->bytes.len;
}

static const msgpack_object *next(struct xd_claim_reader *reader)
{
    if (!xd_claim_reader_more(reader)) return NULL;
    bool good = msgpack_unpack_next(&reader->object, reader->bytes.at, reader->bytes.len, &reader->at) ==
                MSGPACK_UNPACK_SUCCESS;
    return good ? &reader->object.data : NULL;
}

static bool read_id(const msgpack_object *map, const char *key, uint64_t *out)
{
    const msgpack_object *id = xd_mp_get(map, key);
    if (!id || id->type != MSGPACK_OBJECT_POSITIVE_INTEGER || !id->via.u64) return false;
    *out = id->via.u64;
    return true;
}

static bool read_amount(const msgpack_object *map, int64_t amount[XD_DIMS])
{
    const msgpack_object *list = xd_mp_get(map, "amount");
    if (!list || list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size != XD_DIMS) return false;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        const msgpack_object *one = &list->via.array.ptr[d];
        if (one->type != MSGPACK_OBJECT_POSITIVE_INTEGER || one->via.u64 > INT32_MAX) return false;
        amount[d] = (int64_t)one->via.u64;
    }
    return true;
}

static bool read_between(const msgpack_object *map, const char *key, int64_t min, int64_t max, int64_t *out)
{
    return xd_mp_get_int(map, key, out) && *out >= min && *out <= max;
}

bool xd_claim_next(struct xd_claim_reader *reader, struct xd_claim *out)
{
    const msgpack_object *map = next(reader);
    if (!map || map->type != MSGPACK_OBJECT_MAP) return false;
    const msgpack_object *order = xd_mp_get(map, "order");
    return read_id(map, "id", &out->id) && xd_mp_get_str(map, "account", &out->account) &&
           xd_account_valid(out->account) && read_between(map, "credit", 0, XD_CREDIT_MAX, &out->credit) &&
           read_amount(map, out->amount) && read_between(map, "part", 1, INT32_MAX, &out->part) &&
           read_between(map, "surplus", 0, INT64_MAX, &out->surplus) && order &&
           xd_order_unpack(order, &out->order);
}

bool xd_answer_next(struct xd_claim_reader *reader, struct xd_answer *out)
{
    const msgpack_object *map = next(reader);
    if (!map) return false;
    *out = (struct xd_answer){.yes = map->type == MSGPACK_OBJECT_MAP};
    if (!out->yes) return map->type == MSGPACK_OBJECT_NIL;
    return read_id(map, "match", &out->match_id) && read_amount(map, out->amount) &&
           read_between(map, "part", 1, INT32_MAX, &out->part) &&
           read_between(map, "state", 0, UINT8_MAX, &out->state);
}

/* --- for people
 * -------------------------------------------------------------------------------------------------------------
 */

/* Writes what the reader still has; false if it is malformed. */
static bool write_next(struct xd_claim_reader *reader, bool answers, struct xd_buf *out)
{
    struct xd_claim claim;
    struct xd_answer answer;
    if (answers) {
        if (!xd_answer_next(reader, &answer)) return false;
        put_answer(&answer, true, out);
    } else {
        if (!xd_claim_next(reader, &claim)) return false;
        put_claim(&claim, true, out);
    }
    return true;
}

static void write_all(struct xd_str packed, bool answers, struct xd_buf *out)
{
    struct xd_buf list;
    struct xd_claim_reader reader;
    uint32_t count = 0;
    xd_buf_init(&list, out->limit);
    xd_claim_reader_begin(&reader, packed);
    while (xd_claim_reader_more(&reader) && write_next(&reader, answers, &list)) {
        count++;
    }
    xd_claim_reader_end(&reader);
    xd_mp_array(out, count);
    xd_buf_add(out, list.data, list.len);
    if (list.failed) out->failed = true;
    xd_buf_free(&list);
}

void xd_claims_write(struct xd_str packed, struct xd_buf *out)
{
    write_all(packed, false, out);
}

void xd_answers_write(struct xd_str packed, struct xd_buf *out)
{
    write_all(packed, true, out);
}

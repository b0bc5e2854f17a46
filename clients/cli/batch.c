#include "clients/cli/batch.h"

#include "core/json.h"

#include <string.h>

enum { ORDERS_MAX = 16 << 20 };

/* Where an entry's text ends, and what it is: a line of the output, or a ref (or none). */
struct xd_batch_entry {
    uint32_t end;
    bool is_line;
    bool has_ref;
};

void xd_batch_init(struct xd_batch *batch)
{
    *batch = (struct xd_batch){.state = XD_BATCH_FILLING};
    xd_buf_init(&batch->orders, ORDERS_MAX);
    xd_buf_init(&batch->entries, XD_BATCH_LINES * sizeof(struct xd_batch_entry));
    xd_buf_init(&batch->text, XD_BATCH_TEXT_MAX);
    xd_buf_init(&batch->out, ORDERS_MAX);
}

void xd_batch_free(struct xd_batch *batch)
{
    xd_buf_free(&batch->orders);
    xd_buf_free(&batch->entries);
    xd_buf_free(&batch->text);
    xd_buf_free(&batch->out);
}

void xd_batch_clear(struct xd_batch *batch)
{
    xd_buf_clear(&batch->orders);
    xd_buf_clear(&batch->entries);
    xd_buf_clear(&batch->text);
    xd_buf_clear(&batch->out);
    batch->state = XD_BATCH_FILLING;
    batch->order_count = batch->line_count = 0;
    batch->refused = false;
}

bool xd_batch_has_room(const struct xd_batch *batch, size_t len, uint32_t max_orders)
{
    enum { LINE_ROOM = 4096 };
    if (batch->line_count == 0) return true;
    if (batch->line_count >= XD_BATCH_LINES || batch->order_count >= max_orders) return false;
    if (batch->text.len + len + LINE_ROOM > batch->text.limit) return false;
    return batch->order_count == 0 || batch->orders.len + len <= XD_BATCH_BYTES;
}

static void end_entry(struct xd_batch *batch, bool is_line, bool has_ref)
{
    struct xd_batch_entry entry = {.end = (uint32_t)batch->text.len, .is_line = is_line, .has_ref = has_ref};
    xd_buf_add(&batch->entries, &entry, sizeof entry);
    batch->line_count++;
}

void xd_batch_order(struct xd_batch *batch, const struct xd_buf *order, const struct xd_str *ref)
{
    xd_buf_add(&batch->orders, order->data, order->len);
    batch->order_count++;
    if (ref) xd_buf_add(&batch->text, ref->at, ref->len);
    end_entry(batch, false, ref != NULL);
}

/* Appends `packed` as a line of JSON. */
static void add_line(struct xd_buf *out, const struct xd_buf *packed)
{
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    if (!packed->failed &&
        msgpack_unpack_next(&object, (const char *)packed->data, packed->len, NULL) == MSGPACK_UNPACK_SUCCESS)
        xd_json_write(&object.data, out);
    else
        out->failed = true;
    msgpack_unpacked_destroy(&object);
    xd_buf_add(out, "\n", 1);
}

static void pack_ref(struct xd_buf *packed, const struct xd_str *ref)
{
    xd_mp_map(packed, 2);
    xd_mp_cstr(packed, "ref");
    if (ref)
        xd_mp_str(packed, ref->at, ref->len);
    else
        xd_mp_nil(packed);
    xd_mp_cstr(packed, "error");
}

void xd_batch_refuse(struct xd_batch *batch, const struct xd_error *error)
{
    struct xd_buf packed;
    xd_buf_init(&packed, XD_BATCH_TEXT_MAX);
    pack_ref(&packed, NULL);
    xd_mp_error(&packed, error);
    add_line(&batch->text, &packed);
    xd_buf_free(&packed);
    end_entry(batch, true, false);
    batch->refused = true;
}

void xd_batch_params(const struct xd_batch *batch, struct xd_buf *params)
{
    xd_mp_map(params, 1);
    xd_mp_cstr(params, "orders");
    xd_mp_array(params, batch->order_count);
    xd_buf_add(params, batch->orders.data, batch->orders.len);
}

/* --- the answer ----------------------------------------------------------------------------------------- */

/* The line of an order that shares in the error of its whole call. */
static void add_failed(struct xd_batch *batch, const struct xd_str *ref, const msgpack_object *error)
{
    struct xd_buf packed;
    xd_buf_init(&packed, XD_BATCH_TEXT_MAX);
    pack_ref(&packed, ref);
    msgpack_sbuffer bytes;
    msgpack_sbuffer_init(&bytes);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &bytes, msgpack_sbuffer_write);
    msgpack_pack_object(&packer, *error);
    xd_buf_add(&packed, bytes.data, bytes.size);
    msgpack_sbuffer_destroy(&bytes);
    add_line(&batch->out, &packed);
    xd_buf_free(&packed);
    batch->refused = true;
}

static void add_result(struct xd_batch *batch, const msgpack_object *result)
{
    xd_json_write(result, &batch->out);
    xd_buf_add(&batch->out, "\n", 1);
    if (xd_mp_get(result, "error")) batch->refused = true;
}

/* The results of all its orders, or NULL. */
static const msgpack_object *results_of(const struct xd_batch *batch, const msgpack_object *result)
{
    const msgpack_object *results = xd_mp_get(result, "results");
    if (!results || results->type != MSGPACK_OBJECT_ARRAY) return NULL;
    return results->via.array.size == batch->order_count ? results->via.array.ptr : NULL;
}

/* `results`: one for each order, or NULL: then they all get `error`. */
static void fill_out(struct xd_batch *batch, const msgpack_object *results, const msgpack_object *error)
{
    const struct xd_batch_entry *entries = (const void *)batch->entries.data;
    const char *text = (const char *)batch->text.data;
    uint32_t start = 0;
    for (uint32_t i = 0; i < batch->line_count; i++) {
        struct xd_str part = {text + start, entries[i].end - start};
        start = entries[i].end;
        if (entries[i].is_line)
            xd_buf_add(&batch->out, part.at, part.len);
        else if (results)
            add_result(batch, results++);
        else
            add_failed(batch, entries[i].has_ref ? &part : NULL, error);
    }
    batch->state = XD_BATCH_DONE;
}

void xd_batch_answer(struct xd_batch *batch, const msgpack_object *error, const msgpack_object *result)
{
    const msgpack_object *results = error->type == MSGPACK_OBJECT_NIL ? results_of(batch, result) : NULL;
    if (!results && error->type == MSGPACK_OBJECT_NIL && batch->order_count > 0)
        xd_batch_give_up(batch, "protocol", "the broker's answer has not one result for each order");
    else
        fill_out(batch, results, error);
}

static msgpack_object_kv text_pair(const char *key, const char *value)
{
    msgpack_object_kv pair = {.key = {.type = MSGPACK_OBJECT_STR}, .val = {.type = MSGPACK_OBJECT_STR}};
    pair.key.via.str = (msgpack_object_str){(uint32_t)strlen(key), key};
    pair.val.via.str = (msgpack_object_str){(uint32_t)strlen(value), value};
    return pair;
}

void xd_batch_give_up(struct xd_batch *batch, const char *code, const char *message)
{
    msgpack_object_kv pairs[] = {text_pair("code", code), text_pair("message", message)};
    msgpack_object error = {.type = MSGPACK_OBJECT_MAP};
    error.via.map = (msgpack_object_map){sizeof pairs / sizeof *pairs, pairs};
    fill_out(batch, NULL, &error);
}

bool xd_batch_good(const struct xd_batch *batch)
{
    return !batch->orders.failed && !batch->entries.failed && !batch->text.failed && !batch->out.failed;
}

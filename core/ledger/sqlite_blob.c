#include "core/ledger/sqlite_blob.h"

#include "core/mp.h"

#include <string.h>

enum { REF_ELEMENTS = 3, STORED_REF_ELEMENTS = 6 };

size_t xd_blob_add_record(struct xd_buf *buf, int64_t time_ms, const uint8_t *bytes, size_t len)
{
    xd_mp_array(buf, 2);
    xd_mp_int(buf, time_ms);
    return xd_blob_add_event(buf, bytes, len);
}

size_t xd_blob_add_event(struct xd_buf *buf, const uint8_t *bytes, size_t len)
{
    xd_mp_bin(buf, bytes, len);
    return buf->len - len;
}

void xd_blob_add_ref(struct xd_buf *buf, const struct xd_ref_row *row)
{
    bool store = row->change == XD_REF_STORE;
    xd_mp_array(buf, store ? STORED_REF_ELEMENTS : REF_ELEMENTS);
    xd_mp_uint(buf, row->change);
    xd_mp_str(buf, row->account.at, row->account.len);
    xd_mp_str(buf, row->ref.at, row->ref.len);
    if (!store) return;
    xd_mp_uint(buf, row->id);
    xd_mp_bin(buf, &row->digest, sizeof row->digest);
    xd_mp_bool(buf, row->closed);
}

void xd_blob_reader_free(struct xd_blob_reader *reader)
{
    if (reader->zone) msgpack_zone_free(reader->zone);
    reader->zone = NULL;
}

static bool next_object(struct xd_blob_reader *reader, msgpack_object *out)
{
    if (reader->at >= reader->len) return false;
    if (!reader->zone) reader->zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    if (!reader->zone) return false;
    msgpack_zone_clear(reader->zone);
    msgpack_unpack_return result =
        msgpack_unpack((const char *)reader->bytes, reader->len, &reader->at, reader->zone, out);
    return result == MSGPACK_UNPACK_SUCCESS || result == MSGPACK_UNPACK_EXTRA_BYTES;
}

bool xd_blob_next_record(struct xd_blob_reader *reader, struct xd_log_entry *out)
{
    msgpack_object object;
    if (!next_object(reader, &object) || object.type != MSGPACK_OBJECT_ARRAY || object.via.array.size != 2)
        return false;
    const msgpack_object *time = &object.via.array.ptr[0], *record = &object.via.array.ptr[1];
    if (time->type != MSGPACK_OBJECT_POSITIVE_INTEGER && time->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return false;
    if (record->type != MSGPACK_OBJECT_BIN) return false;
    out->time_ms = time->via.i64;
    out->bytes = (const uint8_t *)record->via.bin.ptr;
    out->len = record->via.bin.size;
    return true;
}

bool xd_blob_next_event(struct xd_blob_reader *reader, struct xd_event_ref *out)
{
    msgpack_object object;
    if (!next_object(reader, &object) || object.type != MSGPACK_OBJECT_BIN) return false;
    out->bytes = (const uint8_t *)object.via.bin.ptr;
    out->len = object.via.bin.size;
    return true;
}

static bool take_text(const msgpack_object *object, struct xd_str *out)
{
    if (object->type != MSGPACK_OBJECT_STR) return false;
    *out = (struct xd_str){.at = object->via.str.ptr, .len = object->via.str.size};
    return true;
}

static bool take_stored(const msgpack_object *element, struct xd_ref_row *out)
{
    const msgpack_object *id = &element[3], *digest = &element[4], *closed = &element[5];
    if (id->type != MSGPACK_OBJECT_POSITIVE_INTEGER || digest->type != MSGPACK_OBJECT_BIN ||
        digest->via.bin.size != sizeof out->digest || closed->type != MSGPACK_OBJECT_BOOLEAN)
        return false;
    out->id = id->via.u64;
    memcpy(&out->digest, digest->via.bin.ptr, sizeof out->digest);
    out->closed = closed->via.boolean;
    return true;
}

bool xd_blob_next_ref(struct xd_blob_reader *reader, struct xd_ref_row *out)
{
    msgpack_object object;
    if (!next_object(reader, &object) || object.type != MSGPACK_OBJECT_ARRAY ||
        object.via.array.size < REF_ELEMENTS)
        return false;
    const msgpack_object *element = object.via.array.ptr;
    if (element[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER || element[0].via.u64 > XD_REF_FREE) return false;
    out->change = (enum xd_ref_change)element[0].via.u64;
    if (!take_text(&element[1], &out->account) || !take_text(&element[2], &out->ref)) return false;
    if (out->change != XD_REF_STORE) return true;
    return object.via.array.size == STORED_REF_ELEMENTS && take_stored(element, out);
}

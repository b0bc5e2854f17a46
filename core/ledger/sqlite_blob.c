#include "core/ledger/sqlite_blob.h"

#include "core/mp.h"

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

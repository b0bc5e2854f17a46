/* The blobs that hold many records or events, as MessagePack: a record is [time_ms, bin], an event is bin,
 * one after the other. */
#ifndef XD_CORE_LEDGER_SQLITE_BLOB_H
#define XD_CORE_LEDGER_SQLITE_BLOB_H

#include "core/ledger/ledger.h"

/* Append one; failures stay in buf->failed. Each returns where in the buffer its bytes begin. */
size_t xd_blob_add_record(struct xd_buf *buf, int64_t time_ms, const uint8_t *bytes, size_t len);
size_t xd_blob_add_event(struct xd_buf *buf, const uint8_t *bytes, size_t len);

/* Reads a blob entry by entry. Zero-initialise but for `bytes` and `len`, free with xd_blob_reader_free. */
struct xd_blob_reader {
    const uint8_t *bytes;
    size_t len;
    size_t at;
    msgpack_zone *zone;
};
void xd_blob_reader_free(struct xd_blob_reader *reader);

/* The next entry, its bytes inside the blob (offset is left alone); false at the end or where it is not one.
 */
bool xd_blob_next_record(struct xd_blob_reader *reader, struct xd_log_entry *out);
bool xd_blob_next_event(struct xd_blob_reader *reader, struct xd_event_ref *out);

#endif

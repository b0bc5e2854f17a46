/* The blobs that hold many records, events or changes of refs, as MessagePack, one after the other: a record
 * is [time_ms, bin], an event is bin, a change is [change, account, ref] or, of a ref stored, [change,
 * account, ref, id, digest (bin), closed]. */
#ifndef XD_CORE_LEDGER_SQLITE_BLOB_H
#define XD_CORE_LEDGER_SQLITE_BLOB_H

#include "core/ledger/ledger.h"

/* A change of a ref: it leads to an order from now on; its order closed; it may be used again. */
enum xd_ref_change { XD_REF_STORE, XD_REF_CLOSE, XD_REF_FREE };

struct xd_ref_row {
    enum xd_ref_change change;
    struct xd_str account, ref;
    uint64_t id; /* from here on: of a STORE */
    struct xd_digest digest;
    bool closed; /* already */
};

/* Append one; failures stay in buf->failed. Each returns where in the buffer its bytes begin. */
size_t xd_blob_add_record(struct xd_buf *buf, int64_t time_ms, const uint8_t *bytes, size_t len);
size_t xd_blob_add_event(struct xd_buf *buf, const uint8_t *bytes, size_t len);
void xd_blob_add_ref(struct xd_buf *buf, const struct xd_ref_row *row);

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
bool xd_blob_next_ref(struct xd_blob_reader *reader, struct xd_ref_row *out);

#endif

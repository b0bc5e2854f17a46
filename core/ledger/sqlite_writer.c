/* The transaction of a batch, on the writer. */
#include "core/ledger/sqlite_fold.h"
#include "core/ledger/sqlite_ledger.h"

/* Where the fence is: nothing is stored unless lease and counters are those that the batch was made from. */
static bool fence(struct xd_batch *batch, const struct xd_part *part, struct xd_db_partition *now,
                  struct xd_db *db)
{
    static const char make[] = "INSERT OR IGNORE INTO partition(id) VALUES(?)";
    if (!xd_db_read_partition(db, part->partition, now)) return false;
    bool same = now->next_record == part->first_record;
    if (part->committing)
        same = same && now->epoch == part->lease.epoch && now->nonce == part->lease.nonce &&
               now->committed == part->committed_from && now->next_event == part->first_event;
    if (!same) batch->code = XD_FENCED;
    return same && (now->exists || xd_db_run(db, make, XD_BINDS(xd_bind_int(part->partition))));
}

/* The blob of a part's runs; NULL without memory. */
static const struct xd_buf *records_of(struct xd_batch *batch, const struct xd_part *part)
{
    if (!part->runs->next) return &part->runs->bytes;
    xd_buf_clear(&batch->scratch);
    for (const struct xd_run *run = part->runs; run; run = run->next)
        xd_buf_add(&batch->scratch, run->bytes.data, run->bytes.len);
    if (!batch->scratch.failed) return &batch->scratch;
    batch->code = XD_NO_MEMORY;
    return NULL;
}

static bool store_records(struct xd_batch *batch, const struct xd_part *part, const struct xd_buf *changes,
                          const struct xd_db_partition *before, struct xd_db *db)
{
    static const char sql[] = "INSERT INTO records(key, count, committed, next_event, last_order, time_ms,"
                              " serial, refs, bytes) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)";
    const struct xd_buf *blob = records_of(batch, part);
    if (!blob) return false;
    uint64_t committed = part->committing ? part->committed_to : before->committed;
    uint64_t next_event = part->committing ? part->next_event : before->next_event;
    return xd_db_run(db, sql,
                     XD_BINDS(xd_bind_int(xd_db_key(part->partition, part->first_record)),
                              xd_bind_uint(part->next_record - part->first_record), xd_bind_uint(committed),
                              xd_bind_uint(next_event), xd_bind_uint(part->last_order),
                              xd_bind_int(batch->time_ms), xd_bind_uint(batch->serial),
                              changes->len ? xd_bind_blob(changes->data, changes->len) : xd_bind_null(),
                              xd_bind_blob(blob->data, blob->len)));
}

/* A commit of records that were stored before has no row of records of its own. */
static bool note_commit(const struct xd_batch *batch, const struct xd_part *part, struct xd_db *db)
{
    static const char sql[] =
        "UPDATE partition SET next_record = ?, last_order = ?, last_ms = ?, committed = ?, next_event = ?"
        " WHERE id = ?";
    return xd_db_run(db, sql,
                     XD_BINDS(xd_bind_uint(part->next_record), xd_bind_uint(part->last_order),
                              xd_bind_int(batch->time_ms), xd_bind_uint(part->committed_to),
                              xd_bind_uint(part->next_event), xd_bind_int(part->partition)));
}

static bool store_events(const struct xd_batch *batch, const struct xd_part *part, struct xd_db *db)
{
    static const char sql[] =
        "INSERT INTO events(key, count, time_ms, next_record, bytes) VALUES(?, ?, ?, ?, ?)";
    if (!part->committing || part->event_slots.len == 0) return true;
    return xd_db_run(db, sql,
                     XD_BINDS(xd_bind_int(xd_db_key(part->partition, part->first_event)),
                              xd_bind_uint(part->next_event - part->first_event), xd_bind_int(batch->time_ms),
                              xd_bind_uint(part->committed_to),
                              xd_bind_blob(part->events.data, part->events.len)));
}

static void pack_change(const struct xd_ref_op *op, struct xd_buf *out)
{
    struct xd_ref_row row = {.change = op->change};
    if (op->change == XD_REF_STORE) {
        const struct xd_reservation *r = op->reservation;
        if (r->freed) return;
        row.account = xd_reservation_account(r);
        row.ref = xd_reservation_ref(r);
        row.id = r->id;
        row.digest = r->digest;
        row.closed = r->closed;
    } else {
        row.account = (struct xd_str){.at = op->closed.account, .len = op->closed.account_len};
        row.ref = (struct xd_str){.at = op->closed.ref, .len = op->closed.ref_len};
    }
    xd_blob_add_ref(out, &row);
}

static bool pack_changes(struct xd_batch *batch)
{
    const struct xd_ref_op *ops = (const struct xd_ref_op *)(const void *)batch->ref_ops.data;
    xd_buf_clear(&batch->changes);
    for (size_t i = 0; i < batch->ref_ops.len / sizeof *ops; i++)
        pack_change(&ops[i], &batch->changes);
    if (batch->changes.failed) batch->code = XD_NO_MEMORY;
    return !batch->changes.failed;
}

static bool save_cursors(const struct xd_batch *batch, struct xd_db *db)
{
    static const char sql[] =
        "INSERT OR REPLACE INTO cursors(account, name, partition, generation, next) VALUES(?, ?, ?, ?, ?)";
    const struct xd_cursor_save *saves = (const struct xd_cursor_save *)(const void *)batch->cursors.data;
    for (size_t i = 0; i < batch->cursors.len / sizeof *saves; i++) {
        const struct xd_cursor_save *save = &saves[i];
        if (!xd_db_run(db, sql,
                       XD_BINDS(xd_bind_text((struct xd_str){.at = save->account, .len = save->account_len}),
                                xd_bind_text((struct xd_str){.at = save->name, .len = save->name_len}),
                                xd_bind_int(save->next.partition), xd_bind_int(save->next.generation),
                                xd_bind_uint(save->next.offset))))
            return false;
    }
    return true;
}

static bool store_part(struct xd_batch *batch, const struct xd_part *part, const struct xd_buf *changes,
                       struct xd_db *db)
{
    struct xd_db_partition now;
    if (!fence(batch, part, &now, db)) return false;
    bool ok = part->runs ? store_records(batch, part, changes, &now, db) : note_commit(batch, part, db);
    return ok && store_events(batch, part, db);
}

static bool fold(struct xd_batch *batch, const struct xd_buf *changes, struct xd_db *db)
{
    batch->code = xd_fold_batches(db, batch->serial, changes, batch->time_ms);
    return batch->code == XD_OK;
}

static bool store(struct xd_batch *batch, struct xd_db *db)
{
    static const struct xd_buf none = {.len = 0};
    if (!pack_changes(batch) || !xd_db_begin(db)) return false;
    const struct xd_buf *changes = &batch->changes; /* they lie beside the first records */
    for (uint32_t i = 0; i < batch->part_count; i++) {
        const struct xd_part *part = &batch->parts[i];
        if (!part->committing && !part->runs) continue;
        if (!store_part(batch, part, changes, db)) return false;
        if (part->runs) changes = &none;
    }
    return save_cursors(batch, db) && (!xd_batch_folds(batch) || fold(batch, changes, db)) &&
           xd_db_commit(db);
}

void xd_sqlite_write_batch(struct xd_job *job, struct xd_db *db)
{
    struct xd_batch *batch = (struct xd_batch *)job;
    batch->code = XD_OK;
    if (store(batch, db)) return;
    if (batch->code == XD_OK) batch->code = xd_db_code(db);
    xd_db_rollback(db);
}

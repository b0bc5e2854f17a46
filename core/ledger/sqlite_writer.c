/* The transaction of a batch, on the writer. */
#include "core/event.h"
#include "core/ledger/sqlite_ledger.h"

#include <stdlib.h>
#include <string.h>

/* Where the fence is: a row changes only if lease and counters are those that the batch was made from. */
static bool fence(struct xd_batch *batch, const struct xd_part *part, struct xd_db *db)
{
    static const char make[] = "INSERT OR IGNORE INTO partition(id) VALUES(?)";
    static const char append_only[] = "UPDATE partition SET next_record = ?, last_order = ?, last_ms = ?"
                                      " WHERE id = ? AND next_record = ?";
    static const char commit[] =
        "UPDATE partition SET next_record = ?, last_order = ?, last_ms = ?, committed = ?,"
        " next_event = ? WHERE id = ? AND next_record = ? AND epoch = ? AND nonce = ?"
        " AND committed = ? AND next_event = ?";
    struct xd_bind next = xd_bind_uint(part->next_record), order = xd_bind_uint(part->last_order);
    struct xd_bind time = xd_bind_int(batch->time_ms), id = xd_bind_int(part->partition);
    struct xd_bind first = xd_bind_uint(part->first_record);
    bool ok;
    if (part->committing)
        ok = xd_db_run(db, commit,
                       XD_BINDS(next, order, time, xd_bind_uint(part->committed_to),
                                xd_bind_uint(part->next_event), id, first, xd_bind_uint(part->lease.epoch),
                                xd_bind_uint(part->lease.nonce), xd_bind_uint(part->committed_from),
                                xd_bind_uint(part->first_event)));
    else
        ok = xd_db_run(db, make, XD_BINDS(id)) &&
             xd_db_run(db, append_only, XD_BINDS(next, order, time, id, first));
    if (ok && xd_db_changes(db) != 1) batch->code = XD_FENCED;
    return ok && batch->code == XD_OK;
}

static bool store_records(struct xd_batch *batch, const struct xd_part *part, struct xd_db *db)
{
    static const char sql[] = "INSERT INTO records(key, count, bytes) VALUES(?, ?, ?)";
    if (!part->runs) return true;
    const struct xd_buf *blob = &part->runs->bytes;
    if (part->runs->next) {
        xd_buf_clear(&batch->scratch);
        for (const struct xd_run *run = part->runs; run; run = run->next)
            xd_buf_add(&batch->scratch, run->bytes.data, run->bytes.len);
        blob = &batch->scratch;
        if (blob->failed) {
            batch->code = XD_NO_MEMORY;
            return false;
        }
    }
    return xd_db_run(db, sql,
                     XD_BINDS(xd_bind_int(xd_db_key(part->partition, part->first_record)),
                              xd_bind_uint(part->next_record - part->first_record),
                              xd_bind_blob(blob->data, blob->len)));
}

static int compare_accounts(const void *left, const void *right)
{
    const struct xd_str *a = left, *b = right;
    int order = memcmp(a->at, b->at, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* A row for each account that has an event here. */
static bool index_accounts(struct xd_batch *batch, const struct xd_part *part, int64_t key, struct xd_db *db)
{
    static const char sql[] = "INSERT INTO account_events(account, key) VALUES(?, ?)";
    const struct xd_event_slot *slots = (const struct xd_event_slot *)(const void *)part->event_slots.data;
    size_t count = part->event_slots.len / sizeof *slots;
    struct xd_buf *scratch = &batch->scratch;
    xd_buf_clear(scratch);
    for (size_t i = 0; i < count; i++) {
        struct xd_str account = xd_event_account(part->events.data + slots[i].at, slots[i].len);
        xd_buf_add(scratch, &account, sizeof account);
    }
    if (scratch->failed) {
        batch->code = XD_NO_MEMORY;
        return false;
    }
    struct xd_str *accounts = (struct xd_str *)(void *)scratch->data;
    qsort(accounts, count, sizeof *accounts, compare_accounts);
    for (size_t i = 0; i < count; i++) {
        if (accounts[i].len == 0 || (i > 0 && xd_str_equal(accounts[i], accounts[i - 1]))) continue;
        if (!xd_db_run(db, sql, XD_BINDS(xd_bind_text(accounts[i]), xd_bind_int(key)))) return false;
    }
    return true;
}

static bool store_events(struct xd_batch *batch, const struct xd_part *part, struct xd_db *db)
{
    static const char sql[] =
        "INSERT INTO events(key, count, time_ms, next_record, bytes) VALUES(?, ?, ?, ?, ?)";
    if (!part->committing || part->event_slots.len == 0) return true;
    int64_t key = xd_db_key(part->partition, part->first_event);
    return xd_db_run(db, sql,
                     XD_BINDS(xd_bind_int(key), xd_bind_uint(part->next_event - part->first_event),
                              xd_bind_int(batch->time_ms), xd_bind_uint(part->committed_to),
                              xd_bind_blob(part->events.data, part->events.len))) &&
           index_accounts(batch, part, key, db);
}

static bool store_ref(struct xd_reservation *r, int64_t time_ms, struct xd_db *db)
{
    static const char drop[] = "DELETE FROM refs WHERE account = ? AND ref = ?";
    static const char open[] = "INSERT INTO refs(account, ref, id, digest) VALUES(?, ?, ?, ?)";
    static const char closed[] =
        "INSERT INTO refs(account, ref, id, digest, closed_ms) VALUES(?, ?, ?, ?, ?)";
    if (r->freed) return true;
    struct xd_bind account = xd_bind_text(xd_reservation_account(r)),
                   ref = xd_bind_text(xd_reservation_ref(r));
    struct xd_bind id = xd_bind_uint(r->id), digest = xd_bind_blob(&r->digest, sizeof r->digest);
    if (r->replaces) {
        if (!xd_db_run(db, drop, XD_BINDS(account, ref))) return false;
        r->replaced = xd_db_changes(db) > 0;
    }
    if (r->closed) return xd_db_run(db, closed, XD_BINDS(account, ref, id, digest, xd_bind_int(time_ms)));
    return xd_db_run(db, open, XD_BINDS(account, ref, id, digest));
}

static bool change_ref(const struct xd_ref_op *op, int64_t time_ms, struct xd_db *db)
{
    static const char close[] = "UPDATE refs SET closed_ms = ? WHERE account = ? AND ref = ?";
    static const char drop[] = "DELETE FROM refs WHERE account = ? AND ref = ?";
    struct xd_bind account =
        xd_bind_text((struct xd_str){.at = op->closed.account, .len = op->closed.account_len});
    struct xd_bind ref = xd_bind_text((struct xd_str){.at = op->closed.ref, .len = op->closed.ref_len});
    if (op->change == XD_REF_STORE) return store_ref(op->reservation, time_ms, db);
    if (op->change == XD_REF_CLOSE) return xd_db_run(db, close, XD_BINDS(xd_bind_int(time_ms), account, ref));
    return xd_db_run(db, drop, XD_BINDS(account, ref));
}

static bool change_refs(const struct xd_batch *batch, struct xd_db *db)
{
    const struct xd_ref_op *ops = (const struct xd_ref_op *)(const void *)batch->ref_ops.data;
    for (size_t i = 0; i < batch->ref_ops.len / sizeof *ops; i++) {
        if (!change_ref(&ops[i], batch->time_ms, db)) return false;
    }
    return true;
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

static bool store(struct xd_batch *batch, struct xd_db *db)
{
    if (!xd_db_begin(db)) return false;
    for (uint32_t i = 0; i < batch->part_count; i++) {
        const struct xd_part *part = &batch->parts[i];
        if (!part->committing && !part->runs) continue;
        if (!fence(batch, part, db) || !store_records(batch, part, db) || !store_events(batch, part, db))
            return false;
    }
    return change_refs(batch, db) && save_cursors(batch, db) && xd_db_commit(db);
}

void xd_sqlite_write_batch(struct xd_job *job, struct xd_db *db)
{
    struct xd_batch *batch = (struct xd_batch *)job;
    batch->code = XD_OK;
    if (store(batch, db)) return;
    if (batch->code == XD_OK) batch->code = xd_db_code(db);
    xd_db_rollback(db);
}

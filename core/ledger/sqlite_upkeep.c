#include "core/event.h"
#include "core/ledger/sqlite_blob.h"
#include "core/ledger/sqlite_ledger.h"

#include <string.h>

/* A step is kept well below the time of a commit. */
enum { TRIMMED_MAX = 8, PIECES_MAX = 4 };
enum { CHECKPOINT_PAGES = 2048, CHECKPOINT_PAGES_MAX = 14336 }; /* of 4 KiB: 8 MiB, 56 MiB */

/* --- records before the snapshot ------------------------------------------------------------------------ */

static bool remove_row(struct xd_db *db, const char *sql, int64_t key)
{
    return xd_db_run(db, sql, XD_BINDS(xd_bind_int(key)));
}

static bool trim_records(struct xd_upkeep *step, uint16_t partition, const struct xd_db_partition *p,
                         struct xd_db *db)
{
    static const char next[] = "SELECT count FROM records WHERE key = ?";
    static const char drop[] = "DELETE FROM records WHERE key = ?";
    static const char note[] = "UPDATE partition SET oldest_record = ? WHERE id = ?";
    uint64_t oldest = p->oldest_record;
    int removed = 0;
    bool ok = true;
    while (ok && removed < TRIMMED_MAX) {
        int64_t key = xd_db_key(partition, oldest);
        sqlite3_stmt *row = xd_db_query(db, next, XD_BINDS(xd_bind_int(key)));
        if (!row) return false;
        uint64_t count = sqlite3_step(row) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(row, 0) : 0;
        xd_db_end(row);
        uint64_t end = oldest + count;
        if (count == 0 || end > p->snapshot_record || end > p->folded) break;
        ok = remove_row(db, drop, key);
        oldest += count;
        removed++;
    }
    step->more |= removed == TRIMMED_MAX;
    return ok &&
           (removed == 0 || xd_db_run(db, note, XD_BINDS(xd_bind_uint(oldest), xd_bind_int(partition))));
}

/* --- events past their retention ------------------------------------------------------------------------ */

static bool drop_from_index(const void *bytes, size_t len, int64_t key, struct xd_db *db)
{
    static const char sql[] = "DELETE FROM account_events WHERE account = ? AND key = ?";
    struct xd_blob_reader reader = {.bytes = bytes, .len = len};
    struct xd_event_ref event;
    bool ok = true;
    struct xd_str last = {.at = "", .len = 0};
    while (ok && xd_blob_next_event(&reader, &event)) {
        struct xd_str account = xd_event_account(event.bytes, event.len);
        if (!xd_str_equal(account, last))
            ok = xd_db_run(db, sql, XD_BINDS(xd_bind_text(account), xd_bind_int(key)));
        last = account;
    }
    xd_blob_reader_free(&reader);
    return ok;
}

/* The events that the block at `key` had, if it was past its time and is removed; 0 if not. */
static bool trim_block(int64_t key, int64_t before_ms, struct xd_db *db, uint64_t *count)
{
    static const char look[] = "SELECT count, bytes FROM events WHERE key = ? AND time_ms < ?";
    static const char drop[] = "DELETE FROM events WHERE key = ?";
    sqlite3_stmt *row = xd_db_query(db, look, XD_BINDS(xd_bind_int(key), xd_bind_int(before_ms)));
    if (!row) return false;
    bool ok = true;
    *count = 0;
    if (sqlite3_step(row) == SQLITE_ROW) {
        *count = (uint64_t)sqlite3_column_int64(row, 0);
        ok = drop_from_index(sqlite3_column_blob(row, 1), (size_t)sqlite3_column_bytes(row, 1), key, db);
    }
    xd_db_end(row);
    return ok && (*count == 0 || remove_row(db, drop, key));
}

static bool trim_events(struct xd_upkeep *step, uint16_t partition, const struct xd_db_partition *p,
                        struct xd_db *db)
{
    static const char note[] = "UPDATE partition SET oldest_event = ? WHERE id = ?";
    int64_t before_ms = step->now_ms - step->event_retention_s * 1000;
    uint64_t oldest = p->oldest_event;
    int removed = 0;
    while (removed < TRIMMED_MAX) {
        uint64_t count;
        if (oldest >= p->folded_event) break; /* a fold is of whole blocks */
        if (!trim_block(xd_db_key(partition, oldest), before_ms, db, &count)) return false;
        if (count == 0) break;
        oldest += count;
        removed++;
    }
    step->oldest_event[partition] = oldest;
    step->events_trimmed |= removed > 0;
    step->more |= removed == TRIMMED_MAX;
    return removed == 0 || xd_db_run(db, note, XD_BINDS(xd_bind_uint(oldest), xd_bind_int(partition)));
}

/* --- pieces of snapshots that are not the newest -------------------------------------------------------- */

static bool drop_pieces(struct xd_upkeep *step, uint16_t partition, const struct xd_db_partition *p,
                        struct xd_db *db)
{
    static const char sql[] =
        "DELETE FROM chunks WHERE key IN (SELECT key FROM chunks WHERE key >= ?1 AND key < ?2"
        " AND NOT (key >= ?3 AND key < ?4) AND NOT (key >= ?5 AND key < ?6) LIMIT ?7)";
    uint64_t saving = step->saving[partition];
    bool ok = xd_db_run(
        db, sql,
        XD_BINDS(xd_bind_int(xd_db_key(partition, 0)), xd_bind_int(xd_db_key((uint16_t)(partition + 1), 0)),
                 xd_bind_int(xd_db_key(partition, p->snapshot << 20)),
                 xd_bind_int(xd_db_key(partition, (p->snapshot + 1) << 20)),
                 xd_bind_int(xd_db_key(partition, saving << 20)),
                 xd_bind_int(xd_db_key(partition, (saving + 1) << 20)), xd_bind_int(PIECES_MAX)));
    step->more |= ok && xd_db_changes(db) == PIECES_MAX;
    return ok;
}

/* --- refs of orders closed long ago --------------------------------------------------------------------- */

static void remember_place(struct xd_upkeep *step, struct xd_str account, struct xd_str ref)
{
    step->account_len = (uint8_t)account.len;
    step->ref_len = (uint8_t)ref.len;
    memcpy(step->account, account.at, account.len);
    memcpy(step->ref, ref.at, ref.len);
}

/* Looks at the next refs in order; those past their time are noted in step->swept and removed. */
static bool sweep_refs(struct xd_upkeep *step, struct xd_db *db)
{
    static const char look[] = "SELECT account, ref, closed_ms < ? FROM refs WHERE (account, ref) > (?, ?)"
                               " ORDER BY account, ref LIMIT ?";
    static const char drop[] = "DELETE FROM refs WHERE (account, ref) > (?, ?) AND (account, ref) <= (?, ?)"
                               " AND closed_ms < ?";
    struct xd_upkeep from = *step; /* bound while step's own place moves on */
    struct xd_bind account = xd_bind_text((struct xd_str){.at = from.account, .len = from.account_len});
    struct xd_bind ref = xd_bind_text((struct xd_str){.at = from.ref, .len = from.ref_len});
    struct xd_bind before = xd_bind_int(step->now_ms - XD_REF_KEPT_MS);
    sqlite3_stmt *row = xd_db_query(db, look, XD_BINDS(before, account, ref, xd_bind_int(XD_SWEPT_MAX)));
    if (!row) return false;
    int looked_at = 0, result;
    while ((result = sqlite3_step(row)) == SQLITE_ROW) {
        struct xd_str found_account = xd_db_column_text(row, 0), found_ref = xd_db_column_text(row, 1);
        if (sqlite3_column_int(row, 2))
            step->swept[step->swept_count++] = xd_fingerprint(found_account, found_ref);
        remember_place(step, found_account, found_ref);
        looked_at++;
    }
    xd_db_end(row);
    bool ok = result == SQLITE_DONE;
    if (ok && step->swept_count > 0)
        ok =
            xd_db_run(db, drop,
                      XD_BINDS(account, ref,
                               xd_bind_text((struct xd_str){.at = step->account, .len = step->account_len}),
                               xd_bind_text((struct xd_str){.at = step->ref, .len = step->ref_len}), before));
    if (looked_at < XD_SWEPT_MAX)
        step->account_len = step->ref_len = 0; /* the end: from the beginning next time */
    step->more |= step->swept_count > 0 && looked_at == XD_SWEPT_MAX;
    return ok;
}

/* --- a step --------------------------------------------------------------------------------------------- */

static bool keep_up_partitions(struct xd_upkeep *step, struct xd_db *db)
{
    for (uint16_t id = 0; id < XD_PARTITIONS; id++) {
        struct xd_db_partition p;
        if (!xd_db_read_partition(db, id, &p)) return false;
        step->oldest_event[id] = p.oldest_event;
        if (p.epoch == 0 && p.next_record == 0) continue;
        if (!step->keep_log && p.oldest_record < p.snapshot_record && !trim_records(step, id, &p, db))
            return false;
        if (step->event_retention_s > 0 && p.oldest_event < p.next_event && !trim_events(step, id, &p, db))
            return false;
        if (!drop_pieces(step, id, &p, db)) return false;
    }
    return true;
}

void xd_upkeep_step(struct xd_job *job, struct xd_db *db)
{
    struct xd_upkeep *step = (struct xd_upkeep *)job;
    step->more = step->events_trimmed = false;
    step->swept_count = 0;
    if (xd_db_begin(db) && keep_up_partitions(step, db) && sweep_refs(step, db) && xd_db_commit(db)) return;
    xd_db_rollback(db);
    step->more = step->events_trimmed = false;
    step->swept_count = 0;
}

void xd_sqlite_keep_up(struct xd_sqlite *ledger)
{
    struct xd_upkeep *step = &ledger->upkeep;
    if (step->under_way || ledger->closing) return;
    step->under_way = true;
    step->now_ms = xd_sqlite_time(ledger);
    step->event_retention_s = ledger->event_retention_s;
    step->keep_log = ledger->keep_log;
    for (int i = 0; i < XD_PARTITIONS; i++)
        step->saving[i] = ledger->partitions[i].save ? ledger->partitions[i].last_snapshot : 0;
    step->job = (struct xd_job){.run = xd_upkeep_step, .done = xd_sqlite_keep_up_done};
    xd_sqlite_write(ledger, &step->job);
}

void xd_sqlite_keep_up_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    struct xd_upkeep *step = (struct xd_upkeep *)job;
    step->under_way = false;
    if (step->events_trimmed) {
        for (int i = 0; i < XD_PARTITIONS; i++)
            ledger->partitions[i].oldest_event = step->oldest_event[i];
    }
    for (uint32_t i = 0; i < step->swept_count; i++)
        xd_fingerprints_remove(&ledger->refs.durable, step->swept[i]);
    if (step->more) xd_sqlite_keep_up(ledger);
}

void xd_upkeep_checkpoint(struct xd_db *db)
{
    if (db->wal_pages < db->checkpointed_pages) db->checkpointed_pages = 0; /* the log began anew */
    if (db->wal_pages - db->checkpointed_pages < CHECKPOINT_PAGES) return;
    /* Passive waits for nobody; only where readers have kept the log from beginning anew for long are they
     * waited for. A failure (a full disk) leaves the log as it is, to be checkpointed with what the next
     * batches add. */
    int mode = db->wal_pages < CHECKPOINT_PAGES_MAX ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_RESTART;
    sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, NULL, NULL);
    db->checkpointed_pages = db->wal_pages;
}

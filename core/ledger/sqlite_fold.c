#include "core/ledger/sqlite_fold.h"

#include "core/event.h"
#include "core/ledger/sqlite_blob.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 1 << 30 };

/* Where the changes of one batch are in `bytes`. */
struct source {
    size_t at, len;
    uint64_t serial;
    int64_t time_ms;
};

/* A change of a ref, in the order (account, ref, serial, number). */
struct change {
    struct xd_ref_row row;
    uint64_t serial;
    uint32_t number; /* in its batch */
    int64_t time_ms;
};

/* That an account has events in the block at `key`. */
struct mention {
    size_t at, len; /* the account, in `names` */
    struct xd_str account;
    int64_t key;
};

struct fold {
    struct xd_db *db;
    uint64_t serial;
    struct xd_buf bytes, sources; /* changes of refs as they were stored; struct source */
    struct xd_buf changes;        /* struct change */
    struct xd_buf names, mentions;
    struct xd_buf accounts; /* of one block: struct xd_str */
};

static void fold_init(struct fold *fold, struct xd_db *db, uint64_t serial)
{
    struct xd_buf *all[] = {&fold->bytes, &fold->sources,  &fold->changes,
                            &fold->names, &fold->mentions, &fold->accounts};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        xd_buf_init(all[i], BYTES_MAX);
    fold->db = db;
    fold->serial = serial;
}

static bool fold_failed(const struct fold *fold)
{
    return fold->bytes.failed || fold->sources.failed || fold->changes.failed || fold->names.failed ||
           fold->mentions.failed || fold->accounts.failed;
}

static void fold_free(struct fold *fold)
{
    xd_buf_free(&fold->bytes);
    xd_buf_free(&fold->sources);
    xd_buf_free(&fold->changes);
    xd_buf_free(&fold->names);
    xd_buf_free(&fold->mentions);
    xd_buf_free(&fold->accounts);
}

/* --- gathering ------------------------------------------------------------------------------------------ */

static void add_source(struct fold *fold, const void *bytes, size_t len, uint64_t serial, int64_t time_ms)
{
    struct source source = {.at = fold->bytes.len, .len = len, .serial = serial, .time_ms = time_ms};
    if (len == 0) return;
    xd_buf_add(&fold->bytes, bytes, len);
    xd_buf_add(&fold->sources, &source, sizeof source);
}

/* Takes the rows of records from p->folded on; *p becomes the partition as it was after the last of them. */
static bool gather_changes(struct fold *fold, uint16_t partition, struct xd_db_partition *p)
{
    static const char sql[] = "SELECT key, count, committed, next_event, last_order, time_ms, serial, refs"
                              " FROM records WHERE key >= ? AND key < ? ORDER BY key";
    sqlite3_stmt *row = xd_db_query(fold->db, sql,
                                    XD_BINDS(xd_bind_int(xd_db_key(partition, p->folded)),
                                             xd_bind_int(xd_db_key((uint16_t)(partition + 1), 0))));
    if (!row) return false;
    int result;
    while ((result = sqlite3_step(row)) == SQLITE_ROW) {
        uint64_t serial = (uint64_t)sqlite3_column_int64(row, 6);
        if (serial > fold->serial) break;
        xd_db_advance_partition(p, row);
        p->folded = p->next_record;
        add_source(fold, sqlite3_column_blob(row, 7), (size_t)sqlite3_column_bytes(row, 7), serial,
                   p->last_ms);
    }
    xd_db_end(row);
    return result == SQLITE_ROW || result == SQLITE_DONE;
}

static int compare_text(struct xd_str a, struct xd_str b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_accounts(const void *left, const void *right)
{
    return compare_text(*(const struct xd_str *)left, *(const struct xd_str *)right);
}

static void mention(struct fold *fold, struct xd_str account, int64_t key)
{
    struct mention added = {.at = fold->names.len, .len = account.len, .key = key};
    xd_buf_add(&fold->names, account.at, account.len);
    xd_buf_add(&fold->mentions, &added, sizeof added);
}

/* Each account that has an event in the block is mentioned once. */
static void gather_accounts(struct fold *fold, int64_t key, const void *bytes, size_t len)
{
    struct xd_blob_reader reader = {.bytes = bytes, .len = len};
    struct xd_event_ref event;
    struct xd_str last = {.at = "", .len = 0};
    xd_buf_clear(&fold->accounts);
    while (xd_blob_next_event(&reader, &event)) {
        struct xd_str account = xd_event_account(event.bytes, event.len);
        if (account.len == 0 || xd_str_equal(account, last)) continue;
        xd_buf_add(&fold->accounts, &account, sizeof account);
        last = account;
    }
    xd_blob_reader_free(&reader);
    struct xd_str *accounts = (struct xd_str *)(void *)fold->accounts.data;
    size_t count = fold->accounts.failed ? 0 : fold->accounts.len / sizeof *accounts;
    if (count > 1) qsort(accounts, count, sizeof *accounts, compare_accounts);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !xd_str_equal(accounts[i], accounts[i - 1])) mention(fold, accounts[i], key);
    }
}

static bool gather_mentions(struct fold *fold, uint16_t partition, struct xd_db_partition *p)
{
    static const char sql[] = "SELECT key, bytes FROM events WHERE key >= ? AND key < ? ORDER BY key";
    sqlite3_stmt *row = xd_db_query(fold->db, sql,
                                    XD_BINDS(xd_bind_int(xd_db_key(partition, p->folded_event)),
                                             xd_bind_int(xd_db_key(partition, p->next_event))));
    if (!row) return false;
    int result;
    while ((result = sqlite3_step(row)) == SQLITE_ROW)
        gather_accounts(fold, sqlite3_column_int64(row, 0), sqlite3_column_blob(row, 1),
                        (size_t)sqlite3_column_bytes(row, 1));
    xd_db_end(row);
    p->folded_event = p->next_event;
    return result == SQLITE_DONE;
}

static bool gather_partition(struct fold *fold, uint16_t partition)
{
    static const char note[] =
        "UPDATE partition SET next_record = ?, committed = ?, next_event = ?, last_order = ?,"
        " last_ms = ?, folded = ?, folded_event = ? WHERE id = ?";
    struct xd_db_partition p;
    if (!xd_db_read_stored_partition(fold->db, partition, &p)) return false;
    uint64_t folded = p.folded, folded_event = p.folded_event;
    if (!p.exists) return true;
    if (!gather_changes(fold, partition, &p) || !gather_mentions(fold, partition, &p)) return false;
    if (p.folded == folded && p.folded_event == folded_event) return true;
    return xd_db_run(fold->db, note,
                     XD_BINDS(xd_bind_uint(p.next_record), xd_bind_uint(p.committed),
                              xd_bind_uint(p.next_event), xd_bind_uint(p.last_order), xd_bind_int(p.last_ms),
                              xd_bind_uint(p.folded), xd_bind_uint(p.folded_event), xd_bind_int(partition)));
}

/* --- refs ----------------------------------------------------------------------------------------------- */

static int compare_changes(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    int order = compare_text(a->row.account, b->row.account);
    if (order == 0) order = compare_text(a->row.ref, b->row.ref);
    if (order == 0) order = (a->serial > b->serial) - (a->serial < b->serial);
    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static bool same_ref(const struct change *a, const struct change *b)
{
    return xd_str_equal(a->row.ref, b->row.ref) && xd_str_equal(a->row.account, b->row.account);
}

/* What remains of two changes of one ref, the second after the first. */
static struct change both(const struct change *first, const struct change *second)
{
    if (second->row.change != XD_REF_CLOSE || first->row.change == XD_REF_CLOSE) return *second;
    struct change result = *first; /* of a ref freed nothing is left to close */
    if (first->row.change == XD_REF_STORE) {
        result.row.closed = true;
        result.time_ms = second->time_ms;
    }
    return result;
}

static bool apply_change(const struct change *change, struct xd_db *db)
{
    static const char store[] =
        "INSERT OR REPLACE INTO refs(account, ref, id, digest, closed_ms) VALUES(?, ?, ?, ?, ?)";
    static const char close[] = "UPDATE refs SET closed_ms = ? WHERE account = ? AND ref = ?";
    static const char drop[] = "DELETE FROM refs WHERE account = ? AND ref = ?";
    const struct xd_ref_row *row = &change->row;
    struct xd_bind account = xd_bind_text(row->account), ref = xd_bind_text(row->ref);
    struct xd_bind time = xd_bind_int(change->time_ms);
    if (row->change == XD_REF_CLOSE) return xd_db_run(db, close, XD_BINDS(time, account, ref));
    if (row->change == XD_REF_FREE) return xd_db_run(db, drop, XD_BINDS(account, ref));
    return xd_db_run(db, store,
                     XD_BINDS(account, ref, xd_bind_uint(row->id),
                              xd_bind_blob(&row->digest, sizeof row->digest),
                              row->closed ? time : xd_bind_null()));
}

/* False where what is stored is no list of changes. */
static bool unpack_changes(struct fold *fold)
{
    bool whole = true;
    const struct source *sources = (const struct source *)(const void *)fold->sources.data;
    for (size_t i = 0; i < fold->sources.len / sizeof *sources; i++) {
        struct xd_blob_reader reader = {.bytes = fold->bytes.data + sources[i].at, .len = sources[i].len};
        struct change change = {.serial = sources[i].serial, .time_ms = sources[i].time_ms};
        for (; xd_blob_next_ref(&reader, &change.row); change.number++)
            xd_buf_add(&fold->changes, &change, sizeof change);
        whole = whole && reader.at == reader.len;
        xd_blob_reader_free(&reader);
    }
    return whole;
}

static bool apply_changes(struct fold *fold)
{
    struct change *changes = (struct change *)(void *)fold->changes.data;
    size_t count = fold->changes.len / sizeof *changes;
    if (count > 1) qsort(changes, count, sizeof *changes, compare_changes);
    for (size_t i = 0; i < count;) {
        struct change change = changes[i++];
        for (; i < count && same_ref(&change, &changes[i]); i++)
            change = both(&change, &changes[i]);
        if (!apply_change(&change, fold->db)) return false;
    }
    return true;
}

/* --- accounts' events ----------------------------------------------------------------------------------- */

static int compare_mentions(const void *left, const void *right)
{
    const struct mention *a = left, *b = right;
    int order = compare_text(a->account, b->account);
    return order ? order : (a->key > b->key) - (a->key < b->key);
}

static bool apply_mentions(struct fold *fold)
{
    static const char sql[] = "INSERT INTO account_events(account, key) VALUES(?, ?)";
    struct mention *mentions = (struct mention *)(void *)fold->mentions.data;
    size_t count = fold->mentions.len / sizeof *mentions;
    for (size_t i = 0; i < count; i++)
        mentions[i].account = (struct xd_str){.at = (const char *)fold->names.data + mentions[i].at,
                                              .len = (uint32_t)mentions[i].len};
    if (count > 1) qsort(mentions, count, sizeof *mentions, compare_mentions);
    for (size_t i = 0; i < count; i++) {
        if (!xd_db_run(fold->db, sql,
                       XD_BINDS(xd_bind_text(mentions[i].account), xd_bind_int(mentions[i].key))))
            return false;
    }
    return true;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static bool gather(struct fold *fold)
{
    static const char sql[] = "SELECT max(id) FROM partition";
    sqlite3_stmt *row = xd_db_query(fold->db, sql, NULL);
    if (!row) return false;
    bool ok = sqlite3_step(row) == SQLITE_ROW;
    int last = ok && sqlite3_column_type(row, 0) != SQLITE_NULL ? sqlite3_column_int(row, 0) : -1;
    xd_db_end(row);
    for (int id = 0; ok && id <= last; id++)
        ok = gather_partition(fold, (uint16_t)id);
    return ok;
}

enum xd_code xd_fold_batches(struct xd_db *db, uint64_t serial, const struct xd_buf *more, int64_t time_ms)
{
    struct fold fold;
    fold_init(&fold, db, serial);
    bool ok = gather(&fold);
    if (ok && more) add_source(&fold, more->data, more->len, serial, time_ms);
    ok = ok && !fold_failed(&fold) && unpack_changes(&fold);
    bool full = fold_failed(&fold);
    ok = ok && !full && apply_changes(&fold) && apply_mentions(&fold);
    enum xd_code code = ok ? XD_OK : full ? XD_NO_MEMORY : xd_db_code(db);
    fold_free(&fold);
    return code;
}

enum xd_code xd_fold_now(struct xd_db *db, uint64_t serial)
{
    enum xd_code code = xd_db_begin_unsynced(db) ? xd_fold_batches(db, serial, NULL, 0) : xd_db_code(db);
    if (code == XD_OK && !xd_db_commit(db)) code = xd_db_code(db);
    if (code != XD_OK) xd_db_rollback(db);
    return code;
}

#include "core/ledger/sqlite_db.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { BUSY_MS = 5000, CACHE_KIB = 16384, JOURNAL_LIMIT = 64 << 20 };

static const char schema[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE partition(id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL DEFAULT 0, nonce INTEGER NOT NULL "
    "DEFAULT 0,"
    " next_record INTEGER NOT NULL DEFAULT 0, committed INTEGER NOT NULL DEFAULT 0,"
    " next_event INTEGER NOT NULL DEFAULT 0, oldest_record INTEGER NOT NULL DEFAULT 0,"
    " oldest_event INTEGER NOT NULL DEFAULT 0, last_order INTEGER NOT NULL DEFAULT 0,"
    " last_ms INTEGER NOT NULL DEFAULT 0, snapshot INTEGER NOT NULL DEFAULT 0,"
    " snapshot_record INTEGER NOT NULL DEFAULT 0, snapshot_event INTEGER NOT NULL DEFAULT 0,"
    " snapshot_bytes INTEGER NOT NULL DEFAULT 0, folded INTEGER NOT NULL DEFAULT 0,"
    " folded_event INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE records(key INTEGER PRIMARY KEY, count INTEGER NOT NULL, committed INTEGER NOT NULL,"
    " next_event INTEGER NOT NULL, last_order INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    " serial INTEGER NOT NULL, refs BLOB, bytes BLOB NOT NULL);"
    "CREATE TABLE events(key INTEGER PRIMARY KEY, count INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    " next_record INTEGER NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE account_events(account TEXT, key INTEGER, PRIMARY KEY(account, key)) WITHOUT ROWID;"
    "CREATE TABLE refs(account TEXT, ref TEXT, id INTEGER NOT NULL, digest BLOB NOT NULL, closed_ms INTEGER,"
    " PRIMARY KEY(account, ref)) WITHOUT ROWID;"
    "CREATE TABLE cursors(account TEXT, name TEXT, partition INTEGER NOT NULL, generation INTEGER NOT NULL,"
    " next INTEGER NOT NULL, PRIMARY KEY(account, name)) WITHOUT ROWID;"
    "CREATE TABLE chunks(key INTEGER PRIMARY KEY, bytes BLOB NOT NULL);";

static int remember_wal_pages(void *arg, sqlite3 *handle, const char *name, int pages)
{
    (void)handle;
    (void)name;
    struct xd_db *db = arg;
    db->wal_pages = pages;
    return SQLITE_OK;
}

static bool exec(struct xd_db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* True if the pragma's answer, as text, is `expected`. */
static bool pragma_is(struct xd_db *db, const char *sql, const char *expected)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) != SQLITE_OK) return false;
    bool same = sqlite3_step(statement) == SQLITE_ROW &&
                strcmp((const char *)sqlite3_column_text(statement, 0), expected) == 0;
    sqlite3_finalize(statement);
    return same;
}

static bool configure(struct xd_db *db, const struct xd_db_options *options)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    /* One connection checkpoints, when it says so itself: no other ever does, not even on its close. */
    if (sqlite3_wal_autocheckpoint(db->handle, 0) != SQLITE_OK ||
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !options->writer, NULL) != SQLITE_OK)
        return false;
    if (!options->writer)
        return exec(db, "PRAGMA query_only = 1") && pragma_is(db, "PRAGMA journal_mode", "wal");
    sqlite3_wal_hook(db->handle, remember_wal_pages, db);
    db->syncs = !options->no_sync;
    char settings[128];
    sqlite3_snprintf(sizeof settings, settings,
                     "PRAGMA cache_size = -%d; PRAGMA journal_size_limit = %d; PRAGMA synchronous = %d",
                     CACHE_KIB, JOURNAL_LIMIT, options->no_sync ? 0 : 2);
    return pragma_is(db, "PRAGMA journal_mode = wal", "wal") && exec(db, settings) &&
           pragma_is(db, "PRAGMA synchronous", options->no_sync ? "0" : "2");
}

bool xd_db_open(struct xd_db *db, const char *path, const struct xd_db_options *options,
                struct xd_error *error)
{
    memset(db, 0, sizeof *db);
    int access = options->writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    int result = sqlite3_open_v2(path, &db->handle, access | SQLITE_OPEN_NOMUTEX, options->vfs);
    if (result == SQLITE_OK && configure(db, options)) return true;
    xd_fail(error, result == SQLITE_OK ? xd_db_code(db) : XD_STORAGE_FAILED, NULL, "cannot open %s: %s", path,
            db->handle && sqlite3_errcode(db->handle) != SQLITE_OK
                ? sqlite3_errmsg(db->handle)
                : "not in the journal mode that a ledger needs");
    xd_db_close(db);
    return false;
}

void xd_db_close(struct xd_db *db)
{
    for (uint32_t i = 0; i < db->count; i++)
        sqlite3_finalize(db->prepared[i].statement);
    sqlite3_close(db->handle);
    memset(db, 0, sizeof *db);
}

static sqlite3_stmt *prepared(struct xd_db *db, const char *sql)
{
    for (uint32_t i = 0; i < db->count; i++) {
        if (db->prepared[i].sql == sql) return db->prepared[i].statement;
    }
    sqlite3_stmt *statement;
    if (db->count == XD_DB_STATEMENTS ||
        sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
        return NULL;
    db->prepared[db->count].sql = sql;
    db->prepared[db->count++].statement = statement;
    return statement;
}

static int bind_one(sqlite3_stmt *statement, int index, const struct xd_bind *bind)
{
    const void *bytes = bind->len ? bind->bytes : ""; /* NULL would be bound as NULL, not as empty */
    if (bind->kind == XD_BIND_NULL) return sqlite3_bind_null(statement, index);
    if (bind->kind == XD_BIND_INT) return sqlite3_bind_int64(statement, index, bind->number);
    if (bind->kind == XD_BIND_TEXT)
        return sqlite3_bind_text(statement, index, bytes, (int)bind->len, SQLITE_STATIC);
    return sqlite3_bind_blob64(statement, index, bytes, bind->len, SQLITE_STATIC);
}

sqlite3_stmt *xd_db_query(struct xd_db *db, const char *sql, const struct xd_bind *binds)
{
    sqlite3_stmt *statement = prepared(db, sql);
    if (!statement) return NULL;
    for (int i = 0; binds && binds[i].kind != XD_BIND_END; i++) {
        if (bind_one(statement, i + 1, &binds[i]) != SQLITE_OK) {
            xd_db_end(statement);
            return NULL;
        }
    }
    return statement;
}

void xd_db_end(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

bool xd_db_run(struct xd_db *db, const char *sql, const struct xd_bind *binds)
{
    sqlite3_stmt *statement = xd_db_query(db, sql, binds);
    if (!statement) return false;
    bool ok = sqlite3_step(statement) == SQLITE_DONE;
    xd_db_end(statement); /* keeps the connection's error code if the step failed */
    return ok;
}

int xd_db_changes(struct xd_db *db)
{
    return sqlite3_changes(db->handle);
}

static const char sql_begin[] = "BEGIN IMMEDIATE";
static const char sql_begin_read[] = "BEGIN";
static const char sql_commit[] = "COMMIT";
static const char sql_rollback[] = "ROLLBACK";

/* FULL syncs the write-ahead log at each commit, NORMAL when it is checkpointed or begins anew. */
static bool set_unsynced(struct xd_db *db, bool unsynced)
{
    if (!db->syncs || db->unsynced == unsynced) return true;
    if (!exec(db, unsynced ? "PRAGMA synchronous = 1" : "PRAGMA synchronous = 2")) return false;
    db->unsynced = unsynced;
    return true;
}

bool xd_db_begin(struct xd_db *db)
{
    return set_unsynced(db, false) && xd_db_run(db, sql_begin, NULL);
}

bool xd_db_begin_unsynced(struct xd_db *db)
{
    return set_unsynced(db, true) && xd_db_run(db, sql_begin, NULL);
}

bool xd_db_commit(struct xd_db *db)
{
    bool ok = xd_db_run(db, sql_commit, NULL);
    if (ok) set_unsynced(db, false); /* where it fails, the next xd_db_begin tries again */
    return ok;
}

void xd_db_rollback(struct xd_db *db)
{
    if (!sqlite3_get_autocommit(db->handle)) xd_db_run(db, sql_rollback, NULL);
    set_unsynced(db, false);
}

bool xd_db_begin_read(struct xd_db *db)
{
    return xd_db_run(db, sql_begin_read, NULL);
}

void xd_db_end_read(struct xd_db *db)
{
    if (!sqlite3_get_autocommit(db->handle)) xd_db_run(db, sql_commit, NULL);
}

enum xd_code xd_db_code(struct xd_db *db)
{
    int os = sqlite3_system_errno(db->handle);
    int code = sqlite3_errcode(db->handle) & 0xff; /* without what extends it */
    bool full = code == SQLITE_FULL || (code == SQLITE_IOERR && (os == ENOSPC || os == EDQUOT));
    return full ? XD_STORAGE_FULL : XD_STORAGE_FAILED;
}

bool xd_db_read_meta(struct xd_db *db, const char *name, int64_t *value)
{
    static const char sql[] = "SELECT value FROM meta WHERE name = ?";
    sqlite3_stmt *statement = xd_db_query(db, sql, XD_BINDS(xd_bind_text(xd_str_of(name))));
    if (!statement) return false;
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found) *value = sqlite3_column_int64(statement, 0);
    xd_db_end(statement);
    return found;
}

static bool write_meta(struct xd_db *db, const char *name, int64_t value)
{
    static const char sql[] = "INSERT INTO meta(name, value) VALUES(?, ?)";
    return xd_db_run(db, sql, XD_BINDS(xd_bind_text(xd_str_of(name)), xd_bind_int(value)));
}

static bool create(struct xd_db *db, const struct xd_market *market, struct xd_error *error)
{
    if (xd_db_begin(db) && exec(db, schema) && write_meta(db, "version", XD_DB_VERSION) &&
        write_meta(db, "currency", market->currency) &&
        write_meta(db, "road_factor_e4", market->road_factor_e4) && write_meta(db, "generation", 1) &&
        xd_db_commit(db))
        return true;
    xd_fail(error, xd_db_code(db), NULL, "cannot initialise the ledger: %s", sqlite3_errmsg(db->handle));
    xd_db_rollback(db);
    return false;
}

static bool same_market(const struct xd_market *wanted, const struct xd_market *found, struct xd_error *error)
{
    if (wanted->currency != found->currency) {
        char have[4], want[4];
        xd_currency_format(found->currency, have);
        xd_currency_format(wanted->currency, want);
        return xd_fail(error, XD_BAD_VALUE, "currency", "the ledger was initialised with %s, not %s", have,
                       want);
    }
    if (wanted->road_factor_e4 != found->road_factor_e4)
        return xd_fail(error, XD_BAD_VALUE, "road_factor",
                       "the ledger was initialised with %" PRId32 ".%04" PRId32 ", not %" PRId32
                       ".%04" PRId32,
                       found->road_factor_e4 / 10000, found->road_factor_e4 % 10000,
                       wanted->road_factor_e4 / 10000, wanted->road_factor_e4 % 10000);
    return true;
}

bool xd_db_init(struct xd_db *db, struct xd_market *market, bool market_given, uint32_t *generation,
                struct xd_error *error)
{
    if (pragma_is(db, "SELECT count(*) FROM sqlite_schema", "0") && !create(db, market, error)) return false;
    int64_t version, currency, road_factor_e4, found_generation;
    if (!xd_db_read_meta(db, "version", &version) || !xd_db_read_meta(db, "currency", &currency) ||
        !xd_db_read_meta(db, "road_factor_e4", &road_factor_e4) ||
        !xd_db_read_meta(db, "generation", &found_generation))
        return xd_fail(error, XD_STORAGE_FAILED, NULL, "not a ledger: %s", sqlite3_errmsg(db->handle));
    if (version != XD_DB_VERSION)
        return xd_fail(error, XD_STORAGE_FAILED, NULL,
                       "the ledger is of version %" PRId64 ", this program knows version %d", version,
                       XD_DB_VERSION);
    struct xd_market found = {.currency = currency, .road_factor_e4 = (int32_t)road_factor_e4};
    if (market_given && !same_market(market, &found, error)) return false;
    *market = found;
    *generation = (uint32_t)found_generation;
    return true;
}

bool xd_db_read_stored_partition(struct xd_db *db, uint16_t partition, struct xd_db_partition *out)
{
    static const char sql[] =
        "SELECT epoch, nonce, next_record, committed, next_event, oldest_record, oldest_event,"
        " last_order, last_ms, snapshot, snapshot_record, snapshot_event, snapshot_bytes, folded,"
        " folded_event"
        " FROM partition WHERE id = ?";
    sqlite3_stmt *row = xd_db_query(db, sql, XD_BINDS(xd_bind_int(partition)));
    if (!row) return false;
    int result = sqlite3_step(row);
    struct xd_db_partition found = {0};
    if (result == SQLITE_ROW)
        found = (struct xd_db_partition){
            .exists = true,
            .epoch = (uint64_t)sqlite3_column_int64(row, 0),
            .nonce = (uint64_t)sqlite3_column_int64(row, 1),
            .next_record = (uint64_t)sqlite3_column_int64(row, 2),
            .committed = (uint64_t)sqlite3_column_int64(row, 3),
            .next_event = (uint64_t)sqlite3_column_int64(row, 4),
            .oldest_record = (uint64_t)sqlite3_column_int64(row, 5),
            .oldest_event = (uint64_t)sqlite3_column_int64(row, 6),
            .last_order = (uint64_t)sqlite3_column_int64(row, 7),
            .last_ms = sqlite3_column_int64(row, 8),
            .snapshot = (uint64_t)sqlite3_column_int64(row, 9),
            .snapshot_record = (uint64_t)sqlite3_column_int64(row, 10),
            .snapshot_event = (uint64_t)sqlite3_column_int64(row, 11),
            .snapshot_bytes = (size_t)sqlite3_column_int64(row, 12),
            .folded = (uint64_t)sqlite3_column_int64(row, 13),
            .folded_event = (uint64_t)sqlite3_column_int64(row, 14),
        };
    xd_db_end(row);
    if (result != SQLITE_ROW && result != SQLITE_DONE) return false;
    *out = found;
    return true;
}

static void advance(uint64_t *counter, sqlite3_int64 reached)
{
    if ((uint64_t)reached > *counter) *counter = (uint64_t)reached;
}

void xd_db_advance_partition(struct xd_db_partition *p, sqlite3_stmt *row)
{
    uint64_t first = xd_db_key_offset(sqlite3_column_int64(row, 0));
    advance(&p->next_record, (sqlite3_int64)first + sqlite3_column_int64(row, 1));
    advance(&p->committed, sqlite3_column_int64(row, 2));
    advance(&p->next_event, sqlite3_column_int64(row, 3));
    advance(&p->last_order, sqlite3_column_int64(row, 4));
    int64_t time_ms = sqlite3_column_int64(row, 5);
    if (time_ms > p->last_ms) p->last_ms = time_ms;
}

bool xd_db_read_partition(struct xd_db *db, uint16_t partition, struct xd_db_partition *out)
{
    static const char sql[] = "SELECT key, count, committed, next_event, last_order, time_ms FROM records"
                              " WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1";
    struct xd_db_partition found;
    if (!xd_db_read_stored_partition(db, partition, &found)) return false;
    sqlite3_stmt *row = xd_db_query(
        db, sql,
        XD_BINDS(xd_bind_int(xd_db_key(partition, 0)), xd_bind_int(xd_db_key((uint16_t)(partition + 1), 0))));
    if (!row) return false;
    int result = sqlite3_step(row);
    if (result == SQLITE_ROW) xd_db_advance_partition(&found, row);
    xd_db_end(row);
    if (result != SQLITE_ROW && result != SQLITE_DONE) return false;
    *out = found;
    return true;
}

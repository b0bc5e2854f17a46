/* One SQLite connection: opened as the ledger needs it, its statements prepared once, and the schema. A
 * connection is used by one thread at a time.
 *
 *   meta            version, currency, road_factor_e4, generation
 *   partition       one row each: the lease, the newest snapshot, what has been removed, how far all is
 * folded (sqlite_fold.h), and how far the log and the events reached then records         key -> a blob of
 * `count` records (sqlite_blob.h), how far log and events reach after their batch, the batch's time and
 * serial number, its changes of refs events          key -> a blob of `count` events, the time of their
 * batch, and the record before which all are that caused them account_events  (account, key of a row of
 * events that has some of this account's) refs            (account, ref) -> order id, digest, when it closed
 *   cursors         (account, name) -> where a durable subscription goes on
 *   chunks          key -> a piece of a snapshot
 *
 * A key of records and events is partition << 48 | offset of the first; of chunks partition << 48 | snapshot
 * << 20 | number of the piece. A batch is one row of records and one of events, so that SQLite's cost is that
 * of a batch. */
#ifndef XD_CORE_LEDGER_SQLITE_DB_H
#define XD_CORE_LEDGER_SQLITE_DB_H

#include "core/ledger/ledger_sqlite.h"

#include <sqlite3.h>

enum { XD_DB_VERSION = 2, XD_DB_STATEMENTS = 64 };

struct xd_db {
    sqlite3 *handle;
    int wal_pages;          /* in the write-ahead log after the last commit of this connection */
    int checkpointed_pages; /* of them when it was last checkpointed */
    bool syncs;             /* each transaction is to be synced; else none is */
    bool unsynced;          /* the level in force is that of xd_db_begin_unsynced */
    uint32_t count;
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } prepared[XD_DB_STATEMENTS];
};

struct xd_db_options {
    const char *vfs; /* NULL: the default */
    bool writer;     /* else read-only, and never checkpoints */
    bool no_sync;
};

/* A value to bind. */
struct xd_bind {
    enum { XD_BIND_END, XD_BIND_NULL, XD_BIND_INT, XD_BIND_TEXT, XD_BIND_BLOB } kind;
    int64_t number;
    const void *bytes;
    size_t len;
};

static inline struct xd_bind xd_bind_int(int64_t number)
{
    return (struct xd_bind){.kind = XD_BIND_INT, .number = number};
}

static inline struct xd_bind xd_bind_null(void)
{
    return (struct xd_bind){.kind = XD_BIND_NULL};
}

static inline struct xd_bind xd_bind_uint(uint64_t number)
{
    return xd_bind_int((int64_t)number);
}

static inline struct xd_bind xd_bind_text(struct xd_str text)
{
    return (struct xd_bind){.kind = XD_BIND_TEXT, .bytes = text.at, .len = text.len};
}

static inline struct xd_bind xd_bind_blob(const void *bytes, size_t len)
{
    return (struct xd_bind){.kind = XD_BIND_BLOB, .bytes = bytes, .len = len};
}

#define XD_BINDS(...) ((const struct xd_bind[]){__VA_ARGS__, {.kind = XD_BIND_END}})

/* Opens the file; verifies that the journal mode and the synchronous level asked for are in force. On failure
 * false and *error, and nothing is open. */
bool xd_db_open(struct xd_db *db, const char *path, const struct xd_db_options *options,
                struct xd_error *error);
void xd_db_close(struct xd_db *db);

/* The statement for `sql` (a literal: it is remembered by its address), reset and bound to `binds` (XD_BINDS,
 * or NULL: nothing to bind). What is bound must live until xd_db_end. NULL on failure. */
sqlite3_stmt *xd_db_query(struct xd_db *db, const char *sql, const struct xd_bind *binds);
void xd_db_end(sqlite3_stmt *statement);

/* Runs a statement that yields no rows. */
bool xd_db_run(struct xd_db *db, const char *sql, const struct xd_bind *binds);

/* Rows that the last xd_db_run changed. */
int xd_db_changes(struct xd_db *db);

bool xd_db_begin(struct xd_db *db);

/* A transaction whose commit syncs nothing: the next that does makes it durable too, and until then a loss of
 * power may undo it, whole. */
bool xd_db_begin_unsynced(struct xd_db *db);
bool xd_db_commit(struct xd_db *db);
void xd_db_rollback(struct xd_db *db);

/* A transaction that only reads: all its queries see one state. */
bool xd_db_begin_read(struct xd_db *db);
void xd_db_end_read(struct xd_db *db);

/* Why the last call failed: XD_STORAGE_FULL or XD_STORAGE_FAILED. */
enum xd_code xd_db_code(struct xd_db *db);

/* Makes the tables of a new database and writes its meta, or compares and reads it. */
bool xd_db_init(struct xd_db *db, struct xd_market *market, bool market_given, uint32_t *generation,
                struct xd_error *error);
bool xd_db_read_meta(struct xd_db *db, const char *name, int64_t *value);

/* A partition; zeros if there is none yet. */
struct xd_db_partition {
    bool exists;
    uint64_t epoch, nonce;
    uint64_t next_record, committed, next_event;
    uint64_t oldest_record, oldest_event;
    uint64_t last_order;
    int64_t last_ms;
    uint64_t snapshot, snapshot_record, snapshot_event; /* snapshot: 0 if there is none */
    size_t snapshot_bytes;
    uint64_t folded, folded_event; /* records and events before them are in refs and account_events */
};

/* The partition as it is: its row, and what the newest of its records say. */
bool xd_db_read_partition(struct xd_db *db, uint16_t partition, struct xd_db_partition *out);

/* Its row alone. */
bool xd_db_read_stored_partition(struct xd_db *db, uint16_t partition, struct xd_db_partition *out);

/* Moves on to what a row of `records` says; its columns begin with key, count, committed, next_event,
 * last_order, time_ms. None of them ever decreases. */
void xd_db_advance_partition(struct xd_db_partition *p, sqlite3_stmt *row);

static inline int64_t xd_db_key(uint16_t partition, uint64_t offset)
{
    return (int64_t)xd_id(partition, offset);
}

static inline uint64_t xd_db_key_offset(int64_t key)
{
    return xd_id_number((uint64_t)key);
}

static inline struct xd_str xd_db_column_text(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    return (struct xd_str){.at = text, .len = (uint32_t)sqlite3_column_bytes(statement, column)};
}

#endif

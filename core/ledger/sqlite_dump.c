#include "core/ledger/sqlite_blob.h"
#include "core/ledger/sqlite_db.h"

#include <stdio.h>

struct dump {
    struct xd_db db;
    xd_dump_record_cb *record;
    xd_dump_event_cb *event;
    void *arg;
    uint64_t next_record; /* to be told */
    uint32_t generation;
};

static void tell_records(struct dump *dump, uint64_t first, const void *bytes, size_t len)
{
    struct xd_blob_reader reader = {.bytes = bytes, .len = len};
    struct xd_log_entry entry;
    for (entry.offset = first; xd_blob_next_record(&reader, &entry); entry.offset++)
        dump->record(dump->arg, &entry);
    xd_blob_reader_free(&reader);
}

static void tell_events(struct dump *dump, uint16_t partition, uint64_t first, const void *bytes, size_t len)
{
    struct xd_blob_reader reader = {.bytes = bytes, .len = len};
    struct xd_event_ref event;
    for (event.offset = first; xd_blob_next_event(&reader, &event); event.offset++)
        dump->event(dump->arg, partition, dump->generation, &event);
    xd_blob_reader_free(&reader);
}

/* Tells the records before `until`. One row a statement, so that no read lasts and the broker's checkpoints
 * go on. */
static bool dump_records(struct dump *dump, uint16_t partition, uint64_t until)
{
    static const char sql[] =
        "SELECT key, count, bytes FROM records WHERE key >= ? AND key < ? ORDER BY key LIMIT 1";
    for (;;) {
        sqlite3_stmt *row = xd_db_query(&dump->db, sql,
                                        XD_BINDS(xd_bind_int(xd_db_key(partition, dump->next_record)),
                                                 xd_bind_int(xd_db_key(partition, until))));
        if (!row) return false;
        int result = sqlite3_step(row);
        if (result == SQLITE_ROW) {
            uint64_t first = xd_db_key_offset(sqlite3_column_int64(row, 0));
            tell_records(dump, first, sqlite3_column_blob(row, 2), (size_t)sqlite3_column_bytes(row, 2));
            dump->next_record = first + (uint64_t)sqlite3_column_int64(row, 1);
        }
        xd_db_end(row);
        if (result != SQLITE_ROW) return result == SQLITE_DONE;
    }
}

static bool dump_partition(struct dump *dump, uint16_t partition)
{
    static const char sql[] = "SELECT key, count, next_record, bytes FROM events WHERE key >= ? AND key < ?"
                              " ORDER BY key LIMIT 1";
    dump->next_record = 0;
    uint64_t next_event = 0;
    int64_t end = xd_db_key((uint16_t)(partition + 1), 0);
    for (;;) {
        sqlite3_stmt *row = xd_db_query(
            &dump->db, sql, XD_BINDS(xd_bind_int(xd_db_key(partition, next_event)), xd_bind_int(end)));
        if (!row) return false;
        int result = sqlite3_step(row);
        bool ok = result == SQLITE_DONE;
        if (result == SQLITE_ROW) {
            uint64_t first = xd_db_key_offset(sqlite3_column_int64(row, 0));
            ok = dump_records(dump, partition, (uint64_t)sqlite3_column_int64(row, 2));
            tell_events(dump, partition, first, sqlite3_column_blob(row, 3),
                        (size_t)sqlite3_column_bytes(row, 3));
            next_event = first + (uint64_t)sqlite3_column_int64(row, 1);
        }
        xd_db_end(row);
        if (!ok) return false;
        if (result == SQLITE_DONE) return dump_records(dump, partition, XD_ID_NUMBER_MAX);
    }
}

/* The next partition after `*partition` (-1: the first), -1 if there is none. */
static bool next_partition(struct dump *dump, int *partition)
{
    static const char sql[] = "SELECT id FROM partition WHERE id > ? ORDER BY id LIMIT 1";
    sqlite3_stmt *row = xd_db_query(&dump->db, sql, XD_BINDS(xd_bind_int(*partition)));
    if (!row) return false;
    int result = sqlite3_step(row);
    *partition = result == SQLITE_ROW ? sqlite3_column_int(row, 0) : -1;
    xd_db_end(row);
    return result == SQLITE_ROW || result == SQLITE_DONE;
}

bool xd_ledger_dump_sqlite(const char *directory, xd_dump_record_cb *record, xd_dump_event_cb *event,
                           void *arg, struct xd_error *error)
{
    struct dump dump = {.record = record, .event = event, .arg = arg};
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/ledger.db", directory);
    if (len < 0 || (size_t)len >= sizeof path)
        return xd_fail(error, XD_TOO_LONG, NULL, "the directory's name is too long");
    if (!xd_db_open(&dump.db, path, &(struct xd_db_options){.writer = false}, error)) return false;
    int64_t version = 0, generation = 0;
    int partition = -1;
    bool ok = xd_db_read_meta(&dump.db, "version", &version) && version == XD_DB_VERSION &&
              xd_db_read_meta(&dump.db, "generation", &generation);
    dump.generation = (uint32_t)generation;
    while (ok && (ok = next_partition(&dump, &partition)) && partition >= 0)
        ok = dump_partition(&dump, (uint16_t)partition);
    if (!ok)
        xd_fail(error, XD_STORAGE_FAILED, NULL, "cannot read %s: %s", path,
                version == XD_DB_VERSION ? sqlite3_errmsg(dump.db.handle) : "of another version");
    xd_db_close(&dump.db);
    return ok;
}

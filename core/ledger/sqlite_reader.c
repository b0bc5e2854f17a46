/* Reads for owners and feeds. Each is one short read transaction on the reader, whose yield is copied out. */
#include "core/event.h"
#include "core/ledger/sqlite_blob.h"
#include "core/ledger/sqlite_ledger.h"

#include <stdlib.h>
#include <string.h>

enum {
    READ_BYTES_MAX =
        16 << 20, /* of a run, whatever was asked for (an entry that begins below is given whole) */
    LOOKED_AT_MAX = 32 << 20, /* bytes of blocks that one read goes through */
    BLOCKS_MAX = 256,
    FOUND_BYTES_MAX = 512 << 20, /* far above what the others allow */
};

/* What a read yields, until all of it is known and pointers into `bytes` stay. */
struct found {
    uint64_t offset;
    int64_t time_ms;
    size_t at, len;
};

struct yield {
    size_t max_bytes;
    struct xd_buf bytes;
    struct xd_buf found; /* struct found */
};

static void yield_init(struct yield *yield, size_t max_bytes)
{
    yield->max_bytes = max_bytes < READ_BYTES_MAX ? max_bytes : READ_BYTES_MAX;
    xd_buf_init(&yield->bytes, FOUND_BYTES_MAX);
    xd_buf_init(&yield->found, FOUND_BYTES_MAX);
}

static void yield_free(struct yield *yield)
{
    xd_buf_free(&yield->bytes);
    xd_buf_free(&yield->found);
}

static void yield_add(struct yield *yield, uint64_t offset, int64_t time_ms, const uint8_t *bytes, size_t len)
{
    struct found found = {.offset = offset, .time_ms = time_ms, .at = yield->bytes.len, .len = len};
    xd_buf_add(&yield->bytes, bytes, len);
    xd_buf_add(&yield->found, &found, sizeof found);
}

static bool yield_full(const struct yield *yield)
{
    return yield->bytes.failed || yield->found.failed ||
           (yield->found.len > 0 && yield->bytes.len >= yield->max_bytes);
}

static uint32_t yield_count(const struct yield *yield)
{
    return (uint32_t)(yield->found.len / sizeof(struct found));
}

static const struct found *yield_at(const struct yield *yield, uint32_t i)
{
    return (const struct found *)(const void *)yield->found.data + i;
}

/* The first key of the block that holds `offset`, or of the first block after it. */
static bool block_of(struct xd_db *db, const char *sql, uint16_t partition, uint64_t offset, int64_t *key)
{
    sqlite3_stmt *row = xd_db_query(
        db, sql, XD_BINDS(xd_bind_int(xd_db_key(partition, 0)), xd_bind_int(xd_db_key(partition, offset))));
    if (!row) return false;
    bool ok = sqlite3_step(row) == SQLITE_ROW;
    *key = ok && sqlite3_column_type(row, 0) != SQLITE_NULL ? sqlite3_column_int64(row, 0)
                                                            : xd_db_key(partition, offset);
    xd_db_end(row);
    return ok;
}

/* --- the log -------------------------------------------------------------------------------------------- */

struct log_read {
    struct xd_job job;
    uint16_t partition;
    uint64_t from;
    xd_log_run_cb *callback;
    void *arg;
    enum xd_code code;
    struct yield yield;
    struct xd_db_partition row;
};

static void take_records(struct log_read *read, uint64_t first, const void *bytes, size_t len)
{
    struct xd_blob_reader reader = {.bytes = bytes, .len = len};
    struct xd_log_entry entry;
    for (uint64_t offset = first; !yield_full(&read->yield) && xd_blob_next_record(&reader, &entry);
         offset++) {
        if (offset >= read->from) yield_add(&read->yield, offset, entry.time_ms, entry.bytes, entry.len);
    }
    xd_blob_reader_free(&reader);
}

static bool read_records(struct log_read *read, struct xd_db *db)
{
    static const char start[] = "SELECT max(key) FROM records WHERE key >= ? AND key <= ?";
    static const char blocks[] = "SELECT key, bytes FROM records WHERE key >= ? AND key < ? ORDER BY key";
    int64_t key;
    if (!xd_db_read_partition(db, read->partition, &read->row)) return false;
    if (read->from < read->row.oldest_record) {
        read->code = XD_NOT_FOUND;
        return true;
    }
    if (!block_of(db, start, read->partition, read->from, &key)) return false;
    sqlite3_stmt *row = xd_db_query(
        db, blocks, XD_BINDS(xd_bind_int(key), xd_bind_int(xd_db_key((uint16_t)(read->partition + 1), 0))));
    if (!row) return false;
    int result = SQLITE_DONE;
    while (!yield_full(&read->yield) && (result = sqlite3_step(row)) == SQLITE_ROW)
        take_records(read, xd_db_key_offset(sqlite3_column_int64(row, 0)), sqlite3_column_blob(row, 1),
                     (size_t)sqlite3_column_bytes(row, 1));
    xd_db_end(row);
    return result == SQLITE_ROW || result == SQLITE_DONE;
}

static void log_read_run(struct xd_job *job, struct xd_db *db)
{
    struct log_read *read = (struct log_read *)job;
    if (!xd_db_begin_read(db) || !read_records(read, db))
        read->code = XD_STORAGE_FAILED;
    else if (read->yield.bytes.failed || read->yield.found.failed)
        read->code = XD_NO_MEMORY;
    xd_db_end_read(db);
}

static void log_read_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    struct log_read *read = (struct log_read *)job;
    uint32_t count = read->code == XD_OK ? yield_count(&read->yield) : 0;
    struct xd_log_entry *entries = malloc((count + 1) * sizeof *entries);
    if (!entries) {
        count = 0;
        read->code = XD_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct found *found = yield_at(&read->yield, i);
        entries[i] = (struct xd_log_entry){.offset = found->offset,
                                           .time_ms = found->time_ms,
                                           .bytes = read->yield.bytes.data + found->at,
                                           .len = found->len};
    }
    struct xd_log_run run = {.code = read->code,
                             .entries = entries,
                             .count = count,
                             .committed = read->row.committed,
                             .events = read->row.next_event};
    /* An owner that commits as it reads is ahead of the disk. */
    const struct xd_partition *p = xd_sqlite_partition(ledger, read->partition);
    if (p && p->committed > run.committed) {
        run.committed = p->committed;
        run.events = p->next_event;
    }
    read->callback(read->arg, &run);
    free(entries);
    yield_free(&read->yield);
    free(read);
}

/* Posts a read, or answers it with the code that it may not be. */
static void post(struct xd_sqlite *ledger, struct xd_job *job, uint16_t partition, enum xd_code *code)
{
    *code = partition < XD_PARTITIONS ? xd_sqlite_may_read(ledger) : XD_NOT_FOUND;
    if (*code == XD_OK)
        xd_sqlite_read(ledger, job);
    else
        xd_sqlite_defer(ledger, job);
}

void xd_sqlite_read_log(struct xd_ledger *base, uint16_t partition, uint64_t from, size_t max_bytes,
                        xd_log_run_cb *callback, void *arg)
{
    struct log_read *read = calloc(1, sizeof *read);
    if (!read) {
        callback(arg, &(struct xd_log_run){.code = XD_NO_MEMORY});
        return;
    }
    read->job = (struct xd_job){.run = log_read_run, .done = log_read_done};
    read->partition = partition;
    read->from = from;
    read->callback = callback;
    read->arg = arg;
    yield_init(&read->yield, max_bytes);
    post(xd_sqlite_of(base), &read->job, partition, &read->code);
}

/* --- events --------------------------------------------------------------------------------------------- */

struct event_read {
    struct xd_job job;
    uint16_t partition;
    uint64_t from;
    uint8_t account_len;
    char account[XD_ACCOUNT_MAX];
    xd_event_run_cb *callback;
    void *arg;
    enum xd_code code;
    struct yield yield;
    uint64_t next, oldest, head;
    int blocks; /* looked at, and their bytes */
    size_t looked_at;
};

static struct xd_str wanted(const struct event_read *read)
{
    return (struct xd_str){.at = read->account, .len = read->account_len};
}

static bool wants_all(const struct event_read *read)
{
    return xd_str_equal(wanted(read), xd_str_of("*"));
}

/* Takes what is wanted of a block; read->next becomes the block's end, or where the run got full. */
static void take_events(struct event_read *read, uint64_t first, uint64_t count, const void *bytes,
                        size_t len)
{
    struct xd_blob_reader reader = {.bytes = bytes, .len = len};
    struct xd_event_ref event;
    bool all = wants_all(read);
    uint64_t offset = first;
    for (; offset < first + count && !yield_full(&read->yield) && xd_blob_next_event(&reader, &event);
         offset++) {
        if (offset >= read->from &&
            (all || xd_str_equal(xd_event_account(event.bytes, event.len), wanted(read))))
            yield_add(&read->yield, offset, 0, event.bytes, event.len);
    }
    read->next = offset;
    xd_blob_reader_free(&reader);
}

/* The blocks from..until-1 that may have what is wanted: by the index, or all of them where there is none. */
static sqlite3_stmt *query_blocks(const struct event_read *read, struct xd_db *db, int64_t from,
                                  int64_t until, bool indexed)
{
    static const char all[] = "SELECT key, count, bytes FROM events WHERE key >= ? AND key < ? ORDER BY key";
    static const char of_account[] = "SELECT e.key, e.count, e.bytes FROM account_events a JOIN events e"
                                     " ON e.key = a.key WHERE a.key >= ? AND a.key < ? AND a.account = ?"
                                     " ORDER BY a.key";
    if (!indexed) return xd_db_query(db, all, XD_BINDS(xd_bind_int(from), xd_bind_int(until)));
    return xd_db_query(db, of_account,
                       XD_BINDS(xd_bind_int(from), xd_bind_int(until), xd_bind_text(wanted(read))));
}

static bool read_on(const struct event_read *read)
{
    return !yield_full(&read->yield) && read->blocks < BLOCKS_MAX && read->looked_at < LOOKED_AT_MAX;
}

/* Reads the blocks from `key` on whose first event is before `until`. */
static bool read_blocks(struct event_read *read, struct xd_db *db, int64_t key, uint64_t until, bool indexed)
{
    sqlite3_stmt *row = query_blocks(read, db, key, xd_db_key(read->partition, until), indexed);
    if (!row) return false;
    int result = SQLITE_ROW;
    while (read_on(read) && (result = sqlite3_step(row)) == SQLITE_ROW) {
        size_t len = (size_t)sqlite3_column_bytes(row, 2);
        take_events(read, xd_db_key_offset(sqlite3_column_int64(row, 0)),
                    (uint64_t)sqlite3_column_int64(row, 1), sqlite3_column_blob(row, 2), len);
        read->blocks++;
        read->looked_at += len;
    }
    xd_db_end(row);
    if (result == SQLITE_DONE && until > read->next) read->next = until;
    return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* The blocks that are folded are found by the index, those after them are all looked at. */
static bool read_from(struct event_read *read, struct xd_db *db, uint64_t folded, uint64_t head)
{
    static const char start[] = "SELECT max(key) FROM events WHERE key >= ? AND key <= ?";
    int64_t key;
    bool indexed = !wants_all(read) && read->from < folded;
    if (!block_of(db, start, read->partition, read->from, &key)) return false;
    if (indexed) {
        if (!read_blocks(read, db, key, folded, true)) return false;
        if (read->next < folded || !read_on(read)) return true;
        key = xd_db_key(read->partition, folded);
    }
    return read_blocks(read, db, key, head, false);
}

static bool read_events(struct event_read *read, struct xd_db *db)
{
    struct xd_db_partition row;
    if (!xd_db_read_partition(db, read->partition, &row)) return false;
    read->oldest = row.oldest_event;
    read->head = row.next_event;
    if (read->from < row.oldest_event) read->from = row.oldest_event;
    read->next = read->from;
    return read->from >= row.next_event || read_from(read, db, row.folded_event, row.next_event);
}

static void event_read_run(struct xd_job *job, struct xd_db *db)
{
    struct event_read *read = (struct event_read *)job;
    if (!xd_db_begin_read(db) || !read_events(read, db))
        read->code = XD_STORAGE_FAILED;
    else if (read->yield.bytes.failed || read->yield.found.failed)
        read->code = XD_NO_MEMORY;
    xd_db_end_read(db);
}

static void event_read_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    (void)ledger;
    struct event_read *read = (struct event_read *)job;
    uint32_t count = read->code == XD_OK ? yield_count(&read->yield) : 0;
    struct xd_event_ref *events = malloc((count + 1) * sizeof *events);
    if (!events) {
        count = 0;
        read->code = XD_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct found *found = yield_at(&read->yield, i);
        events[i] = (struct xd_event_ref){
            .offset = found->offset, .bytes = read->yield.bytes.data + found->at, .len = found->len};
    }
    struct xd_event_run run = {.code = read->code,
                               .events = events,
                               .count = count,
                               .next = read->next,
                               .oldest = read->oldest,
                               .head = read->head};
    read->callback(read->arg, &run);
    free(events);
    yield_free(&read->yield);
    free(read);
}

void xd_sqlite_read_events(struct xd_ledger *base, uint16_t partition, uint64_t from, struct xd_str account,
                           size_t max_bytes, xd_event_run_cb *callback, void *arg)
{
    struct event_read *read = calloc(1, sizeof *read);
    if (!read) {
        callback(arg, &(struct xd_event_run){.code = XD_NO_MEMORY, .next = from});
        return;
    }
    read->job = (struct xd_job){.run = event_read_run, .done = event_read_done};
    read->partition = partition;
    read->from = read->next = from;
    /* Nothing is of an account with a longer name: an empty one finds nothing either. */
    read->account_len = account.len <= XD_ACCOUNT_MAX ? (uint8_t)account.len : 0;
    memcpy(read->account, account.at, read->account_len);
    read->callback = callback;
    read->arg = arg;
    yield_init(&read->yield, max_bytes);
    post(xd_sqlite_of(base), &read->job, partition, &read->code);
}

/* --- cursors -------------------------------------------------------------------------------------------- */

struct cursor_read {
    struct xd_job job;
    uint8_t account_len, name_len;
    char account[XD_ACCOUNT_MAX];
    char name[XD_REF_MAX];
    xd_cursor_cb *callback;
    void *arg;
    enum xd_code code;
    struct xd_event_id next;
};

static void cursor_read_run(struct xd_job *job, struct xd_db *db)
{
    static const char sql[] =
        "SELECT partition, generation, next FROM cursors WHERE account = ? AND name = ?";
    struct cursor_read *read = (struct cursor_read *)job;
    sqlite3_stmt *row =
        xd_db_query(db, sql,
                    XD_BINDS(xd_bind_text((struct xd_str){.at = read->account, .len = read->account_len}),
                             xd_bind_text((struct xd_str){.at = read->name, .len = read->name_len})));
    int result = row ? sqlite3_step(row) : SQLITE_ERROR;
    if (result == SQLITE_ROW)
        read->next = (struct xd_event_id){.partition = (uint16_t)sqlite3_column_int(row, 0),
                                          .generation = (uint32_t)sqlite3_column_int64(row, 1),
                                          .offset = (uint64_t)sqlite3_column_int64(row, 2)};
    else
        read->code = result == SQLITE_DONE ? XD_NOT_FOUND : XD_STORAGE_FAILED;
    if (row) xd_db_end(row);
}

static void cursor_read_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    (void)ledger;
    struct cursor_read *read = (struct cursor_read *)job;
    char text[XD_ID_TEXT];
    struct xd_str cursor = {text, (uint32_t)xd_cursor_format(read->next, text)};
    read->callback(read->arg, read->code, cursor);
    free(read);
}

void xd_sqlite_load_cursor(struct xd_ledger *base, struct xd_str account, struct xd_str name,
                           xd_cursor_cb *callback, void *arg)
{
    struct cursor_read *read = calloc(1, sizeof *read);
    if (!read) {
        callback(arg, XD_NO_MEMORY, (struct xd_str){0});
        return;
    }
    read->job = (struct xd_job){.run = cursor_read_run, .done = cursor_read_done};
    bool possible = account.len <= XD_ACCOUNT_MAX && name.len <= XD_REF_MAX;
    read->account_len = possible ? (uint8_t)account.len : 0;
    read->name_len = possible ? (uint8_t)name.len : 0;
    memcpy(read->account, account.at, read->account_len);
    memcpy(read->name, name.at, read->name_len);
    read->callback = callback;
    read->arg = arg;
    post(xd_sqlite_of(base), &read->job, 0, &read->code);
}

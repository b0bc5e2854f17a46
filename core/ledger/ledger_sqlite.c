#include "core/ledger/sqlite_ledger.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* --- threads -------------------------------------------------------------------------------------------- */

void xd_sqlite_write(struct xd_sqlite *ledger, struct xd_job *job)
{
    ledger->jobs++;
    xd_worker_post(&ledger->writer, job);
}

void xd_sqlite_read(struct xd_sqlite *ledger, struct xd_job *job)
{
    ledger->jobs++;
    ledger->reads++;
    job->reading = true;
    xd_worker_post(&ledger->reader, job);
}

void xd_sqlite_defer(struct xd_sqlite *ledger, struct xd_job *job)
{
    ledger->jobs++;
    job->reading = false;
    xd_inbox_put(&ledger->inbox, job);
}

enum xd_code xd_sqlite_may_read(const struct xd_sqlite *ledger)
{
    if (ledger->closing) return XD_DRAINING;
    return ledger->reads < XD_READS_MAX ? XD_OK : XD_OVERLOADED;
}

void xd_sqlite_wake(struct xd_sqlite *ledger)
{
    event_active(ledger->turn_event, EV_TIMEOUT, 0);
}

static void finish_jobs(struct xd_sqlite *ledger)
{
    struct xd_job *job = xd_inbox_take(&ledger->inbox);
    while (job) {
        struct xd_job *next = job->next; /* `done` may free the job, or post it again */
        ledger->jobs--;
        ledger->reads -= job->reading;
        job->done(job, ledger);
        job = next;
    }
}

static void on_inbox(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    finish_jobs(arg);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    xd_sqlite_turn(arg);
}

static void on_upkeep(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    xd_sqlite_keep_up(arg);
}

static void on_fold_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    xd_sqlite_fold_if_idle(arg);
}

/* --- small answers -------------------------------------------------------------------------------------- */

static size_t backlog(const struct xd_ledger *ledger)
{
    return ((const struct xd_sqlite *)(const void *)ledger)->backlog;
}

static size_t backlog_limit(const struct xd_ledger *ledger)
{
    return ((const struct xd_sqlite *)(const void *)ledger)->backlog_limit;
}

static enum xd_code health(const struct xd_ledger *base)
{
    const struct xd_sqlite *ledger = (const struct xd_sqlite *)(const void *)base;
    for (int i = 0; i < XD_PARTITIONS; i++) {
        if (ledger->partitions[i].refused != XD_OK) return ledger->partitions[i].refused;
    }
    return ledger->doomed;
}

static int64_t now_ms(const struct xd_ledger *ledger)
{
    return xd_sqlite_time((const struct xd_sqlite *)(const void *)ledger);
}

static void follow_events(struct xd_ledger *base, xd_events_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    ledger->on_events = callback;
    ledger->on_events_arg = arg;
}

static uint64_t event_head(const struct xd_ledger *base, uint16_t partition)
{
    const struct xd_sqlite *ledger = (const struct xd_sqlite *)(const void *)base;
    return partition < XD_PARTITIONS ? ledger->partitions[partition].told_events : 0;
}

static uint64_t event_oldest(const struct xd_ledger *base, uint16_t partition)
{
    const struct xd_sqlite *ledger = (const struct xd_sqlite *)(const void *)base;
    return partition < XD_PARTITIONS ? ledger->partitions[partition].oldest_event : 0;
}

static uint32_t generation(const struct xd_ledger *ledger, uint16_t partition)
{
    (void)partition;
    return ((const struct xd_sqlite *)(const void *)ledger)->generation;
}

struct xd_market xd_ledger_market(const struct xd_ledger *ledger)
{
    return ((const struct xd_sqlite *)(const void *)ledger)->market;
}

static void close_ledger(struct xd_ledger *base);

static const struct xd_ledger_ops ops = {
    .reserve = xd_sqlite_reserve,
    .find_ref = xd_sqlite_find_ref,
    .append = xd_sqlite_append,
    .backlog = backlog,
    .backlog_limit = backlog_limit,
    .health = health,
    .now_ms = now_ms,
    .acquire = xd_sqlite_acquire,
    .release = xd_sqlite_release,
    .load_snapshot = xd_sqlite_load_snapshot,
    .begin_snapshot = xd_sqlite_begin_snapshot,
    .add_to_snapshot = xd_sqlite_add_to_snapshot,
    .end_snapshot = xd_sqlite_end_snapshot,
    .drop_snapshot = xd_sqlite_drop_snapshot,
    .read_log = xd_sqlite_read_log,
    .follow_log = xd_sqlite_follow_log,
    .commit = xd_sqlite_commit,
    .follow_events = follow_events,
    .read_events = xd_sqlite_read_events,
    .event_head = event_head,
    .event_oldest = event_oldest,
    .generation = generation,
    .save_cursor = xd_sqlite_save_cursor,
    .load_cursor = xd_sqlite_load_cursor,
    .settle = xd_sqlite_settle,
    .close = close_ledger,
};

/* --- opening -------------------------------------------------------------------------------------------- */

static void sync_directory(const char *path)
{
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;
    fsync(directory); /* best effort: not every file system can */
    close(directory);
}

/* The name of a new directory is durable only when its parent is synced. */
static void sync_parent(const char *directory)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/..", directory) < (int)sizeof path) sync_directory(path);
}

/* Makes the directory if it is missing and keeps every other process out of it. -1 and *error on failure. */
static int lock_directory(const char *directory, struct xd_error *error)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/lock", directory) >= (int)sizeof path) {
        xd_fail(error, XD_TOO_LONG, NULL, "the directory's name is too long");
        return -1;
    }
    if (mkdir(directory, 0750) == 0) {
        sync_parent(directory);
    } else if (errno != EEXIST) {
        xd_fail(error, XD_STORAGE_FAILED, NULL, "cannot make %s: %s", directory, strerror(errno));
        return -1;
    }
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (lock < 0) {
        xd_fail(error, XD_STORAGE_FAILED, NULL, "cannot open %s: %s", path, strerror(errno));
        return -1;
    }
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        xd_fail(error, XD_STORAGE_FAILED, NULL, "%s is held by another process", directory);
        close(lock);
        return -1;
    }
    return lock;
}

static bool load_partitions(struct xd_sqlite *ledger)
{
    static const char sql[] = "SELECT max(key) FROM chunks WHERE key >= ? AND key < ?";
    struct xd_db *db = &ledger->writer_db;
    for (uint16_t id = 0; id < XD_PARTITIONS; id++) {
        struct xd_partition *p = &ledger->partitions[id];
        struct xd_db_partition row;
        if (!xd_db_read_partition(db, id, &row)) return false;
        p->id = id;
        p->used = row.epoch != 0 || row.next_record != 0;
        p->durable.next_record = p->next_record = p->gathered = row.next_record;
        p->durable.committed = p->committed = row.committed;
        p->durable.next_event = p->next_event = p->told_events = row.next_event;
        p->oldest_event = row.oldest_event;
        p->last_order = row.last_order;
        if (row.last_ms > ledger->last_ms) ledger->last_ms = ledger->durable_last_ms = row.last_ms;
        sqlite3_stmt *newest = xd_db_query(
            db, sql, XD_BINDS(xd_bind_int(xd_db_key(id, 0)), xd_bind_int(xd_db_key((uint16_t)(id + 1), 0))));
        if (!newest) return false;
        p->last_snapshot = row.snapshot;
        if (sqlite3_step(newest) == SQLITE_ROW && sqlite3_column_type(newest, 0) != SQLITE_NULL) {
            uint64_t stored = xd_db_key_offset(sqlite3_column_int64(newest, 0)) >> 20;
            p->last_snapshot = stored > row.snapshot ? stored : row.snapshot;
        }
        xd_db_end(newest);
    }
    return true;
}

static bool load_fingerprints(struct xd_sqlite *ledger)
{
    static const char sql[] = "SELECT account, ref FROM refs";
    struct xd_fingerprints *set = &ledger->refs.durable;
    sqlite3_stmt *row = xd_db_query(&ledger->writer_db, sql, NULL);
    if (!row) return false;
    int result;
    while ((result = sqlite3_step(row)) == SQLITE_ROW) {
        struct xd_str account = xd_db_column_text(row, 0), ref = xd_db_column_text(row, 1);
        if (!xd_fingerprints_reserve(set, 1)) break;
        xd_fingerprints_add(set, xd_fingerprint(account, ref));
    }
    xd_db_end(row);
    return result == SQLITE_DONE;
}

static bool open_databases(struct xd_sqlite *ledger, const struct xd_sqlite_options *options,
                           struct xd_error *error)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof path, "%s/ledger.db", options->directory) >= (int)sizeof path)
        return xd_fail(error, XD_TOO_LONG, NULL, "the directory's name is too long");
    struct xd_db_options writer = {.vfs = options->vfs, .writer = true, .no_sync = options->unsafe_no_sync};
    struct xd_db_options reader = {.vfs = options->vfs};
    ledger->market = options->market;
    if (!xd_db_open(&ledger->writer_db, path, &writer, error)) return false;
    if (!xd_db_init(&ledger->writer_db, &ledger->market, options->market_given, &ledger->generation, error))
        goto close_writer;
    enum xd_code folded = xd_fold_now(&ledger->writer_db, XD_ID_NUMBER_MAX);
    if (folded != XD_OK) {
        xd_fail(error, folded, NULL, "cannot recover %s: %s", path, sqlite3_errmsg(ledger->writer_db.handle));
        goto close_writer;
    }
    if (!load_partitions(ledger) || !load_fingerprints(ledger)) {
        xd_fail(error, xd_db_code(&ledger->writer_db), NULL, "cannot read %s: %s", path,
                sqlite3_errmsg(ledger->writer_db.handle));
        goto close_writer;
    }
    if (!xd_db_open(&ledger->reader_db, path, &reader, error)) goto close_writer;
    sync_directory(options->directory);
    return true;

close_writer:
    xd_db_close(&ledger->writer_db);
    return false;
}

static bool start_events(struct xd_sqlite *ledger, struct event_base *base)
{
    ledger->inbox_event = event_new(base, ledger->inbox.fd, EV_READ | EV_PERSIST, on_inbox, ledger);
    ledger->turn_event = event_new(base, -1, 0, on_turn, ledger);
    ledger->upkeep_timer = event_new(base, -1, EV_PERSIST, on_upkeep, ledger);
    ledger->fold_timer = event_new(base, -1, 0, on_fold_timer, ledger);
    return ledger->inbox_event && ledger->turn_event && ledger->upkeep_timer && ledger->fold_timer &&
           event_add(ledger->inbox_event, NULL) == 0 &&
           event_add(ledger->upkeep_timer, &(struct timeval){.tv_sec = 1}) == 0;
}

static void stop_events(struct xd_sqlite *ledger)
{
    struct event *all[] = {ledger->inbox_event, ledger->turn_event, ledger->upkeep_timer, ledger->fold_timer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i]) event_free(all[i]);
    }
}

static bool start_threads(struct xd_sqlite *ledger)
{
    if (!xd_worker_start(&ledger->writer, &ledger->writer_db, &ledger->inbox, xd_upkeep_checkpoint))
        return false;
    if (xd_worker_start(&ledger->reader, &ledger->reader_db, &ledger->inbox, NULL)) return true;
    xd_worker_stop(&ledger->writer);
    return false;
}

static void free_ledger(struct xd_sqlite *ledger)
{
    for (int i = 0; i < XD_BATCHES; i++)
        xd_batch_free(&ledger->batches[i]);
    xd_refs_free(&ledger->refs);
    free(ledger);
}

static struct xd_sqlite *new_ledger(const struct xd_sqlite_options *options)
{
    struct xd_sqlite *ledger = calloc(1, sizeof *ledger);
    if (!ledger) return NULL;
    ledger->base.ops = &ops;
    ledger->keep_log = options->keep_log;
    ledger->event_retention_s = options->event_retention_s;
    ledger->backlog_limit = options->backlog_limit;
    ledger->clock_ms = options->clock_ms;
    ledger->clock_arg = options->clock_arg;
    ledger->reached = options->unsafe_no_sync ? XD_DURABILITY_ACCEPTED : XD_DURABILITY_FSYNCED;
    for (int i = 0; i < XD_BATCHES; i++)
        xd_batch_init(&ledger->batches[i]);
    ledger->gathering = &ledger->batches[0];
    ledger->gathering->in_use = true;
    if (xd_refs_init(&ledger->refs)) return ledger;
    free_ledger(ledger);
    return NULL;
}

struct xd_ledger *xd_ledger_open_sqlite(struct event_base *base, const struct xd_sqlite_options *options,
                                        struct xd_error *error)
{
    struct xd_sqlite *ledger = new_ledger(options);
    if (!ledger) {
        xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the ledger");
        return NULL;
    }
    ledger->lock = lock_directory(options->directory, error);
    if (ledger->lock < 0) goto free_memory;
    if (!open_databases(ledger, options, error)) goto unlock;
    if (!xd_inbox_init(&ledger->inbox)) {
        xd_fail(error, XD_NO_MEMORY, NULL, "cannot make an eventfd: %s", strerror(errno));
        goto close_databases;
    }
    if (!start_events(ledger, base) || !start_threads(ledger)) {
        xd_fail(error, XD_NO_MEMORY, NULL, "cannot start the ledger's threads");
        goto stop;
    }
    return &ledger->base;

stop:
    stop_events(ledger);
    xd_inbox_free(&ledger->inbox);
close_databases:
    xd_db_close(&ledger->reader_db);
    xd_db_close(&ledger->writer_db);
unlock:
    close(ledger->lock);
free_memory:
    free_ledger(ledger);
    return NULL;
}

/* --- closing -------------------------------------------------------------------------------------------- */

static bool anything_under_way(const struct xd_sqlite *ledger)
{
    if (ledger->jobs > 0 || !xd_batch_empty(ledger->gathering)) return true;
    for (int i = 0; i < XD_PARTITIONS; i++) {
        if (ledger->partitions[i].runs) return true;
    }
    return false;
}

static void drain(struct xd_sqlite *ledger)
{
    bool folded = false;
    for (int i = 0; i < XD_PARTITIONS; i++)
        xd_sqlite_stop_saving(&ledger->partitions[i], XD_DRAINING);
    for (;;) {
        finish_jobs(ledger);
        xd_sqlite_turn(ledger);
        if (!anything_under_way(ledger)) {
            if (folded) return;
            folded = true; /* once: where it fails, the next opening folds */
            xd_sqlite_fold(ledger);
            continue;
        }
        poll(&(struct pollfd){.fd = ledger->inbox.fd, .events = POLLIN}, 1, -1);
    }
}

static void close_ledger(struct xd_ledger *base)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    ledger->closing = true;
    drain(ledger);
    xd_worker_stop(&ledger->reader);
    xd_worker_stop(&ledger->writer);
    stop_events(ledger);
    xd_inbox_free(&ledger->inbox);
    /* The writer's goes last: the last to close checkpoints, and it alone may. */
    xd_db_close(&ledger->reader_db);
    xd_db_close(&ledger->writer_db);
    close(ledger->lock);
    free_ledger(ledger);
}

#include "core/ledger/sqlite_ledger.h"

#include <stdlib.h>

enum { CATCH_UP_BYTES = 1 << 20 };

/* --- leases --------------------------------------------------------------------------------------------- */

struct lease_job {
    struct xd_job job;
    struct xd_lease lease; /* asked: the partition; answered: all */
    struct xd_db_partition row;
    enum xd_code code;
    xd_lease_cb *callback; /* NULL: a release */
    void *arg;
};

static const char sql_make_partition[] = "INSERT OR IGNORE INTO partition(id) VALUES(?)";

static bool acquire_in_transaction(struct lease_job *acquire, struct xd_db *db)
{
    static const char sql[] = "UPDATE partition SET epoch = epoch + 1, nonce = ? WHERE id = ?";
    uint64_t nonce;
    sqlite3_randomness(sizeof nonce, &nonce);
    uint16_t partition = acquire->lease.partition;
    return xd_db_begin(db) && xd_db_run(db, sql_make_partition, XD_BINDS(xd_bind_int(partition))) &&
           xd_db_run(db, sql, XD_BINDS(xd_bind_uint(nonce), xd_bind_int(partition))) &&
           xd_db_read_partition(db, partition, &acquire->row) && xd_db_commit(db);
}

static void acquire_run(struct xd_job *job, struct xd_db *db)
{
    struct lease_job *acquire = (struct lease_job *)job;
    if (acquire->code != XD_OK) return;
    if (acquire_in_transaction(acquire, db)) {
        acquire->lease.epoch = acquire->row.epoch;
        acquire->lease.nonce = acquire->row.nonce;
        return;
    }
    acquire->code = xd_db_code(db);
    xd_db_rollback(db);
}

static void acquire_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    struct lease_job *acquire = (struct lease_job *)job;
    struct xd_partition *p = xd_sqlite_partition(ledger, acquire->lease.partition);
    if (acquire->code == XD_OK) {
        xd_sqlite_stop_saving(p, XD_FENCED);
        xd_sqlite_lose(p, XD_FENCED);
        p->used = true;
        p->lease = acquire->lease;
        if (p->refused != XD_OK) { /* nothing is in memory: what the disk says counts */
            p->durable.next_record = p->next_record = p->gathered = acquire->row.next_record;
            p->durable.committed = p->committed = acquire->row.committed;
            p->durable.next_event = p->next_event = acquire->row.next_event;
        }
    }
    acquire->callback(acquire->arg, acquire->code, &acquire->lease);
    free(acquire);
}

void xd_sqlite_acquire(struct xd_ledger *base, uint16_t partition, xd_lease_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_lease lease = {.partition = partition};
    struct lease_job *acquire = calloc(1, sizeof *acquire);
    if (!acquire) {
        callback(arg, XD_NO_MEMORY, &lease);
        return;
    }
    acquire->lease = lease;
    acquire->callback = callback;
    acquire->arg = arg;
    acquire->code = ledger->closing ? XD_DRAINING : partition >= XD_PARTITIONS ? XD_NOT_FOUND : XD_OK;
    acquire->job.run = acquire_run;
    acquire->job.done = acquire_done;
    if (acquire->code == XD_OK)
        xd_sqlite_write(ledger, &acquire->job);
    else
        xd_sqlite_defer(ledger, &acquire->job);
}

static void release_run(struct xd_job *job, struct xd_db *db)
{
    static const char sql[] = "UPDATE partition SET nonce = 0 WHERE id = ? AND epoch = ? AND nonce = ?";
    const struct xd_lease *lease = &((struct lease_job *)job)->lease;
    xd_db_run(
        db, sql,
        XD_BINDS(xd_bind_int(lease->partition), xd_bind_uint(lease->epoch), xd_bind_uint(lease->nonce)));
}

static void release_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    (void)ledger;
    free(job);
}

static void forget_follower(struct xd_partition *p)
{
    p->follower = (struct xd_log_follower){NULL, NULL, NULL};
    p->follow_serial++;
    p->catching_up = p->catch_up_reading = false;
}

void xd_sqlite_release(struct xd_ledger *base, const struct xd_lease *lease)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_partition *p = xd_sqlite_partition(ledger, lease->partition);
    if (!xd_partition_holds(p, lease)) return;
    xd_sqlite_stop_saving(p, XD_FENCED);
    forget_follower(p);
    p->lease.epoch = 0;
    xd_sqlite_wake(ledger);
    struct lease_job *release = calloc(1, sizeof *release);
    if (!release) return; /* the next acquire ends the lease on disk */
    release->lease = *lease;
    release->job.run = release_run;
    release->job.done = release_done;
    xd_sqlite_write(ledger, &release->job);
}

/* --- the follower of a log ------------------------------------------------------------------------------ */

void xd_sqlite_lose(struct xd_partition *p, enum xd_code code)
{
    struct xd_log_follower follower = p->follower;
    forget_follower(p);
    if (follower.lost) follower.lost(follower.arg, code);
}

struct catch_up {
    struct xd_sqlite *ledger;
    struct xd_partition *partition;
    uint64_t serial;
};

static void caught(void *arg, const struct xd_log_run *run)
{
    struct catch_up asked = *(struct catch_up *)arg;
    struct xd_partition *p = asked.partition;
    free(arg);
    if (p->follow_serial != asked.serial) return;
    p->catch_up_reading = false;
    if (run->code == XD_DRAINING) {
        forget_follower(p); /* what waits is stored; the next process' owner will apply it */
        return;
    }
    if (run->code != XD_OK || run->count == 0) {
        xd_sqlite_lose(p, run->code == XD_OK ? XD_STORAGE_FAILED : run->code);
        return;
    }
    p->follow_next += run->count;
    p->follower.records(p->follower.arg, run->entries, run->count);
    if (p->catching_up) xd_sqlite_catch_up(asked.ledger, p);
}

void xd_sqlite_catch_up(struct xd_sqlite *ledger, struct xd_partition *p)
{
    if (p->catch_up_reading) return;
    if (p->follow_next == p->gathered) {
        p->catching_up = false;
        xd_sqlite_wake(ledger);
        return;
    }
    if (p->follow_next >= p->durable.next_record)
        return; /* on its way to the disk: the batch comes back here when it is there */
    struct catch_up *asked = malloc(sizeof *asked);
    if (!asked) {
        xd_sqlite_lose(p, XD_NO_MEMORY);
        return;
    }
    *asked = (struct catch_up){.ledger = ledger, .partition = p, .serial = p->follow_serial};
    p->catch_up_reading = true;
    xd_sqlite_read_log(&ledger->base, p->id, p->follow_next, CATCH_UP_BYTES, caught, asked);
}

void xd_sqlite_follow_log(struct xd_ledger *base, const struct xd_lease *lease, uint64_t from,
                          xd_records_cb *records, xd_lost_cb *lost, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_partition *p = xd_sqlite_partition(ledger, lease->partition);
    if (!xd_partition_holds(p, lease)) {
        xd_sqlite_refuse_done(ledger, p && p->refused != XD_OK ? p->refused : XD_FENCED, lost, arg);
        return;
    }
    if (from > p->gathered) {
        xd_sqlite_refuse_done(ledger, XD_INTERNAL, lost, arg);
        return;
    }
    forget_follower(p);
    p->follower = (struct xd_log_follower){.records = records, .lost = lost, .arg = arg};
    p->follow_next = from;
    p->refused = XD_OK;
    if (from < p->gathered) {
        p->catching_up = true;
        xd_sqlite_catch_up(ledger, p);
    }
    xd_sqlite_wake(ledger);
}

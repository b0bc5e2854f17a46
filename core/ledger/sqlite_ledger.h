/* The embedded ledger's inside. All of it is on the event base's thread but what the headers of its parts
 * say.
 *
 *   sqlite_log       appends, turns, commits, what comes of a batch
 *   sqlite_owner     leases, the follower of a log
 *   sqlite_reserve   refs
 *   sqlite_reader    logs, events and cursors read
 *   sqlite_snapshot  snapshots stored and loaded
 *   sqlite_settle    who waits until all is durable
 *   sqlite_upkeep    what is past its time, removed
 *   sqlite_writer    the transaction of a batch (on the writer)
 *   sqlite_fold      the indexes, made later of what batches stored (on the writer); sqlite_folding when
 *
 * What a partition has in memory runs ahead of the disk; when a batch fails, `durable` is gone back to. */
#ifndef XD_CORE_LEDGER_SQLITE_LEDGER_H
#define XD_CORE_LEDGER_SQLITE_LEDGER_H

#include "core/ledger/backend.h"
#include "core/ledger/sqlite_batch.h"
#include "core/ledger/sqlite_db.h"
#include "core/ledger/sqlite_fold.h"
#include "core/ledger/sqlite_upkeep.h"

struct event_base;
struct event;
struct xd_save;
struct xd_settle;

enum { XD_BATCHES = 3 /* told, written, gathered */, XD_READS_MAX = 1 << 16 };

struct xd_log_follower {
    xd_records_cb *records; /* NULL: there is none */
    xd_lost_cb *lost;
    void *arg;
};

struct xd_partition {
    uint16_t id;
    bool used;
    struct xd_lease lease; /* epoch 0: nobody's */
    enum xd_code refused;  /* why appends are, or XD_OK */

    uint64_t next_record; /* appended */
    uint64_t gathered;    /* of them in batches, and given to the follower */
    uint64_t committed;
    uint64_t next_event;
    struct {
        uint64_t next_record, committed, next_event;
    } durable;
    uint64_t told_events, oldest_event, last_order;

    struct xd_run *runs, *last_run; /* not gathered yet; last_run only where there is one */

    struct xd_log_follower follower;
    bool catching_up; /* the follower still reads what was appended before it came; runs wait meanwhile */
    bool catch_up_reading;
    uint64_t follow_next;
    uint64_t follow_serial; /* of the follower, so that a read for a former one is known */

    uint64_t last_snapshot; /* number given last */
    struct xd_save *save;   /* under way, or NULL */
};

struct xd_sqlite {
    struct xd_ledger base;
    struct event_base *events;
    struct event *inbox_event, *turn_event, *upkeep_timer, *fold_timer;

    struct xd_market market;
    uint32_t generation;
    bool keep_log;
    int64_t event_retention_s;
    size_t backlog_limit;
    int64_t (*clock_ms)(void *arg);
    void *clock_arg;
    enum xd_durability reached;

    int lock;
    struct xd_db writer_db, reader_db;
    struct xd_worker writer, reader;
    struct xd_inbox inbox;
    uint32_t jobs;  /* posted and not done */
    uint32_t reads; /* of them on the reader */

    struct xd_partition partitions[XD_PARTITIONS];
    struct xd_refs refs;
    struct xd_batch batches[XD_BATCHES];
    struct xd_batch *gathering;
    struct xd_batch *writing; /* NULL: the writer is free for the next */
    uint64_t serial;          /* of the batch submitted last */
    uint64_t stored_serial;   /* of the last that is durable */
    struct xd_fold fold;
    size_t unfolded; /* rows, about, that durable batches have left to be folded */
    bool fold_timer_runs;
    uint64_t timed_serial; /* stored_serial when it was started */
    uint64_t folds_done;
    uint64_t appended,
        stored; /* records and commits, in all partitions: made since the start, and of them durable */
    struct xd_settle *settles, *last_settle; /* last_settle only where there is one */
    size_t backlog;
    int64_t last_ms, durable_last_ms;
    enum xd_code doomed; /* why all that is not durable yet will fail once the writer is done with its batch,
                            or XD_OK */
    bool closing;

    struct xd_upkeep upkeep;
    xd_events_cb *on_events;
    void *on_events_arg;
};

static inline struct xd_sqlite *xd_sqlite_of(struct xd_ledger *ledger)
{
    return (struct xd_sqlite *)(void *)ledger;
}

/* NULL where there is no such partition. */
static inline struct xd_partition *xd_sqlite_partition(struct xd_sqlite *ledger, uint16_t partition)
{
    return partition < XD_PARTITIONS ? &ledger->partitions[partition] : NULL;
}

static inline bool xd_partition_holds(const struct xd_partition *p, const struct xd_lease *lease)
{
    return p && p->lease.epoch != 0 && p->lease.epoch == lease->epoch && p->lease.nonce == lease->nonce;
}

/* Hand a job to a thread. `done` is called once, unless the ledger could not be opened. */
void xd_sqlite_write(struct xd_sqlite *ledger, struct xd_job *job);
void xd_sqlite_read(struct xd_sqlite *ledger, struct xd_job *job);

/* Calls job->done from the event loop, running nothing. */
void xd_sqlite_defer(struct xd_sqlite *ledger, struct xd_job *job);

/* XD_OK, XD_DRAINING, or XD_OVERLOADED: whether one more read may be queued. */
enum xd_code xd_sqlite_may_read(const struct xd_sqlite *ledger);

/* A turn will come at the end of this turn of the event loop. */
void xd_sqlite_wake(struct xd_sqlite *ledger);

/* sqlite_log.c */
void xd_sqlite_append(struct xd_ledger *ledger, uint16_t partition, uint64_t order_id, const uint8_t *record,
                      size_t len, xd_append_cb *callback, void *arg);
void xd_sqlite_commit(struct xd_ledger *ledger, const struct xd_commit *commit);
void xd_sqlite_save_cursor(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                           struct xd_str cursor, xd_done_cb *callback, void *arg);

/* Answers a call whose callback says only a code, from the event loop. */
void xd_sqlite_refuse_done(struct xd_sqlite *ledger, enum xd_code code, xd_done_cb *callback, void *arg);

/* Gives the runs to their followers, gathers them, and hands the batch to the writer if it is free. */
void xd_sqlite_turn(struct xd_sqlite *ledger);

/* What came of the batch being written. */
void xd_sqlite_batch_done(struct xd_job *job, struct xd_sqlite *ledger);

/* Everything that is not durable will fail with `code`, as soon as the writer is done with its batch. */
void xd_sqlite_doom(struct xd_sqlite *ledger, enum xd_code code);

int64_t xd_sqlite_time(const struct xd_sqlite *ledger);

/* sqlite_owner.c */
void xd_sqlite_acquire(struct xd_ledger *ledger, uint16_t partition, xd_lease_cb *callback, void *arg);
void xd_sqlite_release(struct xd_ledger *ledger, const struct xd_lease *lease);
void xd_sqlite_follow_log(struct xd_ledger *ledger, const struct xd_lease *lease, uint64_t from,
                          xd_records_cb *records, xd_lost_cb *lost, void *arg);

/* Goes on reading for a follower that catches up. */
void xd_sqlite_catch_up(struct xd_sqlite *ledger, struct xd_partition *p);

/* Ends the follower, telling it that it lost. */
void xd_sqlite_lose(struct xd_partition *p, enum xd_code code);

/* sqlite_reserve.c */
enum xd_reserve_result xd_sqlite_reserve(struct xd_ledger *ledger, uint16_t partition, struct xd_str account,
                                         struct xd_str ref, struct xd_digest digest, enum xd_code *code,
                                         uint64_t *order_id, xd_reserve_cb *callback, void *arg);
void xd_sqlite_find_ref(struct xd_ledger *ledger, struct xd_str account, struct xd_str ref,
                        xd_find_ref_cb *callback, void *arg);

/* sqlite_reader.c */
void xd_sqlite_read_log(struct xd_ledger *ledger, uint16_t partition, uint64_t from, size_t max_bytes,
                        xd_log_run_cb *callback, void *arg);
void xd_sqlite_read_events(struct xd_ledger *ledger, uint16_t partition, uint64_t from, struct xd_str account,
                           size_t max_bytes, xd_event_run_cb *callback, void *arg);
void xd_sqlite_load_cursor(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                           xd_cursor_cb *callback, void *arg);

/* sqlite_snapshot.c */
void xd_sqlite_load_snapshot(struct xd_ledger *ledger, uint16_t partition, xd_snapshot_cb *callback,
                             void *arg);
enum xd_code xd_sqlite_begin_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease,
                                      uint64_t next_record, uint64_t next_event);
void xd_sqlite_add_to_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease, struct xd_buf *chunk,
                               xd_done_cb *callback, void *arg);
void xd_sqlite_end_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease, xd_done_cb *callback,
                            void *arg);
void xd_sqlite_drop_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease);

/* Makes the snapshot under way the newest, if it is whole and the records before it are durable. */
void xd_sqlite_go_on_saving(struct xd_sqlite *ledger, struct xd_partition *p);

/* The snapshot under way will not be stored. */
void xd_sqlite_stop_saving(struct xd_partition *p, enum xd_code code);

/* sqlite_settle.c */
void xd_sqlite_settle(struct xd_ledger *ledger, xd_done_cb *callback, void *arg);

/* Answers those who wait for no more than the first `appended` records. */
void xd_sqlite_settle_up_to(struct xd_sqlite *ledger, uint64_t appended, enum xd_code code);

/* sqlite_upkeep.c */
void xd_sqlite_keep_up(struct xd_sqlite *ledger);
void xd_sqlite_keep_up_done(struct xd_job *job, struct xd_sqlite *ledger);

/* sqlite_folding.c */

/* A batch is durable: what it leaves to be folded, or has folded. */
void xd_sqlite_count_unfolded(struct xd_sqlite *ledger, const struct xd_batch *batch);

/* Folds what is durable, if it is much. */
void xd_sqlite_fold_if_much(struct xd_sqlite *ledger);

/* The same, however little it is; nothing if there is none or a fold is under way. */
void xd_sqlite_fold(struct xd_sqlite *ledger);

/* The timer: folds if nothing has been committed since it was started. */
void xd_sqlite_fold_if_idle(struct xd_sqlite *ledger);

/* sqlite_writer.c: the `run` of a batch. */
void xd_sqlite_write_batch(struct xd_job *job, struct xd_db *db);

#endif

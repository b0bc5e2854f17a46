/* What one transaction stores. It is gathered on the event base's thread, then belongs to the writer until it
 * is done.
 *
 *   turn's records -> run -> batch: for each partition its runs and what the owner committed of them, the
 * changes of refs in the order in which they happened, cursors
 *
 * A run is what one turn of the event loop appended to one partition: it is given to the owner as a whole,
 * and its records, their commit and their refs go into the same batch. */
#ifndef XD_CORE_LEDGER_SQLITE_BATCH_H
#define XD_CORE_LEDGER_SQLITE_BATCH_H

#include "core/ledger/sqlite_blob.h"
#include "core/ledger/sqlite_refs.h"
#include "core/ledger/sqlite_worker.h"

enum {
    XD_PARTITIONS = 64,
    XD_BATCH_RECORDS = 4096,
    XD_BATCH_BYTES = 4 << 20,
    XD_RECORD_BYTES_MAX = 1 << 20,
    XD_COMMIT_BYTES_MAX = 256 << 20, /* of a batch's events; a commit beyond it fails */
    XD_SLOT_COST = 128,              /* what a record is reckoned to cost besides its bytes */
};

/* A record on its way: whom to tell, and where it is in its run's blob. */
struct xd_slot {
    xd_append_cb *callback;
    void *arg;
    struct xd_reservation *reservation; /* that its transaction stores, or NULL */
    int64_t time_ms;
    size_t at, len;
};

struct xd_run {
    struct xd_run *next;
    uint64_t first;
    uint32_t count;
    size_t cost;         /* in the backlog */
    struct xd_buf bytes; /* the blob */
    struct xd_buf slots; /* struct xd_slot */
};

struct xd_run *xd_run_new(uint64_t first);
void xd_run_free(struct xd_run *run);
static inline struct xd_slot *xd_run_slots(const struct xd_run *run)
{
    return (struct xd_slot *)(void *)run->slots.data;
}

/* True if a record of `len` bytes still fits. */
bool xd_run_has_room(const struct xd_run *run, size_t len);

/* False, and nothing added, without memory. */
bool xd_run_add(struct xd_run *run, const struct xd_slot *slot, const uint8_t *record, size_t len);

struct xd_event_slot {
    size_t at, len;
};

/* One partition's share of a batch. */
struct xd_part {
    uint16_t partition;
    struct xd_run *runs, **runs_tail;
    uint64_t first_record, next_record;
    bool committing; /* the fields from here to `next_event` are set */
    struct xd_lease lease;
    uint64_t committed_from, committed_to;
    uint64_t first_event, next_event;
    struct xd_buf events;      /* the blob */
    struct xd_buf event_slots; /* struct xd_event_slot */
    struct xd_buf outcomes;    /* uint16_t, of the records committed_from..committed_to-1 */
    struct xd_buf refusals;    /* struct xd_refusal, `record` counted from committed_from */
    uint64_t last_order;
};

struct xd_ref_op {
    enum xd_ref_change change;
    struct xd_reservation *reservation; /* of a STORE */
    struct xd_closed_ref closed;        /* of the others */
};

struct xd_cursor_save {
    struct xd_event_id next;
    xd_done_cb *callback;
    void *arg;
    uint8_t account_len, name_len;
    char account[XD_ACCOUNT_MAX];
    char name[XD_REF_MAX];
};

struct xd_batch {
    struct xd_job job;
    bool in_use;
    enum xd_code code; /* what came of it */
    int64_t time_ms;
    uint64_t serial; /* from 1 on in each opening */
    bool frees;      /* a ref that another batch stored */
    uint32_t records, commits;
    size_t cost; /* in the backlog */
    uint32_t part_count;
    struct xd_part parts[XD_PARTITIONS];
    struct xd_buf ref_ops; /* struct xd_ref_op */
    struct xd_buf cursors; /* struct xd_cursor_save */
    struct xd_buf scratch; /* the writer's, as the next */
    struct xd_buf changes; /* ref_ops, packed */
};

void xd_batch_init(struct xd_batch *batch);
void xd_batch_free(struct xd_batch *batch);

/* Empties it for the next use: frees its runs, keeps its buffers unless they have grown large. */
void xd_batch_clear(struct xd_batch *batch);

static inline bool xd_batch_empty(const struct xd_batch *batch)
{
    return batch->part_count == 0 && batch->cursors.len == 0;
}

bool xd_batch_has_room(const struct xd_batch *batch, const struct xd_run *run);

/* The share of `partition`, made if missing, whose records begin at `next_record`. */
struct xd_part *xd_batch_part(struct xd_batch *batch, uint16_t partition, uint64_t next_record);

/* Takes over the run, and the refs that its records reserved. False, and nothing taken, without memory. */
bool xd_batch_add_run(struct xd_batch *batch, struct xd_part *part, struct xd_run *run);

/* Whether its transaction folds it at once (sqlite_fold.h). */
bool xd_batch_folds(const struct xd_batch *batch);

/* What folding it will cost, in rows, about. */
size_t xd_batch_weight(const struct xd_batch *batch);

/* False without memory: the batch must not be written then. */
bool xd_batch_add_commit(struct xd_batch *batch, struct xd_part *part, const struct xd_commit *commit,
                         struct xd_refs *refs);

#endif

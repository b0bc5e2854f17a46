/* The inside of ledger.h: ledger.c has leases and the table, ledger_log.c the log and commits,
 * ledger_snapshot.c snapshots. */
#ifndef XD_TESTS_SIM_LEDGER_PARTS_H
#define XD_TESTS_SIM_LEDGER_PARTS_H

#include "tests/sim/ledger.h"

#include <stdlib.h>

struct sim_ledger;

/* Records gathered, or under way. */
struct sim_batch {
    uint64_t serial; /* 0: never sent */
    struct sim_bytes *records;
    struct sim_slot {
        xd_append_cb *callback;
        void *arg;
    } * slots;
    size_t count;
};

struct sim_commit_node {
    struct sim_commit_node *next;
    struct sim_commit commit;
    struct xd_output output;
};

struct sim_second_try {
    struct sim_lane *lane;
    xd_lease_cb *callback;
    void *arg;
};

struct sim_lane {
    struct sim_ledger *ledger;
    unsigned partition;
    uint64_t generation;   /* that it knows */
    struct xd_lease lease; /* epoch 0: not ours */
    int64_t renewed_us;
    bool renewing;
    struct sim_second_try *second_try; /* that waits for the end of another's lease */
    struct xd_lease releasing;         /* epoch not 0: once the commits are stored */

    struct sim_batch sent, gathered;
    uint64_t serial;
    bool appending;

    xd_records_cb *records; /* NULL: no follower */
    xd_lost_cb *lost;
    void *lost_arg;
    uint64_t next, follower;
    bool reading;

    struct sim_commit_node *commits, *last_commit;
    bool committing;

    bool saving;
    struct sim_snapshot snapshot;
};

struct sim_ledger {
    struct xd_ledger base;
    struct sim_process *process;
    struct sim_world *world;
    uint64_t id;
    bool dead;
    int64_t skew_ms; /* the server's clock less ours, as last heard */
    struct event *tick;
    sim_stored_cb *stored;
    void *stored_arg;
    struct sim_lane lanes[SIM_RANGES_MAX];
};

static inline struct sim_ledger *sim_ledger_of(const struct xd_ledger *base)
{
    return (struct sim_ledger *)(uintptr_t)base;
}

struct sim_lane *sim_lane_of(const struct xd_ledger *base, uint16_t partition);
bool sim_lane_holds(const struct sim_lane *lane, const struct xd_lease *lease);
int64_t sim_ledger_local_ms(const struct sim_ledger *ledger);
void sim_ledger_note_clock(struct sim_ledger *ledger, int64_t ms);

/* Calls back soon, not from within the call that asked for it. */
void sim_ledger_later(struct sim_ledger *ledger, int64_t after_us, sim_run *run, void *arg);

/* Gives up the lease, the follower (who is told) and the commits. */
void sim_lane_lose(struct sim_lane *lane, enum xd_code code);
/* Whether the call was of a former generation; then what was built on that goes. */
bool sim_lane_is_past(struct sim_lane *lane, const struct sim_call *call);
void sim_lane_go_on_releasing(struct sim_lane *lane);

/* ledger_log.c */
void sim_ledger_append(struct xd_ledger *base, uint16_t partition, uint64_t order_id, const uint8_t *record,
                       size_t len, xd_append_cb *callback, void *arg);
void sim_ledger_read_log(struct xd_ledger *base, uint16_t partition, uint64_t from, size_t max_bytes,
                         xd_log_run_cb *callback, void *arg);
void sim_ledger_follow_log(struct xd_ledger *base, const struct xd_lease *lease, uint64_t from,
                           xd_records_cb *records, xd_lost_cb *lost, void *arg);
void sim_ledger_commit(struct xd_ledger *base, const struct xd_commit *commit);
void sim_lane_go_on_appending(struct sim_lane *lane);
void sim_lane_go_on_following(struct sim_lane *lane);
void sim_lane_go_on_committing(struct sim_lane *lane);
void sim_lane_forget_commits(struct sim_lane *lane);
void sim_lane_refuse_appends(struct sim_lane *lane, enum xd_code code);

/* ledger_snapshot.c */
void sim_ledger_load_snapshot(struct xd_ledger *base, uint16_t partition, xd_snapshot_cb *callback,
                              void *arg);
enum xd_code sim_ledger_begin_snapshot(struct xd_ledger *base, const struct xd_lease *lease,
                                       uint64_t next_record, uint64_t next_event);
void sim_ledger_add_to_snapshot(struct xd_ledger *base, const struct xd_lease *lease, struct xd_buf *chunk,
                                xd_done_cb *callback, void *arg);
void sim_ledger_end_snapshot(struct xd_ledger *base, const struct xd_lease *lease, xd_done_cb *callback,
                             void *arg);
void sim_ledger_drop_snapshot(struct xd_ledger *base, const struct xd_lease *lease);

#endif

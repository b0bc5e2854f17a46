/* Many partitions in one thread: engines, and between any two of a kind a channel that keeps the order of
 * messages. Nothing is lost; what is delivered may be delivered again, as by a relay that begins anew. For
 * tests. */
#ifndef XD_TESTS_BORDER_CLUSTER_H
#define XD_TESTS_BORDER_CLUSTER_H

#include "core/curve.h"
#include "engine/engine.h"

struct xd_post {
    struct xd_post *next;
    int64_t due_us;
    size_t len;
    uint8_t bytes[];
};

struct xd_channel {
    struct xd_post *first, *last;
};

struct xd_member {
    struct xd_engine *engine;
    struct xd_engine_options options;
    struct xd_channel *to; /* by range */
    uint64_t next_order;   /* number of the next order here */
    uint64_t generation;
};

struct xd_cluster {
    struct xd_layout layout;
    struct xd_member *members; /* by partition */
    unsigned count;            /* partitions: of all kinds */
    struct xd_output output;
    int64_t now_us, latency_us;
    uint64_t messages, waiting, message_bytes;
    uint64_t matches, border_matches; /* made */
    int64_t surplus;                  /* of those */
    enum xd_code outcome;             /* of the last record */
};

void xd_cluster_begin(struct xd_cluster *cluster, const struct xd_layout *layout, int64_t now);
void xd_cluster_end(struct xd_cluster *cluster);

/* Applies a record to a partition, by way of its packed form, and posts what it sends. */
void xd_cluster_apply(struct xd_cluster *cluster, unsigned partition, const struct xd_record *record);

/* An order goes to its home, which gives it its id. */
uint64_t xd_cluster_submit(struct xd_cluster *cluster, struct xd_record *record);

/* Delivers the first message of a channel; `again`: it stays, and comes once more. False if there is none. */
bool xd_cluster_deliver(struct xd_cluster *cluster, unsigned from, unsigned range, bool again);

/* Goes to a time: what is due by then is delivered, and deadlines tick. */
void xd_cluster_advance(struct xd_cluster *cluster, int64_t now_us);

/* Delivers until nothing waits. */
void xd_cluster_settle(struct xd_cluster *cluster);

/* Replaces an engine by one made of its snapshot; fails the test if they differ. */
void xd_cluster_restore(struct xd_cluster *cluster, unsigned partition);

/* The partition's log goes back to what a snapshot holds, as after a fail-over; `kept` is freed. A new
 * generation begins. */
struct xd_buf xd_cluster_save(const struct xd_cluster *cluster, unsigned partition);
void xd_cluster_roll_back(struct xd_cluster *cluster, unsigned partition, struct xd_buf *kept);

/* check.c: fails the test where a promise is broken. At any time: no order has more matched than it has, and
 * is in the state that events tell. At rest: all books agree. */
void xd_cluster_check_events(const struct xd_output *output);
void xd_cluster_check(const struct xd_cluster *cluster);
void xd_cluster_check_at_rest(const struct xd_cluster *cluster);

#endif

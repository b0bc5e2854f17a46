/* A member of a cluster: the process around the engines of its partitions (docs/CLUSTER.md, Members). Says
 * that it is alive, follows and owns what member.h decides, answers questions about what it owns.
 *
 *      start ... run ... xd_matcher_leave: hands everything over -> `stopped` -> xd_matcher_destroy */
#ifndef XD_MATCHER_MATCHER_H
#define XD_MATCHER_MATCHER_H

#include "core/cluster/cluster.h"
#include "core/log.h"
#include "matcher/courier.h"
#include "matcher/crew.h"

#include <event2/event.h>

enum { XD_HEARTBEAT_MS = 500 };

struct xd_matcher_options {
    struct xd_redis_ledger_options *ledger; /* partitions, market, process and channel are filled in here */
    struct xd_cluster_options cluster;
    uint32_t max_orders;
    uint64_t snapshot_every;
    const struct xd_log *log;
    void (*stopped)(void *arg); /* all is handed over, after xd_matcher_leave */
    void *arg;
};

struct xd_matcher {
    struct xd_matcher_options options;
    struct event_base *base;
    struct xd_cluster *cluster;
    struct xd_ledger *ledger;
    uint64_t id;
    char name[XD_MEMBER_NAME_MAX + 1];
    char channel[XD_REDIS_CHANNEL_MAX + 1]; /* what members tell each other */
    uint16_t partition_count;
    struct xd_crew crew;
    struct xd_courier
        *couriers[XD_MEMBER_PARTITIONS_MAX]; /* of what is owned, where there is another of the kind */
    struct event *heartbeat, *turn, *drain_limit;
    bool beating;    /* a heartbeat is under way */
    bool beat_again; /* something was told meanwhile */
    bool leaving, left, out; /* left: the others have been told */
    uint32_t members;        /* at the last heartbeat */
};

/* Waits for Redis. NULL and *error. */
struct xd_matcher *xd_matcher_start(struct event_base *base, const struct xd_matcher_options *options,
                                    struct xd_error *error);

/* Hands over what it owns and calls `stopped`. */
void xd_matcher_leave(struct xd_matcher *matcher);

void xd_matcher_destroy(struct xd_matcher *matcher);

/* Questions (matcher_answers.c): a message on one of the channels "ask". */
void xd_matcher_ask_channel(const struct xd_matcher *matcher, uint16_t partition,
                            char out[static XD_REDIS_CHANNEL_MAX + 1]);
void xd_matcher_answer(struct xd_matcher *matcher, const char *channel, const char *bytes, size_t len);

#endif

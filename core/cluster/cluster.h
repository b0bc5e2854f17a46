/* What the programs of a cluster share in Redis besides the ledger: the layout, the list of members, and
 * channels (docs/CLUSTER.md).
 *
 *   {xd}:cluster    hash: version, id, ranges, cuts, currency, road_factor_e4; written once, by `crossdock
 * cluster init` {xd}:members    sorted set: a member's id -> when its last heartbeat was, by Redis' clock
 *   {xd}:names      hash: a member's id -> what it is called
 *   {xd}:draining   set of members that are to give up their partitions
 *
 * Channels begin with the cluster's id: <id>:members tells of partitions and members, <id>:ask:<partition>
 * takes questions, <id>:answer:<broker> their answers. All calls are on the thread of the event base;
 * callbacks never come from within the call. */
#ifndef XD_CORE_CLUSTER_CLUSTER_H
#define XD_CORE_CLUSTER_CLUSTER_H

#include "core/curve.h"
#include "core/order.h"
#include "core/redis/channels.h"
#include "core/rendezvous.h"

struct event_base;
struct xd_cluster;

enum { XD_CLUSTER_ID = 16, XD_MEMBER_NAME_MAX = 80 };

struct xd_cluster_options {
    const char *url;
    const char *tls_ca, *tls_cert, *tls_key; /* PEM files, "" or NULL for none */
    uint32_t timeout_ms;
};

struct xd_cluster_layout {
    struct xd_layout ranges;
    struct xd_market market;
    char id[XD_CLUSTER_ID + 1];
};

/* Ranges times kinds. */
static inline uint16_t xd_cluster_partitions(const struct xd_cluster_layout *layout)
{
    return (uint16_t)(layout->ranges.count * XD_KINDS);
}

/* Connects and reads the layout, waiting for Redis at most twice timeout_ms. NULL and *error. */
struct xd_cluster *xd_cluster_open(struct event_base *base, const struct xd_cluster_options *options,
                                   struct xd_error *error);
void xd_cluster_close(struct xd_cluster *cluster);

/* NULL: no cluster has been initialised there. */
const struct xd_cluster_layout *xd_cluster_layout(const struct xd_cluster *cluster);

/* Stores the layout, once for ever, and waits for it. `layout->id` is drawn here. False and *error
 * (XD_WRONG_STATE: there is one already). */
bool xd_cluster_init(struct xd_cluster *cluster, const struct xd_layout *ranges,
                     const struct xd_market *market, struct xd_error *error);

/* Sends a command and waits for its answer, which is the caller's (freeReplyObject); for programs that do
 * nothing else. NULL and *error, for an error as answer too. */
redisReply *xd_cluster_ask(struct xd_cluster *cluster, const char *key, int argc, const char **argv,
                           struct xd_error *error);

/* --- members
 * ------------------------------------------------------------------------------------------------ */

struct xd_member_info {
    uint64_t id;
    int64_t age_ms; /* since its last heartbeat */
    bool draining;
};

/* The members whose last heartbeat was not longer ago than the lease; XD_MEMBERS_MAX at most. Code not XD_OK:
 * nothing is known, and count is 0. */
typedef void xd_heartbeat_cb(void *arg, enum xd_code code, const struct xd_member_info *members,
                             uint32_t count);

/* Says that the member is alive, and drops those that have not said it for `lease_ms`. The callback may be
 * NULL. */
enum xd_code xd_cluster_heartbeat(struct xd_cluster *cluster, uint64_t member, const char *name,
                                  uint32_t lease_ms, xd_heartbeat_cb *callback, void *arg);

/* The member goes: takes it off the list and tells the others. An error: it was not sent, and the callback does not
 * come. */
typedef void xd_left_cb(void *arg);
enum xd_code xd_cluster_leave(struct xd_cluster *cluster, uint64_t member, xd_left_cb *callback, void *arg);

/* --- channels
 * ----------------------------------------------------------------------------------------------- */

/* Listens from now on, to what is added with xd_cluster_listen. False without memory. */
bool xd_cluster_open_channels(struct xd_cluster *cluster, const struct xd_redis_channels_events *events);

/* "<id>:<name>" or "<id>:<name>:<number>". */
void xd_cluster_channel(const struct xd_cluster *cluster, const char *name,
                        char out[static XD_REDIS_CHANNEL_MAX + 1]);
void xd_cluster_channel_of(const struct xd_cluster *cluster, const char *name, uint64_t number,
                           char out[static XD_REDIS_CHANNEL_MAX + 1]);

bool xd_cluster_listen(struct xd_cluster *cluster, const char *channel);
void xd_cluster_unlisten(struct xd_cluster *cluster, const char *channel);

/* `receivers`: how many heard it (-1: not known, as in a Redis Cluster). */
typedef void xd_published_cb(void *arg, int64_t receivers);

/* The callback may be NULL. An error: it was not sent, and the callback does not come. */
enum xd_code xd_cluster_publish(struct xd_cluster *cluster, const char *channel, const void *bytes,
                                size_t len, xd_published_cb *callback, void *arg);

#endif

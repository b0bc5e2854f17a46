/* How a cluster is: what Redis knows of its members and partitions. For programs that only look; each call
 * waits. */
#ifndef XD_CORE_CLUSTER_STATUS_H
#define XD_CORE_CLUSTER_STATUS_H

#include "core/cluster/cluster.h"

struct xd_member_status {
    uint64_t id;
    char name[XD_MEMBER_NAME_MAX + 1];
    int64_t age_ms; /* since its last heartbeat */
    bool draining;
};

struct xd_partition_status {
    uint64_t owner;   /* the member that holds the lease; 0: nobody */
    int64_t lease_ms; /* what is left of it */
    uint64_t epoch;
    uint32_t generation;
    uint64_t records;   /* in the log, ever */
    uint64_t committed; /* of them, those that the owner has made events of */
    uint64_t events;
    int64_t lag_ms; /* age of the oldest record that is not committed; 0: there is none */
};

/* Up to XD_MEMBERS_MAX members into `out`; how many, or -1 and *error. */
int xd_cluster_member_status(struct xd_cluster *cluster, struct xd_member_status out[static XD_MEMBERS_MAX],
                             struct xd_error *error);

bool xd_cluster_partition_status(struct xd_cluster *cluster, uint16_t partition,
                                 struct xd_partition_status *out, struct xd_error *error);

/* The member is to give up its partitions, and tells the others. */
bool xd_cluster_drain(struct xd_cluster *cluster, uint64_t member, struct xd_error *error);

#endif

/* A partition's ledger in Redis, read from beside (`crossdock log`): it takes no part in what goes on there,
 * and writes nothing. */
#ifndef XD_CORE_CLUSTER_DUMP_H
#define XD_CORE_CLUSTER_DUMP_H

#include "core/cluster/cluster.h"
#include "core/ledger/ledger.h"

/* Calls `record` for every record that is kept and `event` for every event, each record before the events it
 * caused; in the end come the records that have not been committed. `arg` goes to both. Waits for Redis.
 * False and *error: XD_NOT_FOUND (there is no such partition), XD_STORAGE_FAILED. */
bool xd_cluster_dump(struct xd_cluster *cluster, uint16_t partition, xd_dump_record_cb *record,
                     xd_dump_event_cb *event, void *arg, struct xd_error *error);

#endif

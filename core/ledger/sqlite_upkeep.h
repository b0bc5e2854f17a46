/* Removing what is past its time, in small steps between batches: events older than the retention, records
 * before the newest snapshot, refs of orders closed more than 30 days ago, pieces of former snapshots. */
#ifndef XD_CORE_LEDGER_SQLITE_UPKEEP_H
#define XD_CORE_LEDGER_SQLITE_UPKEEP_H

#include "core/ledger/sqlite_batch.h"
#include "core/ledger/sqlite_db.h"

#define XD_REF_KEPT_MS (INT64_C(30) * 24 * 3600 * 1000)

enum { XD_SWEPT_MAX = 256 };

struct xd_upkeep {
    struct xd_job job;
    bool under_way;

    /* asked */
    int64_t now_ms;
    int64_t event_retention_s;
    bool keep_log;
    uint64_t saving[XD_PARTITIONS]; /* snapshot whose pieces are being stored, 0: none */

    /* answered */
    bool more; /* another step would find work */
    bool events_trimmed;
    uint64_t oldest_event[XD_PARTITIONS];
    uint32_t swept_count;
    uint64_t swept[XD_SWEPT_MAX]; /* fingerprints of refs removed */

    /* where the sweep of refs goes on: after this one */
    uint8_t account_len, ref_len;
    char account[XD_ACCOUNT_MAX];
    char ref[XD_REF_MAX];
};

/* One step: the `run` of the job, on the writer. */
void xd_upkeep_step(struct xd_job *job, struct xd_db *db);

/* Checkpoints when the write-ahead log has grown: what follows each job of the writer. */
void xd_upkeep_checkpoint(struct xd_db *db);

#endif

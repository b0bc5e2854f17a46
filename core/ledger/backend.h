/* What a backend of the ledger provides: each function has the contract of the public function of its name. A
 * backend's own structure begins with a struct xd_ledger. */
#ifndef XD_CORE_LEDGER_BACKEND_H
#define XD_CORE_LEDGER_BACKEND_H

#include "core/ledger/ledger.h"

struct xd_ledger_ops {
    enum xd_reserve_result (*reserve)(struct xd_ledger *ledger, uint16_t partition, struct xd_str account,
                                      struct xd_str ref, struct xd_digest digest, enum xd_code *code,
                                      uint64_t *order_id, xd_reserve_cb *callback, void *arg);
    void (*find_ref)(struct xd_ledger *ledger, struct xd_str account, struct xd_str ref,
                     xd_find_ref_cb *callback, void *arg);
    void (*append)(struct xd_ledger *ledger, uint16_t partition, uint64_t order_id, const uint8_t *record,
                   size_t len, xd_append_cb *callback, void *arg);
    enum xd_code (*room)(struct xd_ledger *ledger, uint16_t partition); /* NULL: always */
    size_t (*backlog)(const struct xd_ledger *ledger);
    size_t (*backlog_limit)(const struct xd_ledger *ledger);
    enum xd_code (*health)(const struct xd_ledger *ledger);
    int64_t (*now_ms)(const struct xd_ledger *ledger);
    void (*acquire)(struct xd_ledger *ledger, uint16_t partition, xd_lease_cb *callback, void *arg);
    void (*release)(struct xd_ledger *ledger, const struct xd_lease *lease);
    void (*load_snapshot)(struct xd_ledger *ledger, uint16_t partition, xd_snapshot_cb *callback, void *arg);
    enum xd_code (*begin_snapshot)(struct xd_ledger *ledger, const struct xd_lease *lease,
                                   uint64_t next_record, uint64_t next_event);
    void (*add_to_snapshot)(struct xd_ledger *ledger, const struct xd_lease *lease, struct xd_buf *chunk,
                            xd_done_cb *callback, void *arg);
    void (*end_snapshot)(struct xd_ledger *ledger, const struct xd_lease *lease, xd_done_cb *callback,
                         void *arg);
    void (*drop_snapshot)(struct xd_ledger *ledger, const struct xd_lease *lease);
    void (*read_log)(struct xd_ledger *ledger, uint16_t partition, uint64_t from, size_t max_bytes,
                     xd_log_run_cb *callback, void *arg);
    void (*follow_log)(struct xd_ledger *ledger, const struct xd_lease *lease, uint64_t from,
                       xd_records_cb *records, xd_lost_cb *lost, void *arg);
    void (*commit)(struct xd_ledger *ledger, const struct xd_commit *commit);
    void (*follow_events)(struct xd_ledger *ledger, xd_events_cb *callback, void *arg);
    void (*read_events)(struct xd_ledger *ledger, uint16_t partition, uint64_t from, struct xd_str account,
                        size_t max_bytes, xd_event_run_cb *callback, void *arg);
    uint64_t (*event_head)(const struct xd_ledger *ledger, uint16_t partition);
    uint64_t (*event_oldest)(const struct xd_ledger *ledger, uint16_t partition);
    uint32_t (*generation)(const struct xd_ledger *ledger, uint16_t partition);
    bool (*may_be_behind)(struct xd_ledger *ledger, uint16_t partition,
                          uint32_t generation); /* NULL: never */
    void (*save_cursor)(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                        struct xd_str cursor, xd_done_cb *callback, void *arg);
    void (*load_cursor)(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                        xd_cursor_cb *callback, void *arg);
    void (*settle)(struct xd_ledger *ledger, xd_done_cb *callback, void *arg);
    void (*close)(struct xd_ledger *ledger);
};

struct xd_ledger {
    const struct xd_ledger_ops *ops;
};

#endif

#include "core/ledger/backend.h"

const char *xd_durability_name(enum xd_durability durability)
{
    static const char *const names[] = {"accepted", "fsynced", "replicated"};
    return names[durability];
}

enum xd_reserve_result xd_ledger_reserve(struct xd_ledger *ledger, uint16_t partition, struct xd_str account,
                                         struct xd_str ref, struct xd_digest digest, enum xd_code *code,
                                         uint64_t *order_id, xd_reserve_cb *callback, void *arg)
{
    return ledger->ops->reserve(ledger, partition, account, ref, digest, code, order_id, callback, arg);
}

void xd_ledger_find_ref(struct xd_ledger *ledger, struct xd_str account, struct xd_str ref,
                        xd_find_ref_cb *callback, void *arg)
{
    ledger->ops->find_ref(ledger, account, ref, callback, arg);
}

void xd_ledger_append(struct xd_ledger *ledger, uint16_t partition, uint64_t order_id, const uint8_t *record,
                      size_t len, xd_append_cb *callback, void *arg)
{
    ledger->ops->append(ledger, partition, order_id, record, len, callback, arg);
}

enum xd_code xd_ledger_room(struct xd_ledger *ledger, uint16_t partition)
{
    return ledger->ops->room ? ledger->ops->room(ledger, partition) : XD_OK;
}

size_t xd_ledger_backlog(const struct xd_ledger *ledger)
{
    return ledger->ops->backlog(ledger);
}

size_t xd_ledger_backlog_limit(const struct xd_ledger *ledger)
{
    return ledger->ops->backlog_limit(ledger);
}

enum xd_code xd_ledger_health(const struct xd_ledger *ledger)
{
    return ledger->ops->health(ledger);
}

int64_t xd_ledger_now_ms(const struct xd_ledger *ledger)
{
    return ledger->ops->now_ms(ledger);
}

void xd_ledger_acquire(struct xd_ledger *ledger, uint16_t partition, xd_lease_cb *callback, void *arg)
{
    ledger->ops->acquire(ledger, partition, callback, arg);
}

void xd_ledger_release(struct xd_ledger *ledger, const struct xd_lease *lease)
{
    ledger->ops->release(ledger, lease);
}

void xd_ledger_load_snapshot(struct xd_ledger *ledger, uint16_t partition, xd_snapshot_cb *callback,
                             void *arg)
{
    ledger->ops->load_snapshot(ledger, partition, callback, arg);
}

enum xd_code xd_ledger_begin_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease,
                                      uint64_t next_record, uint64_t next_event)
{
    return ledger->ops->begin_snapshot(ledger, lease, next_record, next_event);
}

void xd_ledger_add_to_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease, struct xd_buf *chunk,
                               xd_done_cb *callback, void *arg)
{
    ledger->ops->add_to_snapshot(ledger, lease, chunk, callback, arg);
}

void xd_ledger_end_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease, xd_done_cb *callback,
                            void *arg)
{
    ledger->ops->end_snapshot(ledger, lease, callback, arg);
}

void xd_ledger_drop_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease)
{
    ledger->ops->drop_snapshot(ledger, lease);
}

void xd_ledger_read_log(struct xd_ledger *ledger, uint16_t partition, uint64_t from, size_t max_bytes,
                        xd_log_run_cb *callback, void *arg)
{
    ledger->ops->read_log(ledger, partition, from, max_bytes, callback, arg);
}

void xd_ledger_follow_log(struct xd_ledger *ledger, const struct xd_lease *lease, uint64_t from,
                          xd_records_cb *records, xd_lost_cb *lost, void *arg)
{
    ledger->ops->follow_log(ledger, lease, from, records, lost, arg);
}

void xd_ledger_commit(struct xd_ledger *ledger, const struct xd_commit *commit)
{
    ledger->ops->commit(ledger, commit);
}

void xd_ledger_follow_events(struct xd_ledger *ledger, xd_events_cb *callback, void *arg)
{
    ledger->ops->follow_events(ledger, callback, arg);
}

void xd_ledger_read_events(struct xd_ledger *ledger, uint16_t partition, uint64_t from, struct xd_str account,
                           size_t max_bytes, xd_event_run_cb *callback, void *arg)
{
    ledger->ops->read_events(ledger, partition, from, account, max_bytes, callback, arg);
}

uint64_t xd_ledger_event_head(const struct xd_ledger *ledger, uint16_t partition)
{
    return ledger->ops->event_head(ledger, partition);
}

uint64_t xd_ledger_event_oldest(const struct xd_ledger *ledger, uint16_t partition)
{
    return ledger->ops->event_oldest(ledger, partition);
}

uint32_t xd_ledger_generation(const struct xd_ledger *ledger, uint16_t partition)
{
    return ledger->ops->generation(ledger, partition);
}

bool xd_ledger_may_be_behind(struct xd_ledger *ledger, uint16_t partition, uint32_t generation)
{
    return ledger->ops->may_be_behind && ledger->ops->may_be_behind(ledger, partition, generation);
}

void xd_ledger_save_cursor(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                           struct xd_str cursor, xd_done_cb *callback, void *arg)
{
    ledger->ops->save_cursor(ledger, account, name, cursor, callback, arg);
}

void xd_ledger_load_cursor(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                           xd_cursor_cb *callback, void *arg)
{
    ledger->ops->load_cursor(ledger, account, name, callback, arg);
}

void xd_ledger_settle(struct xd_ledger *ledger, xd_done_cb *callback, void *arg)
{
    ledger->ops->settle(ledger, callback, arg);
}

void xd_ledger_close(struct xd_ledger *ledger)
{
    ledger->ops->close(ledger);
}

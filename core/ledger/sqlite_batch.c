#include "core/ledger/sqlite_batch.h"

#include "core/ledger/sqlite_blob.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_BYTES = 4 << 20, RUN_OVERHEAD = 64 << 10, OPS_BYTES_MAX = 64 << 20 };

struct xd_run *xd_run_new(uint64_t first)
{
    struct xd_run *run = calloc(1, sizeof *run);
    if (!run) return NULL;
    run->first = first;
    xd_buf_init(&run->bytes, XD_BATCH_BYTES + XD_RECORD_BYTES_MAX + RUN_OVERHEAD);
    xd_buf_init(&run->slots, XD_BATCH_RECORDS * sizeof(struct xd_slot));
    return run;
}

void xd_run_free(struct xd_run *run)
{
    xd_buf_free(&run->bytes);
    xd_buf_free(&run->slots);
    free(run);
}

bool xd_run_has_room(const struct xd_run *run, size_t len)
{
    return run->count == 0 || (run->count < XD_BATCH_RECORDS && run->bytes.len + len <= XD_BATCH_BYTES);
}

bool xd_run_add(struct xd_run *run, const struct xd_slot *slot, const uint8_t *record, size_t len)
{
    size_t before = run->bytes.len;
    struct xd_slot added = *slot;
    added.at = xd_blob_add_record(&run->bytes, slot->time_ms, record, len);
    added.len = len;
    xd_buf_add(&run->slots, &added, sizeof added);
    if (run->bytes.failed || run->slots.failed) {
        run->bytes.failed = run->slots.failed = false;
        run->bytes.len = before;
        run->slots.len = run->count * sizeof(struct xd_slot);
        return false;
    }
    run->count++;
    run->cost += len + XD_SLOT_COST;
    return true;
}

void xd_batch_init(struct xd_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    for (int i = 0; i < XD_PARTITIONS; i++) {
        struct xd_part *part = &batch->parts[i];
        xd_buf_init(&part->events, XD_COMMIT_BYTES_MAX);
        xd_buf_init(&part->event_slots, XD_COMMIT_BYTES_MAX);
        xd_buf_init(&part->outcomes, XD_COMMIT_BYTES_MAX);
        xd_buf_init(&part->refusals, XD_COMMIT_BYTES_MAX);
    }
    xd_buf_init(&batch->ref_ops, OPS_BYTES_MAX);
    xd_buf_init(&batch->cursors, OPS_BYTES_MAX);
    xd_buf_init(&batch->scratch, 4 * (size_t)XD_COMMIT_BYTES_MAX);
    xd_buf_init(&batch->changes, OPS_BYTES_MAX);
}

/* Clears a buffer; gives its memory back where one large batch has left much of it. */
static void empty(struct xd_buf *buf)
{
    if (buf->cap > KEPT_BYTES)
        xd_buf_free(buf);
    else
        xd_buf_clear(buf);
}

static void free_runs(struct xd_part *part)
{
    while (part->runs) {
        struct xd_run *run = part->runs;
        part->runs = run->next;
        xd_run_free(run);
    }
}

void xd_batch_clear(struct xd_batch *batch)
{
    for (uint32_t i = 0; i < batch->part_count; i++) {
        struct xd_part *part = &batch->parts[i];
        free_runs(part);
        empty(&part->events);
        empty(&part->event_slots);
        empty(&part->outcomes);
        empty(&part->refusals);
    }
    empty(&batch->ref_ops);
    empty(&batch->cursors);
    empty(&batch->scratch);
    empty(&batch->changes);
    batch->part_count = 0;
    batch->frees = false;
    batch->records = batch->commits = 0;
    batch->cost = 0;
    batch->code = XD_OK;
    batch->in_use = false;
}

void xd_batch_free(struct xd_batch *batch)
{
    xd_batch_clear(batch);
    for (int i = 0; i < XD_PARTITIONS; i++) {
        xd_buf_free(&batch->parts[i].events);
        xd_buf_free(&batch->parts[i].event_slots);
        xd_buf_free(&batch->parts[i].outcomes);
        xd_buf_free(&batch->parts[i].refusals);
    }
    xd_buf_free(&batch->ref_ops);
    xd_buf_free(&batch->cursors);
    xd_buf_free(&batch->scratch);
    xd_buf_free(&batch->changes);
}

bool xd_batch_folds(const struct xd_batch *batch)
{
    for (uint32_t i = 0; i < batch->part_count; i++) {
        if (batch->parts[i].committing && !batch->parts[i].runs) return true;
    }
    return batch->frees;
}

size_t xd_batch_weight(const struct xd_batch *batch)
{
    size_t weight = batch->part_count + batch->ref_ops.len / sizeof(struct xd_ref_op);
    for (uint32_t i = 0; i < batch->part_count; i++) {
        const struct xd_part *part = &batch->parts[i];
        if (part->committing) weight += part->event_slots.len / sizeof(struct xd_event_slot);
    }
    return weight;
}

bool xd_batch_has_room(const struct xd_batch *batch, const struct xd_run *run)
{
    return batch->records == 0 ||
           (batch->records + run->count <= XD_BATCH_RECORDS && batch->cost + run->cost <= XD_BATCH_BYTES);
}

struct xd_part *xd_batch_part(struct xd_batch *batch, uint16_t partition, uint64_t next_record)
{
    for (uint32_t i = 0; i < batch->part_count; i++) {
        if (batch->parts[i].partition == partition) return &batch->parts[i];
    }
    struct xd_part *part = &batch->parts[batch->part_count++];
    part->partition = partition;
    part->runs = NULL;
    part->runs_tail = &part->runs;
    part->first_record = part->next_record = next_record;
    part->committing = false;
    return part;
}

bool xd_batch_add_run(struct xd_batch *batch, struct xd_part *part, struct xd_run *run)
{
    struct xd_slot *slots = xd_run_slots(run);
    size_t before = batch->ref_ops.len;
    for (uint32_t i = 0; i < run->count; i++) {
        struct xd_ref_op op = {.change = XD_REF_STORE, .reservation = slots[i].reservation};
        if (op.reservation) xd_buf_add(&batch->ref_ops, &op, sizeof op);
    }
    if (batch->ref_ops.failed) {
        batch->ref_ops.failed = false;
        batch->ref_ops.len = before;
        return false;
    }
    for (uint32_t i = 0; i < run->count; i++) {
        if (slots[i].reservation) slots[i].reservation->batch = batch;
    }
    run->next = NULL;
    *part->runs_tail = run;
    part->runs_tail = &run->next;
    part->next_record += run->count;
    batch->records += run->count;
    batch->cost += run->cost;
    return true;
}

/* A ref of an order that this same batch stores needs no second write. */
static void close_ref(struct xd_batch *batch, const struct xd_closed_ref *closed, struct xd_refs *refs)
{
    struct xd_str account = {.at = closed->account, .len = closed->account_len};
    struct xd_str ref = {.at = closed->ref, .len = closed->ref_len};
    struct xd_reservation *found = xd_refs_find(refs, account, ref, xd_fingerprint(account, ref));
    bool ours = found && found->batch == batch;
    bool stored = found && (found->batch || found->state == XD_REF_STORED);
    if (closed->freed && stored) xd_refs_hide(refs, found);
    if (ours && closed->freed) {
        found->freed = true;
    } else if (ours) {
        found->closed = true;
    } else {
        struct xd_ref_op op = {.change = closed->freed ? XD_REF_FREE : XD_REF_CLOSE, .closed = *closed};
        batch->frees |= closed->freed;
        xd_buf_add(&batch->ref_ops, &op, sizeof op);
    }
}

static void add_events(struct xd_part *part, const struct xd_output *output)
{
    const size_t *ends = (const size_t *)(const void *)output->ends.data;
    size_t from = 0;
    for (uint32_t i = 0; i < xd_output_event_count(output); i++) {
        struct xd_event_slot slot = {.len = ends[i] - from};
        slot.at = xd_blob_add_event(&part->events, output->events.data + from, slot.len);
        xd_buf_add(&part->event_slots, &slot, sizeof slot);
        from = ends[i];
    }
}

static void add_refusals(struct xd_part *part, const struct xd_output *output)
{
    uint32_t before = (uint32_t)(part->outcomes.len / sizeof(uint16_t));
    const struct xd_refusal *refusals = (const struct xd_refusal *)(const void *)output->refusals.data;
    for (size_t i = 0; i < output->refusals.len / sizeof *refusals; i++) {
        struct xd_refusal refusal = refusals[i];
        refusal.record += before;
        xd_buf_add(&part->refusals, &refusal, sizeof refusal);
    }
}

bool xd_batch_add_commit(struct xd_batch *batch, struct xd_part *part, const struct xd_commit *commit,
                         struct xd_refs *refs)
{
    const struct xd_output *output = commit->output;
    if (!part->committing) {
        part->committing = true;
        part->lease = commit->lease;
        part->committed_from = commit->previous;
        part->first_event = part->next_event = commit->first_event;
    }
    part->committed_to = commit->next;
    part->next_event += xd_output_event_count(output);
    size_t before = part->events.len + part->refusals.len;
    add_events(part, output);
    add_refusals(part, output);
    batch->cost += part->events.len + part->refusals.len - before;
    xd_buf_add(&part->outcomes, output->outcomes.data, output->outcomes.len);
    const struct xd_closed_ref *closed = (const struct xd_closed_ref *)(const void *)output->closed.data;
    for (size_t i = 0; i < output->closed.len / sizeof *closed; i++)
        close_ref(batch, &closed[i], refs);
    return !part->events.failed && !part->event_slots.failed && !part->outcomes.failed && !part->refusals.failed &&
           !batch->ref_ops.failed;
}

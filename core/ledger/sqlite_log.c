#include "core/ledger/sqlite_ledger.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

int64_t xd_sqlite_time(const struct xd_sqlite *ledger)
{
    int64_t now = ledger->clock_ms(ledger->clock_arg);
    return now > ledger->last_ms ? now : ledger->last_ms;
}

/* --- appending ------------------------------------------------------------------------------------------ */

struct refusal {
    struct xd_job job;
    xd_append_cb *callback;
    void *arg;
    enum xd_code code;
};

static void refusal_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    (void)ledger;
    struct refusal *refusal = (struct refusal *)job;
    refusal->callback(refusal->arg, &(struct xd_append_result){.code = refusal->code});
    free(refusal);
}

static void refuse(struct xd_sqlite *ledger, enum xd_code code, xd_append_cb *callback, void *arg)
{
    if (!callback) return;
    struct refusal *refusal = malloc(sizeof *refusal);
    if (!refusal) {
        callback(arg, &(struct xd_append_result){.code = XD_NO_MEMORY});
        return;
    }
    *refusal = (struct refusal){.job.done = refusal_done, .callback = callback, .arg = arg, .code = code};
    xd_sqlite_defer(ledger, &refusal->job);
}

static enum xd_code admit(const struct xd_sqlite *ledger, const struct xd_partition *p, size_t len)
{
    if (ledger->closing) return XD_DRAINING;
    if (!p) return XD_NOT_FOUND;
    if (p->refused != XD_OK) return p->refused;
    if (ledger->doomed != XD_OK) return ledger->doomed;
    if (len > XD_RECORD_BYTES_MAX) return XD_FRAME_TOO_LARGE;
    if (ledger->backlog + len + XD_SLOT_COST > ledger->backlog_limit) return XD_OVERLOADED;
    return XD_OK;
}

/* The run that takes the next record of `len` bytes; NULL without memory. */
static struct xd_run *open_run(struct xd_partition *p, size_t len)
{
    if (p->runs && xd_run_has_room(p->last_run, len)) return p->last_run;
    struct xd_run *run = xd_run_new(p->next_record);
    if (!run) return NULL;
    *(p->runs ? &p->last_run->next : &p->runs) = run;
    p->last_run = run;
    return run;
}

void xd_sqlite_append(struct xd_ledger *base, uint16_t partition, uint64_t order_id, const uint8_t *record,
                      size_t len, xd_append_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_partition *p = xd_sqlite_partition(ledger, partition);
    enum xd_code code = admit(ledger, p, len);
    struct xd_reservation *reservation = NULL;
    if (code == XD_OK && order_id != 0) {
        reservation = xd_refs_find_id(&ledger->refs, order_id);
        if (!reservation) code = XD_OVERLOADED;
    }
    if (code != XD_OK) {
        refuse(ledger, code, callback, arg);
        return;
    }
    bool first = reservation && reservation->state == XD_REF_RESERVED;
    struct xd_slot slot = {.callback = callback, .arg = arg, .time_ms = xd_sqlite_time(ledger)};
    slot.reservation = first ? reservation : NULL;
    struct xd_run *run = open_run(p, len);
    if (!run || !xd_run_add(run, &slot, record, len)) { /* an empty run is no harm */
        refuse(ledger, XD_NO_MEMORY, callback, arg);
        return;
    }
    if (first) xd_refs_append(&ledger->refs, reservation);
    p->used = true;
    p->next_record++;
    ledger->appended++;
    ledger->last_ms = slot.time_ms;
    ledger->backlog += len + XD_SLOT_COST;
    xd_sqlite_wake(ledger);
}

/* --- gathering ------------------------------------------------------------------------------------------ */

void xd_sqlite_doom(struct xd_sqlite *ledger, enum xd_code code)
{
    if (ledger->doomed == XD_OK) ledger->doomed = code;
    xd_sqlite_wake(ledger);
}

void xd_sqlite_commit(struct xd_ledger *base, const struct xd_commit *commit)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_partition *p = xd_sqlite_partition(ledger, commit->lease.partition);
    /* An owner without the lease has been told so already. */
    if (!xd_partition_holds(p, &commit->lease) || ledger->doomed != XD_OK) return;
    const struct xd_output *output = commit->output;
    if (commit->previous != p->committed || commit->first_event != p->next_event) {
        xd_sqlite_doom(ledger, XD_FENCED);
        return;
    }
    if (xd_output_failed(output)) {
        xd_sqlite_doom(ledger, XD_NO_MEMORY);
        return;
    }
    if (commit->next < commit->previous || commit->next > p->gathered ||
        output->outcomes.len != (commit->next - commit->previous) * sizeof(uint16_t)) {
        xd_sqlite_doom(ledger, XD_INTERNAL);
        return;
    }
    struct xd_part *part = xd_batch_part(ledger->gathering, p->id, p->gathered);
    size_t cost = ledger->gathering->cost;
    bool added = xd_batch_add_commit(ledger->gathering, part, commit, &ledger->refs);
    ledger->backlog += ledger->gathering->cost - cost;
    if (!added) {
        xd_sqlite_doom(ledger, XD_NO_MEMORY);
        return;
    }
    ledger->gathering->commits++;
    ledger->appended++;
    p->committed = commit->next;
    p->next_event += xd_output_event_count(output);
    xd_sqlite_wake(ledger);
}

static void give_to_follower(struct xd_sqlite *ledger, struct xd_partition *p, const struct xd_run *run)
{
    struct xd_log_entry *entries = malloc(run->count * sizeof *entries);
    if (!entries) {
        xd_sqlite_doom(ledger, XD_NO_MEMORY);
        return;
    }
    const struct xd_slot *slots = xd_run_slots(run);
    for (uint32_t i = 0; i < run->count; i++)
        entries[i] = (struct xd_log_entry){.offset = run->first + i,
                                           .time_ms = slots[i].time_ms,
                                           .bytes = run->bytes.data + slots[i].at,
                                           .len = slots[i].len};
    p->follow_next = run->first + run->count;
    p->follower.records(p->follower.arg, entries, run->count);
    free(entries);
}

static void gather(struct xd_sqlite *ledger, struct xd_partition *p)
{
    while (p->runs && !p->catching_up && ledger->doomed == XD_OK &&
           xd_batch_has_room(ledger->gathering, p->runs)) {
        struct xd_run *run = p->runs;
        struct xd_run *next = run->next;
        struct xd_part *part = xd_batch_part(ledger->gathering, p->id, p->gathered);
        if (!xd_batch_add_run(ledger->gathering, part, run)) {
            xd_sqlite_doom(ledger, XD_NO_MEMORY);
            return;
        }
        p->runs = next;
        p->gathered += run->count;
        if (p->follower.records) give_to_follower(ledger, p, run);
    }
}

static struct xd_batch *spare_batch(struct xd_sqlite *ledger)
{
    for (int i = 0; i < XD_BATCHES; i++) {
        if (!ledger->batches[i].in_use) {
            ledger->batches[i].in_use = true;
            return &ledger->batches[i];
        }
    }
    return NULL;
}

static void submit(struct xd_sqlite *ledger)
{
    struct xd_batch *batch = ledger->gathering;
    if (ledger->writing || xd_batch_empty(batch) || ledger->doomed != XD_OK) return;
    struct xd_batch *next = spare_batch(ledger);
    if (!next) return; /* the callbacks of the third are being called: the turn after them submits */
    batch->time_ms = ledger->last_ms;
    batch->serial = ++ledger->serial;
    for (uint32_t i = 0; i < batch->part_count; i++)
        batch->parts[i].last_order = ledger->partitions[batch->parts[i].partition].last_order;
    ledger->gathering = next;
    ledger->writing = batch;
    batch->job.run = xd_sqlite_write_batch;
    batch->job.done = xd_sqlite_batch_done;
    xd_sqlite_write(ledger, &batch->job);
}

static void fail(struct xd_sqlite *ledger, enum xd_code code, struct xd_batch *failed);

void xd_sqlite_turn(struct xd_sqlite *ledger)
{
    for (int i = 0; i < XD_PARTITIONS; i++) {
        if (ledger->partitions[i].runs) gather(ledger, &ledger->partitions[i]);
    }
    if (ledger->doomed != XD_OK && !ledger->writing) fail(ledger, ledger->doomed, NULL);
    submit(ledger);
}

/* --- what came of it ------------------------------------------------------------------------------------ */

static void answer_cursors(const struct xd_batch *batch, enum xd_code code)
{
    const struct xd_cursor_save *saves = (const struct xd_cursor_save *)(const void *)batch->cursors.data;
    for (size_t i = 0; i < batch->cursors.len / sizeof *saves; i++) {
        if (saves[i].callback) saves[i].callback(saves[i].arg, code);
    }
}

static void fail_runs(const struct xd_run *run, enum xd_code code)
{
    for (; run; run = run->next) {
        const struct xd_slot *slots = xd_run_slots(run);
        for (uint32_t i = 0; i < run->count; i++) {
            if (slots[i].callback) slots[i].callback(slots[i].arg, &(struct xd_append_result){.code = code});
        }
    }
}

static void fail_batch(struct xd_batch *batch, enum xd_code code)
{
    for (uint32_t i = 0; i < batch->part_count; i++)
        fail_runs(batch->parts[i].runs, code);
    answer_cursors(batch, code);
    xd_batch_clear(batch);
}

/* The refs that a batch would have stored. */
static void drop_refs(struct xd_sqlite *ledger, const struct xd_batch *batch)
{
    const struct xd_ref_op *ops = (const struct xd_ref_op *)(const void *)batch->ref_ops.data;
    for (size_t i = 0; i < batch->ref_ops.len / sizeof *ops; i++) {
        if (ops[i].change == XD_REF_STORE) xd_refs_drop(&ledger->refs, ops[i].reservation);
    }
}

static void drop_refs_of_runs(struct xd_sqlite *ledger, const struct xd_run *run)
{
    for (; run; run = run->next) {
        const struct xd_slot *slots = xd_run_slots(run);
        for (uint32_t i = 0; i < run->count; i++) {
            if (slots[i].reservation) xd_refs_drop(&ledger->refs, slots[i].reservation);
        }
    }
}

/* Back to what is on disk, as far as counters and refs go; order numbers are not used again, for someone may
 * hold one. */
static struct xd_run *roll_back(struct xd_sqlite *ledger, struct xd_partition *p, enum xd_code code)
{
    struct xd_run *runs = p->runs;
    drop_refs_of_runs(ledger, runs);
    p->runs = NULL;
    p->next_record = p->gathered = p->durable.next_record;
    p->committed = p->durable.committed;
    p->next_event = p->durable.next_event;
    p->lease.epoch = 0;
    p->refused = code;
    return runs;
}

/* Everything that is not durable is lost: `failed` (NULL: none was being written), what was gathered, and
 * what waits. All state goes back before the first callback, since a callback may call the ledger. */
static void fail(struct xd_sqlite *ledger, enum xd_code code, struct xd_batch *failed)
{
    struct xd_batch *gathered = ledger->gathering;
    struct xd_run *runs[XD_PARTITIONS] = {NULL};
    struct xd_partition *p = ledger->partitions;
    ledger->doomed = XD_OK;
    xd_sqlite_settle_up_to(ledger, ledger->appended, code);
    ledger->appended = ledger->stored;
    ledger->last_ms = ledger->durable_last_ms;
    ledger->backlog = 0;
    if (failed) drop_refs(ledger, failed);
    drop_refs(ledger, gathered);
    xd_refs_give_up_reserved(&ledger->refs);
    for (int i = 0; i < XD_PARTITIONS; i++) {
        if (p[i].used) runs[i] = roll_back(ledger, &p[i], code);
    }
    xd_refs_show_stored(&ledger->refs);
    ledger->gathering = spare_batch(ledger);

    if (failed) fail_batch(failed, code);
    fail_batch(gathered, code);
    for (int i = 0; i < XD_PARTITIONS; i++) {
        fail_runs(runs[i], code);
        while (runs[i]) {
            struct xd_run *next = runs[i]->next;
            xd_run_free(runs[i]);
            runs[i] = next;
        }
    }
    for (int i = 0; i < XD_PARTITIONS; i++) {
        if (p[i].used) {
            xd_sqlite_stop_saving(&p[i], code);
            xd_sqlite_lose(&p[i], code);
        }
    }
}

static void count_as_durable(struct xd_sqlite *ledger, const struct xd_batch *batch)
{
    for (uint32_t i = 0; i < batch->part_count; i++) {
        const struct xd_part *part = &batch->parts[i];
        struct xd_partition *p = &ledger->partitions[part->partition];
        p->durable.next_record = part->next_record;
        if (part->committing) {
            p->durable.committed = part->committed_to;
            p->durable.next_event = part->next_event;
        }
    }
    const struct xd_ref_op *ops = (const struct xd_ref_op *)(const void *)batch->ref_ops.data;
    for (size_t i = 0; i < batch->ref_ops.len / sizeof *ops; i++) {
        if (ops[i].change == XD_REF_STORE) xd_refs_store(&ledger->refs, ops[i].reservation, batch->serial);
    }
    xd_sqlite_count_unfolded(ledger, batch);
    ledger->durable_last_ms = batch->time_ms;
    ledger->stored += batch->records + batch->commits;
    xd_sqlite_settle_up_to(ledger, ledger->stored,
                           XD_OK); /* told from the event loop: after all that comes of this */
    ledger->backlog -= batch->cost;
}

/* What the engine made of a record. `*refusals` counts those that have been told: they are in the records' order. */
static void tell_outcome(const struct xd_part *part, size_t *refusals, struct xd_append_result *result)
{
    const uint16_t *outcomes = (const uint16_t *)(const void *)part->outcomes.data;
    const struct xd_refusal *refusal = (const struct xd_refusal *)(const void *)part->refusals.data;
    if (!part->committing || result->offset < part->committed_from || result->offset >= part->committed_to) return;
    uint64_t record = result->offset - part->committed_from;
    result->outcome_known = true;
    result->outcome = xd_outcome_code(outcomes[record]);
    result->note = xd_outcome_note(outcomes[record]);
    size_t count = part->refusals.len / sizeof *refusal;
    while (*refusals < count && refusal[*refusals].record < record) {
        ++*refusals;
    }
    if (*refusals < count && refusal[*refusals].record == record) result->refusal = &refusal[*refusals].error;
}

static void acknowledge(const struct xd_sqlite *ledger, const struct xd_part *part)
{
    size_t refusals = 0;
    for (const struct xd_run *run = part->runs; run; run = run->next) {
        const struct xd_slot *slots = xd_run_slots(run);
        for (uint32_t i = 0; i < run->count; i++) {
            struct xd_append_result result = {.offset = run->first + i, .reached = ledger->reached};
            tell_outcome(part, &refusals, &result);
            if (slots[i].callback) slots[i].callback(slots[i].arg, &result);
        }
    }
}

static void tell_events(struct xd_sqlite *ledger, const struct xd_part *part)
{
    uint32_t count = (uint32_t)(part->event_slots.len / sizeof(struct xd_event_slot));
    if (!part->committing || count == 0) return;
    struct xd_partition *p = &ledger->partitions[part->partition];
    const struct xd_event_slot *slots = (const struct xd_event_slot *)(const void *)part->event_slots.data;
    struct xd_event_ref some[256];
    for (uint32_t i = 0; i < count;) {
        uint32_t n = 0;
        for (; i < count && n < sizeof some / sizeof *some; i++, n++)
            some[n] = (struct xd_event_ref){.offset = part->first_event + i,
                                            .bytes = part->events.data + slots[i].at,
                                            .len = slots[i].len};
        p->told_events = part->first_event + i;
        if (ledger->on_events) ledger->on_events(ledger->on_events_arg, p->id, some, n);
    }
}

static void succeed(struct xd_sqlite *ledger, struct xd_batch *batch)
{
    count_as_durable(ledger, batch);
    xd_sqlite_turn(ledger); /* the disk is busy again while the callbacks run */
    xd_sqlite_fold_if_much(ledger);
    for (uint32_t i = 0; i < batch->part_count; i++)
        acknowledge(ledger, &batch->parts[i]);
    answer_cursors(batch, XD_OK);
    for (uint32_t i = 0; i < batch->part_count; i++)
        tell_events(ledger, &batch->parts[i]);
    xd_batch_clear(batch);
    for (int i = 0; i < XD_PARTITIONS; i++) {
        struct xd_partition *p = &ledger->partitions[i];
        if (p->catching_up) xd_sqlite_catch_up(ledger, p);
        if (p->save) xd_sqlite_go_on_saving(ledger, p);
    }
    xd_sqlite_wake(ledger);
}

void xd_sqlite_batch_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    struct xd_batch *batch = (struct xd_batch *)job;
    ledger->writing = NULL;
    if (batch->code == XD_OK)
        succeed(ledger, batch);
    else if (batch->part_count > 0)
        fail(ledger, batch->code, batch);
    else
        fail_batch(batch, batch->code); /* cursors alone: nobody built on them */
    xd_sqlite_wake(ledger);
}

/* --- refusals ------------------------------------------------------------------------------------------- */

struct done_refusal {
    struct xd_job job;
    xd_done_cb *callback;
    void *arg;
    enum xd_code code;
};

static void done_refusal_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    (void)ledger;
    struct done_refusal *refusal = (struct done_refusal *)job;
    refusal->callback(refusal->arg, refusal->code);
    free(refusal);
}

void xd_sqlite_refuse_done(struct xd_sqlite *ledger, enum xd_code code, xd_done_cb *callback, void *arg)
{
    if (!callback) return;
    struct done_refusal *refusal = malloc(sizeof *refusal);
    if (!refusal) {
        callback(arg, XD_NO_MEMORY);
        return;
    }
    *refusal =
        (struct done_refusal){.job.done = done_refusal_done, .callback = callback, .arg = arg, .code = code};
    xd_sqlite_defer(ledger, &refusal->job);
}

/* --- cursors -------------------------------------------------------------------------------------------- */

void xd_sqlite_save_cursor(struct xd_ledger *base, struct xd_str account, struct xd_str name,
                           struct xd_str cursor, xd_done_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    if (ledger->closing || account.len > XD_ACCOUNT_MAX || name.len > XD_REF_MAX) {
        xd_sqlite_refuse_done(ledger, ledger->closing ? XD_DRAINING : XD_TOO_LONG, callback, arg);
        return;
    }
    struct xd_event_id next;
    if (!xd_cursor_parse(cursor.at, cursor.len, &next)) {
        xd_sqlite_refuse_done(ledger, XD_BAD_CURSOR, callback, arg);
        return;
    }
    struct xd_cursor_save save = {.next = next,
                                  .callback = callback,
                                  .arg = arg,
                                  .account_len = (uint8_t)account.len,
                                  .name_len = (uint8_t)name.len};
    memcpy(save.account, account.at, account.len);
    memcpy(save.name, name.at, name.len);
    struct xd_buf *cursors = &ledger->gathering->cursors;
    xd_buf_add(cursors, &save, sizeof save);
    if (cursors->failed) {
        cursors->failed = false;
        xd_sqlite_refuse_done(ledger, XD_OVERLOADED, callback, arg);
        return;
    }
    xd_sqlite_wake(ledger);
}

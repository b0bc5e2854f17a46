#include "tests/sim/ledger_parts.h"

enum { RUN_RECORDS = 64, AGAIN_US = 20 * SIM_MS };

/* --- appends -------------------------------------------------------------------------------------------- */

struct append_call {
    struct sim_call call;
    struct sim_lane *lane;
    uint64_t who, serial, first;
    int64_t ms;
    struct sim_bytes *records;
    size_t count;
};

static struct sim_bytes *copy_records(const struct sim_bytes *records, size_t count)
{
    struct sim_bytes *copies = sim_new((count ? count : 1) * sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        copies[i] = (struct sim_bytes){sim_copy(records[i].at, records[i].len), records[i].len};
    }
    return copies;
}

static void free_records(struct sim_bytes *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(records[i].at);
    }
    free(records);
}

static void append_destroy(struct sim_call *call)
{
    struct append_call *append = (struct append_call *)call;
    free_records(append->records, append->count);
    free(append);
}

static bool append_run(struct sim_store *store, struct sim_call *call)
{
    struct append_call *append = (struct append_call *)call;
    append->first = sim_append(store, call->partition, append->who, append->serial, append->records,
                               append->count, &append->ms);
    return true;
}

/* Answers all of the batch that is under way. */
static void answer_batch(struct sim_lane *lane, enum xd_code code, uint64_t first)
{
    struct sim_batch batch = lane->sent;
    lane->sent = (struct sim_batch){0};
    for (size_t i = 0; i < batch.count; i++) {
        struct xd_append_result result = {
            .code = code, .offset = first + i, .reached = XD_DURABILITY_FSYNCED};
        if (batch.slots[i].callback) batch.slots[i].callback(batch.slots[i].arg, &result);
    }
    free_records(batch.records, batch.count);
    free(batch.slots);
}

static void append_again(void *arg)
{
    struct sim_lane *lane = arg;
    lane->appending = false;
    sim_lane_go_on_appending(lane);
}

static void append_done(struct sim_call *call, bool answered)
{
    struct append_call *append = (struct append_call *)call;
    struct sim_lane *lane = append->lane;
    bool past = sim_lane_is_past(lane, call) || call->generation != lane->generation;
    if (answered && !past) {
        sim_ledger_note_clock(lane->ledger, append->ms);
        lane->appending = false;
        answer_batch(lane, XD_OK, append->first);
        sim_lane_go_on_appending(lane);
    } else if (lane->ledger->dead) {
        lane->appending = false;
    } else {
        sim_ledger_later(lane->ledger, AGAIN_US, append_again, lane);
    }
}

void sim_lane_go_on_appending(struct sim_lane *lane)
{
    if (lane->appending || lane->ledger->dead) return;
    if (!lane->sent.count) {
        lane->sent = lane->gathered;
        lane->gathered = (struct sim_batch){0};
    }
    if (!lane->sent.count) return;
    if (!lane->sent.serial) lane->sent.serial = ++lane->serial;
    struct append_call *append = sim_new(sizeof *append);
    *append = (struct append_call){.call = {.run = append_run,
                                            .done = append_done,
                                            .destroy = append_destroy,
                                            .partition = lane->partition,
                                            .generation = lane->generation},
                                   .lane = lane,
                                   .who = lane->ledger->id,
                                   .serial = lane->sent.serial,
                                   .records = copy_records(lane->sent.records, lane->sent.count),
                                   .count = lane->sent.count};
    lane->appending = true;
    sim_send(lane->ledger->process, &append->call);
}

void sim_ledger_append(struct xd_ledger *base, uint16_t partition, uint64_t order_id, const uint8_t *record,
                       size_t len, xd_append_cb *callback, void *arg)
{
    struct sim_lane *lane = sim_lane_of(base, partition);
    struct sim_batch *batch = &lane->gathered;
    (void)order_id;
    batch->records = sim_grown(batch->records, batch->count, sizeof *batch->records);
    batch->slots = sim_grown(batch->slots, batch->count, sizeof *batch->slots);
    batch->records[batch->count] = (struct sim_bytes){sim_copy(record, len), len};
    batch->slots[batch->count++] = (struct sim_slot){callback, arg};
    sim_lane_go_on_appending(lane);
}

void sim_lane_refuse_appends(struct sim_lane *lane, enum xd_code code)
{
    answer_batch(lane, code, 0);
    lane->sent = lane->gathered;
    lane->gathered = (struct sim_batch){0};
    answer_batch(lane, code, 0);
}

/* --- the log read, and followed ------------------------------------------------------------------------- */

struct read_call {
    struct sim_call call;
    struct sim_lane *lane;
    uint64_t from, follower, committed, events;
    struct xd_log_entry *entries;
    uint32_t count;
    xd_log_run_cb *callback; /* NULL: for the follower */
    void *arg;
};

static void read_destroy(struct sim_call *call)
{
    struct read_call *read = (struct read_call *)call;
    for (uint32_t i = 0; i < read->count; i++) {
        free((uint8_t *)(uintptr_t)read->entries[i].bytes);
    }
    free(read->entries);
    free(read);
}

static bool read_run(struct sim_store *store, struct sim_call *call)
{
    struct read_call *read = (struct read_call *)call;
    const struct sim_part *part = &store->parts[call->partition];
    if (!read->callback && part->record_count <= read->from) return false;
    read->committed = part->done;
    read->events = part->event_count;
    for (uint64_t i = read->from; i < part->record_count && read->count < RUN_RECORDS; i++) {
        const struct sim_record *record = &part->records[i];
        read->entries = sim_grown(read->entries, read->count, sizeof *read->entries);
        read->entries[read->count++] =
            (struct xd_log_entry){.offset = i,
                                  .time_ms = record->time_ms,
                                  .bytes = sim_copy(record->bytes.at, record->bytes.len),
                                  .len = record->bytes.len};
    }
    return true;
}

static void read_done(struct sim_call *call, bool answered)
{
    struct read_call *read = (struct read_call *)call;
    bool past = sim_lane_is_past(read->lane, call);
    struct xd_log_run run = {.code = answered && !past ? XD_OK : XD_STORAGE_FAILED,
                             .entries = read->entries,
                             .count = read->count,
                             .committed = read->committed,
                             .events = read->events};
    read->callback(read->arg, &run);
}

static struct read_call *make_read(struct sim_lane *lane, uint64_t from)
{
    struct read_call *read = sim_new(sizeof *read);
    *read = (struct read_call){.call = {.run = read_run,
                                        .destroy = read_destroy,
                                        .partition = lane->partition,
                                        .generation = lane->generation},
                               .lane = lane,
                               .from = from};
    return read;
}

void sim_ledger_read_log(struct xd_ledger *base, uint16_t partition, uint64_t from, size_t max_bytes,
                         xd_log_run_cb *callback, void *arg)
{
    (void)max_bytes;
    struct sim_lane *lane = sim_lane_of(base, partition);
    struct read_call *read = make_read(lane, from);
    read->call.done = read_done;
    read->callback = callback;
    read->arg = arg;
    sim_send(lane->ledger->process, &read->call);
}

static void follow_again(void *arg)
{
    struct sim_lane *lane = arg;
    if (!lane->ledger->dead) sim_lane_go_on_following(lane);
}

static void follow_done(struct sim_call *call, bool answered)
{
    struct read_call *read = (struct read_call *)call;
    struct sim_lane *lane = read->lane;
    if (sim_lane_is_past(lane, call)) return;
    if (read->follower != lane->follower || !lane->records) return;
    lane->reading = false;
    if (!answered) {
        if (!lane->ledger->dead) sim_ledger_later(lane->ledger, AGAIN_US, follow_again, lane);
        return;
    }
    lane->next += read->count;
    lane->records(lane->lost_arg, read->entries, read->count);
    sim_lane_go_on_following(lane);
}

void sim_lane_go_on_following(struct sim_lane *lane)
{
    if (!lane->records || lane->reading) return;
    struct read_call *read = make_read(lane, lane->next);
    read->call.done = follow_done;
    read->call.apart = true;
    read->follower = lane->follower;
    lane->reading = true;
    sim_send(lane->ledger->process, &read->call);
}

struct too_late {
    xd_lost_cb *lost;
    void *arg;
};

static void tell_too_late(void *arg)
{
    struct too_late late = *(struct too_late *)arg;
    free(arg);
    late.lost(late.arg, XD_FENCED);
}

void sim_ledger_follow_log(struct xd_ledger *base, const struct xd_lease *lease, uint64_t from,
                           xd_records_cb *records, xd_lost_cb *lost, void *arg)
{
    struct sim_lane *lane = sim_lane_of(base, lease->partition);
    lane->follower++;
    lane->reading = false;
    lane->records = records;
    lane->lost = lost;
    lane->lost_arg = arg;
    lane->next = from;
    if (sim_lane_holds(lane, lease)) {
        sim_lane_go_on_following(lane);
        return;
    }
    lane->records = NULL;
    struct too_late *late = sim_new(sizeof *late);
    *late = (struct too_late){lost, arg};
    sim_ledger_later(lane->ledger, 0, tell_too_late, late);
}

/* --- commits -------------------------------------------------------------------------------------------- */

enum { OUTPUT_LIMIT = 64 << 20 };

struct commit_call {
    struct sim_call call;
    struct sim_lane *lane;
    struct sim_commit commit;
    struct xd_output output;
    enum xd_code code;
};

static void copy_buf(struct xd_buf *to, const struct xd_buf *from)
{
    xd_buf_init(to, OUTPUT_LIMIT);
    xd_buf_add(to, from->data, from->len);
}

static void copy_output(struct xd_output *to, const struct xd_output *from)
{
    xd_output_init(to, OUTPUT_LIMIT);
    copy_buf(&to->events, &from->events);
    copy_buf(&to->ends, &from->ends);
    copy_buf(&to->outcomes, &from->outcomes);
    copy_buf(&to->closed, &from->closed);
    copy_buf(&to->messages, &from->messages);
    copy_buf(&to->envelopes, &from->envelopes);
    copy_buf(&to->seen, &from->seen);
}

static void commit_destroy(struct sim_call *call)
{
    struct commit_call *commit = (struct commit_call *)call;
    xd_output_free(&commit->output);
    free(commit);
}

static bool commit_run(struct sim_store *store, struct sim_call *call)
{
    struct commit_call *commit = (struct commit_call *)call;
    commit->code = sim_commit(store, call->partition, &commit->commit);
    return true;
}

static void take_first(struct sim_lane *lane)
{
    struct sim_commit_node *node = lane->commits;
    lane->commits = node->next;
    xd_output_free(&node->output);
    free(node);
}

void sim_lane_forget_commits(struct sim_lane *lane)
{
    while (lane->commits) {
        take_first(lane);
    }
}

static void commit_again(void *arg)
{
    struct sim_lane *lane = arg;
    lane->committing = false;
    sim_lane_go_on_committing(lane);
}

static void commit_done(struct sim_call *call, bool answered)
{
    struct commit_call *commit = (struct commit_call *)call;
    struct sim_lane *lane = commit->lane;
    struct sim_ledger *ledger = lane->ledger;
    bool present = lane->commits && lane->commits->commit.epoch == commit->commit.epoch;
    if (ledger->dead) {
        lane->committing = false;
        return;
    }
    if (!answered && present) {
        sim_ledger_later(ledger, AGAIN_US, commit_again, lane);
        return;
    }
    lane->committing = false;
    present = present && !sim_lane_is_past(lane, call);
    if (answered && present && commit->code == XD_OK) {
        take_first(lane);
        if (ledger->stored)
            ledger->stored(ledger->stored_arg, (uint16_t)(ledger->world->store->first + lane->partition));
    } else if (answered && present) {
        sim_say(ledger->world, "p%u: %s is fenced", lane->partition, ledger->process->name);
        sim_lane_lose(lane, XD_FENCED);
    }
    sim_lane_go_on_committing(lane);
}

void sim_lane_go_on_committing(struct sim_lane *lane)
{
    if (lane->committing || lane->ledger->dead) return;
    if (!lane->commits) {
        sim_lane_go_on_releasing(lane);
        return;
    }
    struct commit_call *commit = sim_new(sizeof *commit);
    *commit = (struct commit_call){.call = {.run = commit_run,
                                            .done = commit_done,
                                            .destroy = commit_destroy,
                                            .partition = lane->partition,
                                            .generation = lane->generation},
                                   .lane = lane,
                                   .commit = lane->commits->commit};
    copy_output(&commit->output, &lane->commits->output);
    commit->commit.output = &commit->output;
    lane->committing = true;
    sim_send(lane->ledger->process, &commit->call);
}

void sim_ledger_commit(struct xd_ledger *base, const struct xd_commit *commit)
{
    struct sim_lane *lane = sim_lane_of(base, commit->lease.partition);
    struct sim_commit_node *node = sim_new(sizeof *node);
    *node = (struct sim_commit_node){.commit = {.epoch = commit->lease.epoch,
                                                .nonce = commit->lease.nonce,
                                                .previous = commit->previous,
                                                .next = commit->next,
                                                .first_event = commit->first_event}};
    copy_output(&node->output, commit->output);
    *(lane->commits ? &lane->last_commit->next : &lane->commits) = node;
    lane->last_commit = node;
    sim_lane_go_on_committing(lane);
}

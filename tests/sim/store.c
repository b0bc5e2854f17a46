#include "tests/sim/store.h"

#include "core/id.h"
#include "core/record.h"
#include "tests/sim/audit.h"

#include <stdlib.h>
#include <string.h>

struct sim_store *sim_store_create(struct sim_world *world, uint16_t first, unsigned count)
{
    struct sim_store *store = sim_new(sizeof *store);
    *store = (struct sim_store){.world = world, .first = first, .count = count};
    return store;
}

static void part_free(struct sim_part *part)
{
    for (size_t i = 0; i < part->record_count; i++) {
        free(part->records[i].bytes.at);
    }
    for (size_t i = 0; i < part->event_count; i++) {
        free(part->events[i].bytes.at);
    }
    for (size_t i = 0; i < part->waiting_count; i++) {
        part->waiting[i]->destroy(part->waiting[i]);
    }
    for (size_t i = 0; i < part->outbox_count; i++) {
        free(part->outbox[i].bytes.at);
    }
    free(part->records);
    free(part->outbox);
    free(part->events);
    free(part->appenders);
    free(part->waiting);
    for (size_t i = 0; i < part->snapshot_count; i++) {
        free(part->snapshots[i].state.at);
    }
    free(part->snapshots);
    free(part->marks);
    free(part->begins);
}

void sim_store_destroy(struct sim_store *store)
{
    for (unsigned i = 0; i < store->count; i++) {
        part_free(&store->parts[i]);
    }
    for (size_t i = 0; i < store->ref_count; i++) {
        free((char *)(uintptr_t)store->refs[i].account.at);
        free((char *)(uintptr_t)store->refs[i].ref.at);
    }
    free(store->refs);
    free(store);
}

int64_t sim_store_ms(const struct sim_store *store)
{
    return (store->world->now_us + store->clock_us) / 1000;
}

/* --- members and leases --------------------------------------------------------------------------------- */

void sim_leave(struct sim_store *store, uint64_t member)
{
    unsigned left = 0;
    for (unsigned i = 0; i < store->member_count; i++) {
        if (store->members[i].id != member) store->members[left++] = store->members[i];
    }
    store->member_count = left;
}

unsigned sim_heartbeat(struct sim_store *store, uint64_t member, uint64_t *out)
{
    int64_t now = sim_store_ms(store);
    unsigned left = 0;
    if (member) {
        sim_leave(store, member);
        store->members[store->member_count++] = (struct sim_member){member, now};
    }
    for (unsigned i = 0; i < store->member_count; i++) {
        int64_t age = now - store->members[i].seen_ms;
        if (age <= SIM_LEASE_MS && age >= -SIM_LEASE_MS) store->members[left++] = store->members[i];
    }
    store->member_count = left;
    for (unsigned i = 0; i < left; i++) {
        out[i] = store->members[i].id;
    }
    return left;
}

bool sim_acquire(struct sim_store *store, unsigned partition, uint64_t member, uint64_t nonce,
                 uint64_t *epoch, int64_t *until_ms)
{
    struct sim_part *part = &store->parts[partition];
    int64_t now = sim_store_ms(store);
    *until_ms = part->until_ms;
    if (part->until_ms > now && part->member != member) return false;
    part->epoch++;
    part->nonce = nonce;
    part->member = member;
    part->until_ms = now + SIM_LEASE_MS;
    *epoch = part->epoch;
    sim_mark(store, partition);
    sim_say(store->world, "p%u: epoch %llu to %llx", partition, (unsigned long long)part->epoch,
            (unsigned long long)member);
    return true;
}

static bool holds(const struct sim_part *part, uint64_t epoch, uint64_t nonce)
{
    return part->epoch == epoch && part->nonce == nonce;
}

bool sim_renew(struct sim_store *store, unsigned partition, uint64_t epoch, uint64_t nonce)
{
    struct sim_part *part = &store->parts[partition];
    if (!holds(part, epoch, nonce)) return false;
    part->until_ms = sim_store_ms(store) + SIM_LEASE_MS;
    return true;
}

void sim_release(struct sim_store *store, unsigned partition, uint64_t epoch, uint64_t nonce)
{
    struct sim_part *part = &store->parts[partition];
    if (!holds(part, epoch, nonce)) return;
    part->until_ms = 0;
    part->nonce = 0;
}

/* --- the log -------------------------------------------------------------------------------------------- */

static struct sim_appender *find_appender(struct sim_part *part, uint64_t who)
{
    for (size_t i = 0; i < part->appender_count; i++) {
        if (part->appenders[i].who == who) return &part->appenders[i];
    }
    part->appenders = sim_grown(part->appenders, part->appender_count, sizeof *part->appenders);
    part->appenders[part->appender_count] = (struct sim_appender){.who = who};
    return &part->appenders[part->appender_count++];
}

uint64_t sim_append(struct sim_store *store, unsigned partition, uint64_t who, uint64_t serial,
                    const struct sim_bytes *records, size_t count, int64_t *ms)
{
    struct sim_part *part = &store->parts[partition];
    struct sim_appender *appender = find_appender(part, who);
    if (appender->serial >= serial) {
        *ms = appender->ms;
        return appender->first;
    }
    int64_t now = sim_store_ms(store);
    if (now > part->last_ms) part->last_ms = now;
    *appender = (struct sim_appender){who, serial, part->record_count, part->last_ms};
    for (size_t i = 0; i < count; i++) {
        part->records = sim_grown(part->records, part->record_count, sizeof *part->records);
        part->records[part->record_count++] = (struct sim_record){
            .time_ms = part->last_ms, .bytes = {sim_copy(records[i].at, records[i].len), records[i].len}};
    }
    *ms = part->last_ms;
    uint64_t first = appender->first;
    sim_mark(store, partition);
    sim_store_changed(store, partition);
    return first;
}

/* --- commits -------------------------------------------------------------------------------------------- */

static void add_event(struct sim_store *store, unsigned partition, const uint8_t *bytes, size_t len)
{
    struct sim_part *part = &store->parts[partition];
    part->events = sim_grown(part->events, part->event_count, sizeof *part->events);
    part->events[part->event_count++] = (struct sim_event){{sim_copy(bytes, len), len}, store->events++};
    sim_audit_event(store->world, partition, &part->events[part->event_count - 1].bytes);
}

static bool same_text(struct xd_str a, const char *b, size_t len)
{
    return a.len == len && !memcmp(a.at, b, len);
}

/* A refused order frees its ref. */
static void free_refs(struct sim_store *store, const struct xd_buf *closed)
{
    const struct xd_closed_ref *all = (const struct xd_closed_ref *)(const void *)closed->data;
    for (size_t i = 0; i < closed->len / sizeof *all; i++) {
        for (size_t k = 0; all[i].freed && k < store->ref_count; k++) {
            struct sim_ref *ref = &store->refs[k];
            if (ref->id != all[i].order_id || !same_text(ref->ref, all[i].ref, all[i].ref_len)) continue;
            free((char *)(uintptr_t)ref->account.at);
            free((char *)(uintptr_t)ref->ref.at);
            *ref = store->refs[--store->ref_count];
        }
    }
}

static void add_messages(struct sim_store *store, struct sim_part *part, const struct xd_output *output)
{
    for (uint32_t i = 0; i < xd_output_message_count(output); i++) {
        struct xd_str bytes;
        struct xd_message message = xd_output_message(output, i, &bytes);
        if (message.to < store->first || message.to >= store->first + store->count) {
            sim_fail(store->world, "a message to partition %u, which there is not", message.to);
            return;
        }
        part->outbox = sim_grown(part->outbox, part->outbox_count, sizeof *part->outbox);
        part->outbox[part->outbox_count++] =
            (struct sim_message){.number = ++part->outbox_numbers,
                                 .message = message,
                                 .bytes = {sim_copy(bytes.at, bytes.len), bytes.len}};
    }
}

void sim_trim_outbox(struct sim_store *store, unsigned partition, uint64_t up_to)
{
    struct sim_part *part = &store->parts[partition];
    size_t gone = 0;
    while (gone < part->outbox_count && part->outbox[gone].number <= up_to) {
        free(part->outbox[gone++].bytes.at);
    }
    if (!gone) return; /* what is left of the array keeps the room that its growth goes by */
    size_t left = part->outbox_count - gone;
    struct sim_message *rest = NULL;
    for (size_t i = 0; i < left; i++) {
        rest = sim_grown(rest, i, sizeof *rest);
        rest[i] = part->outbox[gone + i];
    }
    free(part->outbox);
    part->outbox = rest;
    part->outbox_count = left;
}

static void note_seen(struct sim_store *store, struct sim_part *part, const struct xd_output *output)
{
    const struct xd_heard_mark *marks = (const struct xd_heard_mark *)(const void *)output->seen.data;
    for (size_t i = 0; i < output->seen.len / sizeof *marks; i++) {
        part->seen[marks[i].from - store->first] =
            (struct sim_seen){marks[i].seen.from_gen, marks[i].seen.to_gen, marks[i].seen.seq};
    }
}

static enum xd_code compare(const struct sim_store *store, const struct sim_part *part,
                            const struct sim_commit *commit, bool *stored)
{
    bool mine = part->epoch == commit->epoch && part->nonce == commit->nonce;
    unsigned mutants = store->world->settings.mutants;
    *stored = false;
    if (!mine && !(mutants & (SIM_NO_EPOCH | SIM_NO_FENCE))) return XD_FENCED;
    if (mutants & SIM_NO_FENCE) return XD_OK;
    uint64_t next_event = commit->first_event + xd_output_event_count(commit->output);
    *stored = part->done == commit->next && part->event_count == next_event;
    if (*stored) return XD_OK;
    bool continues = part->done == commit->previous && part->event_count == commit->first_event;
    return continues && commit->next <= part->record_count ? XD_OK : XD_FENCED;
}

enum xd_code sim_commit(struct sim_store *store, unsigned partition, const struct sim_commit *commit)
{
    struct sim_part *part = &store->parts[partition];
    const struct xd_output *output = commit->output;
    bool stored;
    enum xd_code code = compare(store, part, commit, &stored);
    if (code != XD_OK || stored) return code;
    sim_audit_commit(store->world, partition, part, commit);
    const size_t *ends = (const size_t *)(const void *)output->ends.data;
    size_t start = 0;
    for (uint32_t i = 0; i < xd_output_event_count(output); i++) {
        add_event(store, partition, output->events.data + start, ends[i] - start);
        start = ends[i];
    }
    free_refs(store, &output->closed);
    add_messages(store, part, output);
    note_seen(store, part, output);
    part->done = commit->next;
    sim_mark(store, partition);
    sim_store_changed(store, partition);
    return XD_OK;
}

enum xd_code sim_save(struct sim_store *store, unsigned partition, uint64_t epoch, uint64_t nonce,
                      const struct sim_snapshot *snapshot)
{
    struct sim_part *part = &store->parts[partition];
    if (!holds(part, epoch, nonce) || snapshot->next_record > part->done) return XD_FENCED;
    size_t count = part->snapshot_count;
    if (count && part->snapshots[count - 1].next_record > snapshot->next_record) return XD_FENCED;
    part->snapshots = sim_grown(part->snapshots, count, sizeof *part->snapshots);
    part->snapshots[count] = *snapshot;
    part->snapshots[count].state.at = sim_copy(snapshot->state.at, snapshot->state.len);
    part->snapshot_count++;
    sim_mark(store, partition);
    return XD_OK;
}

/* --- refs ----------------------------------------------------------------------------------------------- */

enum xd_code sim_reserve(struct sim_store *store, unsigned partition, struct xd_str account,
                         struct xd_str ref, struct xd_digest digest, uint64_t *id)
{
    for (size_t i = 0; i < store->ref_count && !(store->world->settings.mutants & SIM_NO_REFS); i++) {
        const struct sim_ref *known = &store->refs[i];
        if (!xd_str_equal(known->account, account) || !xd_str_equal(known->ref, ref)) continue;
        *id = known->id;
        return known->digest.high == digest.high && known->digest.low == digest.low ? XD_OK : XD_REF_CONFLICT;
    }
    *id = xd_id((uint16_t)(store->first + partition), ++store->parts[partition].orders);
    store->refs = sim_grown(store->refs, store->ref_count, sizeof *store->refs);
    store->refs[store->ref_count++] =
        (struct sim_ref){.account = {sim_copy(account.at, account.len), account.len},
                         .ref = {sim_copy(ref.at, ref.len), ref.len},
                         .digest = digest,
                         .id = *id};
    return XD_OK;
}

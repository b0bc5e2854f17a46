/* Lost writes: a partition goes back to what it was at some moment, as after a fail-over to a replica that
 * was behind, and begins a new generation (docs/CLUSTER.md, Generations). */
#include "core/record.h"
#include "tests/sim/audit.h"
#include "tests/sim/store.h"

#include <stdlib.h>
#include <string.h>

void sim_mark(struct sim_store *store, unsigned partition)
{
    struct sim_part *part = &store->parts[partition];
    struct sim_mark mark = {.at_us = store->world->now_us,
                            .epoch = part->epoch,
                            .nonce = part->nonce,
                            .member = part->member,
                            .until_ms = part->until_ms,
                            .last_ms = part->last_ms,
                            .records = part->record_count,
                            .done = part->done,
                            .events = part->event_count,
                            .outbox_numbers = part->outbox_numbers,
                            .snapshots = part->snapshot_count};
    memcpy(mark.seen, part->seen, sizeof mark.seen);
    part->marks = sim_grown(part->marks, part->mark_count, sizeof *part->marks);
    part->marks[part->mark_count++] = mark;
}

static void cut_log(struct sim_part *part, const struct sim_mark *mark)
{
    while (part->record_count > mark->records) {
        free(part->records[--part->record_count].bytes.at);
    }
    while (part->event_count > mark->events) {
        free(part->events[--part->event_count].bytes.at);
    }
    while (part->snapshot_count > mark->snapshots) {
        free(part->snapshots[--part->snapshot_count].state.at);
    }
    while (part->outbox_count && part->outbox[part->outbox_count - 1].number > mark->outbox_numbers) {
        free(part->outbox[--part->outbox_count].bytes.at);
    }
    for (size_t i = 0; i < part->appender_count; i++) {
        struct sim_appender *appender = &part->appenders[i];
        if (appender->serial && appender->first >= mark->records) appender->serial--;
    }
}

static void go_back(struct sim_part *part, const struct sim_mark *mark)
{
    cut_log(part, mark);
    part->epoch = mark->epoch;
    part->nonce = mark->nonce;
    part->member = mark->member;
    part->until_ms = mark->until_ms;
    part->last_ms = mark->last_ms;
    part->done = mark->done;
    part->outbox_numbers = mark->outbox_numbers;
    memcpy(part->seen, mark->seen, sizeof part->seen);
}

static void begin_generation(struct sim_store *store, unsigned partition)
{
    struct sim_part *part = &store->parts[partition];
    struct xd_buf packed;
    int64_t ms;
    part->begins = sim_grown(part->begins, part->generations, sizeof *part->begins);
    part->begins[part->generations++] = (struct sim_begin){part->record_count, part->event_count};
    struct xd_record record = {.type = XD_RECORD_GENERATION, .generation = sim_generation(part)};
    xd_buf_init(&packed, 256);
    xd_record_pack(&record, &packed);
    struct sim_bytes bytes = {packed.data, packed.len};
    sim_append(store, partition, sim_random(store->world), 1, &bytes, 1, &ms);
    xd_buf_free(&packed);
}

void sim_roll_back(struct sim_store *store, unsigned partition, int64_t to_us)
{
    struct sim_part *part = &store->parts[partition];
    while (part->mark_count > 1 && part->marks[part->mark_count - 1].at_us > to_us) {
        part->mark_count--;
    }
    if (!part->mark_count) return;
    struct sim_mark mark = part->marks[part->mark_count - 1];
    sim_say(store->world, "p%u loses %zu records (of %zu), %zu events", partition,
            part->record_count - (size_t)mark.records, part->record_count,
            part->event_count - (size_t)mark.events);
    go_back(part, &mark);
    begin_generation(store, partition);
    sim_audit_forget(store->world);
}

struct sim_begin sim_kept(const struct sim_store *store, unsigned partition, uint64_t generation)
{
    const struct sim_part *part = &store->parts[partition];
    struct sim_begin kept = {UINT64_MAX, UINT64_MAX};
    for (uint64_t i = generation - 1; i < part->generations; i++) {
        if (part->begins[i].records < kept.records) kept.records = part->begins[i].records;
        if (part->begins[i].events < kept.events) kept.events = part->begins[i].events;
    }
    return kept;
}

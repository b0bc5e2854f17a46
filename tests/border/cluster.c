#include "tests/border/cluster.h"

#include "core/cover.h"
#include "core/id.h"
#include "engine/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { US = 1000000 };

void xd_cluster_begin(struct xd_cluster *cluster, const struct xd_layout *layout, int64_t now)
{
    *cluster = (struct xd_cluster){.layout = *layout, .count = XD_KINDS * layout->count, .now_us = now * US};
    xd_output_init(&cluster->output, (size_t)64 << 20);
    cluster->members = calloc(cluster->count, sizeof *cluster->members);
    for (unsigned i = 0; i < cluster->count; i++) {
        struct xd_member *member = &cluster->members[i];
        member->options =
            (struct xd_engine_options){.partition = (uint16_t)i,
                                       .market = {.currency = xd_currency("CNY", 3), .road_factor_e4 = 12500},
                                       .max_orders = 1u << 20,
                                       .layout = &cluster->layout};
        member->engine = xd_engine_create(&member->options);
        member->to = calloc(layout->count, sizeof *member->to);
        member->next_order = 1;
        member->generation = 1;
        assert_non_null(member->engine);
    }
}

void xd_cluster_end(struct xd_cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++) {
        xd_engine_destroy(cluster->members[i].engine);
        for (unsigned range = 0; range < cluster->layout.count; range++) {
            for (struct xd_post *post = cluster->members[i].to[range].first, *next; post; post = next) {
                next = post->next;
                free(post);
            }
        }
        free(cluster->members[i].to);
    }
    free(cluster->members);
    xd_output_free(&cluster->output);
}

/* --- one record
 * -------------------------------------------------------------------------------------------------------------
 */

static void post(struct xd_cluster *cluster, unsigned from, unsigned to, struct xd_str bytes)
{
    struct xd_post *posted = malloc(sizeof *posted + bytes.len);
    struct xd_channel *channel = &cluster->members[from].to[to % cluster->layout.count];
    *posted = (struct xd_post){.due_us = cluster->now_us + cluster->latency_us, .len = bytes.len};
    memcpy(posted->bytes, bytes.at, bytes.len);
    *(channel->last ? &channel->last->next : &channel->first) = posted;
    channel->last = posted;
    cluster->messages++;
    cluster->waiting++;
    cluster->message_bytes += bytes.len;
}

/* Matches that the record made. */
static void count_matches(struct xd_cluster *cluster, const struct xd_engine *engine, uint64_t from)
{
    for (const struct xd_deal *deal = engine->last_deal; deal && xd_id_number(deal->id) >= from;
         deal = deal->before) {
        cluster->matches++;
        cluster->surplus += deal->surplus;
        cluster->border_matches += deal->order[XD_OFFER]->role || deal->order[XD_REQUEST]->role;
    }
}

static void take_output(struct xd_cluster *cluster, unsigned partition)
{
    const struct xd_output *output = &cluster->output;
    uint16_t outcome;
    memcpy(&outcome, output->outcomes.data, sizeof outcome);
    cluster->outcome = xd_outcome_code(outcome);
    for (uint32_t i = 0; i < xd_output_message_count(output); i++) {
        struct xd_str bytes;
        struct xd_message message = xd_output_message(output, i, &bytes);
        post(cluster, partition, message.to, bytes);
    }
}

static void apply_packed(struct xd_cluster *cluster, unsigned partition, const uint8_t *bytes, size_t len)
{
    struct xd_engine *engine = cluster->members[partition].engine;
    struct xd_record record;
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    assert_int_equal(msgpack_unpack_next(&object, (const char *)bytes, len, NULL), MSGPACK_UNPACK_SUCCESS);
    assert_true(xd_record_unpack(&object.data, &record));
    uint64_t next_match = engine->next_match;
    xd_output_clear(&cluster->output);
    assert_true(xd_engine_apply(engine, cluster->now_us / US, &record, &cluster->output));
    xd_cluster_check_events(&cluster->output);
    take_output(cluster, partition);
    count_matches(cluster, engine, next_match);
    msgpack_unpacked_destroy(&object);
}

void xd_cluster_apply(struct xd_cluster *cluster, unsigned partition, const struct xd_record *record)
{
    struct xd_buf bytes;
    xd_buf_init(&bytes, 1 << 20);
    xd_record_pack(record, &bytes);
    apply_packed(cluster, partition, bytes.data, bytes.len);
    xd_buf_free(&bytes);
}

uint64_t xd_cluster_submit(struct xd_cluster *cluster, struct xd_record *record)
{
    unsigned home =
        xd_layout_partition(&cluster->layout, (unsigned)record->order.kind, xd_order_place(&record->order));
    record->order_id = xd_id((uint16_t)home, cluster->members[home].next_order++);
    xd_cluster_apply(cluster, home, record);
    return record->order_id;
}

/* --- messages and time
 * ------------------------------------------------------------------------------------------------------ */

bool xd_cluster_deliver(struct xd_cluster *cluster, unsigned from, unsigned range, bool again)
{
    struct xd_channel *channel = &cluster->members[from].to[range];
    struct xd_post *first = channel->first;
    if (!first) return false;
    unsigned kind = from / cluster->layout.count;
    if (!again) {
        channel->first = first->next;
        if (!channel->first) channel->last = NULL;
        cluster->waiting--;
    }
    apply_packed(cluster, kind * cluster->layout.count + range, first->bytes, first->len);
    if (!again) free(first);
    return true;
}

/* The channel whose first message is due first; false if none is by `until`. */
static bool next_due(const struct xd_cluster *cluster, int64_t until, unsigned *from, unsigned *range)
{
    bool found = false;
    for (unsigned i = 0; cluster->waiting && i < cluster->count; i++) {
        for (unsigned r = 0; r < cluster->layout.count; r++) {
            const struct xd_post *first = cluster->members[i].to[r].first;
            if (!first || first->due_us > until || (found && first->due_us == until)) continue;
            found = true;
            until = first->due_us;
            *from = i;
            *range = r;
        }
    }
    return found;
}

static void tick(struct xd_cluster *cluster)
{
    for (unsigned i = 0; i < cluster->count; i++) {
        if (xd_engine_next_deadline(cluster->members[i].engine) > cluster->now_us / US) continue;
        xd_cluster_apply(cluster, i, &(struct xd_record){.type = XD_RECORD_TICK});
    }
}

void xd_cluster_advance(struct xd_cluster *cluster, int64_t now_us)
{
    unsigned from, range;
    while (next_due(cluster, now_us, &from, &range)) {
        int64_t due = cluster->members[from].to[range].first->due_us;
        if (due > cluster->now_us) cluster->now_us = due;
        xd_cluster_deliver(cluster, from, range, false);
    }
    bool second = now_us / US > cluster->now_us / US;
    cluster->now_us = now_us;
    if (second) tick(cluster);
}

void xd_cluster_settle(struct xd_cluster *cluster)
{
    while (cluster->waiting) {
        xd_cluster_advance(cluster, cluster->now_us + cluster->latency_us + 1);
    }
}

void xd_cluster_restore(struct xd_cluster *cluster, unsigned partition)
{
    struct xd_member *member = &cluster->members[partition];
    struct xd_buf before, after;
    xd_buf_init(&before, (size_t)1 << 30);
    xd_buf_init(&after, (size_t)1 << 30);
    assert_true(xd_engine_save(member->engine, &before));
    struct xd_engine *loaded = xd_engine_load(&member->options, before.data, before.len);
    assert_non_null(loaded);
    assert_int_equal(xd_engine_state_hash(loaded), xd_engine_state_hash(member->engine));
    assert_true(xd_engine_save(loaded, &after));
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    xd_engine_destroy(member->engine);
    member->engine = loaded;
    xd_buf_free(&before);
    xd_buf_free(&after);
}

struct xd_buf xd_cluster_save(const struct xd_cluster *cluster, unsigned partition)
{
    struct xd_buf state;
    xd_buf_init(&state, (size_t)1 << 30);
    assert_true(xd_engine_save(cluster->members[partition].engine, &state));
    return state;
}

void xd_cluster_roll_back(struct xd_cluster *cluster, unsigned partition, struct xd_buf *kept)
{
    struct xd_member *member = &cluster->members[partition];
    xd_engine_destroy(member->engine);
    member->engine = xd_engine_load(&member->options, kept->data, kept->len);
    assert_non_null(member->engine);
    xd_buf_free(kept);
    struct xd_record record = {.type = XD_RECORD_GENERATION, .generation = ++member->generation};
    xd_cluster_apply(cluster, partition, &record);
}

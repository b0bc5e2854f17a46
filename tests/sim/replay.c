/* The same log gives the same events, on another instance, at another time, with a restore in between. */
#include "tests/sim/audit.h"

#include <string.h>

enum { OUTPUT_LIMIT = 64 << 20 };

static bool apply(struct xd_engine *engine, const struct sim_record *stored, struct xd_output *output)
{
    struct xd_record record;
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    if (msgpack_unpack_next(&object, (const char *)stored->bytes.at, stored->bytes.len, NULL) !=
            MSGPACK_UNPACK_SUCCESS ||
        !xd_record_unpack(&object.data, &record)) {
        record = (struct xd_record){.type = XD_RECORD_TICK};
    }
    bool good = xd_engine_apply(engine, stored->time_ms / 1000, &record, output);
    msgpack_unpacked_destroy(&object);
    return good;
}

static struct xd_engine *restored(struct sim_world *world, struct xd_engine *engine,
                                  const struct xd_engine_options *options)
{
    struct xd_buf state;
    xd_buf_init(&state, OUTPUT_LIMIT);
    uint64_t hash = xd_engine_state_hash(engine);
    struct xd_engine *loaded =
        xd_engine_save(engine, &state) ? xd_engine_load(options, state.data, state.len) : NULL;
    if (!loaded || xd_engine_state_hash(loaded) != hash) sim_fail(world, "a restored engine is another");
    xd_buf_free(&state);
    xd_engine_destroy(engine);
    return loaded;
}

static bool same_events(struct sim_world *world, unsigned partition, const struct xd_output *output)
{
    const struct sim_part *part = &world->store->parts[partition];
    const size_t *ends = (const size_t *)(const void *)output->ends.data;
    size_t count = xd_output_event_count(output), start = 0;
    if (count != part->event_count) {
        sim_fail(world, "p%u played again gives %zu events, not %zu", partition, count, part->event_count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sim_bytes *event = &part->events[i].bytes;
        if (event->len != ends[i] - start ||
            memcmp(event->at, output->events.data + start, event->len) != 0) {
            sim_fail(world, "p%u played again gives another event %zu", partition, i);
            return false;
        }
        start = ends[i];
    }
    return true;
}

struct xd_engine *sim_replay(struct sim_world *world, unsigned partition,
                             const struct xd_engine_options *options)
{
    const struct sim_part *part = &world->store->parts[partition];
    struct xd_engine_options own = *options;
    own.partition = (uint16_t)(world->store->first + partition);
    struct xd_engine *engine = xd_engine_create(&own);
    struct xd_output output;
    xd_output_init(&output, OUTPUT_LIMIT);
    for (uint64_t i = 0; engine && i < part->done; i++) {
        if (i == part->done / 2) engine = restored(world, engine, &own);
        if (engine && !apply(engine, &part->records[i], &output))
            sim_fail(world, "p%u cannot be played again", partition);
    }
    bool same = engine && same_events(world, partition, &output);
    xd_output_free(&output);
    if (same) return engine;
    if (engine) xd_engine_destroy(engine);
    return NULL;
}

#include "tests/sim/run.h"

#include "tests/sim/audit.h"
#include "tests/sim/faults.h"
#include "tests/sim/rest.h"

#include <string.h>

/* 2026-11-23 00:00 UTC */
#define START_S INT64_C(1795392000)

enum { REST_US = 3 * SIM_S, LOOK_US = 200 * SIM_MS, PATIENCE_US = 90 * SIM_S };

struct run {
    struct sim_world world;
    struct sim_faults faults;
    struct xd_engine_options engine;
    int64_t resting_since_us;
    uint64_t resting_mark;
};

/* --- coming to rest ------------------------------------------------------------------------------------- */

static struct xd_engine *owner_of(const struct run *run, unsigned partition, uint64_t position)
{
    for (unsigned i = 0; i < run->faults.matcher_count; i++) {
        struct xd_engine *engine = sim_matcher_engine(run->faults.matchers[i], partition, position);
        if (engine) return engine;
    }
    return NULL;
}

/* Though not all of it need be trimmed. */
static bool all_seen(const struct sim_store *store, unsigned partition)
{
    const struct sim_part *part = &store->parts[partition];
    for (size_t i = 0; i < part->outbox_count; i++) {
        const struct xd_message *message = &part->outbox[i].message;
        const struct sim_seen *seen = &store->parts[message->to - store->first].seen[partition];
        bool same = message->from_gen == seen->from_gen && message->to_gen == seen->to_gen;
        bool over = !same && message->from_gen <= seen->from_gen && message->to_gen <= seen->to_gen;
        if (!over && !(same && message->seq <= seen->seq)) return false;
    }
    return true;
}

/* NULL, or what is not at rest. */
static const char *unrest(const struct run *run)
{
    const struct sim_store *store = run->world.store;
    if (!run->world.calm) return "there are faults";
    if (run->world.market->outstanding) return "a client has no answer";
    for (unsigned p = 0; p < store->count; p++) {
        const struct sim_part *part = &store->parts[p];
        if (part->done != part->record_count) return "records are not applied";
        if (!all_seen(store, p)) return "messages are not seen";
        if (run->world.market->generation[p] != sim_generation(part)) return "a generation is not heard of";
        if (run->world.market->next[p] != part->event_count) return "events are not heard";
        const struct xd_engine *engine = owner_of(run, p, part->done);
        if (!engine) return "a partition has no owner";
        if (xd_engine_next_deadline(engine) <= sim_store_ms(store) / 1000 + 5) return "a deadline is due";
    }
    return NULL;
}

static uint64_t mark(const struct run *run)
{
    uint64_t sum = 0;
    for (unsigned p = 0; p < run->world.store->count; p++) {
        sum += run->world.store->parts[p].record_count;
    }
    return sum;
}

static bool has_come_to_rest(struct run *run)
{
    uint64_t now = mark(run);
    if (unrest(run) || now != run->resting_mark) {
        run->resting_since_us = run->world.now_us;
        run->resting_mark = now;
    }
    return run->world.now_us - run->resting_since_us >= REST_US;
}

static void play(struct run *run)
{
    struct sim_world *world = &run->world;
    int64_t look_us = 0;
    while (sim_step(world)) {
        if (world->now_us < look_us) continue;
        look_us = world->now_us + LOOK_US;
        if (has_come_to_rest(run)) return;
        if (world->now_us > run->faults.until_us + PATIENCE_US) {
            sim_fail(world, "does not come to rest: %s", unrest(run) ? unrest(run) : "records go on coming");
        }
    }
}

/* --- the end -------------------------------------------------------------------------------------------- */

/* All partitions played again; each is to be in the state that its owner has. */
static void check_end(struct run *run)
{
    struct sim_world *world = &run->world;
    struct xd_engine *again[SIM_RANGES_MAX] = {NULL};
    sim_audit_end(world);
    for (unsigned p = 0; p < world->store->count && !*world->failure; p++) {
        again[p] = sim_replay(world, p, &run->engine);
        const struct xd_engine *owner = owner_of(run, p, world->store->parts[p].done);
        if (again[p] && owner && xd_engine_state_hash(again[p]) != xd_engine_state_hash(owner))
            sim_fail(world, "p%u played again is in another state than its owner", p);
    }
    if (!*world->failure) sim_check_rest(world, again);
    if (!*world->failure) sim_check_pairs(world, again);
    for (unsigned p = 0; p < world->store->count; p++) {
        xd_engine_destroy(again[p]);
    }
}

static void note(const struct run *run, struct sim_result *out)
{
    const struct sim_store *store = run->world.store;
    *out = (struct sim_result){.trace = run->world.trace, .steps = run->world.steps};
    memcpy(out->failure, run->world.failure, sizeof out->failure);
    out->matches = sim_audit_matches(run->world.audit);
    for (unsigned p = 0; p < store->count; p++) {
        out->records += store->parts[p].record_count;
        out->events += store->parts[p].event_count;
        out->messages += store->parts[p].outbox_numbers;
        out->epochs += store->parts[p].epoch;
    }
}

static unsigned losses(struct sim_world *world)
{
    if (world->settings.losing) return 20;
    return sim_chance(world, 50) ? (unsigned)sim_between(world, 1, 4) : 0;
}

static void begin(struct run *run, uint64_t seed, const struct sim_settings *settings)
{
    struct sim_world *world = &run->world;
    sim_world_begin(world, seed);
    world->settings = *settings;
    unsigned ranges = (unsigned)sim_between(world, 2, 4);
    int64_t until_us = sim_between(world, 8, 25) * SIM_S;
    world->audit = sim_audit_create(world);
    world->market = sim_market_create(world, ranges, START_S, until_us - 2 * SIM_S);
    world->store = sim_store_create(world, (uint16_t)(world->market->kind * ranges), ranges);
    world->store->clock_us = START_S * SIM_S;
    run->engine = (struct xd_engine_options){
        .market = world->market->terms, .max_orders = 1000, .layout = &world->market->layout};
    run->faults =
        (struct sim_faults){.world = world,
                            .matcher_count = (unsigned)sim_between(world, 2, SIM_MATCHERS_MAX),
                            .broker_count = (unsigned)sim_between(world, 1, SIM_BROKERS_MAX),
                            .every_us = sim_chance(world, 10) ? 0 : sim_between(world, 100, 2000) * SIM_MS,
                            .until_us = until_us,
                            .losses = losses(world),
                            .jumps_s = sim_chance(world, 30) ? 86400 : 1200};
    for (unsigned i = 0; i < run->faults.matcher_count; i++) {
        run->faults.matchers[i] = sim_matcher_create(world, i, &run->engine);
    }
    for (unsigned i = 0; i < run->faults.broker_count; i++) {
        run->faults.brokers[i] = sim_broker_create(world, i);
    }
}

static void end(struct run *run)
{
    struct sim_world *world = &run->world;
    world->over = true;
    for (unsigned i = 0; i < run->faults.matcher_count; i++) {
        sim_matcher_kill(run->faults.matchers[i]);
        sim_matcher_destroy(run->faults.matchers[i]);
    }
    for (unsigned i = 0; i < run->faults.broker_count; i++) {
        sim_broker_kill(run->faults.brokers[i]);
        sim_broker_destroy(run->faults.brokers[i]);
    }
    sim_audit_destroy(world->audit);
    world->audit = NULL;
    sim_world_end(world);
    sim_store_destroy(world->store);
    sim_market_destroy(world->market);
}

void sim_play(uint64_t seed, const struct sim_settings *settings, struct sim_result *out)
{
    struct run run = {.resting_since_us = 0};
    begin(&run, seed, settings);
    sim_market_open(run.world.market, run.faults.brokers, run.faults.broker_count);
    sim_faults_begin(&run.faults);
    play(&run);
    if (!*run.world.failure) check_end(&run);
    note(&run, out);
    end(&run);
}

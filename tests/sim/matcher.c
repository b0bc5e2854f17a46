#include "tests/sim/matcher.h"

#include "matcher/crew.h"
#include "tests/sim/ledger.h"
#include "tests/sim/relaying.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEARTBEAT_US = 500 * SIM_MS, PUMP_US = 20 * SIM_MS, SNAPSHOT_EVERY = 24, FORGET_US = 60 * SIM_S };

struct sim_matcher {
    struct sim_process process;
    struct xd_engine_options options;
    struct sim_matcher **peers;
    unsigned peer_count;
    uint64_t id;
    struct xd_ledger *ledger;
    struct xd_crew crew;
    struct sim_relaying *relayings[SIM_RANGES_MAX];
    struct event *heartbeat, *pump;
    bool beating; /* a heartbeat is under way */
};

static int64_t now_ms(void *arg)
{
    const struct sim_matcher *matcher = arg;
    return matcher->process.world->now_us / 1000;
}

static void pump_soon(void *arg)
{
    const struct sim_matcher *matcher = arg;
    event_add(matcher->pump, &(struct timeval){0});
}

/* --- members -------------------------------------------------------------------------------------------- */

struct beat_call {
    struct sim_call call;
    struct sim_matcher *matcher;
    uint64_t id, members[64];
    unsigned count;
};

static void beat_destroy(struct sim_call *call)
{
    free(call);
}

static bool beat_run(struct sim_store *store, struct sim_call *call)
{
    struct beat_call *beat = (struct beat_call *)call;
    beat->count = sim_heartbeat(store, beat->id, beat->members);
    return true;
}

static void beat_done(struct sim_call *call, bool answered)
{
    struct beat_call *beat = (struct beat_call *)call;
    struct sim_matcher *matcher = beat->matcher;
    matcher->beating = false;
    if (!answered || !matcher->process.alive) return;
    xd_member_list(&matcher->crew.member, beat->members, beat->count);
    pump_soon(matcher);
}

static void on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
    struct sim_matcher *matcher = arg;
    (void)fd;
    (void)what;
    event_add(matcher->heartbeat, &(struct timeval){.tv_usec = HEARTBEAT_US});
    if (matcher->beating) return;
    struct beat_call *beat = sim_new(sizeof *beat);
    *beat = (struct beat_call){.call = {.run = beat_run, .done = beat_done, .destroy = beat_destroy},
                               .matcher = matcher,
                               .id = matcher->crew.member.leaving ? 0 : matcher->id};
    matcher->beating = true;
    sim_send(&matcher->process, &beat->call);
}

struct publication {
    struct sim_matcher *to;
    unsigned partition;
    uint64_t wanted_by; /* 0: the partition was given back */
};

static void hear(void *arg)
{
    struct publication heard = *(struct publication *)arg;
    struct xd_member *member = &heard.to->crew.member;
    free(arg);
    if (!heard.to->process.alive) return;
    if (heard.wanted_by) {
        xd_member_wanted(member, (uint16_t)heard.partition, heard.wanted_by);
    } else {
        xd_member_freed(member, (uint16_t)heard.partition);
    }
    pump_soon(heard.to);
}

static void publish(struct sim_matcher *matcher, unsigned partition, uint64_t wanted_by)
{
    struct sim_world *world = matcher->process.world;
    for (unsigned i = 0; i < matcher->peer_count; i++) {
        if (!world->calm && sim_chance(world, 10)) continue; /* what is published may be missed */
        struct publication *one = sim_new(sizeof *one);
        *one = (struct publication){matcher->peers[i], partition, wanted_by};
        sim_at(world, world->now_us + sim_between(world, 500, 10000), &matcher->peers[i]->process, hear, one);
    }
}

/* --- what the crew asks for ----------------------------------------------------------------------------- */

static void end_relaying(struct sim_matcher *matcher, unsigned index)
{
    sim_relaying_stop(matcher->relayings[index]);
    matcher->relayings[index] = NULL;
}

static void on_owning(void *arg, uint16_t seat)
{
    struct sim_matcher *matcher = arg;
    end_relaying(matcher, seat);
    matcher->relayings[seat] = sim_relaying_start(&matcher->process, matcher->ledger, seat);
}

static void on_lost(void *arg, uint16_t seat, enum xd_code code)
{
    (void)code;
    end_relaying(arg, seat);
}

static void release(void *arg, uint16_t seat)
{
    struct sim_matcher *matcher = arg;
    end_relaying(matcher, seat);
    xd_station_release(matcher->crew.stations[seat]);
    publish(matcher, seat, 0);
}

static void hurry(void *arg, uint16_t seat)
{
    const struct sim_matcher *matcher = arg;
    sim_ledger_hurry(matcher->ledger, (uint16_t)(matcher->process.world->store->first + seat));
}

static void want(void *arg, uint16_t seat)
{
    struct sim_matcher *matcher = arg;
    publish(matcher, seat, matcher->id);
}

static void on_pump(evutil_socket_t fd, short what, void *arg)
{
    struct sim_matcher *matcher = arg;
    (void)fd;
    (void)what;
    xd_crew_turn(&matcher->crew);
    for (unsigned i = 0; i < matcher->process.world->store->count; i++) {
        if (matcher->relayings[i]) sim_relaying_pump(matcher->relayings[i]);
    }
    bool out = matcher->crew.member.leaving && xd_member_is_out(&matcher->crew.member);
    for (unsigned i = 0; i < matcher->process.world->store->count; i++) {
        out = out &&
              !sim_ledger_committing(matcher->ledger, (uint16_t)(matcher->process.world->store->first + i));
    }
    event_add(matcher->pump, &(struct timeval){.tv_usec = PUMP_US});
    if (out) sim_matcher_kill(matcher);
}

/* --- lives ---------------------------------------------------------------------------------------------- */

struct sim_matcher *sim_matcher_create(struct sim_world *world, unsigned index,
                                       const struct xd_engine_options *options)
{
    struct sim_matcher *matcher = sim_new(sizeof *matcher);
    matcher->process = (struct sim_process){.world = world, .slow_us = 2 * SIM_MS};
    snprintf(matcher->process.name, sizeof matcher->process.name, "matcher%u", index);
    matcher->options = *options;
    return matcher;
}

void sim_matcher_destroy(struct sim_matcher *matcher)
{
    sim_bury(matcher->process.world, matcher);
}

struct sim_process *sim_matcher_process(struct sim_matcher *matcher)
{
    return &matcher->process;
}

static void make_crew(struct sim_matcher *matcher)
{
    const struct sim_store *store = matcher->process.world->store;
    struct xd_crew_options options = {.id = matcher->id,
                                      .count = (uint16_t)store->count,
                                      .engine = matcher->options,
                                      .snapshot_every = SNAPSHOT_EVERY,
                                      .events = {.now_ms = now_ms,
                                                 .turn = pump_soon,
                                                 .owning = on_owning,
                                                 .lost = on_lost,
                                                 .release = release,
                                                 .hurry = hurry,
                                                 .want = want,
                                                 .arg = matcher}};
    options.engine.partition = store->first;
    xd_crew_init(&matcher->crew, sim_base(&matcher->process), matcher->ledger, &options);
}

void sim_matcher_start(struct sim_matcher *matcher, struct sim_matcher **peers, unsigned count)
{
    struct sim_process *process = &matcher->process;
    struct sim_world *world = process->world;
    process->alive = true;
    process->incarnation++;
    process->paused_until_us = process->cut_until_us = process->last_there_us = process->last_back_us = 0;
    matcher->peers = peers;
    matcher->peer_count = count;
    matcher->id = sim_random(world) | 1;
    matcher->beating = false;
    matcher->ledger = sim_ledger_open(process, matcher->id);
    make_crew(matcher);
    matcher->heartbeat = event_new(sim_base(process), -1, 0, on_heartbeat, matcher);
    matcher->pump = event_new(sim_base(process), -1, 0, on_pump, matcher);
    event_add(matcher->heartbeat, &(struct timeval){0});
    pump_soon(matcher);
    sim_say(world, "%s begins as %llx", process->name, (unsigned long long)matcher->id);
}

/* Once what its follower still has in the queue has come. */
static void free_station(void *arg)
{
    xd_station_free(arg);
}

void sim_matcher_kill(struct sim_matcher *matcher)
{
    if (!matcher->process.alive) return;
    sim_say(matcher->process.world, "%s ends", matcher->process.name);
    matcher->process.alive = false;
    event_free(matcher->heartbeat);
    for (unsigned i = 0; i < SIM_RANGES_MAX; i++) {
        end_relaying(matcher, i);
    }
    xd_crew_stop(&matcher->crew);
    sim_ledger_kill(matcher->ledger);
    for (unsigned i = 0; i < matcher->crew.options.count; i++) {
        struct sim_world *world = matcher->process.world;
        sim_at(world, world->now_us + FORGET_US, NULL, free_station, matcher->crew.stations[i]);
    }
    event_free(matcher->pump);
}

void sim_matcher_leave(struct sim_matcher *matcher)
{
    if (!matcher->process.alive) return;
    xd_member_leave(&matcher->crew.member);
    sim_leave(matcher->process.world->store, matcher->id);
    pump_soon(matcher);
}

void sim_matcher_confuse(struct sim_matcher *matcher, unsigned partition)
{
    if (!matcher->process.alive || !matcher->relayings[partition]) return;
    end_relaying(matcher, partition);
    matcher->relayings[partition] = sim_relaying_start(&matcher->process, matcher->ledger, partition);
}

struct xd_engine *sim_matcher_engine(const struct sim_matcher *matcher, unsigned partition, uint64_t position)
{
    if (!matcher->process.alive) return NULL;
    const struct xd_station *station = matcher->crew.stations[partition];
    return xd_station_position(station) == position ? xd_station_engine(station) : NULL;
}

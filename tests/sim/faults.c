#include "tests/sim/faults.h"

#include <stdlib.h>

static void start(struct sim_faults *faults, unsigned index)
{
    if (index < faults->matcher_count) {
        sim_matcher_start(faults->matchers[index], faults->matchers, faults->matcher_count);
    } else {
        sim_broker_start(faults->brokers[index - faults->matcher_count]);
    }
}

static struct sim_process *process_of(struct sim_faults *faults, unsigned index)
{
    return index < faults->matcher_count ? sim_matcher_process(faults->matchers[index])
                                         : sim_broker_process(faults->brokers[index - faults->matcher_count]);
}

static struct sim_process *any_process(struct sim_faults *faults, unsigned *index)
{
    *index = (unsigned)sim_below(faults->world, faults->matcher_count + faults->broker_count);
    return process_of(faults, *index);
}

struct restart {
    struct sim_faults *faults;
    unsigned index;
    uint32_t incarnation; /* that ends */
};

static void restart_when_ended(void *arg)
{
    struct restart *restart = arg;
    struct sim_faults *faults = restart->faults;
    struct sim_world *world = faults->world;
    const struct sim_process *process = process_of(faults, restart->index);
    if (process->alive && process->incarnation == restart->incarnation && !world->over) {
        sim_at(world, world->now_us + SIM_S, NULL, restart_when_ended,
               restart); /* it was told to leave, and is at it */
        return;
    }
    if (!process->alive && !world->over) start(faults, restart->index);
    free(restart);
}

static void restart_later(struct sim_faults *faults, unsigned index)
{
    struct sim_world *world = faults->world;
    struct restart *later = sim_new(sizeof *later);
    *later = (struct restart){faults, index, process_of(faults, index)->incarnation};
    sim_at(world, world->now_us + sim_between(world, 0, 4 * SIM_S), NULL, restart_when_ended, later);
}

/* --- the faults ----------------------------------------------------------------------------------------- */

static void crash(struct sim_faults *faults)
{
    unsigned index;
    if (!any_process(faults, &index)->alive) return;
    if (index < faults->matcher_count) {
        sim_matcher_kill(faults->matchers[index]);
    } else {
        sim_broker_kill(faults->brokers[index - faults->matcher_count]);
    }
    restart_later(faults, index);
}

static void leave(struct sim_faults *faults)
{
    unsigned index = (unsigned)sim_below(faults->world, faults->matcher_count);
    if (!sim_matcher_process(faults->matchers[index])->alive) return;
    sim_say(faults->world, "matcher%u is told to leave", index);
    sim_matcher_leave(faults->matchers[index]);
    restart_later(faults, index);
}

/* Often past its lease, which others take then. */
static void pause_one(struct sim_faults *faults)
{
    struct sim_world *world = faults->world;
    unsigned index;
    struct sim_process *process = any_process(faults, &index);
    process->paused_until_us =
        world->now_us + sim_between(world, 0, sim_chance(world, 50) ? 8 * SIM_S : 500 * SIM_MS);
    sim_say(world, "%s is paused until %.3f", process->name, (double)process->paused_until_us / SIM_S);
}

struct cut {
    struct sim_process *process;
    int64_t for_us;
};

static void cut_now(void *arg)
{
    struct cut cut = *(struct cut *)arg;
    free(arg);
    if (!cut.process->alive) return;
    sim_say(cut.process->world, "%s is cut off", cut.process->name);
    sim_cut(cut.process, cut.for_us);
}

/* Noticed by the process, so not while it is paused. */
static void cut_one(struct sim_process *process, int64_t for_us)
{
    struct sim_world *world = process->world;
    struct cut *cut = sim_new(sizeof *cut);
    *cut = (struct cut){process, for_us};
    sim_at(world, world->now_us, process, cut_now, cut);
}

static void cut(struct sim_faults *faults)
{
    unsigned index;
    struct sim_process *process = any_process(faults, &index);
    cut_one(process, sim_chance(faults->world, 60) ? 0 : sim_between(faults->world, 0, 5 * SIM_S));
}

static void slow_down(struct sim_faults *faults)
{
    unsigned index;
    any_process(faults, &index)->slow_us = sim_between(faults->world, 100, 300 * SIM_MS);
}

static void jump(struct sim_faults *faults)
{
    struct sim_world *world = faults->world;
    unsigned index;
    if (sim_chance(world, 50)) {
        any_process(faults, &index)->clock_us += sim_between(world, -3600, 3600) * SIM_S;
        return;
    }
    int64_t by_s = sim_chance(world, 50) ? sim_between(world, -5, 5)
                                         : sim_between(world, 0, sim_chance(world, 30) ? 12 * 3600 : 600);
    if (by_s > faults->jumps_s) return;
    faults->jumps_s -= by_s;
    world->store->clock_us += by_s * SIM_S;
    sim_say(world, "the store's clock jumps by %lld s", (long long)by_s);
}

static void confuse(struct sim_faults *faults)
{
    struct sim_world *world = faults->world;
    for (unsigned i = 0; i < faults->matcher_count; i++) {
        sim_matcher_confuse(faults->matchers[i], (unsigned)sim_below(world, world->store->count));
    }
}

/* A fail-over: one partition, or all of them, go back some time; connections break. */
static void lose(struct sim_faults *faults)
{
    struct sim_world *world = faults->world;
    unsigned only = (unsigned)sim_below(world, world->store->count);
    int64_t to_us = world->now_us - sim_between(world, 0, sim_chance(world, 50) ? 200 * SIM_MS : 6 * SIM_S);
    bool all = sim_chance(world, 30);
    if (!faults->losses) return;
    faults->losses--;
    for (unsigned p = 0; p < world->store->count; p++) {
        if (all || p == only) sim_roll_back(world->store, p, to_us);
    }
    for (unsigned i = 0; i < faults->matcher_count + faults->broker_count; i++) {
        if (sim_chance(world, 50)) cut_one(process_of(faults, i), sim_between(world, 0, SIM_S));
    }
}

/* A message that was sent once comes once more, out of its order: from an owner that was thought dead. */
static void echo(struct sim_faults *faults)
{
    struct sim_world *world = faults->world;
    struct sim_part *part = &world->store->parts[sim_below(world, world->store->count)];
    if (!part->outbox_count) return;
    const struct sim_message *message = &part->outbox[sim_below(world, part->outbox_count)];
    int64_t ms;
    sim_append(world->store, (unsigned)(message->message.to - world->store->first), sim_random(world), 1,
               &message->bytes, 1, &ms);
}

static void heal(struct sim_faults *faults)
{
    for (unsigned i = 0; i < faults->matcher_count + faults->broker_count; i++) {
        struct sim_process *process = process_of(faults, i);
        process->slow_us = 2 * SIM_MS;
        if (!process->alive) start(faults, i);
    }
    faults->world->calm = true;
    sim_say(faults->world, "everything works again");
}

static void go_wrong(void *arg)
{
    static void (*const all[])(struct sim_faults * faults) = {crash, crash, leave,     pause_one, pause_one,
                                                              cut,   cut,   slow_down, jump,      confuse,
                                                              echo,  echo,  lose,      lose};
    struct sim_faults *faults = arg;
    struct sim_world *world = faults->world;
    if (world->over) return;
    if (world->now_us >= faults->until_us) {
        heal(faults);
        return;
    }
    if (world->settings.losing && sim_chance(world, 30)) lose(faults);
    if (faults->every_us) all[sim_below(world, sizeof all / sizeof *all)](faults);
    int64_t at = world->now_us + sim_between(world, 0, faults->every_us ? 2 * faults->every_us : SIM_S);
    sim_at(world, at < faults->until_us ? at : faults->until_us, NULL, go_wrong, faults);
}

void sim_faults_begin(struct sim_faults *faults)
{
    for (unsigned i = 0; i < faults->matcher_count + faults->broker_count; i++) {
        start(faults, i);
    }
    sim_at(faults->world, 0, NULL, go_wrong, faults);
}

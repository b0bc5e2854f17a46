#include "tests/sim/network.h"

#include "tests/sim/store.h"

#include <stdlib.h>

static int64_t delay(struct sim_process *process)
{
    struct sim_world *world = process->world;
    if (sim_chance(world, 2)) return sim_between(world, 0, 20 * process->slow_us);
    return sim_between(world, 50, process->slow_us);
}

static void forget(struct sim_call *call)
{
    struct sim_process *process = call->process;
    *(call->before ? &call->before->after : &process->first) = call->after;
    *(call->after ? &call->after->before : &process->last) = call->before;
    call->before = call->after = NULL;
}

/* --- there and back ------------------------------------------------------------------------------------- */

static void come_back(void *arg)
{
    struct sim_call *call = arg;
    if (!call->orphan) {
        forget(call);
        call->done(call, !call->lost);
    }
    call->destroy(call);
}

static void answer(struct sim_call *call)
{
    struct sim_process *process = call->process;
    int64_t at = process->world->now_us + delay(process);
    if (!call->apart) {
        if (at <= process->last_back_us) at = process->last_back_us + 1;
        process->last_back_us = at;
    }
    sim_at(process->world, at, process, come_back, call);
}

static void try(struct sim_call *call)
{
    struct sim_store *store = call->process->world->store;
    struct sim_part *part = &store->parts[call->partition];
    call->past = call->generation && call->generation != sim_generation(part) &&
                 !(store->world->settings.mutants & SIM_NO_LINES);
    if (call->past || call->run(store, call)) {
        answer(call);
        return;
    }
    part->waiting = sim_grown(part->waiting, part->waiting_count, sizeof *part->waiting);
    part->waiting[part->waiting_count++] = call;
}

static void arrive(void *arg)
{
    struct sim_call *call = arg;
    struct sim_world *world = call->process->world;
    if (call->later_us) {
        int64_t later = call->later_us;
        call->later_us = 0;
        sim_at(world, world->now_us + later, NULL, arrive, call);
    } else if (call->lost || (call->orphan && call->apart)) {
        call->destroy(call);
    } else {
        try(call);
    }
}

void sim_store_changed(struct sim_store *store, unsigned partition)
{
    struct sim_part *part = &store->parts[partition];
    size_t count = part->waiting_count;
    struct sim_call **calls = part->waiting;
    part->waiting = NULL;
    part->waiting_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (calls[i]->orphan) {
            calls[i]->destroy(calls[i]);
        } else {
            try(calls[i]);
        }
    }
    free(calls);
}

void sim_send(struct sim_process *process, struct sim_call *call)
{
    struct sim_world *world = process->world;
    call->process = process;
    call->before = process->last;
    call->after = NULL;
    *(process->last ? &process->last->after : &process->first) = call;
    process->last = call;
    if (!process->alive || world->now_us < process->cut_until_us) {
        call->lost = true;
        sim_at(world, process->cut_until_us + sim_between(world, 1, SIM_MS), process, come_back, call);
        return;
    }
    int64_t at = world->now_us + delay(process);
    if (!call->apart) {
        if (at <= process->last_there_us) at = process->last_there_us + 1;
        process->last_there_us = at;
    }
    sim_at(world, at, NULL, arrive, call);
}

/* --- cuts and crashes ----------------------------------------------------------------------------------- */

/* Those sent before some moment reach the store, maybe late; those behind do not. What is at the store
 * already stays done. */
static void end_calls(struct sim_process *process)
{
    struct sim_world *world = process->world;
    struct sim_call *calls = process->first;
    int64_t later = sim_chance(world, 50) ? sim_between(world, 0, 4 * SIM_S) : 0;
    bool lost = false;
    process->first = process->last = NULL;
    for (struct sim_call *call = calls; call; call = call->after) {
        lost = lost || sim_chance(world, 40);
        call->lost = call->lost || lost; /* of one that has been there already it says nothing any more */
        call->later_us = later;
        call->orphan = true;
    }
    while (calls) {
        struct sim_call *call = calls;
        calls = call->after;
        call->before = call->after = NULL;
        call->done(call, false);
    }
}

void sim_cut(struct sim_process *process, int64_t for_us)
{
    process->cut_until_us = process->world->now_us + for_us;
    process->last_there_us = process->last_back_us = 0;
    end_calls(process);
}

void sim_abandon(struct sim_process *process)
{
    while (process->first) {
        end_calls(process);
    }
}

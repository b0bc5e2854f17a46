#include "tests/sim/world.h"

#include "tests/sim/network.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *needed(void *memory)
{
    if (memory) return memory;
    fputs("no memory\n", stderr);
    exit(2);
}

void *sim_new(size_t size)
{
    return needed(calloc(1, size));
}

void *sim_grown(void *array, size_t count, size_t size)
{
    if (count & (count - 1)) return array;
    return needed(realloc(array, (count ? 2 * count : 1) * size));
}

void *sim_copy(const void *bytes, size_t len)
{
    return len ? memcpy(needed(malloc(len)), bytes, len) : NULL;
}

/* --- chance --------------------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
uint64_t sim_random(struct sim_world *world)
{
    uint64_t z = world->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t sim_below(struct sim_world *world, uint64_t bound)
{
    return sim_random(world) % bound;
}

int64_t sim_between(struct sim_world *world, int64_t low, int64_t high)
{
    return low + (int64_t)sim_below(world, (uint64_t)(high - low) + 1);
}

bool sim_chance(struct sim_world *world, unsigned percent)
{
    return sim_below(world, 100) < percent;
}

/* --- the queue: a binary heap --------------------------------------------------------------------------- */

static bool is_before(const struct sim_item *a, const struct sim_item *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void put(struct sim_world *world, const struct sim_item *item)
{
    world->heap = sim_grown(world->heap, world->count, sizeof *world->heap);
    size_t at = world->count++;
    while (at > 0 && is_before(item, &world->heap[(at - 1) / 2])) {
        world->heap[at] = world->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world->heap[at] = *item;
}

static struct sim_item take(struct sim_world *world)
{
    struct sim_item first = world->heap[0], last = world->heap[--world->count];
    size_t at = 0;
    for (size_t child = 1; child < world->count; child = 2 * at + 1) {
        if (child + 1 < world->count && is_before(&world->heap[child + 1], &world->heap[child])) child++;
        if (!is_before(&world->heap[child], &last)) break;
        world->heap[at] = world->heap[child];
        at = child;
    }
    world->heap[at] = last;
    return first;
}

void sim_at(struct sim_world *world, int64_t at_us, struct sim_process *process, sim_run *run, void *arg)
{
    put(world, &(struct sim_item){.at_us = at_us > world->now_us ? at_us : world->now_us,
                                  .order = world->order++,
                                  .process = process,
                                  .run = run,
                                  .arg = arg});
}

void sim_nothing(void *arg)
{
    (void)arg;
}

bool sim_step(struct sim_world *world)
{
    if (!world->count || *world->failure) return false;
    struct sim_item item = take(world);
    world->now_us = item.at_us;
    world->steps++;
    if (item.process && item.process->paused_until_us > item.at_us) {
        sim_at(world, item.process->paused_until_us, item.process, item.run, item.arg);
    } else {
        item.run(item.arg);
    }
    return !*world->failure;
}

/* --- beginning, ending, telling ------------------------------------------------------------------------- */

void sim_world_begin(struct sim_world *world, uint64_t seed)
{
    *world = (struct sim_world){.seed = seed, .random = seed * UINT64_C(0x2545f4914f6cdd1d) + 1};
}

void sim_world_end(struct sim_world *world)
{
    while (world->count) {
        struct sim_item item = take(world);
        item.run(item.arg);
    }
    for (size_t i = 0; i < world->buried_count; i++) {
        free(world->buried[i]);
    }
    free(world->buried);
    free(world->heap);
}

void sim_bury(struct sim_world *world, void *memory)
{
    world->buried = sim_grown(world->buried, world->buried_count, sizeof *world->buried);
    world->buried[world->buried_count++] = memory;
}

void sim_fail(struct sim_world *world, const char *format, ...)
{
    va_list args;
    if (*world->failure) return;
    va_start(args, format);
    vsnprintf(world->failure, sizeof world->failure, format, args);
    va_end(args);
    sim_say(world, "FAILED: %s", world->failure);
}

void sim_say(const struct sim_world *world, const char *format, ...)
{
    va_list args;
    if (!world->settings.verbose) return;
    printf("%10.6f  ", (double)world->now_us / SIM_S);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

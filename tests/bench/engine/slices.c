#include "tests/bench/engine/slices.h"

#include <stdio.h>
#include <time.h>

/* What crossdock-broker appends between two looks at the clock, and how much it keeps in memory. */
enum { STEP = 32, CHUNK = 1 << 20 };

struct slices {
    uint64_t steps, bytes;
    double begin_us, all_us, longest_us;
};

/* Of this thread: what else runs on the machine is not measured. */
static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static bool save(struct xd_engine *engine, struct xd_buf *chunk, struct slices *out)
{
    double began = cpu_us();
    if (!xd_engine_save_begin(engine)) return false;
    out->begin_us = cpu_us() - began;
    enum xd_save_result result = XD_SAVE_GOES_ON;
    while (result == XD_SAVE_GOES_ON) {
        if (chunk->len >= CHUNK) xd_buf_clear(chunk);
        size_t before = chunk->len;
        began = cpu_us();
        result = xd_engine_save_some(engine, STEP, chunk);
        double took = cpu_us() - began;
        out->all_us += took;
        if (took > out->longest_us) out->longest_us = took;
        out->bytes += chunk->len - before;
        out->steps++;
    }
    return result == XD_SAVE_WHOLE;
}

bool xd_measure_slices(struct xd_engine *engine)
{
    struct xd_engine_stats stats;
    struct slices slices = {0};
    struct xd_buf chunk;
    xd_buf_init(&chunk, (size_t)64 << 20);
    bool good = save(engine, &chunk, &slices);
    xd_buf_free(&chunk);
    xd_engine_stats(engine, &stats);
    double began = cpu_us();
    uint64_t hash = xd_engine_state_hash(engine);
    double hash_us = cpu_us() - began;
    printf("{\"orders\": %llu, \"live_matches\": %llu, \"bytes\": %llu, \"begin_us\": %.1f, \"save_ms\": %.1f, "
           "\"steps\": %llu, \"longest_step_us\": %.1f, \"hash_us\": %.1f, \"hash\": \"%016llx\"}\n",
           (unsigned long long)stats.orders, (unsigned long long)(stats.matches + stats.proposals),
           (unsigned long long)slices.bytes, slices.begin_us, slices.all_us / 1e3, (unsigned long long)slices.steps,
           slices.longest_us, hash_us, (unsigned long long)hash);
    return good;
}

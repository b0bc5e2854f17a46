#include "tests/bench/engine/meter.h"

#include "tests/bench/engine/snapshot.h"

#include <xxhash.h>

enum { OUTPUT_BYTES = 1 << 30 };

/* Defined by a book that counts. */
extern uint64_t xd_search_leaves __attribute__((weak));
extern uint64_t xd_search_nodes __attribute__((weak));
extern uint64_t xd_search_candidates __attribute__((weak));
extern uint64_t xd_search_fits __attribute__((weak));
extern uint64_t xd_search_ns __attribute__((weak));

static const uint64_t *counter(enum xd_search_count which)
{
    const uint64_t *const counters[XD_SEARCH_COUNTS] = {
        &xd_search_leaves, &xd_search_nodes, &xd_search_candidates, &xd_search_fits, &xd_search_ns};
    return counters[which];
}

void xd_meter_init(struct xd_meter *meter, struct xd_flow *flow, struct xd_engine *engine)
{
    *meter = (struct xd_meter){.flow = flow, .engine = engine};
    xd_output_init(&meter->output, OUTPUT_BYTES);
    xd_meter_clear(meter);
}

void xd_meter_free(struct xd_meter *meter)
{
    xd_output_free(&meter->output);
}

void xd_meter_clear(struct xd_meter *meter)
{
    meter->commands = 0;
    meter->spent_ns = 0;
    meter->flow->counts = (struct xd_flow_counts){0};
    xd_histogram_clear(&meter->latency);
    for (unsigned which = 0; which < XD_SEARCH_COUNTS; which++) {
        const uint64_t *count = counter((enum xd_search_count)which);
        meter->before[which] = count ? *count : 0;
    }
}

bool xd_meter_step(struct xd_meter *meter)
{
    struct xd_flow_command command;
    struct xd_output *output = &meter->output;
    xd_flow_next(meter->flow, &command);
    xd_output_clear(output);
    uint64_t began = xd_clock_ns();
    bool good = xd_engine_apply(meter->engine, command.now, &command.record, output);
    uint64_t spent = xd_clock_ns() - began;
    meter->commands++;
    meter->spent_ns += spent;
    if (command.record.type != XD_RECORD_COMPLETE) xd_histogram_add(&meter->latency, spent);
    meter->digest = XXH3_64bits_withSeed(output->events.data, output->events.len, meter->digest);
    return good && xd_flow_learn(meter->flow, &command, output);
}

bool xd_meter_count(const struct xd_meter *meter, enum xd_search_count which, uint64_t *out)
{
    const uint64_t *count = counter(which);
    if (!count) return false;
    *out = *count - meter->before[which];
    return true;
}

double xd_meter_rate(const struct xd_meter *meter)
{
    const struct xd_flow_counts *counts = &meter->flow->counts;
    if (!meter->spent_ns) return 0;
    return (double)(counts->submits + counts->cancels) / ((double)meter->spent_ns / 1e9);
}

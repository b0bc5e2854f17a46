#include "tests/bench/engine/measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_START_INSTRUMENTATION (void)0
#define CALLGRIND_STOP_INSTRUMENTATION  (void)0
#endif

static void put_latency(const struct xd_histogram *latency)
{
    static const struct {
        const char *name;
        double quantile;
    } steps[] = {{"p50_us", 0.5}, {"p99_us", 0.99}, {"p99.9_us", 0.999}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        printf(", \"%s\": %.3f", steps[i].name,
               (double)xd_histogram_quantile(latency, steps[i].quantile) / 1e3);
    }
    printf(", \"max_us\": %.3f", (double)latency->max / 1e3);
}

static void put_counts(const struct xd_meter *meter)
{
    static const char *const names[XD_SEARCH_COUNTS] = {"leaves", "nodes", "candidates", "fits", "search_ns"};
    for (unsigned which = 0; which < XD_SEARCH_COUNTS; which++) {
        uint64_t count;
        if (xd_meter_count(meter, (enum xd_search_count)which, &count))
            printf(", \"%s\": %" PRIu64, names[which], count);
    }
}

void xd_put_meter(const struct xd_meter *meter)
{
    const struct xd_flow *flow = meter->flow;
    const struct xd_flow_counts *counts = &flow->counts;
    printf("{\"shape\": \"%s\", \"resting\": %" PRIu64 ", \"seed\": %" PRIu64 ", \"level\": %.4f",
           xd_shape_names[flow->state.shape], flow->state.resting, flow->state.seed, flow->state.level);
    printf(", \"commands\": %" PRIu64 ", \"submits\": %" PRIu64 ", \"cancels\": %" PRIu64
           ", \"completes\": %" PRIu64,
           meter->commands, counts->submits, counts->cancels, counts->completes);
    printf(", \"matched\": %" PRIu64 ", \"matches\": %" PRIu64 ", \"lapsed\": %" PRIu64, counts->matched,
           counts->matches, counts->lapsed);
    printf(", \"engine_s\": %.6f, \"rate\": %.3f", (double)meter->spent_ns / 1e9, xd_meter_rate(meter));
    put_latency(&meter->latency);
    put_counts(meter);
}

bool xd_measure_run(struct xd_snapshot *book, const struct xd_limits *limits)
{
    struct xd_meter *meter = malloc(sizeof *meter);
    if (!meter) return false;
    xd_meter_init(meter, book->flow, book->engine);
    struct xd_engine_stats stats;
    xd_engine_stats(book->engine, &stats);
    double end = xd_seconds_now() + limits->seconds;
    uint64_t digest = 0;
    bool good = true;
    CALLGRIND_START_INSTRUMENTATION;
    while (good && meter->commands < limits->commands &&
           (meter->commands < limits->check || xd_seconds_now() < end)) {
        good = xd_meter_step(meter);
        if (meter->commands == limits->check) digest = meter->digest;
    }
    CALLGRIND_STOP_INSTRUMENTATION;
    if (!limits->check) digest = meter->digest;
    xd_put_meter(meter);
    printf(", \"orders\": %" PRIu64 ", \"offers\": %" PRIu64 ", \"requests\": %" PRIu64
           ", \"live_matches\": %" PRIu64,
           stats.orders, stats.open_offers, stats.open_requests, stats.matches);
    printf(", \"heap_bytes\": %" PRIu64 ", \"load_s\": %.3f, \"digest\": \"%016" PRIx64 "\"}\n",
           book->heap_bytes, book->seconds, digest);
    xd_meter_free(meter);
    free(meter);
    return good;
}

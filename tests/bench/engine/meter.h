/* Commands carried out one by one, each timed: from the record to the events in the caller's buffer. What
 * surrounds a command (making it, reading its events) is not in its time. */
#ifndef XD_TESTS_BENCH_ENGINE_METER_H
#define XD_TESTS_BENCH_ENGINE_METER_H

#include "clients/bench/histogram.h"
#include "engine/engine.h"
#include "tests/bench/engine/flow.h"

/* What a book counts of its searches; what it does not count is absent. */
enum xd_search_count {
    XD_COUNT_LEAVES,
    XD_COUNT_NODES,
    XD_COUNT_CANDIDATES,
    XD_COUNT_FITS,
    XD_COUNT_NS,
    XD_SEARCH_COUNTS
};

struct xd_meter {
    struct xd_engine *engine;
    struct xd_flow *flow;
    struct xd_output output;
    uint64_t commands;           /* all, completions too */
    uint64_t spent_ns;           /* on all */
    uint64_t digest;             /* over all events */
    struct xd_histogram latency; /* ns of submits and cancels */
    uint64_t before[XD_SEARCH_COUNTS];
};

void xd_meter_init(struct xd_meter *meter, struct xd_flow *flow, struct xd_engine *engine);
void xd_meter_free(struct xd_meter *meter);

/* Forgets what was measured; the digest goes on. */
void xd_meter_clear(struct xd_meter *meter);

/* The next command of the flow. False if the engine ran out of memory or said what it should not. */
bool xd_meter_step(struct xd_meter *meter);

/* A count since the meter was cleared; false where the book has none. */
bool xd_meter_count(const struct xd_meter *meter, enum xd_search_count which, uint64_t *out);

/* Submits and cancels a second of engine's time, everything that was carried out counted in that time. */
double xd_meter_rate(const struct xd_meter *meter);

#endif

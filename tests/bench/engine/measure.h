/* Runs over a prepared book, told as one JSON object a line on stdout. */
#ifndef XD_TESTS_BENCH_ENGINE_MEASURE_H
#define XD_TESTS_BENCH_ENGINE_MEASURE_H

#include "tests/bench/engine/meter.h"
#include "tests/bench/engine/snapshot.h"

/* A run ends with the first of the two, but not before `check`. */
struct xd_limits {
    uint64_t commands;
    double seconds; /* on the clock */
    uint64_t check; /* tell the digest of all events after so many commands; 0: at the end */
};

/* False as xd_meter_step. */
bool xd_measure_run(struct xd_snapshot *book, const struct xd_limits *limits);

/* Carries out so many commands: a line for each tenth of them, and one that says whether the state at the end
 * can be put away and loaded again ("state" and "restored" are its hash before and after). Tells of every
 * million commands on stderr. The engine in `book` is then the one loaded. */
bool xd_measure_endurance(struct xd_snapshot *book, uint64_t commands);

/* The part of a line that every run tells, without its end. */
void xd_put_meter(const struct xd_meter *meter);

#endif

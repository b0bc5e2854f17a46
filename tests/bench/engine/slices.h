/* A snapshot made in slices of a book at rest, as the broker makes it: what it takes in all, and the longest that an engine is
 * held up by it. */
#ifndef XD_TESTS_BENCH_ENGINE_SLICES_H
#define XD_TESTS_BENCH_ENGINE_SLICES_H

#include "engine/engine.h"

/* Prints one JSON object. False without memory. */
bool xd_measure_slices(struct xd_engine *engine);

#endif

/* A prepared book in a file: the flow as it stood and the engine's own snapshot. Written once, read by every
 * book that is measured, so that a scan of a million orders need not make its own. For the machine that wrote
 * it. */
#ifndef XD_TESTS_BENCH_ENGINE_SNAPSHOT_H
#define XD_TESTS_BENCH_ENGINE_SNAPSHOT_H

#include "engine/engine.h"
#include "tests/bench/engine/flow.h"

/* What every engine here is made with. */
struct xd_engine_options xd_snapshot_options(uint64_t resting);

/* False if the file cannot be written. */
bool xd_snapshot_write(const char *path, const struct xd_flow *flow, const struct xd_engine *engine);

/* What was read: both are the caller's. `heap_bytes` is what the engine took of the heap, `seconds` how long
 * it took. */
struct xd_snapshot {
    struct xd_flow *flow;
    struct xd_engine *engine;
    uint64_t heap_bytes;
    double seconds;
};

/* False if the file cannot be read or is none, or without memory; nothing is then left behind. */
bool xd_snapshot_read(const char *path, struct xd_snapshot *out);

/* Bytes of the heap in use, allocator's overhead included. */
uint64_t xd_heap_in_use(void);

/* A clock that never goes back: nanoseconds, and the same in seconds. */
uint64_t xd_clock_ns(void);
double xd_seconds_now(void);

#endif

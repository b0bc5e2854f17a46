#include "tests/bench/engine/measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 10, TELL_EVERY = 1000000 };

static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%*u %llu", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void tell_progress(uint64_t done, uint64_t commands, double began)
{
    double seconds = xd_seconds_now() - began;
    fprintf(stderr,
            "%" PRIu64 " of %" PRIu64 " million commands, %.0f a second, %.0f s to go, %.0f MB resident\n",
            done / TELL_EVERY, commands / TELL_EVERY, (double)done / seconds,
            seconds * (double)(commands - done) / (double)done, (double)resident_bytes() / 1e6);
}

/* Of this process, commands being made and events being read included. */
static double processor_seconds(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

static void put_part(const struct xd_meter *meter, unsigned part, double processor_s)
{
    struct xd_engine_stats stats;
    xd_engine_stats(meter->engine, &stats);
    xd_put_meter(meter);
    printf(", \"part\": %u, \"orders\": %" PRIu64 ", \"open_offers\": %" PRIu64
           ", \"open_requests\": %" PRIu64 ", \"live_matches\": %" PRIu64,
           part, stats.orders, stats.open_offers, stats.open_requests, stats.matches);
    printf(", \"processor_s\": %.6f", processor_s);
    printf(", \"heap_bytes\": %" PRIu64 ", \"resident_bytes\": %" PRIu64 "}\n", xd_heap_in_use(),
           resident_bytes());
    fflush(stdout);
}

/* Only one of the two engines is there at a time: a large one need not fit twice. */
static bool restore(struct xd_snapshot *book)
{
    struct xd_engine_options options = xd_snapshot_options(book->flow->state.resting);
    struct xd_buf bytes;
    xd_buf_init(&bytes, SIZE_MAX / 2);
    bool saved = xd_engine_save(book->engine, &bytes);
    uint64_t state = xd_engine_state_hash(book->engine);
    xd_engine_destroy(book->engine);
    book->engine = saved ? xd_engine_load(&options, bytes.data, bytes.len) : NULL;
    xd_buf_free(&bytes);
    if (!book->engine) return false;
    printf("{\"state\": \"%016" PRIx64 "\", \"restored\": \"%016" PRIx64 "\"}\n", state,
           xd_engine_state_hash(book->engine));
    return true;
}

bool xd_measure_endurance(struct xd_snapshot *book, uint64_t commands)
{
    struct xd_meter *meter = malloc(sizeof *meter);
    if (!meter) return false;
    double began = xd_seconds_now();
    uint64_t done = 0;
    bool good = true;
    xd_meter_init(meter, book->flow, book->engine);
    for (unsigned part = 1; part <= PARTS && good; part++) {
        uint64_t until = commands / PARTS * part + commands % PARTS * part / PARTS;
        double part_began = processor_seconds();
        xd_meter_clear(meter);
        while (good && done < until) {
            good = xd_meter_step(meter);
            if (++done % TELL_EVERY == 0) tell_progress(done, commands, began);
        }
        put_part(meter, part, processor_seconds() - part_began);
    }
    xd_meter_free(meter);
    free(meter);
    return good && restore(book);
}

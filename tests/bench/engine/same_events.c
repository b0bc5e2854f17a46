/* Plays seeded random worlds and prints a hash of all events of each: two books that find the same print the
 * same.
 *
 *     xd-same-events RECORDS WORLDS */
#include "core/output.h"
#include "engine/engine.h"
#include "tests/engine/market.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum { MAX_ORDERS = 1 << 20, OUTPUT_BYTES = 64 << 20 };

static bool play(struct xd_engine *engine, struct xd_world *world, uint64_t records, uint64_t *hash,
                 uint64_t *matches)
{
    struct xd_output output;
    xd_output_init(&output, OUTPUT_BYTES);
    bool good = true;
    *hash = 0;
    for (uint64_t i = 0; i < records && good; i++) {
        struct xd_record record;
        xd_world_record(world, &record);
        xd_output_clear(&output);
        good = xd_engine_apply(engine, world->now, &record, &output);
        *hash = XXH3_64bits_withSeed(output.events.data, output.events.len, *hash);
    }
    struct xd_engine_stats stats;
    xd_engine_stats(engine, &stats);
    *matches = stats.matches + stats.proposals;
    xd_output_free(&output);
    return good;
}

int main(int argc, char **argv)
{
    uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000;
    uint64_t worlds = argc > 2 ? strtoull(argv[2], NULL, 10) : 10;
    struct xd_engine_options options = {
        .market = {.currency = xd_currency("CNY", 3), .road_factor_e4 = 12500},
        .max_orders = MAX_ORDERS,
    };
    for (uint64_t seed = 1; seed <= worlds; seed++) {
        struct xd_world world = {
            .seed = seed, .next_order = 1, .next_match = 1, .now = 1900000000, .crowded = seed % 5 == 0};
        struct xd_engine *engine = xd_engine_create(&options);
        uint64_t hash = 0, matches = 0;
        if (!engine || !play(engine, &world, records, &hash, &matches)) return EXIT_FAILURE;
        printf("world %" PRIu64 ": %016" PRIx64 ", %" PRIu64 " matches live\n", seed, hash, matches);
        xd_engine_destroy(engine);
    }
    return EXIT_SUCCESS;
}

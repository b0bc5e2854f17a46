/* Random orders and commands for tests of the engine: small worlds, so that things collide. */
#ifndef XD_TESTS_ENGINE_MARKET_H
#define XD_TESTS_ENGINE_MARKET_H

#include "core/record.h"
#include "engine/engine.h"

struct xd_world {
    uint64_t seed;       /* advances */
    uint64_t next_order; /* number of the next order */
    uint64_t next_match; /* guess: matches are numbered from 1 */
    int64_t now;         /* s */
    bool crowded;        /* all places one place, all prices one price */
    bool careful;        /* most sides confirm by hand, many requests want all or nothing */
    char ref[32], account[16], other[16];
};

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
uint64_t xd_world_random(struct xd_world *world);
uint64_t xd_world_below(struct xd_world *world, uint64_t bound);

/* The next record: mostly orders, then what their owners do to orders and matches that may exist. Strings live until the
 * next call. May advance `now`. */
void xd_world_record(struct xd_world *world, struct xd_record *record);

/* Gives a command the account that may act on its match or order, mostly, so that most commands do something. */
void xd_world_aim(struct xd_world *world, const struct xd_engine *engine, struct xd_record *record);

#endif

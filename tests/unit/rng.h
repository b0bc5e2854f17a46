/* Random numbers for tests: seeded, the same on every machine (S. Vigna's splitmix64). */
#ifndef XD_TESTS_RNG_H
#define XD_TESTS_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* min..max, both possible; the bias of the remainder does not matter to tests. */
static inline int64_t rng_between(struct rng *rng, int64_t min, int64_t max)
{
    return min + (int64_t)(rng_next(rng) % ((uint64_t)(max - min) + 1));
}

#endif

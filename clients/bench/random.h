/* A small random number generator with a state of its own: xoshiro256** of D. Blackman and S. Vigna
 * ("Scrambled Linear Pseudorandom Number Generators", 2021), seeded through splitmix64 as they advise. The
 * same seed gives the same numbers on every machine. Not for secrets. */
#ifndef XD_BENCH_RANDOM_H
#define XD_BENCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct xd_random {
    uint64_t state[4];
};

void xd_random_seed(struct xd_random *random, uint64_t seed);

/* 64 random bits. */
uint64_t xd_random_bits(struct xd_random *random);

/* Uniform in [0, 1). */
double xd_random_unit(struct xd_random *random);

/* Uniform among low..high, both included; low <= high, at most 2^32 values. */
int64_t xd_random_between(struct xd_random *random, int64_t low, int64_t high);

/* True once in a while: with this probability, 0 to 1. */
bool xd_random_chance(struct xd_random *random, double probability);

/* Around `middle`, within a factor of 1 + `spread` both ways, denser near the middle. By pow: the last digit may be
 * the machine's. */
double xd_random_around(struct xd_random *random, double middle, double spread);

#endif

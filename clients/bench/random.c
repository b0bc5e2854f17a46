#include "clients/bench/random.h"

#include <math.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void xd_random_seed(struct xd_random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        random->state[i] = splitmix(&seed);
}

static uint64_t rotate_left(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t xd_random_bits(struct xd_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double xd_random_unit(struct xd_random *random)
{
    return (double)(xd_random_bits(random) >> 11) * 0x1p-53;
}

int64_t xd_random_between(struct xd_random *random, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)(high - low) + 1;
    return low + (int64_t)((xd_random_bits(random) >> 32) * span >> 32);
}

bool xd_random_chance(struct xd_random *random, double probability)
{
    return xd_random_unit(random) < probability;
}

double xd_random_around(struct xd_random *random, double middle, double spread)
{
    double lean = xd_random_unit(random) + xd_random_unit(random) - 1; /* -1 to 1, a triangle */
    return middle * pow(1 + spread, lean);
}

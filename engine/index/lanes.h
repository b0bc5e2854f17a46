/* A few floats at a time: eight where the compiler may use AVX, else four. Nothing here depends on how many.
 */
#ifndef XD_ENGINE_LANES_H
#define XD_ENGINE_LANES_H

#include <stdint.h>
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#else
#include <math.h>
#endif

#if defined(__AVX2__)
enum { XD_LANES = 8 };
typedef float xd_lanes __attribute__((vector_size(32), may_alias));
typedef int32_t xd_lanes_mask __attribute__((vector_size(32), may_alias)); /* all ones where it holds */
#else
enum { XD_LANES = 4 };
typedef float xd_lanes __attribute__((vector_size(16), may_alias));
typedef int32_t xd_lanes_mask __attribute__((vector_size(16), may_alias));
#endif

/* `at` is aligned to a whole vector. */
static inline xd_lanes xd_lanes_at(const float *at)
{
    return *(const xd_lanes *)at;
}

static inline xd_lanes xd_lanes_of(float value)
{
    return value - (xd_lanes){0};
}

static inline xd_lanes xd_lanes_max(xd_lanes a, xd_lanes b)
{
#if defined(__AVX2__)
    return (xd_lanes)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
    return (xd_lanes)_mm_max_ps((__m128)a, (__m128)b);
#else
    xd_lanes_mask more = a > b;
    return (xd_lanes)(((xd_lanes_mask)a & more) | ((xd_lanes_mask)b & ~more));
#endif
}

static inline xd_lanes xd_lanes_min(xd_lanes a, xd_lanes b)
{
#if defined(__AVX2__)
    return (xd_lanes)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__SSE2__)
    return (xd_lanes)_mm_min_ps((__m128)a, (__m128)b);
#else
    xd_lanes_mask less = a < b;
    return (xd_lanes)(((xd_lanes_mask)a & less) | ((xd_lanes_mask)b & ~less));
#endif
}

static inline xd_lanes xd_lanes_sqrt(xd_lanes a)
{
#if defined(__AVX2__)
    return (xd_lanes)_mm256_sqrt_ps((__m256)a);
#elif defined(__SSE2__)
    return (xd_lanes)_mm_sqrt_ps((__m128)a);
#else
    xd_lanes root;
    for (unsigned i = 0; i < XD_LANES; i++) {
        root[i] = sqrtf(a[i]);
    }
    return root;
#endif
}

/* One bit per lane where the mask holds. */
static inline uint32_t xd_lanes_bits(xd_lanes_mask mask)
{
#if defined(__AVX2__)
    return (uint32_t)_mm256_movemask_ps((__m256)mask);
#elif defined(__SSE2__)
    return (uint32_t)_mm_movemask_ps((__m128)mask);
#else
    uint32_t bits = 0;
    for (unsigned i = 0; i < XD_LANES; i++) {
        bits |= (uint32_t)(mask[i] & 1) << i;
    }
    return bits;
#endif
}

static inline float xd_lanes_least(xd_lanes a)
{
    float least = a[0];
    for (unsigned i = 1; i < XD_LANES; i++) {
        least = a[i] < least ? a[i] : least;
    }
    return least;
}

static inline float xd_lanes_greatest(xd_lanes a)
{
    float greatest = a[0];
    for (unsigned i = 1; i < XD_LANES; i++) {
        greatest = a[i] > greatest ? a[i] : greatest;
    }
    return greatest;
}

#endif

/* Eight lanes: loads from the columns and the few operations of the filters. For files compiled with AVX2. */
#ifndef XD_TESTS_BENCH_ENGINE_SCAN_VECTOR_H
#define XD_TESTS_BENCH_ENGINE_SCAN_VECTOR_H

#include "tests/bench/engine/scan_filter.h"

#include <immintrin.h>

static inline __m256 xd_reals(const struct xd_scan_book *book, unsigned column, uint32_t row)
{
    return _mm256_load_ps(&book->column[column][row].real);
}

static inline __m256i xd_wholes(const struct xd_scan_book *book, unsigned column, uint32_t row)
{
    return _mm256_load_si256((const __m256i *)(const void *)&book->column[column][row]);
}

static inline __m256 xd_all(float value)
{
    return _mm256_set1_ps(value);
}

static inline __m256i xd_all_whole(int32_t value)
{
    return _mm256_set1_epi32(value);
}

static inline uint32_t xd_lanes(__m256 mask)
{
    return (uint32_t)_mm256_movemask_ps(mask);
}

static inline __m256 xd_at_most(__m256 a, __m256 b)
{
    return _mm256_cmp_ps(a, b, _CMP_LE_OQ);
}

/* Lanes where a > b, to be taken out of a mask by xd_without. */
static inline __m256i xd_above(__m256i a, __m256i b)
{
    return _mm256_cmpgt_epi32(a, b);
}

static inline __m256 xd_without(__m256 mask, __m256i refused)
{
    return _mm256_andnot_ps(_mm256_castsi256_ps(refused), mask);
}

/* The square of the chord between each row's place (columns x, x + 1, x + 2) and a place. */
static inline __m256 xd_chord_squared(const struct xd_scan_book *book, unsigned x, uint32_t row,
                                      const float place[3])
{
    __m256 dx = xd_reals(book, x, row) - xd_all(place[0]);
    __m256 dy = xd_reals(book, x + 1, row) - xd_all(place[1]);
    __m256 dz = xd_reals(book, x + 2, row) - xd_all(place[2]);
    return dx * dx + dy * dy + dz * dz;
}

/* Road metres that a chord stands for at least, less `slack_m` for every rounding there is. */
static inline __m256 xd_metres(__m256 chord_squared, float factor, float slack_m)
{
    return _mm256_max_ps(_mm256_sqrt_ps(chord_squared) * xd_all(factor) - xd_all(slack_m), xd_all(0));
}

/* Seconds from `since` to a column's or a probe's time, both in steps of 4 s. */
static inline __m256 xd_seconds(__m256i time, __m256i since)
{
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(time, since)) * xd_all(4);
}

/* When trucks leave their heads at the earliest: when they are free, if idle no earlier than now. */
static inline __m256i xd_departure(__m256i free, __m256i idle, __m256i now)
{
    return _mm256_max_epi32(free, _mm256_and_si256(idle, now));
}

/* `until` in seconds, with what rounding may have taken off it. */
static inline __m256 xd_in_time(__m256 when, __m256 until)
{
    __m256 magnitude = _mm256_andnot_ps(xd_all(-0.0f), until);
    return xd_at_most(when, until + xd_all(16) + magnitude * xd_all(1e-6f));
}

/* Rule 2 without the accounts, and the set-points. */
static inline __m256 xd_suits(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                              uint32_t row, __m256 mask)
{
    mask = xd_without(mask, xd_above(xd_all_whole(probe->min_credit), xd_wholes(book, SCAN_CREDIT, row)));
    mask = xd_without(mask, xd_above(xd_wholes(book, SCAN_MIN_CREDIT, row), xd_all_whole(probe->credit)));
    __m256i same = _mm256_cmpeq_epi32(xd_wholes(book, SCAN_CURRENCY, row), xd_all_whole(probe->currency));
    return _mm256_and_ps(mask, _mm256_castsi256_ps(same));
}

static inline __m256 xd_has_features(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                     uint32_t row, __m256 mask)
{
    for (unsigned half = 0; half < 2; half++) {
        __m256i needs = xd_all_whole((int32_t)probe->features[half]);
        __m256i has = xd_wholes(book, SCAN_FEATURES_LOW + half, row);
        __m256i all = _mm256_cmpeq_epi32(_mm256_and_si256(has, needs), needs);
        mask = _mm256_and_ps(mask, _mm256_castsi256_ps(all));
    }
    return mask;
}

static inline __m256 xd_needs_features(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                       uint32_t row, __m256 mask)
{
    for (unsigned half = 0; half < 2; half++) {
        __m256i has = xd_all_whole((int32_t)probe->features[half]);
        __m256i lacks = _mm256_andnot_si256(has, xd_wholes(book, SCAN_FEATURES_LOW + half, row));
        __m256i none = _mm256_cmpeq_epi32(lacks, _mm256_setzero_si256());
        mask = _mm256_and_ps(mask, _mm256_castsi256_ps(none));
    }
    return mask;
}

/* The lanes of a mask that are rows at all. */
static inline uint32_t xd_rows_among(const struct xd_scan_book *book, uint32_t row, uint32_t lanes)
{
    uint32_t rows = book->count - row;
    return rows < XD_SCAN_LANES ? lanes & ((1u << rows) - 1) : lanes;
}

#endif

#include "clients/bench/histogram.h"

#include <math.h>
#include <string.h>

enum { STEP_BITS = 7, BUCKETS = XD_HISTOGRAM_STEPS * XD_HISTOGRAM_OCTAVES };

static uint32_t bucket_of(uint64_t value)
{
    if (value < XD_HISTOGRAM_STEPS) return (uint32_t)value;
    uint32_t shift = (uint32_t)(63 - __builtin_clzll(value)) - STEP_BITS;
    uint64_t step = value >> shift; /* XD_HISTOGRAM_STEPS .. 2 x XD_HISTOGRAM_STEPS - 1 */
    uint64_t bucket = (uint64_t)shift * XD_HISTOGRAM_STEPS + step;
    return bucket < BUCKETS ? (uint32_t)bucket : BUCKETS - 1;
}

static uint64_t top_of(uint32_t bucket)
{
    if (bucket < XD_HISTOGRAM_STEPS) return bucket;
    uint32_t shift = bucket / XD_HISTOGRAM_STEPS - 1;
    uint64_t step = bucket % XD_HISTOGRAM_STEPS + XD_HISTOGRAM_STEPS;
    return ((step + 1) << shift) - 1;
}

void xd_histogram_clear(struct xd_histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

void xd_histogram_add(struct xd_histogram *histogram, uint64_t value)
{
    histogram->count++;
    histogram->buckets[bucket_of(value)]++;
    if (value > histogram->max) histogram->max = value;
}

uint64_t xd_histogram_quantile(const struct xd_histogram *histogram, double q)
{
    if (histogram->count == 0) return 0;
    double wanted = ceil(q * (double)histogram->count);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < BUCKETS - 1; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted)
            return top_of(i) < histogram->max ? top_of(i) : histogram->max;
    }
    return histogram->max;
}

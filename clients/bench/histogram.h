/* How often each duration was seen, for percentiles: counts in buckets that are linear within each power of
 * two, so that a value is known to better than 1 % from nanoseconds to an hour, in a fixed 36 KB and a few
 * instructions (the idea of G. Tene's HdrHistogram).
 *
 *     value     0 .. 127    128 .. 255   256 .. 511   512 .. 1023  ...
 *     bucket     1 wide       1 wide       2 wide       4 wide     ...   128 buckets each */
#ifndef XD_BENCH_HISTOGRAM_H
#define XD_BENCH_HISTOGRAM_H

#include <stdint.h>

enum { XD_HISTOGRAM_STEPS = 128, XD_HISTOGRAM_OCTAVES = 36 };

/* Values above the last bucket (2^42 - 1) are counted in it; `max` stays exact. */
struct xd_histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[XD_HISTOGRAM_STEPS * XD_HISTOGRAM_OCTAVES];
};

void xd_histogram_clear(struct xd_histogram *histogram);
void xd_histogram_add(struct xd_histogram *histogram, uint64_t value);

/* The value that a share `q` (0 to 1) of what was added does not exceed: the top of its bucket, never above
 * `max`. 0 when nothing was added. */
uint64_t xd_histogram_quantile(const struct xd_histogram *histogram, double q);

#endif

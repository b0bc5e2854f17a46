/* What a load has moved so far, in the market's own terms: tonnes, pallets, storage, empty kilometres saved,
 * and the latest matches in words. Made from the events. */
#ifndef XD_BENCH_SUMMARY_H
#define XD_BENCH_SUMMARY_H

#include "clients/bench/load.h"

enum { XD_SUMMARY_LATEST = 6, XD_SUMMARY_LINE = 256 };

struct xd_summary {
    uint64_t confirmed; /* matches */
    int64_t kg;         /* by road */
    int64_t pallets;    /* by road, 1e-2 */
    int64_t saved_m;    /* by road: loaded metres less added metres, which would have been driven empty */
    int64_t pallet_days, m2_days; /* in storage, 1e-2 */
    uint64_t latest_count;
    char latest[XD_SUMMARY_LATEST][XD_SUMMARY_LINE]; /* a ring: the n-th match is at n % XD_SUMMARY_LATEST */
};

/* An xd_load_options.told. `arg` is the summary. */
void xd_summary_told(void *arg, const struct xd_load *load, const struct xd_told *told,
                     const struct xd_verified *verified);

#endif

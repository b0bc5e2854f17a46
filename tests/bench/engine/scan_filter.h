/* The vectorised pass over the columns: eight orders at a time (AVX2), refused as soon as one attribute
 * refuses all eight, and let through only where an upper bound of their surplus reaches what the best so far
 * has. */
#ifndef XD_TESTS_BENCH_ENGINE_SCAN_FILTER_H
#define XD_TESTS_BENCH_ENGINE_SCAN_FILTER_H

#include "tests/bench/engine/scan_columns.h"

/* An incoming order, as it is compared with the columns. */
struct xd_scan_probe {
    uint32_t features[2]; /* needed (a request), had (an offer) */
    int32_t credit, min_credit, currency;
    int32_t cold, warm; /* a request without a temperature, a truck without one: as in the columns */
    float at[3], to[3];
    float factor; /* metres per unit of chord, rounded down */

    /* storage */
    int32_t from_day, until_day;
    float reach; /* square of a chord */
    float open, least;
    float unit_price, access; /* hundredths per amount, per metre */
    float base, rate;         /* hundredths, hundredths per amount and day */
    float free;

    /* trucks */
    int32_t now;                                                      /* 4 s */
    int32_t idle;                                                     /* as in the columns */
    int32_t free_at, until, pickup_from, pickup_until, deliver_until; /* 4 s */
    float loading, unloading;                                         /* s */
    float direct;                                                     /* metres */
    float kg, pallets;
    float has_to, longest, planned, slowness; /* as in the columns */
    float per_load, per_detour;
    float price;
};

/* Each looks at rows from block *block on and returns a bit for each lane of the first block that may hold a
 * match with a surplus of `at_least` or more; *block is then that block. 0 when there is none. */
uint32_t xd_scan_storage_offers(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                float at_least, uint32_t *block);
uint32_t xd_scan_storage_requests(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                  float at_least, uint32_t *block);
uint32_t xd_scan_truck_offers(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                              float at_least, uint32_t *block);
uint32_t xd_scan_truck_requests(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                float at_least, uint32_t *block);

#endif

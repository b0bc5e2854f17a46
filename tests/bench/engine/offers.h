/* The work that a database can be given too: requests for cold storage, one after the other, each taking all
 * it needs from the best of N offers at once or going away (`fill: now`, no parts). The bids are moved
 * meanwhile so that 40 % find one. */
#ifndef XD_TESTS_BENCH_ENGINE_OFFERS_H
#define XD_TESTS_BENCH_ENGINE_OFFERS_H

#include <stdbool.h>
#include <stdint.h>

struct xd_offers_work {
    uint64_t offers, requests, seed;
    const char *export; /* directory for offers.csv and requests.csv, or NULL */
};

/* Tells of it as one JSON object on stdout. False if the engine failed or a file cannot be written. */
bool xd_measure_offers(const struct xd_offers_work *work);

#endif

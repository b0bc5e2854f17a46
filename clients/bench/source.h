/* Where the orders of a load come from: the market, the book of 100, or a file. One of them is behind this
 * table. */
#ifndef XD_BENCH_SOURCE_H
#define XD_BENCH_SOURCE_H

#include "core/order.h"

enum { XD_LOAD_REF = 19 }; /* "b1a2b3c4d-0000002a" and its terminator */

/* An order ready to be sent, and what the verification has to know of it. */
struct xd_load_order {
    const uint8_t *bytes; /* a msgpack map with `account` and `ref`; valid until the source is asked again */
    size_t len;
    const char *account; /* lives as long as the source */
    const char
        *place;     /* the name of `from` or `at`, lives as long as the source; NULL where nobody knows it */
    int64_t amount; /* in units of the kind's main dimension (1e-2 pallets or m2) */
    uint8_t side;   /* enum xd_side */
    uint8_t kind;   /* enum xd_kind */
    bool manual;    /* it confirms by hand: the load accepts or declines its proposals */
    bool splits;    /* a storage request with min_part */
};

struct xd_source {
    void *state;
    /* The next order under `ref`, with times relative to `now` (the broker's). False when there are no more,
     * or the source failed (`why` of the command that made it). */
    bool (*next)(void *state, const char *ref, int64_t now, struct xd_load_order *out);
    void (*destroy)(void *state);
    uint64_t setup; /* so many orders are sent before anything is measured */
    uint64_t total; /* so many there are at all, setup and all; UINT64_MAX: no end */
    double cancels; /* so many of an order's successors cancel it: 0 to 1 */
};

#endif

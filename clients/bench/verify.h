/* Verification while loading: what was sent, what was acknowledged and what was told must agree.
 *
 *   - every acknowledged order has exactly one order.accepted (or order.rejected), with the id of its
 *     acknowledgement;
 *   - every step of a match (proposed, confirmed, declined, ...) is told to both sides, once to each, and all
 *     that is told of a match says the same ids, amounts and money;
 *   - price = quote + floor(surplus / 2);
 *   - a request's live matches never add up to more than its amount, and are the whole of it unless it may be
 *     split.
 *
 * It looks at orders by their place in the load, which is written in their ref: the load's prefix, "-", eight
 * hexadecimal digits. Orders and matches of others are passed over. Capacity of offers, plans and distances
 * are not its business. */
#ifndef XD_BENCH_VERIFY_H
#define XD_BENCH_VERIFY_H

#include "clients/bench/source.h"
#include "clients/bench/told.h"

enum { XD_VERIFY_PREFIX = 9 };                    /* characters of a load's prefix */
enum { XD_VERIFY_ORDERS_MAX = 20 * 1000 * 1000 }; /* that a verifier takes */
enum { XD_VERIFY_SAMPLES = 5 };                   /* violations kept in words */

#define XD_VERIFY_NONE UINT64_MAX

/* An order of the load. */
struct xd_sent {
    const char *account, *place; /* the source's */
    int64_t due_ns;              /* when it was to be sent */
    uint64_t id;                 /* 0 until it is known */
    int64_t amount, taken;       /* of the main dimension; of a request, what its live matches hold */
    uint8_t side, kind;
    bool manual, splits, acked, refused, accepted;
};

struct xd_verify_counts {
    uint64_t sent, acked, refused;
    uint64_t offers, requests; /* acknowledged, by side */
    uint64_t told;             /* events of orders and matches of the load */
    uint64_t accepted, rejected;
    uint64_t matches;   /* first tellings: of pairs formed */
    uint64_t confirmed; /* matches that were confirmed, at once or by hand */
    uint64_t violations;
    char samples[XD_VERIFY_SAMPLES][160]; /* the first of them */
};

struct xd_verify;

/* `prefix`: XD_VERIFY_PREFIX characters, is copied. NULL without memory. */
struct xd_verify *xd_verify_create(const char *prefix);
void xd_verify_destroy(struct xd_verify *verify);

/* The ref of the `index`th order of the load. */
void xd_verify_ref(const struct xd_verify *verify, uint64_t index, char out[static XD_LOAD_REF]);

/* An order is about to be sent; orders come in the order of their index. False when there are too many, or no
 * memory. */
bool xd_verify_sent(struct xd_verify *verify, const struct xd_load_order *order, int64_t due_ns);

/* Its answer: an id, or a refusal. */
void xd_verify_acked(struct xd_verify *verify, uint64_t index, uint64_t id);
void xd_verify_refused(struct xd_verify *verify, uint64_t index);

/* What an event was, to the load. */
struct xd_verified {
    uint64_t offer, request; /* indexes of the match's orders, or XD_VERIFY_NONE */
    uint64_t order;          /* index of the event's order, or XD_VERIFY_NONE */
    bool first;              /* the first telling of this step of the match */
    bool formed;             /* and the first thing told of the match at all */
    uint64_t
        incoming; /* formed: index of the order whose coming formed it; XD_VERIFY_NONE: freed capacity did */
};

/* An event has come, in the order in which the broker told them. False if it concerns no order of the
 * load. */
bool xd_verify_event(struct xd_verify *verify, const struct xd_told *told, struct xd_verified *out);

/* Something that cannot be read as an event has come. */
void xd_verify_garbage(struct xd_verify *verify);

/* A resume was not complete: events have been lost. */
void xd_verify_gap(struct xd_verify *verify);

/* True once nothing is missing: every acknowledged order was told of, every step of a match to both sides. */
bool xd_verify_settled(const struct xd_verify *verify);

/* Counts what is still missing as violations. Call once, at the end. */
void xd_verify_finish(struct xd_verify *verify);

const struct xd_sent *xd_verify_order(const struct xd_verify *verify, uint64_t index);
const struct xd_verify_counts *xd_verify_counts(const struct xd_verify *verify);

#endif

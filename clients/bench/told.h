/* An event from the broker as the load generator looks at it: decoded once, checked for shape. */
#ifndef XD_BENCH_TOLD_H
#define XD_BENCH_TOLD_H

#include "core/event.h"

struct xd_told_party {
    struct xd_str ref, account;
    uint64_t id;
};

struct xd_told_match {
    uint64_t id;
    enum xd_kind kind;
    struct xd_told_party offer, request;
    int64_t amount[XD_DIMS];       /* in the dimensions' units; 0 where not stated */
    int64_t quote, price, surplus; /* hundredths */
    int64_t km_m, added_m;         /* metres */
    int64_t days;                  /* storage */
    struct xd_str currency;
    double from_lat, from_lon; /* truck: the request's own stops, degrees; 0 where they are not told */
    double to_lat, to_lon;
};

struct xd_told {
    enum xd_event_type type;
    struct xd_str account; /* whose event it is */
    bool is_match;
    struct xd_told_party order; /* unless is_match */
    struct xd_told_match match;
};

/* Reads the map of an `event` notification; strings point into it. False if it is not one as docs/PROTOCOL.md
 * has it. */
bool xd_told_read(const msgpack_object *event, struct xd_told *out);

/* The side of a match whose event it is: 0 the offer's, 1 the request's, -1 neither. */
int xd_told_side(const struct xd_told *told);

/* What must be the same in all that is told of a match, to both sides and over its life, in 64 bits. */
uint64_t xd_told_facts(const struct xd_told_match *match);

#endif

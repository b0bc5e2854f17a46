/* Random commands for both engines: whole worlds, each of its own style, so that all the corners are gone
 * into.
 *
 * Commands are aimed by what the twin holds, never by what the fast engine holds: a seed gives the same
 * commands whatever the engine under test does, as long as it is right. */
#ifndef XD_TESTS_DIFFERENTIAL_TRAFFIC_H
#define XD_TESTS_DIFFERENTIAL_TRAFFIC_H

#include "tests/differential/script.h"
#include "tests/differential/twin_state.h"

enum xd_places {
    XD_ONE_POINT,
    XD_FEW_POINTS,
    XD_REGION,
    XD_LINE,
    XD_POLE,
    XD_ANTIMERIDIAN,
    XD_WORLD,
    XD_PLACES
};

/* How a world is; chances are in percent. */
struct xd_style {
    enum xd_places places;
    unsigned weight[XD_KINDS]; /* of each kind of order */
    unsigned book;             /* open orders to be held, about */
    bool equal_prices;
    bool exact;        /* amounts that fill up to the last unit */
    bool adversarial;  /* trucks: loads made to fit barely, times that fall on stops */
    bool long_horizon; /* months of storage, deadlines weeks ahead */
    bool no_service;   /* loading takes no time */
    bool extreme;      /* numbers up to the limits of their fields */
    unsigned offers, manual, now, all_now, min_part, features, temp, lists, foreign, dims, short_valid,
        action, amend;
    unsigned accounts;
    int64_t pace_s; /* an ordinary step of time */
};

struct xd_traffic {
    uint64_t random;
    struct xd_style style;
    struct xd_twin_options options;
    int64_t now;
    uint64_t next_order, skipped; /* numbers */
    struct xd_place points[8];
    int32_t line_step; /* between the points of a line, 1e-7 degree */
    char account[16], ref[32], note[32], listed[4][16];
};

/* Sizes of the book of open orders. */
enum xd_book_size { XD_BOOK_TINY, XD_BOOK_SMALL, XD_BOOK_LARGE, XD_BOOK_HUGE, XD_BOOK_SIZES };

/* A world of its own. */
void xd_traffic_begin(struct xd_traffic *traffic, uint64_t seed, enum xd_book_size size);

/* Adds the next step to a script: a record, or now and then a restore. */
void xd_traffic_next(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_script *script);

/* --- for traffic_*.c
 * -------------------------------------------------------------------------------------------------------- */

uint64_t xd_traffic_below(struct xd_traffic *traffic, uint64_t bound);
int64_t xd_traffic_between(struct xd_traffic *traffic, int64_t low, int64_t high);
bool xd_traffic_chance(struct xd_traffic *traffic, unsigned percent);

/* traffic_amend.c: new terms for an order that the twin has */
void xd_traffic_amend(struct xd_traffic *traffic, const struct xd_twin *twin, const struct twin_order *order,
                      struct xd_record *record);

/* traffic_order.c: a new order of the world's style, at traffic->now */
void xd_traffic_order(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_record *record);

#endif

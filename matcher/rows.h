/* What the numbers of a row mean, for each shelf of the book; and, of a node or row, the most surplus that an incoming order
 * could have with anything in it.
 *
 * Nothing here decides a match: rows are floats, so every bound leans to the generous side (a margin for rounding, chords for
 * arcs), and what passes is judged exactly by xd_fit. Comparing two whole numbers as floats is safe without a margin, because
 * rounding to float never turns a <= b into a > b. */
#ifndef XD_MATCHER_ROWS_H
#define XD_MATCHER_ROWS_H

#include "matcher/tree.h"

#include <stdint.h>

struct xd_slot;

/* A book has a tree for each of these. Trucks that must end somewhere and trucks that need not are sought differently. */
enum xd_shelf {
    XD_SHELF_LANES,          /* truck offers with `to` */
    XD_SHELF_ROAMERS,        /* truck offers without */
    XD_SHELF_LOADS,          /* truck requests */
    XD_SHELF_COLD_OFFERS,
    XD_SHELF_COLD_REQUESTS,
    XD_SHELF_FLOOR_OFFERS,   /* warehouses */
    XD_SHELF_FLOOR_REQUESTS,
    XD_SHELVES
};

enum xd_shelf xd_shelf_of(const struct xd_slot *slot);

/* Whether a shelf holds orders of that kind and side (enum xd_kind, enum xd_side). */
bool xd_shelf_is(enum xd_shelf shelf, unsigned kind, unsigned side);

/* How leaves of a shelf are split (struct xd_tree). */
const float *xd_shelf_weights(enum xd_shelf shelf);

/* The row and mask of an order on its shelf, as it now is. */
void xd_row_of(const struct xd_slot *slot, xd_row *row, uint64_t *mask);

/* What an incoming order seeks on a shelf: rows between lo and hi, masks that contain `need` (offers) or lie within `have`
 * (requests), and whatever xd_bound needs. */
struct xd_sought {
    xd_row lo, hi;
    uint64_t need;
    uint64_t have; /* all ones where offers are sought */
    double place[3], other_place[3]; /* of the incoming order: at or from; to */
    double reach;     /* chord: farther away is out of the question */
    double metres;    /* of road to a unit of chord */
    double price, base, rate; /* of the incoming order: max_price; base and rate */
    double volume;    /* what a resting offer's rate is multiplied by */
    double access;    /* price of a chord's unit */
    double direct, longest, speed, from, until, service; /* trucks: metres, metres, m/min, minutes */
    bool parts; /* the request may be served in parts: a part costs less, but is worth less too */
    bool ends;  /* the truck must end at other_place */
};

/* What `incoming` seeks on `shelf`. */
void xd_seek(const struct xd_slot *incoming, enum xd_shelf shelf, int32_t road_factor_e4, struct xd_sought *out);

/* No less than the surplus of `incoming` with any order between box_lo and box_hi; negative: none fits. */
double xd_bound(enum xd_shelf shelf, const struct xd_sought *sought, const xd_row *box_lo, const xd_row *box_hi);

#endif

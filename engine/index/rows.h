/* What the numbers of a row mean, for each shelf of the book, and what an incoming order seeks among them.
 *
 * Nothing here decides a match: rows are floats, so every bound made of them leans to the generous side, and what passes is
 * judged exactly by xd_fit. Comparing two whole numbers as floats is safe without a margin, because rounding to float never turns
 * a <= b into a > b. */
#ifndef XD_ENGINE_ROWS_H
#define XD_ENGINE_ROWS_H

#include "core/geo.h"
#include "engine/index/tree.h"

#include <stdint.h>

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

/* The columns. Places are unit vectors, money hundredths, amounts and rates as in orders, times minutes (a truck's whole minute
 * at or before), days days, distances metres but where a chord is said. */
enum { /* of every row: of at, pickup, or where the truck is free */
    XD_COLUMN_X,
    XD_COLUMN_Y,
    XD_COLUMN_Z,
    XD_COLUMN_TEMP_MIN,
    XD_COLUMN_TEMP_MAX,
    XD_COLUMN_OF_SHELF
};

enum { /* storage, both sides */
    XD_STORAGE_FROM_DAY = XD_COLUMN_OF_SHELF,
    XD_STORAGE_UNTIL_DAY,
    XD_STORAGE_AMOUNT, /* offer: the most that is free on a day; request: the least that is worth having */
    XD_STORAGE_CREDIT,
    XD_STORAGE_MIN_CREDIT,
    XD_STORAGE_OF_SIDE
};

enum { /* storage offers; their price for a volume (amount x days) is base + rate x volume */
    XD_SPACE_MIN_PART = XD_STORAGE_OF_SIDE,
    XD_SPACE_BASE,
    XD_SPACE_USUAL, /* the price for XD_USUAL_VOLUME */
    XD_SPACE_RATE,  /* hundredths for a hundredth of a unit and a day */
    XD_SPACE_COLUMNS
};

enum { /* storage requests; what is left of their limit at a rate is limit - rate x volume */
    XD_WANT_REACH = XD_STORAGE_OF_SIDE, /* chord */
    XD_WANT_ACCESS, /* hundredths a metre */
    XD_WANT_LIMIT,
    XD_WANT_VOLUME, /* hundredths of a unit x days */
    XD_WANT_SHARE,  /* the least part that is worth having, of the whole */
    XD_WANT_RATE,   /* limit for a volume of one: the rate at which nothing is left */
    XD_WANT_COLUMNS
};

enum { /* truck offers */
    XD_TRUCK_TO_X = XD_COLUMN_OF_SHELF, /* the lane's end; of a roamer, where its plan ends */
    XD_TRUCK_TO_Y,
    XD_TRUCK_TO_Z,
    XD_TRUCK_LONGEST, /* lanes: what the way from here to its end may have at most; roamers: what it may grow by */
    XD_TRUCK_PLANNED, /* what it has as planned */
    XD_TRUCK_FREE,
    XD_TRUCK_UNTIL,
    XD_TRUCK_SLOWNESS, /* minutes a metre */
    XD_TRUCK_KG,
    XD_TRUCK_PALLETS,
    XD_TRUCK_BASE,
    XD_TRUCK_RATE,     /* hundredths a kilogram and metre */
    XD_TRUCK_DETOUR,   /* hundredths a metre */
    XD_LANE_COLUMNS,
    XD_ROAMER_LAST = XD_LANE_COLUMNS, /* when its plan ends */
    XD_ROAMER_COLUMNS
};

enum { /* truck requests; what is left of their limit at a rate is limit - rate x volume */
    XD_LOAD_TO_X = XD_COLUMN_OF_SHELF,
    XD_LOAD_TO_Y,
    XD_LOAD_TO_Z,
    XD_LOAD_PICKUP_FROM,
    XD_LOAD_PICKUP_UNTIL,
    XD_LOAD_DELIVER_UNTIL,
    XD_LOAD_LOADING,   /* minutes */
    XD_LOAD_UNLOADING, /* minutes */
    XD_LOAD_KG,
    XD_LOAD_PALLETS,
    XD_LOAD_DIRECT, /* pickup to delivery */
    XD_LOAD_LIMIT,
    XD_LOAD_CHEAP,  /* what is left at XD_CHEAP_HAUL */
    XD_LOAD_DEAR,   /* what is left at XD_DEAR_HAUL */
    XD_LOAD_VOLUME, /* kg x metres */
    XD_LOAD_COLUMNS
};

/* Between two points where a concave or convex price is known, a straight line bounds it. These points are where most orders
 * are: hundredths of a unit x days, rates in units of 1e-4 and hundredths. */
#define XD_USUAL_VOLUME 15000.0f
#define XD_CHEAP_HAUL   3e-5f  /* hundredths a kilogram and metre: 0.30 a tonne-kilometre */
#define XD_DEAR_HAUL    9e-5f

enum xd_shelf xd_shelf_of(const struct xd_slot *slot);

/* Whether a shelf holds orders of that kind and side (enum xd_kind, enum xd_side). */
bool xd_shelf_is(enum xd_shelf shelf, unsigned kind, unsigned side);

const struct xd_row_layout *xd_shelf_layout(enum xd_shelf shelf);

/* The row and mask of an order on its shelf, as it stands at `now`. */
void xd_row_of(const struct xd_slot *slot, int32_t road_factor_e4, int64_t now, xd_row row, uint64_t *mask);

/* What an incoming order seeks. Masks are to contain `need` (offers are sought) or to lie within `have` (requests). */
struct xd_sought {
    uint64_t need, have;
    float place[3], to[3]; /* at, pickup or where the truck is free; delivery or the lane's end */
    float road;            /* metres to a unit of arc, a little less */
    float temp_min, temp_max;
    float base, rate, detour; /* of an incoming offer, as in columns */
    float limit, volume;      /* of an incoming request, as in columns */
    union {
        struct {
            float reach2; /* chord squared: farther away is out of the question */
            float from_day, until_day, days, amount, open, unit_price, access, credit, min_credit;
        };
        struct {
            float longest, planned, free, last, until, slowness; /* an incoming truck, as in columns */
            float kg, pallets;
            float direct, pickup_from, pickup_until, deliver_until, loading, unloading; /* an incoming load */
        };
    };
    bool parts; /* the request may be served in parts */
    bool ends;  /* the truck must end at `to` */
};

/* What `incoming` seeks at `now`, on whichever shelf. */
void xd_seek(const struct xd_slot *incoming, int32_t road_factor_e4, int64_t now, struct xd_sought *out);

/* The part of a truck's way that is still to be had: where it is free after its last fixed stop and when, where its plan ends (`to`,
 * or the last stop) and when the last stop does, how long the way between is as planned, and may be (without `to`: may be before
 * the load that comes on is counted). */
struct xd_way {
    const struct xd_unit_vector *head, *end;
    int64_t free, last, longest_m, planned_m;
};

struct xd_way xd_way_of(const struct xd_slot *offer, int64_t now);

#endif

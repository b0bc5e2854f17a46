/* The resting orders of one kind and side as columns: a column for each attribute, a row for each order.
 *
 *     row            0      1      2      3      4      5      6      7   |  8 ...
 *     SCAN_X       .-38   .-37   .-38   ...                               |
 *     SCAN_Y        .76    .78   ...               eight lanes at a time  |
 *     SCAN_RATE     420    350   ...                                      |
 *
 * A row is a relaxed copy of its order: floats, times in steps of 4 s, each rounded to the permissive side
 * where it decides. What the columns refuse is refused by xd_fit; what they let through may still be. */
#ifndef XD_TESTS_BENCH_ENGINE_SCAN_COLUMNS_H
#define XD_TESTS_BENCH_ENGINE_SCAN_COLUMNS_H

#include "tests/bench/engine/map.h"

enum { XD_SCAN_LANES = 8 };

/* Columns of all four kinds of book; the first ones say who may deal with whom. */
enum {
    SCAN_FEATURES_LOW, /* an offer's features, a request's needs: 32 bits, and the rest */
    SCAN_FEATURES_HIGH,
    SCAN_CREDIT,
    SCAN_MIN_CREDIT,
    SCAN_CURRENCY,
    SCAN_COLD, /* set-points: 1e-1 degree C */
    SCAN_WARM,
    SCAN_X, /* where: at, a truck's head, a pickup; unit vector */
    SCAN_Y,
    SCAN_Z,
    SCAN_OWN /* what follows is each book's own */
};

enum { /* storage offers */
       SCAN_OFFER_FROM_DAY = SCAN_OWN,
       SCAN_OFFER_UNTIL_DAY,
       SCAN_OFFER_FREE, /* of the main dimension on its emptiest day */
       SCAN_OFFER_LEAST,
       SCAN_OFFER_BASE, /* hundredths */
       SCAN_OFFER_RATE, /* hundredths per amount and day */
       SCAN_STORAGE_OFFER_COLUMNS
};

enum { /* storage requests */
       SCAN_WANT_FROM_DAY = SCAN_OWN,
       SCAN_WANT_UNTIL_DAY,
       SCAN_WANT_OPEN,
       SCAN_WANT_LEAST,
       SCAN_WANT_REACH,      /* square of the chord that its radius spans */
       SCAN_WANT_PRICE,      /* hundredths */
       SCAN_WANT_UNIT_PRICE, /* hundredths per amount */
       SCAN_WANT_ACCESS,     /* hundredths per metre */
       SCAN_STORAGE_REQUEST_COLUMNS
};

enum { /* truck offers */
       SCAN_TRUCK_TO_X = SCAN_OWN,
       SCAN_TRUCK_TO_Y,
       SCAN_TRUCK_TO_Z,
       SCAN_TRUCK_HAS_TO,   /* 1 or 0 */
       SCAN_TRUCK_LONGEST,  /* struct xd_scan_way */
       SCAN_TRUCK_PLANNED,  /* the same */
       SCAN_TRUCK_FREE,     /* 4 s: at its head */
       SCAN_TRUCK_IDLE,     /* all bits where it leaves its head no earlier than now */
       SCAN_TRUCK_UNTIL,    /* 4 s */
       SCAN_TRUCK_SLOWNESS, /* s per metre */
       SCAN_TRUCK_KG,
       SCAN_TRUCK_PALLETS,
       SCAN_TRUCK_BASE,       /* hundredths */
       SCAN_TRUCK_PER_LOAD,   /* hundredths per kg and metre */
       SCAN_TRUCK_PER_DETOUR, /* hundredths per metre */
       SCAN_TRUCK_OFFER_COLUMNS
};

enum { /* truck requests */
       SCAN_LOAD_TO_X = SCAN_OWN,
       SCAN_LOAD_TO_Y,
       SCAN_LOAD_TO_Z,
       SCAN_LOAD_DIRECT, /* metres */
       SCAN_LOAD_KG,
       SCAN_LOAD_PALLETS,
       SCAN_LOAD_PRICE,         /* hundredths */
       SCAN_LOAD_PICKUP_FROM,   /* 4 s */
       SCAN_LOAD_PICKUP_UNTIL,  /* 4 s */
       SCAN_LOAD_DELIVER_UNTIL, /* 4 s */
       SCAN_LOAD_LOADING,       /* s */
       SCAN_LOAD_UNLOADING,     /* s */
       SCAN_TRUCK_REQUEST_COLUMNS
};

enum { SCAN_COLUMNS = SCAN_TRUCK_OFFER_COLUMNS };

union xd_scan_cell {
    float real;
    int32_t whole;
};

struct xd_slot;
struct xd_engine;

struct xd_scan_book {
    union xd_scan_cell
        *column[SCAN_COLUMNS]; /* aligned to the vectors; NULL where the book has no such column */
    struct xd_slot **slots;
    uint32_t count, room;
    struct xd_map rows; /* row + 1 by the order's id */
};

/* Frees what the book holds. */
void xd_scan_book_free(struct xd_scan_book *book);

/* Whether an order has a row. */
bool xd_scan_book_has(const struct xd_scan_book *book, const struct xd_slot *slot);

/* Adds an order that has none. False without memory. */
bool xd_scan_book_add(struct xd_scan_book *book, struct xd_slot *slot, const struct xd_engine *engine);

/* Takes an order out; the last row takes its place. */
void xd_scan_book_take_out(struct xd_scan_book *book, const struct xd_slot *slot);

/* Writes an order's row anew after it has changed. */
void xd_scan_book_rewrite(struct xd_scan_book *book, const struct xd_slot *slot,
                          const struct xd_engine *engine);

#endif

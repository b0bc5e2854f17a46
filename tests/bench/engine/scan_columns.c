#include "tests/bench/engine/scan_columns.h"

#include "engine/state.h"
#include "tests/bench/engine/scan_bounds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64, ALIGNMENT = 64 };

static unsigned column_count(const struct xd_slot *slot)
{
    if (slot->kind == XD_TRUCK)
        return slot->side == XD_OFFER ? SCAN_TRUCK_OFFER_COLUMNS : SCAN_TRUCK_REQUEST_COLUMNS;
    return slot->side == XD_OFFER ? SCAN_STORAGE_OFFER_COLUMNS : SCAN_STORAGE_REQUEST_COLUMNS;
}

/* --- writing a row --- */

static void real(struct xd_scan_book *book, unsigned column, uint32_t row, double value)
{
    book->column[column][row].real = (float)value;
}

static void whole(struct xd_scan_book *book, unsigned column, uint32_t row, int64_t value)
{
    book->column[column][row].whole = (int32_t)value;
}

static void place(struct xd_scan_book *book, unsigned x, uint32_t row, const struct xd_unit_vector *at)
{
    real(book, x, row, at->x);
    real(book, x + 1, row, at->y);
    real(book, x + 2, row, at->z);
}

/* A request without a temperature suits any; a truck without one suits only such a request. */
static void write_temperature(struct xd_scan_book *book, const struct xd_slot *slot, uint32_t row)
{
    bool any = slot->side == XD_REQUEST && !slot->has_temp;
    bool none = slot->side == XD_OFFER && slot->kind == XD_TRUCK && !slot->has_temp;
    whole(book, SCAN_COLD, row, any ? INT32_MIN : none ? INT32_MAX : slot->temp.min);
    whole(book, SCAN_WARM, row, any ? INT32_MAX : none ? INT32_MIN : slot->temp.max);
}

static void write_who(struct xd_scan_book *book, const struct xd_slot *slot, uint32_t row)
{
    whole(book, SCAN_FEATURES_LOW, row, (int32_t)(uint32_t)slot->features);
    whole(book, SCAN_FEATURES_HIGH, row, (int32_t)(uint32_t)(slot->features >> 32));
    whole(book, SCAN_CREDIT, row, slot->credit);
    whole(book, SCAN_MIN_CREDIT, row, slot->min_credit);
    whole(book, SCAN_CURRENCY, row, slot->currency);
    write_temperature(book, slot, row);
}

static void write_storage_offer(struct xd_scan_book *book, const struct xd_slot *slot, uint32_t row)
{
    place(book, SCAN_X, row, &slot->storage_offer.at);
    whole(book, SCAN_OFFER_FROM_DAY, row, slot->storage_offer.from_day);
    whole(book, SCAN_OFFER_UNTIL_DAY, row, slot->storage_offer.until_day);
    real(book, SCAN_OFFER_FREE, row, xd_scan_most(xd_scan_emptiest_day(slot)));
    real(book, SCAN_OFFER_LEAST, row, xd_scan_least(slot->min_part));
    real(book, SCAN_OFFER_BASE, row, (double)slot->storage_offer.base);
    real(book, SCAN_OFFER_RATE, row, (double)slot->storage_offer.per_unit_day / 1e4);
}

static void write_storage_request(struct xd_scan_book *book, const struct xd_slot *slot, uint32_t row,
                                  const struct xd_engine *engine)
{
    double whole_amount = (double)slot->whole;
    place(book, SCAN_X, row, &slot->storage_request.at);
    whole(book, SCAN_WANT_FROM_DAY, row, slot->storage_request.from_day);
    whole(book, SCAN_WANT_UNTIL_DAY, row, slot->storage_request.until_day);
    real(book, SCAN_WANT_OPEN, row, (double)slot->open);
    real(book, SCAN_WANT_LEAST, row, xd_scan_least(xd_scan_least_part(slot)));
    real(book, SCAN_WANT_REACH, row,
         xd_scan_reach(slot->storage_request.radius_m, engine->options.market.road_factor_e4));
    real(book, SCAN_WANT_PRICE, row, (double)slot->max_price);
    real(book, SCAN_WANT_UNIT_PRICE, row, (double)slot->max_price / whole_amount);
    real(book, SCAN_WANT_ACCESS, row, (double)slot->storage_request.per_access_km / 1e5);
}

static void write_truck_offer(struct xd_scan_book *book, const struct xd_slot *slot, uint32_t row,
                              const struct xd_engine *engine)
{
    const struct xd_truck *truck = &slot->truck_offer.truck;
    struct xd_scan_way way = xd_scan_way_of(slot, engine->now);
    place(book, SCAN_X, row, &way.head);
    place(book, SCAN_TRUCK_TO_X, row, &truck->to);
    real(book, SCAN_TRUCK_HAS_TO, row, truck->has_to);
    real(book, SCAN_TRUCK_LONGEST, row, (double)way.longest_m);
    real(book, SCAN_TRUCK_PLANNED, row, (double)way.planned_m);
    whole(book, SCAN_TRUCK_FREE, row, xd_scan_time_down(way.free));
    whole(book, SCAN_TRUCK_IDLE, row, way.idle ? -1 : 0);
    whole(book, SCAN_TRUCK_UNTIL, row, xd_scan_time_up(truck->available_until));
    real(book, SCAN_TRUCK_SLOWNESS, row, 36.0 / (double)truck->speed);
    real(book, SCAN_TRUCK_KG, row,
         truck->dims >> XD_KG & 1 ? xd_scan_most(truck->capacity[XD_KG]) : INFINITY);
    real(book, SCAN_TRUCK_PALLETS, row,
         truck->dims >> XD_PALLETS & 1 ? xd_scan_most(truck->capacity[XD_PALLETS]) : INFINITY);
    real(book, SCAN_TRUCK_BASE, row, (double)slot->truck_offer.base);
    real(book, SCAN_TRUCK_PER_LOAD, row, (double)slot->truck_offer.per_t_km / 1e8);
    real(book, SCAN_TRUCK_PER_DETOUR, row, (double)slot->truck_offer.per_detour_km / 1e5);
}

static void write_truck_request(struct xd_scan_book *book, const struct xd_slot *slot, uint32_t row)
{
    const struct xd_load *load = &slot->truck_request;
    place(book, SCAN_X, row, &load->pickup);
    place(book, SCAN_LOAD_TO_X, row, &load->delivery);
    real(book, SCAN_LOAD_DIRECT, row, (double)load->direct_m);
    real(book, SCAN_LOAD_KG, row, xd_scan_least(load->amount[XD_KG]));
    real(book, SCAN_LOAD_PALLETS, row, xd_scan_least(load->amount[XD_PALLETS]));
    real(book, SCAN_LOAD_PRICE, row, (double)slot->max_price);
    whole(book, SCAN_LOAD_PICKUP_FROM, row, xd_scan_time_down(load->pickup_from));
    whole(book, SCAN_LOAD_PICKUP_UNTIL, row, xd_scan_time_up(load->pickup_until));
    whole(book, SCAN_LOAD_DELIVER_UNTIL, row, xd_scan_time_up(load->deliver_until));
    real(book, SCAN_LOAD_LOADING, row, (double)load->load_s);
    real(book, SCAN_LOAD_UNLOADING, row, (double)load->unload_s);
}

static void write_row(struct xd_scan_book *book, const struct xd_slot *slot, uint32_t row,
                      const struct xd_engine *engine)
{
    write_who(book, slot, row);
    if (slot->kind == XD_TRUCK && slot->side == XD_OFFER) {
        write_truck_offer(book, slot, row, engine);
    } else if (slot->kind == XD_TRUCK) {
        write_truck_request(book, slot, row);
    } else if (slot->side == XD_OFFER) {
        write_storage_offer(book, slot, row);
    } else {
        write_storage_request(book, slot, row, engine);
    }
}

/* --- rows come and go --- */

static bool grow(struct xd_scan_book *book, unsigned columns)
{
    uint32_t room = book->room ? book->room * 2 : FIRST_ROOM;
    struct xd_slot **slots = realloc(book->slots, room * sizeof(*slots));
    if (!slots) return false;
    book->slots = slots;
    for (unsigned c = 0; c < columns; c++) {
        union xd_scan_cell *cells = aligned_alloc(ALIGNMENT, room * sizeof *cells);
        if (!cells) return false;
        memset(cells + book->count, 0, (room - book->count) * sizeof *cells);
        if (book->count) memcpy(cells, book->column[c], book->count * sizeof *cells);
        free(book->column[c]);
        book->column[c] = cells;
    }
    book->room = room;
    return true;
}

static uint32_t row_of(const struct xd_scan_book *book, const struct xd_slot *slot)
{
    return (uint32_t)(uintptr_t)xd_map_get(&book->rows, slot->id) - 1;
}

static bool enter(struct xd_map *rows, uint64_t id, uint32_t row)
{
    return xd_map_put(rows, id, (void *)(uintptr_t)(row + 1));
}

bool xd_scan_book_has(const struct xd_scan_book *book, const struct xd_slot *slot)
{
    return xd_map_get(&book->rows, slot->id) != NULL;
}

bool xd_scan_book_add(struct xd_scan_book *book, struct xd_slot *slot, const struct xd_engine *engine)
{
    if (book->count == book->room && !grow(book, column_count(slot))) return false;
    if (!enter(&book->rows, slot->id, book->count)) return false;
    book->slots[book->count] = slot;
    write_row(book, slot, book->count++, engine);
    return true;
}

void xd_scan_book_take_out(struct xd_scan_book *book, const struct xd_slot *slot)
{
    uint32_t row = row_of(book, slot), last = --book->count;
    xd_map_remove(&book->rows, slot->id);
    if (row == last) return;
    uint64_t moved = book->slots[last]->id;
    xd_map_remove(&book->rows, moved);
    enter(&book->rows, moved, row); /* finds the room that was just left */
    book->slots[row] = book->slots[last];
    for (unsigned c = 0; c < SCAN_COLUMNS && book->column[c]; c++) {
        book->column[c][row] = book->column[c][last];
    }
}

void xd_scan_book_rewrite(struct xd_scan_book *book, const struct xd_slot *slot,
                          const struct xd_engine *engine)
{
    write_row(book, slot, row_of(book, slot), engine);
}

void xd_scan_book_free(struct xd_scan_book *book)
{
    for (unsigned c = 0; c < SCAN_COLUMNS; c++) {
        free(book->column[c]);
    }
    free(book->slots);
    xd_map_free(&book->rows);
}

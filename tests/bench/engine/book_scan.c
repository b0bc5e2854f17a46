/* The resting orders as a vectorised scan: what engine/index/book.c is measured against.
 *
 * A drop-in for that file. Every search reads the columns of all resting orders of the other side from first
 * to last, eight at a time, and asks xd_fit only about those whose upper bound reaches the best surplus so
 * far. It finds what a plain scan finds, order for order. Frozen: it is changed only where the interface
 * makes it. */
#include "engine/state.h"
#include "tests/bench/engine/scan_bounds.h"
#include "tests/bench/engine/scan_filter.h"

#include <stdlib.h>
#include <time.h>

/* What the benchmark reports: rows looked at, rows that xd_fit was asked about, and the time of it all. */
extern uint64_t xd_search_candidates, xd_search_fits, xd_search_ns;
uint64_t xd_search_candidates, xd_search_fits, xd_search_ns;

struct xd_books {
    struct xd_scan_book of[XD_KINDS][XD_SIDES];
};

struct xd_books *xd_books_create(const struct xd_engine_options *options)
{
    (void)options;
    if (!__builtin_cpu_supports("avx2")) return NULL;
    return calloc(1, sizeof(struct xd_books));
}

void xd_books_destroy(struct xd_books *books)
{
    if (!books) return;
    for (unsigned kind = 0; kind < XD_KINDS; kind++) {
        xd_scan_book_free(&books->of[kind][XD_OFFER]);
        xd_scan_book_free(&books->of[kind][XD_REQUEST]);
    }
    free(books);
}

void xd_book_update(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_scan_book *book = &engine->books->of[slot->kind][slot->side];
    bool should = xd_rests(slot), does = xd_scan_book_has(book, slot);
    if (should && does) {
        xd_scan_book_rewrite(book, slot, engine);
    } else if (should) {
        if (!xd_scan_book_add(book, slot, engine)) engine->failed = true;
    } else if (does) {
        xd_scan_book_take_out(book, slot);
    }
}

bool xd_books_fill(struct xd_engine *engine)
{
    for (struct xd_slot *slot = xd_slot_at(engine, engine->first_order); slot && !engine->failed;
         slot = xd_slot_at(engine, slot->everybody.after)) {
        xd_book_update(engine, slot);
    }
    return !engine->failed;
}

uint64_t xd_book_count(const struct xd_engine *engine, enum xd_kind kind, enum xd_side side)
{
    return engine->books->of[kind][side].count;
}

/* --- the incoming order as a probe --- */

static void probe_place(float out[3], const struct xd_unit_vector *at)
{
    out[0] = (float)at->x;
    out[1] = (float)at->y;
    out[2] = (float)at->z;
}

static void probe_who(struct xd_scan_probe *probe, const struct xd_slot *slot, int32_t road_factor_e4)
{
    bool any = slot->side == XD_REQUEST && !slot->has_temp;
    bool none = slot->side == XD_OFFER && slot->kind == XD_TRUCK && !slot->has_temp;
    probe->features[0] = (uint32_t)slot->features;
    probe->features[1] = (uint32_t)(slot->features >> 32);
    probe->credit = slot->credit;
    probe->min_credit = slot->min_credit;
    probe->currency = slot->currency;
    probe->cold = any ? INT32_MIN : none ? INT32_MAX : slot->temp.min;
    probe->warm = any ? INT32_MAX : none ? INT32_MIN : slot->temp.max;
    probe->factor = (float)(XD_SCAN_EARTH_M * (double)road_factor_e4 / 1e4 * 0.999999);
    probe->price = (float)slot->max_price;
}

static void probe_storage_offer(struct xd_scan_probe *probe, const struct xd_slot *slot)
{
    probe_place(probe->at, &slot->storage_offer.at);
    probe->from_day = slot->storage_offer.from_day;
    probe->until_day = slot->storage_offer.until_day;
    probe->free = (float)xd_scan_most(xd_scan_emptiest_day(slot));
    probe->least = (float)xd_scan_least(slot->min_part);
    probe->base = (float)slot->storage_offer.base;
    probe->rate = (float)((double)slot->storage_offer.per_unit_day / 1e4);
}

static void probe_storage_request(struct xd_scan_probe *probe, const struct xd_slot *slot,
                                  int32_t road_factor_e4)
{
    probe_place(probe->at, &slot->storage_request.at);
    probe->from_day = (int32_t)slot->storage_request.from_day;
    probe->until_day = (int32_t)slot->storage_request.until_day;
    probe->reach = (float)xd_scan_reach(slot->storage_request.radius_m, road_factor_e4);
    probe->open = (float)slot->open;
    probe->least = (float)xd_scan_least(xd_scan_least_part(slot));
    probe->unit_price = (float)((double)slot->max_price / (double)slot->whole);
    probe->access = (float)((double)slot->storage_request.per_access_km / 1e5);
}

static void probe_truck_offer(struct xd_scan_probe *probe, const struct xd_slot *slot, int64_t now)
{
    const struct xd_truck *truck = &slot->truck_offer.truck;
    struct xd_scan_way way = xd_scan_way_of(slot, now);
    probe_place(probe->at, &way.head);
    probe_place(probe->to, &truck->to);
    probe->has_to = truck->has_to;
    probe->longest = (float)way.longest_m;
    probe->planned = (float)way.planned_m;
    probe->free_at = xd_scan_time_down(way.free);
    probe->idle = way.idle ? -1 : 0;
    probe->until = xd_scan_time_up(truck->available_until);
    probe->slowness = (float)(36.0 / (double)truck->speed);
    probe->kg = truck->dims >> XD_KG & 1 ? (float)xd_scan_most(truck->capacity[XD_KG]) : (float)INT64_MAX;
    probe->pallets =
        truck->dims >> XD_PALLETS & 1 ? (float)xd_scan_most(truck->capacity[XD_PALLETS]) : (float)INT64_MAX;
    probe->base = (float)slot->truck_offer.base;
    probe->per_load = (float)((double)slot->truck_offer.per_t_km / 1e8);
    probe->per_detour = (float)((double)slot->truck_offer.per_detour_km / 1e5);
}

static void probe_truck_request(struct xd_scan_probe *probe, const struct xd_slot *slot)
{
    const struct xd_load *load = &slot->truck_request;
    probe_place(probe->at, &load->pickup);
    probe_place(probe->to, &load->delivery);
    probe->pickup_from = xd_scan_time_down(load->pickup_from);
    probe->pickup_until = xd_scan_time_up(load->pickup_until);
    probe->deliver_until = xd_scan_time_up(load->deliver_until);
    probe->loading = (float)load->load_s;
    probe->unloading = (float)load->unload_s;
    probe->direct = (float)load->direct_m;
    probe->kg = (float)xd_scan_least(load->amount[XD_KG]);
    probe->pallets = (float)xd_scan_least(load->amount[XD_PALLETS]);
    probe->per_load = (float)((double)load->amount[XD_KG] * (double)load->direct_m);
}

typedef uint32_t filter(const struct xd_scan_book *book, const struct xd_scan_probe *probe, float at_least,
                        uint32_t *block);

static filter *prepare(struct xd_scan_probe *probe, const struct xd_engine *engine,
                       const struct xd_slot *incoming)
{
    int32_t road_factor_e4 = engine->options.market.road_factor_e4;
    probe_who(probe, incoming, road_factor_e4);
    probe->now = xd_scan_time_down(engine->now);
    if (incoming->kind == XD_TRUCK && incoming->side == XD_OFFER) {
        probe_truck_offer(probe, incoming, engine->now);
        return xd_scan_truck_requests;
    }
    if (incoming->kind == XD_TRUCK) {
        probe_truck_request(probe, incoming);
        return xd_scan_truck_offers;
    }
    if (incoming->side == XD_OFFER) {
        probe_storage_offer(probe, incoming);
        return xd_scan_storage_requests;
    }
    probe_storage_request(probe, incoming, road_factor_e4);
    return xd_scan_storage_offers;
}

/* --- the search --- */

struct best {
    struct xd_slot *winner;
    int64_t surplus;
};

static void consider(const struct xd_engine *engine, const struct xd_slot *incoming, struct xd_slot *resting,
                     struct best *best, struct xd_candidate *out)
{
    const struct xd_slot *offer = incoming->side == XD_OFFER ? incoming : resting;
    const struct xd_slot *request = incoming->side == XD_OFFER ? resting : incoming;
    struct xd_candidate candidate;
    xd_search_fits++;
    if (!xd_fit(offer, request, engine->options.market.road_factor_e4, engine->now, best->surplus,
                &candidate))
        return;
    if (best->winner && candidate.surplus == best->surplus && resting->age > best->winner->age) return;
    best->winner = resting;
    best->surplus = candidate.surplus;
    *out = candidate;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

struct xd_slot *xd_book_best(struct xd_engine *engine, const struct xd_slot *incoming,
                             struct xd_candidate *best)
{
    const struct xd_scan_book *book = &engine->books->of[incoming->kind][!incoming->side];
    struct xd_scan_probe probe = {0};
    uint64_t began = now_ns();
    filter *next = prepare(&probe, engine, incoming);
    struct best found = {0};
    uint32_t lanes;
    for (uint32_t block = 0; (lanes = next(book, &probe, (float)found.surplus, &block)); block++) {
        for (; lanes; lanes &= lanes - 1) {
            uint32_t row = block * XD_SCAN_LANES + (uint32_t)__builtin_ctz(lanes);
            consider(engine, incoming, book->slots[row], &found, best);
        }
    }
    xd_search_candidates += book->count;
    xd_search_ns += now_ns() - began;
    return found.winner;
}

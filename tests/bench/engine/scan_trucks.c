#include "tests/bench/engine/scan_vector.h"

/* A plan has at most 66 legs, each rounded to the nearest metre. */
#define PLAN_SLACK_M 64.0f

/* Whatever else a plan holds, a truck that takes a load drives at least from its head to the pickup, on to
 * the delivery and on to its end (the triangle's inequality): so much of the way and of its time is certain.
 */
struct certain {
    __m256 to_pickup, to_end; /* metres */
    __m256 way;               /* metres from head to end; without `to`, to the pickup */
};

static inline __m256 price_holds(__m256 limit, __m256 quote, float at_least)
{
    return xd_at_most(xd_all(at_least), limit - quote + xd_all(2) + limit * xd_all(2e-6f));
}

/* The time windows and the plan's end, all in seconds from now. */
static inline __m256 times_hold(__m256 arrival, __m256 pickup_from, __m256 service, __m256 unloading,
                                __m256 driving, __m256 last_drive, __m256 deliver_until, __m256 until)
{
    __m256 delivery = _mm256_max_ps(arrival, pickup_from - xd_all(4)) + service + driving;
    return _mm256_and_ps(xd_in_time(delivery, deliver_until),
                         xd_in_time(delivery + unloading + last_drive, until));
}

static inline uint32_t truck_offers(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                    float at_least, uint32_t row)
{
    struct certain certain;
    __m256 has_to = xd_reals(book, SCAN_TRUCK_HAS_TO, row), longest = xd_reals(book, SCAN_TRUCK_LONGEST, row);
    __m256 direct = xd_all(probe->direct);
    certain.to_pickup =
        xd_metres(xd_chord_squared(book, SCAN_X, row, probe->at), probe->factor, PLAN_SLACK_M);
    __m256 mask = xd_at_most(certain.to_pickup + has_to * (direct - xd_all(PLAN_SLACK_M)),
                             longest + xd_all(PLAN_SLACK_M));
    if (!xd_lanes(mask)) return 0;
    __m256i now = xd_all_whole(probe->now);
    __m256 slowness = xd_reals(book, SCAN_TRUCK_SLOWNESS, row);
    __m256i departure =
        xd_departure(xd_wholes(book, SCAN_TRUCK_FREE, row), xd_wholes(book, SCAN_TRUCK_IDLE, row), now);
    __m256 arrival = xd_seconds(departure, now) + certain.to_pickup * slowness;
    mask = _mm256_and_ps(mask, xd_in_time(arrival, xd_seconds(xd_all_whole(probe->pickup_until), now)));
    mask = _mm256_and_ps(mask, xd_at_most(xd_all(probe->kg), xd_reals(book, SCAN_TRUCK_KG, row)));
    mask = _mm256_and_ps(mask, xd_at_most(xd_all(probe->pallets), xd_reals(book, SCAN_TRUCK_PALLETS, row)));
    if (!xd_lanes(mask)) return 0;
    certain.to_end =
        xd_metres(xd_chord_squared(book, SCAN_TRUCK_TO_X, row, probe->to), probe->factor, PLAN_SLACK_M) *
        has_to;
    certain.way = certain.to_pickup + has_to * (direct - xd_all(PLAN_SLACK_M)) + certain.to_end;
    mask = _mm256_and_ps(mask, xd_at_most(certain.way, longest + xd_all(PLAN_SLACK_M)));
    __m256 added = _mm256_max_ps(certain.way - xd_reals(book, SCAN_TRUCK_PLANNED, row) - xd_all(PLAN_SLACK_M),
                                 xd_all(0));
    __m256 quote = xd_reals(book, SCAN_TRUCK_BASE, row) +
                   xd_reals(book, SCAN_TRUCK_PER_LOAD, row) * xd_all(probe->per_load) +
                   xd_reals(book, SCAN_TRUCK_PER_DETOUR, row) * added;
    mask = _mm256_and_ps(mask, price_holds(xd_all(probe->price), quote, at_least));
    if (!xd_lanes(mask)) return 0;
    mask = _mm256_and_ps(
        mask, times_hold(arrival, xd_seconds(xd_all_whole(probe->pickup_from), now), xd_all(probe->loading),
                         xd_all(probe->unloading), (direct - xd_all(PLAN_SLACK_M)) * slowness,
                         certain.to_end * slowness, xd_seconds(xd_all_whole(probe->deliver_until), now),
                         xd_seconds(xd_wholes(book, SCAN_TRUCK_UNTIL, row), now)));
    mask = xd_without(mask, xd_above(xd_wholes(book, SCAN_COLD, row), xd_all_whole(probe->warm)));
    mask = xd_without(mask, xd_above(xd_all_whole(probe->cold), xd_wholes(book, SCAN_WARM, row)));
    mask = xd_has_features(book, probe, row, mask);
    return xd_rows_among(book, row, xd_lanes(xd_suits(book, probe, row, mask)));
}

uint32_t xd_scan_truck_offers(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                              float at_least, uint32_t *block)
{
    for (; *block * XD_SCAN_LANES < book->count; ++*block) {
        uint32_t lanes = truck_offers(book, probe, at_least, *block * XD_SCAN_LANES);
        if (lanes) return lanes;
    }
    return 0;
}

static inline uint32_t truck_requests(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                      float at_least, uint32_t row)
{
    struct certain certain;
    __m256 has_to = xd_all(probe->has_to), longest = xd_all(probe->longest + PLAN_SLACK_M);
    __m256 direct = xd_reals(book, SCAN_LOAD_DIRECT, row) - xd_all(PLAN_SLACK_M);
    certain.to_pickup =
        xd_metres(xd_chord_squared(book, SCAN_X, row, probe->at), probe->factor, PLAN_SLACK_M);
    __m256 mask = xd_at_most(certain.to_pickup + has_to * direct, longest);
    if (!xd_lanes(mask)) return 0;
    __m256i now = xd_all_whole(probe->now);
    __m256 slowness = xd_all(probe->slowness);
    __m256i departure = xd_departure(xd_all_whole(probe->free_at), xd_all_whole(probe->idle), now);
    __m256 arrival = xd_seconds(departure, now) + certain.to_pickup * slowness;
    mask = _mm256_and_ps(mask,
                         xd_in_time(arrival, xd_seconds(xd_wholes(book, SCAN_LOAD_PICKUP_UNTIL, row), now)));
    mask = _mm256_and_ps(mask, xd_at_most(xd_reals(book, SCAN_LOAD_KG, row), xd_all(probe->kg)));
    mask = _mm256_and_ps(mask, xd_at_most(xd_reals(book, SCAN_LOAD_PALLETS, row), xd_all(probe->pallets)));
    if (!xd_lanes(mask)) return 0;
    certain.to_end =
        xd_metres(xd_chord_squared(book, SCAN_LOAD_TO_X, row, probe->to), probe->factor, PLAN_SLACK_M) *
        has_to;
    certain.way = certain.to_pickup + has_to * direct + certain.to_end;
    mask = _mm256_and_ps(mask, xd_at_most(certain.way, longest));
    __m256 added = _mm256_max_ps(certain.way - xd_all(probe->planned + PLAN_SLACK_M), xd_all(0));
    __m256 quote = xd_all(probe->base) +
                   xd_all(probe->per_load) * xd_reals(book, SCAN_LOAD_KG, row) * direct +
                   xd_all(probe->per_detour) * added;
    mask = _mm256_and_ps(mask, price_holds(xd_reals(book, SCAN_LOAD_PRICE, row), quote, at_least));
    if (!xd_lanes(mask)) return 0;
    mask = _mm256_and_ps(
        mask, times_hold(arrival, xd_seconds(xd_wholes(book, SCAN_LOAD_PICKUP_FROM, row), now),
                         xd_reals(book, SCAN_LOAD_LOADING, row), xd_reals(book, SCAN_LOAD_UNLOADING, row),
                         direct * slowness, certain.to_end * slowness,
                         xd_seconds(xd_wholes(book, SCAN_LOAD_DELIVER_UNTIL, row), now),
                         xd_seconds(xd_all_whole(probe->until), now)));
    mask = xd_without(mask, xd_above(xd_wholes(book, SCAN_COLD, row), xd_all_whole(probe->warm)));
    mask = xd_without(mask, xd_above(xd_all_whole(probe->cold), xd_wholes(book, SCAN_WARM, row)));
    mask = xd_needs_features(book, probe, row, mask);
    return xd_rows_among(book, row, xd_lanes(xd_suits(book, probe, row, mask)));
}

uint32_t xd_scan_truck_requests(const struct xd_scan_book *book, const struct xd_scan_probe *probe,
                                float at_least, uint32_t *block)
{
    for (; *block * XD_SCAN_LANES < book->count; ++*block) {
        uint32_t lanes = truck_requests(book, probe, at_least, *block * XD_SCAN_LANES);
        if (lanes) return lanes;
    }
    return 0;
}

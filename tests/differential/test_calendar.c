/* The calendar of engine/fit/calendar.h beside its slow twin, a list of what was taken. */
#include "core/schema.h"
#include "engine/fit/calendar.h"
#include "tests/differential/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { CALENDARS = 2000, STEPS = 60 };

static struct xd_pool pool;

static int64_t least_left(const struct twin_calendar *twin, const struct xd_order *offer, enum xd_dim dim,
                          int64_t from, int64_t until)
{
    int64_t least = INT64_MAX;
    for (int64_t day = from; day < until; day++) {
        int64_t left = twin_calendar_left(twin, offer, dim, day);
        if (left < least) least = left;
    }
    return least;
}

static int64_t most_left(const struct twin_calendar *twin, const struct xd_order *offer, enum xd_dim dim)
{
    int64_t most = 0;
    for (int64_t day = offer->from_day; day < offer->until_day; day++) {
        int64_t left = twin_calendar_left(twin, offer, dim, day);
        if (left > most) most = left;
    }
    return most;
}

static void random_days(struct xd_traffic *traffic, const struct xd_order *offer, int64_t *from,
                        int64_t *until)
{
    *from = xd_traffic_between(traffic, offer->from_day, offer->until_day - 1);
    *until = xd_traffic_between(traffic, *from + 1, offer->until_day);
}

/* Takes some of what is left over some days, in all dimensions. */
static void take(struct xd_traffic *traffic, const struct xd_order *offer, struct xd_calendar **fast,
                 struct twin_calendar *slow, uint64_t id)
{
    struct twin_take take = {.match_id = id};
    random_days(traffic, offer, &take.from, &take.until);
    for (unsigned d = 0; d < XD_DIMS; d++) {
        take.amount[d] =
            xd_traffic_between(traffic, 0, least_left(slow, offer, (enum xd_dim)d, take.from, take.until));
    }
    assert_true(xd_calendar_take(&pool, fast, take.amount, take.from, take.until));
    twin_calendar_take(slow, &take);
}

/* Gives back what a match has from some day on. */
static void give(struct xd_traffic *traffic, struct xd_calendar **fast, struct twin_calendar *slow)
{
    if (!slow->count) return;
    struct twin_take take = slow->takes[xd_traffic_below(traffic, slow->count)];
    int64_t day = xd_traffic_between(traffic, take.from, take.until);
    if (day < take.until) assert_true(xd_calendar_give(&pool, fast, take.amount, day, take.until));
    assert_int_equal(twin_calendar_give(slow, take.match_id, day), day < take.until);
}

static void a_calendar_and_its_twin_agree(void **state)
{
    (void)state;
    struct xd_traffic traffic;
    xd_traffic_begin(&traffic, 1, XD_BOOK_SMALL);
    for (unsigned i = 0; i < CALENDARS; i++) {
        struct xd_order offer = {.from_day = 21900};
        offer.until_day = offer.from_day + xd_traffic_between(&traffic, 1, i % 50 ? 40 : 731);
        for (unsigned d = 0; d < XD_DIMS; d++) {
            offer.amount[d] = xd_traffic_between(&traffic, 1, 5000);
        }
        uint8_t dims = (uint8_t)xd_traffic_between(&traffic, 1, (1 << XD_DIMS) - 1);
        struct twin_calendar slow = {0};
        struct xd_calendar *fast = xd_calendar_create(&pool, (int32_t)offer.from_day, (int32_t)offer.until_day, dims,
                                                      offer.amount);
        assert_non_null(fast);
        for (unsigned step = 0; step < STEPS; step++) {
            if (xd_traffic_chance(&traffic, 60)) {
                take(&traffic, &offer, &fast, &slow, step + 1);
            } else {
                give(&traffic, &fast, &slow);
            }
            int64_t from, until;
            random_days(&traffic, &offer, &from, &until);
            unsigned d = (unsigned)xd_traffic_below(&traffic, XD_DIMS);
            if (!(dims >> d & 1)) continue;
            assert_int_equal(xd_calendar_free_of(fast, (enum xd_dim)d, from, until),
                             least_left(&slow, &offer, (enum xd_dim)d, from, until));
            assert_int_equal(xd_calendar_most_free(fast, (enum xd_dim)d),
                             most_left(&slow, &offer, (enum xd_dim)d));
        }
        assert_true(fast->count <= offer.until_day - offer.from_day);
        xd_pool_give(&pool, fast);
        twin_calendar_free(&slow);
    }
    xd_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_calendar_and_its_twin_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The plan of engine/fit/plan.h beside its slow twin: the same loads offered, taken and taken off at the same
 * times must find the same places, metres and times. */
#include "core/schema.h"
#include "engine/fit/plan.h"
#include "tests/differential/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#ifndef XD_DIFFERENTIAL_PLANS
#define XD_DIFFERENTIAL_PLANS 300000
#endif

/* A truck, its two plans, and a twin that holds nothing but its offer, for the generator to aim loads at. */
struct pair {
    struct xd_traffic traffic;
    struct xd_truck truck;
    struct xd_pool pool;
    struct xd_plan plan;
    struct twin_order offer;
    struct twin_order *offers[1];
    struct xd_twin twin;
    uint64_t next_match;
};

static struct xd_truck fast_truck(const struct xd_order *offer, int32_t road_factor_e4)
{
    struct xd_truck truck = {.from = xd_place_vector(offer->from),
                             .has_to = xd_order_gave(offer, XD_F_TO),
                             .has_temp = xd_order_gave(offer, XD_F_TEMP_C),
                             .dims = (uint8_t)(offer->given >> XD_F_PALLETS & ((1u << XD_DIMS) - 1)),
                             .road_factor_e4 = road_factor_e4,
                             .max_detour_m = (int32_t)offer->max_detour_m,
                             .available_from = offer->available_from,
                             .available_until = offer->available_until,
                             .speed = (int32_t)offer->speed,
                             .temp = {(int16_t)offer->temp.min, (int16_t)offer->temp.max}};
    if (truck.has_to) {
        truck.to = xd_place_vector(offer->to);
        truck.lane_m = (int32_t)xd_distance_m(truck.from, truck.to, road_factor_e4);
    }
    memcpy(truck.capacity, offer->amount, sizeof truck.capacity);
    return truck;
}

static struct xd_load fast_load(const struct xd_order *request, int32_t road_factor_e4)
{
    struct xd_load load = {.pickup = xd_place_vector(request->from),
                           .delivery = xd_place_vector(request->to),
                           .pickup_place = request->from,
                           .delivery_place = request->to,
                           .pickup_from = request->pickup_from,
                           .pickup_until = request->pickup_until,
                           .deliver_until = request->deliver_until,
                           .load_s = (int32_t)request->load_min * 60,
                           .unload_s = (int32_t)request->unload_min * 60,
                           .temp = {(int16_t)request->temp.min, (int16_t)request->temp.max},
                           .has_temp = xd_order_gave(request, XD_F_TEMP_C)};
    load.direct_m = (int32_t)xd_distance_m(load.pickup, load.delivery, road_factor_e4);
    memcpy(load.amount, request->amount, sizeof load.amount);
    return load;
}

static void begin(struct pair *pair, uint64_t seed)
{
    *pair = (struct pair){.next_match = 1};
    struct xd_traffic *traffic = &pair->traffic;
    xd_traffic_begin(traffic, seed, XD_BOOK_SMALL);
    traffic->style.weight[XD_TRUCK] = 1;
    traffic->style.weight[XD_COLD] = traffic->style.weight[XD_WAREHOUSE] = 0;
    traffic->style.adversarial = xd_traffic_chance(traffic, 70);
    traffic->style.pace_s = 1 << xd_traffic_below(traffic, 14);
    struct xd_record record = {0};
    traffic->style.offers = 100;
    xd_traffic_order(traffic, &pair->twin, &record);
    traffic->style.offers = 0;
    int32_t factor = traffic->options.market.road_factor_e4;
    pair->offer.order = record.order;
    pair->offer.truck = twin_truck_of(&record.order, factor);
    pair->truck = fast_truck(&record.order, factor);
    xd_plan_init(&pair->plan, &pair->truck);
    pair->offers[0] = &pair->offer;
    pair->twin.orders = pair->offers;
    pair->twin.order_count = 1;
}

static void end(struct pair *pair)
{
    xd_plan_free(&pair->plan, &pair->pool);
    xd_pool_free(&pair->pool);
    twin_plan_free(&pair->offer.plan);
}

static void check_same(const struct pair *pair)
{
    const struct xd_plan *fast = &pair->plan;
    const struct twin_plan *slow = &pair->offer.plan;
    assert_int_equal(fast->count, slow->count - slow->history);
    assert_int_equal(xd_plan_detour(fast, &pair->truck), twin_plan_detour(slow, &pair->offer.truck));
    uint32_t fixed = 0;
    for (uint32_t i = 0; i < fast->count; i++) {
        const struct xd_stop *one = &fast->stops[i];
        const struct twin_stop *other = &slow->stops[slow->history + i];
        assert_int_equal(one->load->match_id, other->load->match_id);
        assert_int_equal(one->delivery, other->delivery);
        assert_int_equal(one->load->off, other->off);
        assert_int_equal(one->depart, other->depart);
        assert_int_equal(one->start, other->start);
        assert_int_equal(one->end, other->end);
        fixed += other->depart <= pair->traffic.now;
    }
    assert_int_equal(xd_plan_fixed(fast, pair->traffic.now), fixed);
}

/* The two of them on one load; it is taken more often than not. */
static void offer_load(struct pair *pair)
{
    struct xd_record record = {0};
    struct xd_traffic *traffic = &pair->traffic;
    xd_traffic_order(traffic, &pair->twin, &record);
    struct xd_load fast = fast_load(&record.order, pair->truck.road_factor_e4);
    struct twin_load slow = twin_load_of(&record.order);
    struct xd_insertion insertion = {0}, within = {0};
    struct twin_insertion expected = {0};
    bool found = twin_plan_try(&pair->offer.plan, &pair->offer.truck, &slow, traffic->now, &expected);
    assert_int_equal(xd_plan_try(&pair->plan, &pair->truck, &fast, traffic->now, &insertion), found);
    int64_t most_m =
        expected.charged_m + xd_traffic_between(traffic, -1, 1) * xd_traffic_between(traffic, 1, 1000);
    if (most_m < 0) most_m = 0;
    bool fits = xd_plan_try_within(&pair->plan, &pair->truck, &fast, traffic->now, most_m, &within);
    assert_int_equal(fits, found && expected.charged_m <= most_m);
    if (!found) return;
    assert_int_equal(insertion.pickup, expected.pickup);
    assert_int_equal(insertion.delivery, expected.delivery);
    assert_int_equal(insertion.added_m, expected.added_m);
    assert_int_equal(insertion.charged_m, expected.charged_m);
    if (fits) assert_memory_equal(&within, &insertion, sizeof within);
    if (xd_traffic_chance(traffic, 30)) return;
    fast.match_id = slow.match_id = pair->next_match++;
    assert_true(xd_plan_insert(&pair->plan, &pair->pool, &pair->truck, &fast, traffic->now, &insertion));
    twin_plan_insert(&pair->offer.plan, &pair->offer.truck, &slow, traffic->now, &expected);
}

static void take_load_off(struct pair *pair)
{
    int64_t now = pair->traffic.now;
    uint64_t match_id = 1 + xd_traffic_below(&pair->traffic, pair->next_match);
    bool given = twin_plan_remove(&pair->offer.plan, &pair->offer.truck, match_id, now);
    assert_int_equal(xd_plan_remove(&pair->plan, &pair->pool, &pair->truck, match_id, now), given);
}

static void advance(struct pair *pair)
{
    struct xd_traffic *traffic = &pair->traffic;
    const struct twin_plan *plan = &pair->offer.plan;
    traffic->now += xd_traffic_between(traffic, 0, traffic->style.pace_s);
    if (!plan->count || !xd_traffic_chance(traffic, 30)) return;
    const struct twin_stop *stop = &plan->stops[xd_traffic_below(traffic, plan->count)];
    int64_t moment = xd_traffic_chance(traffic, 50) ? stop->depart : stop->end;
    moment += xd_traffic_between(traffic, -1, 1);
    if (moment > traffic->now) traffic->now = moment;
}

static void a_plan_and_its_twin_agree(void **state)
{
    (void)state;
    uint32_t tried = 0;
    for (uint64_t seed = 1; tried < XD_DIFFERENTIAL_PLANS; seed++) {
        struct pair pair;
        begin(&pair, seed);
        for (unsigned i = 0; i < 60 && pair.traffic.now < pair.truck.available_until + 3600; i++) {
            if (xd_traffic_chance(&pair.traffic, 20)) advance(&pair);
            if (xd_traffic_chance(&pair.traffic, 10)) {
                take_load_off(&pair);
            } else {
                offer_load(&pair);
                tried++;
            }
            check_same(&pair);
        }
        end(&pair);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_plan_and_its_twin_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

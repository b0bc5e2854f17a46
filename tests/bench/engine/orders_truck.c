/* Trucks on their way home, and what wants to ride with them. Money is CNY. */
#include "clients/bench/makes.h"
#include "core/schema.h"
#include "tests/bench/engine/orders.h"

#include <math.h>

enum { HOUR = 3600 };

#define ROAD_FACTOR 1.25

static void give_temperature(struct xd_order *order, struct xd_range temp)
{
    order->temp = temp;
    order->given |= UINT64_C(1) << XD_F_TEMP_C;
}

static void draw_body(struct xd_random *random, struct xd_order *order)
{
    bool cooled = xd_random_chance(random, 0.2);
    xd_make_feature(order, "gps_tracking");
    xd_make_feature(order, cooled || xd_random_chance(random, 0.6) ? "box_body" : "curtain_side");
    if (xd_random_chance(random, 0.6)) {
        xd_make_feature(order, "tail_lift");
        xd_make_feature(order, "pallet_jack");
    }
    if (!cooled) return;
    xd_make_feature(order, "temp_log");
    xd_make_feature(order, "food_grade");
    give_temperature(order, (struct xd_range){.min = -250, .max = 250});
}

static void draw_free_room(struct xd_random *random, const struct xd_truck_make *truck,
                           struct xd_order *order)
{
    int64_t quarters = xd_random_between(random, 1, 4);
    order->amount[XD_KG] = truck->kg * quarters / 4;
    order->amount[XD_PALLETS] = truck->pallets * quarters / 4 / 100 * 100;
}

void xd_make_truck_offer(struct xd_order_maker *maker, int64_t now, struct xd_order *order)
{
    struct xd_random *random = &maker->random;
    const struct xd_truck_make *truck = xd_draw_truck(random);
    uint32_t from = xd_places_draw(maker->places, random);
    uint32_t to = xd_places_draw_towards(maker->places, random, from);
    order->kind = XD_TRUCK;
    order->from = xd_places_near(random, from);
    if (xd_random_chance(random, 0.75)) {
        order->to = xd_places_near(random, to);
        order->given |= UINT64_C(1) << XD_F_TO;
    }
    order->max_detour_m = xd_random_between(random, 30, 200) * 1000;
    int64_t drive_s = (int64_t)(xd_places_km(from, to) * ROAD_FACTOR / 60 * 1.2 * HOUR);
    order->available_from = now + xd_random_between(random, 1, 24 * 4) * HOUR / 4;
    order->available_until = order->available_from + drive_s + xd_random_between(random, 8, 36) * HOUR;
    order->valid_until = order->available_until;
    draw_body(random, order);
    draw_free_room(random, truck, order);
    order->base = llround(xd_random_around(random, truck->base, 0.5)) * 100;
    order->per_t_km = llround(xd_random_around(random, truck->t_km, 0.35) * 1e4);
    order->per_detour_km = llround(xd_random_around(random, truck->detour_km, 0.3) * 1e4);
}

/* From a quarter of a pallet to twenty, small lots being the many; 120 to 700 kg a pallet. */
static void draw_load(struct xd_random *random, struct xd_order *order)
{
    static const struct xd_range bands[] = {{-300, -180}, {0, 40}, {20, 80}, {100, 250}};
    double pallets = 0.25 * pow(80, pow(xd_random_unit(random), 1.4));
    order->amount[XD_PALLETS] = llround(pallets * 4) * 25;
    order->amount[XD_KG] = llround(pallets * (double)xd_random_between(random, 120, 700)) + 1;
    if (xd_random_chance(random, 0.2)) give_temperature(order, bands[xd_random_between(random, 0, 3)]);
    if (xd_random_chance(random, 0.15)) xd_make_feature(order, "tail_lift");
}

void xd_make_truck_request(struct xd_order_maker *maker, int64_t now, struct xd_order *order)
{
    struct xd_random *random = &maker->random;
    uint32_t from = xd_places_draw(maker->places, random);
    uint32_t to = xd_places_draw_towards(maker->places, random, from);
    double km = xd_places_km(from, to) * ROAD_FACTOR;
    order->kind = XD_TRUCK;
    order->from = xd_places_near(random, from);
    order->to = xd_places_near(random, to);
    draw_load(random, order);
    order->pickup_from = now + xd_random_between(random, 2, 30 * 4) * HOUR / 4;
    order->pickup_until = order->pickup_from + xd_random_between(random, 6, 24) * HOUR;
    order->deliver_until =
        order->pickup_until + (int64_t)(km / 50 * HOUR) + xd_random_between(random, 6, 36) * HOUR;
    order->valid_until = order->pickup_until;
    order->load_min = xd_random_between(random, 10, 45);
    order->unload_min = xd_random_between(random, 10, 45);
    double tonnes = (double)order->amount[XD_KG] / 1000;
    double tariff = 180 + 0.75 * tonnes * km + 0.35 * km;
    xd_make_bid(maker, tariff, 0.5, order);
}

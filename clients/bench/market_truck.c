/* Trucks on their way home, and what wants to ride with them. */
#include "clients/bench/makes.h"
#include "clients/bench/market_parts.h"

#include "core/features.h"

#include <math.h>
#include <string.h>

enum { HOUR = 3600 };

static uint64_t feature(const char *name)
{
    return UINT64_C(1) << xd_feature_bit(name, strlen(name));
}

/* Truck bodies and what they bring along. */
static uint64_t truck_features(struct xd_random *random, bool cooled)
{
    uint64_t features = feature("gps_tracking");
    features |= cooled || xd_random_chance(random, 0.6) ? feature("box_body") : feature("curtain_side");
    if (xd_random_chance(random, 0.6)) features |= feature("tail_lift") | feature("pallet_jack");
    if (cooled) features |= feature("temp_log") | feature("food_grade");
    return features;
}

static void price_truck(struct xd_random *random, const struct xd_truck_make *truck, struct xd_order *order)
{
    order->base = llround(xd_random_around(random, truck->base, 0.5)) * 100;
    order->per_t_km = llround(xd_random_around(random, truck->t_km, 0.35) * 1e4);
    order->per_detour_km = llround(xd_random_around(random, truck->detour_km, 0.3) * 1e4);
    xd_market_gives(order, XD_F_BASE);
    xd_market_gives(order, XD_F_PER_T_KM);
    xd_market_gives(order, XD_F_PER_DETOUR_KM);
}

/* What is free of a truck: between a quarter and all of it. */
static void load_truck(struct xd_random *random, const struct xd_truck_make *truck, struct xd_order *order)
{
    int64_t quarters = xd_random_between(random, 1, 4);
    order->amount[XD_KG] = truck->kg * quarters / 4;
    order->amount[XD_PALLETS] = truck->pallets * quarters / 4 / 100 * 100;
    if (order->amount[XD_PALLETS] == 0) order->amount[XD_PALLETS] = 100;
    xd_market_gives(order, XD_F_KG);
    xd_market_gives(order, XD_F_PALLETS);
}

uint32_t xd_market_truck_offer(struct xd_market_play *play, int64_t now, struct xd_order *order)
{
    struct xd_random *random = &play->random;
    const struct xd_truck_make *truck = xd_draw_truck(random);
    uint32_t from = xd_places_draw(play->places, random);
    uint32_t to = xd_places_draw_towards(play->places, random, from);
    double hours = xd_places_km(from, to) * play->road_factor / 60;
    order->from = xd_places_near(random, from);
    xd_market_gives(order, XD_F_FROM);
    if (xd_random_chance(random, 0.75)) {
        order->to = xd_places_near(random, to);
        xd_market_gives(order, XD_F_TO);
    }
    order->max_detour_m = xd_random_between(random, 30, 200) * 1000;
    order->available_from = now + xd_random_between(random, 1, 24 * 4) * HOUR / 4;
    order->available_until =
        order->available_from + (int64_t)(hours * 1.2 * HOUR) + xd_random_between(random, 8, 36) * HOUR;
    xd_market_gives(order, XD_F_MAX_DETOUR_KM);
    xd_market_gives(order, XD_F_AVAILABLE_FROM);
    xd_market_gives(order, XD_F_AVAILABLE_UNTIL);
    bool cooled = xd_random_chance(random, 0.2);
    if (cooled) {
        order->temp = (struct xd_range){.min = -250, .max = 250};
        xd_market_gives(order, XD_F_TEMP_C);
    }
    order->features = truck_features(random, cooled);
    xd_market_gives(order, XD_F_FEATURES);
    load_truck(random, truck, order);
    price_truck(random, truck, order);
    return from;
}

/* From a quarter of a pallet to twenty, small lots being the many; 120 to 700 kg a pallet. */
static void draw_load(struct xd_random *random, struct xd_order *order)
{
    double pallets = 0.25 * pow(80, pow(xd_random_unit(random), 1.4));
    order->amount[XD_PALLETS] = llround(pallets * 4) * 25;
    order->amount[XD_KG] = llround(pallets * (double)xd_random_between(random, 120, 700)) + 1;
    xd_market_gives(order, XD_F_PALLETS);
    xd_market_gives(order, XD_F_KG);
}

static void draw_care(struct xd_random *random, struct xd_order *order)
{
    static const struct xd_range bands[] = {{-300, -180}, {0, 40}, {20, 80}, {100, 250}};
    if (xd_random_chance(random, 0.2)) {
        order->temp = bands[xd_random_between(random, 0, 3)];
        xd_market_gives(order, XD_F_TEMP_C);
    }
    if (xd_random_chance(random, 0.15)) {
        order->features = feature("tail_lift");
        xd_market_gives(order, XD_F_FEATURES);
    }
}

static void draw_windows(struct xd_random *random, int64_t now, double km, struct xd_order *order)
{
    order->pickup_from = now + xd_random_between(random, 2, 30 * 4) * HOUR / 4;
    order->pickup_until = order->pickup_from + xd_random_between(random, 6, 24) * HOUR;
    order->deliver_until =
        order->pickup_until + (int64_t)(km / 50 * HOUR) + xd_random_between(random, 6, 36) * HOUR;
    order->load_min = xd_random_between(random, 10, 45);
    order->unload_min = xd_random_between(random, 10, 45);
    xd_market_gives(order, XD_F_PICKUP_FROM);
    xd_market_gives(order, XD_F_PICKUP_UNTIL);
    xd_market_gives(order, XD_F_DELIVER_UNTIL);
    xd_market_gives(order, XD_F_LOAD_MIN);
    xd_market_gives(order, XD_F_UNLOAD_MIN);
}

uint32_t xd_market_truck_request(struct xd_market_play *play, int64_t now, struct xd_order *order)
{
    struct xd_random *random = &play->random;
    uint32_t from = xd_places_draw(play->places, random);
    uint32_t to = xd_places_draw_towards(play->places, random, from);
    double km = xd_places_km(from, to) * play->road_factor;
    order->from = xd_places_near(random, from);
    order->to = xd_places_near(random, to);
    xd_market_gives(order, XD_F_FROM);
    xd_market_gives(order, XD_F_TO);
    draw_load(random, order);
    draw_care(random, order);
    draw_windows(random, now, km, order);
    double tonnes = (double)order->amount[XD_KG] / 1000;
    double tariff = 180 + 0.75 * tonnes * km + 0.35 * km;
    order->max_price = llround(xd_random_around(random, tariff, 0.5) * 100);
    xd_market_gives(order, XD_F_MAX_PRICE);
    return from;
}

/* Free chambers and floors, and the goods that want to lie there for a while. Money is CNY. */
#include "clients/bench/makes.h"
#include "core/schema.h"
#include "core/when.h"
#include "tests/bench/engine/orders.h"

#include <math.h>

/* What some places have and some goods need. */
static const struct {
    const char *name;
    double had, needed;
} features[] = {
    {"dock_leveller", 0.5, 0.08}, {"haccp", 0.5, 0.06}, {"temp_log", 0.4, 0.04},
    {"bonded", 0.15, 0.03},       {"cctv", 0.6, 0.05},  {"open_24h", 0.3, 0.03},
};

static void draw_features(struct xd_random *random, struct xd_order *order)
{
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        double chance = order->side == XD_OFFER ? features[i].had : features[i].needed;
        if (xd_random_chance(random, chance)) xd_make_feature(order, features[i].name);
    }
}

static void draw_place(struct xd_order_maker *maker, struct xd_order *order)
{
    order->at = xd_places_near(&maker->random, xd_places_draw(maker->places, &maker->random));
}

static void set_main(struct xd_order *order, int64_t amount)
{
    order->amount[order->kind == XD_COLD ? XD_PALLETS : XD_M2] = amount;
}

void xd_make_storage_offer(struct xd_order_maker *maker, int64_t now, struct xd_order *order)
{
    struct xd_random *random = &maker->random;
    bool cold = order->kind == XD_COLD;
    const struct xd_chamber_make *chamber = xd_draw_chamber(random);
    draw_place(maker, order);
    order->from_day = now / XD_DAY_S + xd_random_between(random, 0, 5);
    order->until_day = order->from_day + xd_random_between(random, 30, 365);
    order->valid_until = order->until_day * XD_DAY_S;
    if (cold) order->temp = chamber->band;
    int64_t units = cold ? xd_random_between(random, 40, 1200) : xd_random_between(random, 100, 5000);
    set_main(order, units * 100);
    if (cold && xd_random_chance(random, 0.3))
        order->amount[XD_KG] = units * xd_random_between(random, 400, 900);
    order->base = xd_random_between(random, 0, 200) * 100;
    order->per_unit_day =
        llround(xd_random_around(random, cold ? chamber->pallet_day : XD_USUAL_M2_DAY, 0.35) * 1e4);
    if (xd_random_chance(random, 0.3)) order->min_part = cold ? 500 : 2000;
    draw_features(random, order);
}

/* The market's rate for a lot with some for the way there, times the level. */
static void price_lot(struct xd_order_maker *maker, double rate, double units, struct xd_order *order)
{
    double days = (double)(order->until_day - order->from_day);
    xd_make_bid(maker, 150 + rate * units * days, 0.4, order);
    order->per_access_km = xd_random_between(&maker->random, 5, 30) * 1000;
}

void xd_make_storage_request(struct xd_order_maker *maker, int64_t now, struct xd_order *order)
{
    struct xd_random *random = &maker->random;
    bool cold = order->kind == XD_COLD;
    const struct xd_chamber_make *chamber = xd_draw_chamber(random);
    draw_place(maker, order);
    order->radius_m = xd_random_between(random, 20, 150) * 1000;
    order->from_day = now / XD_DAY_S + xd_random_between(random, 2, 14);
    order->until_day = order->from_day + llround(3 * pow(30, pow(xd_random_unit(random), 1.5)));
    order->valid_until = order->from_day * XD_DAY_S - xd_random_between(random, 0, XD_DAY_S - 1);
    int64_t units = llround((cold ? 4 : 20) * pow(cold ? 30 : 40, xd_random_unit(random)));
    if (cold) order->temp = chamber->tolerated;
    set_main(order, units * 100);
    if (cold && xd_random_chance(random, 0.3))
        order->amount[XD_KG] = units * xd_random_between(random, 120, 700);
    price_lot(maker, cold ? chamber->pallet_day : XD_USUAL_M2_DAY, (double)units, order);
    if (xd_random_chance(random, 0.35)) order->min_part = units * 100 / 4;
    draw_features(random, order);
}

/* Free chambers and floors, and the goods that want to lie there for a while. */
#include "clients/bench/makes.h"
#include "clients/bench/market_parts.h"

#include "core/when.h"

#include <math.h>

static void set_amount(struct xd_order *order, enum xd_dim dim, int64_t amount)
{
    order->amount[dim] = amount;
    xd_market_gives(order, dim == XD_M2 ? XD_F_M2 : XD_F_PALLETS);
}

static void set_days(struct xd_order *order, int64_t from_day, int64_t days)
{
    order->from_day = from_day;
    order->until_day = from_day + days;
    xd_market_gives(order, XD_F_FROM_DAY);
    xd_market_gives(order, XD_F_UNTIL_DAY);
}

static void set_temp(struct xd_order *order, struct xd_range temp)
{
    order->temp = temp;
    xd_market_gives(order, XD_F_TEMP_C);
}

uint32_t xd_market_storage_offer(struct xd_market_play *play, int64_t now, struct xd_order *order)
{
    struct xd_random *random = &play->random;
    bool cold = order->kind == XD_COLD;
    const struct xd_chamber_make *chamber = xd_draw_chamber(random);
    uint32_t town = xd_places_draw(play->places, random);
    order->at = xd_places_near(random, town);
    xd_market_gives(order, XD_F_AT);
    int64_t today = now / XD_DAY_S;
    set_days(order, today + xd_random_between(random, 0, 5), xd_random_between(random, 30, 365));
    if (cold) {
        set_temp(order, chamber->band);
        set_amount(order, XD_PALLETS, xd_random_between(random, 40, 1200) * 100);
    } else {
        set_amount(order, XD_M2, xd_random_between(random, 100, 5000) * 100);
    }
    order->base = xd_random_between(random, 0, 200) * 100;
    order->per_unit_day =
        llround(xd_random_around(random, cold ? chamber->pallet_day : XD_USUAL_M2_DAY, 0.35) * 1e4);
    xd_market_gives(order, XD_F_BASE);
    xd_market_gives(order, cold ? XD_F_PER_PALLET_DAY : XD_F_PER_M2_DAY);
    if (xd_random_chance(random, 0.3)) {
        order->min_part = cold ? 500 : 2000;
        xd_market_gives(order, XD_F_MIN_PART);
    }
    return town;
}

/* Prices a lot: the market's rate for it with some for the way there. */
static void price_lot(struct xd_random *random, double rate, double amount, struct xd_order *order)
{
    double days = (double)(order->until_day - order->from_day);
    order->max_price = llround(xd_random_around(random, 150 + 1.1 * rate * amount * days, 0.4) * 100);
    order->per_access_km = xd_random_between(random, 5, 30) * 1000;
    xd_market_gives(order, XD_F_MAX_PRICE);
    xd_market_gives(order, XD_F_PER_ACCESS_KM);
}

uint32_t xd_market_storage_request(struct xd_market_play *play, int64_t now, struct xd_order *order)
{
    struct xd_random *random = &play->random;
    bool cold = order->kind == XD_COLD;
    const struct xd_chamber_make *chamber = xd_draw_chamber(random);
    uint32_t town = xd_places_draw(play->places, random);
    order->at = xd_places_near(random, town);
    order->radius_m = xd_random_between(random, 20, 150) * 1000;
    xd_market_gives(order, XD_F_AT);
    xd_market_gives(order, XD_F_RADIUS_KM);
    int64_t today = now / XD_DAY_S;
    set_days(order, today + xd_random_between(random, 1, 14),
             llround(3 * pow(30, pow(xd_random_unit(random), 1.5))));
    int64_t units = llround((cold ? 4 : 20) * pow(cold ? 30 : 40, xd_random_unit(random)));
    if (cold) set_temp(order, chamber->tolerated);
    set_amount(order, cold ? XD_PALLETS : XD_M2, units * 100);
    price_lot(random, cold ? chamber->pallet_day : XD_USUAL_M2_DAY, (double)units, order);
    if (xd_random_chance(random, 0.35)) {
        order->min_part = units * 100 / 4;
        xd_market_gives(order, XD_F_MIN_PART);
    }
    return town;
}

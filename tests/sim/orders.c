/* Random orders: few places, near the borders of the partitions, that want more than there is. */
#include "core/id.h"
#include "core/order_parts.h"
#include "core/schema.h"
#include "core/when.h"
#include "tests/sim/market.h"

#include <stdio.h>

static void set(struct xd_order *order, enum xd_field_id field, int64_t value)
{
    *(int64_t *)(void *)((char *)order + xd_fields[field].offset) = value;
    order->given |= UINT64_C(1) << field;
}

static void set_place(struct xd_order *order, enum xd_field_id field, struct xd_place place)
{
    *(struct xd_place *)(void *)((char *)order + xd_fields[field].offset) = place;
    order->given |= UINT64_C(1) << field;
}

struct xd_place sim_random_place(struct sim_world *world)
{
    return (struct xd_place){(int32_t)(500000000 + sim_between(world, 0, 4) * 3600000),
                             (int32_t)(60000000 + sim_between(world, 0, 4) * 5600000)};
}

static void truck(struct sim_market *market, struct xd_order *order)
{
    struct sim_world *world = market->world;
    bool offer = order->side == XD_OFFER;
    int64_t start = market->start_s + sim_between(world, 1, 8) * 1800;
    set_place(order, XD_F_FROM, sim_random_place(world));
    if (!offer || sim_chance(world, 70)) set_place(order, XD_F_TO, sim_random_place(world));
    set(order, XD_F_PALLETS, sim_between(world, 1, offer ? 10 : 6) * 100);
    set(order, XD_F_KG, sim_between(world, 1, offer ? 10 : 6) * 500);
    if (offer) {
        set(order, XD_F_MAX_DETOUR_KM, sim_between(world, 0, 200) * 1000);
        set(order, XD_F_AVAILABLE_FROM, start);
        set(order, XD_F_AVAILABLE_UNTIL, start + sim_between(world, 4, 30) * 3600);
        set(order, XD_F_BASE, sim_between(world, 0, 5000));
        set(order, XD_F_PER_T_KM, sim_between(world, 0, 5000));
        set(order, XD_F_PER_DETOUR_KM, sim_between(world, 0, 5000));
    } else {
        set(order, XD_F_PICKUP_FROM, start);
        set(order, XD_F_PICKUP_UNTIL, start + sim_between(world, 1, 24) * 3600);
        set(order, XD_F_DELIVER_UNTIL, order->pickup_until + sim_between(world, 1, 12) * 3600);
        set(order, XD_F_MAX_PRICE, sim_between(world, 5000, 90000));
    }
}

static void storage(struct sim_market *market, struct xd_order *order)
{
    struct sim_world *world = market->world;
    bool offer = order->side == XD_OFFER;
    int64_t day = market->start_s / XD_DAY_S + sim_between(world, 1, 4);
    set_place(order, XD_F_AT, sim_random_place(world));
    set(order, XD_F_M2, sim_between(world, 1, offer ? 10 : 8) * 1000);
    if (sim_chance(world, 25)) set(order, XD_F_PALLETS, sim_between(world, 1, offer ? 20 : 8) * 100);
    set(order, XD_F_FROM_DAY, day);
    set(order, XD_F_UNTIL_DAY, day + sim_between(world, 1, offer ? 8 : 3));
    if (sim_chance(world, 50)) set(order, XD_F_MIN_PART, sim_between(world, 1, 8) * order->amount[XD_M2] / 8);
    if (offer) {
        set(order, XD_F_BASE, sim_between(world, 0, 2000));
        set(order, XD_F_PER_M2_DAY, sim_between(world, 0, 4000));
    } else {
        set(order, XD_F_RADIUS_KM, sim_between(world, 20, 200) * 1000);
        set(order, XD_F_PER_ACCESS_KM, sim_chance(world, 50) ? sim_between(world, 0, 3000) : 0);
        set(order, XD_F_MAX_PRICE, sim_between(world, 5000, 90000));
    }
}

void sim_order_write(struct sim_market *market, unsigned number)
{
    struct sim_world *world = market->world;
    struct sim_order *written = &market->orders[number];
    struct xd_order *order = &written->order;
    struct xd_error error;
    snprintf(written->account, sizeof written->account, "a%u",
             (unsigned)sim_below(world, market->accounts) % 1000);
    snprintf(written->ref, sizeof written->ref, "r%u", number % 100000);
    order->ref = xd_str_of(written->ref);
    order->given |= UINT64_C(1) << XD_F_REF;
    set(order, XD_F_SIDE, sim_chance(world, 40) ? XD_OFFER : XD_REQUEST);
    set(order, XD_F_KIND, market->kind);
    order->currency = market->terms.currency;
    if (sim_chance(world, 20)) {
        set(order, XD_F_CONFIRM, XD_CONFIRM_MANUAL);
        set(order, XD_F_HOLD_S, sim_between(world, 30, 90));
    }
    if (sim_chance(world, 15)) set(order, XD_F_FILL, XD_FILL_NOW);
    if (order->side == XD_REQUEST && sim_chance(world, 10)) set(order, XD_F_FILL, XD_FILL_ALL_NOW);
    (market->kind == XD_TRUCK ? truck : storage)(market, order);
    xd_order_default(order);
    order->valid_until = xd_order_end(order);
    if (sim_chance(world, 20))
        set(order, XD_F_VALID_UNTIL, market->start_s + sim_between(world, 3, 40)); /* lapses on the way */
    if (!xd_order_check(order, &error)) sim_fail(world, "an order that is not valid: %s", error.message);
    struct xd_place place = market->kind == XD_TRUCK ? order->from : order->at;
    written->home =
        xd_layout_partition(&market->layout, market->kind, place) - market->kind * market->layout.count;
}

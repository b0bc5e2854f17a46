/* Random orders. Every field that is set is marked as given; what the table leaves out is left out. */
#include "tests/differential/traffic.h"

#include "core/id.h"
#include "core/schema.h"
#include "core/when.h"

#include <stdio.h>

static uint64_t below(struct xd_traffic *traffic, uint64_t bound)
{
    return xd_traffic_below(traffic, bound);
}

static int64_t between(struct xd_traffic *traffic, int64_t low, int64_t high)
{
    return xd_traffic_between(traffic, low, high);
}

static bool chance(struct xd_traffic *traffic, unsigned percent)
{
    return xd_traffic_chance(traffic, percent);
}

static void give(struct xd_order *order, enum xd_field_id field)
{
    order->given |= UINT64_C(1) << field;
}

static void set(struct xd_order *order, enum xd_field_id field, int64_t value)
{
    *(int64_t *)(void *)((char *)order + xd_fields[field].offset) = value;
    give(order, field);
}

/* --- places --------------------------------------------------------------------------------------------- */

static struct xd_place random_place(struct xd_traffic *traffic)
{
    switch (traffic->style.places) {
    case XD_ONE_POINT:
        return traffic->points[0];
    case XD_FEW_POINTS:
        return traffic->points[below(traffic, 8)];
    case XD_LINE: /* where a stop on the way is no detour, but for the rounding of legs */
        return (struct xd_place){chance(traffic, 80) ? 0 : (int32_t)between(traffic, 0, 90000),
                                 (int32_t)between(traffic, -20, chance(traffic, 20) ? 500 : 20) *
                                     traffic->line_step};
    case XD_POLE:
        return (struct xd_place){(int32_t)between(traffic, 890, 900) * 1000000,
                                 (int32_t)between(traffic, -18, 18) * 100000000};
    case XD_ANTIMERIDIAN: {
        int64_t east = chance(traffic, 10) ? 1800000000 : between(traffic, 1790000000, 1810000000);
        int64_t lon = east > 1800000000 ? east - 3600000000 : east;
        return (struct xd_place){(int32_t)between(traffic, -10, 10) * 1000000, (int32_t)lon};
    }
    case XD_WORLD:
        if (chance(traffic, 10)) return (struct xd_place){chance(traffic, 50) ? 900000000 : -900000000, 0};
        return (struct xd_place){(int32_t)between(traffic, -900000000, 900000000),
                                 (int32_t)between(traffic, -1800000000, 1800000000)};
    default:
        return (struct xd_place){(int32_t)between(traffic, 300000000, 320000000),
                                 (int32_t)between(traffic, 1200000000, 1220000000)};
    }
}

static void set_place(struct xd_order *order, enum xd_field_id field, struct xd_place place)
{
    *(struct xd_place *)(void *)((char *)order + xd_fields[field].offset) = place;
    give(order, field);
}

/* --- what all orders have
 * --------------------------------------------------------------------------------------------------- */

static void random_temp(struct xd_traffic *traffic, struct xd_order *order)
{
    static const struct xd_range ranges[] = {{-250, -180}, {-220, -150}, {20, 80}, {0, 50},
                                             {-250, 120},  {60, 150},    {40, 40}};
    order->temp = ranges[below(traffic, sizeof ranges / sizeof *ranges)];
    if (order->kind == XD_TRUCK && order->side == XD_OFFER && chance(traffic, 50))
        order->temp = (struct xd_range){-250, 250};
    give(order, XD_F_TEMP_C);
}

static void random_accounts(struct xd_traffic *traffic, struct xd_order *order, enum xd_field_id field)
{
    struct xd_accounts *accounts = field == XD_F_ONLY ? &order->only : &order->never;
    accounts->count = (uint32_t)between(traffic, 1, 2);
    for (uint32_t i = 0; i < accounts->count; i++) {
        char *name = traffic->listed[(field == XD_F_ONLY ? 0 : 2) + i];
        snprintf(name, sizeof traffic->listed[0], "a%u", (unsigned)below(traffic, traffic->style.accounts));
        accounts->at[i] = xd_str_of(name);
    }
    give(order, field);
}

static void random_terms(struct xd_traffic *traffic, struct xd_order *order)
{
    const struct xd_style *style = &traffic->style;
    snprintf(traffic->ref, sizeof traffic->ref, "r%llu", (unsigned long long)traffic->next_order);
    order->ref = xd_str_of(traffic->ref);
    give(order, XD_F_REF);
    order->currency = traffic->options.market.currency;
    if (chance(traffic, style->foreign)) set(order, XD_F_CURRENCY, xd_currency("USD", 3));
    if (chance(traffic, style->manual)) {
        set(order, XD_F_CONFIRM, XD_CONFIRM_MANUAL);
        set(order, XD_F_HOLD_S, between(traffic, 1, 20) * 300);
    } else {
        order->hold_s = xd_fields[XD_F_HOLD_S].fallback;
    }
    if (chance(traffic, style->now)) set(order, XD_F_FILL, XD_FILL_NOW);
    if (order->side == XD_REQUEST && chance(traffic, style->all_now)) set(order, XD_F_FILL, XD_FILL_ALL_NOW);
    if (chance(traffic, 10)) set(order, XD_F_MIN_CREDIT, between(traffic, 3, 7) * 100);
    if (chance(traffic, style->features)) {
        uint64_t few = (below(traffic, 16) & below(traffic, 16)) | (below(traffic, 16) & below(traffic, 16))
                                                                       << 32;
        if (order->side == XD_REQUEST) few &= UINT64_C(1) << below(traffic, 36) | 3 | UINT64_C(3) << 33;
        order->features = few;
        if (few) give(order, XD_F_FEATURES);
    }
    if (chance(traffic, style->lists)) random_accounts(traffic, order, XD_F_NEVER);
    if (chance(traffic, style->lists / 3)) random_accounts(traffic, order, XD_F_ONLY);
    if (chance(traffic, 10)) {
        snprintf(traffic->note, sizeof traffic->note, "gate %u", (unsigned)below(traffic, 9));
        order->note = xd_str_of(traffic->note);
        give(order, XD_F_NOTE);
    }
}

static void random_amounts(struct xd_traffic *traffic, struct xd_order *order)
{
    enum xd_kind kind = (enum xd_kind)order->kind;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        bool required = kind == XD_TRUCK ? d <= XD_KG : d == xd_main_dim(kind);
        if (!required && !chance(traffic, traffic->style.dims)) continue;
        int64_t amount = order->side == XD_OFFER ? between(traffic, 500, 5000) : between(traffic, 1, 2500);
        if (traffic->style.exact) amount = order->side == XD_OFFER ? 1000 : 125 * between(traffic, 1, 9);
        set(order, XD_F_PALLETS + d, amount);
    }
    if (kind == XD_TRUCK || !chance(traffic, traffic->style.min_part)) return;
    int64_t whole = order->amount[xd_main_dim(kind)];
    set(order, XD_F_MIN_PART, chance(traffic, 30) ? 1 : between(traffic, 1, whole));
}

/* --- trucks --------------------------------------------------------------------------------------------- */

static void truck_offer(struct xd_traffic *traffic, struct xd_order *order)
{
    static const int64_t speeds[] = {600, 600, 800, 1000, 333, 2000, 10};
    bool wide = traffic->style.places == XD_WORLD, adversarial = traffic->style.adversarial;
    set_place(order, XD_F_FROM, random_place(traffic));
    if (chance(traffic, 50)) set_place(order, XD_F_TO, random_place(traffic));
    if (chance(traffic, traffic->style.temp)) random_temp(traffic, order);
    int64_t start = traffic->now + between(traffic, -4, adversarial ? 2 : 12) * 1800;
    set(order, XD_F_AVAILABLE_FROM, start);
    set(order, XD_F_AVAILABLE_UNTIL, start + between(traffic, 4, wide || adversarial ? 400 : 60) * 1800);
    bool narrow = chance(traffic, traffic->style.places == XD_LINE ? 50 : 10);
    int64_t detour_m = narrow ? between(traffic, -10, 20) : between(traffic, 0, wide ? 20000 : 1200) * 1000;
    set(order, XD_F_MAX_DETOUR_KM, detour_m > 0 ? detour_m : 0);
    set(order, XD_F_SPEED_KMH, wide ? 2000 : speeds[below(traffic, chance(traffic, 20) ? 7 : 4)]);
    if (traffic->style.equal_prices) {
        set(order, XD_F_BASE, 1000);
        return;
    }
    if (chance(traffic, 70)) set(order, XD_F_BASE, between(traffic, 0, 20000));
    if (chance(traffic, 70)) set(order, XD_F_PER_T_KM, between(traffic, 0, 20000));
    if (chance(traffic, 70)) set(order, XD_F_PER_DETOUR_KM, between(traffic, 0, 50000));
    if (adversarial) { /* so that many loads share a truck */
        set(order, XD_F_PALLETS, traffic->style.exact ? 2000 : 10000);
        set(order, XD_F_KG, traffic->style.exact ? 2000 : 10000);
    }
}

/* A truck of the book to aim a load at, or NULL. */
static const struct twin_order *some_truck(struct xd_traffic *traffic, const struct xd_twin *twin)
{
    for (unsigned tries = 0; tries < 6 && twin->order_count; tries++) {
        const struct twin_order *order = twin->orders[below(traffic, twin->order_count)];
        if (order->order.kind == XD_TRUCK && order->order.side == XD_OFFER) return order;
    }
    return NULL;
}

/* Windows that a truck just makes, or just not, after one of its stops. */
static void aim(struct xd_traffic *traffic, const struct twin_order *truck, struct xd_order *order)
{
    static const int64_t slack[] = {0, 0, 1, -1, 60, 900, 7200};
    int32_t factor = traffic->options.market.road_factor_e4;
    struct xd_unit_vector at = truck->truck.from, pickup = xd_place_vector(order->from);
    int64_t free = truck->truck.available_from;
    if (truck->plan.count) {
        const struct twin_stop *stop = &truck->plan.stops[below(traffic, truck->plan.count)];
        at = stop->delivery ? stop->load->delivery : stop->load->pickup;
        free = stop->end;
    }
    if (free < traffic->now) free = traffic->now;
    int64_t there = free + xd_drive_s(xd_distance_m(at, pickup, factor), truck->truck.speed);
    int64_t direct_m = xd_distance_m(pickup, xd_place_vector(order->to), factor);
    int64_t until = there + slack[below(traffic, 7)];
    order->pickup_until = until > traffic->now ? until : traffic->now + 1;
    order->pickup_from = order->pickup_until - (chance(traffic, 30) ? 0 : between(traffic, 0, 7200));
    int64_t unload = there + order->load_min * 60 + xd_drive_s(direct_m, truck->truck.speed);
    order->deliver_until =
        unload + (chance(traffic, 50) ? slack[below(traffic, 7)] : between(traffic, 0, 40000));
    if (order->deliver_until < order->pickup_from) order->deliver_until = order->pickup_from;
}

static void truck_request(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_order *order)
{
    set_place(order, XD_F_FROM, random_place(traffic));
    set_place(order, XD_F_TO, random_place(traffic));
    if (chance(traffic, traffic->style.temp)) random_temp(traffic, order);
    if (!traffic->style.no_service) {
        set(order, XD_F_LOAD_MIN, between(traffic, 0, 60));
        set(order, XD_F_UNLOAD_MIN, between(traffic, 0, 60));
    }
    int64_t start = traffic->now + between(traffic, -2, 12) * 1800;
    order->pickup_from = start;
    order->pickup_until = start + between(traffic, 0, 20) * 1800;
    order->deliver_until = order->pickup_until + between(traffic, 0, 60) * 1800;
    const struct twin_order *truck =
        chance(traffic, traffic->style.adversarial ? 60 : 10) ? some_truck(traffic, twin) : NULL;
    if (truck) aim(traffic, truck, order);
    give(order, XD_F_PICKUP_FROM);
    give(order, XD_F_PICKUP_UNTIL);
    give(order, XD_F_DELIVER_UNTIL);
    if (traffic->style.adversarial) {
        set(order, XD_F_PALLETS, 125 * between(traffic, 1, 4));
        set(order, XD_F_KG, 125 * between(traffic, 1, 4));
    }
}

/* --- storage -------------------------------------------------------------------------------------------- */

static void storage_order(struct xd_traffic *traffic, struct xd_order *order)
{
    bool offer = order->side == XD_OFFER, far = traffic->style.long_horizon;
    enum xd_field_id rate = order->kind == XD_COLD ? XD_F_PER_PALLET_DAY : XD_F_PER_M2_DAY;
    set_place(order, XD_F_AT, random_place(traffic));
    int64_t today = traffic->now / XD_DAY_S;
    set(order, XD_F_FROM_DAY, today + between(traffic, offer ? -3 : 0, far ? 40 : 5));
    int64_t days = between(traffic, 1, offer ? 30 : 8);
    if (far && chance(traffic, 30)) days = between(traffic, 1, 731);
    set(order, XD_F_UNTIL_DAY, order->from_day + days);
    if (order->kind == XD_COLD) random_temp(traffic, order);
    if (!offer) {
        bool wide = traffic->style.places == XD_WORLD;
        set(order, XD_F_RADIUS_KM, chance(traffic, 5) ? 0 : between(traffic, 0, wide ? 20000 : 400) * 1000);
        if (chance(traffic, 40)) set(order, XD_F_PER_ACCESS_KM, between(traffic, 0, 20000));
    } else if (traffic->style.equal_prices) {
        set(order, rate, 10000);
    } else {
        if (chance(traffic, 60)) set(order, XD_F_BASE, between(traffic, 0, 3000));
        if (chance(traffic, 80)) set(order, rate, between(traffic, 0, 30000));
    }
}

/* --- the limits ----------------------------------------------------------------------------------------- */

/* Some numbers of any size that their fields allow. */
static void stretch(struct xd_traffic *traffic, struct xd_order *order)
{
    static const enum xd_field_id fields[] = {XD_F_PALLETS,
                                              XD_F_KG,
                                              XD_F_M3,
                                              XD_F_LDM,
                                              XD_F_M2,
                                              XD_F_BASE,
                                              XD_F_PER_T_KM,
                                              XD_F_RADIUS_KM,
                                              XD_F_PER_DETOUR_KM,
                                              XD_F_MAX_PRICE,
                                              XD_F_PER_M2_DAY,
                                              XD_F_MAX_PRICE,
                                              XD_F_SPEED_KMH,
                                              XD_F_MAX_DETOUR_KM,
                                              XD_F_MAX_PRICE,
                                              XD_F_PER_ACCESS_KM,
                                              XD_F_PER_PALLET_DAY};
    enum xd_column column = xd_column((enum xd_side)order->side, (enum xd_kind)order->kind);
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct xd_field *field = &xd_fields[fields[i]];
        if (field->need[column] == XD_NEVER || !xd_order_gave(order, fields[i]) || !chance(traffic, 40))
            continue;
        int64_t value =
            field->min + ((field->max - field->min) >> below(traffic, 40)) - (int64_t)below(traffic, 3);
        set(order, fields[i], value < field->min ? field->min : value);
    }
    int64_t whole = order->amount[xd_main_dim((enum xd_kind)order->kind)];
    if (order->min_part > whole) order->min_part = whole;
}

/* --- all of it ------------------------------------------------------------------------------------------ */

static void random_kind(struct xd_traffic *traffic, struct xd_order *order)
{
    const unsigned *weight = traffic->style.weight;
    uint64_t dice = below(traffic, weight[0] + weight[1] + weight[2]);
    order->kind = dice < weight[0] ? XD_TRUCK : dice < weight[0] + weight[1] ? XD_COLD : XD_WAREHOUSE;
    order->side = chance(traffic, traffic->style.offers) ? XD_OFFER : XD_REQUEST;
    give(order, XD_F_SIDE);
    give(order, XD_F_KIND);
}

static void random_validity(struct xd_traffic *traffic, struct xd_order *order)
{
    const struct xd_field *end =
        &xd_fields[xd_column_end(xd_column((enum xd_side)order->side, (enum xd_kind)order->kind))];
    int64_t latest = *(const int64_t *)(const void *)((const char *)order + end->offset);
    order->valid_until = end->type == XD_TYPE_DAY ? latest * XD_DAY_S : latest;
    if (!chance(traffic, traffic->style.short_valid)) return;
    int64_t sooner = traffic->now + between(traffic, 0, 30 * traffic->style.pace_s);
    if (sooner < order->valid_until) set(order, XD_F_VALID_UNTIL, sooner);
}

/* Mostly the next number; now and then one is skipped, comes later or comes again. */
static uint64_t order_number(struct xd_traffic *traffic)
{
    if (chance(traffic, 1)) return 1 + below(traffic, traffic->next_order);
    if (traffic->skipped && chance(traffic, 20)) {
        uint64_t number = traffic->skipped;
        traffic->skipped = 0;
        return number;
    }
    if (chance(traffic, 1)) traffic->skipped = traffic->next_order++;
    return traffic->next_order++;
}

void xd_traffic_order(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_record *record)
{
    struct xd_order *order = &record->order;
    random_kind(traffic, order);
    random_terms(traffic, order);
    random_amounts(traffic, order);
    if (order->kind != XD_TRUCK) {
        storage_order(traffic, order);
    } else if (order->side == XD_OFFER) {
        truck_offer(traffic, order);
    } else {
        truck_request(traffic, twin, order);
    }
    if (order->side == XD_REQUEST) {
        int64_t price =
            traffic->style.equal_prices ? 900000 : between(traffic, 1, chance(traffic, 50) ? 900000 : 90000);
        set(order, XD_F_MAX_PRICE, price);
    }
    if (traffic->style.extreme) stretch(traffic, order);
    random_validity(traffic, order);
    record->type = XD_RECORD_ORDER;
    record->order_id = xd_id(traffic->options.partition, order_number(traffic));
    record->credit = chance(traffic, 80) ? XD_CREDIT_UNKNOWN : between(traffic, 0, 10) * 100;
}

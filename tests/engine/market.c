#include "tests/engine/market.h"

#include "core/id.h"
#include "core/schema.h"
#include "core/when.h"
#include "engine/state.h"

#include <stdio.h>
#include <string.h>

uint64_t xd_world_random(struct xd_world *world)
{
    uint64_t z = world->seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t xd_world_below(struct xd_world *world, uint64_t bound)
{
    return xd_world_random(world) % bound;
}

static int64_t between(struct xd_world *world, int64_t low, int64_t high)
{
    return low + (int64_t)xd_world_below(world, (uint64_t)(high - low + 1));
}

static bool chance(struct xd_world *world, unsigned percent)
{
    return xd_world_below(world, 100) < percent;
}

static void give(struct xd_order *order, enum xd_field_id field)
{
    order->given |= UINT64_C(1) << field;
}

static struct xd_place random_place(struct xd_world *world)
{
    if (world->crowded) return (struct xd_place){312304000, 1214737000};
    static const struct xd_place corners[] = {{900000000, 0},           {-900000000, 1800000000}, {0, 1800000000},
                                              {10000000, -1799000000}, {0, 0},                   {312304000, 1214737000}};
    if (chance(world, 2)) return corners[xd_world_below(world, sizeof corners / sizeof *corners)];
    return (struct xd_place){(int32_t)(310000000 + between(world, 0, 30) * 1000000),
                             (int32_t)(1200000000 + between(world, 0, 30) * 1000000)};
}

static void random_temp(struct xd_world *world, struct xd_order *order)
{
    static const struct xd_range ranges[] = {{-250, -180}, {-220, -150}, {20, 80}, {0, 50}, {-250, 120}, {60, 150}};
    order->temp = ranges[xd_world_below(world, sizeof ranges / sizeof *ranges)];
    give(order, XD_F_TEMP_C);
}

static void amounts(struct xd_world *world, struct xd_order *order, int64_t scale)
{
    enum xd_kind kind = (enum xd_kind)order->kind;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        bool required = kind == XD_TRUCK ? d <= XD_KG : d == xd_main_dim(kind);
        if (!required && !chance(world, 15)) continue;
        order->amount[d] = between(world, 1, 20 * scale);
        give(order, XD_F_PALLETS + d);
    }
}

static void truck_fields(struct xd_world *world, struct xd_order *order)
{
    bool offer = order->side == XD_OFFER;
    order->from = random_place(world);
    give(order, XD_F_FROM);
    if (!offer || chance(world, 60)) {
        order->to = random_place(world);
        give(order, XD_F_TO);
    }
    int64_t start = world->now + between(world, -10, 40) * 1800;
    if (chance(world, 35)) random_temp(world, order);
    if (offer) {
        order->max_detour_m = between(world, 0, 400) * 1000;
        order->available_from = start;
        order->available_until = start + between(world, 1, 80) * 1800;
        order->speed = between(world, 20, 1200);
        order->base = world->crowded ? 1000 : between(world, 0, 20000);
        order->per_t_km = world->crowded ? 1000 : between(world, 0, 10000);
        order->per_detour_km = world->crowded ? 0 : between(world, 0, 50000);
        order->valid_until = order->available_until;
    } else {
        order->pickup_from = start;
        order->pickup_until = start + between(world, 0, 40) * 1800;
        order->deliver_until = order->pickup_until + between(world, 0, 60) * 1800;
        order->load_min = between(world, 0, 60);
        order->unload_min = between(world, 0, 60);
        order->valid_until = order->pickup_until;
    }
}

static void storage_fields(struct xd_world *world, struct xd_order *order)
{
    bool offer = order->side == XD_OFFER;
    order->at = random_place(world);
    int64_t today = world->now / XD_DAY_S;
    order->from_day = today + between(world, offer ? -3 : 0, 12);
    order->until_day = order->from_day + between(world, 1, offer ? 30 : 8);
    if (order->kind == XD_COLD) random_temp(world, order);
    if (chance(world, 40)) {
        order->min_part = between(world, 1, order->amount[xd_main_dim((enum xd_kind)order->kind)]);
        give(order, XD_F_MIN_PART);
    }
    if (offer) {
        order->base = world->crowded ? 100 : between(world, 0, 3000);
        order->per_unit_day = world->crowded ? 1000 : between(world, 0, 30000);
        order->valid_until = order->until_day * XD_DAY_S;
    } else {
        order->radius_m = between(world, 0, 300) * 1000;
        order->per_access_km = chance(world, 50) ? between(world, 0, 5000) : 0;
        order->valid_until = order->from_day * XD_DAY_S;
    }
}

static void random_order(struct xd_world *world, struct xd_record *record)
{
    struct xd_order *order = &record->order;
    order->side = (int64_t)xd_world_below(world, 2);
    order->kind = (int64_t)xd_world_below(world, 3);
    give(order, XD_F_SIDE);
    give(order, XD_F_KIND);
    snprintf(world->ref, sizeof world->ref, "r%llu", (unsigned long long)world->next_order);
    order->ref = xd_str_of(world->ref);
    give(order, XD_F_REF);
    order->currency = xd_currency(chance(world, 97) ? "CNY" : "USD", 3);
    order->hold_s = between(world, 1, 20) * 300;
    give(order, XD_F_HOLD_S);
    order->min_credit = chance(world, 10) ? between(world, 400, 600) : 0;
    if (order->min_credit) give(order, XD_F_MIN_CREDIT);
    if (chance(world, world->careful ? 70 : 20)) order->confirm = XD_CONFIRM_MANUAL;
    if (order->confirm) give(order, XD_F_CONFIRM);
    unsigned fill = (unsigned)xd_world_below(world, 10);
    bool whole = order->side == XD_REQUEST && fill >= (world->careful ? 5 : 9);
    order->fill = whole ? XD_FILL_ALL_NOW : fill < 7 ? XD_FILL_REST : XD_FILL_NOW;
    if (order->fill) give(order, XD_F_FILL);
    if (chance(world, 30)) {
        order->features = xd_world_random(world) & xd_world_random(world) & (order->side ? 0x3 : 0xf);
        if (order->features) give(order, XD_F_FEATURES);
    }
    amounts(world, order, order->side == XD_OFFER ? 400 : 150);
    if (order->kind == XD_TRUCK) {
        truck_fields(world, order);
    } else {
        storage_fields(world, order);
    }
    if (order->side == XD_REQUEST) order->max_price = world->crowded ? 900000 : between(world, 1, 900000);
    /* Every scalar is marked as given, so that the ledger's form keeps it. */
    for (unsigned f = XD_F_MAX_DETOUR_KM; f <= XD_F_UNTIL_DAY; f++) {
        if (xd_fields[f].need[xd_column((enum xd_side)order->side, (enum xd_kind)order->kind)]) give(order, f);
    }
    for (unsigned f = XD_F_BASE; f < XD_FIELD_COUNT; f++) {
        if (xd_fields[f].need[xd_column((enum xd_side)order->side, (enum xd_kind)order->kind)]) give(order, f);
    }
    if (order->kind != XD_TRUCK) give(order, XD_F_AT);
    if (chance(world, 5)) {
        order->never.at[order->never.count++] = xd_str_of(world->other);
        give(order, XD_F_NEVER);
    }
    record->type = XD_RECORD_ORDER;
    record->order_id = xd_id(0, world->next_order++);
    record->credit = chance(world, 80) ? XD_CREDIT_UNKNOWN : between(world, 300, 700);
}

/* New values for a field or two that every order may have. */
static void random_amendment(struct xd_world *world, struct xd_amendment *amendment)
{
    static const enum xd_field_id fields[] = {XD_F_PALLETS, XD_F_KG, XD_F_M2, XD_F_MIN_CREDIT, XD_F_HOLD_S};
    amendment->to.amount[XD_PALLETS] = between(world, 1, 400);
    amendment->to.amount[XD_KG] = between(world, 1, 400);
    amendment->to.amount[XD_M2] = between(world, 1, 400);
    amendment->to.min_credit = between(world, 0, 600);
    amendment->to.hold_s = between(world, 1, 20) * 300;
    for (unsigned i = 0; i < 2; i++) {
        give(&amendment->to, fields[xd_world_below(world, sizeof fields / sizeof *fields)]);
    }
}

void xd_world_record(struct xd_world *world, struct xd_record *record)
{
    *record = (struct xd_record){0};
    snprintf(world->account, sizeof world->account, "a%u", (unsigned)xd_world_below(world, 12));
    snprintf(world->other, sizeof world->other, "a%u", (unsigned)xd_world_below(world, 12));
    record->account = xd_str_of(world->account);
    if (chance(world, 40)) world->now += between(world, 0, chance(world, 3) ? 86400 : 600);
    unsigned dice = (unsigned)xd_world_below(world, 100);
    if (dice < 60) {
        random_order(world, record);
        return;
    }
    static const enum xd_record_type kinds[] = {XD_RECORD_ACCEPT,   XD_RECORD_DECLINE, XD_RECORD_CANCEL_MATCH,
                                                XD_RECORD_COMPLETE, XD_RECORD_NO_SHOW, XD_RECORD_CANCEL,
                                                XD_RECORD_CREDIT,   XD_RECORD_TICK,    XD_RECORD_AMEND,
                                                XD_RECORD_AMEND};
    record->type = kinds[dice < 75 ? 0 : xd_world_below(world, 10)];
    if (record->type == XD_RECORD_AMEND) random_amendment(world, &record->amendment);
    uint64_t back = xd_world_below(world, 200);
    record->order_id = xd_id(0, world->next_order > back + 1 ? world->next_order - back - 1 : 1);
    back = xd_world_below(world, 60);
    record->match_id = xd_id(0, world->next_match > back ? world->next_match - back : 1);
    record->credit = between(world, 300, 700);
}

void xd_world_aim(struct xd_world *world, const struct xd_engine *engine, struct xd_record *record)
{
    const struct xd_deal *deal = xd_table_get(&engine->deals, record->match_id);
    const struct xd_slot *slot = xd_table_get(&engine->orders, record->order_id);
    if (record->type == XD_RECORD_ORDER || record->type == XD_RECORD_CREDIT) return;
    const struct xd_account *account = NULL;
    if (record->type == XD_RECORD_CANCEL || record->type == XD_RECORD_AMEND) {
        account = slot ? slot->account : NULL;
    } else if (deal) {
        account = deal->order[xd_world_below(world, 2)]->account;
    }
    if (account && xd_world_below(world, 20)) record->account = (struct xd_str){account->name, account->len};
}

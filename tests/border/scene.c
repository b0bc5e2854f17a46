#include "tests/border/scene.h"

#include "core/id.h"
#include "core/when.h"
#include "engine/explain/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

const struct xd_place west = {310000000, 1200000000}, east = {310000000, 1220000000};

void scene_begin(struct scene *scene)
{
    uint32_t one = xd_curve_index(xd_cell_of(west)), other = xd_curve_index(xd_cell_of(east));
    uint32_t later = one > other ? one : other;
    struct xd_layout layout = {.count = 2, .cuts = {later / XD_CURVE_GRAIN * XD_CURVE_GRAIN}};
    *scene = (struct scene){0};
    assert_true(xd_layout_valid(&layout));
    xd_cluster_begin(&scene->cluster, &layout, NOW);
    scene->p = xd_layout_partition(&layout, XD_WAREHOUSE, west);
    scene->q = xd_layout_partition(&layout, XD_WAREHOUSE, east);
    assert_int_not_equal(scene->p, scene->q);
}

void scene_end(struct scene *scene)
{
    xd_cluster_end(&scene->cluster);
}

static void gives(struct xd_order *order, enum xd_field_id field)
{
    order->given |= UINT64_C(1) << field;
}

uint64_t scene_submit(struct scene *scene, enum xd_side side, const char *account, int64_t m2,
                      struct xd_order order)
{
    struct xd_record record = {
        .type = XD_RECORD_ORDER, .account = xd_str_of(account), .credit = XD_CREDIT_UNKNOWN};
    char *ref = scene->refs[scene->orders];
    snprintf(ref, sizeof scene->refs[0], "r%u", scene->orders++);
    order.side = side;
    order.kind = XD_WAREHOUSE;
    order.ref = xd_str_of(ref);
    order.amount[XD_M2] = m2;
    if (!order.at.lat_e7) order.at = side == XD_OFFER ? east : west;
    order.hold_s = 900;
    order.currency = xd_currency("CNY", 3);
    if (!order.from_day) order.from_day = DAY + 5;
    order.until_day = DAY + 10;
    if (side == XD_REQUEST) {
        order.max_price = 1000000;
        order.radius_m = 400000;
    }
    if (!order.valid_until)
        order.valid_until = (side == XD_OFFER ? order.until_day : order.from_day) * XD_DAY_S;
    static const enum xd_field_id always[] = {XD_F_SIDE, XD_F_KIND,     XD_F_REF,      XD_F_M2,
                                              XD_F_AT,   XD_F_FROM_DAY, XD_F_UNTIL_DAY};
    for (unsigned i = 0; i < sizeof always / sizeof *always; i++) {
        gives(&order, always[i]);
    }
    if (order.fill) gives(&order, XD_F_FILL);
    if (order.features) gives(&order, XD_F_FEATURES);
    if (order.confirm) gives(&order, XD_F_CONFIRM);
    if (order.min_part) gives(&order, XD_F_MIN_PART);
    if (side == XD_REQUEST) gives(&order, XD_F_MAX_PRICE);
    if (side == XD_REQUEST) gives(&order, XD_F_RADIUS_KM);
    record.order = order;
    return xd_cluster_submit(&scene->cluster, &record);
}

const struct xd_engine *scene_engine_of(const struct scene *scene, unsigned partition)
{
    return scene->cluster.members[partition].engine;
}

const struct xd_slot *scene_slot_of(const struct scene *scene, uint64_t id)
{
    return xd_table_get(&scene_engine_of(scene, xd_id_partition(id))->orders, id);
}

enum xd_code scene_act(struct scene *scene, enum xd_record_type type, const char *account, uint64_t order,
                       uint64_t match)
{
    struct xd_record record = {
        .type = type, .account = xd_str_of(account), .order_id = order, .match_id = match};
    xd_cluster_apply(&scene->cluster, xd_id_partition(order ? order : match), &record);
    return scene->cluster.outcome;
}

unsigned scene_pass(struct scene *scene, unsigned from, unsigned to)
{
    unsigned passed = 0;
    while (xd_cluster_deliver(&scene->cluster, from, to % scene->cluster.layout.count, false)) {
        passed++;
    }
    return passed;
}

void scene_rest(struct scene *scene)
{
    xd_cluster_settle(&scene->cluster);
    xd_cluster_check_at_rest(&scene->cluster);
}

uint64_t scene_only_match(const struct scene *scene)
{
    const struct xd_deal *deal = scene_engine_of(scene, scene->p)->first_deal;
    assert_non_null(deal);
    assert_null(deal->after);
    return deal->id;
}

enum xd_code scene_explain(const struct scene *scene, uint64_t order)
{
    struct xd_error error = {0};
    struct xd_buf out;
    xd_buf_init(&out, 1 << 20);
    struct xd_engine *engine = scene->cluster.members[xd_id_partition(order)].engine;
    bool good = xd_engine_explain(engine, NOW, xd_str_of("*"), order, &out, &error);
    xd_buf_free(&out);
    return good ? XD_OK : error.code;
}

uint64_t scene_submit_truck(struct scene *scene, enum xd_side side, const char *account)
{
    struct xd_record record = {
        .type = XD_RECORD_ORDER, .account = xd_str_of(account), .credit = XD_CREDIT_UNKNOWN};
    struct xd_order order = {.side = side,
                             .kind = XD_TRUCK,
                             .ref = xd_str_of(account),
                             .confirm = XD_CONFIRM_MANUAL,
                             .hold_s = 900,
                             .amount = {[XD_KG] = 1000, [XD_PALLETS] = 200},
                             .currency = xd_currency("CNY", 3),
                             .valid_until = NOW + 3 * XD_DAY_S};
    static const enum xd_field_id both[] = {XD_F_SIDE,    XD_F_KIND, XD_F_REF, XD_F_CONFIRM,
                                            XD_F_PALLETS, XD_F_KG,   XD_F_FROM};
    static const enum xd_field_id own[][5] = {
        [XD_OFFER] = {XD_F_FROM, XD_F_AVAILABLE_FROM, XD_F_AVAILABLE_UNTIL, XD_F_MAX_DETOUR_KM,
                      XD_F_SPEED_KMH},
        [XD_REQUEST] = {XD_F_TO, XD_F_PICKUP_FROM, XD_F_PICKUP_UNTIL, XD_F_DELIVER_UNTIL, XD_F_MAX_PRICE},
    };
    for (unsigned i = 0; i < sizeof both / sizeof *both; i++) {
        gives(&order, both[i]);
    }
    for (unsigned i = 0; i < sizeof own[side] / sizeof *own[side]; i++) {
        gives(&order, own[side][i]);
    }
    if (side == XD_OFFER) {
        order.from = west;
        order.available_from = NOW;
        order.available_until = NOW + 9 * XD_DAY_S;
        order.max_detour_m = 3000000;
        order.speed = 600;
    } else {
        order.from = east;
        order.to = (struct xd_place){east.lat_e7 + 1000000, east.lon_e7};
        order.pickup_from = NOW;
        order.pickup_until = NOW + 3 * XD_DAY_S;
        order.deliver_until = NOW + 9 * XD_DAY_S;
        order.max_price = 1000000;
    }
    record.order = order;
    return xd_cluster_submit(&scene->cluster, &record);
}

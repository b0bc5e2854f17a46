/* Single scenes over one border: what waits for an answer, what is asked for at home, what is never asked for
 * twice. Warehouse floor: requests are at home in the west, offers in the east, 190 km apart. */
#include "core/id.h"
#include "core/schema.h"
#include "core/when.h"
#include "engine/border/border.h"
#include "engine/explain/explain.h"
#include "tests/border/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { US = 1000000, NOW = 1893456000, DAY = NOW / 86400 };

static const struct xd_place west = {310000000, 1200000000}, east = {310000000, 1220000000};

struct scene {
    struct xd_cluster cluster;
    unsigned p, q; /* partitions: of the requests, of the offers */
    char refs[16][8];
    unsigned orders;
};

static void begin(struct scene *scene)
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

static void gives(struct xd_order *order, enum xd_field_id field)
{
    order->given |= UINT64_C(1) << field;
}

static uint64_t submit(struct scene *scene, enum xd_side side, const char *account, int64_t m2,
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

static const struct xd_engine *engine_of(const struct scene *scene, unsigned partition)
{
    return scene->cluster.members[partition].engine;
}

static const struct xd_slot *slot_of(const struct scene *scene, uint64_t id)
{
    return xd_table_get(&engine_of(scene, xd_id_partition(id))->orders, id);
}

static enum xd_code act(struct scene *scene, enum xd_record_type type, const char *account, uint64_t order,
                        uint64_t match)
{
    struct xd_record record = {
        .type = type, .account = xd_str_of(account), .order_id = order, .match_id = match};
    xd_cluster_apply(&scene->cluster, xd_id_partition(order ? order : match), &record);
    return scene->cluster.outcome;
}

/* All messages that wait from one to the other; how many. */
static unsigned pass(struct scene *scene, unsigned from, unsigned to)
{
    unsigned passed = 0;
    while (xd_cluster_deliver(&scene->cluster, from, to % scene->cluster.layout.count, false)) {
        passed++;
    }
    return passed;
}

static void rest(struct scene *scene)
{
    xd_cluster_settle(&scene->cluster);
    xd_cluster_check_at_rest(&scene->cluster);
}

static uint64_t only_match(const struct scene *scene)
{
    const struct xd_deal *deal = engine_of(scene, scene->p)->first_deal;
    assert_non_null(deal);
    assert_null(deal->after);
    return deal->id;
}

static enum xd_code explain(const struct scene *scene, uint64_t order)
{
    struct xd_error error = {0};
    struct xd_buf out;
    xd_buf_init(&out, 1 << 20);
    struct xd_engine *engine = scene->cluster.members[xd_id_partition(order)].engine;
    bool good = xd_engine_explain(engine, NOW, xd_str_of("*"), order, &out, &error);
    xd_buf_free(&out);
    return good ? XD_OK : error.code;
}

static const struct xd_order plain;

static void a_match_is_made_at_the_home_of_the_extent(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, plain);
    uint64_t request = submit(&scene, XD_REQUEST, "acme", 3000, plain);
    assert_int_equal(slot_of(&scene, request)->open, 3000); /* it gathers */
    assert_int_equal(explain(&scene, request), XD_CLAIMED);
    rest(&scene);
    assert_int_equal(explain(&scene, request), XD_WRONG_STATE); /* filled */
    const struct xd_deal *deal = xd_table_get(&engine_of(&scene, scene.p)->deals, only_match(&scene));
    assert_int_equal(deal->state, XD_MATCH_CONFIRMED);
    assert_int_equal(deal->order[XD_OFFER]->id, offer);
    assert_int_equal(xd_slot_free(slot_of(&scene, offer), XD_M2, DAY + 5, DAY + 10), 2000);
    assert_int_equal(act(&scene, XD_RECORD_CANCEL_MATCH, "store", 0, deal->id), XD_OK);
    rest(&scene);
    assert_int_equal(xd_slot_free(slot_of(&scene, offer), XD_M2, DAY + 5, DAY + 10), 5000);
    assert_int_equal(slot_of(&scene, request)->open, 3000); /* open again, and not paired with that one */
    xd_cluster_end(&scene.cluster);
}

static void a_cancelled_claim_waits_for_its_answer(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, plain);
    submit(&scene, XD_REQUEST, "acme", 3000, plain);
    pass(&scene, scene.p, scene.q); /* asked, claimed */
    assert_int_equal(act(&scene, XD_RECORD_CANCEL, "store", offer, 0), XD_OK);
    assert_int_equal(slot_of(&scene, offer)->ended, XD_LIVE);
    struct xd_record tick = {.type = XD_RECORD_TICK};
    xd_cluster_apply(&scene.cluster, scene.q, &tick);
    rest(&scene);
    only_match(&scene); /* it was confirmed, and stands */
    assert_int_equal(slot_of(&scene, offer)->ended, XD_ENDED_CANCELLED);
    submit(&scene, XD_REQUEST, "acme", 1000, plain);
    rest(&scene);
    only_match(&scene);
    xd_cluster_end(&scene.cluster);
}

static void a_proposal_is_withdrawn_with_the_order_elsewhere(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.confirm = XD_CONFIRM_MANUAL});
    uint64_t request = submit(&scene, XD_REQUEST, "acme", 3000, plain);
    rest(&scene);
    only_match(&scene);
    assert_int_equal(act(&scene, XD_RECORD_CANCEL, "store", offer, 0), XD_OK);
    assert_int_equal(act(&scene, XD_RECORD_CANCEL, "store", offer, 0), XD_WRONG_STATE);
    rest(&scene);
    assert_null(engine_of(&scene, scene.p)->first_deal);
    assert_null(slot_of(&scene, offer));
    assert_int_equal(slot_of(&scene, request)->open, 3000);
    xd_cluster_end(&scene.cluster);
}

/* Trucks go the other way: the offer in the west reaches the load in the east. */
static uint64_t submit_truck(struct scene *scene, enum xd_side side, const char *account)
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

/* The order stays cancelled, and was never filled; the match stands. */
static void a_withdrawal_meets_the_confirmation(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t request = submit_truck(&scene, XD_REQUEST, "acme");
    uint64_t offer = submit_truck(&scene, XD_OFFER, "fleet");
    rest(&scene);
    unsigned home = xd_id_partition(offer), elsewhere = xd_id_partition(request);
    const struct xd_deal *deal = engine_of(&scene, home)->first_deal;
    assert_non_null(deal);
    assert_int_equal(act(&scene, XD_RECORD_ACCEPT, "acme", 0, deal->id), XD_OK);
    assert_int_equal(act(&scene, XD_RECORD_ACCEPT, "fleet", 0, deal->id), XD_OK);
    assert_int_equal(deal->state, XD_MATCH_CONFIRMED);
    assert_int_equal(act(&scene, XD_RECORD_CANCEL, "acme", request, 0), XD_OK);
    assert_int_equal(xd_slot_state(slot_of(&scene, request)), XD_ORDER_CANCELLED);
    pass(&scene, home, elsewhere); /* the events of the confirmation are checked here */
    rest(&scene);
    assert_int_equal(deal->state, XD_MATCH_CONFIRMED);
    assert_int_equal(xd_slot_state(slot_of(&scene, request)), XD_ORDER_CANCELLED);
    xd_cluster_end(&scene.cluster);
}

/* What its home took of it is not told to the other; a claim for more than is left is answered with it. */
static void a_ghost_that_is_behind_is_told_with_the_answer(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t request = submit(&scene, XD_REQUEST, "acme", 3000, (struct xd_order){.min_part = 500});
    rest(&scene);
    const struct xd_ghost *ghost = xd_table_get(&engine_of(&scene, scene.q)->border->ghosts, request);
    submit(&scene, XD_OFFER, "depot", 1000, (struct xd_order){.at = west});
    assert_int_equal(pass(&scene, scene.p, scene.q), 0);
    rest(&scene);
    assert_int_equal(slot_of(&scene, request)->open, 2000);
    assert_int_equal(ghost->slot->open, 3000);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, plain);
    rest(&scene);
    assert_int_equal(slot_of(&scene, request)->open, 0);
    assert_int_equal(xd_slot_free(slot_of(&scene, offer), XD_M2, DAY + 5, DAY + 10), 3000);
    xd_cluster_end(&scene.cluster);
}

static void a_lapse_waits_for_the_answer(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.valid_until = NOW + 60});
    submit(&scene, XD_REQUEST, "acme", 3000, plain);
    pass(&scene, scene.p, scene.q);
    pass(&scene, scene.q, scene.p); /* matched; the answer is under way */
    scene.cluster.now_us = (NOW + 61) * (int64_t)US;
    struct xd_record tick = {.type = XD_RECORD_TICK};
    xd_cluster_apply(&scene.cluster, scene.q, &tick);
    assert_int_equal(slot_of(&scene, offer)->ended, XD_LIVE);
    rest(&scene);
    only_match(&scene);
    assert_int_equal(slot_of(&scene, offer)->ended, XD_ENDED_EXPIRED);
    xd_cluster_end(&scene.cluster);
}

/* The clock of P is ahead: for it the offer has lapsed. Its no must not make Q claim again and again. */
static void a_pair_that_was_refused_is_not_claimed_again(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.valid_until = NOW + 60});
    submit(&scene, XD_REQUEST, "acme", 3000, plain);
    pass(&scene, scene.p, scene.q);
    scene.cluster.now_us = (NOW + 61) * (int64_t)US;
    pass(&scene, scene.q, scene.p);
    scene.cluster.now_us = NOW * (int64_t)US;
    assert_int_equal(pass(&scene, scene.p, scene.q), 1); /* the no */
    assert_int_equal(pass(&scene, scene.q, scene.p), 0);
    const struct xd_table *ghosts = &engine_of(&scene, scene.q)->border->ghosts;
    assert_int_equal(ghosts->count, 1);
    xd_cluster_end(&scene.cluster);
}

static void a_declined_pair_is_not_claimed_again(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.confirm = XD_CONFIRM_MANUAL});
    uint64_t request = submit(&scene, XD_REQUEST, "acme", 3000, plain);
    rest(&scene);
    assert_int_equal(act(&scene, XD_RECORD_DECLINE, "store", 0, only_match(&scene)), XD_OK);
    rest(&scene);
    assert_null(engine_of(&scene, scene.p)->first_deal);
    assert_int_equal(slot_of(&scene, request)->open, 3000);
    xd_cluster_end(&scene.cluster);
}

static void whole_or_nothing_reaches_over_the_border(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    struct xd_order whole = {.fill = XD_FILL_ALL_NOW, .min_part = 1000};
    submit(&scene, XD_OFFER, "store", 3000, plain);
    uint64_t small = submit(&scene, XD_REQUEST, "acme", 6000, whole);
    rest(&scene);
    assert_null(slot_of(&scene, small)); /* dropped: 3000 is not all */
    assert_null(engine_of(&scene, scene.p)->first_deal);
    submit(&scene, XD_OFFER, "other", 3000, plain);
    uint64_t both = submit(&scene, XD_REQUEST, "acme", 6000, whole);
    rest(&scene);
    assert_int_equal(slot_of(&scene, both)->confirmed, 6000);
    assert_int_equal(engine_of(&scene, scene.p)->deal_count, 2);
    xd_cluster_end(&scene.cluster);
}

static enum xd_code amend(struct scene *scene, uint64_t id, enum xd_field_id field, struct xd_order to)
{
    struct xd_record record = {.type = XD_RECORD_AMEND, .account = xd_str_of("store"), .order_id = id};
    record.amendment.to = to;
    record.amendment.to.given = UINT64_C(1) << field;
    xd_cluster_apply(&scene->cluster, xd_id_partition(id), &record);
    return scene->cluster.outcome;
}

static enum xd_code amend_m2(struct scene *scene, uint64_t id, int64_t m2)
{
    return amend(scene, id, XD_F_M2, (struct xd_order){.amount[XD_M2] = m2});
}

static void an_order_with_an_open_claim_is_not_amended(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, plain);
    submit(&scene, XD_REQUEST, "acme", 3000, plain);
    pass(&scene, scene.p, scene.q);
    assert_int_equal(amend_m2(&scene, offer, 4000), XD_CLAIMED);
    rest(&scene);
    assert_int_equal(amend_m2(&scene, offer, 4000), XD_OK);
    rest(&scene);
    xd_cluster_end(&scene.cluster);
}

/* As one whose matches are all at home; what their other orders need is not known. */
static void an_amendment_takes_nothing_from_matches_elsewhere(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.features = 6});
    submit(&scene, XD_REQUEST, "acme", 3000, (struct xd_order){.from_day = DAY + 7, .min_part = 100});
    rest(&scene);
    uint64_t match = only_match(&scene);
    assert_int_equal(amend_m2(&scene, offer, 2999), XD_HELD);
    assert_int_equal(amend_m2(&scene, offer, 3000), XD_OK);
    assert_int_equal(amend(&scene, offer, XD_F_FROM_DAY, (struct xd_order){.from_day = DAY + 8}), XD_HELD);
    assert_int_equal(amend(&scene, offer, XD_F_FROM_DAY, (struct xd_order){.from_day = DAY + 7}), XD_OK);
    assert_int_equal(amend(&scene, offer, XD_F_UNTIL_DAY, (struct xd_order){.until_day = DAY + 9}), XD_HELD);
    assert_int_equal(amend(&scene, offer, XD_F_FEATURES, (struct xd_order){.features = 2}), XD_HELD);
    assert_int_equal(amend(&scene, offer, XD_F_FEATURES, (struct xd_order){.features = 14}), XD_OK);
    assert_int_equal(amend(&scene, offer, XD_F_BASE, (struct xd_order){.base = 500}), XD_OK);
    rest(&scene);
    assert_int_equal(xd_slot_free(slot_of(&scene, offer), XD_M2, DAY + 7, DAY + 10), 0);
    assert_int_equal(act(&scene, XD_RECORD_CANCEL_MATCH, "store", 0, match), XD_OK);
    rest(&scene);
    assert_int_equal(xd_slot_free(slot_of(&scene, offer), XD_M2, DAY + 7, DAY + 10), 3000);
    xd_cluster_end(&scene.cluster);
}

/* No reply comes: the deadline closes the gathering. */
static void a_gathering_ends_without_replies(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, plain);
    submit(&scene, XD_REQUEST, "acme", 3000, (struct xd_order){.fill = XD_FILL_NOW});
    pass(&scene, scene.p, scene.q);
    scene.cluster.now_us += 2 * US;
    struct xd_record tick = {.type = XD_RECORD_TICK};
    xd_cluster_apply(&scene.cluster, scene.p, &tick);
    assert_null(engine_of(&scene, scene.p)->first_order ? engine_of(&scene, scene.p)->first_deal : NULL);
    rest(&scene); /* the late claim is answered no */
    assert_int_equal(xd_slot_free(slot_of(&scene, offer), XD_M2, DAY + 5, DAY + 10), 5000);
    xd_cluster_end(&scene.cluster);
}

/* A store that lets no less than 5000 go does not fit what the first declined proposal gave back, but what
 * both did. */
static void what_grows_while_it_gathers_is_asked_for_again(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    submit(&scene, XD_OFFER, "store", 3000, (struct xd_order){.confirm = XD_CONFIRM_MANUAL});
    submit(&scene, XD_OFFER, "other", 3000, (struct xd_order){.confirm = XD_CONFIRM_MANUAL});
    uint64_t request = submit(&scene, XD_REQUEST, "acme", 6000, (struct xd_order){.min_part = 1000});
    rest(&scene);
    submit(&scene, XD_OFFER, "third", 5000, (struct xd_order){.min_part = 5000});
    rest(&scene);
    const struct xd_deal *first = engine_of(&scene, scene.p)->first_deal;
    uint64_t one = first->id, another = first->after->id;
    assert_int_equal(act(&scene, XD_RECORD_DECLINE, "acme", 0, one), XD_OK);
    assert_int_equal(act(&scene, XD_RECORD_DECLINE, "acme", 0, another), XD_OK);
    rest(&scene);
    only_match(&scene);
    assert_int_equal(slot_of(&scene, request)->confirmed, 5000);
    assert_int_equal(slot_of(&scene, request)->open, 1000);
    xd_cluster_end(&scene.cluster);
}

/* The claim was sent before P began anew: it counts for nothing, and is made again. */
static void a_message_of_a_session_that_is_over_is_dropped(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    submit(&scene, XD_OFFER, "store", 5000, plain);
    submit(&scene, XD_REQUEST, "acme", 3000, plain);
    pass(&scene, scene.p, scene.q);
    xd_cluster_apply(&scene.cluster, scene.p,
                     &(struct xd_record){.type = XD_RECORD_GENERATION, .generation = 2});
    assert_int_equal(pass(&scene, scene.q, scene.p), 1);
    struct xd_engine_peer peer;
    assert_true(xd_engine_peer(engine_of(&scene, scene.p), (uint16_t)scene.q, &peer));
    assert_int_equal(peer.own_gen, 2);
    assert_int_equal(peer.seen, 0);
    rest(&scene);
    assert_true(xd_id_number(only_match(&scene)) > UINT64_C(2) << 36);
    xd_cluster_end(&scene.cluster);
}

/* Q has lost what it was told of a match that is completed. It is not taken for one that P has lost: what is
 * completed keeps its place. */
static void an_end_that_was_lost_is_told_again(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    uint64_t offer = submit(&scene, XD_OFFER, "store", 5000, plain);
    submit(&scene, XD_REQUEST, "acme", 3000, plain);
    rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.q);
    scene.cluster.now_us = (DAY + 6) * XD_DAY_S * US;
    assert_int_equal(act(&scene, XD_RECORD_COMPLETE, "acme", 0, only_match(&scene)), XD_OK);
    rest(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.q, &kept);
    rest(&scene);
    assert_int_equal(xd_slot_free(slot_of(&scene, offer), XD_M2, DAY + 8, DAY + 10), 2000);
    xd_cluster_end(&scene.cluster);
}

/* P has lost a match, and so has more open than Q had known: another of Q's orders gets it. */
static void what_a_loss_gave_back_is_matched(void **state)
{
    (void)state;
    struct scene scene;
    begin(&scene);
    submit(&scene, XD_REQUEST, "acme", 6000, (struct xd_order){.min_part = 1000});
    rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.p);
    uint64_t first = submit(&scene, XD_OFFER, "store", 3000, plain);
    rest(&scene);
    submit(&scene, XD_OFFER, "other", 5000, (struct xd_order){.min_part = 5000});
    assert_int_equal(act(&scene, XD_RECORD_CANCEL, "store", first, 0), XD_OK);
    rest(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.p, &kept);
    rest(&scene);
    only_match(&scene);
    xd_cluster_end(&scene.cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_match_is_made_at_the_home_of_the_extent),
        cmocka_unit_test(a_cancelled_claim_waits_for_its_answer),
        cmocka_unit_test(a_proposal_is_withdrawn_with_the_order_elsewhere),
        cmocka_unit_test(a_withdrawal_meets_the_confirmation),
        cmocka_unit_test(a_ghost_that_is_behind_is_told_with_the_answer),
        cmocka_unit_test(a_lapse_waits_for_the_answer),
        cmocka_unit_test(a_pair_that_was_refused_is_not_claimed_again),
        cmocka_unit_test(a_declined_pair_is_not_claimed_again),
        cmocka_unit_test(whole_or_nothing_reaches_over_the_border),
        cmocka_unit_test(an_order_with_an_open_claim_is_not_amended),
        cmocka_unit_test(an_amendment_takes_nothing_from_matches_elsewhere),
        cmocka_unit_test(a_gathering_ends_without_replies),
        cmocka_unit_test(what_grows_while_it_gathers_is_asked_for_again),
        cmocka_unit_test(a_message_of_a_session_that_is_over_is_dropped),
        cmocka_unit_test(an_end_that_was_lost_is_told_again),
        cmocka_unit_test(what_a_loss_gave_back_is_matched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

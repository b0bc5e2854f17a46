/* Scenes of losses: one of two partitions goes back to what it was, and the other knows better. */
#include "core/id.h"
#include "core/when.h"
#include "tests/border/scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The claim was sent before P began anew: it counts for nothing, and is made again. */
static void a_message_of_a_session_that_is_over_is_dropped(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene_submit(&scene, XD_OFFER, "store", 5000, plain);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_pass(&scene, scene.p, scene.q);
    xd_cluster_apply(&scene.cluster, scene.p,
                     &(struct xd_record){.type = XD_RECORD_GENERATION, .generation = 2});
    assert_int_equal(scene_pass(&scene, scene.q, scene.p), 1);
    struct xd_engine_peer peer;
    assert_true(xd_engine_peer(scene_engine_of(&scene, scene.p), (uint16_t)scene.q, &peer));
    assert_int_equal(peer.own_gen, 2);
    assert_int_equal(peer.seen, 0);
    scene_rest(&scene);
    assert_true(xd_id_number(scene_only_match(&scene)) > UINT64_C(2) << 36);
    scene_end(&scene);
}

/* Q has lost what it was told of a match that is completed. It is not taken for one that P has lost: what is
 * completed keeps its place. */
static void an_end_that_was_lost_is_told_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, plain);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.q);
    scene.cluster.now_us = (DAY + 6) * XD_DAY_S * US;
    assert_int_equal(scene_act(&scene, XD_RECORD_COMPLETE, "acme", 0, scene_only_match(&scene)), XD_OK);
    scene_rest(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.q, &kept);
    scene_rest(&scene);
    assert_int_equal(xd_slot_free(scene_slot_of(&scene, offer), XD_M2, DAY + 8, DAY + 10), 2000);
    scene_end(&scene);
}

/* P has lost a match, and so has more open than Q had known: another of Q's orders gets it. */
static void what_a_loss_gave_back_is_matched(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene_submit(&scene, XD_REQUEST, "acme", 6000, (struct xd_order){.min_part = 1000});
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.p);
    uint64_t first = scene_submit(&scene, XD_OFFER, "store", 3000, plain);
    scene_rest(&scene);
    scene_submit(&scene, XD_OFFER, "other", 5000, (struct xd_order){.min_part = 5000});
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL, "store", first, 0), XD_OK);
    scene_rest(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.p, &kept);
    scene_rest(&scene);
    scene_only_match(&scene);
    scene_end(&scene);
}

static const struct xd_order tomorrow = {.from_day = DAY + 1};

static int64_t free_of(const struct scene *scene, uint64_t offer)
{
    return xd_slot_free(scene_slot_of(scene, offer), XD_M2, DAY + 5, DAY + 10);
}

/* A partition hears all that another has told, and is loaded from its snapshot after each message. */
static void pass_and_restore(struct scene *scene, unsigned from, unsigned to)
{
    while (xd_cluster_deliver(&scene->cluster, from, to % scene->cluster.layout.count, false)) {
        xd_cluster_restore(&scene->cluster, to);
    }
}

/* Matched over the border, and over. */
static void complete_only_match(struct scene *scene)
{
    scene_rest(scene);
    scene->cluster.now_us = (DAY + 1) * XD_DAY_S * US;
    assert_int_equal(scene_act(scene, XD_RECORD_COMPLETE, "acme", 0, scene_only_match(scene)), XD_OK);
    scene_rest(scene);
}

/* Q has lost all of a match that is over, and an order of its own would fit what that has used. */
static void what_the_offers_home_has_lost_is_not_given_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, tomorrow);
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.q);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, tomorrow);
    complete_only_match(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.q, &kept);
    struct xd_order near = {.at = east, .min_part = 1000};
    scene_submit(&scene, XD_REQUEST, "near", 4000, near);
    assert_null(scene_engine_of(&scene, scene.q)->first_deal); /* not before P has told what it knows */
    scene_pass(&scene, scene.q, scene.p);
    pass_and_restore(&scene, scene.p, scene.q);
    scene_rest(&scene);
    const struct xd_deal *deal = scene_engine_of(&scene, scene.q)->first_deal;
    assert_non_null(deal);
    assert_int_equal(deal->part, 2000);
    assert_int_equal(free_of(&scene, offer), 0);
    scene_end(&scene);
}

/* The offer was lost too. Its owner sends it again, under the id that its ref has. */
static void an_order_that_comes_again_is_met_by_what_it_had_given(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.q);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, tomorrow);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, tomorrow);
    complete_only_match(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.q, &kept);
    scene_rest(&scene);
    xd_cluster_restore(&scene.cluster, scene.q);
    scene.cluster.members[scene.q].next_order = xd_id_number(offer);
    assert_int_equal(scene_submit(&scene, XD_OFFER, "store", 5000, tomorrow), offer);
    assert_int_equal(free_of(&scene, offer), 2000);
    scene_rest(&scene);
    scene_end(&scene);
}

/* Matched over the border, and cancelled by the one who asked: that part of the request is closed. */
static void cancel_only_match(struct scene *scene)
{
    scene_rest(scene);
    assert_int_equal(scene_act(scene, XD_RECORD_CANCEL_MATCH, "acme", 0, scene_only_match(scene)), XD_OK);
    scene_rest(scene);
}

/* The offer is gone, so its home withdraws the match. It is completed before that is heard. */
static void what_ends_before_it_is_withdrawn_counts(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.q);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, tomorrow);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, tomorrow);
    scene_rest(&scene);
    scene.cluster.now_us = (DAY + 1) * XD_DAY_S * US;
    xd_cluster_roll_back(&scene.cluster, scene.q, &kept);
    scene_pass(&scene, scene.q, scene.p);
    pass_and_restore(&scene, scene.p, scene.q);
    assert_int_equal(scene_act(&scene, XD_RECORD_COMPLETE, "acme", 0, scene_only_match(&scene)), XD_OK);
    scene_rest(&scene);
    scene.cluster.members[scene.q].next_order = xd_id_number(offer);
    assert_int_equal(scene_submit(&scene, XD_OFFER, "store", 5000, tomorrow), offer);
    assert_int_equal(free_of(&scene, offer), 2000);
    scene_rest(&scene);
    scene_end(&scene);
}

/* P has lost all of a match that is over: another of Q's offers would serve its request once more. */
static void what_the_requests_home_has_lost_is_not_served_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.p);
    scene_submit(&scene, XD_OFFER, "store", 3000, plain);
    cancel_only_match(&scene);
    uint64_t other = scene_submit(&scene, XD_OFFER, "other", 3000, plain);
    scene_rest(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.p, &kept);
    scene_submit(&scene, XD_OFFER, "third", 3000, (struct xd_order){.at = west});
    assert_null(scene_engine_of(&scene, scene.p)->first_deal);
    scene_pass(&scene, scene.p, scene.q);
    pass_and_restore(&scene, scene.q, scene.p);
    scene_rest(&scene);
    assert_null(scene_engine_of(&scene, scene.p)->first_deal);
    assert_null(scene_slot_of(&scene, request));
    assert_int_equal(free_of(&scene, other), 3000);
    scene_end(&scene);
}

/* P has lost that an earlier match was cancelled by the store: what that gave back was used in the later one.
 * The earlier one lives again where its end was lost, but not for long. */
static void what_was_over_before_is_undone(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene_submit(&scene, XD_OFFER, "here", 3000, (struct xd_order){.at = west});
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.p);
    uint64_t match = scene_only_match(&scene);
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL_MATCH, "here", 0, match), XD_OK);
    scene_submit(&scene, XD_OFFER, "store", 3000, plain);
    cancel_only_match(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.p, &kept);
    assert_int_equal(scene_only_match(&scene), match);
    scene_rest(&scene);
    assert_null(scene_engine_of(&scene, scene.p)->first_deal);
    assert_null(scene_slot_of(&scene, request));
    scene_end(&scene);
}

/* The same of an offer's days. */
static void what_had_the_days_before_is_undone(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, tomorrow);
    scene_submit(&scene, XD_REQUEST, "near", 4000, (struct xd_order){.at = east});
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.q);
    uint64_t match = scene_engine_of(&scene, scene.q)->first_deal->id;
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL_MATCH, "store", 0, match), XD_OK);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, tomorrow);
    complete_only_match(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.q, &kept);
    assert_non_null(scene_engine_of(&scene, scene.q)->first_deal);
    scene_rest(&scene);
    assert_null(scene_engine_of(&scene, scene.q)->first_deal);
    assert_int_equal(free_of(&scene, offer), 2000);
    scene_end(&scene);
}

/* P has lost the end alone. */
static void an_end_is_told_by_the_other_side(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 3000, tomorrow);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, tomorrow);
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.p);
    complete_only_match(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.p, &kept);
    scene_only_match(&scene);
    scene_rest(&scene);
    assert_null(scene_engine_of(&scene, scene.p)->first_deal);
    assert_null(scene_slot_of(&scene, request));
    assert_int_equal(free_of(&scene, offer), 2000);
    scene_end(&scene);
}

/* Each side lists what it knows at every loss: what has been made up for is not taken once more. */
static void a_second_loss_takes_nothing_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, tomorrow);
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.q);
    scene_submit(&scene, XD_REQUEST, "acme", 2000, tomorrow);
    complete_only_match(&scene);
    xd_cluster_roll_back(&scene.cluster, scene.q, &kept);
    scene_rest(&scene);
    assert_int_equal(free_of(&scene, offer), 3000);
    for (unsigned i = 0; i < 3; i++) {
        unsigned partition = i == 1 ? scene.p : scene.q;
        struct xd_buf present = xd_cluster_save(&scene.cluster, partition);
        xd_cluster_roll_back(&scene.cluster, partition, &present);
        scene_rest(&scene);
        assert_int_equal(free_of(&scene, offer), 3000);
    }
    scene_end(&scene);
}

static void nothing_is_matched_until_all_have_told(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    uint64_t cancelled = scene_submit(&scene, XD_REQUEST, "acme", 1000, plain);
    scene_rest(&scene);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, scene.p);
    xd_cluster_roll_back(&scene.cluster, scene.p, &kept);
    scene_submit(&scene, XD_OFFER, "here", 3000, (struct xd_order){.at = west, .min_part = 3000});
    assert_null(scene_engine_of(&scene, scene.p)->first_deal);
    assert_int_equal(scene_explain(&scene, request), XD_CLAIMED);
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL, "acme", cancelled, 0), XD_OK);
    assert_null(scene_slot_of(&scene, cancelled));
    xd_cluster_restore(&scene.cluster, scene.p);
    scene_rest(&scene);
    scene_only_match(&scene);
    scene_end(&scene);
}

/* Where it was when it carried that load is not known any more. */
static void a_truck_that_has_carried_what_is_lost_gets_no_more(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t truck = scene_submit_truck(&scene, XD_OFFER, "carrier");
    scene_rest(&scene);
    unsigned home = xd_id_partition(truck);
    struct xd_buf kept = xd_cluster_save(&scene.cluster, home);
    scene_submit_truck(&scene, XD_REQUEST, "shipper");
    scene_rest(&scene);
    uint64_t match = scene_engine_of(&scene, home)->first_deal->id;
    assert_int_equal(scene_act(&scene, XD_RECORD_ACCEPT, "carrier", 0, match), XD_OK);
    assert_int_equal(scene_act(&scene, XD_RECORD_ACCEPT, "shipper", 0, match), XD_OK);
    scene_rest(&scene);
    scene.cluster.now_us = (NOW + 2 * XD_DAY_S) * US;
    assert_int_equal(scene_act(&scene, XD_RECORD_COMPLETE, "shipper", 0, match), XD_OK);
    scene_rest(&scene);
    xd_cluster_roll_back(&scene.cluster, home, &kept);
    scene_rest(&scene);
    assert_null(scene_slot_of(&scene, truck));
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_of_a_session_that_is_over_is_dropped),
        cmocka_unit_test(an_end_that_was_lost_is_told_again),
        cmocka_unit_test(what_a_loss_gave_back_is_matched),
        cmocka_unit_test(what_the_offers_home_has_lost_is_not_given_again),
        cmocka_unit_test(an_order_that_comes_again_is_met_by_what_it_had_given),
        cmocka_unit_test(what_ends_before_it_is_withdrawn_counts),
        cmocka_unit_test(what_the_requests_home_has_lost_is_not_served_again),
        cmocka_unit_test(what_was_over_before_is_undone),
        cmocka_unit_test(what_had_the_days_before_is_undone),
        cmocka_unit_test(an_end_is_told_by_the_other_side),
        cmocka_unit_test(a_second_loss_takes_nothing_again),
        cmocka_unit_test(nothing_is_matched_until_all_have_told),
        cmocka_unit_test(a_truck_that_has_carried_what_is_lost_gets_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

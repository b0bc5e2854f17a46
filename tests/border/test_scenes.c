/* Single scenes over one border: what waits for an answer, what is asked for at home, what is never asked for
 * twice. */
#include "core/id.h"
#include "core/when.h"
#include "tests/border/scene.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_match_is_made_at_the_home_of_the_extent(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, plain);
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    assert_int_equal(scene_slot_of(&scene, request)->open, 3000); /* it gathers */
    assert_int_equal(scene_explain(&scene, request), XD_CLAIMED);
    scene_rest(&scene);
    assert_int_equal(scene_explain(&scene, request), XD_WRONG_STATE); /* filled */
    const struct xd_deal *deal =
        xd_table_get(&scene_engine_of(&scene, scene.p)->deals, scene_only_match(&scene));
    assert_int_equal(deal->state, XD_MATCH_CONFIRMED);
    assert_int_equal(deal->order[XD_OFFER]->id, offer);
    assert_int_equal(xd_slot_free(scene_slot_of(&scene, offer), XD_M2, DAY + 5, DAY + 10), 2000);
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL_MATCH, "store", 0, deal->id), XD_OK);
    scene_rest(&scene);
    assert_int_equal(xd_slot_free(scene_slot_of(&scene, offer), XD_M2, DAY + 5, DAY + 10), 5000);
    assert_int_equal(scene_slot_of(&scene, request)->open,
                     3000); /* open again, and not paired with that one */
    scene_end(&scene);
}

static void a_cancelled_claim_waits_for_its_answer(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, plain);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_pass(&scene, scene.p, scene.q); /* asked, claimed */
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL, "store", offer, 0), XD_OK);
    assert_int_equal(scene_slot_of(&scene, offer)->ended, XD_LIVE);
    struct xd_record tick = {.type = XD_RECORD_TICK};
    xd_cluster_apply(&scene.cluster, scene.q, &tick);
    scene_rest(&scene);
    scene_only_match(&scene); /* it was confirmed, and stands */
    assert_int_equal(scene_slot_of(&scene, offer)->ended, XD_ENDED_CANCELLED);
    scene_submit(&scene, XD_REQUEST, "acme", 1000, plain);
    scene_rest(&scene);
    scene_only_match(&scene);
    scene_end(&scene);
}

static void a_proposal_is_withdrawn_with_the_order_elsewhere(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer =
        scene_submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.confirm = XD_CONFIRM_MANUAL});
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_rest(&scene);
    scene_only_match(&scene);
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL, "store", offer, 0), XD_OK);
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL, "store", offer, 0), XD_WRONG_STATE);
    scene_rest(&scene);
    assert_null(scene_engine_of(&scene, scene.p)->first_deal);
    assert_null(scene_slot_of(&scene, offer));
    assert_int_equal(scene_slot_of(&scene, request)->open, 3000);
    scene_end(&scene);
}

/* The order stays cancelled, and was never filled; the match stands. */
static void a_withdrawal_meets_the_confirmation(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t request = scene_submit_truck(&scene, XD_REQUEST, "acme");
    uint64_t offer = scene_submit_truck(&scene, XD_OFFER, "fleet");
    scene_rest(&scene);
    unsigned home = xd_id_partition(offer), elsewhere = xd_id_partition(request);
    const struct xd_deal *deal = scene_engine_of(&scene, home)->first_deal;
    assert_non_null(deal);
    assert_int_equal(scene_act(&scene, XD_RECORD_ACCEPT, "acme", 0, deal->id), XD_OK);
    assert_int_equal(scene_act(&scene, XD_RECORD_ACCEPT, "fleet", 0, deal->id), XD_OK);
    assert_int_equal(deal->state, XD_MATCH_CONFIRMED);
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL, "acme", request, 0), XD_OK);
    assert_int_equal(xd_slot_state(scene_slot_of(&scene, request)), XD_ORDER_CANCELLED);
    scene_pass(&scene, home, elsewhere); /* the events of the confirmation are checked here */
    scene_rest(&scene);
    assert_int_equal(deal->state, XD_MATCH_CONFIRMED);
    assert_int_equal(xd_slot_state(scene_slot_of(&scene, request)), XD_ORDER_CANCELLED);
    scene_end(&scene);
}

/* What its home took of it is not told to the other; a claim for more than is left is answered with it. */
static void a_ghost_that_is_behind_is_told_with_the_answer(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 3000, (struct xd_order){.min_part = 500});
    scene_rest(&scene);
    const struct xd_ghost *ghost = xd_table_get(&scene_engine_of(&scene, scene.q)->border->ghosts, request);
    scene_submit(&scene, XD_OFFER, "depot", 1000, (struct xd_order){.at = west});
    assert_int_equal(scene_pass(&scene, scene.p, scene.q), 0);
    scene_rest(&scene);
    assert_int_equal(scene_slot_of(&scene, request)->open, 2000);
    assert_int_equal(ghost->slot->open, 3000);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, plain);
    scene_rest(&scene);
    assert_int_equal(scene_slot_of(&scene, request)->open, 0);
    assert_int_equal(xd_slot_free(scene_slot_of(&scene, offer), XD_M2, DAY + 5, DAY + 10), 3000);
    scene_end(&scene);
}

static void a_lapse_waits_for_the_answer(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer =
        scene_submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.valid_until = NOW + 60});
    scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_pass(&scene, scene.p, scene.q);
    scene_pass(&scene, scene.q, scene.p); /* matched; the answer is under way */
    scene.cluster.now_us = (NOW + 61) * (int64_t)US;
    struct xd_record tick = {.type = XD_RECORD_TICK};
    xd_cluster_apply(&scene.cluster, scene.q, &tick);
    assert_int_equal(scene_slot_of(&scene, offer)->ended, XD_LIVE);
    scene_rest(&scene);
    scene_only_match(&scene);
    assert_int_equal(scene_slot_of(&scene, offer)->ended, XD_ENDED_EXPIRED);
    scene_end(&scene);
}

/* The clock of P is ahead: for it the offer has lapsed. Its no must not make Q claim again and again. */
static void a_pair_that_was_refused_is_not_claimed_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene_submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.valid_until = NOW + 60});
    scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_pass(&scene, scene.p, scene.q);
    scene.cluster.now_us = (NOW + 61) * (int64_t)US;
    scene_pass(&scene, scene.q, scene.p);
    scene.cluster.now_us = NOW * (int64_t)US;
    assert_int_equal(scene_pass(&scene, scene.p, scene.q), 1); /* the no */
    assert_int_equal(scene_pass(&scene, scene.q, scene.p), 0);
    const struct xd_table *ghosts = &scene_engine_of(&scene, scene.q)->border->ghosts;
    assert_int_equal(ghosts->count, 1);
    scene_end(&scene);
}

static void a_declined_pair_is_not_claimed_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene_submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.confirm = XD_CONFIRM_MANUAL});
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_rest(&scene);
    assert_int_equal(scene_act(&scene, XD_RECORD_DECLINE, "store", 0, scene_only_match(&scene)), XD_OK);
    scene_rest(&scene);
    assert_null(scene_engine_of(&scene, scene.p)->first_deal);
    assert_int_equal(scene_slot_of(&scene, request)->open, 3000);
    scene_end(&scene);
}

static void whole_or_nothing_reaches_over_the_border(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    struct xd_order whole = {.fill = XD_FILL_ALL_NOW, .min_part = 1000};
    scene_submit(&scene, XD_OFFER, "store", 3000, plain);
    uint64_t small = scene_submit(&scene, XD_REQUEST, "acme", 6000, whole);
    scene_rest(&scene);
    assert_null(scene_slot_of(&scene, small)); /* dropped: 3000 is not all */
    assert_null(scene_engine_of(&scene, scene.p)->first_deal);
    scene_submit(&scene, XD_OFFER, "other", 3000, plain);
    uint64_t both = scene_submit(&scene, XD_REQUEST, "acme", 6000, whole);
    scene_rest(&scene);
    assert_int_equal(scene_slot_of(&scene, both)->confirmed, 6000);
    assert_int_equal(scene_engine_of(&scene, scene.p)->deal_count, 2);
    scene_end(&scene);
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
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, plain);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, plain);
    scene_pass(&scene, scene.p, scene.q);
    assert_int_equal(amend_m2(&scene, offer, 4000), XD_CLAIMED);
    scene_rest(&scene);
    assert_int_equal(amend_m2(&scene, offer, 4000), XD_OK);
    scene_rest(&scene);
    scene_end(&scene);
}

/* As one whose matches are all at home; what their other orders need is not known. */
static void an_amendment_takes_nothing_from_matches_elsewhere(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, (struct xd_order){.features = 6});
    scene_submit(&scene, XD_REQUEST, "acme", 3000, (struct xd_order){.from_day = DAY + 7, .min_part = 100});
    scene_rest(&scene);
    uint64_t match = scene_only_match(&scene);
    assert_int_equal(amend_m2(&scene, offer, 2999), XD_HELD);
    assert_int_equal(amend_m2(&scene, offer, 3000), XD_OK);
    assert_int_equal(amend(&scene, offer, XD_F_FROM_DAY, (struct xd_order){.from_day = DAY + 8}), XD_HELD);
    assert_int_equal(amend(&scene, offer, XD_F_FROM_DAY, (struct xd_order){.from_day = DAY + 7}), XD_OK);
    assert_int_equal(amend(&scene, offer, XD_F_UNTIL_DAY, (struct xd_order){.until_day = DAY + 9}), XD_HELD);
    assert_int_equal(amend(&scene, offer, XD_F_FEATURES, (struct xd_order){.features = 2}), XD_HELD);
    assert_int_equal(amend(&scene, offer, XD_F_FEATURES, (struct xd_order){.features = 14}), XD_OK);
    assert_int_equal(amend(&scene, offer, XD_F_BASE, (struct xd_order){.base = 500}), XD_OK);
    scene_rest(&scene);
    assert_int_equal(xd_slot_free(scene_slot_of(&scene, offer), XD_M2, DAY + 7, DAY + 10), 0);
    assert_int_equal(scene_act(&scene, XD_RECORD_CANCEL_MATCH, "store", 0, match), XD_OK);
    scene_rest(&scene);
    assert_int_equal(xd_slot_free(scene_slot_of(&scene, offer), XD_M2, DAY + 7, DAY + 10), 3000);
    scene_end(&scene);
}

/* No reply comes: the deadline closes the gathering. */
static void a_gathering_ends_without_replies(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    uint64_t offer = scene_submit(&scene, XD_OFFER, "store", 5000, plain);
    scene_submit(&scene, XD_REQUEST, "acme", 3000, (struct xd_order){.fill = XD_FILL_NOW});
    scene_pass(&scene, scene.p, scene.q);
    scene.cluster.now_us += 2 * US;
    struct xd_record tick = {.type = XD_RECORD_TICK};
    xd_cluster_apply(&scene.cluster, scene.p, &tick);
    assert_null(scene_engine_of(&scene, scene.p)->first_order ? scene_engine_of(&scene, scene.p)->first_deal
                                                              : NULL);
    scene_rest(&scene); /* the late claim is answered no */
    assert_int_equal(xd_slot_free(scene_slot_of(&scene, offer), XD_M2, DAY + 5, DAY + 10), 5000);
    scene_end(&scene);
}

/* A store that lets no less than 5000 go does not fit what the first declined proposal gave back, but what
 * both did. */
static void what_grows_while_it_gathers_is_asked_for_again(void **state)
{
    (void)state;
    struct scene scene;
    scene_begin(&scene);
    scene_submit(&scene, XD_OFFER, "store", 3000, (struct xd_order){.confirm = XD_CONFIRM_MANUAL});
    scene_submit(&scene, XD_OFFER, "other", 3000, (struct xd_order){.confirm = XD_CONFIRM_MANUAL});
    uint64_t request = scene_submit(&scene, XD_REQUEST, "acme", 6000, (struct xd_order){.min_part = 1000});
    scene_rest(&scene);
    scene_submit(&scene, XD_OFFER, "third", 5000, (struct xd_order){.min_part = 5000});
    scene_rest(&scene);
    const struct xd_deal *first = scene_engine_of(&scene, scene.p)->first_deal;
    uint64_t one = first->id, another = first->after->id;
    assert_int_equal(scene_act(&scene, XD_RECORD_DECLINE, "acme", 0, one), XD_OK);
    assert_int_equal(scene_act(&scene, XD_RECORD_DECLINE, "acme", 0, another), XD_OK);
    scene_rest(&scene);
    scene_only_match(&scene);
    assert_int_equal(scene_slot_of(&scene, request)->confirmed, 5000);
    assert_int_equal(scene_slot_of(&scene, request)->open, 1000);
    scene_end(&scene);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

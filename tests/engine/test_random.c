/* Random play: an engine restored from a snapshot at any point goes on exactly as one that never stopped; invariants of
 * amounts and plans hold after every record. */
#include "engine/state.h"
#include "tests/engine/market.h"
#include "tests/engine/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t scale(void)
{
    const char *text = getenv("XD_TEST_SCALE");
    return text ? strtoull(text, NULL, 10) : 1;
}

static void check_plan(const struct xd_slot *offer, int64_t now)
{
    const struct xd_plan *plan = &offer->truck_offer.plan;
    const struct xd_truck *truck = &offer->truck_offer.truck;
    int64_t aboard[XD_DIMS] = {0};
    int64_t free = plan->free;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && stop->delivery && stop->load->picked_up; d++) {
            aboard[d] += stop->load->amount[d];
        }
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        assert_true(stop->depart >= free);
        assert_int_equal(stop->start, stop->depart + xd_drive_s(stop->leg_m, truck->speed));
        free = stop->end;
        /* What was on board on the way to a stop that is served may be more than the offer states by now. */
        for (unsigned d = 0; d < XD_DIMS && stop->end > now; d++) {
            if (truck->dims >> d & 1) assert_true(aboard[d] <= truck->capacity[d]);
        }
        for (unsigned d = 0; d < XD_DIMS && !stop->load->off; d++) {
            aboard[d] += stop->delivery ? -stop->load->amount[d] : stop->load->amount[d];
            assert_true(aboard[d] >= 0);
        }
    }
}

static void check_calendar(const struct xd_slot *offer)
{
    const struct xd_calendar *calendar = offer->storage_offer.calendar;
    for (uint32_t i = 0; calendar && i < calendar->count; i++) {
        for (unsigned d = 0; d < XD_DIMS; d++) {
            if (!(offer->dims >> d & 1)) continue;
            int64_t free = xd_calendar_step_free(calendar, i, (enum xd_dim)d);
            assert_true(free >= 0 && free <= xd_slot_amount(offer, (enum xd_dim)d));
        }
    }
}

static int64_t proposed(const struct xd_slot *request)
{
    int64_t sum = 0;
    for (const struct xd_deal *deal = request->first_deal; deal; deal = xd_deal_next(deal, request)) {
        if (deal->state == XD_MATCH_PROPOSED) sum += deal->part;
    }
    return sum;
}

static void check_order(const struct xd_slot *slot, int64_t now)
{
    if (slot->side == XD_REQUEST) {
        assert_true(slot->open >= 0 && slot->confirmed >= 0);
        assert_true(slot->open + proposed(slot) + slot->confirmed <= slot->whole);
    } else if (slot->kind == XD_TRUCK) {
        check_plan(slot, now);
    } else {
        check_calendar(slot);
    }
    assert_true(slot->first_deal || slot->open || (slot->side == XD_OFFER && slot->ended == XD_LIVE));
}

static void check_invariants(const struct xd_engine *engine)
{
    for (xd_link at = engine->first_order; at; at = xd_slot_at(engine, at)->everybody.after) {
        check_order(xd_slot_at(engine, at), engine->now);
    }
}

static uint64_t play_world(uint64_t seed, unsigned commands, bool restoring, uint64_t *hash)
{
    struct xd_world world = {.seed = seed, .next_order = 1, .now = 1893456000, .crowded = seed % 4 == 3};
    struct xd_world cuts = {.seed = ~seed};
    struct xd_play play;
    xd_play_begin(&play, world.now);
    for (unsigned i = 0; i < commands; i++) {
        struct xd_record record;
        xd_world_record(&world, &record);
        xd_world_aim(&world, play.engine, &record);
        play.now = world.now;
        xd_play_apply(&play, &record);
        world.next_match = play.engine->next_match;
        if (i % 16 == 0) check_invariants(play.engine);
        if (restoring && xd_world_below(&cuts, 20) == 0) xd_play_restore(&play);
    }
    uint64_t digest = play.digest;
    *hash = xd_engine_state_hash(play.engine);
    xd_play_end(&play);
    return digest;
}

static void a_restored_engine_goes_on_as_one_that_never_stopped(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 24 * scale(); seed++) {
        uint64_t hash, hash_restored;
        uint64_t digest = play_world(seed, 1000, false, &hash);
        uint64_t digest_restored = play_world(seed, 1000, true, &hash_restored);
        assert_int_equal(digest, digest_restored);
        assert_int_equal(hash, hash_restored);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_restored_engine_goes_on_as_one_that_never_stopped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

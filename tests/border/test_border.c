/* Random play over borders: messages late, between any others, and more than once; engines replaced by their
 * snapshots. */
#include "core/id.h"
#include "engine/border/border.h"
#include "tests/border/cluster.h"
#include "tests/engine/market.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    US = 1000000,
    ORDERS_KEPT = 256,
    PARTED_MAX = 1024,
    AMENDED_SEED = 112 /* in it a claim is under way while the order that it is for changes its terms */
};

struct play {
    struct xd_cluster cluster;
    struct xd_world world, dice;
    uint64_t orders[ORDERS_KEPT]; /* the last submitted */
    uint64_t submitted;
    struct pair {
        uint64_t offer, request, next_match; /* the first that may be made since */
    } parted[PARTED_MAX];                    /* by a decline or cancellation */
    size_t parted_count;
};

static uint64_t scale(void)
{
    const char *text = getenv("XD_TEST_SCALE");
    return text ? strtoull(text, NULL, 10) : 1;
}

static unsigned below(struct play *play, unsigned bound)
{
    return (unsigned)xd_world_below(&play->dice, bound);
}

/* Cuts that go through the little world of market.c, whose places are 31..34 degrees north, 120..123 east. */
static void cut_layout(struct play *play, unsigned ranges, struct xd_layout *out)
{
    struct xd_place places[512];
    for (unsigned i = 0; i < 512; i++) {
        places[i] = (struct xd_place){(int32_t)(310000000 + below(play, 31) * 1000000),
                                      (int32_t)(1200000000 + below(play, 31) * 1000000)};
    }
    assert_true(xd_layout_cut(places, 512, ranges, out));
}

static void deliver_some(struct play *play, unsigned tries)
{
    struct xd_cluster *cluster = &play->cluster;
    while (tries-- && cluster->waiting) {
        unsigned from = below(play, cluster->count), range = below(play, cluster->layout.count);
        xd_cluster_deliver(cluster, from, range, below(play, 10) == 0);
    }
}

/* A live match of any partition, or 0. */
static uint64_t some_match(struct play *play)
{
    const struct xd_engine *engine = play->cluster.members[below(play, play->cluster.count)].engine;
    const struct xd_deal *deal = engine->last_deal;
    for (unsigned back = below(play, 10); deal && back; back--) {
        deal = deal->before;
    }
    return deal ? deal->id : 0;
}

/* Applies what may part a pair, and notes it. */
static void apply(struct play *play, unsigned home, const struct xd_record *record)
{
    bool parts = record->type == XD_RECORD_DECLINE || record->type == XD_RECORD_CANCEL_MATCH;
    const struct xd_engine *engine = play->cluster.members[home].engine;
    const struct xd_deal *deal = xd_table_get(&engine->deals, record->match_id);
    struct pair pair = {.next_match = xd_id((uint16_t)home, engine->next_match)};
    if (deal) pair.offer = deal->order[XD_OFFER]->id;
    if (deal) pair.request = deal->order[XD_REQUEST]->id;
    xd_cluster_apply(&play->cluster, home, record);
    if (parts && deal && play->cluster.outcome == XD_OK && play->parted_count < PARTED_MAX) {
        play->parted[play->parted_count++] = pair;
    }
}

/* Whether a pair that was parted is together again, in a match made since. */
static bool met_again(const struct play *play, const struct pair *pair)
{
    for (unsigned i = 0; i < play->cluster.count; i++) {
        for (const struct xd_deal *deal = play->cluster.members[i].engine->first_deal; deal;
             deal = deal->after) {
            const struct xd_slot *request = deal->order[XD_REQUEST];
            bool later = xd_id_partition(deal->id) == xd_id_partition(pair->next_match) &&
                         deal->id >= pair->next_match;
            if (later && request->id == pair->request && deal->order[XD_OFFER]->id == pair->offer)
                return true;
        }
    }
    return false;
}

static void check_parted(const struct play *play)
{
    for (size_t i = 0; i < play->parted_count; i++) {
        assert_false(met_again(play, &play->parted[i]));
    }
}

static void command(struct play *play, struct xd_record *record)
{
    record->match_id = some_match(play);
    record->order_id = play->orders[below(play, ORDERS_KEPT)];
    bool of_order = record->type == XD_RECORD_CANCEL || record->type == XD_RECORD_AMEND;
    uint64_t target = of_order ? record->order_id : record->match_id;
    if (record->type == XD_RECORD_CREDIT || record->type == XD_RECORD_TICK) {
        for (unsigned i = 0; i < play->cluster.count; i++) {
            xd_cluster_apply(&play->cluster, i, record);
        }
    } else if (target) {
        unsigned home = xd_id_partition(target);
        xd_world_aim(&play->dice, play->cluster.members[home].engine, record);
        apply(play, home, record);
    }
}

static void step(struct play *play)
{
    struct xd_record record;
    xd_world_record(&play->world, &record);
    int64_t now_us = play->world.now * US;
    if (now_us > play->cluster.now_us) play->cluster.now_us = now_us;
    if (record.type == XD_RECORD_ORDER) {
        play->orders[play->submitted++ % ORDERS_KEPT] = xd_cluster_submit(&play->cluster, &record);
    } else {
        command(play, &record);
    }
}

/* Lets all gatherings end and all messages arrive. */
static void come_to_rest(struct play *play)
{
    for (unsigned i = 0; i < 4; i++) {
        xd_cluster_settle(&play->cluster);
        xd_cluster_advance(&play->cluster, play->cluster.now_us + 3 * US);
    }
    xd_cluster_settle(&play->cluster);
}

/* One or two partitions lose their last records, and their last messages may or may not have gone out. What
 * is promised while they settle what they know is less; at rest the books agree. */
static void lose_writes(struct play *play)
{
    unsigned one = below(play, play->cluster.count), other = below(play, play->cluster.count);
    struct xd_buf kept = xd_cluster_save(&play->cluster, one),
                  kept_other = xd_cluster_save(&play->cluster, other);
    unsigned eagerness = 1u << below(play, 7);
    for (unsigned i = below(play, 40); i; i--) {
        step(play);
        deliver_some(play, eagerness);
    }
    xd_cluster_roll_back(&play->cluster, one, &kept);
    if (other != one && below(play, 2)) {
        deliver_some(play, below(play, 64));
        xd_cluster_roll_back(&play->cluster, other, &kept_other);
    }
    xd_buf_free(&kept_other);
    deliver_some(play, 256);
    come_to_rest(play);
    play->world.now = play->cluster.now_us / US;
    xd_cluster_check_at_rest(&play->cluster);
    play->parted_count = 0; /* what parted them may be lost */
}

static void play_world(uint64_t seed, unsigned ranges, unsigned commands, bool losing,
                       uint64_t *border_matches)
{
    static struct play play;
    play =
        (struct play){.world = {.seed = seed, .next_order = 1, .now = 1893456000, .careful = seed % 3 == 2},
                      .dice = {.seed = ~seed}};
    struct xd_layout layout;
    cut_layout(&play, ranges, &layout);
    xd_cluster_begin(&play.cluster, &layout, play.world.now);
    unsigned eagerness = 1u << below(&play, 8);
    for (unsigned i = 0; i < commands; i++) {
        step(&play);
        deliver_some(&play, eagerness);
        if (i % 16 == 0) xd_cluster_check(&play.cluster);
        if (below(&play, 20) == 0) xd_cluster_restore(&play.cluster, below(&play, play.cluster.count));
        if (below(&play, 200) == 0) {
            come_to_rest(&play);
            play.world.now = play.cluster.now_us / US;
            xd_cluster_check_at_rest(&play.cluster);
            check_parted(&play);
        }
        if (losing && below(&play, 100) == 0) lose_writes(&play);
    }
    come_to_rest(&play);
    xd_cluster_check_at_rest(&play.cluster);
    check_parted(&play);
    *border_matches += play.cluster.border_matches;
    xd_cluster_end(&play.cluster);
}

static void books_agree_whatever_the_order_of_messages(void **state)
{
    (void)state;
    uint64_t border_matches = 0;
    const char *only = getenv("XD_TEST_SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1, last = only ? first : 24 * scale();
    for (uint64_t seed = first; seed <= last; seed++) {
        play_world(seed, seed % 4 == 0 ? 16 : seed % 4 + 1, 1500, false, &border_matches);
    }
    if (!only) play_world(AMENDED_SEED, 16, 1500, false, &border_matches);
    print_message("%llu matches over borders\n", (unsigned long long)border_matches);
    assert_true(only || border_matches > 1000);
}

static void books_agree_after_writes_were_lost(void **state)
{
    (void)state;
    uint64_t border_matches = 0;
    const char *only = getenv("XD_TEST_SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1, last = only ? first : 24 * scale();
    for (uint64_t seed = first; seed <= last; seed++) {
        play_world(seed, seed % 4 == 0 ? 16 : seed % 4 + 1, 1000, true, &border_matches);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(books_agree_whatever_the_order_of_messages),
                                       cmocka_unit_test(books_agree_after_writes_were_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

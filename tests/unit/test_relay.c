/* The relay over a lossy way: what arrives is everything, in order once duplicates are dropped. */
#include "matcher/relay.h"
#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { PEERS = 3, FIRST = 4, HOME = 5, MESSAGES = 400, FLYING = 64 };

static struct {
    struct xd_relay *relay;
    uint64_t applied[PEERS], committed[PEERS]; /* sequence numbers */
    uint64_t added[PEERS];
    uint64_t number, last_added, trimmed; /* entries of the outbox */
    struct {
        uint16_t to;
        uint64_t seq;
    } flying[FLYING]; /* appends without an answer, in order */
    unsigned flying_count;
    unsigned long duplicates, sends;
    int64_t now_ms;
} world;

static void begin(void)
{
    xd_relay_destroy(world.relay);
    memset(&world, 0, sizeof world);
    world.relay = xd_relay_create(HOME, FIRST, PEERS, 1 << 20);
    assert_non_null(world.relay);
}

static void add(uint16_t to, uint64_t seq)
{
    struct xd_message message = {.to = to, .seq = seq, .from_gen = 1, .to_gen = 1};
    struct xd_str bytes = {(const char *)&seq, sizeof seq};
    assert_true(xd_relay_add(world.relay, world.number, &message, bytes));
    world.last_added = world.number;
}

static void commit_some(struct rng *rng)
{
    world.number++;
    for (int64_t n = rng_between(rng, 1, 3); n > 0; n--) {
        unsigned i = (unsigned)rng_between(rng, 0, PEERS - 1);
        if (FIRST + i != HOME) add((uint16_t)(FIRST + i), ++world.added[i]);
    }
}

/* A receiver applies what is next, and drops all else. */
static void arrive(uint16_t to, uint64_t seq)
{
    uint64_t *applied = &world.applied[to - FIRST];
    world.duplicates += seq <= *applied;
    if (seq == *applied + 1) (*applied)++;
}

static void look(uint16_t to, bool known)
{
    struct xd_heard seen = {1, 1, world.committed[to - FIRST]};
    xd_relay_seen(world.relay, to, known, seen, world.now_ms);
}

static void do_step(const struct xd_relay_step *step, struct rng *rng)
{
    if (step->type == XD_RELAY_TRIM) {
        assert_true(step->number > world.trimmed);
        world.trimmed = step->number;
    } else if (step->type == XD_RELAY_LOOK) {
        look(step->to, rng_between(rng, 0, 3) != 0);
    } else {
        assert_int_equal(step->len, sizeof(uint64_t));
        memcpy(&world.flying[world.flying_count].seq, step->bytes, step->len);
        world.flying[world.flying_count++].to = step->to;
        world.sends++;
    }
}

/* The oldest append is stored, or not, or it is stored and the answer says that it may not be. */
static void land(struct rng *rng)
{
    uint16_t to = world.flying[0].to;
    int64_t fate = rng_between(rng, 0, 9);
    if (fate != 0) arrive(to, world.flying[0].seq);
    memmove(world.flying, world.flying + 1, --world.flying_count * sizeof *world.flying);
    xd_relay_sent(world.relay, to, fate > 1, world.now_ms);
}

static void turn(struct rng *rng)
{
    struct xd_relay_step step;
    world.now_ms += 20;
    while (world.flying_count < FLYING && xd_relay_next(world.relay, world.now_ms, &step))
        do_step(&step, rng);
    while (world.flying_count > 0 && rng_between(rng, 0, 7) != 0)
        land(rng);
    for (unsigned i = 0; i < PEERS; i++)
        if (rng_between(rng, 0, 3) == 0) world.committed[i] = world.applied[i];
}

static bool all_seen(void)
{
    return xd_relay_backlog(world.relay) == 0 && world.flying_count == 0;
}

static void everything_arrives_in_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct rng rng = {seed};
        begin();
        for (unsigned i = 0; i < MESSAGES; i++) {
            if (rng_between(&rng, 0, 1) == 0) commit_some(&rng);
            turn(&rng);
        }
        for (unsigned i = 0; i < 5000 && !all_seen(); i++)
            turn(&rng);
        assert_true(all_seen());
        turn(&rng);
        assert_int_equal(world.trimmed, world.last_added);
        for (unsigned i = 0; i < PEERS; i++)
            assert_int_equal(world.applied[i], world.added[i]);
        assert_true(world.duplicates > 0);
    }
    xd_relay_destroy(world.relay);
    world.relay = NULL;
}

static void what_was_seen_before_is_not_sent(void **state)
{
    (void)state;
    struct xd_relay_step step;
    begin();
    world.committed[0] = 2;
    for (uint64_t seq = 1; seq <= 3; seq++) {
        world.number++;
        add(FIRST, seq);
    }
    assert_true(xd_relay_next(world.relay, 0, &step));
    assert_int_equal(step.type, XD_RELAY_LOOK);
    look(FIRST, true);
    assert_true(xd_relay_next(world.relay, 0, &step));
    assert_int_equal(step.type, XD_RELAY_SEND);
    assert_int_equal(step.number, 3);
    assert_true(xd_relay_next(world.relay, 0, &step));
    assert_int_equal(step.type, XD_RELAY_TRIM);
    assert_int_equal(step.number, 2);
    assert_false(xd_relay_next(world.relay, 0, &step));
    xd_relay_destroy(world.relay);
    world.relay = NULL;
}

/* Later and later: whoever has no owner is not flooded. */
static void what_is_stuck_is_sent_again(void **state)
{
    (void)state;
    struct xd_relay_step step;
    begin();
    world.number++;
    add(FIRST, 1);
    assert_true(xd_relay_next(world.relay, 0, &step));
    look(FIRST, true);
    assert_true(xd_relay_next(world.relay, 0, &step));
    assert_int_equal(step.type, XD_RELAY_SEND);
    xd_relay_sent(world.relay, FIRST, true, 0);
    unsigned sends = 0;
    for (world.now_ms = 10; world.now_ms < 40 * XD_RELAY_STUCK_MS; world.now_ms += 10)
        while (xd_relay_next(world.relay, world.now_ms, &step)) {
            if (step.type == XD_RELAY_LOOK) look(FIRST, true);
            if (step.type == XD_RELAY_SEND) sends++, xd_relay_sent(world.relay, FIRST, true, world.now_ms);
        }
    assert_in_range(sends, 4, 6);
    xd_relay_destroy(world.relay);
    world.relay = NULL;
}

/* Whoever comes to an end of it gets the rest. */
static void a_slow_receiver_is_not_flooded(void **state)
{
    (void)state;
    struct xd_relay_step step;
    unsigned sends = 0;
    begin();
    for (uint64_t seq = 1; seq <= 3 * XD_RELAY_AHEAD; seq++) {
        world.number++;
        add(FIRST, seq);
    }
    for (world.now_ms = 10; world.now_ms < XD_RELAY_STUCK_MS; world.now_ms += 10) {
        if (world.now_ms == 1000) world.committed[0] = XD_RELAY_AHEAD / 2;
        while (xd_relay_next(world.relay, world.now_ms, &step)) {
            if (step.type == XD_RELAY_LOOK) look(FIRST, true);
            if (step.type == XD_RELAY_SEND) sends++, xd_relay_sent(world.relay, FIRST, true, world.now_ms);
        }
    }
    assert_int_equal(sends, XD_RELAY_AHEAD + XD_RELAY_AHEAD / 2);
    xd_relay_destroy(world.relay);
    world.relay = NULL;
}

static void what_is_full_says_so(void **state)
{
    (void)state;
    struct xd_message message = {.to = FIRST, .seq = 1, .from_gen = 1, .to_gen = 1};
    struct xd_relay *relay = xd_relay_create(HOME, FIRST, PEERS, 4);
    assert_non_null(relay);
    assert_true(xd_relay_add(relay, 1, &message, (struct xd_str){"1234", 4}));
    message.seq = 2;
    assert_false(xd_relay_add(relay, 2, &message, (struct xd_str){"5", 1}));
    message.to = FIRST + PEERS;
    assert_false(xd_relay_add(relay, 2, &message, (struct xd_str){"", 0}));
    xd_relay_destroy(relay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_arrives_in_order), cmocka_unit_test(what_was_seen_before_is_not_sent),
        cmocka_unit_test(what_is_stuck_is_sent_again), cmocka_unit_test(a_slow_receiver_is_not_flooded),
        cmocka_unit_test(what_is_full_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

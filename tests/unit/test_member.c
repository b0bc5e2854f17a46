/* Members over a model of leases: each partition comes to its owner, whoever comes, leaves or dies. */
#include "matcher/member.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS = 4, PARTITIONS = 48, LEASE_MS = 2000, STEP_MS = 10, HEARTBEAT_MS = 500 };

static const uint64_t ids[MEMBERS] = {0x1111, 0x2222, 0x3333, 0x4444};

struct lease {
    unsigned holder; /* MEMBERS: nobody */
    int64_t until_ms;
};

static struct {
    struct xd_member members[MEMBERS];
    bool alive[MEMBERS], listed[MEMBERS];
    int64_t warm_at[MEMBERS][PARTITIONS]; /* 0: cold and not warming */
    struct lease leases[PARTITIONS];
    int64_t now_ms;
    int64_t free_ms; /* longest that a partition was without an owner */
    int64_t freed_at[PARTITIONS];
    unsigned moves, warm_moves;
} world;

static void begin(void)
{
    memset(&world, 0, sizeof world);
    for (unsigned i = 0; i < PARTITIONS; i++)
        world.leases[i].holder = MEMBERS;
}

static void join_cluster(unsigned i)
{
    xd_member_init(&world.members[i], ids[i], PARTITIONS);
    world.alive[i] = world.listed[i] = true;
}

static void heartbeat(void)
{
    uint64_t live[MEMBERS];
    uint32_t count = 0;
    for (unsigned i = 0; i < MEMBERS; i++)
        if (world.listed[i]) live[count++] = ids[i];
    for (unsigned i = 0; i < MEMBERS; i++)
        if (world.alive[i]) assert_true(xd_member_list(&world.members[i], live, count));
}

static void take(unsigned i, uint16_t partition)
{
    world.leases[partition] = (struct lease){i, world.now_ms + LEASE_MS};
    int64_t without = world.now_ms - world.freed_at[partition];
    if (world.freed_at[partition] && without > world.free_ms) world.free_ms = without;
    world.moves++;
    world.warm_moves += world.members[i].seats[partition].warm;
    xd_member_acquired(&world.members[i], partition);
}

static void do_step(unsigned i, struct xd_step step)
{
    uint16_t p = step.partition;
    switch (step.type) {
    case XD_STEP_FOLLOW:
        world.warm_at[i][p] = world.now_ms + 300;
        break;
    case XD_STEP_UNFOLLOW:
        world.warm_at[i][p] = 0;
        break;
    case XD_STEP_ACQUIRE:
    case XD_STEP_HURRY:
        if (world.leases[p].holder == MEMBERS) take(i, p);
        break;
    case XD_STEP_RELEASE:
        assert_int_equal(world.leases[p].holder, i);
        world.leases[p].holder = MEMBERS;
        world.freed_at[p] = world.now_ms;
        xd_member_released(&world.members[i], p, world.now_ms);
        for (unsigned j = 0; j < MEMBERS; j++)
            if (world.alive[j]) xd_member_freed(&world.members[j], p);
        break;
    case XD_STEP_WANT:
        for (unsigned j = 0; j < MEMBERS; j++)
            if (world.alive[j]) xd_member_wanted(&world.members[j], p, ids[i]);
        break;
    }
}

/* Leases that end, tries that end with them, followers that get warm. */
static void pass_time(unsigned i, uint16_t p)
{
    struct xd_seat *seat = &world.members[i].seats[p];
    if (seat->state == XD_SEAT_FOLLOWING && world.warm_at[i][p] && world.now_ms >= world.warm_at[i][p])
        xd_member_warm(&world.members[i], p, true);
    if (seat->state == XD_SEAT_OWNING) world.leases[p].until_ms = world.now_ms + LEASE_MS;
    if (seat->acquiring && world.leases[p].holder == MEMBERS && seat->duty == XD_DUTY_OWN) take(i, p);
    if (seat->acquiring && world.leases[p].holder != MEMBERS && world.now_ms >= world.leases[p].until_ms)
        take(i, p);
}

static void run(int64_t ms)
{
    struct xd_step step;
    for (int64_t end = world.now_ms + ms; world.now_ms < end; world.now_ms += STEP_MS) {
        if (world.now_ms % HEARTBEAT_MS == 0) heartbeat();
        for (unsigned i = 0; i < MEMBERS; i++) {
            if (!world.alive[i]) continue;
            for (uint16_t p = 0; p < PARTITIONS; p++)
                pass_time(i, p);
            while (xd_member_next(&world.members[i], world.now_ms, &step))
                do_step(i, step);
        }
    }
}

static void assert_settled(void)
{
    uint64_t live[MEMBERS], owners[PARTITIONS];
    uint32_t count = 0;
    for (unsigned i = 0; i < MEMBERS; i++)
        if (world.listed[i]) live[count++] = ids[i];
    assert_true(xd_rendezvous(live, count, PARTITIONS, owners));
    for (unsigned p = 0; p < PARTITIONS; p++) {
        assert_true(world.leases[p].holder < MEMBERS);
        assert_int_equal(ids[world.leases[p].holder], owners[p]);
        assert_int_equal(world.members[world.leases[p].holder].seats[p].state, XD_SEAT_OWNING);
    }
}

static void a_partition_comes_to_its_owner(void **state)
{
    (void)state;
    begin();
    join_cluster(0);
    run(2000);
    assert_settled();
    join_cluster(1);
    join_cluster(2);
    world.moves = world.warm_moves = 0;
    run(3000);
    assert_settled();
    /* who joins gets a partition only once it is warm */
    assert_true(world.moves > 0);
    assert_int_equal(world.moves, world.warm_moves);
    assert_true(world.free_ms <= STEP_MS);
}

static void a_member_that_leaves_hands_over_at_once(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 3; i++)
        join_cluster(i);
    run(6000);
    assert_settled();
    world.moves = world.warm_moves = 0;
    world.free_ms = 0;
    world.listed[1] = false;
    heartbeat();
    xd_member_leave(&world.members[1]);
    run(100);
    assert_true(xd_member_is_out(&world.members[1]));
    assert_true(world.moves > 0);
    assert_int_equal(world.moves, world.warm_moves);
    assert_true(world.free_ms <= 2 * STEP_MS);
    run(3000);
    assert_settled();
}

static void the_standby_takes_over_at_the_end_of_the_lease(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < MEMBERS; i++)
        join_cluster(i);
    run(8000);
    assert_settled();
    world.moves = world.warm_moves = 0;
    world.alive[2] = false; /* nobody has noticed yet: it stays in the list */
    run(LEASE_MS + 2 * STEP_MS);
    for (unsigned p = 0; p < PARTITIONS; p++)
        assert_int_not_equal(world.leases[p].holder, 2);
    assert_true(world.moves > 0);
    assert_int_equal(world.moves, world.warm_moves);
    world.listed[2] = false;
    run(3000);
    assert_settled();
}

static void a_lost_lease_is_followed_again(void **state)
{
    (void)state;
    struct xd_member *member = &world.members[0];
    begin();
    join_cluster(0);
    run(2000);
    xd_member_lost(member, 7, false, 2000);
    world.leases[7].holder = MEMBERS;
    run(1000);
    assert_settled();
}

static void only_the_right_one_is_let_have_it(void **state)
{
    (void)state;
    struct xd_member member;
    struct xd_step step;
    xd_member_init(&member, ids[0], 1);
    assert_true(xd_member_list(&member, ids, 1));
    while (xd_member_next(&member, 0, &step)) {
    }
    xd_member_acquired(&member, 0);
    xd_member_wanted(&member, 0, ids[1]); /* not by our list */
    assert_false(xd_member_next(&member, 0, &step));
    assert_true(xd_member_list(&member, &ids[1], 1)); /* we are being drained */
    assert_false(xd_member_next(&member, 0, &step));
    xd_member_wanted(&member, 0, ids[1]);
    assert_true(xd_member_next(&member, 0, &step));
    assert_int_equal(step.type, XD_STEP_RELEASE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_partition_comes_to_its_owner),
        cmocka_unit_test(a_member_that_leaves_hands_over_at_once),
        cmocka_unit_test(the_standby_takes_over_at_the_end_of_the_lease),
        cmocka_unit_test(a_lost_lease_is_followed_again),
        cmocka_unit_test(only_the_right_one_is_let_have_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

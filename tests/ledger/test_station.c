/* A member's work at one partition, over a real Redis: what it has applied is kept where nothing of it was
 * lost. */
#include "core/record.h"
#include "matcher/station.h"
#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/rig.h"

#include <stdlib.h>
#include <string.h>

enum { TICKS = 20 };

static struct {
    struct rig rig;
    struct xd_station *station;
    bool warm, owning, refused, lost;
    enum xd_code code;
} world;

static void on_warm(void *arg, uint16_t partition, bool warm)
{
    (void)arg, (void)partition;
    world.warm = warm;
}

static void on_acquired(void *arg, uint16_t partition)
{
    (void)arg, (void)partition;
}

static void on_owning(void *arg, uint16_t partition)
{
    (void)arg, (void)partition;
    world.owning = true;
}

static void on_refused(void *arg, uint16_t partition, enum xd_code code)
{
    (void)arg, (void)partition;
    world.refused = true;
    world.code = code;
}

static void on_lost(void *arg, uint16_t partition, enum xd_code code)
{
    (void)arg, (void)partition;
    world.lost = true;
    world.code = code;
}

static void set_up(void)
{
    memset(&world, 0, sizeof world);
    rig_init(&world.rig, NULL);
    rig_open(&world.rig);
    const struct xd_station_options options = {
        .engine = {.market = world.rig.options.market, .max_orders = 100},
        .events = {on_warm, on_acquired, on_owning, on_refused, on_lost, NULL, NULL}};
    world.station = xd_station_create(world.rig.base, world.rig.ledger, &options);
    assert_non_null(world.station);
}

static void tear_down(void)
{
    xd_station_stop(world.station);
    rig_close(&world.rig);
    xd_station_free(world.station);
    rig_free(&world.rig);
}

/* Follows until it is warm, and owns. */
static void follow_and_own(void)
{
    world.warm = world.owning = false;
    xd_station_follow(world.station);
    rig_wait(&world.rig, &world.warm);
    xd_station_acquire(world.station);
    rig_wait(&world.rig, &world.owning);
}

static void append_ticks(unsigned count)
{
    struct xd_buf tick;
    uint64_t position = xd_station_position(world.station);
    xd_buf_init(&tick, 64);
    xd_record_pack(&(struct xd_record){.type = XD_RECORD_TICK}, &tick);
    for (unsigned i = 0; i < count; i++)
        xd_ledger_append(world.rig.ledger, 0, 0, tick.data, tick.len, NULL, NULL);
    xd_buf_free(&tick);
    while (xd_station_position(world.station) < position + count)
        rig_turn(&world.rig, 10);
    rig_wait_backlog(&world.rig);
    while (atoi(redis_cli(&world.rig.server, "hget 'xd:{p0}:state' committed")) < (int)(position + count))
        rig_turn(&world.rig, 10);
}

static void lose_the_lease(void)
{
    world.lost = false;
    redis_cli(&world.rig.server, "hincrby 'xd:{p0}:state' epoch 1"); /* as who owned it meanwhile */
    rig_wait(&world.rig, &world.lost);
    assert_int_equal(world.code, XD_FENCED);
    redis_cli(&world.rig.server, "del 'xd:{p0}:lease'");
}

/* There is nothing any more that it could begin again with. */
static void a_lost_lease_costs_nothing_that_was_applied(void **state)
{
    (void)state;
    set_up();
    follow_and_own();
    append_ticks(TICKS);
    redis_cli(&world.rig.server, "xtrim 'xd:{p0}:log' maxlen 0");
    for (unsigned i = 1; i < 4; i++) {
        lose_the_lease();
        follow_and_own();
        assert_int_equal(xd_station_position(world.station), i * TICKS);
        append_ticks(TICKS);
    }
    tear_down();
}

/* What was applied and is not committed is made anew, by whoever owns next. */
static void what_was_not_committed_is_applied_again(void **state)
{
    (void)state;
    set_up();
    follow_and_own();
    append_ticks(TICKS);
    assert_string_equal(redis_cli(&world.rig.server, "hset 'xd:{p0}:state' nonce other"), "0");
    struct xd_buf tick;
    xd_buf_init(&tick, 64);
    xd_record_pack(&(struct xd_record){.type = XD_RECORD_TICK}, &tick);
    xd_ledger_append(world.rig.ledger, 0, 0, tick.data, tick.len, NULL, NULL);
    xd_buf_free(&tick);
    rig_wait(&world.rig, &world.lost);
    assert_int_equal(world.code, XD_FENCED);
    assert_string_equal(
        redis_cli(&world.rig.server, "hmget 'xd:{p0}:state' records committed | paste -sd ' '"), "21 20");
    redis_cli(&world.rig.server, "del 'xd:{p0}:lease'");
    world.owning = false;
    xd_station_follow(world.station);
    xd_station_acquire(world.station);
    rig_wait(&world.rig, &world.owning);
    assert_int_equal(xd_station_position(world.station), TICKS + 1);
    append_ticks(TICKS);
    tear_down();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_lease_costs_nothing_that_was_applied),
        cmocka_unit_test(what_was_not_committed_is_applied_again),
    };
    rig_choose("redis");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

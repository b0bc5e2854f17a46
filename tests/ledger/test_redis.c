/* What only the ledger on Redis promises: over broken connections, restarts of Redis, and other processes. */
#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/many.h"
#include "tests/support/cutting_proxy.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int cli_number(const struct rig *rig, const char *command)
{
    return atoi(redis_cli(&rig->server, "%s", command));
}

/* --- broken connections --------------------------------------------------------------------------------- */

static void connections_cut_under_load_double_and_lose_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned round = 0; round < 30; round++) {
        for (unsigned part = 0; part < 4; part++) {
            append_many(&rig, round * 100 + part * 25, 25, 200);
            rig_turn(&rig, 0);
        }
        if (round % 3 == 0) redis_cli(&rig.server, "client kill type normal");
    }
    rig_wait_answers(&rig);
    assert_answers(0, 3000, XD_OK);
    assert_int_equal(rig.lost_count, 0);
    check_whole(&rig, 3000);
    assert_int_equal(xd_ledger_generation(rig.ledger, 0), 1);
    rig_free(&rig);
}

/* --- followers -------------------------------------------------------------------------------------------
 */

struct read_back {
    bool done;
    enum xd_code code;
    uint32_t count;
};

static void on_read_back(void *arg, const struct xd_log_run *run)
{
    *(struct read_back *)arg = (struct read_back){.done = true, .count = run->count};
}

/* Reads the log from there on; how often Redis looked into it for that. */
static int ranges_read_from(struct rig *rig, uint64_t from, uint32_t expected)
{
    struct read_back read = {.done = false};
    assert_string_equal(redis_cli(&rig->server, "config resetstat"), "OK");
    xd_ledger_read_log(rig->ledger, 0, from, 1 << 20, on_read_back, &read);
    rig_wait(rig, &read.done);
    assert_int_equal(read.count, expected);
    return atoi(redis_cli(&rig->server, "info commandstats | sed -n 's/^cmdstat_xrange:calls=//p'"));
}

/* However long the log, and whether or not more is there than is committed. */
static void a_follower_reads_on_where_it_was(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned i = 0; i < 100; i++) {
        append_many(&rig, i, 1, 0);
        rig_wait_answers(&rig);
    }
    xd_ledger_release(rig.ledger, &rig.lease);
    rig.owns = false;
    append_many(&rig, 100, 5, 0);
    rig_wait_answers(&rig);
    assert_true(ranges_read_from(&rig, 0, 105) > 6);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ranges_read_from(&rig, 100, 5), 1);
    rig_free(&rig);
}

static void on_code(void *arg, const struct xd_log_run *run)
{
    *(struct read_back *)arg = (struct read_back){.done = true, .code = run->code};
}

/* The answer is there long since; this process did not look. */
static void a_process_that_was_busy_does_not_blame_redis(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    rig.redis.timeout_ms = 200;
    rig.redis.lease_ms = 60000;
    rig_open(&rig);
    rig_own(&rig);
    for (unsigned i = 0; i < 5; i++) {
        struct read_back read = {.done = false};
        xd_ledger_read_log(rig.ledger, 0, 0, 1 << 20, on_code, &read);
        rig_turn(&rig, 0);                                             /* it is sent */
        nanosleep(&(struct timespec){.tv_nsec = 500 * 1000000}, NULL); /* the work */
        rig_wait(&rig, &read.done);
        assert_int_equal(read.code, XD_OK);
    }
    rig_free(&rig);
}

/* Redis has appended or committed, and nobody was told. */
static void lost_answers_double_nothing(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    struct cutting_proxy proxy = {.base = rig.base, .to = rig.server.port};
    cutting_proxy_start(&proxy);
    snprintf(rig.url, sizeof rig.url, "redis://127.0.0.1:%d", proxy.port);
    rig_open(&rig);
    rig_own(&rig);
    for (unsigned round = 0; round < 40; round++) {
        proxy.cut_every = 3 + round % 7;
        append_many(&rig, round * 20, 20, 200);
        rig_turn(&rig, 0);
        append_many(&rig, 1000 + round * 20, 20, 200);
        for (int turn = 0; turn < 30; turn++)
            rig_turn(&rig, 2);
        proxy.cut_every = 0;
        rig_wait_answers(&rig);
    }
    assert_in_range(proxy.cuts, 20, 100000);
    assert_answers(0, 800, XD_OK);
    assert_answers(1000, 800, XD_OK);
    assert_int_equal(rig.lost_count, 0);
    check_whole(&rig, 1600);
    rig_close(&rig);
    cutting_proxy_stop(&proxy);
    rig_free(&rig);
}

static void a_killed_redis_loses_nothing_that_it_synced(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned round = 0; round < 5; round++) {
        append_many(&rig, round * 200, 200, 200);
        for (unsigned turn = 0; turn < round; turn++)
            rig_turn(&rig, 0);
        redis_server_kill(&rig.server);
        redis_server_start(&rig.server);
        rig_wait_answers(&rig);
    }
    assert_answers(0, 1000, XD_OK);
    check_whole(&rig, 1000);
    assert_int_equal(xd_ledger_generation(rig.ledger, 0), 1);
    rig_free(&rig);
}

static void without_redis_appends_fail_with_a_code_and_heal(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    rig.redis.timeout_ms = 300;
    rig_open(&rig);
    rig_own(&rig);
    redis_server_kill(&rig.server);
    append_many(&rig, 0, 10, 200);
    rig_wait_answers(&rig);
    assert_answers(0, 10, XD_STORAGE_FAILED);
    for (int i = 0; i < 1000 && xd_ledger_health(rig.ledger) == XD_OK; i++)
        rig_turn(&rig, 5);
    assert_int_equal(xd_ledger_health(rig.ledger), XD_STORAGE_FAILED);
    redis_server_start(&rig.server);
    for (int i = 0; i < 4000 && xd_ledger_health(rig.ledger) != XD_OK; i++)
        rig_turn(&rig, 5);
    assert_int_equal(xd_ledger_health(rig.ledger), XD_OK);
    append_many(&rig, 10, 10, 200);
    rig_wait_answers(&rig);
    assert_answers(10, 10, XD_OK);
    check_whole(&rig, 10);
    rig_free(&rig);
}

static void scripts_that_redis_forgot_are_sent_again(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned round = 0; round < 3; round++) {
        assert_string_equal(redis_cli(&rig.server, "script flush"), "OK");
        append_many(&rig, round * 50, 50, 200);
        rig_wait_answers(&rig);
    }
    assert_answers(0, 150, XD_OK);
    check_whole(&rig, 150);
    rig_free(&rig);
}

static void a_full_redis_refuses_with_a_code_and_heals(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    append_many(&rig, 0, 10, 200);
    rig_wait_answers(&rig);
    redis_cli(&rig.server, "config set maxmemory 1");
    append_many(&rig, 10, 10, 200);
    rig_wait_answers(&rig);
    assert_answers(10, 10, XD_STORAGE_FULL);
    assert_int_equal(xd_ledger_health(rig.ledger), XD_STORAGE_FULL);
    redis_cli(&rig.server, "config set maxmemory 0");
    for (int i = 0; i < 4000 && xd_ledger_health(rig.ledger) != XD_OK; i++)
        rig_turn(&rig, 5);
    append_many(&rig, 20, 10, 200);
    rig_wait_answers(&rig);
    assert_answers(20, 10, XD_OK);
    check_whole(&rig, 20);
    rig_free(&rig);
}

/* --- fences --------------------------------------------------------------------------------------------- */

/* Another process takes the partition behind our back, in three ways. */
static void a_fenced_owner_commits_nothing(void **state)
{
    (void)state;
    static const char *const takeovers[] = {
        "hincrby 'xd:{p0}:state' epoch 1",
        "hset 'xd:{p0}:state' nonce 1",
        "hincrby 'xd:{p0}:state' committed -1",
    };
    for (size_t i = 0; i < sizeof takeovers / sizeof *takeovers; i++) {
        struct rig rig;
        rig_start(&rig, NULL);
        append_many(&rig, 0, 10, 200);
        rig_wait_answers(&rig);
        int commits = cli_number(&rig, "xlen 'xd:{p0}:out'");
        redis_cli(&rig.server, "%s", takeovers[i]);
        append_many(&rig, 10, 20, 200);
        rig_wait_answers(&rig);
        assert_answers(10, 20, XD_OK); /* stored, but nobody has looked at them */
        assert_false(answers[10].result.outcome_known);
        assert_int_equal(rig.lost_count, 1);
        assert_int_equal(rig.lost_code, XD_FENCED);
        assert_int_equal(cli_number(&rig, "xlen 'xd:{p0}:out'"), commits);
        assert_int_equal(xd_ledger_event_head(rig.ledger, 0), 14);
        if (i < 2) {
            rig_own(&rig);
            rig_wait_events(&rig, 40);
            check_whole(&rig, 30);
        }
        rig_free(&rig);
    }
}

static void a_lease_is_waited_for_and_a_dead_owner_replaced(void **state)
{
    (void)state;
    struct rig rig, other;
    rig_start(&rig, NULL);
    append_many(&rig, 0, 10, 200);
    rig_wait_answers(&rig);
    other = rig; /* a second process over the same Redis */
    memset(&other.state, 0, sizeof other.state);
    other.ledger = NULL;
    other.owns = false;
    other.base = event_base_new();
    other.redis.lease_ms = 400;
    xd_output_init(&other.output, 1 << 20);
    rig_open(&other);
    assert_true(xd_ledger_event_head(other.ledger, 0) == 14);
    assert_true(rig_try_own(&other)); /* the first does not turn, so its lease ends */
    assert_int_equal(other.lease.epoch, rig.lease.epoch + 1);

    append_many(&rig, 10, 5, 200); /* any process may append; the former owner commits nothing */
    while (rig.lost_count == 0) {
        rig_turn(&rig, 5);
        rig_turn(&other, 5);
    }
    assert_int_equal(rig.lost_code, XD_FENCED);
    while (rig.waiting > 0 || other.told < 20 || rig.told < 20) {
        rig_turn(&rig, 5);
        rig_turn(&other, 5);
    }
    assert_answers(10, 5, XD_OK);
    check_whole(&other, 15);
    rig_close(&other);
    xd_output_free(&other.output);
    event_base_free(other.base);
    rig_own(&rig); /* at once: it was given back */
    assert_int_equal(rig.lease.epoch, 3);
    rig_free(&rig);
}

static void on_lease(void *arg, enum xd_code code, const struct xd_lease *lease)
{
    (void)lease;
    assert_int_equal(code, XD_OK);
    *(bool *)arg = true;
}

static bool has_run(const struct rig *rig, const char *before)
{
    return strcmp(redis_cli(&rig->server, "info commandstats | grep cmdstat_evalsha"), before) != 0;
}

/* The news that a partition is free may come between a try and its answer, which says that it was not. */
static void a_lease_given_back_during_a_try_is_not_waited_for(void **state)
{
    (void)state;
    struct rig rig;
    char before[256];
    bool got = false;
    rig_start(&rig, NULL);
    xd_ledger_release(rig.ledger, &rig.lease);
    rig_turn(&rig, 50);
    redis_cli(&rig.server, "set xd:{p0}:lease another px 60000");
    snprintf(before, sizeof before, "%s", redis_cli(&rig.server, "info commandstats | grep cmdstat_evalsha"));
    xd_ledger_acquire(rig.ledger, 0, on_lease, &got);
    while (!has_run(&rig, before)) /* its answer is not read before the next turn */
        rig_turn(&rig, 0);
    redis_cli(&rig.server, "del xd:{p0}:lease");
    xd_ledger_redis_hurry(rig.ledger, 0);
    rig_wait(&rig, &got);
    rig_free(&rig);
}

/* --- snapshots ------------------------------------------------------------------------------------------ */

static void the_log_before_a_snapshot_is_trimmed(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned i = 0; i < 30; i++) {
        append_many(&rig, 20 * i, 20, 200);
        rig_wait_answers(&rig);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_snapshot(&rig), XD_OK);
        assert_int_equal(cli_number(&rig, "xlen 'xd:{p0}:log'"), 0);
        assert_int_equal(cli_number(&rig, "eval \"return #redis.call('KEYS', 'xd:{p0}:s:*')\" 0"), 3);
    }
    append_many(&rig, 600, 50, 200);
    rig_wait_answers(&rig);
    struct toy_state before = rig.state;
    rig_restart(&rig); /* from the snapshot and the tail */
    assert_memory_equal(&before, &rig.state, sizeof before);
    rig_free(&rig);
}

/* --- what Redis must be --------------------------------------------------------------------------------- */

static void a_weak_redis_is_refused_with_words(void **state)
{
    (void)state;
    static const struct {
        const char *command, *words;
    } weak[] = {
        {"config set maxmemory-policy allkeys-lru", "maxmemory-policy must be noeviction"},
        {"config set appendonly no", "appendonly must be yes"},
        {"config set appendfsync everysec", "appendfsync must be always"},
        {"config set no-appendfsync-on-rewrite yes", "no-appendfsync-on-rewrite must be no"},
    };
    for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
        struct rig rig;
        struct xd_error error = {0};
        rig_init(&rig, NULL);
        redis_cli(&rig.server, "%s", weak[i].command);
        assert_false(rig_open_ledger(&rig, &error));
        assert_non_null(strstr(error.message, weak[i].words));
        assert_non_null(strstr(error.message, "--accept-weak-redis"));
        rig.redis.accept_weak = true;
        rig_open(&rig);
        rig_own(&rig);
        append_many(&rig, 0, 1, 200);
        rig_wait_answers(&rig);
        assert_int_equal(answers[0].result.reached, i == 0 ? XD_DURABILITY_FSYNCED : XD_DURABILITY_ACCEPTED);
        rig_free(&rig);
    }
}

static void a_ledger_has_one_market_and_one_number_of_partitions(void **state)
{
    (void)state;
    struct rig rig;
    struct xd_error error = {0};
    rig_init(&rig, NULL);
    rig_open(&rig);
    rig_close(&rig);
    rig.options.market.currency = xd_currency("CNY", 3);
    assert_false(rig_open_ledger(&rig, &error));
    assert_string_equal(error.field, "currency");
    rig.options.market_given = false;
    rig_open(&rig);
    assert_int_equal(xd_ledger_redis_market(rig.ledger).currency, xd_currency("EUR", 3));
    rig_close(&rig);
    rig.redis.partitions = 4;
    assert_false(rig_open_ledger(&rig, &error));
    assert_string_equal(error.field, "partitions");
    rig.redis.partitions = 1;
    redis_cli(&rig.server, "del 'xd:{p0}:state'");
    assert_false(rig_open_ledger(&rig, &error));
    assert_non_null(strstr(error.message, "not in Redis any more"));
    rig_free(&rig);
}

/* --- a Redis that forgot -------------------------------------------------------------------------------- */

/* Writes that are not in the append-only file are gone when Redis is killed: the process that knew of them
 * notices. (More of this: test_failover.c.) */
static void lost_writes_raise_the_generation(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    rig.redis.accept_weak = true;
    rig_open(&rig);
    rig_own(&rig);
    append_many(&rig, 0, 100, 200);
    rig_wait_answers(&rig);
    redis_cli(&rig.server, "config set appendonly no"); /* from here on nothing reaches the file */
    append_many(&rig, 100, 100, 200);
    rig_wait_answers(&rig);
    uint64_t told = xd_ledger_event_head(rig.ledger, 0);
    redis_server_kill(&rig.server);
    redis_server_start(&rig.server);
    for (int i = 0; i < 4000 && xd_ledger_generation(rig.ledger, 0) == 1; i++)
        rig_turn(&rig, 5);
    assert_int_equal(xd_ledger_generation(rig.ledger, 0), 2);
    assert_true(xd_ledger_event_head(rig.ledger, 0) < told);
    assert_int_equal(rig.lost_count, 1);
    rig_own(&rig);
    append_many(&rig, 200, 10, 200);
    rig_wait_answers(&rig);
    assert_answers(200, 10, XD_OK);
    check_whole(&rig, 111); /* and the record that begins the generation */
    rig_close(&rig);
    rig_open(&rig);
    assert_int_equal(xd_ledger_generation(rig.ledger, 0), 2);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_cut_under_load_double_and_lose_nothing),
        cmocka_unit_test(a_follower_reads_on_where_it_was),
        cmocka_unit_test(a_process_that_was_busy_does_not_blame_redis),
        cmocka_unit_test(lost_answers_double_nothing),
        cmocka_unit_test(a_killed_redis_loses_nothing_that_it_synced),
        cmocka_unit_test(without_redis_appends_fail_with_a_code_and_heal),
        cmocka_unit_test(scripts_that_redis_forgot_are_sent_again),
        cmocka_unit_test(a_full_redis_refuses_with_a_code_and_heals),
        cmocka_unit_test(a_fenced_owner_commits_nothing),
        cmocka_unit_test(a_lease_is_waited_for_and_a_dead_owner_replaced),
        cmocka_unit_test(a_lease_given_back_during_a_try_is_not_waited_for),
        cmocka_unit_test(the_log_before_a_snapshot_is_trimmed),
        cmocka_unit_test(a_weak_redis_is_refused_with_words),
        cmocka_unit_test(a_ledger_has_one_market_and_one_number_of_partitions),
        cmocka_unit_test(lost_writes_raise_the_generation),
    };
    rig_choose("redis");
    return cmocka_run_group_tests(tests, NULL, NULL);
}

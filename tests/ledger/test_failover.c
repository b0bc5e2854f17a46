/* What a fail-over of Redis loses is noticed, whoever knew of it, and whatever the others have written
 * meanwhile; and no event is told that it could take back. Each process has its own way to the server,
 * through which it can be led to another. */
#include "core/record.h"
#include "matcher/owner.h"
#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/rig.h"
#include "tests/support/cutting_proxy.h"

#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MANY = 1000, LOOKS = 600, LOOK_MS = 20, WAIT_MS = 20000 };
static struct rig_append answers[MANY];

/* A turn of a rig may be much shorter than LOOK_MS. */
static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_for(const struct redis_server *server, const char *command, const char *words)
{
    for (int i = 0; i < LOOKS; i++) {
        if (strstr(redis_cli(server, "%s", command), words)) return;
        poll(NULL, 0, LOOK_MS);
    }
    fail_msg("%s never says %s", command, words);
}

static void start_replica(struct redis_server *replica, const struct redis_server *master)
{
    char port[16], known[64];
    const char *const args[] = {"--replicaof", "127.0.0.1", port};
    snprintf(port, sizeof port, "%d", master->port);
    *replica = (struct redis_server){.pid = 0};
    memcpy(replica->args, args, sizeof args);
    redis_server_start(replica);
    replica->args[0] = NULL;
    wait_for(replica, "info replication | grep link_status", "up");
    snprintf(known, sizeof known, "info replication | grep port=%d", replica->port);
    wait_for(master, known, "state=online");
}

/* From here on it does not hear what the master is told. */
static void promote(const struct redis_server *replica)
{
    assert_string_equal(redis_cli(replica, "replicaof no one"), "OK");
}

/* --- processes ------------------------------------------------------------------------------------------ */

struct process {
    struct rig rig;
    struct cutting_proxy proxy;
};

/* `replicas`: what it asks for; 0: that the disk has it. */
static void begin_at(struct process *process, const struct redis_server *server, uint32_t replicas)
{
    rig_choose("sqlite"); /* no server of its own */
    rig_init(&process->rig, NULL);
    struct rig *rig = &process->rig;
    process->proxy = (struct cutting_proxy){.base = rig->base, .to = server->port};
    cutting_proxy_start(&process->proxy);
    snprintf(rig->url, sizeof rig->url, "redis://127.0.0.1:%d", process->proxy.port);
    rig->on_redis = true;
    rig->redis = (struct xd_redis_ledger_options){.url = rig->url,
                                                  .partitions = 1,
                                                  .durability = replicas ? XD_DURABILITY_REPLICATED
                                                                         : XD_DURABILITY_FSYNCED,
                                                  .replicas = replicas,
                                                  .lease_ms = 400,
                                                  .timeout_ms = 5000};
    rig_open(rig);
}

static void begin(struct process *process, const struct redis_server *server)
{
    begin_at(process, server, 0);
}

static void end(struct process *process)
{
    if (process->rig.ledger) rig_close(&process->rig);
    cutting_proxy_stop(&process->proxy);
    rig_free(&process->rig);
}

static void lead_to(struct process *process, const struct redis_server *server)
{
    process->proxy.to = server->port;
}

static void append_many(struct process *process, unsigned from, unsigned count, enum xd_code code)
{
    for (unsigned i = from; i < from + count; i++) {
        struct toy_record record = {.number = i, .wish = TOY_KEEP, .account = "acme", .ref = "-"};
        rig_append(&process->rig, &record, 0, 200, &answers[i]);
    }
    rig_wait_answers(&process->rig);
    for (unsigned i = from; i < from + count; i++)
        assert_int_equal(answers[i].result.code, code);
}

static void own(struct process *process)
{
    for (int i = 0; i < LOOKS && !rig_try_own(&process->rig); i++)
        rig_turn(&process->rig, LOOK_MS);
    assert_true(process->rig.owns);
}

static uint32_t generation(const struct process *process)
{
    return xd_ledger_generation(process->rig.ledger, 0);
}

static void wait_generation(struct process *process, uint32_t wanted)
{
    int64_t until = monotonic_ms() + WAIT_MS;
    while (generation(process) != wanted && monotonic_ms() < until)
        rig_turn(&process->rig, LOOK_MS);
    assert_int_equal(generation(process), wanted);
}

static void stay_in(struct process *process, uint32_t wanted)
{
    for (int i = 0; i < 20; i++)
        rig_turn(&process->rig, LOOK_MS);
    assert_int_equal(generation(process), wanted);
}

/* What was answered without its outcome is committed later, by an owner. */
static void wait_committed(struct process *process)
{
    const struct redis_server server = {.port = process->proxy.to};
    if (!process->rig.owns) own(process);
    for (int i = 0; i < LOOKS; i++) {
        const char *differing = redis_cli(&server, "hmget 'xd:{p0}:state' records committed | uniq | wc -l");
        if (strcmp(differing, "1") == 0) return;
        rig_turn(&process->rig, LOOK_MS);
    }
    fail_msg("not all is committed");
}

static uint64_t check_whole(struct process *process)
{
    struct toy_state replayed;
    wait_committed(process);
    rig_check_replay(&process->rig, &replayed);
    return replayed.next_record;
}

/* --- losses --------------------------------------------------------------------------------------------- */

static struct redis_server master, replica, second;
static struct process a, b, c;

static void set_up(void)
{
    master = (struct redis_server){.pid = 0};
    redis_server_start(&master);
    start_replica(&replica, &master);
}

static void tear_down(void)
{
    redis_server_remove(&master);
    redis_server_remove(&replica);
}

/* Which the replica has, too. */
static void append_ten(struct process *process)
{
    append_many(process, 0, 10, XD_OK);
    wait_for(&replica, "hget 'xd:{p0}:state' committed", "10");
}

static void what_others_append_does_not_make_up_for_a_loss(void **state)
{
    (void)state;
    set_up();
    begin(&a, &master);
    begin(&b, &master);
    own(&a);
    append_ten(&a);
    promote(&replica);
    append_many(&a, 10, 100, XD_OK);
    redis_server_kill(&master);
    lead_to(&b, &replica);
    own(&b);
    assert_int_equal(generation(&b), 2);
    append_many(&b, 200, 150, XD_OK);

    /* a was acknowledged what b cannot know of: what b's clients were told since is doubtful too */
    lead_to(&a, &replica);
    wait_generation(&a, 3);
    assert_int_equal(a.rig.lost_count, 1);
    wait_generation(&b, 3);
    assert_int_equal(b.rig.lost_count, 1);
    own(&a); /* the engine that had what was lost is gone */
    append_many(&b, 400, 10, XD_OK);
    append_many(&a, 410, 10, XD_OK);
    assert_int_equal(check_whole(&a), 10 + 1 + 150 + 1 + 20);
    stay_in(&a, 3);
    stay_in(&b, 3);
    end(&a);
    end(&b);
    tear_down();
}

static void what_only_the_dead_knew_of_is_noticed(void **state)
{
    (void)state;
    set_up();
    begin(&a, &master);
    begin(&b, &master);
    own(&a);
    append_ten(&a);
    promote(&replica);
    append_many(&a, 10, 100, XD_OK);
    end(&a);
    redis_server_kill(&master);
    lead_to(&b, &replica);
    wait_generation(&b, 2);
    end(&b);
    tear_down();
}

static void a_master_that_was_a_replica_meanwhile_is_another(void **state)
{
    (void)state;
    set_up();
    begin(&a, &master);
    begin(&b, &master);
    own(&a);
    append_ten(&a);
    promote(&replica);
    append_many(&a, 10, 100, XD_OK);
    end(&a);
    assert_string_equal(redis_cli(&master, "replicaof 127.0.0.1 %d", replica.port), "OK");
    wait_for(&master, "info replication | grep link_status", "up");
    promote(&master);
    redis_cli(&master, "client kill type normal"); /* as sentinels do */
    wait_generation(&b, 2);
    end(&b);
    tear_down();
}

static void wait_replicated(void)
{
    wait_for(&replica, "hget 'xd:{p0}:state' line", "1-");
}

static void it_is_noticed_where_nothing_is_written(void **state)
{
    (void)state;
    set_up();
    begin(&a, &master);
    wait_replicated();
    assert_string_equal(redis_cli(&master, "replicaof 127.0.0.1 %d", replica.port), "OK");
    promote(&replica);
    wait_for(&master, "info replication | grep link_status", "up");
    promote(&master);
    wait_generation(&a, 2);
    end(&a);
    tear_down();
}

/* A client that resumes at a broker that is still on the old master, with a cursor of the new line. */
static void an_old_master_does_not_know_that_it_is_behind(void **state)
{
    (void)state;
    set_up();
    begin(&a, &master);
    begin(&b, &master);
    wait_replicated();
    promote(&replica);
    lead_to(&b, &replica);
    redis_cli(&master, "client kill type normal");
    wait_generation(&b, 2);
    lead_to(&a, &master);
    assert_false(xd_ledger_may_be_behind(a.rig.ledger, 0, 1));
    assert_true(xd_ledger_may_be_behind(a.rig.ledger, 0, 2));
    assert_false(xd_ledger_may_be_behind(b.rig.ledger, 0, 2));
    redis_server_kill(&master);
    lead_to(&a, &replica);
    wait_generation(&a, 2);
    assert_false(xd_ledger_may_be_behind(a.rig.ledger, 0, 2));
    end(&a);
    end(&b);
    tear_down();
}

/* Two replicas that were made master one after the other, neither of which knew of the other. */
static void generations_of_one_number_are_told_apart(void **state)
{
    (void)state;
    set_up();
    start_replica(&second, &master);
    begin(&a, &master);
    begin(&b, &master);
    begin(&c, &master);
    own(&a);
    append_ten(&a);
    wait_for(&second, "hget 'xd:{p0}:state' committed", "10");
    promote(&replica);
    promote(&second);
    end(&a);
    redis_server_kill(&master);
    lead_to(&b, &replica);
    wait_generation(&b, 2);
    lead_to(&c, &second);
    wait_generation(&c, 2);
    redis_server_kill(&replica);
    lead_to(&b, &second);
    wait_generation(&b, 3);
    wait_generation(&c, 3);
    end(&b);
    end(&c);
    redis_server_remove(&second);
    tear_down();
}

/* A ref is reserved before its order is appended, so it may be lost where the order was not: an order that
 * waited through a fail-over is not stored without it. */
static void what_waited_through_a_failover_is_not_stored_without_its_ref(void **state)
{
    (void)state;
    uint64_t lost, kept, found;
    set_up();
    begin(&a, &master);
    own(&a);
    append_ten(&a);
    promote(&replica);
    assert_int_equal(rig_reserve(&a.rig, "acme", "r1", 1, &lost), XD_OK);
    redis_server_kill(&master);
    struct toy_record record = {
        .number = 1, .wish = TOY_KEEP, .order_id = lost, .account = "acme", .ref = "r1"};
    rig_append(&a.rig, &record, lost, 200, &answers[0]);
    lead_to(&a, &replica);
    rig_wait_answers(&a.rig);
    assert_int_equal(answers[0].result.code, XD_STORAGE_FAILED);
    wait_generation(&a, 2);
    for (int i = 0; i < LOOKS && xd_ledger_health(a.rig.ledger) != XD_OK; i++)
        rig_turn(&a.rig, LOOK_MS);
    own(&a);
    assert_int_equal(rig_order(&a.rig, "acme", "r1", 1, TOY_KEEP, &kept, &answers[1]), XD_OK);
    rig_wait_answers(&a.rig);
    assert_int_equal(answers[1].result.code, XD_OK);
    assert_int_not_equal(kept, lost);
    assert_int_equal(rig_find_ref(&a.rig, "acme", "r1", &found), XD_OK);
    assert_int_equal(found, kept);
    assert_int_equal(check_whole(&a), 10 + 1 + 1); /* the generation's, and one order */
    end(&a);
    tear_down();
}

/* --- what is told ----------------------------------------------------------------------------------------
 */

static void wait_head(struct process *process, uint64_t told)
{
    int64_t until = monotonic_ms() + WAIT_MS;
    while (xd_ledger_event_head(process->rig.ledger, 0) != told && monotonic_ms() < until)
        rig_turn(&process->rig, LOOK_MS);
    assert_int_equal(xd_ledger_event_head(process->rig.ledger, 0), told);
}

/* Of the one account that appends, by its marks; and all. */
static uint64_t count_own_events(struct process *process)
{
    return rig_count_events(&process->rig, "acme", 0, 1 << 20, NULL);
}

static uint64_t count_events(struct process *process)
{
    return rig_count_events(&process->rig, "*", 0, 1 << 20, NULL);
}

/* Without a replica: each is answered with what became of it all the same. */
static void append_alone(struct process *process, unsigned from, unsigned count)
{
    append_many(process, from, count, XD_OK);
    for (unsigned i = from; i < from + count; i++) {
        assert_int_equal(answers[i].result.reached, XD_DURABILITY_FSYNCED);
        assert_true(answers[i].result.outcome_known);
    }
}

static uint64_t events_in(const struct redis_server *server)
{
    return strtoull(redis_cli(server, "hget 'xd:{p0}:state' events"), NULL, 10);
}

static void events_wait_until_replicas_have_them(void **state)
{
    (void)state;
    set_up();
    begin_at(&a, &master, 1);
    begin_at(&b, &master, 1);
    own(&a);
    append_many(&a, 0, 10, XD_OK);
    struct toy_record last = {.number = 10, .wish = TOY_KEEP, .account = "zeta", .ref = "-"};
    rig_append(&a.rig, &last, 0, 200, &answers[10]);
    rig_wait_answers(&a.rig);
    uint64_t had = events_in(&master);
    wait_head(&a, had);
    wait_head(&b, had);

    kill(replica.pid, SIGSTOP);
    append_alone(&a, 11, 9);
    end(&a);
    own(&b);
    append_alone(&b, 20, 10);
    uint64_t all = events_in(&master);
    stay_in(&b, 1);
    assert_int_equal(b.rig.told, had);
    assert_int_equal(count_events(&b), had);
    assert_int_equal(count_own_events(&b), 10);
    begin_at(&c, &master, 1); /* which does not know of any event that a replica has it */
    assert_int_equal(c.rig.told, all);
    assert_int_equal(count_events(&c), 0);

    kill(replica.pid, SIGCONT);
    wait_head(&b, all);
    assert_int_equal(count_events(&b), all);
    assert_int_equal(count_own_events(&b), 29);
    for (int i = 0; i < LOOKS && count_events(&c) != all; i++)
        rig_turn(&c.rig, LOOK_MS);
    append_many(&b, 30, 10, XD_OK);
    wait_head(&b, events_in(&master));
    wait_head(&c, events_in(&master));
    assert_int_equal(check_whole(&c), 40);
    end(&b);
    end(&c);
    tear_down();
}

static void no_event_is_told_that_a_failover_takes_back(void **state)
{
    (void)state;
    set_up();
    start_replica(&second, &replica);
    begin_at(&a, &master, 1);
    begin_at(&b, &master, 1);
    own(&a);
    append_many(&a, 0, 10, XD_OK);
    uint64_t had = events_in(&master);
    wait_head(&a, had);
    wait_head(&b, had);
    promote(&replica);
    append_alone(&a, 10, 10);
    stay_in(&a, 1);
    stay_in(&b, 1);
    assert_int_equal(a.rig.told, had);
    assert_int_equal(b.rig.told, had);
    assert_int_equal(count_events(&a), had);

    redis_server_kill(&master);
    lead_to(&b, &replica);
    wait_generation(&b, 2);
    own(&b);
    append_many(&b, 20, 5, XD_OK);
    assert_true(events_in(&replica) > had);
    wait_head(&b, events_in(&replica));
    end(&a);
    end(&b);
    redis_server_remove(&second);
    tear_down();
}

/* --- no losses ------------------------------------------------------------------------------------------ */

static void a_first_replica_and_a_restart_lose_nothing(void **state)
{
    (void)state;
    master = (struct redis_server){.pid = 0};
    redis_server_start(&master);
    begin(&a, &master);
    own(&a);
    append_many(&a, 0, 10, XD_OK);
    start_replica(&replica, &master);
    append_many(&a, 10, 10, XD_OK);
    redis_server_kill(&master);
    redis_server_start(&master);
    append_many(&a, 20, 10, XD_OK);
    begin(&b, &master);
    assert_int_equal(generation(&b), 1);
    stay_in(&a, 1);
    assert_int_equal(a.rig.lost_count, 0);
    assert_int_equal(check_whole(&a), 30);
    end(&a);
    end(&b);
    tear_down();
}

/* --- an owner that would make something else of the log ------------------------------------------------- */

static struct {
    bool told, owning;
    enum xd_code code;
    uint64_t records, events, committed;
} owned;

static void on_owner(void *arg, bool owning, enum xd_code code)
{
    (void)arg;
    owned.told = true;
    owned.owning = owning;
    owned.code = code;
}

static void on_differs(void *arg, uint64_t records, uint64_t events, uint64_t committed)
{
    (void)arg;
    owned.records = records;
    owned.events = events;
    owned.committed = committed;
}

static struct xd_owner *start_owner(struct rig *rig)
{
    const struct xd_owner_options options = {.engine = {.market = rig->options.market, .max_orders = 100},
                                             .changed = on_owner,
                                             .differs = on_differs};
    memset(&owned, 0, sizeof owned);
    struct xd_owner *owner = xd_owner_start(rig->base, rig->ledger, &options);
    assert_non_null(owner);
    rig_wait(rig, &owned.told);
    return owner;
}

static void append_ticks(struct rig *rig, unsigned count)
{
    struct xd_buf tick;
    xd_buf_init(&tick, 64);
    xd_record_pack(&(struct xd_record){.type = XD_RECORD_TICK}, &tick);
    for (unsigned i = 0; i < count; i++)
        xd_ledger_append(rig->ledger, 0, 0, tick.data, tick.len, NULL, NULL);
    xd_buf_free(&tick);
    rig_wait_backlog(rig);
}

static void a_log_that_gives_other_events_has_no_owner(void **state)
{
    (void)state;
    master = (struct redis_server){.pid = 0};
    redis_server_start(&master);
    begin(&a, &master);
    struct rig *rig = &a.rig;
    struct xd_owner *owner = start_owner(rig);
    assert_true(owned.owning);
    append_ticks(rig, 10);
    wait_for(&master, "hget 'xd:{p0}:state' records", "10");
    while (atoi(redis_cli(&master, "hget 'xd:{p0}:state' committed")) < 10)
        rig_turn(rig, LOOK_MS);
    xd_owner_stop(owner);
    redis_cli(&master, "hincrby 'xd:{p0}:state' events 1");
    append_ticks(rig, 5); /* which have no commit yet */
    owner = start_owner(rig);
    assert_false(owned.owning);
    assert_int_equal(owned.code, XD_INTERNAL);
    assert_int_equal(owned.records, 10);
    assert_int_equal(owned.events, 0);
    assert_int_equal(owned.committed, 1);
    xd_owner_stop(owner);
    end(&a);
    redis_server_remove(&master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_others_append_does_not_make_up_for_a_loss),
        cmocka_unit_test(what_only_the_dead_knew_of_is_noticed),
        cmocka_unit_test(a_master_that_was_a_replica_meanwhile_is_another),
        cmocka_unit_test(it_is_noticed_where_nothing_is_written),
        cmocka_unit_test(an_old_master_does_not_know_that_it_is_behind),
        cmocka_unit_test(generations_of_one_number_are_told_apart),
        cmocka_unit_test(what_waited_through_a_failover_is_not_stored_without_its_ref),
        cmocka_unit_test(events_wait_until_replicas_have_them),
        cmocka_unit_test(no_event_is_told_that_a_failover_takes_back),
        cmocka_unit_test(a_first_replica_and_a_restart_lose_nothing),
        cmocka_unit_test(a_log_that_gives_other_events_has_no_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

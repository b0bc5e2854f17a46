#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/many.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

static void epochs_rise_and_a_former_owner_is_told(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    struct xd_lease first = rig.lease;
    assert_int_equal(first.epoch, 1);
    append_many(&rig, 0, 10, 0);
    rig_wait_answers(&rig);
    rig_own(&rig);
    assert_int_equal(rig.lost_count, 1);
    assert_int_equal(rig.lost_code, XD_FENCED);
    assert_int_equal(rig.lease.epoch, 2);
    assert_int_not_equal(rig.lease.nonce, first.nonce);

    struct xd_commit stale = {
        .lease = first, .previous = 10, .next = 10, .first_event = 14, .output = &rig.output};
    xd_output_clear(&rig.output);
    xd_ledger_commit(rig.ledger, &stale);
    append_many(&rig, 10, 10, 0);
    rig_wait_answers(&rig);
    assert_answers(0, 20, XD_OK);
    rig_restart(&rig);
    assert_int_equal(rig.lease.epoch, 3);
    struct toy_state replayed;
    rig_check_replay(&rig, &replayed);
    assert_memory_equal(&replayed, &rig.state, sizeof replayed);
    rig_free(&rig);
}

/* Another process takes the partition behind our back, in three ways. */
static void a_fenced_owner_commits_nothing(void **state)
{
    (void)state;
    static const char *const takeovers[] = {
        "UPDATE partition SET epoch = epoch + 1",
        "UPDATE partition SET nonce = nonce + 1",
        "UPDATE partition SET committed = committed - 1",
    };
    for (size_t i = 0; i < sizeof takeovers / sizeof *takeovers; i++) {
        struct rig rig;
        rig_start(&rig, NULL);
        append_many(&rig, 0, 10, 0);
        rig_wait_answers(&rig);
        rig_sql(&rig, takeovers[i]);
        append_many(&rig, 10, 10, 0);
        rig_turn(&rig, 0);
        append_many(&rig, 20, 10, 0);
        rig_wait_answers(&rig);
        assert_answers(10, 20, XD_FENCED);
        assert_int_equal(rig.lost_code, XD_FENCED);
        assert_int_equal(rig.lost_count, 1);
        assert_int_equal(xd_ledger_health(rig.ledger), XD_FENCED);
        assert_int_equal(rig_sql(&rig, "SELECT sum(count) FROM records"), 10);
        assert_int_equal(xd_ledger_event_head(rig.ledger, 0), 14);

        append_many(&rig, 30, 1, 0); /* refused until it is owned again */
        rig_wait_answers(&rig);
        assert_answers(30, 1, XD_FENCED);
        if (i < 2) {
            rig_own(&rig);
            assert_int_equal(xd_ledger_health(rig.ledger), XD_OK);
            append_many(&rig, 31, 10, 0);
            rig_wait_answers(&rig);
            assert_answers(31, 10, XD_OK);
            check_whole(&rig, 20);
        }
        rig_free(&rig);
    }
}

static void a_wrong_commit_is_refused_and_everything_since_is_lost(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    append_many(&rig, 0, 10, 0);
    rig_wait_answers(&rig);
    static const enum xd_code expected[] = {XD_FENCED, XD_FENCED, XD_INTERNAL, XD_INTERNAL, XD_NO_MEMORY};
    for (unsigned wrong = 0; wrong < 5; wrong++) {
        struct xd_commit commit = {.lease = rig.lease,
                                   .previous = wrong == 0 ? 9 : 10,
                                   .next = wrong == 3 ? 11 : 10,
                                   .first_event = wrong == 1 ? 15 : 14,
                                   .output = &rig.output};
        xd_output_clear(&rig.output);
        if (wrong >= 2)
            xd_output_outcome(&rig.output,
                              XD_OK); /* one record said to be committed: it is not there, or uncounted */
        rig.output.events.failed = wrong == 4;
        append_many(&rig, 100, 5, 0);
        xd_ledger_commit(rig.ledger, &commit);
        rig_wait_answers(&rig);
        xd_output_clear(&rig.output);
        assert_answers(100, 5, expected[wrong]);
        assert_int_equal(rig.lost_count, wrong + 1);
        assert_int_equal(rig.lost_code, expected[wrong]);
        rig_own(&rig);
        assert_int_equal(rig.state.next_record, 10);
    }
    append_many(&rig, 10, 10, 0);
    rig_wait_answers(&rig);
    assert_answers(10, 10, XD_OK);
    check_whole(&rig, 20);
    rig_free(&rig);
}

static void a_released_partition_stores_but_does_not_commit(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    xd_ledger_release(rig.ledger, &rig.lease);
    append_many(&rig, 0, 10, 0);
    rig_wait_answers(&rig);
    assert_answers(0, 10, XD_OK);
    assert_false(answers[0].result.outcome_known);
    assert_int_equal(rig.state.next_record, 0);
    assert_int_equal(rig_snapshot(&rig), XD_FENCED);
    rig_own(&rig);
    assert_int_equal(rig.state.next_record, 10);
    rig_wait_events(&rig, 14);
    rig_free(&rig);
}

static int64_t log_rows(struct rig *rig)
{
    return rig_sql(rig, "SELECT count(*) FROM records");
}

struct reading {
    bool done;
    enum xd_code code;
    uint32_t count;
};

static void on_run(void *arg, const struct xd_log_run *run)
{
    *(struct reading *)arg = (struct reading){.done = true, .code = run->code, .count = run->count};
}

static struct reading read_from(struct rig *rig, uint64_t from)
{
    struct reading reading = {.done = false};
    xd_ledger_read_log(rig->ledger, 0, from, 1000, on_run, &reading);
    rig_wait(rig, &reading.done);
    return reading;
}

static void the_log_before_a_snapshot_is_trimmed(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned i = 0; i < 30; i++) {
        append_many(&rig, 20 * i, 20, 0);
        rig_wait_answers(&rig);
    }
    assert_int_equal(log_rows(&rig), 30);
    assert_int_equal(rig_snapshot(&rig), XD_OK);
    for (int i = 0; i < 100 && log_rows(&rig) > 0; i++)
        rig_turn(&rig, 50);
    assert_int_equal(log_rows(&rig), 0);
    assert_int_equal(read_from(&rig, 0).code, XD_NOT_FOUND);
    assert_int_equal(read_from(&rig, 600).code, XD_OK);
    append_many(&rig, 600, 50, 0);
    rig_wait_answers(&rig);
    assert_answers(0, 650, XD_OK);
    struct toy_state before = rig.state;
    rig_restart(&rig); /* from the snapshot and the tail */
    assert_memory_equal(&before, &rig.state, sizeof before);
    rig_free(&rig);
}

static void a_new_snapshot_replaces_the_old(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned round = 0; round < 3; round++) {
        append_many(&rig, 0, 30, 0);
        assert_int_equal(rig_snapshot(&rig), round == 0 ? XD_OK : XD_OK); /* of what is durable or not yet */
        rig_wait_answers(&rig);
    }
    for (int i = 0; i < 100 && rig_sql(&rig, "SELECT count(*) FROM chunks") > 3; i++)
        rig_turn(&rig, 50);
    assert_int_equal(rig_sql(&rig, "SELECT count(*) FROM chunks"), 3);
    struct toy_state before = rig.state;
    rig_restart(&rig);
    assert_memory_equal(&before, &rig.state, sizeof before);
    rig_free(&rig);
}

static void the_log_is_kept_where_asked(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    rig.options.keep_log = true;
    rig_open(&rig);
    rig_own(&rig);
    for (unsigned i = 0; i < 20; i++) {
        append_many(&rig, 10 * i, 10, 0);
        rig_wait_answers(&rig);
    }
    assert_int_equal(rig_snapshot(&rig), XD_OK);
    rig_turn(&rig, 1200); /* the upkeep has come by */
    assert_int_equal(log_rows(&rig), 20);
    struct toy_state replayed;
    rig_check_replay(&rig, &replayed);
    assert_memory_equal(&replayed, &rig.state, sizeof replayed);
    rig_free(&rig);
}

static void zeros(struct xd_buf *chunk, size_t len)
{
    xd_buf_init(chunk, len);
    assert_true(xd_buf_reserve(chunk, len));
    memset(chunk->data, 0, len);
    chunk->len = len;
}

static void one_snapshot_at_a_time_and_commits_go_on_meanwhile(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    append_many(&rig, 0, 10, 0);
    rig_wait_answers(&rig);
    assert_int_equal(xd_ledger_begin_snapshot(rig.ledger, &rig.lease, 10, 14), XD_OK);
    assert_int_equal(xd_ledger_begin_snapshot(rig.ledger, &rig.lease, 10, 14), XD_OVERLOADED);
    for (unsigned i = 10; i < 30; i++) {
        struct xd_buf chunk;
        append_many(&rig, i, 1, 0);
        zeros(&chunk, XD_SNAPSHOT_CHUNK / (i % 3 + 1));
        assert_int_equal(rig_add_to_snapshot(&rig, &chunk), XD_OK);
        rig_wait_answers(&rig);
    }
    assert_int_equal(rig_end_snapshot(&rig), XD_OK);
    assert_int_equal(rig_end_snapshot(&rig), XD_WRONG_STATE);
    if (!rig.on_redis) assert_int_equal(rig_sql(&rig, "SELECT count(*) FROM chunks"), 20);
    rig_free(&rig);
}

static void a_dropped_snapshot_leaves_the_one_before(void **state)
{
    (void)state;
    struct rig rig;
    struct xd_buf chunk;
    rig_start(&rig, NULL);
    append_many(&rig, 0, 10, 0);
    rig_wait_answers(&rig);
    assert_int_equal(rig_snapshot(&rig), XD_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(xd_ledger_begin_snapshot(rig.ledger, &rig.lease, 10, 14), XD_OK);
        zeros(&chunk, round == 0 ? 1000 : XD_SNAPSHOT_CHUNK_MAX + 1);
        assert_int_equal(rig_add_to_snapshot(&rig, &chunk), round == 0 ? XD_OK : XD_TOO_LONG);
        if (round == 0) xd_ledger_drop_snapshot(rig.ledger, &rig.lease);
        zeros(&chunk, 1000);
        assert_int_equal(rig_add_to_snapshot(&rig, &chunk), XD_WRONG_STATE);
        assert_int_equal(rig_end_snapshot(&rig), XD_WRONG_STATE);
    }
    struct toy_state before = rig.state;
    rig_restart(&rig);
    assert_memory_equal(&before, &rig.state, sizeof before);
    rig_free(&rig);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(epochs_rise_and_a_former_owner_is_told),
        cmocka_unit_test(a_released_partition_stores_but_does_not_commit),
        cmocka_unit_test(one_snapshot_at_a_time_and_commits_go_on_meanwhile),
        cmocka_unit_test(a_dropped_snapshot_leaves_the_one_before),
    };
    const struct CMUnitTest embedded[] = {
        cmocka_unit_test(a_fenced_owner_commits_nothing),
        cmocka_unit_test(a_wrong_commit_is_refused_and_everything_since_is_lost),
        cmocka_unit_test(the_log_before_a_snapshot_is_trimmed),
        cmocka_unit_test(a_new_snapshot_replaces_the_old),
        cmocka_unit_test(the_log_is_kept_where_asked),
    };
    if (rig_choose(argc > 1 ? argv[1] : NULL)) return cmocka_run_group_tests(both, NULL, NULL);
    return cmocka_run_group_tests(both, NULL, NULL) + cmocka_run_group_tests(embedded, NULL, NULL);
}

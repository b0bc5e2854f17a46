/* Disks that run full or fail, and heal. */
#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/many.h"
#include "tests/support/powerloss_vfs.h"

#include <stdio.h>
#include <string.h>

static void start(struct rig *rig)
{
    powerloss_start(1);
    rig_start(rig, POWERLOSS_VFS);
}

static void end(struct rig *rig)
{
    rig_free(rig);
    powerloss_end();
}

/* What was acknowledged is in the log, what was refused is not, and offsets are as told. */
static void assert_stored_is_what_was_acknowledged(struct rig *rig, unsigned count)
{
    uint64_t stored = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_true(answers[i].done);
        if (answers[i].result.code == XD_OK) assert_int_equal(answers[i].result.offset, stored++);
    }
    struct toy_state replayed;
    rig_check_replay(rig, &replayed);
    assert_int_equal(replayed.next_record, stored);
    assert_memory_equal(&replayed, &rig->state, sizeof replayed);
}

static void a_full_disk_refuses_and_heals(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    unsigned n = 0;
    for (int round = 0; round < 3; round++) {
        powerloss_limit(powerloss_bytes() + 300000);
        while (xd_ledger_health(rig.ledger) == XD_OK && n < 4000) {
            append_many(&rig, n, 20, 1000);
            rig_turn(&rig, 0);
            append_many(&rig, n + 20, 20, 1000);
            n += 40;
            rig_wait_answers(&rig);
        }
        assert_int_equal(xd_ledger_health(rig.ledger), XD_STORAGE_FULL);
        assert_int_equal(answers[n - 1].result.code, XD_STORAGE_FULL);
        assert_int_equal(rig.lost_code, XD_STORAGE_FULL);
        assert_int_equal(rig.lost_count, round + 1);
        uint64_t id;
        assert_int_equal(rig_reserve(&rig, "acme", "r", 1, &id), XD_STORAGE_FULL);
        append_many(&rig, n, 10, 1000);
        n += 10;
        rig_wait_answers(&rig);
        assert_int_equal(answers[n - 1].result.code, XD_STORAGE_FULL);
        /* Reads go on. */
        assert_true(rig_count_events(&rig, "acme", 0, 1 << 20, NULL) > 0);
        powerloss_limit(0);
        rig_own(&rig);
        append_many(&rig, n, 10, 1000);
        n += 10;
        rig_wait_answers(&rig);
        assert_int_equal(answers[n - 1].result.code, XD_OK);
        assert_stored_is_what_was_acknowledged(&rig, n);
    }
    rig_restart(&rig);
    assert_stored_is_what_was_acknowledged(&rig, n);
    end(&rig);
}

static void an_owner_that_keeps_trying_heals_by_itself(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    rig.own_again = true;
    powerloss_limit(powerloss_bytes() + 1);
    append_many(&rig, 0, 100, 1000);
    rig_wait_answers(&rig);
    assert_int_equal(answers[0].result.code, XD_STORAGE_FULL);
    for (int i = 0; i < 20; i++)
        rig_turn(&rig, 1);
    powerloss_limit(0);
    rig_wait(&rig, &rig.owns);
    rig_turn(&rig, 0);
    append_many(&rig, 100, 100, 1000);
    rig_wait_answers(&rig);
    assert_stored_is_what_was_acknowledged(&rig, 200);
    end(&rig);
}

static void a_failed_sync_loses_the_batch_and_heals(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    unsigned n = 0;
    for (int round = 0; round < 20; round++) {
        append_many(&rig, n, 20, 200);
        n += 20;
        rig_wait_answers(&rig);
        powerloss_fail_syncs(1);
        append_many(&rig, n, 20, 200);
        rig_turn(&rig, 0);
        append_many(&rig, n + 20, 20, 200); /* gathered behind it */
        rig_wait_answers(&rig);
        for (unsigned i = n; i < n + 40; i++)
            assert_int_equal(answers[i].result.code, XD_STORAGE_FAILED);
        n += 40;
        assert_int_equal(rig.lost_code, XD_STORAGE_FAILED);
        rig_own(&rig);
        assert_stored_is_what_was_acknowledged(&rig, n);
    }
    end(&rig);
}

static void refs_and_cursors_of_a_lost_batch_are_free(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    struct rig_append first, second;
    uint64_t id = 0, other = 0, found;
    powerloss_fail_syncs(1);
    assert_int_equal(rig_order(&rig, "acme", "r1", 1, TOY_KEEP, &id, &first), XD_OK);
    rig_wait_answers(&rig);
    assert_int_equal(first.result.code, XD_STORAGE_FAILED);
    rig_own(&rig);
    assert_int_equal(rig_find_ref(&rig, "acme", "r1", &found), XD_NOT_FOUND);
    assert_int_equal(rig_order(&rig, "acme", "r1", 2, TOY_KEEP, &other, &second), XD_OK);
    assert_int_not_equal(other, id); /* someone may still hold the lost one */
    rig_wait_answers(&rig);
    assert_int_equal(second.result.code, XD_OK);
    end(&rig);
}

static void a_snapshot_that_does_not_fit_harms_nothing(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    append_many(&rig, 0, 50, 0);
    rig_wait_answers(&rig);
    powerloss_limit(powerloss_bytes() + 1500000);
    assert_int_equal(rig_snapshot(&rig), XD_STORAGE_FULL);
    powerloss_limit(0);
    append_many(&rig, 50, 50, 0);
    rig_wait_answers(&rig);
    assert_stored_is_what_was_acknowledged(&rig, 100);
    assert_int_equal(rig_snapshot(&rig), XD_OK);
    struct toy_state before = rig.state;
    rig_restart(&rig);
    assert_memory_equal(&before, &rig.state, sizeof before);
    end(&rig);
}

static void a_disk_that_is_full_at_the_start_says_so(void **state)
{
    (void)state;
    struct rig rig;
    powerloss_start(1);
    rig_init(&rig, POWERLOSS_VFS);
    powerloss_limit(10000);
    struct xd_error error = {0};
    assert_false(rig_open_ledger(&rig, &error));
    assert_int_equal(error.code, XD_STORAGE_FULL);
    powerloss_limit(0);
    rig_open(&rig);
    rig_own(&rig);
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_and_heals),
        cmocka_unit_test(an_owner_that_keeps_trying_heals_by_itself),
        cmocka_unit_test(a_failed_sync_loses_the_batch_and_heals),
        cmocka_unit_test(refs_and_cursors_of_a_lost_batch_are_free),
        cmocka_unit_test(a_snapshot_that_does_not_fit_harms_nothing),
        cmocka_unit_test(a_disk_that_is_full_at_the_start_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

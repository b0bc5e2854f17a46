/* Refs and events between the commit that stores them and the fold that makes them found by their tables. */
#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/rig.h"
#include "tests/support/powerloss_vfs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ORDERS = 60 };
static struct rig_append answers[ORDERS];
static uint64_t ids[ORDERS];

static void start(struct rig *rig)
{
    powerloss_start(1);
    rig_start(rig, POWERLOSS_VFS);
}

static void restart(struct rig *rig)
{
    rig_close(rig);
    powerloss_power_on();
    rig_open(rig);
    rig_own(rig);
}

static void end(struct rig *rig)
{
    rig_free(rig);
    powerloss_end();
}

static enum toy_wish wish_of(unsigned i)
{
    static const enum toy_wish wishes[] = {TOY_KEEP, TOY_CLOSE, TOY_REFUSE};
    return wishes[i % 3];
}

static const char *ref_of(unsigned i)
{
    static char ref[16];
    snprintf(ref, sizeof ref, "r%u", i);
    return ref;
}

/* Orders from..until-1, ten to a batch, until they are durable. */
static void place_orders(struct rig *rig, unsigned from, unsigned until)
{
    for (unsigned i = from; i < until; i++) {
        assert_int_equal(rig_order(rig, "acme", ref_of(i), i, wish_of(i), &ids[i], &answers[i]), XD_OK);
        if (i % 10 == 9) rig_wait_answers(rig);
    }
    rig_wait_answers(rig);
}

/* Each order that was not refused is found, gets the same id again and refuses another; a refused one is
 * gone. */
static void assert_refs(struct rig *rig, unsigned until)
{
    for (unsigned i = 0; i < until; i++) {
        struct rig_append again;
        uint64_t id = 0, other;
        bool refused = wish_of(i) == TOY_REFUSE;
        assert_int_equal(rig_find_ref(rig, "acme", ref_of(i), &id), refused ? XD_NOT_FOUND : XD_OK);
        if (refused) continue;
        assert_int_equal(id, ids[i]);
        assert_int_equal(rig_reserve(rig, "acme", ref_of(i), i + 1000, &other), XD_REF_CONFLICT);
        assert_int_equal(rig_order(rig, "acme", ref_of(i), i, TOY_QUIET, &id, &again), XD_OK);
        assert_int_equal(id, ids[i]);
        rig_wait_answers(rig);
        assert_int_equal(again.result.code, XD_OK);
    }
}

static void assert_tables(struct rig *rig, unsigned until)
{
    rig_wait_folded(rig);
    assert_int_equal(rig_sql(rig, "SELECT count(*) FROM refs"), until - until / 3);
    assert_int_equal(rig_sql(rig, "SELECT count(*) FROM refs WHERE closed_ms IS NOT NULL"), until / 3);
    assert_int_equal(rig_sql(rig, "SELECT folded = next_record AND folded_event = next_event FROM partition"),
                     1);
}

static void a_ref_is_found_before_it_is_folded_and_after(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    place_orders(&rig, 0, ORDERS);
    assert_refs(&rig, ORDERS);
    assert_tables(&rig, ORDERS);
    assert_refs(&rig, ORDERS);
    restart(&rig);
    assert_refs(&rig, ORDERS);
    end(&rig);
}

static void a_ref_is_found_after_a_crash_before_its_fold(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    for (int tries = 0;; tries++) { /* where the machine was slow all may be folded already */
        place_orders(&rig, 0, ORDERS);
        bool unfolded = rig_unfolded(&rig) > 0;
        powerloss_cut_after(1);
        restart(&rig);
        if (unfolded) break;
        assert_true(tries < 5);
        end(&rig);
        start(&rig);
    }
    assert_int_equal(rig_unfolded(&rig), 0); /* the opening folds */
    assert_refs(&rig, ORDERS);
    assert_tables(&rig, ORDERS);
    end(&rig);
}

/* The closing folds, then checkpoints: the power goes in each of their operations. */
static void a_fold_is_stored_whole_or_not_at_all(void **state)
{
    (void)state;
    struct rig rig;
    bool cut = true;
    unsigned cuts = 0;
    for (; cut; cuts += cut) {
        start(&rig);
        place_orders(&rig, 0, ORDERS / 2);
        rig_wait_folded(&rig);
        place_orders(&rig, ORDERS / 2, ORDERS);
        powerloss_cut_after(cuts + 1);
        rig_close(&rig);
        cut = powerloss_is_cut();
        powerloss_power_on();
        rig_open(&rig);
        assert_tables(&rig, ORDERS);
        assert_int_equal(rig_count_events(&rig, "acme", 0, 1 << 20, NULL), ORDERS);
        rig_own(&rig);
        assert_refs(&rig, ORDERS);
        end(&rig);
    }
    print_message("power lost in each of %u operations\n", cuts);
    assert_true(cuts > 10);
}

/* And in the fold of the opening. */
static void a_recovery_can_be_cut_short(void **state)
{
    (void)state;
    struct rig rig;
    bool cut = true;
    for (unsigned cuts = 0; cut; cuts++) {
        struct xd_error error;
        start(&rig);
        place_orders(&rig, 0, ORDERS);
        powerloss_cut_after(1);
        rig_close(&rig);
        powerloss_power_on();
        powerloss_cut_after(cuts + 1);
        if (rig_open_ledger(&rig, &error)) rig_close(&rig);
        cut = powerloss_is_cut();
        powerloss_power_on();
        rig_open(&rig);
        rig_own(&rig);
        assert_refs(&rig, ORDERS);
        assert_tables(&rig, ORDERS);
        end(&rig);
    }
}

static void events_are_read_where_some_are_folded(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig);
    place_orders(&rig, 0, ORDERS / 2);
    uint64_t middle = rig.state.next_event;
    rig_wait_folded(&rig);
    place_orders(&rig, ORDERS / 2, ORDERS);
    for (int folded = 0; folded < 2; folded++) {
        static const size_t runs[] = {1, 500, 1 << 20};
        for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
            assert_int_equal(rig_count_events(&rig, "acme", 0, runs[i], NULL), ORDERS);
            assert_int_equal(rig_count_events(&rig, "acme", middle, runs[i], NULL), ORDERS / 2);
            assert_int_equal(rig_count_events(&rig, "all", 0, runs[i], NULL), ORDERS / 3);
            assert_int_equal(rig_count_events(&rig, "nobody", 0, runs[i], NULL), 0);
            assert_int_equal(rig_count_events(&rig, "*", middle + 3, runs[i], NULL),
                             rig.state.next_event - middle - 3);
        }
        rig_wait_folded(&rig);
    }
    end(&rig);
}

/* Under a load that never pauses. */
static void much_that_waits_is_folded_at_once(void **state)
{
    (void)state;
    enum { MANY = 20000, AT_ONCE = 500 };
    static struct rig_append many[AT_ONCE];
    struct rig rig;
    start(&rig);
    int64_t folded = 0;
    for (unsigned i = 0; i < MANY && folded == 0; i += AT_ONCE) {
        for (unsigned k = 0; k < AT_ONCE; k++) {
            uint64_t id;
            assert_int_equal(rig_order(&rig, "acme", ref_of(i + k), i + k, TOY_KEEP, &id, &many[k]), XD_OK);
        }
        rig_wait_answers(&rig);
        folded = rig_sql(&rig, "SELECT count(*) FROM refs");
    }
    assert_true(folded >= AT_ONCE);
    end(&rig);
}

static void on_lease(void *arg, enum xd_code code, const struct xd_lease *lease)
{
    assert_int_equal(code, XD_OK);
    *(struct xd_lease *)arg = *lease;
}

struct settled {
    bool done;
    enum xd_code code;
};

static void on_settled(void *arg, enum xd_code code)
{
    *(struct settled *)arg = (struct settled){.done = true, .code = code};
}

static enum xd_code settle(struct rig *rig)
{
    struct settled settled = {.done = false};
    xd_ledger_settle(rig->ledger, on_settled, &settled);
    rig_wait(rig, &settled.done);
    return settled.code;
}

/* A commit of the one record that is there, an order that it refuses. */
static void refuse(struct rig *rig)
{
    struct xd_lease lease = {.epoch = 0};
    xd_ledger_acquire(rig->ledger, 0, on_lease, &lease);
    while (lease.epoch == 0)
        rig_turn(rig, 1);
    struct toy_state toy = {.next_record = 0};
    char record[64];
    int len = snprintf(record, sizeof record, "1 r acme r1 %" PRIu64 " ", xd_id(0, 1));
    struct xd_log_entry entry = {.bytes = (const uint8_t *)record, .len = (size_t)len};
    xd_output_clear(&rig->output);
    toy_apply(&toy, &entry, &rig->output);
    xd_ledger_commit(rig->ledger, &(struct xd_commit){.lease = lease, .next = 1, .output = &rig->output});
}

static void a_ref_freed_by_a_lost_commit_is_found_again(void **state)
{
    (void)state;
    struct rig rig;
    powerloss_start(1);
    rig_init(&rig, POWERLOSS_VFS);
    rig_open(&rig);
    for (int folded = 0; folded < 2; folded++) { /* nobody owns: the order waits for its commit */
        struct rig_append append;
        uint64_t id, found;
        if (!folded) assert_int_equal(rig_order(&rig, "acme", "r1", 1, TOY_REFUSE, &id, &append), XD_OK);
        rig_wait_answers(&rig);
        if (folded) rig_wait_folded(&rig);
        refuse(&rig);
        powerloss_fail_syncs(1);
        assert_int_equal(settle(&rig), XD_STORAGE_FAILED);
        assert_int_equal(rig_find_ref(&rig, "acme", "r1", &found), XD_OK);
        assert_int_equal(found, id = xd_id(0, 1));
    }
    uint64_t found;
    refuse(&rig);
    assert_int_equal(settle(&rig), XD_OK);
    assert_int_equal(rig_find_ref(&rig, "acme", "r1", &found), XD_NOT_FOUND);
    assert_int_equal(rig_sql(&rig, "SELECT count(*) FROM refs"), 0);
    assert_int_equal(rig_unfolded(&rig), 0);
    end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ref_is_found_before_it_is_folded_and_after),
        cmocka_unit_test(a_ref_is_found_after_a_crash_before_its_fold),
        cmocka_unit_test(a_fold_is_stored_whole_or_not_at_all),
        cmocka_unit_test(a_recovery_can_be_cut_short),
        cmocka_unit_test(events_are_read_where_some_are_folded),
        cmocka_unit_test(much_that_waits_is_folded_at_once),
        cmocka_unit_test(a_ref_freed_by_a_lost_commit_is_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/rig.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MANY = 12000 };
static struct rig_append answers[MANY];

static struct toy_record numbered(unsigned number)
{
    struct toy_record record = {
        .number = number, .wish = number % 7 == 0 ? TOY_REFUSE : TOY_KEEP, .ref = "-"};
    snprintf(record.account, sizeof record.account, "account-%u", number % 5);
    return record;
}

static void append_many(struct rig *rig, unsigned from, unsigned count, size_t len)
{
    for (unsigned i = from; i < from + count; i++) {
        struct toy_record record = numbered(i);
        rig_append(rig, &record, 0, len, &answers[i]);
    }
}

static void assert_stored(unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++) {
        assert_true(answers[i].done);
        assert_int_equal(answers[i].result.code, XD_OK);
        assert_int_equal(answers[i].result.offset, i);
    }
}

static void an_append_is_answered_then_its_events_are_told(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned i = 0; i < 10; i++) {
        rig.told_after = &answers[i];
        append_many(&rig, i, 1, 200);
        assert_false(answers[i].done); /* never from within the call */
        rig_wait_answers(&rig);
        assert_int_equal(answers[i].result.reached, XD_DURABILITY_FSYNCED);
        assert_true(answers[i].result.outcome_known);
        assert_int_equal(answers[i].result.outcome, i % 7 == 0 ? XD_LAPSED : XD_OK);
    }
    assert_stored(0, 10);
    rig_wait_events(&rig, 14); /* one each, and one more for 0, 3, 6, 9 */
    rig_wait_backlog(&rig);
    assert_string_equal(xd_durability_name(XD_DURABILITY_FSYNCED), "fsynced");
    struct toy_state replayed;
    rig_check_replay(&rig, &replayed);
    assert_memory_equal(&replayed, &rig.state, sizeof replayed);
    rig_free(&rig);
}

/* Whatever records and commits they come in. */
static void a_refusal_is_told_of_its_own_record(void **state)
{
    (void)state;
    enum { ROUNDS = 60, EACH = 50 };
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned i = 0; i < ROUNDS; i++) {
        append_many(&rig, i * EACH, EACH, 2000);
        rig_turn(&rig, 0);
    }
    rig_wait_answers(&rig);
    for (unsigned i = 0; i < ROUNDS * EACH; i++) {
        char words[32] = "";
        if (i % 7 == 0) snprintf(words, sizeof words, "%u is refused", i);
        assert_string_equal(answers[i].refusal.message, words);
        assert_string_equal(answers[i].refusal.field, i % 7 == 0 ? "number" : "");
    }
    rig_free(&rig);
}

static void everything_is_there_after_a_restart(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    for (unsigned life = 0; life < 4; life++) {
        rig_open(&rig);
        rig_own(&rig);
        assert_int_equal(rig.state.next_record, 100 * life);
        append_many(&rig, 100 * life, 100, 0);
        rig_wait_answers(&rig);
        assert_stored(100 * life, 100);
        struct toy_state replayed, before = rig.state;
        rig_check_replay(&rig, &replayed);
        assert_memory_equal(&replayed, &before, sizeof before);
        rig_close(&rig);
    }
    rig_free(&rig);
}

static void what_arrives_during_a_sync_goes_into_one_transaction(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    append_many(&rig, 0, 1, 200);
    rig_turn(&rig, 0); /* the writer has it */
    append_many(&rig, 1, 2000, 200);
    rig_wait_answers(&rig);
    assert_stored(0, 2001);
    /* One for the first, one for the rest; a third if the first was done at once. */
    assert_in_range(rig_sql(&rig, "SELECT count(*) FROM records"), 2, 3);
    assert_in_range(rig_sql(&rig, "SELECT count(*) FROM events"), 2, 3);
    rig_free(&rig);
}

static void a_batch_is_capped_and_never_parts_a_record_from_its_events(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    append_many(&rig, 0, 10000, 0);
    append_many(&rig, 10000, 100, 100000); /* 10 MB */
    rig_wait_answers(&rig);
    assert_stored(0, 10100);
    assert_true(rig_sql(&rig, "SELECT max(count) FROM records") <= 4096);
    assert_true(rig_sql(&rig, "SELECT max(length(bytes)) FROM records") <= (4 << 20) + 200000);
    assert_int_equal(rig_sql(&rig, "SELECT count(*) FROM events e WHERE NOT EXISTS"
                                   " (SELECT 1 FROM records r WHERE r.key + r.count = e.next_record)"),
                     0);
    rig_wait_folded(&rig);
    assert_int_equal(rig_sql(&rig, "SELECT next_record = 10100 AND committed = 10100 FROM partition"), 1);
    struct toy_state replayed;
    rig_check_replay(&rig, &replayed);
    assert_memory_equal(&replayed, &rig.state, sizeof replayed);
    rig_free(&rig);
}

static void too_much_waiting_is_refused_and_passes(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    rig.options.backlog_limit = 100000;
    rig_open(&rig);
    rig_own(&rig);
    append_many(&rig, 0, 2000, 200);
    assert_true(xd_ledger_backlog(rig.ledger) <= xd_ledger_backlog_limit(rig.ledger));
    rig_wait_answers(&rig);
    unsigned stored = 0;
    for (unsigned i = 0; i < 2000; i++) {
        if (answers[i].result.code == XD_OK)
            assert_int_equal(answers[i].result.offset, stored++);
        else
            assert_int_equal(answers[i].result.code, XD_OVERLOADED);
    }
    assert_in_range(stored, 100, 1999);
    assert_int_equal(rig.state.next_record, stored);
    rig_wait_backlog(&rig);
    struct rig_append after;
    struct toy_record record = numbered(1);
    rig_append(&rig, &record, 0, 200, &after);
    rig_wait_answers(&rig);
    assert_int_equal(after.result.code, XD_OK);
    rig_free(&rig);
}

static void on_refused(void *arg, const struct xd_append_result *result)
{
    *(enum xd_code *)arg = result->code;
}

static void records_and_partitions_have_limits(void **state)
{
    (void)state;
    static uint8_t large[(1 << 20) + 1];
    struct rig rig;
    rig_init(&rig, NULL);
    rig_open(&rig);
    enum xd_code too_large = XD_OK, nowhere = XD_OK, largest = XD_INTERNAL;
    xd_ledger_append(rig.ledger, 0, 0, large, sizeof large, on_refused, &too_large);
    xd_ledger_append(rig.ledger, 64, 0, large, 10, on_refused, &nowhere);
    xd_ledger_append(rig.ledger, 63, 0, large, sizeof large - 1, on_refused, &largest);
    assert_int_equal(too_large, XD_OK); /* not yet */
    for (int i = 0; i < 1000 && largest == XD_INTERNAL; i++)
        rig_turn(&rig, 10);
    assert_int_equal(too_large, XD_FRAME_TOO_LARGE);
    assert_int_equal(nowhere, XD_NOT_FOUND);
    assert_int_equal(largest, XD_OK);
    rig_free(&rig);
}

struct at_close {
    unsigned called;
    enum xd_code code;
};

static void on_read_at_close(void *arg, const struct xd_log_run *run)
{
    struct at_close *seen = arg;
    seen->called++;
    seen->code = run->code;
}

static void on_done_at_close(void *arg, enum xd_code code)
{
    struct at_close *seen = arg;
    seen->called++;
    seen->code = code;
}

static void closing_stores_what_is_under_way(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    append_many(&rig, 0, 500, 0);
    struct at_close read = {0}, saved = {0};
    xd_ledger_read_log(rig.ledger, 0, 0, 1000, on_read_at_close, &read);
    xd_ledger_save_cursor(rig.ledger, xd_str_of("a"), xd_str_of("n"), xd_str_of("0.1.5"),
                          on_done_at_close, &saved);
    rig_close(&rig);
    assert_int_equal(rig.waiting, 0);
    assert_stored(0, 500);
    assert_true(answers[499].result.outcome_known);
    assert_int_equal(read.called, 1);
    assert_int_equal(saved.called, 1);
    assert_int_equal(saved.code, XD_OK);
    rig_open(&rig);
    rig_own(&rig);
    assert_int_equal(rig.state.next_record, 500);
    rig_free(&rig);
}

struct settling {
    struct rig *rig;
    bool done;
    enum xd_code code;
    unsigned waiting;
    uint64_t told;
};

static void on_settled(void *arg, enum xd_code code)
{
    struct settling *settling = arg;
    settling->done = true;
    settling->code = code;
    settling->waiting = settling->rig->waiting;
    settling->told = settling->rig->told;
}

static void settling_waits_for_what_was_appended_before(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    struct settling at_rest = {.rig = &rig}, busy = {.rig = &rig};
    xd_ledger_settle(rig.ledger, on_settled, &at_rest);
    assert_false(at_rest.done);
    rig_wait(&rig, &at_rest.done);
    append_many(&rig, 0, 1000, 200);
    rig_turn(&rig, 0);
    append_many(&rig, 1000, 1000, 200);
    xd_ledger_settle(rig.ledger, on_settled, &busy);
    rig_wait(&rig, &busy.done);
    assert_int_equal(busy.code, XD_OK);
    assert_int_equal(busy.waiting, 0);
    assert_int_equal(busy.told, 2000 + 667);
    rig_free(&rig);
}

static void time_never_goes_back(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    int64_t first = rig.clock_ms;
    append_many(&rig, 0, 1, 0);
    rig.clock_ms -= 5000;
    append_many(&rig, 1, 1, 0);
    rig_wait_answers(&rig);
    assert_int_equal(xd_ledger_now_ms(rig.ledger), first);
    rig_close(&rig);
    rig_open(&rig);
    assert_int_equal(xd_ledger_now_ms(rig.ledger), first);
    rig_own(&rig);
    append_many(&rig, 2, 1, 0); /* the owner asserts that times do not decrease */
    rig_wait_answers(&rig);
    assert_int_equal(rig.state.last_ms, first);
    rig.clock_ms = first + 1;
    append_many(&rig, 3, 1, 0);
    rig_wait_answers(&rig);
    assert_int_equal(rig.state.last_ms, first + 1);
    rig_free(&rig);
}

static void an_owner_that_comes_late_catches_up(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    rig_open(&rig);
    append_many(&rig, 0, 300, 0);
    rig_wait_answers(&rig);
    assert_stored(0, 300);
    assert_false(answers[299].result.outcome_known); /* nobody has looked at it */
    append_many(&rig, 300, 300, 5000);
    rig_turn(&rig, 0);
    append_many(&rig, 600, 300, 0); /* some on their way to the disk, some gathered, some not even that */
    rig_own(&rig);
    append_many(&rig, 900, 100, 0);
    rig_wait_answers(&rig);
    assert_stored(0, 1000);
    assert_true(answers[999].result.outcome_known);
    rig_wait_events(&rig, 1000 + 334);
    assert_int_equal(rig.lost_count, 0);
    struct toy_state replayed;
    rig_check_replay(&rig, &replayed);
    assert_memory_equal(&replayed, &rig.state, sizeof replayed);
    rig_free(&rig);
}

struct dumped {
    uint64_t records, events;
    struct toy_state state;
    struct xd_output output;
};

static void on_dumped_record(void *arg, const struct xd_log_entry *entry)
{
    struct dumped *dumped = arg;
    assert_int_equal(entry->offset, dumped->records++);
    toy_apply(&dumped->state, entry, &dumped->output);
}

static void on_dumped_event(void *arg, uint16_t partition, uint32_t generation,
                            const struct xd_event_ref *event)
{
    struct dumped *dumped = arg;
    assert_int_equal(partition, 0);
    assert_int_equal(generation, 1);
    assert_int_equal(event->offset, dumped->events);
    assert_true(dumped->events < dumped->state.next_event); /* what caused it came before */
    dumped->events++;
}

static void a_dump_reads_from_beside(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    struct dumped dumped = {.records = 0};
    xd_output_init(&dumped.output, 1 << 24);
    struct xd_error error = {0};
    assert_false(xd_ledger_dump_sqlite(rig.directory, on_dumped_record, on_dumped_event, &dumped, &error));
    assert_int_equal(error.code, XD_STORAGE_FAILED);
    rig_open(&rig);
    rig_own(&rig);
    for (unsigned i = 0; i < 10; i++) {
        append_many(&rig, 50 * i, 50, 0);
        rig_wait_answers(&rig);
    }
    for (int closed = 0; closed < 2; closed++) {
        dumped.records = dumped.events = 0;
        memset(&dumped.state, 0, sizeof dumped.state);
        xd_output_clear(&dumped.output);
        assert_true(xd_ledger_dump_sqlite(rig.directory, on_dumped_record, on_dumped_event, &dumped, &error));
        assert_int_equal(dumped.records, 500);
        assert_int_equal(dumped.events, dumped.state.next_event);
        if (!closed) rig_close(&rig);
    }
    xd_output_free(&dumped.output);
    rig_free(&rig);
}

static void a_directory_has_one_holder_and_one_market(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    rig_open(&rig);
    struct xd_error error = {0};
    assert_null(xd_ledger_open_sqlite(rig.base, &rig.options, &error));
    assert_int_equal(error.code, XD_STORAGE_FAILED);
    assert_non_null(strstr(error.message, "held by another process"));
    rig_close(&rig);

    rig.options.market.currency = xd_currency("CNY", 3);
    assert_false(rig_open_ledger(&rig, &error));
    assert_string_equal(error.field, "currency");
    rig.options.market = (struct xd_market){.currency = xd_currency("EUR", 3), .road_factor_e4 = 13000};
    assert_false(rig_open_ledger(&rig, &error));
    assert_string_equal(error.field, "road_factor");
    rig.options.market_given = false;
    rig_open(&rig);
    assert_int_equal(xd_ledger_market(rig.ledger).road_factor_e4, 12500);
    assert_int_equal(xd_ledger_generation(rig.ledger, 0), 1);
    rig_sql(&rig, "UPDATE meta SET value = 3 WHERE name = 'version'");
    rig_close(&rig);
    assert_false(rig_open_ledger(&rig, &error));
    assert_non_null(strstr(error.message, "version 3"));

    char file[128];
    snprintf(file, sizeof file, "%s/lock/below", rig.directory);
    rig.options.directory = file;
    assert_false(rig_open_ledger(&rig, &error));
    assert_int_equal(error.code, XD_STORAGE_FAILED);
    rig_free(&rig);
}

static void the_write_ahead_log_stays_small(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    char path[128];
    snprintf(path, sizeof path, "%s/ledger.db-wal", rig.directory);
    off_t largest = 0;
    for (unsigned round = 0; round < 40; round++) {
        append_many(&rig, 20 * round, 20, 80000); /* 64 MB in all, while a reader reads */
        rig_wait_answers(&rig);
        rig_count_events(&rig, "account-1", 0, 100000, NULL);
        struct stat wal;
        assert_int_equal(stat(path, &wal), 0);
        largest = wal.st_size > largest ? wal.st_size : largest;
    }
    assert_in_range(largest, 1, 24 << 20);
    rig_free(&rig);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(an_append_is_answered_then_its_events_are_told),
        cmocka_unit_test(a_refusal_is_told_of_its_own_record),
        cmocka_unit_test(everything_is_there_after_a_restart),
        cmocka_unit_test(too_much_waiting_is_refused_and_passes),
        cmocka_unit_test(closing_stores_what_is_under_way),
        cmocka_unit_test(settling_waits_for_what_was_appended_before),
        cmocka_unit_test(time_never_goes_back),
        cmocka_unit_test(an_owner_that_comes_late_catches_up),
    };
    const struct CMUnitTest embedded[] = {
        cmocka_unit_test(what_arrives_during_a_sync_goes_into_one_transaction),
        cmocka_unit_test(a_batch_is_capped_and_never_parts_a_record_from_its_events),
        cmocka_unit_test(records_and_partitions_have_limits),
        cmocka_unit_test(a_dump_reads_from_beside),
        cmocka_unit_test(a_directory_has_one_holder_and_one_market),
        cmocka_unit_test(the_write_ahead_log_stays_small),
    };
    if (rig_choose(argc > 1 ? argv[1] : NULL)) return cmocka_run_group_tests(both, NULL, NULL);
    return cmocka_run_group_tests(both, NULL, NULL) + cmocka_run_group_tests(embedded, NULL, NULL);
}

#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/rig.h"

#include <stdio.h>
#include <string.h>

enum { ACCOUNTS = 20, RECORDS = 2000 };
static struct rig_append answers[RECORDS];

/* Record i is account i % ACCOUNTS's; "all" gets an event of every third. */
static void append_some(struct rig *rig, unsigned from, unsigned until)
{
    for (unsigned i = from; i < until; i++) {
        struct toy_record record = {.number = i, .wish = TOY_KEEP, .ref = "-"};
        snprintf(record.account, sizeof record.account, "account-%u", i % ACCOUNTS);
        rig_append(rig, &record, 0, 100, &answers[i]);
    }
    rig_wait_answers(rig);
}

static void an_account_reads_its_own_events(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    for (unsigned i = 0; i < RECORDS; i += 50)
        append_some(&rig, i, i + 50);
    uint64_t thirds = (RECORDS + 2) / 3, all = RECORDS + thirds;
    rig_wait_events(&rig, all);
    static const size_t runs[] = {1, 300, 5000, 1 << 20};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        assert_int_equal(rig_count_events(&rig, "account-3", 0, runs[i], NULL), RECORDS / ACCOUNTS);
        assert_int_equal(rig_count_events(&rig, "all", 0, runs[i], NULL), thirds);
        assert_int_equal(rig_count_events(&rig, "nobody", 0, runs[i], NULL), 0);
        assert_int_equal(rig_count_events(&rig, "account-", 0, runs[i], NULL), 0);
    }
    assert_int_equal(rig_count_events(&rig, "*", 0, 3000, NULL), all);
    assert_int_equal(rig_count_events(&rig, "*", 1111, 3000, NULL), all - 1111);
    assert_int_equal(rig_count_events(&rig, "*", all, 3000, NULL), 0);
    assert_int_equal(rig_count_events(&rig, "*", all + 5, 3000, NULL), 0);
    /* An account with few events costs few blocks: this one's are in one batch of forty. */
    struct toy_record rare = {.number = 1, .wish = TOY_KEEP, .account = "rare", .ref = "-"};
    rig_append(&rig, &rare, 0, 0, &answers[0]);
    rig_wait_answers(&rig);
    assert_int_equal(rig_count_events(&rig, "rare", 0, 1 << 20, NULL), 1);
    rig_wait_folded(&rig);
    assert_int_equal(rig_count_events(&rig, "rare", 0, 1 << 20, NULL), 1);
    if (!rig.on_redis)
        assert_int_equal(rig_sql(&rig, "SELECT count(*) FROM account_events WHERE account = 'rare'"), 1);
    rig_free(&rig);
}

static void append_of(struct rig *rig, const char *account, unsigned count)
{
    struct toy_record record = {.number = 1, .wish = TOY_KEEP, .ref = "-"};
    snprintf(record.account, sizeof record.account, "%s", account);
    for (unsigned i = 0; i < count; i++)
        rig_append(rig, &record, 0, 0, NULL);
}

/* account-4039 and account-23496 have one mark (redis_events.c); the marks of so many events are three
 * strings. */
static void few_events_among_very_many_are_found(void **state)
{
    (void)state;
    enum { MANY = 33000 };
    struct rig rig;
    rig_init(&rig, NULL);
    rig.options.event_retention_s = 3600;
    rig_open(&rig);
    rig_own(&rig);
    for (unsigned round = 0; round < 4; round++) {
        append_of(&rig, "account-4039", 1);
        for (unsigned i = 0; i < MANY; i += 1000) {
            append_of(&rig, "account-23496", 1000);
            rig_wait_backlog(&rig);
        }
    }
    rig_wait_events(&rig, 4 * (MANY + 1));
    assert_int_equal(rig_count_events(&rig, "account-4039", 0, 1 << 20, NULL), 4);
    assert_int_equal(rig_count_events(&rig, "account-4039", 1, 1 << 20, NULL), 3);
    assert_int_equal(rig_count_events(&rig, "account-23496", 0, 1 << 20, NULL), 4 * MANY);
    assert_int_equal(rig_count_events(&rig, "account-23495", 0, 1 << 20, NULL), 0);
    if (rig.on_redis) assert_string_equal(redis_cli(&rig.server, "strlen 'xd:{p0}:marks:1'"), "262144");
    rig.clock_ms += 3600 * 1000 + 1;
    append_of(&rig, "account-4039", 1);
    for (int i = 0; i < 100 && xd_ledger_event_oldest(rig.ledger, 0) < 4 * (MANY + 1); i++)
        rig_turn(&rig, 100);
    assert_int_equal(rig_count_events(&rig, "account-4039", 0, 1 << 20, NULL), 1);
    if (rig.on_redis)
        assert_string_equal(redis_cli(&rig.server, "keys 'xd:{p0}:marks:*'"), "xd:{p0}:marks:2");
    rig_free(&rig);
}

struct seen {
    bool done;
    uint32_t count;
    uint64_t next;
    size_t bytes;
};

static void on_run(void *arg, const struct xd_event_run *run)
{
    struct seen *seen = arg;
    *seen = (struct seen){.done = true, .count = run->count, .next = run->next};
    for (uint32_t i = 0; i < run->count; i++)
        seen->bytes += run->events[i].len;
}

static void a_run_is_bounded(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    append_some(&rig, 0, RECORDS);
    struct seen seen = {.done = false};
    xd_ledger_read_events(rig.ledger, 0, 0, xd_str_of("*"), 1000, on_run, &seen);
    rig_wait(&rig, &seen.done);
    assert_in_range(seen.bytes, 1000, 1100); /* the event that passes the limit is the last */
    assert_int_equal(seen.next, seen.count);
    rig_free(&rig);
}

static void old_events_are_trimmed(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, NULL);
    rig.options.event_retention_s = 3600;
    rig_open(&rig);
    rig_own(&rig);
    for (unsigned i = 0; i < 1000; i += 50)
        append_some(&rig, i, i + 50);
    uint64_t trimmed = xd_ledger_event_head(rig.ledger, 0);
    assert_int_equal(trimmed, 1000 + 334);
    rig.clock_ms += 3600 * 1000 + 1;
    for (unsigned i = 1000; i < 1200; i += 50)
        append_some(&rig, i, i + 50);
    for (int i = 0; i < 100 && xd_ledger_event_oldest(rig.ledger, 0) < trimmed; i++)
        rig_turn(&rig, 100);
    assert_int_equal(xd_ledger_event_oldest(rig.ledger, 0), trimmed);
    uint64_t oldest;
    assert_int_equal(rig_count_events(&rig, "*", 0, 5000, &oldest), 200 + 66);
    assert_int_equal(oldest, trimmed);
    assert_int_equal(rig_count_events(&rig, "account-3", 5, 5000, &oldest), 10);
    if (!rig.on_redis) {
        static const char orphans[] =
            "SELECT count(*) FROM account_events WHERE key NOT IN (SELECT key FROM events)";
        assert_int_equal(rig_sql(&rig, orphans), 0);
        assert_int_equal(rig_sql(&rig, "SELECT sum(count) FROM records"), 1200); /* no snapshot: the log stays */
    }
    rig_close(&rig);
    rig_open(&rig);
    assert_int_equal(xd_ledger_event_oldest(rig.ledger, 0), trimmed);
    rig_free(&rig);
}

struct cursor {
    bool done;
    enum xd_code code;
    struct xd_event_id next;
};

static void on_cursor(void *arg, enum xd_code code, struct xd_str text)
{
    struct cursor *cursor = arg;
    *cursor = (struct cursor){.done = true, .code = code};
    if (code == XD_OK) assert_true(xd_cursor_parse(text.at, text.len, &cursor->next));
}

static void on_saved(void *arg, enum xd_code code)
{
    *(struct cursor *)arg = (struct cursor){.done = true, .code = code};
}

static struct cursor load(struct rig *rig, const char *account, const char *name)
{
    struct cursor cursor = {.done = false};
    xd_ledger_load_cursor(rig->ledger, xd_str_of(account), xd_str_of(name), on_cursor, &cursor);
    rig_wait(rig, &cursor.done);
    return cursor;
}

static enum xd_code save(struct rig *rig, const char *account, const char *name, uint64_t offset)
{
    struct cursor cursor = {.done = false};
    char text[XD_ID_TEXT];
    xd_cursor_format((struct xd_event_id){.partition = 3, .generation = 2, .offset = offset}, text);
    xd_ledger_save_cursor(rig->ledger, xd_str_of(account), xd_str_of(name), xd_str_of(text), on_saved, &cursor);
    rig_wait(rig, &cursor.done);
    return cursor.code;
}

static void cursors_are_kept(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    assert_int_equal(load(&rig, "acme", "app").code, XD_NOT_FOUND);
    assert_int_equal(save(&rig, "acme", "app", 5), XD_OK);
    assert_int_equal(save(&rig, "acme", "app", 7), XD_OK);
    assert_int_equal(save(&rig, "acme", "other", 1), XD_OK);
    rig_close(&rig);
    rig_open(&rig);
    struct cursor cursor = load(&rig, "acme", "app");
    assert_int_equal(cursor.code, XD_OK);
    assert_int_equal(cursor.next.partition, 3);
    assert_int_equal(cursor.next.generation, 2);
    assert_int_equal(cursor.next.offset, 7);
    assert_int_equal(load(&rig, "acme", "nope").code, XD_NOT_FOUND);
    char long_name[200];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(save(&rig, "acme", long_name, 1), XD_TOO_LONG);
    assert_int_equal(load(&rig, "acme", long_name).code, XD_NOT_FOUND);
    rig_free(&rig);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(an_account_reads_its_own_events),
        cmocka_unit_test(few_events_among_very_many_are_found),
        cmocka_unit_test(a_run_is_bounded),
        cmocka_unit_test(old_events_are_trimmed),
        cmocka_unit_test(cursors_are_kept),
    };
    rig_choose(argc > 1 ? argv[1] : NULL);
    return cmocka_run_group_tests(both, NULL, NULL);
}

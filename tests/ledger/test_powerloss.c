/* Loss of power at random operations of the disk: everything acknowledged must be there afterwards, in order,
 * with the events that it causes and the refs that it took; and without syncs, losses must show (else this
 * test sees nothing).
 *
 *   test_ledger_powerloss [CUTS [SEED]] */
#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/rig.h"
#include "tests/support/powerloss_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIFE_CUTS = 8, LIFE_RECORDS = 6000, IN_FLIGHT = 64, DEFAULT_CUTS = 1000 };

static unsigned long cuts_wanted = DEFAULT_CUTS;
static unsigned long first_seed = 1;

/* What one disk has acknowledged through all its losses of power. */
struct life {
    struct rig rig;
    uint64_t random;
    size_t large;    /* bytes of the larger records; 0: none, else the log is checkpointed now and then */
    uint64_t rounds; /* of work, about, between an opening and a closing */
    uint64_t next_number;
    struct {
        bool acknowledged;
        uint64_t offset;
        uint64_t order_id; /* 0: not an order */
        enum toy_wish wish;
    } records[LIFE_RECORDS]; /* by number */
    uint64_t told;           /* events */
    uint64_t cursor;         /* acknowledged */
    uint64_t saving;         /* a cursor on its way, 0: none */
    struct {
        struct rig_append append;
        uint64_t number;
    } flying[IN_FLIGHT];
    unsigned flying_count;
};

static struct life life;
static unsigned long acknowledged_in_all, cuts_while_working, cuts_in_checkpoints;

static uint64_t chance(uint64_t n)
{
    life.random = life.random * 6364136223846793005u + 1442695040888963407u;
    return (life.random >> 33) % n;
}

/* --- the load ------------------------------------------------------------------------------------------- */

static void collect_answers(void)
{
    for (unsigned i = 0; i < life.flying_count; i++) {
        assert_true(life.flying[i].append.done);
        if (life.flying[i].append.result.code != XD_OK) continue;
        life.records[life.flying[i].number].acknowledged = true;
        life.records[life.flying[i].number].offset = life.flying[i].append.result.offset;
        acknowledged_in_all++;
    }
    life.flying_count = 0;
}

static void append_one(void)
{
    static const enum toy_wish wishes[] = {TOY_KEEP, TOY_KEEP, TOY_KEEP, TOY_CLOSE, TOY_REFUSE, TOY_QUIET};
    struct toy_record record = {.number = (unsigned)life.next_number, .wish = wishes[chance(6)], .ref = "-"};
    snprintf(record.account, sizeof record.account, "account-%u", (unsigned)chance(7));
    uint64_t order_id = 0;
    bool order = chance(3) > 0;
    if (order) {
        snprintf(record.ref, sizeof record.ref, "ref-%u", record.number);
        if (rig_reserve(&life.rig, record.account, record.ref, life.next_number, &order_id) != XD_OK) return;
    }
    life.records[life.next_number].wish = record.wish;
    life.records[life.next_number].order_id = order_id;
    size_t len = life.large && chance(3) == 0 ? 1 + chance(life.large) : 0;
    life.flying[life.flying_count].number = life.next_number++;
    rig_append(&life.rig, &record, order_id, len, &life.flying[life.flying_count++].append);
}

static void on_cursor_saved(void *arg, enum xd_code code)
{
    (void)arg;
    if (code == XD_OK) life.cursor = life.saving;
    life.saving = 0;
}

static void save_cursor(void)
{
    if (life.saving != 0) return;
    life.saving = life.rig.told;
    char cursor[XD_ID_TEXT];
    xd_cursor_format((struct xd_event_id){.generation = 1, .offset = life.saving}, cursor);
    xd_ledger_save_cursor(life.rig.ledger, xd_str_of("account-1"), xd_str_of("app"), xd_str_of(cursor),
                          on_cursor_saved, NULL);
}

static bool worn_out(void)
{
    return life.next_number + IN_FLIGHT >= LIFE_RECORDS;
}

/* Appends and commits until the power goes, or for a while. */
static void work(void)
{
    while (!powerloss_is_cut() && !worn_out() && chance(life.rounds) > 0) {
        unsigned n = 1 + (unsigned)chance(12);
        for (unsigned i = 0; i < n && life.rig.owns; i++) {
            append_one();
            if (chance(3) == 0) rig_turn(&life.rig, 0);
        }
        if (chance(10) == 0) save_cursor();
        rig_wait_answers(&life.rig);
        collect_answers();
        if (chance(40) == 0 && life.rig.owns) rig_snapshot(&life.rig);
        if (life.rig.owns || powerloss_is_cut()) continue;
        rig_try_own(&life.rig);
    }
}

/* Opens, owns, works, closes (which checkpoints), and again, until the power goes. */
static void live_until_cut(uint64_t operations)
{
    struct xd_error error;
    powerloss_cut_after(operations);
    while (!powerloss_is_cut() && !worn_out() && rig_open_ledger(&life.rig, &error)) {
        if (rig_try_own(&life.rig)) work();
        rig_wait_answers(&life.rig);
        collect_answers();
        life.told = life.rig.told > life.told ? life.rig.told : life.told;
        rig_close(&life.rig);
    }
    cuts_while_working += powerloss_is_cut();
    cuts_in_checkpoints += powerloss_cut_in_database();
}

/* --- the check ------------------------------------------------------------------------------------------ */

struct log_check {
    bool done, end;
    uint64_t next;
    uint64_t acknowledged; /* that were found */
    uint64_t kept_refs, closed_refs;
};

static void on_log(void *arg, const struct xd_log_run *run)
{
    struct log_check *check = arg;
    assert_int_equal(run->code, XD_OK);
    for (uint32_t i = 0; i < run->count; i++) {
        struct toy_record record;
        assert_true(toy_parse(run->entries[i].bytes, run->entries[i].len, &record));
        assert_true(record.number < life.next_number);
        assert_int_equal(record.wish, life.records[record.number].wish);
        if (life.records[record.number].acknowledged) {
            assert_int_equal(run->entries[i].offset, life.records[record.number].offset);
            check->acknowledged++;
        }
        bool order = strcmp(record.ref, "-") != 0;
        check->kept_refs += order && record.wish != TOY_REFUSE;
        check->closed_refs += order && record.wish == TOY_CLOSE;
    }
    check->next += run->count;
    check->end = run->count == 0;
    check->done = true;
}

static void check_log(struct log_check *check)
{
    while (!check->end) {
        check->done = false;
        xd_ledger_read_log(life.rig.ledger, 0, check->next, 1 << 20, on_log, check);
        rig_wait(&life.rig, &check->done);
    }
    uint64_t acknowledged = 0;
    for (uint64_t i = 0; i < life.next_number; i++)
        acknowledged += life.records[i].acknowledged;
    assert_int_equal(check->acknowledged, acknowledged);
}

static void check_counters(const struct log_check *log, const struct toy_state *replayed)
{
    struct rig *rig = &life.rig;
    if (log->next == 0) return;
    /* A record and its commit are one transaction. */
    assert_int_equal(rig_sql(rig, "SELECT next_record FROM partition"), log->next);
    assert_int_equal(rig_sql(rig, "SELECT committed FROM partition"), log->next);
    assert_int_equal(rig_sql(rig, "SELECT next_event FROM partition"), replayed->next_event);
    assert_true(replayed->next_event >= life.told);
    assert_int_equal(rig_sql(rig, "SELECT count(*) FROM refs"), log->kept_refs);
    assert_int_equal(rig_sql(rig, "SELECT count(*) FROM refs WHERE closed_ms IS NOT NULL"), log->closed_refs);
    assert_true(rig_sql(rig, "SELECT coalesce(max(next), 0) FROM cursors") >= (int64_t)life.cursor);
    assert_int_equal(rig_sql(rig, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"),
                     1);
}

static void check_some_refs(void)
{
    for (int i = 0; i < 5 && life.next_number > 0; i++) {
        uint64_t number = chance(life.next_number), id;
        if (!life.records[number].acknowledged || life.records[number].order_id == 0) continue;
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT coalesce(max(id), 0) FROM refs WHERE ref = 'ref-%u'",
                 (unsigned)number);
        id = (uint64_t)rig_sql(&life.rig, sql);
        assert_int_equal(id, life.records[number].wish == TOY_REFUSE ? 0 : life.records[number].order_id);
    }
}

static void check_everything(void)
{
    rig_open(&life.rig);
    struct log_check log = {.end = false};
    struct toy_state replayed;
    check_log(&log);
    rig_check_replay(&life.rig, &replayed);
    check_counters(&log, &replayed);
    check_some_refs();
    rig_own(&life.rig); /* from the snapshot, where there is one: the same state */
    assert_memory_equal(&life.rig.state, &replayed, sizeof replayed);
    rig_close(&life.rig);
}

/* --- the tests ------------------------------------------------------------------------------------------ */

static void begin_life(uint64_t seed, bool no_sync)
{
    memset(&life, 0, sizeof life);
    powerloss_start(seed);
    life.random = seed;
    life.large = seed / LIFE_CUTS % 4 == 3 ? 400000 : 0;
    life.rounds = seed / LIFE_CUTS % 4 == 2 ? 3 : 60;
    rig_init(&life.rig, POWERLOSS_VFS);
    life.rig.options.keep_log = true;
    life.rig.options.unsafe_no_sync = no_sync;
}

static void end_life(void)
{
    rig_free(&life.rig);
    powerloss_end();
}

static void nothing_acknowledged_is_lost(void **state)
{
    (void)state;
    for (unsigned long cut = 0; cut < cuts_wanted;) {
        unsigned long seed = first_seed + cut;
        begin_life(seed, false);
        for (int i = 0; i < LIFE_CUTS && cut < cuts_wanted; i++, cut++) {
            /* The first may hit the very making of the files; large records reach into checkpoints. */
            uint64_t most = i == 0 ? 120 : life.large ? 8000 : 900;
            live_until_cut(1 + chance(most));
            powerloss_power_on();
            check_everything();
        }
        end_life();
    }
    print_message("%lu cuts, %lu of them in a checkpoint; %lu records acknowledged before them\n",
                  cuts_while_working, cuts_in_checkpoints, acknowledged_in_all);
    assert_true(acknowledged_in_all > cuts_wanted);
    assert_true(cuts_while_working >= cuts_wanted - cuts_wanted / 20);
    assert_true(cuts_in_checkpoints > 0);
}

/* Whether what was acknowledged is missing, or the file is no ledger any more. */
static bool something_is_lost(void)
{
    struct xd_error error;
    uint64_t acknowledged = 0;
    for (uint64_t i = 0; i < life.next_number; i++) {
        if (life.records[i].acknowledged && life.records[i].offset >= acknowledged)
            acknowledged = life.records[i].offset + 1;
    }
    if (!rig_open_ledger(&life.rig, &error)) return true;
    uint64_t stored = (uint64_t)rig_sql(&life.rig, "SELECT coalesce(max(next_record), 0) FROM partition");
    rig_close(&life.rig);
    return stored < acknowledged;
}

static void without_syncs_losses_show(void **state)
{
    (void)state;
    unsigned losses = 0;
    for (unsigned i = 0; i < 20; i++) {
        begin_life(first_seed + i, true);
        live_until_cut(300);
        powerloss_power_on();
        losses += something_is_lost();
        end_life();
    }
    print_message("without syncs 20 cuts lost something %u times\n", losses);
    assert_true(losses > 0);
}

int main(int argc, char **argv)
{
    if (argc > 1) cuts_wanted = strtoul(argv[1], NULL, 10);
    if (argc > 2) first_seed = strtoul(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost),
        cmocka_unit_test(without_syncs_losses_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

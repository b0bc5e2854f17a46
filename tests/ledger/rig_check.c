/* What a ledger holds: its events counted, all of them compared with those of a replay, its tables asked. */
#include "tests/ledger/rig.h"
#include "tests/ledger/cmocka_all.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

struct counting {
    bool done, end;
    uint64_t next, count, oldest, last;
};

static void on_event_run(void *arg, const struct xd_event_run *run)
{
    struct counting *counting = arg;
    assert_int_equal(run->code, XD_OK);
    for (uint32_t i = 0; i < run->count; i++) {
        assert_true(run->events[i].offset >= counting->last);
        counting->last = run->events[i].offset + 1;
    }
    assert_true(run->next >= counting->next && run->next >= counting->last);
    counting->end = run->next == counting->next;
    counting->count += run->count;
    counting->next = run->next;
    counting->oldest = run->oldest;
    counting->done = true;
}

uint64_t rig_count_events(struct rig *rig, const char *account, uint64_t from, size_t max_bytes,
                          uint64_t *oldest)
{
    struct counting counting = {.next = from};
    do {
        counting.done = false;
        xd_ledger_read_events(rig->ledger, 0, counting.next, xd_str_of(account), max_bytes, on_event_run,
                              &counting);
        rig_wait(rig, &counting.done);
    } while (!counting.end);
    if (oldest) *oldest = counting.oldest;
    return counting.count;
}

struct checking {
    struct toy_state state;
    struct xd_output output; /* all that the toy makes of the log */
    uint64_t committed, events;
    uint64_t compared; /* events */
    bool done, end;
};

static void on_check_log(void *arg, const struct xd_log_run *run)
{
    struct checking *checking = arg;
    assert_int_equal(run->code, XD_OK);
    for (uint32_t i = 0; i < run->count; i++) {
        assert_int_equal(run->entries[i].offset, checking->state.next_record);
        assert_true(run->entries[i].time_ms >= checking->state.last_ms);
        if (run->entries[i].offset < run->committed)
            toy_apply(&checking->state, &run->entries[i], &checking->output);
        else
            checking->state.next_record++;
    }
    checking->committed = run->committed;
    checking->events = run->events;
    checking->end = run->count == 0;
    checking->done = true;
}

static void on_check_events(void *arg, const struct xd_event_run *run)
{
    struct checking *checking = arg;
    const size_t *ends = (const size_t *)(const void *)checking->output.ends.data;
    assert_int_equal(run->code, XD_OK);
    for (uint32_t i = 0; i < run->count; i++) {
        uint64_t offset = run->events[i].offset;
        assert_int_equal(offset, checking->compared);
        assert_true(offset < xd_output_event_count(&checking->output));
        size_t from = offset ? ends[offset - 1] : 0;
        assert_int_equal(run->events[i].len, ends[offset] - from);
        assert_memory_equal(run->events[i].bytes, checking->output.events.data + from, run->events[i].len);
        checking->compared++;
    }
    checking->end = run->count == 0;
    checking->done = true;
}

void rig_check_replay(struct rig *rig, struct toy_state *state)
{
    struct checking checking = {.end = false};
    xd_output_init(&checking.output, 256 << 20);
    while (!checking.end) {
        checking.done = false;
        xd_ledger_read_log(rig->ledger, 0, checking.state.next_record, 1 << 20, on_check_log, &checking);
        rig_wait(rig, &checking.done);
    }
    checking.end = false;
    while (!checking.end) {
        checking.done = false;
        xd_ledger_read_events(rig->ledger, 0, checking.compared, xd_str_of("*"), 1 << 20, on_check_events,
                              &checking);
        rig_wait(rig, &checking.done);
    }
    assert_int_equal(checking.compared, xd_output_event_count(&checking.output));
    assert_int_equal(checking.compared, checking.events);
    xd_output_free(&checking.output);
    *state = checking.state;
}

int64_t rig_sql(struct rig *rig, const char *sql)
{
    char path[128];
    snprintf(path, sizeof path, "%s/ledger.db", rig->directory);
    sqlite3 *db;
    sqlite3_stmt *statement;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    assert_int_equal(sqlite3_open_v2(path, &db, flags, rig->options.vfs), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_wal_autocheckpoint(db, 0);
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    int64_t value = result == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

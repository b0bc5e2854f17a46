#include "tests/ledger/rig.h"
#include "tests/ledger/cmocka_all.h"

#include <dirent.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_CAPACITY = 1 << 21, WAIT_S = 20 };

/* --- the rig -------------------------------------------------------------------------------------------- */

static int64_t rig_clock(void *arg)
{
    return ((struct rig *)arg)->clock_ms;
}

static bool on_redis;

bool rig_choose(const char *backend)
{
    on_redis = backend && strcmp(backend, "redis") == 0;
    return on_redis;
}

/* What makes the tests' Redis: every write synced, nothing thrown away. */
static void init_redis(struct rig *rig)
{
    rig->on_redis = true;
    redis_server_start(&rig->server);
    snprintf(rig->url, sizeof rig->url, "redis://127.0.0.1:%d", rig->server.port);
    rig->redis = (struct xd_redis_ledger_options){.url = rig->url,
                                                  .partitions = 1,
                                                  .durability = XD_DURABILITY_FSYNCED,
                                                  .lease_ms = 2000,
                                                  .timeout_ms = 5000};
}

static struct xd_ledger *open_redis(struct rig *rig, struct xd_error *error)
{
    rig->redis.market = rig->options.market;
    rig->redis.market_given = rig->options.market_given;
    rig->redis.keep_log = rig->options.keep_log;
    rig->redis.event_retention_s = rig->options.event_retention_s;
    rig->redis.backlog_limit = rig->redis.outbox_limit = rig->options.backlog_limit;
    rig->redis.clock_ms = rig->options.clock_ms;
    rig->redis.clock_arg = rig->options.clock_arg;
    return xd_ledger_open_redis(rig->base, &rig->redis, error);
}

void rig_init(struct rig *rig, const char *vfs)
{
    signal(SIGPIPE, SIG_IGN); /* as the programs do */
    memset(rig, 0, sizeof *rig);
    snprintf(rig->directory, sizeof rig->directory, "/tmp/xd-ledger-XXXXXX");
    assert_non_null(mkdtemp(rig->directory));
    rig->clock_ms = INT64_C(1900000000000);
    rig->options = (struct xd_sqlite_options){
        .directory = rig->directory,
        .market = {.currency = xd_currency("EUR", 3), .road_factor_e4 = 12500},
        .market_given = true,
        .backlog_limit = 64 << 20,
        .clock_ms = rig_clock,
        .clock_arg = rig,
        .vfs = vfs,
    };
    xd_output_init(&rig->output, 64 << 20);
    rig->base = event_base_new();
    assert_non_null(rig->base);
    if (on_redis) init_redis(rig);
}

void rig_free(struct rig *rig)
{
    if (rig->ledger) rig_close(rig);
    xd_output_free(&rig->output);
    event_base_free(rig->base);
    if (rig->on_redis) redis_server_remove(&rig->server);
    DIR *directory = opendir(rig->directory);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", rig->directory, entry->d_name);
        unlink(path);
    }
    if (directory) closedir(directory);
    rmdir(rig->directory);
}

static void on_events(void *arg, uint16_t partition, const struct xd_event_ref *events, uint32_t count)
{
    struct rig *rig = arg;
    assert_int_equal(partition, 0);
    assert_true(!rig->told_after || rig->told_after->done);
    if (count == 0) rig->told = xd_ledger_event_head(rig->ledger, 0); /* a new generation */
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(events[i].offset, rig->told);
        assert_true(events[i].len > 0);
        rig->told++;
    }
    assert_int_equal(xd_ledger_event_head(rig->ledger, 0), rig->told);
}

bool rig_open_ledger(struct rig *rig, struct xd_error *error)
{
    rig->ledger =
        rig->on_redis ? open_redis(rig, error) : xd_ledger_open_sqlite(rig->base, &rig->options, error);
    if (!rig->ledger) return false;
    rig->told = xd_ledger_event_head(rig->ledger, 0);
    xd_ledger_follow_events(rig->ledger, on_events, rig);
    return true;
}

void rig_open(struct rig *rig)
{
    struct xd_error error = {0};
    if (!rig_open_ledger(rig, &error)) fail_msg("open: %s", error.message);
}

void rig_close(struct rig *rig)
{
    rig->own_again = false;
    xd_ledger_close(rig->ledger);
    rig->ledger = NULL;
    rig->owns = false;
}

/* --- turning -------------------------------------------------------------------------------------------- */

void rig_turn(struct rig *rig, int ms)
{
    event_base_loopexit(rig->base, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
    event_base_loop(rig->base, EVLOOP_ONCE);
}

static int64_t monotonic_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

void rig_wait(struct rig *rig, const bool *flag)
{
    int64_t start = monotonic_s();
    while (!*flag) {
        if (monotonic_s() - start > WAIT_S) fail_msg("waited for %d s", WAIT_S);
        event_base_loop(rig->base, EVLOOP_ONCE);
    }
}

void rig_wait_answers(struct rig *rig)
{
    int64_t start = monotonic_s();
    while (rig->waiting > 0) {
        if (monotonic_s() - start > WAIT_S) fail_msg("%u appends are not answered", rig->waiting);
        event_base_loop(rig->base, EVLOOP_ONCE);
    }
}

void rig_wait_events(struct rig *rig, uint64_t told)
{
    int64_t start = monotonic_s();
    while (rig->told < told) {
        if (monotonic_s() - start > WAIT_S)
            fail_msg("%llu of %llu events told", (unsigned long long)rig->told, (unsigned long long)told);
        event_base_loop(rig->base, EVLOOP_ONCE);
    }
}

void rig_wait_backlog(struct rig *rig)
{
    int64_t start = monotonic_s();
    while (xd_ledger_backlog(rig->ledger) > 0) {
        if (monotonic_s() - start > WAIT_S) fail_msg("%zu bytes wait", xd_ledger_backlog(rig->ledger));
        event_base_loop(rig->base, EVLOOP_ONCE);
    }
}

/* --- the owner ------------------------------------------------------------------------------------------ */

struct owning {
    struct rig *rig;
    bool done, ok;
};

static void apply_and_commit(struct rig *rig, const struct xd_log_entry *entries, uint32_t count)
{
    struct xd_commit commit = {.lease = rig->lease,
                               .previous = rig->state.next_record,
                               .first_event = rig->state.next_event,
                               .output = &rig->output};
    xd_output_clear(&rig->output);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(entries[i].offset, rig->state.next_record);
        assert_true(entries[i].time_ms >= rig->state.last_ms);
        toy_apply(&rig->state, &entries[i], &rig->output);
    }
    commit.next = rig->state.next_record;
    xd_ledger_commit(rig->ledger, &commit);
}

static void on_records(void *arg, const struct xd_log_entry *entries, uint32_t count)
{
    struct rig *rig = arg;
    rig->runs++;
    apply_and_commit(rig, entries, count);
}

static void start_owning(struct rig *rig, struct owning *owning);

static void on_lost(void *arg, enum xd_code code)
{
    struct rig *rig = arg;
    rig->owns = false;
    rig->lost_count++;
    rig->lost_code = code;
    if (rig->own_again && !rig->restoring) start_owning(rig, NULL);
}

static void end_owning(struct rig *rig, struct owning *owning, bool ok)
{
    rig->restoring = false;
    rig->owns = ok;
    if (owning) {
        owning->done = true;
        owning->ok = ok;
    }
}

struct replaying {
    struct rig *rig;
    struct owning *owning;
};

static void read_on(struct replaying *replaying);

static void on_replay(void *arg, const struct xd_log_run *run)
{
    struct replaying *replaying = arg;
    struct rig *rig = replaying->rig;
    struct owning *owning = replaying->owning;
    if (run->code != XD_OK || run->count == 0) {
        free(replaying);
        if (run->code == XD_OK)
            xd_ledger_follow_log(rig->ledger, &rig->lease, rig->state.next_record, on_records, on_lost, rig);
        end_owning(rig, owning, run->code == XD_OK);
        return;
    }
    uint32_t i = 0;
    xd_output_clear(&rig->output);
    for (; i < run->count && run->entries[i].offset < run->committed; i++) {
        assert_int_equal(run->entries[i].offset, rig->state.next_record);
        toy_apply(&rig->state, &run->entries[i], &rig->output);
    }
    if (i < run->count) {
        assert_int_equal(rig->state.next_event, run->events);
        apply_and_commit(rig, run->entries + i, run->count - i);
    }
    read_on(replaying);
}

static void read_on(struct replaying *replaying)
{
    struct rig *rig = replaying->rig;
    xd_ledger_read_log(rig->ledger, 0, rig->state.next_record, 100000, on_replay, replaying);
}

static void on_snapshot(void *arg, enum xd_code code, uint64_t next_record, uint64_t next_event,
                        struct xd_buf *bytes)
{
    struct replaying *replaying = arg;
    struct rig *rig = replaying->rig;
    memset(&rig->state, 0, sizeof rig->state);
    if (code == XD_OK) {
        assert_true(bytes->len >= sizeof rig->state);
        memcpy(&rig->state, bytes->data, sizeof rig->state);
        assert_int_equal(rig->state.next_record, next_record);
        assert_int_equal(rig->state.next_event, next_event);
        for (size_t i = sizeof rig->state; i < bytes->len; i++)
            assert_int_equal(bytes->data[i], (uint8_t)(i * 31 >> 3));
    }
    xd_buf_free(bytes);
    if (code == XD_OK || code == XD_NOT_FOUND) {
        read_on(replaying);
        return;
    }
    end_owning(rig, replaying->owning, false);
    free(replaying);
}

static void on_lease(void *arg, enum xd_code code, const struct xd_lease *lease)
{
    struct replaying *replaying = arg;
    struct rig *rig = replaying->rig;
    if (code == XD_OK) {
        rig->lease = *lease;
        xd_ledger_load_snapshot(rig->ledger, 0, on_snapshot, replaying);
        return;
    }
    struct owning *owning = replaying->owning;
    free(replaying);
    end_owning(rig, owning, false);
    if (rig->own_again) start_owning(rig, owning);
}

static void start_owning(struct rig *rig, struct owning *owning)
{
    struct replaying *replaying = malloc(sizeof *replaying);
    *replaying = (struct replaying){.rig = rig, .owning = owning};
    rig->restoring = true;
    xd_ledger_acquire(rig->ledger, 0, on_lease, replaying);
}

bool rig_try_own(struct rig *rig)
{
    struct owning owning = {.rig = rig};
    start_owning(rig, &owning);
    rig_wait(rig, &owning.done);
    return owning.ok;
}

void rig_own(struct rig *rig)
{
    if (!rig_try_own(rig)) fail_msg("cannot own");
}

void rig_start(struct rig *rig, const char *vfs)
{
    rig_init(rig, vfs);
    rig_open(rig);
    rig_own(rig);
}

void rig_restart(struct rig *rig)
{
    rig_close(rig);
    rig_open(rig);
    rig_own(rig);
}

/* --- appends -------------------------------------------------------------------------------------------- */

static void on_append(void *arg, const struct xd_append_result *result)
{
    struct rig_append *append = arg;
    assert_false(append->done);
    append->done = true;
    append->result = *result;
    append->result.refusal = NULL;
    if (result->refusal) append->refusal = *result->refusal;
    append->rig->waiting--;
    append->rig->answered++;
}

void rig_append(struct rig *rig, const struct toy_record *record, uint64_t order_id, size_t len,
                struct rig_append *append)
{
    static char bytes[RECORD_CAPACITY];
    size_t written = toy_write(record, bytes, sizeof bytes, len);
    if (append) {
        *append = (struct rig_append){.rig = rig};
        rig->waiting++;
    }
    xd_ledger_append(rig->ledger, 0, order_id, (const uint8_t *)bytes, written, append ? on_append : NULL,
                     append);
}

struct reserving {
    bool done;
    enum xd_code code;
    uint64_t id;
};

static void on_reserved(void *arg, enum xd_code code, uint64_t id)
{
    *(struct reserving *)arg = (struct reserving){.done = true, .code = code, .id = id};
}

enum xd_code rig_reserve(struct rig *rig, const char *account, const char *ref, uint64_t digest,
                         uint64_t *order_id)
{
    struct reserving reserving = {.done = false};
    if (xd_ledger_reserve(rig->ledger, 0, xd_str_of(account), xd_str_of(ref),
                          (struct xd_digest){digest, ~digest}, &reserving.code, &reserving.id, on_reserved,
                          &reserving) == XD_RESERVE_LATER)
        rig_wait(rig, &reserving.done);
    if (reserving.code == XD_OK) *order_id = reserving.id;
    return reserving.code;
}

enum xd_code rig_order(struct rig *rig, const char *account, const char *ref, uint64_t digest,
                       enum toy_wish wish, uint64_t *order_id, struct rig_append *append)
{
    enum xd_code code = rig_reserve(rig, account, ref, digest, order_id);
    if (code != XD_OK) return code;
    struct toy_record record = {.number = (unsigned)digest, .wish = wish, .order_id = *order_id};
    snprintf(record.account, sizeof record.account, "%s", account);
    snprintf(record.ref, sizeof record.ref, "%s", ref);
    rig_append(rig, &record, *order_id, 0, append);
    return XD_OK;
}

enum xd_code rig_find_ref(struct rig *rig, const char *account, const char *ref, uint64_t *order_id)
{
    struct reserving finding = {.done = false};
    xd_ledger_find_ref(rig->ledger, xd_str_of(account), xd_str_of(ref), on_reserved, &finding);
    rig_wait(rig, &finding.done);
    *order_id = finding.id;
    return finding.code;
}

/* --- snapshots and folds ------------------------------------------------------------------------------- */

static void on_saved(void *arg, enum xd_code code)
{
    *(struct reserving *)arg = (struct reserving){.done = true, .code = code};
}

enum xd_code rig_add_to_snapshot(struct rig *rig, struct xd_buf *chunk)
{
    struct reserving adding = {.done = false};
    xd_ledger_add_to_snapshot(rig->ledger, &rig->lease, chunk, on_saved, &adding);
    assert_null(chunk->data);
    rig_wait(rig, &adding.done);
    return adding.code;
}

enum xd_code rig_end_snapshot(struct rig *rig)
{
    struct reserving ending = {.done = false};
    xd_ledger_end_snapshot(rig->ledger, &rig->lease, on_saved, &ending);
    rig_wait(rig, &ending.done);
    return ending.code;
}

enum xd_code rig_snapshot(struct rig *rig)
{
    enum { PADDING = 2500000 }; /* so that there are several pieces */
    struct xd_buf bytes;
    xd_buf_init(&bytes, 1 << 24);
    xd_buf_add(&bytes, &rig->state, sizeof rig->state);
    xd_buf_reserve(&bytes, PADDING);
    for (; bytes.len < PADDING; bytes.len++)
        bytes.data[bytes.len] = (uint8_t)(bytes.len * 31 >> 3);
    enum xd_code code =
        xd_ledger_begin_snapshot(rig->ledger, &rig->lease, rig->state.next_record, rig->state.next_event);
    for (size_t at = 0; code == XD_OK && at < bytes.len; at += XD_SNAPSHOT_CHUNK) {
        struct xd_buf chunk;
        size_t left = bytes.len - at;
        xd_buf_init(&chunk, XD_SNAPSHOT_CHUNK);
        xd_buf_add(&chunk, bytes.data + at, left < XD_SNAPSHOT_CHUNK ? left : XD_SNAPSHOT_CHUNK);
        code = rig_add_to_snapshot(rig, &chunk);
    }
    xd_buf_free(&bytes);
    return code == XD_OK ? rig_end_snapshot(rig) : code;
}

int64_t rig_unfolded(struct rig *rig)
{
    if (rig->on_redis) return 0;
    return rig_sql(rig, "SELECT count(*) FROM partition p JOIN records r"
                        " ON r.key >= (p.id << 48) + p.folded AND r.key < (p.id + 1) << 48");
}

void rig_wait_folded(struct rig *rig)
{
    if (rig->on_redis) return;
    int64_t start = monotonic_s();
    while (rig_unfolded(rig) > 0) {
        if (monotonic_s() - start > WAIT_S) fail_msg("not folded after %d s", WAIT_S);
        rig_turn(rig, 20);
    }
    rig_turn(rig, 0); /* the news of it */
}

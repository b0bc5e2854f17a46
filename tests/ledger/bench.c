/* How fast the ledger takes records: closed loops of 200-byte records with so many outstanding, each applied
 * and committed by the toy owner, on the disk that DIRECTORY (default: the current one) is on.
 *
 *   ledger-bench [SECONDS [DIRECTORY]]
 *
 * A line each: outstanding, whether each record is an order with a ref of its own, records acknowledged per
 * second, syncs and bytes written per record. */
#include "core/ledger/ledger_sqlite.h"
#include "tests/ledger/toy.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RECORD_BYTES = 200, ACCOUNTS = 50 };

/* SQLite's calls come here first. */
static atomic_ulong syncs, bytes_written;

int fdatasync(int fd)
{
    atomic_fetch_add(&syncs, 1);
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    atomic_fetch_add(&syncs, 1);
    return (int)syscall(SYS_fsync, fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at)
{
    atomic_fetch_add(&bytes_written, len);
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

struct bench {
    struct event_base *base;
    struct xd_ledger *ledger;
    struct xd_lease lease;
    struct toy_state state;
    struct xd_output output;
    bool orders;
    bool ready, stopping;
    unsigned long appended, acknowledged;
};

static int64_t wall_ms(void *arg)
{
    (void)arg;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "ledger-bench: %s\n", what);
    exit(1);
}

static void on_records(void *arg, const struct xd_log_entry *entries, uint32_t count)
{
    struct bench *bench = arg;
    struct xd_commit commit = {.lease = bench->lease,
                               .previous = bench->state.next_record,
                               .first_event = bench->state.next_event,
                               .output = &bench->output};
    xd_output_clear(&bench->output);
    for (uint32_t i = 0; i < count; i++)
        toy_apply(&bench->state, &entries[i], &bench->output);
    commit.next = bench->state.next_record;
    xd_ledger_commit(bench->ledger, &commit);
}

static void on_lost(void *arg, enum xd_code code)
{
    (void)arg;
    die(xd_code_name(code));
}

static void on_lease(void *arg, enum xd_code code, const struct xd_lease *lease)
{
    struct bench *bench = arg;
    if (code != XD_OK) die(xd_code_name(code));
    bench->lease = *lease;
    xd_ledger_follow_log(bench->ledger, lease, 0, on_records, on_lost, bench);
    bench->ready = true;
}

static void append(struct bench *bench);

static void on_append(void *arg, const struct xd_append_result *result)
{
    struct bench *bench = arg;
    if (result->code != XD_OK) die(xd_code_name(result->code));
    bench->acknowledged++;
    if (!bench->stopping)
        append(bench);
    else if (bench->acknowledged == bench->appended)
        event_base_loopbreak(bench->base);
}

static void append(struct bench *bench)
{
    struct toy_record record = {.number = (unsigned)bench->appended++, .wish = TOY_KEEP, .ref = "-"};
    snprintf(record.account, sizeof record.account, "account-%u", record.number % ACCOUNTS);
    uint64_t order_id = 0;
    if (bench->orders) {
        enum xd_code code;
        snprintf(record.ref, sizeof record.ref, "load-%u", record.number);
        if (xd_ledger_reserve(bench->ledger, 0, xd_str_of(record.account), xd_str_of(record.ref),
                              (struct xd_digest){record.number, 1}, &code, &order_id, NULL,
                              NULL) != XD_RESERVE_NOW ||
            code != XD_OK)
            die("reserve");
    }
    char bytes[RECORD_BYTES + 1];
    size_t len = toy_write(&record, bytes, sizeof bytes, RECORD_BYTES);
    xd_ledger_append(bench->ledger, 0, order_id, (const uint8_t *)bytes, len, on_append, bench);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ((struct bench *)arg)->stopping = true;
}

static void measure(struct bench *bench, unsigned outstanding, double duration)
{
    unsigned long syncs_before = atomic_load(&syncs), bytes_before = atomic_load(&bytes_written);
    double start = seconds();
    struct timeval end = {.tv_sec = (time_t)duration,
                          .tv_usec = (suseconds_t)((duration - (int)duration) * 1e6)};
    event_base_once(bench->base, -1, EV_TIMEOUT, on_end, bench, &end);
    for (unsigned i = 0; i < outstanding; i++)
        append(bench);
    event_base_dispatch(bench->base);
    double taken = seconds() - start, records = (double)bench->acknowledged;
    printf("outstanding %4u  %s  %9.0f /s  %.4f syncs  %5.0f bytes\n", outstanding,
           bench->orders ? "refs" : "none", records / taken,
           (double)(atomic_load(&syncs) - syncs_before) / records,
           (double)(atomic_load(&bytes_written) - bytes_before) / records);
    fflush(stdout);
}

static void run(const char *parent, unsigned outstanding, bool orders, double duration)
{
    char directory[256], command[300];
    snprintf(directory, sizeof directory, "%s/ledger-bench-XXXXXX", parent);
    if (!mkdtemp(directory)) die("cannot make a directory");
    struct bench bench = {.base = event_base_new(), .orders = orders};
    struct xd_sqlite_options options = {.directory = directory,
                                        .market = {xd_currency("EUR", 3), 12500},
                                        .market_given = true,
                                        .backlog_limit = 64 << 20,
                                        .clock_ms = wall_ms};
    struct xd_error error;
    xd_output_init(&bench.output, 64 << 20);
    bench.ledger = xd_ledger_open_sqlite(bench.base, &options, &error);
    if (!bench.ledger) die(error.message);
    xd_ledger_acquire(bench.ledger, 0, on_lease, &bench);
    while (!bench.ready)
        event_base_loop(bench.base, EVLOOP_ONCE);
    measure(&bench, outstanding, duration);
    xd_ledger_close(bench.ledger);
    event_base_free(bench.base);
    xd_output_free(&bench.output);
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    if (system(command) != 0) die("cannot remove the directory");
}

int main(int argc, char **argv)
{
    static const unsigned outstanding[] = {1, 16, 256, 1024};
    double duration = argc > 1 ? atof(argv[1]) : 2;
    const char *parent = argc > 2 ? argv[2] : ".";
    for (int orders = 0; orders < 2; orders++) {
        for (size_t i = 0; i < sizeof outstanding / sizeof *outstanding; i++)
            run(parent, outstanding[i], orders, duration);
    }
    return 0;
}

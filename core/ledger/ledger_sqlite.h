/* The embedded ledger: one SQLite database in WAL mode, synchronous FULL, in a directory of its own that one
 * process holds at a time. Group commit: all that arrived while the last commit was being fsynced goes into
 * the next one, the records and the events they caused in one transaction, of at most 4,096 records or 4 MiB
 * of them. A commit appends; what is looked up by key is folded into its tables later (sqlite_fold.h).
 *
 * Two threads of its own serve the event base's: one writes and checkpoints, one reads; callbacks are on the
 * event base's. The write-ahead log is checkpointed at 8 MiB and stays below 64 MiB while the reads of other
 * processes are short (xd_ledger_dump_sqlite's are). Partitions are 0 to 63. */
#ifndef XD_CORE_LEDGER_LEDGER_SQLITE_H
#define XD_CORE_LEDGER_LEDGER_SQLITE_H

#include "core/ledger/ledger.h"

struct event_base;

struct xd_sqlite_options {
    const char *directory;          /* made if missing */
    struct xd_market market;        /* fixed when the directory is first initialised, compared afterwards */
    bool market_given;              /* false: take the directory's; initialise with `market` if new */
    bool keep_log;                  /* records before a snapshot are not trimmed */
    int64_t event_retention_s;      /* events older than this are trimmed; 0: never */
    size_t backlog_limit;           /* bytes waiting for the disk before XD_OVERLOADED */
    int64_t (*clock_ms)(void *arg); /* milliseconds since 1970; may go backwards */
    void *clock_arg;
    const char *vfs;     /* a SQLite VFS by name, NULL for the default */
    bool unsafe_no_sync; /* synchronous OFF: only for the test that shows what it costs */
};

/* Opens or initialises. On failure NULL and *error (the directory is held by another process, belongs to a
 * market of other road factor or currency, cannot be written, is of another version). A directory whose last
 * process died is recovered, which needs some room on the disk: XD_STORAGE_FULL where there is none. */
struct xd_ledger *xd_ledger_open_sqlite(struct event_base *base, const struct xd_sqlite_options *options,
                                        struct xd_error *error);

/* The market that the directory was initialised with. */
struct xd_market xd_ledger_market(const struct xd_ledger *ledger);

/* Reads a directory's ledger from beside (`crossdock log`), while a broker may have it open: calls `record`
 * for every record and `event` for every event, each record before the events it caused. `arg` goes to both.
 * Returns false and *error where it cannot be read. */
bool xd_ledger_dump_sqlite(const char *directory, xd_dump_record_cb *record, xd_dump_event_cb *event,
                           void *arg, struct xd_error *error);

#endif

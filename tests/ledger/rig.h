/* A ledger on either backend, on an event base of its own, with a toy owner and a follower of events that checks what it is
 * told. Calls wait (rig_wait...) by turning the event loop; what goes wrong fails the test. */
#ifndef XD_TESTS_LEDGER_RIG_H
#define XD_TESTS_LEDGER_RIG_H

#include "core/ledger/ledger_redis.h"
#include "core/ledger/ledger_sqlite.h"
#include "tests/support/redis_server.h"
#include "tests/ledger/toy.h"

struct rig;

/* What came of one append: `done` once its callback has been called. */
struct rig_append {
    struct rig *rig;
    bool done;
    struct xd_append_result result; /* without its refusal, */
    struct xd_error refusal;        /* which is kept here */
};

struct rig {
    struct event_base *base;
    struct xd_ledger *ledger;
    struct xd_sqlite_options options;
    bool on_redis;
    struct redis_server server;
    struct xd_redis_ledger_options redis; /* what `options` has too is taken from there */
    char url[64];
    char directory[64];
    int64_t clock_ms;

    /* the owner */
    bool owns;      /* follows the log */
    bool own_again; /* acquires again when it loses */
    bool restoring;
    struct xd_lease lease;
    struct toy_state state;
    struct xd_output output;
    unsigned lost_count;
    enum xd_code lost_code;
    unsigned runs; /* of records given */

    /* the follower of events */
    uint64_t told; /* the offset of the next event */
    const struct rig_append
        *told_after; /* NULL, or an append that must be answered before any event is told */

    unsigned waiting; /* appends that are not answered */
    unsigned answered;
};

/* A fresh directory in /tmp; `vfs` NULL: real files. Nothing is opened. With rig_choose("redis") before: a Redis of its own. */
void rig_init(struct rig *rig, const char *vfs);

/* Which backend rigs are on from now on: "redis", or any other for SQLite. True if Redis. */
bool rig_choose(const char *backend);

/* Removes the directory and frees what remains. */
void rig_free(struct rig *rig);

/* Opens the ledger; false and *error if it cannot be. */
bool rig_open_ledger(struct rig *rig, struct xd_error *error);
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/* Acquires, loads the snapshot, reads the log, commits what had no commit, follows. Returns whether it owns
 * now; tries once. rig_own waits until it does. */
bool rig_try_own(struct rig *rig);
void rig_own(struct rig *rig);

/* Initialised, opened, owned; and closed, opened and owned again. */
void rig_start(struct rig *rig, const char *vfs);
void rig_restart(struct rig *rig);

/* One turn of the event loop, waiting at most `ms`. */
void rig_turn(struct rig *rig, int ms);

/* Turns until *flag, at most 20 s. */
void rig_wait(struct rig *rig, const bool *flag);
void rig_wait_answers(struct rig *rig); /* until no append waits */
void rig_wait_events(struct rig *rig, uint64_t told);
void rig_wait_backlog(struct rig *rig); /* until nothing waits to be stored */

/* Appends a record; `append` NULL: nobody asks what came of it. */
void rig_append(struct rig *rig, const struct toy_record *record, uint64_t order_id, size_t len,
                struct rig_append *append);

/* An order with its ref: reserves, then appends. The code of the reservation; *order_id if it is XD_OK. */
enum xd_code rig_order(struct rig *rig, const char *account, const char *ref, uint64_t digest,
                       enum toy_wish wish, uint64_t *order_id, struct rig_append *append);

/* Waiting forms. */
enum xd_code rig_reserve(struct rig *rig, const char *account, const char *ref, uint64_t digest,
                         uint64_t *order_id);
enum xd_code rig_find_ref(struct rig *rig, const char *account, const char *ref, uint64_t *order_id);
enum xd_code rig_add_to_snapshot(struct rig *rig, struct xd_buf *chunk); /* takes it over */
enum xd_code rig_end_snapshot(struct rig *rig);
/* The toy's state, begun, added and ended. */
enum xd_code rig_snapshot(struct rig *rig);

/* Reads all events of an account from `from` on, in runs of about max_bytes, and counts them; checks their
 * order. */
uint64_t rig_count_events(struct rig *rig, const char *account, uint64_t from, size_t max_bytes,
                          uint64_t *oldest);

/* Replays the whole log with a fresh toy and compares its events with those stored. Fails the test where they
 * differ. The state in the end goes to *state. Only of a log that is all there. */
void rig_check_replay(struct rig *rig, struct toy_state *state);

/* Rows of records that have not been folded into the indexes; turns until there is none. */
int64_t rig_unfolded(struct rig *rig);
void rig_wait_folded(struct rig *rig);

/* A number from the database by SQL, through a connection of its own. */
int64_t rig_sql(struct rig *rig, const char *sql);

#endif

/* The inside of the ledger on Redis. All on the event base's thread.
 *
 *   ledger_redis     opening, closing, the turn that sets everything going again
 *   redis_check      is the server what it should be, and does it still have what we know of?
 *   redis_append     records gathered into entries, one entry of a partition under way at a time
 *   redis_commit     what the owner made of them, likewise; what that leaves to be done with refs
 * (redis_closing) redis_owner      leases, the follower of a log redis_log        the log read redis_out
 * commits followed: outcomes to those who appended, events to the follower redis_events     events and
 * cursors read redis_refs       refs redis_snapshot   snapshots in pieces redis_settle     who waits until
 * all is durable redis_call       commands put together, answers taken apart redis_compress
 * blocks of many events or messages
 *
 * Each thing under way is repeated after a connection broke, and is such that it may be: appends by their
 * serial, commits by what they continue, the rest by its nature. A partition is `suspect` from the first
 * answer that did not come until it has been checked. */
#ifndef XD_CORE_LEDGER_REDIS_LEDGER_H
#define XD_CORE_LEDGER_REDIS_LEDGER_H

#include "core/ledger/backend.h"
#include "core/ledger/ledger_redis.h"
#include "core/ledger/redis_scripts.h"
#include "core/redis/slot.h"

struct event;
struct event_base;
struct xd_acquiring;
struct xd_entry;
struct xd_event_read;
struct xd_commit_node;
struct xd_log_read;
struct xd_closing;
struct xd_redis_save;
struct xd_redis_settle;

/* Called from the event loop, in the order in which they were put off. */
struct xd_put_off {
    struct xd_put_off *next;
    void (*run)(struct xd_put_off *put_off);
};

struct xd_log_follow {
    xd_records_cb *records; /* NULL: there is none */
    xd_lost_cb *lost;
    void *arg;
    uint64_t next;  /* record wanted next */
    char after[48]; /* id of the entry to read behind */
    bool reading;
    uint64_t serial; /* of the follower, so that a read for a former one is known */
};

struct xd_rpart {
    struct xd_redis_ledger *ledger;
    uint16_t id;
    uint16_t slot;
    char state_key[24], log_key[24], out_key[24], lease_key[24], outbox_key[24], seen_key[24], marks_key[24];

    bool suspect, checking;
    int64_t suspect_ms; /* since */
    int64_t looked_ms;
    int64_t ahead_ms;   /* somebody was first told of a generation above ours; 0: nobody */
    bool gone;          /* initialised once, and not there any more */
    bool fsyncs;        /* verified */
    uint32_t generation;
    char
        line[32]; /* of history: the generation, and the server that it began on; "" before the first check */
    uint64_t records, committed, events; /* known to be there */
    uint64_t oldest_event;

    struct xd_lease lease; /* epoch 0: not ours */
    struct xd_acquiring *acquirings;
    enum xd_code refused; /* why the owner's commits are not taken any more: it is about to be told; XD_OK */
    int64_t renewed_ms;
    bool renewing;
    uint64_t renewing_epoch;

    struct xd_entry *entries,
        *last_entry; /* appended: the first may be under way; last only where there is one */
    struct xd_entry *stored, *last_stored; /* durable, and wait for their outcome */
    uint64_t serial;                       /* of the entry under way, or the last that was */
    uint64_t stored_serial; /* of the last one that Redis said to have, in this line; 0: none */
    int64_t stored_ms;
    bool appending;
    uint64_t appended, answered; /* records, since the start */
    uint64_t unseen;             /* bytes of the outbox, as Redis told last */
    int64_t unseen_ms;           /* asked last */
    bool asking_unseen;
    uint64_t order_next, order_end;
    bool ordering;

    struct xd_log_follow follow;
    struct xd_commit_node *commits,
        *last_commit; /* made: the first may be under way; last only where there is one */
    bool committing;
    size_t commits_cost;
    uint64_t commit_serial;     /* of the owner that made them, so that an answer for a former one is known */
    uint64_t made, made_events; /* records and events up to which there are commits, stored or not */
    int64_t given_ms;           /* of the last record given to the owner */
    struct xd_lease releasing;  /* epoch not 0: to be released once the commits are stored */
    struct xd_log_read *waiting_read; /* of the owner, until fewer commits wait */
    struct xd_closing *closings, *last_closing;
    char closed[48];

    bool out_reading;
    uint64_t out_serial;              /* of what is read, so that a read of a former line is known */
    uint64_t out_events, out_records; /* read up to here, and their outcomes told */
    uint64_t told_events, told_records; /* events told up to here */
    uint64_t replicated_events;         /* known to be on the replicas that are asked for, in this line */
    bool replicating;                   /* being asked */
    bool held;                          /* they had not all: commits are passed over, and read again */
    redisReply
        *parked; /* commits that wait until the entry of parked_serial has its offset, then for replicas */
    uint64_t parked_serial, parked_events;
    bool parked_answered;
    struct xd_event_read *waiting_reads; /* until replicas have what was told before this line began */

    uint64_t mark_record; /* the record behind the one whose time is mark_ms */
    int64_t mark_ms;

    struct xd_redis_save *save;
    int64_t trimmed_ms;
    bool trimming;
};

struct xd_redis_ledger {
    struct xd_ledger base;
    struct xd_redis_ledger_options options;
    struct event_base *events;
    struct xd_redis *redis;
    struct xd_redis_scripts scripts;
    struct event *turn_event, *again_timer, *tick_timer, *put_off_event;
    struct xd_market market;
    char process[20]; /* a random name */

    int64_t skew_ms; /* the server's clock less ours */
    int64_t last_ms; /* the last time that was seen in the log */
    size_t backlog;
    uint32_t calls;        /* sent and not answered, but those that block */
    int64_t full_until_ms; /* Redis said that it is full */
    bool agreed;           /* on what the ledger is: partitions may be used */
    bool closing;
    struct xd_error trouble; /* what the check of the start found */

    struct xd_put_off *put_off, *last_put_off; /* last only where there is one */
    struct xd_redis_settle *settles;
    xd_events_cb *on_events;
    void *on_events_arg;
    struct xd_rpart *parts;
};

static inline struct xd_redis_ledger *xd_redis_ledger_of(const struct xd_ledger *ledger)
{
    return (struct xd_redis_ledger *)(void *)(uintptr_t)ledger;
}

/* Connections of a partition's own, on which commands wait. */
enum xd_rpart_lane { XD_LANE_LOG, XD_LANE_COMMITS, XD_LANE_REPLICAS, XD_RPART_LANES };

static inline uint32_t xd_rpart_lane(const struct xd_rpart *p, enum xd_rpart_lane lane)
{
    return XD_REDIS_BLOCKING + XD_RPART_LANES * (uint32_t)p->id + lane;
}

/* NULL where there is no such partition. */
static inline struct xd_rpart *xd_rpart_of(struct xd_redis_ledger *ledger, uint16_t partition)
{
    return partition < ledger->options.partitions ? &ledger->parts[partition] : NULL;
}

/* Whether events are told only once replicas have them. */
static inline bool xd_redis_holds_back(const struct xd_redis_ledger *ledger)
{
    return ledger->options.durability == XD_DURABILITY_REPLICATED && !ledger->options.owner_only;
}

static inline bool xd_rpart_holds(const struct xd_rpart *p, const struct xd_lease *lease)
{
    return p && p->lease.epoch != 0 && p->lease.epoch == lease->epoch && p->lease.nonce == lease->nonce;
}

/* --- ledger_redis ----------------------------------------------------------------------------------------
 */

/* A turn will come at the end of this turn of the event loop; or a little later, after something failed. */
void xd_redis_wake(struct xd_redis_ledger *ledger);
void xd_redis_wake_later(struct xd_redis_ledger *ledger);

int64_t xd_redis_monotonic(void);

/* The log has reached `ms`; the server's clock shows `ms` now. */
void xd_redis_note_time(struct xd_redis_ledger *ledger, int64_t ms);
void xd_redis_note_clock(struct xd_redis_ledger *ledger, int64_t ms);

void xd_redis_put_off(struct xd_redis_ledger *ledger, struct xd_put_off *put_off);

/* Answers a call whose callback says only a code, from the event loop. */
void xd_redis_refuse_done(struct xd_redis_ledger *ledger, enum xd_code code, xd_done_cb *callback, void *arg);

/* An answer did not come, or says that something is amiss: notes it, and has the partition checked. */
void xd_redis_suspect(struct xd_rpart *p, const redisReply *reply);

/* --- redis_call ------------------------------------------------------------------------------------------
 */

enum { XD_ARGS_MAX = 24 };

/* The arguments of a command; texts and bytes stay the caller's until it is sent. */
struct xd_args {
    int count;
    const char *at[XD_ARGS_MAX];
    size_t len[XD_ARGS_MAX];
    char numbers[XD_ARGS_MAX][24];
};

void xd_args_text(struct xd_args *args, const char *text);
void xd_args_bytes(struct xd_args *args, const void *bytes, size_t len);
void xd_args_uint(struct xd_args *args, uint64_t value);

struct xd_redis_to {
    uint32_t lane;
    uint16_t slot;
    const struct xd_redis_script *script;
    bool durable; /* wait for the replicas that the options want */
};

/* Sends; counts the call as under way unless its lane blocks: the callback begins with xd_redis_answered
 * then. */
enum xd_code xd_redis_ask(struct xd_redis_ledger *ledger, const struct xd_redis_to *to,
                          const struct xd_args *args, xd_redis_cb *callback, void *arg);

/* The same with any number of arguments. */
enum xd_code xd_redis_ask_all(struct xd_redis_ledger *ledger, const struct xd_redis_to *to, int argc,
                              const char **argv, const size_t *argvlen, xd_redis_cb *callback, void *arg);
void xd_redis_answered(struct xd_redis_ledger *ledger);

/* Waits for entries of a stream behind the id `after`. False: not sent. */
bool xd_redis_read_stream(struct xd_rpart *p, uint32_t lane, const char *key, const char *after,
                          uint32_t count, xd_redis_cb *callback, void *arg);

/* Numbers and texts in answers, whatever their type; 0, "" where there is none. */
uint64_t xd_reply_uint(const redisReply *reply);
uint64_t xd_reply_uint_at(const redisReply *reply, size_t i);
const char *xd_reply_text(const redisReply *reply);

/* Whether an answer names the line of history that we know of the partition; if not, it is to be checked. */
bool xd_redis_same_line(struct xd_rpart *p, const redisReply *line);

/* The value of a field in a flat list of fields and values, or NULL. */
const redisReply *xd_reply_field(const redisReply *list, const char *name);
bool xd_reply_is_error(const redisReply *reply, const char *kind);

/* "<ms>-<offset>"; false if it is none. */
bool xd_reply_id(const redisReply *reply, uint64_t *high, uint64_t *low);

/* The entries of the one stream that XREAD answered for; NULL for none. */
const redisReply *xd_reply_entries(const redisReply *reply);

/* --- redis_compress --------------------------------------------------------------------------------------
 */

/* Appends a block; failures stay in out->failed. */
void xd_redis_compress(struct xd_buf *out, const struct xd_buf *in);

/* What is in a block, in the place of what was in *out. False if it is none, or without memory. */
bool xd_redis_expand(struct xd_buf *out, const redisReply *block);

/* --- redis_check -----------------------------------------------------------------------------------------
 */

void xd_redis_check(struct xd_rpart *p);

/* Every few seconds, so that a fail-over is noticed by those who tell of it where nothing is written, too. */
void xd_redis_look(struct xd_rpart *p);

bool xd_redis_may_be_behind(struct xd_ledger *ledger, uint16_t partition, uint32_t generation);

/* Whether what the check found is enough for what is promised; else *error. */
bool xd_redis_strong_enough(const struct xd_redis_ledger *ledger, struct xd_error *error);

/* --- redis_append ----------------------------------------------------------------------------------------
 */

void xd_redis_append(struct xd_ledger *ledger, uint16_t partition, uint64_t order_id, const uint8_t *record,
                     size_t len, xd_append_cb *callback, void *arg);
void xd_redis_go_on_appending(struct xd_rpart *p);

/* The serial of the entry that was sent and whose offset is not known, or 0. */
uint64_t xd_redis_unresolved(const struct xd_rpart *p);

/* What became of the records of a commit: outcomes[i] (16 bits) is of record from + i, and so are refusals
 * (struct xd_refusal), in the records' order. */
struct xd_redis_outcomes {
    uint64_t from, next;
    const uint8_t *outcomes;
    size_t len;
    const struct xd_refusal *refusals;
    size_t refusal_count;
};

/* Answers the stored records before `next` with it. */
void xd_redis_tell_outcomes(struct xd_rpart *p, const struct xd_redis_outcomes *of);

/* The line of history has ended: what waits for its outcome may be lost, and so may the refs of what was not
 * stored. All is answered with XD_STORAGE_FAILED; a retry reserves its ref anew. */
void xd_redis_fail_appends(struct xd_rpart *p);

/* Answers those that have waited too long, for an outcome or for Redis. `all`: whatever waits. */
void xd_redis_expire_appends(struct xd_rpart *p, bool all);
void xd_redis_free_entries(struct xd_rpart *p);

/* Walks the records of an entry: `*at` begins at 0. False at the end. */
bool xd_entry_next(const uint8_t *bytes, size_t len, size_t *at, const uint8_t **record, size_t *record_len);

/* --- redis_commit, redis_closing --------------------------------------------------------------------------
 */

void xd_redis_commit(struct xd_ledger *ledger, const struct xd_commit *commit);
void xd_redis_go_on_committing(struct xd_rpart *p);

/* Too many commits wait: nothing more is to be given to the owner. */
bool xd_redis_commits_full(const struct xd_rpart *p);
void xd_redis_forget_commits(struct xd_rpart *p);

/* A commit's closed refs (struct xd_closed_ref) as Redis holds them. */
void xd_redis_pack_closed(struct xd_buf *out, const struct xd_buf *closed);
void xd_redis_close_refs(struct xd_rpart *p, const char *id, const void *closed, size_t len);
void xd_redis_go_on_closing(struct xd_rpart *p);
void xd_redis_forget_closings(struct xd_rpart *p);

/* After an acquisition: what a former owner left undone behind p->closed is read and done. */
void xd_redis_take_over_closing(struct xd_rpart *p);

/* --- redis_refusals ---------------------------------------------------------------------------------------
 */

/* A commit's refusals (struct xd_refusal) as Redis holds them; failures stay in out->failed. */
void xd_redis_pack_refusals(struct xd_buf *out, const struct xd_buf *refusals);

/* And back. False if they are none, or without memory. */
bool xd_redis_unpack_refusals(struct xd_buf *out, const redisReply *packed);

/* --- redis_owner ------------------------------------------------------------------------------------------
 */

void xd_redis_acquire(struct xd_ledger *ledger, uint16_t partition, xd_lease_cb *callback, void *arg);
void xd_redis_release(struct xd_ledger *ledger, const struct xd_lease *lease);
void xd_redis_follow_log(struct xd_ledger *ledger, const struct xd_lease *lease, uint64_t from,
                         xd_records_cb *records, xd_lost_cb *lost, void *arg);
void xd_redis_go_on_acquiring(struct xd_rpart *p);
void xd_redis_go_on_releasing(struct xd_rpart *p);
void xd_redis_go_on_following(struct xd_rpart *p);
void xd_redis_renew(struct xd_rpart *p);

/* Ends the follower, if there is one, telling it that it lost what is not committed. */
void xd_redis_lose(struct xd_rpart *p, enum xd_code code);

/* --- redis_outbox ------------------------------------------------------------------------------------------ */

/* A commit's messages and marks as Redis holds them. */
struct xd_redis_post {
    struct xd_buf letters, seen;
};
void xd_redis_pack_post(struct xd_redis_post *post, const struct xd_output *output);
void xd_redis_free_post(struct xd_redis_post *post);

enum xd_code xd_redis_room(struct xd_ledger *ledger, uint16_t partition);

/* --- the rest ---------------------------------------------------------------------------------------------
 */

void xd_redis_read_log(struct xd_ledger *ledger, uint16_t partition, uint64_t from, size_t max_bytes,
                       xd_log_run_cb *callback, void *arg);
void xd_redis_go_on_reading(struct xd_rpart *p);

void xd_redis_go_on_telling(struct xd_rpart *p);

/* What was parked may be told now, if it waited for the entry that has just got its offset. */
void xd_redis_unpark(struct xd_rpart *p);
void xd_redis_drop_parked(struct xd_rpart *p);

/* Asks the replicas, where events are held back for them. */
void xd_redis_go_on_replicating(struct xd_rpart *p);

/* Whether not even the events before the head are known to be on the replicas: so it begins. */
bool xd_redis_awaits_replicas(const struct xd_rpart *p);

void xd_redis_follow_events(struct xd_ledger *ledger, xd_events_cb *callback, void *arg);
void xd_redis_read_events(struct xd_ledger *ledger, uint16_t partition, uint64_t from, struct xd_str account,
                          size_t max_bytes, xd_event_run_cb *callback, void *arg);
void xd_redis_trim_events(struct xd_rpart *p);

/* Answers the reads that waited for replicas, if these have come or it has been long. */
void xd_redis_answer_waiting(struct xd_rpart *p);
void xd_redis_refuse_waiting(struct xd_rpart *p, enum xd_code code);

/* The mark of an account's events: 32 bits, which other accounts may have as well. XD_MARKS_AT_ONCE of them,
 * of events in a row, are one string "<marks_key><number>". */
enum { XD_MARKS_AT_ONCE = 65536 };
uint32_t xd_redis_mark(struct xd_str account);
void xd_redis_save_cursor(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                          struct xd_str cursor, xd_done_cb *callback, void *arg);
void xd_redis_load_cursor(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                          xd_cursor_cb *callback, void *arg);

enum xd_reserve_result xd_redis_reserve(struct xd_ledger *ledger, uint16_t partition, struct xd_str account,
                                        struct xd_str ref, struct xd_digest digest, enum xd_code *code,
                                        uint64_t *order_id, xd_reserve_cb *callback, void *arg);
void xd_redis_find_ref(struct xd_ledger *ledger, struct xd_str account, struct xd_str ref,
                       xd_find_ref_cb *callback, void *arg);

/* Fetches order numbers when few are left. */
void xd_redis_fetch_numbers(struct xd_rpart *p);

/* "xd:{ACCOUNT}:r:REF"; and the slot of what is the account's. */
enum { XD_REF_KEY = XD_ACCOUNT_MAX + XD_REF_MAX + 16 };
size_t xd_redis_ref_key(struct xd_str account, struct xd_str ref, char out[static XD_REF_KEY]);

void xd_redis_load_snapshot(struct xd_ledger *ledger, uint16_t partition, xd_snapshot_cb *callback,
                            void *arg);
enum xd_code xd_redis_begin_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease,
                                     uint64_t next_record, uint64_t next_event);
void xd_redis_add_to_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease, struct xd_buf *chunk,
                              xd_done_cb *callback, void *arg);
void xd_redis_end_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease, xd_done_cb *callback,
                           void *arg);
void xd_redis_drop_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease);
void xd_redis_go_on_saving(struct xd_rpart *p);
void xd_redis_stop_saving(struct xd_rpart *p, enum xd_code code);

void xd_redis_settle(struct xd_ledger *ledger, xd_done_cb *callback, void *arg);

/* Answers those whose records and commits are told; all of them with `code` if it is not XD_OK. */
void xd_redis_settled(struct xd_redis_ledger *ledger, enum xd_code code);

#endif

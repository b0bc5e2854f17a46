/* The ledger: the one seam between what happens and where it is kept. Everything that happens to an order is
 * a record in the log of its partition; what the owner of the partition makes of it is committed beside it,
 * as events.
 *
 *      broker --append--> log --records--> owner: engine --commit--> events --follow--> broker
 *
 * Two backends stand behind this header (ledger_sqlite.h, ledger_redis.h); nothing above knows which one runs.
 *
 * The contract of every call:
 *  1. All calls and all callbacks are on the thread of the event base that the ledger was opened with. No
 *     call waits for a disk or a network.
 *  2. A call that takes a callback calls it exactly once, never from within the call (but with XD_NO_MEMORY,
 *     which may come at once), and never after xd_ledger_close returned (close completes what is under way;
 *     calls made during it get XD_DRAINING).
 *  3. Pointers given to a call are copied before it returns; pointers given to a callback live until it
 *     returns.
 *  4. XD_STORAGE_FULL, XD_STORAGE_FAILED, XD_FENCED and XD_OVERLOADED mean that nothing of that call was
 *     stored. (A process that dies after XD_STORAGE_FAILED, before the next acquire, may still find it
 *     stored: a write that reached the disk though its sync failed. A retry under the same ref is then the
 *     same order.)
 *  5. Nothing derived from a record is told (events, outcomes) before that record is durable. The owner
 *     alone sees records earlier (the engine runs ahead of the disk), and is told when they are lost.
 *  6. Offsets of records and of events count from 0 in each partition, without gaps. */
#ifndef XD_CORE_LEDGER_LEDGER_H
#define XD_CORE_LEDGER_LEDGER_H

#include "core/id.h"
#include "core/output.h"

struct xd_ledger;

/* How safe an acknowledged record is: the ledger has taken it; it is on disk; as many replicas as were asked for have it in
 * memory. */
enum xd_durability { XD_DURABILITY_ACCEPTED, XD_DURABILITY_FSYNCED, XD_DURABILITY_REPLICATED };
const char *xd_durability_name(enum xd_durability durability);

/* The right to commit for a partition. `epoch` rises with every acquisition, for ever. */
struct xd_lease {
    uint16_t partition;
    uint64_t epoch;
    uint64_t nonce;
};

struct xd_log_entry {
    uint64_t offset;
    int64_t time_ms; /* never decreases within a partition */
    const uint8_t *bytes;
    size_t len;
};

/* --- refs: (account, ref) -> order id ------------------------------------------------------------------- */

/* XD_OK: `order_id` is new, or the one that this very order got before (a retry; append it again, the engine
 * drops what it has seen). XD_REF_CONFLICT: the ref names another order. */
typedef void xd_reserve_cb(void *arg, enum xd_code code, uint64_t order_id);

enum xd_reserve_result { XD_RESERVE_NOW, XD_RESERVE_LATER };

/* Reserves the ref for an order whose home is `partition`. XD_RESERVE_NOW: the answer is in *code and
 * *order_id, and the callback will not be called. The append of that order id stores the reservation with the
 * record, unless the commit of the record says that its ref is freed. Append soon: a reservation that no
 * append has followed for a minute may be given up, and `lost` gives up all that are not durable; the append
 * is refused with XD_OVERLOADED then. Codes besides those above: XD_OVERLOADED, XD_NO_MEMORY, XD_NOT_FOUND
 * (no such partition), XD_STORAGE_FAILED, XD_DRAINING. */
enum xd_reserve_result xd_ledger_reserve(struct xd_ledger *ledger, uint16_t partition, struct xd_str account,
                                         struct xd_str ref, struct xd_digest digest, enum xd_code *code,
                                         uint64_t *order_id, xd_reserve_cb *callback, void *arg);

/* The id that a ref names: XD_OK or XD_NOT_FOUND. */
typedef void xd_find_ref_cb(void *arg, enum xd_code code, uint64_t order_id);
void xd_ledger_find_ref(struct xd_ledger *ledger, struct xd_str account, struct xd_str ref,
                        xd_find_ref_cb *callback, void *arg);

/* --- the log -------------------------------------------------------------------------------------------- */

/* The record is durable, as far as `reached`. `outcome` is what the engine made of it, where the backend
 * knows already
 * (`outcome_known`; embedded: always). */
struct xd_append_result {
    enum xd_code code;
    uint64_t offset;
    enum xd_durability reached;
    bool outcome_known;
    enum xd_code outcome;
    unsigned note;                 /* beside the outcome (output.h) */
    const struct xd_error *refusal; /* why it was refused, where `outcome` alone does not say it; else NULL */
};
typedef void xd_append_cb(void *arg, const struct xd_append_result *result);

/* Appends one packed record (record.h). `order_id`: what reserve gave, for a record that is an order; 0 for
 * any other. `callback` may be NULL. XD_OVERLOADED: too many bytes wait for the disk already, or the
 * reservation was given up. XD_FRAME_TOO_LARGE: a record of more than 1 MiB. XD_NOT_FOUND: no such partition.
 */
void xd_ledger_append(struct xd_ledger *ledger, uint16_t partition, uint64_t order_id, const uint8_t *record,
                      size_t len, xd_append_cb *callback, void *arg);

/* XD_OK; XD_OVERLOADED: too many messages to other partitions wait until they are seen, so no new orders and
 * no new terms are to be appended (docs/CLUSTER.md, Bounds). What ends orders is. XD_NOT_FOUND: no such
 * partition. */
enum xd_code xd_ledger_room(struct xd_ledger *ledger, uint16_t partition);

/* Bytes that wait for the disk, and how many may. A reader of sockets stops reading above half of it. */
size_t xd_ledger_backlog(const struct xd_ledger *ledger);
size_t xd_ledger_backlog_limit(const struct xd_ledger *ledger);

/* XD_OK, or why appends are refused at present (XD_STORAGE_FULL, XD_STORAGE_FAILED, XD_FENCED). After a
 * failure they are refused until the partition has been acquired (which is a small write: the owner tries it
 * again and again) and followed anew. */
enum xd_code xd_ledger_health(const struct xd_ledger *ledger);

/* Milliseconds since 1970 by the ledger's clock, as the next record would be stamped. */
int64_t xd_ledger_now_ms(const struct xd_ledger *ledger);

/* --- the owner's side ----------------------------------------------------------------------------------- */

typedef void xd_lease_cb(void *arg, enum xd_code code, const struct xd_lease *lease);

/* Takes the partition, raising its epoch, and keeps it until it is released. A former owner's `lost` is called with XD_FENCED. Where
 * another process holds the lease, waits for its end once, and says XD_FENCED if it is renewed. */
void xd_ledger_acquire(struct xd_ledger *ledger, uint16_t partition, xd_lease_cb *callback, void *arg);
void xd_ledger_release(struct xd_ledger *ledger, const struct xd_lease *lease);

/* The newest snapshot: the state after all records before `next_record`, whose events end before
 * `next_event`. XD_NOT_FOUND (and zeros) where there is none. The callback takes over `state` (xd_buf_free
 * it). */
typedef void xd_snapshot_cb(void *arg, enum xd_code code, uint64_t next_record, uint64_t next_event,
                            struct xd_buf *state);
void xd_ledger_load_snapshot(struct xd_ledger *ledger, uint16_t partition, xd_snapshot_cb *callback,
                             void *arg);

typedef void xd_done_cb(void *arg, enum xd_code code);

/* A snapshot is stored in chunks, while commits go on, so that it is nowhere held whole:
 *
 *      begin ──► add ──► add ──► ... ──► end
 *
 * One at a time in a partition, and one add or end under way at a time: the next call waits for the callback of
 * the one before. A call that fails, xd_ledger_release, another owner and `lost` end it, as drop does: nothing
 * of it is kept then, and add and end answer XD_WRONG_STATE until another is begun. */
enum { XD_SNAPSHOT_CHUNK = 1 << 20, XD_SNAPSHOT_CHUNK_MAX = 8 << 20 };

/* The state after all records before `next_record`, which are committed, and whose events end before
 * `next_event`. Answers at once: XD_FENCED, XD_OVERLOADED (another is being stored), XD_DRAINING, XD_NO_MEMORY,
 * XD_INTERNAL (not committed). */
enum xd_code xd_ledger_begin_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease,
                                      uint64_t next_record, uint64_t next_event);

/* Stores the next bytes of the state, taking over `chunk` (it is empty afterwards): XD_SNAPSHOT_CHUNK of them
 * or about that, but for the last; XD_TOO_LONG above XD_SNAPSHOT_CHUNK_MAX. */
void xd_ledger_add_to_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease, struct xd_buf *chunk,
                               xd_done_cb *callback, void *arg);

/* It is whole: makes it the newest, once all records before it are durably committed. Then the log before it may
 * be trimmed. */
void xd_ledger_end_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease, xd_done_cb *callback,
                            void *arg);

/* It will not be finished. Calls back what is under way with XD_FENCED. */
void xd_ledger_drop_snapshot(struct xd_ledger *ledger, const struct xd_lease *lease);

/* Durable records from `from` on, about `max_bytes` of them. `committed` is how many records have had their
 * events committed (the caller's latest commits too), `events` how many events that were. An empty run means
 * that there is no more. XD_NOT_FOUND: `from` was trimmed. */
struct xd_log_run {
    enum xd_code code;
    const struct xd_log_entry *entries;
    uint32_t count;
    uint64_t committed;
    uint64_t events;
};
typedef void xd_log_run_cb(void *arg, const struct xd_log_run *run);
void xd_ledger_read_log(struct xd_ledger *ledger, uint16_t partition, uint64_t from, size_t max_bytes,
                        xd_log_run_cb *callback, void *arg);

/* The owner gets the records from `from` on that it has not read, and then those that are appended, in order,
 * in runs, possibly before they are durable. One follower a partition. `lost` tells that everything since the
 * last durable commit was not stored: the owner discards its state, and gets no more records until it has
 * acquired, loaded and followed again. */
typedef void xd_records_cb(void *arg, const struct xd_log_entry *entries, uint32_t count);
typedef void xd_lost_cb(void *arg, enum xd_code code);
void xd_ledger_follow_log(struct xd_ledger *ledger, const struct xd_lease *lease, uint64_t from,
                          xd_records_cb *records, xd_lost_cb *lost, void *arg);

/* What an owner made of the records previous..next-1. Events are numbered from `first_event` on. */
struct xd_commit {
    struct xd_lease lease;
    uint64_t previous; /* records committed before this */
    uint64_t next;     /* records committed after it */
    uint64_t first_event;
    const struct xd_output *output;
};

/* Commits atomically, if epoch, nonce and `previous` still are the partition's: else `lost` is called with
 * XD_FENCED. To be called from within the records callback, for the records just given, so that a record and
 * its events are one transaction; or for durable records that have no commit yet, as read_log told. Outcomes
 * are one for each record of previous..next-1. A `lost` with XD_INTERNAL or XD_NO_MEMORY: the output was not
 * that, or has failed. */
void xd_ledger_commit(struct xd_ledger *ledger, const struct xd_commit *commit);

/* --- the feeds' side ------------------------------------------------------------------------------------ */

struct xd_event_ref {
    uint64_t offset;
    const uint8_t *bytes;
    size_t len;
};

/* Called with each run of events once they are durable, in order, after the appends that caused them were
 * acknowledged; and with none (NULL, 0) when the generation has risen. */
typedef void xd_events_cb(void *arg, uint16_t partition, const struct xd_event_ref *events, uint32_t count);
void xd_ledger_follow_events(struct xd_ledger *ledger, xd_events_cb *callback, void *arg);

/* The events of a partition that were durable when read, from `from` on, of one account ("*": all), about
 * `max_bytes` of them. `next`: where to go on; all events of the account before it have been given; an empty
 * run may be followed by more as long as `next` is below the head. (Read events may be ahead of those told to
 * followers.) `oldest`: the first event that retention has left; below it events may be missing. `head`: how many
 * there were. */
struct xd_event_run {
    enum xd_code code;
    const struct xd_event_ref *events;
    uint32_t count;
    uint64_t next;
    uint64_t oldest;
    uint64_t head;
};
typedef void xd_event_run_cb(void *arg, const struct xd_event_run *run);
void xd_ledger_read_events(struct xd_ledger *ledger, uint16_t partition, uint64_t from, struct xd_str account,
                           size_t max_bytes, xd_event_run_cb *callback, void *arg);

/* How many events have been told by xd_ledger_follow_events: the offset of the next. And the first one still
 * kept. */
uint64_t xd_ledger_event_head(const struct xd_ledger *ledger, uint16_t partition);
uint64_t xd_ledger_event_oldest(const struct xd_ledger *ledger, uint16_t partition);

/* Rises when what was told before may have been lost (embedded: never). Who followed or read events or
 * records of a former generation has to begin anew. */
uint32_t xd_ledger_generation(const struct xd_ledger *ledger, uint16_t partition);

/* Somebody was told of a generation above that of the partition. Whether the ledger may yet hear of it: for
 * some seconds after this was first asked. */
bool xd_ledger_may_be_behind(struct xd_ledger *ledger, uint16_t partition, uint32_t generation);

/* Named cursors of durable subscriptions, as cursor.h writes them for the ledger's partitions. XD_BAD_CURSOR: it is none. */
typedef void xd_cursor_cb(void *arg, enum xd_code code, struct xd_str cursor);
void xd_ledger_save_cursor(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                           struct xd_str cursor, xd_done_cb *callback, void *arg);
void xd_ledger_load_cursor(struct xd_ledger *ledger, struct xd_str account, struct xd_str name,
                           xd_cursor_cb *callback, void *arg);

/* Calls back with XD_OK once everything that was appended or committed before this call is durable (never
 * from within the call, though nothing may wait), or with why it was lost. What is read from an engine that
 * runs ahead of the disk is shown only then. */
void xd_ledger_settle(struct xd_ledger *ledger, xd_done_cb *callback, void *arg);

/* --- read from beside ----------------------------------------------------------------------------------- */

/* What a ledger holds is told to these, one after the other (`crossdock log`). */
typedef void xd_dump_record_cb(void *arg, const struct xd_log_entry *entry);
typedef void xd_dump_event_cb(void *arg, uint16_t partition, uint32_t generation,
                              const struct xd_event_ref *event);

/* --- the end -------------------------------------------------------------------------------------------- */

/* Stores what is under way, calls every callback that is due (followers too), frees the ledger. Waits for the
 * disk. Not to be called from within a callback of the ledger. */
void xd_ledger_close(struct xd_ledger *ledger);

#endif

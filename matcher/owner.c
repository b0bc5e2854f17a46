#include "matcher/owner.h"

#include "core/record.h"
#include "matcher/entry.h"
#include "matcher/saving.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

/* LONGEST_WAIT_S: a deadline is looked at again so often, for the clock may have been set meanwhile. */
enum { RETRY_MS = 1000, LONGEST_WAIT_S = 1 };

static const size_t OUTPUT_LIMIT = (size_t)512 << 20;
/* Between two reads the event loop does all else: so little that leases are renewed in time. */
static const size_t REPLAY_BYTES = (size_t)32 << 10;

struct xd_owner {
    struct xd_owner_options options;
    struct event_base *base;
    struct xd_ledger *ledger;
    struct xd_lease lease;
    struct xd_engine *engine;
    uint32_t pending; /* calls whose callback has not come */
    bool stopped;     /* freed when the last of them has */
    bool owning;
    bool ticking;             /* a tick is on its way */
    bool resumed;             /* goes on from a progress, whose events may not be committed */
    uint64_t position;        /* next record to apply */
    uint64_t events;          /* next event to be made */
    uint32_t generation;      /* of the ledger, when the engine was begun */
    struct xd_engine *left;   /* of one that lost its partition, for xd_owner_leave */
    struct xd_saving *saving; /* a snapshot on its way, or NULL */
    xd_done_cb *saved;        /* who waits for it, or NULL */
    void *saved_arg;
    uint64_t snapshot_at;
    struct xd_output output;
    struct xd_heard marked[XD_RANGES_MAX]; /* committed, of each partition of the kind */
    msgpack_zone *zone;
    struct event *retry, *deadline;
};

static void acquire(struct xd_owner *owner);
static void load(struct xd_owner *owner);
static void replay(struct xd_owner *owner);
static void destroy(struct xd_owner *owner);
static void stop_saving(struct xd_owner *owner, enum xd_code code);

/* To be asked first by every callback of the ledger: true if the owner has been stopped, and may be gone. */
static bool returned_too_late(struct xd_owner *owner)
{
    owner->pending--;
    if (owner->stopped && !owner->pending) {
        destroy(owner);
        return true;
    }
    return owner->stopped;
}

static void tell(struct xd_owner *owner, bool owning, enum xd_code code)
{
    owner->owning = owning;
    if (owner->options.changed) owner->options.changed(owner->options.arg, owning, code);
}

static void start_over(struct xd_owner *owner, enum xd_code code)
{
    bool sound = code != XD_INTERNAL && code != XD_NO_MEMORY;
    stop_saving(owner, code);
    if (owner->options.once && sound)
        owner->left = owner->engine;
    else
        xd_engine_destroy(owner->engine);
    owner->engine = NULL;
    event_del(owner->deadline);
    tell(owner, false, code);
    if (owner->options.once) return;
    event_add(owner->retry, &(struct timeval){.tv_sec = RETRY_MS / 1000, .tv_usec = RETRY_MS % 1000 * 1000});
}

/* --- ticks ------------------------------------------------------------------------------------------------------------------ */

static void await_deadline(struct xd_owner *owner)
{
    int64_t next = xd_engine_next_deadline(owner->engine);
    if (next == INT64_MAX) {
        event_del(owner->deadline);
        return;
    }
    int64_t wait_ms = next * 1000 - xd_ledger_now_ms(owner->ledger);
    if (wait_ms < 1) wait_ms = 1;
    if (wait_ms > LONGEST_WAIT_S * 1000) wait_ms = LONGEST_WAIT_S * 1000;
    event_add(owner->deadline, &(struct timeval){.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000});
}

/* A deadline may have been reached meanwhile, of a record that came before the tick or at the tick's own time. A tick that was
 * lost is made again: the deadline is still due after the rebuild. */
static void ticked(void *arg, const struct xd_append_result *result)
{
    struct xd_owner *owner = arg;
    (void)result;
    if (returned_too_late(owner)) return;
    owner->ticking = false;
    if (owner->owning) await_deadline(owner);
}

static void append_tick(struct xd_owner *owner)
{
    struct xd_record tick = {.type = XD_RECORD_TICK};
    struct xd_buf bytes;
    xd_buf_init(&bytes, 256);
    xd_record_pack(&tick, &bytes);
    owner->ticking = true;
    owner->pending++;
    xd_ledger_append(owner->ledger, owner->lease.partition, 0, bytes.data, bytes.len, ticked, owner);
    xd_buf_free(&bytes);
}

static void deadline_reached(evutil_socket_t fd, short what, void *arg)
{
    struct xd_owner *owner = arg;
    (void)fd;
    (void)what;
    bool due = xd_engine_next_deadline(owner->engine) * 1000 <= xd_ledger_now_ms(owner->ledger);
    if (due && !owner->ticking) append_tick(owner);
    if (!due) await_deadline(owner);
}

void xd_owner_clock_moved(struct xd_owner *owner)
{
    if (owner->owning) append_tick(owner);
}

/* --- snapshots -------------------------------------------------------------------------------------------------------------- */

static void saved(void *arg, enum xd_code code)
{
    struct xd_owner *owner = arg;
    xd_done_cb *done = owner->saved;
    owner->saving = NULL;
    owner->saved = NULL;
    if (done) done(owner->saved_arg, code);
}

void xd_owner_snapshot(struct xd_owner *owner, xd_done_cb *done, void *arg)
{
    struct xd_saving_options options = {.lease = owner->lease,
                                        .next_record = owner->position,
                                        .next_event = owner->events,
                                        .hurried = done,
                                        .done = saved,
                                        .arg = owner};
    enum xd_code code = XD_OVERLOADED;
    if (owner->owning && !owner->saving) {
        owner->snapshot_at = owner->position;
        owner->saving = xd_saving_begin(owner->base, owner->ledger, owner->engine, &options, &code);
    }
    if (code == XD_OK) {
        owner->saved = done;
        owner->saved_arg = arg;
    } else if (done) {
        done(arg, code);
    }
}

static void stop_saving(struct xd_owner *owner, enum xd_code code)
{
    if (!owner->saving) return;
    xd_saving_abandon(owner->saving);
    saved(owner, code);
}

/* --- applying --------------------------------------------------------------------------------------------------------------- */

/* What has been applied of other partitions' messages since the last commit: their relays go on after it. */
static void mark_seen(struct xd_owner *owner)
{
    const struct xd_layout *layout = owner->options.engine.layout;
    uint32_t count = layout ? layout->count : 0;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t from = (uint16_t)(owner->lease.partition / count * count + i);
        struct xd_engine_peer peer;
        if (!xd_engine_peer(owner->engine, from, &peer)) continue;
        struct xd_heard seen = {.from_gen = peer.gen, .to_gen = peer.own_gen, .seq = peer.seen};
        struct xd_heard *marked = &owner->marked[i];
        if (seen.seq == marked->seq && seen.from_gen == marked->from_gen && seen.to_gen == marked->to_gen) continue;
        struct xd_heard_mark mark;
        memset(&mark, 0, sizeof(mark));
        mark.from = from;
        mark.seen = *marked = seen;
        xd_buf_add(&owner->output.seen, &mark, sizeof(mark));
    }
}

/* Applies those of a run that were committed before; they are counted in *applied. */
static bool apply_committed(struct xd_owner *owner, const struct xd_log_run *run, uint32_t *applied)
{
    for (*applied = 0; *applied < run->count && owner->position < run->committed; (*applied)++) {
        if (!xd_entry_apply(owner->engine, owner->zone, &run->entries[*applied], &owner->output))
            return false;
        owner->position++;
        owner->events += xd_output_event_count(&owner->output);
        xd_output_clear(&owner->output);
    }
    return true;
}

/* Applies a run and commits what came of it. */
static bool apply_run(struct xd_owner *owner, const struct xd_log_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!xd_entry_apply(owner->engine, owner->zone, &entries[i], &owner->output)) return false;
        owner->position++;
    }
    uint64_t fresh = owner->output.outcomes.len / sizeof(uint16_t);
    if (!fresh) return true;
    mark_seen(owner);
    struct xd_commit commit = {.lease = owner->lease,
                               .previous = owner->position - fresh,
                               .next = owner->position,
                               .first_event = owner->events,
                               .output = &owner->output};
    owner->events += xd_output_event_count(&owner->output);
    xd_ledger_commit(owner->ledger, &commit);
    xd_output_clear(&owner->output);
    return true;
}

static void on_records(void *arg, const struct xd_log_entry *entries, uint32_t count)
{
    struct xd_owner *owner = arg;
    if (!owner->engine) return;
    if (!apply_run(owner, entries, count)) {
        start_over(owner, XD_NO_MEMORY);
        return;
    }
    await_deadline(owner);
    bool due = owner->options.snapshot_every && owner->position - owner->snapshot_at >= owner->options.snapshot_every;
    if (due && !owner->saving) xd_owner_snapshot(owner, NULL, NULL);
}

static void on_lost(void *arg, enum xd_code code)
{
    start_over(arg, code);
}

/* --- becoming the owner ------------------------------------------------------------------------------------------------------ */

/* The same log gave other events than it did before: better no owner than a wrong one. */
static bool differs(const struct xd_owner *owner, const struct xd_log_run *run)
{
    if (owner->position != run->committed || owner->events == run->events) return false;
    if (owner->options.differs)
        owner->options.differs(owner->options.arg, run->committed, owner->events, run->events);
    return true;
}

static void on_log_run(void *arg, const struct xd_log_run *run)
{
    struct xd_owner *owner = arg;
    if (returned_too_late(owner)) return;
    if (run->code) {
        start_over(owner, run->code);
        return;
    }
    if (owner->resumed &&
        owner->position > run->committed) { /* what it made of them last time was not stored */
        load(owner);
        return;
    }
    owner->resumed = false;
    uint32_t applied;
    if (!apply_committed(owner, run, &applied)) {
        start_over(owner, XD_NO_MEMORY);
        return;
    }
    if (differs(owner, run)) {
        start_over(owner, XD_INTERNAL);
        return;
    }
    if (run->count == 0) {
        xd_ledger_follow_log(owner->ledger, &owner->lease, owner->position, on_records, on_lost, owner);
        tell(owner, true, XD_OK);
        await_deadline(owner);
        return;
    }
    if (!apply_run(owner, run->entries + applied, run->count - applied)) {
        start_over(owner, XD_NO_MEMORY);
        return;
    }
    replay(owner);
}

static void replay(struct xd_owner *owner)
{
    owner->pending++;
    xd_ledger_read_log(owner->ledger, owner->lease.partition, owner->position, REPLAY_BYTES, on_log_run, owner);
}

static void begin_at(struct xd_owner *owner, enum xd_code code, uint64_t next_record, uint64_t next_event,
                     struct xd_buf *state)
{
    owner->position = next_record;
    owner->events = next_event;
    owner->snapshot_at = next_record;
    xd_output_clear(&owner->output);
    if (code == XD_OK) {
        owner->engine = xd_engine_load(&owner->options.engine, state->data, state->len);
        xd_buf_free(state);
    } else if (code == XD_NOT_FOUND) {
        owner->engine = xd_engine_create(&owner->options.engine);
    }
    if (owner->engine) {
        replay(owner);
    } else {
        start_over(owner, code == XD_OK || code == XD_NOT_FOUND ? XD_INTERNAL : code);
    }
}

static void on_snapshot(void *arg, enum xd_code code, uint64_t next_record, uint64_t next_event, struct xd_buf *state)
{
    struct xd_owner *owner = arg;
    if (returned_too_late(owner)) {
        if (code == XD_OK) xd_buf_free(state);
    } else {
        begin_at(owner, code, next_record, next_event, state);
    }
}

static void load(struct xd_owner *owner)
{
    xd_engine_destroy(owner->engine);
    owner->engine = NULL;
    owner->resumed = false;
    owner->generation =
        xd_ledger_generation(owner->ledger, owner->lease.partition); /* never newer than what is read */
    owner->pending++;
    xd_ledger_load_snapshot(owner->ledger, owner->lease.partition, on_snapshot, owner);
}

static void on_lease(void *arg, enum xd_code code, const struct xd_lease *lease)
{
    struct xd_owner *owner = arg;
    if (returned_too_late(owner)) return;
    if (code) {
        start_over(owner, code);
        return;
    }
    owner->lease = *lease;
    if (owner->options.rebuild)
        begin_at(owner, XD_NOT_FOUND, 0, 0, NULL);
    else
        load(owner);
}

static void acquire(struct xd_owner *owner)
{
    owner->pending++;
    xd_ledger_acquire(owner->ledger, owner->options.engine.partition, on_lease, owner);
}

static void retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    acquire(arg);
}

/* --- making and ending ------------------------------------------------------------------------------------------------------- */

static void destroy(struct xd_owner *owner)
{
    if (owner->retry) event_free(owner->retry);
    if (owner->deadline) event_free(owner->deadline);
    if (owner->zone) msgpack_zone_free(owner->zone);
    xd_engine_destroy(owner->engine);
    xd_engine_destroy(owner->left);
    xd_output_free(&owner->output);
    free(owner);
}

static struct xd_owner *create(struct event_base *base, struct xd_ledger *ledger, const struct xd_owner_options *options)
{
    struct xd_owner *owner = calloc(1, sizeof *owner);
    if (!owner) return NULL;
    owner->options = *options;
    owner->base = base;
    owner->ledger = ledger;
    xd_output_init(&owner->output, OUTPUT_LIMIT);
    owner->zone = msgpack_zone_new(8192);
    owner->retry = evtimer_new(base, retry, owner);
    owner->deadline = evtimer_new(base, deadline_reached, owner);
    if (!owner->zone || !owner->retry || !owner->deadline) {
        destroy(owner);
        return NULL;
    }
    return owner;
}

struct xd_owner *xd_owner_start(struct event_base *base, struct xd_ledger *ledger, const struct xd_owner_options *options)
{
    struct xd_owner *owner = create(base, ledger, options);
    if (owner) acquire(owner);
    return owner;
}

struct xd_owner *xd_owner_take(struct event_base *base, struct xd_ledger *ledger, const struct xd_owner_options *options,
                               const struct xd_lease *lease, struct xd_progress progress)
{
    struct xd_owner *owner = create(base, ledger, options);
    if (!owner) return NULL;
    owner->options.once = true;
    owner->lease = *lease;
    if (progress.engine && progress.generation == xd_ledger_generation(ledger, lease->partition)) {
        owner->engine = progress.engine;
        owner->resumed = true;
        owner->generation = progress.generation;
        owner->position = owner->snapshot_at = progress.position;
        owner->events = progress.events;
        replay(owner);
    } else {
        xd_engine_destroy(progress.engine);
        load(owner);
    }
    return owner;
}

struct xd_progress xd_owner_leave(struct xd_owner *owner)
{
    struct xd_progress progress = {.engine = owner->left,
                                   .position = owner->position,
                                   .events = owner->events,
                                   .generation = owner->generation};
    owner->left = NULL;
    xd_owner_stop(owner);
    return progress;
}

struct xd_engine *xd_owner_engine(const struct xd_owner *owner)
{
    return owner->owning ? owner->engine : NULL;
}

uint64_t xd_owner_position(const struct xd_owner *owner)
{
    return owner->position;
}

void xd_owner_stop(struct xd_owner *owner)
{
    owner->saved = NULL;
    stop_saving(owner, XD_DRAINING);
    if (owner->owning || owner->options.once) xd_ledger_release(owner->ledger, &owner->lease);
    owner->owning = false;
    owner->stopped = true;
    event_del(owner->retry);
    event_del(owner->deadline);
    if (!owner->pending) destroy(owner);
}

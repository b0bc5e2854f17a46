/* The owner of a partition: acquires it, rebuilds the engine from snapshot and log, then follows the log, applies each
 * record and commits what came of it. Appends ticks when deadlines are due and saves snapshots. When the ledger says that
 * records were lost, or an append or commit fails, it discards the engine and starts over.
 *
 *      ACQUIRING -> LOADING -> REPLAYING -> OWNING
 *          ^------------ lost, retried each second ------' */
#ifndef XD_MATCHER_OWNER_H
#define XD_MATCHER_OWNER_H

#include "core/ledger/ledger.h"
#include "engine/engine.h"
#include "matcher/follower.h"

struct event_base;
struct xd_owner;

struct xd_owner_options {
    struct xd_engine_options engine;
    uint64_t snapshot_every; /* records between snapshots; 0: never */
    bool rebuild;            /* replay the log from its start, whatever snapshots there are */
    bool once; /* after a loss it does nothing more, for whoever started it decides (xd_owner_leave) */
    /* Told when the state changes: `owning`, or why not (code). May be NULL. */
    void (*changed)(void *arg, bool owning, enum xd_code code);
    /* Told before `changed` says XD_INTERNAL: the log gives another number of events up to `records` than
     * were committed. May be NULL. */
    void (*differs)(void *arg, uint64_t records, uint64_t events, uint64_t committed);
    void *arg;
};

/* Starts acquiring. The ledger and base outlive the owner. NULL without memory. */
struct xd_owner *xd_owner_start(struct event_base *base, struct xd_ledger *ledger,
                                const struct xd_owner_options *options);

/* The same with a lease that was got already and the progress of a follower, whose engine it takes over (NULL, or
 * one of another generation: it begins with the snapshot); `once`. On failure the engine is still the caller's. */
struct xd_owner *xd_owner_take(struct event_base *base, struct xd_ledger *ledger, const struct xd_owner_options *options,
                               const struct xd_lease *lease, struct xd_progress progress);

/* Of one that has lost its partition (`once`): stops it, as xd_owner_stop does, and gives how far it had
 * come. Its engine, which is now the caller's, is what the log's records up to there make; their events may
 * not be committed. NULL where it cannot be relied on. */
struct xd_progress xd_owner_leave(struct xd_owner *owner);

/* The engine while owning, else NULL. To ask, never to apply: reads answer from what may not be durable yet, so a caller
 * that shows them waits for the ledger (xd_owner_settled). */
struct xd_engine *xd_owner_engine(const struct xd_owner *owner);

/* Offset of the next record to apply: with the state hash, what the state is the state of. */
uint64_t xd_owner_position(const struct xd_owner *owner);

/* To be called when the (test) clock was moved by hand, so that due ticks are appended now. */
void xd_owner_clock_moved(struct xd_owner *owner);

/* Saves a snapshot of the state as it is now, whatever the count; at a clean shutdown. The callback may be NULL; it may come
 * from within the call: XD_OVERLOADED when another is on its way or the owner does not own, XD_NO_MEMORY. */
void xd_owner_snapshot(struct xd_owner *owner, xd_done_cb *done, void *arg);

/* Releases the partition. `changed` and `done` callbacks come no more. Frees once the ledger has called back for what is under
 * way, at the latest while it is closed: so it is to be stopped before the ledger is closed. */
void xd_owner_stop(struct xd_owner *owner);

#endif

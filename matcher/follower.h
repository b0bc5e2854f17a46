/* A warm standby: follows the log of a partition without owning it. Loads the newest snapshot and applies
 * every record whose events are committed, to an engine of its own, throwing the output away; so it is never
 * ahead of the owner, and behind it by one look at the log (XD_FOLLOWER_LOOK_MS) and what is not committed.
 *
 * Begins again by itself after what it was to read next has been trimmed, or could not be read, and when the
 * generation has risen. */
#ifndef XD_MATCHER_FOLLOWER_H
#define XD_MATCHER_FOLLOWER_H

#include "core/ledger/ledger.h"
#include "engine/engine.h"

struct event_base;
struct xd_follower;

enum { XD_FOLLOWER_LOOK_MS = 50, XD_FOLLOWER_RETRY_MS = 500 };

/* How far somebody has come with a log. `engine` belongs to whoever has it; NULL: begin with the snapshot. */
struct xd_progress {
    struct xd_engine *engine;
    uint64_t position; /* next record */
    uint64_t events;   /* next event */
    uint32_t generation; /* of the ledger, when it began: in another it is worth nothing */
};

struct xd_follower_options {
    struct xd_engine_options engine;
    /* It has become warm (has applied all that was committed at its last look), or is so no longer. */
    void (*warm)(void *arg, bool warm);
    void *arg;
};

/* Goes on from a progress that was made before, whose engine it takes over (NULL, or one of another
 * generation: it begins with the snapshot). NULL without memory: the engine is still the caller's. */
struct xd_follower *xd_follower_start(struct event_base *base, struct xd_ledger *ledger,
                                      const struct xd_follower_options *options, struct xd_progress progress);

/* Ends; `taken` gets the progress that was made, once the ledger has called back for what is under way, never
 * from within the call; unless the ledger is closed before. NULL: nobody wants it. */
typedef void xd_taken_cb(void *arg, struct xd_progress progress);
void xd_follower_stop(struct xd_follower *follower, xd_taken_cb *taken, void *arg);

#endif

/* A snapshot on its way from an engine to the ledger: made in slices of about a millisecond, between which the event loop
 * goes on and the engine applies records, and stored in chunks. What is stored is the state at the moment it was begun. */
#ifndef XD_MATCHER_SAVING_H
#define XD_MATCHER_SAVING_H

#include "core/ledger/ledger.h"
#include "engine/engine.h"

struct event_base;
struct xd_saving;

struct xd_saving_options {
    struct xd_lease lease;
    uint64_t next_record, next_event; /* the engine's state is that of the records before */
    bool hurried;                     /* nothing else is to be done: no pauses between slices */
    xd_done_cb *done;                 /* once, with what became of it; never from within xd_saving_begin */
    void *arg;
};

/* Begins. Base and ledger outlive it; the engine lives until `done` or xd_saving_abandon. It is freed by either: after `done`
 * was called it is gone. NULL if it cannot be begun, *code says why: as xd_ledger_begin_snapshot, XD_NO_MEMORY. */
struct xd_saving *xd_saving_begin(struct event_base *base, struct xd_ledger *ledger, struct xd_engine *engine,
                                  const struct xd_saving_options *options, enum xd_code *code);

/* Gives it up: nothing of it is stored, the engine may go, `done` is not called. To be called while the ledger is open. */
void xd_saving_abandon(struct xd_saving *saving);

#endif

/* When to fold (sqlite_fold.h). */
#include "core/ledger/sqlite_ledger.h"

#include <event2/event.h>

/* A fold of MUCH takes a few milliseconds. Folds can fail while commits succeed, on a disk that is all but
 * full; beyond TOO_MUCH that is as bad as a failed commit. */
enum { MUCH = 4096, TOO_MUCH = 16 * MUCH };

static void start_timer(struct xd_sqlite *ledger)
{
    if (ledger->fold_timer_runs || ledger->closing) return;
    ledger->timed_serial = ledger->stored_serial;
    ledger->fold_timer_runs =
        event_add(ledger->fold_timer, &(struct timeval){.tv_usec = XD_FOLD_IDLE_MS * 1000}) == 0;
}

void xd_sqlite_count_unfolded(struct xd_sqlite *ledger, const struct xd_batch *batch)
{
    ledger->stored_serial = batch->serial;
    if (xd_batch_folds(batch)) {
        ledger->unfolded = 0;
        ledger->folds_done++;
        xd_refs_folded(&ledger->refs, batch->serial);
        return;
    }
    ledger->unfolded += xd_batch_weight(batch);
    if (ledger->unfolded > 0) start_timer(ledger);
}

static void fold_run(struct xd_job *job, struct xd_db *db)
{
    struct xd_fold *fold = (struct xd_fold *)job;
    fold->code = xd_fold_now(db, fold->serial);
}

static void fold_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    struct xd_fold *fold = (struct xd_fold *)job;
    fold->under_way = false;
    if (fold->code == XD_OK) {
        ledger->unfolded -= fold->weight;
        ledger->folds_done++;
        xd_refs_folded(&ledger->refs, fold->serial);
    } else if (ledger->unfolded > TOO_MUCH) {
        xd_sqlite_doom(ledger, fold->code);
    }
    if (ledger->unfolded > 0) start_timer(ledger);
}

void xd_sqlite_fold(struct xd_sqlite *ledger)
{
    struct xd_fold *fold = &ledger->fold;
    if (fold->under_way || ledger->unfolded == 0) return;
    *fold = (struct xd_fold){.job = {.run = fold_run, .done = fold_done},
                             .under_way = true,
                             .serial = ledger->stored_serial,
                             .weight = ledger->unfolded};
    xd_sqlite_write(ledger, &fold->job);
}

void xd_sqlite_fold_if_much(struct xd_sqlite *ledger)
{
    if (ledger->unfolded >= MUCH) xd_sqlite_fold(ledger);
}

void xd_sqlite_fold_if_idle(struct xd_sqlite *ledger)
{
    ledger->fold_timer_runs = false;
    if (ledger->timed_serial == ledger->stored_serial && !ledger->writing)
        xd_sqlite_fold(ledger);
    else if (ledger->unfolded > 0)
        start_timer(ledger);
}

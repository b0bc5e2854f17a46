/* Folding. A batch's transaction only appends: its records, its events, and beside the records the changes of
 * refs, packed. What is looked up by key is made of that later, many batches at once and sorted, so that a
 * commit touches few pages:
 *
 *   records.refs  --fold-->  refs            (account, ref) -> order
 *   events        --fold-->  account_events  (account, block of events)
 *
 * partition.folded and folded_event say up to where that is done. A fold is a transaction without a sync of
 * its own: until the next batch's a loss of power may undo it, as a whole. Until then refs are found in
 * memory (sqlite_refs.h), and blocks of events from folded_event on are looked through one by one. Nothing
 * removes what is not folded.
 *
 * A fold comes when much waits, when nothing has been committed for a while, at the close and at the opening,
 * where it is what makes the indexes whole after a crash. A batch whose changes have no row of records to lie
 * beside, or that frees a ref, folds all before it and itself in its own transaction. */
#ifndef XD_CORE_LEDGER_SQLITE_FOLD_H
#define XD_CORE_LEDGER_SQLITE_FOLD_H

#include "core/ledger/sqlite_batch.h"
#include "core/ledger/sqlite_db.h"

enum { XD_FOLD_IDLE_MS = 100 };

struct xd_fold {
    struct xd_job job;
    bool under_way;
    uint64_t serial; /* of the last batch to fold */
    size_t weight;   /* of what it folds */
    enum xd_code code;
};

/* Folds the batches with serials up to `serial`, on the writer, inside a transaction. `more`, which may be
 * NULL, are changes of refs (sqlite_blob.h) of that last batch, made at `time_ms`, that lie beside no
 * records. XD_NO_MEMORY, or why the database failed. */
enum xd_code xd_fold_batches(struct xd_db *db, uint64_t serial, const struct xd_buf *more, int64_t time_ms);

/* The same in a transaction of its own. */
enum xd_code xd_fold_now(struct xd_db *db, uint64_t serial);

#endif

#include "core/ledger/sqlite_ledger.h"

#include <stdlib.h>
#include <string.h>

static bool same_digest(struct xd_digest a, struct xd_digest b)
{
    return a.high == b.high && a.low == b.low;
}

/* --- the look on disk ----------------------------------------------------------------------------------- */

struct lookup {
    struct xd_job job;
    struct xd_partition *partition; /* of a reserve; NULL: a find */
    struct xd_digest digest;
    union {
        xd_reserve_cb *reserved;
        xd_find_ref_cb *found;
    } callback;
    void *arg;
    uint8_t account_len, ref_len;
    char account[XD_ACCOUNT_MAX];
    char ref[XD_REF_MAX];
    uint64_t folds_done; /* when the look was asked for */

    enum xd_code code;
    bool found;
    uint64_t id;
    struct xd_digest found_digest;
    bool closed;
    int64_t closed_ms;
};

static struct xd_str lookup_account(const struct lookup *lookup)
{
    return (struct xd_str){.at = lookup->account, .len = lookup->account_len};
}

static struct xd_str lookup_ref(const struct lookup *lookup)
{
    return (struct xd_str){.at = lookup->ref, .len = lookup->ref_len};
}

static void lookup_run(struct xd_job *job, struct xd_db *db)
{
    static const char sql[] = "SELECT id, digest, closed_ms FROM refs WHERE account = ? AND ref = ?";
    struct lookup *lookup = (struct lookup *)job;
    sqlite3_stmt *row = xd_db_query(
        db, sql, XD_BINDS(xd_bind_text(lookup_account(lookup)), xd_bind_text(lookup_ref(lookup))));
    int result = row ? sqlite3_step(row) : SQLITE_ERROR;
    lookup->code = XD_OK;
    lookup->found = result == SQLITE_ROW;
    if (lookup->found) {
        lookup->id = (uint64_t)sqlite3_column_int64(row, 0);
        if (sqlite3_column_bytes(row, 1) == sizeof lookup->found_digest)
            memcpy(&lookup->found_digest, sqlite3_column_blob(row, 1), sizeof lookup->found_digest);
        lookup->closed = sqlite3_column_type(row, 2) != SQLITE_NULL;
        lookup->closed_ms = sqlite3_column_int64(row, 2);
    } else if (result != SQLITE_DONE) {
        lookup->code = XD_STORAGE_FAILED;
    }
    if (row) xd_db_end(row);
}

static struct lookup *lookup_new(const struct xd_sqlite *ledger, struct xd_str account, struct xd_str ref,
                                 void *arg)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup) return NULL;
    lookup->job.run = lookup_run;
    lookup->arg = arg;
    lookup->account_len = (uint8_t)account.len;
    lookup->ref_len = (uint8_t)ref.len;
    memcpy(lookup->account, account.at, account.len);
    memcpy(lookup->ref, ref.at, ref.len);
    lookup->folds_done = ledger->folds_done;
    return lookup;
}

static bool past_its_time(struct xd_sqlite *ledger, const struct lookup *lookup)
{
    return lookup->found && lookup->closed && xd_sqlite_time(ledger) - lookup->closed_ms > XD_REF_KEPT_MS;
}

/* A look that found nothing counts only if nothing has been folded since it was asked for: else it is asked
 * again. What is not folded is found in memory. */
static bool look_again(struct xd_sqlite *ledger, struct lookup *lookup)
{
    if (lookup->folds_done == ledger->folds_done || ledger->closing) return false;
    lookup->folds_done = ledger->folds_done;
    xd_sqlite_read(ledger, &lookup->job);
    return true;
}

/* --- reserving ------------------------------------------------------------------------------------------ */

static enum xd_code give_new(struct xd_sqlite *ledger, struct xd_partition *p, struct xd_str account,
                             struct xd_str ref, struct xd_digest digest, uint64_t *order_id)
{
    if (p->last_order >= XD_ID_NUMBER_MAX) return XD_INTERNAL;
    uint64_t id = xd_id(p->id, p->last_order + 1);
    struct xd_reservation *r = xd_refs_add(&ledger->refs, XD_REF_RESERVED, account, ref, digest, id);
    if (!r) return XD_NO_MEMORY;
    p->last_order++;
    *order_id = id;
    return XD_OK;
}

static enum xd_code give_pending(const struct xd_reservation *pending, struct xd_digest digest,
                                 uint64_t *order_id)
{
    if (!same_digest(pending->digest, digest)) return XD_REF_CONFLICT;
    *order_id = pending->id;
    return XD_OK;
}

static enum xd_code may_reserve(const struct xd_sqlite *ledger, const struct xd_partition *p)
{
    if (ledger->closing) return XD_DRAINING;
    return p ? p->refused : XD_NOT_FOUND;
}

static enum xd_code reserve_as_found(struct xd_sqlite *ledger, const struct lookup *lookup,
                                     uint64_t *order_id)
{
    if (!same_digest(lookup->found_digest, lookup->digest)) return XD_REF_CONFLICT;
    if (!xd_refs_add(&ledger->refs, XD_REF_RETRIED, lookup_account(lookup), lookup_ref(lookup),
                     lookup->digest, lookup->id))
        return XD_NO_MEMORY;
    *order_id = lookup->id;
    return XD_OK;
}

static void reserve_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    struct lookup *lookup = (struct lookup *)job;
    struct xd_str account = lookup_account(lookup), ref = lookup_ref(lookup);
    struct xd_partition *p = lookup->partition;
    uint64_t id = 0;
    enum xd_code code = may_reserve(ledger, p);
    const struct xd_reservation *pending =
        xd_refs_find(&ledger->refs, account, ref, xd_fingerprint(account, ref));
    bool live = lookup->found && !past_its_time(ledger, lookup);
    if (code != XD_OK)
        ;
    else if (lookup->code != XD_OK)
        code = lookup->code;
    else if (pending)
        code = give_pending(pending, lookup->digest, &id);
    else if (live)
        code = reserve_as_found(ledger, lookup, &id);
    else if (look_again(ledger, lookup))
        return;
    else
        code = give_new(ledger, p, account, ref, lookup->digest, &id);
    lookup->callback.reserved(lookup->arg, code, id);
    free(lookup);
}

/* The answer is known at once, or there is none to be had. */
static enum xd_reserve_result now(enum xd_code answer, uint64_t id, enum xd_code *code, uint64_t *order_id)
{
    *code = answer;
    *order_id = answer == XD_OK ? id : 0;
    return XD_RESERVE_NOW;
}

enum xd_reserve_result xd_sqlite_reserve(struct xd_ledger *base, uint16_t partition, struct xd_str account,
                                         struct xd_str ref, struct xd_digest digest, enum xd_code *code,
                                         uint64_t *order_id, xd_reserve_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_partition *p = xd_sqlite_partition(ledger, partition);
    enum xd_code may = may_reserve(ledger, p);
    uint64_t id = 0;
    if (may == XD_OK && (account.len > XD_ACCOUNT_MAX || ref.len > XD_REF_MAX)) may = XD_TOO_LONG;
    if (may != XD_OK) return now(may, 0, code, order_id);
    uint64_t fingerprint = xd_fingerprint(account, ref);
    const struct xd_reservation *pending = xd_refs_find(&ledger->refs, account, ref, fingerprint);
    if (pending) {
        enum xd_code answer = give_pending(pending, digest, &id);
        return now(answer, id, code, order_id);
    }
    if (!xd_fingerprints_has(&ledger->refs.durable, fingerprint)) {
        enum xd_code answer = give_new(ledger, p, account, ref, digest, &id);
        return now(answer, id, code, order_id);
    }
    may = xd_sqlite_may_read(ledger);
    struct lookup *lookup = may == XD_OK ? lookup_new(ledger, account, ref, arg) : NULL;
    if (!lookup) return now(may != XD_OK ? may : XD_NO_MEMORY, 0, code, order_id);
    lookup->job.done = reserve_done;
    lookup->partition = p;
    lookup->digest = digest;
    lookup->callback.reserved = callback;
    xd_sqlite_read(ledger, &lookup->job);
    return XD_RESERVE_LATER;
}

/* --- finding -------------------------------------------------------------------------------------------- */

static void find_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    struct lookup *lookup = (struct lookup *)job;
    struct xd_str account = lookup_account(lookup), ref = lookup_ref(lookup);
    const struct xd_reservation *pending =
        xd_refs_find(&ledger->refs, account, ref, xd_fingerprint(account, ref));
    enum xd_code code = lookup->code;
    uint64_t id = lookup->id;
    if (code == XD_OK && pending && pending->state != XD_REF_RESERVED)
        id = pending->id;
    else if (code == XD_OK && !lookup->found && look_again(ledger, lookup))
        return;
    else if (code == XD_OK && (!lookup->found || past_its_time(ledger, lookup)))
        code = XD_NOT_FOUND;
    lookup->callback.found(lookup->arg, code, code == XD_OK ? id : 0);
    free(lookup);
}

void xd_sqlite_find_ref(struct xd_ledger *base, struct xd_str account, struct xd_str ref,
                        xd_find_ref_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    bool possible = account.len <= XD_ACCOUNT_MAX && ref.len <= XD_REF_MAX;
    struct xd_str none = {.at = "", .len = 0};
    struct lookup *lookup = lookup_new(ledger, possible ? account : none, possible ? ref : none, arg);
    if (!lookup) {
        callback(arg, XD_NO_MEMORY, 0);
        return;
    }
    lookup->job.done = find_done;
    lookup->callback.found = callback;
    lookup->code = xd_sqlite_may_read(ledger);
    if (lookup->code == XD_OK)
        xd_sqlite_read(ledger, &lookup->job);
    else
        xd_sqlite_defer(ledger, &lookup->job);
}

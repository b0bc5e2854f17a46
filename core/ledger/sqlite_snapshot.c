/* Snapshots are stored in pieces, one for each chunk that the owner gives, each its own transaction between
 * batches, so that commits are not held up; the last transaction makes the new one the newest. Pieces that no
 * partition names are removed by the upkeep. */
#include "core/ledger/sqlite_ledger.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_BITS = 20, SNAPSHOT_BITS = 28 };

/* --- storing -------------------------------------------------------------------------------------------- */

struct xd_save {
    struct xd_job job;
    struct xd_lease lease;
    uint64_t number;
    uint64_t next_record, next_event;
    struct xd_buf chunk;  /* being stored */
    size_t stored;        /* bytes of the chunks before it */
    uint32_t piece;       /* the next to store */
    bool asked;           /* an add or end waits for its answer */
    bool ending;          /* it is an end */
    bool under_way;       /* a job of it is with the writer */
    enum xd_code code;    /* of the job */
    enum xd_code stopped; /* XD_OK, or why it will not be stored */
    xd_done_cb *callback; /* of what is asked */
    void *arg;
};

static int64_t piece_key(uint16_t partition, uint64_t snapshot, uint32_t piece)
{
    return xd_db_key(partition, snapshot << PIECE_BITS | piece);
}

static bool store_piece(const struct xd_save *save, struct xd_db *db)
{
    static const char sql[] = "INSERT OR REPLACE INTO chunks(key, bytes) VALUES(?, ?)";
    return xd_db_run(db, sql,
                     XD_BINDS(xd_bind_int(piece_key(save->lease.partition, save->number, save->piece)),
                              xd_bind_blob(save->chunk.data, save->chunk.len)));
}

/* Asked for only once the records before it are durably committed. */
static bool make_newest(struct xd_save *save, struct xd_db *db)
{
    static const char sql[] =
        "UPDATE partition SET snapshot = ?, snapshot_record = ?, snapshot_event = ?,"
        " snapshot_bytes = ? WHERE id = ? AND epoch = ? AND nonce = ? AND snapshot_record <= ?";
    struct xd_bind next = xd_bind_uint(save->next_record);
    bool ok = xd_db_run(db, sql,
                        XD_BINDS(xd_bind_uint(save->number), next, xd_bind_uint(save->next_event),
                                 xd_bind_uint(save->stored), xd_bind_int(save->lease.partition),
                                 xd_bind_uint(save->lease.epoch), xd_bind_uint(save->lease.nonce), next));
    if (ok && xd_db_changes(db) != 1) save->code = XD_FENCED;
    return ok;
}

static void save_run(struct xd_job *job, struct xd_db *db)
{
    struct xd_save *save = (struct xd_save *)job;
    if (!(save->ending ? make_newest(save, db) : store_piece(save, db))) save->code = xd_db_code(db);
}

static void answer(struct xd_save *save, enum xd_code code)
{
    bool asked = save->asked;
    save->asked = false;
    if (asked && save->callback) save->callback(save->arg, code);
}

static void finish(struct xd_partition *p, enum xd_code code)
{
    struct xd_save *save = p->save;
    p->save = NULL;
    answer(save, code);
    xd_buf_free(&save->chunk);
    free(save);
}

static void save_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    struct xd_save *save = (struct xd_save *)job;
    struct xd_partition *p = xd_sqlite_partition(ledger, save->lease.partition);
    save->under_way = false;
    if (save->code != XD_OK) {
        finish(p, save->code);
    } else if (save->ending) {
        finish(p, XD_OK);
        xd_sqlite_keep_up(ledger);
    } else if (save->stopped != XD_OK) {
        finish(p, save->stopped);
    } else {
        save->piece++;
        save->stored += save->chunk.len;
        xd_buf_free(&save->chunk);
        answer(save, XD_OK);
    }
}

static void hand_to_writer(struct xd_sqlite *ledger, struct xd_save *save)
{
    save->under_way = true;
    xd_sqlite_write(ledger, &save->job);
}

void xd_sqlite_go_on_saving(struct xd_sqlite *ledger, struct xd_partition *p)
{
    struct xd_save *save = p->save;
    if (save->under_way || !save->ending) return;
    if (p->durable.committed < save->next_record) return; /* the batch that makes it so comes back here */
    hand_to_writer(ledger, save);
}

void xd_sqlite_stop_saving(struct xd_partition *p, enum xd_code code)
{
    if (!p->save || p->save->stopped != XD_OK) return;
    p->save->stopped = code;
    if (!p->save->under_way) finish(p, code);
}

static enum xd_code may_begin(const struct xd_sqlite *ledger, const struct xd_partition *p,
                              const struct xd_lease *lease, uint64_t next_record)
{
    if (ledger->closing) return XD_DRAINING;
    if (!xd_partition_holds(p, lease)) return XD_FENCED;
    if (next_record > p->committed) return XD_INTERNAL;
    if (p->save) return XD_OVERLOADED;
    return p->last_snapshot + 1 < 1u << SNAPSHOT_BITS ? XD_OK : XD_TOO_LONG;
}

enum xd_code xd_sqlite_begin_snapshot(struct xd_ledger *base, const struct xd_lease *lease,
                                      uint64_t next_record, uint64_t next_event)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_partition *p = xd_sqlite_partition(ledger, lease->partition);
    enum xd_code code = may_begin(ledger, p, lease, next_record);
    if (code != XD_OK) return code;
    struct xd_save *save = calloc(1, sizeof *save);
    if (!save) return XD_NO_MEMORY;
    save->job = (struct xd_job){.run = save_run, .done = save_done};
    save->lease = *lease;
    save->number = ++p->last_snapshot;
    save->next_record = next_record;
    save->next_event = next_event;
    p->save = save;
    return XD_OK;
}

static bool is_of(const struct xd_save *save, const struct xd_lease *lease)
{
    return save && save->stopped == XD_OK && save->lease.epoch == lease->epoch &&
           save->lease.nonce == lease->nonce;
}

/* The snapshot that an add or end goes on with, its callback noted; NULL if it is refused. */
static struct xd_save *go_on_with(struct xd_sqlite *ledger, const struct xd_lease *lease, xd_done_cb *callback,
                                  void *arg)
{
    struct xd_save *save = xd_sqlite_partition(ledger, lease->partition)->save;
    if (!is_of(save, lease) || save->asked) {
        xd_sqlite_refuse_done(ledger, XD_WRONG_STATE, callback, arg);
        return NULL;
    }
    save->asked = true;
    save->callback = callback;
    save->arg = arg;
    return save;
}

static enum xd_code may_add(const struct xd_save *save, const struct xd_buf *chunk)
{
    if (chunk->failed) return XD_NO_MEMORY;
    return chunk->len <= XD_SNAPSHOT_CHUNK_MAX && save->piece < (1u << PIECE_BITS) - 1 ? XD_OK : XD_TOO_LONG;
}

void xd_sqlite_add_to_snapshot(struct xd_ledger *base, const struct xd_lease *lease, struct xd_buf *chunk,
                               xd_done_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_save *save = go_on_with(ledger, lease, callback, arg);
    enum xd_code code = save ? may_add(save, chunk) : XD_OK;
    if (!save || code != XD_OK) {
        xd_buf_free(chunk);
        if (!save) return;
        save->asked = false;
        finish(xd_sqlite_partition(ledger, lease->partition), code);
        xd_sqlite_refuse_done(ledger, code, callback, arg);
        return;
    }
    save->chunk = *chunk;
    xd_buf_init(chunk, chunk->limit);
    hand_to_writer(ledger, save);
}

void xd_sqlite_end_snapshot(struct xd_ledger *base, const struct xd_lease *lease, xd_done_cb *callback,
                            void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_save *save = go_on_with(ledger, lease, callback, arg);
    if (!save) return;
    save->ending = true;
    xd_sqlite_go_on_saving(ledger, xd_sqlite_partition(ledger, lease->partition));
}

void xd_sqlite_drop_snapshot(struct xd_ledger *base, const struct xd_lease *lease)
{
    struct xd_partition *p = xd_sqlite_partition(xd_sqlite_of(base), lease->partition);
    if (is_of(p->save, lease)) xd_sqlite_stop_saving(p, XD_FENCED);
}

/* --- loading -------------------------------------------------------------------------------------------- */

struct load {
    struct xd_job job;
    uint16_t partition;
    xd_snapshot_cb *callback;
    void *arg;
    enum xd_code code;
    struct xd_db_partition row;
    struct xd_buf state;
};

static bool load_pieces(struct load *load, struct xd_db *db)
{
    static const char sql[] = "SELECT bytes FROM chunks WHERE key >= ? AND key < ? ORDER BY key";
    uint64_t number = load->row.snapshot;
    xd_buf_init(&load->state, load->row.snapshot_bytes);
    sqlite3_stmt *row = xd_db_query(db, sql,
                                    XD_BINDS(xd_bind_int(piece_key(load->partition, number, 0)),
                                             xd_bind_int(piece_key(load->partition, number + 1, 0))));
    if (!row || !xd_buf_reserve(&load->state, load->row.snapshot_bytes)) {
        if (row) load->code = XD_NO_MEMORY;
        return false;
    }
    int result;
    while ((result = sqlite3_step(row)) == SQLITE_ROW)
        xd_buf_add(&load->state, sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0));
    xd_db_end(row);
    return result == SQLITE_DONE && !load->state.failed && load->state.len == load->row.snapshot_bytes;
}

static void load_run(struct xd_job *job, struct xd_db *db)
{
    struct load *load = (struct load *)job;
    if (!xd_db_begin_read(db) || !xd_db_read_partition(db, load->partition, &load->row))
        load->code = XD_STORAGE_FAILED;
    else if (load->row.snapshot == 0)
        load->code = XD_NOT_FOUND;
    else if (!load_pieces(load, db) && load->code == XD_OK)
        load->code = XD_STORAGE_FAILED;
    xd_db_end_read(db);
}

static void load_done(struct xd_job *job, struct xd_sqlite *ledger)
{
    (void)ledger;
    struct load *load = (struct load *)job;
    if (load->code != XD_OK) xd_buf_free(&load->state);
    load->callback(load->arg, load->code, load->code == XD_OK ? load->row.snapshot_record : 0,
                   load->code == XD_OK ? load->row.snapshot_event : 0, &load->state);
    free(load);
}

void xd_sqlite_load_snapshot(struct xd_ledger *base, uint16_t partition, xd_snapshot_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct load *load = calloc(1, sizeof *load);
    if (!load) {
        struct xd_buf none = {0};
        callback(arg, XD_NO_MEMORY, 0, 0, &none);
        return;
    }
    load->job = (struct xd_job){.run = load_run, .done = load_done};
    load->partition = partition;
    load->callback = callback;
    load->arg = arg;
    load->code = partition < XD_PARTITIONS ? xd_sqlite_may_read(ledger) : XD_NOT_FOUND;
    if (load->code == XD_OK)
        xd_sqlite_read(ledger, &load->job);
    else
        xd_sqlite_defer(ledger, &load->job);
}

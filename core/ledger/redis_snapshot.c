/* Snapshots are stored in pieces, one for each chunk that the owner gives, so that commits go on between them
 * and Redis never holds a giant value. A piece expires by itself unless the script that makes the snapshot
 * the newest keeps it: what a process leaves that dies goes away. */
#include "core/ledger/redis_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_KEPT_MS = 3600 * 1000, KEY_TEXT = 64 };

static void piece_key(const struct xd_rpart *p, uint64_t number, uint64_t piece, char out[static KEY_TEXT])
{
    snprintf(out, KEY_TEXT, "xd:{p%u}:s:%llu:%llu", (unsigned)p->id, (unsigned long long)number,
             (unsigned long long)piece);
}

/* --- storing -------------------------------------------------------------------------------------------- */

struct xd_redis_save {
    struct xd_rpart *p;
    struct xd_lease lease;
    uint64_t number; /* 0: not known yet */
    uint64_t next_record, next_event;
    struct xd_buf chunk; /* being stored */
    size_t stored;       /* bytes of the chunks before it */
    uint64_t piece;      /* the next to store */
    bool asked;          /* an add or end waits for its answer */
    bool ending;         /* it is an end */
    bool under_way;
    enum xd_code stopped; /* XD_OK, or why it will not be stored */
    xd_done_cb *callback; /* of what is asked */
    void *arg;
};

static void answer(struct xd_redis_save *save, enum xd_code code)
{
    bool asked = save->asked;
    save->asked = false;
    if (asked && save->callback) save->callback(save->arg, code);
}

static void finish(struct xd_redis_save *save, enum xd_code code)
{
    save->p->save = NULL;
    answer(save, code);
    xd_buf_free(&save->chunk);
    free(save);
}

static void on_saved(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_redis_save *save = arg;
    struct xd_rpart *p = save->p;
    bool numbered = save->number != 0;
    xd_redis_answered(p->ledger);
    save->under_way = false;
    enum xd_code code = xd_reply_is_error(*reply, "FENCED") ? XD_FENCED : xd_redis_code(*reply);
    if (code == XD_STORAGE_FAILED) xd_redis_suspect(p, *reply);
    if (code == XD_OK && save->stopped != XD_OK && !save->ending) code = save->stopped;
    if (code != XD_OK || (numbered && save->ending)) {
        finish(save, code);
        return;
    }
    if (numbered) {
        save->stored += save->chunk.len;
        save->piece++;
        xd_buf_free(&save->chunk);
        answer(save, XD_OK);
    } else {
        save->number = xd_reply_uint(*reply);
    }
    xd_redis_wake(p->ledger);
}

static void put_end(const struct xd_redis_save *save, struct xd_args *args, char nonce[static 24],
                    char prefix[static 24])
{
    struct xd_rpart *p = save->p;
    snprintf(nonce, 24, "%016llx", (unsigned long long)save->lease.nonce);
    snprintf(prefix, 24, "xd:{p%u}:s:", (unsigned)p->id);
    xd_args_text(args, "3");
    xd_args_text(args, p->state_key);
    xd_args_text(args, p->log_key);
    xd_args_text(args, p->out_key);
    xd_args_uint(args, save->lease.epoch);
    xd_args_text(args, nonce);
    xd_args_uint(args, save->number);
    xd_args_uint(args, save->next_record);
    xd_args_uint(args, save->next_event);
    xd_args_uint(args, save->stored);
    xd_args_uint(args, save->piece);
    xd_args_text(args, p->ledger->options.keep_log ? "1" : "0");
    xd_args_text(args, prefix);
    xd_args_text(args, p->line);
}

static void put_piece(const struct xd_redis_save *save, struct xd_args *args, char key[static KEY_TEXT])
{
    piece_key(save->p, save->number, save->piece, key);
    xd_args_text(args, "SET");
    xd_args_text(args, key);
    xd_args_bytes(args, save->chunk.data, save->chunk.len);
    xd_args_text(args, "PX");
    xd_args_uint(args, PIECE_KEPT_MS);
}

void xd_redis_go_on_saving(struct xd_rpart *p)
{
    struct xd_redis_save *save = p->save;
    if (!save || save->under_way || !save->asked) return;
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = p->slot};
    struct xd_args args = {0};
    char key[KEY_TEXT], nonce[24];
    if (save->number == 0) {
        to.script = &p->ledger->scripts.count;
        xd_args_text(&args, "1");
        xd_args_text(&args, p->state_key);
        xd_args_text(&args, p->line);
        xd_args_text(&args, "snapshots");
        xd_args_text(&args, "1");
    } else if (!save->ending) {
        put_piece(save, &args, key);
    } else if (p->committed >= save->next_record) {
        to.script = &p->ledger->scripts.save_snapshot;
        put_end(save, &args, nonce, key);
    } else {
        return; /* the commit that makes it so sets this going again */
    }
    enum xd_code code = xd_redis_ask(p->ledger, &to, &args, on_saved, save);
    save->under_way = code == XD_OK;
    if (code != XD_OK) finish(save, code);
}

void xd_redis_stop_saving(struct xd_rpart *p, enum xd_code code)
{
    if (!p->save || p->save->stopped != XD_OK) return;
    p->save->stopped = code;
    if (!p->save->under_way) finish(p->save, code);
}

enum xd_code xd_redis_begin_snapshot(struct xd_ledger *base, const struct xd_lease *lease,
                                     uint64_t next_record, uint64_t next_event)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, lease->partition);
    if (ledger->closing) return XD_DRAINING;
    if (!xd_rpart_holds(p, lease)) return XD_FENCED;
    if (next_record > p->made) return XD_INTERNAL;
    if (p->save) return XD_OVERLOADED;
    struct xd_redis_save *save = calloc(1, sizeof *save);
    if (!save) return XD_NO_MEMORY;
    *save =
        (struct xd_redis_save){.p = p, .lease = *lease, .next_record = next_record, .next_event = next_event};
    p->save = save;
    return XD_OK;
}

/* The snapshot that an add or end goes on with, its callback noted; NULL if it is refused. */
static struct xd_redis_save *go_on_with(struct xd_redis_ledger *ledger, const struct xd_lease *lease,
                                        xd_done_cb *callback, void *arg)
{
    struct xd_rpart *p = xd_rpart_of(ledger, lease->partition);
    if (!xd_rpart_holds(p, lease) || !p->save || p->save->asked || p->save->stopped != XD_OK) {
        xd_redis_refuse_done(ledger, XD_WRONG_STATE, callback, arg);
        return NULL;
    }
    p->save->asked = true;
    p->save->callback = callback;
    p->save->arg = arg;
    xd_redis_wake(ledger);
    return p->save;
}

void xd_redis_add_to_snapshot(struct xd_ledger *base, const struct xd_lease *lease, struct xd_buf *chunk,
                              xd_done_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_buf taken = *chunk;
    xd_buf_init(chunk, taken.limit);
    struct xd_redis_save *save = go_on_with(ledger, lease, callback, arg);
    if (!save) {
        xd_buf_free(&taken);
        return;
    }
    if (taken.failed || taken.len > XD_SNAPSHOT_CHUNK_MAX) {
        enum xd_code code = taken.failed ? XD_NO_MEMORY : XD_TOO_LONG;
        xd_buf_free(&taken);
        save->asked = false;
        xd_redis_refuse_done(ledger, code, callback, arg);
        finish(save, code);
        return;
    }
    save->chunk = taken;
}

void xd_redis_end_snapshot(struct xd_ledger *base, const struct xd_lease *lease, xd_done_cb *callback,
                           void *arg)
{
    struct xd_redis_save *save = go_on_with(xd_redis_ledger_of(base), lease, callback, arg);
    if (save) save->ending = true;
}

void xd_redis_drop_snapshot(struct xd_ledger *base, const struct xd_lease *lease)
{
    struct xd_rpart *p = xd_rpart_of(xd_redis_ledger_of(base), lease->partition);
    if (xd_rpart_holds(p, lease)) xd_redis_stop_saving(p, XD_FENCED);
}

/* --- loading -------------------------------------------------------------------------------------------- */

struct load {
    struct xd_put_off put_off;
    struct xd_redis_ledger *ledger;
    struct xd_rpart *p;
    xd_snapshot_cb *callback;
    void *arg;
    enum xd_code code;
    bool described;
    uint64_t number, next_record, next_event, bytes, pieces, piece;
    struct xd_buf state;
};

static void end_load(struct load *load, enum xd_code code)
{
    if (code != XD_OK) {
        xd_buf_free(&load->state);
        load->next_record = load->next_event = 0;
    }
    load->callback(load->arg, code, load->next_record, load->next_event, &load->state);
    free(load);
}

static void load_refused(struct xd_put_off *put_off)
{
    struct load *load = (struct load *)put_off;
    end_load(load, load->code);
}

static enum xd_code load_on(struct load *load);

/* snap, snap_record, snap_event, snap_bytes, snap_pieces, snap_ms, snap_mark */
static enum xd_code describe(struct load *load, const redisReply *reply)
{
    load->described = true;
    load->number = xd_reply_uint_at(reply, 0);
    if (load->number == 0) return XD_NOT_FOUND;
    load->next_record = xd_reply_uint_at(reply, 1);
    load->next_event = xd_reply_uint_at(reply, 2);
    load->bytes = xd_reply_uint_at(reply, 3);
    load->pieces = xd_reply_uint_at(reply, 4);
    load->p->mark_ms = (int64_t)xd_reply_uint_at(reply, 5);
    load->p->mark_record = xd_reply_uint_at(reply, 6);
    xd_buf_init(&load->state, (size_t)load->bytes);
    return xd_buf_reserve(&load->state, (size_t)load->bytes) ? XD_OK : XD_NO_MEMORY;
}

static void on_loaded(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct load *load = arg;
    xd_redis_answered(load->ledger);
    enum xd_code code = xd_redis_code(*reply);
    if (code != XD_OK) {
        xd_redis_suspect(load->p, *reply);
        code = XD_STORAGE_FAILED;
    } else if (!load->described) {
        code = describe(load, *reply);
    } else if ((*reply)->type != REDIS_REPLY_STRING) {
        code = XD_STORAGE_FAILED; /* a newer one has replaced it meanwhile */
    } else {
        xd_buf_add(&load->state, (*reply)->str, (*reply)->len);
        load->piece++;
    }
    if (code == XD_OK && load->piece == load->pieces) {
        end_load(load, load->state.failed || load->state.len != load->bytes ? XD_STORAGE_FAILED : XD_OK);
        return;
    }
    if (code == XD_OK) code = load_on(load);
    if (code != XD_OK) end_load(load, code);
}

static enum xd_code load_on(struct load *load)
{
    static const char *const fields[] = {"snap",        "snap_record", "snap_event", "snap_bytes",
                                         "snap_pieces", "snap_ms",     "snap_mark"};
    struct xd_redis_to to = {.lane = XD_REDIS_READS, .slot = load->p->slot};
    struct xd_args args = {0};
    char key[KEY_TEXT];
    if (load->described) {
        piece_key(load->p, load->number, load->piece, key);
        xd_args_text(&args, "GET");
        xd_args_text(&args, key);
    } else {
        xd_args_text(&args, "HMGET");
        xd_args_text(&args, load->p->state_key);
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            xd_args_text(&args, fields[i]);
    }
    return xd_redis_ask(load->ledger, &to, &args, on_loaded, load);
}

void xd_redis_load_snapshot(struct xd_ledger *base, uint16_t partition, xd_snapshot_cb *callback, void *arg)
{
    struct load *load = calloc(1, sizeof *load);
    if (!load) {
        struct xd_buf none = {0};
        callback(arg, XD_NO_MEMORY, 0, 0, &none);
        return;
    }
    *load = (struct load){.put_off.run = load_refused,
                          .ledger = xd_redis_ledger_of(base),
                          .p = xd_rpart_of(xd_redis_ledger_of(base), partition),
                          .callback = callback,
                          .arg = arg};
    load->code = !load->p ? XD_NOT_FOUND : load->ledger->closing ? XD_DRAINING : load_on(load);
    if (load->code != XD_OK) xd_redis_put_off(load->ledger, &load->put_off);
}

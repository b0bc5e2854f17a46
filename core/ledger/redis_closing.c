/* What a commit leaves to be done with refs: those of refused orders are freed, those of closed ones expire.
 * They are in the accounts' places, not in the partition's, so it is done after the commit; the partition's
 * state says up to which commit it has been
 * (`closed`, written with a later commit), and a new owner does again what is behind it. Doing it twice does
 * no harm. */
#include "core/ledger/redis_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLOSED_HEAD = 11, REPLAY_COMMITS = 16, CLOSING_MAX = 4 << 20 };

static const uint64_t REF_KEPT_MS = UINT64_C(30) * 86400 * 1000;

/* One commit's refs, packed: freed (8 bits), the order's id (64, little-endian), the lengths of account and
 * ref (8 each), the two. */
struct xd_closing {
    struct xd_closing *next;
    struct xd_rpart *p;
    char id[48];
    uint32_t waiting; /* answers, and one while they are being sent */
    bool under_way, failed;
    size_t len;
    uint8_t bytes[];
};

void xd_redis_pack_closed(struct xd_buf *out, const struct xd_buf *closed)
{
    const struct xd_closed_ref *refs = (const struct xd_closed_ref *)(const void *)closed->data;
    for (size_t i = 0; i < closed->len / sizeof *refs; i++) {
        uint8_t head[CLOSED_HEAD] = {refs[i].freed};
        for (int byte = 0; byte < 8; byte++)
            head[1 + byte] = (uint8_t)(refs[i].order_id >> (8 * byte));
        head[9] = refs[i].account_len;
        head[10] = refs[i].ref_len;
        xd_buf_add(out, head, sizeof head);
        xd_buf_add(out, refs[i].account, refs[i].account_len);
        xd_buf_add(out, refs[i].ref, refs[i].ref_len);
    }
}

static void queue(struct xd_rpart *p, const char *id, const void *packed, size_t len)
{
    struct xd_closing *closing = malloc(sizeof *closing + len);
    if (!closing) return; /* the next owner will find it undone: `closed` does not pass it */
    *closing = (struct xd_closing){.p = p, .len = len};
    snprintf(closing->id, sizeof closing->id, "%s", id);
    if (len > 0) memcpy(closing->bytes, packed, len);
    *(p->closings ? &p->last_closing->next : &p->closings) = closing;
    p->last_closing = closing;
}

void xd_redis_close_refs(struct xd_rpart *p, const char *id, const void *closed, size_t len)
{
    struct xd_buf unpacked = {.data = (uint8_t *)(uintptr_t)closed, .len = len}, packed;
    xd_buf_init(&packed, CLOSING_MAX);
    xd_redis_pack_closed(&packed, &unpacked);
    if (!packed.failed) queue(p, id, packed.data, packed.len);
    xd_buf_free(&packed);
}

static void one_less(struct xd_closing *closing)
{
    struct xd_rpart *p = closing->p;
    if (--closing->waiting > 0) return;
    closing->under_way = false;
    if (closing->failed) {
        closing->failed = false;
        xd_redis_wake_later(p->ledger);
        return;
    }
    memcpy(p->closed, closing->id, sizeof p->closed);
    p->closings = closing->next;
    free(closing);
    xd_redis_wake(p->ledger);
}

static void on_closed(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_closing *closing = arg;
    xd_redis_answered(closing->p->ledger);
    if (xd_redis_code(*reply) != XD_OK) closing->failed = true;
    one_less(closing);
}

static bool close_one(struct xd_closing *closing, const uint8_t *head, struct xd_str account,
                      struct xd_str ref)
{
    struct xd_redis_ledger *ledger = closing->p->ledger;
    char key[XD_REF_KEY];
    size_t key_len = xd_redis_ref_key(account, ref, key);
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = xd_redis_slot(key, key_len)};
    struct xd_args args = {0};
    if (head[0]) {
        to.script = &ledger->scripts.free_ref;
        xd_args_text(&args, "1");
        xd_args_bytes(&args, key, key_len);
        xd_args_bytes(&args, head + 1, 8);
    } else {
        xd_args_text(&args, "PEXPIRE");
        xd_args_bytes(&args, key, key_len);
        xd_args_uint(&args, REF_KEPT_MS);
    }
    return xd_redis_ask(ledger, &to, &args, on_closed, closing) == XD_OK;
}

void xd_redis_go_on_closing(struct xd_rpart *p)
{
    struct xd_closing *closing = p->closings;
    if (!closing || closing->under_way) return;
    closing->under_way = true;
    closing->waiting = 1;
    for (size_t at = 0; closing->len - at >= CLOSED_HEAD && !closing->failed;) {
        const uint8_t *head = closing->bytes + at;
        size_t account_len = head[9], ref_len = head[10];
        if (closing->len - at - CLOSED_HEAD < account_len + ref_len) break;
        const char *text = (const char *)head + CLOSED_HEAD;
        closing->waiting++;
        if (!close_one(closing, head, (struct xd_str){text, (uint32_t)account_len},
                       (struct xd_str){text + account_len, (uint32_t)ref_len})) {
            closing->waiting--;
            closing->failed = true;
        }
        at += CLOSED_HEAD + account_len + ref_len;
    }
    one_less(closing);
}

/* Those that wait; one under way ends with its answers. */
void xd_redis_forget_closings(struct xd_rpart *p)
{
    struct xd_closing *closing = p->closings;
    if (closing && closing->under_way) {
        struct xd_closing *rest = closing->next;
        closing->next = NULL;
        p->last_closing = closing;
        closing = rest;
    } else {
        p->closings = NULL;
    }
    while (closing) {
        struct xd_closing *next = closing->next;
        free(closing);
        closing = next;
    }
}

/* --- what a former owner left undone ----------------------------------------------------------------------
 */

struct takeover {
    struct xd_rpart *p;
    struct xd_lease lease;
    char after[48];
};

static void read_on(struct takeover *takeover);

static void on_commits(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct takeover *takeover = arg;
    struct xd_rpart *p = takeover->p;
    const redisReply *entries = *reply;
    xd_redis_answered(p->ledger);
    bool more = entries && entries->type == REDIS_REPLY_ARRAY && entries->elements > 0 &&
                xd_rpart_holds(p, &takeover->lease);
    for (size_t i = 0; more && i < entries->elements; i++) {
        const redisReply *entry = entries->element[i];
        if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2) continue;
        const redisReply *closed = xd_reply_field(entry->element[1], "c");
        snprintf(takeover->after, sizeof takeover->after, "%s", xd_reply_text(entry->element[0]));
        if (closed && closed->type == REDIS_REPLY_STRING && closed->len > 0)
            queue(p, takeover->after, closed->str, closed->len);
    }
    if (more) {
        xd_redis_wake(p->ledger);
        read_on(takeover);
    } else {
        free(takeover);
    }
}

static void read_on(struct takeover *takeover)
{
    struct xd_rpart *p = takeover->p;
    char start[56];
    snprintf(start, sizeof start, "(%s", takeover->after);
    struct xd_redis_to to = {.lane = XD_REDIS_READS, .slot = p->slot};
    struct xd_args args = {0};
    xd_args_text(&args, "XRANGE");
    xd_args_text(&args, p->out_key);
    xd_args_text(&args, start);
    xd_args_text(&args, "+");
    xd_args_text(&args, "COUNT");
    xd_args_uint(&args, REPLAY_COMMITS);
    if (xd_redis_ask(p->ledger, &to, &args, on_commits, takeover) != XD_OK) free(takeover);
}

void xd_redis_take_over_closing(struct xd_rpart *p)
{
    struct takeover *takeover = malloc(sizeof *takeover);
    if (!takeover) return;
    *takeover = (struct takeover){.p = p, .lease = p->lease};
    memcpy(takeover->after, p->closed, sizeof takeover->after);
    read_on(takeover);
}

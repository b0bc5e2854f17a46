/* Commits followed, whoever made them: outcomes go to those who appended, then events to the follower of
 * events. A commit may come before the answer that tells the offset of our own entry in it: it waits for
 * that, so that an append is answered before its events are told. */
#include "core/ledger/redis_ledger.h"

#include <stdlib.h>

enum { READ_COMMITS = 8, TOLD_AT_ONCE = 256, BLOCK_LIMIT = 512 << 20 };

static void tell_events(struct xd_rpart *p, uint64_t next, const struct xd_buf *block)
{
    struct xd_event_ref some[TOLD_AT_ONCE];
    const struct xd_redis_ledger *ledger = p->ledger;
    size_t at = 0, len;
    const uint8_t *bytes;
    for (bool more = true; more;) {
        uint32_t n = 0;
        while (n < TOLD_AT_ONCE && (more = xd_entry_next(block->data, block->len, &at, &bytes, &len)))
            some[n++] = (struct xd_event_ref){.offset = next++, .bytes = bytes, .len = len};
        p->out_events = next;
        if (n > 0 && ledger->on_events) ledger->on_events(ledger->on_events_arg, p->id, some, n);
    }
}

/* False: it is not to be told; of another line of history than what was told before it, or unreadable. */
static bool tell_commit(struct xd_rpart *p, const redisReply *entry)
{
    const redisReply *fields = entry->elements == 2 ? entry->element[1] : NULL;
    const redisReply *line = xd_reply_field(fields, "g");
    const redisReply *outcomes = xd_reply_field(fields, "o"), *block = xd_reply_field(fields, "b");
    uint64_t events, records;
    if (!outcomes || !block || !xd_reply_id(entry->element[0], &events, &records)) return true;
    if (line && !xd_redis_same_line(p, line)) return false;
    struct xd_buf plain, refusals;
    xd_buf_init(&plain, BLOCK_LIMIT);
    xd_buf_init(&refusals, BLOCK_LIMIT);
    bool good =
        xd_redis_expand(&plain, block) && xd_redis_unpack_refusals(&refusals, xd_reply_field(fields, "r"));
    if (good) {
        xd_redis_tell_outcomes(
            p, &(struct xd_redis_outcomes){.from = xd_reply_uint(xd_reply_field(fields, "p")),
                                           .next = records,
                                           .outcomes = (const uint8_t *)outcomes->str,
                                           .len = outcomes->len,
                                           .refusals = (const struct xd_refusal *)(const void *)refusals.data,
                                           .refusal_count = refusals.len / sizeof(struct xd_refusal)});
        tell_events(p, xd_reply_uint(xd_reply_field(fields, "f")), &plain);
    } else {
        xd_redis_suspect(p, NULL);
    }
    xd_buf_free(&plain);
    xd_buf_free(&refusals);
    if (!good) return false;
    p->out_records = records;
    p->out_events = events;
    if (records > p->committed) p->committed = records;
    if (events > p->events) p->events = events;
    if (p->lease.epoch == 0 && !p->commits) {
        p->made = records;
        p->made_events = events;
    }
    return true;
}

static void tell(struct xd_rpart *p, const redisReply *reply)
{
    const redisReply *entries = xd_reply_entries(reply);
    bool same = true;
    for (size_t i = 0; entries && i < entries->elements && same; i++)
        same = tell_commit(p, entries->element[i]);
    xd_redis_settled(p->ledger, XD_OK);
    xd_redis_wake(p->ledger);
}

void xd_redis_unpark(struct xd_rpart *p)
{
    redisReply *reply = p->parked;
    if (!reply || p->parked_waits || (p->parked_serial != 0 && xd_redis_unresolved(p) == p->parked_serial))
        return;
    p->parked = NULL;
    tell(p, reply);
    freeReplyObject(reply);
}

static void drop_parked(struct xd_rpart *p)
{
    freeReplyObject(p->parked);
    p->parked = NULL;
    p->parked_waits = false;
}

static void on_replicated(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas; /* fewer than asked for: then so much is told, as acknowledgements name less */
    struct xd_rpart *p = arg;
    xd_redis_answered(p->ledger);
    if (!p->parked_waits) return;
    p->parked_waits = false;
    if (xd_redis_code(*reply) == XD_OK) {
        xd_redis_unpark(p);
    } else {
        drop_parked(p); /* to be read again */
        xd_redis_suspect(p, *reply);
    }
}

/* Commits are told once the replicas have them: a write of our own that has reached them came after. */
static void wait_for_replicas(struct xd_rpart *p)
{
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = p->slot, .durable = true};
    struct xd_args args = {0};
    xd_args_text(&args, "HSET");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, "told");
    xd_args_text(&args, p->ledger->process);
    p->parked_waits = xd_redis_ask(p->ledger, &to, &args, on_replicated, p) == XD_OK;
    if (p->parked_waits) return;
    drop_parked(p);
    xd_redis_suspect(p, NULL);
}

struct following {
    struct xd_rpart *p;
    uint64_t serial;
};

static void on_commits(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct following following = *(struct following *)arg;
    struct xd_rpart *p = following.p;
    free(arg);
    p->out_reading = false;
    if (following.serial != p->out_serial) {
        xd_redis_wake(p->ledger);
        return;
    }
    if (!*reply || (*reply)->type == REDIS_REPLY_ERROR) {
        xd_redis_suspect(p, *reply);
        return;
    }
    bool replicated = p->ledger->options.durability == XD_DURABILITY_REPLICATED;
    if (!xd_reply_entries(*reply) || (xd_redis_unresolved(p) == 0 && !replicated)) {
        tell(p, *reply);
        return;
    }
    p->parked = *reply;
    p->parked_serial = xd_redis_unresolved(p);
    *reply = NULL;
    if (replicated) wait_for_replicas(p);
}

void xd_redis_go_on_telling(struct xd_rpart *p)
{
    if (p->ledger->options.owner_only || p->out_reading || p->parked) return;
    char after[48];
    snprintf(after, sizeof after, "%llu-%llu", (unsigned long long)p->out_events,
             (unsigned long long)p->out_records);
    struct following *following = malloc(sizeof *following);
    if (!following) {
        xd_redis_wake_later(p->ledger);
        return;
    }
    *following = (struct following){p, p->out_serial};
    uint32_t lane = XD_REDIS_BLOCKING + 2 * (uint32_t)p->id + 1;
    p->out_reading = xd_redis_read_stream(p, lane, p->out_key, after, READ_COMMITS, on_commits, following);
    if (p->out_reading) return;
    free(following);
    xd_redis_suspect(p, NULL);
}

void xd_redis_follow_events(struct xd_ledger *base, xd_events_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    ledger->on_events = callback;
    ledger->on_events_arg = arg;
}

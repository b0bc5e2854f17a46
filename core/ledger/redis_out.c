/* Commits followed, whoever made them: outcomes go to those who appended, then events to the follower of
 * events. A commit may come before the answer that tells the offset of our own entry in it: it waits for
 * that, so that an append is answered before its events are told.
 *
 * Where replicas are asked for, events are told once these have them. While they are away commits are read
 * for their outcomes alone (which follow from the log, whose level was named when it was appended to), and
 * all is read again for its events when they are back. */
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
        p->told_events = next;
        if (n > 0 && ledger->on_events) ledger->on_events(ledger->on_events_arg, p->id, some, n);
    }
}

/* False: the rest is not to be told; of another line of history than what was told before it, or unreadable. */
static bool tell_outcomes(struct xd_rpart *p, const redisReply *entry)
{
    const redisReply *fields = entry->elements == 2 ? entry->element[1] : NULL;
    const redisReply *line = xd_reply_field(fields, "g"), *outcomes = xd_reply_field(fields, "o");
    uint64_t events, records;
    if (line && !xd_redis_same_line(p, line)) return false;
    if (!outcomes || !xd_reply_id(entry->element[0], &events, &records)) return true;
    struct xd_buf refusals;
    xd_buf_init(&refusals, BLOCK_LIMIT);
    bool good = xd_redis_unpack_refusals(&refusals, xd_reply_field(fields, "r"));
    if (good)
        xd_redis_tell_outcomes(
            p, &(struct xd_redis_outcomes){.from = xd_reply_uint(xd_reply_field(fields, "p")),
                                           .next = records,
                                           .outcomes = (const uint8_t *)outcomes->str,
                                           .len = outcomes->len,
                                           .refusals = (const struct xd_refusal *)(const void *)refusals.data,
                                           .refusal_count = refusals.len / sizeof(struct xd_refusal)});
    else
        xd_redis_suspect(p, NULL);
    xd_buf_free(&refusals);
    return good;
}

/* How far the commit is read, and where `told` its events told. False: unreadable. */
static bool take_commit(struct xd_rpart *p, const redisReply *entry, bool told)
{
    const redisReply *fields = entry->elements == 2 ? entry->element[1] : NULL;
    const redisReply *block = xd_reply_field(fields, "b");
    uint64_t events, records;
    if (!block || !xd_reply_id(entry->element[0], &events, &records)) return true;
    if (told) {
        struct xd_buf plain;
        xd_buf_init(&plain, BLOCK_LIMIT);
        bool good = xd_redis_expand(&plain, block);
        if (good) tell_events(p, xd_reply_uint(xd_reply_field(fields, "f")), &plain);
        xd_buf_free(&plain);
        if (!good) {
            xd_redis_suspect(p, NULL);
            return false;
        }
        p->told_events = events;
        p->told_records = records;
    }
    p->out_events = events;
    p->out_records = records;
    if (records > p->committed) p->committed = records;
    if (events > p->events) p->events = events;
    if (p->lease.epoch == 0 && !p->commits) {
        p->made = records;
        p->made_events = events;
    }
    return true;
}

/* --- held back until the replicas have them --------------------------------------------------------------
 */

static bool is_replicated(const struct xd_rpart *p, uint64_t events)
{
    return !xd_redis_holds_back(p->ledger) || events <= p->replicated_events;
}

bool xd_redis_awaits_replicas(const struct xd_rpart *p)
{
    return !is_replicated(p, p->told_events);
}

void xd_redis_drop_parked(struct xd_rpart *p)
{
    if (p->parked) freeReplyObject(p->parked);
    p->parked = NULL;
}

/* What was passed over is read again. */
static void go_back(struct xd_rpart *p)
{
    p->held = false;
    if (p->out_events == p->told_events && p->out_records == p->told_records) return;
    xd_redis_drop_parked(p);
    p->out_events = p->told_events;
    p->out_records = p->told_records;
    p->out_serial++;
    if (p->out_reading) xd_redis_drop(p->ledger->redis, xd_rpart_lane(p, XD_LANE_COMMITS), p->slot);
}

struct following {
    struct xd_rpart *p;
    uint64_t serial;
};

static void on_replicated(void *arg, redisReply **reply, int64_t replicas)
{
    struct following following = *(struct following *)arg;
    struct xd_rpart *p = following.p;
    free(arg);
    xd_redis_wake(p->ledger);
    p->replicating = false;
    if (following.serial != p->out_serial) return;
    if (!*reply || (*reply)->type != REDIS_REPLY_INTEGER) {
        xd_redis_drop_parked(p); /* to be read again */
        xd_redis_suspect(p, *reply);
    } else if (replicas < p->ledger->options.replicas) {
        p->held = true;
    } else {
        p->replicated_events = (uint64_t)(*reply)->integer;
        if (p->held) go_back(p);
        xd_redis_answer_waiting(p);
    }
}

/* A write of our own that has reached the replicas came after all that was read before: it adds nothing to
 * the number of events, under the line in which they were read. */
static void replicate(struct xd_rpart *p)
{
    struct xd_redis_ledger *ledger = p->ledger;
    struct xd_redis_to to = {.lane = xd_rpart_lane(p, XD_LANE_REPLICAS),
                             .slot = p->slot,
                             .script = &ledger->scripts.count,
                             .durable = true};
    struct xd_args args = {0};
    struct following *following = malloc(sizeof *following);
    xd_args_text(&args, "1");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->line);
    xd_args_text(&args, "events");
    xd_args_text(&args, "0");
    if (following) *following = (struct following){p, p->out_serial};
    p->replicating = following && xd_redis_ask(ledger, &to, &args, on_replicated, following) == XD_OK;
    if (p->replicating) return;
    free(following);
    xd_redis_suspect(p, NULL);
}

void xd_redis_go_on_replicating(struct xd_rpart *p)
{
    uint64_t events = p->parked ? p->parked_events : p->held ? p->out_events : p->told_events;
    if (!p->replicating && !p->suspect && !is_replicated(p, events)) replicate(p);
}

/* --- told ------------------------------------------------------------------------------------------------
 */

static bool answer_parked(struct xd_rpart *p)
{
    const redisReply *entries = xd_reply_entries(p->parked);
    for (size_t i = 0; i < entries->elements && !p->parked_answered; i++)
        if (!tell_outcomes(p, entries->element[i])) return false;
    p->parked_answered = true;
    return true;
}

void xd_redis_unpark(struct xd_rpart *p)
{
    redisReply *reply = p->parked;
    if (!reply || (p->parked_serial != 0 && xd_redis_unresolved(p) == p->parked_serial)) return;
    if (!answer_parked(p)) {
        xd_redis_drop_parked(p);
        return;
    }
    bool told = is_replicated(p, p->parked_events) && !p->held;
    if (!told && !p->held) return;
    const redisReply *entries = xd_reply_entries(reply);
    bool good = true;
    p->parked = NULL;
    for (size_t i = 0; i < entries->elements && good; i++)
        good = take_commit(p, entries->element[i], told);
    freeReplyObject(reply);
    xd_redis_settled(p->ledger, XD_OK);
    xd_redis_wake(p->ledger);
}

static void park(struct xd_rpart *p, redisReply *reply)
{
    const redisReply *entries = xd_reply_entries(reply);
    uint64_t records;
    p->parked = reply;
    p->parked_serial = xd_redis_unresolved(p);
    p->parked_answered = false;
    p->parked_events = p->out_events;
    if (entries->elements > 0)
        xd_reply_id(entries->element[entries->elements - 1]->element[0], &p->parked_events, &records);
    xd_redis_unpark(p);
}

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
    if (xd_reply_entries(*reply)) {
        park(p, *reply);
        *reply = NULL;
    }
    xd_redis_wake(p->ledger);
}

void xd_redis_go_on_telling(struct xd_rpart *p)
{
    if (p->ledger->options.owner_only) return;
    xd_redis_unpark(p);
    if (!p->held) xd_redis_go_on_replicating(p); /* else with the next tick */
    if (p->out_reading || p->parked) return;
    char after[48];
    snprintf(after, sizeof after, "%llu-%llu", (unsigned long long)p->out_events,
             (unsigned long long)p->out_records);
    struct following *following = malloc(sizeof *following);
    if (!following) {
        xd_redis_wake_later(p->ledger);
        return;
    }
    *following = (struct following){p, p->out_serial};
    p->out_reading = xd_redis_read_stream(p, xd_rpart_lane(p, XD_LANE_COMMITS), p->out_key, after,
                                          READ_COMMITS, on_commits, following);
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

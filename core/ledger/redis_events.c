/* Events read again, old ones removed, and the named cursors of subscriptions. */
#include "core/ledger/redis_ledger.h"

#include "core/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { TRIM_EVERY_MS = 1000 };

/* --- reading -------------------------------------------------------------------------------------------- */

struct event_read {
    struct xd_put_off put_off;
    struct xd_rpart *p;
    uint64_t from;
    enum xd_code code;
    xd_event_run_cb *callback;
    void *arg;
    uint32_t account_len;
    char account[XD_ACCOUNT_MAX];
};

uint32_t xd_redis_mark(struct xd_str account)
{
    return (uint32_t)XXH3_64bits(account.at, account.len);
}

static struct xd_str wanted(const struct event_read *read)
{
    return (struct xd_str){read->account, read->account_len};
}

static bool wants_all(const struct event_read *read)
{
    return xd_str_equal(wanted(read), xd_str_of("*"));
}

static void end_read(struct event_read *read, enum xd_code code)
{
    uint64_t oldest = read->p ? read->p->oldest_event : 0;
    read->callback(read->arg, &(struct xd_event_run){.code = code, .next = read->from, .oldest = oldest});
    free(read);
}

static void refused(struct xd_put_off *put_off)
{
    struct event_read *read = (struct event_read *)put_off;
    end_read(read, read->code);
}

/* Oldest, head, where to go on, the line, then an offset and an event in turn; some may be another account's. */
static void give(struct event_read *read, const redisReply *reply)
{
    uint32_t count = 0;
    struct xd_event_ref *events = malloc(reply->elements * sizeof *events);
    if (!events) {
        end_read(read, XD_NO_MEMORY);
        return;
    }
    for (size_t i = 4; i + 1 < reply->elements; i += 2) {
        const redisReply *bytes = reply->element[i + 1];
        struct xd_event_ref event = {.offset = xd_reply_uint_at(reply, i),
                                     .bytes = (const uint8_t *)xd_reply_text(bytes),
                                     .len = bytes->type == REDIS_REPLY_STRING ? bytes->len : 0};
        if (wants_all(read) || xd_str_equal(xd_event_account(event.bytes, event.len), wanted(read)))
            events[count++] = event;
    }
    read->p->oldest_event = xd_reply_uint_at(reply, 0);
    read->callback(read->arg, &(struct xd_event_run){.events = events,
                                                     .count = count,
                                                     .next = xd_reply_uint_at(reply, 2),
                                                     .oldest = read->p->oldest_event,
                                                     .head = xd_reply_uint_at(reply, 1)});
    free(events);
    free(read);
}

static void on_read(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct event_read *read = arg;
    xd_redis_answered(read->p->ledger);
    bool good = *reply && (*reply)->type == REDIS_REPLY_ARRAY && (*reply)->elements >= 4;
    if (good && xd_redis_same_line(read->p, (*reply)->element[3])) {
        give(read, *reply);
        return;
    }
    if (!good) xd_redis_suspect(read->p, *reply);
    end_read(read, XD_STORAGE_FAILED);
}

static enum xd_code send_read(struct event_read *read, size_t max_bytes)
{
    struct xd_rpart *p = read->p;
    uint32_t mark = xd_redis_mark(wanted(read));
    uint8_t bytes[] = {(uint8_t)mark, (uint8_t)(mark >> 8), (uint8_t)(mark >> 16), (uint8_t)(mark >> 24)};
    struct xd_redis_to to = {
        .lane = XD_REDIS_READS, .slot = p->slot, .script = &p->ledger->scripts.read_events};
    struct xd_args args = {0};
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->out_key);
    xd_args_uint(&args, read->from);
    xd_args_uint(&args, max_bytes);
    xd_args_bytes(&args, bytes, wants_all(read) ? 0 : sizeof bytes);
    xd_args_text(&args, p->marks_key);
    return xd_redis_ask(p->ledger, &to, &args, on_read, read);
}

void xd_redis_read_events(struct xd_ledger *base, uint16_t partition, uint64_t from, struct xd_str account,
                          size_t max_bytes, xd_event_run_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct event_read *read = malloc(sizeof *read);
    if (!read) {
        callback(arg, &(struct xd_event_run){.code = XD_NO_MEMORY, .next = from});
        return;
    }
    *read = (struct event_read){.put_off.run = refused,
                                .p = xd_rpart_of(ledger, partition),
                                .from = from,
                                .callback = callback,
                                .arg = arg};
    read->code = !read->p                       ? XD_NOT_FOUND
                 : ledger->closing              ? XD_DRAINING
                 : account.len > XD_ACCOUNT_MAX ? XD_TOO_LONG
                                                : XD_OK;
    if (read->code == XD_OK) {
        read->account_len = account.len;
        memcpy(read->account, account.at, account.len);
        read->code = send_read(read, max_bytes);
    }
    if (read->code != XD_OK) xd_redis_put_off(ledger, &read->put_off);
}

/* --- trimming ------------------------------------------------------------------------------------------- */

static void on_trimmed(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_rpart *p = arg;
    xd_redis_answered(p->ledger);
    p->trimming = false;
    if (!*reply || (*reply)->type != REDIS_REPLY_INTEGER || (*reply)->integer < 0) return;
    p->oldest_event = (uint64_t)(*reply)->integer;
    p->trimmed_ms = 0; /* there may be more */
    xd_redis_trim_events(p);
}

void xd_redis_trim_events(struct xd_rpart *p)
{
    struct xd_redis_ledger *ledger = p->ledger;
    int64_t retention_ms = ledger->options.event_retention_s * 1000, now = xd_redis_monotonic();
    int64_t before = xd_ledger_now_ms(&ledger->base) - retention_ms;
    if (retention_ms == 0 || before <= 0 || p->trimming || p->suspect || p->lease.epoch == 0 ||
        ledger->closing || now - p->trimmed_ms < TRIM_EVERY_MS)
        return;
    struct xd_redis_to to = {
        .lane = XD_REDIS_WRITES, .slot = p->slot, .script = &ledger->scripts.trim_events};
    struct xd_args args = {0};
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->out_key);
    xd_args_uint(&args, (uint64_t)before);
    xd_args_text(&args, p->marks_key);
    p->trimmed_ms = now;
    p->trimming = xd_redis_ask(ledger, &to, &args, on_trimmed, p) == XD_OK;
}

/* --- cursors -------------------------------------------------------------------------------------------- */

struct cursor_call {
    struct xd_put_off put_off;
    struct xd_redis_ledger *ledger;
    xd_done_cb *saved;
    xd_cursor_cb *loaded;
    void *arg;
    enum xd_code code;
};

static void end_cursor(struct cursor_call *call, struct xd_str cursor)
{
    if (call->loaded)
        call->loaded(call->arg, call->code, cursor);
    else if (call->saved)
        call->saved(call->arg, call->code);
    free(call);
}

static void cursor_refused(struct xd_put_off *put_off)
{
    end_cursor((struct cursor_call *)put_off, (struct xd_str){0});
}

static void on_cursor(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct cursor_call *call = arg;
    xd_redis_answered(call->ledger);
    call->code = xd_redis_code(*reply);
    struct xd_str cursor = xd_str_of(call->code == XD_OK && call->loaded ? xd_reply_text(*reply) : "");
    if (call->code == XD_OK && call->loaded && (*reply)->type == REDIS_REPLY_NIL) call->code = XD_NOT_FOUND;
    end_cursor(call, cursor);
}

static void start_cursor(struct cursor_call *call, struct xd_str account, struct xd_str name,
                         struct xd_str value)
{
    char key[XD_ACCOUNT_MAX + 24];
    if (account.len > XD_ACCOUNT_MAX || name.len > XD_REF_MAX)
        call->code = call->loaded ? XD_NOT_FOUND : XD_TOO_LONG;
    else if (call->ledger->closing)
        call->code = XD_DRAINING;
    if (call->code == XD_OK) {
        int key_len = snprintf(key, sizeof key, "xd:{%.*s}:cursors", (int)account.len, account.at);
        struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = xd_redis_slot(key, (size_t)key_len)};
        struct xd_args args = {0};
        to.durable = value.at != NULL;
        xd_args_text(&args, value.at ? "HSET" : "HGET");
        xd_args_text(&args, key);
        xd_args_bytes(&args, name.at, name.len);
        if (value.at) xd_args_bytes(&args, value.at, value.len);
        call->code = xd_redis_ask(call->ledger, &to, &args, on_cursor, call);
        if (call->code == XD_OK) return;
    }
    call->put_off.run = cursor_refused;
    xd_redis_put_off(call->ledger, &call->put_off);
}

void xd_redis_save_cursor(struct xd_ledger *base, struct xd_str account, struct xd_str name,
                          struct xd_str cursor, xd_done_cb *callback, void *arg)
{
    struct cursor_call *call = calloc(1, sizeof *call);
    if (!call) {
        if (callback) callback(arg, XD_NO_MEMORY);
        return;
    }
    *call = (struct cursor_call){.ledger = xd_redis_ledger_of(base), .saved = callback, .arg = arg};
    start_cursor(call, account, name, cursor);
}

void xd_redis_load_cursor(struct xd_ledger *base, struct xd_str account, struct xd_str name,
                          xd_cursor_cb *callback, void *arg)
{
    struct cursor_call *call = calloc(1, sizeof *call);
    if (!call) {
        callback(arg, XD_NO_MEMORY, (struct xd_str){0});
        return;
    }
    *call = (struct cursor_call){.ledger = xd_redis_ledger_of(base), .loaded = callback, .arg = arg};
    start_cursor(call, account, name, (struct xd_str){0});
}

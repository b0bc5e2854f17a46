/* Events read again, old ones removed, and the named cursors of subscriptions. */
#include "core/ledger/redis_ledger.h"

#include "core/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { TRIM_EVERY_MS = 1000, WAIT_MS = 1000, BLOCK_LIMIT = 512 << 20 };

/* --- reading -------------------------------------------------------------------------------------------- */

struct xd_event_read {
    struct xd_put_off put_off;
    struct xd_event_read *next_waiting;
    struct xd_rpart *p;
    uint64_t from, head;
    int64_t waits_ms; /* since */
    enum xd_code code;
    xd_event_run_cb *callback;
    void *arg;
    size_t max_bytes;
    uint32_t account_len;
    char account[XD_ACCOUNT_MAX];
};

/* What is given. */
struct run {
    struct xd_buf events; /* struct xd_event_ref */
    size_t bytes;
};

uint32_t xd_redis_mark(struct xd_str account)
{
    return (uint32_t)XXH3_64bits(account.at, account.len);
}

static struct xd_str wanted(const struct xd_event_read *read)
{
    return (struct xd_str){read->account, read->account_len};
}

static bool wants_all(const struct xd_event_read *read)
{
    return xd_str_equal(wanted(read), xd_str_of("*"));
}

static void end_read(struct xd_event_read *read, enum xd_code code)
{
    uint64_t oldest = read->p ? read->p->oldest_event : 0;
    read->callback(read->arg, &(struct xd_event_run){
                                  .code = code, .next = read->from, .oldest = oldest, .head = read->head});
    free(read);
}

static void refused(struct xd_put_off *put_off)
{
    struct xd_event_read *read = (struct xd_event_read *)put_off;
    end_read(read, read->code);
}

/* What is wanted of a block, whose first event is number `offset`; read->from becomes its end, or where the
 * run got full. */
static void take(struct xd_event_read *read, struct run *run, uint64_t offset, const struct xd_buf *block)
{
    const uint8_t *bytes;
    size_t at = 0, len;
    for (; run->bytes < read->max_bytes && xd_entry_next(block->data, block->len, &at, &bytes, &len);
         offset++) {
        struct xd_event_ref event = {.offset = offset, .bytes = bytes, .len = len};
        if (offset < read->from ||
            (!wants_all(read) && !xd_str_equal(xd_event_account(bytes, len), wanted(read))))
            continue;
        xd_buf_add(&run->events, &event, sizeof event);
        run->bytes += len;
    }
    if (offset > read->from) read->from = offset;
}

/* Oldest, head, where to go on, the line, then of some commits the first event and the block. */
static void give(struct xd_event_read *read, const redisReply *reply)
{
    size_t count = (reply->elements - 4) / 2;
    struct xd_buf *blocks = calloc(count + 1, sizeof *blocks);
    struct run run = {0};
    bool good = blocks;
    xd_buf_init(&run.events, SIZE_MAX);
    for (size_t i = 0; good && i < count && run.bytes < read->max_bytes; i++) {
        xd_buf_init(&blocks[i], BLOCK_LIMIT);
        good = xd_redis_expand(&blocks[i], reply->element[5 + 2 * i]);
        if (good) take(read, &run, xd_reply_uint_at(reply, 4 + 2 * i), &blocks[i]);
    }
    if (run.bytes < read->max_bytes) read->from = xd_reply_uint_at(reply, 2);
    read->p->oldest_event = xd_reply_uint_at(reply, 0);
    if (good && !run.events.failed)
        read->callback(read->arg, &(struct xd_event_run){
                                      .events = (const struct xd_event_ref *)(const void *)run.events.data,
                                      .count = (uint32_t)(run.events.len / sizeof(struct xd_event_ref)),
                                      .next = read->from,
                                      .oldest = read->p->oldest_event,
                                      .head = xd_reply_uint_at(reply, 1)});
    for (size_t i = 0; blocks && i < count; i++)
        xd_buf_free(&blocks[i]);
    xd_buf_free(&run.events);
    free(blocks);
    if (good && !run.events.failed)
        free(read);
    else
        end_read(read, XD_STORAGE_FAILED);
}

/* Nothing is given, but not at once, for the reader would ask again. */
static void wait_for_replicas(struct xd_event_read *read, const redisReply *reply)
{
    read->p->oldest_event = xd_reply_uint_at(reply, 0);
    read->head = xd_reply_uint_at(reply, 1);
    read->waits_ms = xd_redis_monotonic();
    read->next_waiting = read->p->waiting_reads;
    read->p->waiting_reads = read;
}

static void end_waiting(struct xd_rpart *p, enum xd_code code, int64_t since_ms)
{
    struct xd_event_read **at = &p->waiting_reads;
    while (*at) {
        struct xd_event_read *read = *at;
        if (read->waits_ms > since_ms) {
            at = &read->next_waiting;
            continue;
        }
        *at = read->next_waiting;
        read->code = code;
        xd_redis_put_off(p->ledger, &read->put_off);
    }
}

void xd_redis_answer_waiting(struct xd_rpart *p)
{
    int64_t now = xd_redis_monotonic();
    end_waiting(p, XD_OK, xd_redis_awaits_replicas(p) ? now - WAIT_MS : now);
}

void xd_redis_refuse_waiting(struct xd_rpart *p, enum xd_code code)
{
    end_waiting(p, code, INT64_MAX);
}

static void on_read(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_event_read *read = arg;
    xd_redis_answered(read->p->ledger);
    bool good = *reply && (*reply)->type == REDIS_REPLY_ARRAY && (*reply)->elements >= 4;
    if (good && xd_redis_same_line(read->p, (*reply)->element[3])) {
        if (xd_redis_awaits_replicas(read->p))
            wait_for_replicas(read, *reply);
        else
            give(read, *reply);
        return;
    }
    if (!good) xd_redis_suspect(read->p, *reply);
    end_read(read, XD_STORAGE_FAILED);
}

static enum xd_code send_read(struct xd_event_read *read)
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
    xd_args_uint(&args, read->max_bytes);
    xd_args_bytes(&args, bytes, wants_all(read) ? 0 : sizeof bytes);
    xd_args_text(&args, p->marks_key);
    if (xd_redis_holds_back(p->ledger))
        xd_args_uint(&args, p->replicated_events);
    else
        xd_args_text(&args, "");
    return xd_redis_ask(p->ledger, &to, &args, on_read, read);
}

void xd_redis_read_events(struct xd_ledger *base, uint16_t partition, uint64_t from, struct xd_str account,
                          size_t max_bytes, xd_event_run_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_event_read *read = malloc(sizeof *read);
    if (!read) {
        callback(arg, &(struct xd_event_run){.code = XD_NO_MEMORY, .next = from});
        return;
    }
    *read = (struct xd_event_read){.put_off.run = refused,
                                   .p = xd_rpart_of(ledger, partition),
                                   .from = from,
                                   .max_bytes = max_bytes,
                                   .callback = callback,
                                   .arg = arg};
    read->code = !read->p                       ? XD_NOT_FOUND
                 : ledger->closing              ? XD_DRAINING
                 : account.len > XD_ACCOUNT_MAX ? XD_TOO_LONG
                                                : XD_OK;
    if (read->code == XD_OK) {
        read->account_len = account.len;
        memcpy(read->account, account.at, account.len);
        read->code = send_read(read);
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

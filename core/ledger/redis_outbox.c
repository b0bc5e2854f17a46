/* Messages between partitions: written with the commit that made them, read by the relay, trimmed when they
 * were seen.
 *
 * A letter in Redis: receiver (16 bits), generations of sender and receiver (32), sequence number (64),
 * length (32), all little-endian, and the record. One entry of the outbox holds all letters of a commit,
 * compressed: what goes to several receivers differs little. */
#include "core/ledger/redis_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_BYTES = 22,
    READ_COMMITS = 64,
    LETTERS_LIMIT = 256 << 20,
    MARKS_LIMIT = 1 << 20,
    ASK_UNSEEN_MS = 100
};

/* --- packing -------------------------------------------------------------------------------------------- */

static void put_le(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_le(const uint8_t *in, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

static void pack_letter(struct xd_buf *out, const struct xd_message *message, struct xd_str bytes)
{
    uint8_t head[HEAD_BYTES];
    put_le(head, message->to, 2);
    put_le(head + 2, message->from_gen, 4);
    put_le(head + 6, message->to_gen, 4);
    put_le(head + 10, message->seq, 8);
    put_le(head + 18, bytes.len, 4);
    xd_buf_add(out, head, sizeof head);
    xd_buf_add(out, bytes.at, bytes.len);
}

void xd_redis_pack_post(struct xd_redis_post *post, const struct xd_output *output)
{
    const struct xd_heard_mark *marks = (const struct xd_heard_mark *)(const void *)output->seen.data;
    struct xd_buf letters;
    xd_buf_init(&letters, LETTERS_LIMIT);
    xd_buf_init(&post->letters, 2 * (size_t)LETTERS_LIMIT);
    xd_buf_init(&post->seen, MARKS_LIMIT);
    for (uint32_t i = 0; i < xd_output_message_count(output); i++) {
        struct xd_str bytes;
        struct xd_message message = xd_output_message(output, i, &bytes);
        pack_letter(&letters, &message, bytes);
    }
    if (letters.len > 0 || letters.failed) xd_redis_compress(&post->letters, &letters);
    xd_buf_free(&letters);
    for (size_t i = 0; i < output->seen.len / sizeof *marks; i++) {
        char text[80];
        int len =
            snprintf(text, sizeof text, "%u=%u %u %llu;", (unsigned)marks[i].from, marks[i].seen.from_gen,
                     marks[i].seen.to_gen, (unsigned long long)marks[i].seen.seq);
        xd_buf_add(&post->seen, text, (size_t)len);
    }
}

void xd_redis_free_post(struct xd_redis_post *post)
{
    xd_buf_free(&post->letters);
    xd_buf_free(&post->seen);
}

static void unpack_letters(struct xd_buf *out, uint64_t number, const struct xd_buf *plain)
{
    const uint8_t *at = plain->data, *end = at + plain->len;
    while (end - at >= HEAD_BYTES) {
        struct xd_letter letter = {.number = number,
                                   .message = {.to = (uint16_t)get_le(at, 2),
                                               .from_gen = (uint32_t)get_le(at + 2, 4),
                                               .to_gen = (uint32_t)get_le(at + 6, 4),
                                               .seq = get_le(at + 10, 8)},
                                   .bytes = {(const char *)at + HEAD_BYTES, (uint32_t)get_le(at + 18, 4)}};
        at += HEAD_BYTES;
        if (letter.bytes.len > (size_t)(end - at)) return;
        at += letter.bytes.len;
        xd_buf_add(out, &letter, sizeof letter);
    }
}

/* --- reading -------------------------------------------------------------------------------------------- */

struct post_call {
    struct xd_put_off put_off;
    struct xd_redis_ledger *ledger;
    struct xd_rpart *p;
    enum xd_code code;
    xd_letters_cb *letters;
    xd_seen_cb *seen;
    void *arg;
};

static void end_call(struct post_call *call, enum xd_code code)
{
    if (call->letters) call->letters(call->arg, code, NULL, 0);
    if (call->seen) call->seen(call->arg, code, (struct xd_heard){0});
    free(call);
}

static void refused(struct xd_put_off *put_off)
{
    struct post_call *call = (struct post_call *)put_off;
    end_call(call, call->code);
}

/* NULL: it is refused, and will be answered. */
static struct post_call *begin_call(struct xd_ledger *base, uint16_t partition, struct post_call call)
{
    struct post_call *made = malloc(sizeof *made);
    if (!made) {
        if (call.letters) call.letters(call.arg, XD_NO_MEMORY, NULL, 0);
        if (call.seen) call.seen(call.arg, XD_NO_MEMORY, (struct xd_heard){0});
        return NULL;
    }
    *made = call;
    made->ledger = xd_redis_ledger_of(base);
    made->p = xd_rpart_of(made->ledger, partition);
    made->put_off.run = refused;
    if (made->p && !made->ledger->closing) return made;
    made->code = made->p ? XD_DRAINING : XD_NOT_FOUND;
    xd_redis_put_off(made->ledger, &made->put_off);
    return NULL;
}

static void send_call(struct post_call *call, const struct xd_args *args, xd_redis_cb *callback)
{
    struct xd_redis_to to = {.lane = XD_REDIS_READS, .slot = call->p->slot};
    call->code = xd_redis_ask(call->ledger, &to, args, callback, call);
    if (call->code != XD_OK) xd_redis_put_off(call->ledger, &call->put_off);
}

/* The letters of an entry, which stay in *plain. */
static void take_entry(struct xd_buf *letters, const redisReply *entry, struct xd_buf *plain)
{
    const redisReply *block = entry->elements == 2 ? xd_reply_field(entry->element[1], "m") : NULL;
    uint64_t number, zero;
    if (!block || !xd_reply_id(entry->element[0], &number, &zero)) return;
    if (xd_redis_expand(plain, block))
        unpack_letters(letters, number, plain);
    else
        letters->failed = true;
}

static void on_outbox(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct post_call *call = arg;
    const redisReply *entries = *reply;
    struct xd_buf letters, plain[READ_COMMITS];
    xd_redis_answered(call->ledger);
    if (!entries || entries->type != REDIS_REPLY_ARRAY || entries->elements > READ_COMMITS) {
        xd_redis_suspect(call->p, entries);
        end_call(call, XD_STORAGE_FAILED);
        return;
    }
    xd_buf_init(&letters, LETTERS_LIMIT);
    for (size_t i = 0; i < entries->elements; i++) {
        xd_buf_init(&plain[i], LETTERS_LIMIT);
        take_entry(&letters, entries->element[i], &plain[i]);
    }
    call->letters(call->arg, letters.failed ? XD_NO_MEMORY : XD_OK,
                  (const struct xd_letter *)(const void *)letters.data,
                  (uint32_t)(letters.len / sizeof(struct xd_letter)));
    for (size_t i = 0; i < entries->elements; i++)
        xd_buf_free(&plain[i]);
    xd_buf_free(&letters);
    free(call);
}

void xd_ledger_redis_read_outbox(struct xd_ledger *base, uint16_t partition, uint64_t after,
                                 xd_letters_cb *callback, void *arg)
{
    struct post_call *call = begin_call(base, partition, (struct post_call){.letters = callback, .arg = arg});
    if (!call) return;
    struct xd_args args = {0};
    xd_args_text(&args, "XRANGE");
    xd_args_text(&args, call->p->outbox_key);
    xd_args_uint(&args, after + 1);
    xd_args_text(&args, "+");
    xd_args_text(&args, "COUNT");
    xd_args_uint(&args, READ_COMMITS);
    send_call(call, &args, on_outbox);
}

static void on_seen(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct post_call *call = arg;
    struct xd_heard seen = {0};
    unsigned long long seq = 0;
    xd_redis_answered(call->ledger);
    enum xd_code code = xd_redis_code(*reply);
    if (code == XD_OK && sscanf(xd_reply_text(*reply), "%u %u %llu", &seen.from_gen, &seen.to_gen, &seq) == 3)
        seen.seq = seq;
    if (code != XD_OK) xd_redis_suspect(call->p, *reply);
    call->seen(call->arg, code, seen);
    free(call);
}

void xd_ledger_redis_read_seen(struct xd_ledger *base, uint16_t partition, uint16_t from,
                               xd_seen_cb *callback, void *arg)
{
    struct post_call *call = begin_call(base, partition, (struct post_call){.seen = callback, .arg = arg});
    if (!call) return;
    struct xd_args args = {0};
    xd_args_text(&args, "HGET");
    xd_args_text(&args, call->p->seen_key);
    xd_args_uint(&args, from);
    send_call(call, &args, on_seen);
}

/* --- bounding ------------------------------------------------------------------------------------------- */

static void on_unseen(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_rpart *p = arg;
    xd_redis_answered(p->ledger);
    p->asking_unseen = false;
    if (xd_redis_code(*reply) != XD_OK)
        xd_redis_suspect(p, *reply);
    else
        p->unseen = xd_reply_uint_at(*reply, 0) - xd_reply_uint_at(*reply, 1);
}

/* Each append tells how much there is. Where that is too much nothing may be appended, so it is asked for. */
enum xd_code xd_redis_room(struct xd_ledger *base, uint16_t partition)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, partition);
    int64_t now = xd_redis_monotonic();
    if (!p) return XD_NOT_FOUND;
    if (p->unseen <= ledger->options.outbox_limit) return XD_OK;
    if (p->asking_unseen || ledger->closing || now - p->unseen_ms < ASK_UNSEEN_MS) return XD_OVERLOADED;
    struct xd_redis_to to = {.lane = XD_REDIS_READS, .slot = p->slot};
    struct xd_args args = {0};
    xd_args_text(&args, "HMGET");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, "posted");
    xd_args_text(&args, "trimmed");
    p->unseen_ms = now;
    p->asking_unseen = xd_redis_ask(ledger, &to, &args, on_unseen, p) == XD_OK;
    return XD_OVERLOADED;
}

/* --- trimming ------------------------------------------------------------------------------------------- */

static void on_trimmed(void *arg, redisReply **reply, int64_t replicas)
{
    (void)reply, (void)replicas; /* what was not trimmed goes with the next */
    xd_redis_answered(arg);
}

void xd_ledger_redis_trim_outbox(struct xd_ledger *base, uint16_t partition, uint64_t number)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, partition);
    if (!p || ledger->closing) return;
    struct xd_redis_to to = {
        .lane = XD_REDIS_WRITES, .slot = p->slot, .script = &ledger->scripts.trim_outbox};
    struct xd_args args = {0};
    xd_args_text(&args, "2");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->outbox_key);
    xd_args_text(&args, p->line);
    xd_args_uint(&args, number + 1);
    xd_redis_ask(ledger, &to, &args, on_trimmed, ledger);
}

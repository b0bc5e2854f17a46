#include "core/ledger/redis_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long replicas may take before an acknowledgement names less than was asked for. */
enum { WAIT_MS = 500 };

void xd_args_bytes(struct xd_args *args, const void *bytes, size_t len)
{
    args->at[args->count] = bytes ? bytes : "";
    args->len[args->count++] = len;
}

void xd_args_text(struct xd_args *args, const char *text)
{
    xd_args_bytes(args, text, strlen(text));
}

void xd_args_uint(struct xd_args *args, uint64_t value)
{
    char *number = args->numbers[args->count];
    int len = snprintf(number, sizeof args->numbers[0], "%llu", (unsigned long long)value);
    xd_args_bytes(args, number, (size_t)len);
}

enum xd_code xd_redis_ask_all(struct xd_redis_ledger *ledger, const struct xd_redis_to *to, int argc,
                              const char **argv, const size_t *argvlen, xd_redis_cb *callback, void *arg)
{
    struct xd_redis_call call = {.lane = to->lane,
                                 .slot = to->slot,
                                 .script = to->script,
                                 .argc = argc,
                                 .argv = argv,
                                 .argvlen = argvlen};
    if (to->durable && ledger->options.durability == XD_DURABILITY_REPLICATED) {
        call.replicas = ledger->options.replicas;
        call.wait_ms = ledger->options.timeout_ms / 2 < WAIT_MS ? ledger->options.timeout_ms / 2 : WAIT_MS;
    }
    enum xd_code code = xd_redis_send(ledger->redis, &call, callback, arg);
    if (code == XD_OK && to->lane < XD_REDIS_BLOCKING) ledger->calls++;
    return code;
}

enum xd_code xd_redis_ask(struct xd_redis_ledger *ledger, const struct xd_redis_to *to,
                          const struct xd_args *args, xd_redis_cb *callback, void *arg)
{
    const char **argv = (const char **)(uintptr_t)args->at;
    return xd_redis_ask_all(ledger, to, args->count, argv, args->len, callback, arg);
}

bool xd_redis_read_stream(struct xd_rpart *p, uint32_t lane, const char *key, const char *after,
                          uint32_t count, xd_redis_cb *callback, void *arg)
{
    struct xd_redis_to to = {.lane = lane, .slot = p->slot};
    struct xd_args args = {0};
    xd_args_text(&args, "XREAD");
    xd_args_text(&args, "COUNT");
    xd_args_uint(&args, count);
    xd_args_text(&args, "BLOCK");
    xd_args_uint(&args, XD_REDIS_BLOCK_MS);
    xd_args_text(&args, "STREAMS");
    xd_args_text(&args, key);
    xd_args_text(&args, after);
    return xd_redis_ask(p->ledger, &to, &args, callback, arg) == XD_OK;
}

void xd_redis_answered(struct xd_redis_ledger *ledger)
{
    ledger->calls--;
}

uint64_t xd_reply_uint(const redisReply *reply)
{
    if (!reply) return 0;
    if (reply->type == REDIS_REPLY_INTEGER) return (uint64_t)reply->integer;
    return reply->type == REDIS_REPLY_STRING ? strtoull(reply->str, NULL, 10) : 0;
}

uint64_t xd_reply_uint_at(const redisReply *reply, size_t i)
{
    return reply && reply->type == REDIS_REPLY_ARRAY && i < reply->elements ? xd_reply_uint(reply->element[i])
                                                                            : 0;
}

const char *xd_reply_text(const redisReply *reply)
{
    bool text = reply && (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ||
                          reply->type == REDIS_REPLY_ERROR);
    return text ? reply->str : "";
}

bool xd_redis_same_line(struct xd_rpart *p, const redisReply *line)
{
    if (strcmp(xd_reply_text(line), p->line) == 0) return true;
    xd_redis_suspect(p, NULL);
    return false;
}

const redisReply *xd_reply_field(const redisReply *list, const char *name)
{
    if (!list || list->type != REDIS_REPLY_ARRAY) return NULL;
    for (size_t i = 0; i + 1 < list->elements; i += 2)
        if (strcmp(xd_reply_text(list->element[i]), name) == 0) return list->element[i + 1];
    return NULL;
}

bool xd_reply_is_error(const redisReply *reply, const char *kind)
{
    return reply && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, kind, strlen(kind)) == 0;
}

bool xd_reply_id(const redisReply *reply, uint64_t *high, uint64_t *low)
{
    char *end;
    const char *text = xd_reply_text(reply);
    uint64_t first = strtoull(text, &end, 10);
    if (end == text || *end != '-') return false;
    *low = strtoull(end + 1, NULL, 10);
    *high = first;
    return true;
}

const redisReply *xd_reply_entries(const redisReply *reply)
{
    if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 1) return NULL;
    const redisReply *stream = reply->element[0];
    if (stream->type != REDIS_REPLY_ARRAY || stream->elements != 2) return NULL;
    const redisReply *entries = stream->element[1];
    return entries->type == REDIS_REPLY_ARRAY ? entries : NULL;
}

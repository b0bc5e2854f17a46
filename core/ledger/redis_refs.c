/* A ref is a string in its account's own place: the order's id (64 bits, little-endian) and the digest. SET
 * NX reserves it, at once and for good; a retry finds what is there. */
#include "core/ledger/redis_ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES = 24, NUMBERS_AT_ONCE = 65536, TRIES = 3 };

struct ref_call {
    struct xd_put_off put_off;
    struct xd_redis_ledger *ledger;
    struct xd_rpart *p; /* NULL: a find */
    uint64_t id;        /* new, to be given */
    uint8_t value[VALUE_BYTES];
    unsigned tries;
    bool setting;
    enum xd_code code;
    xd_reserve_cb *callback;
    void *arg;
    size_t key_len;
    char key[XD_REF_KEY];
};

size_t xd_redis_ref_key(struct xd_str account, struct xd_str ref, char out[static XD_REF_KEY])
{
    return (size_t)snprintf(out, XD_REF_KEY, "xd:{%.*s}:r:%.*s", (int)account.len, account.at, (int)ref.len,
                            ref.at);
}

static void put_u64(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_u64(const char *in)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)(uint8_t)in[i] << (8 * i);
    return value;
}

static void end(struct ref_call *call, enum xd_code code, uint64_t id)
{
    call->callback(call->arg, code, code == XD_OK ? id : 0);
    free(call);
}

static enum xd_code look(struct ref_call *call);
static enum xd_code reserve(struct ref_call *call);

/* What GET found. */
static void judge(struct ref_call *call, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_STRING && reply->len == VALUE_BYTES) {
        bool same = !call->p || memcmp(reply->str + 8, call->value + 8, VALUE_BYTES - 8) == 0;
        end(call, same ? XD_OK : XD_REF_CONFLICT, get_u64(reply->str));
    } else if (reply->type != REDIS_REPLY_NIL) {
        end(call, XD_INTERNAL, 0);
    } else if (!call->p) {
        end(call, XD_NOT_FOUND, 0);
    } else {
        enum xd_code code = ++call->tries < TRIES ? reserve(call) : XD_OVERLOADED; /* it has just gone */
        if (code != XD_OK) end(call, code, 0);
    }
}

static void on_answer(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct ref_call *call = arg;
    xd_redis_answered(call->ledger);
    enum xd_code code = xd_redis_code(*reply);
    if (code != XD_OK) {
        if (call->p) xd_redis_suspect(call->p, *reply);
        end(call, code, 0);
    } else if (!call->setting) {
        judge(call, *reply);
    } else if ((*reply)->type == REDIS_REPLY_STATUS) {
        end(call, XD_OK, call->id);
    } else {
        code = look(call);
        if (code != XD_OK) end(call, code, 0);
    }
}

static enum xd_code look(struct ref_call *call)
{
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = xd_redis_slot(call->key, call->key_len)};
    struct xd_args args = {0};
    call->setting = false;
    xd_args_text(&args, "GET");
    xd_args_bytes(&args, call->key, call->key_len);
    return xd_redis_ask(call->ledger, &to, &args, on_answer, call);
}

static enum xd_code reserve(struct ref_call *call)
{
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = xd_redis_slot(call->key, call->key_len)};
    struct xd_args args = {0};
    call->setting = true;
    xd_args_text(&args, "SET");
    xd_args_bytes(&args, call->key, call->key_len);
    xd_args_bytes(&args, call->value, VALUE_BYTES);
    xd_args_text(&args, "NX");
    return xd_redis_ask(call->ledger, &to, &args, on_answer, call);
}

enum xd_reserve_result xd_redis_reserve(struct xd_ledger *base, uint16_t partition, struct xd_str account,
                                        struct xd_str ref, struct xd_digest digest, enum xd_code *code,
                                        uint64_t *order_id, xd_reserve_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_rpart *p = xd_rpart_of(ledger, partition);
    *order_id = 0;
    *code = ledger->closing                                        ? XD_DRAINING
            : !p                                                   ? XD_NOT_FOUND
            : account.len > XD_ACCOUNT_MAX || ref.len > XD_REF_MAX ? XD_TOO_LONG
            : p->gone                                              ? XD_STORAGE_FAILED
            : xd_redis_monotonic() < ledger->full_until_ms         ? XD_STORAGE_FULL
            : p->order_next == p->order_end ? XD_OVERLOADED /* numbers are on their way */
                                            : XD_OK;
    struct ref_call *call = *code == XD_OK ? malloc(sizeof *call) : NULL;
    if (!call) {
        if (*code == XD_OK) *code = XD_NO_MEMORY;
        if (p) xd_redis_fetch_numbers(p);
        return XD_RESERVE_NOW;
    }
    *call = (struct ref_call){.ledger = ledger, .p = p, .callback = callback, .arg = arg};
    call->id = xd_id(p->id, p->order_next);
    put_u64(call->value, call->id);
    put_u64(call->value + 8, digest.high);
    put_u64(call->value + 16, digest.low);
    call->key_len = xd_redis_ref_key(account, ref, call->key);
    *code = reserve(call);
    if (*code != XD_OK) {
        free(call);
        return XD_RESERVE_NOW;
    }
    p->order_next++;
    xd_redis_fetch_numbers(p);
    return XD_RESERVE_LATER;
}

static void find_refused(struct xd_put_off *put_off)
{
    struct ref_call *call = (struct ref_call *)put_off;
    end(call, call->code, 0);
}

void xd_redis_find_ref(struct xd_ledger *base, struct xd_str account, struct xd_str ref,
                       xd_find_ref_cb *callback, void *arg)
{
    struct ref_call *call = malloc(sizeof *call);
    if (!call) {
        callback(arg, XD_NO_MEMORY, 0);
        return;
    }
    *call = (struct ref_call){
        .put_off.run = find_refused, .ledger = xd_redis_ledger_of(base), .callback = callback, .arg = arg};
    bool possible = account.len <= XD_ACCOUNT_MAX && ref.len <= XD_REF_MAX;
    call->code = call->ledger->closing ? XD_DRAINING : possible ? XD_OK : XD_NOT_FOUND;
    if (call->code == XD_OK) {
        call->key_len = xd_redis_ref_key(account, ref, call->key);
        call->code = look(call);
    }
    if (call->code != XD_OK) xd_redis_put_off(call->ledger, &call->put_off);
}

/* --- order numbers ----------------------------------------------------------------------------------------
 */

static void on_numbers(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_rpart *p = arg;
    xd_redis_answered(p->ledger);
    p->ordering = false;
    uint64_t last = xd_reply_uint(*reply);
    if (last < NUMBERS_AT_ONCE || last > XD_ID_NUMBER_MAX) {
        xd_redis_suspect(p, *reply);
        return;
    }
    p->order_next = last - NUMBERS_AT_ONCE + 1; /* what was left of the former ones stays unused */
    p->order_end = last + 1;
    xd_redis_wake(p->ledger);
}

void xd_redis_fetch_numbers(struct xd_rpart *p)
{
    if (p->ordering || p->suspect || p->gone || p->order_end - p->order_next > NUMBERS_AT_ONCE / 4) return;
    struct xd_redis_to to = {.lane = XD_REDIS_WRITES, .slot = p->slot, .script = &p->ledger->scripts.count};
    struct xd_args args = {0};
    xd_args_text(&args, "1");
    xd_args_text(&args, p->state_key);
    xd_args_text(&args, p->line);
    xd_args_text(&args, "orders");
    xd_args_uint(&args, NUMBERS_AT_ONCE);
    p->ordering = xd_redis_ask(p->ledger, &to, &args, on_numbers, p) == XD_OK;
}

/* Why records were refused, where their outcomes do not say it: beside the outcomes in the entry of a commit.
 * Each is the record, counted from the commit's first (32 bits), the code (16), the lengths of the field and
 * of the message (16 each), all little-endian, and both texts. */
#include "core/ledger/redis_ledger.h"

#include <string.h>

enum { HEAD_BYTES = 10 };

static void put_le(uint8_t *out, size_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_le(const uint8_t *in, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint32_t)in[i] << (8 * i);
    return value;
}

void xd_redis_pack_refusals(struct xd_buf *out, const struct xd_buf *refusals)
{
    const struct xd_refusal *all = (const struct xd_refusal *)(const void *)refusals->data;
    for (size_t i = 0; i < refusals->len / sizeof *all; i++) {
        const struct xd_error *error = &all[i].error;
        size_t field = strlen(error->field), message = strlen(error->message);
        uint8_t head[HEAD_BYTES];
        put_le(head, all[i].record, 4);
        put_le(head + 4, error->code, 2);
        put_le(head + 6, field, 2);
        put_le(head + 8, message, 2);
        xd_buf_add(out, head, sizeof head);
        xd_buf_add(out, error->field, field);
        xd_buf_add(out, error->message, message);
    }
}

bool xd_redis_unpack_refusals(struct xd_buf *out, const redisReply *packed)
{
    if (!packed || packed->type != REDIS_REPLY_STRING) return true; /* of a commit that has none */
    const uint8_t *at = (const uint8_t *)packed->str, *end = at + packed->len;
    while (end - at >= HEAD_BYTES) {
        struct xd_refusal refusal = {.record = get_le(at, 4), .error.code = (enum xd_code)get_le(at + 4, 2)};
        size_t field = get_le(at + 6, 2), message = get_le(at + 8, 2);
        at += HEAD_BYTES;
        if (field >= XD_ERROR_FIELD_MAX || message >= XD_ERROR_MESSAGE_MAX ||
            field + message > (size_t)(end - at) || refusal.error.code >= XD_CODE_COUNT)
            return false;
        memcpy(refusal.error.field, at, field);
        memcpy(refusal.error.message, at + field, message);
        at += field + message;
        xd_buf_add(out, &refusal, sizeof refusal);
    }
    return at == end && !out->failed;
}

/* A compressed block: the length of what is in it (32 bits, little-endian), then that as an LZ4 block. */
#include "core/ledger/redis_ledger.h"

#include <lz4.h>

enum { HEAD_BYTES = 4, RATIO_MAX = 256 /* LZ4 reaches 255 */ };

void xd_redis_compress(struct xd_buf *out, const struct xd_buf *in)
{
    int room = in->len <= LZ4_MAX_INPUT_SIZE ? LZ4_compressBound((int)in->len) : 0;
    uint8_t head[HEAD_BYTES] = {(uint8_t)in->len, (uint8_t)(in->len >> 8), (uint8_t)(in->len >> 16),
                                (uint8_t)(in->len >> 24)};
    if (in->failed || room == 0 || !xd_buf_reserve(out, HEAD_BYTES + (size_t)room)) {
        out->failed = true;
        return;
    }
    xd_buf_add(out, head, sizeof head);
    out->len += (size_t)LZ4_compress_default(in->len ? (const char *)in->data : "",
                                             (char *)out->data + out->len, (int)in->len, room);
}

bool xd_redis_expand(struct xd_buf *out, const redisReply *block)
{
    const uint8_t *head = (const uint8_t *)block->str;
    xd_buf_clear(out);
    if (block->type != REDIS_REPLY_STRING || block->len < HEAD_BYTES) return false;
    size_t len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    size_t packed = block->len - HEAD_BYTES;
    if (len > packed * RATIO_MAX || len > LZ4_MAX_INPUT_SIZE || packed > LZ4_MAX_INPUT_SIZE) return false;
    if (!xd_buf_reserve(out, len + 1)) return false;
    int got = LZ4_decompress_safe(block->str + HEAD_BYTES, (char *)out->data, (int)packed, (int)len);
    out->len = got > 0 ? (size_t)got : 0;
    return got >= 0 && out->len == len;
}

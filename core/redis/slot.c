#include "core/redis/slot.h"

#include <string.h>

static uint16_t crc16(const char *bytes, size_t len)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint32_t)(uint8_t)bytes[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) ? (crc << 1 ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
    return (uint16_t)crc;
}

uint16_t xd_redis_slot(const char *key, size_t len)
{
    const char *open = memchr(key, '{', len);
    const char *close = open ? memchr(open + 1, '}', len - (size_t)(open + 1 - key)) : NULL;
    if (close && close > open + 1) return crc16(open + 1, (size_t)(close - open - 1)) % XD_REDIS_SLOTS;
    return crc16(key, len) % XD_REDIS_SLOTS;
}

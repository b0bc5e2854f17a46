#include "clients/bench/encode.h"

#include "core/mp.h"
#include "core/pair.h"

#include <string.h>

enum { ORDER_BYTES = 8192 };

/* The length of a map's header and how many pairs it announces; 0 if it is none that msgpack-c writes for an
 * order. */
static size_t map_header(const uint8_t *bytes, size_t len, uint32_t *pairs)
{
    enum { FIXMAP = 0x80, FIXMAP_LAST = 0x8f, MAP16 = 0xde };
    if (len >= 1 && bytes[0] >= FIXMAP && bytes[0] <= FIXMAP_LAST) {
        *pairs = bytes[0] - (uint32_t)FIXMAP;
        return 1;
    }
    if (len < 3 || bytes[0] != MAP16) return 0;
    *pairs = (uint32_t)bytes[1] << 8 | bytes[2];
    return 3;
}

bool xd_encode_order(const struct xd_order *order, const char *account, struct xd_buf *out)
{
    uint8_t scratch[ORDER_BYTES];
    struct xd_buf map = {.data = scratch, .cap = sizeof scratch, .limit = sizeof scratch}; /* never grows */
    xd_order_write(order, &map);
    uint32_t pairs;
    size_t header = map.failed ? 0 : map_header(map.data, map.len, &pairs);
    if (header == 0) return false;
    xd_buf_clear(out);
    xd_mp_map(out, pairs + 1);
    xd_pair_cstr(out, "account", account);
    xd_buf_add(out, map.data + header, map.len - header);
    return !out->failed;
}

size_t xd_encode_find(const uint8_t *bytes, size_t len, const char *ref)
{
    const uint8_t *found = memmem(bytes, len, ref, strlen(ref));
    return found ? (size_t)(found - bytes) : len;
}

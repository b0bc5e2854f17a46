#include "core/utf8.h"

#include <stdint.h>

static bool continues(const uint8_t *at, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((at[i] & 0xc0) != 0x80) return false;
    return true;
}

size_t xd_utf8_char(const char *text, size_t len)
{
    const uint8_t *at = (const uint8_t *)text;
    if (len == 0) return 0;
    if (at[0] < 0x80) return 1;

    size_t n = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || len < n || !continues(at + 1, n - 1)) return 0;
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xed && at[1] >= 0xa0;
    bool beyond = at[0] == 0xf4 && at[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : n;
}

bool xd_utf8_valid(const char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = xd_utf8_char(text + i, len - i);
        if (n == 0) return false;
        i += n;
    }
    return true;
}

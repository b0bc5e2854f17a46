#include "core/cursor.h"

#include <inttypes.h>
#include <stdio.h>

enum { DIGITS_MAX = 20 };

static size_t write_position(struct xd_position at, char *out, size_t room)
{
    size_t len = 0;
    out[0] = '\0';
    if (at.generation != 1) len += (size_t)snprintf(out, room, "%" PRIu32 ".", at.generation);
    if (at.next != 0) len += (size_t)snprintf(out + len, room - len, "%" PRIu64, at.next);
    return len;
}

size_t xd_cursor_write(const struct xd_position *at, uint32_t count, char out[static XD_CURSOR_TEXT])
{
    size_t len = 0;
    if (count == 1)
        return xd_cursor_format((struct xd_event_id){.generation = at->generation, .offset = at->next}, out);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) out[len++] = '_';
        len += write_position(at[i], out + len, XD_CURSOR_TEXT - len);
    }
    out[len] = '\0';
    return len;
}

/* Digits up to `max`, without leading zeros, of which there may be none; how many there were, or -1. */
static int read_digits(const char *at, const char *end, uint64_t max, uint64_t *out)
{
    int n = 0;
    uint64_t value = 0;
    for (; at + n < end && at[n] >= '0' && at[n] <= '9'; n++) {
        unsigned digit = (unsigned)(at[n] - '0');
        if (n == DIGITS_MAX || value > (max - digit) / 10) return -1;
        value = value * 10 + digit;
    }
    if (n > 0 && at[0] == '0') return -1;
    *out = value;
    return n;
}

static const char *read_position(const char *at, const char *end, struct xd_position *out)
{
    uint64_t first = 0, second = 0;
    int n = read_digits(at, end, UINT64_MAX, &first);
    if (n < 0) return NULL;
    bool dot = at + n < end && at[n] == '.';
    *out = (struct xd_position){.generation = 1, .next = first};
    if (!dot) return at + n;
    int m = read_digits(at + n + 1, end, UINT64_MAX, &second);
    bool zero = n == 0 && at[0] == '0';
    if (m < 0 || n == 0 || zero || first == 1 || first > UINT32_MAX) return NULL;
    *out = (struct xd_position){.generation = (uint32_t)first, .next = second};
    return at + n + 1 + m;
}

bool xd_cursor_read(struct xd_str text, struct xd_position *at, uint32_t count)
{
    struct xd_event_id one;
    if (count == 1) {
        if (!xd_cursor_parse(text.at, text.len, &one) || one.partition != 0) return false;
        *at = (struct xd_position){.generation = one.generation, .next = one.offset};
        return true;
    }
    const char *here = text.at, *end = text.at + text.len;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && (here == end || *here++ != '_')) return false;
        here = read_position(here, end, &at[i]);
        if (!here) return false;
    }
    return here == end;
}

#include "core/buf.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 256 };

void xd_buf_init(struct xd_buf *buf, size_t limit)
{
    *buf = (struct xd_buf){.limit = limit};
}

void xd_buf_free(struct xd_buf *buf)
{
    free(buf->data);
    xd_buf_init(buf, buf->limit);
}

void xd_buf_clear(struct xd_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

/* The next capacity that holds `need` bytes: doubled, so that appending costs O(1) a byte, but never past the
 * limit. */
static size_t grown_capacity(const struct xd_buf *buf, size_t need)
{
    size_t cap = buf->cap > FIRST_CAPACITY ? buf->cap : FIRST_CAPACITY;
    while (cap < need) {
        if (cap > buf->limit / 2) return buf->limit;
        cap *= 2;
    }
    return cap < buf->limit ? cap : buf->limit;
}

static bool grow(struct xd_buf *buf, size_t need)
{
    size_t cap = grown_capacity(buf, need);
    uint8_t *data = realloc(buf->data, cap);
    if (!data) return false;
    buf->data = data;
    buf->cap = cap;
    return true;
}

bool xd_buf_reserve(struct xd_buf *buf, size_t n)
{
    if (buf->failed) return false;
    if (n <= buf->cap - buf->len) return true;
    if (n > buf->limit - buf->len || !grow(buf, buf->len + n)) {
        buf->failed = true;
        return false;
    }
    return true;
}

void xd_buf_consume(struct xd_buf *buf, size_t n)
{
    if (n == 0) return;
    buf->len -= n;
    memmove(buf->data, buf->data + n, buf->len);
}

bool xd_str_equal(struct xd_str a, struct xd_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

struct xd_str xd_str_of(const char *text)
{
    return (struct xd_str){.at = text, .len = (uint32_t)strlen(text)};
}

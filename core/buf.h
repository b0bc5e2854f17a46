/* A byte buffer that grows up to a limit given at birth.
 *
 * Appending never fails in the middle of a message: the first append that would pass the limit, or that finds
 * no memory, sets `failed`, and every later append does nothing. A writer appends freely and asks once, at
 * the end, whether `failed` is set. The data belongs to the buffer until xd_buf_free. */
#ifndef XD_CORE_BUF_H
#define XD_CORE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct xd_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t limit; /* bytes; never exceeded */
    bool failed;
};

/* A string that is not ours and not terminated: `len` bytes at `at`. */
struct xd_str {
    const char *at;
    uint32_t len;
};

/* An empty buffer that may grow to `limit` bytes. Allocates nothing yet. */
void xd_buf_init(struct xd_buf *buf, size_t limit);

/* Frees the data; the buffer may be used again as if just initialised with the same limit. */
void xd_buf_free(struct xd_buf *buf);

/* Forgets the content and `failed`, keeps the memory. */
void xd_buf_clear(struct xd_buf *buf);

/* Makes room for `n` more bytes. False (and `failed`) past the limit or without memory. */
bool xd_buf_reserve(struct xd_buf *buf, size_t n);

/* Appends `n` bytes; does nothing once `failed`. `bytes` may be NULL when `n` is 0. */
static inline void xd_buf_add(struct xd_buf *buf, const void *bytes, size_t n)
{
    if (n == 0 || buf->failed) return;
    if (n > buf->cap - buf->len && !xd_buf_reserve(buf, n)) return;
    memcpy(buf->data + buf->len, bytes, n);
    buf->len += n;
}

/* Removes the first `n` bytes (n <= len), moving the rest down. */
void xd_buf_consume(struct xd_buf *buf, size_t n);

bool xd_str_equal(struct xd_str a, struct xd_str b);

/* The xd_str of a C string. */
struct xd_str xd_str_of(const char *text);

#endif

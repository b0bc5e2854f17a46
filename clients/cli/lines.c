#include "clients/cli/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CAPACITY = XD_LINE_MAX + 1 };

bool xd_lines_init(struct xd_lines *lines, int fd)
{
    *lines = (struct xd_lines){.fd = fd, .bytes = malloc(CAPACITY)};
    return lines->bytes != NULL;
}

void xd_lines_free(struct xd_lines *lines)
{
    free(lines->bytes);
    lines->bytes = NULL;
}

static void give(struct xd_lines *lines, size_t len, size_t with_end, struct xd_str *line)
{
    *line = (struct xd_str){lines->bytes + lines->start, (uint32_t)len};
    if (len > 0 && line->at[len - 1] == '\r') line->len--;
    lines->start += with_end;
    lines->len -= with_end;
    lines->scanned = 0;
}

enum xd_line xd_lines_next(struct xd_lines *lines, struct xd_str *line)
{
    const char *from = lines->bytes + lines->start;
    const char *end = memchr(from + lines->scanned, '\n', lines->len - lines->scanned);
    if (end || (lines->ended && lines->len > 0)) {
        size_t len = end ? (size_t)(end - from) : lines->len;
        bool skipped = lines->skipping;
        lines->skipping = false;
        give(lines, len, end ? len + 1 : len, line);
        return skipped ? XD_LINE_TOO_LONG : XD_LINE;
    }
    if (lines->ended) {
        bool skipped = lines->skipping;
        lines->skipping = false;
        return skipped ? XD_LINE_TOO_LONG : XD_LINE_END;
    }
    lines->scanned = lines->len;
    if (lines->len == CAPACITY) {
        lines->skipping = true;
        lines->len = lines->scanned = 0;
    }
    return XD_LINE_NONE;
}

bool xd_lines_read(struct xd_lines *lines)
{
    if (lines->start > 0) memmove(lines->bytes, lines->bytes + lines->start, lines->len);
    lines->start = 0;
    ssize_t n;
    do {
        n = read(lines->fd, lines->bytes + lines->len, CAPACITY - lines->len);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return false;
    if (n == 0) lines->ended = true;
    lines->len += (size_t)n;
    return true;
}

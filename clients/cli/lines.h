/* Reads lines from a file or pipe as they come, in bounded memory. */
#ifndef XD_CLIENTS_CLI_LINES_H
#define XD_CLIENTS_CLI_LINES_H

#include "core/buf.h"

enum { XD_LINE_MAX = 1 << 20 }; /* bytes; what is longer is told as XD_LINE_TOO_LONG and passed over */

enum xd_line {
    XD_LINE,          /* *line is one, without its end, until the next call */
    XD_LINE_TOO_LONG, /* there was one */
    XD_LINE_NONE,     /* not in what has been read: xd_lines_read */
    XD_LINE_END,      /* no more will come */
};

struct xd_lines {
    int fd;
    char *bytes;
    size_t start, len; /* what has been read and not been given out */
    size_t scanned;    /* bytes after `start` that hold no line's end */
    bool ended;
    bool skipping; /* in a line that is too long */
};

/* False without memory. */
bool xd_lines_init(struct xd_lines *lines, int fd);
void xd_lines_free(struct xd_lines *lines);

/* The next line of what has been read. A last line needs no end. */
enum xd_line xd_lines_next(struct xd_lines *lines, struct xd_str *line);

/* One read(2): waits only if nothing has come. False and errno if it failed. Not before XD_LINE_NONE. */
bool xd_lines_read(struct xd_lines *lines);

#endif

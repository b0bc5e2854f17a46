/* Logs of programs, in logfmt: one line an event, `time=... level=info msg=ready listen=127.0.0.1:7400`.
 * `msg` is a word for programs to look for; what varies is in fields. Libraries do not log: they return, and
 * programs log. */
#ifndef XD_CORE_LOG_H
#define XD_CORE_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum xd_log_level { XD_LOG_ERROR, XD_LOG_WARNING, XD_LOG_INFO, XD_LOG_DEBUG };

/* The names of the levels, NULL-terminated. */
extern const char *const xd_log_level_names[];

struct xd_log {
    FILE *stream;
    enum xd_log_level level; /* what is below it is left out */
};

struct xd_log_field {
    const char *key;
    const char *text; /* NULL: `number` */
    int64_t number;
};

static inline struct xd_log_field xd_log_text(const char *key, const char *text)
{
    return (struct xd_log_field){.key = key, .text = text ? text : ""};
}

static inline struct xd_log_field xd_log_number(const char *key, int64_t number)
{
    return (struct xd_log_field){.key = key, .number = number};
}

/* Writes one line, cut at 2 KiB, with one write. Values that need it are quoted; control characters become
 * '?'. */
void xd_log_write(const struct xd_log *log, enum xd_log_level level, const char *msg,
                  const struct xd_log_field *fields, size_t count);

/* xd_log(log, XD_LOG_INFO, "ready", xd_log_text("listen", address)): at least one field. */
#define xd_log(log, level, msg, ...)                                                                         \
    xd_log_write(log, level, msg, (const struct xd_log_field[]){__VA_ARGS__},                                \
                 sizeof((const struct xd_log_field[]){__VA_ARGS__}) / sizeof(struct xd_log_field))

#endif

/* A program's options, from one table: command-line flags, environment variables, an INI file, the help text,
 * the check of every value and the print of what is in effect are all made from it.
 *
 *      --max-orders 5000       CROSSDOCK_MAX_ORDERS=5000       max-orders = 5000
 *
 * A flag goes before the environment, the environment before the file, the file before the default. A flag
 * option is given as `--name`, `--name=true` or `--name=false`; in the environment and the file always with a
 * value. */
#ifndef XD_CORE_OPTIONS_H
#define XD_CORE_OPTIONS_H

#include "core/buf.h"

enum xd_option_type {
    XD_OPTION_FLAG,     /* bool */
    XD_OPTION_TEXT,     /* char *: an own copy, "" where nothing was given and there is no default */
    XD_OPTION_CHOICE,   /* int64_t: index into `choices` */
    XD_OPTION_NUMBER,   /* int64_t: units of 10^-scale */
    XD_OPTION_SIZE,     /* int64_t: bytes; written 4096, 64k, 1m, 2g (powers of 1024) */
    XD_OPTION_DURATION, /* int64_t: milliseconds; written 500ms, 30s, 5m, 12h, 7d, or 0 */
};

struct xd_option {
    const char *group; /* heading in the help; options of a group stand together */
    const char *name;  /* "max-orders" */
    enum xd_option_type type;
    bool secret;                /* may hold a password: its value is not printed */
    bool flag_only;             /* not in the environment nor in the file: --help and its like */
    int scale;                  /* of XD_OPTION_NUMBER */
    int64_t min, max;           /* in the unit that is stored; not for flags, texts and choices */
    const char *const *choices; /* NULL-terminated, for XD_OPTION_CHOICE */
    size_t offset;              /* of the value in the program's own struct */
    const char *fallback; /* the default as it would be written; NULL for "" and for flags that are off */
    const char *value;    /* what the help calls the value, "DIR" */
    const char *doc;      /* one sentence */
};

enum { XD_OPTIONS_MAX = 64 };

struct xd_options {
    const char *program;
    const char *summary;     /* what the program is, one line */
    const char *environment; /* prefix, "CROSSDOCK_" */
    const char *config;      /* the name of the text option that names the INI file, or NULL */
    const struct xd_option *table;
    size_t count; /* at most XD_OPTIONS_MAX */
};

enum xd_option_source { XD_FROM_DEFAULT, XD_FROM_FILE, XD_FROM_ENVIRONMENT, XD_FROM_FLAG };

/* What each option was given as, by its place in the table. */
struct xd_option_given {
    char *text[XD_OPTIONS_MAX]; /* NULL: nothing, and no default */
    enum xd_option_source source[XD_OPTIONS_MAX];
};

/* Reads arguments, environment and file, fills the struct at `settings` (zero-initialised by the caller) and
 * `given`. Goes on after a mistake, so that all of them can be told: each is appended to `mistakes` as a line
 * that names the option where it was written, what was given and what is allowed. An option with a mistake
 * keeps its zero. False if there was any. xd_options_free either way. */
bool xd_options_read(const struct xd_options *options, int argc, char *const *argv, void *settings,
                     struct xd_option_given *given, struct xd_buf *mistakes);

/* Frees the texts in `settings` and `given`. */
void xd_options_free(const struct xd_options *options, void *settings, struct xd_option_given *given);

/* Appends a mistake that only the program can see (values that do not go together), in the form of the
 * others. */
void xd_options_mistake(struct xd_buf *mistakes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends the help, by groups, with defaults and what is allowed. */
void xd_options_help(const struct xd_options *options, struct xd_buf *out);

/* Appends what is in effect as an INI file, each line with where its value comes from. */
void xd_options_show(const struct xd_options *options, const struct xd_option_given *given,
                     struct xd_buf *out);

#endif

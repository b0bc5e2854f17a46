#include "core/options.h"

#include "core/option_value.h"

#include <ctype.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1024, VARIABLE_MAX = 96 };

struct reading {
    const struct xd_options *options;
    struct xd_option_given *given;
    struct xd_buf *mistakes;
    const char *file; /* the INI file under way */
    FILE *stream;     /* it, open */
    int line;         /* how many of its lines have been read */
    bool failed;
};

void xd_options_mistake(struct xd_buf *mistakes, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (length < 0) return;
    size_t kept = (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1;
    xd_buf_add(mistakes, line, kept);
    xd_buf_add(mistakes, "\n", 1);
}

static void add_format(struct xd_buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add_format(struct xd_buf *out, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (length > 0) xd_buf_add(out, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
}

static size_t find(const struct xd_options *options, const char *name, size_t len)
{
    for (size_t i = 0; i < options->count; i++)
        if (strlen(options->table[i].name) == len && memcmp(options->table[i].name, name, len) == 0) return i;
    return options->count;
}

/* "max-orders" is CROSSDOCK_MAX_ORDERS. */
static void variable_name(const struct xd_options *options, const struct xd_option *option,
                          char out[VARIABLE_MAX])
{
    snprintf(out, VARIABLE_MAX, "%s%s", options->environment, option->name);
    for (char *at = out; *at; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
}

/* How the option was written where its value comes from, for messages. */
static void written_name(const struct reading *reading, size_t at, char out[LINE_MAX_BYTES])
{
    const struct xd_option *option = &reading->options->table[at];
    if (reading->given->source[at] == XD_FROM_FILE)
        snprintf(out, LINE_MAX_BYTES, "%s in %s", option->name, reading->file);
    else if (reading->given->source[at] == XD_FROM_ENVIRONMENT)
        variable_name(reading->options, option, out);
    else
        snprintf(out, LINE_MAX_BYTES, "--%s", option->name);
}

/* Takes a value from `source`; the stronger source, read earlier, stays. */
static void take(struct reading *reading, size_t at, const char *text, enum xd_option_source source)
{
    struct xd_option_given *given = reading->given;
    if (given->text[at]) {
        if (given->source[at] != source || source == XD_FROM_DEFAULT) return;
        char name[LINE_MAX_BYTES];
        written_name(reading, at, name);
        xd_options_mistake(reading->mistakes, "%s: given twice", name);
        reading->failed = true;
        return;
    }
    given->text[at] = strdup(text);
    given->source[at] = source;
    if (!given->text[at]) {
        xd_options_mistake(reading->mistakes, "--%s: no memory", reading->options->table[at].name);
        reading->failed = true;
    }
}

/* One argument, and its value where that is the next one. Returns how many arguments were taken. */
static int read_argument(struct reading *reading, const char *argument, const char *next)
{
    const struct xd_options *options = reading->options;
    const char *equals = strchr(argument, '=');
    size_t len = equals ? (size_t)(equals - argument) : strlen(argument);
    size_t at =
        len > 2 && strncmp(argument, "--", 2) == 0 ? find(options, argument + 2, len - 2) : options->count;
    if (at == options->count) {
        xd_options_mistake(reading->mistakes, "%.*s: no such option; --help lists them", (int)len, argument);
        reading->failed = true;
        return 1;
    }
    bool flag = options->table[at].type == XD_OPTION_FLAG;
    if (equals || flag) {
        take(reading, at, equals ? equals + 1 : "true", XD_FROM_FLAG);
        return 1;
    }
    if (!next) {
        xd_options_mistake(reading->mistakes, "--%s: its value %s is missing", options->table[at].name,
                           options->table[at].value);
        reading->failed = true;
        return 1;
    }
    take(reading, at, next, XD_FROM_FLAG);
    return 2;
}

static void read_environment(struct reading *reading)
{
    for (size_t i = 0; i < reading->options->count; i++) {
        if (reading->options->table[i].flag_only) continue;
        char name[VARIABLE_MAX];
        variable_name(reading->options, &reading->options->table[i], name);
        const char *value = getenv(name);
        if (value) take(reading, i, value, XD_FROM_ENVIRONMENT);
    }
}

static int on_line(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *reading = arg;
    size_t at = find(reading->options, name, strlen(name));
    if (*section)
        xd_options_mistake(reading->mistakes, "[%s] in %s: there are no sections", section, reading->file);
    else if (at == reading->options->count || reading->options->table[at].flag_only)
        xd_options_mistake(reading->mistakes, "%s in %s: no such option; --help lists them", name,
                           reading->file);
    else {
        take(reading, at, value, XD_FROM_FILE);
        return 1;
    }
    reading->failed = true;
    return 1;
}

/* Whether a line goes on behind what of it filled `line`; reads on to its end. */
static bool goes_on(FILE *stream, const char *line, int room)
{
    size_t len = strlen(line);
    if (len + 1 < (size_t)room || line[len - 1] == '\n') return false;
    int next = getc(stream);
    bool more = next != EOF && next != '\n';
    while (next != EOF && next != '\n')
        next = getc(stream);
    return more;
}

/* A line for inih, which would take one that is longer than its buffer for two: a value cut short, and a line
 * more. */
static char *read_line(char *line, int room, void *arg)
{
    struct reading *reading = arg;
    if (!fgets(line, room, reading->stream)) return NULL;
    reading->line++;
    if (goes_on(reading->stream, line, room)) {
        xd_options_mistake(
            reading->mistakes,
            "line %d of %s: longer than %d bytes; so long a value goes in a flag or the environment",
            reading->line, reading->file, room - 1);
        reading->failed = true;
        line[0] = '\0';
    }
    return line;
}

static void read_file(struct reading *reading)
{
    const struct xd_options *options = reading->options;
    size_t at = options->config ? find(options, options->config, strlen(options->config)) : options->count;
    if (at == options->count || !reading->given->text[at] || !*reading->given->text[at]) return;
    reading->file = reading->given->text[at];
    reading->stream = fopen(reading->file, "r");
    int line = reading->stream ? ini_parse_stream(read_line, reading, on_line, reading) : 0;
    if (line > 0)
        xd_options_mistake(reading->mistakes, "line %d of %s: not 'name = value'", line, reading->file);
    bool unread = !reading->stream || ferror(reading->stream) || line < 0;
    if (unread)
        xd_options_mistake(reading->mistakes, "--%s: %s cannot be read", options->config, reading->file);
    if (line || unread) reading->failed = true;
    if (reading->stream) fclose(reading->stream);
}

/* Turns the texts into the program's values. */
static void store_all(struct reading *reading, void *settings)
{
    for (size_t i = 0; i < reading->options->count; i++) {
        const struct xd_option *option = &reading->options->table[i];
        if (option->fallback) take(reading, i, option->fallback, XD_FROM_DEFAULT);
        const char *text = reading->given->text[i];
        if (!text && option->type != XD_OPTION_TEXT) continue;
        char problem[LINE_MAX_BYTES / 2];
        if (xd_option_store(option, text ? text : "", (char *)settings + option->offset, problem,
                            sizeof(problem)))
            continue;
        char name[LINE_MAX_BYTES];
        written_name(reading, i, name);
        xd_options_mistake(reading->mistakes, "%s: %s", name, problem);
        reading->failed = true;
    }
}

bool xd_options_read(const struct xd_options *options, int argc, char *const *argv, void *settings,
                     struct xd_option_given *given, struct xd_buf *mistakes)
{
    *given = (struct xd_option_given){0};
    struct reading reading = {.options = options, .given = given, .mistakes = mistakes};
    for (int i = 1; i < argc;)
        i += read_argument(&reading, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
    read_environment(&reading);
    read_file(&reading);
    store_all(&reading, settings);
    return !reading.failed;
}

void xd_options_free(const struct xd_options *options, void *settings, struct xd_option_given *given)
{
    for (size_t i = 0; i < options->count; i++) {
        free(given->text[i]);
        given->text[i] = NULL;
        if (options->table[i].type != XD_OPTION_TEXT) continue;
        char **text = (char **)(void *)((char *)settings + options->table[i].offset);
        free(*text);
        *text = NULL;
    }
}

/* Appends words of `text`, broken before `width`, each further line indented. */
static void add_wrapped(struct xd_buf *out, const char *text, size_t indent, size_t width)
{
    size_t column = indent;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column > indent && column + 1 + word > width) {
            add_format(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            xd_buf_add(out, " ", 1);
            column++;
        }
        xd_buf_add(out, text, word);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    xd_buf_add(out, "\n", 1);
}

void xd_options_help(const struct xd_options *options, struct xd_buf *out)
{
    add_format(out, "Usage: %s [--OPTION VALUE]...\n%s\n", options->program, options->summary);
    const char *group = "";
    for (size_t i = 0; i < options->count; i++) {
        const struct xd_option *option = &options->table[i];
        if (strcmp(group, option->group) != 0) add_format(out, "\n%s:\n", option->group);
        group = option->group;
        char left[LINE_MAX_BYTES / 4], allowed[LINE_MAX_BYTES / 4], text[LINE_MAX_BYTES];
        snprintf(left, sizeof(left), "  --%s %s", option->name, option->value ? option->value : "");
        xd_option_allowed(option, allowed, sizeof(allowed));
        bool fallback = option->fallback && *option->fallback;
        snprintf(text, sizeof(text), "%s%s%s%s%s%s", option->doc, *allowed ? " Allowed: " : "", allowed,
                 *allowed ? "." : "", fallback ? " Default: " : "", fallback ? option->fallback : "");
        add_format(out, "%-30s", left);
        add_wrapped(out, text, 30, 110);
    }
    if (options->config)
        add_format(
            out,
            "\nEvery option but those of the last group may also be set in the environment (%sMAX_ORDERS "
            "for\n"
            "--max-orders) and in the file that --%s names (max-orders = 5000). A flag goes before the\n"
            "environment, that before the file.\n",
            options->environment, options->config);
}

void xd_options_show(const struct xd_options *options, const struct xd_option_given *given,
                     struct xd_buf *out)
{
    static const char *const sources[] = {"default", "file", "environment", "flag"};
    for (size_t i = 0; i < options->count; i++) {
        const struct xd_option *option = &options->table[i];
        if (option->flag_only || (options->config && strcmp(option->name, options->config) == 0)) continue;
        const char *text = given->text[i] ? given->text[i] : option->type == XD_OPTION_FLAG ? "false" : "";
        char line[LINE_MAX_BYTES];
        snprintf(line, sizeof(line), "%s = %s", option->name, option->secret && *text ? "(not shown)" : text);
        add_format(out, "%-46s ; %s\n", line, sources[given->source[i]]);
    }
}

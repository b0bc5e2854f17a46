#include "core/log.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

const char *const xd_log_level_names[] = {"error", "warning", "info", "debug", NULL};

enum { LINE_BYTES = 2048 };

struct line {
    char bytes[LINE_BYTES];
    size_t len; /* at most LINE_BYTES - 1, for the newline */
};

static void add(struct line *line, char byte)
{
    if (line->len < LINE_BYTES - 1) line->bytes[line->len++] = byte;
}

static void add_text(struct line *line, const char *text)
{
    for (; *text; text++)
        add(line, *text);
}

static bool is_control(char byte)
{
    return (unsigned char)byte < 0x20 || byte == 0x7f;
}

static void add_value(struct line *line, const char *text)
{
    if (*text && !strpbrk(text, " =\"\\")) {
        for (; *text; text++)
            add(line, is_control(*text) ? '?' : *text);
        return;
    }
    add(line, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') add(line, '\\');
        add(line, is_control(*text) ? '?' : *text);
    }
    add(line, '"');
}

static void add_time(struct line *line)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    char text[64];
    size_t len = strftime(text, sizeof(text), "time=%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + len, sizeof(text) - len, ".%03ldZ", now.tv_nsec / 1000000);
    add_text(line, text);
}

void xd_log_write(const struct xd_log *log, enum xd_log_level level, const char *msg,
                  const struct xd_log_field *fields, size_t count)
{
    if (level > log->level) return;
    struct line line = {.len = 0};
    add_time(&line);
    add_text(&line, " level=");
    add_text(&line, xd_log_level_names[level]);
    add_text(&line, " msg=");
    add_value(&line, msg);
    for (size_t i = 0; i < count; i++) {
        add(&line, ' ');
        add_text(&line, fields[i].key);
        add(&line, '=');
        char number[32];
        snprintf(number, sizeof(number), "%lld", (long long)fields[i].number);
        add_value(&line, fields[i].text ? fields[i].text : number);
    }
    line.bytes[line.len++] = '\n';
    fwrite(line.bytes, 1, line.len, log->stream);
    fflush(log->stream);
}

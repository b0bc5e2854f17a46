#include "clients/lib/failure.h"

#include "core/mp.h"
#include "core/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies text, cutting it at a character. */
static void copy(const char *text, size_t len, char *out, size_t room)
{
    size_t at = 0;
    while (at < len) {
        size_t n = xd_utf8_char(text + at, len - at);
        size_t width = n == 0 ? 1 : n;
        if (at + width >= room) break;
        if (n == 0)
            out[at] = '?';
        else
            memcpy(out + at, text + at, n);
        at += width;
    }
    out[at] = '\0';
}

bool xd_client_fail(xd_client_error *error, const char *code, const char *format, ...)
{
    char message[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    error->field[0] = '\0';
    copy(code, strlen(code), error->code, sizeof error->code);
    copy(message, strlen(message), error->message, sizeof error->message);
    return false;
}

static void copy_key(const msgpack_object *map, const char *name, char *out, size_t room)
{
    struct xd_str text = {"", 0};
    xd_mp_get_str(map, name, &text);
    copy(text.at, strnlen(text.at, text.len), out, room);
}

void xd_client_fail_map(xd_client_error *error, const msgpack_object *map)
{
    copy_key(map, "code", error->code, sizeof error->code);
    copy_key(map, "field", error->field, sizeof error->field);
    copy_key(map, "message", error->message, sizeof error->message);
    if (error->code[0] == '\0') strcpy(error->code, "protocol");
}

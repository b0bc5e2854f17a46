#include "core/error.h"
#include "core/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *meaning;
} codes[XD_CODE_COUNT] = {
#define X(id, wire_name, text) [XD_##id] = {wire_name, text},
    XD_ERRORS(X)
#undef X
};

const char *xd_code_name(enum xd_code code)
{
    return code < XD_CODE_COUNT ? codes[code].name : "internal";
}

const char *xd_code_meaning(enum xd_code code)
{
    return code < XD_CODE_COUNT ? codes[code].meaning : codes[XD_INTERNAL].meaning;
}

/* Drops a last character that was cut in the middle. */
static void drop_partial(char *text)
{
    size_t len = strlen(text), lead = len;
    while (lead > 0 && len - lead < 3 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead == 0 || (unsigned char)text[lead - 1] < 0xc0) return;
    lead--;
    if (xd_utf8_char(text + lead, len - lead) == 0) text[lead] = '\0';
}

/* What was given may be quoted in an error, and it may be anything: bytes that are no UTF-8 become '?'. */
static void replace_invalid(char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len;) {
        size_t n = xd_utf8_char(text + i, len - i);
        if (n == 0) {
            text[i] = '?';
            n = 1;
        }
        i += n;
    }
}

bool xd_fail(struct xd_error *error, enum xd_code code, const char *field, const char *format, ...)
{
    /* Made aside, so that the arguments may point into *error. */
    struct xd_error made = {.code = code};

    if (field) {
        size_t len = strnlen(field, sizeof(made.field));
        bool cut = len == sizeof(made.field);
        memcpy(made.field, field, cut ? len - 1 : len);
        if (cut) drop_partial(made.field);
        replace_invalid(made.field);
    }

    va_list args;
    va_start(args, format);
    int len = vsnprintf(made.message, sizeof(made.message), format, args);
    va_end(args);
    if (len >= (int)sizeof(made.message)) drop_partial(made.message);
    replace_invalid(made.message);

    *error = made;
    return false;
}

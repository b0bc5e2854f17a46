#include "core/given.h"

#include "core/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_TEXT = 32 };

/* The length of the character at `text`, or 0 if there is none that can be shown. */
static size_t shown_length(const char *text, size_t len)
{
    unsigned char first = (unsigned char)text[0];
    return first < 0x20 || first == 0x7f ? 0 : xd_utf8_char(text, len);
}

/* Copies at most `room` bytes; returns the length written, and sets *cut if there was more. */
static size_t copy_shown(const char *text, size_t len, size_t room, char *out, bool *cut)
{
    size_t written = 0;
    size_t at = 0;
    while (at < len) {
        size_t n = shown_length(text + at, len - at);
        size_t width = n == 0 ? 1 : n;
        if (written + width > room) break;
        if (n == 0) {
            out[written] = '?';
        } else {
            memcpy(out + written, text + at, n);
        }
        written += width;
        at += width;
    }
    *cut = at < len;
    return written;
}

void xd_given_text(const char *text, size_t len, char out[static XD_GIVEN])
{
    bool cut;
    out[0] = '"';
    size_t n = 1 + copy_shown(text, len, XD_GIVEN_TEXT, out + 1, &cut);
    memcpy(out + n, cut ? "...\"" : "\"", cut ? 5 : 2);
}

void xd_given_name(const char *text, size_t len, char out[static XD_GIVEN])
{
    bool cut;
    size_t n = copy_shown(text, len, NAME_TEXT, out, &cut);
    memcpy(out + n, cut ? "..." : "", cut ? 4 : 1);
}

size_t xd_given_double(double value, char out[static 32])
{
    int n = 0;
    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(out, 32, "%.*g", digits, value);
        double again = strtod(out, NULL);
        if (memcmp(&again, &value, sizeof value) == 0) break;
    }
    return (size_t)n;
}

size_t xd_given_float(float value, char out[static 32])
{
    int n = 0;
    for (int digits = 6; digits <= 9; digits++) {
        n = snprintf(out, 32, "%.*g", digits, (double)value);
        float again = strtof(out, NULL);
        if (memcmp(&again, &value, sizeof value) == 0) break;
    }
    return (size_t)n;
}

void xd_given_value(const msgpack_object *value, char out[static XD_GIVEN])
{
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        strcpy(out, "nil");
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        strcpy(out, value->via.boolean ? "true" : "false");
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        snprintf(out, XD_GIVEN, "%" PRIu64, value->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        snprintf(out, XD_GIVEN, "%" PRId64, value->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
        xd_given_float((float)value->via.f64, out);
        break;
    case MSGPACK_OBJECT_FLOAT64:
        xd_given_double(value->via.f64, out);
        break;
    case MSGPACK_OBJECT_STR:
        xd_given_text(value->via.str.ptr, value->via.str.size, out);
        break;
    case MSGPACK_OBJECT_ARRAY:
        strcpy(out, "a list");
        break;
    case MSGPACK_OBJECT_MAP:
        strcpy(out, "a map");
        break;
    case MSGPACK_OBJECT_BIN:
        strcpy(out, "binary data");
        break;
    default:
        strcpy(out, "an extension value");
        break;
    }
}

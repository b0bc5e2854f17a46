#include "tests/unit/notation.h"

#include "core/given.h"
#include "core/mp.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 1 << 16 };

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == ',')
        at++;
    return at;
}

static const char *read_value(const char *at, struct xd_buf *out);

/* Pairs or elements up to `end`; counts them. A pair whose key is the word `drop` is left out. */
static const char *read_items(const char *at, char end, bool pairs, const char *drop, struct xd_buf *out,
                              uint32_t *count)
{
    for (at = skip_blanks(at); *at != end; at = skip_blanks(at)) {
        size_t drop_len = drop == NULL ? 0 : strlen(drop);
        bool dropped = drop_len > 0 && strncmp(at, drop, drop_len) == 0 && at[drop_len] == ':';
        size_t before = out->len;
        at = read_value(at, out);
        if (pairs) {
            if (*at != ':') fail_msg("no ':' at \"%s\"", at);
            at = read_value(skip_blanks(at + 1), out);
        }
        if (dropped) {
            out->len = before;
        } else {
            ++*count;
        }
    }
    return at;
}

static const char *read_container(const char *at, struct xd_buf *out)
{
    bool pairs = *at == '{';
    struct xd_buf inner;
    xd_buf_init(&inner, LIMIT);
    uint32_t count = 0;
    at = read_items(at + 1, pairs ? '}' : ']', pairs, NULL, &inner, &count);
    if (pairs) {
        xd_mp_map(out, count);
    } else {
        xd_mp_array(out, count);
    }
    xd_buf_add(out, inner.data, inner.len);
    xd_buf_free(&inner);
    return at + 1;
}

static const char *read_quoted(const char *at, bool binary, struct xd_buf *out)
{
    const char *end = strchr(at, '\'');
    if (end == NULL) fail_msg("no closing quote at \"%s\"", at);
    if (binary) {
        xd_mp_bin(out, at, (size_t)(end - at));
    } else {
        xd_mp_str(out, at, (size_t)(end - at));
    }
    return end + 1;
}

static const char *read_number(const char *at, struct xd_buf *out)
{
    size_t len = strspn(at, "+-.0123456789e");
    char *end;
    if (memchr(at, '.', len) == NULL && memchr(at, 'e', len) == NULL && at[len] != 'f') {
        if (*at == '-') {
            xd_mp_int(out, strtoll(at, &end, 10));
        } else {
            xd_mp_uint(out, strtoull(at, &end, 10));
        }
        return end;
    }
    if (at[len] != 'f') {
        xd_mp_double(out, strtod(at, &end));
        return end;
    }
    float value = strtof(at, &end);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint8_t bytes[] = {0xca, (uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
                       (uint8_t)bits};
    xd_buf_add(out, bytes, sizeof bytes);
    return end + 1;
}

static const char *read_word(const char *at, struct xd_buf *out)
{
    size_t len = strcspn(at, " ,:{}[]'");
    if (len == 3 && memcmp(at, "nil", 3) == 0) {
        xd_mp_nil(out);
    } else if (len == 3 && memcmp(at, "nan", 3) == 0) {
        xd_mp_double(out, (double)NAN);
    } else if (len == 3 && memcmp(at, "inf", 3) == 0) {
        xd_mp_double(out, (double)INFINITY);
    } else if (len == 4 && memcmp(at, "true", 4) == 0) {
        xd_mp_bool(out, true);
    } else if (len == 5 && memcmp(at, "false", 5) == 0) {
        xd_mp_bool(out, false);
    } else {
        xd_mp_str(out, at, len);
    }
    return at + len;
}

static const char *read_value(const char *at, struct xd_buf *out)
{
    if (*at == '{' || *at == '[') return read_container(at, out);
    if (*at == '\'') return read_quoted(at + 1, false, out);
    if (at[0] == 'b' && at[1] == '\'') return read_quoted(at + 2, true, out);
    if (*at == '-' || (*at >= '0' && *at <= '9')) return read_number(at, out);
    if (*at == '\0') fail_msg("the text ends early");
    return read_word(at, out);
}

void notation_value(const char *text, struct xd_buf *out)
{
    const char *end = skip_blanks(read_value(skip_blanks(text), out));
    if (*end != '\0') fail_msg("more after the value: \"%s\"", end);
}

void notation_map(const char *base, const char *drop, const char *more, struct parsed *out)
{
    struct xd_buf pairs;
    struct xd_buf map;
    uint32_t count = 0;
    xd_buf_init(&pairs, LIMIT);
    xd_buf_init(&map, LIMIT);
    read_items(base, '\0', true, drop, &pairs, &count);
    read_items(more, '\0', true, NULL, &pairs, &count);
    xd_mp_map(&map, count);
    xd_buf_add(&map, pairs.data, pairs.len);
    xd_buf_free(&pairs);
    assert_true(parsed_from(&map, out));
}

bool parsed_from(struct xd_buf *bytes, struct parsed *out)
{
    static const struct xd_mp_limits limits = {.bytes = LIMIT, .depth = 16, .elements = 4096};
    *out = (struct parsed){.bytes = *bytes};
    msgpack_zone_init(&out->zone, 4096);
    xd_buf_init(bytes, bytes->limit);
    struct xd_mp_walk walk = {0};
    enum xd_code code;
    if (xd_mp_walk(&walk, out->bytes.data, out->bytes.len, &limits, &code) != XD_MP_COMPLETE) return false;
    size_t used = 0;
    msgpack_unpack_return result =
        msgpack_unpack((const char *)out->bytes.data, out->bytes.len, &used, &out->zone, &out->object);
    return result == MSGPACK_UNPACK_SUCCESS && used == out->bytes.len;
}

void parsed_free(struct parsed *parsed)
{
    msgpack_zone_destroy(&parsed->zone);
    xd_buf_free(&parsed->bytes);
}

/* --- printing --- */

struct printer {
    char *out;
    size_t size, used;
};

static void put(struct printer *printer, const char *text, size_t len)
{
    if (printer->used + len >= printer->size) fail_msg("the value is too long to print");
    memcpy(printer->out + printer->used, text, len);
    printer->used += len;
    printer->out[printer->used] = '\0';
}

static void print(struct printer *printer, const msgpack_object *object)
{
    char text[XD_GIVEN];
    if (object->type == MSGPACK_OBJECT_STR) {
        put(printer, object->via.str.ptr, object->via.str.size);
    } else if (object->type == MSGPACK_OBJECT_MAP) {
        put(printer, "{", 1);
        for (uint32_t i = 0; i < object->via.map.size; i++) {
            if (i > 0) put(printer, ", ", 2);
            print(printer, &object->via.map.ptr[i].key);
            put(printer, ": ", 2);
            print(printer, &object->via.map.ptr[i].val);
        }
        put(printer, "}", 1);
    } else if (object->type == MSGPACK_OBJECT_ARRAY) {
        put(printer, "[", 1);
        for (uint32_t i = 0; i < object->via.array.size; i++) {
            if (i > 0) put(printer, ", ", 2);
            print(printer, &object->via.array.ptr[i]);
        }
        put(printer, "]", 1);
    } else {
        xd_given_value(object, text);
        put(printer, text, strlen(text));
    }
}

void notation_print(const msgpack_object *object, char *out, size_t size)
{
    struct printer printer = {.out = out, .size = size};
    put(&printer, "", 0);
    print(&printer, object);
}

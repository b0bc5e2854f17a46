#include "core/json.h"

#include "core/utf8.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- where an error is ---------------------------------------------------------------------------------- */

enum { PATH_DEPTH = 8, NUMBER_SHOWN = 40 };

/* The objects and arrays that are open at a place in JSON text, each with the key that it is at. What is
 * nested deeper than PATH_DEPTH is counted, not kept. */
struct place {
    struct {
        bool object;
        bool wants_key;
        struct xd_str key;
    } level[PATH_DEPTH];
    size_t depth;
};

static void place_open(struct place *place, bool object)
{
    if (place->depth < PATH_DEPTH) {
        place->level[place->depth].object = object;
        place->level[place->depth].wants_key = object;
        place->level[place->depth].key.len = 0;
    }
    place->depth++;
}

static void place_text(struct place *place, const char *text, size_t len)
{
    if (place->depth == 0 || place->depth > PATH_DEPTH) return;
    size_t top = place->depth - 1;
    if (!place->level[top].wants_key) return;
    place->level[top].wants_key = false;
    place->level[top].key = (struct xd_str){text, (uint32_t)len};
}

/* The length of the text after its opening quote, up to its closing one or the end. */
static size_t text_length(const char *text, const char *end)
{
    const char *at = text;
    while (at < end && *at != '"')
        at += *at == '\\' && end - at > 1 ? 2 : 1;
    return (size_t)(at - text);
}

static void place_mark(struct place *place, char c)
{
    if (c == '{' || c == '[') place_open(place, c == '{');
    if ((c == '}' || c == ']') && place->depth > 0) place->depth--;
    if (c == ',' && place->depth > 0 && place->depth <= PATH_DEPTH)
        place->level[place->depth - 1].wants_key = place->level[place->depth - 1].object;
}

/* Where `end` is in the JSON that starts at `at`. The text may be anything: it has just been refused, and so
 * a mark that stands last is what was refused, and opens and closes nothing. */
static struct place place_find(const char *at, const char *end)
{
    struct place place = {.depth = 0};
    while (at < end) {
        char c = *at++;
        if (c != '"') {
            if (at < end) place_mark(&place, c);
            continue;
        }
        size_t len = text_length(at, end);
        place_text(&place, at, len);
        at += len;
        if (at < end) at++;
    }
    return place;
}

/* The keys that lead to a place, joined by dots. */
static void place_path(const struct place *place, char out[static XD_ERROR_FIELD_MAX])
{
    size_t len = 0;
    size_t depth = place->depth < PATH_DEPTH ? place->depth : PATH_DEPTH;
    out[0] = '\0';
    for (size_t i = 0; i < depth; i++) {
        struct xd_str key = place->level[i].key;
        if (!place->level[i].object || key.len == 0) continue;
        int n =
            snprintf(out + len, XD_ERROR_FIELD_MAX - len, "%s%.*s", len > 0 ? "." : "", (int)key.len, key.at);
        if (n < 0 || (size_t)n >= XD_ERROR_FIELD_MAX - len) return;
        len += (size_t)n;
    }
}

/* --- reading -------------------------------------------------------------------------------------------- */

/* The number that ends at `end`, as it was written, cut short. */
static int number_before(const char *text, const char *end, const char **number)
{
    const char *at = end;
    while (at > text && strchr("0123456789+-.eE", at[-1]))
        at--;
    *number = at;
    return end - at < NUMBER_SHOWN ? (int)(end - at) : NUMBER_SHOWN;
}

static bool refuse(const char *text, size_t len, const json_error_t *why, struct xd_error *error)
{
    char field[XD_ERROR_FIELD_MAX];
    size_t position = why->position > 0 && (size_t)why->position < len ? (size_t)why->position : len;
    struct place place = place_find(text, text + position);
    place_path(&place, field);

    const char *number;
    int digits;
    switch (json_error_code(why)) {
    case json_error_duplicate_key:
        return xd_fail(error, XD_DUPLICATE_FIELD, field, "given twice");
    case json_error_invalid_utf8:
        return xd_fail(error, XD_BAD_UTF8, field, "not UTF-8 at byte %zu", position);
    case json_error_numeric_overflow:
        digits = number_before(text, text + position, &number);
        return xd_fail(error, XD_OUT_OF_RANGE, field, "%.*s is too large a number", digits, number);
    case json_error_stack_overflow:
        return xd_fail(error, XD_TOO_DEEP, field, "nested too deep");
    case json_error_out_of_memory:
        return xd_fail(error, XD_NO_MEMORY, NULL, "no memory");
    default:
        return xd_fail(error, XD_BAD_JSON, field, "not JSON: %s", why->text);
    }
}

static void pack(const json_t *value, struct xd_buf *out);

static void pack_object(const json_t *object, struct xd_buf *out)
{
    const char *key;
    json_t *value;
    xd_mp_map(out, (uint32_t)json_object_size(object));
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        xd_mp_cstr(out, key);
        pack(value, out);
    }
}

static void pack_array(const json_t *array, struct xd_buf *out)
{
    size_t size = json_array_size(array);
    xd_mp_array(out, (uint32_t)size);
    for (size_t i = 0; i < size; i++)
        pack(json_array_get(array, i), out);
}

/* As deep as jansson let it be (JSON_PARSER_MAX_DEPTH); the walk afterwards applies the limits. */
static void pack(const json_t *value, struct xd_buf *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        pack_object(value, out);
        break;
    case JSON_ARRAY:
        pack_array(value, out);
        break;
    case JSON_STRING:
        xd_mp_str(out, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        xd_mp_int(out, json_integer_value(value));
        break;
    case JSON_REAL:
        xd_mp_double(out, json_real_value(value));
        break;
    case JSON_TRUE:
        xd_mp_bool(out, true);
        break;
    case JSON_FALSE:
        xd_mp_bool(out, false);
        break;
    default:
        xd_mp_nil(out);
        break;
    }
}

static bool check(const struct xd_buf *out, size_t start, const struct xd_mp_limits *limits,
                  struct xd_error *error)
{
    struct xd_mp_walk walk = {.at = 0};
    enum xd_code code = XD_FRAME_TOO_LARGE;
    if (!out->failed &&
        xd_mp_walk(&walk, out->data + start, out->len - start, limits, &code) == XD_MP_COMPLETE)
        return true;
    return xd_fail(error, code, NULL,
                   "more than the limit of %zu bytes, %" PRIu32 " levels or %" PRIu32 " elements",
                   limits->bytes, limits->depth, limits->elements);
}

bool xd_json_read(const char *text, size_t len, const struct xd_mp_limits *limits, struct xd_buf *out,
                  struct xd_error *error)
{
    json_error_t why;
    size_t start = out->len;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!value) return refuse(text, len, &why, error);

    pack(value, out);
    json_decref(value);
    if (check(out, start, limits, error)) return true;
    out->len = start;
    out->failed = false;
    return false;
}

/* --- writing -------------------------------------------------------------------------------------------- */

static json_t *to_json(const msgpack_object *value, unsigned depth);

/* Text as JSON must have it. */
static json_t *text_to_json(const char *text, size_t len)
{
    json_t *made = json_stringn(text, len);
    char *copy = made ? NULL : malloc(len > 0 ? len : 1);
    if (!copy) return made;
    for (size_t i = 0; i < len;) {
        size_t n = xd_utf8_char(text + i, len - i);
        if (n == 0) copy[i++] = '?';
        for (; n > 0; n--, i++)
            copy[i] = text[i];
    }
    made = json_stringn(copy, len);
    free(copy);
    return made;
}

/* A key must end at its first NUL; one that is not text is named by its JSON. */
static bool set_key(json_t *object, const msgpack_object *key, json_t *value, unsigned depth)
{
    json_t *name = to_json(key, depth);
    char *text = !name || json_is_string(name) ? NULL : json_dumps(name, JSON_ENCODE_ANY | JSON_COMPACT);
    bool set =
        name && value && json_object_set_nocheck(object, text ? text : json_string_value(name), value) == 0;
    free(text);
    json_decref(name);
    json_decref(value);
    return set;
}

static json_t *map_to_json(const msgpack_object_map *map, unsigned depth)
{
    json_t *object = json_object();
    for (uint32_t i = 0; object && i < map->size; i++) {
        if (set_key(object, &map->ptr[i].key, to_json(&map->ptr[i].val, depth), depth)) continue;
        json_decref(object);
        object = NULL;
    }
    return object;
}

static json_t *array_to_json(const msgpack_object_array *array, unsigned depth)
{
    json_t *list = json_array();
    for (uint32_t i = 0; list && i < array->size; i++) {
        json_t *element = to_json(&array->ptr[i], depth);
        if (element && json_array_append_new(list, element) == 0) continue;
        json_decref(list);
        list = NULL;
    }
    return list;
}

/* NaN and the infinities have no JSON: jansson makes no real of them. */
static json_t *real_to_json(double value)
{
    json_t *real = json_real(value);
    return real ? real : json_null();
}

static json_t *to_json(const msgpack_object *value, unsigned depth)
{
    if (depth == 0) return NULL;
    switch (value->type) {
    case MSGPACK_OBJECT_MAP:
        return map_to_json(&value->via.map, depth - 1);
    case MSGPACK_OBJECT_ARRAY:
        return array_to_json(&value->via.array, depth - 1);
    case MSGPACK_OBJECT_STR:
        return text_to_json(value->via.str.ptr, value->via.str.size);
    case MSGPACK_OBJECT_BIN:
        return text_to_json(value->via.bin.ptr, value->via.bin.size);
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(value->via.boolean);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer(value->via.i64);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return value->via.u64 <= INT64_MAX ? json_integer((json_int_t)value->via.u64)
                                           : json_real((double)value->via.u64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return real_to_json(value->via.f64);
    default:
        return json_null();
    }
}

static int append(const char *text, size_t len, void *out)
{
    xd_buf_add(out, text, len);
    return 0;
}

void xd_json_write(const msgpack_object *value, struct xd_buf *out)
{
    /* 15 digits carry every decimal of Crossdock's and none of a double's noise. */
    json_t *json = to_json(value, XD_MP_MAX_DEPTH);
    if (!json ||
        json_dump_callback(json, append, out, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0)
        out->failed = true;
    json_decref(json);
}

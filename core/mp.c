#include "core/mp.h"
#include "core/decimal.h"
#include "core/pair.h"

#include <string.h>

/* --- writing ----------------------------------------------------------------------------------------- */

/* The packer never hears of a failure: the buffer remembers it. */
static int append(void *buf, const char *bytes, size_t len)
{
    xd_buf_add(buf, bytes, len);
    return 0;
}

static msgpack_packer packer(struct xd_buf *buf)
{
    return (msgpack_packer){.data = buf, .callback = append};
}

void xd_mp_map(struct xd_buf *buf, uint32_t pairs)
{
    msgpack_packer pk = packer(buf);
    msgpack_pack_map(&pk, pairs);
}

void xd_mp_array(struct xd_buf *buf, uint32_t elements)
{
    msgpack_packer pk = packer(buf);
    msgpack_pack_array(&pk, elements);
}

void xd_mp_nil(struct xd_buf *buf)
{
    msgpack_packer pk = packer(buf);
    msgpack_pack_nil(&pk);
}

void xd_mp_bool(struct xd_buf *buf, bool value)
{
    msgpack_packer pk = packer(buf);
    if (value)
        msgpack_pack_true(&pk);
    else
        msgpack_pack_false(&pk);
}

void xd_mp_int(struct xd_buf *buf, int64_t value)
{
    if (value >= 0 && value < 128 && buf->cap > buf->len && !buf->failed) {
        buf->data[buf->len++] = (uint8_t)value; /* a positive fixint */
        return;
    }
    msgpack_packer pk = packer(buf);
    msgpack_pack_int64(&pk, value);
}

void xd_mp_uint(struct xd_buf *buf, uint64_t value)
{
    msgpack_packer pk = packer(buf);
    msgpack_pack_uint64(&pk, value);
}

void xd_mp_double(struct xd_buf *buf, double value)
{
    msgpack_packer pk = packer(buf);
    msgpack_pack_double(&pk, value);
}

/* False, and the buffer failed, where MessagePack's length field cannot hold `len`. */
static bool representable(struct xd_buf *buf, size_t len)
{
    if (len > UINT32_MAX) buf->failed = true;
    return !buf->failed;
}

void xd_mp_str(struct xd_buf *buf, const char *text, size_t len)
{
    enum { FIXSTR = 0xa0, FIXSTR_MAX = 31 };
    /* Nearly every string is short and has room: that is written here, by the specification, because events are made of them. */
    if (len <= FIXSTR_MAX && len < buf->cap - buf->len && !buf->failed) {
        uint8_t *at = buf->data + buf->len;
        *at = (uint8_t)(FIXSTR | len);
        if (len) memcpy(at + 1, text, len);
        buf->len += len + 1;
        return;
    }
    if (!representable(buf, len)) return;
    msgpack_packer pk = packer(buf);
    msgpack_pack_str(&pk, len);
    xd_buf_add(buf, text, len);
}

void xd_mp_bin(struct xd_buf *buf, const void *bytes, size_t len)
{
    if (!representable(buf, len)) return;
    msgpack_packer pk = packer(buf);
    msgpack_pack_bin(&pk, len);
    xd_buf_add(buf, bytes, len);
}

void xd_mp_decimal(struct xd_buf *buf, int64_t value, int scale)
{
    int64_t whole = value;
    while (scale > 0 && whole % 10 == 0) {
        whole /= 10;
        scale--;
    }
    if (scale == 0)
        xd_mp_int(buf, whole);
    else
        xd_mp_double(buf, xd_decimal_to_double(whole, scale));
}

void xd_mp_error(struct xd_buf *buf, const struct xd_error *error)
{
    bool has_field = error->field[0] != '\0';
    xd_mp_map(buf, has_field ? 3 : 2);
    xd_pair_cstr(buf, "code", xd_code_name(error->code));
    xd_pair_cstr(buf, "message", error->message);
    if (!has_field) return;
    xd_pair_cstr(buf, "field", error->field);
}

/* --- the walk ---------------------------------------------------------------------------------------- */

/* What a value's first byte promises: a length field of so many bytes, `fixed` bytes besides it, and, for
 * arrays and maps, that the length counts children (1 or 2 each) rather than bytes. */
struct layout {
    uint8_t length_bytes, fixed, children;
};

static const struct layout layouts_c0_df[32] = {
    /* bin */
    [0xc4 - 0xc0] = {1, 0, 0},
    [0xc5 - 0xc0] = {2, 0, 0},
    [0xc6 - 0xc0] = {4, 0, 0},
    /* ext: a byte for its type besides */
    [0xc7 - 0xc0] = {1, 1, 0},
    [0xc8 - 0xc0] = {2, 1, 0},
    [0xc9 - 0xc0] = {4, 1, 0},
    /* float */
    [0xca - 0xc0] = {0, 4, 0},
    [0xcb - 0xc0] = {0, 8, 0},
    /* uint */
    [0xcc - 0xc0] = {0, 1, 0},
    [0xcd - 0xc0] = {0, 2, 0},
    [0xce - 0xc0] = {0, 4, 0},
    [0xcf - 0xc0] = {0, 8, 0},
    /* int */
    [0xd0 - 0xc0] = {0, 1, 0},
    [0xd1 - 0xc0] = {0, 2, 0},
    [0xd2 - 0xc0] = {0, 4, 0},
    [0xd3 - 0xc0] = {0, 8, 0},
    /* fixext */
    [0xd4 - 0xc0] = {0, 2, 0},
    [0xd5 - 0xc0] = {0, 3, 0},
    [0xd6 - 0xc0] = {0, 5, 0},
    [0xd7 - 0xc0] = {0, 9, 0},
    [0xd8 - 0xc0] = {0, 17, 0},
    /* str */
    [0xd9 - 0xc0] = {1, 0, 0},
    [0xda - 0xc0] = {2, 0, 0},
    [0xdb - 0xc0] = {4, 0, 0},
    /* array */
    [0xdc - 0xc0] = {2, 0, 1},
    [0xdd - 0xc0] = {4, 0, 1},
    /* map */
    [0xde - 0xc0] = {2, 0, 2},
    [0xdf - 0xc0] = {4, 0, 2},
};

/* One value as its header describes it. */
struct value {
    size_t head;       /* bytes of the header */
    uint64_t body;     /* bytes that follow, children not counted */
    uint64_t children; /* values that follow */
    bool container;
};

static size_t head_length(uint8_t first)
{
    return first >= 0xc0 && first < 0xe0 ? 1u + layouts_c0_df[first - 0xc0].length_bytes : 1;
}

/* The value whose whole header lies at `at`. */
static struct value value_at(const uint8_t *at)
{
    uint8_t first = at[0];
    if (first < 0x80 || first >= 0xe0) return (struct value){.head = 1};
    if (first < 0x90) return (struct value){.head = 1, .children = 2 * (first & 0xfu), .container = true};
    if (first < 0xa0) return (struct value){.head = 1, .children = first & 0xfu, .container = true};
    if (first < 0xc0) return (struct value){.head = 1, .body = first & 0x1fu};

    struct layout layout = layouts_c0_df[first - 0xc0];
    uint64_t length = 0;
    for (size_t i = 1; i <= layout.length_bytes; i++)
        length = length << 8 | at[i];
    bool container = layout.children != 0;
    return (struct value){
        .head = 1u + layout.length_bytes,
        .body = layout.fixed + (container ? 0 : length),
        .children = length * layout.children,
        .container = container,
    };
}

static enum xd_code open_container(struct xd_mp_walk *walk, uint64_t children,
                                   const struct xd_mp_limits *limits)
{
    uint32_t deepest = limits->depth < XD_MP_MAX_DEPTH ? limits->depth : XD_MP_MAX_DEPTH;
    if (walk->depth >= deepest) return XD_TOO_DEEP;
    if (children > limits->elements - walk->elements) return XD_TOO_MANY_ELEMENTS;
    walk->elements += (uint32_t)children;
    walk->left[++walk->depth] = children;
    return XD_OK;
}

/* Closes every container whose last value has just been passed. */
static void close_finished(struct xd_mp_walk *walk)
{
    while (walk->depth > 0 && walk->left[walk->depth] == 0) {
        walk->depth--;
        if (walk->depth > 0) walk->left[walk->depth]--;
    }
}

static enum xd_code pass(struct xd_mp_walk *walk, const struct value *value,
                         const struct xd_mp_limits *limits)
{
    if (value->body > limits->bytes - walk->at - value->head) return XD_FRAME_TOO_LARGE;
    if (walk->elements == 0) {
        if (limits->elements == 0) return XD_TOO_MANY_ELEMENTS;
        walk->elements = 1;
    }
    if (value->container) {
        enum xd_code why = open_container(walk, value->children, limits);
        if (why != XD_OK) return why;
    } else if (walk->depth > 0) {
        walk->left[walk->depth]--;
    }
    close_finished(walk);
    walk->at += value->head + (size_t)value->body;
    return XD_OK;
}

static enum xd_mp_walk_result refuse(enum xd_code *code, enum xd_code why)
{
    *code = why;
    return XD_MP_REFUSED;
}

enum xd_mp_walk_result xd_mp_walk(struct xd_mp_walk *walk, const uint8_t *bytes, size_t len,
                                  const struct xd_mp_limits *limits, enum xd_code *code)
{
    while (walk->elements == 0 || walk->depth > 0) {
        size_t room = limits->bytes - walk->at;
        if (room == 0) return refuse(code, XD_FRAME_TOO_LARGE);
        if (walk->at >= len) return XD_MP_MORE;

        const uint8_t *at = bytes + walk->at;
        size_t head = head_length(*at);
        if (*at == 0xc1) return refuse(code, XD_BAD_FRAME);
        if (head > room) return refuse(code, XD_FRAME_TOO_LARGE);
        if (head > len - walk->at) return XD_MP_MORE;

        struct value value = value_at(at);
        enum xd_code why = pass(walk, &value, limits);
        if (why != XD_OK) return refuse(code, why);
    }
    return walk->at <= len ? XD_MP_COMPLETE : XD_MP_MORE;
}

/* --- reading ----------------------------------------------------------------------------------------- */

const msgpack_object *xd_mp_get(const msgpack_object *map, const char *name)
{
    if (!map || map->type != MSGPACK_OBJECT_MAP) return NULL;
    struct xd_str wanted = xd_str_of(name);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.type != MSGPACK_OBJECT_STR) continue;
        struct xd_str key = {pair->key.via.str.ptr, pair->key.via.str.size};
        if (xd_str_equal(key, wanted)) return &pair->val;
    }
    return NULL;
}

bool xd_mp_get_str(const msgpack_object *map, const char *name, struct xd_str *out)
{
    const msgpack_object *value = xd_mp_get(map, name);
    if (!value || value->type != MSGPACK_OBJECT_STR) return false;
    *out = (struct xd_str){value->via.str.ptr, value->via.str.size};
    return true;
}

bool xd_mp_get_int(const msgpack_object *map, const char *name, int64_t *out)
{
    const msgpack_object *value = xd_mp_get(map, name);
    if (!value) return false;
    if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        *out = value->via.i64;
        return true;
    }
    if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER || value->via.u64 > INT64_MAX) return false;
    *out = (int64_t)value->via.u64;
    return true;
}

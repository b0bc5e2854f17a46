#include "core/mp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

static const struct xd_mp_limits roomy = {.bytes = 1 << 20, .depth = XD_MP_MAX_DEPTH, .elements = 200000};

static void check_refused(const char *bytes, size_t len, struct xd_mp_limits limits, enum xd_code expected)
{
    struct xd_mp_walk walk = {0};
    enum xd_code code = XD_OK;
    assert_int_equal(xd_mp_walk(&walk, (const uint8_t *)bytes, len, &limits, &code), XD_MP_REFUSED);
    assert_int_equal(code, expected);
}

static void check_complete(const uint8_t *bytes, size_t len, size_t length)
{
    struct xd_mp_walk walk = {0};
    enum xd_code code = XD_OK;
    assert_int_equal(xd_mp_walk(&walk, bytes, len, &roomy, &code), XD_MP_COMPLETE);
    assert_int_equal(walk.at, length);
    assert_int_equal(code, XD_OK);
}

/* The message completes at its length and not before: in any two pieces and byte by byte. */
static void check_every_split(const uint8_t *bytes, size_t len)
{
    enum xd_code code = XD_OK;
    for (size_t first = 0; first < len; first++) {
        /* In a block of its own size, so that the sanitizer sees a read beyond it. */
        uint8_t *piece = malloc(first ? first : 1);
        assert_non_null(piece);
        memcpy(piece, bytes, first);
        struct xd_mp_walk walk = {0};
        assert_int_equal(xd_mp_walk(&walk, piece, first, &roomy, &code), XD_MP_MORE);
        free(piece);
        assert_int_equal(xd_mp_walk(&walk, bytes, len, &roomy, &code), XD_MP_COMPLETE);
        assert_int_equal(walk.at, len);
    }
    struct xd_mp_walk walk = {0};
    for (size_t here = 0; here < len; here++)
        assert_int_equal(xd_mp_walk(&walk, bytes, here, &roomy, &code), XD_MP_MORE);
    assert_int_equal(xd_mp_walk(&walk, bytes, len, &roomy, &code), XD_MP_COMPLETE);
    assert_int_equal(xd_mp_walk(&walk, bytes, len, &roomy, &code), XD_MP_COMPLETE);
    assert_int_equal(walk.at, len);
    assert_int_equal(code, XD_OK);
}

/* What the MessagePack specification says of each first byte from 0xc0 to 0xdf: bytes of its length field,
 * bytes that follow besides, and bytes that each unit of length adds when elements are one byte long. */
static const struct {
    uint8_t length_bytes, fixed, per_unit;
} formats[32] = {
    {0, 0, 0},  {0, 0, 0}, {0, 0, 0}, {0, 0, 0}, /* nil, none, false, true */
    {1, 0, 1},  {2, 0, 1}, {4, 0, 1}, {1, 1, 1}, /* bin 8, 16, 32, ext 8 */
    {2, 1, 1},  {4, 1, 1}, {0, 4, 0}, {0, 8, 0}, /* ext 16, 32, float 32, 64 */
    {0, 1, 0},  {0, 2, 0}, {0, 4, 0}, {0, 8, 0}, /* uint 8, 16, 32, 64 */
    {0, 1, 0},  {0, 2, 0}, {0, 4, 0}, {0, 8, 0}, /* int 8, 16, 32, 64 */
    {0, 2, 0},  {0, 3, 0}, {0, 5, 0}, {0, 9, 0}, /* fixext 1, 2, 4, 8 */
    {0, 17, 0}, {1, 0, 1}, {2, 0, 1}, {4, 0, 1}, /* fixext 16, str 8, 16, 32 */
    {2, 0, 1},  {4, 0, 1}, {2, 0, 2}, {4, 0, 2}, /* array 16, 32, map 16, 32 */
};

/* Appends a value whose header starts with `first` and, if that has a length field, says `n`; what it holds
 * is zeros (each an integer where values are asked for). */
static void write_value(struct xd_buf *buf, unsigned first, uint32_t n)
{
    static const uint8_t zeros[1 << 18];
    uint8_t head[5] = {(uint8_t)first};
    size_t head_len = 1, body = 0;
    if (first >= 0x80 && first < 0x90)
        body = 2 * (first & 15);
    else if (first >= 0x90 && first < 0xa0)
        body = first & 15;
    else if (first >= 0xa0 && first < 0xc0)
        body = first & 31;
    else if (first >= 0xc0 && first < 0xe0) {
        unsigned length_bytes = formats[first - 0xc0].length_bytes;
        for (unsigned i = 0; i < length_bytes; i++)
            head[1 + i] = (uint8_t)(n >> 8 * (length_bytes - 1 - i));
        head_len += length_bytes;
        body = formats[first - 0xc0].fixed + (size_t)formats[first - 0xc0].per_unit * n;
    }
    xd_buf_add(buf, head, head_len);
    xd_buf_add(buf, zeros, body);
    assert_false(buf->failed);
}

static void walks_every_type(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {0, 1, 31, 255, 256, 65535, 65536};
    struct xd_buf buf;
    xd_buf_init(&buf, 1 << 20);
    for (unsigned first = 0; first < 256; first++) {
        for (size_t i = 0; first != 0xc1 && i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            unsigned field = first >= 0xc0 && first < 0xe0 ? formats[first - 0xc0].length_bytes : 0;
            if (field < 4 && lengths[i] >> 8 * field != 0) break;
            xd_buf_clear(&buf);
            write_value(&buf, first, lengths[i]);
            size_t len = buf.len;
            if (len <= 600) check_every_split(buf.data, len);
            xd_buf_add(&buf, "\xc1rest", 5);
            check_complete(buf.data, buf.len, len);
        }
    }
    xd_buf_free(&buf);
}

/* One message that holds a value of every type, arrays and maps within arrays and maps. */
static void splits_a_message_of_all_types_anywhere(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, 1 << 20);
    xd_mp_array(&buf, 3);
    xd_mp_map(&buf, 255 / 5 + 1);
    unsigned count = 0;
    for (unsigned first = 0; first < 256; first += 5, count++) {
        xd_mp_cstr(&buf, "key");
        write_value(&buf, first == 0xc1 ? 0xc0 : first, 3);
    }
    assert_int_equal(count, 255 / 5 + 1);
    xd_mp_array(&buf, 255);
    for (unsigned first = 0; first < 256; first++)
        if (first != 0xc1) write_value(&buf, first, first % 7);
    xd_mp_array(&buf, 2);
    xd_mp_array(&buf, 0);
    xd_mp_map(&buf, 1);
    xd_mp_map(&buf, 0);
    xd_mp_array(&buf, 0);
    check_every_split(buf.data, buf.len);

    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t at = 0;
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)buf.data, buf.len, &at),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(at, buf.len);
    msgpack_unpacked_destroy(&unpacked);
    xd_buf_free(&buf);
}

static void refuses_what_is_no_messagepack(void **state)
{
    (void)state;
    check_refused("\xc1", 1, roomy, XD_BAD_FRAME);
    check_refused("\x92\x01\xc1", 3, roomy, XD_BAD_FRAME);
    check_refused("\x81\xa1k\xc1", 4, roomy, XD_BAD_FRAME);
}

/* `levels` arrays, each in the other, then an integer unless the innermost is empty. */
static enum xd_mp_walk_result walk_nested(uint8_t opener, uint32_t levels, uint32_t limit, enum xd_code *code)
{
    uint8_t bytes[128];
    memset(bytes, opener, levels);
    bytes[levels] = 0;
    struct xd_mp_limits limits = {.bytes = 1000, .depth = limit, .elements = 1000};
    struct xd_mp_walk walk = {0};
    return xd_mp_walk(&walk, bytes, levels + 1, &limits, code);
}

static void refuses_depth_by_the_header_alone(void **state)
{
    (void)state;
    for (uint32_t limit = 0; limit <= 40; limit++) {
        uint32_t deepest = limit < XD_MP_MAX_DEPTH ? limit : XD_MP_MAX_DEPTH;
        for (uint32_t levels = 0; levels <= 100; levels++) {
            enum xd_code code = XD_OK;
            enum xd_mp_walk_result expected = levels <= deepest ? XD_MP_COMPLETE : XD_MP_REFUSED;
            assert_int_equal(walk_nested(0x91, levels, limit, &code), expected);
            assert_int_equal(code, expected == XD_MP_COMPLETE ? XD_OK : XD_TOO_DEEP);
        }
    }
    struct xd_mp_limits flat = {.bytes = 100, .depth = 1, .elements = 100};
    check_refused("\x91\x90", 2, flat, XD_TOO_DEEP); /* empty ones nest too */
    check_refused("\x81\x80", 2, flat, XD_TOO_DEEP); /* a map as a key */
    check_refused("\x91\xdc\0\0", 4, flat, XD_TOO_DEEP);
    struct xd_mp_walk walk = {0};
    enum xd_code code;
    assert_int_equal(xd_mp_walk(&walk, (const uint8_t *)"\x82\1\2\3\4", 5, &flat, &code), XD_MP_COMPLETE);
}

static void refuses_elements_by_the_header_alone(void **state)
{
    (void)state;
    struct xd_mp_limits limits = {.bytes = SIZE_MAX, .depth = 8, .elements = 10};
    check_refused("\xdd\xff\xff\xff\xff", 5, limits, XD_TOO_MANY_ELEMENTS);
    check_refused("\xdf\xff\xff\xff\xff", 5, limits, XD_TOO_MANY_ELEMENTS);
    check_refused("\xdc\xff\xff", 3, limits, XD_TOO_MANY_ELEMENTS);
    check_refused("\xde\xff\xff", 3, limits, XD_TOO_MANY_ELEMENTS);
    check_refused("\x9a", 1, limits, XD_TOO_MANY_ELEMENTS);     /* itself and ten */
    check_refused("\x85", 1, limits, XD_TOO_MANY_ELEMENTS);     /* itself, five keys and five values */
    check_refused("\x95\x95", 2, limits, XD_TOO_MANY_ELEMENTS); /* the sum counts */
    limits.elements = UINT32_MAX;
    check_refused("\xdd\xff\xff\xff\xff", 5, limits, XD_TOO_MANY_ELEMENTS);
    check_refused("\xdf\x80\0\0\0", 5, limits, XD_TOO_MANY_ELEMENTS);
    limits.elements = 0;
    check_refused("\1", 1, limits, XD_TOO_MANY_ELEMENTS);

    struct xd_mp_walk walk = {0};
    enum xd_code code;
    limits.elements = 10;
    assert_int_equal(xd_mp_walk(&walk, (const uint8_t *)"\x99\0\0\0\0\0\0\0\0\0", 10, &limits, &code),
                     XD_MP_COMPLETE);
}

static void refuses_length_by_the_header_alone(void **state)
{
    (void)state;
    struct xd_mp_limits limits = {.bytes = 10, .depth = 8, .elements = 100};
    check_refused("\xdb\xff\xff\xff\xff", 5, limits, XD_FRAME_TOO_LARGE);
    check_refused("\xc6\xff\xff\xff\xff", 5, limits, XD_FRAME_TOO_LARGE);
    check_refused("\xc9\xff\xff\xff\xff", 5, limits, XD_FRAME_TOO_LARGE);
    check_refused("\xc7\x08", 2, limits, XD_FRAME_TOO_LARGE); /* 2 + type + 8 */
    check_refused("\xaa", 1, limits, XD_FRAME_TOO_LARGE);
    limits.bytes = 4;
    check_refused("\xce", 1, limits, XD_FRAME_TOO_LARGE); /* the first byte says that five are needed */
    check_refused("\xdd", 1, limits, XD_FRAME_TOO_LARGE);
    check_refused("\x94\1\2\3", 4, limits, XD_FRAME_TOO_LARGE); /* a fifth byte must come */
    limits.bytes = 0;
    check_refused("", 0, limits, XD_FRAME_TOO_LARGE);
}

static void takes_a_message_of_just_the_limit(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, 1 << 20);
    for (unsigned first = 0; first < 256; first++) {
        if (first == 0xc1) continue;
        xd_buf_clear(&buf);
        write_value(&buf, first, 40);
        struct xd_mp_limits limits = {.bytes = buf.len, .depth = 1, .elements = 81};
        struct xd_mp_walk walk = {0};
        enum xd_code code = XD_OK;
        assert_int_equal(xd_mp_walk(&walk, buf.data, buf.len, &limits, &code), XD_MP_COMPLETE);
        limits.bytes--;
        check_refused((const char *)buf.data, buf.len, limits, XD_FRAME_TOO_LARGE);
    }
    xd_buf_free(&buf);
}

static uint8_t likely_byte(struct rng *rng)
{
    switch (rng_next(rng) % 5) {
    case 0:
    case 1:
        return (uint8_t)rng_between(rng, 0, 4);
    case 2:
        return (uint8_t)rng_between(rng, 0xc0, 0xdf);
    case 3:
        return (uint8_t)rng_between(rng, 0x80, 0xa8);
    default:
        return (uint8_t)rng_next(rng);
    }
}

/* The walk in pieces of random length, `bytes` copied into a block as long as the piece each time. */
static enum xd_mp_walk_result walk_in_pieces(struct rng *rng, const uint8_t *bytes, size_t len,
                                             const struct xd_mp_limits *limits, enum xd_code *code,
                                             size_t *length)
{
    struct xd_mp_walk walk = {0};
    enum xd_mp_walk_result result = XD_MP_MORE;
    for (size_t here = 0; result == XD_MP_MORE;) {
        uint8_t *piece = malloc(here + 1);
        assert_non_null(piece);
        memcpy(piece + 1, bytes, here);
        result = xd_mp_walk(&walk, piece + 1, here, limits, code);
        free(piece);
        if (here == len) break;
        here += (size_t)rng_between(rng, 1, (int64_t)(len - here));
    }
    *length = walk.at;
    return result;
}

/* What msgpack-c makes of the bytes: XD_MP_REFUSED is its parse error. */
static enum xd_mp_walk_result msgpack_says(const uint8_t *bytes, size_t len, size_t *length)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    *length = 0;
    msgpack_unpack_return result = msgpack_unpack_next(&unpacked, (const char *)bytes, len, length);
    msgpack_unpacked_destroy(&unpacked);
    assert_int_not_equal(result, MSGPACK_UNPACK_NOMEM_ERROR);
    if (result == MSGPACK_UNPACK_SUCCESS) return XD_MP_COMPLETE;
    return result == MSGPACK_UNPACK_CONTINUE ? XD_MP_MORE : XD_MP_REFUSED;
}

static void agrees_with_msgpack_on_random_bytes(void **state)
{
    (void)state;
    static const struct xd_mp_limits limits = {.bytes = 4096, .depth = XD_MP_MAX_DEPTH, .elements = 2000};
    struct rng rng = {11};
    int seen[3] = {0}, over_limit = 0;
    for (int i = 0; i < 200000; i++) {
        uint8_t bytes[128];
        size_t len = (size_t)rng_between(&rng, 1, i % 8 ? 24 : (int64_t)sizeof(bytes));
        uint8_t nested = rng_next(&rng) % 16 == 0 ? 0x91 : 0;
        for (size_t b = 0; b < len; b++)
            bytes[b] = nested && rng_next(&rng) % 64 ? nested : likely_byte(&rng);

        struct xd_mp_walk walk = {0};
        enum xd_code code = XD_OK, pieces_code = XD_OK;
        size_t pieces_length, length;
        enum xd_mp_walk_result result = xd_mp_walk(&walk, bytes, len, &limits, &code);
        assert_int_equal(walk_in_pieces(&rng, bytes, len, &limits, &pieces_code, &pieces_length), result);
        assert_int_equal(pieces_code, code);
        if (result == XD_MP_REFUSED && code != XD_BAD_FRAME) {
            over_limit++;
            continue;
        }
        seen[result]++;
        assert_int_equal(msgpack_says(bytes, len, &length), result);
        if (result == XD_MP_COMPLETE) {
            assert_int_equal(walk.at, length);
            assert_int_equal(pieces_length, length);
        }
    }
    print_message("%d complete, %d unfinished, %d not MessagePack, %d over a limit\n", seen[XD_MP_COMPLETE],
                  seen[XD_MP_MORE], seen[XD_MP_REFUSED], over_limit);
    assert_true(seen[XD_MP_COMPLETE] > 10000 && seen[XD_MP_MORE] > 10000 && seen[XD_MP_REFUSED] > 1000);
}

static void the_deepest_that_is_let_through_msgpack_reads(void **state)
{
    (void)state;
    static const char *const openers[] = {"\x91", "\x81\1", "\xdc\0\1", "\xdf\0\0\0\1\1"};
    static const size_t lengths[] = {1, 2, 3, 6};
    struct xd_buf buf;
    xd_buf_init(&buf, 1000);
    for (size_t i = 0; i < 4; i++) {
        xd_buf_clear(&buf);
        for (int level = 0; level < XD_MP_MAX_DEPTH; level++)
            xd_buf_add(&buf, openers[i], lengths[i]);
        xd_mp_nil(&buf);
        check_every_split(buf.data, buf.len);
        size_t length;
        assert_int_equal(msgpack_says(buf.data, buf.len, &length), XD_MP_COMPLETE);
        assert_int_equal(length, buf.len);
    }
    xd_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_every_type),
        cmocka_unit_test(splits_a_message_of_all_types_anywhere),
        cmocka_unit_test(refuses_what_is_no_messagepack),
        cmocka_unit_test(refuses_depth_by_the_header_alone),
        cmocka_unit_test(refuses_elements_by_the_header_alone),
        cmocka_unit_test(refuses_length_by_the_header_alone),
        cmocka_unit_test(takes_a_message_of_just_the_limit),
        cmocka_unit_test(the_deepest_that_is_let_through_msgpack_reads),
        cmocka_unit_test(agrees_with_msgpack_on_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

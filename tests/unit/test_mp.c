#include "core/mp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/decimal.h"

/* Everything that was written, as one object; the caller frees `unpacked`. */
static msgpack_object unpack(const struct xd_buf *buf, msgpack_unpacked *unpacked)
{
    assert_false(buf->failed);
    size_t at = 0;
    msgpack_unpacked_init(unpacked);
    assert_int_equal(msgpack_unpack_next(unpacked, (const char *)buf->data, buf->len, &at),
                     MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(at, buf->len);
    return unpacked->data;
}

static void writes_integers_in_their_shortest_form(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        size_t len;
        uint8_t first;
    } cases[] = {
        {0, 1, 0x00},      {127, 1, 0x7f},         {128, 2, 0xcc},       {255, 2, 0xcc},
        {256, 3, 0xcd},    {65536, 5, 0xce},       {1LL << 32, 9, 0xcf}, {INT64_MAX, 9, 0xcf},
        {-1, 1, 0xff},     {-32, 1, 0xe0},         {-33, 2, 0xd0},       {-129, 3, 0xd1},
        {-32769, 5, 0xd2}, {-2147483649, 9, 0xd3}, {INT64_MIN, 9, 0xd3},
    };
    struct xd_buf buf;
    xd_buf_init(&buf, 100);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        xd_buf_clear(&buf);
        xd_mp_int(&buf, cases[i].value);
        assert_int_equal(buf.len, cases[i].len);
        assert_int_equal(buf.data[0], cases[i].first);
    }
    xd_buf_clear(&buf);
    xd_mp_uint(&buf, UINT64_MAX);
    assert_memory_equal(buf.data, "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 9);
    xd_buf_free(&buf);
}

static void writes_what_msgpack_reads(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, 1000);
    xd_mp_array(&buf, 7);
    xd_mp_nil(&buf);
    xd_mp_bool(&buf, true);
    xd_mp_bool(&buf, false);
    xd_mp_double(&buf, 1.5);
    xd_mp_str(&buf, "a\0b", 3);
    xd_mp_bin(&buf, "\0\xff", 2);
    xd_mp_map(&buf, 1);
    xd_mp_cstr(&buf, "key");
    xd_mp_str(&buf, NULL, 0);

    msgpack_unpacked unpacked;
    msgpack_object object = unpack(&buf, &unpacked);
    assert_int_equal(object.type, MSGPACK_OBJECT_ARRAY);
    assert_int_equal(object.via.array.size, 7);
    const msgpack_object *at = object.via.array.ptr;
    assert_int_equal(at[0].type, MSGPACK_OBJECT_NIL);
    assert_true(at[1].type == MSGPACK_OBJECT_BOOLEAN && at[1].via.boolean);
    assert_true(at[2].type == MSGPACK_OBJECT_BOOLEAN && !at[2].via.boolean);
    assert_true(at[3].type == MSGPACK_OBJECT_FLOAT64 && at[3].via.f64 == 1.5);
    assert_true(at[4].type == MSGPACK_OBJECT_STR && at[4].via.str.size == 3);
    assert_memory_equal(at[4].via.str.ptr, "a\0b", 3);
    assert_true(at[5].type == MSGPACK_OBJECT_BIN && at[5].via.bin.size == 2);
    struct xd_str text = {"x", 1};
    assert_true(xd_mp_get_str(&at[6], "key", &text));
    assert_int_equal(text.len, 0);
    msgpack_unpacked_destroy(&unpacked);
    xd_buf_free(&buf);
}

static void writes_decimals(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        int scale;
        bool whole;
        double real;
    } cases[] = {
        {1200, 2, true, 12},
        {0, 4, true, 0},
        {-300, 2, true, -3},
        {17, 0, true, 17},
        {750, 2, false, 7.5},
        {-5, 2, false, -0.05},
        {312300001, 7, false, 31.2300001},
    };
    struct xd_buf buf;
    xd_buf_init(&buf, 100);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        xd_buf_clear(&buf);
        xd_mp_decimal(&buf, cases[i].value, cases[i].scale);
        msgpack_unpacked unpacked;
        msgpack_object object = unpack(&buf, &unpacked);
        if (cases[i].whole) {
            assert_true(object.type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
                        object.type == MSGPACK_OBJECT_NEGATIVE_INTEGER);
            assert_int_equal(object.via.i64, (int64_t)cases[i].real);
        } else {
            assert_int_equal(object.type, MSGPACK_OBJECT_FLOAT64);
            assert_true(object.via.f64 == cases[i].real);
            int64_t back;
            assert_int_equal(xd_decimal_from_double(object.via.f64, cases[i].scale, false, &back),
                             XD_DECIMAL_OK);
            assert_int_equal(back, cases[i].value);
        }
        msgpack_unpacked_destroy(&unpacked);
    }
    xd_buf_free(&buf);
}

static void writes_errors(void **state)
{
    (void)state;
    struct xd_error error;
    struct xd_buf buf;
    xd_buf_init(&buf, 1000);
    for (int with_field = 0; with_field < 2; with_field++) {
        xd_buf_clear(&buf);
        xd_fail(&error, XD_BAD_TYPE, with_field ? "kg" : NULL, "kg is text");
        xd_mp_error(&buf, &error);
        msgpack_unpacked unpacked;
        msgpack_object object = unpack(&buf, &unpacked);
        assert_int_equal(object.via.map.size, 2 + with_field);
        struct xd_str text;
        assert_true(xd_mp_get_str(&object, "code", &text) && xd_str_equal(text, xd_str_of("bad_type")));
        assert_true(xd_mp_get_str(&object, "message", &text) && xd_str_equal(text, xd_str_of("kg is text")));
        assert_int_equal(xd_mp_get_str(&object, "field", &text), with_field);
        msgpack_unpacked_destroy(&unpacked);
    }
    xd_buf_free(&buf);
}

static void remembers_a_failure(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, 10);
    xd_mp_array(&buf, 2);
    xd_mp_cstr(&buf, "more than ten bytes");
    xd_mp_nil(&buf);
    assert_true(buf.failed);
    xd_buf_free(&buf);

    xd_buf_init(&buf, SIZE_MAX);
    xd_mp_str(&buf, "", (size_t)UINT32_MAX + 1);
    assert_true(buf.failed);
    xd_buf_free(&buf);
}

static void write_map(struct xd_buf *buf)
{
    xd_buf_init(buf, 1000);
    xd_mp_map(buf, 7);
    xd_mp_int(buf, 1);
    xd_mp_cstr(buf, "under a number");
    xd_mp_cstr(buf, "text");
    xd_mp_cstr(buf, "abc");
    xd_mp_cstr(buf, "text");
    xd_mp_cstr(buf, "given again");
    xd_mp_cstr(buf, "least");
    xd_mp_int(buf, INT64_MIN);
    xd_mp_cstr(buf, "most");
    xd_mp_int(buf, INT64_MAX);
    xd_mp_cstr(buf, "beyond");
    xd_mp_uint(buf, (uint64_t)INT64_MAX + 1);
    xd_mp_cstr(buf, "real");
    xd_mp_double(buf, 2.0);
}

static void reads_a_map(void **state)
{
    (void)state;
    struct xd_buf buf;
    write_map(&buf);
    msgpack_unpacked unpacked;
    msgpack_object map = unpack(&buf, &unpacked);

    struct xd_str text = {"x", 1};
    int64_t number = 42;
    assert_true(xd_mp_get_str(&map, "text", &text));
    assert_true(xd_str_equal(text, xd_str_of("abc")));
    assert_true(xd_mp_get_int(&map, "least", &number));
    assert_int_equal(number, INT64_MIN);
    assert_true(xd_mp_get_int(&map, "most", &number));
    assert_int_equal(number, INT64_MAX);
    assert_int_equal(xd_mp_get(&map, "real")->type, MSGPACK_OBJECT_FLOAT64);

    number = 42;
    assert_false(xd_mp_get_int(&map, "beyond", &number));
    assert_false(xd_mp_get_int(&map, "real", &number));
    assert_false(xd_mp_get_int(&map, "text", &number));
    assert_false(xd_mp_get_int(&map, "none", &number));
    assert_false(xd_mp_get_str(&map, "most", &text));
    assert_false(xd_mp_get_str(&map, "tex", &text));
    assert_false(xd_mp_get_str(&map, "text ", &text));
    assert_int_equal(number, 42);
    assert_true(xd_str_equal(text, xd_str_of("abc")));

    assert_null(xd_mp_get(NULL, "text"));
    assert_null(xd_mp_get(xd_mp_get(&map, "text"), "text"));
    msgpack_unpacked_destroy(&unpacked);
    xd_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_integers_in_their_shortest_form),
        cmocka_unit_test(writes_what_msgpack_reads),
        cmocka_unit_test(writes_decimals),
        cmocka_unit_test(writes_errors),
        cmocka_unit_test(remembers_a_failure),
        cmocka_unit_test(reads_a_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

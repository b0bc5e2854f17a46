/* JSON to MessagePack and back, and the field that an error names. */
#include "core/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static const struct xd_mp_limits limits = {.bytes = 4096, .depth = 4, .elements = 100};

static bool read_text(const char *text, size_t len, struct xd_buf *out, struct xd_error *error)
{
    *error = (struct xd_error){.code = XD_OK};
    return xd_json_read(text, len, &limits, out, error);
}

/* What `text` becomes after a way there and back. */
static void there_and_back(const char *text, size_t len, struct xd_buf *out)
{
    struct xd_buf packed;
    struct xd_error error;
    xd_buf_init(&packed, 65536);
    if (!read_text(text, len, &packed, &error)) fail_msg("%s: %s", text, error.message);
    msgpack_zone *zone = msgpack_zone_new(1024);
    msgpack_object object;
    assert_int_equal(msgpack_unpack((const char *)packed.data, packed.len, NULL, zone, &object),
                     MSGPACK_UNPACK_SUCCESS);
    xd_json_write(&object, out);
    assert_false(out->failed);
    msgpack_zone_free(zone);
    xd_buf_free(&packed);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"{}", "{}"},
        {"{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}"},
        {" { \"a\" : [ 1 , -2 , 0.1 ] } ", "{\"a\":[1,-2,0.1]}"},
        {"[true,false,null]", "[true,false,null]"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"31.2304167", "31.2304167"},
        {"1234567890123.45", "1234567890123.45"},
        {"1e2", "100.0"},
        {"0.30000000000000004", "0.3"},
        {"1e-400", "0.0"},
        {"\"caf\\u00e9 \\ud83d\\ude9a\"", "\"caf\xc3\xa9 \xf0\x9f\x9a\x9a\""},
        {"\"a\\u0000b\"", "\"a\\u0000b\""},
        {"\"\\\"\\\\\\n\"", "\"\\\"\\\\\\n\""},
        {"{\"from\":{\"lat\":31.5,\"lon\":121}}", "{\"from\":{\"lat\":31.5,\"lon\":121}}"},
        {"{\"\":1}", "{\"\":1}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xd_buf out;
        xd_buf_init(&out, 65536);
        there_and_back(cases[i].in, strlen(cases[i].in), &out);
        xd_buf_add(&out, "", 1);
        assert_string_equal((char *)out.data, cases[i].out);
        xd_buf_free(&out);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum xd_code code;
        const char *field;
        const char *message; /* the start of it */
    } cases[] = {
        {"", XD_BAD_JSON, "", "not JSON: "},
        {"hello", XD_BAD_JSON, "", "not JSON: "},
        {"{", XD_BAD_JSON, "", "not JSON: "},
        {"{\"ref\":\"a\"", XD_BAD_JSON, "ref", "not JSON: "},
        {"{\"ref\":\"a", XD_BAD_JSON, "ref", "not JSON: "},
        {"{\"ref\":\"a\\q\"}", XD_BAD_JSON, "ref", "not JSON: invalid escape"},
        {"{\"ref\":\"\\ud800\"}", XD_BAD_JSON, "ref", "not JSON: invalid Unicode"},
        {"{\"ref\":\"a\tb\"}", XD_BAD_JSON, "ref", "not JSON: control character 0x9"},
        {"{\"kg\":NaN}", XD_BAD_JSON, "kg", "not JSON: invalid token near 'NaN'"},
        {"{\"kg\":-Infinity}", XD_BAD_JSON, "kg", "not JSON: invalid token"},
        {"{\"kg\":01}", XD_BAD_JSON, "kg", "not JSON: invalid token"},
        {"{\"kg\":1.}", XD_BAD_JSON, "kg", "not JSON: invalid token"},
        {"{\"kg\":+1}", XD_BAD_JSON, "kg", "not JSON: invalid token"},
        {"{\"kg\":0x10}", XD_BAD_JSON, "kg", "not JSON: "},
        {"{\"kg\":}", XD_BAD_JSON, "kg", "not JSON: unexpected token near '}'"},
        {"{\"kg\" 5}", XD_BAD_JSON, "kg", "not JSON: ':' expected"},
        {"{\"kg\":5,}", XD_BAD_JSON, "kg", "not JSON: string or '}' expected"},
        {"{'kg':5}", XD_BAD_JSON, "", "not JSON: string or '}' expected"},
        {"{\"kg\":5} x", XD_BAD_JSON, "", "not JSON: end of file expected"},
        {"{\"kg\":5}{}", XD_BAD_JSON, "", "not JSON: end of file expected"},
        {"{\"a\\u0000b\":1}", XD_BAD_JSON, "a\\u0000b", "not JSON: NUL byte in object key"},
        {"{\"kg\":1e999}", XD_OUT_OF_RANGE, "kg", "1e999 is too large a number"},
        {"{\"from\":{\"lat\":1,\"lon\":-1e999}}", XD_OUT_OF_RANGE, "from.lon",
         "-1e999 is too large a number"},
        {"{\"kg\":9223372036854775808}", XD_OUT_OF_RANGE, "kg", "9223372036854775808 is too large"},
        {"{\"kg\":-9223372036854775809,\"m3\":1}", XD_OUT_OF_RANGE, "kg",
         "-9223372036854775809 is too large"},
        {"{\"kg\":1,\"kg\":1}", XD_DUPLICATE_FIELD, "kg", "given twice"},
        {"{\"from\":{\"lat\":1,\"lat\":1}}", XD_DUPLICATE_FIELD, "from.lat", "given twice"},
        {"{\"a\":{\"b\":1},\"a\":1}", XD_DUPLICATE_FIELD, "a", "given twice"},
        {"{\"k\\u0067\":1,\"kg\":1}", XD_DUPLICATE_FIELD, "kg", "given twice"},
        {"{\"ref\":\"\xff\"}", XD_BAD_UTF8, "ref", "not UTF-8 at byte 8"},
        {"{\"note\":\"ok\",\"ref\":\"a\xc3\"}", XD_BAD_UTF8, "ref", "not UTF-8"},
        {"{\"n\xc0\xaf\":1}", XD_BAD_UTF8, "n", "not UTF-8"},
        {"{\"ref\":\"\xed\xa0\x80\"}", XD_BAD_UTF8, "ref", "not UTF-8"},
        {"{\"a\":[[[[1]]]]}", XD_TOO_DEEP, "", "more than the limit of 4096 bytes, 4 levels or 100 elements"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct xd_buf out;
        struct xd_error error;
        xd_buf_init(&out, 65536);
        xd_buf_add(&out, "before", 6);
        if (read_text(cases[i].text, strlen(cases[i].text), &out, &error)) fail_msg("took %s", cases[i].text);
        if (error.code != cases[i].code || strcmp(error.field, cases[i].field) != 0 ||
            strncmp(error.message, cases[i].message, strlen(cases[i].message)) != 0)
            fail_msg("%s: %s, \"%s\", %s", cases[i].text, xd_code_name(error.code), error.field,
                     error.message);
        assert_int_equal(out.len, 6);
        assert_false(out.failed);
        xd_buf_free(&out);
    }
}

/* Far too much of everything is an error like any other, and takes neither stack nor memory with it. */
static void test_bounded(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);
    struct xd_buf out;
    struct xd_error error;
    xd_buf_init(&out, 65536);

    memset(text, '[', SIZE);
    assert_false(read_text(text, SIZE, &out, &error));
    assert_int_equal(error.code, XD_TOO_DEEP);

    text[0] = '[';
    for (size_t i = 1; i + 1 < SIZE; i += 2)
        memcpy(text + i, "1,", 2);
    text[SIZE - 2] = '1';
    text[SIZE - 1] = ']';
    text[SIZE - 3] = ' ';
    text[SIZE - 4] = ',';
    assert_false(read_text(text, SIZE, &out, &error));
    assert_int_equal(error.code, XD_FRAME_TOO_LARGE);

    memset(text, 'a', SIZE);
    text[0] = text[SIZE - 1] = '"';
    assert_false(read_text(text, SIZE, &out, &error));
    assert_int_equal(error.code, XD_FRAME_TOO_LARGE);
    assert_false(read_text(text, SIZE - 1, &out, &error));
    assert_int_equal(error.code, XD_BAD_JSON);
    assert_int_equal(out.len, 0);
    free(text);
    xd_buf_free(&out);
}

/* What comes from a broker may be any MessagePack. */
static void test_write_odd_values(void **state)
{
    (void)state;
    struct xd_buf packed, out;
    xd_buf_init(&packed, 4096);
    xd_buf_init(&out, 4096);
    xd_mp_array(&packed, 7);
    xd_mp_str(&packed, "a\xff\xc3z", 4);
    xd_mp_bin(&packed, "b\x00\xfe", 3);
    xd_mp_double(&packed, (double)__builtin_nanf(""));
    xd_mp_uint(&packed, UINT64_MAX);
    xd_mp_map(&packed, 2);
    xd_mp_int(&packed, 5);
    xd_mp_nil(&packed);
    xd_mp_nil(&packed);
    xd_mp_bool(&packed, true);
    xd_buf_add(&packed, "\xd4\x01\x02", 3);
    xd_mp_decimal(&packed, 1050, 2);

    msgpack_zone *zone = msgpack_zone_new(1024);
    msgpack_object object;
    assert_int_equal(msgpack_unpack((const char *)packed.data, packed.len, NULL, zone, &object),
                     MSGPACK_UNPACK_SUCCESS);
    xd_json_write(&object, &out);
    xd_buf_add(&out, "", 1);
    assert_string_equal(
        (char *)out.data,
        "[\"a??z\",\"b\\u0000?\",null,1.84467440737096e19,{\"5\":null,\"null\":true},null,10.5]");

    xd_buf_free(&out);
    xd_buf_init(&out, 8);
    xd_json_write(&object, &out);
    assert_true(out.failed);
    msgpack_zone_free(zone);
    xd_buf_free(&packed);
    xd_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_write_odd_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

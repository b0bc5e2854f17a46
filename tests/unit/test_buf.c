#include "core/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void grows_up_to_its_limit(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, 1000);
    assert_null(buf.data);
    for (int i = 0; i < 1000; i++) {
        uint8_t byte = (uint8_t)i;
        xd_buf_add(&buf, &byte, 1);
        assert_false(buf.failed);
        assert_true(buf.cap <= 1000);
    }
    assert_int_equal(buf.len, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf.data[i], (uint8_t)i);

    xd_buf_add(&buf, "x", 1);
    assert_true(buf.failed);
    assert_int_equal(buf.len, 1000);
    xd_buf_free(&buf);
}

static void appends_nothing_once_failed(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, 8);
    xd_buf_add(&buf, "12345", 5);
    xd_buf_add(&buf, "6789", 4);
    assert_true(buf.failed);
    xd_buf_add(&buf, "6", 1);
    assert_int_equal(buf.len, 5);
    assert_memory_equal(buf.data, "12345", 5);
    assert_false(xd_buf_reserve(&buf, 0));

    xd_buf_clear(&buf);
    assert_false(buf.failed);
    assert_int_equal(buf.len, 0);
    xd_buf_add(&buf, "12345678", 8);
    assert_false(buf.failed);
    assert_int_equal(buf.len, 8);
    xd_buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.limit, 8);
    assert_int_equal(buf.cap, 0);
}

static void refuses_sizes_that_would_wrap(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, SIZE_MAX);
    xd_buf_add(&buf, "a", 1);
    assert_false(xd_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    xd_buf_free(&buf);

    xd_buf_init(&buf, SIZE_MAX);
    xd_buf_add(&buf, "a", 1);
    assert_false(xd_buf_reserve(&buf, SIZE_MAX / 2)); /* within the limit, but no memory holds it */
    assert_true(buf.failed);
    assert_int_equal(buf.data[0], 'a');
    xd_buf_free(&buf);
}

static void reserves_room(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, 10000);
    assert_true(xd_buf_reserve(&buf, 0));
    assert_true(xd_buf_reserve(&buf, 5000));
    assert_true(buf.cap >= 5000 && buf.cap <= 10000);
    const uint8_t *data = buf.data;
    memset(buf.data, 1, 5000);
    buf.len = 5000;
    assert_ptr_equal(buf.data, data);
    assert_true(xd_buf_reserve(&buf, 5000));
    assert_int_equal(buf.cap, 10000);
    assert_false(xd_buf_reserve(&buf, 5001));
    xd_buf_free(&buf);

    xd_buf_init(&buf, 0);
    xd_buf_add(&buf, NULL, 0);
    assert_false(buf.failed);
    xd_buf_add(&buf, "a", 1);
    assert_true(buf.failed);
    xd_buf_free(&buf);
}

static void consumes_from_the_front(void **state)
{
    (void)state;
    struct xd_buf buf;
    xd_buf_init(&buf, 100);
    xd_buf_consume(&buf, 0);
    xd_buf_add(&buf, "abcdefgh", 8);
    xd_buf_consume(&buf, 3);
    assert_int_equal(buf.len, 5);
    assert_memory_equal(buf.data, "defgh", 5);
    xd_buf_add(&buf, "ij", 2);
    assert_memory_equal(buf.data, "defghij", 7);
    xd_buf_consume(&buf, 7);
    assert_int_equal(buf.len, 0);
    xd_buf_free(&buf);
}

static void compares_strings(void **state)
{
    (void)state;
    struct xd_str empty = {NULL, 0};
    assert_true(xd_str_equal(empty, xd_str_of("")));
    assert_true(xd_str_equal(xd_str_of("abc"), (struct xd_str){"abcd", 3}));
    assert_false(xd_str_equal(xd_str_of("abc"), xd_str_of("abd")));
    assert_false(xd_str_equal(xd_str_of("abc"), xd_str_of("ab")));
    assert_true(xd_str_equal((struct xd_str){"a\0b", 3}, (struct xd_str){"a\0b", 3}));
    assert_false(xd_str_equal((struct xd_str){"a\0b", 3}, (struct xd_str){"a\0c", 3}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_up_to_its_limit),         cmocka_unit_test(appends_nothing_once_failed),
        cmocka_unit_test(refuses_sizes_that_would_wrap), cmocka_unit_test(reserves_room),
        cmocka_unit_test(consumes_from_the_front),       cmocka_unit_test(compares_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

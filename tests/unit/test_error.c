#include "core/error.h"
#include "core/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void names_every_code_once(void **state)
{
    (void)state;
    for (int a = 0; a < XD_CODE_COUNT; a++) {
        const char *name = xd_code_name((enum xd_code)a);
        assert_true(strlen(name) > 0 &&
                    strspn(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(name));
        assert_true(strlen(xd_code_meaning((enum xd_code)a)) > 0);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(name, xd_code_name((enum xd_code)b));
    }
    assert_string_equal(xd_code_name(XD_OK), "ok");
    assert_string_equal(xd_code_name(XD_TOO_MANY_DECIMALS), "too_many_decimals");
    assert_string_equal(xd_code_meaning(XD_BAD_UTF8), "text that is not UTF-8");
    assert_string_equal(xd_code_name(XD_CODE_COUNT), "internal");
}

static void fails_with_what_was_given(void **state)
{
    (void)state;
    struct xd_error error;
    assert_false(xd_fail(&error, XD_OUT_OF_RANGE, "kg", "%d is more than %d", 7, 5));
    assert_int_equal(error.code, XD_OUT_OF_RANGE);
    assert_string_equal(error.field, "kg");
    assert_string_equal(error.message, "7 is more than 5");

    assert_false(xd_fail(&error, XD_BAD_TYPE, error.field, "was: %s", error.message));
    assert_string_equal(error.field, "kg");
    assert_string_equal(error.message, "was: 7 is more than 5");

    assert_false(xd_fail(&error, XD_INTERNAL, NULL, "no field"));
    assert_string_equal(error.field, "");
}

static void cuts_at_a_character(void **state)
{
    (void)state;
    static const char *const characters[] = {"a", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x9a\x9a"};
    for (size_t c = 0; c < 4; c++) {
        for (size_t lead = 0; lead < 8; lead++) {
            char text[600] = "";
            memset(text, '.', lead);
            while (strlen(text) < 500)
                strcat(text, characters[c]);
            struct xd_error error;
            xd_fail(&error, XD_BAD_VALUE, text, "%s", text);
            size_t width = strlen(characters[c]);
            assert_int_equal(strlen(error.field), lead + (XD_ERROR_FIELD_MAX - 1 - lead) / width * width);
            assert_int_equal(strlen(error.message), lead + (XD_ERROR_MESSAGE_MAX - 1 - lead) / width * width);
            assert_memory_equal(error.field, text, strlen(error.field));
            assert_memory_equal(error.message, text, strlen(error.message));
        }
    }
}

static void replaces_what_is_no_utf8(void **state)
{
    (void)state;
    struct xd_error error;
    xd_fail(&error, XD_UNKNOWN_FIELD, "a\xff z\xc3", "given \xed\xa0\x80, \xe6\xbc\xa2 and \xc3");
    assert_string_equal(error.field, "a? z?");
    assert_string_equal(error.message, "given ???, \xe6\xbc\xa2 and ?");

    char text[600];
    memset(text, 0x80, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    xd_fail(&error, XD_UNKNOWN_FIELD, text, "%s", text);
    assert_true(xd_utf8_valid(error.field, strlen(error.field)));
    assert_int_equal(strlen(error.message), XD_ERROR_MESSAGE_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_code_once),
        cmocka_unit_test(fails_with_what_was_given),
        cmocka_unit_test(cuts_at_a_character),
        cmocka_unit_test(replaces_what_is_no_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

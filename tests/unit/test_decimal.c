#include "core/decimal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

static const int64_t pow10_table[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};

static const struct {
    const char *text;
    int scale;
    enum xd_decimal_result result;
    int64_t value;
} exact_cases[] = {
    {"0", 0, XD_DECIMAL_OK, 0},
    {"-0", 2, XD_DECIMAL_OK, 0},
    {"7.5", 2, XD_DECIMAL_OK, 750},
    {"+7.50", 2, XD_DECIMAL_OK, 750},
    {"-0.05", 2, XD_DECIMAL_OK, -5},
    {"007", 0, XD_DECIMAL_OK, 7},
    {"1.000000000000000000000000000000", 0, XD_DECIMAL_OK, 1},
    {"0000000000000000000000000000001", 9, XD_DECIMAL_OK, 1000000000},
    {"12e3", 0, XD_DECIMAL_OK, 12000},
    {"12E+3", 2, XD_DECIMAL_OK, 1200000},
    {"1500e-2", 0, XD_DECIMAL_OK, 15},
    {"1.5e1", 0, XD_DECIMAL_OK, 15},
    {"0.000000001", 9, XD_DECIMAL_OK, 1},
    {"123456789e-9", 9, XD_DECIMAL_OK, 123456789},
    {"0e999999999999999999999999", 2, XD_DECIMAL_OK, 0},
    {"0.0e-999999999999999999999999", 2, XD_DECIMAL_OK, 0},
    {"9223372036854775807", 0, XD_DECIMAL_OK, INT64_MAX},
    {"-9223372036854775808", 0, XD_DECIMAL_OK, INT64_MIN},
    {"9223372036.854775807", 9, XD_DECIMAL_OK, INT64_MAX},
    {"9223372036854775808", 0, XD_DECIMAL_OVERFLOW, 0},
    {"-9223372036854775809", 0, XD_DECIMAL_OVERFLOW, 0},
    {"18446744073709551616", 0, XD_DECIMAL_OVERFLOW, 0},
    {"99999999999999999999999999", 0, XD_DECIMAL_OVERFLOW, 0},
    {"9223372036854775807", 1, XD_DECIMAL_OVERFLOW, 0},
    {"1e19", 0, XD_DECIMAL_OVERFLOW, 0},
    {"1e999999999999999999999999", 2, XD_DECIMAL_OVERFLOW, 0},
    {"0.001", 2, XD_DECIMAL_EXCESS, 0},
    {"1.005", 2, XD_DECIMAL_EXCESS, 0},
    {"1e-1", 0, XD_DECIMAL_EXCESS, 0},
    {"1e-999999999999999999999999", 9, XD_DECIMAL_EXCESS, 0},
    {"0.0000000001", 9, XD_DECIMAL_EXCESS, 0},
    {"", 0, XD_DECIMAL_SYNTAX, 0},
    {"-", 0, XD_DECIMAL_SYNTAX, 0},
    {"+-1", 0, XD_DECIMAL_SYNTAX, 0},
    {".5", 2, XD_DECIMAL_SYNTAX, 0},
    {"5.", 2, XD_DECIMAL_SYNTAX, 0},
    {".", 2, XD_DECIMAL_SYNTAX, 0},
    {"1.2.3", 2, XD_DECIMAL_SYNTAX, 0},
    {"1,5", 2, XD_DECIMAL_SYNTAX, 0},
    {"1e", 2, XD_DECIMAL_SYNTAX, 0},
    {"1e+", 2, XD_DECIMAL_SYNTAX, 0},
    {"1e1.0", 2, XD_DECIMAL_SYNTAX, 0},
    {"e5", 2, XD_DECIMAL_SYNTAX, 0},
    {" 1", 2, XD_DECIMAL_SYNTAX, 0},
    {"1 ", 2, XD_DECIMAL_SYNTAX, 0},
    {"1_000", 2, XD_DECIMAL_SYNTAX, 0},
    {"0x10", 2, XD_DECIMAL_SYNTAX, 0},
    {"nan", 2, XD_DECIMAL_SYNTAX, 0},
    {"inf", 2, XD_DECIMAL_SYNTAX, 0},
};

static void parses_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(exact_cases) / sizeof(exact_cases[0]); i++) {
        int64_t out = 42;
        const char *text = exact_cases[i].text;
        enum xd_decimal_result result =
            xd_decimal_parse(text, strlen(text), exact_cases[i].scale, false, &out);
        if (result != exact_cases[i].result) print_message("%s\n", text);
        assert_int_equal(result, exact_cases[i].result);
        assert_int_equal(out, result == XD_DECIMAL_OK ? exact_cases[i].value : 42);
    }
    int64_t out = 42;
    assert_int_equal(xd_decimal_parse("12345", 2, 0, false, &out), XD_DECIMAL_OK);
    assert_int_equal(out, 12);
    assert_int_equal(xd_decimal_parse("1\0", 2, 0, false, &out), XD_DECIMAL_SYNTAX);
}

static void rounds_half_away_from_zero(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int scale;
        int64_t value;
    } cases[] = {
        {"1.004999999999999999999999", 2, 100},
        {"1.005", 2, 101},
        {"-1.005", 2, -101},
        {"-1.00499", 2, -100},
        {"0.5", 0, 1},
        {"-0.5", 0, -1},
        {"0.05", 0, 0},
        {"5e-2", 1, 1},
        {"5e-3", 1, 0},
        {"9e-99999999999999999999", 1, 0},
        {"0.95", 1, 10},
        {"31.23000004", 7, 312300000},
        {"31.23000005", 7, 312300001},
        {"9223372036854775807.4", 0, INT64_MAX},
        {"-9223372036854775808.4", 0, INT64_MIN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t out = 42;
        const char *text = cases[i].text;
        assert_int_equal(xd_decimal_parse(text, strlen(text), cases[i].scale, true, &out), XD_DECIMAL_OK);
        assert_int_equal(out, cases[i].value);
    }
    int64_t out = 42;
    const char *over = "9223372036854775807.5";
    assert_int_equal(xd_decimal_parse(over, strlen(over), 0, true, &out), XD_DECIMAL_OVERFLOW);
    assert_int_equal(out, 42);
}

static void formats(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        int scale;
        const char *text;
    } cases[] = {
        {750, 2, "7.5"},
        {-5, 2, "-0.05"},
        {1200, 2, "12"},
        {0, 9, "0"},
        {100, 0, "100"},
        {-100, 0, "-100"},
        {1, 9, "0.000000001"},
        {INT64_MIN, 0, "-9223372036854775808"},
        {INT64_MIN, 9, "-9223372036.854775808"},
        {INT64_MAX, 1, "922337203685477580.7"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[32];
        assert_int_equal(xd_decimal_format(cases[i].value, cases[i].scale, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

static void text_survives_a_round_trip(void **state)
{
    (void)state;
    struct rng rng = {1};
    for (int i = 0; i < 300000; i++) {
        int scale = (int)rng_between(&rng, 0, 9);
        int64_t value = (int64_t)rng_next(&rng) >> rng_between(&rng, 0, 62), back;
        if (rng_next(&rng) % 4 == 0) value = value / 1000 * 1000;
        char text[32];
        size_t len = xd_decimal_format(value, scale, text);
        assert_int_equal(xd_decimal_parse(text, len, scale, false, &back), XD_DECIMAL_OK);
        assert_int_equal(back, value);
        assert_true(strtod(text, NULL) == xd_decimal_to_double(value, scale));
    }
}

/* What a person typed comes back from the double that it became, up to the 15 digits that doubles keep. */
static void doubles_keep_fifteen_digits(void **state)
{
    (void)state;
    struct rng rng = {2};
    for (int i = 0; i < 300000; i++) {
        int scale = (int)rng_between(&rng, 0, 9);
        int64_t value = rng_between(&rng, -999999999999999, 999999999999999), back = 42;
        value /= pow10_table[rng_between(&rng, 0, 9)];
        double real = xd_decimal_to_double(value, scale);
        assert_int_equal(xd_decimal_from_double(real, scale, false, &back), XD_DECIMAL_OK);
        assert_int_equal(back, value);
    }
}

/* The slow way round: the shortest of 1 to 17 digits that reads back as the same double. */
static enum xd_decimal_result reference(double value, int scale, bool round, int64_t *out)
{
    char text[64];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value) break;
    }
    return xd_decimal_parse(text, strlen(text), scale, round, out);
}

static void check_against_reference(double value, int scale)
{
    for (int round = 0; round < 2; round++) {
        int64_t expected = 42, got = 42;
        enum xd_decimal_result result = reference(value, scale, round, &expected);
        assert_int_equal(xd_decimal_from_double(value, scale, round, &got), result);
        assert_int_equal(got, expected);
    }
}

static void doubles_read_as_their_shortest_decimal(void **state)
{
    (void)state;
    struct rng rng = {3};
    for (int i = 0; i < 30000; i++) {
        int scale = (int)rng_between(&rng, 0, 9);
        double near = xd_decimal_to_double(rng_between(&rng, -99999999999999999, 99999999999999999), scale);
        check_against_reference(near, scale);
        check_against_reference(nextafter(near, INFINITY), scale);
        check_against_reference((double)rng_between(&rng, -1000000, 1000000) / 64.0, scale);
        check_against_reference(ldexp((double)(int64_t)rng_next(&rng), (int)rng_between(&rng, -120, 4)),
                                scale);
    }
    for (int exponent = -1074; exponent < 1024; exponent++)
        check_against_reference(ldexp(1.0, exponent), 9);
}

static void doubles_that_are_no_decimals(void **state)
{
    (void)state;
    int64_t out = 42;
    assert_int_equal(xd_decimal_from_double((double)NAN, 2, true, &out), XD_DECIMAL_SYNTAX);
    assert_int_equal(xd_decimal_from_double((double)INFINITY, 2, true, &out), XD_DECIMAL_SYNTAX);
    assert_int_equal(xd_decimal_from_double((double)-INFINITY, 2, true, &out), XD_DECIMAL_SYNTAX);
    assert_int_equal(xd_decimal_from_double(1e300, 0, false, &out), XD_DECIMAL_OVERFLOW);
    assert_int_equal(xd_decimal_from_double(0x1p63, 0, false, &out), XD_DECIMAL_OVERFLOW);
    assert_int_equal(xd_decimal_from_double(1e-300, 9, false, &out), XD_DECIMAL_EXCESS);
    assert_int_equal(xd_decimal_from_double(0.1 + 0.2, 9, false, &out), XD_DECIMAL_EXCESS);
    assert_int_equal(out, 42);
    assert_int_equal(xd_decimal_from_double(-0.0, 2, false, &out), XD_DECIMAL_OK);
    assert_int_equal(out, 0);
    assert_int_equal(xd_decimal_from_double(0.1 + 0.2, 9, true, &out), XD_DECIMAL_OK);
    assert_int_equal(out, 300000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_exactly),
        cmocka_unit_test(rounds_half_away_from_zero),
        cmocka_unit_test(formats),
        cmocka_unit_test(text_survives_a_round_trip),
        cmocka_unit_test(doubles_keep_fifteen_digits),
        cmocka_unit_test(doubles_read_as_their_shortest_decimal),
        cmocka_unit_test(doubles_that_are_no_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

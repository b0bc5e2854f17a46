#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

static void agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = -719528; day <= 2932896; day += 1 + (day < -40000 || day > 90000) * 13) {
        time_t midnight = (time_t)(day * XD_DAY_S);
        struct tm tm;
        gmtime_r(&midnight, &tm);
        char expected[32], text[16];
        assert_int_equal(strftime(expected, sizeof(expected), "%4Y-%m-%d", &tm), 10);
        for (char *c = expected; *c == ' '; c++)
            *c = '0';
        xd_day_format(day, text);
        assert_string_equal(text, expected);
        int64_t back;
        assert_true(xd_day_parse(text, strlen(text), &back));
        assert_int_equal(back, day);
    }
}

static void times_survive_a_round_trip(void **state)
{
    (void)state;
    struct rng rng = {3};
    for (int i = 0; i < 200000; i++) {
        int64_t when = rng_between(&rng, XD_TIME_MIN, XD_TIME_MAX), back;
        time_t c_time = (time_t)when;
        struct tm tm;
        gmtime_r(&c_time, &tm);
        char text[32], expected[32];
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
        xd_time_format(when, text);
        assert_string_equal(text, expected);
        assert_true(xd_time_parse(text, strlen(text), &back));
        assert_int_equal(back, when);
    }
}

static void parses_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t time;
    } cases[] = {
        {"2000-01-01T00:00:00Z", XD_TIME_MIN},
        {"2199-12-31T23:59:59Z", XD_TIME_MAX},
        {"2030-01-01T00:00:00Z", 1893456000},
        {"2030-01-01T08:00:00+08:00", 1893456000},
        {"2029-12-31T18:30:00-05:30", 1893456000},
        {"2030-01-01t00:00:00z", 1893456000},
        {"2030-01-01T00:00:00.0Z", 1893456000},
        {"2030-01-01T00:00:00.000000000+00:00", 1893456000},
        {"2030-01-01T00:00:00-00:00", 1893456000},
        {"2030-01-01T23:59:00+23:59", 1893456000},
        {"2028-02-29T00:00:00Z", 1835395200},
        {"2000-02-29T00:00:00Z", 951782400},
        {"1969-12-31T23:59:59Z", -1},
        {"1999-12-31T23:59:59Z", XD_TIME_MIN - 1},
        {"0000-01-01T00:00:00Z", INT64_C(-62167219200)},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t out = 0;
        assert_true(xd_time_parse(cases[i].text, strlen(cases[i].text), &out));
        assert_int_equal(out, cases[i].time);
    }
}

static void refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2030-01-01",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00Z",
        "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00.5Z",
        "2030-01-01T00:00:00.Z",
        "2030-01-01T00:00:00,0Z",
        "2030-01-01T24:00:00Z",
        "2030-01-01T23:60:00Z",
        "2030-01-01T23:59:60Z",
        "2030-01-01T00:00:00+24:00",
        "2030-01-01T00:00:00+08:60",
        "2030-01-01T00:00:00+0800",
        "2030-01-01T00:00:00+08",
        "2030-01-01T00:00:00ZZ",
        "2030-01-01T00:00:00Z ",
        " 2030-01-01T00:00:00Z",
        "2030-13-01T00:00:00Z",
        "2030-00-01T00:00:00Z",
        "2030-01-00T00:00:00Z",
        "2030-01-32T00:00:00Z",
        "2030-04-31T00:00:00Z",
        "2030-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "30-01-01T00:00:00Z",
        "02030-01-01T00:00:00Z",
        "-2030-01-01T00:00:00Z",
        "2030-1-1T00:00:00Z",
        "2030/01/01T00:00:00Z",
        "2030-01-01T0:00:00Z",
        "2030-01-01T00:00:0 Z",
        "1893456000",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t out = 42;
        assert_false(xd_time_parse(bad[i], strlen(bad[i]), &out));
        assert_int_equal(out, 42);
    }
    const char *good = "2030-01-01T08:00:00+08:00";
    for (size_t len = 0; len < strlen(good); len++) {
        int64_t out;
        assert_false(xd_time_parse(good, len, &out));
    }
}

static void days(void **state)
{
    (void)state;
    int64_t out = 42;
    assert_true(xd_day_parse("1970-01-01", 10, &out));
    assert_int_equal(out, 0);
    assert_true(xd_day_parse("2030-01-01", 10, &out));
    assert_int_equal(out, 21915);
    static const char *const bad[] = {
        "",         "2030-01",     "2030-01-1",  "2030-02-30",           "2030-1-01",
        "20300101", "2030-01-01Z", "2030-01-0a", "2030-01-01T00:00:00Z", "+030-01-01"};
    out = 42;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(xd_day_parse(bad[i], strlen(bad[i]), &out));
    assert_int_equal(out, 42);
}

static void clamps_what_four_digits_cannot_say(void **state)
{
    (void)state;
    char time[32], day[16];
    xd_time_format(INT64_MAX, time);
    assert_string_equal(time, "9999-12-31T23:59:59Z");
    xd_time_format(INT64_MIN, time);
    assert_string_equal(time, "0000-01-01T00:00:00Z");
    xd_day_format(INT64_MAX, day);
    assert_string_equal(day, "9999-12-31");
    xd_day_format(INT64_MIN, day);
    assert_string_equal(day, "0000-01-01");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(times_survive_a_round_trip),
        cmocka_unit_test(parses_times),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(days),
        cmocka_unit_test(clamps_what_four_digits_cannot_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

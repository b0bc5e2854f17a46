#include "core/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

static void formats(void **state)
{
    (void)state;
    char text[XD_ID_TEXT];
    assert_int_equal(xd_order_id_format(xd_id(0, 17), text), 5);
    assert_string_equal(text, "o0-17");
    xd_match_id_format(xd_id(65535, XD_ID_NUMBER_MAX), text);
    assert_string_equal(text, "m65535-281474976710655");

    struct xd_event_id event = {0, 1, 93};
    assert_int_equal(xd_event_id_format(event, text), 7);
    assert_string_equal(text, "e0-1-93");
    assert_int_equal(xd_cursor_format(event, text), 6);
    assert_string_equal(text, "0.1.93");

    struct xd_event_id last = {UINT16_MAX, UINT32_MAX, UINT64_MAX};
    assert_int_equal(xd_event_id_format(last, text), strlen("e65535-4294967295-18446744073709551615"));
    assert_string_equal(text, "e65535-4294967295-18446744073709551615");
}

static void parses_what_it_formats(void **state)
{
    (void)state;
    struct rng rng = {7};
    for (int i = 0; i < 100000; i++) {
        char text[XD_ID_TEXT];
        uint64_t number = (rng_next(&rng) & XD_ID_NUMBER_MAX) >> rng_between(&rng, 0, 47);
        uint64_t id = xd_id((uint16_t)rng_next(&rng), number + (number == 0)), back = 0;
        assert_true(xd_order_id_parse(text, xd_order_id_format(id, text), &back));
        assert_int_equal(back, id);
        assert_false(xd_match_id_parse(text, strlen(text), &back));
        assert_true(xd_match_id_parse(text, xd_match_id_format(id, text), &back));
        assert_int_equal(back, id);

        struct xd_event_id next = {(uint16_t)rng_next(&rng),
                                   (uint32_t)(rng_next(&rng) >> rng_between(&rng, 32, 63)),
                                   rng_next(&rng) >> rng_between(&rng, 0, 63)};
        struct xd_event_id again;
        assert_true(xd_cursor_parse(text, xd_cursor_format(next, text), &again));
        assert_int_equal(again.partition, next.partition);
        assert_int_equal(again.generation, next.generation);
        assert_int_equal(again.offset, next.offset);
        assert_true(xd_event_id_parse(text, xd_event_id_format(next, text), &again));
        assert_int_equal(again.offset, next.offset);
        assert_false(xd_cursor_parse(text, strlen(text), &again));
    }
}

static void refuses_other_ids(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "o",
        "o0",
        "o0-",
        "o0-0",
        "o-1",
        "o0-01",
        "o00-1",
        "O0-1",
        "0-1",
        "m0-1",
        "o0-1 ",
        " o0-1",
        "o0-+1",
        "o0--1",
        "o65536-1",
        "o0-1.0",
        "o0_1",
        "o0-1-1",
        "o0-1e3",
        "o0-0x1",
        "oo0-1",
        "o 0-1",
        "o0-281474976710656",
        "e0-1-1",
        "o99999999999999999999-1",
        "o0-99999999999999999999999",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t out = 42;
        assert_false(xd_order_id_parse(bad[i], strlen(bad[i]), &out));
        assert_int_equal(out, 42);
    }
    uint64_t out = 42;
    assert_true(xd_order_id_parse("o1-23456", 4, &out));
    assert_int_equal(out, xd_id(1, 2));
    assert_false(xd_order_id_parse("o0-1\0", 5, &out));
}

static void refuses_other_cursors(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",       "0",      "0.1",       "0.1.",           "0..1",
        ".1.1",   "00.1.1", "0.01.1",    "0.1.01",         "0.1.1.1",
        "0.1.1_", "0-1-1",  "65536.1.1", "0.4294967296.1", "0.1.-1",
        "0.1.1 ", " 0.1.1", "e0.1.1",    "0.1.1\n",        "0.1.18446744073709551616",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct xd_event_id out = {1, 2, 3};
        assert_false(xd_cursor_parse(bad[i], strlen(bad[i]), &out));
        assert_int_equal(out.offset, 3);
    }
    struct xd_event_id out;
    assert_true(xd_cursor_parse("0.0.0", 5, &out));
    assert_true(xd_cursor_parse("65535.4294967295.18446744073709551615", 37, &out));
    assert_int_equal(out.offset, UINT64_MAX);
}

static void refuses_other_event_ids(void **state)
{
    (void)state;
    static const char *const bad[] = {"",       "e",      "e0",      "e0-1",    "e0-1-",     "0-1-1",
                                      "o0-1-1", "e0.1.1", "e0-1-1 ", "e0-1-01", "e65536-1-1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct xd_event_id out = {1, 2, 3};
        assert_false(xd_event_id_parse(bad[i], strlen(bad[i]), &out));
        assert_int_equal(out.offset, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(parses_what_it_formats),
        cmocka_unit_test(refuses_other_event_ids),
        cmocka_unit_test(refuses_other_ids),
        cmocka_unit_test(refuses_other_cursors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Encodes a code point by the definition; returns the length. */
static size_t encode(uint32_t point, uint8_t *out)
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    size_t n = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (uint8_t)(0xf00u >> n | point);
    return n;
}

static bool surrogate(uint32_t point)
{
    return point >= 0xd800 && point <= 0xdfff;
}

static void takes_every_character(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x1fffff; point++) {
        uint8_t bytes[4];
        size_t n = encode(point, bytes);
        bool valid = point <= 0x10ffff && !surrogate(point);
        if (xd_utf8_char((const char *)bytes, n) != (valid ? n : 0)) fail_msg("U+%04X", point);
        if (xd_utf8_valid((const char *)bytes, n) != valid) fail_msg("U+%04X", point);
        if (n > 1 && xd_utf8_char((const char *)bytes, n - 1) != 0) fail_msg("U+%04X cut short", point);
    }
}

/* All sequences of the bytes at which anything changes are taken exactly if some code point is encoded so. */
static void takes_nothing_else(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x41, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                    0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
                                    0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xfe, 0xff};
    enum { COUNT = sizeof(bytes) };
    for (size_t i = 0; i < COUNT * COUNT * COUNT * COUNT; i++) {
        uint8_t text[4] = {bytes[i % COUNT], bytes[i / COUNT % COUNT], bytes[i / COUNT / COUNT % COUNT],
                           bytes[i / COUNT / COUNT / COUNT]};
        size_t n = xd_utf8_char((const char *)text, 4);
        if (n == 0) {
            assert_true(text[0] >= 0x80);
            continue;
        }
        uint32_t point = n == 1 ? text[0] : text[0] & (0x7fu >> n);
        for (size_t k = 1; k < n; k++)
            point = point << 6 | (text[k] & 0x3f);
        uint8_t again[4];
        assert_int_equal(encode(point, again), n);
        assert_memory_equal(again, text, n);
        assert_true(point <= 0x10ffff && !surrogate(point));
    }
}

static void judges_whole_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xe5\x86\xb7\xe5\xba\x93 caf\xc3\xa9 \xf0\x9f\x9a\x9a", true},
        {"\x80", false},
        {"a\xc3", false},
        {"a\xc3z", false},
        {"\xc0\xaf", false},
        {"\xe0\x80\xaf", false},
        {"\xf0\x80\x80\xaf", false},
        {"\xed\xa0\x80", false},
        {"\xf4\x90\x80\x80", false},
        {"\xf8\x88\x80\x80\x80", false},
        {"\xff", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(xd_utf8_valid(cases[i].text, strlen(cases[i].text)), cases[i].valid);
    assert_true(xd_utf8_valid(NULL, 0));
    assert_true(xd_utf8_valid("a\0b", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_every_character),
        cmocka_unit_test(takes_nothing_else),
        cmocka_unit_test(judges_whole_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

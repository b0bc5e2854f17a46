#include "core/decimal.h"

#include <float.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t pow10_table[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};

/* A number's text taken apart: its digits (a point may lie among them) and the exponent of the last one. */
struct number {
    const char *digits;
    const char *end;
    size_t count;
    int64_t exponent;
    bool negative;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* An exponent beyond this can only mean overflow, zero or excess, whatever the digits. */
#define EXPONENT_CAP (INT64_C(1) << 60)

static bool read_exponent(const char *at, const char *end, int64_t *out)
{
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end) return false;

    int64_t value = 0;
    for (; at < end; at++) {
        if (!is_digit(*at)) return false;
        if (value < EXPONENT_CAP / 16) value = value * 10 + (*at - '0');
    }
    *out = negative ? -value : value;
    return true;
}

static bool read_number(const char *text, size_t len, struct number *out)
{
    const char *at = text, *end = text + len;
    struct number number = {.negative = len > 0 && *at == '-'};
    if (at < end && (*at == '-' || *at == '+')) at++;

    number.digits = at;
    while (at < end && is_digit(*at))
        at++;
    number.count = (size_t)(at - number.digits);
    if (number.count == 0) return false;

    size_t decimals = 0;
    if (at < end && *at == '.') {
        const char *first = ++at;
        while (at < end && is_digit(*at))
            at++;
        decimals = (size_t)(at - first);
        if (decimals == 0) return false;
    }
    number.count += decimals;
    number.end = at;

    if (at < end && ((*at != 'e' && *at != 'E') || !read_exponent(at + 1, end, &number.exponent)))
        return false;
    number.exponent -= (int64_t)decimals;
    *out = number;
    return true;
}

static bool append_digit(uint64_t *value, unsigned digit)
{
    return !__builtin_mul_overflow(*value, UINT64_C(10), value) &&
           !__builtin_add_overflow(*value, (uint64_t)digit, value);
}

/* The number in units of 10^-scale, its sign aside. */
static enum xd_decimal_result magnitude(const struct number *number, int scale, bool round, uint64_t *out)
{
    int64_t shift = number->exponent + scale;      /* the unit of the last digit, in powers of ten */
    int64_t keep = (int64_t)number->count + shift; /* digits before this one are whole units */
    uint64_t value = 0;
    bool excess = false, up = false;
    int64_t i = 0;
    for (const char *at = number->digits; at < number->end; at++) {
        if (*at == '.') continue;
        unsigned digit = (unsigned)(*at - '0');
        if (i < keep) {
            if (!append_digit(&value, digit)) return XD_DECIMAL_OVERFLOW;
        } else {
            excess |= digit != 0;
            if (i == keep) up = digit >= 5;
        }
        i++;
    }
    for (; shift > 0 && value != 0; shift--)
        if (!append_digit(&value, 0)) return XD_DECIMAL_OVERFLOW;

    if (excess && !round) return XD_DECIMAL_EXCESS;
    if (up && __builtin_add_overflow(value, UINT64_C(1), &value)) return XD_DECIMAL_OVERFLOW;
    *out = value;
    return XD_DECIMAL_OK;
}

enum xd_decimal_result xd_decimal_parse(const char *text, size_t len, int scale, bool round, int64_t *out)
{
    struct number number;
    if (!read_number(text, len, &number)) return XD_DECIMAL_SYNTAX;

    uint64_t value;
    enum xd_decimal_result result = magnitude(&number, scale, round, &value);
    if (result != XD_DECIMAL_OK) return result;
    if (value > (uint64_t)INT64_MAX + number.negative) return XD_DECIMAL_OVERFLOW;
    *out = (int64_t)(number.negative ? 0 - value : value);
    return XD_DECIMAL_OK;
}

/* A decimal of at most 15 digits that rounds to `value` is its shortest one: no other of so few digits does.
 * Its quotient by an exact power of ten is rounded correctly, so the comparison decides. */
static bool from_short_double(double value, int scale, int64_t *out)
{
    double unit = (double)pow10_table[scale];
    double units = value * unit;
    if (!(units > -1e15 && units < 1e15)) return false;
    int64_t n = (int64_t)(units < 0 ? units - 0.5 : units + 0.5);
    if (n <= -INT64_C(1000000000000000) || n >= INT64_C(1000000000000000)) return false;
    if ((double)n / unit != value) return false;
    *out = n;
    return true;
}

/* The radix is the locale's and may be several bytes; ours is a point. */
static size_t normalise_radix(char *text)
{
    size_t len = 0;
    for (const char *at = text; *at; at++) {
        if (is_digit(*at) || *at == '-' || *at == '+' || *at == 'e')
            text[len++] = *at;
        else if (len > 0 && text[len - 1] != '.')
            text[len++] = '.';
    }
    text[len] = '\0';
    return len;
}

enum xd_decimal_result xd_decimal_from_double(double value, int scale, bool round, int64_t *out)
{
    if (!(value >= -DBL_MAX && value <= DBL_MAX)) return XD_DECIMAL_SYNTAX;
    if (from_short_double(value, scale, out)) return XD_DECIMAL_OK;

    char text[48];
    for (int digits = 15; digits <= DBL_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    return xd_decimal_parse(text, normalise_radix(text), scale, round, out);
}

size_t xd_decimal_format(int64_t value, int scale, char out[static 32])
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    while (scale > 0 && rest % 10 == 0) {
        rest /= 10;
        scale--;
    }

    char reversed[32];
    size_t n = 0;
    for (int place = 0; place <= scale || rest != 0; place++) {
        if (place > 0 && place == scale) reversed[n++] = '.';
        reversed[n++] = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (value < 0) reversed[n++] = '-';

    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    out[n] = '\0';
    return n;
}

double xd_decimal_to_double(int64_t value, int scale)
{
    /* A quotient of two exact doubles is rounded once; beyond 2^53 the conversion would round before it. */
    const int64_t exact = INT64_C(1) << DBL_MANT_DIG;
    if (value >= -exact && value <= exact) return (double)value / (double)pow10_table[scale];

    char text[32];
    snprintf(text, sizeof(text), "%" PRId64 "e-%d", value, scale);
    return strtod(text, NULL);
}

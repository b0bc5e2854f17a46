/* Fixed-point decimals: an int64 count of 10^-scale. */
#ifndef XD_CORE_DECIMAL_H
#define XD_CORE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum xd_decimal_result {
    XD_DECIMAL_OK,
    XD_DECIMAL_SYNTAX,   /* not a number */
    XD_DECIMAL_EXCESS,   /* more decimals than `scale` */
    XD_DECIMAL_OVERFLOW, /* does not fit */
};

/* Parses [-+]digits[.digits][e[+-]digits], all `len` bytes, to units of 10^-scale (scale 0..9). Trailing
 * zeros are not excess. With `round` excess decimals are rounded half away from zero instead of refused.
 * `*out` is untouched unless XD_DECIMAL_OK. */
enum xd_decimal_result xd_decimal_parse(const char *text, size_t len, int scale, bool round, int64_t *out);

/* The same for a double, read as its shortest round-trip decimal; XD_DECIMAL_SYNTAX for NaN, infinities. */
enum xd_decimal_result xd_decimal_from_double(double value, int scale, bool round, int64_t *out);

/* Writes value x 10^-scale without trailing zeros or exponent ("7.5", "-0.05", "12") and a terminator.
 * Returns the length. 32 bytes are always enough. */
size_t xd_decimal_format(int64_t value, int scale, char out[static 32]);

/* The double nearest to value x 10^-scale. */
double xd_decimal_to_double(int64_t value, int scale);

#endif

/* MessagePack values in a short notation, so that a table of tests reads at a glance:
 *
 *   side: offer, from: {lat: 31.23, lon: 121.47}, only: [a, b], note: 'two words', kg: 12000
 *
 * A bare word is a string, but for nil, true, false, nan, inf; a number with a point or an exponent is a double, with
 * an f at the end a float, otherwise an integer. b'...' is binary. Keys may be given twice and be of any type. */
#ifndef XD_TESTS_NOTATION_H
#define XD_TESTS_NOTATION_H

#include "core/buf.h"

#include <msgpack.h>

/* A value read back from its bytes; strings point into them. */
struct parsed {
    struct xd_buf bytes;
    msgpack_zone zone;
    msgpack_object object;
};

/* Appends the value that `text` is. Fails the test where the text is not the notation. */
void notation_value(const char *text, struct xd_buf *out);

/* The map whose pairs are those of `base` but of key `drop` (NULL: all of them), then those of `more`. */
void notation_map(const char *base, const char *drop, const char *more, struct parsed *out);

/* Takes the bytes over and reads the one value in them. False if they are not exactly one. */
bool parsed_from(struct xd_buf *bytes, struct parsed *out);
void parsed_free(struct parsed *parsed);

/* The value as text in the notation: what the tests of writers compare with. */
void notation_print(const msgpack_object *object, char *out, size_t size);

#endif

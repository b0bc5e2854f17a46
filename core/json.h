/* JSON, by jansson, to and from MessagePack: what people and scripts write, and what they read.
 *
 *   JSON                        MessagePack
 *   object, array, text         map, array, str
 *   number without . and e      int (int64)
 *   any other number            float 64; the broker reads it as its shortest decimal, so 0.1 stays 0.1
 *   true, false, null           the same */
#ifndef XD_CORE_JSON_H
#define XD_CORE_JSON_H

#include "core/mp.h"

/* Reads all `len` bytes as one JSON value and appends it to `out`. `limits` bound the MessagePack that it
 * makes. On failure nothing is appended, and `*error` says why and names the field ("from.lat") that it was
 * found in:
 *
 *   XD_DUPLICATE_FIELD   a key given twice in one object
 *   XD_BAD_UTF8          bytes that are not UTF-8
 *   XD_OUT_OF_RANGE      a number beyond int64 or double
 *   XD_TOO_DEEP, XD_TOO_MANY_ELEMENTS, XD_FRAME_TOO_LARGE
 *                        beyond `limits`, or no room in `out`
 *   XD_NO_MEMORY         no memory
 *   XD_BAD_JSON          anything else that is not JSON (NaN, text after the value, ...) */
bool xd_json_read(const char *text, size_t len, const struct xd_mp_limits *limits, struct xd_buf *out,
                  struct xd_error *error);

/* Appends `value` to `out` as one line of JSON, without the line's end. Keys stay in their order. What JSON
 * has no form for is made into what comes nearest: bytes that are not UTF-8 become "?", binary data text, NaN
 * and extension values null. Nested deeper than XD_MP_MAX_DEPTH, or without memory, it fails `out`
 * (xd_buf.failed). */
void xd_json_write(const msgpack_object *value, struct xd_buf *out);

#endif

/* MessagePack: writing into an xd_buf, and the walk over a frame that comes before msgpack-c sees it. */
#ifndef XD_CORE_MP_H
#define XD_CORE_MP_H

#include "core/buf.h"
#include "core/error.h"

#include <msgpack.h>
#include <string.h>

/* --- writing; failures stay in buf->failed ------------------------------------------------------------- */

void xd_mp_map(struct xd_buf *buf, uint32_t pairs);
void xd_mp_array(struct xd_buf *buf, uint32_t elements);
void xd_mp_nil(struct xd_buf *buf);
void xd_mp_bool(struct xd_buf *buf, bool value);
void xd_mp_int(struct xd_buf *buf, int64_t value);
void xd_mp_uint(struct xd_buf *buf, uint64_t value);
void xd_mp_double(struct xd_buf *buf, double value);
void xd_mp_str(struct xd_buf *buf, const char *text, size_t len);
static inline void xd_mp_cstr(struct xd_buf *buf, const char *text)
{
    xd_mp_str(buf, text, strlen(text)); /* known to the compiler where the text is a literal */
}
void xd_mp_bin(struct xd_buf *buf, const void *bytes, size_t len);

/* value x 10^-scale: an integer where it is whole, else the nearest double. */
void xd_mp_decimal(struct xd_buf *buf, int64_t value, int scale);

/* The error map {code, message, field} (field left out when empty). */
void xd_mp_error(struct xd_buf *buf, const struct xd_error *error);

/* --- reading ------------------------------------------------------------------------------------------- */

struct xd_mp_limits {
    size_t bytes;      /* of one message */
    uint32_t depth;    /* of nesting; an outermost array is depth 1 */
    uint32_t elements; /* of one message in all, counting every value, keys too */
};

enum { XD_MP_MAX_DEPTH = 32 }; /* the most that limits.depth can be */

enum xd_mp_walk_result { XD_MP_COMPLETE, XD_MP_MORE, XD_MP_REFUSED };

/* A walk that resumes where the bytes ran out, so that a frame arriving in pieces is walked once.
 * Zero-initialise it for each message. Private to mp.c. */
struct xd_mp_walk {
    size_t at;
    uint32_t depth;
    uint32_t elements;
    uint64_t left[XD_MP_MAX_DEPTH + 1];
};

/* Walks the headers of the message that starts at bytes[0], of which `len` bytes are here. Without recursion
 * or allocation. COMPLETE: walk->at is its length. MORE: call again with more of the same bytes. REFUSED:
 * *code is XD_BAD_FRAME (0xc1, which is no MessagePack), XD_FRAME_TOO_LARGE, XD_TOO_DEEP or
 * XD_TOO_MANY_ELEMENTS; a length field alone is enough to refuse, so nothing is allocated on its word. */
enum xd_mp_walk_result xd_mp_walk(struct xd_mp_walk *walk, const uint8_t *bytes, size_t len,
                                  const struct xd_mp_limits *limits, enum xd_code *code);

/* The value of key `name` in map `map`, or NULL. */
const msgpack_object *xd_mp_get(const msgpack_object *map, const char *name);

/* A typed value of a map's key; false if it is missing or of another type (`*out` untouched). */
bool xd_mp_get_str(const msgpack_object *map, const char *name, struct xd_str *out);
bool xd_mp_get_int(const msgpack_object *map, const char *name, int64_t *out);

#endif

/* A checked walk over the elements of a MessagePack array: a missing element or one of another type sets
 * `bad`, and what is read then is 0. */
#ifndef XD_ENGINE_UNPACK_H
#define XD_ENGINE_UNPACK_H

#include "core/order.h"

struct xd_reader {
    const msgpack_object *at;
    uint32_t left;
    bool bad;
};

/* `bad` from the start if it is no array. */
struct xd_reader xd_read_array(const msgpack_object *object);

/* The next element, NULL behind the last. */
const msgpack_object *xd_read_next(struct xd_reader *reader);
int64_t xd_read_int(struct xd_reader *reader);
uint64_t xd_read_uint(struct xd_reader *reader);
double xd_read_double(struct xd_reader *reader);
struct xd_str xd_read_bytes(struct xd_reader *reader); /* a string or bin */
void xd_read_amounts(struct xd_reader *reader, int64_t amount[XD_DIMS]);

/* What xd_read_amounts reads. */
void xd_write_amounts(struct xd_buf *out, const int64_t amount[XD_DIMS]);

#endif

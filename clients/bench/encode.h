/* An order on its way to the wire: the map that core/order writes, with the account put into it. */
#ifndef XD_BENCH_ENCODE_H
#define XD_BENCH_ENCODE_H

#include "core/order.h"

/* Replaces what is in `out` by the order's map with `account` as its first pair. False if it did not fit. */
bool xd_encode_order(const struct xd_order *order, const char *account, struct xd_buf *out);

/* Where the bytes of text `ref` begin in `bytes` (a map just encoded with that ref), or `len` if they are not
 * there: to send the same order again under another ref of the same length. */
size_t xd_encode_find(const uint8_t *bytes, size_t len, const char *ref);

#endif

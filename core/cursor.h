/* A cursor: how far somebody has come with the events of all partitions. Opaque to clients.
 *
 *   one partition    0.1.93        partition, generation, offset of the next event
 *   several          12_2.7__5     of each, in order: generation and offset; "1." and a 0 offset are left out
 */
#ifndef XD_CORE_CURSOR_H
#define XD_CORE_CURSOR_H

#include "core/buf.h"
#include "core/id.h"

enum { XD_CURSOR_PARTITIONS = 192, XD_CURSOR_TEXT = XD_CURSOR_PARTITIONS * 32 + 1 };

/* Where to go on in one partition. */
struct xd_position {
    uint32_t generation;
    uint64_t next;
};

/* Returns the length written, terminator not counted. `count` is at most XD_CURSOR_PARTITIONS. */
size_t xd_cursor_write(const struct xd_position *at, uint32_t count, char out[static XD_CURSOR_TEXT]);

/* Takes exactly what is written for so many partitions; false otherwise (`at` is unspecified then). */
bool xd_cursor_read(struct xd_str text, struct xd_position *at, uint32_t count);

#endif

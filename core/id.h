/* The names of things in text.
 *
 *   order   o<partition>-<number>                    "o0-17"
 *   match   m<partition>-<number>                    "m0-4"
 *   event   e<partition>-<generation>-<offset>       "e0-1-93"
 *   cursor  <partition>.<generation>.<next offset>; of several partitions: cursor.h; opaque to clients
 *
 * An order's or match's id is 64 bits: the partition in the upper 16, the number in the lower 48, so that any
 * broker can route what names it. Number 0 is never used. */
#ifndef XD_CORE_ID_H
#define XD_CORE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { XD_ID_TEXT = 48 }; /* room for any of them, with its terminator (a cursor of one partition) */

#define XD_ID_NUMBER_MAX ((UINT64_C(1) << 48) - 1)

static inline uint64_t xd_id(uint16_t partition, uint64_t number)
{
    return (uint64_t)partition << 48 | number;
}

static inline uint16_t xd_id_partition(uint64_t id)
{
    return (uint16_t)(id >> 48);
}

static inline uint64_t xd_id_number(uint64_t id)
{
    return id & XD_ID_NUMBER_MAX;
}

struct xd_event_id {
    uint16_t partition;
    uint32_t generation;
    uint64_t offset;
};

/* Each returns the length written, terminator not counted. */
size_t xd_order_id_format(uint64_t id, char out[static XD_ID_TEXT]);
size_t xd_match_id_format(uint64_t id, char out[static XD_ID_TEXT]);
size_t xd_event_id_format(struct xd_event_id id, char out[static XD_ID_TEXT]);
size_t xd_cursor_format(struct xd_event_id next, char out[static XD_ID_TEXT]);

/* Each takes exactly what its formatter writes (no leading zeros or signs); false otherwise. */
bool xd_order_id_parse(const char *text, size_t len, uint64_t *out);
bool xd_match_id_parse(const char *text, size_t len, uint64_t *out);
bool xd_event_id_parse(const char *text, size_t len, struct xd_event_id *out);
bool xd_cursor_parse(const char *text, size_t len, struct xd_event_id *next);

#endif

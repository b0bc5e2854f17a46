/* A hash table of the pool's blocks by the 64-bit id (not 0) that each begins with: open addressing, linear probing, deletion
 * by moving back (Knuth, The Art of Computer Programming 3, 6.4, algorithm R), so it never fills with tombstones. A cell is
 * 8 bytes: a link and the upper half of the id's hash, which tells nearly always whether the block is worth a look. */
#ifndef XD_ENGINE_TABLE_H
#define XD_ENGINE_TABLE_H

#include "engine/pool.h"

#include <stdbool.h>

struct xd_table_cell {
    xd_link block; /* 0: empty */
    uint32_t hash;
};

struct xd_table {
    const struct xd_pool *pool; /* of the blocks; set by the owner before first use */
    struct xd_table_cell *cells;
    uint32_t count, mask; /* mask + 1 cells, or none */
};

/* The block that begins with `id`, or NULL. */
void *xd_table_get(const struct xd_table *table, uint64_t id);

/* Adds a block whose id is not there yet. False without memory. */
bool xd_table_put(struct xd_table *table, const void *block);

/* Takes out the block with `id`, if it is there; the block itself is not touched. */
void xd_table_remove(struct xd_table *table, uint64_t id);

void xd_table_free(struct xd_table *table);

#endif

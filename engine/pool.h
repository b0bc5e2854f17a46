/* Memory of the engine: blocks cut from slabs, one size to a slab.
 *
 *      slab 0    [head|block|block|block|....]   16 KB, begins on a 16 KB boundary
 *      slab 1    [head|  block  |  block  |..]
 *      slab 2    [head|        one large block       ]   as long as it must be
 *
 * A block goes back to its slab, and is what its size gets next; a slab that has none in use serves another size or goes
 * back to the system. So memory follows what the engine holds, and a steady book asks the system for none. Blocks never
 * move. After J. Bonwick, "The Slab Allocator" (1994), without its caches of made objects.
 *
 * A link names a block in 32 bits: half of what a pointer takes, where there are many. 0 is none. */
#ifndef XD_ENGINE_POOL_H
#define XD_ENGINE_POOL_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t xd_link;

enum {
    XD_POOL_UNIT = 8,          /* sizes are rounded up to it, blocks are aligned to it */
    XD_POOL_SLAB = 16384,      /* bytes */
    XD_POOL_UNITS_A_SLAB = XD_POOL_SLAB / XD_POOL_UNIT,
    XD_POOL_SLABS_MAX = 1 << 20, /* so many can be linked to: 16 GB; a link keeps its highest bit free */
    XD_POOL_LARGE = XD_POOL_SLAB / 8, /* longer blocks have slabs of their own */
    XD_POOL_CLASSES = XD_POOL_LARGE / XD_POOL_UNIT + 1
};

struct xd_slab;

struct xd_pool {
    struct xd_slab **slabs;   /* by number, from 1; a free number holds NULL */
    uint32_t slab_count, slab_room;
    uint32_t *numbers;        /* of given-back slabs, to be used again */
    uint32_t number_count;
    uint32_t spare_count;
    struct xd_slab *spares;   /* empty, for any size */
    struct xd_slab *open[XD_POOL_CLASSES]; /* by size in units: those with room */
    size_t bytes;             /* of all slabs */
};

/* An all-zero pool is an empty one. */

/* A block of `size` bytes (> 0), all zero. NULL without memory or links. */
void *xd_pool_take(struct xd_pool *pool, size_t size);

/* Gives a block back. NULL does nothing. */
void xd_pool_give(struct xd_pool *pool, void *block);

/* How many bytes a block has room for: what was asked for, rounded up. */
size_t xd_pool_room(const void *block);

/* Gives everything back. */
void xd_pool_free(struct xd_pool *pool);

/* The link of a block; 0 of NULL. */
xd_link xd_pool_link(const void *block);

/* The block of a link; NULL of 0. */
static inline void *xd_pool_at(const struct xd_pool *pool, xd_link link)
{
    if (!link) return NULL;
    return (char *)pool->slabs[link / XD_POOL_UNITS_A_SLAB] + link % XD_POOL_UNITS_A_SLAB * XD_POOL_UNIT;
}

#endif

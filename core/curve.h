/* Where an order lives: a Hilbert curve over the map, cut into ranges (docs/CLUSTER.md, Partitions).
 *
 * The map is 65536 x 65536 cells of longitude and latitude (at most 611 by 306 m). The curve runs through all
 * of them, each next to the one before, so a range of it is a compact area; a block of the quadtree over the
 * cells is one run of the curve (D. Hilbert, "Über die stetige Abbildung einer Linie auf ein Flächenstück",
 * Math. Annalen 38, 1891). Integers only. */
#ifndef XD_CORE_CURVE_H
#define XD_CORE_CURVE_H

#include "core/geo.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    XD_CURVE_ORDER = 16,  /* levels of the quadtree */
    XD_RANGES_MAX = 64,   /* so that a set of them is one word */
    XD_CURVE_GRAIN = 256, /* cuts are multiples of it: whole blocks of 16 x 16 cells */
};

struct xd_cell {
    uint32_t x, y; /* 0..65535, eastward from -180 and northward from -90 degrees */
};

struct xd_cell xd_cell_of(struct xd_place place);

/* The cell's position on the curve. */
uint32_t xd_curve_index(struct xd_cell cell);

/* A square of cells that one run of the curve fills. The whole map is XD_BLOCK_WORLD. */
struct xd_block {
    uint32_t x, y;  /* its cell of least x and y */
    uint32_t first; /* the index on the curve where its run begins; it has 4^(XD_CURVE_ORDER - level) cells */
    uint8_t level;  /* 0: the map, XD_CURVE_ORDER: one cell */
    bool swapped, turned; /* how the curve runs through it */
};

#define XD_BLOCK_WORLD ((struct xd_block){0})

/* Cells along its side, and the index of the last cell of its run. */
uint32_t xd_block_side(const struct xd_block *block);
uint32_t xd_block_last(const struct xd_block *block);

/* The quarter (0..3, in the order of the curve) of a block of more than one cell. */
struct xd_block xd_block_quarter(const struct xd_block *block, unsigned quarter);

/* Ranges: range r holds the indexes from cuts[r - 1] to before cuts[r]. */
struct xd_layout {
    uint32_t count; /* of ranges, 1..XD_RANGES_MAX */
    uint32_t cuts[XD_RANGES_MAX - 1];
};

/* Whether the count is in bounds and the cuts rise strictly, above 0, in multiples of XD_CURVE_GRAIN. */
bool xd_layout_valid(const struct xd_layout *layout);

/* Cuts so that each range has about as many of the places; as far as the grain lets it, where they are few or
 * all alike. False without memory, or with a count out of bounds: *out is untouched then. */
bool xd_layout_cut(const struct xd_place *places, size_t place_count, uint32_t count, struct xd_layout *out);

uint32_t xd_layout_range(const struct xd_layout *layout, uint32_t index);

/* The home of an order of a kind (enum xd_kind) at that place. */
uint16_t xd_layout_partition(const struct xd_layout *layout, unsigned kind, struct xd_place place);

#endif

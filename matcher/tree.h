/* A tree of resting orders whose every node bounds all attributes of what lies below it.
 *
 * An order is a row of 16 numbers (what they mean depends on kind and side: rows.h) and a mask of bits. A node knows, of all
 * rows below it, the least and the greatest of each number, the union and the intersection of their masks, and how many they
 * are. A search asks for rows between two rows and prunes whole nodes by the same comparison, sixteen numbers at a time:
 *
 *                 [lo ... hi]  any  all  count
 *                  /                        \
 *          [lo ... hi]                 [lo ... hi]
 *           /       \                   /       \
 *       64 rows   64 rows          64 rows    64 rows
 *
 * A leaf that is full is split at the median of the attribute that spreads most, so crowded places split themselves, and
 * time, price and temperature divide as places do. After every change the boxes on the way up are made exact again, so bounds
 * never rot. A node that has grown lopsided is rebuilt (weight balance, as in I. Galperin and R. Rivest, "Scapegoat trees",
 * 1993), so no order of arrivals can degrade it.
 *
 * After the k-d tree (J. Bentley, 1975) and the R-tree's boxes (A. Guttman, 1984). The structure decides only what is looked
 * at: which order wins is decided exactly, elsewhere. */
#ifndef XD_MATCHER_TREE_H
#define XD_MATCHER_TREE_H

#include <stdbool.h>
#include <stdint.h>

enum { XD_ROW_LENGTH = 16, XD_LEAF_ROWS = 64 };

typedef float xd_row __attribute__((vector_size(64)));

struct xd_slot;

struct xd_box {
    xd_row lo, hi;
    uint64_t any, all; /* union and intersection of the masks */
};

struct xd_leaf {
    xd_row rows[XD_LEAF_ROWS];
    uint64_t masks[XD_LEAF_ROWS];
    struct xd_slot *slots[XD_LEAF_ROWS];
};

struct xd_node {
    struct xd_box box;
    struct xd_node *parent;
    struct xd_node *child[2]; /* NULL in a leaf */
    struct xd_leaf *leaf;     /* NULL elsewhere */
    uint32_t count;           /* rows below */
    uint32_t dim;             /* what the children are divided by: row[dim] below `split` to the left */
    float split;
};

struct xd_tree {
    struct xd_node *root; /* NULL when empty */
    const float *weights; /* [XD_ROW_LENGTH]: how much a spread counts when a leaf is split; below 0: relative to the values */
};

/* Where an order stands in its tree; the tree keeps it up to date. */
struct xd_place_in_tree {
    struct xd_node *node; /* NULL: in none */
    uint32_t index;
};

/* The place of an order, which the tree reads and writes. Given by who owns the orders. */
struct xd_place_in_tree *xd_tree_place_of(struct xd_slot *slot);

/* Adds an order that is in no tree. False without memory. */
bool xd_tree_add(struct xd_tree *tree, struct xd_slot *slot, const xd_row *row, uint64_t mask);

void xd_tree_remove(struct xd_tree *tree, struct xd_slot *slot);

/* Gives an order in the tree another row; it stays in its leaf. */
void xd_tree_change(struct xd_tree *tree, struct xd_slot *slot, const xd_row *row, uint64_t mask);

/* Frees the nodes; orders are not touched. */
void xd_tree_free(struct xd_tree *tree);

/* Four numbers of a row: what every x86-64 and ARM compares at once. (Of sixteen at once GCC makes sixteen comparisons where the
 * machine has no such vectors.) */
typedef float xd_quad __attribute__((vector_size(16), may_alias));
typedef int32_t xd_quad_mask __attribute__((vector_size(16)));
enum { XD_QUADS = XD_ROW_LENGTH / 4 };

/* Whether a row between `lo` and `hi` could be in the box (for a row: box of one). */
static inline bool xd_row_meets(const xd_row *box_lo, const xd_row *box_hi, const xd_row *lo, const xd_row *hi)
{
    const xd_quad *box_low = (const xd_quad *)box_lo, *box_high = (const xd_quad *)box_hi;
    const xd_quad *low = (const xd_quad *)lo, *high = (const xd_quad *)hi;
    xd_quad_mask misses = {0};
    for (unsigned i = 0; i < XD_QUADS; i++) {
        misses |= (box_high[i] < low[i]) | (box_low[i] > high[i]);
    }
    typedef int64_t wide __attribute__((vector_size(16)));
    wide folded = (wide)misses;
    return !(folded[0] | folded[1]);
}

#endif

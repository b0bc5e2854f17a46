/* Boxes of a tree's nodes, and what a row or box adds to them. */
#ifndef XD_ENGINE_BOXES_H
#define XD_ENGINE_BOXES_H

#include "engine/index/tree.h"

struct xd_box {
    xd_row lo, hi;
    uint64_t any, all;
};

/* The exact box of all that a node holds; of an empty one, a box that adds nothing to any other. */
void xd_box_of_node(const struct xd_row_layout *layout, const struct xd_node *node, struct xd_box *out);

/* Writes a box as that of a child. */
void xd_box_put(const struct xd_row_layout *layout, struct xd_branch *branch, unsigned child,
                const struct xd_box *box);

/* The box of a child. */
void xd_box_get(const struct xd_row_layout *layout, const struct xd_branch *branch, unsigned child,
                struct xd_box *out);

/* Makes the boxes above a node wide enough for what has come into it. */
void xd_boxes_widen(const struct xd_row_layout *layout, struct xd_node *node, const struct xd_box *come);

/* Makes the boxes above a node exact again after what has gone from it. */
void xd_boxes_tighten(const struct xd_row_layout *layout, struct xd_node *node, const struct xd_box *gone);

/* Of the `count` first children the one whose box would grow least, the smallest among equals, `except` left
 * out (XD_CHILDREN: none). Children with more than `most` within do not count; XD_CHILDREN if that leaves
 * none. */
unsigned xd_box_nearest(const struct xd_row_layout *layout, const struct xd_branch *branch,
                        const struct xd_box *box, unsigned except, unsigned most);

/* Whether a row lies in the child's box in every column that has a weight. */
bool xd_box_holds(const struct xd_row_layout *layout, const struct xd_branch *branch, unsigned child,
                  const xd_row row);

/* The column with the greatest weighted spread between lo and hi, but for those in `except` (NULL: none). */
unsigned xd_box_widest(const struct xd_row_layout *layout, const struct xd_box *box, const bool *except);

/* The sum of its weighted spreads. */
float xd_box_spread(const struct xd_row_layout *layout, const struct xd_box *box);

/* Makes a box wide enough for another. */
void xd_box_add(const struct xd_row_layout *layout, struct xd_box *box, const struct xd_box *more);

static inline float *xd_leaf_column(struct xd_leaf *leaf, unsigned column)
{
    return leaf->values + column * XD_LEAF_ROWS;
}

/* Of children: the least of each number in `column`, the greatest in `layout->columns + column`. */
static inline float *xd_branch_column(struct xd_branch *branch, unsigned column)
{
    return branch->values + column * XD_CHILDREN;
}

#endif

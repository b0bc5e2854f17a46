/* The nodes of a tree: made, filled and moved about. Which goes where is the tree's affair (tree.c, split.c,
 * fill.c). */
#ifndef XD_ENGINE_NODES_H
#define XD_ENGINE_NODES_H

#include "engine/index/boxes.h"

enum {
    XD_LEAF_JOINED = XD_LEAF_ROWS * 3 / 4, /* what leaves hold that are joined, or filled at once */
    XD_BRANCH_JOINED = XD_CHILDREN * 3 / 4,
    XD_COLUMNS_TRIED = 3, /* along which a division is tried */
};

/* Empty nodes; NULL without memory. */
struct xd_leaf *xd_leaf_create(const struct xd_row_layout *layout);
struct xd_branch *xd_branch_create(const struct xd_row_layout *layout);

/* Frees a node and all below it. */
void xd_nodes_free(struct xd_node *node);

/* Writes an order's row, and into the order where it is. */
void xd_leaf_put(const struct xd_row_layout *layout, struct xd_leaf *leaf, unsigned at, struct xd_slot *slot,
                 const xd_row row, uint64_t mask);

/* A row as a box of one. */
void xd_leaf_get(const struct xd_row_layout *layout, const struct xd_leaf *leaf, unsigned at,
                 struct xd_box *out);
void xd_box_of_row(const xd_row row, uint64_t mask, struct xd_box *box);

/* Makes a node the child of a branch at a place. Its box there is not written. */
void xd_branch_adopt(struct xd_branch *branch, unsigned place, struct xd_node *child);

/* Moves a row, or a child with its box, to a node of the same kind. Counts are not changed. */
void xd_node_move(const struct xd_row_layout *layout, struct xd_node *from, unsigned at, struct xd_node *to,
                  unsigned where);

/* Writes the box of a node into its parent. */
void xd_node_measure(const struct xd_row_layout *layout, struct xd_node *child);

/* Moves about half of what is in `node` to the empty `other` of the same kind: the best division along any of
 * the widest columns (split.c). Boxes in the parent are not written. */
void xd_node_divide(const struct xd_row_layout *layout, struct xd_node *node, struct xd_node *other);

static inline struct xd_leaf *xd_leaf_of(struct xd_node *node)
{
    return (struct xd_leaf *)node;
}

static inline struct xd_branch *xd_branch_of(struct xd_node *node)
{
    return (struct xd_branch *)node;
}

#endif

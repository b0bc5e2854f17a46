#include "engine/index/nodes.h"

#include <stdlib.h>
#include <string.h>

/* Columns are read as vectors: nodes begin on their boundary. */
static void *aligned(size_t size)
{
    size = (size + 63) / 64 * 64;
    void *node = aligned_alloc(64, size);
    if (node) memset(node, 0, size);
    return node;
}

struct xd_leaf *xd_leaf_create(const struct xd_row_layout *layout)
{
    struct xd_leaf *leaf = aligned(sizeof *leaf + layout->columns * XD_LEAF_ROWS * sizeof(float));
    if (leaf) leaf->node.is_leaf = true;
    return leaf;
}

struct xd_branch *xd_branch_create(const struct xd_row_layout *layout)
{
    struct xd_branch *branch = aligned(sizeof *branch + 2 * layout->columns * XD_CHILDREN * sizeof(float));
    return branch;
}

void xd_nodes_free(struct xd_node *node)
{
    for (unsigned i = 0; !node->is_leaf && i < node->count; i++) {
        xd_nodes_free(xd_branch_of(node)->children[i]);
    }
    free(node);
}

void xd_leaf_put(const struct xd_row_layout *layout, struct xd_leaf *leaf, unsigned at, struct xd_slot *slot,
                 const xd_row row, uint64_t mask)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        xd_leaf_column(leaf, c)[at] = row[c];
    }
    leaf->masks[at] = mask;
    leaf->slots[at] = slot;
    *xd_tree_place_of(slot) = (struct xd_place_in_tree){leaf, at};
}

void xd_leaf_get(const struct xd_row_layout *layout, const struct xd_leaf *leaf, unsigned at,
                 struct xd_box *out)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        out->lo[c] = out->hi[c] = leaf->values[c * XD_LEAF_ROWS + at];
    }
    out->any = out->all = leaf->masks[at];
}

static void move_row(const struct xd_row_layout *layout, struct xd_leaf *from, unsigned at,
                     struct xd_leaf *to, unsigned where)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        xd_leaf_column(to, c)[where] = xd_leaf_column(from, c)[at];
    }
    to->masks[where] = from->masks[at];
    to->slots[where] = from->slots[at];
    *xd_tree_place_of(to->slots[where]) = (struct xd_place_in_tree){to, where};
}

void xd_box_of_row(const xd_row row, uint64_t mask, struct xd_box *box)
{
    memcpy(box->lo, row, sizeof box->lo);
    memcpy(box->hi, row, sizeof box->hi);
    box->any = box->all = mask;
}

void xd_branch_adopt(struct xd_branch *branch, unsigned place, struct xd_node *child)
{
    branch->children[place] = child;
    child->parent = branch;
    child->place = (uint8_t)place;
}

static void move_child(const struct xd_row_layout *layout, struct xd_branch *from, unsigned at,
                       struct xd_branch *to, unsigned where)
{
    for (unsigned c = 0; c < 2 * layout->columns; c++) {
        xd_branch_column(to, c)[where] = xd_branch_column(from, c)[at];
    }
    to->any[where] = from->any[at];
    to->all[where] = from->all[at];
    xd_branch_adopt(to, where, from->children[at]);
}

void xd_node_move(const struct xd_row_layout *layout, struct xd_node *from, unsigned at, struct xd_node *to,
                  unsigned where)
{
    if (from->is_leaf) {
        move_row(layout, xd_leaf_of(from), at, xd_leaf_of(to), where);
    } else {
        move_child(layout, xd_branch_of(from), at, xd_branch_of(to), where);
    }
}

void xd_node_measure(const struct xd_row_layout *layout, struct xd_node *child)
{
    struct xd_box box;
    xd_box_of_node(layout, child, &box);
    xd_box_put(layout, child->parent, child->place, &box);
}

#include "engine/index/nodes.h"

#include <stdlib.h>
#include <string.h>

/* A node with less joins another, if the two then have no more than is filled at once. */
enum { LEAF_SMALL = XD_LEAF_ROWS / 4, BRANCH_SMALL = XD_CHILDREN / 4 };

void xd_tree_free(struct xd_tree *tree)
{
    if (tree->root) xd_nodes_free(tree->root);
    tree->root = NULL;
    tree->count = 0;
}

/* --- splitting
 * ---------------------------------------------------------------------------------------------------------------
 */

static bool split(struct xd_tree *tree, struct xd_node *node);

/* Sees to it that a node has a parent with room for one more child. False without memory. */
static bool make_room_above(struct xd_tree *tree, struct xd_node *node)
{
    if (node->parent) return node->parent->node.count < XD_CHILDREN || split(tree, &node->parent->node);
    struct xd_branch *root = xd_branch_create(tree->layout);
    if (!root) return false;
    root->node.count = 1;
    xd_branch_adopt(root, 0, node);
    tree->root = &root->node;
    return true;
}

/* Splits a full node in two. False without memory. */
static bool split(struct xd_tree *tree, struct xd_node *node)
{
    const struct xd_row_layout *layout = tree->layout;
    if (!make_room_above(tree, node)) return false;
    struct xd_node *other =
        node->is_leaf ? (struct xd_node *)xd_leaf_create(layout) : (struct xd_node *)xd_branch_create(layout);
    if (!other) return false;
    xd_node_divide(layout, node, other);
    struct xd_branch *parent = node->parent;
    xd_branch_adopt(parent, parent->node.count++, other);
    xd_node_measure(layout, node);
    xd_node_measure(layout, other);
    return true;
}

/* --- joining
 * -----------------------------------------------------------------------------------------------------------------
 */

/* Takes a child out of its parent and frees it; what that leaves without children, or with one at the root,
 * goes too. */
static void drop(struct xd_tree *tree, struct xd_node *node)
{
    struct xd_branch *parent = node->parent;
    if (!parent) {
        tree->root = NULL;
    } else {
        unsigned last = --parent->node.count;
        if (node->place != last) xd_node_move(tree->layout, &parent->node, last, &parent->node, node->place);
        if (last == 0) drop(tree, &parent->node);
    }
    free(node);
}

/* Joins a node that has become small with its nearest sibling, if there is one that has room for it. */
static void join(struct xd_tree *tree, struct xd_node *node)
{
    for (;;) {
        struct xd_branch *parent = node->parent;
        unsigned joined = node->is_leaf ? XD_LEAF_JOINED : XD_BRANCH_JOINED;
        if (!parent || node->count >= (node->is_leaf ? LEAF_SMALL : BRANCH_SMALL)) break;
        struct xd_box box;
        xd_box_get(tree->layout, parent, node->place, &box);
        unsigned nearest = xd_box_nearest(tree->layout, parent, &box, node->place, joined - node->count);
        if (nearest == XD_CHILDREN) break;
        struct xd_node *sibling = parent->children[nearest];
        for (unsigned i = 0; i < node->count; i++) {
            xd_node_move(tree->layout, node, i, sibling, sibling->count++);
        }
        xd_boxes_widen(tree->layout, sibling, &box);
        drop(tree, node);
        node = &parent->node;
    }
    while (!tree->root->is_leaf && tree->root->count == 1) {
        struct xd_node *root = tree->root;
        tree->root = xd_branch_of(root)->children[0];
        tree->root->parent = NULL;
        free(root);
    }
}

/* --- the three changes
 * ------------------------------------------------------------------------------------------------------- */

static struct xd_leaf *leaf_for(const struct xd_tree *tree, const struct xd_box *row)
{
    struct xd_node *node = tree->root;
    while (!node->is_leaf) {
        node = xd_branch_of(node)
                   ->children[xd_box_nearest(tree->layout, xd_branch_of(node), row, XD_CHILDREN, UINT8_MAX)];
    }
    return xd_leaf_of(node);
}

bool xd_tree_add(struct xd_tree *tree, struct xd_slot *slot, const xd_row row, uint64_t mask)
{
    struct xd_box box;
    xd_box_of_row(row, mask, &box);
    if (!tree->root) {
        struct xd_leaf *root = xd_leaf_create(tree->layout);
        if (!root) return false;
        tree->root = &root->node;
    }
    struct xd_leaf *leaf = leaf_for(tree, &box);
    while (leaf->node.count == XD_LEAF_ROWS) {
        if (!split(tree, &leaf->node)) return false;
        leaf = leaf_for(tree, &box);
    }
    xd_leaf_put(tree->layout, leaf, leaf->node.count++, slot, row, mask);
    xd_boxes_widen(tree->layout, &leaf->node, &box);
    tree->count++;
    return true;
}

void xd_tree_remove(struct xd_tree *tree, struct xd_slot *slot)
{
    struct xd_place_in_tree *place = xd_tree_place_of(slot);
    struct xd_leaf *leaf = place->leaf;
    struct xd_box gone;
    xd_leaf_get(tree->layout, leaf, place->row, &gone);
    unsigned last = --leaf->node.count;
    if (place->row != last) xd_node_move(tree->layout, &leaf->node, last, &leaf->node, place->row);
    place->leaf = NULL;
    tree->count--;
    xd_boxes_tighten(tree->layout, &leaf->node, &gone);
    if (last == 0) {
        drop(tree, &leaf->node);
        if (tree->root) join(tree, tree->root);
    } else {
        join(tree, &leaf->node);
    }
}

bool xd_tree_change(struct xd_tree *tree, struct xd_slot *slot, const xd_row row, uint64_t mask)
{
    struct xd_place_in_tree *place = xd_tree_place_of(slot);
    struct xd_leaf *leaf = place->leaf;
    struct xd_box before, now;
    xd_leaf_get(tree->layout, leaf, place->row, &before);
    if (!memcmp(before.lo, row, tree->layout->columns * sizeof *row) && before.any == mask) return true;
    if (leaf->node.parent && !xd_box_holds(tree->layout, leaf->node.parent, leaf->node.place, row)) {
        xd_tree_remove(tree, slot);
        return xd_tree_add(tree, slot, row, mask);
    }
    xd_leaf_put(tree->layout, leaf, place->row, slot, row, mask);
    xd_box_of_row(row, mask, &now);
    xd_boxes_widen(tree->layout, &leaf->node, &now);
    xd_boxes_tighten(tree->layout, &leaf->node, &before);
    return true;
}

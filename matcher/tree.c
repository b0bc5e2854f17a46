#include "matcher/tree.h"

#include "matcher/boxes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAF_SMALL = XD_LEAF_ROWS / 4, /* one with fewer rows joins another, if the two then have no more than LEAF_JOINED */
    LEAF_JOINED = XD_LEAF_ROWS * 3 / 4,
    BRANCH_SMALL = XD_CHILDREN / 4,
    BRANCH_JOINED = XD_CHILDREN * 3 / 4,
    TRIED = 3, /* columns along which a division is tried */
};

/* Columns are read as vectors: nodes begin on their boundary. */
static void *aligned(size_t size)
{
    size = (size + 63) / 64 * 64;
    void *node = aligned_alloc(64, size);
    if (node) memset(node, 0, size);
    return node;
}

static struct xd_leaf *new_leaf(const struct xd_row_layout *layout)
{
    struct xd_leaf *leaf = aligned(sizeof *leaf + layout->columns * XD_LEAF_ROWS * sizeof(float));
    if (leaf) leaf->node.is_leaf = true;
    return leaf;
}

static struct xd_branch *new_branch(const struct xd_row_layout *layout)
{
    struct xd_branch *branch = aligned(sizeof *branch + 2 * layout->columns * XD_CHILDREN * sizeof(float));
    return branch;
}

static struct xd_leaf *leaf_of(struct xd_node *node)
{
    return (struct xd_leaf *)node;
}

static struct xd_branch *branch_of(struct xd_node *node)
{
    return (struct xd_branch *)node;
}

static void free_nodes(struct xd_node *node)
{
    for (unsigned i = 0; !node->is_leaf && i < node->count; i++) {
        free_nodes(branch_of(node)->children[i]);
    }
    free(node);
}

void xd_tree_free(struct xd_tree *tree)
{
    if (tree->root) free_nodes(tree->root);
    tree->root = NULL;
    tree->count = 0;
}

/* --- rows and children ------------------------------------------------------------------------------------------------------- */

static void put_row(const struct xd_row_layout *layout, struct xd_leaf *leaf, unsigned at, struct xd_slot *slot,
                    const xd_row row, uint64_t mask)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        xd_leaf_column(leaf, c)[at] = row[c];
    }
    leaf->masks[at] = mask;
    leaf->slots[at] = slot;
    *xd_tree_place_of(slot) = (struct xd_place_in_tree){leaf, at};
}

static void get_row(const struct xd_row_layout *layout, const struct xd_leaf *leaf, unsigned at, struct xd_box *out)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        out->lo[c] = out->hi[c] = leaf->values[c * XD_LEAF_ROWS + at];
    }
    out->any = out->all = leaf->masks[at];
}

static void move_row(const struct xd_row_layout *layout, struct xd_leaf *from, unsigned at, struct xd_leaf *to, unsigned where)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        xd_leaf_column(to, c)[where] = xd_leaf_column(from, c)[at];
    }
    to->masks[where] = from->masks[at];
    to->slots[where] = from->slots[at];
    *xd_tree_place_of(to->slots[where]) = (struct xd_place_in_tree){to, where};
}

static void adopt(struct xd_branch *branch, unsigned place, struct xd_node *child)
{
    branch->children[place] = child;
    child->parent = branch;
    child->place = (uint8_t)place;
}

static void move_child(const struct xd_row_layout *layout, struct xd_branch *from, unsigned at, struct xd_branch *to,
                       unsigned where)
{
    for (unsigned c = 0; c < 2 * layout->columns; c++) {
        xd_branch_column(to, c)[where] = xd_branch_column(from, c)[at];
    }
    to->any[where] = from->any[at];
    to->all[where] = from->all[at];
    adopt(to, where, from->children[at]);
}

static void move_one(const struct xd_row_layout *layout, struct xd_node *from, unsigned at, struct xd_node *to, unsigned where)
{
    if (from->is_leaf) {
        move_row(layout, leaf_of(from), at, leaf_of(to), where);
    } else {
        move_child(layout, branch_of(from), at, branch_of(to), where);
    }
}

static void measure_child(const struct xd_row_layout *layout, struct xd_node *child)
{
    struct xd_box box;
    xd_box_of_node(layout, child, &box);
    xd_box_put(layout, child->parent, child->place, &box);
}

/* --- splitting --------------------------------------------------------------------------------------------------------------- */

/* Where a row or a child lies in a column: the middle of its box. */
static float middle(const struct xd_row_layout *layout, const struct xd_node *node, unsigned column, unsigned at)
{
    if (node->is_leaf) return xd_as_leaf(node)->values[column * XD_LEAF_ROWS + at];
    const float *values = xd_as_branch(node)->values;
    return values[column * XD_CHILDREN + at] + values[(layout->columns + column) * XD_CHILDREN + at];
}

/* The order of a node's rows or children in a column. */
static void sort_by(const struct xd_row_layout *layout, const struct xd_node *node, unsigned column, uint8_t order[])
{
    float keys[XD_LEAF_ROWS];
    for (unsigned i = 0; i < node->count; i++) { /* by insertion: there are few */
        float key = middle(layout, node, column, i);
        unsigned at = i;
        for (; at > 0 && keys[at - 1] > key; at--) {
            keys[at] = keys[at - 1];
            order[at] = order[at - 1];
        }
        keys[at] = key;
        order[at] = (uint8_t)i;
    }
}

/* A way to divide a node: the first `kept` of an order stay. The spread of both boxes, each as often as it has rows, is what a
 * search will pay for it. */
struct division {
    float cost;
    unsigned kept;
    uint8_t order[XD_LEAF_ROWS];
};

static void extent(const struct xd_row_layout *layout, const struct xd_node *node, unsigned at, struct xd_box *out)
{
    if (node->is_leaf) {
        get_row(layout, xd_as_leaf(node), at, out);
    } else {
        xd_box_get(layout, xd_as_branch(node), at, out);
    }
}

/* Along one column: where, not far from the middle, both halves are smallest. */
static void divide_along(const struct xd_row_layout *layout, const struct xd_node *node, unsigned column, struct division *out)
{
    float before[XD_LEAF_ROWS];
    struct xd_box box, one;
    unsigned count = node->count, least = count / 3;
    sort_by(layout, node, column, out->order);
    for (unsigned i = 0; i < count - least; i++) {
        extent(layout, node, out->order[i], &one);
        if (i == 0) box = one;
        xd_box_add(layout, &box, &one);
        before[i] = xd_box_spread(layout, &box) * (float)(i + 1);
    }
    out->cost = INFINITY;
    for (unsigned i = count; i-- > least;) {
        extent(layout, node, out->order[i], &one);
        if (i == count - 1) box = one;
        xd_box_add(layout, &box, &one);
        if (i > count - least) continue;
        float cost = before[i - 1] + xd_box_spread(layout, &box) * (float)(count - i);
        if (cost >= out->cost) continue;
        out->cost = cost;
        out->kept = i;
    }
}

/* Moves a part of `node` to the empty `other`: the best division along any of the widest columns. */
static void divide(const struct xd_row_layout *layout, struct xd_node *node, struct xd_node *other)
{
    struct xd_box box;
    struct division best = {.cost = INFINITY}, division;
    bool tried[XD_COLUMNS_MAX] = {false};
    xd_box_of_node(layout, node, &box);
    for (unsigned i = 0; i < TRIED; i++) {
        unsigned column = xd_box_widest(layout, &box, tried);
        if (tried[column]) break;
        tried[column] = true;
        divide_along(layout, node, column, &division);
        if (division.cost < best.cost) best = division;
    }
    bool leaves[XD_LEAF_ROWS] = {false};
    for (unsigned i = best.kept; i < node->count; i++) {
        leaves[best.order[i]] = true;
    }
    unsigned kept = 0, count = node->count;
    for (unsigned i = 0; i < count; i++) {
        if (leaves[i]) {
            move_one(layout, node, i, other, other->count++);
        } else {
            if (kept != i) move_one(layout, node, i, node, kept);
            kept++;
        }
    }
    node->count = (uint8_t)kept;
}

static bool split(struct xd_tree *tree, struct xd_node *node);

/* Sees to it that a node has a parent with room for one more child. False without memory. */
static bool make_room_above(struct xd_tree *tree, struct xd_node *node)
{
    if (node->parent) return node->parent->node.count < XD_CHILDREN || split(tree, &node->parent->node);
    struct xd_branch *root = new_branch(tree->layout);
    if (!root) return false;
    root->node.count = 1;
    adopt(root, 0, node);
    tree->root = &root->node;
    return true;
}

/* Splits a full node in two. False without memory. */
static bool split(struct xd_tree *tree, struct xd_node *node)
{
    const struct xd_row_layout *layout = tree->layout;
    if (!make_room_above(tree, node)) return false;
    struct xd_node *other = node->is_leaf ? (struct xd_node *)new_leaf(layout) : (struct xd_node *)new_branch(layout);
    if (!other) return false;
    divide(layout, node, other);
    struct xd_branch *parent = node->parent;
    adopt(parent, parent->node.count++, other);
    measure_child(layout, node);
    measure_child(layout, other);
    return true;
}

/* --- joining ----------------------------------------------------------------------------------------------------------------- */

/* Takes a child out of its parent and frees it; what that leaves without children, or with one at the root, goes too. */
static void drop(struct xd_tree *tree, struct xd_node *node)
{
    struct xd_branch *parent = node->parent;
    if (!parent) {
        tree->root = NULL;
    } else {
        unsigned last = --parent->node.count;
        if (node->place != last) move_child(tree->layout, parent, last, parent, node->place);
        if (last == 0) drop(tree, &parent->node);
    }
    free(node);
}

/* Joins a node that has become small with its nearest sibling, if there is one that has room for it. */
static void join(struct xd_tree *tree, struct xd_node *node)
{
    for (;;) {
        struct xd_branch *parent = node->parent;
        unsigned joined = node->is_leaf ? LEAF_JOINED : BRANCH_JOINED;
        if (!parent || node->count >= (node->is_leaf ? LEAF_SMALL : BRANCH_SMALL)) break;
        struct xd_box box;
        xd_box_get(tree->layout, parent, node->place, &box);
        unsigned nearest = xd_box_nearest(tree->layout, parent, &box, node->place, joined - node->count);
        if (nearest == XD_CHILDREN) break;
        struct xd_node *sibling = parent->children[nearest];
        for (unsigned i = 0; i < node->count; i++) {
            move_one(tree->layout, node, i, sibling, sibling->count++);
        }
        xd_boxes_widen(tree->layout, sibling, &box);
        drop(tree, node);
        node = &parent->node;
    }
    while (!tree->root->is_leaf && tree->root->count == 1) {
        struct xd_node *root = tree->root;
        tree->root = branch_of(root)->children[0];
        tree->root->parent = NULL;
        free(root);
    }
}

/* --- the three changes ------------------------------------------------------------------------------------------------------- */

static struct xd_leaf *leaf_for(const struct xd_tree *tree, const struct xd_box *row)
{
    struct xd_node *node = tree->root;
    while (!node->is_leaf) {
        node = branch_of(node)->children[xd_box_nearest(tree->layout, branch_of(node), row, XD_CHILDREN, UINT8_MAX)];
    }
    return leaf_of(node);
}

static void box_of_row(const xd_row row, uint64_t mask, struct xd_box *box)
{
    memcpy(box->lo, row, sizeof box->lo);
    memcpy(box->hi, row, sizeof box->hi);
    box->any = box->all = mask;
}

bool xd_tree_add(struct xd_tree *tree, struct xd_slot *slot, const xd_row row, uint64_t mask)
{
    struct xd_box box;
    box_of_row(row, mask, &box);
    if (!tree->root) {
        struct xd_leaf *root = new_leaf(tree->layout);
        if (!root) return false;
        tree->root = &root->node;
    }
    struct xd_leaf *leaf = leaf_for(tree, &box);
    while (leaf->node.count == XD_LEAF_ROWS) {
        if (!split(tree, &leaf->node)) return false;
        leaf = leaf_for(tree, &box);
    }
    put_row(tree->layout, leaf, leaf->node.count++, slot, row, mask);
    xd_boxes_widen(tree->layout, &leaf->node, &box);
    tree->count++;
    return true;
}

void xd_tree_remove(struct xd_tree *tree, struct xd_slot *slot)
{
    struct xd_place_in_tree *place = xd_tree_place_of(slot);
    struct xd_leaf *leaf = place->leaf;
    struct xd_box gone;
    get_row(tree->layout, leaf, place->row, &gone);
    unsigned last = --leaf->node.count;
    if (place->row != last) move_row(tree->layout, leaf, last, leaf, place->row);
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
    get_row(tree->layout, leaf, place->row, &before);
    if (!memcmp(before.lo, row, tree->layout->columns * sizeof *row) && before.any == mask) return true;
    if (leaf->node.parent && !xd_box_holds(tree->layout, leaf->node.parent, leaf->node.place, row)) {
        xd_tree_remove(tree, slot);
        return xd_tree_add(tree, slot, row, mask);
    }
    put_row(tree->layout, leaf, place->row, slot, row, mask);
    box_of_row(row, mask, &now);
    xd_boxes_widen(tree->layout, &leaf->node, &now);
    xd_boxes_tighten(tree->layout, &leaf->node, &before);
    return true;
}

/* --- filling ----------------------------------------------------------------------------------------------------------------- */

enum { FILL_ROWS = LEAF_JOINED, FILL_CHILDREN = BRANCH_JOINED };

static void swap_items(struct xd_item *a, struct xd_item *b)
{
    struct xd_item kept = *a;
    *a = *b;
    *b = kept;
}

/* Puts the k-th by `column` in its place, smaller ones before it (C. A. R. Hoare, "Algorithm 65: find", 1961). */
static void select_item(struct xd_item *items, uint64_t count, uint64_t k, unsigned column)
{
    int64_t low = 0, high = (int64_t)count - 1;
    while (low < high) {
        float pivot = items[low + (high - low) / 2].row[column];
        int64_t i = low, j = high;
        while (i <= j) {
            while (items[i].row[column] < pivot) {
                i++;
            }
            while (items[j].row[column] > pivot) {
                j--;
            }
            if (i <= j) swap_items(&items[i++], &items[j--]);
        }
        if ((int64_t)k <= j) {
            high = j;
        } else if ((int64_t)k >= i) {
            low = i;
        } else {
            return;
        }
    }
}

static void box_of_items(const struct xd_row_layout *layout, const struct xd_item *items, uint64_t count, struct xd_box *box)
{
    box_of_row(items[0].row, items[0].mask, box);
    for (uint64_t i = 1; i < count; i++) {
        for (unsigned c = 0; c < layout->columns; c++) {
            float value = items[i].row[c];
            box->lo[c] = value < box->lo[c] ? value : box->lo[c];
            box->hi[c] = value > box->hi[c] ? value : box->hi[c];
        }
        box->any |= items[i].mask;
        box->all &= items[i].mask;
    }
}

/* Puts those that lie below the k-th in one of the widest columns first: the one that makes both parts smallest. */
static void part_items(const struct xd_row_layout *layout, struct xd_item *items, uint64_t count, uint64_t k)
{
    struct xd_box box, first, second;
    bool tried[XD_COLUMNS_MAX] = {false};
    unsigned best = 0, column = 0;
    float least = INFINITY;
    box_of_items(layout, items, count, &box);
    for (unsigned i = 0; i < TRIED; i++) {
        column = xd_box_widest(layout, &box, tried);
        tried[column] = true;
        select_item(items, count, k, column);
        box_of_items(layout, items, k, &first);
        box_of_items(layout, items + k, count - k, &second);
        float spread = xd_box_spread(layout, &first) + xd_box_spread(layout, &second);
        if (spread >= least) continue;
        least = spread;
        best = column;
    }
    if (best != column) select_item(items, count, k, best);
}

static struct xd_node *fill(const struct xd_row_layout *layout, struct xd_item *items, uint64_t count, unsigned height);

/* Gives a branch `parts` children more, of equal size, divided by halves. False without memory. */
static bool fill_parts(const struct xd_row_layout *layout, struct xd_branch *branch, struct xd_item *items, uint64_t count,
                       uint64_t parts, unsigned height)
{
    if (parts == 1) {
        struct xd_node *child = fill(layout, items, count, height - 1);
        if (!child) return false;
        adopt(branch, branch->node.count++, child);
        measure_child(layout, child);
        return true;
    }
    uint64_t half = parts / 2, below = count * half / parts;
    part_items(layout, items, count, below);
    return fill_parts(layout, branch, items, below, half, height) &&
           fill_parts(layout, branch, items + below, count - below, parts - half, height);
}

static uint64_t rows_below(unsigned height)
{
    uint64_t rows = FILL_ROWS;
    while (height--) {
        rows *= FILL_CHILDREN;
    }
    return rows;
}

/* A node with so many levels of branches. */
static struct xd_node *fill(const struct xd_row_layout *layout, struct xd_item *items, uint64_t count, unsigned height)
{
    if (height == 0) {
        struct xd_leaf *leaf = new_leaf(layout);
        for (uint64_t i = 0; leaf && i < count; i++) {
            put_row(layout, leaf, leaf->node.count++, items[i].slot, items[i].row, items[i].mask);
        }
        return (struct xd_node *)leaf;
    }
    struct xd_branch *branch = new_branch(layout);
    uint64_t below = rows_below(height - 1);
    if (!branch) return NULL;
    if (fill_parts(layout, branch, items, count, (count + below - 1) / below, height)) return &branch->node;
    free_nodes(&branch->node);
    return NULL;
}

bool xd_tree_fill(struct xd_tree *tree, struct xd_item *items, uint64_t count)
{
    unsigned height = 0;
    while (rows_below(height) < count) {
        height++;
    }
    if (!count) return true;
    tree->root = fill(tree->layout, items, count, height);
    tree->count = tree->root ? count : 0;
    for (uint64_t i = 0; !tree->root && i < count; i++) {
        xd_tree_place_of(items[i].slot)->leaf = NULL;
    }
    return tree->root;
}

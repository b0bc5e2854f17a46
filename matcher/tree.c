#include "matcher/tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REBUILD_ROWS = 4 * XD_LEAF_ROWS }; /* smaller nodes are never rebuilt */

/* Rows are 64-byte vectors: nodes and leaves begin on such a boundary. */
static void *aligned(size_t size)
{
    return aligned_alloc(64, (size + 63) / 64 * 64);
}

static void lower(xd_row *row, const xd_row *other)
{
    xd_quad *here = (xd_quad *)row;
    const xd_quad *there = (const xd_quad *)other;
    for (unsigned i = 0; i < XD_QUADS; i++) {
        xd_quad_mask less = there[i] < here[i];
        here[i] = (xd_quad)(((xd_quad_mask)there[i] & less) | ((xd_quad_mask)here[i] & ~less));
    }
}

static void raise(xd_row *row, const xd_row *other)
{
    xd_quad *here = (xd_quad *)row;
    const xd_quad *there = (const xd_quad *)other;
    for (unsigned i = 0; i < XD_QUADS; i++) {
        xd_quad_mask more = there[i] > here[i];
        here[i] = (xd_quad)(((xd_quad_mask)there[i] & more) | ((xd_quad_mask)here[i] & ~more));
    }
}

static void grow_box(struct xd_box *box, const xd_row *row, uint64_t mask)
{
    lower(&box->lo, row);
    raise(&box->hi, row);
    box->any |= mask;
    box->all &= mask;
}

static void box_of_rows(const struct xd_leaf *leaf, uint32_t count, struct xd_box *box)
{
    *box = (struct xd_box){leaf->rows[0], leaf->rows[0], leaf->masks[0], leaf->masks[0]};
    for (uint32_t i = 1; i < count; i++) {
        grow_box(box, &leaf->rows[i], leaf->masks[i]);
    }
}

static void box_of_both(const struct xd_box *a, const struct xd_box *b, struct xd_box *box)
{
    *box = (struct xd_box){a->lo, a->hi, a->any | b->any, a->all & b->all};
    lower(&box->lo, &b->lo);
    raise(&box->hi, &b->hi);
}

static bool same_box(const struct xd_box *a, const struct xd_box *b)
{
    return !memcmp(&a->lo, &b->lo, sizeof a->lo) && !memcmp(&a->hi, &b->hi, sizeof a->hi) && a->any == b->any &&
           a->all == b->all;
}

/* Makes the boxes from a node up exact again, as far as they change. */
static void tighten_above(struct xd_node *node)
{
    for (; node; node = node->parent) {
        struct xd_box box;
        box_of_both(&node->child[0]->box, &node->child[1]->box, &box);
        if (same_box(&box, &node->box)) return;
        node->box = box;
    }
}

static void tighten(struct xd_node *leaf)
{
    box_of_rows(leaf->leaf, leaf->count, &leaf->box);
    tighten_above(leaf->parent);
}

static void add_counts(struct xd_node *node, int by)
{
    for (; node; node = node->parent) {
        node->count = (uint32_t)((int)node->count + by);
    }
}

static void put(struct xd_node *node, uint32_t index, struct xd_slot *slot, const xd_row *row, uint64_t mask)
{
    node->leaf->rows[index] = *row;
    node->leaf->masks[index] = mask;
    node->leaf->slots[index] = slot;
    *xd_tree_place_of(slot) = (struct xd_place_in_tree){node, index};
}

static struct xd_node *new_leaf(struct xd_node *parent)
{
    struct xd_node *node = aligned(sizeof *node);
    struct xd_leaf *leaf = aligned(sizeof *leaf);
    if (!node || !leaf) {
        free(node);
        free(leaf);
        return NULL;
    }
    memset(node, 0, sizeof *node);
    node->leaf = leaf;
    node->parent = parent;
    return node;
}

static void free_nodes(struct xd_node *node)
{
    if (!node) return;
    free_nodes(node->child[0]);
    free_nodes(node->child[1]);
    free(node->leaf);
    free(node);
}

void xd_tree_free(struct xd_tree *tree)
{
    free_nodes(tree->root);
    tree->root = NULL;
}

/* --- splitting and rebuilding ------------------------------------------------------------------------------------------------ */

struct item {
    xd_row row;
    uint64_t mask;
    struct xd_slot *slot;
};

static uint32_t widest(const struct xd_tree *tree, const struct xd_box *box)
{
    uint32_t dim = 0;
    float most = 0;
    for (uint32_t d = 0; d < XD_ROW_LENGTH; d++) {
        float weight = tree->weights[d], spread = box->hi[d] - box->lo[d];
        if (weight < 0) spread = -spread / (fabsf(box->hi[d]) + fabsf(box->lo[d]) + 1);
        if (spread * weight > most) {
            most = spread * weight;
            dim = d;
        }
    }
    return dim;
}

static void swap_items(struct item *a, struct item *b)
{
    struct item kept = *a;
    *a = *b;
    *b = kept;
}

/* Puts the k-th by `dim` in its place, smaller ones before it (C. A. R. Hoare, "Algorithm 65: find", 1961). */
static void select_item(struct item *items, uint32_t count, uint32_t k, uint32_t dim)
{
    int64_t low = 0, high = (int64_t)count - 1;
    while (low < high) {
        float pivot = items[low + (high - low) / 2].row[dim];
        int64_t i = low, j = high;
        while (i <= j) {
            while (items[i].row[dim] < pivot) {
                i++;
            }
            while (items[j].row[dim] > pivot) {
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

static void box_of_items(const struct item *items, uint32_t count, struct xd_box *box)
{
    *box = (struct xd_box){items[0].row, items[0].row, items[0].mask, items[0].mask};
    for (uint32_t i = 1; i < count; i++) {
        grow_box(box, &items[i].row, items[i].mask);
    }
}

static struct xd_node *build(const struct xd_tree *tree, struct item *items, uint32_t count, struct xd_node *parent)
{
    if (count <= XD_LEAF_ROWS * 3 / 4) {
        struct xd_node *node = new_leaf(parent);
        if (!node) return NULL;
        for (uint32_t i = 0; i < count; i++) {
            node->leaf->rows[i] = items[i].row;
            node->leaf->masks[i] = items[i].mask;
            node->leaf->slots[i] = items[i].slot;
        }
        node->count = count;
        box_of_rows(node->leaf, count, &node->box);
        return node;
    }
    struct xd_node *node = aligned(sizeof *node);
    if (!node) return NULL;
    memset(node, 0, sizeof *node);
    node->parent = parent;
    node->count = count;
    box_of_items(items, count, &node->box);
    node->dim = widest(tree, &node->box);
    select_item(items, count, count / 2, node->dim);
    node->split = items[count / 2].row[node->dim];
    node->child[0] = build(tree, items, count / 2, node);
    node->child[1] = node->child[0] ? build(tree, items + count / 2, count - count / 2, node) : NULL;
    if (node->child[1]) return node;
    free_nodes(node);
    return NULL;
}

static struct item *gather(const struct xd_node *node, struct item *at)
{
    if (!node->leaf) return gather(node->child[1], gather(node->child[0], at));
    for (uint32_t i = 0; i < node->count; i++) {
        *at++ = (struct item){node->leaf->rows[i], node->leaf->masks[i], node->leaf->slots[i]};
    }
    return at;
}

static void settle_places(struct xd_node *node)
{
    if (!node->leaf) {
        settle_places(node->child[0]);
        settle_places(node->child[1]);
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        *xd_tree_place_of(node->leaf->slots[i]) = (struct xd_place_in_tree){node, i};
    }
}

static void replace(struct xd_tree *tree, struct xd_node *old, struct xd_node *fresh)
{
    struct xd_node *parent = old->parent;
    fresh->parent = parent;
    if (parent) {
        parent->child[parent->child[1] == old] = fresh;
    } else {
        tree->root = fresh;
    }
}

/* Builds a node anew, its children of equal size. False without memory: it stays as it is. */
static bool rebuild(struct xd_tree *tree, struct xd_node *node)
{
    struct item *items = aligned(node->count * sizeof *items);
    if (!items) return false;
    gather(node, items);
    struct xd_node *fresh = build(tree, items, node->count, node->parent);
    free(items);
    if (!fresh) return false;
    replace(tree, node, fresh);
    settle_places(fresh);
    free_nodes(node);
    return true;
}

static bool lopsided(const struct xd_node *node)
{
    uint32_t left = node->child[0]->count, right = node->child[1]->count;
    uint32_t more = left > right ? left : right;
    return node->count > REBUILD_ROWS && more > node->count / 4 * 3;
}

/* Rebuilds the highest lopsided node on the way up from here. It is no harm if there is no memory for that now. */
static void balance(struct xd_tree *tree, struct xd_node *node)
{
    struct xd_node *highest = NULL;
    for (; node; node = node->parent) {
        if (!node->leaf && lopsided(node)) highest = node;
    }
    if (highest) rebuild(tree, highest);
}

/* --- the three changes ------------------------------------------------------------------------------------------------------- */

static struct xd_node *route(const struct xd_tree *tree, const xd_row *row)
{
    struct xd_node *node = tree->root;
    while (!node->leaf) {
        float value = (*row)[node->dim];
        bool right = value == node->split ? node->child[1]->count < node->child[0]->count : value > node->split;
        node = node->child[right];
    }
    return node;
}

bool xd_tree_add(struct xd_tree *tree, struct xd_slot *slot, const xd_row *row, uint64_t mask)
{
    if (!tree->root && !(tree->root = new_leaf(NULL))) return false;
    struct xd_node *node = route(tree, row);
    if (node->count == XD_LEAF_ROWS) {
        if (!rebuild(tree, node)) return false;
        node = route(tree, row);
    }
    put(node, node->count, slot, row, mask);
    if (node->count == 0) node->box = (struct xd_box){*row, *row, mask, mask};
    add_counts(node, 1);
    for (struct xd_node *up = node; up; up = up->parent) {
        grow_box(&up->box, row, mask);
    }
    balance(tree, node->parent);
    return true;
}

/* Takes a leaf out of the tree, its sibling in its parent's place. */
static void drop_leaf(struct xd_tree *tree, struct xd_node *node)
{
    struct xd_node *parent = node->parent;
    if (parent) {
        struct xd_node *sibling = parent->child[parent->child[0] == node];
        replace(tree, parent, sibling);
        free(parent);
        tighten_above(sibling->parent);
    } else {
        tree->root = NULL;
    }
    free(node->leaf);
    free(node);
}

/* Two leaves that fit into one become one. */
static void join_small(struct xd_tree *tree, struct xd_node *node)
{
    struct xd_node *parent = node->parent;
    if (!parent || parent->count > XD_LEAF_ROWS / 2) return;
    if (parent->child[0]->leaf && parent->child[1]->leaf) rebuild(tree, parent);
}

void xd_tree_remove(struct xd_tree *tree, struct xd_slot *slot)
{
    struct xd_place_in_tree *place = xd_tree_place_of(slot);
    struct xd_node *node = place->node;
    uint32_t last = node->count - 1, index = place->index;
    place->node = NULL;
    add_counts(node, -1);
    if (last == 0) {
        drop_leaf(tree, node);
        return;
    }
    if (index != last) put(node, index, node->leaf->slots[last], &node->leaf->rows[last], node->leaf->masks[last]);
    tighten(node);
    join_small(tree, node);
}

void xd_tree_change(struct xd_tree *tree, struct xd_slot *slot, const xd_row *row, uint64_t mask)
{
    (void)tree;
    struct xd_place_in_tree *place = xd_tree_place_of(slot);
    struct xd_leaf *leaf = place->node->leaf;
    if (!memcmp(&leaf->rows[place->index], row, sizeof *row) && leaf->masks[place->index] == mask) return;
    leaf->rows[place->index] = *row;
    leaf->masks[place->index] = mask;
    tighten(place->node);
}

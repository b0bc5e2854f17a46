#include "engine/index/nodes.h"

#include <math.h>
#include <stddef.h>

enum { FILL_ROWS = XD_LEAF_JOINED, FILL_CHILDREN = XD_BRANCH_JOINED };

static void swap_items(struct xd_item *a, struct xd_item *b)
{
    struct xd_item kept = *a;
    *a = *b;
    *b = kept;
}

/* Puts the k-th by `column` in its place, smaller ones before it (C. A. R. Hoare, "Algorithm 65: find",
 * 1961). */
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

static void box_of_items(const struct xd_row_layout *layout, const struct xd_item *items, uint64_t count,
                         struct xd_box *box)
{
    xd_box_of_row(items[0].row, items[0].mask, box);
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

/* Puts those that lie below the k-th in one of the widest columns first: the one that makes both parts
 * smallest. */
static void part_items(const struct xd_row_layout *layout, struct xd_item *items, uint64_t count, uint64_t k)
{
    struct xd_box box, first, second;
    bool tried[XD_COLUMNS_MAX] = {false};
    unsigned best = 0, column = 0;
    float least = INFINITY;
    box_of_items(layout, items, count, &box);
    for (unsigned i = 0; i < XD_COLUMNS_TRIED; i++) {
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

static struct xd_node *fill(const struct xd_row_layout *layout, struct xd_item *items, uint64_t count,
                            unsigned height);

/* Gives a branch `parts` children more, of equal size, divided by halves. False without memory. */
static bool fill_parts(const struct xd_row_layout *layout, struct xd_branch *branch, struct xd_item *items,
                       uint64_t count, uint64_t parts, unsigned height)
{
    if (parts == 1) {
        struct xd_node *child = fill(layout, items, count, height - 1);
        if (!child) return false;
        xd_branch_adopt(branch, branch->node.count++, child);
        xd_node_measure(layout, child);
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
static struct xd_node *fill(const struct xd_row_layout *layout, struct xd_item *items, uint64_t count,
                            unsigned height)
{
    if (height == 0) {
        struct xd_leaf *leaf = xd_leaf_create(layout);
        for (uint64_t i = 0; leaf && i < count; i++) {
            xd_leaf_put(layout, leaf, leaf->node.count++, items[i].slot, items[i].row, items[i].mask);
        }
        return (struct xd_node *)leaf;
    }
    struct xd_branch *branch = xd_branch_create(layout);
    uint64_t below = rows_below(height - 1);
    if (!branch) return NULL;
    if (fill_parts(layout, branch, items, count, (count + below - 1) / below, height)) return &branch->node;
    xd_nodes_free(&branch->node);
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

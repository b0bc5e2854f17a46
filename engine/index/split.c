#include "engine/index/nodes.h"

#include <math.h>

/* Where a row or a child lies in a column: the middle of its box. */
static float middle(const struct xd_row_layout *layout, const struct xd_node *node, unsigned column,
                    unsigned at)
{
    if (node->is_leaf) return xd_as_leaf(node)->values[column * XD_LEAF_ROWS + at];
    const float *values = xd_as_branch(node)->values;
    return values[column * XD_CHILDREN + at] + values[(layout->columns + column) * XD_CHILDREN + at];
}

/* The order of a node's rows or children in a column. */
static void sort_by(const struct xd_row_layout *layout, const struct xd_node *node, unsigned column,
                    uint8_t order[])
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

/* A way to divide a node: the first `kept` of an order stay. The spread of both boxes, each as often as it
 * has rows, is what a search will pay for it. */
struct division {
    float cost;
    unsigned kept;
    uint8_t order[XD_LEAF_ROWS];
};

static void extent(const struct xd_row_layout *layout, const struct xd_node *node, unsigned at,
                   struct xd_box *out)
{
    if (node->is_leaf) {
        xd_leaf_get(layout, xd_as_leaf(node), at, out);
    } else {
        xd_box_get(layout, xd_as_branch(node), at, out);
    }
}

/* Along one column: where, not far from the middle, both halves are smallest. */
static void divide_along(const struct xd_row_layout *layout, const struct xd_node *node, unsigned column,
                         struct division *out)
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

void xd_node_divide(const struct xd_row_layout *layout, struct xd_node *node, struct xd_node *other)
{
    struct xd_box box;
    struct division best = {.cost = INFINITY}, division;
    bool tried[XD_COLUMNS_MAX] = {false};
    xd_box_of_node(layout, node, &box);
    for (unsigned i = 0; i < XD_COLUMNS_TRIED; i++) {
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
            xd_node_move(layout, node, i, other, other->count++);
        } else {
            if (kept != i) xd_node_move(layout, node, i, node, kept);
            kept++;
        }
    }
    node->count = (uint8_t)kept;
}

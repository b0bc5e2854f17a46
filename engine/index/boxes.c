#include "engine/index/boxes.h"

#include "engine/index/lanes.h"

#include <math.h>
#include <string.h>

static const float *lows(const struct xd_branch *branch, unsigned column)
{
    return branch->values + column * XD_CHILDREN;
}

static const float *highs(const struct xd_row_layout *layout, const struct xd_branch *branch, unsigned column)
{
    return branch->values + (layout->columns + column) * XD_CHILDREN;
}

static float least(const float *values, unsigned count)
{
    xd_lanes least = xd_lanes_of(INFINITY);
    unsigned i = 0;
    for (; i + XD_LANES <= count; i += XD_LANES) {
        least = xd_lanes_min(least, xd_lanes_at(values + i));
    }
    float result = xd_lanes_least(least);
    for (; i < count; i++) {
        result = values[i] < result ? values[i] : result;
    }
    return result;
}

static float greatest(const float *values, unsigned count)
{
    xd_lanes greatest = xd_lanes_of(-INFINITY);
    unsigned i = 0;
    for (; i + XD_LANES <= count; i += XD_LANES) {
        greatest = xd_lanes_max(greatest, xd_lanes_at(values + i));
    }
    float result = xd_lanes_greatest(greatest);
    for (; i < count; i++) {
        result = values[i] > result ? values[i] : result;
    }
    return result;
}

static float least_of(const struct xd_node *node, unsigned column)
{
    const float *values =
        node->is_leaf ? xd_as_leaf(node)->values + column * XD_LEAF_ROWS : lows(xd_as_branch(node), column);
    return least(values, node->count);
}

static float greatest_of(const struct xd_row_layout *layout, const struct xd_node *node, unsigned column)
{
    const float *values = node->is_leaf ? xd_as_leaf(node)->values + column * XD_LEAF_ROWS
                                        : highs(layout, xd_as_branch(node), column);
    return greatest(values, node->count);
}

static void masks_of(const struct xd_node *node, uint64_t *any, uint64_t *all)
{
    const uint64_t *anys = node->is_leaf ? xd_as_leaf(node)->masks : xd_as_branch(node)->any;
    const uint64_t *alls = node->is_leaf ? xd_as_leaf(node)->masks : xd_as_branch(node)->all;
    uint64_t in_any = 0, in_all = UINT64_MAX;
    for (unsigned i = 0; i < node->count; i++) {
        in_any |= anys[i];
        in_all &= alls[i];
    }
    *any = in_any;
    *all = in_all;
}

void xd_box_of_node(const struct xd_row_layout *layout, const struct xd_node *node, struct xd_box *out)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        out->lo[c] = least_of(node, c);
        out->hi[c] = greatest_of(layout, node, c);
    }
    masks_of(node, &out->any, &out->all);
}

void xd_box_put(const struct xd_row_layout *layout, struct xd_branch *branch, unsigned child,
                const struct xd_box *box)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        xd_branch_column(branch, c)[child] = box->lo[c];
        xd_branch_column(branch, layout->columns + c)[child] = box->hi[c];
    }
    branch->any[child] = box->any;
    branch->all[child] = box->all;
}

void xd_box_get(const struct xd_row_layout *layout, const struct xd_branch *branch, unsigned child,
                struct xd_box *out)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        out->lo[c] = lows(branch, c)[child];
        out->hi[c] = highs(layout, branch, c)[child];
    }
    out->any = branch->any[child];
    out->all = branch->all[child];
}

void xd_boxes_widen(const struct xd_row_layout *layout, struct xd_node *node, const struct xd_box *come)
{
    for (; node->parent; node = &node->parent->node) {
        struct xd_branch *branch = node->parent;
        unsigned child = node->place;
        bool wider = (come->any & ~branch->any[child]) || (~come->all & branch->all[child]);
        branch->any[child] |= come->any;
        branch->all[child] &= come->all;
        for (unsigned c = 0; c < layout->columns; c++) {
            float *low = xd_branch_column(branch, c) + child;
            float *high = xd_branch_column(branch, layout->columns + c) + child;
            if (come->lo[c] < *low) {
                *low = come->lo[c];
                wider = true;
            }
            if (come->hi[c] > *high) {
                *high = come->hi[c];
                wider = true;
            }
        }
        if (!wider) return;
    }
}

void xd_boxes_tighten(const struct xd_row_layout *layout, struct xd_node *node, const struct xd_box *gone)
{
    struct xd_box was = *gone; /* what may have made a bound of the node what it is */
    for (; node->parent; node = &node->parent->node) {
        struct xd_branch *branch = node->parent;
        unsigned child = node->place;
        uint64_t any, all;
        masks_of(node, &any, &all);
        bool tighter = any != branch->any[child] || all != branch->all[child];
        branch->any[child] = any;
        branch->all[child] = all;
        for (unsigned c = 0; c < layout->columns; c++) {
            float *low = xd_branch_column(branch, c) + child;
            float *high = xd_branch_column(branch, layout->columns + c) + child;
            float low_now = was.lo[c] <= *low ? least_of(node, c) : *low;
            float high_now = was.hi[c] >= *high ? greatest_of(layout, node, c) : *high;
            was.lo[c] = low_now != *low ? *low : INFINITY;
            was.hi[c] = high_now != *high ? *high : -INFINITY;
            tighter = tighter || low_now != *low || high_now != *high;
            *low = low_now;
            *high = high_now;
        }
        if (!tighter) return;
    }
}

/* A number >= 0 on a scale where a doubling is about 1: the bits of a float are near its logarithm. */
static float doublings(float value)
{
    float above = value + 1;
    int32_t bits;
    memcpy(&bits, &above, sizeof bits);
    return (float)bits * 0x1p-23f;
}

static xd_lanes lanes_doublings(xd_lanes values)
{
    xd_lanes above = values + 1.0f;
    return __builtin_convertvector((xd_lanes_mask)above, xd_lanes) * 0x1p-23f;
}

/* How much each of some children would grow, and a little for how large it is. */
static xd_lanes growth(const struct xd_row_layout *layout, const struct xd_branch *branch, unsigned first,
                       const struct xd_box *box)
{
    xd_lanes grows = {0}, spreads = {0};
    for (unsigned c = 0; c < layout->columns; c++) {
        float weight = layout->weights[c], lo = box->lo[c], hi = box->hi[c];
        if (weight == 0) continue;
        xd_lanes low = xd_lanes_at(lows(branch, c) + first),
                 high = xd_lanes_at(highs(layout, branch, c) + first);
        if (weight < 0) {
            weight = -weight;
            lo = doublings(lo);
            hi = doublings(hi);
            low = lanes_doublings(low);
            high = lanes_doublings(high);
        }
        xd_lanes zero = {0};
        grows += weight * (xd_lanes_max(low - lo, zero) + xd_lanes_max(hi - high, zero));
        spreads += weight * (high - low);
    }
    return grows + spreads * 0x1p-5f;
}

unsigned xd_box_nearest(const struct xd_row_layout *layout, const struct xd_branch *branch,
                        const struct xd_box *box, unsigned except, unsigned most)
{
    unsigned nearest = XD_CHILDREN;
    float least_growth = INFINITY;
    for (unsigned first = 0; first < branch->node.count; first += XD_LANES) {
        xd_lanes grows = growth(layout, branch, first, box);
        for (unsigned i = first; i < first + XD_LANES && i < branch->node.count; i++) {
            float grow = grows[i - first];
            if (grow >= least_growth || i == except || branch->children[i]->count > most) continue;
            least_growth = grow;
            nearest = i;
        }
    }
    return nearest;
}

bool xd_box_holds(const struct xd_row_layout *layout, const struct xd_branch *branch, unsigned child,
                  const xd_row row)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        if (layout->weights[c] == 0) continue;
        if (row[c] < lows(branch, c)[child] || row[c] > highs(layout, branch, c)[child]) return false;
    }
    return true;
}

static float spread_in(const struct xd_row_layout *layout, const struct xd_box *box, unsigned column)
{
    float weight = layout->weights[column];
    return weight < 0 ? -weight * (doublings(box->hi[column]) - doublings(box->lo[column]))
                      : weight * (box->hi[column] - box->lo[column]);
}

unsigned xd_box_widest(const struct xd_row_layout *layout, const struct xd_box *box, const bool *except)
{
    unsigned widest = 0;
    float most = -1;
    for (unsigned c = 0; c < layout->columns; c++) {
        float spread = spread_in(layout, box, c);
        if (spread <= most || (except && except[c])) continue;
        most = spread;
        widest = c;
    }
    return widest;
}

float xd_box_spread(const struct xd_row_layout *layout, const struct xd_box *box)
{
    float spread = 0;
    for (unsigned c = 0; c < layout->columns; c++) {
        if (layout->weights[c] != 0) spread += spread_in(layout, box, c);
    }
    return spread;
}

void xd_box_add(const struct xd_row_layout *layout, struct xd_box *box, const struct xd_box *more)
{
    for (unsigned c = 0; c < layout->columns; c++) {
        box->lo[c] = more->lo[c] < box->lo[c] ? more->lo[c] : box->lo[c];
        box->hi[c] = more->hi[c] > box->hi[c] ? more->hi[c] : box->hi[c];
    }
    box->any |= more->any;
    box->all &= more->all;
}

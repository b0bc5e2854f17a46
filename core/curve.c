#include "core/curve.h"

#include <stdlib.h>

enum { CELLS = 1 << XD_CURVE_ORDER };

struct xd_cell xd_cell_of(struct xd_place place)
{
    int64_t east = place.lon_e7 + INT64_C(180) * XD_E7, north = place.lat_e7 + INT64_C(90) * XD_E7;
    int64_t x = east * CELLS / (INT64_C(360) * XD_E7), y = north * CELLS / (INT64_C(180) * XD_E7);
    return (struct xd_cell){.x = (uint32_t)x % CELLS, .y = y < CELLS ? (uint32_t)y : CELLS - 1};
}

/* --- the curve
 * ---------------------------------------------------------------------------------------------------------
 */

/* The curve in a block is that of the whole map, possibly mirrored at its diagonal (swapped) and turned by
 * half a circle; its quarters are met in the order (0,0) (0,1) (1,1) (1,0). The first and the last quarter
 * are mirrored, the last is turned too. */

static void enter(struct xd_block *block, unsigned right, unsigned upper)
{
    if (upper) return;
    if (right) block->turned = !block->turned;
    block->swapped = !block->swapped;
}

uint32_t xd_curve_index(struct xd_cell cell)
{
    struct xd_block block = XD_BLOCK_WORLD;
    uint32_t index = 0;
    for (unsigned bit = XD_CURVE_ORDER; bit-- > 0;) {
        unsigned x = (cell.x >> bit & 1) ^ block.turned, y = (cell.y >> bit & 1) ^ block.turned;
        unsigned right = block.swapped ? y : x, upper = block.swapped ? x : y;
        index = index << 2 | ((3 * right) ^ upper);
        enter(&block, right, upper);
    }
    return index;
}

uint32_t xd_block_side(const struct xd_block *block)
{
    return UINT32_C(1) << (XD_CURVE_ORDER - block->level);
}

uint32_t xd_block_last(const struct xd_block *block)
{
    return block->first + (uint32_t)((UINT64_C(1) << 2 * (XD_CURVE_ORDER - block->level)) - 1);
}

struct xd_block xd_block_quarter(const struct xd_block *block, unsigned quarter)
{
    struct xd_block out = *block;
    unsigned right = quarter >> 1, upper = (quarter ^ right) & 1;
    unsigned x = (block->swapped ? upper : right) ^ block->turned;
    unsigned y = (block->swapped ? right : upper) ^ block->turned;
    out.level++;
    uint32_t side = xd_block_side(&out);
    out.x += x * side;
    out.y += y * side;
    out.first += (uint32_t)(quarter * ((uint64_t)side * side));
    enter(&out, right, upper);
    return out;
}

/* --- ranges
 * ------------------------------------------------------------------------------------------------------------
 */

bool xd_layout_valid(const struct xd_layout *layout)
{
    if (layout->count < 1 || layout->count > XD_RANGES_MAX) return false;
    uint32_t before = 0;
    for (uint32_t i = 0; i + 1 < layout->count; i++) {
        if (layout->cuts[i] <= before || layout->cuts[i] % XD_CURVE_GRAIN) return false;
        before = layout->cuts[i];
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
    return one < other ? -1 : one > other;
}

/* The cut before the places from the i-th part of them on, moved as far as it must to leave every range a
 * grain. */
static uint32_t cut_at(const uint32_t *sorted, size_t place_count, uint32_t i, const struct xd_layout *layout)
{
    uint64_t part = (UINT64_C(1) << 32) / layout->count * i;
    uint64_t cut = place_count ? sorted[(size_t)((unsigned __int128)place_count * i / layout->count)] : part;
    cut = (cut + XD_CURVE_GRAIN / 2) / XD_CURVE_GRAIN * XD_CURVE_GRAIN;
    uint64_t least = (uint64_t)(i > 1 ? layout->cuts[i - 2] : 0) + XD_CURVE_GRAIN;
    uint64_t most = (UINT64_C(1) << 32) - (uint64_t)(layout->count - i) * XD_CURVE_GRAIN;
    if (cut < least) cut = least;
    return (uint32_t)(cut > most ? most : cut);
}

bool xd_layout_cut(const struct xd_place *places, size_t place_count, uint32_t count, struct xd_layout *out)
{
    if (count < 1 || count > XD_RANGES_MAX) return false;
    uint32_t *sorted = place_count ? calloc(place_count, sizeof *sorted) : NULL;
    if (place_count && !sorted) return false;
    for (size_t i = 0; i < place_count; i++) {
        sorted[i] = xd_curve_index(xd_cell_of(places[i]));
    }
    if (sorted) qsort(sorted, place_count, sizeof *sorted, by_value);
    struct xd_layout layout = {.count = count};
    for (uint32_t i = 1; i < count; i++) {
        layout.cuts[i - 1] = cut_at(sorted, place_count, i, &layout);
    }
    free(sorted);
    *out = layout;
    return true;
}

uint32_t xd_layout_range(const struct xd_layout *layout, uint32_t index)
{
    uint32_t low = 0, high = layout->count - 1; /* the range lies within, both ends included */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (index < layout->cuts[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

uint16_t xd_layout_partition(const struct xd_layout *layout, unsigned kind, struct xd_place place)
{
    return (uint16_t)(kind * layout->count + xd_layout_range(layout, xd_curve_index(xd_cell_of(place))));
}

#include "core/cover.h"

#include "core/schema.h"

#include <math.h>

enum { CELLS = 1 << XD_CURVE_ORDER, ROUNDING_M = 100 };

/* --- extents
 * -----------------------------------------------------------------------------------------------------------
 */

struct xd_oval xd_oval_lane(struct xd_unit_vector a, struct xd_unit_vector b, int64_t road_m,
                            int32_t road_factor_e4)
{
    double metres = road_m < 0 ? -1.0 : (double)(road_m + ROUNDING_M) * 10000.0 / (double)road_factor_e4;
    return (struct xd_oval){.a = a, .b = b, .metres = metres};
}

struct xd_oval xd_oval_disc(struct xd_unit_vector centre, int64_t road_m, int32_t road_factor_e4)
{
    return xd_oval_lane(centre, centre, 2 * road_m, road_factor_e4);
}

struct xd_place xd_order_place(const struct xd_order *order)
{
    return order->kind == XD_TRUCK ? order->from : order->at;
}

bool xd_order_extent(const struct xd_order *order, int32_t road_factor_e4, struct xd_oval *out)
{
    struct xd_unit_vector place = xd_place_vector(xd_order_place(order));
    if (order->kind != XD_TRUCK) {
        if (order->side != XD_REQUEST) return false;
        *out = xd_oval_disc(place, order->radius_m, road_factor_e4);
        return true;
    }
    if (order->side != XD_OFFER) return false;
    if (order->given >> XD_F_TO & 1) {
        struct xd_unit_vector to = xd_place_vector(order->to);
        int64_t lane_m = xd_distance_m(place, to, road_factor_e4);
        *out = xd_oval_lane(place, to, lane_m + order->max_detour_m, road_factor_e4);
    } else {
        *out = xd_oval_disc(place, order->max_detour_m, road_factor_e4);
    }
    return true;
}

/* --- blocks on the globe
 * ----------------------------------------------------------------------------------------------- */

/* A block's edges: its meridians as directions in the plane of the equator, its parallels as (cosine, 0,
 * sine). */
struct bounds {
    bool all_round;
    struct xd_unit_vector west, east, south, north;
};

/* Where a line between cells lies, in 1e-7 degrees: rounded towards smaller numbers. */
static int32_t line_e7(uint32_t line, int64_t degrees)
{
    return (int32_t)((int64_t)line * 2 * degrees * XD_E7 / CELLS - degrees * XD_E7);
}

static void find_bounds(const struct xd_block *block, struct bounds *out)
{
    uint32_t side = xd_block_side(block), east = block->x + side, north = block->y + side;
    int32_t past_east = east < CELLS, past_north = north < CELLS; /* to round outward */
    out->all_round = side == CELLS;
    out->west = xd_place_vector((struct xd_place){0, line_e7(block->x, 180)});
    out->east = xd_place_vector((struct xd_place){0, line_e7(east, 180) + past_east});
    out->south = xd_place_vector((struct xd_place){line_e7(block->y, 90), 0});
    out->north = xd_place_vector((struct xd_place){line_e7(north, 90) + past_north, 0});
}

static bool between(const struct bounds *bounds, struct xd_unit_vector p)
{
    const struct xd_unit_vector *w = &bounds->west, *e = &bounds->east;
    return bounds->all_round || (w->x * p.y - w->y * p.x >= 0 && p.x * e->y - p.y * e->x >= 0);
}

/* The meridian of the block that p is nearest to, as a direction: p's own where it is between the edges, else
 * the edge that is fewer degrees away. */
static struct xd_unit_vector meridian(const struct bounds *bounds, struct xd_unit_vector p)
{
    const struct xd_unit_vector *w = &bounds->west, *e = &bounds->east;
    if (!between(bounds, p)) return p.x * w->x + p.y * w->y > p.x * e->x + p.y * e->y ? *w : *e;
    double length = sqrt(p.x * p.x + p.y * p.y);
    if (length == 0) return *w;
    return (struct xd_unit_vector){p.x / length, p.y / length, 0};
}

/* The angle between p and the nearest point of the block. Along a parallel the distance grows with the
 * difference of longitude, so that point is on the nearest meridian; there it is the foot of p on the
 * meridian's circle, or an end. */
static double angle_to(const struct bounds *bounds, struct xd_unit_vector p)
{
    struct xd_unit_vector m = meridian(bounds, p);
    double x = p.x * m.x + p.y * m.y, z = p.z;
    const struct xd_unit_vector *s = &bounds->south, *n = &bounds->north;
    double length = sqrt(x * x + z * z);
    double cosine = s->x, sine = s->z;
    if (s->x * z - s->z * x >= 0 && x * n->z - z * n->x >= 0 && length > 0) {
        cosine = x / length;
        sine = z / length;
    } else if (x * n->x + z * n->z > x * s->x + z * s->z) {
        cosine = n->x;
        sine = n->z;
    }
    return xd_angle(p, (struct xd_unit_vector){m.x * cosine, m.y * cosine, sine});
}

/* --- the descent
 * ------------------------------------------------------------------------------------------------------- */

/* What an extent is to the descent. */
struct probe {
    const struct xd_layout *layout;
    bool (*touches)(const struct probe *probe, const struct xd_block *block);
    const struct xd_oval *oval;
    double most; /* radians */
    struct xd_cell low, high;
    uint64_t found;
};

/* A block in a single range is looked into down to this level, where the oval can come near without touching
 * it; below, a block is small against any extent worth having, and taken as touched. */
enum { FINE_LEVEL = 10 };

static bool oval_touches(const struct probe *probe, const struct xd_block *block)
{
    struct bounds bounds;
    find_bounds(block, &bounds);
    const struct xd_oval *oval = probe->oval;
    double near_a = angle_to(&bounds, oval->a);
    if (near_a > probe->most) return false;
    return near_a + angle_to(&bounds, oval->b) <= probe->most;
}

static bool box_touches(const struct probe *probe, const struct xd_block *block)
{
    uint32_t side = xd_block_side(block);
    return block->x <= probe->high.x && block->x + side > probe->low.x && block->y <= probe->high.y &&
           block->y + side > probe->low.y;
}

static uint64_t ranges(uint32_t first, uint32_t last)
{
    return UINT64_MAX >> (63 - (last - first)) << first;
}

static void descend(struct probe *probe, const struct xd_block *block)
{
    uint32_t first = xd_layout_range(probe->layout, block->first);
    uint32_t last = xd_layout_range(probe->layout, xd_block_last(block));
    if (!(ranges(first, last) & ~probe->found) || !probe->touches(probe, block)) return;
    if (block->level == XD_CURVE_ORDER || (first == last && block->level >= FINE_LEVEL)) {
        probe->found |= ranges(first, last);
        return;
    }
    for (unsigned quarter = 0; quarter < 4; quarter++) {
        struct xd_block part = xd_block_quarter(block, quarter);
        descend(probe, &part);
    }
}

uint64_t xd_cover_oval(const struct xd_layout *layout, const struct xd_oval *oval, uint64_t among)
{
    if (oval->metres < 0) return 0;
    /* A metre for what the angles are off. */
    struct probe probe = {.layout = layout,
                          .touches = oval_touches,
                          .oval = oval,
                          .most = (oval->metres + 1.0) / XD_EARTH_RADIUS_M,
                          .found = ~among};
    descend(&probe, &XD_BLOCK_WORLD);
    return probe.found & among;
}

uint64_t xd_cover_box(const struct xd_layout *layout, struct xd_place south_west, struct xd_place north_east)
{
    const int32_t edge = 180 * XD_E7;
    struct probe probe = {.layout = layout, .touches = box_touches};
    if (south_west.lon_e7 == edge) south_west.lon_e7 = -edge;
    probe.low = xd_cell_of(south_west);
    probe.high = xd_cell_of(north_east);
    uint32_t east = probe.high.x;
    /* 180 east lies in the westmost column of cells */
    bool round = south_west.lon_e7 > north_east.lon_e7 || north_east.lon_e7 == edge;
    if (round) probe.high.x = CELLS - 1;
    descend(&probe, &XD_BLOCK_WORLD);
    if (!round) return probe.found;
    probe.low.x = 0;
    probe.high.x = east;
    descend(&probe, &XD_BLOCK_WORLD);
    return probe.found;
}

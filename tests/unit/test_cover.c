#include "core/cover.h"

#include "core/schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

enum { LAT_MAX = 90 * XD_E7, LON_MAX = 180 * XD_E7, MARKET_PLACES = 5000 };

static const double degree = 3.14159265358979323846 / 180;

static struct xd_place place_at(double lat, double lon)
{
    while (lon > 180)
        lon -= 360;
    while (lon < -180)
        lon += 360;
    return (struct xd_place){(int32_t)lrint(lat * XD_E7), (int32_t)lrint(lon * XD_E7)};
}

static struct xd_place anywhere(struct rng *rng)
{
    return (struct xd_place){(int32_t)rng_between(rng, -LAT_MAX, LAT_MAX),
                             (int32_t)rng_between(rng, -LON_MAX, LON_MAX)};
}

static struct xd_place in_market(struct rng *rng)
{
    return (struct xd_place){(int32_t)rng_between(rng, 430000000, 540000000),
                             (int32_t)rng_between(rng, -20000000, 200000000)};
}

/* A place where the map has an edge: the poles, the antimeridian, the middle where the first cuts go. */
static struct xd_place awkward(struct rng *rng)
{
    int32_t near = (int32_t)(rng_between(rng, 0, 1) ? 0 : rng_between(rng, 0, 30000000));
    switch (rng_next(rng) % 5) {
    case 0:
        return (struct xd_place){LAT_MAX - near, (int32_t)rng_between(rng, -LON_MAX, LON_MAX)};
    case 1:
        return (struct xd_place){near - LAT_MAX, (int32_t)rng_between(rng, -LON_MAX, LON_MAX)};
    case 2:
        return (struct xd_place){(int32_t)rng_between(rng, -LAT_MAX, LAT_MAX), LON_MAX - near};
    case 3:
        return (struct xd_place){(int32_t)rng_between(rng, -LAT_MAX, LAT_MAX), near - LON_MAX};
    default:
        return (struct xd_place){near, near};
    }
}

/* Where one comes to from a place, by bearing (radians) and distance (metres): the textbook formula on the
 * sphere. */
static struct xd_place go(struct xd_place from, double bearing, double metres)
{
    double lat = from.lat_e7 * degree / XD_E7, lon = from.lon_e7 * degree / XD_E7,
           d = metres / XD_EARTH_RADIUS_M;
    double sine = sin(lat) * cos(d) + cos(lat) * sin(d) * cos(bearing);
    double north = asin(fmax(-1, fmin(1, sine)));
    double east = lon + atan2(sin(bearing) * sin(d) * cos(lat), cos(d) - sin(lat) * sine);
    return place_at(north / degree, east / degree);
}

static double sum_m(const struct xd_oval *oval, struct xd_place place)
{
    struct xd_unit_vector at = xd_place_vector(place);
    return (xd_angle(oval->a, at) + xd_angle(at, oval->b)) * XD_EARTH_RADIUS_M;
}

static bool holds(uint64_t set, const struct xd_layout *layout, struct xd_place place)
{
    return set >> xd_layout_range(layout, xd_curve_index(xd_cell_of(place))) & 1;
}

/* Cuts by places of the whole world, of a market, or anywhere on the curve. */
static void random_layout(struct rng *rng, struct xd_layout *out)
{
    static struct xd_place places[MARKET_PLACES];
    int64_t way = rng_between(rng, 0, 2);
    for (int i = 0; i < MARKET_PLACES; i++) {
        places[i] = way == 0 ? anywhere(rng) : way == 1 ? in_market(rng) : awkward(rng);
    }
    assert_true(xd_layout_cut(places, MARKET_PLACES, (uint32_t)rng_between(rng, 2, XD_RANGES_MAX), out));
}

struct drawn {
    struct xd_place a, b;
    struct xd_oval oval;
};

static struct drawn random_oval(struct rng *rng)
{
    struct drawn out;
    int64_t way = rng_between(rng, 0, 2);
    out.a = way == 0 ? anywhere(rng) : way == 1 ? in_market(rng) : awkward(rng);
    double reach = (double)(INT64_C(1) << rng_between(rng, 5, 22)) * (double)rng_between(rng, 100, 200) / 100;
    out.b = rng_between(rng, 0, 2) ? go(out.a, (double)rng_between(rng, 0, 6283) / 1000, reach) : out.a;
    out.oval = (struct xd_oval){.a = xd_place_vector(out.a), .b = xd_place_vector(out.b)};
    out.oval.metres =
        xd_angle(out.oval.a, out.oval.b) * XD_EARTH_RADIUS_M + reach * (double)rng_between(rng, 0, 100) / 100;
    return out;
}

/* The farthest place on the oval's edge in a direction from its first focus. */
static struct xd_place edge(const struct drawn *drawn, double bearing)
{
    double low = 0, high = drawn->oval.metres;
    for (int i = 0; i < 40; i++) {
        double middle = (low + high) / 2;
        *(sum_m(&drawn->oval, go(drawn->a, bearing, middle)) <= drawn->oval.metres ? &low : &high) = middle;
    }
    return go(drawn->a, bearing, low);
}

static void no_range_on_the_edge_is_missed(void **state)
{
    (void)state;
    struct rng rng = {1};
    struct xd_layout layout;
    for (int round = 0; round < 1000; round++) {
        if (round % 20 == 0) random_layout(&rng, &layout);
        struct drawn drawn = random_oval(&rng);
        uint64_t set = xd_cover_oval(&layout, &drawn.oval, UINT64_MAX);
        assert_true(holds(set, &layout, drawn.a));
        assert_true(holds(set, &layout, drawn.b));
        for (int i = 0; i < 64; i++) {
            struct xd_place place = edge(&drawn, i * 2 * 3.14159265358979 / 64);
            if (sum_m(&drawn.oval, place) <= drawn.oval.metres) assert_true(holds(set, &layout, place));
        }
    }
}

/* Every place of a grid over the whole map, half a degree wide. */
static void no_range_inside_is_missed(void **state)
{
    (void)state;
    struct rng rng = {2};
    struct xd_layout layout;
    for (int round = 0; round < 25; round++) {
        random_layout(&rng, &layout);
        struct drawn drawn = random_oval(&rng);
        uint64_t set = xd_cover_oval(&layout, &drawn.oval, UINT64_MAX);
        double most = drawn.oval.metres / XD_EARTH_RADIUS_M;
        for (int lat = -180; lat <= 180; lat++) {
            for (int lon = -360; lon < 360; lon++) {
                struct xd_place place = {lat * (XD_E7 / 2), lon * (XD_E7 / 2)};
                if (holds(set, &layout, place)) continue;
                struct xd_unit_vector at = xd_place_vector(place);
                double near = xd_angle(drawn.oval.a, at);
                assert_false(near <= most && near + xd_angle(at, drawn.oval.b) <= most);
            }
        }
    }
}

/* What is found by sampling the oval densely is what it touches, very nearly; the rest is too many. */
static void few_ranges_are_too_many(void **state)
{
    (void)state;
    enum { OVALS = 300, SAMPLES = 4000 };
    struct rng rng = {3};
    static struct xd_place places[MARKET_PLACES];
    for (int i = 0; i < MARKET_PLACES; i++) {
        places[i] = in_market(&rng);
    }
    struct xd_layout layout;
    assert_true(xd_layout_cut(places, MARKET_PLACES, 16, &layout));
    uint64_t named = 0, touched = 0;
    for (int round = 0; round < OVALS; round++) {
        struct drawn drawn = {.a = in_market(&rng), .b = in_market(&rng)};
        if (round % 2) drawn.b = drawn.a; /* discs of 20..150 km, and lanes with a detour of as much */
        drawn.oval = (struct xd_oval){.a = xd_place_vector(drawn.a), .b = xd_place_vector(drawn.b)};
        drawn.oval.metres = xd_angle(drawn.oval.a, drawn.oval.b) * XD_EARTH_RADIUS_M;
        drawn.oval.metres += (double)rng_between(&rng, 20000, 150000) * (round % 2 ? 2 : 1);
        uint64_t found = 0;
        for (int i = 0; i < SAMPLES; i++) {
            double bearing = (double)rng_between(&rng, 0, 6283185) / 1000000;
            struct xd_place place = edge(&drawn, bearing);
            found |= UINT64_C(1) << xd_layout_range(&layout, xd_curve_index(xd_cell_of(place)));
            i += 10; /* the edge costs as much as ten inner points */
            for (int inner = 0; inner < 10; inner++) {
                place = go(drawn.a, bearing, drawn.oval.metres * (double)rng_between(&rng, 0, 1000) / 1000);
                if (sum_m(&drawn.oval, place) > drawn.oval.metres) continue;
                found |= UINT64_C(1) << xd_layout_range(&layout, xd_curve_index(xd_cell_of(place)));
            }
        }
        uint64_t set = xd_cover_oval(&layout, &drawn.oval, UINT64_MAX);
        assert_false(found & ~set);
        named += (uint64_t)__builtin_popcountll(set);
        touched += (uint64_t)__builtin_popcountll(found);
    }
    print_message("%.3f ranges named for each touched, %.2f of 16 an extent\n",
                  (double)named / (double)touched, (double)named / OVALS);
    assert_true(named * 100 <= touched * 105);
}

static void a_cover_is_cheap(void **state)
{
    (void)state;
    enum { OVALS = 5000 };
    struct rng rng = {4};
    static struct xd_place places[MARKET_PLACES];
    static struct xd_oval ovals[OVALS];
    for (int i = 0; i < MARKET_PLACES; i++) {
        places[i] = in_market(&rng);
    }
    for (int i = 0; i < OVALS; i++) {
        ovals[i] =
            (struct xd_oval){.a = xd_place_vector(in_market(&rng)), .b = xd_place_vector(in_market(&rng))};
        ovals[i].metres = xd_angle(ovals[i].a, ovals[i].b) * XD_EARTH_RADIUS_M + 100000;
    }
    struct xd_layout layout;
    assert_true(xd_layout_cut(places, MARKET_PLACES, 16, &layout));
    uint64_t all = 0;
    clock_t begun = clock();
    for (int i = 0; i < OVALS; i++) {
        all |= xd_cover_oval(&layout, &ovals[i], UINT64_MAX);
    }
    print_message("%.1f us a cover\n", (double)(clock() - begun) * 1e6 / CLOCKS_PER_SEC / OVALS);
    assert_int_equal(all, 0xffff);
}

static void boxes_are_covered(void **state)
{
    (void)state;
    struct rng rng = {5};
    struct xd_layout layout;
    for (int round = 0; round < 2000; round++) {
        if (round % 20 == 0) random_layout(&rng, &layout);
        struct xd_place one = anywhere(&rng), other = round % 2 ? anywhere(&rng) : awkward(&rng);
        struct xd_place south_west = {one.lat_e7 < other.lat_e7 ? one.lat_e7 : other.lat_e7, one.lon_e7};
        struct xd_place north_east = {one.lat_e7 > other.lat_e7 ? one.lat_e7 : other.lat_e7, other.lon_e7};
        int64_t width = (int64_t)north_east.lon_e7 - south_west.lon_e7;
        if (width < 0) width += INT64_C(360) * XD_E7;
        uint64_t set = xd_cover_box(&layout, south_west, north_east);
        for (int i = 0; i < 200; i++) {
            int64_t lon = south_west.lon_e7 + (i == 0 ? width : rng_between(&rng, 0, width));
            if (lon > LON_MAX) lon -= INT64_C(360) * XD_E7;
            struct xd_place inside = {(int32_t)rng_between(&rng, south_west.lat_e7, north_east.lat_e7),
                                      (int32_t)lon};
            assert_true(holds(set, &layout, inside));
        }
    }
}

static void a_small_box_touches_little(void **state)
{
    (void)state;
    struct xd_layout layout;
    assert_true(xd_layout_cut(NULL, 0, 64, &layout));
    assert_int_equal(__builtin_popcountll(xd_cover_box(&layout, place_at(50, 10), place_at(51, 11))), 1);
    assert_int_equal(__builtin_popcountll(xd_cover_box(&layout, place_at(-90, -180), place_at(90, 180))), 64);
    /* across the antimeridian: the two columns at the edges of the map */
    assert_int_equal(__builtin_popcountll(xd_cover_box(&layout, place_at(-90, 179), place_at(90, -179))), 16);
}

static void extents_of_orders(void **state)
{
    (void)state;
    struct xd_oval oval;
    struct xd_order order = {.side = XD_REQUEST, .kind = XD_COLD, .at = place_at(50, 10), .radius_m = 100000};
    assert_true(xd_order_extent(&order, 12500, &oval));
    assert_true(fabs(oval.metres - 160000) < 200); /* 100 km of road are 80 km of great circle */
    order.side = XD_OFFER;
    assert_false(xd_order_extent(&order, 12500, &oval));

    struct xd_order truck = {
        .side = XD_OFFER, .kind = XD_TRUCK, .from = place_at(50, 10), .max_detour_m = 50000};
    truck.to = place_at(52, 13);
    assert_true(xd_order_extent(&truck, 10000, &oval));
    assert_true(fabs(oval.metres - 100000) < 200); /* `to` was not given: a disc */
    truck.given = UINT64_C(1) << XD_F_TO;
    assert_true(xd_order_extent(&truck, 10000, &oval));
    double lane = xd_angle(oval.a, oval.b) * XD_EARTH_RADIUS_M;
    assert_true(fabs(oval.metres - lane - 50000) < 200);
    assert_int_equal(xd_order_place(&truck).lat_e7, 500000000);
    truck.side = XD_REQUEST;
    assert_false(xd_order_extent(&truck, 10000, &oval));
}

static void an_empty_extent_touches_nothing(void **state)
{
    (void)state;
    struct xd_layout layout;
    assert_true(xd_layout_cut(NULL, 0, 4, &layout));
    struct xd_unit_vector at = xd_place_vector(place_at(1, 1));
    struct xd_oval oval = xd_oval_disc(at, -1, 12500);
    assert_int_equal(xd_cover_oval(&layout, &oval, UINT64_MAX), 0);
    oval = xd_oval_disc(at, 0, 12500);
    assert_int_equal(__builtin_popcountll(xd_cover_oval(&layout, &oval, UINT64_MAX)), 1);
    oval = xd_oval_disc(at, 100000000, 12500);
    assert_int_equal(xd_cover_oval(&layout, &oval, UINT64_MAX), 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_range_on_the_edge_is_missed),
        cmocka_unit_test(no_range_inside_is_missed),
        cmocka_unit_test(few_ranges_are_too_many),
        cmocka_unit_test(a_cover_is_cheap),
        cmocka_unit_test(boxes_are_covered),
        cmocka_unit_test(a_small_box_touches_little),
        cmocka_unit_test(extents_of_orders),
        cmocka_unit_test(an_empty_extent_touches_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

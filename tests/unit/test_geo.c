#include "core/geo.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

enum { LAT_MAX = 90 * XD_E7, LON_MAX = 180 * XD_E7, PAIRS = 1000000 };

static const long double radians_per_e7 = 3.14159265358979323846264338327950288L / LON_MAX;
static const long double radius_m = 6371008.8L;

/* Long doubles, the C library's functions and another formula (cross and dot product): metres. */
static long double reference_m(struct xd_place a, struct xd_place b)
{
    long double lat_a = a.lat_e7 * radians_per_e7, lat_b = b.lat_e7 * radians_per_e7;
    long double d = ((long double)b.lon_e7 - (long double)a.lon_e7) * radians_per_e7;
    long double across = cosl(lat_b) * sinl(d);
    long double along = cosl(lat_a) * sinl(lat_b) - sinl(lat_a) * cosl(lat_b) * cosl(d);
    long double dot = sinl(lat_a) * sinl(lat_b) + cosl(lat_a) * cosl(lat_b) * cosl(d);
    return radius_m * atan2l(hypotl(across, along), dot);
}

static int32_t clamp(int64_t value, int32_t limit)
{
    if (value > limit) return limit;
    return value < -limit ? -limit : (int32_t)value;
}

static struct xd_place anywhere(struct rng *rng)
{
    return (struct xd_place){(int32_t)rng_between(rng, -LAT_MAX, LAT_MAX),
                             (int32_t)rng_between(rng, -LON_MAX, LON_MAX)};
}

static struct xd_place near(struct rng *rng, struct xd_place place)
{
    int64_t reach = INT64_C(1) << rng_between(rng, 0, 24);
    return (struct xd_place){clamp(place.lat_e7 + rng_between(rng, -reach, reach), LAT_MAX),
                             clamp(place.lon_e7 + rng_between(rng, -reach, reach), LON_MAX)};
}

static struct xd_place antipode(struct xd_place place)
{
    return (struct xd_place){-place.lat_e7,
                             place.lon_e7 > 0 ? place.lon_e7 - LON_MAX : place.lon_e7 + LON_MAX};
}

/* A pair of places that is hard in one of the ways there are. */
static void pick_pair(struct rng *rng, struct xd_place *a, struct xd_place *b)
{
    *a = anywhere(rng);
    *b = anywhere(rng);
    switch (rng_next(rng) % 6) {
    case 0: /* neighbours */
        *b = near(rng, *a);
        break;
    case 1:
        *b = near(rng, antipode(*a));
        break;
    case 2: /* at and about a pole */
        *a = near(rng, (struct xd_place){LAT_MAX, a->lon_e7});
        *b = near(rng, (struct xd_place){rng_next(rng) % 4 ? LAT_MAX : -LAT_MAX, b->lon_e7});
        break;
    case 3: /* on both sides of the antimeridian */
        *a = near(rng, (struct xd_place){a->lat_e7, LON_MAX});
        *b = near(rng, (struct xd_place){a->lat_e7, -LON_MAX});
        break;
    case 4: /* where the octants meet */
        *a = near(rng, (struct xd_place){LAT_MAX / 2, LON_MAX / 4 * (int32_t)rng_between(rng, -4, 4)});
        break;
    default:
        break;
    }
}

static void agrees_with_long_doubles(void **state)
{
    (void)state;
    struct rng rng = {5};
    long double worst = 0;
    int ambiguous = 0;
    for (int i = 0; i < PAIRS; i++) {
        struct xd_place a, b;
        pick_pair(&rng, &a, &b);
        struct xd_unit_vector u = xd_place_vector(a), v = xd_place_vector(b);
        long double expected = reference_m(a, b);
        long double error = fabsl(xd_angle(u, v) * radius_m - expected);
        if (error > worst) worst = error;
        assert_true(error < 1e-7L);

        int32_t factor = i % 2 ? 12500 : (int32_t)rng_between(&rng, 10000, 20000);
        long double road = expected * factor / 10000;
        if (fabsl(road - floorl(road) - 0.5L) < 1e-6L) {
            ambiguous++;
            continue;
        }
        assert_int_equal(xd_distance_m(u, v, factor), llroundl(road));
        assert_int_equal(xd_distance_m(v, u, factor), xd_distance_m(u, v, factor));
    }
    print_message("%d pairs: worst error %.2Le m, %d within 1e-6 m of a half\n", (int)PAIRS, worst,
                  ambiguous);
}

static void vectors_are_exact_where_places_are(void **state)
{
    (void)state;
    struct xd_unit_vector pole = xd_place_vector((struct xd_place){LAT_MAX, 123456789});
    assert_true(pole.x == 0 && pole.y == 0 && pole.z == 1);
    struct xd_unit_vector east = xd_place_vector((struct xd_place){0, LAT_MAX});
    assert_true(east.x == 0 && east.y == 1 && east.z == 0);
    struct xd_unit_vector dateline = xd_place_vector((struct xd_place){0, LON_MAX});
    struct xd_unit_vector other_side = xd_place_vector((struct xd_place){0, -LON_MAX});
    assert_true(dateline.x == -1 && dateline.y == 0 && other_side.x == -1 && other_side.y == 0);
    assert_int_equal(xd_distance_m(dateline, other_side, 12500), 0);
}

static void sines_are_within_two_ulps(void **state)
{
    (void)state;
    struct rng rng = {6};
    for (int i = 0; i < 300000; i++) {
        struct xd_place place = {0, (int32_t)rng_between(&rng, -LON_MAX, LON_MAX)};
        if (i % 3 == 0) place.lon_e7 >>= rng_between(&rng, 0, 30);
        struct xd_unit_vector v = xd_place_vector(place);
        long double x = cosl(place.lon_e7 * radians_per_e7), y = sinl(place.lon_e7 * radians_per_e7);
        assert_true(fabsl(v.x - x) <= 2 * 0x1p-53L);
        assert_true(fabsl(v.y - y) <= 2 * 0x1p-53L);
        /* Near 180 degrees the reference's own angle is not exact enough to speak of small sines. */
        if (place.lon_e7 >= -LAT_MAX && place.lon_e7 <= LAT_MAX)
            assert_true(fabsl(v.y - y) <= 4 * 0x1p-53L * fabsl(y));
    }
}

static void known_distances(void **state)
{
    (void)state;
    struct xd_unit_vector shanghai = xd_place_vector((struct xd_place){312300000, 1214700000});
    struct xd_unit_vector beijing = xd_place_vector((struct xd_place){399000000, 1164000000});
    assert_int_equal(xd_distance_m(shanghai, shanghai, 12500), 0);
    struct xd_unit_vector origin = xd_place_vector((struct xd_place){0, 0});
    struct xd_unit_vector quarter = xd_place_vector((struct xd_place){0, 900000000});
    struct xd_unit_vector opposite = xd_place_vector((struct xd_place){0, 1800000000});
    assert_int_equal(xd_distance_m(origin, quarter, 10000), 10007557); /* pi/2 R = 10007557.2 m */
    assert_int_equal(xd_distance_m(origin, opposite, 10000), 20015114);
    assert_int_equal(xd_distance_m(shanghai, beijing, 10000), 1067079);
}

static void drives_round_up(void **state)
{
    (void)state;
    assert_int_equal(xd_drive_s(0, 600), 0);
    assert_int_equal(xd_drive_s(1, 600), 1);
    assert_int_equal(xd_drive_s(60000, 600), 3600);
    assert_int_equal(xd_drive_s(60001, 600), 3601);
    assert_int_equal(xd_drive_s(1000, 1), 36000);
    assert_int_equal(xd_drive_s(25018893, 605), 1488728);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_long_doubles),  cmocka_unit_test(vectors_are_exact_where_places_are),
        cmocka_unit_test(sines_are_within_two_ulps), cmocka_unit_test(known_distances),
        cmocka_unit_test(drives_round_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

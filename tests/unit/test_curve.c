#include "core/curve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

enum { LAT_MAX = 90 * XD_E7, LON_MAX = 180 * XD_E7 };

static struct xd_place anywhere(struct rng *rng)
{
    return (struct xd_place){(int32_t)rng_between(rng, -LAT_MAX, LAT_MAX),
                             (int32_t)rng_between(rng, -LON_MAX, LON_MAX)};
}

static void assert_cell(int32_t lat_e7, int32_t lon_e7, uint32_t x, uint32_t y)
{
    struct xd_cell cell = xd_cell_of((struct xd_place){lat_e7, lon_e7});
    assert_int_equal(cell.x, x);
    assert_int_equal(cell.y, y);
}

static void places_have_cells(void **state)
{
    (void)state;
    assert_cell(0, 0, 32768, 32768);
    assert_cell(-1, -1, 32767, 32767);
    assert_cell(-LAT_MAX, -LON_MAX, 0, 0);
    assert_cell(LAT_MAX, LON_MAX - 1, 65535, 65535);
    assert_cell(0, LON_MAX, 0, 32768); /* 180 east is 180 west */
    assert_cell(27466, 0, 32768, 32769);
    assert_cell(27465, 0, 32768, 32768);
}

/* The cell of an index, found by going down the quarters. */
static struct xd_cell cell_at(uint32_t index)
{
    struct xd_block block = XD_BLOCK_WORLD;
    while (block.level < XD_CURVE_ORDER) {
        block = xd_block_quarter(&block, index >> 2 * (XD_CURVE_ORDER - 1 - block.level) & 3);
    }
    assert_int_equal(block.first, index);
    assert_int_equal(xd_block_last(&block), index);
    return (struct xd_cell){block.x, block.y};
}

static void the_curve_passes_from_neighbour_to_neighbour(void **state)
{
    (void)state;
    struct rng rng = {1};
    for (int i = 0; i < 200000; i++) {
        uint32_t index = (uint32_t)rng_next(&rng);
        if (index == UINT32_MAX) continue;
        if (i % 2) index |= (UINT32_C(1) << rng_between(&rng, 1, 31)) - 1; /* the next step leaves a block */
        if (index == UINT32_MAX) continue;
        struct xd_cell one = cell_at(index), next = cell_at(index + 1);
        assert_int_equal(xd_curve_index(one), index);
        assert_int_equal(llabs((int64_t)one.x - next.x) + llabs((int64_t)one.y - next.y), 1);
    }
}

static void a_block_is_a_run_of_the_curve(void **state)
{
    (void)state;
    struct rng rng = {2};
    for (int i = 0; i < 20000; i++) {
        struct xd_block block = XD_BLOCK_WORLD;
        for (int64_t level = rng_between(&rng, 0, XD_CURVE_ORDER); level > 0; level--) {
            block = xd_block_quarter(&block, (unsigned)rng_between(&rng, 0, 3));
        }
        uint32_t side = xd_block_side(&block);
        struct xd_cell inside = {block.x + (uint32_t)rng_between(&rng, 0, side - 1),
                                 block.y + (uint32_t)rng_between(&rng, 0, side - 1)};
        uint32_t index = xd_curve_index(inside);
        assert_in_range(index, block.first, xd_block_last(&block));
    }
}

/* Fixed, because the layout of a running cluster rests on it. */
static void the_curve_is_always_the_same(void **state)
{
    (void)state;
    assert_int_equal(xd_curve_index((struct xd_cell){0, 0}), 0);
    assert_int_equal(xd_curve_index((struct xd_cell){65535, 0}), UINT32_MAX);
    assert_int_equal(xd_curve_index((struct xd_cell){0, 65535}), 0x55555555);
    assert_int_equal(xd_curve_index((struct xd_cell){65535, 65535}), 0xaaaaaaaa);
    assert_int_equal(xd_curve_index(xd_cell_of((struct xd_place){525200000, 134050000})),
                     0x908d25c1); /* Berlin */
}

static void ranges_are_searched(void **state)
{
    (void)state;
    struct xd_layout layout = {.count = 3, .cuts = {0x1000, 0x80000000}};
    assert_true(xd_layout_valid(&layout));
    assert_int_equal(xd_layout_range(&layout, 0), 0);
    assert_int_equal(xd_layout_range(&layout, 0xfff), 0);
    assert_int_equal(xd_layout_range(&layout, 0x1000), 1);
    assert_int_equal(xd_layout_range(&layout, 0x7fffffff), 1);
    assert_int_equal(xd_layout_range(&layout, 0x80000000), 2);
    assert_int_equal(xd_layout_range(&layout, UINT32_MAX), 2);
    assert_int_equal(xd_layout_partition(&layout, 2, (struct xd_place){-LAT_MAX, -LON_MAX}), 6);
    struct xd_layout one = {.count = 1};
    assert_int_equal(xd_layout_range(&one, UINT32_MAX), 0);
}

static void bad_layouts_are_found(void **state)
{
    (void)state;
    assert_false(xd_layout_valid(&(struct xd_layout){.count = 0}));
    assert_false(xd_layout_valid(&(struct xd_layout){.count = XD_RANGES_MAX + 1}));
    assert_false(xd_layout_valid(&(struct xd_layout){.count = 2, .cuts = {0}}));
    assert_false(xd_layout_valid(&(struct xd_layout){.count = 2, .cuts = {300}}));
    assert_false(xd_layout_valid(&(struct xd_layout){.count = 3, .cuts = {512, 512}}));
    assert_false(xd_layout_valid(&(struct xd_layout){.count = 3, .cuts = {512, 256}}));
    assert_true(xd_layout_valid(&(struct xd_layout){.count = 1}));
}

static void places_are_cut_into_equal_parts(void **state)
{
    (void)state;
    enum { PLACES = 50000, RANGES = 16 };
    struct rng rng = {3};
    struct xd_place *places = calloc(PLACES, sizeof *places);
    assert_non_null(places);
    for (int i = 0; i < PLACES; i++) { /* a market of some 1500 km, not the world */
        places[i] = (struct xd_place){(int32_t)rng_between(&rng, 430000000, 540000000),
                                      (int32_t)rng_between(&rng, -20000000, 200000000)};
    }
    struct xd_layout layout;
    assert_true(xd_layout_cut(places, PLACES, RANGES, &layout));
    assert_true(xd_layout_valid(&layout));
    uint32_t counts[RANGES] = {0};
    for (int i = 0; i < PLACES; i++) {
        counts[xd_layout_partition(&layout, 0, places[i])]++;
    }
    for (int r = 0; r < RANGES; r++) {
        assert_in_range(counts[r], PLACES / RANGES * 95 / 100, PLACES / RANGES * 105 / 100);
    }
    free(places);
}

static void hard_places_still_give_a_layout(void **state)
{
    (void)state;
    struct rng rng = {4};
    struct xd_place same[9];
    struct xd_layout layout;
    for (int round = 0; round < 1000; round++) {
        same[0] =
            round % 3 ? anywhere(&rng) : (struct xd_place){-LAT_MAX, round % 2 ? -LON_MAX : LON_MAX - 1};
        for (int i = 1; i < 9; i++) {
            same[i] = same[0];
        }
        assert_true(xd_layout_cut(same, 9, (uint32_t)rng_between(&rng, 1, XD_RANGES_MAX), &layout));
        assert_true(xd_layout_valid(&layout));
    }
    assert_true(xd_layout_cut(NULL, 0, 4, &layout));
    assert_int_equal(layout.cuts[0], 0x40000000);
    assert_int_equal(layout.cuts[2], 0xc0000000);
    assert_false(xd_layout_cut(same, 9, 0, &layout));
    assert_false(xd_layout_cut(same, 9, XD_RANGES_MAX + 1, &layout));
    assert_int_equal(layout.count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_have_cells),
        cmocka_unit_test(the_curve_passes_from_neighbour_to_neighbour),
        cmocka_unit_test(a_block_is_a_run_of_the_curve),
        cmocka_unit_test(the_curve_is_always_the_same),
        cmocka_unit_test(ranges_are_searched),
        cmocka_unit_test(bad_layouts_are_found),
        cmocka_unit_test(places_are_cut_into_equal_parts),
        cmocka_unit_test(hard_places_still_give_a_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

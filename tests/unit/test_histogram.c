#include "clients/bench/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

static struct xd_histogram histogram; /* too large for the stack's comfort */

static void empty(void **state)
{
    (void)state;
    xd_histogram_clear(&histogram);
    assert_int_equal(xd_histogram_quantile(&histogram, 0.5), 0);
    assert_int_equal(xd_histogram_quantile(&histogram, 1), 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    xd_histogram_clear(&histogram);
    for (uint64_t value = 0; value < 200; value++)
        xd_histogram_add(&histogram, value);
    assert_int_equal(histogram.count, 200);
    assert_int_equal(xd_histogram_quantile(&histogram, 0), 0);
    assert_int_equal(xd_histogram_quantile(&histogram, 0.005), 0);
    assert_int_equal(xd_histogram_quantile(&histogram, 0.5), 99);
    assert_int_equal(xd_histogram_quantile(&histogram, 0.99), 197);
    assert_int_equal(xd_histogram_quantile(&histogram, 1), 199);
}

/* Every power of two and its neighbours, up to what fits: known to better than 1 %, and never too low. */
static void one_value(void **state)
{
    (void)state;
    for (int bit = 1; bit < 42; bit++) {
        for (int64_t off = -1; off <= 1; off++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)off;
            xd_histogram_clear(&histogram);
            xd_histogram_add(&histogram, value);
            xd_histogram_add(&histogram, UINT64_C(1) << 45); /* so that `max` does not round for it */
            uint64_t read = xd_histogram_quantile(&histogram, 0.5);
            assert_true(read >= value && (double)(read - value) <= (double)value * 0.01);
        }
    }
}

static void beyond_the_last_bucket(void **state)
{
    (void)state;
    xd_histogram_clear(&histogram);
    xd_histogram_add(&histogram, UINT64_MAX);
    xd_histogram_add(&histogram, UINT64_C(1) << 50);
    assert_int_equal(histogram.max, UINT64_MAX);
    assert_int_equal(xd_histogram_quantile(&histogram, 0.5), UINT64_MAX);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Against the sorted values themselves, spread over many orders of magnitude. */
static void agrees_with_sorting(void **state)
{
    enum { VALUES = 100000 };
    static const double quantiles[] = {0.01, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    struct rng rng = {7};
    uint64_t *values = malloc(VALUES * sizeof *values);
    (void)state;
    assert_non_null(values);
    xd_histogram_clear(&histogram);
    for (int i = 0; i < VALUES; i++) {
        values[i] = rng_next(&rng) >> rng_between(&rng, 23, 60);
        xd_histogram_add(&histogram, values[i]);
    }
    qsort(values, VALUES, sizeof *values, by_value);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        uint64_t exact = values[(size_t)(quantiles[i] * VALUES + 0.5) - 1];
        uint64_t read = xd_histogram_quantile(&histogram, quantiles[i]);
        assert_true(read >= exact && (double)(read - exact) <= (double)exact * 0.01);
    }
    assert_int_equal(xd_histogram_quantile(&histogram, 1), values[VALUES - 1]);
    free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(one_value),
        cmocka_unit_test(beyond_the_last_bucket),
        cmocka_unit_test(agrees_with_sorting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

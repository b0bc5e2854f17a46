/* The engine's pool: blocks do not overlap, are zero, are used again, and their memory comes back. */
#include "engine/pool.h"
#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCKS = 3000, TURNS = 60000, LONGEST = 3 * XD_POOL_LARGE };

static size_t below(struct rng *rng, size_t bound)
{
    return (size_t)(rng_next(rng) % bound);
}

struct held {
    uint8_t *block;
    size_t size;
    uint8_t mark;
};

static void assert_all(const uint8_t *bytes, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(bytes[i], value);
    }
}

static void take(struct xd_pool *pool, struct rng *rng, struct held *held)
{
    held->size = 1 + below(rng, below(rng, 10) ? 400 : LONGEST);
    held->mark = (uint8_t)(1 + below(rng, 255));
    held->block = xd_pool_take(pool, held->size);
    assert_non_null(held->block);
    assert_int_equal((uintptr_t)held->block % XD_POOL_UNIT, 0);
    assert_true(xd_pool_room(held->block) >= held->size);
    assert_ptr_equal(xd_pool_at(pool, xd_pool_link(held->block)), held->block);
    assert_all(held->block, held->size, 0);
    memset(held->block, held->mark, held->size);
}

static void give(struct xd_pool *pool, struct held *held)
{
    assert_all(held->block, held->size, held->mark);
    xd_pool_give(pool, held->block);
    held->block = NULL;
}

static void blocks_keep_apart(void **state)
{
    (void)state;
    struct xd_pool pool = {0};
    struct rng rng = {7};
    static struct held held[BLOCKS];
    for (unsigned turn = 0; turn < TURNS; turn++) {
        struct held *one = &held[below(&rng, BLOCKS)];
        if (one->block) {
            give(&pool, one);
        } else {
            take(&pool, &rng, one);
        }
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (held[i].block) give(&pool, &held[i]);
    }
    assert_true(pool.bytes <= (size_t)pool.spare_count * XD_POOL_SLAB);
    xd_pool_free(&pool);
    assert_int_equal(pool.bytes, 0);
}

/* What is given back serves the next: a pool of a steady content does not grow. */
static void memory_is_used_again(void **state)
{
    (void)state;
    struct xd_pool pool = {0};
    struct rng rng = {11};
    static void *blocks[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = xd_pool_take(&pool, 200);
    }
    size_t full = pool.bytes;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        void **one = &blocks[below(&rng, BLOCKS)];
        xd_pool_give(&pool, *one);
        *one = xd_pool_take(&pool, 200);
        assert_int_equal(pool.bytes, full);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        xd_pool_give(&pool, blocks[i]);
    }
    assert_true(pool.bytes < full / 4);
    xd_pool_free(&pool);
}

static void slabs_serve_other_sizes(void **state)
{
    (void)state;
    struct xd_pool pool = {0};
    for (unsigned size = XD_POOL_UNIT; size <= XD_POOL_LARGE; size += XD_POOL_UNIT) {
        xd_pool_give(&pool, xd_pool_take(&pool, size));
    }
    assert_int_equal(pool.slab_count, 1);
    xd_pool_free(&pool);
}

static void nothing_is_nothing(void **state)
{
    (void)state;
    struct xd_pool pool = {0};
    xd_pool_give(&pool, NULL);
    assert_int_equal(xd_pool_link(NULL), 0);
    assert_null(xd_pool_at(&pool, 0));
    assert_null(xd_pool_take(&pool, SIZE_MAX - XD_POOL_SLAB));
    assert_int_equal(pool.bytes, 0);
    xd_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_apart),
        cmocka_unit_test(memory_is_used_again),
        cmocka_unit_test(slabs_serve_other_sizes),
        cmocka_unit_test(nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

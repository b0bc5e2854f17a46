/* The tree by itself: after any changes every row is where its order says, every box is exact, every leaf equally deep. */
#include "engine/index/boxes.h"
#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ORDERS = 6000, COLUMNS = 5 };

/* What the tree knows of an order is its place alone. */
struct xd_slot {
    struct xd_place_in_tree place;
    xd_row row;
    uint64_t mask;
};

struct xd_place_in_tree *xd_tree_place_of(struct xd_slot *slot)
{
    return &slot->place;
}

/* The last column bounds, but has no say in where rows go. */
static const struct xd_row_layout layout = {COLUMNS, {10, 10, 0.1f, -1, 0}};

struct forest {
    struct xd_tree tree;
    struct xd_slot *slots;
    struct rng rng;
};

static void draw(struct forest *forest, struct xd_slot *slot)
{
    struct rng *rng = &forest->rng;
    bool crowd = rng_between(rng, 0, 1); /* half of all are in one place */
    for (unsigned c = 0; c < COLUMNS; c++) {
        slot->row[c] = (float)(crowd && c < 2 ? 7 : rng_between(rng, 0, 999));
    }
    slot->mask = rng_next(rng) % 16;
}

static unsigned check(const struct xd_node *node, uint64_t *rows)
{
    struct xd_box box, kept;
    unsigned depth = 0;
    if (node->is_leaf) {
        const struct xd_leaf *leaf = xd_as_leaf(node);
        for (unsigned i = 0; i < node->count; i++) {
            const struct xd_slot *slot = leaf->slots[i];
            assert_ptr_equal(slot->place.leaf, leaf);
            assert_int_equal(slot->place.row, i);
            assert_int_equal(slot->mask, leaf->masks[i]);
            for (unsigned c = 0; c < COLUMNS; c++) {
                assert_true(slot->row[c] == leaf->values[c * XD_LEAF_ROWS + i]);
            }
        }
        *rows += node->count;
    }
    assert_true(node->count > 0);
    for (unsigned i = 0; !node->is_leaf && i < node->count; i++) {
        const struct xd_node *child = xd_as_branch(node)->children[i];
        assert_ptr_equal(child->parent, node);
        assert_int_equal(child->place, i);
        unsigned below = check(child, rows);
        assert_true(i == 0 || below == depth);
        depth = below;
        xd_box_of_node(&layout, child, &box);
        xd_box_get(&layout, xd_as_branch(node), i, &kept);
        assert_memory_equal(box.lo, kept.lo, COLUMNS * sizeof(float));
        assert_memory_equal(box.hi, kept.hi, COLUMNS * sizeof(float));
        assert_true(box.any == kept.any && box.all == kept.all);
    }
    return depth + 1;
}

static void check_all(const struct forest *forest)
{
    uint64_t rows = 0;
    if (forest->tree.root) {
        assert_null(forest->tree.root->parent);
        check(forest->tree.root, &rows);
    }
    assert_int_equal(rows, forest->tree.count);
}

static void change_one(struct forest *forest, unsigned share_in)
{
    struct xd_slot *slot = &forest->slots[rng_between(&forest->rng, 0, ORDERS - 1)];
    if (!slot->place.leaf) {
        if (rng_between(&forest->rng, 0, 99) >= share_in) return;
        draw(forest, slot);
        assert_true(xd_tree_add(&forest->tree, slot, slot->row, slot->mask));
    } else if (rng_between(&forest->rng, 0, 99) < share_in) {
        if (rng_between(&forest->rng, 0, 1)) {
            draw(forest, slot);
        } else {
            slot->row[COLUMNS - 1] += 1;
        }
        assert_true(xd_tree_change(&forest->tree, slot, slot->row, slot->mask));
    } else {
        xd_tree_remove(&forest->tree, slot);
        assert_null(slot->place.leaf);
    }
}

static void plant(struct forest *forest, uint64_t seed)
{
    memset(forest, 0, sizeof *forest);
    forest->tree.layout = &layout;
    forest->slots = calloc(ORDERS, sizeof *forest->slots);
    assert_non_null(forest->slots);
    forest->rng.state = seed;
}

static void fell(struct forest *forest)
{
    xd_tree_free(&forest->tree);
    free(forest->slots);
}

static void grows_and_shrinks(void **state)
{
    (void)state;
    struct forest forest;
    plant(&forest, 1);
    for (unsigned season = 0; season < 8; season++) {
        unsigned share_in = season % 2 ? 5 : 90;
        for (unsigned i = 0; i < 30000; i++) {
            change_one(&forest, share_in);
            if (i % 3000 == 0) check_all(&forest);
        }
        check_all(&forest);
    }
    for (unsigned i = 0; i < ORDERS; i++) {
        if (forest.slots[i].place.leaf) xd_tree_remove(&forest.tree, &forest.slots[i]);
    }
    assert_null(forest.tree.root);
    fell(&forest);
}

static void is_filled_at_once(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 48, 49, 64, 65, 1152, 1153, ORDERS};
    for (unsigned k = 0; k < sizeof counts / sizeof *counts; k++) {
        struct forest forest;
        plant(&forest, k);
        struct xd_item *items = calloc(ORDERS, sizeof *items);
        assert_non_null(items);
        for (unsigned i = 0; i < counts[k]; i++) {
            draw(&forest, &forest.slots[i]);
            items[i] = (struct xd_item){.slot = &forest.slots[i], .mask = forest.slots[i].mask};
            memcpy(items[i].row, forest.slots[i].row, sizeof items[i].row);
        }
        assert_true(xd_tree_fill(&forest.tree, items, counts[k]));
        assert_int_equal(forest.tree.count, counts[k]);
        check_all(&forest);
        for (unsigned i = 0; i < 2000; i++) {
            change_one(&forest, 60);
        }
        check_all(&forest);
        free(items);
        fell(&forest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_shrinks),
        cmocka_unit_test(is_filled_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

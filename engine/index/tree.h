/* A tree of resting orders whose every node bounds all attributes of what lies below it.
 *
 * An order is a row of numbers (what they mean depends on kind and side: rows.h) and a mask of bits. Rows lie in leaves, column
 * by column. A branch holds, again column by column, the box of each child: the least and the greatest of every number below it,
 * the union and the intersection of the masks. So a search looks at a leaf's rows and at a branch's children in the same way,
 * several at a time (bounds.h): a row is a box of one.
 *
 *     branch    child     0    1    2  ...  31        leaf    row    0    1    2  ...  63
 *               x low   .12  .31  .30                         x    .12  .14  .19
 *               x high  .19  .33  .36                         y    .87  .85  .84
 *               y low   .84  .80  .81                         price  3    7    4
 *               ...
 *
 * A row goes where its box grows least. What is full is divided along the number, one of those that spread most by the weights of
 * its shelf, and at the value, not far from the middle, that make both halves smallest. So crowded places divide
 * themselves, and time, price and temperature divide as places do. A leaf that has
 * become small joins its nearest sibling. All leaves are equally deep. After every change the boxes on the way up are made exact
 * again, so bounds never rot. A row that has left its leaf's box is taken out and put in anew.
 *
 * After the R-tree (A. Guttman, 1984), with splits like the R*-tree's (N. Beckmann et al., 1990); filled at once it is parted by
 * halves like a k-d tree (J. Bentley, 1975). The structure decides only what is looked at: which order wins is decided
 * exactly, elsewhere. */
#ifndef XD_ENGINE_TREE_H
#define XD_ENGINE_TREE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    XD_COLUMNS_MAX = 20,
    XD_LEAF_ROWS = 64,
    XD_CHILDREN = 32,
};

struct xd_slot;

/* How the rows of a tree are laid out and compared. */
struct xd_row_layout {
    unsigned columns; /* 1..XD_COLUMNS_MAX */
    /* How much a unit of spread counts when rows are put together; 0: not at all; below 0: a doubling counts so much (the
     * numbers are then >= 0). */
    float weights[XD_COLUMNS_MAX];
};

typedef float xd_row[XD_COLUMNS_MAX];

struct xd_branch;

struct xd_node {
    struct xd_branch *parent; /* NULL: the root */
    uint8_t place;            /* which of the parent's children */
    uint8_t count;            /* children or rows */
    bool is_leaf;
};

struct xd_leaf {
    struct xd_node node;
    uint64_t masks[XD_LEAF_ROWS];
    struct xd_slot *slots[XD_LEAF_ROWS];
    float values[] __attribute__((aligned(32))); /* [column][XD_LEAF_ROWS] */
};

struct xd_branch {
    struct xd_node node;
    uint64_t any[XD_CHILDREN], all[XD_CHILDREN]; /* union and intersection of the masks below */
    struct xd_node *children[XD_CHILDREN];
    float values[] __attribute__((aligned(32))); /* [column][XD_CHILDREN] of the least, then as many of the greatest */
};

struct xd_tree {
    const struct xd_row_layout *layout;
    struct xd_node *root; /* NULL when empty */
    uint64_t count;       /* rows */
};

/* Where an order stands in its tree; the tree keeps it up to date. */
struct xd_place_in_tree {
    struct xd_leaf *leaf; /* NULL: in none */
    uint32_t row;
};

/* The place of an order, which the tree reads and writes. Given by who owns the orders. */
struct xd_place_in_tree *xd_tree_place_of(struct xd_slot *slot);

/* Adds an order that is in no tree. False without memory. */
bool xd_tree_add(struct xd_tree *tree, struct xd_slot *slot, const xd_row row, uint64_t mask);

void xd_tree_remove(struct xd_tree *tree, struct xd_slot *slot);

/* Gives an order in the tree another row. False without memory: it is then in no tree. */
bool xd_tree_change(struct xd_tree *tree, struct xd_slot *slot, const xd_row row, uint64_t mask);

/* A row to be filled into an empty tree. */
struct xd_item {
    struct xd_slot *slot;
    uint64_t mask;
    xd_row row;
};

/* Fills an empty tree with `count` rows at once; reorders `items`. False without memory: the tree is then empty. */
bool xd_tree_fill(struct xd_tree *tree, struct xd_item *items, uint64_t count);

/* Frees the nodes; orders are not touched. */
void xd_tree_free(struct xd_tree *tree);

static inline const struct xd_leaf *xd_as_leaf(const struct xd_node *node)
{
    return (const struct xd_leaf *)node;
}

static inline const struct xd_branch *xd_as_branch(const struct xd_node *node)
{
    return (const struct xd_branch *)node;
}

#endif

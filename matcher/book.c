/* The orders that rest, on shelves by what they are, and the search for the best counterpart: best first, by what each node could
 * bring at most. */
#include "matcher/rows.h"
#include "matcher/state.h"

#include <stdlib.h>
#include <string.h>

#ifdef XD_COUNT_SEARCH
uint64_t xd_search_nodes, xd_search_leaves, xd_search_candidates;
#define XD_COUNT(counter) (counter)++
#else
#define XD_COUNT(counter) (void)0
#endif

/* A node that is still to be looked into. */
struct prospect {
    double bound;
    const struct xd_node *node;
};

struct xd_books {
    struct xd_tree shelves[XD_SHELVES];
    struct prospect *heap; /* of the search under way, the greatest bound first */
    uint32_t count, room;
};

struct xd_books *xd_books_create(const struct xd_engine_options *options)
{
    (void)options;
    struct xd_books *books = calloc(1, sizeof *books);
    for (unsigned shelf = 0; books && shelf < XD_SHELVES; shelf++) {
        books->shelves[shelf].weights = xd_shelf_weights(shelf);
    }
    return books;
}

void xd_books_destroy(struct xd_books *books)
{
    if (!books) return;
    for (unsigned shelf = 0; shelf < XD_SHELVES; shelf++) {
        xd_tree_free(&books->shelves[shelf]);
    }
    free(books->heap);
    free(books);
}

struct xd_place_in_tree *xd_tree_place_of(struct xd_slot *slot)
{
    return &slot->place;
}

void xd_book_update(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_tree *tree = &engine->books->shelves[xd_shelf_of(slot)];
    if (!xd_rests(slot)) {
        if (slot->place.node) xd_tree_remove(tree, slot);
        return;
    }
    xd_row row;
    uint64_t mask;
    xd_row_of(slot, &row, &mask);
    if (slot->place.node) {
        xd_tree_change(tree, slot, &row, mask);
    } else if (!xd_tree_add(tree, slot, &row, mask)) {
        engine->failed = true;
    }
}

uint64_t xd_book_count(const struct xd_engine *engine, enum xd_kind kind, enum xd_side side)
{
    uint64_t count = 0;
    for (unsigned shelf = 0; shelf < XD_SHELVES; shelf++) {
        const struct xd_node *root = engine->books->shelves[shelf].root;
        if (root && xd_shelf_is(shelf, kind, side)) count += root->count;
    }
    return count;
}

/* --- the search -------------------------------------------------------------------------------------------------------------- */

struct search {
    struct xd_books *books;
    const struct xd_engine *engine;
    const struct xd_slot *incoming;
    enum xd_shelf shelf;
    struct xd_sought sought;
    struct xd_slot *winner;
    struct xd_candidate *best;
    int64_t at_least;
};

static bool push(struct xd_books *books, double bound, const struct xd_node *node)
{
    if (books->count == books->room) {
        uint32_t room = books->room ? books->room * 2 : 256;
        struct prospect *heap = realloc(books->heap, room * sizeof *heap);
        if (!heap) return false;
        books->heap = heap;
        books->room = room;
    }
    uint32_t i = books->count++;
    for (; i > 0 && books->heap[(i - 1) / 2].bound < bound; i = (i - 1) / 2) {
        books->heap[i] = books->heap[(i - 1) / 2];
    }
    books->heap[i] = (struct prospect){bound, node};
    return true;
}

static struct prospect pop(struct xd_books *books)
{
    struct prospect top = books->heap[0], last = books->heap[--books->count];
    uint32_t i = 0;
    for (uint32_t child = 1; child < books->count; child = 2 * i + 1) {
        if (child + 1 < books->count && books->heap[child + 1].bound > books->heap[child].bound) child++;
        if (books->heap[child].bound <= last.bound) break;
        books->heap[i] = books->heap[child];
        i = child;
    }
    if (books->count) books->heap[i] = last;
    return top;
}

/* Whether the node could hold a fit with at least the surplus that is wanted. */
static bool consider(struct search *search, const struct xd_node *node)
{
    const struct xd_sought *sought = &search->sought;
    XD_COUNT(xd_search_nodes);
    if ((node->box.any & sought->need) != sought->need || (node->box.all & ~sought->have)) return true;
    if (!xd_row_meets(&node->box.lo, &node->box.hi, &sought->lo, &sought->hi)) return true;
    double bound = xd_bound(search->shelf, sought, &node->box.lo, &node->box.hi);
    return bound < (double)search->at_least || bound < 0 || push(search->books, bound, node);
}

static void judge(struct search *search, struct xd_slot *resting)
{
    const struct xd_slot *incoming = search->incoming;
    const struct xd_slot *offer = incoming->side == XD_OFFER ? incoming : resting;
    const struct xd_slot *request = incoming->side == XD_OFFER ? resting : incoming;
    struct xd_candidate candidate;
    XD_COUNT(xd_search_candidates);
    if (!xd_fit(offer, request, search->engine->options.market.road_factor_e4, search->engine->now, search->at_least,
                &candidate))
        return;
    if (search->winner && candidate.surplus == search->at_least && resting->age > search->winner->age) return;
    search->winner = resting;
    *search->best = candidate;
    search->at_least = candidate.surplus;
}

static void look_into(struct search *search, const struct xd_node *node)
{
    const struct xd_leaf *leaf = node->leaf;
    const struct xd_sought *sought = &search->sought;
    XD_COUNT(xd_search_leaves);
    for (uint32_t i = 0; i < node->count; i++) {
        if ((leaf->masks[i] & sought->need) != sought->need || (leaf->masks[i] & ~sought->have)) continue;
        if (!xd_row_meets(&leaf->rows[i], &leaf->rows[i], &sought->lo, &sought->hi)) continue;
        double bound = xd_bound(search->shelf, sought, &leaf->rows[i], &leaf->rows[i]);
        if (bound >= 0 && bound >= (double)search->at_least) judge(search, leaf->slots[i]);
    }
}

static bool search_shelf(struct search *search, enum xd_shelf shelf)
{
    const struct xd_node *root = search->books->shelves[shelf].root;
    if (!root) return true;
    search->shelf = shelf;
    search->books->count = 0;
    xd_seek(search->incoming, shelf, search->engine->options.market.road_factor_e4, &search->sought);
    bool good = consider(search, root);
    while (good && search->books->count) {
        struct prospect next = pop(search->books);
        if (next.bound < (double)search->at_least) break; /* equal ones may hold an older order */
        if (next.node->leaf) {
            look_into(search, next.node);
        } else {
            good = consider(search, next.node->child[0]) && consider(search, next.node->child[1]);
        }
    }
    return good;
}

struct xd_slot *xd_book_best(struct xd_engine *engine, const struct xd_slot *incoming, struct xd_candidate *best)
{
    struct search search = {.books = engine->books, .engine = engine, .incoming = incoming, .best = best};
    for (unsigned shelf = 0; shelf < XD_SHELVES; shelf++) {
        if (!xd_shelf_is(shelf, incoming->kind, !incoming->side)) continue;
        if (!search_shelf(&search, shelf)) engine->failed = true;
    }
    return search.winner;
}

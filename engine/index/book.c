/* The orders that rest, on shelves by what they are, and the search for the best counterpart: best first, by
 * what each node and each row could bring at most. */
#include "engine/explain/reach.h"
#include "engine/index/bounds.h"
#include "engine/index/boxes.h"
#include "engine/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef XD_COUNT_SEARCH
uint64_t xd_search_nodes, xd_search_leaves, xd_search_candidates;
#define XD_COUNT(counter) (counter)++
#else
#define XD_COUNT(counter) (void)0
#endif

/* A node that is still to be looked into, or an order that is still to be judged. */
struct prospect {
    float bound;
    bool is_order;
    void *what;
};

/* For a picture of a search: who compiles this file so is told of all that is put on the heap, and what is
 * taken from it. */
#ifdef XD_WATCH_SEARCH
void xd_watch_search(const void *what, bool is_order, double bound, bool taken);
#define XD_WATCH(prospect, taken)                                                                            \
    xd_watch_search((prospect)->what, (prospect)->is_order, (double)(prospect)->bound, taken)
#else
#define XD_WATCH(prospect, taken) (void)0
#endif

struct xd_books {
    struct xd_tree shelves[XD_SHELVES];
    xd_bound_function *bound;
    struct prospect *heap; /* of the search under way, the greatest bound first */
    uint32_t count, room;
};

struct xd_books *xd_books_create(const struct xd_engine_options *options)
{
    (void)options;
    struct xd_books *books = calloc(1, sizeof *books);
    if (!books) return NULL;
    books->bound = xd_bound_here();
    for (unsigned shelf = 0; shelf < XD_SHELVES; shelf++) {
        books->shelves[shelf].layout = xd_shelf_layout(shelf);
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
        if (slot->place.leaf) xd_tree_remove(tree, slot);
        return;
    }
    xd_row row;
    uint64_t mask;
    xd_row_of(slot, engine->options.market.road_factor_e4, engine->now, row, &mask);
    bool good = slot->place.leaf ? xd_tree_change(tree, slot, row, mask) : xd_tree_add(tree, slot, row, mask);
    if (!good) engine->failed = true;
}

/* Counts the orders that rest on each shelf, and lists them from listed[shelf] on unless it is NULL. */
static void survey(const struct xd_engine *engine, uint64_t count[XD_SHELVES],
                   struct xd_slot **listed[XD_SHELVES])
{
    memset(count, 0, XD_SHELVES * sizeof *count);
    for (struct xd_slot *slot = xd_slot_at(engine, engine->first_order); slot;
         slot = xd_slot_at(engine, slot->everybody.after)) {
        if (!xd_rests(slot)) continue;
        enum xd_shelf shelf = xd_shelf_of(slot);
        if (listed) listed[shelf][count[shelf]] = slot;
        count[shelf]++;
    }
}

static bool fill_shelf(struct xd_engine *engine, enum xd_shelf shelf, struct xd_slot *const *slots,
                       uint64_t count)
{
    struct xd_item *items = calloc(count ? count : 1, sizeof *items);
    for (uint64_t i = 0; items && i < count; i++) {
        items[i].slot = slots[i];
        xd_row_of(slots[i], engine->options.market.road_factor_e4, engine->now, items[i].row, &items[i].mask);
    }
    bool good = items && xd_tree_fill(&engine->books->shelves[shelf], items, count);
    free(items);
    return good;
}

bool xd_books_fill(struct xd_engine *engine)
{
    uint64_t count[XD_SHELVES], all = 0;
    survey(engine, count, NULL);
    for (unsigned shelf = 0; shelf < XD_SHELVES; shelf++) {
        all += count[shelf];
    }
    struct xd_slot **slots = calloc(all ? all : 1, sizeof *slots), **listed[XD_SHELVES] = {slots};
    bool good = slots;
    for (unsigned shelf = 1; good && shelf < XD_SHELVES; shelf++) {
        listed[shelf] = listed[shelf - 1] + count[shelf - 1];
    }
    if (good) survey(engine, count, listed);
    for (unsigned shelf = 0; good && shelf < XD_SHELVES; shelf++) {
        good = fill_shelf(engine, shelf, listed[shelf], count[shelf]);
    }
    free(slots);
    if (!good) engine->failed = true;
    return !engine->failed;
}

uint64_t xd_book_count(const struct xd_engine *engine, enum xd_kind kind, enum xd_side side)
{
    uint64_t count = 0;
    for (unsigned shelf = 0; shelf < XD_SHELVES; shelf++) {
        if (xd_shelf_is(shelf, kind, side)) count += engine->books->shelves[shelf].count;
    }
    return count;
}

/* --- the search
 * --------------------------------------------------------------------------------------------------------------
 */

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

static bool make_room(struct xd_books *books, uint32_t more)
{
    if (books->count + more <= books->room) return true;
    uint32_t room = books->room ? books->room * 2 : 1024;
    struct prospect *heap = realloc(books->heap, room * sizeof *heap);
    if (!heap) return false;
    books->heap = heap;
    books->room = room;
    return true;
}

static void push(struct xd_books *books, struct prospect prospect)
{
    uint32_t i = books->count++;
    for (; i > 0 && books->heap[(i - 1) / 2].bound < prospect.bound; i = (i - 1) / 2) {
        books->heap[i] = books->heap[(i - 1) / 2];
    }
    books->heap[i] = prospect;
    XD_WATCH(&prospect, false);
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

static bool masks_suit(const struct xd_sought *sought, uint64_t any, uint64_t all)
{
    return (any & sought->need) == sought->need && !(all & ~sought->have);
}

static void look_into_leaf(struct search *search, const struct xd_leaf *leaf)
{
    float bounds[XD_LEAF_ROWS] __attribute__((aligned(64)));
    XD_COUNT(xd_search_leaves);
    uint64_t fits = search->books->bound(search->shelf, &search->sought, leaf->values, leaf->values,
                                         XD_LEAF_ROWS, leaf->node.count, (float)search->at_least, bounds);
    for (; fits; fits &= fits - 1) {
        unsigned row = (unsigned)__builtin_ctzll(fits);
        if (!masks_suit(&search->sought, leaf->masks[row], leaf->masks[row])) continue;
        __builtin_prefetch(leaf->slots[row]);
        push(search->books, (struct prospect){bounds[row], true, leaf->slots[row]});
    }
}

static void look_into_branch(struct search *search, const struct xd_tree *tree,
                             const struct xd_branch *branch)
{
    float bounds[XD_LEAF_ROWS] __attribute__((aligned(64)));
    XD_COUNT(xd_search_nodes);
    uint64_t fits = search->books->bound(search->shelf, &search->sought, branch->values,
                                         branch->values + tree->layout->columns * XD_CHILDREN, XD_CHILDREN,
                                         branch->node.count, (float)search->at_least, bounds);
    for (; fits; fits &= fits - 1) {
        unsigned child = (unsigned)__builtin_ctzll(fits);
        if (!masks_suit(&search->sought, branch->any[child], branch->all[child])) continue;
        __builtin_prefetch(branch->children[child]);
        push(search->books, (struct prospect){bounds[child], false, branch->children[child]});
    }
}

static void judge(struct search *search, struct xd_slot *resting)
{
    const struct xd_slot *incoming = search->incoming;
    const struct xd_slot *offer = incoming->side == XD_OFFER ? incoming : resting;
    const struct xd_slot *request = incoming->side == XD_OFFER ? resting : incoming;
    struct xd_candidate candidate;
    XD_COUNT(xd_search_candidates);
    if (!xd_fit(offer, request, search->engine->options.market.road_factor_e4, search->engine->now,
                search->at_least, &candidate))
        return;
    if (search->winner && candidate.surplus == search->at_least && resting->age > search->winner->age) return;
    search->winner = resting;
    *search->best = candidate;
    search->at_least = candidate.surplus;
}

static bool search_shelf(struct search *search, enum xd_shelf shelf)
{
    struct xd_books *books = search->books;
    const struct xd_tree *tree = &books->shelves[shelf];
    search->shelf = shelf;
    books->count = 0;
    if (!make_room(books, 1)) return false;
    if (tree->root) push(books, (struct prospect){INFINITY, false, tree->root});
    while (books->count) {
        struct prospect next = pop(books);
        if (next.bound < (float)search->at_least) break; /* equal ones may hold an older order */
        XD_WATCH(&next, true);
        if (next.is_order) {
            judge(search, next.what);
            continue;
        }
        const struct xd_node *node = next.what;
        if (!make_room(books, XD_LEAF_ROWS)) return false;
        if (node->is_leaf) {
            look_into_leaf(search, xd_as_leaf(node));
        } else {
            look_into_branch(search, tree, xd_as_branch(node));
        }
    }
    return true;
}

struct xd_slot *xd_book_best(struct xd_engine *engine, const struct xd_slot *incoming,
                             struct xd_candidate *best)
{
    struct search search = {.books = engine->books, .engine = engine, .incoming = incoming, .best = best};
    xd_seek(incoming, engine->options.market.road_factor_e4, engine->now, &search.sought);
    for (unsigned shelf = 0; shelf < XD_SHELVES; shelf++) {
        if (!xd_shelf_is(shelf, incoming->kind, !incoming->side)) continue;
        if (!search_shelf(&search, shelf)) engine->failed = true;
    }
    return search.winner;
}

/* --- everything in reach
 * ------------------------------------------------------------------------------------------------------- */

struct tour {
    struct xd_books *books;
    enum xd_shelf shelf;
    struct xd_sought sought;
    double spare_m;
};

/* Puts what may be in reach down to be looked at, the nearest on top. */
static void plan_to_visit(const struct tour *tour, const float *lo, const float *hi, bool is_order,
                          void *what)
{
    double chord = xd_reach(tour->shelf, &tour->sought, lo, hi, tour->spare_m);
    if (chord >= 0) push(tour->books, (struct prospect){(float)-chord, is_order, what});
}

static void plan_orders(const struct tour *tour, const struct xd_leaf *leaf)
{
    const struct xd_row_layout *layout = tour->books->shelves[tour->shelf].layout;
    for (unsigned i = 0; i < leaf->node.count; i++) {
        xd_row row;
        for (unsigned column = 0; column < layout->columns; column++) {
            row[column] = leaf->values[column * XD_LEAF_ROWS + i];
        }
        plan_to_visit(tour, row, row, true, leaf->slots[i]);
    }
}

static void plan_children(const struct tour *tour, const struct xd_branch *branch)
{
    for (unsigned child = 0; child < branch->node.count; child++) {
        struct xd_box box;
        xd_box_get(tour->books->shelves[tour->shelf].layout, branch, child, &box);
        plan_to_visit(tour, box.lo, box.hi, false, branch->children[child]);
    }
}

static bool visit_shelf(struct tour *tour, uint32_t limit,
                        void (*visit)(void *arg, const struct xd_slot *resting), void *arg)
{
    struct xd_books *books = tour->books;
    books->count = 0;
    if (!make_room(books, 1)) return false;
    if (books->shelves[tour->shelf].root)
        push(books, (struct prospect){0, false, books->shelves[tour->shelf].root});
    while (books->count) {
        struct prospect next = pop(books);
        const struct xd_node *node = next.what;
        if (!make_room(books, XD_LEAF_ROWS)) return false;
        if (next.is_order) {
            if (!limit--) return false;
            visit(arg, next.what);
        } else if (node->is_leaf) {
            plan_orders(tour, xd_as_leaf(node));
        } else {
            plan_children(tour, xd_as_branch(node));
        }
    }
    return true;
}

bool xd_book_visit(struct xd_engine *engine, const struct xd_slot *incoming, double spare_m, uint32_t limit,
                   void (*visit)(void *arg, const struct xd_slot *resting), void *arg)
{
    struct tour tour = {.books = engine->books, .spare_m = spare_m};
    bool whole = true;
    xd_seek(incoming, engine->options.market.road_factor_e4, engine->now, &tour.sought);
    for (tour.shelf = 0; tour.shelf < XD_SHELVES; tour.shelf++) {
        if (!xd_shelf_is(tour.shelf, incoming->kind, !incoming->side)) continue;
        whole = visit_shelf(&tour, limit, visit, arg) && whole;
    }
    return whole;
}

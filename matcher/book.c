/* The orders that rest, by kind and side, and the search over them: a plain scan, every resting order looked at. */
#include "matcher/state.h"

#include <stdlib.h>

struct book {
    struct xd_slot **orders; /* [1..count] */
    uint32_t count, room;
};

struct xd_books {
    struct book of[XD_KINDS][XD_SIDES];
};

struct xd_books *xd_books_create(const struct xd_engine_options *options)
{
    (void)options;
    return calloc(1, sizeof(struct xd_books));
}

void xd_books_destroy(struct xd_books *books)
{
    if (!books) return;
    for (unsigned kind = 0; kind < XD_KINDS; kind++) {
        free(books->of[kind][XD_OFFER].orders);
        free(books->of[kind][XD_REQUEST].orders);
    }
    free(books);
}

static bool add(struct book *book, struct xd_slot *slot)
{
    if (book->count + 1 >= book->room) {
        uint32_t room = book->room ? book->room * 2 : 64;
        struct xd_slot **orders = realloc(book->orders, room * sizeof(*orders));
        if (!orders) return false;
        book->orders = orders;
        book->room = room;
    }
    slot->book_index = ++book->count;
    book->orders[slot->book_index] = slot;
    return true;
}

static void take_out(struct book *book, struct xd_slot *slot)
{
    struct xd_slot *last = book->orders[book->count--];
    book->orders[slot->book_index] = last;
    last->book_index = slot->book_index;
    slot->book_index = 0;
}

void xd_book_update(struct xd_engine *engine, struct xd_slot *slot)
{
    struct book *book = &engine->books->of[slot->kind][slot->side];
    bool should = xd_rests(slot);
    if (should && !slot->book_index && !add(book, slot)) engine->failed = true;
    if (!should && slot->book_index) take_out(book, slot);
}

struct xd_slot *xd_book_best(const struct xd_engine *engine, const struct xd_slot *incoming, struct xd_candidate *best)
{
    const struct book *book = &engine->books->of[incoming->kind][!incoming->side];
    struct xd_slot *winner = NULL;
    int64_t at_least = 0;
    for (uint32_t i = 1; i <= book->count; i++) {
        struct xd_slot *resting = book->orders[i];
        const struct xd_slot *offer = incoming->side == XD_OFFER ? incoming : resting;
        const struct xd_slot *request = incoming->side == XD_OFFER ? resting : incoming;
        struct xd_candidate candidate;
        if (!xd_fit(offer, request, engine->options.market.road_factor_e4, engine->now, at_least, &candidate)) continue;
        if (winner && candidate.surplus == at_least && resting->age > winner->age) continue;
        winner = resting;
        *best = candidate;
        at_least = candidate.surplus;
    }
    return winner;
}

uint64_t xd_book_count(const struct xd_engine *engine, enum xd_kind kind, enum xd_side side)
{
    return engine->books->of[kind][side].count;
}

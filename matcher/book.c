/* The orders that rest, by kind and side, and the search over them: a plain scan, every resting order looked at. */
#include "matcher/state.h"

#include <stdlib.h>

static bool rests(const struct xd_slot *slot)
{
    if (slot->dead || slot->ended != XD_LIVE || slot->fill != XD_FILL_REST) return false;
    return slot->side == XD_OFFER || slot->open > 0;
}

static bool add(struct xd_book *book, struct xd_slot *slot)
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

static void take_out(struct xd_book *book, struct xd_slot *slot)
{
    struct xd_slot *last = book->orders[book->count--];
    book->orders[slot->book_index] = last;
    last->book_index = slot->book_index;
    slot->book_index = 0;
}

void xd_book_update(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_book *book = &engine->books[slot->kind][slot->side];
    bool should = rests(slot);
    if (should && !slot->book_index && !add(book, slot)) engine->failed = true;
    if (!should && slot->book_index) take_out(book, slot);
}

struct xd_slot *xd_book_best(const struct xd_engine *engine, const struct xd_slot *incoming, struct xd_candidate *best)
{
    const struct xd_book *book = &engine->books[incoming->kind][!incoming->side];
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

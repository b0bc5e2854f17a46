/* Listings of what the engine holds, a page at a time. */
#include "engine/state.h"

static bool everybody(const struct xd_listing *listing)
{
    return listing->account.len == 1 && listing->account.at[0] == '*';
}

static struct xd_slot *next_slot(const struct xd_engine *engine, const struct xd_slot *slot, bool all)
{
    return xd_slot_at(engine, all ? slot->everybody.after : slot->mine.after);
}

/* Where a page of orders begins: after the last one of the page before or, should it be gone, after its number. */
static struct xd_slot *first_slot(const struct xd_engine *engine, const struct xd_listing *listing, bool all)
{
    const struct xd_account *account = all ? NULL : xd_account_find(&engine->accounts, listing->account);
    struct xd_slot *slot = xd_slot_at(engine, all ? engine->first_order : account ? account->first_order : 0);
    if (!listing->after) return slot;
    struct xd_slot *last = xd_table_get(&engine->orders, listing->after);
    if (last && (all || last->account == account)) return next_slot(engine, last, all);
    while (slot && slot->id <= listing->after) {
        slot = next_slot(engine, slot, all);
    }
    return slot;
}

uint32_t xd_engine_list_orders(const struct xd_engine *engine, const struct xd_listing *listing, struct xd_buf *out,
                               uint64_t *last, bool *more)
{
    bool all = everybody(listing);
    uint32_t count = 0;
    *more = false;
    *last = listing->after;
    for (struct xd_slot *slot = first_slot(engine, listing, all); slot; slot = next_slot(engine, slot, all)) {
        if (listing->state >= 0 && (int)xd_slot_state(slot) != listing->state) continue;
        if (count == listing->limit) {
            *more = true;
            break;
        }
        struct xd_order_view view;
        xd_view_order(slot, &view);
        xd_order_view_write(out, &view);
        *last = slot->id;
        count++;
    }
    return count;
}

static struct xd_deal *next_deal(const struct xd_deal *deal, const struct xd_account *account)
{
    if (!account) return deal->after;
    return deal->party[deal->order[XD_OFFER]->account == account ? XD_OFFER : XD_REQUEST].account_after;
}

uint32_t xd_engine_list_matches(const struct xd_engine *engine, const struct xd_listing *listing, struct xd_buf *out,
                                uint64_t *last, bool *more)
{
    bool all = everybody(listing);
    const struct xd_account *account = all ? NULL : xd_account_find(&engine->accounts, listing->account);
    uint32_t count = 0;
    *more = false;
    *last = listing->after;
    struct xd_deal *deal = all ? engine->first_deal : account ? account->first_deal : NULL;
    struct xd_deal *after = listing->after ? xd_table_get(&engine->deals, listing->after) : NULL;
    bool theirs = after && (all || after->order[XD_OFFER]->account == account ||
                            after->order[XD_REQUEST]->account == account);
    if (theirs) deal = next_deal(after, account);
    for (; deal; deal = next_deal(deal, account)) {
        if (deal->id <= listing->after || (listing->state >= 0 && deal->state != listing->state)) continue;
        if (count == listing->limit) {
            *more = true;
            break;
        }
        struct xd_stop_view stops[XD_PLAN_STOPS_MAX];
        struct xd_match_view view;
        bool offers = all || deal->order[XD_OFFER]->account == account;
        xd_view_match(deal, offers ? XD_OFFER : XD_REQUEST, &view, stops);
        xd_match_view_write(out, &view);
        *last = deal->id;
        count++;
    }
    return count;
}

/* The lists that a match is in. */
#include "engine/state.h"

static void link_party(struct xd_deal *deal, enum xd_side side)
{
    struct xd_slot *slot = deal->order[side];
    struct xd_deal_links *links = &deal->party[side];
    links->after = slot->first_deal;
    if (slot->first_deal) slot->first_deal->party[side].before = deal;
    slot->first_deal = deal;

    struct xd_account *account = slot->account;
    struct xd_deal *last = account->last_deal;
    links->account_before = last;
    if (last) {
        last->party[last->order[XD_OFFER]->account == account ? XD_OFFER : XD_REQUEST].account_after = deal;
    } else {
        account->first_deal = deal;
    }
    account->last_deal = deal;
}

/* The links by which a match hangs in the list of an account: its two sides never are of one account. */
static struct xd_deal_links *links_of(struct xd_deal *deal, const struct xd_account *account)
{
    return &deal->party[deal->order[XD_OFFER]->account == account ? XD_OFFER : XD_REQUEST];
}

static void unlink_party(struct xd_deal *deal, enum xd_side side)
{
    struct xd_slot *slot = deal->order[side];
    struct xd_deal_links *links = &deal->party[side];
    if (links->before) {
        links->before->party[side].after = links->after;
    } else {
        slot->first_deal = links->after;
    }
    if (links->after) links->after->party[side].before = links->before;

    struct xd_account *account = slot->account;
    struct xd_deal *before = links->account_before, *after = links->account_after;
    *(before ? &links_of(before, account)->account_after : &account->first_deal) = after;
    *(after ? &links_of(after, account)->account_before : &account->last_deal) = before;
}

bool xd_deal_enter(struct xd_engine *engine, struct xd_deal *deal)
{
    if (!xd_table_put(&engine->deals, deal)) {
        engine->failed = true;
        return false;
    }
    if (!xd_mark_enter(engine->unhashed, &deal->mark, true)) engine->failed = true;
    deal->before = engine->last_deal;
    *(engine->last_deal ? &engine->last_deal->after : &engine->first_deal) = deal;
    engine->last_deal = deal;
    link_party(deal, XD_OFFER);
    link_party(deal, XD_REQUEST);
    engine->deal_count++;
    return true;
}

void xd_deal_leave(struct xd_engine *engine, struct xd_deal *deal)
{
    xd_slices_pass_match(engine, deal);
    xd_mark_leave(engine->unhashed, &deal->mark);
    xd_table_remove(&engine->deals, deal->id);
    xd_deadlines_remove(&engine->deadlines, &deal->deadline);
    *(deal->before ? &deal->before->after : &engine->first_deal) = deal->after;
    *(deal->after ? &deal->after->before : &engine->last_deal) = deal->before;
    unlink_party(deal, XD_OFFER);
    unlink_party(deal, XD_REQUEST);
    engine->deal_count--;
}

struct xd_deal *xd_deal_next(const struct xd_deal *deal, const struct xd_slot *of)
{
    return deal->party[of->side].after;
}

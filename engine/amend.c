/* New terms for an open order. The order is read back from its block, amended, checked as a new one would be, checked
 * against its live matches, and put in the place of the old one; then it is treated as any order that has grown. */
#include "core/schema.h"
#include "core/when.h"
#include "engine/state.h"

static bool is_account(const struct xd_account *account, struct xd_str name)
{
    return xd_str_equal((struct xd_str){account->name, account->len}, name);
}

/* Something of it is open or proposed, and it waits: what matches now and drops the rest has no terms to come. */
static bool may_be_amended(const struct xd_engine *engine, const struct xd_slot *slot)
{
    if (slot->ended != XD_LIVE || slot->fill != XD_FILL_REST || !slot->lapse.index) return false;
    bool open = slot->side == XD_OFFER || slot->open > 0 || xd_border_proposed(engine, slot);
    for (const struct xd_deal *deal = slot->first_deal; deal && !open; deal = xd_deal_next(deal, slot)) {
        open = deal->state == XD_MATCH_PROPOSED;
    }
    return open;
}

static bool check_time(const struct xd_engine *engine, const struct xd_order *order, struct xd_error *error)
{
    if (order->valid_until > engine->now) return true;
    char given[32];
    xd_time_format(order->valid_until, given);
    return xd_fail(error, XD_LAPSED, "valid_until", "valid_until %s has passed", given);
}

static enum xd_code put_in_place(struct xd_engine *engine, struct xd_slot *slot, const struct xd_order *after,
                                 const struct xd_ease *ease, struct xd_slot **out)
{
    struct xd_str account = {slot->account->name, slot->account->len};
    struct xd_slot *fresh = xd_slot_create(engine, after, account, slot->id, slot->credit);
    if (!fresh) return XD_NO_MEMORY;
    fresh->age = ease->harder ? engine->next_age++ : slot->age;
    *out = fresh;
    return xd_slot_replace(engine, slot, fresh) ? XD_OK : XD_NO_MEMORY;
}

static enum xd_code amend(struct xd_engine *engine, struct xd_slot *slot, const struct xd_order *before,
                          const struct xd_amendment *amendment, unsigned *note)
{
    struct xd_order after;
    struct xd_error error;
    bool good = xd_order_amend(before, amendment, &after, &error);
    uint64_t changes = good ? xd_order_changes(before, &after) : 0;
    if (good && !changes) return XD_OK;
    if (!good || !check_time(engine, &after, &error) ||
        !xd_amend_keeps_matches(engine, slot, before, &after, &error)) {
        xd_output_refuse(engine->output, &error);
        return error.code;
    }
    struct xd_ease ease = xd_order_ease(before, &after);
    enum xd_code code = put_in_place(engine, slot, &after, &ease, &slot);
    if (code) return code;
    *note = ease.harder ? XD_AMENDED_LOST : XD_AMENDED_KEPT;
    xd_report_amended(engine, slot, amendment, changes, !ease.harder);
    if (slot->side == XD_REQUEST && slot->confirmed == slot->whole) {
        xd_report_order(engine, slot, XD_EVENT_ORDER_FILLED, NULL);
    }
    if (ease.easier) xd_grow(engine, slot);
    xd_settle_order(engine, slot);
    return XD_OK;
}

enum xd_code xd_amend_order(struct xd_engine *engine, const struct xd_record *record, unsigned *note)
{
    struct xd_slot *slot = xd_table_get(&engine->orders, record->order_id);
    if (!slot) {
        bool closed = xd_seen_contains(&engine->seen, xd_id_number(record->order_id));
        return closed ? XD_WRONG_STATE : XD_NOT_FOUND;
    }
    if (!is_account(slot->account, record->account)) return XD_NOT_FOUND;
    if (xd_border_claimed(engine, slot)) return XD_CLAIMED;
    if (!may_be_amended(engine, slot)) return XD_WRONG_STATE;
    struct xd_order before;
    xd_slot_order(slot, &before);
    enum xd_code code = amend(engine, slot, &before, &record->amendment, note);
    if (code == XD_NO_MEMORY) engine->failed = true;
    return code;
}

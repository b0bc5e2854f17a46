/* Making and unmaking the orders that the engine holds. */
#include "core/when.h"
#include "engine/state.h"

#include <string.h>

static bool mention_all(struct xd_engine *engine, struct xd_slot *slot, const struct xd_order *order,
                        struct xd_str account)
{
    struct xd_account **mentioned = xd_slot_mentioned(slot);
    uint32_t count = xd_slot_mentions(slot);
    slot->account = xd_account_mention(&engine->accounts, account);
    bool good = slot->account;
    for (uint32_t done = 0; good && done < count; done++) {
        struct xd_str name = done < slot->only_count ? order->only.at[done] : order->never.at[done - slot->only_count];
        mentioned[done] = xd_account_mention(&engine->accounts, name);
        good = mentioned[done];
    }
    return good;
}

struct xd_slot *xd_slot_create(struct xd_engine *engine, const struct xd_order *order, struct xd_str account, uint64_t id,
                               int64_t credit)
{
    struct xd_slot *slot = xd_pool_take(&engine->pool, xd_terms_size(order));
    if (slot) {
        slot->id = id;
        slot->credit = (int16_t)credit;
        slot->lapse.class = XD_DEADLINE_ORDER;
        xd_terms_set(slot, order, engine->options.market.road_factor_e4);
        if (!mention_all(engine, slot, order, account)) {
            xd_slot_destroy(engine, slot);
            slot = NULL;
        }
    }
    if (!slot) engine->failed = true;
    return slot;
}

void xd_slot_destroy(struct xd_engine *engine, struct xd_slot *slot)
{
    if (slot->account) xd_account_forget(&engine->accounts, slot->account);
    struct xd_account **mentioned = xd_slot_mentioned(slot);
    for (uint32_t i = 0; i < xd_slot_mentions(slot); i++) {
        if (mentioned[i]) xd_account_forget(&engine->accounts, mentioned[i]);
    }
    if (slot->side == XD_OFFER && slot->kind == XD_TRUCK) xd_plan_free(&slot->truck_offer.plan, &engine->pool);
    if (slot->side == XD_OFFER && slot->kind != XD_TRUCK) xd_pool_give(&engine->pool, slot->storage_offer.calendar);
    xd_pool_give(&engine->pool, slot->barred);
    xd_pool_give(&engine->pool, slot);
}

/* --- entering and leaving -------------------------------------------------------------------------------------------------- */

static struct xd_slot_links *links(const struct xd_engine *engine, xd_link at, bool mine)
{
    struct xd_slot *slot = xd_slot_at(engine, at);
    return mine ? &slot->mine : &slot->everybody;
}

static void link_last(const struct xd_engine *engine, xd_link at, bool mine, xd_link *first, xd_link *last)
{
    links(engine, at, mine)->before = *last;
    *(*last ? &links(engine, *last, mine)->after : first) = at;
    *last = at;
}

static void unlink_from(const struct xd_engine *engine, xd_link at, bool mine, xd_link *first, xd_link *last)
{
    struct xd_slot_links own = *links(engine, at, mine);
    *(own.before ? &links(engine, own.before, mine)->after : first) = own.after;
    *(own.after ? &links(engine, own.after, mine)->before : last) = own.before;
}

bool xd_slot_enter(struct xd_engine *engine, struct xd_slot *slot)
{
    if (!xd_table_put(&engine->orders, slot)) {
        engine->failed = true;
        return false;
    }
    if (!xd_mark_enter(engine->unhashed, &slot->mark, false)) engine->failed = true;
    slot->entered = engine->next_entered++;
    xd_link at = xd_pool_link(slot);
    link_last(engine, at, false, &engine->first_order, &engine->last_order);
    link_last(engine, at, true, &slot->account->first_order, &slot->account->last_order);
    engine->order_count++;
    return true;
}

void xd_slot_leave(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_account *account = slot->account;
    xd_output_close_ref(engine->output, slot->id, (struct xd_str){account->name, account->len}, xd_slot_ref(slot), false);
    xd_touch_order(engine, slot);
    xd_slices_pass_order(engine, slot);
    xd_mark_leave(engine->unhashed, &slot->mark);
    xd_table_remove(&engine->orders, slot->id);
    xd_deadlines_remove(&engine->deadlines, &slot->lapse);
    xd_link at = xd_pool_link(slot);
    unlink_from(engine, at, false, &engine->first_order, &engine->last_order);
    unlink_from(engine, at, true, &account->first_order, &account->last_order);
    engine->order_count--;
    slot->dead = true;
    xd_book_update(engine, slot);
    slot->everybody.after = engine->graveyard;
    engine->graveyard = at;
}

/* --- what is free ---------------------------------------------------------------------------------------------------------- */

int64_t xd_slot_free(const struct xd_slot *storage_offer, enum xd_dim dim, int64_t from, int64_t until)
{
    const struct xd_calendar *calendar = storage_offer->storage_offer.calendar;
    return calendar ? xd_calendar_free_of(calendar, dim, from, until) : xd_slot_amount(storage_offer, dim);
}

int64_t xd_slot_most_free(const struct xd_slot *storage_offer)
{
    const struct xd_calendar *calendar = storage_offer->storage_offer.calendar;
    if (!calendar) return storage_offer->whole;
    return xd_calendar_most_free(calendar, xd_main_dim((enum xd_kind)storage_offer->kind));
}

bool xd_slot_take(struct xd_engine *engine, struct xd_slot *storage_offer, const int64_t amount[XD_DIMS], int64_t from,
                  int64_t until)
{
    struct xd_storage_offer *storage = &storage_offer->storage_offer;
    if (!storage->calendar) {
        int64_t capacity[XD_DIMS];
        for (unsigned dim = 0; dim < XD_DIMS; dim++) {
            capacity[dim] = xd_slot_amount(storage_offer, (enum xd_dim)dim);
        }
        storage->calendar = xd_calendar_create(&engine->pool, storage->from_day, storage->until_day, storage_offer->dims,
                                               capacity);
    }
    return storage->calendar && xd_calendar_take(&engine->pool, &storage->calendar, amount, from, until);
}

bool xd_slot_give(struct xd_engine *engine, struct xd_slot *storage_offer, const int64_t amount[XD_DIMS], int64_t from,
                  int64_t until)
{
    return xd_calendar_give(&engine->pool, &storage_offer->storage_offer.calendar, amount, from, until);
}

bool xd_slot_taken(const struct xd_slot *storage_offer, int64_t day, int64_t *first, int64_t *last)
{
    const struct xd_calendar *calendar = storage_offer->storage_offer.calendar;
    enum xd_dim main = xd_main_dim((enum xd_kind)storage_offer->kind);
    bool taken = false;
    for (uint32_t i = 0; calendar && i < calendar->count; i++) {
        int64_t from = i ? xd_calendar_step_end(calendar, i - 1) : calendar->from_day;
        int64_t until = xd_calendar_step_end(calendar, i);
        if (until <= day || xd_calendar_step_free(calendar, i, main) == storage_offer->whole) continue;
        if (!taken) *first = from > day ? from : day;
        *last = until - 1;
        taken = true;
    }
    return taken;
}

/* --- amending -------------------------------------------------------------------------------------------------------------- */

/* What is taken of `slot` is taken of `fresh`, of the days and dimensions that both have. Of days that are over nothing is:
 * nobody asks for them, and there may have been more then. */
static bool take_over_calendar(struct xd_engine *engine, const struct xd_slot *slot, struct xd_slot *fresh)
{
    const struct xd_calendar *calendar = slot->storage_offer.calendar;
    const struct xd_storage_offer *now = &fresh->storage_offer;
    int64_t today = engine->now / XD_DAY_S;
    bool good = true;
    for (uint32_t i = 0; good && calendar && i < calendar->count; i++) {
        int64_t from = i ? xd_calendar_step_end(calendar, i - 1) : calendar->from_day;
        int64_t until = xd_calendar_step_end(calendar, i), taken[XD_DIMS] = {0};
        if (from < today) from = today;
        if (from < now->from_day) from = now->from_day;
        if (until > now->until_day) until = now->until_day;
        for (unsigned dim = 0; dim < XD_DIMS; dim++) {
            if (!(slot->dims >> dim & 1)) continue;
            taken[dim] = xd_slot_amount(slot, (enum xd_dim)dim) - xd_calendar_step_free(calendar, i, (enum xd_dim)dim);
        }
        if (from < until && taken[xd_main_dim((enum xd_kind)slot->kind)]) {
            good = xd_slot_take(engine, fresh, taken, from, until);
        }
    }
    return good;
}

/* What is kept beside the order. A plan goes over as it is, unless it begins at another time: then it is empty. */
static bool take_over(struct xd_engine *engine, struct xd_slot *slot, struct xd_slot *fresh)
{
    for (struct xd_deal *deal = fresh->first_deal = slot->first_deal; deal; deal = xd_deal_next(deal, fresh)) {
        deal->order[fresh->side] = fresh;
    }
    slot->first_deal = NULL;
    fresh->aside = slot->aside;
    fresh->barred = slot->barred;
    slot->barred = NULL;
    if (slot->side == XD_REQUEST) {
        fresh->confirmed = slot->confirmed;
        fresh->open += slot->open - slot->whole;
    } else if (slot->kind != XD_TRUCK) {
        return take_over_calendar(engine, slot, fresh);
    } else if (slot->truck_offer.truck.available_from == fresh->truck_offer.truck.available_from) {
        xd_plan_free(&fresh->truck_offer.plan, &engine->pool);
        fresh->truck_offer.plan = slot->truck_offer.plan;
        slot->truck_offer.plan = (struct xd_plan){0};
    }
    return true;
}

/* The same place in the lists; of a snapshot under way too. */
static void take_place(struct xd_engine *engine, const struct xd_slot *slot, struct xd_slot *fresh)
{
    struct xd_account *account = slot->account;
    xd_link was = xd_pool_link(slot), is = xd_pool_link(fresh);
    fresh->everybody = slot->everybody;
    fresh->mine = slot->mine;
    *(fresh->everybody.before ? &links(engine, fresh->everybody.before, false)->after : &engine->first_order) = is;
    *(fresh->everybody.after ? &links(engine, fresh->everybody.after, false)->before : &engine->last_order) = is;
    *(fresh->mine.before ? &links(engine, fresh->mine.before, true)->after : &account->first_order) = is;
    *(fresh->mine.after ? &links(engine, fresh->mine.after, true)->before : &account->last_order) = is;
    fresh->entered = slot->entered;
    fresh->mark.kept = slot->mark.kept;
    xd_slices_replace_order(engine, was, is);
}

bool xd_slot_replace(struct xd_engine *engine, struct xd_slot *slot, struct xd_slot *fresh)
{
    xd_touch_order(engine, slot);
    slot->dead = true;
    xd_book_update(engine, slot);
    xd_table_remove(&engine->orders, slot->id);
    xd_deadlines_remove(&engine->deadlines, &slot->lapse);
    xd_mark_leave(engine->unhashed, &slot->mark);
    bool good = xd_mark_enter(engine->unhashed, &fresh->mark, false);
    take_place(engine, slot, fresh);
    good = good && take_over(engine, slot, fresh) && xd_table_put(&engine->orders, fresh) &&
           xd_deadlines_set(&engine->deadlines, &fresh->lapse, fresh->valid_until);
    if (!good) engine->failed = true;
    xd_border_amended(engine, fresh);
    xd_slot_destroy(engine, slot);
    return good;
}

/* --- not again ------------------------------------------------------------------------------------------------------------- */

bool xd_slot_barred(const struct xd_slot *request, uint64_t offer_id)
{
    const struct xd_barred *barred = request->barred;
    for (uint32_t i = 0; barred && i < barred->count; i++) {
        if (barred->offers[i] == offer_id) return true;
    }
    return false;
}

/* Forgets offers that are gone: they cannot come back. Of those of other partitions it is not known. */
static void forget_gone(const struct xd_engine *engine, struct xd_barred *barred)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < barred->count; i++) {
        uint64_t id = barred->offers[i];
        bool elsewhere = xd_id_partition(id) != engine->options.partition;
        if (elsewhere || xd_table_get(&engine->orders, id)) barred->offers[kept++] = id;
    }
    barred->count = kept;
}

bool xd_slot_bar_room(struct xd_engine *engine, struct xd_slot *request, uint32_t room)
{
    const struct xd_barred *old = request->barred;
    struct xd_barred *barred = xd_pool_take(&engine->pool, sizeof *barred + room * sizeof *barred->offers);
    if (!barred) return false;
    barred->room = (uint32_t)((xd_pool_room(barred) - sizeof *barred) / sizeof *barred->offers);
    if (old) {
        barred->count = old->count;
        memcpy(barred->offers, old->offers, old->count * sizeof *old->offers);
    }
    xd_pool_give(&engine->pool, request->barred);
    request->barred = barred;
    return true;
}

bool xd_slot_bar_tried(struct xd_engine *engine, struct xd_slot *order, uint64_t other_id)
{
    uint32_t i = order->barred ? order->barred->count : 0;
    bool full = !order->barred || i == order->barred->room;
    if (full && !xd_slot_bar_room(engine, order, i + 1 + i / 2)) return false;
    uint64_t *others = order->barred->offers;
    for (; i > 0 && others[i - 1] > other_id; i--) {
        others[i] = others[i - 1];
    }
    others[i] = other_id;
    order->barred->count++;
    return true;
}

void xd_slot_bar(struct xd_engine *engine, struct xd_slot *request, uint64_t offer_id)
{
    if (xd_slot_barred(request, offer_id)) return;
    xd_touch_order(engine, request);
    if (request->barred) forget_gone(engine, request->barred); /* each time, so that the list follows from the log alone */
    if (!xd_slot_bar_tried(engine, request, offer_id)) engine->failed = true;
}

enum xd_order_state xd_slot_state(const struct xd_slot *slot)
{
    if (slot->ended == XD_ENDED_EXPIRED) return XD_ORDER_EXPIRED;
    if (slot->ended != XD_LIVE) return XD_ORDER_CANCELLED;
    if (slot->side == XD_OFFER || !slot->confirmed) return XD_ORDER_OPEN;
    return slot->confirmed == slot->whole ? XD_ORDER_FILLED : XD_ORDER_PARTLY_FILLED;
}

bool xd_rests(const struct xd_slot *slot)
{
    if (slot->dead || slot->aside || slot->role == XD_ROLE_IMAGE) return false;
    if (slot->ended != XD_LIVE || slot->fill != XD_FILL_REST) return false;
    return slot->side == XD_OFFER || slot->open > 0;
}

/* Natives: point orders of this partition that ghosts claim. What is put aside for a claim comes back by its
 * answer, or stays as the mirror of a match until that ends. */
#include "core/id.h"
#include "core/when.h"
#include "engine/border/border.h"

struct xd_native *xd_native_find(const struct xd_engine *engine, uint64_t id)
{
    return engine->border ? xd_table_get(&engine->border->natives, id) : NULL;
}

struct xd_native *xd_native_of(struct xd_engine *engine, uint64_t id)
{
    struct xd_native *native = xd_native_find(engine, id);
    if (native) return native;
    native = xd_pool_take(&engine->pool, sizeof *native);
    if (native) {
        native->id = id;
        if (xd_table_put(&engine->border->natives, native)) return native;
        xd_pool_give(&engine->pool, native);
    }
    engine->failed = true;
    return NULL;
}

static void forget_if_done(struct xd_engine *engine, struct xd_native *native)
{
    if (native->claims || native->first) return;
    xd_table_remove(&engine->border->natives, native->id);
    xd_pool_give(&engine->pool, native);
}

/* --- putting aside, and giving back
 * ----------------------------------------------------------------------------------------- */

void xd_native_put_aside(struct xd_engine *engine, struct xd_slot *slot, const struct xd_round *round,
                         const struct xd_round_claim *claim)
{
    struct xd_native *native = xd_native_of(engine, slot->id);
    if (!native) return;
    native->claims++;
    xd_touch_order(engine, slot);
    if (slot->side == XD_REQUEST) {
        slot->open -= claim->part;
    } else if (!xd_slot_take(engine, slot, claim->amount, round->from_day, round->until_day)) {
        engine->failed = true;
    }
    xd_book_update(engine, slot);
}

/* Gives days of an offer back, as far as anything is to be given. */
static void give_days(struct xd_engine *engine, struct xd_slot *offer, const int64_t amount[XD_DIMS],
                      int64_t from, int64_t until)
{
    int64_t sum = 0;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        sum += amount[dim];
    }
    if (!sum || from >= until) return;
    if (!xd_slot_give(engine, offer, amount, from, until)) engine->failed = true;
    xd_grow(engine, offer);
}

static void give_back_claim(struct xd_engine *engine, struct xd_slot *slot, const struct xd_round *round,
                            const struct xd_round_claim *claim, const struct xd_answer *answer)
{
    if (slot->side == XD_REQUEST) {
        if (answer->yes) return;
        slot->open += claim->part;
        xd_grow(engine, slot);
        return;
    }
    int64_t rest[XD_DIMS];
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        rest[dim] = claim->amount[dim] - (answer->yes ? answer->amount[dim] : 0);
    }
    give_days(engine, slot, rest, round->from_day, round->until_day);
}

/* A cancelled request is not filled by a match that was confirmed before its home heard of the withdrawal. */
void xd_count_confirmed(struct xd_engine *engine, struct xd_slot *slot, int32_t part)
{
    if (slot->side != XD_REQUEST) return;
    slot->confirmed += part;
    if (xd_slot_state(slot) == XD_ORDER_FILLED) xd_report_order(engine, slot, XD_EVENT_ORDER_FILLED, NULL);
}

bool xd_mirror_enter(struct xd_engine *engine, struct xd_native *native, struct xd_mirror *mirror)
{
    if (!xd_table_put(&engine->border->mirrors, mirror)) {
        engine->failed = true;
        return false;
    }
    mirror->next = NULL;
    *(native->last ? &native->last->next : &native->first) = mirror;
    native->last = mirror;
    return true;
}

static void make_mirror(struct xd_engine *engine, struct xd_native *native, uint64_t ghost, int32_t from_day,
                        int32_t until_day, const struct xd_answer *answer)
{
    struct xd_mirror *mirror = xd_pool_take(&engine->pool, sizeof *mirror);
    if (!mirror) {
        engine->failed = true;
        return;
    }
    mirror->id = answer->match_id;
    mirror->native = native->id;
    mirror->ghost = ghost;
    memcpy(mirror->amount, answer->amount, sizeof mirror->amount);
    mirror->part = (int32_t)answer->part;
    mirror->from_day = from_day;
    mirror->until_day = until_day;
    mirror->state = (uint8_t)answer->state;
    if (!xd_mirror_enter(engine, native, mirror)) xd_pool_give(&engine->pool, mirror);
}

void xd_native_answered(struct xd_engine *engine, const struct xd_ghost *ghost, uint32_t index,
                        const struct xd_answer *answer)
{
    const struct xd_round_claim *claim = &ghost->round->claims[index];
    struct xd_native *native = xd_native_find(engine, claim->native);
    struct xd_slot *slot = xd_table_get(&engine->orders, claim->native);
    xd_touch_order(engine, slot);
    native->claims--;
    give_back_claim(engine, slot, ghost->round, claim, answer);
    if (!answer->yes) return;
    make_mirror(engine, native, ghost->id, ghost->round->from_day, ghost->round->until_day, answer);
    if (answer->state == XD_MATCH_CONFIRMED) xd_count_confirmed(engine, slot, (int32_t)answer->part);
}

/* --- what waits for answers
 * ------------------------------------------------------------------------------------------------- */

static bool proposed_elsewhere(const struct xd_native *native)
{
    const struct xd_mirror *mirror = native ? native->first : NULL;
    while (mirror && mirror->state != XD_MATCH_PROPOSED) {
        mirror = mirror->next;
    }
    return mirror;
}

bool xd_border_claimed(const struct xd_engine *engine, const struct xd_slot *slot)
{
    const struct xd_native *native = xd_native_find(engine, slot->id);
    return native && native->claims;
}

bool xd_border_holds(const struct xd_engine *engine, const struct xd_slot *slot)
{
    return xd_native_find(engine, slot->id);
}

bool xd_border_days(const struct xd_engine *engine, const struct xd_slot *slot, bool any, int64_t *first,
                    int64_t *last)
{
    const struct xd_native *native = xd_native_find(engine, slot->id);
    for (const struct xd_mirror *mirror = native ? native->first : NULL; mirror; mirror = mirror->next) {
        if (!any || mirror->from_day < *first) *first = mirror->from_day;
        if (!any || mirror->until_day - 1 > *last) *last = mirror->until_day - 1;
        any = true;
    }
    return any;
}

bool xd_border_proposed(const struct xd_engine *engine, const struct xd_slot *slot)
{
    return slot->ended != XD_ENDED_CANCELLED && proposed_elsewhere(xd_native_find(engine, slot->id));
}

bool xd_native_waits(const struct xd_engine *engine, const struct xd_slot *slot)
{
    const struct xd_native *native = xd_native_find(engine, slot->id);
    return native && (native->cancel_wanted || native->lapse_due);
}

/* What is left of it takes nothing more meanwhile. */
static void set_aside(struct xd_engine *engine, struct xd_slot *slot)
{
    slot->aside = true;
    xd_book_update(engine, slot);
}

bool xd_border_delays_lapse(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_native *native = xd_native_find(engine, slot->id);
    if (!native || !native->claims) return false;
    native->lapse_due = true;
    set_aside(engine, slot);
    return true;
}

bool xd_border_delays_cancel(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_native *native = xd_native_find(engine, slot->id);
    if (!native || !native->claims) return false;
    native->cancel_wanted = true;
    set_aside(engine, slot);
    return true;
}

/* It was to be cancelled: the match of a yes stands if it is confirmed. */
static void cancel_now(struct xd_engine *engine, struct xd_slot *slot, const struct xd_native *native)
{
    if (xd_is_open(slot) || xd_first_proposal(slot) || proposed_elsewhere(native))
        xd_withdraw_order(engine, slot);
}

void xd_native_go_on(struct xd_engine *engine, uint64_t id)
{
    struct xd_native *native = xd_native_find(engine, id);
    struct xd_slot *slot = xd_table_get(&engine->orders, id);
    if (!native || native->claims) return;
    bool cancelled = native->cancel_wanted, lapses = native->lapse_due;
    native->cancel_wanted = native->lapse_due = false;
    slot->aside = xd_reconciles(engine->border);
    if (cancelled) cancel_now(engine, slot, native);
    if (!slot->dead && lapses) xd_lapse_order(engine, slot);
    if (!slot->dead && slot->side == XD_OFFER && slot->fill == XD_FILL_NOW)
        xd_grow(engine, slot); /* to search on, or end */
    forget_if_done(engine, native);
    xd_settle_order(engine, slot);
}

/* --- mirrors
 * ----------------------------------------------------------------------------------------------------------------
 */

static void leave(struct xd_engine *engine, struct xd_native *native, struct xd_mirror *mirror)
{
    struct xd_mirror **link = &native->first, *before = NULL;
    while (*link != mirror) {
        before = *link;
        link = &before->next;
    }
    *link = mirror->next;
    if (native->last == mirror) native->last = before;
    xd_table_remove(&engine->border->mirrors, mirror->id);
    xd_pool_give(&engine->pool, mirror);
}

/* As its home told, or would have told. */
static void end_mirror(struct xd_engine *engine, struct xd_slot *slot, struct xd_mirror *mirror,
                       const struct xd_record *record)
{
    struct xd_native *native = xd_native_find(engine, slot->id);
    bool counted = slot->side == XD_REQUEST && mirror->state == XD_MATCH_CONFIRMED;
    if (counted && record->state != XD_MATCH_COMPLETED) slot->confirmed -= mirror->part;
    if (slot->side == XD_OFFER && record->give_from) {
        int64_t from = record->give_from > mirror->from_day ? record->give_from : mirror->from_day;
        give_days(engine, slot, mirror->amount, from, mirror->until_day);
    }
    if (slot->side == XD_REQUEST && record->reopens) xd_reopen(engine, slot, mirror->part);
    leave(engine, native, mirror);
    forget_if_done(engine, native);
    xd_settle_order(engine, slot);
}

static void remember(struct xd_engine *engine, const struct xd_mirror *mirror, const struct xd_record *record)
{
    struct xd_past past = {.told = {.match = mirror->id,
                                    .number = record->version,
                                    .give_from = record->give_from,
                                    .range = (uint8_t)xd_home_range(engine->border, mirror->id),
                                    .state = (uint8_t)record->state,
                                    .reopens = record->reopens},
                           .native = mirror->native,
                           .ghost = mirror->ghost,
                           .part = mirror->part,
                           .from_day = mirror->from_day,
                           .until_day = mirror->until_day};
    memcpy(past.amount, mirror->amount, sizeof past.amount);
    xd_past_add(engine, &past);
}

void xd_mirror_take_state(struct xd_engine *engine, struct xd_mirror *mirror, const struct xd_record *record)
{
    struct xd_slot *slot = xd_table_get(&engine->orders, mirror->native);
    if (!slot) return;
    xd_touch_order(engine, slot);
    if (record->state == XD_MATCH_CONFIRMED) {
        mirror->state = XD_MATCH_CONFIRMED;
        xd_count_confirmed(engine, slot, mirror->part);
    } else {
        remember(engine, mirror, record);
        end_mirror(engine, slot, mirror, record);
    }
}

/* --- after a loss
 * -----------------------------------------------------------------------------------------------------------
 */

static bool is_free(const struct xd_slot *slot, const struct xd_answer *match, int64_t from, int64_t until)
{
    if (slot->ended != XD_LIVE) return false;
    if (slot->side == XD_REQUEST) return slot->open >= match->part;
    if (from < slot->storage_offer.from_day || until > slot->storage_offer.until_day || from >= until)
        return false;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if ((slot->dims >> dim & 1) && xd_slot_free(slot, (enum xd_dim)dim, from, until) < match->amount[dim])
            return false;
    }
    return true;
}

bool xd_native_find_again(struct xd_engine *engine, const struct xd_record *listed,
                          const struct xd_answer *match)
{
    struct xd_slot *slot = xd_table_get(&engine->orders, listed->order_id);
    if (!slot || xd_is_spread(slot) || xd_native_waits(engine, slot)) return false;
    if (!is_free(slot, match, listed->give_from, listed->until)) return false;
    struct xd_native *native = xd_native_of(engine, slot->id);
    if (!native) return true;
    xd_touch_order(engine, slot);
    if (slot->side == XD_REQUEST) {
        slot->open -= (int32_t)match->part;
    } else if (!xd_slot_take(engine, slot, match->amount, listed->give_from, listed->until)) {
        engine->failed = true;
    }
    make_mirror(engine, native, listed->ghost_id, (int32_t)listed->give_from, (int32_t)listed->until, match);
    if (match->state == XD_MATCH_CONFIRMED) xd_count_confirmed(engine, slot, (int32_t)match->part);
    xd_settle_order(engine, slot);
    return true;
}

void xd_mirror_listed(struct xd_engine *engine, struct xd_mirror *mirror, int64_t state)
{
    struct xd_slot *slot = xd_table_get(&engine->orders, mirror->native);
    mirror->stale = false;
    if (mirror->state == state) return;
    xd_touch_order(engine, slot);
    mirror->state = (uint8_t)state;
    if (state == XD_MATCH_CONFIRMED) {
        xd_count_confirmed(engine, slot, mirror->part);
    } else if (slot->side == XD_REQUEST) {
        slot->confirmed -= mirror->part;
    }
}

void xd_mirror_roll_back(struct xd_engine *engine, struct xd_mirror *mirror)
{
    struct xd_slot *slot = xd_table_get(&engine->orders, mirror->native);
    int64_t today = engine->now / XD_DAY_S;
    struct xd_record lost = {.state = XD_MATCH_CANCELLED, .give_from = today + 1, .reopens = true};
    if (mirror->from_day > today) lost.give_from = mirror->from_day;
    xd_touch_order(engine, slot);
    xd_report_lost(engine, slot, mirror);
    end_mirror(engine, slot, mirror, &lost);
}

/* --- proposals elsewhere, of an order that is withdrawn
 * --------------------------------------------------------------------- */

void xd_border_withdraw(struct xd_engine *engine, const struct xd_slot *slot)
{
    const struct xd_native *native = xd_native_find(engine, slot->id);
    for (const struct xd_mirror *mirror = native ? native->first : NULL; mirror; mirror = mirror->next) {
        if (mirror->state != XD_MATCH_PROPOSED) continue;
        xd_buf_add(&engine->border->withdrawals, &mirror->id, sizeof mirror->id);
    }
}

void xd_send_withdrawals(struct xd_engine *engine)
{
    struct xd_border *border = engine->border;
    for (size_t at = 0; at < border->withdrawals.len; at += sizeof(uint64_t)) {
        struct xd_record message = {.type = XD_RECORD_WITHDRAW};
        memcpy(&message.match_id, border->withdrawals.data + at, sizeof message.match_id);
        xd_peer_send(engine, xd_home_range(border, message.match_id), &message);
    }
}

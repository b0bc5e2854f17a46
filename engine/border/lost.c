/* Matches that have ended and of which this partition has lost everything: another lists them after a loss.
 * What they had of orders here is taken again, when all have told what they know; an order that was lost with
 * them may come in once more under its id, and is met by what is left of its former life. */
#include "core/id.h"
#include "core/when.h"
#include "engine/border/border.h"

static struct xd_past *find(const struct xd_border *border, uint64_t match)
{
    struct xd_past *lost = (void *)border->lost.data;
    for (size_t i = 0; i < border->lost.len / sizeof *lost; i++) {
        if (lost[i].told.match == match) return &lost[i];
    }
    return NULL;
}

static bool is_home(const struct xd_engine *engine, uint64_t id)
{
    return xd_id_partition(id) == engine->options.partition;
}

/* What the home of a match tells has numbers, which rise: above those that were heard, it was not. What it
 * told itself and has lost is above what it had told, but not of this generation. */
static bool is_lost(const struct xd_engine *engine, const struct xd_record *listed)
{
    const struct xd_border *border = engine->border;
    const struct xd_peer *peer = &border->peers[listed->head.from - border->first];
    uint64_t number = listed->version;
    if (!is_home(engine, listed->match_id)) return number > peer->heard;
    bool known = xd_table_get(&engine->deals, listed->match_id) || xd_past_contains(border, listed->match_id);
    return !known && number > peer->kept && number < (uint64_t)border->generation << 32;
}

static void add(struct xd_border *border, const struct xd_record *listed, const struct xd_answer *match)
{
    struct xd_past past = {.told = {.match = listed->match_id,
                                    .number = listed->version,
                                    .range = (uint8_t)(listed->head.from - border->first),
                                    .state = (uint8_t)match->state,
                                    .reopens = true},
                           .native = listed->order_id,
                           .ghost = listed->ghost_id,
                           .part = match->part,
                           .from_day = (int32_t)listed->give_from,
                           .until_day = (int32_t)listed->until};
    memcpy(past.amount, match->amount, sizeof past.amount);
    if (border->lost.len == XD_PAST_MAX * sizeof past) xd_buf_consume(&border->lost, sizeof past);
    xd_buf_add(&border->lost, &past, sizeof past);
}

void xd_lost_note(struct xd_engine *engine, const struct xd_record *listed, const struct xd_answer *match)
{
    struct xd_border *border = engine->border;
    bool awaited = border->awaited & xd_range_bit((unsigned)(listed->head.from - border->first));
    if (!awaited || find(border, listed->match_id) || !is_lost(engine, listed)) return;
    add(border, listed, match);
}

void xd_lost_withdraw(struct xd_engine *engine, const struct xd_record *listed, const struct xd_answer *match)
{
    struct xd_record refusal = {.type = XD_RECORD_WITHDRAW, .match_id = listed->match_id, .rollback = true};
    xd_peer_send(engine, xd_home_range(engine->border, listed->match_id), &refusal);
    add(engine->border, listed, match);
}

bool xd_lost_take_state(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_past *past = find(engine->border, record->match_id);
    if (!past) return false;
    past->told.number = record->version;
    past->told.state = (uint8_t)record->state;
    past->told.give_from = record->give_from;
    past->told.reopens = record->reopens;
    if (!xd_reconciles(engine->border)) xd_lost_settle(engine);
    return true;
}

void xd_lost_forget_withdrawn(struct xd_engine *engine, unsigned range)
{
    struct xd_buf *lost = &engine->border->lost;
    size_t kept = 0;
    for (size_t at = 0; at < lost->len; at += sizeof(struct xd_past)) {
        struct xd_past past;
        memcpy(&past, lost->data + at, sizeof past);
        if (past.told.range == range && !xd_has_ended(past.told.state)) continue;
        memcpy(lost->data + kept, &past, sizeof past);
        kept += sizeof past;
    }
    lost->len = kept;
}

/* --- what they had ------------------------------------------------------------------------------------ */

static void withdraw(struct xd_engine *engine, struct xd_mirror *mirror)
{
    struct xd_record message = {.type = XD_RECORD_WITHDRAW, .match_id = mirror->id, .rollback = true};
    xd_peer_send(engine, xd_home_range(engine->border, mirror->id), &message);
    xd_mirror_roll_back(engine, mirror);
}

/* Whether a match of an order that stands here may have what a lost one had: of an offer on the same days. */
static bool is_in_the_way(const struct xd_slot *slot, const struct xd_deal *deal, const struct xd_past *past)
{
    if (slot->side == XD_REQUEST) return true;
    const struct xd_storage_request *request = &deal->order[XD_REQUEST]->storage_request;
    return request->from_day < past->until_day && past->from_day < request->until_day;
}

static bool is_mirror_in_the_way(const struct xd_slot *slot, const struct xd_mirror *mirror,
                                 const struct xd_past *past)
{
    return slot->side == XD_REQUEST ||
           (mirror->from_day < past->until_day && past->from_day < mirror->until_day);
}

/* Where there is no room for what was lost, another match had ended before, and that was lost too: it lives here
 * again, and must not. The newest that may be it is undone; its part, or 0 if there is none. */
static int64_t undo_newest(struct xd_engine *engine, struct xd_slot *slot, const struct xd_past *past)
{
    struct xd_native *native = xd_native_find(engine, slot->id);
    struct xd_mirror *newest = NULL;
    for (struct xd_deal *deal = slot->first_deal; deal; deal = xd_deal_next(deal, slot)) {
        if (!is_in_the_way(slot, deal, past)) continue;
        int64_t part = deal->part;
        xd_end_withdrawn(engine, deal, (enum xd_side)slot->side, true);
        return part;
    }
    for (struct xd_mirror *mirror = native ? native->first : NULL; mirror; mirror = mirror->next) {
        if (is_mirror_in_the_way(slot, mirror, past)) newest = mirror;
    }
    if (!newest) return 0;
    int64_t part = newest->part;
    withdraw(engine, newest);
    return part;
}

/* What was given back of the days that are over is no matter. */
static bool has_days(const struct xd_engine *engine, const struct xd_slot *offer, const struct xd_past *past,
                     int64_t until)
{
    int64_t from = engine->now / XD_DAY_S + 1;
    if (from < past->from_day) from = past->from_day;
    if (from < offer->storage_offer.from_day) from = offer->storage_offer.from_day;
    for (unsigned dim = 0; from < until && dim < XD_DIMS; dim++) {
        if ((offer->dims >> dim & 1) && xd_slot_free(offer, (enum xd_dim)dim, from, until) < past->amount[dim])
            return false;
    }
    return true;
}

/* Of each day up to that from which on it was given back, as much as is free. */
static void take_days(struct xd_engine *engine, struct xd_slot *offer, const struct xd_past *past)
{
    const struct xd_storage_offer *storage = &offer->storage_offer;
    int64_t until = past->told.give_from ? past->told.give_from : past->until_day;
    if (until > storage->until_day) until = storage->until_day;
    while (!has_days(engine, offer, past, until) && undo_newest(engine, offer, past)) {
        if (offer->dead) return;
    }
    for (int64_t day = past->from_day; day < until; day++) {
        int64_t amount[XD_DIMS] = {0}, sum = 0;
        if (day < storage->from_day) continue;
        for (unsigned dim = 0; dim < XD_DIMS; dim++) {
            if (!(offer->dims >> dim & 1)) continue;
            int64_t free = xd_slot_free(offer, (enum xd_dim)dim, day, day + 1);
            sum += amount[dim] = past->amount[dim] < free ? past->amount[dim] : free;
        }
        if (sum && !xd_slot_take(engine, offer, amount, day, day + 1)) engine->failed = true;
    }
}

/* Where a truck was that carried what is not in its plan is not known: it gets no more. */
static void take_truck(struct xd_engine *engine, struct xd_slot *offer, const struct xd_past *past)
{
    if (past->told.state == XD_MATCH_COMPLETED) xd_lapse_order(engine, offer);
}

static void take_part(struct xd_engine *engine, struct xd_slot *request, const struct xd_past *past)
{
    if (past->told.reopens) return;
    int64_t room = request->ended == XD_LIVE ? request->open : request->whole - request->confirmed;
    for (int64_t missing = past->part - room, part; missing > 0 && !request->dead; missing -= part) {
        part = undo_newest(engine, request, past);
        if (!part) break;
    }
    if (request->dead || request->open <= 0) return;
    int32_t part = past->part < request->open ? (int32_t)past->part : request->open;
    request->open -= part;
    if (past->told.state == XD_MATCH_COMPLETED) xd_count_confirmed(engine, request, part);
}

static void take(struct xd_engine *engine, struct xd_slot *slot, const struct xd_past *past)
{
    xd_touch_order(engine, slot);
    if (slot->side == XD_REQUEST) {
        take_part(engine, slot, past);
    } else if (slot->kind == XD_TRUCK) {
        take_truck(engine, slot, past);
    } else {
        take_days(engine, slot, past);
    }
    xd_settle_order(engine, slot);
}

/* Told anew by the home of the match: what it told before, it may have lost for good. */
static void remember(struct xd_engine *engine, struct xd_past *past)
{
    if (is_home(engine, past->told.match)) {
        past->told.number = xd_peer_next_end(engine->border, past->told.range);
        xd_buf_add(&engine->border->states, &past->told, sizeof past->told);
    }
    xd_past_add(engine, past);
}

void xd_lost_settle(struct xd_engine *engine)
{
    struct xd_buf *lost = &engine->border->lost;
    size_t kept = 0;
    for (size_t at = 0; at < lost->len && !engine->failed; at += sizeof(struct xd_past)) {
        struct xd_past past;
        memcpy(&past, lost->data + at, sizeof past);
        struct xd_slot *slot =
            xd_table_get(&engine->orders, is_home(engine, past.native) ? past.native : past.ghost);
        bool ended = xd_has_ended(past.told.state);
        if (slot && ended) {
            take(engine, slot, &past);
            remember(engine, &past);
        } else if (!ended || !past.told.reopens) {
            memcpy(lost->data + kept, &past, sizeof past);
            kept += sizeof past;
        }
    }
    lost->len = kept;
}

/* Borders: making and unmaking, what arrives, what leaves at the end of a record. */
#include "engine/border/border.h"

#include "core/id.h"

#include <stdlib.h>

static_assert(offsetof(struct xd_spread, deadline) == XD_DEADLINE_AT, "see XD_DEADLINE_AT");

enum { FIRST_GENERATION = 1 };

static const size_t NOTES_MAX =
    (size_t)1 << 30; /* of one record: never reached, what is noted is bounded by the book */

static void init_notes(struct xd_border *border)
{
    xd_buf_init(&border->dirty, NOTES_MAX);
    xd_buf_init(&border->states, NOTES_MAX);
    xd_buf_init(&border->replies, NOTES_MAX);
    xd_buf_init(&border->withdrawals, NOTES_MAX);
    xd_buf_init(&border->lost, XD_PAST_MAX * sizeof(struct xd_past));
}

bool xd_border_create(struct xd_engine *engine)
{
    const struct xd_layout *layout = engine->options.layout;
    engine->options.layout = NULL; /* the caller's */
    if (!layout || layout->count == 1) return true;
    struct xd_border *border = calloc(1, sizeof *border);
    if (!border) return false;
    border->layout = *layout;
    border->own = (uint16_t)(engine->options.partition % layout->count);
    border->first = (uint16_t)(engine->options.partition - border->own);
    border->generation = FIRST_GENERATION;
    for (unsigned range = 0; range < layout->count; range++) {
        border->peers[range].gen = FIRST_GENERATION;
    }
    border->spreads.pool = border->ghosts.pool = border->natives.pool = border->mirrors.pool = &engine->pool;
    init_notes(border);
    engine->border = border;
    return true;
}

void xd_border_free(struct xd_engine *engine)
{
    struct xd_border *border = engine->border;
    if (!border) return;
    xd_table_free(&border->spreads);
    xd_table_free(&border->ghosts);
    xd_table_free(&border->natives);
    xd_table_free(&border->mirrors);
    xd_buf_free(&border->dirty);
    xd_buf_free(&border->states);
    xd_buf_free(&border->replies);
    xd_buf_free(&border->withdrawals);
    xd_buf_free(&border->lost);
    free(border->past);
    free(border);
}

void xd_border_bury(struct xd_engine *engine, struct xd_slot *slot)
{
    slot->dead = true;
    xd_book_update(engine, slot);
    xd_deadlines_remove(&engine->deadlines, &slot->lapse);
    slot->everybody.after = engine->graveyard;
    engine->graveyard = xd_pool_link(slot);
}

/* --- a record
 * ---------------------------------------------------------------------------------------------------------------
 */

void xd_border_begin(struct xd_engine *engine)
{
    if (!engine->border) return;
    engine->border->first_match = engine->next_match;
    engine->border->first_round = engine->border->rounds + 1;
}

static void take_message(struct xd_engine *engine, const struct xd_record *record)
{
    switch (record->type) {
    case XD_RECORD_GHOST:
        xd_ghost_take(engine, record);
        break;
    case XD_RECORD_GHOST_GONE:
        xd_ghost_take_gone(engine, record);
        break;
    case XD_RECORD_CLAIMS:
        xd_spread_take_claims(engine, record);
        break;
    case XD_RECORD_ANSWERS:
        xd_ghost_take_answers(engine, record);
        break;
    case XD_RECORD_MATCH_STATE:
        xd_sync_take_state(engine, record);
        break;
    case XD_RECORD_WITHDRAW:
        xd_withdraw_match(engine, record);
        break;
    case XD_RECORD_SYNC:
        xd_sync_begin(engine, (unsigned)(record->head.from - engine->border->first));
        break;
    case XD_RECORD_SYNC_MATCH:
        xd_sync_take_match(engine, record);
        break;
    case XD_RECORD_SYNC_END:
        xd_sync_end(engine, (unsigned)(record->head.from - engine->border->first));
        break;
    default:
        break;
    }
}

enum xd_code xd_border_apply(struct xd_engine *engine, const struct xd_record *record)
{
    if (record->type == XD_RECORD_GENERATION) xd_sync_generation(engine, record->generation);
    if (!engine->border || !xd_record_is_message(record->type)) return XD_OK;
    if (record->type == XD_RECORD_SYNC && xd_sync_opens(engine, &record->head)) return XD_OK;
    if (xd_peer_take(engine->border, &record->head)) take_message(engine, record);
    return XD_OK;
}

static void tell_spreads(struct xd_engine *engine)
{
    struct xd_buf *dirty = &engine->border->dirty;
    for (size_t at = 0; at < dirty->len && !engine->failed; at += sizeof(uint64_t)) {
        uint64_t id;
        memcpy(&id, dirty->data + at, sizeof id);
        struct xd_spread *spread = xd_spread_find(engine, id);
        if (spread) xd_spread_tell(engine, spread);
    }
}

void xd_border_tell_state(struct xd_engine *engine, const struct xd_told_state *told)
{
    struct xd_record message = {.type = XD_RECORD_MATCH_STATE,
                                .match_id = told->match,
                                .version = told->number,
                                .state = told->state,
                                .give_from = told->give_from,
                                .reopens = told->reopens};
    xd_peer_send(engine, told->range, &message);
}

static void tell_states(struct xd_engine *engine)
{
    struct xd_buf *states = &engine->border->states;
    for (size_t at = 0; at < states->len; at += sizeof(struct xd_told_state)) {
        struct xd_told_state told;
        memcpy(&told, states->data + at, sizeof told);
        xd_border_tell_state(engine, &told);
    }
}

/* States go before answers, so that who gets them knows the newest when a round ends. */
void xd_border_flush(struct xd_engine *engine)
{
    struct xd_border *border = engine->border;
    if (!border) return;
    tell_spreads(engine);
    if (engine->failed) return;
    xd_send_answers(engine);
    tell_states(engine);
    xd_send_claims(engine);
    xd_send_withdrawals(engine);
    if (border->dirty.failed || border->states.failed || border->replies.failed ||
        border->withdrawals.failed || border->lost.failed) {
        engine->failed = true;
    }
    xd_buf_clear(&border->dirty);
    xd_buf_clear(&border->states);
    xd_buf_clear(&border->replies);
    xd_buf_clear(&border->withdrawals);
}

/* --- what the rest of the engine asks
 * --------------------------------------------------------------------------------------- */

void xd_border_touch(struct xd_engine *engine, const struct xd_slot *slot)
{
    struct xd_spread *spread = xd_is_spread(slot) ? xd_spread_find(engine, slot->id) : NULL;
    if (!spread || spread->dirty) return;
    spread->dirty = true;
    xd_buf_add(&engine->border->dirty, &spread->id, sizeof spread->id);
}

bool xd_border_reconciles(const struct xd_engine *engine)
{
    return engine->border && xd_reconciles(engine->border);
}

void xd_border_entered(struct xd_engine *engine, struct xd_slot *slot)
{
    if (!engine->border) return;
    slot->aside = xd_reconciles(engine->border);
    if (!slot->aside) xd_lost_settle(engine);
}

bool xd_border_defers(struct xd_engine *engine, struct xd_slot *slot)
{
    if (!engine->border) return false;
    if (slot->role == XD_ROLE_GHOST) {
        xd_ghost_treat(engine, slot);
        return true;
    }
    if (xd_reconciles(engine->border)) return true;
    if (xd_is_spread(slot)) return xd_spread_gathers(engine, slot);
    return slot->aside;
}

void xd_border_settle(struct xd_engine *engine, struct xd_slot *copy)
{
    if (copy->role == XD_ROLE_IMAGE && !copy->first_deal) xd_border_bury(engine, copy);
}

void xd_border_gathered(struct xd_engine *engine, struct xd_deadline *deadline)
{
    xd_spread_close(engine,
                    (struct xd_spread *)(void *)((char *)deadline - offsetof(struct xd_spread, deadline)));
}

#include "engine/border/border.h"

#include <stdlib.h>

struct xd_engine *xd_engine_create(const struct xd_engine_options *options)
{
    struct xd_engine *engine = calloc(1, sizeof *engine);
    if (!engine) return NULL;
    engine->options = *options;
    engine->next_age = 1;
    engine->next_match = 1;
    engine->orders.pool = engine->deals.pool = engine->deadlines.pool = engine->accounts.pool = &engine->pool;
    engine->books = xd_books_create(options);
    engine->unhashed = calloc(1, sizeof *engine->unhashed);
    if (!engine->books || !engine->unhashed || !xd_border_create(engine)) {
        xd_engine_destroy(engine);
        return NULL;
    }
    engine->unhashed->pool = &engine->pool;
    return engine;
}

static void empty_graveyard(struct xd_engine *engine)
{
    while (engine->graveyard) {
        struct xd_slot *slot = xd_slot_at(engine, engine->graveyard);
        engine->graveyard = slot->everybody.after;
        xd_slot_destroy(engine, slot);
    }
}

void xd_engine_destroy(struct xd_engine *engine)
{
    if (!engine) return;
    xd_engine_save_abandon(engine);
    xd_border_free(engine);
    xd_books_destroy(engine->books);
    xd_table_free(&engine->orders);
    xd_table_free(&engine->deals);
    free(engine->accounts.buckets);
    free(engine->deadlines.heap);
    free(engine->seen.intervals);
    free(engine->grown);
    if (engine->unhashed) xd_unhashed_free(engine->unhashed);
    free(engine->unhashed);
    xd_pool_free(&engine->pool);
    free(engine);
}

static enum xd_code refusal(const struct xd_engine *engine, const struct xd_record *record)
{
    if (record->order.valid_until <= engine->now) return XD_LAPSED;
    return engine->order_count >= engine->options.max_orders ? XD_BOOK_FULL : XD_OK;
}

static enum xd_code take_order(struct xd_engine *engine, const struct xd_record *record)
{
    uint64_t number = xd_id_number(record->order_id);
    if (xd_seen_contains(&engine->seen, number)) return XD_OK;
    enum xd_code refused = refusal(engine, record);
    if (refused) {
        xd_report_rejected(engine, record, refused);
        xd_output_close_ref(engine->output, record->order_id, record->account, record->order.ref, true);
        return refused;
    }
    struct xd_slot *slot =
        xd_slot_create(engine, &record->order, record->account, record->order_id, record->credit);
    if (!slot) return XD_NO_MEMORY;
    slot->age = engine->next_age++;
    if (!xd_slot_enter(engine, slot)) {
        xd_slot_destroy(engine, slot);
        return XD_NO_MEMORY;
    }
    if (!xd_seen_add(&engine->seen, number) || !xd_deadlines_set(&engine->deadlines, &slot->lapse, slot->valid_until)) {
        engine->failed = true;
        return XD_NO_MEMORY;
    }
    xd_report_order(engine, slot, XD_EVENT_ORDER_ACCEPTED, NULL);
    xd_border_entered(engine, slot);
    if (!slot->dead) xd_treat(engine, slot);
    return XD_OK;
}

static enum xd_code set_credit(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_account *account = xd_account_find(&engine->accounts, record->account);
    for (xd_link at = account ? account->first_order : 0; at;) {
        struct xd_slot *slot = xd_slot_at(engine, at);
        at = slot->mine.after;
        xd_touch_order(engine, slot);
        slot->credit = (int16_t)record->credit;
        xd_book_update(engine, slot);
    }
    return XD_OK;
}

static enum xd_code carry_out(struct xd_engine *engine, const struct xd_record *record, unsigned *note)
{
    switch (record->type) {
    case XD_RECORD_ORDER:
        return take_order(engine, record);
    case XD_RECORD_AMEND:
        return xd_amend_order(engine, record, note);
    case XD_RECORD_CANCEL:
        return xd_cancel_order(engine, record);
    case XD_RECORD_ACCEPT:
        return xd_accept_match(engine, record);
    case XD_RECORD_DECLINE:
    case XD_RECORD_CANCEL_MATCH:
    case XD_RECORD_COMPLETE:
    case XD_RECORD_NO_SHOW:
        return xd_end_match(engine, record);
    case XD_RECORD_CREDIT:
        return set_credit(engine, record);
    default:
        return xd_border_apply(engine, record);
    }
}

bool xd_engine_apply(struct xd_engine *engine, int64_t now, const struct xd_record *record, struct xd_output *output)
{
    engine->output = output;
    engine->now = now;
    xd_border_begin(engine);
    xd_lapse_due(engine);
    xd_treat_grown(engine);
    unsigned note = 0;
    enum xd_code outcome = engine->failed ? XD_NO_MEMORY : carry_out(engine, record, &note);
    xd_treat_grown(engine);
    xd_border_flush(engine);
    xd_output_outcome_noted(output, outcome, note);
    empty_graveyard(engine);
    engine->output = NULL;
    return !engine->failed && !xd_output_failed(output);
}

int64_t xd_engine_next_deadline(const struct xd_engine *engine)
{
    const struct xd_deadline *first = xd_deadlines_first(&engine->deadlines);
    return first ? first->when : INT64_MAX;
}

int64_t xd_engine_now(const struct xd_engine *engine)
{
    return engine->now;
}

void xd_engine_stats(const struct xd_engine *engine, struct xd_engine_stats *out)
{
    *out = (struct xd_engine_stats){.orders = engine->order_count,
                                    .matches = engine->deal_count - engine->proposal_count,
                                    .proposals = engine->proposal_count};
    for (unsigned kind = 0; kind < XD_KINDS; kind++) {
        out->open_offers += xd_book_count(engine, kind, XD_OFFER);
        out->open_requests += xd_book_count(engine, kind, XD_REQUEST);
    }
}

/* After a loss: what this partition would match, others may have given away in matches that it knows nothing
 * of any more. So nothing is matched here until each of them has told what it knows (docs/CLUSTER.md,
 * Generations). */
#include "engine/border/border.h"

static void hold_spreads(struct xd_engine *engine)
{
    const struct xd_table *spreads = &engine->border->spreads;
    for (uint32_t i = 0; spreads->cells && i <= spreads->mask; i++) {
        if (spreads->cells[i].block)
            xd_spread_hold(engine, xd_pool_at(spreads->pool, spreads->cells[i].block));
    }
}

void xd_reconcile_begin(struct xd_engine *engine)
{
    struct xd_border *border = engine->border;
    for (unsigned range = 0; range < border->layout.count; range++) {
        struct xd_peer *peer = &border->peers[range];
        bool was_awaited = border->awaited & xd_range_bit(range);
        if (!was_awaited) peer->kept = peer->ended;
        if (range != border->own) border->awaited |= xd_range_bit(range);
    }
    hold_spreads(engine);
    for (xd_link at = engine->first_order; at;) {
        struct xd_slot *slot = xd_slot_at(engine, at);
        at = slot->everybody.after;
        slot->aside = true;
        xd_book_update(engine, slot);
    }
}

/* Point orders are treated, and so find the spread orders that are at home here; those that wait for matches
 * are announced anew, and so find the point orders elsewhere. */
static void release(struct xd_engine *engine, struct xd_slot *slot)
{
    slot->aside = xd_native_waits(engine, slot);
    xd_book_update(engine, slot);
    if (!xd_is_open(slot)) return;
    bool known = xd_is_spread(slot) && xd_spread_find(engine, slot->id);
    if (known && slot->fill == XD_FILL_REST) {
        xd_border_touch(engine, slot);
    } else {
        xd_grow(engine, slot);
    }
}

void xd_reconcile_with(struct xd_engine *engine, unsigned range)
{
    struct xd_border *border = engine->border;
    if (!(border->awaited & xd_range_bit(range))) return;
    border->awaited &= ~xd_range_bit(range);
    if (border->awaited) return;
    xd_lost_settle(engine);
    for (xd_link at = engine->first_order; at && !engine->failed;) {
        struct xd_slot *slot = xd_slot_at(engine, at);
        at = slot->everybody.after;
        release(engine, slot);
    }
}

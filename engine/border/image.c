/* Images: a native's copy at the home of the ghost that it was matched with. It stands where an order of this
 * partition would, and lives as long as its one match. */
#include "core/id.h"
#include "engine/border/border.h"

/* An offer has no more than was put aside, where the claim says how much. */
static void limit_to_claim(struct xd_slot *image, const struct xd_claim *claim)
{
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if ((image->dims >> dim & 1) && claim->amount[dim])
            xd_slot_set_amount(image, (enum xd_dim)dim, claim->amount[dim]);
    }
}

struct xd_slot *xd_image_create(struct xd_engine *engine, const struct xd_claim *claim)
{
    struct xd_slot *image = xd_slot_create(engine, &claim->order, claim->account, claim->id, claim->credit);
    if (!image) return NULL;
    image->role = XD_ROLE_IMAGE;
    image->age = engine->next_age++;
    if (image->side == XD_OFFER) limit_to_claim(image, claim);
    return image;
}

struct xd_slot *xd_image_of(const struct xd_deal *deal)
{
    if (deal->order[XD_OFFER]->role == XD_ROLE_IMAGE) return deal->order[XD_OFFER];
    return deal->order[XD_REQUEST]->role == XD_ROLE_IMAGE ? deal->order[XD_REQUEST] : NULL;
}

/* --- what its home is told
 * -------------------------------------------------------------------------------------------------- */

static void remember(struct xd_engine *engine, const struct xd_deal *deal, const struct xd_slot *image,
                     const struct xd_told_state *told)
{
    const struct xd_slot *spread = deal->order[!image->side];
    struct xd_past past = {.told = *told, .native = image->id, .ghost = spread->id, .part = deal->part};
    if (spread->kind != XD_TRUCK) {
        past.from_day = spread->storage_request.from_day;
        past.until_day = spread->storage_request.until_day;
    }
    memcpy(past.amount, deal->amount, sizeof past.amount);
    xd_past_add(engine, &past);
}

/* Of a match that this record made the answer tells. */
static void note_state(struct xd_engine *engine, const struct xd_deal *deal, int64_t give_from, bool reopens)
{
    struct xd_border *border = engine->border;
    const struct xd_slot *image = border ? xd_image_of(deal) : NULL;
    if (!image || xd_id_number(deal->id) >= border->first_match) return;
    struct xd_told_state told = {.match = deal->id,
                                 .give_from = give_from,
                                 .range = (uint8_t)xd_home_range(border, image->id),
                                 .state = deal->state,
                                 .reopens = reopens};
    if (told.state != XD_MATCH_CONFIRMED) {
        told.number = xd_peer_next_end(border, told.range);
        remember(engine, deal, image, &told);
    }
    xd_buf_add(&border->states, &told, sizeof told);
}

void xd_border_confirmed(struct xd_engine *engine, const struct xd_deal *deal)
{
    note_state(engine, deal, 0, false);
}

void xd_border_ended(struct xd_engine *engine, const struct xd_deal *deal, int64_t give_from, bool reopens)
{
    note_state(engine, deal, give_from, reopens);
}

void xd_withdraw_match(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_deal *deal = xd_table_get(&engine->deals, record->match_id);
    const struct xd_slot *image = deal ? xd_image_of(deal) : NULL;
    if (!image || xd_id_partition(image->id) != record->head.from) return;
    xd_end_withdrawn(engine, deal, (enum xd_side)image->side, record->rollback);
}

/* Matches over a border that have ended, the last of them: the native's home may lose what it was told of an
 * end, and would take a match that is not listed for one that was lost here (docs/CLUSTER.md, Generations).
 */
#include "core/mp.h"
#include "engine/border/border.h"
#include "engine/snapshot/unpack.h"

#include <stdlib.h>

void xd_past_add(struct xd_engine *engine, const struct xd_deal *deal, const struct xd_told_state *told)
{
    struct xd_border *border = engine->border;
    const struct xd_slot *image = xd_image_of(deal), *spread = deal->order[!image->side];
    if (!border->past) border->past = calloc(XD_PAST_MAX, sizeof *border->past);
    if (!border->past) {
        engine->failed = true;
        return;
    }
    struct xd_past *past = &border->past[border->past_count++ % XD_PAST_MAX];
    *past = (struct xd_past){.told = *told, .native = image->id, .ghost = spread->id, .part = deal->part};
    if (spread->kind != XD_TRUCK) {
        past->from_day = spread->storage_request.from_day;
        past->until_day = spread->storage_request.until_day;
    }
    memcpy(past->amount, deal->amount, sizeof past->amount);
}

static uint64_t oldest(const struct xd_border *border)
{
    return border->past_count > XD_PAST_MAX ? border->past_count - XD_PAST_MAX : 0;
}

void xd_past_tell(struct xd_engine *engine, unsigned range)
{
    const struct xd_border *border = engine->border;
    for (uint64_t i = oldest(border); i < border->past_count; i++) {
        const struct xd_past *past = &border->past[i % XD_PAST_MAX];
        if (past->told.range != range) continue;
        struct xd_answer match = {
            .yes = true, .match_id = past->told.match, .part = past->part, .state = past->told.state};
        memcpy(match.amount, past->amount, sizeof match.amount);
        xd_sync_tell_match(engine, range,
                           &(struct xd_record){.order_id = past->native,
                                               .ghost_id = past->ghost,
                                               .give_from = past->from_day,
                                               .until = past->until_day},
                           &match);
        xd_border_tell_state(engine, &past->told);
    }
}

/* --- as a snapshot has them ----------------------------------------------------------------------------- */

void xd_past_pack(const struct xd_border *border, struct xd_buf *out)
{
    xd_mp_array(out, (uint32_t)(border->past_count - oldest(border)));
    for (uint64_t i = oldest(border); i < border->past_count; i++) {
        const struct xd_past *past = &border->past[i % XD_PAST_MAX];
        xd_mp_array(out, 10 + XD_DIMS);
        xd_mp_uint(out, past->told.match);
        xd_mp_int(out, past->told.give_from);
        xd_mp_uint(out, past->told.range);
        xd_mp_uint(out, past->told.state);
        xd_mp_uint(out, past->told.reopens);
        xd_mp_uint(out, past->native);
        xd_mp_uint(out, past->ghost);
        xd_mp_int(out, past->part);
        xd_mp_int(out, past->from_day);
        xd_mp_int(out, past->until_day);
        xd_write_amounts(out, past->amount);
    }
}

bool xd_past_unpack(struct xd_border *border, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    if (in.bad || in.left > XD_PAST_MAX) return false;
    if (!in.left) return true;
    border->past = calloc(XD_PAST_MAX, sizeof *border->past);
    if (!border->past) return false;
    while (in.left) {
        struct xd_reader each = xd_read_array(xd_read_next(&in));
        struct xd_past *past = &border->past[border->past_count++];
        past->told.match = xd_read_uint(&each);
        past->told.give_from = xd_read_int(&each);
        past->told.range = (uint8_t)xd_read_uint(&each);
        past->told.state = (uint8_t)xd_read_uint(&each);
        past->told.reopens = xd_read_uint(&each);
        past->native = xd_read_uint(&each);
        past->ghost = xd_read_uint(&each);
        past->part = xd_read_int(&each);
        past->from_day = (int32_t)xd_read_int(&each);
        past->until_day = (int32_t)xd_read_int(&each);
        xd_read_amounts(&each, past->amount);
        if (each.bad || each.left) return false;
    }
    return true;
}

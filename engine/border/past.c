/* Matches over a border that have ended, the last of them: either side may lose all that it knew of one, and
 * would give away once more what that had (docs/CLUSTER.md, Generations). */
#include "core/mp.h"
#include "engine/border/border.h"
#include "engine/snapshot/unpack.h"

#include <stdlib.h>

void xd_past_add(struct xd_engine *engine, const struct xd_past *past)
{
    struct xd_border *border = engine->border;
    if (!border->past) border->past = calloc(XD_PAST_MAX, sizeof *border->past);
    if (!border->past) {
        engine->failed = true;
        return;
    }
    border->past[border->past_count++ % XD_PAST_MAX] = *past;
}

static uint64_t oldest(const struct xd_border *border)
{
    return border->past_count > XD_PAST_MAX ? border->past_count - XD_PAST_MAX : 0;
}

static const struct xd_past *lost_of(const struct xd_border *border, size_t *count)
{
    *count = border->lost.len / sizeof(struct xd_past);
    return (const void *)border->lost.data;
}

bool xd_past_contains(const struct xd_border *border, uint64_t match)
{
    size_t count;
    const struct xd_past *lost = lost_of(border, &count);
    for (size_t i = 0; i < count; i++) {
        if (lost[i].told.match == match && xd_has_ended(lost[i].told.state)) return true;
    }
    for (uint64_t i = oldest(border); i < border->past_count; i++) {
        if (border->past[i % XD_PAST_MAX].told.match == match) return true;
    }
    return false;
}

static void tell(struct xd_engine *engine, const struct xd_past *past)
{
    struct xd_answer match = {
        .yes = true, .match_id = past->told.match, .part = past->part, .state = past->told.state};
    memcpy(match.amount, past->amount, sizeof match.amount);
    xd_sync_tell_match(engine, past->told.range,
                       &(struct xd_record){.order_id = past->native,
                                           .version = past->told.number,
                                           .ghost_id = past->ghost,
                                           .give_from = past->from_day,
                                           .until = past->until_day},
                       &match);
    xd_border_tell_state(engine, &past->told);
}

void xd_past_tell(struct xd_engine *engine, unsigned range)
{
    const struct xd_border *border = engine->border;
    size_t count;
    const struct xd_past *lost = lost_of(border, &count);
    for (uint64_t i = oldest(border); i < border->past_count; i++) {
        const struct xd_past *past = &border->past[i % XD_PAST_MAX];
        if (past->told.range == range) tell(engine, past);
    }
    for (size_t i = 0; i < count; i++) {
        if (lost[i].told.range == range && xd_has_ended(lost[i].told.state)) tell(engine, &lost[i]);
    }
}

/* --- as a snapshot has them ----------------------------------------------------------------------------- */

static void pack_one(const struct xd_past *past, struct xd_buf *out)
{
    xd_mp_array(out, 11 + XD_DIMS);
    xd_mp_uint(out, past->told.match);
    xd_mp_uint(out, past->told.number);
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

static bool unpack_one(const msgpack_object *object, struct xd_past *past)
{
    struct xd_reader in = xd_read_array(object);
    past->told.match = xd_read_uint(&in);
    past->told.number = xd_read_uint(&in);
    past->told.give_from = xd_read_int(&in);
    past->told.range = (uint8_t)xd_read_uint(&in);
    past->told.state = (uint8_t)xd_read_uint(&in);
    past->told.reopens = xd_read_uint(&in);
    past->native = xd_read_uint(&in);
    past->ghost = xd_read_uint(&in);
    past->part = xd_read_int(&in);
    past->from_day = (int32_t)xd_read_int(&in);
    past->until_day = (int32_t)xd_read_int(&in);
    xd_read_amounts(&in, past->amount);
    return !in.bad && !in.left;
}

void xd_past_pack(const struct xd_border *border, struct xd_buf *out)
{
    xd_mp_array(out, (uint32_t)(border->past_count - oldest(border)));
    for (uint64_t i = oldest(border); i < border->past_count; i++) {
        pack_one(&border->past[i % XD_PAST_MAX], out);
    }
}

void xd_lost_pack(const struct xd_border *border, struct xd_buf *out)
{
    size_t count;
    const struct xd_past *lost = lost_of(border, &count);
    xd_mp_array(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        pack_one(&lost[i], out);
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
        if (!unpack_one(xd_read_next(&in), &border->past[border->past_count++])) return false;
    }
    return true;
}

bool xd_lost_unpack(struct xd_border *border, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    if (in.bad || in.left > XD_PAST_MAX) return false;
    while (in.left) {
        struct xd_past past = {0};
        if (!unpack_one(xd_read_next(&in), &past)) return false;
        xd_buf_add(&border->lost, &past, sizeof past);
    }
    return !border->lost.failed;
}

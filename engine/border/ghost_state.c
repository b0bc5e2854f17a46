/* A ghost's state: as its home sends it, as it is kept while a round is open, and the slot that is made of
 * it. */
#include "core/mp.h"
#include "engine/border/border.h"

static const size_t STATE_MAX = (size_t)1 << 20; /* as long as a record may be */

void xd_state_pack(const struct xd_slot *slot, struct xd_buf *out)
{
    if (slot->kind == XD_TRUCK) {
        xd_pack_plan(&slot->truck_offer.plan, out);
    } else {
        xd_mp_int(out, slot->open);
    }
}

static bool is_refused(const struct xd_ghost *ghost, uint64_t native)
{
    for (uint32_t i = 0; i < ghost->refused_count; i++) {
        if (ghost->refused[i] == native) return true;
    }
    return false;
}

/* Those that its home named, without those that were refused here. */
static void pack_barred(const struct xd_slot *slot, const struct xd_ghost *ghost, struct xd_buf *out)
{
    uint32_t count = slot->barred ? slot->barred->count : 0, kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        kept += !is_refused(ghost, slot->barred->offers[i]);
    }
    xd_mp_array(out, kept);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_refused(ghost, slot->barred->offers[i])) xd_mp_uint(out, slot->barred->offers[i]);
    }
}

void xd_ghost_pack(const struct xd_slot *slot, uint64_t version, const struct xd_ghost *ghost,
                   struct xd_buf *out)
{
    struct xd_buf plan, barred;
    xd_buf_init(&plan, STATE_MAX);
    xd_buf_init(&barred, STATE_MAX);
    xd_state_pack(slot, &plan);
    pack_barred(slot, ghost, &barred);
    struct xd_record state = {
        .type = XD_RECORD_GHOST, .head.seq = 1, .order_id = slot->id, .version = version};
    state.account = (struct xd_str){slot->account->name, slot->account->len};
    state.credit = slot->credit;
    state.plan = (struct xd_str){(const char *)plan.data, (uint32_t)plan.len};
    state.barred = (struct xd_str){(const char *)barred.data, (uint32_t)barred.len};
    xd_slot_order(slot, &state.order);
    xd_record_pack(&state, out);
    if (plan.failed || barred.failed) out->failed = true;
    xd_buf_free(&plan);
    xd_buf_free(&barred);
}

/* --- keeping
 * ----------------------------------------------------------------------------------------------------------------
 */

void xd_ghost_forget_state(struct xd_engine *engine, struct xd_ghost *ghost)
{
    xd_pool_give(&engine->pool, ghost->state);
    ghost->state = NULL;
    ghost->state_len = 0;
}

bool xd_ghost_keep(struct xd_engine *engine, struct xd_ghost *ghost, const uint8_t *bytes, size_t len)
{
    uint8_t *state = xd_pool_take(&engine->pool, len);
    if (!state) {
        engine->failed = true;
        return false;
    }
    memcpy(state, bytes, len);
    xd_ghost_forget_state(engine, ghost);
    ghost->state = state;
    ghost->state_len = (uint32_t)len;
    return true;
}

/* --- the slot
 * ---------------------------------------------------------------------------------------------------------------
 */

static bool read_object(struct xd_str bytes, msgpack_unpacked *out)
{
    return msgpack_unpack_next(out, bytes.at, bytes.len, NULL) == MSGPACK_UNPACK_SUCCESS;
}

static bool read_plan(struct xd_engine *engine, struct xd_slot *slot, const msgpack_object *plan)
{
    if (slot->kind == XD_TRUCK) return xd_unpack_plan(engine, slot, plan);
    if (plan->type != MSGPACK_OBJECT_POSITIVE_INTEGER || plan->via.u64 > (uint64_t)slot->whole) return false;
    slot->open = (int32_t)plan->via.u64;
    return true;
}

static bool read_state(struct xd_engine *engine, struct xd_slot *slot, const struct xd_record *state)
{
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    bool good = read_object(state->plan, &object) && read_plan(engine, slot, &object.data);
    good = good && read_object(state->barred, &object) && xd_unpack_barred(engine, slot, &object.data);
    msgpack_unpacked_destroy(&object);
    return good;
}

static bool bar_refused(struct xd_engine *engine, struct xd_slot *slot, const struct xd_ghost *ghost)
{
    for (uint32_t i = 0; i < ghost->refused_count; i++) {
        if (!xd_slot_bar_tried(engine, slot, ghost->refused[i])) return false;
    }
    return true;
}

bool xd_ghost_build(struct xd_engine *engine, struct xd_ghost *ghost, const struct xd_record *state)
{
    struct xd_slot *slot = xd_slot_create(engine, &state->order, state->account, ghost->id, state->credit);
    if (!slot) return false;
    slot->role = XD_ROLE_GHOST;
    slot->age = ghost->age;
    if (!xd_is_spread(slot) || !read_state(engine, slot, state) || !bar_refused(engine, slot, ghost)) {
        xd_slot_destroy(engine, slot);
        return false;
    }
    ghost->slot = slot;
    if (slot->valid_until <= engine->now) {
        slot->ended = XD_ENDED_EXPIRED;
    } else if (!xd_deadlines_set(&engine->deadlines, &slot->lapse, slot->valid_until)) {
        engine->failed = true;
    }
    xd_book_update(engine, slot);
    return true;
}

bool xd_ghost_rebuild(struct xd_engine *engine, struct xd_ghost *ghost, const uint8_t *bytes, size_t len)
{
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    struct xd_record state;
    bool good = msgpack_unpack_next(&object, (const char *)bytes, len, NULL) == MSGPACK_UNPACK_SUCCESS &&
                xd_record_unpack(&object.data, &state) && state.type == XD_RECORD_GHOST &&
                xd_ghost_build(engine, ghost, &state);
    msgpack_unpacked_destroy(&object);
    return good;
}

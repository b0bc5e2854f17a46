/* Ghosts: what another partition's spread order takes of the natives here, a round of claims at a time
 * (docs/CLUSTER.md, Borders). */
#include "core/id.h"
#include "engine/border/border.h"

enum { REFUSED_MAX = 1024 };

static const size_t STATE_MAX = (size_t)1 << 20;

static struct xd_ghost *find(const struct xd_engine *engine, uint64_t id)
{
    return xd_table_get(&engine->border->ghosts, id);
}

/* --- rounds
 * -----------------------------------------------------------------------------------------------------------------
 */

/* Opens a round: the state is kept as it is, the slot becomes a working copy. */
static struct xd_round *open_round(struct xd_engine *engine, struct xd_ghost *ghost)
{
    struct xd_buf state;
    xd_buf_init(&state, STATE_MAX);
    xd_ghost_pack(ghost->slot, ghost->version, ghost, &state);
    struct xd_round *round = xd_pool_take(&engine->pool, sizeof *round);
    if (!round || state.failed || !xd_ghost_keep(engine, ghost, state.data, state.len)) {
        engine->failed = true;
        xd_buf_free(&state);
        xd_pool_give(&engine->pool, round);
        return NULL;
    }
    xd_buf_free(&state);
    round->number = ++engine->border->rounds;
    round->version = ghost->version;
    if (ghost->slot->kind != XD_TRUCK) {
        round->from_day = ghost->slot->storage_request.from_day;
        round->until_day = ghost->slot->storage_request.until_day;
    }
    return ghost->round = round;
}

static void reply(struct xd_engine *engine, const struct xd_ghost *ghost, bool empty)
{
    struct xd_reply reply = {.ghost = ghost->id, .version = ghost->version, .empty = empty};
    xd_buf_add(&engine->border->replies, &reply, sizeof reply);
}

/* The round is whole: the ghost is busy until it is answered. */
static void become_busy(struct xd_engine *engine, struct xd_ghost *ghost)
{
    xd_border_bury(engine, ghost->slot);
    ghost->slot = NULL;
    ghost->asked = false;
    reply(engine, ghost, false);
}

static void add_claim(struct xd_engine *engine, struct xd_round *round, struct xd_slot *native,
                      const struct xd_candidate *candidate)
{
    struct xd_round_claim *claim = &round->claims[round->count++];
    claim->native = native->id;
    claim->surplus = candidate->surplus;
    claim->part = candidate->part;
    memcpy(claim->amount, candidate->amount, sizeof claim->amount);
    xd_native_put_aside(engine, native, round, claim);
}

void xd_border_claim(struct xd_engine *engine, struct xd_slot *native, struct xd_slot *ghost_slot,
                     const struct xd_candidate *candidate)
{
    struct xd_ghost *ghost = find(engine, ghost_slot->id);
    struct xd_round *round = open_round(engine, ghost);
    if (!round) return;
    add_claim(engine, round, native, candidate);
    become_busy(engine, ghost);
}

/* So that the next claim of the round counts on this one. */
static void take_on_copy(struct xd_engine *engine, struct xd_slot *slot, const struct xd_slot *native,
                         const struct xd_candidate *candidate)
{
    if (slot->kind != XD_TRUCK) {
        slot->open -= candidate->part;
    } else if (!xd_plan_insert(&slot->truck_offer.plan, &engine->pool, &slot->truck_offer.truck,
                               &native->truck_request, engine->now, &candidate->insertion)) {
        engine->failed = true;
    }
}

static bool may_claim(const struct xd_ghost *ghost)
{
    if (ghost->refused_count >= REFUSED_MAX || ghost->slot->ended != XD_LIVE) return false;
    if (ghost->round && ghost->round->count == XD_CLAIMS_MAX) return false;
    return ghost->slot->side == XD_OFFER || ghost->slot->open > 0;
}

void xd_ghost_treat(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_ghost *ghost = find(engine, slot->id);
    if (!ghost || ghost->slot != slot) return;
    struct xd_candidate candidate;
    struct xd_slot *native;
    while (!engine->failed && may_claim(ghost) && (native = xd_book_best(engine, slot, &candidate))) {
        if (!ghost->round && !open_round(engine, ghost)) return;
        take_on_copy(engine, slot, native, &candidate);
        add_claim(engine, ghost->round, native, &candidate);
    }
    if (ghost->round) {
        become_busy(engine, ghost);
    } else if (ghost->asked) {
        ghost->asked = false;
        reply(engine, ghost, true);
    }
}

/* --- its states
 * -------------------------------------------------------------------------------------------------------------
 */

static void forget_refused(struct xd_engine *engine, struct xd_ghost *ghost)
{
    xd_pool_give(&engine->pool, ghost->refused);
    ghost->refused = NULL;
    ghost->refused_count = ghost->refused_room = 0;
}

static void drop(struct xd_engine *engine, struct xd_ghost *ghost)
{
    if (ghost->slot) xd_border_bury(engine, ghost->slot);
    forget_refused(engine, ghost);
    xd_ghost_forget_state(engine, ghost);
    xd_pool_give(&engine->pool, ghost->round);
    xd_table_remove(&engine->border->ghosts, ghost->id);
    xd_pool_give(&engine->pool, ghost);
}

static struct xd_ghost *enter(struct xd_engine *engine, uint64_t id)
{
    struct xd_ghost *ghost = xd_pool_take(&engine->pool, sizeof *ghost);
    if (ghost) {
        ghost->id = id;
        ghost->age = engine->next_age++;
        if (xd_table_put(&engine->border->ghosts, ghost)) return ghost;
        xd_pool_give(&engine->pool, ghost);
    }
    engine->failed = true;
    return NULL;
}

/* There is no room for it: its home need not wait, and tells its next version too. */
static void turn_away(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_reply reply = {
        .ghost = record->order_id, .version = record->version, .empty = true, .full = true};
    xd_buf_add(&engine->border->replies, &reply, sizeof reply);
}

static void keep_for_later(struct xd_engine *engine, struct xd_ghost *ghost, const struct xd_record *record)
{
    struct xd_buf bytes;
    xd_buf_init(&bytes, STATE_MAX);
    xd_record_pack(record, &bytes);
    if (bytes.failed || !xd_ghost_keep(engine, ghost, bytes.data, bytes.len)) engine->failed = true;
    xd_buf_free(&bytes);
}

void xd_ghost_take(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_border *border = engine->border;
    struct xd_ghost *ghost = find(engine, record->order_id);
    bool is_new = !ghost;
    if (xd_id_partition(record->order_id) != record->head.from) return;
    if (is_new && border->ghosts.count >= engine->options.max_orders) {
        turn_away(engine, record);
        return;
    }
    if (!ghost) ghost = enter(engine, record->order_id);
    bool listed = ghost && ghost->stale; /* in a new session: what its home lost may have made it grow */
    if (ghost) ghost->stale = false;
    if (!ghost || record->version <= ghost->version) return;
    bool refused = ghost->refused_count;
    ghost->gone = false;
    ghost->version = record->version;
    forget_refused(engine, ghost);
    if (ghost->round) {
        keep_for_later(engine, ghost, record);
        return;
    }
    if (ghost->slot) xd_border_bury(engine, ghost->slot);
    ghost->slot = NULL;
    ghost->asked = record->ask;
    if (!xd_ghost_build(engine, ghost, record)) {
        drop(engine, ghost);
    } else if (is_new || listed || record->ask || refused) {
        xd_grow(engine, ghost->slot);
    }
}

void xd_ghost_take_gone(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_ghost *ghost = find(engine, record->order_id);
    if (!ghost) return;
    if (ghost->round) {
        ghost->gone = true;
    } else {
        drop(engine, ghost);
    }
}

/* --- answers
 * ----------------------------------------------------------------------------------------------------------------
 */

/* The native is not claimed for again until the version rises above the one that the claim named. */
static void refuse(struct xd_engine *engine, struct xd_ghost *ghost, uint64_t native)
{
    if (ghost->version > ghost->round->version) return;
    if (ghost->refused_count == ghost->refused_room) {
        uint32_t room = ghost->refused_room ? ghost->refused_room * 2 : 4;
        uint64_t *refused = xd_pool_take(&engine->pool, room * sizeof *refused);
        if (!refused) {
            engine->failed = true;
            return;
        }
        if (ghost->refused) memcpy(refused, ghost->refused, ghost->refused_count * sizeof *refused);
        xd_pool_give(&engine->pool, ghost->refused);
        ghost->refused = refused;
        ghost->refused_room = room;
    }
    ghost->refused[ghost->refused_count++] = native;
}

static void take_answers(struct xd_engine *engine, struct xd_ghost *ghost, struct xd_str answers)
{
    const struct xd_round *round = ghost->round;
    struct xd_claim_reader reader;
    xd_claim_reader_begin(&reader, answers);
    for (uint32_t i = 0; i < round->count && !engine->failed; i++) {
        struct xd_answer answer;
        if (!round->claims[i].native) continue; /* settled already, when the session began */
        if (!xd_answer_next(&reader, &answer)) answer.yes = false;
        xd_native_answered(engine, ghost, i, &answer);
        if (!answer.yes) refuse(engine, ghost, round->claims[i].native);
    }
    xd_claim_reader_end(&reader);
    for (uint32_t i = 0; i < round->count && !engine->failed; i++) {
        xd_native_go_on(engine, round->claims[i].native);
    }
}

static void end_round(struct xd_engine *engine, struct xd_ghost *ghost)
{
    xd_pool_give(&engine->pool, ghost->round);
    ghost->round = NULL;
    if (ghost->gone || !xd_ghost_rebuild(engine, ghost, ghost->state, ghost->state_len)) {
        drop(engine, ghost);
        return;
    }
    xd_ghost_forget_state(engine, ghost);
    xd_grow(engine, ghost->slot);
}

void xd_ghost_conclude(struct xd_engine *engine, struct xd_ghost *ghost)
{
    ghost->gone |= ghost->stale;
    ghost->stale = false;
    if (ghost->round && ghost->round->doubtful) {
        take_answers(engine, ghost, (struct xd_str){"", 0});
        if (!engine->failed) end_round(engine, ghost);
    } else if (ghost->gone && !ghost->round) {
        drop(engine, ghost);
    }
}

void xd_ghost_take_answers(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_ghost *ghost = find(engine, record->order_id);
    if (!ghost || !ghost->round || ghost->round->number != record->round) return;
    take_answers(engine, ghost, record->answers);
    if (!engine->failed) end_round(engine, ghost);
}

/* --- claims, at the end of the record
 * --------------------------------------------------------------------------------------- */

static void pack_claims(struct xd_engine *engine, const struct xd_round *round, struct xd_buf *out)
{
    for (uint32_t i = 0; i < round->count; i++) {
        const struct xd_round_claim *from = &round->claims[i];
        const struct xd_slot *native = xd_table_get(&engine->orders, from->native);
        struct xd_claim claim = {.id = from->native,
                                 .account = {native->account->name, native->account->len},
                                 .credit = native->credit,
                                 .part = from->part,
                                 .surplus = from->surplus};
        memcpy(claim.amount, from->amount, sizeof claim.amount);
        xd_slot_order(native, &claim.order);
        xd_claim_pack(&claim, out);
    }
}

void xd_send_claims(struct xd_engine *engine)
{
    struct xd_border *border = engine->border;
    struct xd_buf claims;
    xd_buf_init(&claims, STATE_MAX);
    for (size_t at = 0; at < border->replies.len; at += sizeof(struct xd_reply)) {
        struct xd_reply reply;
        memcpy(&reply, border->replies.data + at, sizeof reply);
        const struct xd_ghost *ghost = reply.empty ? NULL : find(engine, reply.ghost);
        struct xd_record message = {
            .type = XD_RECORD_CLAIMS, .order_id = reply.ghost, .version = reply.version, .full = reply.full};
        xd_buf_clear(&claims);
        if (ghost && ghost->round) {
            message.round = ghost->round->number;
            message.version = ghost->round->version;
            pack_claims(engine, ghost->round, &claims);
        }
        message.claims = (struct xd_str){(const char *)claims.data, (uint32_t)claims.len};
        xd_peer_send(engine, xd_home_range(border, reply.ghost), &message);
    }
    if (claims.failed) engine->failed = true;
    xd_buf_free(&claims);
}

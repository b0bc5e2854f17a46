/* Generations: when a log went back to an earlier state, both sides of each border tell each other what they
 * hold, and settle by the same rules what only one of them knows (docs/CLUSTER.md, Generations). */
#include "core/id.h"
#include "engine/border/border.h"

#include <stdlib.h>

enum { GENERATION_SHIFT = 36, VERSION_SHIFT = 32 };

static bool is_at(const struct xd_border *border, uint64_t id, unsigned range)
{
    return xd_id_partition(id) == border->first + range;
}

typedef void visitor(struct xd_engine *engine, void *block);

/* The blocks of a table that are at home in a range, by id. */
static void each_of(struct xd_engine *engine, const struct xd_table *table, unsigned range, visitor *visit)
{
    uint32_t count = table->count;
    void **blocks = xd_border_sorted(table);
    if (!blocks) engine->failed = true;
    for (uint32_t i = 0; blocks && i < count && !engine->failed; i++) {
        uint64_t id;
        memcpy(&id, blocks[i], sizeof id);
        if (is_at(engine->border, id, range)) visit(engine, blocks[i]);
    }
    free(blocks);
}

/* --- telling
 * ----------------------------------------------------------------------------------------------------------------
 */

static void send_bare(struct xd_engine *engine, unsigned range, enum xd_record_type type)
{
    struct xd_record message = {.type = type};
    xd_peer_send(engine, range, &message);
}

static void tell_ghosts(struct xd_engine *engine, unsigned range)
{
    void **spreads = xd_border_sorted(&engine->border->spreads);
    if (!spreads) engine->failed = true;
    for (uint32_t i = 0; spreads && i < engine->border->spreads.count; i++) {
        struct xd_spread *spread = spreads[i];
        xd_spread_repeat(engine, spread, range);
        xd_spread_forget_claims(engine, spread, range);
    }
    free(spreads);
}

void xd_sync_tell_match(struct xd_engine *engine, unsigned range, const struct xd_record *about,
                        const struct xd_answer *match)
{
    struct xd_buf packed;
    struct xd_record message = *about;
    message.type = XD_RECORD_SYNC_MATCH;
    message.match_id = match->match_id;
    xd_buf_init(&packed, 1 << 10);
    xd_answer_pack(match, &packed);
    message.answers = (struct xd_str){(const char *)packed.data, (uint32_t)packed.len};
    xd_peer_send(engine, range, &message);
    xd_buf_free(&packed);
}

static void tell_match(struct xd_engine *engine, const struct xd_deal *deal, const struct xd_slot *image,
                       unsigned range)
{
    const struct xd_slot *spread = deal->order[!image->side];
    struct xd_answer match = {.yes = true, .match_id = deal->id, .part = deal->part, .state = deal->state};
    struct xd_record about = {.order_id = image->id, .ghost_id = spread->id};
    if (spread->kind != XD_TRUCK) {
        about.give_from = spread->storage_request.from_day;
        about.until = spread->storage_request.until_day;
    }
    memcpy(match.amount, deal->amount, sizeof match.amount);
    xd_sync_tell_match(engine, range, &about, &match);
}

/* A round that this very record opened is sent in the new session. */
static void doubt_round(struct xd_engine *engine, void *block)
{
    struct xd_ghost *ghost = block;
    if (ghost->round && ghost->round->number < engine->border->first_round) ghost->round->doubtful = true;
}

/* What this side has, as the first messages of a session. */
static void open_session(struct xd_engine *engine, unsigned range)
{
    struct xd_peer *peer = &engine->border->peers[range];
    peer->sent = peer->seen = 0;
    each_of(engine, &engine->border->ghosts, range, doubt_round);
    send_bare(engine, range, XD_RECORD_SYNC);
    for (const struct xd_deal *deal = engine->first_deal; deal; deal = deal->after) {
        const struct xd_slot *image = xd_image_of(deal);
        if (image && is_at(engine->border, image->id, range)) tell_match(engine, deal, image, range);
    }
    xd_past_tell(engine, range);
    tell_ghosts(engine, range); /* last: what is claimed for them then is not in a match that is listed */
    send_bare(engine, range, XD_RECORD_SYNC_END);
}

/* Versions go on above all that may have been told before. */
static void raise_versions(struct xd_border *border)
{
    struct xd_table *spreads = &border->spreads;
    for (uint32_t i = 0; spreads->cells && i <= spreads->mask; i++) {
        if (!spreads->cells[i].block) continue;
        struct xd_spread *spread = xd_pool_at(spreads->pool, spreads->cells[i].block);
        spread->version = (uint64_t)border->generation << VERSION_SHIFT;
    }
}

void xd_sync_generation(struct xd_engine *engine, uint64_t generation)
{
    struct xd_border *border = engine->border;
    uint64_t first = (generation << GENERATION_SHIFT) + 1;
    if (generation > 1 && engine->next_match < first) engine->next_match = first;
    if (!border || generation <= border->generation) return;
    border->first_match = engine->next_match;
    border->generation = (uint32_t)generation;
    xd_reconcile_begin(engine);
    raise_versions(border);
    for (unsigned range = 0; range < border->layout.count; range++) {
        if (range != border->own) open_session(engine, range);
    }
}

/* --- being told
 * -------------------------------------------------------------------------------------------------------------
 */

bool xd_sync_opens(struct xd_engine *engine, const struct xd_message_head *head)
{
    struct xd_border *border = engine->border;
    int range = xd_peer_range(border, head->from);
    if (range < 0 || range == border->own || head->from_gen <= border->peers[range].gen) return false;
    border->peers[range].gen = (uint32_t)head->from_gen;
    open_session(engine, (unsigned)range);
    if (head->to_gen != border->generation || head->seq != 1)
        return true; /* it will answer to ours with another */
    border->peers[range].seen = 1;
    xd_sync_begin(engine, (unsigned)range);
    return true;
}

static void doubt_ghost(struct xd_engine *engine, void *block)
{
    (void)engine;
    ((struct xd_ghost *)block)->stale = true;
}

static void doubt_mirror(struct xd_engine *engine, void *block)
{
    (void)engine;
    ((struct xd_mirror *)block)->stale = true;
}

void xd_sync_begin(struct xd_engine *engine, unsigned range)
{
    xd_lost_forget_withdrawn(engine, range);
    each_of(engine, &engine->border->ghosts, range, doubt_ghost);
    each_of(engine, &engine->border->mirrors, range, doubt_mirror);
}

static bool covers(const struct xd_round_claim *claim, const struct xd_answer *match)
{
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (match->amount[dim] > claim->amount[dim]) return false;
    }
    return match->part <= claim->part;
}

/* It is the answer to a claim that is open: the message with it was lost. */
static bool answers_claim(struct xd_engine *engine, const struct xd_record *listed,
                          const struct xd_answer *match)
{
    struct xd_ghost *ghost = xd_table_get(&engine->border->ghosts, listed->ghost_id);
    struct xd_round *round = ghost && ghost->round && ghost->round->doubtful ? ghost->round : NULL;
    for (uint32_t i = 0; round && i < round->count; i++) {
        struct xd_round_claim *claim = &round->claims[i];
        bool days = round->from_day == listed->give_from && round->until_day == listed->until;
        if (claim->native != listed->order_id || !days || !covers(claim, match)) continue;
        xd_native_answered(engine, ghost, i, match);
        claim->native = 0;
        xd_native_go_on(engine, listed->order_id);
        return true;
    }
    return false;
}

static int64_t state_before(int64_t end)
{
    return end == XD_MATCH_DECLINED || end == XD_MATCH_LAPSED ? XD_MATCH_PROPOSED : XD_MATCH_CONFIRMED;
}

/* Of a match that is not known here: it answers a claim, has ended, or what it has is put aside anew. */
static bool is_settled(struct xd_engine *engine, const struct xd_record *listed,
                       const struct xd_answer *match, bool ended)
{
    if (answers_claim(engine, listed, match)) return true;
    if (ended) {
        xd_lost_note(engine, listed, match);
        return true;
    }
    return xd_past_contains(engine->border, listed->match_id) || xd_native_find_again(engine, listed, match);
}

void xd_sync_take_match(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_mirror *mirror = xd_table_get(&engine->border->mirrors, record->match_id);
    struct xd_claim_reader reader;
    struct xd_answer match;
    xd_claim_reader_begin(&reader, record->answers);
    bool good = xd_answer_next(&reader, &match) && match.yes;
    xd_claim_reader_end(&reader);
    if (!good) return;
    bool ended = xd_has_ended(match.state); /* the next message says how */
    if (is_at(engine->border, record->match_id, engine->border->own)) {
        if (ended) xd_lost_note(engine, record, &match);
        return;
    }
    if (ended) match.state = mirror ? mirror->state : state_before(match.state);
    if (mirror) {
        xd_mirror_listed(engine, mirror, match.state);
    } else if (!is_settled(engine, record, &match, ended)) {
        xd_lost_withdraw(engine, record, &match);
    }
}

/* A match that is at home here: its end was lost. */
static void end_again(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_deal *deal = xd_table_get(&engine->deals, record->match_id);
    const struct xd_slot *image = deal ? xd_image_of(deal) : NULL;
    if (!image || xd_id_partition(image->id) != record->head.from) return;
    xd_end_again(engine, deal, (enum xd_match_state)record->state, record->reopens);
}

void xd_sync_take_state(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_mirror *mirror = xd_table_get(&engine->border->mirrors, record->match_id);
    unsigned range = (unsigned)(record->head.from - engine->border->first);
    struct xd_peer *peer = &engine->border->peers[range];
    if (mirror) {
        xd_mirror_take_state(engine, mirror, record);
    } else if (!xd_has_ended(record->state)) {
        return;
    } else if (!xd_lost_take_state(engine, record)) {
        end_again(engine, record);
    }
    if (is_at(engine->border, record->match_id, range) && record->version > peer->heard)
        peer->heard = record->version;
}

static void conclude_ghost(struct xd_engine *engine, void *block)
{
    xd_ghost_conclude(engine, block);
}

/* What was not listed is lost; what was to be withdrawn may not have been heard. */
static void conclude_mirror(struct xd_engine *engine, void *block)
{
    struct xd_mirror *mirror = block;
    const struct xd_slot *slot = xd_table_get(&engine->orders, mirror->native);
    if (mirror->stale) {
        xd_mirror_roll_back(engine, mirror);
    } else if (slot->ended == XD_ENDED_CANCELLED && mirror->state == XD_MATCH_PROPOSED) {
        xd_buf_add(&engine->border->withdrawals, &mirror->id, sizeof mirror->id);
    }
}

void xd_sync_end(struct xd_engine *engine, unsigned range)
{
    each_of(engine, &engine->border->mirrors, range, conclude_mirror);
    each_of(engine, &engine->border->ghosts, range, conclude_ghost);
    xd_reconcile_with(engine, range);
}

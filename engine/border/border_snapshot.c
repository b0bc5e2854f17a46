/* Borders in bytes and back: sessions in the header, then spread orders, ghosts and natives (with their
 * mirrors), each by id. */
#include "core/mp.h"
#include "engine/border/border.h"
#include "engine/snapshot/unpack.h"

#include <stdlib.h>
#include <xxhash.h>

/* --- images
 * -----------------------------------------------------------------------------------------------------------------
 */

void xd_pack_image(const struct xd_slot *image, struct xd_buf *out)
{
    xd_mp_array(out, 5);
    xd_mp_uint(out, image->id);
    xd_mp_uint(out, image->age);
    xd_mp_str(out, image->account->name, image->account->len);
    xd_mp_int(out, image->credit);
    xd_pack_terms(image, out);
}

struct xd_slot *xd_unpack_image(struct xd_engine *engine, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_claim claim = {.id = xd_read_uint(&in)}; /* with no amounts: the terms are limited already */
    uint64_t age = xd_read_uint(&in), next_age = engine->next_age;
    claim.account = xd_read_bytes(&in);
    claim.credit = xd_read_int(&in);
    struct xd_str terms = xd_read_bytes(&in);
    struct xd_slot *image = NULL;
    msgpack_unpacked order;
    msgpack_unpacked_init(&order);
    if (!in.bad && msgpack_unpack_next(&order, terms.at, terms.len, NULL) == MSGPACK_UNPACK_SUCCESS &&
        xd_order_unpack(&order.data, &claim.order)) {
        image = xd_image_create(engine, &claim);
    }
    msgpack_unpacked_destroy(&order);
    engine->next_age = next_age;
    if (image) image->age = age;
    return image;
}

/* --- spread orders
 * ----------------------------------------------------------------------------------------------------------
 */

static uint32_t count_kept(const struct xd_spread *spread)
{
    uint32_t count = 0;
    for (const struct xd_kept *kept = spread->kept.first; kept; kept = kept->next) {
        count++;
    }
    return count;
}

static void pack_spread(const void *what, struct xd_buf *out)
{
    const struct xd_spread *spread = what;
    xd_mp_array(out, 12 + count_kept(spread));
    xd_mp_uint(out, spread->id);
    xd_mp_uint(out, spread->version);
    xd_mp_uint(out, spread->asked_version);
    xd_mp_uint(out, spread->terms_version);
    xd_mp_uint(out, spread->cover);
    xd_mp_uint(out, spread->known);
    xd_mp_uint(out, spread->asked);
    xd_mp_uint(out, spread->behind);
    xd_mp_uint(out, spread->full);
    xd_mp_uint(out, spread->terms);
    xd_mp_uint(out, spread->state);
    xd_mp_int(out, spread->gathering ? spread->deadline.when : -1);
    for (const struct xd_kept *kept = spread->kept.first; kept; kept = kept->next) {
        xd_mp_array(out, 5);
        xd_mp_uint(out, kept->range);
        xd_mp_uint(out, kept->round);
        xd_mp_uint(out, kept->version);
        xd_mp_int(out, kept->surplus);
        xd_pack_image(kept->image, out);
    }
}

static bool unpack_kept(struct xd_engine *engine, struct xd_spread *spread, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_kept *kept = xd_pool_take(&engine->pool, sizeof *kept);
    if (!kept) return false;
    kept->ghost = spread->id;
    kept->range = (uint8_t)xd_read_uint(&in);
    kept->round = xd_read_uint(&in);
    kept->version = xd_read_uint(&in);
    kept->surplus = xd_read_int(&in);
    kept->image = xd_unpack_image(engine, xd_read_next(&in));
    xd_kept_add(&spread->kept, kept);
    return kept->image && !in.bad;
}

static bool unpack_spread(struct xd_engine *engine, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_spread *spread = xd_pool_take(&engine->pool, sizeof *spread);
    if (!spread) return false;
    spread->id = xd_read_uint(&in);
    spread->version = xd_read_uint(&in);
    spread->asked_version = xd_read_uint(&in);
    spread->terms_version = xd_read_uint(&in);
    spread->cover = xd_read_uint(&in);
    spread->known = xd_read_uint(&in);
    spread->asked = xd_read_uint(&in);
    spread->behind = xd_read_uint(&in);
    spread->full = xd_read_uint(&in);
    spread->terms = xd_read_uint(&in);
    spread->state = xd_read_uint(&in);
    int64_t when = xd_read_int(&in);
    struct xd_slot *slot = xd_table_get(&engine->orders, spread->id);
    if (in.bad || !slot || !xd_table_put(&engine->border->spreads, spread)) return false;
    spread->gathering = when >= 0;
    spread->deadline.class = XD_DEADLINE_GATHER;
    spread->deadline.age = slot->age;
    while (in.left) {
        if (!unpack_kept(engine, spread, xd_read_next(&in))) return false;
    }
    if (!spread->gathering) return true;
    slot->aside = true;
    xd_book_update(engine, slot);
    return xd_deadlines_set(&engine->deadlines, &spread->deadline, when);
}

/* --- ghosts
 * -----------------------------------------------------------------------------------------------------------------
 */

static void pack_round(const struct xd_round *round, struct xd_buf *out)
{
    if (!round) {
        xd_mp_nil(out);
        return;
    }
    xd_mp_array(out, 5 + round->count);
    xd_mp_uint(out, round->number);
    xd_mp_uint(out, round->version);
    xd_mp_int(out, round->from_day);
    xd_mp_int(out, round->until_day);
    xd_mp_uint(out, round->doubtful);
    for (uint32_t i = 0; i < round->count; i++) {
        const struct xd_round_claim *claim = &round->claims[i];
        xd_mp_array(out, 3 + XD_DIMS);
        xd_mp_uint(out, claim->native);
        xd_mp_int(out, claim->part);
        xd_mp_int(out, claim->surplus);
        xd_write_amounts(out, claim->amount);
    }
}

static struct xd_round *unpack_round(struct xd_engine *engine, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_round *round = xd_pool_take(&engine->pool, sizeof *round);
    if (!round) return NULL;
    round->number = xd_read_uint(&in);
    round->version = xd_read_uint(&in);
    round->from_day = (int32_t)xd_read_int(&in);
    round->until_day = (int32_t)xd_read_int(&in);
    round->doubtful = xd_read_uint(&in);
    while (in.left && !in.bad && round->count < XD_CLAIMS_MAX) {
        struct xd_reader each = xd_read_array(xd_read_next(&in));
        struct xd_round_claim *claim = &round->claims[round->count++];
        claim->native = xd_read_uint(&each);
        claim->part = (int32_t)xd_read_int(&each);
        claim->surplus = xd_read_int(&each);
        xd_read_amounts(&each, claim->amount);
        if (each.bad) return NULL;
    }
    return in.bad || in.left ? NULL : round;
}

static void pack_ghost(const void *what, struct xd_buf *out)
{
    const struct xd_ghost *ghost = what;
    xd_mp_array(out, 7);
    xd_mp_uint(out, ghost->id);
    xd_mp_uint(out, ghost->age);
    xd_mp_uint(out, ghost->version);
    xd_mp_int(out, ghost->gone | ghost->stale << 1 | ghost->asked << 2);
    xd_mp_array(out, ghost->refused_count);
    for (uint32_t i = 0; i < ghost->refused_count; i++) {
        xd_mp_uint(out, ghost->refused[i]);
    }
    pack_round(ghost->round, out);
    if (ghost->round) {
        xd_mp_bin(out, ghost->state, ghost->state_len);
        return;
    }
    struct xd_buf state;
    xd_buf_init(&state, out->limit);
    xd_ghost_pack(ghost->slot, ghost->version, ghost, &state);
    xd_mp_bin(out, state.data, state.len);
    if (state.failed) out->failed = true;
    xd_buf_free(&state);
}

static bool unpack_refused(struct xd_engine *engine, struct xd_ghost *ghost, struct xd_reader in)
{
    if (in.bad || !in.left) return !in.bad;
    ghost->refused = xd_pool_take(&engine->pool, in.left * sizeof *ghost->refused);
    ghost->refused_room = in.left;
    while (ghost->refused && in.left) {
        ghost->refused[ghost->refused_count++] = xd_read_uint(&in);
    }
    return ghost->refused && !in.bad;
}

static bool unpack_ghost(struct xd_engine *engine, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_ghost *ghost = xd_pool_take(&engine->pool, sizeof *ghost);
    if (!ghost) return false;
    ghost->id = xd_read_uint(&in);
    ghost->age = xd_read_uint(&in);
    ghost->version = xd_read_uint(&in);
    uint64_t flags = xd_read_uint(&in);
    ghost->gone = flags & 1;
    ghost->stale = flags >> 1 & 1;
    ghost->asked = flags >> 2 & 1;
    bool good = unpack_refused(engine, ghost, xd_read_array(xd_read_next(&in)));
    const msgpack_object *round = xd_read_next(&in);
    struct xd_str state = xd_read_bytes(&in);
    if (!good || in.bad || !xd_table_put(&engine->border->ghosts, ghost)) return false;
    if (round->type == MSGPACK_OBJECT_NIL)
        return xd_ghost_rebuild(engine, ghost, (const uint8_t *)state.at, state.len);
    ghost->round = unpack_round(engine, round);
    return ghost->round && xd_ghost_keep(engine, ghost, (const uint8_t *)state.at, state.len);
}

/* --- natives
 * ----------------------------------------------------------------------------------------------------------------
 */

static void pack_mirror(const struct xd_mirror *mirror, struct xd_buf *out)
{
    xd_mp_array(out, 7 + XD_DIMS);
    xd_mp_uint(out, mirror->id);
    xd_mp_uint(out, mirror->ghost);
    xd_mp_uint(out, mirror->state);
    xd_mp_uint(out, mirror->stale);
    xd_mp_int(out, mirror->part);
    xd_mp_int(out, mirror->from_day);
    xd_mp_int(out, mirror->until_day);
    xd_write_amounts(out, mirror->amount);
}

static bool unpack_mirror(struct xd_engine *engine, struct xd_native *native, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_mirror *mirror = xd_pool_take(&engine->pool, sizeof *mirror);
    if (!mirror) return false;
    mirror->id = xd_read_uint(&in);
    mirror->native = native->id;
    mirror->ghost = xd_read_uint(&in);
    mirror->state = (uint8_t)xd_read_uint(&in);
    mirror->stale = xd_read_uint(&in);
    mirror->part = (int32_t)xd_read_int(&in);
    mirror->from_day = (int32_t)xd_read_int(&in);
    mirror->until_day = (int32_t)xd_read_int(&in);
    xd_read_amounts(&in, mirror->amount);
    return !in.bad && xd_mirror_enter(engine, native, mirror);
}

static void pack_native(const void *what, struct xd_buf *out)
{
    const struct xd_native *native = what;
    uint32_t mirrors = 0;
    for (const struct xd_mirror *mirror = native->first; mirror; mirror = mirror->next) {
        mirrors++;
    }
    xd_mp_array(out, 3 + mirrors);
    xd_mp_uint(out, native->id);
    xd_mp_uint(out, native->claims);
    xd_mp_int(out, native->cancel_wanted | native->lapse_due << 1);
    for (const struct xd_mirror *mirror = native->first; mirror; mirror = mirror->next) {
        pack_mirror(mirror, out);
    }
}

static bool unpack_native(struct xd_engine *engine, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    uint64_t id = xd_read_uint(&in), claims = xd_read_uint(&in), wanted = xd_read_uint(&in);
    struct xd_slot *slot = xd_table_get(&engine->orders, id);
    struct xd_native *native = in.bad || !slot ? NULL : xd_native_of(engine, id);
    if (!native) return false;
    native->claims = (uint32_t)claims;
    native->cancel_wanted = wanted & 1;
    native->lapse_due = wanted >> 1 & 1;
    while (in.left) {
        if (!unpack_mirror(engine, native, xd_read_next(&in))) return false;
    }
    if (wanted) slot->aside = true;
    xd_book_update(engine, slot);
    return true;
}

/* --- all of it
 * --------------------------------------------------------------------------------------------------------------
 */

void xd_border_pack_header(const struct xd_border *border, struct xd_buf *out)
{
    xd_mp_array(out, 8 + 6 * border->layout.count);
    xd_mp_uint(out, border->generation);
    xd_mp_uint(out, border->rounds);
    xd_mp_uint(out, border->spreads.count);
    xd_mp_uint(out, border->ghosts.count);
    xd_mp_uint(out, border->natives.count);
    xd_mp_uint(out, border->awaited);
    for (unsigned range = 0; range < border->layout.count; range++) {
        const struct xd_peer *peer = &border->peers[range];
        xd_mp_uint(out, peer->gen);
        xd_mp_uint(out, peer->sent);
        xd_mp_uint(out, peer->seen);
        xd_mp_uint(out, peer->ended);
        xd_mp_uint(out, peer->kept);
        xd_mp_uint(out, peer->heard);
    }
    xd_past_pack(border, out);
    xd_lost_pack(border, out);
}

bool xd_border_unpack_header(struct xd_border *border, const msgpack_object *object,
                             struct xd_border_counts *out)
{
    struct xd_reader in = xd_read_array(object);
    border->generation = (uint32_t)xd_read_uint(&in);
    border->rounds = xd_read_uint(&in);
    out->spreads = xd_read_uint(&in);
    out->ghosts = xd_read_uint(&in);
    out->natives = xd_read_uint(&in);
    border->awaited = xd_read_uint(&in);
    for (unsigned range = 0; range < border->layout.count; range++) {
        struct xd_peer *peer = &border->peers[range];
        peer->gen = (uint32_t)xd_read_uint(&in);
        peer->sent = xd_read_uint(&in);
        peer->seen = xd_read_uint(&in);
        peer->ended = xd_read_uint(&in);
        peer->kept = xd_read_uint(&in);
        peer->heard = xd_read_uint(&in);
    }
    return !in.bad && in.left == 2 && xd_past_unpack(border, xd_read_next(&in)) &&
           xd_lost_unpack(border, xd_read_next(&in));
}

static uint64_t id_of(const void *block)
{
    uint64_t id;
    memcpy(&id, block, sizeof id);
    return id;
}

static int by_id(const void *a, const void *b)
{
    uint64_t one = id_of(*(void *const *)a), other = id_of(*(void *const *)b);
    return one < other ? -1 : one > other;
}

void **xd_border_sorted(const struct xd_table *table)
{
    void **blocks = malloc((table->count + 1) * sizeof *blocks);
    uint32_t count = 0;
    for (uint32_t i = 0; blocks && table->cells && i <= table->mask; i++) {
        if (table->cells[i].block) blocks[count++] = xd_pool_at(table->pool, table->cells[i].block);
    }
    if (blocks) qsort(blocks, count, sizeof *blocks, by_id);
    return blocks;
}

static void pack_table(const struct xd_table *table, void (*pack)(const void *what, struct xd_buf *out),
                       struct xd_buf *out, uint64_t *sum)
{
    void **blocks = xd_border_sorted(table);
    if (!blocks) out->failed = true;
    for (uint32_t i = 0; blocks && i < table->count; i++) {
        size_t at = out->len;
        pack(blocks[i], out);
        if (!sum || out->failed) continue;
        *sum += XXH3_64bits(out->data + at, out->len - at);
        out->len = at;
    }
    free(blocks);
}

void xd_border_pack(const struct xd_engine *engine, struct xd_buf *out, uint64_t *sum)
{
    const struct xd_border *border = engine->border;
    if (!border) return;
    pack_table(&border->spreads, pack_spread, out, sum);
    pack_table(&border->ghosts, pack_ghost, out, sum);
    pack_table(&border->natives, pack_native, out, sum);
}

bool xd_border_unpack(struct xd_engine *engine, const struct xd_border_counts *counts, uint64_t number,
                      const msgpack_object *object)
{
    if (number < counts->spreads) return unpack_spread(engine, object);
    if (number < counts->spreads + counts->ghosts) return unpack_ghost(engine, object);
    return unpack_native(engine, object);
}

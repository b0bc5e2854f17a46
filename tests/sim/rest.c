#include "tests/sim/rest.h"

#include "core/id.h"
#include "engine/border/border.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct sim_world *world;
    struct xd_engine *const *engines;
    const struct xd_engine *engine; /* the one looked at */
    unsigned partition;
};

static void broken(const struct check *check, uint64_t id, const char *what)
{
    sim_fail(check->world, "not settled: p%u, %" PRIx64 ": %s", check->partition, id, what);
}

static const struct xd_engine *home_of(const struct check *check, uint64_t id)
{
    return check->engines[xd_id_partition(id) - check->world->store->first];
}

typedef void check_block(const struct check *check, const void *block);

static void each(const struct check *check, const struct xd_table *table, check_block *look)
{
    for (uint32_t i = 0; table->cells && i <= table->mask; i++) {
        if (table->cells[i].block) look(check, xd_pool_at(table->pool, table->cells[i].block));
    }
}

static void check_spread(const struct check *check, const void *block)
{
    const struct xd_spread *spread = block;
    if (!xd_table_get(&check->engine->orders, spread->id))
        broken(check, spread->id, "a spread order that is gone");
    if (spread->gathering) broken(check, spread->id, "still gathers");
    if (spread->kept.first) broken(check, spread->id, "claims on it have no answer");
    for (uint64_t known = spread->known; known; known &= known - 1) {
        const struct xd_engine *other = check->engines[__builtin_ctzll(known)];
        const struct xd_ghost *ghost = xd_table_get(&other->border->ghosts, spread->id);
        bool behind = spread->behind >> __builtin_ctzll(known) & 1;
        if (!ghost || (behind ? ghost->version >= spread->version : ghost->version != spread->version))
            broken(check, spread->id, "its ghost is not what it is");
    }
}

static void check_ghost(const struct check *check, const void *block)
{
    const struct xd_ghost *ghost = block;
    const struct xd_slot *order = xd_table_get(&home_of(check, ghost->id)->orders, ghost->id);
    if (!order) broken(check, ghost->id, "a ghost of nothing");
    if (ghost->round) broken(check, ghost->id, "a round is open");
    if (!order || !ghost->slot) return;
    const struct xd_spread *spread = xd_spread_find(home_of(check, ghost->id), ghost->id);
    if (spread && ghost->version < spread->version) return; /* behind, as check_spread has found right */
    struct xd_buf here, there;
    xd_buf_init(&here, 1 << 20);
    xd_buf_init(&there, 1 << 20);
    xd_state_pack(ghost->slot, &here);
    xd_state_pack(order, &there);
    if (here.len != there.len || memcmp(here.data, there.data, here.len) != 0)
        broken(check, ghost->id, "ghost and order differ");
    xd_buf_free(&here);
    xd_buf_free(&there);
}

static void check_native(const struct check *check, const void *block)
{
    const struct xd_native *native = block;
    if (native->claims) broken(check, native->id, "a claim is open");
    if (native->cancel_wanted || native->lapse_due) broken(check, native->id, "its end still waits");
    if (!xd_table_get(&check->engine->orders, native->id)) broken(check, native->id, "a native that is gone");
}

static void check_mirror(const struct check *check, const void *block)
{
    const struct xd_mirror *mirror = block;
    const struct xd_deal *deal = xd_table_get(&home_of(check, mirror->id)->deals, mirror->id);
    const struct xd_slot *image = deal ? xd_image_of(deal) : NULL;
    if (!image || image->id != mirror->native || deal->state != mirror->state || deal->part != mirror->part)
        broken(check, mirror->id, "the two sides of a match differ");
}

static void check_deals(const struct check *check)
{
    for (const struct xd_deal *deal = check->engine->first_deal; deal; deal = deal->after) {
        const struct xd_slot *image = xd_image_of(deal);
        if (image && !xd_table_get(&home_of(check, image->id)->border->mirrors, deal->id))
            broken(check, deal->id, "a match that one side does not know");
    }
}

static void check_sessions(const struct check *check)
{
    const struct xd_border *border = check->engine->border;
    if (border->awaited) broken(check, check->partition, "waits for what others know of a loss");
    for (unsigned p = 0; p < check->world->store->count; p++) {
        const struct xd_border *other = check->engines[p]->border;
        if (p != check->partition && border->peers[p].gen != other->generation)
            broken(check, p, "another generation of a partition than that has");
    }
}

void sim_check_rest(struct sim_world *world, struct xd_engine *const *engines)
{
    for (unsigned p = 0; p < world->store->count && !*world->failure; p++) {
        const struct check check = {world, engines, engines[p], p};
        const struct xd_border *border = engines[p]->border;
        if (!border) continue;
        check_sessions(&check);
        each(&check, &border->spreads, check_spread);
        each(&check, &border->ghosts, check_ghost);
        each(&check, &border->natives, check_native);
        each(&check, &border->mirrors, check_mirror);
        check_deals(&check);
    }
}

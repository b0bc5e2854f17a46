/* What must hold, worked out anew from what all partitions hold. Matches are found at their homes; what their
 * other side has noted is compared with them, never relied on. */
#include "core/event.h"
#include "core/id.h"
#include "core/mp.h"
#include "core/when.h"
#include "engine/border/border.h"
#include "tests/border/cluster.h"

#include <msgpack.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A live match, seen from one of its orders. */
struct use {
    uint64_t order;
    const struct xd_deal *deal;
};

struct uses {
    struct use *list;
    size_t count, room;
};

static void add_use(struct uses *uses, uint64_t order, const struct xd_deal *deal)
{
    if (uses->count == uses->room) {
        uses->room = uses->room ? uses->room * 2 : 256;
        uses->list = realloc(uses->list, uses->room * sizeof *uses->list);
    }
    uses->list[uses->count++] = (struct use){order, deal};
}

static int by_order(const void *a, const void *b)
{
    const struct use *one = a, *other = b;
    if (one->order != other->order) return one->order < other->order ? -1 : 1;
    return one->deal->id < other->deal->id ? -1 : one->deal->id > other->deal->id;
}

static struct uses all_uses(const struct xd_cluster *cluster)
{
    struct uses uses = {0};
    for (unsigned i = 0; i < cluster->count; i++) {
        for (const struct xd_deal *deal = cluster->members[i].engine->first_deal; deal; deal = deal->after) {
            add_use(&uses, deal->order[XD_OFFER]->id, deal);
            add_use(&uses, deal->order[XD_REQUEST]->id, deal);
        }
    }
    if (uses.count) qsort(uses.list, uses.count, sizeof *uses.list, by_order);
    return uses;
}

static const struct xd_slot *order_at_home(const struct xd_cluster *cluster, uint64_t id)
{
    return xd_table_get(&cluster->members[xd_id_partition(id)].engine->orders, id);
}

/* --- never over-allocated
 * --------------------------------------------------------------------------------------------------- */

/* Days that are over say nothing: an amendment forgets them. */
static void check_days(const struct xd_slot *offer, int64_t today, const struct use *uses, size_t count)
{
    int64_t from = offer->storage_offer.from_day;
    for (int64_t day = from < today ? today : from; day < offer->storage_offer.until_day; day++) {
        int64_t used[XD_DIMS] = {0};
        for (size_t i = 0; i < count; i++) {
            const struct xd_deal *deal = uses[i].deal;
            const struct xd_storage_request *days = &deal->order[XD_REQUEST]->storage_request;
            if (day < days->from_day || day >= days->until_day) continue;
            for (unsigned d = 0; d < XD_DIMS; d++) {
                used[d] += deal->amount[d];
            }
        }
        for (unsigned d = 0; d < XD_DIMS; d++) {
            if (!(offer->dims >> d & 1)) continue;
            int64_t taken = xd_slot_amount(offer, d) - xd_slot_free(offer, d, day, day + 1);
            assert_true(taken <= xd_slot_amount(offer, d));
            assert_true(used[d] <= taken);
        }
    }
}

static void check_whole(const struct xd_slot *request, const struct use *uses, size_t count)
{
    int64_t matched = 0;
    for (size_t i = 0; i < count; i++) {
        matched += uses[i].deal->part;
    }
    assert_true(request->open >= 0);
    assert_true(request->open + matched <= request->whole);
}

/* The load of each live match is on the plan, or was delivered. */
static void check_plan(const struct xd_slot *offer, int64_t now)
{
    const struct xd_plan *plan = &offer->truck_offer.plan;
    const struct xd_truck *truck = &offer->truck_offer.truck;
    int64_t aboard[XD_DIMS] = {0};
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && stop->delivery && stop->load->picked_up; d++) {
            aboard[d] += stop->load->amount[d];
        }
    }
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        for (unsigned d = 0; d < XD_DIMS && stop->end > now;
             d++) { /* what is served may have been more than it now states */
            if (truck->dims >> d & 1) assert_true(aboard[d] <= truck->capacity[d]);
        }
        for (unsigned d = 0; d < XD_DIMS && !stop->load->off; d++) {
            aboard[d] += stop->delivery ? -stop->load->amount[d] : stop->load->amount[d];
            assert_true(aboard[d] >= 0);
        }
    }
}

static void check_order(const struct xd_cluster *cluster, uint64_t id, const struct use *uses, size_t count)
{
    const struct xd_slot *slot = order_at_home(cluster, id);
    assert_non_null(slot); /* an order stays as long as it has a live match anywhere */
    if (slot->side == XD_REQUEST) {
        check_whole(slot, uses, count);
    } else if (slot->kind == XD_TRUCK) {
        check_plan(slot, cluster->now_us / 1000000);
    } else {
        check_days(slot, cluster->now_us / 1000000 / XD_DAY_S, uses, count);
    }
}

void xd_cluster_check(const struct xd_cluster *cluster)
{
    struct uses uses = all_uses(cluster);
    for (size_t i = 0, next; i < uses.count; i = next) {
        for (next = i + 1; next < uses.count && uses.list[next].order == uses.list[i].order;) {
            next++;
        }
        check_order(cluster, uses.list[i].order, &uses.list[i], next - i);
    }
    free(uses.list);
}

/* --- what is told
 * -----------------------------------------------------------------------------------------------------------
 */

/* An order that is told to be filled, or to have ended, is in that state. */
static void check_told(const msgpack_object *event)
{
    struct xd_str type, state;
    const msgpack_object *order = xd_mp_get(event, "order");
    assert_true(xd_mp_get_str(event, "type", &type));
    if (!order) return;
    assert_true(xd_mp_get_str(order, "state", &state));
    static const enum xd_order_state states[XD_EVENT_TYPE_COUNT] = {
        [XD_EVENT_ORDER_FILLED] = XD_ORDER_FILLED,
        [XD_EVENT_ORDER_CANCELLED] = XD_ORDER_CANCELLED,
        [XD_EVENT_ORDER_EXPIRED] = XD_ORDER_EXPIRED,
    };
    for (enum xd_event_type told = 0; told < XD_EVENT_TYPE_COUNT; told++) {
        if (!states[told] || !xd_str_equal(type, xd_str_of(xd_event_type_name(told)))) continue;
        assert_true(xd_str_equal(state, xd_str_of(xd_order_state_name(states[told]))));
    }
}

void xd_cluster_check_events(const struct xd_output *output)
{
    const char *events = (const char *)output->events.data;
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    for (size_t at = 0; at < output->events.len;) {
        assert_int_equal(msgpack_unpack_next(&object, events, output->events.len, &at),
                         MSGPACK_UNPACK_SUCCESS);
        check_told(&object.data);
    }
    msgpack_unpacked_destroy(&object);
}

/* --- at rest
 * ----------------------------------------------------------------------------------------------------------------
 */

typedef void check_block(const struct xd_cluster *cluster, const struct xd_engine *engine, const void *block);

static void each(const struct xd_cluster *cluster, const struct xd_engine *engine,
                 const struct xd_table *table, check_block *check)
{
    for (uint32_t i = 0; table->cells && i <= table->mask; i++) {
        if (table->cells[i].block) check(cluster, engine, xd_pool_at(table->pool, table->cells[i].block));
    }
}

static void check_spread(const struct xd_cluster *cluster, const struct xd_engine *engine, const void *block)
{
    const struct xd_spread *spread = block;
    const struct xd_slot *slot = xd_table_get(&engine->orders, spread->id);
    assert_non_null(slot);
    assert_false(spread->gathering || spread->dirty || spread->ask);
    assert_null(spread->kept.first);
    unsigned first = engine->border->first;
    for (uint64_t known = spread->known; known; known &= known - 1) {
        const struct xd_engine *other = cluster->members[first + (unsigned)__builtin_ctzll(known)].engine;
        const struct xd_ghost *ghost = xd_table_get(&other->border->ghosts, spread->id);
        assert_non_null(ghost);
        if (spread->behind >> __builtin_ctzll(known) & 1)
            assert_true(ghost->version < spread->version);
        else
            assert_int_equal(ghost->version, spread->version);
    }
}

static void check_ghost(const struct xd_cluster *cluster, const struct xd_engine *engine, const void *block)
{
    (void)engine;
    const struct xd_ghost *ghost = block;
    const struct xd_slot *order = order_at_home(cluster, ghost->id);
    assert_non_null(order);
    assert_null(ghost->round);
    assert_non_null(ghost->slot);
    const struct xd_engine *home = cluster->members[xd_id_partition(ghost->id)].engine;
    if (ghost->version < xd_spread_find(home, ghost->id)->version)
        return; /* as check_spread has found right */
    struct xd_buf here, there;
    xd_buf_init(&here, 1 << 20);
    xd_buf_init(&there, 1 << 20);
    xd_state_pack(ghost->slot, &here);
    xd_state_pack(order, &there);
    assert_int_equal(here.len, there.len);
    assert_memory_equal(here.data, there.data, here.len);
    assert_int_equal(ghost->slot->credit, order->credit);
    xd_buf_free(&here);
    xd_buf_free(&there);
}

static void check_native(const struct xd_cluster *cluster, const struct xd_engine *engine, const void *block)
{
    const struct xd_native *native = block;
    (void)cluster;
    assert_non_null(xd_table_get(&engine->orders, native->id));
    assert_int_equal(native->claims, 0);
    assert_false(native->cancel_wanted || native->lapse_due);
    assert_non_null(native->first);
}

static void check_mirror(const struct xd_cluster *cluster, const struct xd_engine *engine, const void *block)
{
    (void)engine;
    const struct xd_mirror *mirror = block;
    const struct xd_engine *home = cluster->members[xd_id_partition(mirror->id)].engine;
    const struct xd_deal *deal = xd_table_get(&home->deals, mirror->id);
    assert_non_null(deal);
    const struct xd_slot *image = xd_image_of(deal);
    assert_non_null(image);
    assert_int_equal(image->id, mirror->native);
    assert_int_equal(deal->state, mirror->state);
    assert_int_equal(deal->part, mirror->part);
}

static void check_deals(const struct xd_cluster *cluster, const struct xd_engine *engine)
{
    for (const struct xd_deal *deal = engine->first_deal; deal; deal = deal->after) {
        const struct xd_slot *image = xd_image_of(deal);
        if (!image) continue;
        const struct xd_engine *home = cluster->members[xd_id_partition(image->id)].engine;
        assert_non_null(xd_table_get(&home->border->mirrors, deal->id));
    }
}

/* What is free of an offer is what its live matches leave, but for days that have begun and what was
 * completed. */
static void check_requests(const struct xd_cluster *cluster, const struct xd_engine *engine)
{
    (void)cluster;
    for (const struct xd_slot *slot = xd_slot_at(engine, engine->first_order); slot;
         slot = xd_slot_at(engine, slot->everybody.after)) {
        bool held = slot->first_deal || xd_native_find(engine, slot->id);
        assert_true(held || xd_is_open(slot));
        assert_false(slot->aside);
    }
}

void xd_cluster_check_at_rest(const struct xd_cluster *cluster)
{
    xd_cluster_check(cluster);
    for (unsigned i = 0; i < cluster->count; i++) {
        const struct xd_engine *engine = cluster->members[i].engine;
        check_requests(cluster, engine);
        if (!engine->border) continue;
        each(cluster, engine, &engine->border->spreads, check_spread);
        each(cluster, engine, &engine->border->ghosts, check_ghost);
        each(cluster, engine, &engine->border->natives, check_native);
        each(cluster, engine, &engine->border->mirrors, check_mirror);
        check_deals(cluster, engine);
    }
}

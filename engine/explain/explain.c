#include "engine/explain/explain.h"

#include "engine/border/border.h"
#include "engine/explain/explanation.h"
#include "engine/explain/judge.h"
#include "engine/explain/reach.h"

#include <stdlib.h>

/* How much farther than it may be matched an order still counts as in reach. */
static const int64_t SPARE_M = 50000;

struct asker {
    struct xd_asking asking;
    struct xd_explanation *explanation;
};

/* --- counting
 * ----------------------------------------------------------------------------------------------------------------
 */

static void count(struct asker *asker, const struct xd_slot *resting, const struct xd_verdict *verdict)
{
    struct xd_explanation *explanation = asker->explanation;
    explanation->in_reach++;
    explanation->fits += !verdict->misses;
    for (unsigned miss = 0; miss < XD_MISS_COUNT; miss++) {
        explanation->misses[miss] += verdict->misses >> miss & 1;
        if (!(verdict->alone >> miss & 1)) continue;
        explanation->alone[miss]++;
        xd_nearest_try(&asker->asking, resting, miss, &explanation->nearest[miss]);
    }
}

static void look_at(void *arg, const struct xd_slot *resting)
{
    struct asker *asker = arg;
    const struct xd_asking *asking = &asker->asking;
    const struct xd_slot *offer = resting->side == XD_OFFER ? resting : asking->order;
    const struct xd_slot *request = resting->side == XD_OFFER ? asking->order : resting;
    if (!xd_in_reach(offer, request, asking->road_factor_e4, asking->now, SPARE_M)) return;
    struct xd_verdict verdict;
    xd_judge(offer, request, asking->road_factor_e4, asking->now, &verdict);
    count(asker, resting, &verdict);
}

static void look_around(struct xd_engine *engine, const struct xd_slot *order,
                        struct xd_explanation *explanation)
{
    struct asker asker = {.asking = {.order = order,
                                     .road_factor_e4 = engine->options.market.road_factor_e4,
                                     .now = engine->now},
                          .explanation = explanation};
    uint32_t limit = order->kind == XD_TRUCK ? XD_EXPLAIN_TRUCKS : XD_EXPLAIN_STORAGE;
    explanation->order = order;
    explanation->complete = xd_book_visit(engine, order, (double)SPARE_M, limit, look_at, &asker);
}

/* --- the two questions
 * ---------------------------------------------------------------------------------------------------------
 */

static bool owns(const struct xd_slot *slot, struct xd_str account)
{
    struct xd_str owner = {slot->account->name, slot->account->len};
    return xd_str_equal(account, xd_str_of("*")) || xd_str_equal(account, owner);
}

/* Why an order is not in the book, though it is kept for its matches. */
static const char *why_not_open(const struct xd_slot *slot)
{
    switch (xd_slot_state(slot)) {
    case XD_ORDER_FILLED:
        return "the order is filled: all of it is in matches";
    case XD_ORDER_CANCELLED:
        return "the order has ended: it was cancelled";
    case XD_ORDER_EXPIRED:
        return "the order has ended: it has expired";
    default:
        return "nothing of the order is open: what is not matched waits in proposals";
    }
}

static bool fail_not_open(const struct xd_engine *engine, const struct xd_slot *slot, struct xd_error *error)
{
    if (slot->ended == XD_LIVE && xd_border_reconciles(engine))
        return xd_fail(
            error, XD_CLAIMED, "id",
            "writes were lost, and nothing is matched until all partitions have told what they know of "
            "them; try again later");
    if (slot->ended == XD_LIVE && (slot->aside || xd_border_claimed(engine, slot)))
        return xd_fail(error, XD_CLAIMED, "id",
                       "the order is being matched with those of other partitions; try again later");
    return xd_fail(error, XD_WRONG_STATE, "id", "%s", why_not_open(slot));
}

/* Asks as of `now`: the engine's own time stands still between records. */
static int64_t set_now(struct xd_engine *engine, int64_t now)
{
    int64_t before = engine->now;
    if (now > engine->now) engine->now = now;
    return before;
}

bool xd_engine_explain(struct xd_engine *engine, int64_t now, struct xd_str account, uint64_t order_id,
                       struct xd_buf *out, struct xd_error *error)
{
    const struct xd_slot *slot = xd_table_get(&engine->orders, order_id);
    if (!slot && xd_seen_contains(&engine->seen, xd_id_number(order_id)))
        return xd_fail(error, XD_WRONG_STATE, "id", "the order has ended and has left the book");
    if (!slot || !owns(slot, account))
        return xd_fail(error, XD_NOT_FOUND, "id", "%s", xd_code_meaning(XD_NOT_FOUND));
    if (!xd_rests(slot)) return fail_not_open(engine, slot, error);
    struct xd_explanation *explanation = calloc(1, sizeof *explanation);
    if (!explanation) return xd_fail(error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
    int64_t before = set_now(engine, now);
    explanation->resting = true;
    look_around(engine, slot, explanation);
    engine->now = before;
    xd_explanation_write(explanation, out);
    free(explanation);
    return true;
}

/* The order is tried in a slot of its own, which is in no book and no list. */
static bool try_out(struct xd_engine *engine, struct xd_slot *slot, struct xd_buf *out)
{
    struct xd_explanation *explanation = calloc(1, sizeof *explanation);
    bool good = explanation != NULL;
    if (good) {
        explanation->matches = calloc(XD_EXPLAIN_MATCHES, sizeof *explanation->matches);
        look_around(engine, slot, explanation);
        good = explanation->matches && xd_find_matches(engine, slot, explanation);
    }
    if (good) xd_explanation_write(explanation, out);
    if (explanation) free(explanation->matches);
    free(explanation);
    return good;
}

bool xd_engine_what_if(struct xd_engine *engine, int64_t now, const struct xd_order *order,
                       struct xd_str account, int64_t credit, struct xd_buf *out, struct xd_error *error)
{
    int64_t before = set_now(engine, now);
    bool lapsed = order->valid_until <= engine->now;
    struct xd_slot *slot = lapsed ? NULL : xd_slot_create(engine, order, account, 0, credit);
    bool good = slot && try_out(engine, slot, out);
    if (slot) xd_slot_destroy(engine, slot);
    engine->now = before;
    if (lapsed) return xd_fail(error, XD_LAPSED, "valid_until", "%s", xd_code_meaning(XD_LAPSED));
    return good || xd_fail(error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
}

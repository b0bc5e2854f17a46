/* Claims at the ghost's home: who of those that were put aside is taken, and what is answered. */
#include "engine/border/border.h"

void xd_kept_add(struct xd_kept_list *list, struct xd_kept *kept)
{
    kept->next = NULL;
    *(list->last ? &list->last->next : &list->first) = kept;
    list->last = kept;
}

static void append(struct xd_kept_list *to, struct xd_kept_list *from)
{
    if (!from->first) return;
    *(to->last ? &to->last->next : &to->first) = from->first;
    to->last = from->last;
    *from = (struct xd_kept_list){0};
}

/* An image that no match needs goes with its claim. */
static void drop(struct xd_engine *engine, struct xd_kept *kept)
{
    if (kept->image && !kept->image->first_deal && !kept->image->dead) xd_border_bury(engine, kept->image);
    xd_pool_give(&engine->pool, kept);
}

void xd_kept_free(struct xd_engine *engine, struct xd_kept_list *list)
{
    for (struct xd_kept *kept = list->first, *next; kept; kept = next) {
        next = kept->next;
        drop(engine, kept);
    }
    *list = (struct xd_kept_list){0};
}

void xd_refuse_kept(struct xd_engine *engine, struct xd_spread *spread)
{
    append(&engine->border->decided, &spread->kept);
}

void xd_decide(struct xd_engine *engine, struct xd_spread *spread, struct xd_slot *slot, bool alone)
{
    struct xd_border *border = engine->border;
    border->deciding = spread;
    border->alone = alone;
    xd_treat_now(engine, slot);
    border->deciding = NULL;
    append(&border->decided, &spread->kept);
    xd_border_touch(engine, slot); /* who is answered may be behind */
}

/* --- the best of them
 * ------------------------------------------------------------------------------------------------------- */

/* Whether a claim fits with at least `at_least`, and with what it counted on where the order has changed
 * since. */
static bool fits(const struct xd_engine *engine, const struct xd_slot *incoming, const struct xd_kept *kept,
                 int64_t at_least, struct xd_candidate *out)
{
    const struct xd_slot *image = kept->image;
    if (!image || image->first_deal || image->dead || image->valid_until <= engine->now) return false;
    if (kept->version < engine->border->deciding->terms_version) return false;
    if (kept->version != engine->border->deciding->version && kept->surplus > at_least)
        at_least = kept->surplus;
    const struct xd_slot *offer = incoming->side == XD_OFFER ? incoming : image;
    const struct xd_slot *request = incoming->side == XD_OFFER ? image : incoming;
    return xd_fit(offer, request, engine->options.market.road_factor_e4, engine->now, at_least, out);
}

struct xd_slot *xd_border_best(struct xd_engine *engine, const struct xd_slot *incoming,
                               struct xd_candidate *best)
{
    struct xd_border *border = engine->border;
    if (!border || !border->deciding) return xd_book_best(engine, incoming, best);
    struct xd_slot *winner = border->alone ? NULL : xd_book_best(engine, incoming, best);
    for (const struct xd_kept *kept = border->deciding->kept.first; kept; kept = kept->next) {
        struct xd_candidate candidate;
        if (!fits(engine, incoming, kept, winner ? best->surplus : 0, &candidate)) continue;
        if (winner && candidate.surplus == best->surplus && kept->image->age > winner->age) continue;
        winner = kept->image;
        *best = candidate;
    }
    return winner;
}

/* --- answers
 * ----------------------------------------------------------------------------------------------------------------
 */

uint64_t xd_answered(const struct xd_border *border, uint64_t ghost)
{
    uint64_t ranges = 0;
    for (const struct xd_kept *kept = border->decided.first; kept; kept = kept->next) {
        if (kept->ghost == ghost) ranges |= xd_range_bit(kept->range);
    }
    return ranges;
}

static bool same_round(const struct xd_kept *one, const struct xd_kept *other)
{
    return one->ghost == other->ghost && one->round == other->round && one->range == other->range;
}

static void pack_answer(const struct xd_kept *kept, struct xd_buf *out)
{
    const struct xd_deal *deal = kept->image ? kept->image->first_deal : NULL;
    struct xd_answer answer = {.yes = deal};
    if (deal) {
        answer.match_id = deal->id;
        answer.part = deal->part;
        answer.state = deal->state;
        memcpy(answer.amount, deal->amount, sizeof answer.amount);
    }
    xd_answer_pack(&answer, out);
}

void xd_send_answers(struct xd_engine *engine)
{
    struct xd_kept_list *decided = &engine->border->decided;
    struct xd_buf answers;
    xd_buf_init(&answers, (size_t)1 << 20);
    for (const struct xd_kept *kept = decided->first; kept;) {
        struct xd_record message = {.type = XD_RECORD_ANSWERS, .order_id = kept->ghost, .round = kept->round};
        const struct xd_kept *first = kept;
        xd_buf_clear(&answers);
        for (; kept && same_round(first, kept); kept = kept->next) {
            pack_answer(kept, &answers);
        }
        message.answers = (struct xd_str){(const char *)answers.data, (uint32_t)answers.len};
        xd_peer_send(engine, first->range, &message);
    }
    if (answers.failed) engine->failed = true;
    xd_buf_free(&answers);
    xd_kept_free(engine, decided);
}

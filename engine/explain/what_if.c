/* The matches that an order would make, found as treat.c makes them, and nothing taken: what a request has
 * been given is noted in the order that is tried, and so is whom it has met. An offer or request that has
 * given its largest part can give no second one in the same go: in the dimension that bound the part not one
 * more unit is free (rule 7). */
#include "engine/explain/explanation.h"

#include <stdlib.h>

static void note_stops(struct xd_would_match *match, const struct xd_plan *plan, uint64_t match_id)
{
    const struct xd_stop *pickup = xd_plan_stop(plan, match_id, false),
                         *delivery = xd_plan_stop(plan, match_id, true);
    if (pickup) {
        match->pickup_eta = pickup->start;
        match->pickup_leave = pickup->end;
    }
    if (delivery) {
        match->delivery_eta = delivery->start;
        match->delivery_leave = delivery->end;
    }
}

/* Inserts the load into a plan that is not the book's, and notes its times. */
static bool insert(struct xd_engine *engine, struct xd_would_match *match, struct xd_plan *plan,
                   const struct xd_slot *offer, const struct xd_slot *request)
{
    struct xd_load load = request->truck_request;
    load.match_id = UINT64_MAX - xd_id_number(request->id); /* no match has it */
    if (!xd_plan_insert(plan, &engine->pool, &offer->truck_offer.truck, &load, engine->now,
                        &match->candidate.insertion))
        return false;
    note_stops(match, plan, load.match_id);
    return true;
}

static void note(struct xd_would_match *match, const struct xd_slot *offer, const struct xd_slot *request)
{
    match->dims = request->dims;
    match->proposed = offer->confirm == XD_CONFIRM_MANUAL || request->confirm == XD_CONFIRM_MANUAL;
    if (offer->kind == XD_TRUCK) return;
    match->from_day = request->storage_request.from_day;
    match->until_day = request->storage_request.until_day;
}

/* A request that is tried takes from an offer of the book. */
static bool take(struct xd_engine *engine, struct xd_would_match *match, struct xd_slot *request,
                 const struct xd_slot *offer)
{
    note(match, offer, request);
    request->open -= (int32_t)match->candidate.part;
    if (request->kind != XD_TRUCK) return xd_slot_bar_tried(engine, request, offer->id);
    struct xd_plan plan;
    if (!xd_plan_copy(&plan, &engine->pool, &offer->truck_offer.plan)) return false;
    bool good = insert(engine, match, &plan, offer, request);
    xd_plan_free(&plan, &engine->pool);
    return good;
}

/* An offer that is tried takes a request of the book. */
static bool give(struct xd_engine *engine, struct xd_would_match *match, struct xd_slot *offer,
                 const struct xd_slot *request)
{
    note(match, offer, request);
    if (!xd_slot_bar_tried(engine, offer, request->id)) return false;
    if (offer->kind == XD_TRUCK) return insert(engine, match, &offer->truck_offer.plan, offer, request);
    return xd_slot_take(engine, offer, match->candidate.amount, request->storage_request.from_day,
                        request->storage_request.until_day);
}

bool xd_find_matches(struct xd_engine *engine, struct xd_slot *order, struct xd_explanation *explanation)
{
    struct xd_candidate candidate;
    const struct xd_slot *resting;
    bool wants_more = true;
    while (wants_more && (resting = xd_book_best(engine, order, &candidate))) {
        explanation->more_matches = explanation->match_count == XD_EXPLAIN_MATCHES;
        if (explanation->more_matches) break;
        struct xd_would_match *match = &explanation->matches[explanation->match_count++];
        match->candidate = candidate;
        if (!(order->side == XD_REQUEST ? take : give)(engine, match, order, resting)) return false;
        wants_more = order->side == XD_OFFER || order->open > 0;
    }
    explanation->remaining = order->side == XD_REQUEST ? order->open : 0;
    if (order->fill != XD_FILL_ALL_NOW || explanation->more_matches || order->open == 0)
        return !engine->failed;
    explanation->match_count = 0; /* whole or nothing */
    explanation->remaining = order->whole;
    return !engine->failed;
}

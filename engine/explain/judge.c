#include "engine/explain/judge.h"

#include "engine/state.h"

enum {
    PRICE = 1 << XD_MISS_PRICE,
    TIME = 1 << XD_MISS_TIME,
    CAPACITY = 1 << XD_MISS_CAPACITY,
    TEMPERATURE = 1 << XD_MISS_TEMPERATURE,
    DISTANCE = 1 << XD_MISS_DISTANCE,
    CURRENCY = 1 << XD_MISS_CURRENCY,
    TERMS = PRICE | TIME | CAPACITY | TEMPERATURE | DISTANCE
};

/* --- lifting
 * ---------------------------------------------------------------------------------------------------------------
 */

/* The least that is free on those days of the request that the offer has. */
static int64_t free_over(const struct xd_slot *offer, const struct xd_slot *request, enum xd_dim dim)
{
    const struct xd_storage_offer *storage = &offer->storage_offer;
    int64_t from = request->storage_request.from_day, until = request->storage_request.until_day;
    if (from < storage->from_day) from = storage->from_day;
    if (until > storage->until_day) until = storage->until_day;
    return from < until ? xd_slot_free(offer, dim, from, until) : xd_slot_amount(offer, dim);
}

void xd_free_over(struct xd_slot *offer, const struct xd_slot *request)
{
    int64_t left[XD_DIMS] = {0};
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if (offer->dims >> d & 1) left[d] = free_over(offer, request, d);
    }
    offer->storage_offer.calendar = NULL;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if (offer->dims >> d & 1) xd_slot_set_amount(offer, d, left[d]);
    }
}

static void lift_truck(struct xd_truck *truck, struct xd_load *load, unsigned misses)
{
    if (misses & DISTANCE) truck->max_detour_m = INT32_MAX;
    if (misses & CAPACITY) truck->dims = 0;
    if (misses & TEMPERATURE) load->has_temp = false;
    if (!(misses & TIME)) return;
    load->pickup_from = 0;
    load->pickup_until = load->deliver_until = truck->available_until = XD_NO_LIMIT;
}

static void lift_storage(struct xd_slot *offer, struct xd_slot *request, unsigned misses)
{
    if (misses & DISTANCE) request->storage_request.radius_m = INT32_MAX;
    if (misses & TEMPERATURE) request->has_temp = false;
    if (misses & CAPACITY) {
        offer->dims = 0;
        offer->min_part = 0;
    }
    if (misses & TIME) {
        offer->storage_offer.from_day = request->storage_request.from_day;
        offer->storage_offer.until_day = request->storage_request.until_day;
    }
}

void xd_lift(struct xd_slot *offer, struct xd_slot *request, unsigned misses)
{
    if (misses & PRICE) request->max_price = XD_NO_LIMIT;
    if (request->kind == XD_TRUCK) {
        lift_truck(&offer->truck_offer.truck, &request->truck_request, misses);
    } else {
        lift_storage(offer, request, misses);
    }
}

/* --- judging
 * ---------------------------------------------------------------------------------------------------------------
 */

struct judge {
    const struct xd_slot *offer, *request;
    int32_t road_factor_e4;
    int64_t now;
};

static bool fits_without(const struct judge *judge, unsigned lifted)
{
    struct xd_candidate candidate;
    if (!lifted)
        return xd_fit_terms(judge->offer, judge->request, judge->road_factor_e4, judge->now, 0, &candidate);
    struct xd_slot_copy offer, request;
    xd_slot_copy(&offer, judge->offer);
    xd_slot_copy(&request, judge->request);
    if (offer.slot.kind != XD_TRUCK) xd_free_over(&offer.slot, &request.slot);
    xd_lift(&offer.slot, &request.slot, lifted);
    return xd_fit_terms(&offer.slot, &request.slot, judge->road_factor_e4, judge->now, 0, &candidate);
}

/* The terms of which each one stands in the way whatever else is lifted. */
static unsigned missed_by_itself(const struct judge *judge, unsigned terms)
{
    unsigned missed = 0;
    for (unsigned term = 1; term <= terms; term <<= 1) {
        if (term & terms && !fits_without(judge, TERMS & ~term)) missed |= term;
    }
    return missed;
}

/* The terms that stand in the way only together: any one of them whose lifting would do; where it takes more
 * than one, a set of them of which none can be spared. `lifted` are lifted anyhow. */
static unsigned missed_together(const struct judge *judge, unsigned terms, unsigned lifted, unsigned *alone)
{
    unsigned missed = 0;
    for (unsigned term = 1; term <= terms; term <<= 1) {
        if (term & terms && fits_without(judge, lifted | term)) missed |= term;
    }
    *alone = missed;
    if (missed) return missed;
    missed = terms;
    for (unsigned term = 1; term <= terms; term <<= 1) {
        if (term & terms && fits_without(judge, lifted | (missed & ~term))) missed &= ~term;
    }
    return missed;
}

/* What stands against the terms; *alone: those of it whose lifting would do. */
static unsigned missed_terms(const struct judge *judge, unsigned lifted, unsigned *alone)
{
    unsigned terms = TERMS & ~lifted;
    *alone = 0;
    if (fits_without(judge, lifted)) return 0;
    if (!fits_without(judge, TERMS)) return CAPACITY;
    unsigned missed = missed_by_itself(judge, terms);
    if (!missed) return missed_together(judge, terms, lifted, alone);
    bool one = !(missed & (missed - 1));
    if (one && fits_without(judge, lifted | missed)) *alone = missed;
    return missed;
}

void xd_judge(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4, int64_t now,
              struct xd_verdict *out)
{
    struct judge judge = {offer, request, road_factor_e4, now};
    unsigned parties = xd_fit_parties(offer, request);
    unsigned alone;
    unsigned terms = missed_terms(&judge, parties & CURRENCY ? PRICE : 0, &alone);
    out->misses = parties | terms;
    out->alone = parties ? 0 : alone;
    if (!terms && parties && !(parties & (parties - 1))) out->alone = parties;
}

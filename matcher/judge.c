#include "matcher/judge.h"

#include "matcher/state.h"

enum {
    PRICE = 1 << XD_MISS_PRICE,
    TIME = 1 << XD_MISS_TIME,
    CAPACITY = 1 << XD_MISS_CAPACITY,
    TEMPERATURE = 1 << XD_MISS_TEMPERATURE,
    DISTANCE = 1 << XD_MISS_DISTANCE,
    CURRENCY = 1 << XD_MISS_CURRENCY,
    TERMS = PRICE | TIME | CAPACITY | TEMPERATURE | DISTANCE
};

/* --- lifting --------------------------------------------------------------------------------------------------------------- */

void xd_free_over(struct xd_slot *offer, const struct xd_slot *request)
{
    struct xd_calendar *calendar = &offer->storage_offer.calendar;
    int64_t from = request->storage_request.from_day, until = request->storage_request.until_day;
    if (from < calendar->from_day) from = calendar->from_day;
    if (until > calendar->until_day) until = calendar->until_day;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if (calendar->dims >> d & 1) calendar->capacity[d] = xd_calendar_free_of(calendar, d, from, until);
    }
    calendar->left = NULL;
}

static void lift_truck(struct xd_truck *truck, struct xd_load *load, unsigned misses)
{
    if (misses & DISTANCE) truck->max_detour_m = XD_NO_LIMIT;
    if (misses & CAPACITY) truck->dims = 0;
    if (misses & TEMPERATURE) load->has_temp = false;
    if (!(misses & TIME)) return;
    load->pickup_from = 0;
    load->pickup_until = load->deliver_until = truck->available_until = XD_NO_LIMIT;
}

static void lift_storage(struct xd_slot *offer, struct xd_slot *request, unsigned misses)
{
    struct xd_calendar *calendar = &offer->storage_offer.calendar;
    if (misses & DISTANCE) request->storage_request.radius_m = XD_NO_LIMIT;
    if (misses & TEMPERATURE) request->has_temp = false;
    if (misses & CAPACITY) {
        offer->dims = 0;
        offer->min_part = 0;
    }
    if (misses & TIME) {
        calendar->from_day = request->storage_request.from_day;
        calendar->until_day = request->storage_request.until_day;
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

/* --- judging --------------------------------------------------------------------------------------------------------------- */

struct judge {
    const struct xd_slot *offer, *request;
    int32_t road_factor_e4;
    int64_t now;
};

static bool fits_without(const struct judge *judge, unsigned lifted)
{
    struct xd_candidate candidate;
    if (!lifted) return xd_fit_terms(judge->offer, judge->request, judge->road_factor_e4, judge->now, 0, &candidate);
    struct xd_slot offer = *judge->offer, request = *judge->request;
    if (offer.kind != XD_TRUCK) xd_free_over(&offer, &request);
    xd_lift(&offer, &request, lifted);
    return xd_fit_terms(&offer, &request, judge->road_factor_e4, judge->now, 0, &candidate);
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

/* The terms that stand in the way only together: any one of them whose lifting would do; where it takes more than one, a set of
 * them of which none can be spared. `lifted` are lifted anyhow. */
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

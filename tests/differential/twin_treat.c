/* What an incoming order takes (rule 9), and orders that have grown, which come in once more (rule 12). */
#include "tests/differential/twin_state.h"

#include "core/id.h"
#include "tests/differential/grow.h"

#include <string.h>

/* --- the best of all
 * -------------------------------------------------------------------------------------------------------- */

/* Does it wait in the book for what comes in? */
static bool rests(const struct twin_order *order)
{
    return order->ended == TWIN_LIVE && order->order.fill == XD_FILL_REST && twin_is_open(order);
}

/* The greatest surplus, of equals the older. */
static bool best_for(struct xd_twin *twin, struct twin_order *incoming, int64_t remaining,
                     struct twin_candidate *best)
{
    bool found = false;
    uint64_t age = 0;
    for (uint32_t i = 0; i < twin->order_count; i++) {
        struct twin_order *other = twin->orders[i];
        if (other->order.side == incoming->order.side || !rests(other)) continue;
        struct twin_candidate candidate;
        bool fits = incoming->order.side == XD_OFFER
                        ? twin_fit(twin, incoming, other, twin_open(other), &candidate)
                        : twin_fit(twin, other, incoming, remaining, &candidate);
        if (!fits || (found && candidate.surplus < best->surplus)) continue;
        if (found && candidate.surplus == best->surplus && other->age > age) continue;
        *best = candidate;
        age = other->age;
        found = true;
    }
    return found;
}

/* --- making a match ------------------------------------------------------------------------------------- */

static bool manual(const struct twin_order *order)
{
    return order->order.confirm == XD_CONFIRM_MANUAL;
}

/* How long a proposal of the two is held, seconds; 0 when neither side is manual. */
static int64_t hold_of(const struct twin_order *offer, const struct twin_order *request)
{
    int64_t hold_s = 0;
    if (manual(offer)) hold_s = offer->order.hold_s;
    if (manual(request) && (!hold_s || request->order.hold_s < hold_s)) hold_s = request->order.hold_s;
    return hold_s;
}

static void take_capacity(const struct xd_twin *twin, const struct twin_candidate *candidate,
                          uint64_t match_id)
{
    struct twin_order *offer = candidate->offer;
    const struct twin_order *request = candidate->request;
    if (offer->order.kind == XD_TRUCK) {
        struct twin_load load = twin_load_of(&request->order);
        load.match_id = match_id;
        load.request_id = request->id;
        twin_plan_insert(&offer->plan, &offer->truck, &load, twin->now, &candidate->insertion);
    } else {
        struct twin_take take = {match_id, request->order.from_day, request->order.until_day, {0}};
        memcpy(take.amount, candidate->amount, sizeof take.amount);
        twin_calendar_take(&offer->calendar, &take);
    }
}

static struct twin_match *make_match(struct xd_twin *twin, const struct twin_candidate *candidate)
{
    struct twin_order *offer = candidate->offer, *request = candidate->request;
    struct twin_match *match = xd_needed(calloc(1, sizeof *match));
    *match = (struct twin_match){.id = xd_id(twin->options.partition, twin->next_match++),
                                 .offer_id = offer->id,
                                 .offer = offer,
                                 .request = request,
                                 .state = XD_MATCH_PROPOSED,
                                 .accepted = {!manual(offer), !manual(request)},
                                 .part = candidate->part,
                                 .quote = candidate->quote,
                                 .surplus = candidate->surplus,
                                 .access = candidate->access,
                                 .km_m = candidate->km_m,
                                 .added_m = candidate->added_m};
    match->group = match->id;
    memcpy(match->amount, candidate->amount, sizeof match->amount);
    twin->matches = xd_grown(twin->matches, twin->match_count, sizeof(*twin->matches));
    twin->matches[twin->match_count++] = match;
    request->matches = xd_grown(request->matches, request->match_count, sizeof(*request->matches));
    request->matches[request->match_count++] = match;
    return match;
}

/* Tells of a match just made: confirmed at once where its hold is 0, else proposed. */
static void announce(struct xd_twin *twin, struct twin_match *match, int64_t hold_s)
{
    if (hold_s) {
        match->hold_until = twin->now + hold_s;
        twin_report_match(twin, match, XD_EVENT_MATCH_PROPOSED, NULL, NULL);
    } else {
        twin_confirm(twin, match);
    }
    twin_report_moved(twin, match->offer, match);
}

static void pair(struct xd_twin *twin, const struct twin_candidate *candidate)
{
    take_capacity(twin, candidate, xd_id(twin->options.partition, twin->next_match));
    struct twin_match *match = make_match(twin, candidate);
    announce(twin, match, hold_of(match->offer, match->request));
}

/* --- rule 9 --------------------------------------------------------------------------------------------- */

static void treat_offer(struct xd_twin *twin, struct twin_order *offer)
{
    struct twin_candidate best;
    while (best_for(twin, offer, 0, &best)) {
        pair(twin, &best);
    }
    if (offer->order.fill != XD_FILL_NOW) return;
    offer->ended = TWIN_DROPPED;
    twin_report_order(twin, offer, XD_EVENT_ORDER_CANCELLED, "fill_now");
}

/* Whole or nothing: the greedy with its capacity taken as it goes, given back where something remains. */
static void treat_all_now(struct xd_twin *twin, struct twin_order *request)
{
    struct twin_candidate best, *parts = NULL;
    int64_t remaining = twin_open(request), hold_s = 0;
    uint32_t count = 0;
    while (remaining > 0 && best_for(twin, request, remaining, &best)) {
        take_capacity(twin, &best, xd_id(twin->options.partition, twin->next_match + count));
        parts = xd_grown(parts, count, sizeof *parts);
        parts[count++] = best;
        remaining -= best.part;
        int64_t its = hold_of(best.offer, request);
        if (its && (!hold_s || its < hold_s)) hold_s = its;
    }
    for (uint32_t i = 0; remaining && i < count; i++) { /* only storage comes in parts */
        uint64_t match_id = xd_id(twin->options.partition, twin->next_match + i);
        twin_calendar_give(&parts[i].offer->calendar, match_id, request->order.from_day);
    }
    if (remaining) count = 0;
    uint32_t first = twin->match_count;
    for (uint32_t i = 0; i < count; i++) {
        struct twin_match *match = make_match(twin, &parts[i]);
        if (hold_s) match->group = twin->matches[first]->id;
    }
    for (uint32_t i = 0; i < count; i++) {
        announce(twin, twin->matches[first + i], hold_s);
    }
    free(parts);
}

static void treat_request(struct xd_twin *twin, struct twin_order *request)
{
    struct twin_candidate best;
    if (request->order.fill == XD_FILL_ALL_NOW) {
        treat_all_now(twin, request);
    } else {
        while (twin_open(request) > 0 && best_for(twin, request, twin_open(request), &best)) {
            pair(twin, &best);
        }
    }
    int64_t remaining = twin_open(request);
    if (request->order.fill == XD_FILL_REST || remaining == 0) return;
    request->dropped += remaining;
    request->ended = TWIN_DROPPED;
    twin_report_order(twin, request, XD_EVENT_ORDER_CANCELLED, "fill_now");
}

void twin_treat(struct xd_twin *twin, struct twin_order *order)
{
    if (!twin_is_open(order)) return;
    if (order->order.side == XD_OFFER) {
        treat_offer(twin, order);
    } else {
        treat_request(twin, order);
    }
    twin_settle(twin, order);
}

/* --- rule 12 -------------------------------------------------------------------------------------------- */

static struct twin_order *oldest_grown(const struct xd_twin *twin)
{
    struct twin_order *oldest = NULL;
    for (uint32_t i = 0; i < twin->order_count; i++) {
        struct twin_order *order = twin->orders[i];
        if (order->grown && (!oldest || order->age < oldest->age)) oldest = order;
    }
    return oldest;
}

void twin_treat_grown(struct xd_twin *twin)
{
    struct twin_order *order;
    while ((order = oldest_grown(twin))) {
        order->grown = false;
        twin_treat(twin, order);
    }
}

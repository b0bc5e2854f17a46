#include "engine/explain/nearest.h"

#include "core/when.h"
#include "engine/explain/judge.h"

#include <string.h>

enum {
    WHOLE = 1000000,         /* ppm: all of an amount */
    MOST_MORE = 100 * WHOLE, /* an amount is not asked to grow to more than a hundred times */
    MOST_DAYS = 731,
    KNOBS_MAX = 6
};

/* A pair, and a set of knobs of one of the two that are to be turned together. */
struct search {
    const struct xd_asking *asking;
    const struct xd_slot *resting;
    const struct xd_slot *turned; /* whose knobs: the asking order, or the resting one */
    enum xd_knob knobs[KNOBS_MAX];
    int8_t signs[KNOBS_MAX];
    unsigned count;
    bool share; /* measured in ppm of the order's own number */
};

static bool fits_with(const struct search *search, const int64_t change[XD_KNOBS])
{
    struct xd_slot_copy turned;
    struct xd_slot *copy = &turned.slot;
    xd_slot_copy(&turned, search->turned);
    const struct xd_slot *other = search->turned == search->resting ? search->asking->order : search->resting;
    if (copy->side == XD_OFFER && copy->kind != XD_TRUCK) xd_free_over(copy, other);
    for (unsigned knob = 0; knob < XD_KNOBS; knob++) {
        xd_knob_turn(copy, knob, change[knob]);
    }
    const struct xd_slot *offer = copy->side == XD_OFFER ? copy : other;
    const struct xd_slot *request = copy->side == XD_OFFER ? other : copy;
    struct xd_candidate candidate;
    return xd_fit(offer, request, search->asking->road_factor_e4, search->asking->now, 0, &candidate);
}

/* How far a knob is turned where all are turned by `measure`. */
static int64_t turn_by(const struct search *search, unsigned i, int64_t measure)
{
    if (!search->share) return measure * search->signs[i];
    enum xd_knob own = search->knobs[i] == XD_KNOB_MIN_PART ? (enum xd_knob)xd_main_dim(search->turned->kind)
                                                            : search->knobs[i];
    __int128 part = (__int128)xd_knob_value(search->turned, own) * measure;
    return (int64_t)((part + WHOLE - 1) / WHOLE) * search->signs[i];
}

static bool fits_at(const struct search *search, int64_t measure, int64_t change[XD_KNOBS])
{
    memset(change, 0, XD_KNOBS * sizeof *change);
    for (unsigned i = 0; i < search->count; i++) {
        change[search->knobs[i]] = turn_by(search, i, measure);
    }
    return fits_with(search, change);
}

/* The least measure up to `most` at which the pair fits, or 0: doubled until it does, then halved in between.
 */
static int64_t least_measure(const struct search *search, int64_t most)
{
    int64_t change[XD_KNOBS];
    if (most < 1 || !fits_at(search, most, change)) return 0;
    int64_t low = 0, high = 1;
    while (high < most && !fits_at(search, high, change)) {
        low = high;
        high = high > most / 4 ? most : high * 4;
    }
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        *(fits_at(search, middle, change) ? &high : &low) = middle;
    }
    return high;
}

/* Turns a knob back as far as the pair still fits. */
static void turn_back(const struct search *search, enum xd_knob knob, int64_t change[XD_KNOBS])
{
    int64_t sign = change[knob] < 0 ? -1 : 1, low = -1, high = change[knob] * sign;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        change[knob] = middle * sign;
        *(fits_with(search, change) ? &high : &low) = middle;
    }
    change[knob] = high * sign;
}

/* Searches the knobs; replaces *best if that is a nearer miss. */
static bool search_knobs(const struct search *search, int64_t most, struct xd_nearest *best)
{
    if (best->found && most >= best->miss) most = best->miss - 1;
    int64_t measure = least_measure(search, most);
    if (!measure) return false;
    *best = (struct xd_nearest){.found = true, .miss = measure};
    fits_at(search, measure, best->change);
    for (unsigned i = 0; i < search->count; i++) {
        turn_back(search, search->knobs[i], best->change);
    }
    return true;
}

static void add_knob(struct search *search, enum xd_knob knob, int sign)
{
    search->knobs[search->count] = knob;
    search->signs[search->count++] = (int8_t)sign;
}

static int64_t range_of(const struct search *search)
{
    const struct xd_field *field = &xd_fields[xd_knob_field(search->turned, search->knobs[0])];
    return field->max - field->min;
}

/* --- the reasons
 * -------------------------------------------------------------------------------------------------------------
 */

static const struct xd_slot *offer_of(const struct search *search)
{
    return search->asking->order->side == XD_OFFER ? search->asking->order : search->resting;
}

static const struct xd_slot *request_of(const struct search *search)
{
    return search->asking->order->side == XD_OFFER ? search->resting : search->asking->order;
}

/* The quote of the pair were the request's limit no matter, and what the offer could ask at most. False if
 * not even nothing. */
static bool quotes(const struct search *search, struct xd_candidate *out, int64_t *most)
{
    const struct xd_slot *request = request_of(search);
    struct xd_slot_copy lifted;
    xd_slot_copy(&lifted, request);
    lifted.slot.max_price = XD_NO_LIMIT;
    if (!xd_fit(offer_of(search), &lifted.slot, search->asking->road_factor_e4, search->asking->now, 0, out))
        return false;
    *most = request->max_price - out->access;
    if (request->kind != XD_TRUCK)
        *most = xd_share_down(request->max_price, out->part, request->whole) - out->access;
    return *most >= 0;
}

/* The greatest rate (1e-4) with which `volume` rounds to at most `most` hundredths, of which there are `unit`
 * exact ones. */
static int64_t rate_for(int64_t most, int64_t unit, __int128 volume, int64_t rate)
{
    if (volume == 0) return rate;
    __int128 least = ((__int128)most * unit + unit / 2 - 1) / volume;
    return least < rate ? (int64_t)least : rate;
}

/* What an offer would have to ask: first the base is lowered, then the rate, then what a detour costs. */
static void lower_price(const struct search *search, const struct xd_candidate *candidate, int64_t most,
                        int64_t change[XD_KNOBS])
{
    const struct xd_slot *offer = search->asking->order, *request = search->resting;
    int64_t base = xd_knob_value(offer, XD_KNOB_BASE), rate = xd_knob_value(offer, XD_KNOB_RATE);
    int64_t less = candidate->quote - most;
    change[XD_KNOB_BASE] = -(less < base ? less : base);
    if (less <= base) return;
    if (offer->kind != XD_TRUCK) {
        int64_t days = request->storage_request.until_day - request->storage_request.from_day;
        change[XD_KNOB_RATE] = rate_for(most, 10000, (__int128)candidate->part * days, rate) - rate;
        return;
    }
    const struct xd_load *load = &request->truck_request;
    const int64_t unit = 100000000;
    __int128 detour = (__int128)offer->truck_offer.per_detour_km * candidate->added_m * 1000;
    __int128 left = (__int128)most * unit - detour;
    __int128 volume = (__int128)load->amount[XD_KG] * load->direct_m;
    int64_t lowered = volume && left + unit / 2 - 1 >= 0 ? (int64_t)((left + unit / 2 - 1) / volume) : 0;
    change[XD_KNOB_RATE] = (lowered < rate ? lowered : rate) - rate;
    if (left + unit / 2 - 1 >= 0) return;
    int64_t per_km = offer->truck_offer.per_detour_km;
    change[XD_KNOB_DETOUR_RATE] = rate_for(most, unit, (__int128)candidate->added_m * 1000, per_km) - per_km;
}

static void nearest_price(struct search *search, struct xd_nearest *best)
{
    if (search->asking->order->side == XD_REQUEST) {
        add_knob(search, XD_KNOB_MAX_PRICE, 1);
        search_knobs(search, range_of(search), best);
        return;
    }
    struct xd_candidate candidate;
    int64_t most;
    if (!quotes(search, &candidate, &most) || (best->found && candidate.quote - most >= best->miss)) return;
    struct xd_nearest nearer = {.found = true, .miss = candidate.quote - most, .quote = most};
    lower_price(search, &candidate, most, nearer.change);
    if (fits_with(search, nearer.change)) *best = nearer;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The days of a storage order, moved (and, of a request that is longer than the offer's days, shortened) by
 * the least that brings them together. A request cannot begin before tomorrow. */
static void nearest_days(const struct search *search, struct xd_nearest *best)
{
    const struct xd_slot *asking = search->asking->order;
    const struct xd_storage_offer *storage = &offer_of(search)->storage_offer;
    int64_t from = request_of(search)->storage_request.from_day,
            until = request_of(search)->storage_request.until_day;
    struct xd_nearest nearer = {.found = true};
    if (asking->side == XD_OFFER) {
        nearer.change[XD_KNOB_FROM_DAY] = lesser(from - storage->from_day, 0);
        nearer.change[XD_KNOB_UNTIL_DAY] = greater(until - storage->until_day, 0);
        if (greater(until, storage->until_day) - lesser(from, storage->from_day) > MOST_DAYS) return;
    } else {
        int64_t first = greater(storage->from_day, search->asking->now / XD_DAY_S + 1);
        int64_t length = lesser(until - from, storage->until_day - first);
        if (length < 1) return;
        int64_t moved = lesser(greater(from, first), storage->until_day - length);
        nearer.change[XD_KNOB_FROM_DAY] = moved - from;
        nearer.change[XD_KNOB_UNTIL_DAY] = moved + length - until;
    }
    for (unsigned knob = XD_KNOB_FROM_DAY; knob <= XD_KNOB_UNTIL_DAY; knob++) {
        nearer.miss = greater(nearer.miss, greater(nearer.change[knob], -nearer.change[knob]));
    }
    if ((best->found && nearer.miss >= best->miss) || !fits_with(search, nearer.change)) return;
    *best = nearer;
}

static void nearest_time(struct search *search, struct xd_nearest *best)
{
    if (search->resting->kind != XD_TRUCK) {
        nearest_days(search, best);
        return;
    }
    if (search->asking->order->side == XD_REQUEST) {
        add_knob(search, XD_KNOB_PICKUP_FROM, -1);
        add_knob(search, XD_KNOB_PICKUP_UNTIL, 1);
        add_knob(search, XD_KNOB_DELIVER_UNTIL, 1);
    } else {
        add_knob(search, XD_KNOB_AVAILABLE_FROM, -1);
        add_knob(search, XD_KNOB_AVAILABLE_UNTIL, 1);
    }
    search_knobs(search, MOST_DAYS * XD_DAY_S, best);
}

/* The dimensions that both orders state. */
static void add_amounts(struct search *search, int sign)
{
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if (offer_of(search)->dims & request_of(search)->dims & 1u << d)
            add_knob(search, (enum xd_knob)d, sign);
    }
}

/* A request takes less: no less than the offer lets go. */
static int64_t most_less(const struct search *search)
{
    const struct xd_slot *offer = offer_of(search), *request = request_of(search);
    int64_t spare = request->open - offer->min_part;
    if (request->kind == XD_TRUCK || !offer->min_part) return WHOLE;
    return spare > 0 ? (int64_t)((__int128)spare * WHOLE / request->whole) : 0;
}

static void nearest_room(struct search *search, struct xd_nearest *best)
{
    const struct xd_slot *asking = search->asking->order;
    search->share = true;
    if (asking->side == XD_OFFER) {
        if (asking->min_part) add_knob(search, XD_KNOB_MIN_PART, -1);
        add_amounts(search, 1);
        search_knobs(search, MOST_MORE, best);
        return;
    }
    if (asking->min_part) {
        add_knob(search, XD_KNOB_MIN_PART, -1);
        search_knobs(search, WHOLE, best);
    } else {
        add_amounts(search, -1);
        search_knobs(search, most_less(search), best);
    }
    int64_t more = offer_of(search)->min_part - asking->open;
    if (asking->kind == XD_TRUCK || more <= 0) return;
    search->count = 0; /* it wants less than the offer lets go */
    add_knob(search, (enum xd_knob)xd_main_dim(asking->kind), 1);
    search_knobs(search, (more * WHOLE + asking->whole - 1) / asking->whole, best);
}

/* The band of a chamber, brought within what the cargo tolerates. */
static void nearest_band(const struct search *search, struct xd_nearest *best)
{
    struct xd_band own = search->asking->order->temp, wanted = search->resting->temp;
    struct xd_nearest nearer = {.found = true};
    nearer.change[XD_KNOB_TEMP_MIN] = lesser(greater(own.min, wanted.min), wanted.max) - own.min;
    nearer.change[XD_KNOB_TEMP_MAX] = lesser(greater(own.max, wanted.min), wanted.max) - own.max;
    for (unsigned knob = XD_KNOB_TEMP_MIN; knob <= XD_KNOB_TEMP_MAX; knob++) {
        nearer.miss = greater(nearer.miss, greater(nearer.change[knob], -nearer.change[knob]));
    }
    if ((!best->found || nearer.miss < best->miss) && fits_with(search, nearer.change)) *best = nearer;
}

static void nearest_temperature(struct search *search, struct xd_nearest *best)
{
    if (search->asking->order->side == XD_OFFER && search->resting->kind != XD_TRUCK) {
        nearest_band(search, best);
        return;
    }
    add_knob(search, XD_KNOB_TEMP_MIN, -1);
    add_knob(search, XD_KNOB_TEMP_MAX, 1);
    search_knobs(search, range_of(search), best);
}

static void nearest_features(const struct search *search, struct xd_nearest *best)
{
    uint64_t lacking = request_of(search)->features & ~offer_of(search)->features;
    int64_t miss = __builtin_popcountll(lacking);
    if (best->found && miss >= best->miss) return;
    *best = (struct xd_nearest){.found = true, .miss = miss, .features = lacking};
}

static void nearest_credit(const struct search *search, struct xd_nearest *best)
{
    const struct xd_slot *asking = search->asking->order, *resting = search->resting;
    int64_t short_of_own = greater(asking->min_credit - resting->credit, 0);
    int64_t short_of_theirs = greater(resting->min_credit - asking->credit, 0);
    if (best->found && short_of_own + short_of_theirs >= best->miss) return;
    *best = (struct xd_nearest){.found = true, .miss = short_of_own + short_of_theirs};
    best->change[XD_KNOB_MIN_CREDIT] = -short_of_own;
    if (short_of_theirs) best->wanted_credit = resting->min_credit;
}

/* What is too far is too far for the request's radius or the truck's detour, whoever asks. */
static void nearest_distance(struct search *search, struct xd_nearest *best)
{
    bool truck = search->resting->kind == XD_TRUCK;
    search->turned = truck ? offer_of(search) : request_of(search);
    add_knob(search, truck ? XD_KNOB_MAX_DETOUR : XD_KNOB_RADIUS, 1);
    bool nearer = search_knobs(search, range_of(search), best);
    if (nearer && search->turned == search->resting) memset(best->change, 0, sizeof best->change);
}

void xd_nearest_try(const struct xd_asking *asking, const struct xd_slot *resting, enum xd_miss miss,
                    struct xd_nearest *best)
{
    struct search search = {.asking = asking, .resting = resting, .turned = asking->order};
    switch (miss) {
    case XD_MISS_PRICE:
        nearest_price(&search, best);
        break;
    case XD_MISS_TIME:
        nearest_time(&search, best);
        break;
    case XD_MISS_CAPACITY:
        nearest_room(&search, best);
        break;
    case XD_MISS_TEMPERATURE:
        nearest_temperature(&search, best);
        break;
    case XD_MISS_FEATURES:
        nearest_features(&search, best);
        break;
    case XD_MISS_CREDIT:
        nearest_credit(&search, best);
        break;
    case XD_MISS_DISTANCE:
        nearest_distance(&search, best);
        break;
    default: /* another currency or account is no matter of more or less */
        break;
    }
}

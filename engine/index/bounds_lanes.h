/* The body of bounds_plain.c and bounds_avx2.c, which differ in what the compiler may use. XD_BOUND is the
 * name of the function. */
#include "engine/index/bounds.h"
#include "engine/index/lanes.h"

/* Made anew wherever it is called, so that what is constant there is left out. */
#define INLINE static inline __attribute__((always_inline))

/* A plan has at most 66 legs, each rounded to the nearest metre. */
#define LEGS_MARGIN 50.0f
/* Minutes are whole, and after 2051 floats know them only to within eight. */
#define MINUTES_MARGIN 10.0f
/* What the rounding of two places to floats may add to their chord. */
#define PLACES_MARGIN 2e-7f

struct boxes {
    const float *low, *high;
    unsigned stride;
    bool rows; /* boxes of one: low and high are the same */
};

static inline xd_lanes low(struct boxes boxes, unsigned column)
{
    return xd_lanes_at(boxes.low + column * boxes.stride);
}

static inline xd_lanes high(struct boxes boxes, unsigned column)
{
    return xd_lanes_at((boxes.rows ? boxes.low : boxes.high) + column * boxes.stride);
}

static inline xd_lanes positive(xd_lanes a)
{
    return xd_lanes_max(a, (xd_lanes){0});
}

static inline xd_lanes if_else(xd_lanes_mask mask, xd_lanes yes, xd_lanes no)
{
    return (xd_lanes)(((xd_lanes_mask)yes & mask) | ((xd_lanes_mask)no & ~mask));
}

/* The shortest chord, squared, from a place to boxes of places. */
static inline xd_lanes chord2(struct boxes boxes, unsigned column, const float place[3])
{
    xd_lanes sum = {0};
    for (unsigned i = 0; i < 3; i++) {
        xd_lanes out = low(boxes, column + i) - place[i];
        if (!boxes.rows) out = positive(xd_lanes_max(out, place[i] - high(boxes, column + i)));
        sum += out * out;
    }
    return sum;
}

/* No more than the metres of road over a chord: an arc is its chord c times 1 + c^2 / 24 and more. */
static inline xd_lanes metres(xd_lanes squared, float road)
{
    xd_lanes chord = positive(xd_lanes_sqrt(squared) - PLACES_MARGIN);
    return chord * (1 + chord * chord * (1.0f / 24)) * road;
}

/* Whether the two sides' credit suffices for each other. */
static inline xd_lanes_mask credit_suits(struct boxes boxes, const struct xd_sought *sought)
{
    return (low(boxes, XD_STORAGE_MIN_CREDIT) <= sought->credit) &
           (high(boxes, XD_STORAGE_CREDIT) >= sought->min_credit);
}

/* Bounds with a margin for rounding, and which of them reach `at_least`. */
static inline uint32_t reaching(xd_lanes_mask fits, xd_lanes surplus, xd_lanes magnitude, float at_least,
                                float *bounds)
{
    xd_lanes bound = surplus + 4 + magnitude * 2e-6f;
    *(xd_lanes *)bounds = bound;
    return xd_lanes_bits(fits & (bound >= at_least));
}

/* --- storage
 * -----------------------------------------------------------------------------------------------------------------
 */

/* The price of a volume is least concave in the volume: up to a known point the straight line to it bounds it
 * from below, from there on the cheapest rate. */
static inline xd_lanes space_price(struct boxes boxes, float volume)
{
    xd_lanes known = low(boxes, XD_SPACE_USUAL), base = low(boxes, XD_SPACE_BASE);
    if (volume > XD_USUAL_VOLUME) return known + low(boxes, XD_SPACE_RATE) * (volume - XD_USUAL_VOLUME);
    return base + (known - base) * (volume / XD_USUAL_VOLUME);
}

/* What a part brings over its price is convex in its size: most at one end, the largest or the least. (A part
 * that loses may still fit: what it loses can round to nothing.) */
INLINE uint32_t storage_offers(struct boxes boxes, const struct xd_sought *sought, float at_least,
                               float *bounds)
{
    xd_lanes away2 = chord2(boxes, XD_COLUMN_X, sought->place);
    xd_lanes_mask fits = (away2 <= sought->reach2) & (high(boxes, XD_COLUMN_TEMP_MIN) >= sought->temp_min) &
                         (low(boxes, XD_COLUMN_TEMP_MAX) <= sought->temp_max);
    if (!xd_lanes_bits(fits)) return 0;
    xd_lanes most = high(boxes, XD_STORAGE_AMOUNT), rate = low(boxes, XD_SPACE_RATE);
    fits &= (low(boxes, XD_STORAGE_FROM_DAY) <= sought->from_day) &
            (high(boxes, XD_STORAGE_UNTIL_DAY) >= sought->until_day) & (most >= sought->amount) &
            (low(boxes, XD_SPACE_MIN_PART) <= sought->open) & credit_suits(boxes, sought);
    if (!xd_lanes_bits(fits)) return 0;
    xd_lanes per_unit = sought->unit_price - rate * sought->days, open = xd_lanes_of(sought->open);
    xd_lanes part = sought->parts ? xd_lanes_min(most, open) : open;
    xd_lanes worth = per_unit * part - low(boxes, XD_SPACE_BASE);
    xd_lanes known = sought->limit - space_price(boxes, sought->volume);
    if (sought->parts) {
        worth = xd_lanes_max(worth, per_unit * sought->amount - low(boxes, XD_SPACE_BASE));
        float volume = sought->amount * sought->days;
        known = xd_lanes_max(known, sought->unit_price * sought->amount - space_price(boxes, volume));
    }
    worth = xd_lanes_min(worth, known);
    xd_lanes access = metres(away2, sought->road) * sought->access;
    return reaching(fits, worth - access, xd_lanes_of(sought->limit), at_least, bounds);
}

INLINE uint32_t storage_requests(struct boxes boxes, const struct xd_sought *sought, float at_least,
                                 float *bounds)
{
    xd_lanes away2 = chord2(boxes, XD_COLUMN_X, sought->place), reach = high(boxes, XD_WANT_REACH);
    xd_lanes_mask fits = (away2 <= reach * reach) & (low(boxes, XD_COLUMN_TEMP_MIN) <= sought->temp_min) &
                         (high(boxes, XD_COLUMN_TEMP_MAX) >= sought->temp_max);
    if (!xd_lanes_bits(fits)) return 0;
    fits &= (high(boxes, XD_STORAGE_FROM_DAY) >= sought->from_day) &
            (low(boxes, XD_STORAGE_UNTIL_DAY) <= sought->until_day) &
            (low(boxes, XD_STORAGE_AMOUNT) <= sought->amount) & credit_suits(boxes, sought);
    if (!xd_lanes_bits(fits)) return 0;
    xd_lanes limit = high(boxes, XD_WANT_LIMIT);
    xd_lanes left = limit - low(boxes, XD_WANT_VOLUME) * sought->rate;
    if (!boxes.rows) {
        xd_lanes loses = (high(boxes, XD_WANT_RATE) - sought->rate) * low(boxes, XD_WANT_VOLUME);
        left = if_else(loses < 0, xd_lanes_min(left, loses), left);
    }
    left = xd_lanes_max(left, left * low(boxes, XD_WANT_SHARE)); /* the least part loses least */
    xd_lanes access = metres(away2, sought->road) * low(boxes, XD_WANT_ACCESS);
    return reaching(fits, left - sought->base - access, limit, at_least, bounds);
}

/* --- trucks
 * ------------------------------------------------------------------------------------------------------------------
 */

static inline xd_lanes_mask carries(struct boxes boxes, const struct xd_sought *sought)
{
    return (high(boxes, XD_TRUCK_KG) >= sought->kg) & (high(boxes, XD_TRUCK_PALLETS) >= sought->pallets) &
           (low(boxes, XD_COLUMN_TEMP_MIN) <= sought->temp_max) &
           (high(boxes, XD_COLUMN_TEMP_MAX) >= sought->temp_min);
}

/* Of trucks whose plans grow by at least so many metres. */
static inline uint32_t reaching_at(struct boxes boxes, const struct xd_sought *sought, xd_lanes_mask fits,
                                   xd_lanes grows, float at_least, float *bounds)
{
    if (!xd_lanes_bits(fits)) return 0;
    xd_lanes quote = low(boxes, XD_TRUCK_BASE) + low(boxes, XD_TRUCK_RATE) * sought->volume +
                     low(boxes, XD_TRUCK_DETOUR) * positive(grows - LEGS_MARGIN);
    return reaching(fits, sought->limit - quote, xd_lanes_of(sought->limit), at_least, bounds);
}

INLINE uint32_t lanes(struct boxes boxes, const struct xd_sought *sought, float at_least, float *bounds)
{
    xd_lanes longest = high(boxes, XD_TRUCK_LONGEST) + LEGS_MARGIN, slowness = low(boxes, XD_TRUCK_SLOWNESS);
    xd_lanes to_pickup = metres(chord2(boxes, XD_COLUMN_X, sought->place), sought->road);
    xd_lanes to_end = metres(chord2(boxes, XD_TRUCK_TO_X, sought->to), sought->road);
    xd_lanes way = to_pickup + sought->direct + to_end;
    xd_lanes_mask fits = way <= longest;
    if (!xd_lanes_bits(fits)) return 0;
    xd_lanes arrival = low(boxes, XD_TRUCK_FREE) + to_pickup * slowness - MINUTES_MARGIN;
    xd_lanes delivery = xd_lanes_max(arrival, xd_lanes_of(sought->pickup_from - MINUTES_MARGIN)) +
                        sought->loading + slowness * sought->direct;
    fits &=
        (arrival <= sought->pickup_until) & (delivery - MINUTES_MARGIN <= sought->deliver_until) &
        (delivery + sought->unloading + to_end * slowness - MINUTES_MARGIN <= high(boxes, XD_TRUCK_UNTIL));
    if (!xd_lanes_bits(fits)) return 0;
    fits &= carries(boxes, sought);
    return reaching_at(boxes, sought, fits, way - high(boxes, XD_TRUCK_PLANNED), at_least, bounds);
}

/* A roamer's plan goes from h to its last stop e. With a load p-q it grows, over p-q itself, by at least
 *
 *     h-p + q-e - planned                     where e stays the last,
 *     max(0, h-p + p-e - planned) + e-q - p-q where p comes before and q after it,
 *     e-p                                     where both come after it,
 *
 * and what comes after e comes no earlier than e does as planned. */
struct roaming {
    xd_lanes to_pickup, end_pickup, end_delivery; /* metres: h-p, e-p, e-q */
    xd_lanes planned, spare, most_direct, least_direct;
    xd_lanes slowness, free, last, until;
    xd_lanes pickup_from, pickup_until, deliver_until, loading, unloading;
};

#define NEVER 1e30f

/* The least that the plan grows by; NEVER where its times allow none of the three ways. */
INLINE xd_lanes roaming_growth(const struct roaming *r)
{
    xd_lanes arrival = r->free + r->to_pickup * r->slowness - MINUTES_MARGIN;
    xd_lanes arrival_after = r->last + r->end_pickup * r->slowness - MINUTES_MARGIN;
    xd_lanes haul = r->loading + r->least_direct * r->slowness - MINUTES_MARGIN;
    xd_lanes delivery = xd_lanes_max(arrival, r->pickup_from) + haul;
    xd_lanes delivery_after = xd_lanes_max(arrival_after, r->pickup_from) + haul;
    xd_lanes from_end = r->end_delivery * r->slowness - MINUTES_MARGIN;
    xd_lanes delivery_across = xd_lanes_max(delivery, r->last + from_end);
    xd_lanes done_by = r->until - r->unloading;
    xd_lanes within = r->to_pickup + r->end_delivery - r->planned;
    xd_lanes across = positive(r->to_pickup + r->end_pickup - r->planned) + r->end_delivery - r->most_direct;
    xd_lanes_mask early = arrival <= r->pickup_until;
    xd_lanes_mask is_within =
        early & (within <= r->spare) & (delivery <= r->deliver_until) & (delivery + from_end <= done_by);
    xd_lanes_mask is_across =
        early & (across <= r->spare) & (delivery_across <= r->deliver_until) & (delivery_across <= done_by);
    xd_lanes_mask is_after = (arrival_after <= r->pickup_until) & (r->end_pickup <= r->spare) &
                             (delivery_after <= r->deliver_until) & (delivery_after <= done_by);
    xd_lanes never = xd_lanes_of(NEVER);
    return xd_lanes_min(
        if_else(is_within, within, never),
        xd_lanes_min(if_else(is_across, across, never), if_else(is_after, r->end_pickup, never)));
}

INLINE uint32_t roamers(struct boxes boxes, const struct xd_sought *sought, float at_least, float *bounds)
{
    struct roaming roaming = {.to_pickup = metres(chord2(boxes, XD_COLUMN_X, sought->place), sought->road),
                              .planned = high(boxes, XD_TRUCK_PLANNED),
                              .spare = high(boxes, XD_TRUCK_LONGEST) + LEGS_MARGIN};
    xd_lanes_mask fits = (roaming.to_pickup <= roaming.planned + roaming.spare) & carries(boxes, sought);
    if (!xd_lanes_bits(fits)) return 0;
    roaming.end_pickup = metres(chord2(boxes, XD_TRUCK_TO_X, sought->place), sought->road);
    roaming.end_delivery = metres(chord2(boxes, XD_TRUCK_TO_X, sought->to), sought->road);
    roaming.most_direct = roaming.least_direct = xd_lanes_of(sought->direct);
    roaming.slowness = low(boxes, XD_TRUCK_SLOWNESS);
    roaming.free = low(boxes, XD_TRUCK_FREE);
    roaming.last = low(boxes, XD_ROAMER_LAST);
    roaming.until = high(boxes, XD_TRUCK_UNTIL);
    roaming.pickup_from = xd_lanes_of(sought->pickup_from - MINUTES_MARGIN);
    roaming.pickup_until = xd_lanes_of(sought->pickup_until);
    roaming.deliver_until = xd_lanes_of(sought->deliver_until);
    roaming.loading = xd_lanes_of(sought->loading);
    roaming.unloading = xd_lanes_of(sought->unloading);
    xd_lanes grows = roaming_growth(&roaming);
    return reaching_at(boxes, sought, fits & (grows < NEVER), grows, at_least, bounds);
}

/* --- loads, for a truck that comes in
 * ---------------------------------------------------------------------------------------- */

/* What is left of limits at a rate is convex in the rate, so the line between two points bounds it from
 * above. */
static inline xd_lanes left_between(struct boxes boxes, float rate)
{
    xd_lanes limit = high(boxes, XD_LOAD_LIMIT), cheap = high(boxes, XD_LOAD_CHEAP),
             dear = high(boxes, XD_LOAD_DEAR);
    if (rate <= XD_CHEAP_HAUL) return limit + (cheap - limit) * (rate / XD_CHEAP_HAUL);
    if (rate <= XD_DEAR_HAUL)
        return cheap + (dear - cheap) * ((rate - XD_CHEAP_HAUL) / (XD_DEAR_HAUL - XD_CHEAP_HAUL));
    return dear - low(boxes, XD_LOAD_VOLUME) * (rate - XD_DEAR_HAUL);
}

/* Loads that suit the truck, as the plan grows by at least so many metres. */
INLINE uint32_t loads_reaching(struct boxes boxes, const struct xd_sought *sought, xd_lanes_mask fits,
                               xd_lanes grows, float at_least, float *bounds)
{
    if (!xd_lanes_bits(fits)) return 0;
    fits &= (low(boxes, XD_LOAD_KG) <= sought->kg) & (low(boxes, XD_LOAD_PALLETS) <= sought->pallets) &
            (low(boxes, XD_COLUMN_TEMP_MIN) <= sought->temp_max) &
            (high(boxes, XD_COLUMN_TEMP_MAX) >= sought->temp_min);
    xd_lanes limit = high(boxes, XD_LOAD_LIMIT);
    xd_lanes left = limit - low(boxes, XD_LOAD_VOLUME) * sought->rate;
    left = xd_lanes_min(left, left_between(boxes, sought->rate));
    xd_lanes added = positive(grows - LEGS_MARGIN);
    return reaching(fits, left - sought->base - sought->detour * added, limit, at_least, bounds);
}

INLINE uint32_t loads_of_lane(struct boxes boxes, const struct xd_sought *sought, float at_least,
                              float *bounds)
{
    xd_lanes direct = low(boxes, XD_LOAD_DIRECT);
    xd_lanes to_pickup = metres(chord2(boxes, XD_COLUMN_X, sought->place), sought->road);
    xd_lanes to_end = metres(chord2(boxes, XD_LOAD_TO_X, sought->to), sought->road);
    xd_lanes way = to_pickup + direct + to_end;
    xd_lanes_mask fits = way <= sought->longest + LEGS_MARGIN;
    if (!xd_lanes_bits(fits)) return 0;
    xd_lanes arrival = sought->free + to_pickup * sought->slowness - MINUTES_MARGIN;
    xd_lanes delivery = xd_lanes_max(arrival, low(boxes, XD_LOAD_PICKUP_FROM) - MINUTES_MARGIN) +
                        low(boxes, XD_LOAD_LOADING) + direct * sought->slowness - MINUTES_MARGIN;
    fits &= (arrival <= high(boxes, XD_LOAD_PICKUP_UNTIL)) &
            (delivery <= high(boxes, XD_LOAD_DELIVER_UNTIL)) &
            (delivery + low(boxes, XD_LOAD_UNLOADING) + to_end * sought->slowness <= sought->until);
    return loads_reaching(boxes, sought, fits, way - sought->planned, at_least, bounds);
}

INLINE uint32_t loads_of_roamer(struct boxes boxes, const struct xd_sought *sought, float at_least,
                                float *bounds)
{
    struct roaming roaming = {.to_pickup = metres(chord2(boxes, XD_COLUMN_X, sought->place), sought->road),
                              .planned = xd_lanes_of(sought->planned),
                              .spare = xd_lanes_of(sought->longest + LEGS_MARGIN)};
    xd_lanes_mask fits = roaming.to_pickup <= roaming.planned + roaming.spare;
    if (!xd_lanes_bits(fits)) return 0;
    roaming.end_pickup = metres(chord2(boxes, XD_COLUMN_X, sought->to), sought->road);
    roaming.end_delivery = metres(chord2(boxes, XD_LOAD_TO_X, sought->to), sought->road);
    roaming.least_direct = low(boxes, XD_LOAD_DIRECT);
    roaming.most_direct = high(boxes, XD_LOAD_DIRECT);
    roaming.slowness = xd_lanes_of(sought->slowness);
    roaming.free = xd_lanes_of(sought->free);
    roaming.last = xd_lanes_of(sought->last);
    roaming.until = xd_lanes_of(sought->until);
    roaming.pickup_from = low(boxes, XD_LOAD_PICKUP_FROM) - MINUTES_MARGIN;
    roaming.pickup_until = high(boxes, XD_LOAD_PICKUP_UNTIL);
    roaming.deliver_until = high(boxes, XD_LOAD_DELIVER_UNTIL);
    roaming.loading = low(boxes, XD_LOAD_LOADING);
    roaming.unloading = low(boxes, XD_LOAD_UNLOADING);
    xd_lanes grows = roaming_growth(&roaming);
    return loads_reaching(boxes, sought, fits & (grows < NEVER), grows, at_least, bounds);
}

INLINE uint32_t loads(struct boxes boxes, const struct xd_sought *sought, float at_least, float *bounds)
{
    if (sought->ends) return loads_of_lane(boxes, sought, at_least, bounds);
    return loads_of_roamer(boxes, sought, at_least, bounds);
}

/* --- the pass
 * ----------------------------------------------------------------------------------------------------------------
 */

typedef uint32_t bound_some(struct boxes boxes, const struct xd_sought *sought, float at_least,
                            float *bounds);

INLINE uint64_t pass(bound_some *some, const struct xd_sought *sought, struct boxes boxes, unsigned count,
                     float at_least, float *bounds)
{
    uint64_t fits = 0;
    for (unsigned i = 0; i < count; i += XD_LANES) {
        fits |= (uint64_t)some(boxes, sought, at_least, bounds + i) << i;
        boxes.low += XD_LANES;
        boxes.high += XD_LANES;
    }
    return count < 64 ? fits & ((UINT64_C(1) << count) - 1) : fits;
}

INLINE uint64_t bound_shelf(enum xd_shelf shelf, const struct xd_sought *sought, struct boxes boxes,
                            unsigned count, float at_least, float *bounds)
{
    switch (shelf) {
    case XD_SHELF_LANES:
        return pass(lanes, sought, boxes, count, at_least, bounds);
    case XD_SHELF_ROAMERS:
        return pass(roamers, sought, boxes, count, at_least, bounds);
    case XD_SHELF_LOADS:
        return pass(loads, sought, boxes, count, at_least, bounds);
    case XD_SHELF_COLD_OFFERS:
    case XD_SHELF_FLOOR_OFFERS:
        return pass(storage_offers, sought, boxes, count, at_least, bounds);
    default:
        return pass(storage_requests, sought, boxes, count, at_least, bounds);
    }
}

/* One pass for rows, one for boxes: each made with what it knows of the other. */
uint64_t XD_BOUND(enum xd_shelf shelf, const struct xd_sought *sought, const float *low_values,
                  const float *high_values, unsigned stride, unsigned count, float at_least, float *bounds)
{
    if (low_values == high_values) {
        struct boxes rows = {low_values, low_values, XD_LEAF_ROWS, true};
        return bound_shelf(shelf, sought, rows, count, at_least, bounds);
    }
    struct boxes boxes = {low_values, high_values, stride, false};
    return bound_shelf(shelf, sought, boxes, count, at_least, bounds);
}

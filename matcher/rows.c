#include "matcher/rows.h"

#include "matcher/state.h"

#include <math.h>

static const double EARTH_M = 6371008.8;
/* A plan's legs are rounded each by itself: up to half a metre lost on each of its 65 or so. */
static const double LEGS_MARGIN = 50;
static const double EVERYWHERE = 4; /* no chord of the unit sphere is longer */
static const float FAR = 1e30f;
static const float NO_MIN = -1001, NO_MAX = 1001, NO_COOLING = 2000; /* tenths of a degree; orders go to +-1000 */
static const int64_t MINUTES_FROM = 1577836800; /* 2020-01-01: minutes since then are exact in a float until 2051 */
static const double MINUTES_MARGIN = 10;       /* and within this until 2199 */

/* --- masks ------------------------------------------------------------------------------------------------------------------- */

/* Features below, one of 24 bits for the currency above: equal currencies share it, so it never parts what fits. */
static uint64_t mask_of(const struct xd_slot *slot)
{
    return slot->features | UINT64_C(1) << (40 + (uint64_t)slot->currency % 24);
}

/* --- what the columns are ---------------------------------------------------------------------------------------------------- */

enum { X, Y, Z }; /* of at, or from */

enum { /* storage, both sides */
    S_FROM_DAY = 3,
    S_UNTIL_DAY,
    S_TEMP_MIN,
    S_TEMP_MAX,
    S_AMOUNT, /* offer: the most that is free; request: the least that is worth having */
    S_CREDIT,
    S_MIN_CREDIT,
    S_RADIUS, /* request: chord */
    S_BASE = S_RADIUS, /* offer */
    S_KNOT,   /* 5 columns: the price at five volumes (offer), what is left of the limit at five rates (request) */
};

enum { /* truck offers */
    T_TO_X = 3,   /* lanes */
    T_REACH = 3,  /* roamers: metres from the middle of the plan */
    T_LONGEST = 6, /* lanes: the metres that lane and detour allow */
    T_FROM,
    T_UNTIL,
    T_SPEED, /* m/min */
    T_KG,
    T_PALLETS,
    T_BASE,
    T_RATE,
    T_TEMP_MIN,
    T_TEMP_MAX,
};

enum { /* truck requests */
    L_TO_X = 3,
    L_PICKUP_FROM = 6,
    L_PICKUP_UNTIL,
    L_DELIVER_UNTIL,
    L_KG,
    L_PALLETS,
    L_TEMP_MIN,
    L_TEMP_MAX,
    L_KNOT, /* 3 columns: what is left of the limit at three rates */
};

enum { STORAGE_KNOTS = 5, LOAD_KNOTS = 3 };
static const double volume_knots[STORAGE_KNOTS] = {0, 1500, 12000, 100000, 800000};       /* 1e-2 units x days */
static const double rate_knots[STORAGE_KNOTS] = {0, 1000, 6000, 30000, 150000};           /* 1e-4 */
static const double load_rate_knots[LOAD_KNOTS] = {0, 2000, 8000};                        /* 1e-4 */

/* Storage: near things first, then when, how cold and how dear. */
static const float storage_weights[XD_ROW_LENGTH] = {100, 100, 100, 0.02f, 0.02f, 0.01f, 0.01f, 0, 0, 0, 0, 0, 0, -1.5f, 0, 0};
static const float lane_weights[XD_ROW_LENGTH] = {12, 12, 12, 12, 12, 12, 0, 0.0012f, 0.0012f, 0, 0, 0, 0, 0, 0.004f, 0.004f};
static const float roamer_weights[XD_ROW_LENGTH] = {20, 20, 20, 0, 0, 0, 0, 0.0012f, 0.0012f, 0, 0, 0, 0, 0, 0.004f, 0.004f};
static const float load_weights[XD_ROW_LENGTH] = {12, 12, 12, 12, 12, 12, 0.0012f, 0.0012f, 0.0006f, 0, 0, 0.004f, 0.004f, 0, -1, 0};

const float *xd_shelf_weights(enum xd_shelf shelf)
{
    static const float *const weights[XD_SHELVES] = {
        [XD_SHELF_LANES] = lane_weights,           [XD_SHELF_ROAMERS] = roamer_weights,
        [XD_SHELF_LOADS] = load_weights,           [XD_SHELF_COLD_OFFERS] = storage_weights,
        [XD_SHELF_COLD_REQUESTS] = storage_weights, [XD_SHELF_FLOOR_OFFERS] = storage_weights,
        [XD_SHELF_FLOOR_REQUESTS] = storage_weights};
    return weights[shelf];
}

enum xd_shelf xd_shelf_of(const struct xd_slot *slot)
{
    bool offer = slot->side == XD_OFFER;
    switch (slot->kind) {
    case XD_TRUCK:
        return !offer ? XD_SHELF_LOADS : slot->truck_offer.truck.has_to ? XD_SHELF_LANES : XD_SHELF_ROAMERS;
    case XD_COLD:
        return offer ? XD_SHELF_COLD_OFFERS : XD_SHELF_COLD_REQUESTS;
    default:
        return offer ? XD_SHELF_FLOOR_OFFERS : XD_SHELF_FLOOR_REQUESTS;
    }
}

bool xd_shelf_is(enum xd_shelf shelf, unsigned kind, unsigned side)
{
    static const uint8_t kinds[XD_SHELVES] = {XD_TRUCK, XD_TRUCK,     XD_TRUCK,     XD_COLD,
                                              XD_COLD,  XD_WAREHOUSE, XD_WAREHOUSE};
    static const uint8_t sides[XD_SHELVES] = {XD_OFFER,   XD_OFFER, XD_REQUEST, XD_OFFER,
                                              XD_REQUEST, XD_OFFER, XD_REQUEST};
    return kinds[shelf] == kind && sides[shelf] == side;
}

/* --- rows -------------------------------------------------------------------------------------------------------------------- */

static void set_place(xd_row *row, unsigned column, const struct xd_unit_vector *place)
{
    (*row)[column + X] = (float)place->x;
    (*row)[column + Y] = (float)place->y;
    (*row)[column + Z] = (float)place->z;
}

static float minutes(int64_t time)
{
    return (float)((time - MINUTES_FROM) / 60);
}

/* Speeds are tenths of km/h: 10/6 metres a minute each; a little more, for rounding. */
static double metres_a_minute(int64_t speed)
{
    return (double)speed * (10.0 / 6) * (1 + 1e-6);
}

static int64_t most_free(const struct xd_slot *offer)
{
    return xd_calendar_most_free(&offer->storage_offer.calendar, xd_main_dim(offer->kind));
}

static void storage_offer_row(const struct xd_slot *slot, xd_row *row)
{
    set_place(row, X, &slot->storage_offer.at);
    (*row)[S_FROM_DAY] = (float)slot->storage_offer.calendar.from_day;
    (*row)[S_UNTIL_DAY] = (float)slot->storage_offer.calendar.until_day;
    (*row)[S_TEMP_MIN] = slot->has_temp ? (float)slot->temp.min : 0;
    (*row)[S_TEMP_MAX] = slot->has_temp ? (float)slot->temp.max : 0;
    (*row)[S_AMOUNT] = (float)most_free(slot);
    (*row)[S_CREDIT] = (float)slot->credit;
    (*row)[S_MIN_CREDIT] = (float)slot->min_credit;
    (*row)[S_BASE] = (float)slot->storage_offer.base;
    for (unsigned k = 0; k < STORAGE_KNOTS; k++) {
        double price = (double)slot->storage_offer.base + (double)slot->storage_offer.per_unit_day * volume_knots[k] / 1e4;
        (*row)[S_KNOT + k] = (float)price;
    }
}

/* What is left of the limit of a request at a rate, at best: it may take only a part. */
static float left_at(const struct xd_slot *slot, double limit, double volume, double rate)
{
    double left = limit - rate * volume / 1e4;
    return (float)(slot->min_part && left < 0 ? 0 : left);
}

static void storage_request_row(const struct xd_slot *slot, xd_row *row)
{
    int64_t days = slot->storage_request.until_day - slot->storage_request.from_day;
    double share = (double)slot->open / (double)slot->amount[xd_main_dim(slot->kind)];
    bool parts = slot->min_part && slot->min_part < slot->open;
    set_place(row, X, &slot->storage_request.at);
    (*row)[S_FROM_DAY] = (float)slot->storage_request.from_day;
    (*row)[S_UNTIL_DAY] = (float)slot->storage_request.until_day;
    (*row)[S_TEMP_MIN] = slot->has_temp ? (float)slot->temp.min : NO_MIN;
    (*row)[S_TEMP_MAX] = slot->has_temp ? (float)slot->temp.max : NO_MAX;
    (*row)[S_AMOUNT] = (float)(parts ? slot->min_part : slot->open);
    (*row)[S_CREDIT] = (float)slot->credit;
    (*row)[S_MIN_CREDIT] = (float)slot->min_credit;
    (*row)[S_RADIUS] = (float)slot->storage_request.radius_m;
    for (unsigned k = 0; k < STORAGE_KNOTS; k++) {
        (*row)[S_KNOT + k] =
            left_at(slot, (double)slot->max_price * share, (double)slot->open * (double)days, rate_knots[k]);
    }
}

/* How far from the middle of its plan a roaming truck could possibly be asked to go for a pickup. With r the radius of the plan
 * around its middle, a pickup at h from all stops changes the detour by at least h - 6 r (by the triangle inequality, wherever
 * the delivery goes). */
static double roaming_reach(const struct xd_slot *slot, struct xd_unit_vector *middle)
{
    const struct xd_plan *plan = &slot->truck_offer.plan;
    const struct xd_truck *truck = &slot->truck_offer.truck;
    *middle = plan->at;
    double radius = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        double metres = (double)xd_distance_m(*middle, plan->stops[i].place, truck->road_factor_e4);
        radius = metres > radius ? metres : radius;
    }
    double left = (double)(truck->max_detour_m - xd_plan_detour(plan, truck));
    return (left > 0 ? left : 0) + 7 * radius + 100;
}

static void truck_offer_row(const struct xd_slot *slot, xd_row *row)
{
    const struct xd_truck *truck = &slot->truck_offer.truck;
    if (truck->has_to) {
        set_place(row, X, &truck->from);
        set_place(row, T_TO_X, &truck->to);
        (*row)[T_LONGEST] = (float)(truck->lane_m + truck->max_detour_m);
    } else {
        struct xd_unit_vector middle;
        (*row)[T_REACH] = (float)roaming_reach(slot, &middle);
        set_place(row, X, &middle);
    }
    (*row)[T_FROM] = minutes(truck->available_from);
    (*row)[T_UNTIL] = minutes(truck->available_until);
    (*row)[T_SPEED] = (float)metres_a_minute(truck->speed);
    (*row)[T_KG] = truck->dims >> XD_KG & 1 ? (float)truck->capacity[XD_KG] : FAR;
    (*row)[T_PALLETS] = truck->dims >> XD_PALLETS & 1 ? (float)truck->capacity[XD_PALLETS] : FAR;
    (*row)[T_BASE] = (float)slot->truck_offer.base;
    (*row)[T_RATE] = (float)slot->truck_offer.per_t_km;
    /* A truck without cooling suits only cargo that needs none: as if it ran at a temperature that none asks for. */
    (*row)[T_TEMP_MIN] = truck->has_temp ? (float)truck->temp.min : NO_COOLING;
    (*row)[T_TEMP_MAX] = truck->has_temp ? (float)truck->temp.max : NO_COOLING;
}

/* per_t_km x this / 1e4 is in hundredths: tonnes x km x 100. */
static double tonne_km(const struct xd_load *load)
{
    return (double)load->amount[XD_KG] * (double)load->direct_m * 1e-4;
}

static void truck_request_row(const struct xd_slot *slot, xd_row *row)
{
    const struct xd_load *load = &slot->truck_request;
    set_place(row, X, &load->pickup);
    set_place(row, L_TO_X, &load->delivery);
    (*row)[L_PICKUP_FROM] = minutes(load->pickup_from);
    (*row)[L_PICKUP_UNTIL] = minutes(load->pickup_until);
    (*row)[L_DELIVER_UNTIL] = minutes(load->deliver_until);
    (*row)[L_KG] = (float)load->amount[XD_KG];
    (*row)[L_PALLETS] = (float)load->amount[XD_PALLETS];
    (*row)[L_TEMP_MIN] = load->has_temp ? (float)load->temp.min : NO_MIN;
    (*row)[L_TEMP_MAX] = load->has_temp ? (float)load->temp.max : NO_MAX;
    for (unsigned k = 0; k < LOAD_KNOTS; k++) {
        (*row)[L_KNOT + k] = (float)((double)slot->max_price - load_rate_knots[k] * tonne_km(load) / 1e4);
    }
}

void xd_row_of(const struct xd_slot *slot, xd_row *row, uint64_t *mask)
{
    bool offer = slot->side == XD_OFFER;
    *row = (xd_row){0};
    *mask = mask_of(slot);
    if (slot->kind == XD_TRUCK) {
        (offer ? truck_offer_row : truck_request_row)(slot, row);
    } else {
        (offer ? storage_offer_row : storage_request_row)(slot, row);
    }
}

/* --- what is sought ---------------------------------------------------------------------------------------------------------- */

static void anywhere(struct xd_sought *sought)
{
    for (unsigned i = 0; i < XD_ROW_LENGTH; i++) {
        sought->lo[i] = -INFINITY;
        sought->hi[i] = INFINITY;
    }
}

static void keep_place(double out[3], const struct xd_unit_vector *place)
{
    out[X] = place->x;
    out[Y] = place->y;
    out[Z] = place->z;
}

/* The chord under which a road of `metres` lies, and a little: rows are floats. */
static double chord_of(double metres, double metres_a_chord)
{
    double angle = (metres + 1) / metres_a_chord;
    return angle < 2 ? angle + 1e-6 : EVERYWHERE; /* a chord is shorter than its arc */
}

static void within_reach(struct xd_sought *sought)
{
    for (unsigned i = X; i <= Z; i++) {
        sought->lo[i] = (float)(sought->place[i] - sought->reach) - 1e-6f;
        sought->hi[i] = (float)(sought->place[i] + sought->reach) + 1e-6f;
    }
}

static void seek_credit(const struct xd_slot *incoming, struct xd_sought *out)
{
    out->lo[S_CREDIT] = (float)incoming->min_credit;
    out->hi[S_MIN_CREDIT] = (float)incoming->credit;
}

static void seek_storage_offers(const struct xd_slot *request, struct xd_sought *out)
{
    int64_t days = request->storage_request.until_day - request->storage_request.from_day;
    bool parts = request->min_part && request->min_part < request->open;
    double share = (double)request->open / (double)request->amount[xd_main_dim(request->kind)];
    keep_place(out->place, &request->storage_request.at);
    out->reach = chord_of((double)request->storage_request.radius_m, out->metres);
    within_reach(out);
    out->hi[S_FROM_DAY] = (float)request->storage_request.from_day;
    out->lo[S_UNTIL_DAY] = (float)request->storage_request.until_day;
    if (request->has_temp) {
        out->lo[S_TEMP_MIN] = (float)request->temp.min;
        out->hi[S_TEMP_MAX] = (float)request->temp.max;
    }
    out->lo[S_AMOUNT] = (float)(parts ? request->min_part : request->open);
    seek_credit(request, out);
    out->price = (double)request->max_price * share;
    out->hi[S_BASE] = (float)(out->price + 2);
    out->volume = (double)request->open * (double)days;
    out->access = parts ? 0 : (double)request->storage_request.per_access_km * out->metres / 1e5;
    out->parts = parts;
}

static void seek_storage_requests(const struct xd_slot *offer, struct xd_sought *out)
{
    keep_place(out->place, &offer->storage_offer.at);
    out->reach = EVERYWHERE;
    out->lo[S_FROM_DAY] = (float)offer->storage_offer.calendar.from_day;
    out->hi[S_UNTIL_DAY] = (float)offer->storage_offer.calendar.until_day;
    if (offer->has_temp) {
        out->hi[S_TEMP_MIN] = (float)offer->temp.min;
        out->lo[S_TEMP_MAX] = (float)offer->temp.max;
    }
    out->hi[S_AMOUNT] = (float)most_free(offer);
    seek_credit(offer, out);
    out->base = (double)offer->storage_offer.base;
    out->rate = (double)offer->storage_offer.per_unit_day;
}

static void seek_trucks(const struct xd_slot *request, enum xd_shelf shelf, struct xd_sought *out)
{
    const struct xd_load *load = &request->truck_request;
    keep_place(out->place, &load->pickup);
    keep_place(out->other_place, &load->delivery);
    out->direct = (double)load->direct_m;
    out->from = minutes(load->pickup_from);
    out->until = minutes(load->pickup_until);
    out->service = (double)(load->load_s + load->unload_s) / 60;
    out->hi[T_FROM] = minutes(load->pickup_until);
    out->lo[T_UNTIL] = minutes(load->pickup_from);
    out->lo[T_KG] = (float)load->amount[XD_KG];
    out->lo[T_PALLETS] = (float)load->amount[XD_PALLETS];
    out->hi[T_BASE] = (float)request->max_price;
    out->price = (double)request->max_price;
    out->volume = tonne_km(load);
    if (shelf == XD_SHELF_LANES) out->lo[T_LONGEST] = (float)((double)load->direct_m - LEGS_MARGIN);
    if (load->has_temp) {
        out->hi[T_TEMP_MIN] = (float)load->temp.max;
        out->lo[T_TEMP_MAX] = (float)load->temp.min;
    }
}

static void seek_loads(const struct xd_slot *offer, struct xd_sought *out)
{
    const struct xd_truck *truck = &offer->truck_offer.truck;
    struct xd_unit_vector from = truck->from;
    out->longest = truck->has_to ? (double)(truck->lane_m + truck->max_detour_m) : roaming_reach(offer, &from);
    keep_place(out->place, &from);
    if (truck->has_to) keep_place(out->other_place, &truck->to);
    out->reach = chord_of(out->longest + LEGS_MARGIN, out->metres);
    within_reach(out);
    out->ends = truck->has_to;
    out->speed = metres_a_minute(truck->speed);
    out->from = minutes(truck->available_from);
    out->until = minutes(truck->available_until) + 1;
    out->lo[L_PICKUP_UNTIL] = minutes(truck->available_from);
    out->hi[L_PICKUP_FROM] = minutes(truck->available_until);
    if (truck->dims >> XD_KG & 1) out->hi[L_KG] = (float)truck->capacity[XD_KG];
    if (truck->dims >> XD_PALLETS & 1) out->hi[L_PALLETS] = (float)truck->capacity[XD_PALLETS];
    if (truck->has_temp) {
        out->hi[L_TEMP_MIN] = (float)truck->temp.max;
        out->lo[L_TEMP_MAX] = (float)truck->temp.min;
    } else {
        out->hi[L_TEMP_MIN] = NO_MIN;
    }
    out->base = (double)offer->truck_offer.base;
    out->rate = (double)offer->truck_offer.per_t_km;
}

void xd_seek(const struct xd_slot *incoming, enum xd_shelf shelf, int32_t road_factor_e4, struct xd_sought *out)
{
    *out = (struct xd_sought){.metres = EARTH_M * road_factor_e4 / 1e4, .reach = EVERYWHERE};
    anywhere(out);
    bool seeks_offers = incoming->side == XD_REQUEST;
    out->need = seeks_offers ? mask_of(incoming) : UINT64_C(1) << (40 + (uint64_t)incoming->currency % 24);
    out->have = seeks_offers ? UINT64_MAX : mask_of(incoming);
    if (incoming->kind == XD_TRUCK) {
        if (seeks_offers) {
            seek_trucks(incoming, shelf, out);
        } else {
            seek_loads(incoming, out);
        }
    } else if (seeks_offers) {
        seek_storage_offers(incoming, out);
    } else {
        seek_storage_requests(incoming, out);
    }
}

/* --- bounds ------------------------------------------------------------------------------------------------------------------ */

/* The shortest chord from a place to a box of places. */
static double chord_to(const double place[3], const xd_row *lo, const xd_row *hi, unsigned column)
{
    double sum = 0;
    for (unsigned i = 0; i < 3; i++) {
        double below = (double)(*lo)[column + i] - place[i], above = place[i] - (double)(*hi)[column + i];
        double out = below > above ? below : above;
        if (out > 0) sum += out * out;
    }
    double chord = sqrt(sum) - 2e-7;
    return chord > 0 ? chord : 0;
}

static double chord_between(const xd_row *lo, const xd_row *hi, unsigned a, unsigned b)
{
    double sum = 0;
    for (unsigned i = 0; i < 3; i++) {
        double below = (double)(*lo)[b + i] - (double)(*hi)[a + i], above = (double)(*lo)[a + i] - (double)(*hi)[b + i];
        double out = below > above ? below : above;
        if (out > 0) sum += out * out;
    }
    double chord = sqrt(sum) - 4e-7;
    return chord > 0 ? chord : 0;
}

/* For what floats and roundings may have taken off: a float keeps a value to 6e-8 of it. */
static double with_margin(double surplus, double magnitude)
{
    return surplus + 4 + magnitude * 2.5e-7;
}

/* A function given at `count` knots, on the straight line between the two around x; flat after the last. Adds to *magnitude the
 * size of what it was made of. */
static double between_knots(const double *knots, unsigned count, const float *at, double x, double *magnitude)
{
    if (x >= knots[count - 1]) x = knots[count - 1];
    unsigned k = 1;
    while (x > knots[k]) {
        k++;
    }
    double share = (x - knots[k - 1]) / (knots[k] - knots[k - 1]);
    double low = (double)at[k - 1], high = (double)at[k];
    *magnitude += fabs(low) + fabs(high);
    return low + share * (high - low);
}

/* The price of a volume is least concave in the volume, so the line between two knots bounds it from below. */
static double storage_offers_bound(const struct xd_sought *sought, const xd_row *lo, const xd_row *hi)
{
    double chord = chord_to(sought->place, lo, hi, X);
    if (chord > sought->reach) return -1;
    double magnitude = sought->price;
    double price = between_knots(volume_knots, STORAGE_KNOTS, (const float *)lo + S_KNOT, sought->volume, &magnitude);
    double surplus = sought->price - price - chord * sought->access;
    /* In parts: the surplus of a part is at most the whole's, or nothing. */
    if (sought->parts && surplus < 0) surplus = 0;
    return with_margin(surplus, magnitude);
}

/* What is left of limits at a rate is convex in the rate, so the line between two knots bounds it from above. */
static double storage_requests_bound(const struct xd_sought *sought, const xd_row *lo, const xd_row *hi)
{
    double chord = chord_to(sought->place, lo, hi, X);
    if (chord > 1e-6 + ((double)(*hi)[S_RADIUS] * (1 + 1e-6) + 2) / sought->metres) return -1;
    double magnitude = sought->base;
    double left = between_knots(rate_knots, STORAGE_KNOTS, (const float *)hi + S_KNOT, sought->rate, &magnitude);
    return with_margin(left - sought->base, magnitude);
}

static double lanes_bound(const struct xd_sought *sought, const xd_row *lo, const xd_row *hi)
{
    double to_pickup = chord_to(sought->place, lo, hi, X) * sought->metres;
    double longest = (double)(*hi)[T_LONGEST] * (1 + 1e-6) + LEGS_MARGIN;
    if (to_pickup + sought->direct > longest) return -1;
    double from_delivery = chord_to(sought->other_place, lo, hi, T_TO_X) * sought->metres;
    if (to_pickup + sought->direct + from_delivery > longest) return -1;
    double speed = (double)(*hi)[T_SPEED], arrives = (double)(*lo)[T_FROM] + to_pickup / speed - MINUTES_MARGIN;
    if (arrives > sought->until) return -1;
    double starts = arrives > sought->from ? arrives : sought->from;
    if (starts + sought->service + (sought->direct + from_delivery) / speed - MINUTES_MARGIN > (double)(*hi)[T_UNTIL]) return -1;
    double price = (double)(*lo)[T_BASE] + (double)(*lo)[T_RATE] * sought->volume / 1e4;
    return with_margin(sought->price - price, sought->price + price);
}

static double roamers_bound(const struct xd_sought *sought, const xd_row *lo, const xd_row *hi)
{
    double to_pickup = chord_to(sought->place, lo, hi, X) * sought->metres;
    if (to_pickup > (double)(*hi)[T_REACH] * (1 + 1e-6)) return -1;
    double speed = (double)(*hi)[T_SPEED];
    double starts = (double)(*lo)[T_FROM] > sought->from ? (double)(*lo)[T_FROM] : sought->from;
    if (starts + sought->service + sought->direct / speed - MINUTES_MARGIN > (double)(*hi)[T_UNTIL]) return -1;
    double price = (double)(*lo)[T_BASE] + (double)(*lo)[T_RATE] * sought->volume / 1e4;
    return with_margin(sought->price - price, sought->price + price);
}

static double loads_bound(const struct xd_sought *sought, const xd_row *lo, const xd_row *hi)
{
    double to_pickup = chord_to(sought->place, lo, hi, X) * sought->metres;
    if (to_pickup > sought->longest + LEGS_MARGIN) return -1;
    if (sought->ends) {
        double direct = chord_between(lo, hi, X, L_TO_X) * sought->metres;
        double to_end = chord_to(sought->other_place, lo, hi, L_TO_X) * sought->metres;
        if (to_pickup + direct + to_end > sought->longest + LEGS_MARGIN) return -1;
        double arrives = sought->from + to_pickup / sought->speed - MINUTES_MARGIN;
        if (arrives > (double)(*hi)[L_PICKUP_UNTIL]) return -1;
        if (arrives + direct / sought->speed - MINUTES_MARGIN > (double)(*hi)[L_DELIVER_UNTIL]) return -1;
        double starts = arrives > (double)(*lo)[L_PICKUP_FROM] ? arrives : (double)(*lo)[L_PICKUP_FROM];
        if (starts + (direct + to_end) / sought->speed - MINUTES_MARGIN > sought->until) return -1;
    }
    double magnitude = sought->base;
    double left = between_knots(load_rate_knots, LOAD_KNOTS, (const float *)hi + L_KNOT, sought->rate, &magnitude);
    return with_margin(left - sought->base, magnitude);
}

double xd_bound(enum xd_shelf shelf, const struct xd_sought *sought, const xd_row *box_lo, const xd_row *box_hi)
{
    switch (shelf) {
    case XD_SHELF_LANES:
        return lanes_bound(sought, box_lo, box_hi);
    case XD_SHELF_ROAMERS:
        return roamers_bound(sought, box_lo, box_hi);
    case XD_SHELF_LOADS:
        return loads_bound(sought, box_lo, box_hi);
    case XD_SHELF_COLD_OFFERS:
    case XD_SHELF_FLOOR_OFFERS:
        return storage_offers_bound(sought, box_lo, box_hi);
    default:
        return storage_requests_bound(sought, box_lo, box_hi);
    }
}

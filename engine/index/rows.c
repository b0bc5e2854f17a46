#include "engine/index/rows.h"

#include "engine/state.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static_assert((int)XD_LOAD_COLUMNS <= (int)XD_COLUMNS_MAX && (int)XD_ROAMER_COLUMNS <= (int)XD_COLUMNS_MAX, "rows hold all");

static const double EARTH_M = 6371008.8;
static const float FAR = 1e30f;
static const float NO_MIN = -1001, NO_MAX = 1001, NO_COOLING = 2000; /* tenths of a degree; orders go to +-1000 */
static const int64_t MINUTES_FROM = 1577836800; /* 2020-01-01: minutes since then are exact in a float until 2051 */

/* --- shelves ----------------------------------------------------------------------------------------------------------------- */

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

/* Of storage a chord of 0.01, 80 km of road, counts as much as three degrees, or a quarter more of the price. Found by trial on books
 * of 10 thousand to a million. */
#define PLACE(x, weight) [x] = (weight), [(x) + 1] = (weight), [(x) + 2] = (weight)

static const struct xd_row_layout space_layout = {
    XD_SPACE_COLUMNS,
    {PLACE(XD_COLUMN_X, 100), [XD_COLUMN_TEMP_MIN] = 0.03f, [XD_COLUMN_TEMP_MAX] = 0.03f,
     [XD_STORAGE_FROM_DAY] = 0.002f, [XD_STORAGE_UNTIL_DAY] = 0.0005f, [XD_SPACE_USUAL] = -3.0f}};
static const struct xd_row_layout want_layout = {
    XD_WANT_COLUMNS,
    {PLACE(XD_COLUMN_X, 100), [XD_COLUMN_TEMP_MIN] = 0.03f, [XD_COLUMN_TEMP_MAX] = 0.03f,
     [XD_STORAGE_FROM_DAY] = 0.005f, [XD_STORAGE_UNTIL_DAY] = 0.003f, [XD_WANT_RATE] = -10.0f}};
static const struct xd_row_layout lane_layout = {
    XD_LANE_COLUMNS,
    {PLACE(XD_COLUMN_X, 12), PLACE(XD_TRUCK_TO_X, 12), [XD_COLUMN_TEMP_MIN] = 0.004f, [XD_COLUMN_TEMP_MAX] = 0.004f,
     [XD_TRUCK_LONGEST] = 2e-6f, [XD_TRUCK_RATE] = 4e4f}};
static const struct xd_row_layout roamer_layout = {
    XD_ROAMER_COLUMNS,
    {PLACE(XD_COLUMN_X, 20), PLACE(XD_TRUCK_TO_X, 20), [XD_COLUMN_TEMP_MIN] = 0.004f, [XD_COLUMN_TEMP_MAX] = 0.004f,
     [XD_TRUCK_FREE] = 0.0012f, [XD_TRUCK_UNTIL] = 0.0006f, [XD_TRUCK_RATE] = 1e4f}};
static const struct xd_row_layout load_layout = {
    XD_LOAD_COLUMNS,
    {PLACE(XD_COLUMN_X, 24), PLACE(XD_LOAD_TO_X, 12), [XD_COLUMN_TEMP_MIN] = 0.004f, [XD_COLUMN_TEMP_MAX] = 0.004f,
     [XD_LOAD_PICKUP_FROM] = 0.0006f, [XD_LOAD_PICKUP_UNTIL] = 0.0003f, [XD_LOAD_LIMIT] = -0.3f}};

const struct xd_row_layout *xd_shelf_layout(enum xd_shelf shelf)
{
    static const struct xd_row_layout *const layouts[XD_SHELVES] = {
        [XD_SHELF_LANES] = &lane_layout,        [XD_SHELF_ROAMERS] = &roamer_layout,
        [XD_SHELF_LOADS] = &load_layout,        [XD_SHELF_COLD_OFFERS] = &space_layout,
        [XD_SHELF_COLD_REQUESTS] = &want_layout, [XD_SHELF_FLOOR_OFFERS] = &space_layout,
        [XD_SHELF_FLOOR_REQUESTS] = &want_layout};
    return layouts[shelf];
}

/* --- rows -------------------------------------------------------------------------------------------------------------------- */

/* Features below, one of 24 bits for the currency above: equal currencies share it, so it never parts what fits. */
static uint64_t currency_bit(const struct xd_slot *slot)
{
    return UINT64_C(1) << (40 + (uint64_t)slot->currency % 24);
}

static uint64_t mask_of(const struct xd_slot *slot)
{
    return slot->features | currency_bit(slot);
}

static void set_place(float *out, const struct xd_unit_vector *place)
{
    out[0] = (float)place->x;
    out[1] = (float)place->y;
    out[2] = (float)place->z;
}

static float minutes(int64_t time)
{
    return (float)((time - MINUTES_FROM) / 60);
}

/* Speeds are tenths of km/h: 10/6 metres a minute each. */
static float minutes_a_metre(int64_t speed)
{
    return (float)(0.6 / (double)speed);
}

/* A rate of 1e-4 a unit and day, in hundredths for a hundredth of a unit. */
static float unit_rate(int64_t per_unit_day)
{
    return (float)((double)per_unit_day / 1e4);
}

/* A rate of 1e-4 a kilometre, in hundredths a metre. */
static float metre_rate(int64_t per_km)
{
    return (float)((double)per_km / 1e5);
}

/* A rate of 1e-4 a tonne-kilometre, in hundredths a kilogram and metre. */
static float haul_rate(int64_t per_t_km)
{
    return (float)((double)per_t_km / 1e8);
}

static float haul_volume(const struct xd_load *load)
{
    return (float)((double)load->amount[XD_KG] * (double)load->direct_m);
}

/* Metres of road to a unit of arc. */
static double road_of(int32_t road_factor_e4)
{
    return EARTH_M * road_factor_e4 / 1e4;
}

/* The chord of a road of `metres`, and a little more. */
static float chord_of(int64_t metres, int32_t road_factor_e4)
{
    double angle = ((double)metres + 2) / road_of(road_factor_e4);
    return angle < 2 ? (float)(angle * (1 + 1e-6) + 4e-7) : 4; /* a chord is shorter than its arc, and at most 2 */
}

static float most_free(const struct xd_slot *offer)
{
    return (float)xd_slot_most_free(offer);
}

static void temp_row(const struct xd_slot *slot, float without_min, float without_max, xd_row row)
{
    row[XD_COLUMN_TEMP_MIN] = slot->has_temp ? (float)slot->temp.min : without_min;
    row[XD_COLUMN_TEMP_MAX] = slot->has_temp ? (float)slot->temp.max : without_max;
}

static void storage_offer_row(const struct xd_slot *slot, xd_row row)
{
    float base = (float)slot->storage_offer.base, rate = unit_rate(slot->storage_offer.per_unit_day);
    set_place(row + XD_COLUMN_X, &slot->storage_offer.at);
    temp_row(slot, 0, 0, row);
    row[XD_STORAGE_FROM_DAY] = (float)slot->storage_offer.from_day;
    row[XD_STORAGE_UNTIL_DAY] = (float)slot->storage_offer.until_day;
    row[XD_STORAGE_AMOUNT] = most_free(slot);
    row[XD_STORAGE_CREDIT] = (float)slot->credit;
    row[XD_STORAGE_MIN_CREDIT] = (float)slot->min_credit;
    row[XD_SPACE_MIN_PART] = (float)slot->min_part;
    row[XD_SPACE_BASE] = base;
    row[XD_SPACE_USUAL] = base + rate * XD_USUAL_VOLUME;
    row[XD_SPACE_RATE] = rate;
}

/* The least that is worth having of what a storage request still wants. */
static int64_t least_part(const struct xd_slot *request)
{
    return request->min_part && request->min_part < request->open ? request->min_part : request->open;
}

static double open_limit(const struct xd_slot *request)
{
    return (double)request->max_price * (double)request->open / (double)request->whole;
}

static double open_volume(const struct xd_slot *request)
{
    return (double)request->open * (double)(request->storage_request.until_day - request->storage_request.from_day);
}

static void storage_request_row(const struct xd_slot *slot, int32_t road_factor_e4, xd_row row)
{
    float limit = (float)open_limit(slot), volume = (float)open_volume(slot);
    set_place(row + XD_COLUMN_X, &slot->storage_request.at);
    temp_row(slot, NO_MIN, NO_MAX, row);
    row[XD_STORAGE_FROM_DAY] = (float)slot->storage_request.from_day;
    row[XD_STORAGE_UNTIL_DAY] = (float)slot->storage_request.until_day;
    row[XD_STORAGE_AMOUNT] = (float)least_part(slot);
    row[XD_STORAGE_CREDIT] = (float)slot->credit;
    row[XD_STORAGE_MIN_CREDIT] = (float)slot->min_credit;
    row[XD_WANT_REACH] = chord_of(slot->storage_request.radius_m, road_factor_e4);
    row[XD_WANT_ACCESS] = metre_rate(slot->storage_request.per_access_km);
    row[XD_WANT_LIMIT] = limit;
    row[XD_WANT_VOLUME] = volume;
    row[XD_WANT_RATE] = (float)(open_limit(slot) / open_volume(slot));
    row[XD_WANT_SHARE] = (float)((double)least_part(slot) / (double)slot->open);
}

struct xd_way xd_way_of(const struct xd_slot *offer, int64_t now)
{
    const struct xd_truck *truck = &offer->truck_offer.truck;
    const struct xd_plan *plan = &offer->truck_offer.plan;
    int64_t tariff_m = truck->has_to ? truck->lane_m : plan->direct_m; /* what is no detour */
    int64_t done_m = plan->done_m;
    uint32_t fixed = xd_plan_fixed(plan, now);
    for (uint32_t i = 0; i < fixed; i++) {
        done_m += plan->stops[i].leg_m;
    }
    const struct xd_stop *at = fixed ? &plan->stops[fixed - 1] : NULL;
    const struct xd_stop *last = plan->count ? &plan->stops[plan->count - 1] : NULL;
    return (struct xd_way){.head = at ? &at->place : &plan->at,
                        .end = truck->has_to ? &truck->to : last ? &last->place : &plan->at,
                        .free = at ? at->end : plan->free,
                        .last = last ? last->end : plan->free,
                        .longest_m = truck->max_detour_m + tariff_m - done_m,
                        .planned_m = plan->length_m - done_m};
}

/* What a truck's capacity of a dimension is; without limit where it is silent. */
static float capacity(const struct xd_truck *truck, unsigned dim)
{
    return truck->dims >> dim & 1 ? (float)truck->capacity[dim] : FAR;
}

static void truck_offer_row(const struct xd_slot *slot, int64_t now, xd_row row)
{
    const struct xd_truck *truck = &slot->truck_offer.truck;
    struct xd_way way = xd_way_of(slot, now);
    set_place(row + XD_COLUMN_X, way.head);
    set_place(row + XD_TRUCK_TO_X, way.end);
    /* A truck without cooling suits only cargo that needs none: as if it ran at a temperature that none asks for. */
    temp_row(slot, NO_COOLING, NO_COOLING, row);
    row[XD_TRUCK_LONGEST] = (float)(truck->has_to ? way.longest_m : way.longest_m - way.planned_m);
    row[XD_TRUCK_PLANNED] = (float)way.planned_m;
    row[XD_TRUCK_FREE] = minutes(way.free);
    row[XD_TRUCK_UNTIL] = minutes(truck->available_until) + 1;
    row[XD_TRUCK_SLOWNESS] = minutes_a_metre(truck->speed);
    row[XD_TRUCK_KG] = capacity(truck, XD_KG);
    row[XD_TRUCK_PALLETS] = capacity(truck, XD_PALLETS);
    row[XD_TRUCK_BASE] = (float)slot->truck_offer.base;
    row[XD_TRUCK_RATE] = haul_rate(slot->truck_offer.per_t_km);
    row[XD_TRUCK_DETOUR] = metre_rate(slot->truck_offer.per_detour_km);
    if (!truck->has_to) row[XD_ROAMER_LAST] = minutes(way.last);
}

static void truck_request_row(const struct xd_slot *slot, xd_row row)
{
    const struct xd_load *load = &slot->truck_request;
    float limit = (float)slot->max_price, volume = haul_volume(load);
    set_place(row + XD_COLUMN_X, &load->pickup);
    set_place(row + XD_LOAD_TO_X, &load->delivery);
    temp_row(slot, NO_MIN, NO_MAX, row);
    row[XD_LOAD_PICKUP_FROM] = minutes(load->pickup_from);
    row[XD_LOAD_PICKUP_UNTIL] = minutes(load->pickup_until) + 1;
    row[XD_LOAD_DELIVER_UNTIL] = minutes(load->deliver_until) + 1;
    row[XD_LOAD_LOADING] = (float)load->load_s / 60;
    row[XD_LOAD_UNLOADING] = (float)load->unload_s / 60;
    row[XD_LOAD_KG] = (float)load->amount[XD_KG];
    row[XD_LOAD_PALLETS] = (float)load->amount[XD_PALLETS];
    row[XD_LOAD_DIRECT] = (float)load->direct_m;
    row[XD_LOAD_LIMIT] = limit;
    row[XD_LOAD_CHEAP] = limit - XD_CHEAP_HAUL * volume;
    row[XD_LOAD_DEAR] = limit - XD_DEAR_HAUL * volume;
    row[XD_LOAD_VOLUME] = volume;
}

void xd_row_of(const struct xd_slot *slot, int32_t road_factor_e4, int64_t now, xd_row row, uint64_t *mask)
{
    bool offer = slot->side == XD_OFFER;
    memset(row, 0, sizeof(xd_row));
    *mask = mask_of(slot);
    if (slot->kind == XD_TRUCK && offer) {
        truck_offer_row(slot, now, row);
    } else if (slot->kind == XD_TRUCK) {
        truck_request_row(slot, row);
    } else if (offer) {
        storage_offer_row(slot, row);
    } else {
        storage_request_row(slot, road_factor_e4, row);
    }
}

/* --- what is sought ---------------------------------------------------------------------------------------------------------- */

static void seek_storage_offers(const struct xd_slot *request, int32_t road_factor_e4, struct xd_sought *out)
{
    float reach = chord_of(request->storage_request.radius_m, road_factor_e4);
    set_place(out->place, &request->storage_request.at);
    out->reach2 = reach * reach;
    out->from_day = (float)request->storage_request.from_day;
    out->until_day = (float)request->storage_request.until_day;
    out->days = (float)(request->storage_request.until_day - request->storage_request.from_day);
    out->amount = (float)least_part(request);
    out->open = (float)request->open;
    out->parts = least_part(request) < request->open;
    out->limit = (float)open_limit(request);
    out->volume = (float)open_volume(request);
    out->unit_price = (float)((double)request->max_price / (double)request->whole);
    out->access = metre_rate(request->storage_request.per_access_km);
}

static void seek_storage_requests(const struct xd_slot *offer, struct xd_sought *out)
{
    set_place(out->place, &offer->storage_offer.at);
    out->from_day = (float)offer->storage_offer.from_day;
    out->until_day = (float)offer->storage_offer.until_day;
    out->amount = most_free(offer);
    out->base = (float)offer->storage_offer.base;
    out->rate = unit_rate(offer->storage_offer.per_unit_day);
}

static void seek_trucks(const struct xd_slot *request, struct xd_sought *out)
{
    const struct xd_load *load = &request->truck_request;
    set_place(out->place, &load->pickup);
    set_place(out->to, &load->delivery);
    out->direct = (float)load->direct_m;
    out->pickup_from = minutes(load->pickup_from);
    out->pickup_until = minutes(load->pickup_until) + 1;
    out->deliver_until = minutes(load->deliver_until) + 1;
    out->loading = (float)load->load_s / 60;
    out->unloading = (float)load->unload_s / 60;
    out->kg = (float)load->amount[XD_KG];
    out->pallets = (float)load->amount[XD_PALLETS];
    out->limit = (float)request->max_price;
    out->volume = haul_volume(load);
}

static void seek_loads(const struct xd_slot *offer, int64_t now, struct xd_sought *out)
{
    const struct xd_truck *truck = &offer->truck_offer.truck;
    struct xd_way way = xd_way_of(offer, now);
    set_place(out->place, way.head);
    set_place(out->to, way.end);
    out->ends = truck->has_to;
    out->longest = (float)(truck->has_to ? way.longest_m : way.longest_m - way.planned_m);
    out->planned = (float)way.planned_m;
    out->free = minutes(way.free > now ? way.free : now);
    out->last = minutes(way.last > now ? way.last : now);
    out->until = minutes(truck->available_until) + 1;
    out->slowness = minutes_a_metre(truck->speed);
    out->kg = capacity(truck, XD_KG);
    out->pallets = capacity(truck, XD_PALLETS);
    out->base = (float)offer->truck_offer.base;
    out->rate = haul_rate(offer->truck_offer.per_t_km);
    out->detour = metre_rate(offer->truck_offer.per_detour_km);
}

/* Without a temperature a request seeks any; a truck without cooling seeks loads that ask for none. */
static void seek_temp(const struct xd_slot *incoming, struct xd_sought *out)
{
    if (incoming->has_temp) {
        out->temp_min = (float)incoming->temp.min;
        out->temp_max = (float)incoming->temp.max;
    } else if (incoming->side == XD_REQUEST) {
        out->temp_min = -FAR;
        out->temp_max = FAR;
    } else {
        out->temp_min = incoming->kind == XD_TRUCK ? NO_MAX : FAR;
        out->temp_max = incoming->kind == XD_TRUCK ? NO_MIN : -FAR;
    }
}

void xd_seek(const struct xd_slot *incoming, int32_t road_factor_e4, int64_t now, struct xd_sought *out)
{
    bool seeks_offers = incoming->side == XD_REQUEST;
    memset(out, 0, sizeof *out);
    out->need = seeks_offers ? mask_of(incoming) : currency_bit(incoming);
    out->have = seeks_offers ? UINT64_MAX : mask_of(incoming);
    out->road = (float)(road_of(road_factor_e4) * (1 - 1e-6));
    seek_temp(incoming, out);
    if (incoming->kind == XD_TRUCK && seeks_offers) {
        seek_trucks(incoming, out);
    } else if (incoming->kind == XD_TRUCK) {
        seek_loads(incoming, now, out);
    } else {
        out->credit = (float)incoming->credit;
        out->min_credit = (float)incoming->min_credit;
        if (seeks_offers) {
            seek_storage_offers(incoming, road_factor_e4, out);
        } else {
            seek_storage_requests(incoming, out);
        }
    }
}

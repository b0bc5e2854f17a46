/* The numbers of an order that can be changed, each in all the places where the engine keeps it. */
#include "matcher/knob.h"

enum xd_field_id xd_knob_field(const struct xd_slot *order, enum xd_knob knob)
{
    static const uint8_t rates[XD_KINDS] = {XD_F_PER_T_KM, XD_F_PER_PALLET_DAY, XD_F_PER_M2_DAY};
    static const uint8_t fields[XD_KNOBS] = {
        [XD_KNOB_PALLETS] = XD_F_PALLETS,
        [XD_KNOB_KG] = XD_F_KG,
        [XD_KNOB_M3] = XD_F_M3,
        [XD_KNOB_LDM] = XD_F_LDM,
        [XD_KNOB_M2] = XD_F_M2,
        [XD_KNOB_MIN_PART] = XD_F_MIN_PART,
        [XD_KNOB_MAX_PRICE] = XD_F_MAX_PRICE,
        [XD_KNOB_BASE] = XD_F_BASE,
        [XD_KNOB_DETOUR_RATE] = XD_F_PER_DETOUR_KM,
        [XD_KNOB_RADIUS] = XD_F_RADIUS_KM,
        [XD_KNOB_MAX_DETOUR] = XD_F_MAX_DETOUR_KM,
        [XD_KNOB_PICKUP_FROM] = XD_F_PICKUP_FROM,
        [XD_KNOB_PICKUP_UNTIL] = XD_F_PICKUP_UNTIL,
        [XD_KNOB_DELIVER_UNTIL] = XD_F_DELIVER_UNTIL,
        [XD_KNOB_AVAILABLE_FROM] = XD_F_AVAILABLE_FROM,
        [XD_KNOB_AVAILABLE_UNTIL] = XD_F_AVAILABLE_UNTIL,
        [XD_KNOB_FROM_DAY] = XD_F_FROM_DAY,
        [XD_KNOB_UNTIL_DAY] = XD_F_UNTIL_DAY,
        [XD_KNOB_TEMP_MIN] = XD_F_TEMP_C,
        [XD_KNOB_TEMP_MAX] = XD_F_TEMP_C,
        [XD_KNOB_MIN_CREDIT] = XD_F_MIN_CREDIT,
    };
    return (enum xd_field_id)(knob == XD_KNOB_RATE ? rates[order->kind] : fields[knob]);
}

static int64_t *offer_number(struct xd_slot *offer, enum xd_knob knob)
{
    bool truck = offer->kind == XD_TRUCK;
    switch (knob) {
    case XD_KNOB_BASE:
        return truck ? &offer->truck_offer.base : &offer->storage_offer.base;
    case XD_KNOB_RATE:
        return truck ? &offer->truck_offer.per_t_km : &offer->storage_offer.per_unit_day;
    case XD_KNOB_DETOUR_RATE:
        return &offer->truck_offer.per_detour_km;
    case XD_KNOB_MAX_DETOUR:
        return &offer->truck_offer.truck.max_detour_m;
    case XD_KNOB_AVAILABLE_FROM:
        return &offer->truck_offer.truck.available_from;
    case XD_KNOB_AVAILABLE_UNTIL:
        return &offer->truck_offer.truck.available_until;
    case XD_KNOB_FROM_DAY:
        return &offer->storage_offer.calendar.from_day;
    default:
        return &offer->storage_offer.calendar.until_day;
    }
}

static int64_t *request_number(struct xd_slot *request, enum xd_knob knob)
{
    switch (knob) {
    case XD_KNOB_MAX_PRICE:
        return &request->max_price;
    case XD_KNOB_RADIUS:
        return &request->storage_request.radius_m;
    case XD_KNOB_PICKUP_FROM:
        return &request->truck_request.pickup_from;
    case XD_KNOB_PICKUP_UNTIL:
        return &request->truck_request.pickup_until;
    case XD_KNOB_DELIVER_UNTIL:
        return &request->truck_request.deliver_until;
    case XD_KNOB_FROM_DAY:
        return &request->storage_request.from_day;
    default:
        return &request->storage_request.until_day;
    }
}

/* Where the number that the order states is kept; credit apart, which is shorter. */
static int64_t *number(struct xd_slot *order, enum xd_knob knob)
{
    if (knob < XD_KNOB_MIN_PART) return &order->amount[knob];
    if (knob == XD_KNOB_MIN_PART) return &order->min_part;
    if (knob == XD_KNOB_TEMP_MIN) return &order->temp.min;
    if (knob == XD_KNOB_TEMP_MAX) return &order->temp.max;
    return order->side == XD_OFFER ? offer_number(order, knob) : request_number(order, knob);
}

int64_t xd_knob_value(const struct xd_slot *order, enum xd_knob knob)
{
    if (knob == XD_KNOB_MIN_CREDIT) return order->min_credit;
    struct xd_slot copy = *order;
    return *number(&copy, knob);
}

/* What else of the order says the same number. */
static void tell_copies(struct xd_slot *order, enum xd_knob knob, int64_t change)
{
    bool truck = order->kind == XD_TRUCK, temp = knob == XD_KNOB_TEMP_MIN || knob == XD_KNOB_TEMP_MAX;
    if (order->side == XD_REQUEST) {
        if (truck && temp) order->truck_request.temp = order->temp;
        if (knob >= XD_KNOB_MIN_PART) return;
        if (truck) order->truck_request.amount[knob] = order->amount[knob];
        if (knob == (enum xd_knob)xd_main_dim(order->kind)) order->open += change;
    } else if (truck) {
        if (temp) order->truck_offer.truck.temp = order->temp;
        if (knob < XD_KNOB_MIN_PART) order->truck_offer.truck.capacity[knob] += change;
        /* A truck that has not left yet is free when it says. */
        if (knob == XD_KNOB_AVAILABLE_FROM && order->truck_offer.plan.free == order->truck_offer.truck.available_from - change)
            order->truck_offer.plan.free += change;
    } else if (knob < XD_KNOB_MIN_PART) {
        order->storage_offer.calendar.capacity[knob] += change;
    }
}

void xd_knob_turn(struct xd_slot *order, enum xd_knob knob, int64_t change)
{
    if (!change) return;
    const struct xd_field *field = &xd_fields[xd_knob_field(order, knob)];
    int64_t before = xd_knob_value(order, knob), value = before + change, least = field->min;
    bool main = knob == (enum xd_knob)xd_main_dim(order->kind);
    if (main && order->side == XD_REQUEST) least = before - order->open + 1; /* of what is open something remains */
    if (value < least) value = least;
    if (value > field->max) value = field->max;
    if (knob == XD_KNOB_MIN_CREDIT) {
        order->min_credit = (int32_t)value;
        return;
    }
    *number(order, knob) = value;
    tell_copies(order, knob, value - before);
}

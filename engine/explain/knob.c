/* The numbers of an order that can be changed, each in all the places where the engine keeps it. */
#include "engine/explain/knob.h"

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

/* A number that the engine keeps in 16, 32 or 64 bits. */
struct number {
    void *at;
    size_t size;
};

static struct number offer_number(struct xd_slot *offer, enum xd_knob knob)
{
    struct xd_truck_offer *truck = &offer->truck_offer;
    struct xd_storage_offer *storage = &offer->storage_offer;
    bool is_truck = offer->kind == XD_TRUCK;
    switch (knob) {
    case XD_KNOB_BASE:
        return (struct number){is_truck ? &truck->base : &storage->base, sizeof(int64_t)};
    case XD_KNOB_RATE:
        return (struct number){is_truck ? &truck->per_t_km : &storage->per_unit_day, sizeof(int64_t)};
    case XD_KNOB_DETOUR_RATE:
        return (struct number){&truck->per_detour_km, sizeof truck->per_detour_km};
    case XD_KNOB_MAX_DETOUR:
        return (struct number){&truck->truck.max_detour_m, sizeof truck->truck.max_detour_m};
    case XD_KNOB_AVAILABLE_FROM:
        return (struct number){&truck->truck.available_from, sizeof truck->truck.available_from};
    case XD_KNOB_AVAILABLE_UNTIL:
        return (struct number){&truck->truck.available_until, sizeof truck->truck.available_until};
    case XD_KNOB_FROM_DAY:
        return (struct number){&storage->from_day, sizeof storage->from_day};
    default:
        return (struct number){&storage->until_day, sizeof storage->until_day};
    }
}

static struct number request_number(struct xd_slot *request, enum xd_knob knob)
{
    struct xd_load *load = &request->truck_request;
    struct xd_storage_request *storage = &request->storage_request;
    switch (knob) {
    case XD_KNOB_MAX_PRICE:
        return (struct number){&request->max_price, sizeof request->max_price};
    case XD_KNOB_RADIUS:
        return (struct number){&storage->radius_m, sizeof storage->radius_m};
    case XD_KNOB_PICKUP_FROM:
        return (struct number){&load->pickup_from, sizeof load->pickup_from};
    case XD_KNOB_PICKUP_UNTIL:
        return (struct number){&load->pickup_until, sizeof load->pickup_until};
    case XD_KNOB_DELIVER_UNTIL:
        return (struct number){&load->deliver_until, sizeof load->deliver_until};
    case XD_KNOB_FROM_DAY:
        return (struct number){&storage->from_day, sizeof storage->from_day};
    default:
        return (struct number){&storage->until_day, sizeof storage->until_day};
    }
}

/* Where the number that the order states is kept; amounts apart. */
static struct number number_of(struct xd_slot *order, enum xd_knob knob)
{
    switch (knob) {
    case XD_KNOB_MIN_PART:
        return (struct number){&order->min_part, sizeof order->min_part};
    case XD_KNOB_TEMP_MIN:
        return (struct number){&order->temp.min, sizeof order->temp.min};
    case XD_KNOB_TEMP_MAX:
        return (struct number){&order->temp.max, sizeof order->temp.max};
    case XD_KNOB_MIN_CREDIT:
        return (struct number){&order->min_credit, sizeof order->min_credit};
    default:
        return order->side == XD_OFFER ? offer_number(order, knob) : request_number(order, knob);
    }
}

static int64_t read_number(struct number number)
{
    if (number.size == sizeof(int16_t)) return *(const int16_t *)number.at;
    return number.size == sizeof(int32_t) ? *(const int32_t *)number.at : *(const int64_t *)number.at;
}

static void write_number(struct number number, int64_t value)
{
    if (number.size == sizeof(int16_t)) {
        *(int16_t *)number.at = (int16_t)value;
    } else if (number.size == sizeof(int32_t)) {
        *(int32_t *)number.at = (int32_t)value;
    } else {
        *(int64_t *)number.at = value;
    }
}

int64_t xd_knob_value(const struct xd_slot *order, enum xd_knob knob)
{
    if (knob < XD_KNOB_MIN_PART) return xd_slot_amount(order, (enum xd_dim)knob);
    return read_number(number_of((struct xd_slot *)(uintptr_t)order, knob)); /* only looked at */
}

/* What else of the order says the same number. */
static void tell_copies(struct xd_slot *order, enum xd_knob knob, int64_t change)
{
    struct xd_truck_offer *truck = &order->truck_offer;
    if (order->kind == XD_TRUCK && (knob == XD_KNOB_TEMP_MIN || knob == XD_KNOB_TEMP_MAX))
        *(order->side == XD_OFFER ? &truck->truck.temp : &order->truck_request.temp) = order->temp;
    /* A truck that has not left yet is free when it says. */
    if (knob == XD_KNOB_AVAILABLE_FROM && truck->plan.free == truck->truck.available_from - change)
        truck->plan.free += change;
}

static void turn_amount(struct xd_slot *order, enum xd_dim dim, int64_t change, const struct xd_field *field)
{
    bool open = order->side == XD_REQUEST && dim == xd_main_dim(order->kind);
    int64_t before = xd_slot_amount(order, dim), value = before + change;
    int64_t least = open ? before - order->open + 1 : field->min; /* of what is open something remains */
    if (value < least) value = least;
    if (value > field->max) value = field->max;
    xd_slot_set_amount(order, dim, value);
    if (open) order->open += (int32_t)(value - before);
}

void xd_knob_turn(struct xd_slot *order, enum xd_knob knob, int64_t change)
{
    if (!change) return;
    const struct xd_field *field = &xd_fields[xd_knob_field(order, knob)];
    if (knob < XD_KNOB_MIN_PART) {
        turn_amount(order, (enum xd_dim)knob, change, field);
        return;
    }
    int64_t before = xd_knob_value(order, knob), value = before + change;
    if (value < field->min) value = field->min;
    if (value > field->max) value = field->max;
    write_number(number_of(order, knob), value);
    tell_copies(order, knob, value - before);
}

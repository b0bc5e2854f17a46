/* The numbers of an order that limit what it matches, each to be turned up or down in a copy of it, to see
 * what would then fit. */
#ifndef XD_ENGINE_KNOB_H
#define XD_ENGINE_KNOB_H

#include "core/schema.h"
#include "engine/state.h"

enum xd_knob {
    XD_KNOB_PALLETS, /* the amounts first, in the order of enum xd_dim */
    XD_KNOB_KG,
    XD_KNOB_M3,
    XD_KNOB_LDM,
    XD_KNOB_M2,
    XD_KNOB_MIN_PART,
    XD_KNOB_MAX_PRICE,
    XD_KNOB_BASE,
    XD_KNOB_RATE,        /* per_t_km, per_pallet_day or per_m2_day */
    XD_KNOB_DETOUR_RATE, /* per_detour_km */
    XD_KNOB_RADIUS,
    XD_KNOB_MAX_DETOUR,
    XD_KNOB_PICKUP_FROM,
    XD_KNOB_PICKUP_UNTIL,
    XD_KNOB_DELIVER_UNTIL,
    XD_KNOB_AVAILABLE_FROM,
    XD_KNOB_AVAILABLE_UNTIL,
    XD_KNOB_FROM_DAY,
    XD_KNOB_UNTIL_DAY,
    XD_KNOB_TEMP_MIN,
    XD_KNOB_TEMP_MAX,
    XD_KNOB_MIN_CREDIT,
    XD_KNOBS
};

/* The field that a knob of this order is written in, and its value in the order, in the table's units. */
enum xd_field_id xd_knob_field(const struct xd_slot *order, enum xd_knob knob);
int64_t xd_knob_value(const struct xd_slot *order, enum xd_knob knob);

/* Changes a knob of a copy that shares nothing it would spoil (of a storage offer: xd_free_over), as far as
 * the field's range goes. */
void xd_knob_turn(struct xd_slot *order, enum xd_knob knob, int64_t change);

#endif

#include "tests/bench/engine/orders.h"

#include "core/features.h"
#include "core/schema.h"

#include <math.h>
#include <string.h>

const char *const xd_shape_names[XD_SHAPES] = {"storage", "truck"};

void xd_make_bid(struct xd_order_maker *maker, double fair, double spread, struct xd_order *order)
{
    int64_t bid = llround(maker->level * xd_random_around(&maker->random, fair, spread) * 100);
    order->max_price = bid > 0 ? bid : 1;
}

void xd_make_feature(struct xd_order *order, const char *name)
{
    order->features |= UINT64_C(1) << xd_feature_bit(name, strlen(name));
}

static void fill_in_defaults(struct xd_order *order)
{
    enum xd_column column = xd_column((enum xd_side)order->side, (enum xd_kind)order->kind);
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (!field->has_default || xd_order_gave(order, id) || field->need[column] == XD_NEVER) continue;
        *(int64_t *)(void *)((char *)order + field->offset) = field->fallback;
    }
}

/* Marks every field of its kind that is not at zero as written by the owner; a place and an amount of the
 * kind always are. */
static void mark_given(struct xd_order *order)
{
    enum xd_column column = xd_column((enum xd_side)order->side, (enum xd_kind)order->kind);
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        bool number =
            field->type == XD_TYPE_NUMBER || field->type == XD_TYPE_TIME || field->type == XD_TYPE_DAY;
        bool written = number && *(const int64_t *)(const void *)((const char *)order + field->offset) != 0;
        if (field->need[column] == XD_REQUIRED || (field->need[column] == XD_OPTIONAL && written)) {
            order->given |= UINT64_C(1) << id;
        }
    }
    if (order->features) order->given |= UINT64_C(1) << XD_F_FEATURES;
}

void xd_make_order(struct xd_order_maker *maker, enum xd_side side, int64_t now, struct xd_order *out)
{
    enum { ASKS_FOR_CREDIT = 400 };
    *out = (struct xd_order){.side = side, .currency = maker->currency};
    if (xd_random_chance(&maker->random, 0.1)) out->min_credit = ASKS_FOR_CREDIT;
    if (maker->shape == XD_SHAPE_TRUCK) {
        (side == XD_OFFER ? xd_make_truck_offer : xd_make_truck_request)(maker, now, out);
    } else {
        out->kind = xd_random_chance(&maker->random, maker->cold) ? XD_COLD : XD_WAREHOUSE;
        (side == XD_OFFER ? xd_make_storage_offer : xd_make_storage_request)(maker, now, out);
    }
    mark_given(out);
    fill_in_defaults(out);
}

/* What takes more than one field to say: defaults, windows, parts, the last moment an order can be valid. */
#include "core/decimal.h"
#include "core/order_parts.h"
#include "core/when.h"

enum { STORAGE_DAYS_MAX = 731 };

static const struct xd_field *end_field(const struct xd_order *order)
{
    return &xd_fields[xd_column_end(xd_column((enum xd_side)order->side, (enum xd_kind)order->kind))];
}

int64_t xd_order_end(const struct xd_order *order)
{
    const struct xd_field *field = end_field(order);
    int64_t value = *(const int64_t *)xd_order_at(order, field);
    return field->type == XD_TYPE_DAY ? value * XD_DAY_S : value;
}

void xd_order_default(struct xd_order *order)
{
    enum xd_column column = xd_column((enum xd_side)order->side, (enum xd_kind)order->kind);
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (!field->has_default || xd_order_gave(order, id) || field->need[column] == XD_NEVER) continue;
        *xd_order_int(order, field) = field->fallback;
    }
}

/* Fails with "<late> <time> <relation> <early> <time>". */
static bool bad_times(enum xd_field_id late, const char *relation, enum xd_field_id early,
                      const struct xd_order *order, struct xd_error *error)
{
    char a[32];
    char b[32];
    xd_time_format(*(const int64_t *)xd_order_at(order, &xd_fields[late]), a);
    xd_time_format(*(const int64_t *)xd_order_at(order, &xd_fields[early]), b);
    const char *name = xd_fields[late].name;
    return xd_fail(error, XD_OUT_OF_RANGE, name, "%s %s %s %s %s", name, a, relation, xd_fields[early].name,
                   b);
}

static bool bad_days(const char *relation, const struct xd_order *order, struct xd_error *error)
{
    char until[16];
    char from[16];
    xd_day_format(order->until_day, until);
    xd_day_format(order->from_day, from);
    return xd_fail(error, XD_OUT_OF_RANGE, "until_day", "until_day %s %s from_day %s", until, relation, from);
}

static bool check_truck(const struct xd_order *order, struct xd_error *error)
{
    if (order->side == XD_OFFER) {
        if (order->available_until > order->available_from) return true;
        return bad_times(XD_F_AVAILABLE_UNTIL, "is not after", XD_F_AVAILABLE_FROM, order, error);
    }
    if (order->pickup_until < order->pickup_from) {
        return bad_times(XD_F_PICKUP_UNTIL, "is before", XD_F_PICKUP_FROM, order, error);
    }
    if (order->deliver_until < order->pickup_from) {
        return bad_times(XD_F_DELIVER_UNTIL, "is before", XD_F_PICKUP_FROM, order, error);
    }
    return true;
}

static bool check_storage(const struct xd_order *order, struct xd_error *error)
{
    if (order->until_day <= order->from_day) return bad_days("is not after", order, error);
    if (order->until_day - order->from_day > STORAGE_DAYS_MAX) {
        return bad_days("is more than 731 days after", order, error);
    }
    enum xd_dim dim = xd_main_dim((enum xd_kind)order->kind);
    if (order->min_part <= order->amount[dim]) return true;
    char part[32];
    char whole[32];
    xd_decimal_format(order->min_part, xd_dim_scale[dim], part);
    xd_decimal_format(order->amount[dim], xd_dim_scale[dim], whole);
    return xd_fail(error, XD_OUT_OF_RANGE, "min_part", "min_part %s is more than %s %s", part,
                   xd_dim_names[dim], whole);
}

static bool check_temperature(const struct xd_order *order, struct xd_error *error)
{
    if (order->temp.min <= order->temp.max) return true;
    char min[32];
    char max[32];
    xd_decimal_format(order->temp.min, xd_fields[XD_F_TEMP_C].scale, min);
    xd_decimal_format(order->temp.max, xd_fields[XD_F_TEMP_C].scale, max);
    return xd_fail(error, XD_OUT_OF_RANGE, "temp_c", "temp_c.min %s is above temp_c.max %s", min, max);
}

static bool check_validity(const struct xd_order *order, struct xd_error *error)
{
    if (order->valid_until <= xd_order_end(order)) return true;
    const struct xd_field *end = end_field(order);
    char given[32];
    char latest[32];
    xd_time_format(order->valid_until, given);
    xd_time_format(xd_order_end(order), latest);
    return xd_fail(error, XD_OUT_OF_RANGE, "valid_until", "valid_until %s is after %s, %s%s", given, latest,
                   end->type == XD_TYPE_DAY ? "the start of " : "its ", end->name);
}

bool xd_order_check(const struct xd_order *order, struct xd_error *error)
{
    if (order->side == XD_OFFER && order->fill == XD_FILL_ALL_NOW) {
        return xd_fail(error, XD_BAD_VALUE, "fill",
                       "\"all_now\" is for requests; an offer takes rest or now");
    }
    bool fits = order->kind == XD_TRUCK ? check_truck(order, error) : check_storage(order, error);
    return fits && check_temperature(order, error) && check_validity(order, error);
}

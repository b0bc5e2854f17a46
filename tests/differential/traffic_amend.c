/* Random amendments of an order that is there: fields of its own, mostly a little more or less than they were, or just what
 * is held. */
#include "tests/differential/traffic.h"

#include "core/features.h"
#include "core/schema.h"
#include "core/when.h"

#include <stdio.h>

static int64_t step(struct xd_traffic *traffic, int64_t unit)
{
    int64_t steps = xd_traffic_between(traffic, 1, 6);
    return xd_traffic_chance(traffic, 50) ? unit * steps : -unit * steps;
}

static int64_t within(const struct xd_field *field, int64_t value)
{
    return value < field->min ? field->min : value > field->max ? field->max : value;
}

/* The sum of what live matches have of a dimension. */
static int64_t matched(const struct xd_twin *twin, const struct twin_order *order, unsigned dim)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < twin->match_count; i++) {
        const struct twin_match *match = twin->matches[i];
        if (match->offer == order || match->request == order) sum += match->amount[dim];
    }
    return sum;
}

static int64_t random_number(struct xd_traffic *traffic, const struct xd_twin *twin, const struct twin_order *order,
                             const struct xd_field *field, int64_t old)
{
    unsigned id = xd_field_id(field);
    bool amount = id >= XD_F_PALLETS && id <= XD_F_M2;
    int64_t value = old;
    switch (xd_traffic_below(traffic, 8)) {
    case 0:
        value += step(traffic, 1);
        break;
    case 1:
        value = amount ? matched(twin, order, id - XD_F_PALLETS) + xd_traffic_between(traffic, -1, 1) : old / 2;
        break;
    case 2:
        value = amount ? old - matched(twin, order, id - XD_F_PALLETS) : old * 2;
        break;
    case 3:
        value = old / 2;
        break;
    case 4:
        break;
    default:
        value += step(traffic, old / 10 + 1);
        break;
    }
    return value;
}

static int64_t random_time(struct xd_traffic *traffic, const struct twin_order *order, int64_t old)
{
    static const int64_t units[] = {1, 60, 1800, 7200, 86400};
    const struct twin_plan *plan = &order->plan;
    if (plan->count && xd_traffic_chance(traffic, 40)) {
        return plan->stops[xd_traffic_below(traffic, plan->count)].end + xd_traffic_between(traffic, -1, 1);
    }
    return old + step(traffic, units[xd_traffic_below(traffic, 5)]);
}

static void random_range(struct xd_traffic *traffic, const struct xd_field *field, struct xd_range *range)
{
    int64_t *end = xd_traffic_chance(traffic, 50) ? &range->min : &range->max;
    *end = within(field, *end + step(traffic, xd_traffic_chance(traffic, 50) ? 10 : 50));
}

static void random_names(struct xd_traffic *traffic, struct xd_accounts *accounts, bool only)
{
    accounts->count = (uint32_t)xd_traffic_between(traffic, 1, 2);
    for (uint32_t i = 0; i < accounts->count; i++) {
        char *name = traffic->listed[(only ? 0 : 2) + i];
        snprintf(name, sizeof traffic->listed[0], "a%u", (unsigned)xd_traffic_below(traffic, traffic->style.accounts));
        accounts->at[i] = xd_str_of(name);
    }
}

static void random_value(struct xd_traffic *traffic, const struct xd_twin *twin, const struct twin_order *order,
                         const struct xd_field *field, struct xd_order *to)
{
    const void *was = (const char *)&order->order + field->offset;
    void *at = (char *)to + field->offset;
    switch (field->type) {
    case XD_TYPE_NUMBER:
        *(int64_t *)at = within(field, random_number(traffic, twin, order, field, *(const int64_t *)was));
        break;
    case XD_TYPE_TIME:
        *(int64_t *)at = within(field, random_time(traffic, order, *(const int64_t *)was));
        break;
    case XD_TYPE_DAY:
        *(int64_t *)at = within(field, *(const int64_t *)was + step(traffic, 1));
        break;
    case XD_TYPE_RANGE:
        *(struct xd_range *)at = *(const struct xd_range *)was;
        random_range(traffic, field, at);
        break;
    case XD_TYPE_FEATURES:
        *(uint64_t *)at = *(const uint64_t *)was ^ UINT64_C(1) << xd_traffic_below(traffic, XD_FEATURE_COUNT);
        break;
    case XD_TYPE_ACCOUNTS:
        random_names(traffic, at, xd_field_id(field) == XD_F_ONLY);
        break;
    case XD_TYPE_CHOICE:
        *(int64_t *)at = (int64_t)xd_traffic_below(traffic, (uint64_t)field->max + 1);
        break;
    default:
        snprintf(traffic->note, sizeof traffic->note, "gate %u", (unsigned)xd_traffic_below(traffic, 9));
        *(struct xd_str *)at = xd_str_of(traffic->note);
        break;
    }
}

/* A field that some orders may amend: mostly one that this order has. */
static const struct xd_field *random_field(struct xd_traffic *traffic, const struct xd_order *order)
{
    enum xd_column column = xd_column((enum xd_side)order->side, (enum xd_kind)order->kind);
    for (;;) {
        const struct xd_field *field = &xd_fields[xd_traffic_below(traffic, XD_FIELD_COUNT)];
        bool some = false;
        for (unsigned other = 0; other < XD_COLUMNS; other++) {
            some |= field->amend[other] != XD_AMEND_NOT;
        }
        if (field->amend[column] != XD_AMEND_NOT || (some && xd_traffic_chance(traffic, 1))) return field;
    }
}

void xd_traffic_amend(struct xd_traffic *traffic, const struct xd_twin *twin, const struct twin_order *order,
                      struct xd_record *record)
{
    struct xd_amendment *amendment = &record->amendment;
    record->type = XD_RECORD_AMEND;
    record->order_id = order->id;
    unsigned changes = 1 + (unsigned)xd_traffic_below(traffic, xd_traffic_chance(traffic, 30) ? 4 : 1);
    for (unsigned i = 0; i < changes; i++) {
        const struct xd_field *field = random_field(traffic, &order->order);
        uint64_t bit = UINT64_C(1) << xd_field_id(field);
        amendment->to.given &= ~bit;
        amendment->removed &= ~bit;
        if (xd_traffic_chance(traffic, 8)) {
            amendment->removed |= bit;
        } else {
            amendment->to.given |= bit;
            random_value(traffic, twin, order, field, &amendment->to);
        }
    }
}

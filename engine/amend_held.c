/* What live matches hold of an order, so that an amendment may not take it away: of an offer's room on the legs and days to
 * come, of its window, its temperatures, its features; of a request's amount; and all that a plan or calendar was made of. */
#include "core/decimal.h"
#include "core/features.h"
#include "core/schema.h"
#include "core/when.h"
#include "engine/state.h"

struct question {
    const struct xd_engine *engine;
    const struct xd_slot *slot;
    const struct xd_order *before, *after;
    struct xd_error *error;
    bool elsewhere; /* some of its matches live in other partitions: of their other orders nothing is known
                       here */
};

/* --- refusing -------------------------------------------------------------------------------------------------------------- */

static void format(const struct xd_field *field, int64_t value, char out[static 32])
{
    if (field->type == XD_TYPE_TIME) {
        xd_time_format(value, out);
    } else if (field->type == XD_TYPE_DAY) {
        xd_day_format(value, out);
    } else {
        xd_decimal_format(value, field->scale, out);
    }
}

/* The value is on the wrong side of what is held. */
static bool refuse_value(const struct question *q, enum xd_field_id id, int64_t given, int64_t held)
{
    const struct xd_field *field = &xd_fields[id];
    char a[32], b[32];
    format(field, given, a);
    format(field, held, b);
    bool less = given < held;
    const char *relation = field->type == XD_TYPE_NUMBER ? less ? "less" : "more" : less ? "earlier" : "later";
    return xd_fail(q->error, XD_HELD, field->name, "%s %s is %s than %s, which live matches hold", field->name, a, relation,
                   b);
}

static bool refuse_range(const struct question *q, struct xd_range held, const char *what)
{
    char min[32], max[32];
    xd_decimal_format(held.min, xd_fields[XD_F_TEMP_C].scale, min);
    xd_decimal_format(held.max, xd_fields[XD_F_TEMP_C].scale, max);
    return xd_fail(q->error, XD_HELD, "temp_c", "temp_c has to %s %s..%s, which live matches hold", what, min, max);
}

static bool refuse_features(const struct question *q, uint64_t missing, const char *what)
{
    return xd_fail(q->error, XD_HELD, "features", "%s %s", what, xd_feature_name((unsigned)__builtin_ctzll(missing)));
}

static bool refuse_change(const struct question *q, enum xd_field_id id)
{
    const char *name = xd_fields[id].name;
    return xd_fail(q->error, XD_HELD, name, "%s cannot change while the order has live matches", name);
}

/* --- offers ---------------------------------------------------------------------------------------------------------------- */

static int64_t today(const struct question *q)
{
    return q->engine->now / XD_DAY_S;
}

static bool truck_room(const struct question *q, enum xd_field_id id)
{
    unsigned dim = id - XD_F_PALLETS;
    const struct xd_slot *slot = q->slot;
    struct xd_plan_needs needs;
    if (!xd_order_gave(q->after, id)) return true;
    xd_plan_needs(&slot->truck_offer.plan, &slot->truck_offer.truck, q->engine->now, &needs);
    int64_t given = q->after->amount[dim];
    return given >= needs.aboard[dim] || refuse_value(q, id, given, needs.aboard[dim]);
}

static bool storage_room(const struct question *q, enum xd_field_id id)
{
    enum xd_dim dim = (enum xd_dim)(id - XD_F_PALLETS);
    int64_t first, last;
    if (!xd_order_gave(q->after, id) || !xd_slot_taken(q->slot, today(q), &first, &last)) return true;
    if (!xd_order_gave(q->before, id)) return refuse_change(q, id); /* nobody has counted how much of it is taken */
    int64_t taken = q->before->amount[dim] - xd_slot_free(q->slot, dim, first, last + 1);
    return q->after->amount[dim] >= taken || refuse_value(q, id, q->after->amount[dim], taken);
}

/* The truck's way begins at `available_from`. */
static bool truck_start(const struct question *q)
{
    const struct xd_plan *plan = &q->slot->truck_offer.plan;
    if (plan->count == 0 && q->engine->now < q->before->available_from) return true;
    const char *name = xd_fields[XD_F_AVAILABLE_FROM].name;
    return xd_fail(q->error, XD_HELD, name, "%s can change only before it has come, and while the plan is empty", name);
}

static bool truck_end(const struct question *q)
{
    const struct xd_slot *slot = q->slot;
    struct xd_plan_needs needs;
    xd_plan_needs(&slot->truck_offer.plan, &slot->truck_offer.truck, q->engine->now, &needs);
    int64_t given = q->after->available_until;
    if (given >= needs.end || given >= q->before->available_until) return true;
    return refuse_value(q, XD_F_AVAILABLE_UNTIL, given, needs.end);
}

/* The days that live matches have, and those still to come that are taken by whatever match. */
static bool storage_window(const struct question *q, enum xd_field_id id)
{
    int64_t first, last;
    bool held = xd_slot_taken(q->slot, today(q), &first, &last);
    for (const struct xd_deal *deal = q->slot->first_deal; deal; deal = xd_deal_next(deal, q->slot)) {
        const struct xd_slot *request = deal->order[XD_REQUEST];
        if (!held || request->storage_request.from_day < first) first = request->storage_request.from_day;
        if (!held || request->storage_request.until_day - 1 > last) last = request->storage_request.until_day - 1;
        held = true;
    }
    if (q->elsewhere) held = xd_border_days(q->engine, q->slot, held, &first, &last);
    if (!held) return true;
    if (id == XD_F_FROM_DAY) return q->after->from_day <= first || refuse_value(q, id, q->after->from_day, first);
    return q->after->until_day > last || refuse_value(q, id, q->after->until_day, last + 1);
}

static struct xd_range range_of(struct xd_band band)
{
    return (struct xd_range){band.min, band.max};
}

static bool truck_temp(const struct question *q)
{
    struct xd_plan_needs needs;
    xd_plan_needs(&q->slot->truck_offer.plan, &q->slot->truck_offer.truck, q->engine->now, &needs);
    if (!needs.has_temp) return true;
    const struct xd_range *range = &q->after->temp;
    bool shares = xd_order_gave(q->after, XD_F_TEMP_C) && range->min <= needs.temp.max && range->max >= needs.temp.min;
    return shares || refuse_range(q, needs.temp, "share a set-point with");
}

static bool chamber_temp(const struct question *q)
{
    for (const struct xd_deal *deal = q->slot->first_deal; deal; deal = xd_deal_next(deal, q->slot)) {
        struct xd_range tolerated = range_of(deal->order[XD_REQUEST]->temp);
        if (q->after->temp.min < tolerated.min || q->after->temp.max > tolerated.max) {
            return refuse_range(q, tolerated, "stay within");
        }
    }
    bool wider = q->after->temp.min < q->before->temp.min || q->after->temp.max > q->before->temp.max;
    return !q->elsewhere || !wider || refuse_range(q, q->before->temp, "stay within");
}

static bool offer_features(const struct question *q)
{
    uint64_t has = xd_features_implied(q->after->features), missing;
    for (const struct xd_deal *deal = q->slot->first_deal; deal; deal = xd_deal_next(deal, q->slot)) {
        missing = deal->order[XD_REQUEST]->features & ~has;
        if (missing) return refuse_features(q, missing, "a live match needs");
    }
    missing = xd_features_implied(q->before->features) & ~has;
    return !q->elsewhere || !missing || refuse_features(q, missing, "a live match elsewhere may need");
}

static bool offer_keeps(const struct question *q, enum xd_field_id id)
{
    bool truck = q->slot->kind == XD_TRUCK;
    if (id >= XD_F_PALLETS && id <= XD_F_M2) return truck ? truck_room(q, id) : storage_room(q, id);
    switch (id) {
    case XD_F_FEATURES:
        return offer_features(q);
    case XD_F_AVAILABLE_FROM:
        return truck_start(q);
    case XD_F_AVAILABLE_UNTIL:
        return truck_end(q);
    case XD_F_FROM_DAY:
    case XD_F_UNTIL_DAY:
        return storage_window(q, id);
    case XD_F_TEMP_C:
        return truck ? truck_temp(q) : chamber_temp(q);
    default:
        return true;
    }
}

/* --- requests -------------------------------------------------------------------------------------------------------------- */

static bool request_amount(const struct question *q, enum xd_field_id id)
{
    unsigned dim = id - XD_F_PALLETS;
    bool main = dim == (unsigned)xd_main_dim((enum xd_kind)q->slot->kind);
    if (xd_order_gave(q->before, id) != xd_order_gave(q->after, id)) return !q->slot->first_deal || refuse_change(q, id);
    int64_t held = main ? q->slot->whole - q->slot->open : 0;
    for (const struct xd_deal *deal = q->slot->first_deal; deal && !main; deal = xd_deal_next(deal, q->slot)) {
        held += deal->amount[dim];
    }
    int64_t given = q->after->amount[dim];
    /* Parts are rounded up each by itself, so they may come to more than the order as it is. */
    return given >= held || given >= q->before->amount[dim] || refuse_value(q, id, given, held);
}

static bool tolerates(const struct question *q)
{
    const struct xd_range *tolerated = &q->after->temp;
    for (const struct xd_deal *deal = q->slot->first_deal; deal; deal = xd_deal_next(deal, q->slot)) {
        struct xd_range chamber = range_of(deal->order[XD_OFFER]->temp);
        if (chamber.min < tolerated->min || chamber.max > tolerated->max) return refuse_range(q, chamber, "contain");
    }
    return true;
}

static bool storage_request_keeps(const struct question *q, enum xd_field_id id)
{
    if (id >= XD_F_PALLETS && id <= XD_F_M2) return request_amount(q, id);
    if (id == XD_F_FROM_DAY || id == XD_F_UNTIL_DAY) return !q->slot->first_deal || refuse_change(q, id);
    return id != XD_F_TEMP_C || tolerates(q);
}

/* A load is on the truck's plan as it was. */
static bool truck_request_keeps(const struct question *q, enum xd_field_id id)
{
    bool amount = id >= XD_F_PALLETS && id <= XD_F_M2;
    bool way = id >= XD_F_PICKUP_FROM && id <= XD_F_UNLOAD_MIN;
    bool live = q->slot->first_deal || q->elsewhere;
    return !live || (!amount && !way && id != XD_F_TEMP_C) || refuse_change(q, id);
}

static bool request_features(const struct question *q)
{
    uint64_t missing;
    for (const struct xd_deal *deal = q->slot->first_deal; deal; deal = xd_deal_next(deal, q->slot)) {
        missing = q->after->features & ~deal->order[XD_OFFER]->features;
        if (missing) return refuse_features(q, missing, "the offer of a live match has no");
    }
    missing = q->after->features & ~q->before->features;
    return !q->elsewhere || !missing ||
           refuse_features(q, missing, "the offer of a live match elsewhere may have no");
}

static bool request_keeps(const struct question *q, enum xd_field_id id)
{
    if (id == XD_F_FEATURES) return request_features(q);
    return q->slot->kind == XD_TRUCK ? truck_request_keeps(q, id) : storage_request_keeps(q, id);
}

bool xd_amend_keeps_matches(const struct xd_engine *engine, const struct xd_slot *slot, const struct xd_order *before,
                            const struct xd_order *after, struct xd_error *error)
{
    struct question q = {engine, slot, before, after, error, xd_border_holds(engine, slot)};
    uint64_t changes = xd_order_changes(before, after);
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        if (!(changes >> id & 1)) continue;
        if (!(slot->side == XD_OFFER ? offer_keeps : request_keeps)(&q, (enum xd_field_id)id)) return false;
    }
    return true;
}

/* Amending an order: what live matches hold, looked up anew for each question, and which changes cost its age. What a merged
 * order is, and the checks of orders by themselves, are core/'s. */
#include "tests/differential/twin_state.h"

#include "core/features.h"
#include "core/id.h"
#include "core/schema.h"
#include "core/when.h"

/* --- what is held --------------------------------------------------------------------------------------- */

struct amending {
    const struct xd_twin *twin;
    const struct twin_order *order;
    const struct xd_order *new;
};

static bool is_of(const struct twin_match *match, const struct twin_order *order)
{
    return match->offer == order || match->request == order;
}

static bool has_match(const struct amending *a)
{
    for (uint32_t i = 0; i < a->twin->match_count; i++) {
        if (is_of(a->twin->matches[i], a->order)) return true;
    }
    return false;
}

/* The most of a dimension that is aboard on the way to any stop that is not served. */
static int64_t most_aboard(const struct amending *a, unsigned dim)
{
    const struct twin_plan *plan = &a->order->plan;
    int64_t most = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        int64_t aboard = 0;
        for (uint32_t before = 0; before < i; before++) {
            const struct twin_stop *stop = &plan->stops[before];
            if (!stop->off) aboard += (stop->delivery ? -1 : 1) * stop->load->amount[dim];
        }
        if (plan->stops[i].end > a->twin->now && aboard > most) most = aboard;
    }
    return most;
}

/* What is taken of a dimension on a day. */
static int64_t taken_on(const struct amending *a, unsigned dim, int64_t day)
{
    const struct xd_order nothing = {0};
    return -twin_calendar_left(&a->order->calendar, &nothing, (enum xd_dim)dim, day);
}

static int64_t today(const struct amending *a)
{
    return a->twin->now / XD_DAY_S;
}

static bool room_kept(const struct amending *a, unsigned dim)
{
    const struct xd_order *old = &a->order->order;
    bool states = xd_order_gave(a->new, XD_F_PALLETS + dim), stated = xd_order_gave(old, XD_F_PALLETS + dim);
    if (!states) return true;
    if (old->kind == XD_TRUCK) return a->new->amount[dim] >= most_aboard(a, dim);
    for (int64_t day = old->from_day; day < old->until_day; day++) {
        if (day < today(a) || !taken_on(a, xd_main_dim((enum xd_kind)old->kind), day)) continue;
        if (!stated || a->new->amount[dim] < taken_on(a, dim, day)) return false;
    }
    return true;
}

/* Every day on which something is taken, and every day of a live match, lies in the new window. */
static bool days_kept(const struct amending *a, bool start)
{
    const struct xd_order *old = &a->order->order;
    for (int64_t day = old->from_day; day < old->until_day; day++) {
        bool held = day >= today(a) && taken_on(a, xd_main_dim((enum xd_kind)old->kind), day);
        for (uint32_t i = 0; i < a->twin->match_count; i++) {
            const struct twin_match *match = a->twin->matches[i];
            const struct xd_order *request = &match->request->order;
            held |= match->offer == a->order && request->from_day <= day && day < request->until_day;
        }
        if (held && (start ? day < a->new->from_day : day >= a->new->until_day)) return false;
    }
    return true;
}

static bool plan_ends_in_time(const struct amending *a)
{
    const struct twin_plan *plan = &a->order->plan;
    const struct twin_truck *truck = &a->order->truck;
    if (a->new->available_until >= a->order->order.available_until || !plan->count) return true;
    const struct twin_stop *last = &plan->stops[plan->count - 1];
    if (last->end <= a->twin->now) return true;
    struct xd_unit_vector at = last->delivery ? last->load->delivery : last->load->pickup;
    int64_t drive_s =
        truck->has_to ? xd_drive_s(xd_distance_m(at, truck->to, truck->road_factor_e4), truck->speed) : 0;
    return last->end + drive_s <= a->new->available_until;
}

static bool cargo_suits(const struct amending *a)
{
    const struct twin_plan *plan = &a->order->plan;
    bool has = xd_order_gave(a->new, XD_F_TEMP_C);
    int64_t low = a->new->temp.min, high = a->new->temp.max, cold = INT64_MIN, warm = INT64_MAX;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct twin_stop *stop = &plan->stops[i];
        if (!stop->delivery || stop->end <= a->twin->now || !stop->load->has_temp) continue;
        if (!has) return false;
        if (stop->load->temp.min > cold) cold = stop->load->temp.min;
        if (stop->load->temp.max < warm) warm = stop->load->temp.max;
    }
    return cold == INT64_MIN || (low <= warm && high >= cold); /* what they agree on has one in the truck's range */
}

static bool chamber_suits(const struct amending *a)
{
    for (uint32_t i = 0; i < a->twin->match_count; i++) {
        const struct twin_match *match = a->twin->matches[i];
        if (!is_of(match, a->order)) continue;
        bool offer = match->offer == a->order;
        const struct xd_range *chamber = offer ? &a->new->temp : &match->offer->order.temp;
        const struct xd_range *goods = offer ? &match->request->order.temp : &a->new->temp;
        if (chamber->min < goods->min || chamber->max > goods->max) return false;
    }
    return true;
}

static bool features_suit(const struct amending *a)
{
    for (uint32_t i = 0; i < a->twin->match_count; i++) {
        const struct twin_match *match = a->twin->matches[i];
        if (!is_of(match, a->order)) continue;
        bool offer = match->offer == a->order;
        uint64_t has = xd_features_implied(offer ? a->new->features : match->offer->order.features);
        if ((offer ? match->request->order.features : a->new->features) & ~has) return false;
    }
    return true;
}

static bool need_covered(const struct amending *a, unsigned dim)
{
    const struct xd_order *old = &a->order->order;
    int64_t held = 0;
    if (xd_order_gave(old, XD_F_PALLETS + dim) != xd_order_gave(a->new, XD_F_PALLETS + dim)) return !has_match(a);
    if (a->new->amount[dim] >= old->amount[dim]) return true;
    if (dim == xd_main_dim((enum xd_kind)old->kind)) {
        held = twin_whole(a->order) - twin_open(a->order);
    } else {
        for (uint32_t i = 0; i < a->twin->match_count; i++) {
            if (a->twin->matches[i]->request == a->order) held += a->twin->matches[i]->amount[dim];
        }
    }
    return a->new->amount[dim] >= held;
}

static bool offer_keeps(const struct amending *a, unsigned id)
{
    const struct xd_order *old = &a->order->order;
    if (id >= XD_F_PALLETS && id <= XD_F_M2) return room_kept(a, id - XD_F_PALLETS);
    if (id == XD_F_AVAILABLE_FROM) return !a->order->plan.count && a->twin->now < old->available_from;
    if (id == XD_F_AVAILABLE_UNTIL) return plan_ends_in_time(a);
    if (id == XD_F_FROM_DAY || id == XD_F_UNTIL_DAY) return days_kept(a, id == XD_F_FROM_DAY);
    if (id == XD_F_TEMP_C) return old->kind == XD_TRUCK ? cargo_suits(a) : chamber_suits(a);
    return id != XD_F_FEATURES || features_suit(a);
}

static bool request_keeps(const struct amending *a, unsigned id)
{
    bool truck = a->order->order.kind == XD_TRUCK;
    switch (id) {
    case XD_F_FEATURES:
        return features_suit(a);
    case XD_F_PALLETS:
    case XD_F_KG:
    case XD_F_M3:
    case XD_F_LDM:
    case XD_F_M2:
        return truck ? !has_match(a) : need_covered(a, id - XD_F_PALLETS);
    case XD_F_TEMP_C:
        return truck ? !has_match(a) : chamber_suits(a);
    case XD_F_PICKUP_FROM:
    case XD_F_PICKUP_UNTIL:
    case XD_F_DELIVER_UNTIL:
    case XD_F_LOAD_MIN:
    case XD_F_UNLOAD_MIN:
    case XD_F_FROM_DAY:
    case XD_F_UNTIL_DAY:
        return !has_match(a);
    default:
        return true;
    }
}

/* --- easier or harder ----------------------------------------------------------------------------------- */

struct ease {
    bool easier, harder;
};

/* `more` of it is easier to match. */
static void number(struct ease *ease, int64_t old, int64_t new, bool more)
{
    if (old == new) return;
    *((old < new) == more ? &ease->easier : &ease->harder) = true;
}

static void set(struct ease *ease, uint64_t old, uint64_t new, bool more)
{
    if (new & ~old) *(more ? &ease->easier : &ease->harder) = true;
    if (old & ~new) *(more ? &ease->harder : &ease->easier) = true;
}

static void names(struct ease *ease, const struct xd_accounts *old, const struct xd_accounts *new, bool more)
{
    for (unsigned back = 0; back < 2; back++) {
        const struct xd_accounts *one = back ? new : old, *other = back ? old : new;
        for (uint32_t i = 0; i < other->count; i++) {
            bool known = false;
            for (uint32_t k = 0; k < one->count; k++) {
                known |= xd_str_equal(one->at[k], other->at[i]);
            }
            if (!known) *((back == 0) == more ? &ease->easier : &ease->harder) = true;
        }
    }
}

/* Without the field: any temperature (requests), or none. */
static void range(struct ease *ease, const struct xd_order *old, const struct xd_order *new, bool more)
{
    bool had = xd_order_gave(old, XD_F_TEMP_C), has = xd_order_gave(new, XD_F_TEMP_C);
    struct xd_range before = old->temp, after = new->temp;
    if (had && has) {
        number(ease, -before.min, -after.min, more);
        number(ease, before.max, after.max, more);
    } else if (had != has) {
        number(ease, had, has, old->side == XD_OFFER);
    }
}

static int64_t given_or(const struct xd_order *order, enum xd_field_id id, int64_t value, int64_t otherwise)
{
    return xd_order_gave(order, id) ? value : otherwise;
}

static void sizes(struct ease *ease, const struct xd_order *old, const struct xd_order *new)
{
    bool offer = old->side == XD_OFFER;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        int64_t otherwise = offer ? INT64_MAX : 0;
        number(ease, given_or(old, XD_F_PALLETS + d, old->amount[d], otherwise),
               given_or(new, XD_F_PALLETS + d, new->amount[d], otherwise), offer);
    }
    int64_t otherwise = offer ? 0 : INT64_MAX;
    number(ease, given_or(old, XD_F_MIN_PART, old->min_part, otherwise),
           given_or(new, XD_F_MIN_PART, new->min_part, otherwise), false);
}

static void terms(struct ease *ease, const struct xd_order *old, const struct xd_order *new)
{
    bool offer = old->side == XD_OFFER;
    number(ease, old->min_credit, new->min_credit, false);
    uint64_t had = offer ? xd_features_implied(old->features) : old->features;
    set(ease, had, offer ? xd_features_implied(new->features) : new->features, offer);
    names(ease, &old->never, &new->never, false);
    if (old->only.count && new->only.count) {
        names(ease, &old->only, &new->only, true);
    } else {
        number(ease, !old->only.count, !new->only.count, true);
    }
    number(ease, old->max_price, new->max_price, true);
    number(ease, old->per_access_km, new->per_access_km, false);
    number(ease, old->base, new->base, false);
    number(ease, old->per_t_km, new->per_t_km, false);
    number(ease, old->per_detour_km, new->per_detour_km, false);
    number(ease, old->per_unit_day, new->per_unit_day, false);
}

static struct ease ease_of(const struct xd_order *old, const struct xd_order *new)
{
    struct ease ease = {false, false};
    bool offer = old->side == XD_OFFER;
    terms(&ease, old, new);
    sizes(&ease, old, new);
    range(&ease, old, new, offer ? old->kind == XD_TRUCK : true);
    number(&ease, old->max_detour_m, new->max_detour_m, true);
    number(&ease, old->radius_m, new->radius_m, true);
    number(&ease, old->available_from, new->available_from, false);
    number(&ease, old->available_until, new->available_until, true);
    number(&ease, old->pickup_from, new->pickup_from, false);
    number(&ease, old->pickup_until, new->pickup_until, true);
    number(&ease, old->deliver_until, new->deliver_until, true);
    number(&ease, old->load_min, new->load_min, false);
    number(&ease, old->unload_min, new->unload_min, false);
    number(&ease, old->from_day, new->from_day, !offer);
    number(&ease, old->until_day, new->until_day, offer);
    return ease;
}

/* --- the record ----------------------------------------------------------------------------------------- */

static bool may_be_amended(const struct xd_twin *twin, const struct twin_order *order)
{
    if (order->ended != TWIN_LIVE || order->order.fill != XD_FILL_REST) return false;
    if (order->order.valid_until <= twin->now) return false;
    bool proposed = false;
    for (uint32_t i = 0; i < twin->match_count; i++) {
        const struct twin_match *match = twin->matches[i];
        proposed |= match->request == order && match->state == XD_MATCH_PROPOSED;
    }
    return twin_is_open(order) || proposed;
}

/* The first field of the table that live matches do not let go. */
static bool keeps_matches(const struct amending *a, uint64_t changes, struct xd_error *error)
{
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        if (!(changes >> id & 1)) continue;
        if (a->order->order.side == XD_OFFER ? offer_keeps(a, id) : request_keeps(a, id)) continue;
        return xd_fail(error, XD_HELD, xd_fields[id].name, "held");
    }
    return true;
}

static enum xd_code amend(struct xd_twin *twin, struct twin_order *order, const struct xd_amendment *amendment,
                          unsigned *note)
{
    struct xd_order new;
    struct xd_error error;
    bool good = xd_order_amend(&order->order, amendment, &new, &error);
    uint64_t changes = good ? xd_order_changes(&order->order, &new) : 0;
    if (good && !changes) return XD_OK;
    if (good && new.valid_until <= twin->now) good = xd_fail(&error, XD_LAPSED, "valid_until", "lapsed");
    if (!good || !keeps_matches(&(struct amending){twin, order, &new}, changes, &error)) {
        xd_output_refuse(twin->output, &error);
        return error.code;
    }
    struct ease ease = ease_of(&order->order, &new);
    twin_rewrite(twin, order, &new);
    if (ease.harder) order->age = twin->next_age++;
    *note = ease.harder ? XD_AMENDED_LOST : XD_AMENDED_KEPT;
    twin_report_amended(twin, order, amendment, changes, !ease.harder);
    if (order->order.side == XD_REQUEST && twin_bound(order) == twin_whole(order)) {
        twin_report_order(twin, order, XD_EVENT_ORDER_FILLED, NULL);
    }
    if (ease.easier) order->grown = true;
    twin_settle(twin, order);
    return XD_OK;
}

enum xd_code twin_amend(struct xd_twin *twin, const struct xd_record *record, unsigned *note)
{
    struct twin_order *order = twin_find_order(twin, record->order_id);
    if (!order) return twin_is_seen(twin, xd_id_number(record->order_id)) ? XD_WRONG_STATE : XD_NOT_FOUND;
    if (!xd_str_equal(order->account, record->account)) return XD_NOT_FOUND;
    if (!may_be_amended(twin, order)) return XD_WRONG_STATE;
    return amend(twin, order, &record->amendment, note);
}

/* Whether two orders fit, and at what price: rules 2, 6, 7 and 8. */
#include "core/features.h"
#include "core/schema.h"
#include "tests/differential/twin_state.h"

/* --- rule 2 --------------------------------------------------------------------------------------------- */

static bool lists(const struct xd_accounts *accounts, struct xd_str account)
{
    for (uint32_t i = 0; i < accounts->count; i++) {
        if (xd_str_equal(accounts->at[i], account)) return true;
    }
    return false;
}

static bool objects(const struct twin_order *one, const struct twin_order *other)
{
    const struct xd_order *order = &one->order;
    if (order->only.count && !lists(&order->only, other->account)) return true;
    return lists(&order->never, other->account) || other->credit < order->min_credit;
}

/* Rule 10: the pair parted once, and not because one of the two was withdrawn. Of an all_now proposal that
 * ends: what was declined itself, or what a side had not accepted when it lapsed. */
static bool barred(const struct twin_order *offer, const struct twin_order *request)
{
    for (uint32_t i = 0; i < request->match_count; i++) {
        const struct twin_match *match = request->matches[i];
        if (match->offer_id != offer->id) continue;
        if (match->state == XD_MATCH_DECLINED && !match->reason) return true;
        if (match->state == XD_MATCH_LAPSED && !(match->accepted[XD_OFFER] && match->accepted[XD_REQUEST]))
            return true;
        if (match->state == XD_MATCH_CANCELLED) return true;
    }
    return false;
}

static bool may_meet(const struct xd_twin *twin, const struct twin_order *offer,
                     const struct twin_order *request)
{
    if (offer->order.kind != request->order.kind || offer->order.currency != request->order.currency)
        return false;
    if (xd_str_equal(offer->account, request->account)) return false;
    if (objects(offer, request) || objects(request, offer) || barred(offer, request)) return false;
    if (request->order.features & ~xd_features_implied(offer->order.features)) return false;
    return offer->order.valid_until > twin->now && request->order.valid_until > twin->now;
}

/* --- rule 8 --------------------------------------------------------------------------------------------- */

/* floor(value / unit + 1/2), value >= 0 */
static int64_t rounded(__int128 value, int64_t unit)
{
    return (int64_t)((2 * value + unit) / (2 * (__int128)unit));
}

/* base is in hundredths, rates in 1e-4; kg x metres = 1e-6 t km, so rates' products are 1e-10. */
static __int128 truck_price(const struct xd_order *offer, int64_t kg, int64_t loaded_m, int64_t added_m)
{
    return (__int128)offer->base * 100000000 + (__int128)offer->per_t_km * kg * loaded_m +
           (__int128)offer->per_detour_km * added_m * 1000;
}

static bool fit_truck(struct twin_order *offer, const struct twin_order *request, int64_t now,
                      struct twin_candidate *out)
{
    struct twin_load load = twin_load_of(&request->order);
    if (!twin_plan_try(&offer->plan, &offer->truck, &load, now, &out->insertion)) return false;
    out->km_m = xd_distance_m(load.pickup, load.delivery, offer->truck.road_factor_e4);
    out->added_m = out->insertion.charged_m;
    __int128 exact = truck_price(&offer->order, load.amount[XD_KG], out->km_m, out->added_m);
    if (exact > (__int128)INT64_MAX * 1000000) return false; /* beyond any max_price */
    out->quote = rounded(exact, 100000000);
    out->surplus = request->order.max_price - out->quote;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        out->amount[d] = load.amount[d];
    }
    return out->surplus >= 0;
}

/* --- rules 6 and 7 -------------------------------------------------------------------------------------- */

static int64_t scaled_up(int64_t amount, int64_t part, int64_t whole)
{
    return (int64_t)(((__int128)amount * part + whole - 1) / whole);
}

/* The largest part, at most `part`, that is free on a day in a dimension. */
static int64_t free_part(const struct twin_order *offer, const struct twin_order *request, enum xd_dim dim,
                         int64_t day, int64_t part)
{
    int64_t left = twin_calendar_left(&offer->calendar, &offer->order, dim, day);
    int64_t need = request->order.amount[dim], whole = twin_whole(request);
    if (scaled_up(need, part, whole) <= left) return part;
    part = (int64_t)((__int128)left * whole / need);
    while (part > 0 && scaled_up(need, part, whole) > left) {
        part--;
    }
    return part;
}

static int64_t largest_part(const struct twin_order *offer, const struct twin_order *request,
                            int64_t remaining)
{
    int64_t part = remaining;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (!xd_order_gave(&offer->order, XD_F_PALLETS + dim)) continue;
        if (!xd_order_gave(&request->order, XD_F_PALLETS + dim)) continue;
        for (int64_t day = request->order.from_day; day < request->order.until_day; day++) {
            part = free_part(offer, request, (enum xd_dim)dim, day, part);
        }
    }
    return part;
}

/* What the request takes of the offer, 0 for nothing. */
static int64_t part_of(const struct twin_order *offer, const struct twin_order *request, int64_t remaining)
{
    int64_t part = largest_part(offer, request, remaining);
    bool splits = xd_order_gave(&request->order, XD_F_MIN_PART);
    if (part < remaining && (!splits || part < request->order.min_part)) return 0;
    return part < offer->order.min_part ? 0 : part;
}

static bool fit_storage(const struct twin_order *offer, const struct twin_order *request,
                        int32_t road_factor_e4, int64_t remaining, struct twin_candidate *out)
{
    const struct xd_order *has = &offer->order, *wants = &request->order;
    out->km_m = xd_distance_m(xd_place_vector(has->at), xd_place_vector(wants->at), road_factor_e4);
    if (out->km_m > wants->radius_m) return false;
    if (has->from_day > wants->from_day || has->until_day < wants->until_day) return false;
    if (wants->kind == XD_COLD && (has->temp.min < wants->temp.min || has->temp.max > wants->temp.max))
        return false;
    out->part = part_of(offer, request, remaining);
    if (out->part <= 0) return false;
    int64_t whole = twin_whole(request);
    for (unsigned d = 0; d < XD_DIMS; d++) {
        out->amount[d] = scaled_up(wants->amount[d], out->part, whole);
    }
    __int128 exact = (__int128)has->base * 10000 +
                     (__int128)has->per_unit_day * out->part * (wants->until_day - wants->from_day);
    if (exact > (__int128)INT64_MAX * 100) return false; /* beyond any max_price */
    out->quote = rounded(exact, 10000);
    out->access = rounded((__int128)wants->per_access_km * out->km_m, 100000);
    int64_t limit = (int64_t)((__int128)wants->max_price * out->part / whole);
    out->surplus = limit - out->quote - out->access;
    return out->surplus >= 0;
}

bool twin_fit(const struct xd_twin *twin, struct twin_order *offer, struct twin_order *request,
              int64_t remaining, struct twin_candidate *out)
{
    *out = (struct twin_candidate){.offer = offer, .request = request, .part = remaining};
    if (!may_meet(twin, offer, request)) return false;
    if (offer->order.kind == XD_TRUCK) return fit_truck(offer, request, twin->now, out);
    return fit_storage(offer, request, twin->options.market.road_factor_e4, remaining, out);
}

#include "engine/fit/fit.h"

#include "engine/state.h"

/* per_t_km is 1e-4 a tonne-kilometre, so rate x kg x m is in 1e-10 of the currency, 1e-8 of a hundredth. */
__int128 xd_quote_truck(int64_t base, int64_t per_t_km, int64_t per_detour_km, int64_t kg, int64_t loaded_m,
                        int64_t added_m)
{
    const int64_t unit = 100000000;
    __int128 exact = (__int128)base * unit + (__int128)per_t_km * kg * loaded_m +
                     (__int128)per_detour_km * added_m * 1000;
    return (exact + unit / 2) / unit;
}

/* rate (1e-4) x amount (1e-2) x days is in 1e-6 of the currency, 1e-4 of a hundredth. */
__int128 xd_quote_storage(int64_t base, int64_t per_unit_day, int64_t amount, int64_t days)
{
    const int64_t unit = 10000;
    return ((__int128)base * unit + (__int128)per_unit_day * amount * days + unit / 2) / unit;
}

/* rate (1e-4) x metres is in 1e-7 of the currency, 1e-5 of a hundredth. */
__int128 xd_access_cost(int64_t per_access_km, int64_t metres)
{
    const int64_t unit = 100000;
    return ((__int128)per_access_km * metres + unit / 2) / unit;
}

int64_t xd_share_up(int64_t amount, int64_t part, int64_t whole)
{
    return (int64_t)(((__int128)amount * part + whole - 1) / whole);
}

int64_t xd_share_down(int64_t amount, int64_t part, int64_t whole)
{
    return (int64_t)((__int128)amount * part / whole);
}

/* --- rule 2 -------------------------------------------------------------------------------------------------------------- */

static bool lists(struct xd_account *const *accounts, uint32_t count, const struct xd_account *account)
{
    for (uint32_t i = 0; i < count; i++) {
        if (accounts[i] == account) return true;
    }
    return false;
}

static bool excludes(const struct xd_slot *one, const struct xd_slot *other)
{
    if (one->only_count && !lists(xd_slot_mentioned(one), one->only_count, other->account)) return true;
    return one->never_count && lists(xd_slot_mentioned(one) + one->only_count, one->never_count, other->account);
}

static bool objects(const struct xd_slot *one, const struct xd_slot *other)
{
    return other->credit < one->min_credit || excludes(one, other);
}

/* The pair is noted with the request; with an offer only while it is tried without being submitted (what_if.c). */
static bool barred(const struct xd_slot *offer, const struct xd_slot *request)
{
    return (request->barred && xd_slot_barred(request, offer->id)) ||
           (offer->barred && xd_slot_barred(offer, request->id));
}

static bool lacks_features(const struct xd_slot *offer, const struct xd_slot *request)
{
    return request->features & ~offer->features;
}

static bool may_pair(const struct xd_slot *offer, const struct xd_slot *request)
{
    return offer->currency == request->currency && offer->account != request->account &&
           !lacks_features(offer, request) && !objects(offer, request) && !objects(request, offer) &&
           !barred(offer, request);
}

unsigned xd_fit_parties(const struct xd_slot *offer, const struct xd_slot *request)
{
    bool credit = request->credit < offer->min_credit || offer->credit < request->min_credit;
    bool excluded = excludes(offer, request) || excludes(request, offer);
    return (unsigned)(offer->currency != request->currency) << XD_MISS_CURRENCY |
           (unsigned)(offer->account == request->account) << XD_MISS_OWN |
           (unsigned)lacks_features(offer, request) << XD_MISS_FEATURES | (unsigned)credit << XD_MISS_CREDIT |
           (unsigned)excluded << XD_MISS_EXCLUDED | (unsigned)barred(offer, request) << XD_MISS_BARRED;
}

/* --- trucks ---------------------------------------------------------------------------------------------------------------- */

static bool fits_empty_truck(const struct xd_truck *truck, const struct xd_load *load)
{
    if (load->has_temp && !truck->has_temp) return false;
    if (load->pickup_until < truck->available_from || load->pickup_from > truck->available_until) return false;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if ((truck->dims >> d & 1) && load->amount[d] > truck->capacity[d]) return false;
    }
    return true;
}

/* How many added metres leave a surplus of `at_least`, rather too many than too few. */
static int64_t most_charged(const struct xd_slot *offer, int64_t room)
{
    int64_t rate = offer->truck_offer.per_detour_km; /* rate x metres / 1e5 is in hundredths */
    if (!rate) return INT64_MAX;
    __int128 metres = ((__int128)room + 1) * 100000 / rate + 1;
    return metres < INT64_MAX ? (int64_t)metres : INT64_MAX;
}

static bool fit_truck(const struct xd_slot *offer, const struct xd_slot *request, int64_t now, int64_t at_least,
                      struct xd_candidate *out)
{
    const struct xd_load *load = &request->truck_request;
    const struct xd_truck *truck = &offer->truck_offer.truck;
    if (!fits_empty_truck(truck, load)) return false;
    /* No plan makes it cheaper than without a detour. */
    __int128 quote = xd_quote_truck(offer->truck_offer.base, offer->truck_offer.per_t_km, 0, load->amount[XD_KG],
                                    load->direct_m, 0);
    if (request->max_price - quote < at_least) return false;
    int64_t most = most_charged(offer, request->max_price - at_least - (int64_t)quote);
    if (!xd_plan_try_within(&offer->truck_offer.plan, truck, load, now, most, &out->insertion)) return false;
    quote = xd_quote_truck(offer->truck_offer.base, offer->truck_offer.per_t_km, offer->truck_offer.per_detour_km,
                           load->amount[XD_KG], load->direct_m, out->insertion.charged_m);
    if (request->max_price - quote < at_least) return false;
    out->quote = (int64_t)quote;
    out->surplus = request->max_price - out->quote;
    out->access = 0;
    out->km_m = load->direct_m;
    out->added_m = out->insertion.charged_m;
    out->part = request->open;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        out->amount[d] = load->amount[d];
    }
    return true;
}

/* --- storage --------------------------------------------------------------------------------------------------------------- */

/* Rule 7: the largest part that is free on every day, 0 if none fits. */
static int32_t largest_part(const struct xd_slot *offer, const struct xd_slot *request)
{
    enum xd_dim main = xd_main_dim(request->kind);
    int64_t from = request->storage_request.from_day, until = request->storage_request.until_day;
    int32_t part = request->open;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if (!(offer->dims & request->dims & 1u << d)) continue;
        int64_t left = xd_slot_free(offer, d, from, until);
        if (d != main) {
            __int128 most = (__int128)left * request->whole / xd_slot_amount(request, d);
            left = most < part ? (int64_t)most : part;
        }
        if (left < part) part = (int32_t)left;
    }
    if (part < offer->min_part) return 0;
    if (part < request->open && (!request->min_part || part < request->min_part)) return 0;
    return part;
}

static bool band_suits(const struct xd_slot *offer, const struct xd_slot *request)
{
    return !request->has_temp ||
           (offer->temp.min >= request->temp.min && offer->temp.max <= request->temp.max);
}

static bool fit_storage(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4,
                        int64_t at_least, struct xd_candidate *out)
{
    int64_t from = request->storage_request.from_day, until = request->storage_request.until_day;
    if (from < offer->storage_offer.from_day || until > offer->storage_offer.until_day) return false;
    if (!band_suits(offer, request)) return false;
    int32_t part = largest_part(offer, request);
    if (part <= 0) return false;
    int64_t whole = request->whole;
    int64_t limit = xd_share_down(request->max_price, part, whole);
    __int128 quote = xd_quote_storage(offer->storage_offer.base, offer->storage_offer.per_unit_day, part, until - from);
    if (limit - quote < at_least) return false;
    int64_t metres = xd_distance_m(offer->storage_offer.at, request->storage_request.at, road_factor_e4);
    if (metres > request->storage_request.radius_m) return false;
    __int128 access = xd_access_cost(request->storage_request.per_access_km, metres);
    if (limit - quote - access < at_least) return false;
    out->quote = (int64_t)quote;
    out->access = (int64_t)access;
    out->surplus = limit - out->quote - out->access;
    out->km_m = metres;
    out->added_m = 0;
    out->part = part;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        out->amount[d] = xd_share_up(xd_slot_amount(request, d), part, whole);
    }
    return true;
}

bool xd_fit_terms(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4, int64_t now,
                  int64_t at_least, struct xd_candidate *out)
{
    if (request->kind == XD_TRUCK) return fit_truck(offer, request, now, at_least, out);
    return fit_storage(offer, request, road_factor_e4, at_least, out);
}

bool xd_fit(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4, int64_t now,
            int64_t at_least, struct xd_candidate *out)
{
    return may_pair(offer, request) && xd_fit_terms(offer, request, road_factor_e4, now, at_least, out);
}

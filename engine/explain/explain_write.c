/* An explanation as the client gets it. */
#include "engine/explain/explanation.h"

#include "core/mp.h"
#include "core/pair.h"
#include "core/schema.h"

enum { MONEY_SCALE = 2, KM_SCALE = 3, DEGREE_SCALE = 1 };

/* --- the nearest miss --- */

/* The changed fields of the asking order as an order, so that they are written as any order is. */
static void changed_fields(const struct xd_slot *order, const struct xd_nearest *nearest,
                           struct xd_order *out)
{
    *out = (struct xd_order){0};
    for (unsigned knob = 0; knob < XD_KNOBS; knob++) {
        if (!nearest->change[knob]) continue;
        enum xd_field_id id = xd_knob_field(order, knob);
        out->given |= UINT64_C(1) << id;
        if (id == XD_F_TEMP_C) continue;
        *(int64_t *)(void *)((char *)out + xd_fields[id].offset) =
            xd_knob_value(order, knob) + nearest->change[knob];
    }
    out->temp.min = order->temp.min + nearest->change[XD_KNOB_TEMP_MIN];
    out->temp.max = order->temp.max + nearest->change[XD_KNOB_TEMP_MAX];
    if (!nearest->features) return;
    out->features =
        order->side == XD_OFFER ? order->features | nearest->features : order->features & ~nearest->features;
    out->given |= UINT64_C(1) << XD_F_FEATURES;
}

/* A list of features that is empty is no value of the field: nil, which says to leave it out. */
static void put_needs(struct xd_buf *out, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    struct xd_order needs;
    changed_fields(order, nearest, &needs);
    xd_mp_cstr(out, "needs");
    if (nearest->features && !needs.features) {
        xd_mp_map(out, 1);
        xd_mp_cstr(out, xd_fields[XD_F_FEATURES].name);
        xd_mp_nil(out);
    } else {
        xd_order_write(&needs, out);
    }
}

/* An amount is short by what the first of its dimensions is short by. */
static void put_short_amount(struct xd_buf *out, const struct xd_slot *order,
                             const struct xd_nearest *nearest)
{
    enum xd_knob knob = 0;
    while (knob < XD_KNOB_MIN_PART && !nearest->change[knob]) {
        knob++;
    }
    enum xd_dim dim = knob < XD_KNOB_MIN_PART ? (enum xd_dim)knob : xd_main_dim(order->kind);
    int64_t change = nearest->change[knob];
    xd_pair_decimal(out, "short", change < 0 ? -change : change, xd_dim_scale[dim]);
    xd_pair_cstr(out, "unit", xd_dim_names[dim]);
}

static void put_short(struct xd_buf *out, const struct xd_slot *order, enum xd_miss miss,
                      const struct xd_nearest *nearest)
{
    char currency[4];
    xd_currency_format(order->currency, currency);
    const struct {
        const char *unit;
        int scale;
    } units[XD_MISS_COUNT] = {[XD_MISS_PRICE] = {currency, MONEY_SCALE},
                              [XD_MISS_TIME] = {order->kind == XD_TRUCK ? "s" : "days", 0},
                              [XD_MISS_TEMPERATURE] = {"C", DEGREE_SCALE},
                              [XD_MISS_FEATURES] = {"features", 0},
                              [XD_MISS_CREDIT] = {"points", 0},
                              [XD_MISS_DISTANCE] = {"km", KM_SCALE}};
    if (miss == XD_MISS_CAPACITY) {
        put_short_amount(out, order, nearest);
        return;
    }
    xd_pair_decimal(out, "short", nearest->miss, units[miss].scale);
    xd_pair_cstr(out, "unit", units[miss].unit);
}

static void put_nearest(struct xd_buf *out, const struct xd_slot *order, enum xd_miss miss,
                        const struct xd_nearest *nearest)
{
    char text[XD_NEAREST_TEXT];
    xd_mp_cstr(out, "nearest");
    xd_mp_map(out, 4);
    xd_pair_cstr(out, "text", xd_nearest_text(order, miss, nearest, text));
    put_short(out, order, miss, nearest);
    put_needs(out, order, nearest);
}

static const char *miss_name(enum xd_miss miss)
{
    static const char *const names[XD_MISS_COUNT] = {
#define X(id, name) [XD_MISS_##id] = name,
        XD_MISSES(X)
#undef X
    };
    return names[miss];
}

static void put_reasons(struct xd_buf *out, const struct xd_explanation *explanation)
{
    uint32_t count = 0;
    for (unsigned miss = 0; miss < XD_MISS_COUNT; miss++) {
        count += explanation->misses[miss] > 0;
    }
    xd_mp_cstr(out, "reasons");
    xd_mp_array(out, count);
    for (unsigned miss = 0; miss < XD_MISS_COUNT; miss++) {
        if (!explanation->misses[miss]) continue;
        const struct xd_nearest *nearest = &explanation->nearest[miss];
        xd_mp_map(out, nearest->found ? 4 : 3);
        xd_pair_cstr(out, "reason", miss_name(miss));
        xd_pair_int(out, "count", explanation->misses[miss]);
        xd_pair_int(out, "alone", explanation->alone[miss]);
        if (nearest->found) put_nearest(out, explanation->order, miss, nearest);
    }
}

/* --- the matches --- */

static void put_stop(struct xd_buf *out, const char *key, int64_t eta, int64_t leave)
{
    xd_mp_cstr(out, key);
    xd_mp_map(out, 2);
    xd_pair_int(out, "eta", eta);
    xd_pair_int(out, "leave", leave);
}

static void put_match(struct xd_buf *out, const struct xd_slot *order, const struct xd_would_match *match)
{
    enum { ALWAYS = 7, OF_TRUCK = 3, OF_STORAGE = 2 };
    bool truck = order->kind == XD_TRUCK;
    const struct xd_candidate *candidate = &match->candidate;
    xd_mp_map(out, ALWAYS + (uint32_t)__builtin_popcount(match->dims) + (truck ? OF_TRUCK : OF_STORAGE));
    xd_pair_cstr(out, "state", xd_match_state_name(match->proposed ? XD_MATCH_PROPOSED : XD_MATCH_CONFIRMED));
    for (unsigned d = 0; d < XD_DIMS; d++) {
        if (match->dims >> d & 1)
            xd_pair_decimal(out, xd_dim_names[d], candidate->amount[d], xd_dim_scale[d]);
    }
    xd_pair_currency(out, "currency", order->currency);
    xd_pair_decimal(out, "quote", candidate->quote, MONEY_SCALE);
    xd_pair_decimal(out, "price", candidate->quote + candidate->surplus / 2, MONEY_SCALE);
    xd_pair_decimal(out, "surplus", candidate->surplus, MONEY_SCALE);
    xd_pair_decimal(out, "access", candidate->access, MONEY_SCALE);
    xd_pair_decimal(out, "km", candidate->km_m, KM_SCALE);
    if (truck) {
        xd_pair_decimal(out, "added_km", candidate->added_m, KM_SCALE);
        put_stop(out, "pickup", match->pickup_eta, match->pickup_leave);
        put_stop(out, "delivery", match->delivery_eta, match->delivery_leave);
    } else {
        xd_pair_day(out, "from_day", match->from_day);
        xd_pair_day(out, "until_day", match->until_day);
    }
}

static void put_matches(struct xd_buf *out, const struct xd_explanation *explanation)
{
    const struct xd_slot *order = explanation->order;
    xd_mp_cstr(out, "matches");
    xd_mp_array(out, explanation->match_count);
    for (uint32_t i = 0; i < explanation->match_count; i++) {
        put_match(out, order, &explanation->matches[i]);
    }
    xd_pair_bool(out, "more", explanation->more_matches);
    if (order->side == XD_REQUEST)
        xd_pair_decimal(out, "remaining", explanation->remaining, xd_dim_scale[xd_main_dim(order->kind)]);
}

void xd_explanation_write(const struct xd_explanation *explanation, struct xd_buf *out)
{
    enum { ALWAYS = 10 }; /* ref and id, or matches and more, among them */
    const struct xd_slot *order = explanation->order;
    bool request = order->side == XD_REQUEST;
    enum xd_dim dim = xd_main_dim(order->kind);
    xd_mp_map(out, ALWAYS + (uint32_t)request); /* open, or remaining */
    if (explanation->resting) {
        xd_pair_str(out, "ref", xd_slot_ref(order));
        xd_pair_order_id(out, "id", order->id);
        if (request) xd_pair_decimal(out, "open", order->open, xd_dim_scale[dim]);
    }
    xd_pair_cstr(out, "side", xd_side_names[order->side]);
    xd_pair_cstr(out, "kind", xd_kind_names[order->kind]);
    xd_pair_decimal(out, "amount", order->whole, xd_dim_scale[dim]);
    xd_pair_currency(out, "currency", order->currency);
    xd_pair_int(out, "in_reach", explanation->in_reach);
    xd_pair_bool(out, "complete", explanation->complete);
    xd_pair_int(out, "fits", explanation->fits);
    put_reasons(out, explanation);
    if (!explanation->resting) put_matches(out, explanation);
}

/* An order's terms in the block that the engine keeps of it, and back: the order as its owner wrote it. */
#include "core/features.h"
#include "core/schema.h"
#include "engine/state.h"

#include <string.h>

enum {
    ATP_MASK = (1 << XD_SLOT_ATP_BITS) - 1,
    REF_MASK = (1 << XD_SLOT_REF_BITS) - 1,
    NOTE_MASK = (1 << XD_SLOT_NOTE_BITS) - 1,
};

static_assert((int)XD_FIELD_COUNT <= XD_SLOT_GIVEN_BITS, "slot->given has a bit for each");
static_assert(XD_FEATURE_COUNT - XD_FEATURE_ATP == XD_SLOT_ATP_BITS, "slot->atp has a bit for each class");
static_assert((int)XD_REF_MAX <= REF_MASK && (int)XD_NOTE_MAX <= NOTE_MASK, "their lengths fit");
static_assert(XD_DIMS == 5, "slot->dims has a bit for each");

/* --- where things are in its block ---------------------------------------------------------------------------------------- */

static size_t fixed_size(unsigned side, unsigned kind)
{
    const size_t common = offsetof(struct xd_slot, truck_offer);
    if (kind == XD_TRUCK) {
        return common + (side == XD_OFFER ? sizeof(struct xd_truck_offer) : sizeof(struct xd_load));
    }
    return common + (side == XD_OFFER ? sizeof(struct xd_storage_offer) : sizeof(struct xd_storage_request));
}

static_assert(sizeof(struct xd_truck_offer) % sizeof(int64_t) == 0 && sizeof(struct xd_load) % sizeof(int64_t) == 0 &&
                  sizeof(struct xd_storage_offer) % sizeof(int64_t) == 0 &&
                  sizeof(struct xd_storage_request) % sizeof(int64_t) == 0 &&
                  offsetof(struct xd_slot, truck_offer) % sizeof(int64_t) == 0,
              "what is behind is aligned");

static unsigned stated_dims(const struct xd_order *order)
{
    return (unsigned)(order->given >> XD_F_PALLETS) & ((1u << XD_DIMS) - 1);
}

/* The dimensions whose amounts lie behind: a storage order's beside the main one. A truck's and a load's are in their own
 * structs. */
static unsigned dims_behind(unsigned kind, unsigned dims)
{
    return kind == XD_TRUCK ? 0 : dims & ~(1u << xd_main_dim((enum xd_kind)kind));
}

struct xd_account **xd_slot_mentioned(const struct xd_slot *slot)
{
    return (struct xd_account **)(void *)((char *)slot + fixed_size(slot->side, slot->kind));
}

uint32_t xd_slot_mentions(const struct xd_slot *slot)
{
    return (uint32_t)slot->only_count + slot->never_count;
}

static int64_t *amounts_behind(const struct xd_slot *slot)
{
    return (int64_t *)(void *)(xd_slot_mentioned(slot) + xd_slot_mentions(slot));
}

static char *texts(const struct xd_slot *slot)
{
    unsigned dims = dims_behind(slot->kind, slot->dims);
    return (char *)(amounts_behind(slot) + (dims ? __builtin_popcount(dims) : 0));
}

size_t xd_terms_size(const struct xd_order *order)
{
    unsigned dims = dims_behind((unsigned)order->kind, stated_dims(order));
    return fixed_size((unsigned)order->side, (unsigned)order->kind) +
           (order->only.count + order->never.count) * sizeof(struct xd_account *) +
           (size_t)__builtin_popcount(dims) * sizeof(int64_t) + order->ref.len + order->note.len;
}

struct xd_str xd_slot_ref(const struct xd_slot *slot)
{
    return (struct xd_str){texts(slot), slot->ref_len};
}

struct xd_str xd_slot_note(const struct xd_slot *slot)
{
    return (struct xd_str){texts(slot) + slot->ref_len, slot->note_len};
}

int64_t xd_slot_amount(const struct xd_slot *slot, enum xd_dim dim)
{
    if (!(slot->dims >> dim & 1)) return 0;
    if (dim == xd_main_dim((enum xd_kind)slot->kind)) return slot->whole;
    if (slot->kind == XD_TRUCK) {
        return slot->side == XD_OFFER ? slot->truck_offer.truck.capacity[dim] : slot->truck_request.amount[dim];
    }
    unsigned before = dims_behind(slot->kind, slot->dims) & ((1u << dim) - 1);
    return amounts_behind(slot)[__builtin_popcount(before)];
}

/* --- copies ---------------------------------------------------------------------------------------------------------------- */

void xd_slot_copy(struct xd_slot_copy *to, const struct xd_slot *slot)
{
    memcpy(to, slot, (size_t)(texts(slot) - (const char *)slot));
}

void xd_slot_set_amount(struct xd_slot *copy, enum xd_dim dim, int64_t amount)
{
    unsigned behind = dims_behind(copy->kind, copy->dims);
    if (dim == xd_main_dim((enum xd_kind)copy->kind)) copy->whole = (int32_t)amount;
    if (copy->kind == XD_TRUCK) {
        *(copy->side == XD_OFFER ? &copy->truck_offer.truck.capacity[dim] : &copy->truck_request.amount[dim]) = amount;
    } else if (behind >> dim & 1) {
        amounts_behind(copy)[__builtin_popcount(behind & ((1u << dim) - 1))] = amount;
    }
}

/* --- from an order --------------------------------------------------------------------------------------------------------- */

static void set_truck_offer(struct xd_slot *slot, const struct xd_order *order, int32_t road_factor_e4)
{
    struct xd_truck *truck = &slot->truck_offer.truck;
    *truck = (struct xd_truck){.from = xd_place_vector(order->from),
                               .has_to = xd_order_gave(order, XD_F_TO),
                               .has_temp = slot->has_temp,
                               .dims = slot->dims,
                               .road_factor_e4 = road_factor_e4,
                               .max_detour_m = (int32_t)order->max_detour_m,
                               .available_from = order->available_from,
                               .available_until = order->available_until,
                               .speed = (int32_t)order->speed,
                               .temp = slot->temp};
    memcpy(truck->capacity, order->amount, sizeof truck->capacity);
    if (truck->has_to) {
        truck->to = xd_place_vector(order->to);
        truck->lane_m = (int32_t)xd_distance_m(truck->from, truck->to, road_factor_e4);
    }
    xd_plan_init(&slot->truck_offer.plan, truck);
    slot->truck_offer.from = order->from;
    slot->truck_offer.to = order->to;
    slot->truck_offer.base = order->base;
    slot->truck_offer.per_t_km = order->per_t_km;
    slot->truck_offer.per_detour_km = order->per_detour_km;
}

static void set_truck_request(struct xd_slot *slot, const struct xd_order *order, int32_t road_factor_e4)
{
    struct xd_load *load = &slot->truck_request;
    *load = (struct xd_load){.request_id = slot->id,
                             .pickup = xd_place_vector(order->from),
                             .delivery = xd_place_vector(order->to),
                             .pickup_place = order->from,
                             .delivery_place = order->to,
                             .pickup_from = order->pickup_from,
                             .pickup_until = order->pickup_until,
                             .deliver_until = order->deliver_until,
                             .load_s = (int32_t)order->load_min * 60,
                             .unload_s = (int32_t)order->unload_min * 60,
                             .temp = slot->temp,
                             .has_temp = slot->has_temp};
    load->direct_m = (int32_t)xd_distance_m(load->pickup, load->delivery, road_factor_e4);
    memcpy(load->amount, order->amount, sizeof load->amount);
}

static void set_storage(struct xd_slot *slot, const struct xd_order *order)
{
    int64_t *behind = amounts_behind(slot);
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (dims_behind(slot->kind, slot->dims) >> dim & 1) *behind++ = order->amount[dim];
    }
    if (slot->side == XD_OFFER) {
        slot->storage_offer = (struct xd_storage_offer){.at = xd_place_vector(order->at),
                                                        .place = order->at,
                                                        .base = order->base,
                                                        .per_unit_day = order->per_unit_day,
                                                        .from_day = (int32_t)order->from_day,
                                                        .until_day = (int32_t)order->until_day};
    } else {
        slot->storage_request = (struct xd_storage_request){.at = xd_place_vector(order->at),
                                                            .place = order->at,
                                                            .per_access_km = order->per_access_km,
                                                            .radius_m = (int32_t)order->radius_m,
                                                            .from_day = (int32_t)order->from_day,
                                                            .until_day = (int32_t)order->until_day};
    }
}

static void set_common(struct xd_slot *slot, const struct xd_order *order)
{
    slot->side = (uint8_t)order->side;
    slot->kind = (uint8_t)order->kind;
    slot->fill = (uint8_t)order->fill;
    slot->confirm = order->confirm == XD_CONFIRM_MANUAL;
    slot->dims = stated_dims(order) & 0x1f;
    slot->min_credit = (int16_t)order->min_credit;
    slot->features = slot->side == XD_OFFER ? xd_features_implied(order->features) : order->features;
    slot->atp = order->features >> XD_FEATURE_ATP & ATP_MASK;
    slot->given = order->given & ((UINT64_C(1) << XD_SLOT_GIVEN_BITS) - 1);
    slot->currency = (int32_t)order->currency;
    slot->valid_until = order->valid_until;
    slot->hold_s = (int32_t)order->hold_s;
    slot->min_part = (int32_t)order->min_part;
    slot->has_temp = xd_order_gave(order, XD_F_TEMP_C);
    slot->temp = (struct xd_band){(int16_t)order->temp.min, (int16_t)order->temp.max};
    slot->max_price = order->max_price;
    slot->whole = (int32_t)order->amount[xd_main_dim((enum xd_kind)order->kind)];
    slot->open = slot->side == XD_REQUEST ? slot->whole : 0;
    slot->only_count = (uint8_t)order->only.count;
    slot->never_count = (uint8_t)order->never.count;
}

static void set_texts(struct xd_slot *slot, const struct xd_order *order)
{
    slot->ref_len = order->ref.len & REF_MASK;
    slot->note_len = order->note.len & NOTE_MASK;
    char *at = texts(slot);
    memcpy(at, order->ref.at, slot->ref_len);
    if (slot->note_len) memcpy(at + slot->ref_len, order->note.at, slot->note_len);
}

void xd_terms_set(struct xd_slot *slot, const struct xd_order *order, int32_t road_factor_e4)
{
    set_common(slot, order);
    set_texts(slot, order);
    if (slot->kind != XD_TRUCK) {
        set_storage(slot, order);
    } else {
        (slot->side == XD_OFFER ? set_truck_offer : set_truck_request)(slot, order, road_factor_e4);
    }
}

/* --- and back -------------------------------------------------------------------------------------------------------------- */

static void get_truck_offer(const struct xd_slot *slot, struct xd_order *out)
{
    const struct xd_truck *truck = &slot->truck_offer.truck;
    out->from = slot->truck_offer.from;
    out->to = slot->truck_offer.to;
    out->max_detour_m = truck->max_detour_m;
    out->available_from = truck->available_from;
    out->available_until = truck->available_until;
    out->speed = truck->speed;
    out->base = slot->truck_offer.base;
    out->per_t_km = slot->truck_offer.per_t_km;
    out->per_detour_km = slot->truck_offer.per_detour_km;
}

static void get_truck_request(const struct xd_slot *slot, struct xd_order *out)
{
    const struct xd_load *load = &slot->truck_request;
    out->from = load->pickup_place;
    out->to = load->delivery_place;
    out->pickup_from = load->pickup_from;
    out->pickup_until = load->pickup_until;
    out->deliver_until = load->deliver_until;
    out->load_min = load->load_s / 60;
    out->unload_min = load->unload_s / 60;
}

static void get_storage_offer(const struct xd_slot *slot, struct xd_order *out)
{
    out->at = slot->storage_offer.place;
    out->from_day = slot->storage_offer.from_day;
    out->until_day = slot->storage_offer.until_day;
    out->base = slot->storage_offer.base;
    out->per_unit_day = slot->storage_offer.per_unit_day;
}

static void get_storage_request(const struct xd_slot *slot, struct xd_order *out)
{
    out->at = slot->storage_request.place;
    out->from_day = slot->storage_request.from_day;
    out->until_day = slot->storage_request.until_day;
    out->radius_m = slot->storage_request.radius_m;
    out->per_access_km = slot->storage_request.per_access_km;
}

static void get_mentioned(struct xd_account *const *accounts, uint32_t count, struct xd_accounts *out)
{
    out->count = count;
    for (uint32_t i = 0; i < count; i++) {
        out->at[i] = (struct xd_str){accounts[i]->name, accounts[i]->len};
    }
}

static void get_common(const struct xd_slot *slot, struct xd_order *out)
{
    const uint64_t atp = (uint64_t)ATP_MASK << XD_FEATURE_ATP;
    out->given = slot->given;
    out->side = slot->side;
    out->kind = slot->kind;
    out->fill = slot->fill;
    out->confirm = slot->confirm;
    out->ref = xd_slot_ref(slot);
    out->note = xd_slot_note(slot);
    out->valid_until = slot->valid_until;
    out->hold_s = slot->hold_s;
    out->min_credit = slot->min_credit;
    out->features = (slot->features & ~atp) | (uint64_t)slot->atp << XD_FEATURE_ATP;
    out->currency = slot->currency;
    out->min_part = slot->min_part;
    out->temp = (struct xd_range){slot->temp.min, slot->temp.max};
    out->max_price = slot->max_price;
    get_mentioned(xd_slot_mentioned(slot), slot->only_count, &out->only);
    get_mentioned(xd_slot_mentioned(slot) + slot->only_count, slot->never_count, &out->never);
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        out->amount[dim] = xd_slot_amount(slot, (enum xd_dim)dim);
    }
}

void xd_slot_order(const struct xd_slot *slot, struct xd_order *out)
{
    *out = (struct xd_order){0};
    get_common(slot, out);
    if (slot->kind == XD_TRUCK) {
        (slot->side == XD_OFFER ? get_truck_offer : get_truck_request)(slot, out);
    } else {
        (slot->side == XD_OFFER ? get_storage_offer : get_storage_request)(slot, out);
    }
}

/* Making and unmaking the orders that the engine holds. */
#include "core/features.h"
#include "core/schema.h"
#include "matcher/state.h"

#include <string.h>

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

/* The dimensions whose amounts lie behind: a storage order's beside the main one. A truck's and a load's are in their own
 * structs. */
static unsigned dims_behind(unsigned kind, unsigned dims)
{
    return kind == XD_TRUCK ? 0 : dims & ~(1u << xd_main_dim((enum xd_kind)kind));
}

static size_t mentioned_count(const struct xd_slot *slot)
{
    return (size_t)slot->only_count + slot->never_count;
}

static struct xd_account **mentioned(const struct xd_slot *slot)
{
    return (struct xd_account **)(void *)((char *)slot + fixed_size(slot->side, slot->kind));
}

static int64_t *amounts_behind(const struct xd_slot *slot)
{
    return (int64_t *)(void *)(mentioned(slot) + mentioned_count(slot));
}

static uint8_t *packed(const struct xd_slot *slot)
{
    unsigned count = (unsigned)__builtin_popcount(dims_behind(slot->kind, slot->dims));
    return (uint8_t *)(amounts_behind(slot) + count);
}

struct xd_account *const *xd_slot_mentioned(const struct xd_slot *slot)
{
    return mentioned(slot);
}

const uint8_t *xd_slot_packed(const struct xd_slot *slot)
{
    return packed(slot);
}

struct xd_str xd_slot_ref(const struct xd_slot *slot)
{
    return (struct xd_str){(const char *)packed(slot) + slot->ref_at, slot->ref_len};
}

struct xd_str xd_slot_note(const struct xd_slot *slot)
{
    return (struct xd_str){(const char *)packed(slot) + slot->note_at, slot->note_len};
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

void xd_slot_copy(struct xd_slot_copy *to, const struct xd_slot *slot)
{
    memcpy(to, slot, (size_t)(packed(slot) - (const uint8_t *)slot));
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

/* --- making ---------------------------------------------------------------------------------------------------------------- */

static unsigned stated_dims(const struct xd_order *order)
{
    return (unsigned)(order->given >> XD_F_PALLETS) & ((1u << XD_DIMS) - 1);
}

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
                                                        .base = order->base,
                                                        .per_unit_day = order->per_unit_day,
                                                        .from_day = (int32_t)order->from_day,
                                                        .until_day = (int32_t)order->until_day};
    } else {
        slot->storage_request = (struct xd_storage_request){.at = xd_place_vector(order->at),
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
    slot->confirm = (uint8_t)order->confirm;
    slot->dims = stated_dims(order) & 0x1f;
    slot->min_credit = (int16_t)order->min_credit;
    slot->features = slot->side == XD_OFFER ? xd_features_implied(order->features) : order->features;
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

static_assert(XD_DIMS == 5, "slot->dims has a bit for each");

/* Where a text of the order stands in its packed form, which the order keeps. */
static size_t position(const struct xd_slot *slot, struct xd_str text)
{
    const uint8_t *start = packed(slot), *at = start, *end = start + slot->packed_len;
    while (at && text.len && memcmp(at, text.at, text.len) != 0) {
        at++;
        at = memchr(at, text.at[0], (size_t)(end - at));
    }
    return at ? (size_t)(at - start) : 0;
}

static void keep_packed(struct xd_slot *slot, const struct xd_order *order, const struct xd_buf *bytes)
{
    slot->packed_len = (uint16_t)bytes->len;
    memcpy(packed(slot), bytes->data, bytes->len);
    slot->ref_at = (uint8_t)position(slot, order->ref); /* always among the first */
    slot->ref_len = (uint8_t)order->ref.len;
    slot->note_at = (uint16_t)position(slot, order->note);
    slot->note_len = (uint16_t)order->note.len;
}

static bool mention_all(struct xd_engine *engine, struct xd_slot *slot, const struct xd_order *order,
                        struct xd_str account)
{
    size_t count = mentioned_count(slot);
    slot->account = xd_account_mention(&engine->accounts, account);
    bool good = slot->account;
    for (size_t done = 0; good && done < count; done++) {
        struct xd_str name = done < slot->only_count ? order->only.at[done] : order->never.at[done - slot->only_count];
        mentioned(slot)[done] = xd_account_mention(&engine->accounts, name);
        good = mentioned(slot)[done];
    }
    return good;
}

/* A block for the order and its packed form, all zero. */
static struct xd_slot *new_slot(struct xd_engine *engine, const struct xd_order *order, size_t packed_len)
{
    unsigned behind = dims_behind((unsigned)order->kind, stated_dims(order));
    size_t size = fixed_size((unsigned)order->side, (unsigned)order->kind) +
                  (order->only.count + order->never.count) * sizeof(struct xd_account *) +
                  (size_t)__builtin_popcount(behind) * sizeof(int64_t) + packed_len;
    return xd_pool_take(&engine->pool, size);
}

struct xd_slot *xd_slot_create(struct xd_engine *engine, const struct xd_order *order, struct xd_str account, uint64_t id,
                               int64_t credit)
{
    struct xd_buf *bytes = &engine->packed;
    xd_buf_clear(bytes);
    xd_order_pack(order, bytes);
    struct xd_slot *slot = bytes->failed ? NULL : new_slot(engine, order, bytes->len);
    if (slot) {
        slot->id = id;
        slot->credit = (int16_t)credit;
        set_common(slot, order);
        keep_packed(slot, order, bytes);
        int32_t road_factor_e4 = engine->options.market.road_factor_e4;
        if (slot->kind != XD_TRUCK) {
            set_storage(slot, order);
        } else {
            (slot->side == XD_OFFER ? set_truck_offer : set_truck_request)(slot, order, road_factor_e4);
        }
        slot->lapse.class = XD_DEADLINE_ORDER;
        if (!mention_all(engine, slot, order, account)) {
            xd_slot_destroy(engine, slot);
            slot = NULL;
        }
    }
    if (!slot) engine->failed = true;
    return slot;
}

void xd_slot_destroy(struct xd_engine *engine, struct xd_slot *slot)
{
    if (slot->account) xd_account_forget(&engine->accounts, slot->account);
    for (size_t i = 0; i < mentioned_count(slot); i++) {
        if (mentioned(slot)[i]) xd_account_forget(&engine->accounts, mentioned(slot)[i]);
    }
    if (slot->side == XD_OFFER && slot->kind == XD_TRUCK) xd_plan_free(&slot->truck_offer.plan, &engine->pool);
    if (slot->side == XD_OFFER && slot->kind != XD_TRUCK) xd_pool_give(&engine->pool, slot->storage_offer.calendar);
    xd_pool_give(&engine->pool, slot->barred);
    xd_pool_give(&engine->pool, slot);
}

/* --- entering and leaving -------------------------------------------------------------------------------------------------- */

static struct xd_slot_links *links(const struct xd_engine *engine, xd_link at, bool mine)
{
    struct xd_slot *slot = xd_slot_at(engine, at);
    return mine ? &slot->mine : &slot->everybody;
}

static void link_last(const struct xd_engine *engine, xd_link at, bool mine, xd_link *first, xd_link *last)
{
    links(engine, at, mine)->before = *last;
    *(*last ? &links(engine, *last, mine)->after : first) = at;
    *last = at;
}

static void unlink_from(const struct xd_engine *engine, xd_link at, bool mine, xd_link *first, xd_link *last)
{
    struct xd_slot_links own = *links(engine, at, mine);
    *(own.before ? &links(engine, own.before, mine)->after : first) = own.after;
    *(own.after ? &links(engine, own.after, mine)->before : last) = own.before;
}

bool xd_slot_enter(struct xd_engine *engine, struct xd_slot *slot)
{
    if (!xd_table_put(&engine->orders, slot)) {
        engine->failed = true;
        return false;
    }
    if (!xd_mark_enter(engine->unhashed, &slot->mark, false)) engine->failed = true;
    xd_link at = xd_pool_link(slot);
    link_last(engine, at, false, &engine->first_order, &engine->last_order);
    link_last(engine, at, true, &slot->account->first_order, &slot->account->last_order);
    engine->order_count++;
    return true;
}

void xd_slot_leave(struct xd_engine *engine, struct xd_slot *slot)
{
    struct xd_account *account = slot->account;
    xd_output_close_ref(engine->output, (struct xd_str){account->name, account->len}, xd_slot_ref(slot), false);
    xd_touch_order(engine, slot);
    xd_slices_pass_order(engine, slot);
    xd_mark_leave(engine->unhashed, &slot->mark);
    xd_table_remove(&engine->orders, slot->id);
    xd_deadlines_remove(&engine->deadlines, &slot->lapse);
    xd_link at = xd_pool_link(slot);
    unlink_from(engine, at, false, &engine->first_order, &engine->last_order);
    unlink_from(engine, at, true, &account->first_order, &account->last_order);
    engine->order_count--;
    slot->dead = true;
    xd_book_update(engine, slot);
    slot->everybody.after = engine->graveyard;
    engine->graveyard = at;
}

/* --- what is free ---------------------------------------------------------------------------------------------------------- */

int64_t xd_slot_free(const struct xd_slot *storage_offer, enum xd_dim dim, int64_t from, int64_t until)
{
    const struct xd_calendar *calendar = storage_offer->storage_offer.calendar;
    return calendar ? xd_calendar_free_of(calendar, dim, from, until) : xd_slot_amount(storage_offer, dim);
}

int64_t xd_slot_most_free(const struct xd_slot *storage_offer)
{
    const struct xd_calendar *calendar = storage_offer->storage_offer.calendar;
    if (!calendar) return storage_offer->whole;
    return xd_calendar_most_free(calendar, xd_main_dim((enum xd_kind)storage_offer->kind));
}

bool xd_slot_take(struct xd_engine *engine, struct xd_slot *storage_offer, const int64_t amount[XD_DIMS], int64_t from,
                  int64_t until)
{
    struct xd_storage_offer *storage = &storage_offer->storage_offer;
    if (!storage->calendar) {
        int64_t capacity[XD_DIMS];
        for (unsigned dim = 0; dim < XD_DIMS; dim++) {
            capacity[dim] = xd_slot_amount(storage_offer, (enum xd_dim)dim);
        }
        storage->calendar = xd_calendar_create(&engine->pool, storage->from_day, storage->until_day, storage_offer->dims,
                                               capacity);
    }
    return storage->calendar && xd_calendar_take(&engine->pool, &storage->calendar, amount, from, until);
}

bool xd_slot_give(struct xd_engine *engine, struct xd_slot *storage_offer, const int64_t amount[XD_DIMS], int64_t from,
                  int64_t until)
{
    return xd_calendar_give(&engine->pool, &storage_offer->storage_offer.calendar, amount, from, until);
}

/* --- not again ------------------------------------------------------------------------------------------------------------- */

bool xd_slot_barred(const struct xd_slot *request, uint64_t offer_id)
{
    const struct xd_barred *barred = request->barred;
    for (uint32_t i = 0; barred && i < barred->count; i++) {
        if (barred->offers[i] == offer_id) return true;
    }
    return false;
}

/* Forgets offers that are gone: they cannot come back. */
static void forget_gone(const struct xd_engine *engine, struct xd_barred *barred)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < barred->count; i++) {
        if (xd_table_get(&engine->orders, barred->offers[i])) barred->offers[kept++] = barred->offers[i];
    }
    barred->count = kept;
}

bool xd_slot_bar_room(struct xd_engine *engine, struct xd_slot *request, uint32_t room)
{
    const struct xd_barred *old = request->barred;
    struct xd_barred *barred = xd_pool_take(&engine->pool, sizeof *barred + room * sizeof *barred->offers);
    if (!barred) return false;
    barred->room = (uint32_t)((xd_pool_room(barred) - sizeof *barred) / sizeof *barred->offers);
    if (old) {
        barred->count = old->count;
        memcpy(barred->offers, old->offers, old->count * sizeof *old->offers);
    }
    xd_pool_give(&engine->pool, request->barred);
    request->barred = barred;
    return true;
}

bool xd_slot_bar_tried(struct xd_engine *engine, struct xd_slot *order, uint64_t other_id)
{
    uint32_t i = order->barred ? order->barred->count : 0;
    bool full = !order->barred || i == order->barred->room;
    if (full && !xd_slot_bar_room(engine, order, i + 1 + i / 2)) return false;
    uint64_t *others = order->barred->offers;
    for (; i > 0 && others[i - 1] > other_id; i--) {
        others[i] = others[i - 1];
    }
    others[i] = other_id;
    order->barred->count++;
    return true;
}

void xd_slot_bar(struct xd_engine *engine, struct xd_slot *request, uint64_t offer_id)
{
    if (xd_slot_barred(request, offer_id)) return;
    xd_touch_order(engine, request);
    if (request->barred) forget_gone(engine, request->barred); /* each time, so that the list follows from the log alone */
    if (!xd_slot_bar_tried(engine, request, offer_id)) engine->failed = true;
}

enum xd_order_state xd_slot_state(const struct xd_slot *slot)
{
    if (slot->ended == XD_ENDED_EXPIRED) return XD_ORDER_EXPIRED;
    if (slot->ended != XD_LIVE) return XD_ORDER_CANCELLED;
    if (slot->side == XD_OFFER || !slot->confirmed) return XD_ORDER_OPEN;
    return slot->confirmed == slot->whole ? XD_ORDER_FILLED : XD_ORDER_PARTLY_FILLED;
}

bool xd_rests(const struct xd_slot *slot)
{
    if (slot->dead || slot->ended != XD_LIVE || slot->fill != XD_FILL_REST) return false;
    return slot->side == XD_OFFER || slot->open > 0;
}

/* Making and unmaking the orders that the engine holds. */
#include "core/features.h"
#include "core/schema.h"
#include "matcher/state.h"

#include <stdlib.h>
#include <string.h>

static uint8_t stated_dims(const struct xd_order *order)
{
    return (uint8_t)(order->given >> XD_F_PALLETS & ((1u << XD_DIMS) - 1));
}

static void set_truck_offer(struct xd_slot *slot, const struct xd_order *order, int32_t road_factor_e4)
{
    struct xd_truck *truck = &slot->truck_offer.truck;
    *truck = (struct xd_truck){.from = xd_place_vector(order->from),
                               .has_to = xd_order_gave(order, XD_F_TO),
                               .has_temp = slot->has_temp,
                               .dims = slot->dims,
                               .road_factor_e4 = road_factor_e4,
                               .max_detour_m = order->max_detour_m,
                               .available_from = order->available_from,
                               .available_until = order->available_until,
                               .speed = order->speed,
                               .temp = slot->temp};
    memcpy(truck->capacity, order->amount, sizeof truck->capacity);
    if (truck->has_to) {
        truck->to = xd_place_vector(order->to);
        truck->lane_m = xd_distance_m(truck->from, truck->to, road_factor_e4);
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
                             .load_s = order->load_min * 60,
                             .unload_s = order->unload_min * 60,
                             .temp = slot->temp,
                             .has_temp = slot->has_temp};
    load->direct_m = xd_distance_m(load->pickup, load->delivery, road_factor_e4);
    memcpy(load->amount, order->amount, sizeof load->amount);
}

static void set_kind(struct xd_slot *slot, const struct xd_order *order, int32_t road_factor_e4)
{
    bool offer = slot->side == XD_OFFER;
    if (slot->kind == XD_TRUCK && offer) {
        set_truck_offer(slot, order, road_factor_e4);
    } else if (slot->kind == XD_TRUCK) {
        set_truck_request(slot, order, road_factor_e4);
    } else if (offer) {
        slot->storage_offer.at = xd_place_vector(order->at);
        xd_calendar_init(&slot->storage_offer.calendar, order, slot->dims);
        slot->storage_offer.base = order->base;
        slot->storage_offer.per_unit_day = order->per_unit_day;
    } else {
        slot->storage_request.at = xd_place_vector(order->at);
        slot->storage_request.radius_m = order->radius_m;
        slot->storage_request.from_day = order->from_day;
        slot->storage_request.until_day = order->until_day;
        slot->storage_request.per_access_km = order->per_access_km;
    }
}

static void set_common(struct xd_slot *slot, const struct xd_order *order)
{
    slot->side = (uint8_t)order->side;
    slot->kind = (uint8_t)order->kind;
    slot->fill = (uint8_t)order->fill;
    slot->confirm = (uint8_t)order->confirm;
    slot->dims = stated_dims(order);
    slot->min_credit = (int32_t)order->min_credit;
    slot->features = slot->side == XD_OFFER ? xd_features_implied(order->features) : order->features;
    slot->currency = order->currency;
    slot->valid_until = order->valid_until;
    slot->hold_s = order->hold_s;
    slot->min_part = order->min_part;
    slot->has_temp = xd_order_gave(order, XD_F_TEMP_C);
    slot->temp = order->temp;
    slot->max_price = order->max_price;
    memcpy(slot->amount, order->amount, sizeof slot->amount);
    slot->only_count = (uint8_t)order->only.count;
    slot->never_count = (uint8_t)order->never.count;
}

/* The strings that outlive the record are those of the packed form that the order keeps. */
static struct xd_str kept_string(const struct xd_slot *slot, struct xd_str text)
{
    const void *at = text.len ? memmem(slot->packed, slot->packed_len, text.at, text.len) : NULL;
    return (struct xd_str){.at = at, .len = at ? text.len : 0};
}

static bool mention_all(struct xd_engine *engine, struct xd_slot *slot, const struct xd_order *order,
                        struct xd_str account)
{
    uint32_t count = slot->only_count + slot->never_count;
    uint32_t done = 0;
    slot->mentioned = count ? calloc(count, sizeof(struct xd_account *)) : NULL;
    slot->account = xd_account_mention(&engine->accounts, account);
    bool good = slot->account && (slot->mentioned || !count);
    for (; good && done < count; done++) {
        struct xd_str name =
            done < slot->only_count ? order->only.at[done] : order->never.at[done - slot->only_count];
        slot->mentioned[done] = xd_account_mention(&engine->accounts, name);
        good = slot->mentioned[done];
    }
    return good;
}

struct xd_slot *xd_slot_create(struct xd_engine *engine, const struct xd_order *order, struct xd_str account, uint64_t id,
                               int64_t credit)
{
    struct xd_buf packed;
    xd_buf_init(&packed, 64 << 10);
    xd_order_pack(order, &packed);
    struct xd_slot *slot = packed.failed ? NULL : calloc(1, sizeof *slot + packed.len);
    if (slot) {
        slot->id = id;
        slot->credit = (int32_t)credit;
        slot->packed_len = (uint32_t)packed.len;
        memcpy(slot->packed, packed.data, packed.len);
        set_common(slot, order);
        set_kind(slot, order, engine->options.market.road_factor_e4);
        slot->ref = kept_string(slot, order->ref);
        slot->note = kept_string(slot, order->note);
        slot->open = slot->side == XD_REQUEST ? slot->amount[xd_main_dim(slot->kind)] : 0;
        slot->lapse.class = XD_DEADLINE_ORDER;
        if (!mention_all(engine, slot, order, account)) {
            xd_slot_destroy(engine, slot);
            slot = NULL;
        }
    }
    xd_buf_free(&packed);
    if (!slot) engine->failed = true;
    return slot;
}

void xd_slot_destroy(struct xd_engine *engine, struct xd_slot *slot)
{
    if (slot->account) xd_account_forget(&engine->accounts, slot->account);
    for (uint32_t i = 0; slot->mentioned && i < (uint32_t)slot->only_count + slot->never_count; i++) {
        if (slot->mentioned[i]) xd_account_forget(&engine->accounts, slot->mentioned[i]);
    }
    if (slot->side == XD_OFFER && slot->kind == XD_TRUCK) xd_plan_free(&slot->truck_offer.plan);
    if (slot->side == XD_OFFER && slot->kind != XD_TRUCK) xd_calendar_free(&slot->storage_offer.calendar);
    free(slot->mentioned);
    free(slot->barred);
    free(slot);
}

bool xd_slot_enter(struct xd_engine *engine, struct xd_slot *slot)
{
    slot->lapse.age = slot->age;
    if (!xd_table_put(&engine->orders, slot->id, slot)) {
        engine->failed = true;
        return false;
    }
    if (!xd_mark_enter(engine->unhashed, &slot->mark, false)) engine->failed = true;
    slot->everybody.before = engine->last_order;
    *(engine->last_order ? &engine->last_order->everybody.after : &engine->first_order) = slot;
    engine->last_order = slot;
    struct xd_account *account = slot->account;
    slot->mine.before = account->last_order;
    *(account->last_order ? &account->last_order->mine.after : &account->first_order) = slot;
    account->last_order = slot;
    engine->order_count++;
    return true;
}

void xd_slot_leave(struct xd_engine *engine, struct xd_slot *slot)
{
    xd_output_close_ref(engine->output, (struct xd_str){slot->account->name, slot->account->len}, slot->ref, false);
    xd_touch_order(engine, slot);
    xd_slices_pass_order(engine, slot);
    xd_mark_leave(engine->unhashed, &slot->mark);
    xd_table_remove(&engine->orders, slot->id);
    xd_deadlines_remove(&engine->deadlines, &slot->lapse);
    struct xd_slot *before = slot->everybody.before, *after = slot->everybody.after;
    *(before ? &before->everybody.after : &engine->first_order) = after;
    *(after ? &after->everybody.before : &engine->last_order) = before;
    before = slot->mine.before;
    after = slot->mine.after;
    *(before ? &before->mine.after : &slot->account->first_order) = after;
    *(after ? &after->mine.before : &slot->account->last_order) = before;
    engine->order_count--;
    slot->dead = true;
    xd_book_update(engine, slot);
    slot->everybody.after = engine->graveyard;
    engine->graveyard = slot;
}

bool xd_slot_barred(const struct xd_slot *request, uint64_t offer_id)
{
    for (uint32_t i = 0; i < request->barred_count; i++) {
        if (request->barred[i] == offer_id) return true;
    }
    return false;
}

/* Forgets offers that are gone: they cannot come back. */
static void forget_gone(const struct xd_engine *engine, struct xd_slot *request)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < request->barred_count; i++) {
        if (xd_table_get(&engine->orders, request->barred[i])) request->barred[kept++] = request->barred[i];
    }
    request->barred_count = kept;
}

static bool make_room(struct xd_slot *request)
{
    if (request->barred_count < request->barred_room) return true;
    uint32_t room = request->barred_room ? request->barred_room * 2 : 4;
    uint64_t *barred = realloc(request->barred, room * sizeof *barred);
    if (!barred) return false;
    request->barred = barred;
    request->barred_room = room;
    return true;
}

void xd_slot_bar(struct xd_engine *engine, struct xd_slot *request, uint64_t offer_id)
{
    if (xd_slot_barred(request, offer_id)) return;
    xd_touch_order(engine, request);
    forget_gone(engine, request); /* each time, so that the list follows from the log alone */
    if (!make_room(request)) {
        engine->failed = true;
        return;
    }
    uint32_t i = request->barred_count++;
    for (; i > 0 && request->barred[i - 1] > offer_id; i--) {
        request->barred[i] = request->barred[i - 1];
    }
    request->barred[i] = offer_id;
}

enum xd_order_state xd_slot_state(const struct xd_slot *slot)
{
    if (slot->ended == XD_ENDED_EXPIRED) return XD_ORDER_EXPIRED;
    if (slot->ended != XD_LIVE) return XD_ORDER_CANCELLED;
    if (slot->side == XD_OFFER || !slot->confirmed) return XD_ORDER_OPEN;
    return slot->confirmed == slot->amount[xd_main_dim(slot->kind)] ? XD_ORDER_FILLED : XD_ORDER_PARTLY_FILLED;
}

bool xd_rests(const struct xd_slot *slot)
{
    if (slot->dead || slot->ended != XD_LIVE || slot->fill != XD_FILL_REST) return false;
    return slot->side == XD_OFFER || slot->open > 0;
}

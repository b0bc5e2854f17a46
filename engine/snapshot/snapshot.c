/* The engine's state in bytes and back, and its hash.
 *
 * A run of MessagePack arrays: a header with the counts, then each order as they came, then each match by id. Nothing in it
 * depends on how the engine came by its state: no table order, no capacity of an array. */
#include "core/mp.h"
#include "engine/border/border.h"
#include "engine/snapshot/unpack.h"

#include <stddef.h>
#include <stdlib.h>
#include <xxhash.h>

enum { SNAPSHOT_VERSION = 1 };

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

void xd_pack_header(const struct xd_engine *engine, struct xd_buf *out)
{
    xd_mp_array(out, engine->border ? 8 : 7);
    xd_mp_uint(out, SNAPSHOT_VERSION);
    xd_mp_int(out, engine->now);
    xd_mp_uint(out, engine->next_age);
    xd_mp_uint(out, engine->next_match);
    xd_mp_uint(out, engine->order_count);
    xd_mp_uint(out, engine->deal_count);
    xd_mp_array(out, 2 * engine->seen.count);
    for (uint32_t i = 0; i < engine->seen.count; i++) {
        xd_mp_uint(out, engine->seen.intervals[i].first);
        xd_mp_uint(out, engine->seen.intervals[i].last);
    }
    if (engine->border) xd_border_pack_header(engine->border, out);
}

enum { LOAD_FIELDS = 20 };

static void write_load(struct xd_buf *out, const struct xd_load *load)
{
    xd_mp_array(out, LOAD_FIELDS);
    xd_mp_uint(out, load->match_id);
    xd_mp_uint(out, load->request_id);
    xd_mp_int(out, load->pickup_place.lat_e7);
    xd_mp_int(out, load->pickup_place.lon_e7);
    xd_mp_int(out, load->delivery_place.lat_e7);
    xd_mp_int(out, load->delivery_place.lon_e7);
    xd_mp_int(out, load->pickup_from);
    xd_mp_int(out, load->pickup_until);
    xd_mp_int(out, load->deliver_until);
    xd_mp_int(out, load->load_s);
    xd_mp_int(out, load->unload_s);
    xd_mp_int(out, load->direct_m);
    xd_write_amounts(out, load->amount);
    xd_mp_int(out, load->has_temp ? load->temp.min : 0);
    xd_mp_int(out, load->has_temp ? load->temp.max : 0);
    xd_mp_int(out, load->has_temp | load->picked_up << 1 | load->off << 2);
}

/* A stop carries its load where the load appears first; a delivery later on names it by that position. */
void xd_pack_plan(const struct xd_plan *plan, struct xd_buf *out)
{
    xd_mp_array(out, 6 + plan->count);
    xd_mp_double(out, plan->at.x);
    xd_mp_double(out, plan->at.y);
    xd_mp_double(out, plan->at.z);
    xd_mp_int(out, plan->free);
    xd_mp_int(out, plan->done_m);
    xd_mp_int(out, plan->direct_m);
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        uint32_t first = 0;
        while (plan->stops[first].load != stop->load) {
            first++;
        }
        xd_mp_array(out, 7);
        xd_mp_int(out, stop->delivery);
        xd_mp_int(out, stop->leg_m);
        xd_mp_int(out, stop->depart);
        xd_mp_int(out, stop->start);
        xd_mp_int(out, stop->end);
        xd_mp_int(out, stop->told);
        if (first == i) {
            write_load(out, stop->load);
        } else {
            xd_mp_uint(out, first);
        }
    }
}

/* What is free on each day, dimension after dimension: runs of equal days, (value, length) pairs. Returns how many; writes them
 * where `out` is given. */
static uint32_t calendar_runs(const struct xd_calendar *calendar, struct xd_buf *out)
{
    uint32_t runs = 0;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (!(calendar->dims >> dim & 1)) continue;
        int64_t start = calendar->from_day;
        for (uint32_t i = 0; i < calendar->count; i++) {
            int64_t free = xd_calendar_step_free(calendar, i, (enum xd_dim)dim), end = xd_calendar_step_end(calendar, i);
            bool last = i + 1u == calendar->count;
            if (!last && xd_calendar_step_free(calendar, i + 1, (enum xd_dim)dim) == free) continue;
            runs++;
            if (out) {
                xd_mp_int(out, free);
                xd_mp_int(out, end - start);
            }
            start = end;
        }
    }
    return runs;
}

static void write_calendar(struct xd_buf *out, const struct xd_calendar *calendar)
{
    xd_mp_array(out, calendar ? 2 * calendar_runs(calendar, NULL) : 0);
    if (calendar) calendar_runs(calendar, out);
}

static void write_barred(struct xd_buf *out, const struct xd_barred *barred)
{
    uint32_t count = barred ? barred->count : 0;
    xd_mp_array(out, count);
    for (uint32_t i = 0; i < count; i++) {
        xd_mp_uint(out, barred->offers[i]);
    }
}

/* The order in the ledger's form, as bytes. */
void xd_pack_terms(const struct xd_slot *slot, struct xd_buf *out)
{
    struct xd_order order;
    xd_slot_order(slot, &order);
    uint8_t bytes[XD_ORDER_PACKED_MAX];
    struct xd_buf packed = {.data = bytes, .cap = sizeof bytes, .limit = sizeof bytes}; /* never grows */
    xd_order_pack(&order, &packed);
    xd_mp_bin(out, packed.data, packed.len);
}

void xd_pack_order(const struct xd_slot *slot, struct xd_buf *out)
{
    xd_mp_array(out, 10);
    xd_mp_uint(out, slot->id);
    xd_mp_uint(out, slot->age);
    xd_mp_str(out, slot->account->name, slot->account->len);
    xd_mp_int(out, slot->credit);
    xd_mp_uint(out, slot->ended);
    xd_mp_int(out, slot->open);
    xd_mp_int(out, slot->confirmed);
    write_barred(out, slot->barred);
    xd_pack_terms(slot, out);
    if (slot->side == XD_REQUEST) {
        xd_mp_nil(out);
    } else if (slot->kind == XD_TRUCK) {
        xd_pack_plan(&slot->truck_offer.plan, out);
    } else {
        write_calendar(out, slot->storage_offer.calendar);
    }
}

/* An order of this partition by its id; a copy that the match alone has, as it is. */
static void write_party(const struct xd_slot *slot, struct xd_buf *out)
{
    if (slot->role == XD_ROLE_IMAGE) {
        xd_pack_image(slot, out);
    } else {
        xd_mp_uint(out, slot->id);
    }
}

enum { DEAL_FIELDS = 16 + XD_DIMS };

void xd_pack_match(const struct xd_deal *deal, struct xd_buf *out)
{
    xd_mp_array(out, DEAL_FIELDS);
    xd_mp_uint(out, deal->id);
    xd_mp_uint(out, deal->group);
    write_party(deal->order[XD_OFFER], out);
    write_party(deal->order[XD_REQUEST], out);
    xd_mp_uint(out, deal->state);
    xd_mp_int(out, deal->accepted[XD_OFFER] | deal->accepted[XD_REQUEST] << 1);
    xd_mp_int(out, deal->part);
    xd_write_amounts(out, deal->amount);
    xd_mp_int(out, deal->quote);
    xd_mp_int(out, deal->price);
    xd_mp_int(out, deal->surplus);
    xd_mp_int(out, deal->access);
    xd_mp_int(out, deal->km_m);
    xd_mp_int(out, deal->added_m);
    xd_mp_int(out, deal->hold_until);
    xd_mp_int(out, deal->planned_end);
    xd_mp_int(out, deal->deadline.when);
}

bool xd_engine_save(const struct xd_engine *engine, struct xd_buf *out)
{
    xd_pack_header(engine, out);
    for (const struct xd_slot *slot = xd_slot_at(engine, engine->first_order); slot;
         slot = xd_slot_at(engine, slot->everybody.after)) {
        xd_pack_order(slot, out);
    }
    for (const struct xd_deal *deal = engine->first_deal; deal; deal = deal->after) {
        xd_pack_match(deal, out);
    }
    xd_border_pack(engine, out, NULL);
    return !out->failed;
}

/* --- the hash --------------------------------------------------------------------------------------------------------------- */

static void pack_marked(struct xd_mark *mark, struct xd_buf *out)
{
    if (mark->is_match) {
        xd_pack_match((const struct xd_deal *)(const void *)((char *)mark - offsetof(struct xd_deal, mark)), out);
    } else {
        xd_pack_order((const struct xd_slot *)(const void *)((char *)mark - offsetof(struct xd_slot, mark)), out);
    }
}

uint64_t xd_engine_state_hash(const struct xd_engine *engine)
{
    struct xd_buf bytes;
    xd_buf_init(&bytes, (size_t)64 << 20);
    uint32_t place = 0;
    for (struct xd_mark *mark; !bytes.failed && (mark = xd_unhashed_next(engine->unhashed, &place));) {
        bytes.len = 0;
        pack_marked(mark, &bytes);
        if (!bytes.failed) xd_mark_hash(engine->unhashed, mark, bytes.data, bytes.len);
    }
    bytes.len = 0;
    uint64_t border = 0;
    xd_border_pack(engine, &bytes, &border);
    xd_pack_header(engine, &bytes);
    uint64_t result = bytes.failed ? 0 : engine->unhashed->sum + border + XXH3_64bits(bytes.data, bytes.len);
    xd_buf_free(&bytes);
    return result;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

static struct xd_load *read_load(struct xd_pool *pool, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_load *load = xd_pool_take(pool, sizeof *load);
    if (!load) return NULL;
    load->match_id = xd_read_uint(&in);
    load->request_id = xd_read_uint(&in);
    load->pickup_place.lat_e7 = (int32_t)xd_read_int(&in);
    load->pickup_place.lon_e7 = (int32_t)xd_read_int(&in);
    load->delivery_place.lat_e7 = (int32_t)xd_read_int(&in);
    load->delivery_place.lon_e7 = (int32_t)xd_read_int(&in);
    load->pickup = xd_place_vector(load->pickup_place);
    load->delivery = xd_place_vector(load->delivery_place);
    load->pickup_from = xd_read_int(&in);
    load->pickup_until = xd_read_int(&in);
    load->deliver_until = xd_read_int(&in);
    load->load_s = (int32_t)xd_read_int(&in);
    load->unload_s = (int32_t)xd_read_int(&in);
    load->direct_m = (int32_t)xd_read_int(&in);
    xd_read_amounts(&in, load->amount);
    load->temp.min = (int16_t)xd_read_int(&in);
    load->temp.max = (int16_t)xd_read_int(&in);
    int64_t flags = xd_read_int(&in);
    load->has_temp = flags & 1;
    load->picked_up = flags >> 1 & 1;
    load->off = flags >> 2 & 1;
    if (!in.bad) return load;
    xd_pool_give(pool, load);
    return NULL;
}

static bool read_stop(struct xd_plan *plan, struct xd_pool *pool, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_stop stop = {.delivery = xd_read_int(&in) != 0};
    stop.leg_m = (int32_t)xd_read_int(&in);
    stop.depart = xd_read_int(&in);
    stop.start = xd_read_int(&in);
    stop.end = xd_read_int(&in);
    stop.told = xd_read_int(&in);
    const msgpack_object *load = xd_read_next(&in);
    if (in.bad) return false;
    bool named = load->type == MSGPACK_OBJECT_POSITIVE_INTEGER;
    if (named && load->via.u64 >= plan->count) return false;
    stop.load = named ? plan->stops[load->via.u64].load : read_load(pool, load);
    if (!stop.load) return false;
    stop.place = stop.delivery ? stop.load->delivery : stop.load->pickup;
    if (xd_plan_append(plan, pool, &stop)) return true;
    if (!named) xd_pool_give(pool, stop.load);
    return false;
}

static bool read_plan(struct xd_plan *plan, struct xd_pool *pool, const struct xd_truck *truck, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    plan->at.x = xd_read_double(&in);
    plan->at.y = xd_read_double(&in);
    plan->at.z = xd_read_double(&in);
    plan->free = xd_read_int(&in);
    plan->done_m = xd_read_int(&in);
    plan->direct_m = xd_read_int(&in);
    while (in.left) {
        if (!read_stop(plan, pool, xd_read_next(&in))) return false;
    }
    xd_plan_measure(plan, truck);
    return !in.bad;
}

bool xd_unpack_plan(struct xd_engine *engine, struct xd_slot *truck_offer, const msgpack_object *object)
{
    struct xd_truck_offer *offer = &truck_offer->truck_offer;
    return read_plan(&offer->plan, &engine->pool, &offer->truck, object);
}

/* A run is taken from the capacity. */
static bool read_run(struct xd_engine *engine, struct xd_slot *slot, unsigned dim, int64_t day, struct xd_reader *in,
                     int64_t *length)
{
    int64_t taken[XD_DIMS] = {0};
    int64_t capacity = xd_slot_amount(slot, (enum xd_dim)dim);
    int64_t free = xd_read_int(in);
    *length = xd_read_int(in);
    if (in->bad || free < 0 || free > capacity) return false;
    if (*length < 1 || *length > slot->storage_offer.until_day - day) return false;
    taken[dim] = capacity - free;
    return xd_slot_take(engine, slot, taken, day, day + *length);
}

static bool read_calendar(struct xd_engine *engine, struct xd_slot *slot, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    if (!in.left) return !in.bad;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (!(slot->dims >> dim & 1)) continue;
        for (int64_t day = slot->storage_offer.from_day, length; day < slot->storage_offer.until_day; day += length) {
            if (!read_run(engine, slot, dim, day, &in, &length)) return false;
        }
    }
    return !in.left;
}

static bool read_state_of(struct xd_engine *engine, struct xd_slot *slot, const msgpack_object *object)
{
    if (slot->side == XD_REQUEST) return true;
    if (slot->kind == XD_TRUCK) {
        return read_plan(&slot->truck_offer.plan, &engine->pool, &slot->truck_offer.truck, object);
    }
    return read_calendar(engine, slot, object);
}

/* Not by xd_slot_bar, which would take offers that are not read yet for gone. */
static bool read_barred(struct xd_engine *engine, struct xd_slot *slot, struct xd_reader barred)
{
    if (barred.left && !xd_slot_bar_room(engine, slot, barred.left)) return false;
    while (barred.left && !barred.bad) {
        slot->barred->offers[slot->barred->count++] = xd_read_uint(&barred);
    }
    return !barred.bad;
}

bool xd_unpack_barred(struct xd_engine *engine, struct xd_slot *slot, const msgpack_object *object)
{
    return read_barred(engine, slot, xd_read_array(object));
}

static struct xd_slot *read_slot(struct xd_engine *engine, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    uint64_t id = xd_read_uint(&in), age = xd_read_uint(&in);
    struct xd_str account = xd_read_bytes(&in);
    int64_t credit = xd_read_int(&in), ended = xd_read_int(&in), open = xd_read_int(&in), confirmed = xd_read_int(&in);
    struct xd_reader barred = xd_read_array(xd_read_next(&in));
    struct xd_str packed = xd_read_bytes(&in);
    const msgpack_object *rest = xd_read_next(&in);
    if (in.bad || barred.bad) return NULL;
    msgpack_unpacked order_object;
    msgpack_unpacked_init(&order_object);
    struct xd_order order;
    struct xd_slot *slot = NULL;
    if (msgpack_unpack_next(&order_object, packed.at, packed.len, NULL) == MSGPACK_UNPACK_SUCCESS &&
        xd_order_unpack(&order_object.data, &order)) {
        slot = xd_slot_create(engine, &order, account, id, credit);
    }
    msgpack_unpacked_destroy(&order_object);
    if (!slot) return NULL;
    slot->age = age;
    slot->ended = (uint8_t)ended;
    slot->open = (int32_t)open;
    slot->confirmed = (int32_t)confirmed;
    slot->aside = xd_border_reconciles(engine);
    bool good = read_state_of(engine, slot, rest) && xd_slot_enter(engine, slot);
    if (!good) {
        xd_slot_destroy(engine, slot);
        return NULL;
    }
    good = read_barred(engine, slot, barred);
    if (slot->valid_until > engine->now) good &= xd_deadlines_set(&engine->deadlines, &slot->lapse, slot->valid_until);
    return good && !engine->failed ? slot : NULL;
}

static struct xd_slot *read_party(struct xd_engine *engine, const msgpack_object *object)
{
    if (object && object->type == MSGPACK_OBJECT_POSITIVE_INTEGER) {
        return xd_table_get(&engine->orders, object->via.u64);
    }
    struct xd_slot *image = xd_unpack_image(engine, object);
    if (image && image->side == XD_REQUEST) image->open = 0;
    return image;
}

static struct xd_deal *read_deal(struct xd_engine *engine, const msgpack_object *object)
{
    struct xd_reader in = xd_read_array(object);
    struct xd_deal *deal = xd_pool_take(&engine->pool, sizeof *deal);
    if (!deal) return NULL;
    deal->id = xd_read_uint(&in);
    deal->group = xd_read_uint(&in);
    deal->order[XD_OFFER] = read_party(engine, xd_read_next(&in));
    deal->order[XD_REQUEST] = read_party(engine, xd_read_next(&in));
    deal->state = (uint8_t)xd_read_int(&in);
    int64_t accepted = xd_read_int(&in);
    deal->accepted[XD_OFFER] = accepted & 1;
    deal->accepted[XD_REQUEST] = accepted >> 1 & 1;
    deal->part = (int32_t)xd_read_int(&in);
    xd_read_amounts(&in, deal->amount);
    deal->quote = xd_read_int(&in);
    deal->price = xd_read_int(&in);
    deal->surplus = xd_read_int(&in);
    deal->access = xd_read_int(&in);
    deal->km_m = xd_read_int(&in);
    deal->added_m = xd_read_int(&in);
    deal->hold_until = xd_read_int(&in);
    deal->planned_end = xd_read_int(&in);
    int64_t when = xd_read_int(&in);
    deal->deadline.age = deal->id;
    bool proposed = deal->state == XD_MATCH_PROPOSED;
    deal->deadline.class = proposed ? XD_DEADLINE_HOLD : XD_DEADLINE_COMPLETION;
    if (in.bad || !deal->order[XD_OFFER] || !deal->order[XD_REQUEST] || !xd_deal_enter(engine, deal)) {
        xd_pool_give(&engine->pool, deal);
        return NULL;
    }
    engine->proposal_count += proposed;
    return xd_deadlines_set(&engine->deadlines, &deal->deadline, when) ? deal : NULL;
}

struct counts {
    uint64_t orders, deals;
    struct xd_border_counts border;
};

static bool read_header(struct xd_engine *engine, const msgpack_object *object, struct counts *counts)
{
    struct xd_reader in = xd_read_array(object);
    if (xd_read_int(&in) != SNAPSHOT_VERSION) return false;
    engine->now = xd_read_int(&in);
    engine->next_age = xd_read_uint(&in);
    engine->next_match = xd_read_uint(&in);
    counts->orders = xd_read_uint(&in);
    counts->deals = xd_read_uint(&in);
    struct xd_reader seen = xd_read_array(xd_read_next(&in));
    if (in.bad || seen.bad || seen.left % 2) return false;
    engine->seen.count = engine->seen.room = seen.left / 2;
    engine->seen.intervals = calloc(seen.left / 2 + 1, sizeof *engine->seen.intervals);
    for (uint32_t i = 0; engine->seen.intervals && i < engine->seen.count; i++) {
        engine->seen.intervals[i].first = xd_read_uint(&seen);
        engine->seen.intervals[i].last = xd_read_uint(&seen);
    }
    if (engine->border && !xd_border_unpack_header(engine->border, xd_read_next(&in), &counts->border)) return false;
    return engine->seen.intervals && !seen.bad;
}

/* The bytes of a snapshot, object by object. */
struct objects {
    msgpack_unpacked object;
    const char *bytes;
    size_t len, at, began; /* the next object; where the one read began */
};

static bool next_object(struct objects *in)
{
    in->began = in->at;
    return msgpack_unpack_next(&in->object, in->bytes, in->len, &in->at) == MSGPACK_UNPACK_SUCCESS;
}

static bool read_next_slot(struct xd_engine *engine, struct objects *in)
{
    struct xd_slot *slot = next_object(in) ? read_slot(engine, &in->object.data) : NULL;
    if (slot) xd_mark_hash(engine->unhashed, &slot->mark, (const uint8_t *)in->bytes + in->began, in->at - in->began);
    return slot;
}

static bool read_next_deal(struct xd_engine *engine, struct objects *in)
{
    struct xd_deal *deal = next_object(in) ? read_deal(engine, &in->object.data) : NULL;
    if (deal) xd_mark_hash(engine->unhashed, &deal->mark, (const uint8_t *)in->bytes + in->began, in->at - in->began);
    return deal;
}

static bool read_all(struct xd_engine *engine, const char *bytes, size_t len)
{
    struct objects in = {.bytes = bytes, .len = len};
    struct counts counts = {0};
    msgpack_unpacked_init(&in.object);
    bool good = next_object(&in) && read_header(engine, &in.object.data, &counts);
    for (uint64_t i = 0; good && i < counts.orders; i++) {
        good = read_next_slot(engine, &in);
    }
    for (uint64_t i = 0; good && i < counts.deals; i++) {
        good = read_next_deal(engine, &in);
    }
    good = good && xd_books_fill(engine);
    for (uint64_t i = 0; good && i < xd_border_count(&counts.border); i++) {
        good = next_object(&in) && xd_border_unpack(engine, &counts.border, i, &in.object.data);
    }
    msgpack_unpacked_destroy(&in.object);
    return good && in.at == len;
}

struct xd_engine *xd_engine_load(const struct xd_engine_options *options, const uint8_t *bytes, size_t len)
{
    struct xd_engine *engine = xd_engine_create(options);
    if (engine && read_all(engine, (const char *)bytes, len)) return engine;
    xd_engine_destroy(engine);
    return NULL;
}

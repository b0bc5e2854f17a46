/* Spread orders at home: announced to their cover, gathering claims before they are matched (docs/CLUSTER.md,
 * Borders). */
#include "core/cover.h"
#include "core/id.h"
#include "core/mp.h"
#include "engine/border/border.h"

#include <xxhash.h>

enum { GATHER_S = 2, STATE_MAX = 1 << 20 };

struct xd_spread *xd_spread_find(const struct xd_engine *engine, uint64_t id)
{
    return xd_table_get(&engine->border->spreads, id);
}

/* --- extents
 * ----------------------------------------------------------------------------------------------------------------
 */

/* A truck without `to` may yet go as far as its detour lets it from where its plan begins. */
static struct xd_oval extent_of(const struct xd_engine *engine, const struct xd_slot *slot)
{
    int32_t road_factor_e4 = engine->options.market.road_factor_e4;
    if (slot->kind != XD_TRUCK) {
        return xd_oval_disc(slot->storage_request.at, slot->storage_request.radius_m, road_factor_e4);
    }
    const struct xd_truck *truck = &slot->truck_offer.truck;
    const struct xd_plan *plan = &slot->truck_offer.plan;
    if (truck->has_to) {
        return xd_oval_lane(truck->from, truck->to, (int64_t)truck->lane_m + truck->max_detour_m,
                            road_factor_e4);
    }
    return xd_oval_disc(plan->at, truck->max_detour_m + plan->direct_m - plan->done_m, road_factor_e4);
}

/* Those of the ranges that the plan of a truck without `to` passes within what is left of its detour. */
static uint64_t along_plan(const struct xd_engine *engine, const struct xd_slot *slot, uint64_t among)
{
    const struct xd_layout *layout = &engine->border->layout;
    const struct xd_plan *plan = &slot->truck_offer.plan;
    int32_t road_factor_e4 = engine->options.market.road_factor_e4;
    int64_t most = slot->truck_offer.truck.max_detour_m, left = most - (plan->length_m - plan->direct_m);
    if (left > most) left = most;
    struct xd_unit_vector at = plan->at;
    uint64_t rest = among;
    for (unsigned i = 0; i < plan->count && rest; i++) {
        const struct xd_stop *stop = &plan->stops[i];
        struct xd_oval leg = xd_oval_lane(at, stop->place, left + stop->leg_m, road_factor_e4);
        rest &= ~xd_cover_oval(layout, &leg, rest);
        at = stop->place;
    }
    struct xd_oval end = xd_oval_disc(at, left, road_factor_e4);
    return among & ~(rest & ~xd_cover_oval(layout, &end, rest));
}

static bool same_extent(const struct xd_oval *one, const struct xd_oval *other)
{
    return one->metres == other->metres && one->a.x == other->a.x && one->a.y == other->a.y &&
           one->a.z == other->a.z && one->b.x == other->b.x && one->b.y == other->b.y &&
           one->b.z == other->b.z;
}

/* A cover only grows. */
static void extend(const struct xd_engine *engine, struct xd_spread *spread, const struct xd_slot *slot)
{
    struct xd_oval extent = extent_of(engine, slot);
    if (spread->cover && same_extent(&extent, &spread->extent)) return;
    spread->extent = extent;
    spread->cover |= xd_range_bit(engine->border->own);
    spread->cover |= xd_cover_oval(&engine->border->layout, &extent, ~spread->cover);
}

static uint64_t elsewhere(const struct xd_border *border, const struct xd_spread *spread)
{
    return spread->cover & ~xd_range_bit(border->own);
}

static struct xd_spread *spread_of(struct xd_engine *engine, const struct xd_slot *slot)
{
    struct xd_spread *spread = xd_spread_find(engine, slot->id);
    if (spread) return spread;
    spread = xd_pool_take(&engine->pool, sizeof *spread);
    if (spread) {
        spread->id = slot->id;
        spread->version = (uint64_t)engine->border->generation << 32;
        spread->deadline.class = XD_DEADLINE_GATHER;
        spread->deadline.age = slot->age;
        if (xd_table_put(&engine->border->spreads, spread)) return spread;
        xd_pool_give(&engine->pool, spread);
    }
    engine->failed = true;
    return NULL;
}

/* --- gathering
 * --------------------------------------------------------------------------------------------------------------
 */

/* Ranges whose claims are kept: they look again when they have their answers. */
static uint64_t claimed_by(const struct xd_spread *spread)
{
    uint64_t ranges = 0;
    for (const struct xd_kept *kept = spread->kept.first; kept; kept = kept->next) {
        ranges |= xd_range_bit(kept->range);
    }
    return ranges;
}

bool xd_spread_gathers(struct xd_engine *engine, struct xd_slot *slot)
{
    if (!xd_is_open(slot)) return false;
    struct xd_spread *spread = spread_of(engine, slot);
    if (!spread) return true;
    extend(engine, spread, slot);
    uint64_t others = elsewhere(engine->border, spread);
    if (!others) return false;
    bool grown_meanwhile = spread->gathering;
    spread->gathering = spread->ask = true;
    spread->asked = others & ~claimed_by(spread);
    xd_touch_order(engine, slot);
    if (grown_meanwhile) return true;
    slot->aside = true;
    xd_book_update(engine, slot);
    if (!xd_deadlines_set(&engine->deadlines, &spread->deadline, engine->now + GATHER_S))
        engine->failed = true;
    return true;
}

static void stop_gathering(struct xd_engine *engine, struct xd_spread *spread, struct xd_slot *slot)
{
    spread->gathering = spread->ask = false;
    spread->asked = 0;
    xd_deadlines_remove(&engine->deadlines, &spread->deadline);
    if (slot) slot->aside = xd_reconciles(engine->border);
}

void xd_spread_close(struct xd_engine *engine, struct xd_spread *spread)
{
    struct xd_slot *slot = xd_table_get(&engine->orders, spread->id);
    stop_gathering(engine, spread, slot);
    if (!slot || !xd_is_open(slot)) {
        xd_refuse_kept(engine, spread);
        return;
    }
    xd_decide(engine, spread, slot, false);
}

void xd_spread_hold(struct xd_engine *engine, struct xd_spread *spread)
{
    stop_gathering(engine, spread, NULL);
    xd_kept_free(engine, &spread->kept);
    spread->known = spread->behind = spread->full = 0;
}

/* --- telling
 * ----------------------------------------------------------------------------------------------------------------
 */

static bool barred_at(const struct xd_border *border, uint64_t id, unsigned range)
{
    return xd_id_partition(id) == border->first + range;
}

/* The ids of orders at home in a range that the order is not to be paired with again. */
static void pack_barred(const struct xd_border *border, const struct xd_slot *slot, unsigned range,
                        struct xd_buf *out)
{
    const struct xd_barred *barred = slot->barred;
    uint32_t count = 0;
    for (uint32_t i = 0; barred && i < barred->count; i++) {
        count += barred_at(border, barred->offers[i], range);
    }
    xd_mp_array(out, count);
    for (uint32_t i = 0; barred && i < barred->count; i++) {
        if (barred_at(border, barred->offers[i], range)) xd_mp_uint(out, barred->offers[i]);
    }
}

/* The message, but for what each receiver has of its own. */
static void fill_message(const struct xd_spread *spread, const struct xd_slot *slot,
                         const struct xd_buf *plan, struct xd_record *out)
{
    out->type = XD_RECORD_GHOST;
    out->account = (struct xd_str){slot->account->name, slot->account->len};
    out->order_id = slot->id;
    out->credit = slot->credit;
    out->version = spread->version;
    out->ask = spread->ask;
    out->plan = (struct xd_str){(const char *)plan->data, (uint32_t)plan->len};
    xd_slot_order(slot, &out->order);
}

static void announce(struct xd_engine *engine, const struct xd_spread *spread, const struct xd_slot *slot,
                     const struct xd_buf *plan, uint64_t to)
{
    struct xd_buf barred;
    xd_buf_init(&barred, STATE_MAX);
    for (; to; to &= to - 1) {
        unsigned range = (unsigned)__builtin_ctzll(to);
        struct xd_record message = {0};
        xd_buf_clear(&barred);
        pack_barred(engine->border, slot, range, &barred);
        fill_message(spread, slot, plan, &message);
        message.barred = (struct xd_str){(const char *)barred.data, (uint32_t)barred.len};
        xd_peer_send(engine, range, &message);
    }
    if (barred.failed) engine->failed = true;
    xd_buf_free(&barred);
}

/* Of all that its ghosts are told but the plan, or what is open. */
static uint64_t hash_terms(const struct xd_slot *slot)
{
    struct xd_buf bytes;
    struct xd_order order;
    xd_buf_init(&bytes, STATE_MAX);
    xd_slot_order(slot, &order);
    xd_order_pack(&order, &bytes);
    xd_mp_int(&bytes, slot->credit);
    if (slot->barred)
        xd_buf_add(&bytes, slot->barred->offers, slot->barred->count * sizeof *slot->barred->offers);
    uint64_t hash = XXH3_64bits(bytes.data, bytes.len);
    xd_buf_free(&bytes);
    return hash;
}

/* Raises the version if the order is another than it says. Who of those that have a ghost is to be told: of a
 * gathering or of new terms all; of a plan, or of what is left of an amount, only those for whom there may be
 * more in it than before, and those who had no room. */
static uint64_t rise(const struct xd_engine *engine, struct xd_spread *spread, const struct xd_slot *slot,
                     const struct xd_buf *plan)
{
    uint64_t terms = hash_terms(slot), state = XXH3_64bits(plan->data, plan->len);
    bool all = spread->ask || terms != spread->terms;
    if (!all && state == spread->state) return 0;
    spread->version++;
    if (spread->ask) spread->asked_version = spread->version;
    spread->terms = terms;
    spread->state = state;
    spread->behind = spread->known;
    if (all) return spread->known;
    bool roams = slot->kind == XD_TRUCK && !slot->truck_offer.truck.has_to;
    return spread->full | (roams ? along_plan(engine, slot, spread->known) : 0);
}

/* Who is not told falls behind, until its next claim is answered. */
static void tell_open(struct xd_engine *engine, struct xd_spread *spread, const struct xd_slot *slot)
{
    extend(engine, spread, slot);
    uint64_t others = elsewhere(engine->border, spread);
    if (!others) return;
    struct xd_buf plan;
    xd_buf_init(&plan, STATE_MAX);
    xd_state_pack(slot, &plan);
    if (plan.failed) engine->failed = true;
    uint64_t to = rise(engine, spread, slot, &plan) | xd_answered(engine->border, spread->id);
    to = (to & spread->behind) | (others & ~spread->known);
    announce(engine, spread, slot, &plan, to);
    spread->known = others;
    spread->behind &= ~to;
    spread->full &= ~to;
    spread->ask = false;
    xd_buf_free(&plan);
}

void xd_spread_repeat(struct xd_engine *engine, struct xd_spread *spread, unsigned range)
{
    const struct xd_slot *slot = xd_table_get(&engine->orders, spread->id);
    if (!slot || !xd_is_open(slot) || !(spread->known & xd_range_bit(range))) return;
    struct xd_buf plan;
    xd_buf_init(&plan, STATE_MAX);
    xd_state_pack(slot, &plan);
    if (plan.failed) engine->failed = true;
    announce(engine, spread, slot, &plan, xd_range_bit(range));
    spread->behind &= ~xd_range_bit(range);
    spread->full &= ~xd_range_bit(range);
    xd_buf_free(&plan);
}

void xd_spread_forget_claims(struct xd_engine *engine, struct xd_spread *spread, unsigned range)
{
    struct xd_kept_list all = spread->kept, dropped = {0};
    spread->kept = (struct xd_kept_list){0};
    for (struct xd_kept *kept = all.first, *next; kept; kept = next) {
        next = kept->next;
        xd_kept_add(kept->range == range ? &dropped : &spread->kept, kept);
    }
    xd_kept_free(engine, &dropped);
    const struct xd_slot *slot = xd_table_get(&engine->orders, spread->id);
    if (!slot || !spread->gathering || !(elsewhere(engine->border, spread) & xd_range_bit(range))) return;
    spread->asked |= xd_range_bit(range);
    spread->ask = true;
    xd_border_touch(engine, slot);
}

void xd_border_amended(struct xd_engine *engine, const struct xd_slot *slot)
{
    struct xd_spread *spread = engine->border && xd_is_spread(slot) ? xd_spread_find(engine, slot->id) : NULL;
    if (!spread) return;
    spread->amended = true;
    spread->deadline.age = slot->age;
    if (spread->gathering && !xd_deadlines_set(&engine->deadlines, &spread->deadline, spread->deadline.when))
        engine->failed = true;
}

static void tell_gone(struct xd_engine *engine, struct xd_spread *spread)
{
    for (; spread->known; spread->known &= spread->known - 1) {
        struct xd_record message = {.type = XD_RECORD_GHOST_GONE, .order_id = spread->id};
        xd_peer_send(engine, (unsigned)__builtin_ctzll(spread->known), &message);
    }
}

void xd_spread_tell(struct xd_engine *engine, struct xd_spread *spread)
{
    struct xd_slot *slot = xd_table_get(&engine->orders, spread->id);
    spread->dirty = false;
    if (spread->amended) spread->terms_version = spread->version + 1; /* the next that is announced */
    spread->amended = false;
    if (slot && xd_is_open(slot)) {
        if (!xd_reconciles(engine->border)) tell_open(engine, spread, slot);
        return;
    }
    stop_gathering(engine, spread, slot);
    xd_refuse_kept(engine, spread);
    tell_gone(engine, spread);
    if (slot) return;
    xd_table_remove(&engine->border->spreads, spread->id);
    xd_pool_give(&engine->pool, spread);
}

/* --- claims
 * -----------------------------------------------------------------------------------------------------------------
 */

/* Sets the claims of a round down; those of no use for want of an image are to be answered no. */
static void keep_claims(struct xd_engine *engine, const struct xd_record *record, bool live,
                        struct xd_kept_list *out)
{
    struct xd_claim_reader reader;
    struct xd_claim claim;
    xd_claim_reader_begin(&reader, record->claims);
    while (xd_claim_reader_more(&reader) && xd_claim_next(&reader, &claim)) {
        struct xd_kept *kept = xd_pool_take(&engine->pool, sizeof *kept);
        if (!kept) {
            engine->failed = true;
            break;
        }
        kept->ghost = record->order_id;
        kept->round = record->round;
        kept->version = record->version;
        kept->surplus = claim.surplus;
        kept->range = (uint8_t)(record->head.from - engine->border->first);
        if (live) kept->image = xd_image_create(engine, &claim);
        xd_kept_add(out, kept);
    }
    xd_claim_reader_end(&reader);
}

void xd_spread_take_claims(struct xd_engine *engine, const struct xd_record *record)
{
    struct xd_spread *spread = xd_spread_find(engine, record->order_id);
    struct xd_slot *slot = xd_table_get(&engine->orders, record->order_id);
    bool live = spread && slot && xd_is_open(slot) && !xd_reconciles(engine->border);
    bool empty = !record->claims.len;
    struct xd_border *border = engine->border;
    if (spread && record->full) spread->full |= xd_range_bit((unsigned)(record->head.from - border->first));
    if (!live) {
        keep_claims(engine, record, false, &border->decided);
        return;
    }
    keep_claims(engine, record, true, &spread->kept);
    if (!spread->gathering) {
        if (!empty) xd_decide(engine, spread, slot, true);
        return;
    }
    if (empty && record->version < spread->asked_version) return;
    spread->asked &= ~xd_range_bit((unsigned)(record->head.from - border->first));
    if (!spread->asked) xd_spread_close(engine, spread);
}

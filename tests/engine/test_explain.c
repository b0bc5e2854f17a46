/* Explanations, over random markets: what is told of a nearest miss is true (the order changed as told then
 * matches), what an order would match is what it does match, the counts are those of a look at every order,
 * and nothing is changed by asking. */
#include "core/mp.h"
#include "core/schema.h"
#include "engine/explain/explain.h"
#include "engine/explain/judge.h"
#include "engine/state.h"
#include "tests/engine/market.h"
#include "tests/engine/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { COMMANDS = 400, ZONE_CHUNK = 8192 };

static uint64_t scale(void)
{
    const char *text = getenv("XD_TEST_SCALE");
    return text ? strtoull(text, NULL, 10) : 1;
}

struct market {
    struct xd_world world;
    struct xd_play play;
    msgpack_zone *zone; /* of the answers and orders at hand */
    uint64_t asked, told[XD_MISS_COUNT], matched, judged;
};

/* --- asking
 * ------------------------------------------------------------------------------------------------------------------
 */

static msgpack_object decode(struct market *market, struct xd_buf *bytes)
{
    msgpack_object object;
    assert_false(bytes->failed);
    char *copy = msgpack_zone_malloc(market->zone, bytes->len);
    memcpy(copy, bytes->data, bytes->len);
    size_t at = 0;
    assert_int_equal(msgpack_unpack(copy, bytes->len, &at, market->zone, &object), MSGPACK_UNPACK_SUCCESS);
    assert_int_equal(at, bytes->len);
    xd_buf_free(bytes);
    return object;
}

/* Whether the engine answers; *answer is the map. Fails the test if asking changed anything. */
static bool ask(struct market *market, const struct xd_record *record, uint64_t id, msgpack_object *answer)
{
    struct xd_engine *engine = market->play.engine;
    struct xd_buf out;
    struct xd_error error;
    uint64_t hash = xd_engine_state_hash(engine);
    int64_t now = market->play.now;
    xd_buf_init(&out, 1 << 20);
    bool good =
        record ? xd_engine_what_if(engine, now, &record->order, record->account, record->credit, &out, &error)
               : xd_engine_explain(engine, now, xd_str_of("*"), id, &out, &error);
    assert_true(xd_engine_state_hash(engine) == hash);
    market->asked++;
    if (good) *answer = decode(market, &out);
    xd_buf_free(&out);
    return good;
}

static int64_t number(const msgpack_object *map, const char *key)
{
    int64_t value = -1;
    assert_true(xd_mp_get_int(map, key, &value));
    return value;
}

static const msgpack_object *list_of(const msgpack_object *map, const char *key)
{
    const msgpack_object *list = xd_mp_get(map, key);
    assert_true(list && list->type == MSGPACK_OBJECT_ARRAY);
    return list;
}

static unsigned miss_of(const msgpack_object *reason)
{
    static const char *const names[] = {
#define X(id, name) name,
        XD_MISSES(X)
#undef X
    };
    struct xd_str name;
    assert_true(xd_mp_get_str(reason, "reason", &name));
    for (unsigned miss = 0; miss < XD_MISS_COUNT; miss++) {
        if (xd_str_equal(name, xd_str_of(names[miss]))) return miss;
    }
    fail_msg("an unknown reason");
    return 0;
}

/* --- the change that is told
 * --------------------------------------------------------------------------------------------------- */

static bool replaces(const msgpack_object *needs, struct xd_str name)
{
    char key[32];
    snprintf(key, sizeof key, "%.*s", (int)name.len, name.at);
    return xd_mp_get(needs, key);
}

static bool is_nil(const msgpack_object *value)
{
    return value->type == MSGPACK_OBJECT_NIL;
}

/* The order as its owner would write it, with the fields of `needs` instead of its own. */
static bool change(struct market *market, const struct xd_record *record, const msgpack_object *needs,
                   struct xd_record *out)
{
    struct xd_buf bytes;
    struct xd_error error;
    xd_buf_init(&bytes, 1 << 16);
    xd_order_write(&record->order, &bytes);
    msgpack_object own = decode(market, &bytes);
    msgpack_object_kv *pairs = msgpack_zone_malloc(market->zone, 64 * sizeof *pairs);
    msgpack_object changed = {.type = MSGPACK_OBJECT_MAP, .via.map = {.size = 0, .ptr = pairs}};
    for (uint32_t i = 0; i < own.via.map.size; i++) {
        const msgpack_object_str *key = &own.via.map.ptr[i].key.via.str;
        if (!replaces(needs, (struct xd_str){key->ptr, key->size}))
            pairs[changed.via.map.size++] = own.via.map.ptr[i];
    }
    for (uint32_t i = 0; i < needs->via.map.size; i++) {
        if (!is_nil(&needs->via.map.ptr[i].val)) pairs[changed.via.map.size++] = needs->via.map.ptr[i];
    }
    *out = *record;
    struct xd_market terms = {.currency = record->order.currency,
                              .road_factor_e4 = market->play.options.market.road_factor_e4};
    bool good = xd_order_read(&changed, &terms, &out->order, &error);
    if (!good) print_message("%s: %s\n", error.field, error.message);
    return good;
}

/* An order that is changed as told fits something; where that can cost it nothing that it fits already, one
 * order more. */
static void check_needs(struct market *market, const struct xd_record *record, const msgpack_object *answer)
{
    const msgpack_object *reasons = list_of(answer, "reasons");
    int64_t fits = number(answer, "fits");
    for (uint32_t i = 0; i < reasons->via.array.size; i++) {
        const msgpack_object *reason = &reasons->via.array.ptr[i], *nearest = xd_mp_get(reason, "nearest");
        const msgpack_object *needs = nearest ? xd_mp_get(nearest, "needs") : NULL;
        struct xd_record changed;
        msgpack_object again;
        struct xd_str text;
        assert_true(number(reason, "count") >= number(reason, "alone"));
        if (!needs) continue;
        assert_true(xd_mp_get_str(nearest, "text", &text) && text.len > 10);
        if (needs->via.map.size == 0 || (miss_of(reason) == XD_MISS_CREDIT && strstr(text.at, "yours")))
            continue;
        assert_true(change(market, record, needs, &changed));
        assert_true(ask(market, &changed, 0, &again));
        bool only_eases = miss_of(reason) == XD_MISS_PRICE || miss_of(reason) == XD_MISS_DISTANCE;
        if (number(&again, "fits") <= (only_eases ? fits : 0))
            fail_msg("%.*s: does not help", (int)text.len, text.at);
        market->told[miss_of(reason)]++;
    }
}

/* No smaller rise of the limit helps. */
static void check_least_price(struct market *market, const struct xd_record *record,
                              const msgpack_object *answer)
{
    const msgpack_object *reasons = list_of(answer, "reasons");
    if (record->order.side == XD_OFFER || !reasons->via.array.size) return;
    const msgpack_object *first = &reasons->via.array.ptr[0], *nearest = xd_mp_get(first, "nearest");
    struct xd_record changed;
    msgpack_object again;
    if (miss_of(first) != XD_MISS_PRICE || !nearest) return;
    assert_true(change(market, record, xd_mp_get(nearest, "needs"), &changed));
    changed.order.max_price--;
    assert_true(ask(market, &changed, 0, &again));
    assert_int_equal(number(&again, "fits"), number(answer, "fits"));
}

/* --- the reasons, written down once more
 * -------------------------------------------------------------------------------------- */

static unsigned bit_if(bool missed, enum xd_miss miss)
{
    return (unsigned)missed << miss;
}

/* Of a pair of one currency; the price is that of the whole of what is open. */
static unsigned storage_misses(const struct xd_slot *offer, const struct xd_slot *request, int32_t road)
{
    const struct xd_storage_offer *has = &offer->storage_offer;
    const struct xd_storage_request *wants = &request->storage_request;
    int64_t metres = xd_distance_m(has->at, wants->at, road), part = request->open;
    for (int64_t day = wants->from_day; day < wants->until_day; day++) {
        for (unsigned d = 0; d < XD_DIMS; d++) {
            bool there = day >= has->from_day && day < has->until_day;
            if (!(offer->dims & request->dims & 1u << d)) continue;
            int64_t left = there ? xd_slot_free(offer, d, day, day + 1) : xd_slot_amount(offer, d);
            while (part > 0 && xd_share_up(xd_slot_amount(request, d), part, request->whole) > left) {
                part--;
            }
        }
    }
    int64_t least =
        request->min_part && request->min_part < request->open ? request->min_part : request->open;
    bool too_little = part < least || part < offer->min_part;
    int64_t days = wants->until_day - wants->from_day;
    __int128 cost = xd_quote_storage(has->base, has->per_unit_day, request->open, days) +
                    xd_access_cost(wants->per_access_km, metres);
    bool band =
        request->has_temp && (offer->temp.min < request->temp.min || offer->temp.max > request->temp.max);
    return bit_if(metres > wants->radius_m, XD_MISS_DISTANCE) | bit_if(too_little, XD_MISS_CAPACITY) |
           bit_if(wants->from_day < has->from_day || wants->until_day > has->until_day, XD_MISS_TIME) |
           bit_if(band, XD_MISS_TEMPERATURE) |
           bit_if(cost > xd_share_down(request->max_price, request->open, request->whole), XD_MISS_PRICE);
}

/* Of a truck without loads, and a pair of one currency. */
static unsigned truck_misses(const struct xd_slot *offer, const struct xd_slot *request, int64_t now)
{
    const struct xd_truck *truck = &offer->truck_offer.truck;
    const struct xd_load *load = &request->truck_request;
    int64_t to_pickup = xd_distance_m(truck->from, load->pickup, truck->road_factor_e4);
    int64_t to_end = truck->has_to ? xd_distance_m(load->delivery, truck->to, truck->road_factor_e4) : 0;
    int64_t charged = to_pickup + (truck->has_to ? load->direct_m + to_end - truck->lane_m : 0);
    if (charged < 0) charged = 0;
    int64_t drive = xd_drive_s(to_pickup, truck->speed);
    int64_t leaves = truck->available_from > now ? truck->available_from : now;
    if (leaves < load->pickup_from - drive) leaves = load->pickup_from - drive;
    int64_t loads = leaves + drive, unloads = loads + load->load_s + xd_drive_s(load->direct_m, truck->speed);
    int64_t ends = unloads + load->unload_s + (truck->has_to ? xd_drive_s(to_end, truck->speed) : 0);
    bool gone = truck->has_to && truck->available_until - xd_drive_s(truck->lane_m, truck->speed) <= now;
    bool late = loads > load->pickup_until || unloads > load->deliver_until || ends > truck->available_until;
    bool cold = load->has_temp &&
                (!truck->has_temp || load->temp.min > truck->temp.max || load->temp.max < truck->temp.min);
    bool full = false;
    for (unsigned d = 0; d < XD_DIMS; d++) {
        full |= (truck->dims >> d & 1) && load->amount[d] > truck->capacity[d];
    }
    __int128 quote =
        xd_quote_truck(offer->truck_offer.base, offer->truck_offer.per_t_km, offer->truck_offer.per_detour_km,
                       load->amount[XD_KG], load->direct_m, charged);
    return bit_if(charged > truck->max_detour_m, XD_MISS_DISTANCE) | bit_if(gone || late, XD_MISS_TIME) |
           bit_if(cold, XD_MISS_TEMPERATURE) | bit_if(full, XD_MISS_CAPACITY) |
           bit_if(quote > request->max_price, XD_MISS_PRICE);
}

/* A verdict's reasons are these; those of trucks with a plan are left to the fit. */
static void check_reasons(struct market *market, const struct xd_slot *offer, const struct xd_slot *request,
                          unsigned misses)
{
    const struct xd_plan *plan = &offer->truck_offer.plan;
    bool truck = offer->kind == XD_TRUCK;
    if (misses >> XD_MISS_CURRENCY & 1 || (truck && (plan->count || plan->done_m))) return;
    unsigned terms = 1u << XD_MISS_PRICE | 1u << XD_MISS_TIME | 1u << XD_MISS_CAPACITY |
                     1u << XD_MISS_TEMPERATURE | 1u << XD_MISS_DISTANCE;
    unsigned expected = truck ? truck_misses(offer, request, market->play.now)
                              : storage_misses(offer, request, market->play.options.market.road_factor_e4);
    /* A part may be too dear where the whole is not: then both the price and the capacity would help. */
    if (!expected && misses & terms) expected = 1u << XD_MISS_PRICE | 1u << XD_MISS_CAPACITY;
    assert_int_equal(misses & terms, expected);
    market->judged++;
}

/* --- the counts
 * ----------------------------------------------------------------------------------------------------------------
 */

/* Every order that fits is in reach, and they are as many as a look at all of them finds; a verdict agrees
 * with the fit. */
static void check_counts(struct market *market, const struct xd_slot *asking, const msgpack_object *answer)
{
    const struct xd_engine *engine = market->play.engine;
    int32_t road = engine->options.market.road_factor_e4;
    int64_t fits = 0, others = 0;
    for (const struct xd_slot *slot = xd_slot_at(engine, engine->first_order); slot;
         slot = xd_slot_at(engine, slot->everybody.after)) {
        if (slot->kind != asking->kind || slot->side == asking->side || !xd_rests(slot)) continue;
        const struct xd_slot *offer = asking->side == XD_OFFER ? asking : slot;
        const struct xd_slot *request = asking->side == XD_OFFER ? slot : asking;
        struct xd_candidate candidate;
        struct xd_verdict verdict;
        bool fit = xd_fit(offer, request, road, market->play.now, 0, &candidate);
        xd_judge(offer, request, road, market->play.now, &verdict);
        assert_int_equal(fit, !verdict.misses);
        assert_int_equal(verdict.alone & ~verdict.misses, 0);
        check_reasons(market, offer, request, verdict.misses);
        fits += fit;
        others++;
    }
    assert_int_equal(number(answer, "fits"), fits);
    assert_true(number(answer, "in_reach") <= others);
}

/* --- what it would match
 * ---------------------------------------------------------------------------------------------------------
 */

static bool same_value(const msgpack_object *would, const msgpack_object *did, const char *key)
{
    const msgpack_object *a = xd_mp_get(would, key), *b = xd_mp_get(did, key);
    return (a && b && msgpack_object_equal(*a, *b)) || (!a && !b);
}

/* The times of a match that was made, of its own load: the last pickup and delivery told of that request. */
static void check_stops(const msgpack_object *would, const msgpack_object *did)
{
    const msgpack_object *stops = list_of(did, "stops");
    struct xd_str id, at;
    assert_true(xd_mp_get_str(xd_mp_get(did, "request"), "id", &id));
    unsigned found = 0;
    for (uint32_t i = 0; i < stops->via.array.size; i++) {
        const msgpack_object *stop = &stops->via.array.ptr[i];
        assert_true(xd_mp_get_str(stop, "order", &at));
        if (!xd_str_equal(at, id)) continue;
        assert_true(xd_mp_get_str(stop, "action", &at));
        char action[16];
        snprintf(action, sizeof action, "%.*s", (int)at.len, at.at);
        const msgpack_object *told = xd_mp_get(would, action);
        found += same_value(told, stop, "eta") && same_value(told, stop, "leave");
    }
    assert_true(found >= 2);
}

static void check_match(const msgpack_object *would, const msgpack_object *did)
{
    static const char *const keys[] = {"state",    "quote",    "price",     "surplus", "km",
                                       "added_km", "from_day", "until_day", "pallets", "kg",
                                       "m3",       "ldm",      "m2"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!same_value(would, did, keys[i])) fail_msg("%s differs", keys[i]);
    }
    if (xd_mp_get(did, "stops")) check_stops(would, did);
}

/* Submits the order that was asked about, compares each match that comes of it, and takes all of it back. */
static void check_submitted(struct market *market, const struct xd_record *record,
                            const msgpack_object *answer)
{
    struct xd_play *play = &market->play;
    const msgpack_object *matches = list_of(answer, "matches");
    struct xd_buf state;
    xd_buf_init(&state, (size_t)1 << 30);
    assert_true(xd_engine_save(play->engine, &state));
    size_t first = play->event_count;
    uint32_t made = 0;
    xd_play_apply(play, record);
    for (size_t i = first; i < play->event_count; i++) {
        const msgpack_object *match = xd_mp_get(play->events[i], "match");
        struct xd_str type, account;
        assert_true(xd_mp_get_str(play->events[i], "type", &type) &&
                    xd_mp_get_str(play->events[i], "account", &account));
        bool news = xd_str_equal(type, xd_str_of("match.confirmed")) ||
                    xd_str_equal(type, xd_str_of("match.proposed"));
        if (!match || !news || !xd_str_equal(account, record->account)) continue;
        assert_true(made < matches->via.array.size);
        check_match(&matches->via.array.ptr[made++], match);
    }
    assert_int_equal(made, matches->via.array.size);
    market->matched += made;
    xd_engine_destroy(play->engine);
    play->engine = xd_engine_load(&play->options, state.data, state.len);
    assert_non_null(play->engine);
    xd_buf_free(&state);
}

/* --- random markets
 * ------------------------------------------------------------------------------------------------------------
 */

static void ask_about_new(struct market *market, const struct xd_record *record)
{
    msgpack_object answer;
    if (!ask(market, record, 0, &answer)) return; /* it has lapsed */
    struct xd_slot *slot =
        xd_slot_create(market->play.engine, &record->order, record->account, 0, record->credit);
    check_counts(market, slot, &answer);
    xd_slot_destroy(market->play.engine, slot);
    check_needs(market, record, &answer);
    check_least_price(market, record, &answer);
    check_submitted(market, record, &answer);
}

/* The same with a limit that is mostly too low. */
static void ask_about_cheap(struct market *market, const struct xd_record *record)
{
    struct xd_record cheap = *record;
    msgpack_object answer;
    if (record->order.side == XD_OFFER) return;
    cheap.order.max_price = 1 + record->order.max_price / 30;
    if (!ask(market, &cheap, 0, &answer)) return;
    check_needs(market, &cheap, &answer);
    check_least_price(market, &cheap, &answer);
}

static void ask_about_resting(struct market *market, uint64_t id)
{
    const struct xd_slot *slot = xd_table_get(&market->play.engine->orders, id);
    msgpack_object answer;
    bool rests = slot && xd_rests(slot);
    assert_int_equal(ask(market, NULL, id, &answer), rests);
    if (rests) check_counts(market, slot, &answer);
    struct xd_buf out;
    struct xd_error error;
    xd_buf_init(&out, 1 << 20);
    xd_engine_explain(market->play.engine, market->play.now + 60, xd_str_of("*"), id, &out, &error);
    assert_true(xd_engine_now(market->play.engine) == market->play.now); /* it was only asked as of later */
    xd_buf_free(&out);
}

static void play_market(struct market *market, uint64_t seed)
{
    market->world =
        (struct xd_world){.seed = seed, .next_order = 1, .now = 1893456000, .crowded = seed % 5 == 4};
    xd_play_begin(&market->play, market->world.now);
    for (unsigned i = 0; i < COMMANDS; i++) {
        struct xd_record record;
        market->zone = msgpack_zone_new(ZONE_CHUNK);
        xd_world_record(&market->world, &record);
        market->play.now = market->world.now;
        xd_play_apply(&market->play, &(struct xd_record){.type = XD_RECORD_TICK});
        if (record.type == XD_RECORD_ORDER) {
            ask_about_new(market, &record);
            ask_about_cheap(market, &record);
        }
        xd_play_apply(&market->play, &record);
        market->world.next_match = market->play.engine->next_match;
        ask_about_resting(market, xd_id(0, 1 + xd_world_below(&market->world, market->world.next_order)));
        msgpack_zone_free(market->zone);
    }
    xd_play_end(&market->play);
}

static void explanations_are_true_and_change_nothing(void **state)
{
    (void)state;
    static const unsigned measured[] = {XD_MISS_PRICE,       XD_MISS_TIME,     XD_MISS_CAPACITY,
                                        XD_MISS_TEMPERATURE, XD_MISS_FEATURES, XD_MISS_CREDIT,
                                        XD_MISS_DISTANCE};
    struct market market = {0};
    for (uint64_t seed = 1; seed <= 24 * scale(); seed++) {
        play_market(&market, seed);
    }
    print_message("%llu questions, %llu matches foretold, %llu verdicts compared\n",
                  (unsigned long long)market.asked, (unsigned long long)market.matched,
                  (unsigned long long)market.judged);
    for (size_t i = 0; i < sizeof measured / sizeof *measured; i++) {
        print_message("reason %u: %llu changes tried\n", measured[i],
                      (unsigned long long)market.told[measured[i]]);
        assert_true(market.told[measured[i]] > 10);
    }
    assert_true(market.matched > 100 && market.judged > 10000);
}

/* Loads away from a truck, the farther the later; the last of all is beside it, and too cheap by least. */
static json_t *load_at(unsigned i, bool beside)
{
    double lon = beside ? 10.0 : 10.001 + i * 1e-4;
    return json_pack("{s:s, s:s, s:s, s:o, s:{s:f, s:f}, s:{s:f, s:f}, s:i, s:i, s:s, s:s, s:s, s:i}",
                     "account", "shipper", "side", "request", "kind", "truck", "ref", json_sprintf("r%u", i),
                     "from", "lat", 0.0, "lon", lon, "to", "lat", 0.0, "lon", 12.0, "kg", 1000, "pallets", 1,
                     "pickup_from", "2030-01-02T00:00:00Z", "pickup_until", "2030-01-03T00:00:00Z",
                     "deliver_until", "2030-01-04T00:00:00Z", "max_price", beside ? 2 : 1);
}

static void at_the_limit_the_nearest_are_looked_at(void **state)
{
    (void)state;
    enum { START = 1893456000, MORE = 20 };
    struct market market = {.zone = msgpack_zone_new(ZONE_CHUNK)};
    xd_play_begin(&market.play, START);
    for (unsigned i = 0; i < XD_EXPLAIN_TRUCKS + MORE; i++) {
        json_t *order = load_at(i, i + 1 == XD_EXPLAIN_TRUCKS + MORE);
        xd_play_submit(&market.play, order);
        json_decref(order);
    }
    struct xd_place from = {0, 100000000};
    struct xd_record truck = {
        .type = XD_RECORD_ORDER, .account = xd_str_of("carrier"), .credit = XD_CREDIT_UNKNOWN};
    truck.order = (struct xd_order){.given = UINT64_C(1) << XD_F_PALLETS,
                                    .kind = XD_TRUCK,
                                    .from = from,
                                    .currency = market.play.options.market.currency,
                                    .amount = {2000},
                                    .max_detour_m = 400000,
                                    .available_from = START,
                                    .available_until = START + 864000,
                                    .speed = 600,
                                    .base = 100000,
                                    .valid_until = START + 864000,
                                    .ref = xd_str_of("t")};
    msgpack_object answer;
    assert_true(ask(&market, &truck, 0, &answer));
    assert_int_equal(number(&answer, "in_reach"), XD_EXPLAIN_TRUCKS);
    assert_false(xd_mp_get(&answer, "complete")->via.boolean);
    const msgpack_object *nearest = xd_mp_get(&list_of(&answer, "reasons")->via.array.ptr[0], "nearest");
    struct xd_str text;
    assert_true(xd_mp_get_str(nearest, "text", &text));
    assert_memory_equal(text.at, "nearest would match at a quote of 2.00 (998.00 less)", text.len);
    xd_play_end(&market.play);
    msgpack_zone_free(market.zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(explanations_are_true_and_change_nothing),
                                       cmocka_unit_test(at_the_limit_the_nearest_are_looked_at)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/sim/market.h"

#include "core/schema.h"
#include "tests/sim/audit.h"
#include "tests/sim/told.h"

#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_US = 1500 * SIM_MS, PLACES = 64, LOOK_US = 400 * SIM_MS };

/* Something that a client wants done, and asks for until it is answered. */
struct sim_wish {
    struct sim_wish *next;
    struct sim_market *market;
    struct xd_record record; /* strings in the market's orders */
    unsigned number;         /* of the order that it submits, or that it is about */
    unsigned partition;
    bool changed; /* the order is not what it was under this ref */
    bool answered;
    uint32_t asked;
};

/* --- asking --------------------------------------------------------------------------------------------- */

struct visit {
    struct sim_wish *wish;
    struct sim_broker *broker;
    uint32_t incarnation;
    struct sim_answer answer;
};

static void submit(struct sim_market *market, unsigned number, bool changed, int64_t after_us);

/* Whether it is acknowledged, and that has not been lost since. */
static bool is_kept(const struct sim_market *market, const struct sim_order *order)
{
    return order->acked &&
           order->offset < sim_kept(market->world->store, order->home, order->generation).records;
}

/* Another generation has begun since: a client submits what it counts as open again, under the same ref. That
 * it does so only for what was lost, and sometimes for the rest, shows that the rest is kept. */
static void submit_again(struct sim_market *market, unsigned number)
{
    struct sim_order *order = &market->orders[number];
    struct sim_world *world = market->world;
    bool kept = is_kept(market, order);
    if (!kept) order->acked = false;
    if (!kept || sim_chance(world, 30)) submit(market, number, false, sim_between(world, 0, SIM_S));
}

static void check_acked(struct sim_wish *wish, const struct sim_answer *answer)
{
    struct sim_market *market = wish->market;
    struct sim_order *order = &market->orders[wish->number];
    const struct sim_part *part = &market->world->store->parts[answer->partition];
    const struct sim_store *store = market->world->store;
    bool kept = answer->offset < sim_kept(store, answer->partition, answer->generation).records;
    if (kept && answer->offset >= part->record_count)
        sim_fail(market->world, "r%u is acknowledged and not stored", wish->number);
    if (sim_audit_refused(market->world->audit, answer->order_id))
        return; /* a late answer: the ref is free again */
    if (is_kept(market, order) && order->id != answer->order_id &&
        !sim_audit_refused(market->world->audit, order->id)) {
        sim_fail(market->world, "r%u is acknowledged as two orders", wish->number);
    }
    order->acked = true;
    order->id = answer->order_id;
    order->offset = answer->offset;
    order->generation = answer->generation;
    if (order->generation < market->generation[order->home]) submit_again(market, wish->number);
}

/* A ref is free again where its order was refused. */
static void check_changed(struct sim_wish *wish, const struct sim_answer *answer)
{
    const struct sim_market *market = wish->market;
    const struct sim_order *order = &market->orders[wish->number];
    const struct sim_audit *audit = market->world->audit;
    if (answer->code == XD_OK && is_kept(market, order) && !sim_audit_refused(audit, order->id) &&
        !sim_audit_refused(audit, answer->order_id)) {
        sim_fail(market->world, "r%u is taken with another content", wish->number);
    }
}

static void hear_answer(void *arg)
{
    struct visit visit = *(struct visit *)arg;
    struct sim_wish *wish = visit.wish;
    struct sim_market *market = wish->market;
    bool order = wish->record.type == XD_RECORD_ORDER;
    free(arg);
    if (market->world->over) return;
    bool settles = visit.answer.code == XD_OK || (order && visit.answer.code == XD_REF_CONFLICT);
    if (!settles) return; /* asked again when the time is out */
    if (order && wish->changed) {
        check_changed(wish, &visit.answer);
    } else if (order && visit.answer.code == XD_OK) {
        check_acked(wish, &visit.answer);
    }
    if (wish->answered) return;
    wish->answered = true;
    market->outstanding--;
    if (!order || wish->changed || market->world->calm) return;
    if (sim_chance(market->world, 8))
        submit(market, wish->number, false, sim_between(market->world, 0, 3 * SIM_S));
    if (sim_chance(market->world, 5) && visit.answer.code == XD_OK) {
        submit(market, wish->number, true, sim_between(market->world, 0, 3 * SIM_S));
    }
}

static void on_answer(void *arg, const struct sim_answer *answer)
{
    struct visit *visit = arg;
    struct sim_world *world = visit->wish->market->world;
    visit->answer = *answer;
    sim_at(world, world->now_us + sim_between(world, 50, 4000), NULL, hear_answer, visit);
}

static void arrive(void *arg)
{
    struct visit *visit = arg;
    const struct sim_process *process = sim_broker_process(visit->broker);
    if (!process->alive || process->incarnation != visit->incarnation) {
        free(visit);
        return;
    }
    sim_broker_take(visit->broker, &visit->wish->record, visit->wish->partition, on_answer, visit);
}

static void ask_one(struct sim_wish *wish)
{
    struct sim_market *market = wish->market;
    struct sim_world *world = market->world;
    struct visit *visit = sim_new(sizeof *visit);
    visit->wish = wish;
    visit->broker = market->brokers[sim_below(world, market->broker_count)];
    visit->incarnation = sim_broker_process(visit->broker)->incarnation;
    sim_at(world, world->now_us + sim_between(world, 50, 4000), sim_broker_process(visit->broker), arrive,
           visit);
}

static void ask(void *arg)
{
    struct sim_wish *wish = arg;
    struct sim_world *world = wish->market->world;
    if (wish->answered || world->over) return;
    ask_one(wish);
    if (!wish->asked++ && sim_chance(world, 10)) ask_one(wish);
    sim_at(world, world->now_us + TIMEOUT_US + sim_between(world, 0, SIM_S), NULL, ask, wish);
}

static struct sim_wish *wish_for(struct sim_market *market, enum xd_record_type type, unsigned number,
                                 int64_t after_us)
{
    struct sim_wish *wish = sim_new(sizeof *wish);
    struct sim_order *order = &market->orders[number];
    wish->next = market->wishes;
    wish->market = market;
    wish->record.type = type;
    wish->record.account = xd_str_of(order->account);
    wish->record.credit = XD_CREDIT_UNKNOWN;
    wish->number = number;
    wish->partition = order->home;
    market->wishes = wish;
    market->outstanding++;
    sim_at(market->world, market->world->now_us + after_us, NULL, ask, wish);
    return wish;
}

static void submit(struct sim_market *market, unsigned number, bool changed, int64_t after_us)
{
    struct sim_wish *wish = wish_for(market, XD_RECORD_ORDER, number, after_us);
    wish->record.order = market->orders[number].order;
    wish->changed = changed;
    if (!changed) return;
    if (wish->record.order.side == XD_OFFER) wish->record.order.base += 1;
    if (wish->record.order.side == XD_REQUEST) wish->record.order.max_price += 1;
}

/* --- hearing -------------------------------------------------------------------------------------------- */

static unsigned number_of(struct xd_str ref)
{
    char text[16] = "";
    memcpy(text, ref.at, ref.len < sizeof text ? ref.len : sizeof text - 1);
    return (unsigned)strtoul(text + 1, NULL, 10) % SIM_ORDERS_MAX;
}

static void wish_about_match(struct sim_market *market, const struct sim_told *told, enum xd_side side,
                             enum xd_record_type type)
{
    int64_t after_us = sim_between(market->world, 0, 3 * SIM_S);
    struct sim_wish *wish = wish_for(market, type, number_of(told->party[side].ref), after_us);
    wish->record.match_id = told->match_id;
    wish->partition = (unsigned)(xd_id_partition(told->match_id) - market->world->store->first);
}

static void react_to_match(struct sim_market *market, const struct sim_told *told)
{
    struct sim_world *world = market->world;
    bool owner = xd_str_equal(told->account, told->party[XD_OFFER].account);
    enum xd_side side = owner ? XD_OFFER : XD_REQUEST;
    if (told->type == XD_EVENT_MATCH_PROPOSED && sim_chance(world, 85)) {
        wish_about_match(market, told, side, sim_chance(world, 80) ? XD_RECORD_ACCEPT : XD_RECORD_DECLINE);
    } else if (told->type == XD_EVENT_MATCH_CONFIRMED && sim_chance(world, 12)) {
        static const enum xd_record_type ends[] = {XD_RECORD_CANCEL_MATCH, XD_RECORD_CANCEL_MATCH,
                                                   XD_RECORD_COMPLETE, XD_RECORD_NO_SHOW};
        wish_about_match(market, told, side, ends[sim_below(world, 4)]);
    }
}

/* Another price, and less of a storage order: what a truck had on board before may be more than it states
 * now. */
static void wish_amendment(struct sim_market *market, const struct sim_told *told)
{
    struct sim_world *world = market->world;
    unsigned number = number_of(told->order.ref);
    const struct xd_order *order = &market->orders[number].order;
    struct sim_wish *wish = wish_for(market, XD_RECORD_AMEND, number, sim_between(world, 0, 8 * SIM_S));
    struct xd_order *to = &wish->record.amendment.to;
    enum xd_dim dim = xd_main_dim(market->kind);
    wish->record.order_id = told->order.id;
    to->base = order->base + sim_between(world, 0, 200);
    to->max_price = order->max_price + sim_between(world, 0, 2000);
    to->given = UINT64_C(1) << (order->side == XD_OFFER ? XD_F_BASE : XD_F_MAX_PRICE);
    if (market->kind == XD_TRUCK || sim_chance(world, 40)) return;
    to->amount[dim] = order->amount[dim] * sim_between(world, 40, 100) / 100;
    to->given |= UINT64_C(1) << (XD_F_PALLETS + dim);
}

static void react(struct sim_market *market, const uint8_t *bytes, size_t len)
{
    struct sim_world *world = market->world;
    struct sim_told told;
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    if (!world->calm &&
        msgpack_unpack_next(&object, (const char *)bytes, len, NULL) == MSGPACK_UNPACK_SUCCESS &&
        sim_told_read(&object.data, &told)) {
        if (told.is_match) {
            react_to_match(market, &told);
        } else if (told.type == XD_EVENT_ORDER_ACCEPTED && sim_chance(world, 12)) {
            int64_t after_us = sim_between(world, 0, sim_chance(world, 50) ? 50 * SIM_MS : 5 * SIM_S);
            wish_for(market, XD_RECORD_CANCEL, number_of(told.order.ref), after_us)->record.order_id =
                told.order.id;
        } else if (told.type == XD_EVENT_ORDER_ACCEPTED && sim_chance(world, 25)) {
            wish_amendment(market, &told);
        }
    }
    msgpack_unpacked_destroy(&object);
}

/* --- the feed, over one broker after the other ---------------------------------------------------------- */

struct feed {
    struct sim_market *market;
    uint32_t serial;
    int64_t last_us;
};

struct news {
    struct feed *feed;
    struct sim_place place;
    size_t len; /* 0: that is all there is to be told: a generation has begun */
    uint8_t bytes[];
};

static void take_generation(struct sim_market *market, const struct sim_place *place)
{
    unsigned p = place->partition;
    uint64_t kept = sim_kept(market->world->store, p, market->generation[p]).events;
    if (place->generation <= market->generation[p]) return;
    market->generation[p] = place->generation;
    if (market->next[p] > kept) market->next[p] = kept;
    for (unsigned i = 0; i < market->order_count; i++) {
        if (market->orders[i].acked && market->orders[i].home == p) submit_again(market, i);
    }
}

static void hear(void *arg)
{
    struct news *news = arg;
    struct sim_market *market = news->feed->market;
    const struct sim_place *place = &news->place;
    uint64_t *next = &market->next[place->partition];
    bool wanted = news->feed->serial == market->feed_serial;
    if (wanted) take_generation(market, place);
    if (!wanted || !news->len) {
        /* the connection was given up, or there is no event */
    } else if (place->offset > *next) {
        sim_fail(market->world, "missed: event %llu of p%u comes before event %llu",
                 (unsigned long long)place->offset, place->partition, (unsigned long long)*next);
    } else if (place->offset < *next) {
        market->heard_twice++;
    } else {
        ++*next;
        market->heard++;
        react(market, news->bytes, news->len);
    }
    free(news);
}

static bool wanted(void *arg, const struct sim_place *place, const uint8_t *bytes, size_t len)
{
    struct feed *feed = arg;
    struct sim_world *world = feed->market->world;
    if (feed->serial != feed->market->feed_serial) return false;
    struct news *news = sim_new(sizeof *news + len);
    *news = (struct news){feed, *place, len};
    if (len) memcpy(news->bytes, bytes, len);
    int64_t at = world->now_us + sim_between(world, 50, 3000);
    feed->last_us = at > feed->last_us ? at : feed->last_us + 1;
    sim_at(world, feed->last_us, NULL, hear, news);
    return true;
}

/* Goes over to another broker when the one it has is gone, or for no reason. */
static void look_after_feed(void *arg)
{
    struct sim_market *market = arg;
    struct sim_world *world = market->world;
    const struct sim_process *has = sim_broker_process(market->brokers[market->feed_broker]);
    bool gone = !has->alive || has->incarnation != market->feed_incarnation;
    if (gone || (!world->calm && sim_chance(world, 5))) {
        market->feed_broker = (unsigned)sim_below(world, market->broker_count);
        struct sim_broker *broker = market->brokers[market->feed_broker];
        struct feed *feed = sim_new(sizeof *feed);
        *feed = (struct feed){market, ++market->feed_serial, 0};
        market->feed_incarnation = sim_broker_process(broker)->incarnation;
        for (unsigned p = 0; sim_broker_process(broker)->alive && p < world->store->count; p++) {
            uint64_t back =
                market->next[p] ? sim_below(world, 2) : 0; /* a cursor that was not saved in time */
            const struct sim_place from = {p, market->generation[p], market->next[p] - back};
            sim_broker_feed(broker, &from, wanted, feed);
        }
        sim_bury(world, feed);
    }
    sim_at(world, world->now_us + LOOK_US, NULL, world->over ? sim_nothing : look_after_feed, market);
}

/* --- making and ending ---------------------------------------------------------------------------------- */

struct sim_market *sim_market_create(struct sim_world *world, unsigned ranges, int64_t start_s,
                                     int64_t for_us)
{
    struct sim_market *market = sim_new(sizeof *market);
    struct xd_place places[PLACES];
    market->world = world;
    market->start_s = start_s;
    market->terms = (struct xd_market){.currency = xd_currency("EUR", 3), .road_factor_e4 = 12500};
    market->kind = sim_chance(world, 50) ? XD_TRUCK : XD_WAREHOUSE;
    market->accounts = (unsigned)sim_between(world, 3, 8);
    market->order_count = (unsigned)sim_between(world, 12, sim_chance(world, 20) ? SIM_ORDERS_MAX : 40);
    for (unsigned i = 0; i < PLACES; i++) {
        places[i] = sim_random_place(world);
    }
    if (!xd_layout_cut(places, PLACES, ranges, &market->layout)) sim_fail(world, "no layout");
    for (unsigned i = 0; i < market->order_count; i++) {
        sim_order_write(market, i);
        submit(market, i, false, sim_between(world, 0, for_us));
    }
    return market;
}

void sim_market_open(struct sim_market *market, struct sim_broker **brokers, unsigned count)
{
    market->brokers = brokers;
    for (unsigned p = 0; p < SIM_RANGES_MAX; p++) {
        market->generation[p] = 1;
    }
    market->broker_count = count;
    sim_at(market->world, 0, NULL, look_after_feed, market);
}

void sim_market_destroy(struct sim_market *market)
{
    while (market->wishes) {
        struct sim_wish *wish = market->wishes;
        market->wishes = wish->next;
        free(wish);
    }
    free(market);
}

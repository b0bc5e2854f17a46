#include "tests/differential/traffic.h"

#include "core/id.h"
#include "core/when.h"

#include <stdio.h>

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static uint64_t draw(struct xd_traffic *traffic)
{
    uint64_t z = traffic->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t xd_traffic_below(struct xd_traffic *traffic, uint64_t bound)
{
    return draw(traffic) % bound;
}

int64_t xd_traffic_between(struct xd_traffic *traffic, int64_t low, int64_t high)
{
    return low + (int64_t)xd_traffic_below(traffic, (uint64_t)(high - low) + 1);
}

bool xd_traffic_chance(struct xd_traffic *traffic, unsigned percent)
{
    return xd_traffic_below(traffic, 100) < percent;
}

/* --- worlds --------------------------------------------------------------------------------------------- */

/* One of the values. */
static unsigned pick(struct xd_traffic *traffic, const unsigned *values, unsigned count)
{
    return values[xd_traffic_below(traffic, count)];
}

#define PICK(traffic, ...)                                                                                   \
    pick(traffic, (const unsigned[]){__VA_ARGS__}, sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void choose_kinds(struct xd_traffic *traffic, struct xd_style *style)
{
    static const unsigned weights[][XD_KINDS] = {{1, 1, 1}, {1, 1, 1}, {1, 0, 0}, {0, 1, 1},
                                                 {0, 1, 0}, {0, 0, 1}, {6, 1, 1}};
    const unsigned *chosen = weights[xd_traffic_below(traffic, sizeof weights / sizeof *weights)];
    for (unsigned kind = 0; kind < XD_KINDS; kind++) {
        style->weight[kind] = chosen[kind];
    }
}

static void choose_style(struct xd_traffic *traffic, enum xd_book_size size)
{
    static const unsigned least[XD_BOOK_SIZES] = {2, 15, 150, 1500},
                          most[XD_BOOK_SIZES] = {12, 60, 500, 5000};
    struct xd_style *style = &traffic->style;
    choose_kinds(traffic, style);
    style->places = (enum xd_places)xd_traffic_below(traffic, XD_PLACES);
    style->book = (unsigned)xd_traffic_between(traffic, least[size], most[size]);
    style->equal_prices = xd_traffic_chance(traffic, 25);
    style->exact = xd_traffic_chance(traffic, 50);
    style->adversarial = xd_traffic_chance(traffic, 40);
    style->long_horizon = xd_traffic_chance(traffic, 20);
    style->no_service = xd_traffic_chance(traffic, 25);
    style->extreme = xd_traffic_chance(traffic, 12);
    style->offers = PICK(traffic, 10, 25, 50, 50, 75);
    style->manual = PICK(traffic, 0, 10, 30, 70);
    style->now = PICK(traffic, 0, 5, 20);
    style->all_now = PICK(traffic, 0, 5, 20, 50);
    style->min_part = PICK(traffic, 0, 30, 60, 90);
    style->features = PICK(traffic, 0, 10, 40);
    style->temp = PICK(traffic, 0, 30, 70);
    style->lists = PICK(traffic, 0, 5, 20);
    style->foreign = PICK(traffic, 0, 0, 5, 50);
    style->dims = PICK(traffic, 0, 15, 60);
    style->short_valid = PICK(traffic, 0, 10, 50);
    style->amend = PICK(traffic, 0, 10, 40);
    style->action = PICK(traffic, 20, 40, 60);
    style->accounts = PICK(traffic, 3, 12, 12, 12, 400);
    int64_t life_s = style->long_horizon ? 10 * XD_DAY_S : XD_DAY_S / 2;
    style->pace_s = 1 + life_s / (style->book < 10 ? 10 : style->book) / 3;
}

static struct xd_place point(struct xd_traffic *traffic)
{
    return (struct xd_place){(int32_t)xd_traffic_between(traffic, 300000000, 320000000),
                             (int32_t)xd_traffic_between(traffic, 1200000000, 1220000000)};
}

void xd_traffic_begin(struct xd_traffic *traffic, uint64_t seed, enum xd_book_size size)
{
    static const int32_t factors[] = {12500, 12500, 10000, 14142};
    static const struct xd_place corners[] = {
        {900000000, 0}, {-900000000, 1800000000}, {0, 1800000000}, {0, -1800000000}};
    static const int64_t starts[] = {1893474000, 1893474000, 1893474000, 981435600,
                                     6626988000}; /* 2030, 2001, 2180 */
    *traffic = (struct xd_traffic){.random = seed * UINT64_C(0x2545f4914f6cdd1d), .next_order = 1};
    traffic->now = starts[xd_traffic_below(traffic, 5)];
    choose_style(traffic, size);
    for (unsigned i = 0; i < sizeof traffic->points / sizeof *traffic->points; i++) {
        traffic->points[i] = point(traffic);
    }
    if (traffic->style.places == XD_ONE_POINT && xd_traffic_chance(traffic, 30)) {
        traffic->points[0] = corners[xd_traffic_below(traffic, 4)];
    }
    traffic->line_step =
        xd_traffic_chance(traffic, 50) ? 1000000 : (int32_t)xd_traffic_between(traffic, 5000, 20000);
    traffic->options = (struct xd_twin_options){
        .partition =
            xd_traffic_chance(traffic, 80) ? 0 : (uint16_t)xd_traffic_between(traffic, 1, UINT16_MAX),
        .market = {.currency = xd_currency("CNY", 3),
                   .road_factor_e4 = factors[xd_traffic_below(traffic, 4)]},
        .max_orders = xd_traffic_chance(traffic, 15) ? traffic->style.book : 1u << 20};
}

/* --- time ----------------------------------------------------------------------------------------------- */

/* A moment at which something changes: a deadline, a stop of some truck, midnight. */
static int64_t telling_moment(struct xd_traffic *traffic, const struct xd_twin *twin)
{
    int64_t midnight = (traffic->now / XD_DAY_S + 1) * XD_DAY_S;
    unsigned dice = (unsigned)xd_traffic_below(traffic, 10);
    if (dice == 0) return midnight;
    if (dice < 4 || !twin->order_count) return xd_twin_next_deadline(twin);
    const struct twin_order *order = twin->orders[xd_traffic_below(traffic, twin->order_count)];
    if (!order->plan.count) return xd_twin_next_deadline(twin);
    const struct twin_stop *stop = &order->plan.stops[xd_traffic_below(traffic, order->plan.count)];
    return dice < 6 ? stop->depart : dice < 8 ? stop->start : stop->end;
}

static void advance(struct xd_traffic *traffic, const struct xd_twin *twin)
{
    unsigned dice = (unsigned)xd_traffic_below(traffic, 200);
    int64_t pace_s = traffic->style.pace_s;
    if (dice < 70) {
        traffic->now += xd_traffic_between(traffic, 0, 2 * pace_s);
    } else if (dice < 110) {
        int64_t moment = telling_moment(traffic, twin);
        if (moment < traffic->now + 40 * pace_s) moment += xd_traffic_between(traffic, -1, 1);
        if (moment > traffic->now && moment < traffic->now + 40 * pace_s) traffic->now = moment;
    } else if (dice == 110) {
        traffic->now += xd_traffic_between(traffic, 0, (traffic->style.long_horizon ? 400 : 60) * pace_s);
    } else if (dice == 111 && xd_traffic_chance(traffic, 25)) {
        traffic->now += xd_traffic_between(traffic, 0, 40 * XD_DAY_S); /* past completions by the clock */
    }
}

/* --- what is done to orders and matches
 * -------------------------------------------------------------------------------------- */

static void name_account(struct xd_traffic *traffic, struct xd_record *record)
{
    snprintf(traffic->account, sizeof traffic->account, "a%u",
             (unsigned)xd_traffic_below(traffic, traffic->style.accounts));
    record->account = xd_str_of(traffic->account);
}

/* A command on a match that is there, mostly one that suits its state, mostly by a side of it. */
static void act_on_match(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_record *record,
                         const struct twin_match **aim)
{
    static const enum xd_record_type for_proposal[] = {XD_RECORD_ACCEPT, XD_RECORD_ACCEPT, XD_RECORD_ACCEPT,
                                                       XD_RECORD_DECLINE};
    static const enum xd_record_type for_confirmed[] = {XD_RECORD_CANCEL_MATCH, XD_RECORD_CANCEL_MATCH,
                                                        XD_RECORD_COMPLETE, XD_RECORD_NO_SHOW};
    static const enum xd_record_type any[] = {XD_RECORD_ACCEPT, XD_RECORD_DECLINE, XD_RECORD_CANCEL_MATCH,
                                              XD_RECORD_COMPLETE, XD_RECORD_NO_SHOW};
    record->match_id = xd_id(traffic->options.partition, 1 + xd_traffic_below(traffic, twin->next_match));
    record->type = any[xd_traffic_below(traffic, 5)];
    if (!twin->match_count || xd_traffic_chance(traffic, 3)) return;
    const struct twin_match *match = twin->matches[xd_traffic_below(traffic, twin->match_count)];
    *aim = match;
    record->match_id = match->id;
    if (xd_traffic_chance(traffic, 95)) {
        unsigned one = (unsigned)xd_traffic_below(traffic, 4);
        record->type = match->state == XD_MATCH_PROPOSED ? for_proposal[one] : for_confirmed[one];
    }
    if (xd_traffic_chance(traffic, 4)) return;
    record->account = xd_traffic_chance(traffic, 50) ? match->offer->account : match->request->account;
}

static void cancel_order(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_record *record)
{
    record->type = XD_RECORD_CANCEL;
    record->order_id = xd_id(traffic->options.partition, 1 + xd_traffic_below(traffic, traffic->next_order));
    if (!twin->order_count || xd_traffic_chance(traffic, 5)) return;
    const struct twin_order *order = twin->orders[xd_traffic_below(traffic, twin->order_count)];
    record->order_id = order->id;
    if (xd_traffic_chance(traffic, 95)) record->account = order->account;
}

static void amend_order(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_record *record)
{
    const struct twin_order *order = twin->orders[xd_traffic_below(traffic, twin->order_count)];
    xd_traffic_amend(traffic, twin, order, record);
    if (xd_traffic_chance(traffic, 2)) record->order_id += xd_traffic_below(traffic, 3);
    if (xd_traffic_chance(traffic, 97)) record->account = order->account;
}

static void act(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_record *record,
                const struct twin_match **aim)
{
    unsigned dice = (unsigned)xd_traffic_below(traffic, 100);
    bool crowded = twin->order_count > traffic->style.book;
    if (twin->order_count && xd_traffic_chance(traffic, traffic->style.amend)) {
        amend_order(traffic, twin, record);
    } else if (dice < (crowded ? 30u : 65u)) {
        act_on_match(traffic, twin, record, aim);
    } else if (dice < 92) {
        cancel_order(traffic, twin, record);
    } else if (dice < 97) {
        record->type = XD_RECORD_CREDIT;
        record->credit = xd_traffic_between(traffic, 0, 10) * 100;
    } else {
        record->type = XD_RECORD_TICK;
    }
}

void xd_traffic_next(struct xd_traffic *traffic, const struct xd_twin *twin, struct xd_script *script)
{
    struct xd_record record = {0};
    const struct twin_match *aim = NULL;
    if (xd_traffic_below(traffic, 150) == 0) {
        xd_script_add_restore(script);
        return;
    }
    advance(traffic, twin);
    name_account(traffic, &record);
    bool crowded = twin->order_count > traffic->style.book,
         filling = twin->order_count < traffic->style.book / 2;
    if (xd_traffic_chance(traffic, crowded ? 70 : filling ? 10 : traffic->style.action)) {
        act(traffic, twin, &record, &aim);
    } else {
        xd_traffic_order(traffic, twin, &record);
    }
    xd_script_add(script, traffic->now, &record, aim ? aim->offer->id : 0, aim ? aim->request->id : 0);
}

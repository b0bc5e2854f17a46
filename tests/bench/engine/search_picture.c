/* One search of the tree, as JSON for tools/pictures/draw: every node of the tree over 5,000 cold stores, in
 * order from the root, each followed by what is below it, and what became of it when a request came in. The
 * stores are drawn as for ./bench engine, from one seed, so the same tree comes out each time.
 * (How generous a bound is may depend a little on the processor: engine/index/bounds.h.)
 *
 *     crossdock-picture-search > tools/pictures/search.json
 *
 * Only the functions of the first part know how a tree is made; book.c, compiled with XD_WATCH_SEARCH, tells
 * the rest. */
#include "core/schema.h"
#include "core/when.h"
#include "engine/state.h"
#include "tests/bench/engine/orders.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DEGREES (180 / 3.14159265358979323846)

enum { STORES = 5000, SEED = 7, WATCHED_MAX = 4096, OUTPUT_BYTES = 1 << 20 };

static const int64_t now_s = 1803880800; /* 2027-03-01T06:00:00Z */

/* --- the tree --- */

static const struct xd_node *root_above(const struct xd_slot *slot)
{
    const struct xd_node *node = &slot->place.leaf->node;
    while (node->parent) {
        node = &node->parent->node;
    }
    return node;
}

static unsigned child_count(const struct xd_node *node)
{
    return node->is_leaf ? 0 : node->count;
}

static const struct xd_node *child_of(const struct xd_node *node, unsigned i)
{
    return xd_as_branch(node)->children[i];
}

static unsigned row_count(const struct xd_node *leaf)
{
    return leaf->count;
}

static const struct xd_slot *slot_of(const struct xd_node *leaf, unsigned i)
{
    return xd_as_leaf(leaf)->slots[i];
}

/* --- what the search did --- */

struct watched {
    const void *what; /* a node or an order */
    bool is_order;
    double bound;
    unsigned turn; /* in which it was taken from the list, from 1; 0: not */
};

static struct watched watched[WATCHED_MAX];
static unsigned watched_count, turns;
static bool watching;

/* Called by book.c. */
void xd_watch_search(const void *what, bool is_order, double bound, bool taken);

void xd_watch_search(const void *what, bool is_order, double bound, bool taken)
{
    if (!watching) return;
    if (!taken && watched_count < WATCHED_MAX)
        watched[watched_count++] = (struct watched){what, is_order, bound, 0};
    for (unsigned i = 0; taken && i < watched_count; i++) {
        if (watched[i].what == what) watched[i].turn = ++turns;
    }
}

static const struct watched *what_became_of(const void *what)
{
    for (unsigned i = 0; i < watched_count; i++) {
        if (watched[i].what == what) return &watched[i];
    }
    return NULL;
}

/* --- telling --- */

struct hull {
    double south, north, west, east;
    int64_t coldest, warmest;
};

static void print_leaf(const struct xd_node *leaf)
{
    unsigned passed = 0, judged = 0;
    struct hull hull = {90, -90, 180, -180, INT64_MAX, INT64_MIN};
    for (unsigned i = 0; i < row_count(leaf); i++) {
        const struct xd_slot *slot = slot_of(leaf, i);
        const struct watched *became = what_became_of(slot);
        passed += became != NULL;
        judged += became && became->turn;
        const struct xd_unit_vector *at = &slot->storage_offer.at;
        double lat = asin(at->z) * DEGREES, lon = atan2(at->y, at->x) * DEGREES;
        hull.south = fmin(hull.south, lat);
        hull.north = fmax(hull.north, lat);
        hull.west = fmin(hull.west, lon);
        hull.east = fmax(hull.east, lon);
        if (slot->temp.min < hull.coldest) hull.coldest = slot->temp.min;
        if (slot->temp.max > hull.warmest) hull.warmest = slot->temp.max;
    }
    printf(", \"orders\": %u, \"passed\": %u, \"judged\": %u", row_count(leaf), passed, judged);
    printf(", \"box\": [%.3f, %.3f, %.3f, %.3f], \"temp\": [%.1f, %.1f]", hull.south, hull.west, hull.north,
           hull.east, (double)hull.coldest / 10, (double)hull.warmest / 10);
}

/* The root's bound is without end: it is opened unseen. */
static void print_fate(const struct watched *became)
{
    if (isfinite(became->bound)) printf(", \"bound\": %.2f", became->bound / 100);
    printf(", \"turn\": %u", became->turn);
}

static void print_judged(void)
{
    const char *between = "";
    for (unsigned i = 0; i < watched_count; i++) {
        if (!watched[i].is_order || !watched[i].turn) continue;
        printf("%s{\"bound\": %.2f, \"turn\": %u}", between, watched[i].bound / 100, watched[i].turn);
        between = ", ";
    }
}

static void print_nodes(const struct xd_node *node, unsigned depth)
{
    const struct watched *became = what_became_of(node);
    printf("%s\n {\"depth\": %u, \"leaf\": %s", depth ? "," : "", depth,
           child_count(node) ? "false" : "true");
    if (became) print_fate(became);
    if (!child_count(node)) print_leaf(node);
    printf("}");
    for (unsigned i = 0; i < child_count(node); i++) {
        print_nodes(child_of(node, i), depth + 1);
    }
}

static void print_request(const struct xd_order *order)
{
    printf("{\"lat\": %.4f, \"lon\": %.4f, \"radius_km\": %.0f, \"pallets\": %.0f, \"days\": %" PRId64
           ", \"temp\": [%.1f, %.1f], \"max_price\": %.2f}",
           (double)order->at.lat_e7 / XD_E7, (double)order->at.lon_e7 / XD_E7, (double)order->radius_m / 1e3,
           (double)order->amount[XD_PALLETS] / 100, order->until_day - order->from_day,
           (double)order->temp.min / 10, (double)order->temp.max / 10, (double)order->max_price / 100);
}

static void print_match(const struct xd_deal *deal)
{
    const struct xd_unit_vector *at = &deal->order[XD_OFFER]->storage_offer.at;
    printf("{\"lat\": %.4f, \"lon\": %.4f, \"surplus\": %.2f, \"km\": %.3f}", asin(at->z) * DEGREES,
           atan2(at->y, at->x) * DEGREES, (double)deal->surplus / 100, (double)deal->km_m / 1e3);
}

/* --- the orders --- */

static bool apply(struct xd_engine *engine, struct xd_output *output, struct xd_record *record,
                  const char *account)
{
    static uint64_t next = 1;
    char ref[24];
    snprintf(ref, sizeof ref, "r%" PRIu64, next);
    record->type = XD_RECORD_ORDER;
    record->account = xd_str_of(account);
    record->order.ref = xd_str_of(ref);
    record->order_id = xd_id(0, next++);
    record->credit = XD_CREDIT_UNKNOWN;
    xd_output_clear(output);
    return xd_engine_apply(engine, now_s, record, output);
}

/* 30 pallets of chilled goods near Nanjing, for ten days. */
static void make_request(struct xd_order_maker *maker, struct xd_order *order)
{
    xd_make_order(maker, XD_REQUEST, now_s, order);
    order->at = (struct xd_place){320000000, 1189000000};
    order->radius_m = 150000;
    order->from_day = now_s / XD_DAY_S + 7;
    order->until_day = order->from_day + 10;
    order->valid_until = order->from_day * XD_DAY_S;
    order->temp = (struct xd_range){-10, 40};
    order->amount[XD_PALLETS] = 3000;
    order->amount[XD_KG] = 0;
    order->min_part = 0;
    order->min_credit = 0;
    order->features = 0;
    order->max_price = 250000;
    order->per_access_km = 40000;
    uint64_t left_out =
        UINT64_C(1) << XD_F_MIN_PART | UINT64_C(1) << XD_F_FEATURES | UINT64_C(1) << (XD_F_PALLETS + XD_KG);
    order->given &= ~left_out;
}

static bool play(struct xd_engine *engine, struct xd_order_maker *maker, struct xd_output *output)
{
    struct xd_record record = {0};
    for (unsigned i = 0; i < STORES; i++) {
        xd_make_order(maker, XD_OFFER, now_s, &record.order);
        if (!apply(engine, output, &record, "store")) return false;
    }
    const struct xd_node *root = root_above(xd_slot_at(engine, engine->first_order));
    make_request(maker, &record.order);
    watching = true;
    if (!apply(engine, output, &record, "farm") || !engine->first_deal) return false;
    printf("{\"stores\": %d,\n\"request\": ", STORES);
    print_request(&record.order);
    printf(",\n\"match\": ");
    print_match(engine->first_deal);
    printf(",\n\"judged\": [");
    print_judged();
    printf("],\n\"nodes\": [");
    print_nodes(root, 0);
    printf("\n]}\n");
    return true;
}

int main(void)
{
    struct xd_order_maker maker = {
        .shape = XD_SHAPE_STORAGE, .level = 1, .cold = 1, .currency = xd_currency("CNY", 3)};
    struct xd_places *places = xd_places_create();
    struct xd_engine_options options = {.market = {maker.currency, 12500}, .max_orders = 2 * STORES};
    struct xd_engine *engine = xd_engine_create(&options);
    struct xd_output output;
    xd_output_init(&output, OUTPUT_BYTES);
    maker.places = places;
    xd_random_seed(&maker.random, SEED);
    bool good = places && engine && play(engine, &maker, &output);
    xd_output_free(&output);
    xd_engine_destroy(engine);
    xd_places_destroy(places);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* crossdock-border-loss: the same orders through one partition and through many. What do borders cost?
 *
 * The market of crossdock-bench (clients/bench/market.h) comes in at a steady rate, its detours and radii
 * `--reach` times as wide and a kilometre of them that much cheaper, so that more matches cross a border;
 * messages between partitions take `--latency-ms`. Prints what was matched in either case, and fails where
 * the books do not agree at the end, more than 1 % is lost, or fewer than 40 % of matches cross a border. */
#include "clients/bench/market.h"
#include "clients/bench/market_parts.h"
#include "core/id.h"
#include "tests/border/cluster.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { US = 1000000, NOW = 1893456000, SAMPLES = 20000 };

static struct settings {
    uint64_t orders, seed, rate;
    unsigned partitions, reach_percent;
    int64_t latency_us;
} settings = {
    .orders = 20000, .seed = 1, .rate = 1000, .partitions = 16, .reach_percent = 800, .latency_us = 5000};

struct result {
    uint64_t matches, border_matches, messages, message_bytes;
    int64_t surplus;
    double seconds;
};

static double processor_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct xd_market_play *market(void)
{
    struct xd_market_play *play = xd_market_create(settings.seed, 1.25);
    assert_non_null(play);
    return play;
}

static int64_t window_end(const struct xd_order *order)
{
    if (order->kind == XD_TRUCK)
        return order->side == XD_OFFER ? order->available_until : order->pickup_until;
    return (order->side == XD_OFFER ? order->until_day : order->from_day) * INT64_C(86400);
}

/* The next order of the market, as a broker would append it. */
static void draw(struct xd_market_play *play, uint64_t number, int64_t now, char ref[static 32],
                 struct xd_record *out)
{
    struct xd_market_order drawn;
    xd_market_draw(play, now, &drawn);
    snprintf(ref, 32, "r%llu", (unsigned long long)number);
    *out = (struct xd_record){.type = XD_RECORD_ORDER, .credit = XD_CREDIT_UNKNOWN, .order = drawn.order};
    out->account = xd_str_of(drawn.account);
    out->order.ref = xd_str_of(ref);
    out->order.hold_s = 900;
    out->order.currency = xd_currency("CNY", 3);
    out->order.max_detour_m = out->order.max_detour_m * settings.reach_percent / 100;
    out->order.radius_m = out->order.radius_m * settings.reach_percent / 100;
    out->order.per_detour_km = out->order.per_detour_km * 100 / settings.reach_percent;
    out->order.per_access_km = out->order.per_access_km * 100 / settings.reach_percent;
    out->order.valid_until = window_end(&out->order);
    if (out->order.kind == XD_TRUCK && out->order.side == XD_OFFER) out->order.speed = 600;
    xd_market_gives(&out->order, XD_F_REF);
}

/* Cuts so that each range has as many of the market's orders. */
static void cut(unsigned partitions, struct xd_layout *out)
{
    struct xd_market_play *play = market();
    struct xd_place *places = calloc(SAMPLES, sizeof *places);
    for (unsigned i = 0; i < SAMPLES; i++) {
        struct xd_market_order drawn;
        xd_market_draw(play, NOW, &drawn);
        places[i] = drawn.order.kind == XD_TRUCK ? drawn.order.from : drawn.order.at;
    }
    assert_true(xd_layout_cut(places, SAMPLES, partitions, out));
    free(places);
    xd_market_destroy(play);
}

static struct result run(unsigned partitions)
{
    struct xd_cluster cluster;
    struct xd_layout layout;
    cut(partitions, &layout);
    xd_cluster_begin(&cluster, &layout, NOW);
    cluster.latency_us = settings.latency_us;
    struct xd_market_play *play = market();
    double began = processor_s();
    for (uint64_t i = 0; i < settings.orders; i++) {
        struct xd_record record;
        char ref[32];
        xd_cluster_advance(&cluster, NOW * (int64_t)US + (int64_t)(i * US / settings.rate));
        draw(play, i, NOW, ref, &record);
        xd_cluster_submit(&cluster, &record);
    }
    for (unsigned i = 0; i < 4; i++) {
        xd_cluster_settle(&cluster);
        xd_cluster_advance(&cluster, cluster.now_us + 3 * US);
    }
    xd_cluster_settle(&cluster);
    double seconds = processor_s() - began;
    xd_cluster_check_at_rest(&cluster);
    struct result result = {.matches = cluster.matches,
                            .border_matches = cluster.border_matches,
                            .messages = cluster.messages,
                            .message_bytes = cluster.message_bytes,
                            .surplus = cluster.surplus,
                            .seconds = seconds};
    xd_cluster_end(&cluster);
    xd_market_destroy(play);
    return result;
}

static void print(unsigned partitions, const struct result *result)
{
    double orders = (double)settings.orders;
    printf("%10u %9llu %8.1f %% %16.2f %10.2f %8.0f %9.1f\n", partitions, (unsigned long long)result->matches,
           100.0 * (double)result->border_matches / (double)result->matches, (double)result->surplus / 100.0,
           (double)result->messages / orders, (double)result->message_bytes / orders,
           1e6 * result->seconds / orders);
}

static double loss(double one, double many)
{
    return 100.0 * (one - many) / one;
}

static void borders_lose_no_more_than_one_percent(void **state)
{
    (void)state;
    struct result one = run(1), many = run(settings.partitions);
    printf("%llu orders at %llu/s, messages take %.1f ms, reach x %.2f, seed %llu\n",
           (unsigned long long)settings.orders, (unsigned long long)settings.rate,
           (double)settings.latency_us / 1000, settings.reach_percent / 100.0,
           (unsigned long long)settings.seed);
    printf("partitions   matches over borders          surplus messages    bytes  us/order\n");
    print(1, &one);
    print(settings.partitions, &many);
    double matches = loss((double)one.matches, (double)many.matches);
    double surplus = loss((double)one.surplus, (double)many.surplus);
    printf("lost: %.3f %% of matches, %.3f %% of surplus; nothing over-allocated\n", matches, surplus);
    assert_true(matches < 1 && surplus < 1);
    assert_true(settings.partitions == 1 || many.border_matches * 10 >= many.matches * 4);
}

static bool read_option(int option)
{
    if (option == 'o') settings.orders = strtoull(optarg, NULL, 10);
    if (option == 's') settings.seed = strtoull(optarg, NULL, 10);
    if (option == 'r') settings.rate = strtoull(optarg, NULL, 10);
    if (option == 'p') settings.partitions = (unsigned)strtoul(optarg, NULL, 10);
    if (option == 'w') settings.reach_percent = (unsigned)(strtod(optarg, NULL) * 100);
    if (option == 'l') settings.latency_us = (int64_t)(strtod(optarg, NULL) * 1000);
    return option != '?' && settings.orders && settings.rate && settings.partitions;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"orders", required_argument, NULL, 'o'},
                                            {"partitions", required_argument, NULL, 'p'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"reach", required_argument, NULL, 'w'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"latency-ms", required_argument, NULL, 'l'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (read_option(option)) continue;
        fprintf(stderr, "usage: crossdock-border-loss [--orders N] [--partitions P] [--rate PER_S] "
                        "[--latency-ms MS] [--reach FACTOR] [--seed S]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(borders_lose_no_more_than_one_percent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

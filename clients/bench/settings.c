#include "clients/bench/settings.h"

#include "clients/bench/load.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct xd_bench_settings, member)

enum { MILLION = 1000 * 1000 };

const char *const xd_scenario_names[] = {"market", "book", "demo", "replay", NULL};
static const char *const kind_names[] = {"all", "truck", "cold", "warehouse", NULL};

/* clang-format off */
static const struct xd_option table[] = {
    {.group = "Load", .name = "scenario", .type = XD_OPTION_CHOICE, .offset = AT(scenario), .value = "NAME",
     .fallback = "market", .choices = xd_scenario_names,
     .doc = "What to play; may also stand first, without its name. market: a freight market between real "
            "places. book: 100 offers rest, requests are matched against them. demo: the market in slow "
            "motion with a live summary. replay FILE: orders from JSON Lines."},
    {.group = "Load", .name = "file", .type = XD_OPTION_TEXT, .offset = AT(file), .value = "FILE",
     .doc = "The file of a replay; may also stand after the word replay."},
    {.group = "Load", .name = "connections", .type = XD_OPTION_NUMBER, .offset = AT(connections),
     .value = "N", .fallback = "4", .min = 1, .max = XD_LOAD_CONNECTIONS_MAX,
     .doc = "Connections that send orders."},
    {.group = "Load", .name = "outstanding", .type = XD_OPTION_NUMBER, .offset = AT(outstanding),
     .value = "M", .fallback = "64", .min = 1, .max = XD_LOAD_OUTSTANDING_MAX,
     .doc = "Orders without an answer on a connection: closed loop keeps so many, open loop never has "
            "more."},
    {.group = "Load", .name = "batch", .type = XD_OPTION_NUMBER, .offset = AT(batch), .value = "K",
     .fallback = "1", .min = 1, .max = XD_LOAD_BATCH_MAX,
     .doc = "Orders a call."},
    {.group = "Load", .name = "orders", .type = XD_OPTION_NUMBER, .offset = AT(orders), .value = "N",
     .fallback = "0", .min = 0, .max = XD_VERIFY_ORDERS_MAX,
     .doc = "Stop after so many orders; 0: no limit."},
    {.group = "Load", .name = "seconds", .type = XD_OPTION_NUMBER, .scale = 3, .offset = AT(seconds_ms),
     .value = "S", .fallback = "0", .min = 0, .max = 86400 * 1000,
     .doc = "Stop after so long, with --rate once all that was due by then is sent; 0: no limit. Without any "
            "limit a market or book ends after 10 s, a demo after 300 s."},
    {.group = "Load", .name = "rate", .type = XD_OPTION_NUMBER, .scale = 3, .offset = AT(rate_m),
     .value = "R", .fallback = "0", .min = 0, .max = INT64_C(10) * MILLION * 1000,
     .doc = "Open loop: so many orders/s, latency counted from when each was due. 0: closed loop (a demo: "
            "30)."},
    {.group = "Load", .name = "seed", .type = XD_OPTION_NUMBER, .offset = AT(seed), .value = "N",
     .fallback = "1", .min = 0, .max = INT64_MAX,
     .doc = "The same seed gives the same orders."},
    {.group = "Load", .name = "kind", .type = XD_OPTION_CHOICE, .offset = AT(kind), .value = "KIND",
     .fallback = "all", .choices = kind_names,
     .doc = "A book's orders."},
    {.group = "Load", .name = "no-watch", .type = XD_OPTION_FLAG, .offset = AT(no_watch),
     .doc = "Do not watch the events: nothing is verified, and the broker has nobody to tell."},

    {.group = "Connection", .name = "url", .type = XD_OPTION_TEXT, .offset = AT(url), .value = "URL",
     .fallback = "tcp://127.0.0.1:7400",
     .doc = "The broker, tcp://HOST:PORT or tls://HOST:PORT."},
    {.group = "Connection", .name = "tls-ca", .type = XD_OPTION_TEXT, .offset = AT(tls_ca), .value = "FILE",
     .doc = "CAs (PEM) that the broker's certificate must come from; otherwise the system's."},
    {.group = "Connection", .name = "tls-cert", .type = XD_OPTION_TEXT, .offset = AT(tls_cert),
     .value = "FILE",
     .doc = "The client's own certificate (PEM)."},
    {.group = "Connection", .name = "tls-key", .type = XD_OPTION_TEXT, .offset = AT(tls_key), .value = "FILE",
     .doc = "The key of --tls-cert (PEM)."},
    {.group = "Connection", .name = "reconnect", .type = XD_OPTION_DURATION, .offset = AT(reconnect_ms),
     .value = "TIME", .fallback = "0", .min = 0, .max = 3600 * 1000,
     .doc = "Make a connection that ends again, for so long: orders without an answer are sent again under "
            "their refs, the events go on at the last cursor. 0: the load ends."},
    {.group = "Connection", .name = "tls-insecure", .type = XD_OPTION_FLAG, .offset = AT(tls_insecure),
     .doc = "Do not verify the broker."},

    {.group = "Output", .name = "json", .type = XD_OPTION_FLAG, .offset = AT(json),
     .doc = "The result as one line of JSON."},
    {.group = "Output", .name = "quiet", .type = XD_OPTION_FLAG, .offset = AT(quiet),
     .doc = "No progress."},

    {.group = "Instead of running", .name = "print", .type = XD_OPTION_FLAG, .offset = AT(print),
     .flag_only = true,
     .doc = "Print the market's orders as JSON Lines (for replay, or crossdock submit) and send nothing."},
    {.group = "Instead of running", .name = "version", .type = XD_OPTION_FLAG, .offset = AT(version),
     .flag_only = true,
     .doc = "Print the version."},
    {.group = "Instead of running", .name = "help", .type = XD_OPTION_FLAG, .offset = AT(help),
     .flag_only = true,
     .doc = "Print this."},
};
/* clang-format on */

const struct xd_options xd_bench_options = {
    .program = "crossdock-bench [market | book | demo | replay FILE]",
    .summary = "Loads a Crossdock broker with orders, measures it, and verifies what it tells.\n"
               "Exit status: 0 done, 1 what it told was wrong, 2 usage, 3 no connection or no answer.",
    .environment = "CROSSDOCK_BENCH_",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

/* The words before the first option: a scenario and, after replay, its file. Returns how many there are. */
static int read_words(int argc, char *const *argv, int *scenario, const char **file, struct xd_buf *mistakes)
{
    *scenario = -1;
    *file = NULL;
    if (argc < 2 || argv[1][0] == '-') return 0;
    for (int i = 0; xd_scenario_names[i]; i++) {
        if (strcmp(argv[1], xd_scenario_names[i]) == 0) *scenario = i;
    }
    if (*scenario < 0)
        xd_options_mistake(mistakes, "%s: not a scenario: market, book, demo or replay", argv[1]);
    if (*scenario != XD_SCENARIO_REPLAY || argc < 3 || argv[2][0] == '-') return 1;
    *file = argv[2];
    return 2;
}

static bool check(struct xd_bench_settings *settings, struct xd_buf *mistakes)
{
    size_t before = mistakes->len;
    if (settings->scenario == XD_SCENARIO_REPLAY && !*settings->file)
        xd_options_mistake(mistakes, "replay: no file was given");
    if (settings->outstanding < settings->batch)
        xd_options_mistake(mistakes, "--outstanding: must be at least --batch");
    return mistakes->len == before;
}

static void limit(struct xd_bench_settings *settings)
{
    bool demo = settings->scenario == XD_SCENARIO_DEMO;
    if (demo && settings->rate_m == 0) settings->rate_m = 30 * 1000;
    if (settings->scenario == XD_SCENARIO_REPLAY || settings->orders > 0 || settings->seconds_ms > 0) return;
    settings->seconds_ms = (demo ? 300 : 10) * 1000;
}

bool xd_bench_settings_read(int argc, char *const *argv, struct xd_bench_settings *out,
                            struct xd_option_given *given, struct xd_buf *mistakes)
{
    int scenario;
    const char *file;
    int words = read_words(argc, argv, &scenario, &file, mistakes);
    bool good = mistakes->len == 0;
    *out = (struct xd_bench_settings){0};
    if (!xd_options_read(&xd_bench_options, argc - words, argv + words, out, given, mistakes)) return false;
    if (scenario >= 0) out->scenario = scenario;
    if (file) {
        free(out->file);
        out->file = strdup(file);
        if (!out->file) xd_options_mistake(mistakes, "no memory");
        good = good && out->file;
    }
    if (out->help || out->version || !good) return good;
    if (!check(out, mistakes)) return false;
    limit(out);
    return true;
}

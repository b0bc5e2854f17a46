#include "clients/cli/settings.h"

#include "core/curve.h"
#include "core/ledger/ledger_redis.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct xd_cli_settings, member)

enum { HELP_MAX = 64 << 10, EVERY_COMMAND = 0 };

/* clang-format off */
static const struct xd_option table[] = {
    {.group = "Connection", .name = "url", .type = XD_OPTION_TEXT, .offset = AT(url), .value = "URL",
     .fallback = "tcp://127.0.0.1:7400",
     .doc = "The broker, tcp://HOST:PORT or tls://HOST:PORT; also CROSSDOCK_URL."},
    {.group = "Connection", .name = "account", .type = XD_OPTION_TEXT, .offset = AT(account), .value = "NAME",
     .doc = "Whose orders these are; also CROSSDOCK_ACCOUNT. '*': an operator, who may act for any "
            "account and sees all. Left out: the client certificate's account, without one '*'."},
    {.group = "Connection", .name = "as", .type = XD_OPTION_TEXT, .flag_only = true, .offset = AT(as),
     .value = "NAME",
     .doc = "As '*': whose order or match it is (cancel, accept, ...)."},
    {.group = "Connection", .name = "tls-ca", .type = XD_OPTION_TEXT, .flag_only = true, .offset = AT(tls_ca),
     .value = "FILE",
     .doc = "CAs (PEM) that the broker's certificate must come from; otherwise the system's."},
    {.group = "Connection", .name = "tls-cert", .type = XD_OPTION_TEXT, .flag_only = true,
     .offset = AT(tls_cert),
     .value = "FILE", .doc = "The client's own certificate and chain (PEM)."},
    {.group = "Connection", .name = "tls-key", .type = XD_OPTION_TEXT, .flag_only = true,
     .offset = AT(tls_key),
     .value = "FILE", .doc = "The key of --tls-cert (PEM)."},
    {.group = "Connection", .name = "tls-insecure", .type = XD_OPTION_FLAG, .flag_only = true,
     .offset = AT(tls_insecure), .doc = "Do not verify the broker: for experiments only."},

    {.group = "Listing", .name = "state", .type = XD_OPTION_TEXT, .flag_only = true, .offset = AT(state),
     .value = "STATE", .doc = "Only those in this state: open, filled, proposed, confirmed, ..."},

    {.group = "Watching", .name = "durable", .type = XD_OPTION_TEXT, .flag_only = true, .offset = AT(durable),
     .value = "NAME",
     .doc = "Go on where the subscription of this name stopped; what was printed is acknowledged."},
    {.group = "Watching", .name = "from", .type = XD_OPTION_TEXT, .flag_only = true, .offset = AT(from),
     .value = "CURSOR", .doc = "Begin after this cursor."},
    {.group = "Watching", .name = "all", .type = XD_OPTION_FLAG, .flag_only = true, .offset = AT(all),
     .doc = "Begin with the oldest event there is."},
    {.group = "Watching", .name = "count", .type = XD_OPTION_NUMBER, .flag_only = true, .offset = AT(count),
     .value = "N", .min = 1, .max = INT64_MAX, .doc = "End after so many events."},
    {.group = "Watching", .name = "idle", .type = XD_OPTION_NUMBER, .flag_only = true, .scale = 3,
     .offset = AT(idle_ms), .value = "SECONDS", .min = 1, .max = 86400 * 1000,
     .doc = "End when no event came for so long."},

    {.group = "Ledger", .name = "data", .type = XD_OPTION_TEXT, .offset = AT(data), .value = "DIR",
     .fallback = "./data", .doc = "The broker's data directory; also CROSSDOCK_DATA. Not read where there is --redis."},
    {.group = "Ledger", .name = "partition", .type = XD_OPTION_NUMBER, .flag_only = true, .offset = AT(partition),
     .value = "N", .fallback = "0", .max = XD_REDIS_PARTITIONS - 1,
     .doc = "With --redis: the partition whose ledger it is."},

    {.group = "Redis", .name = "redis", .type = XD_OPTION_TEXT, .offset = AT(redis), .secret = true, .value = "URL",
     .doc = "Where Redis is, as for crossdock-broker; also CROSSDOCK_REDIS."},
    {.group = "Redis", .name = "redis-tls-ca", .type = XD_OPTION_TEXT, .offset = AT(redis_tls_ca), .value = "FILE",
     .doc = "CAs (PEM) that Redis' certificate must come from; the system's if left out."},
    {.group = "Redis", .name = "redis-tls-cert", .type = XD_OPTION_TEXT, .offset = AT(redis_tls_cert),
     .value = "FILE", .doc = "The certificate to show to Redis (PEM)."},
    {.group = "Redis", .name = "redis-tls-key", .type = XD_OPTION_TEXT, .offset = AT(redis_tls_key),
     .value = "FILE", .doc = "The key of --redis-tls-cert (PEM)."},
    {.group = "Cluster", .name = "accept-weak-redis", .type = XD_OPTION_FLAG, .offset = AT(accept_weak_redis),
     .doc = "init: take a Redis whose settings can lose what was acknowledged."},
    {.group = "Cluster", .name = "partitions", .type = XD_OPTION_NUMBER, .flag_only = true, .offset = AT(partitions),
     .value = "N", .min = 1, .max = XD_RANGES_MAX, .doc = "init: how many partitions each kind of order has, for ever."},
    {.group = "Cluster", .name = "places", .type = XD_OPTION_TEXT, .flag_only = true, .offset = AT(places),
     .value = "FILE", .doc = "init: the market's places, one 'lat,lon' a line or CSV with columns of these names; each "
                             "partition gets as many of them."},
    {.group = "Cluster", .name = "currency", .type = XD_OPTION_TEXT, .flag_only = true, .offset = AT(currency),
     .value = "CODE", .fallback = "CNY", .doc = "init: currency (ISO 4217) of orders that name none."},
    {.group = "Cluster", .name = "road-factor", .type = XD_OPTION_NUMBER, .flag_only = true, .scale = 4,
     .offset = AT(road_factor_e4), .value = "X", .fallback = "1.25", .min = 10000, .max = 30000,
     .doc = "init: road kilometres per kilometre of great circle."},

    {.group = "Everywhere", .name = "json", .type = XD_OPTION_FLAG, .flag_only = true, .offset = AT(json),
     .doc = "Results and errors as JSON, one object a line."},
    {.group = "Everywhere", .name = "help", .type = XD_OPTION_FLAG, .flag_only = true, .offset = AT(help),
     .doc = "Say what a command does and takes."},
    {.group = "Everywhere", .name = "version", .type = XD_OPTION_FLAG, .flag_only = true,
     .offset = AT(version),
     .doc = "Print the version."},
};
/* clang-format on */

enum { OPTIONS = sizeof table / sizeof *table };

static const struct {
    const char *group;
    unsigned bit;
} groups[] = {
    {"Connection", XD_TAKES_CONNECTION}, {"Listing", XD_TAKES_STATE}, {"Watching", XD_TAKES_WATCH},
    {"Ledger", XD_TAKES_DATA},           {"Redis", XD_TAKES_REDIS},   {"Cluster", XD_TAKES_CLUSTER},
    {"Everywhere", EVERY_COMMAND},
};

static const struct xd_options options = {
    .program = "crossdock", .summary = "", .environment = "CROSSDOCK_", .table = table, .count = OPTIONS};

static bool is_taken(const struct xd_option *option, unsigned takes)
{
    if (strcmp(option->name, "as") == 0) return takes & XD_TAKES_AS;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(groups[i].group, option->group) == 0) return (groups[i].bit & ~takes) == 0;
    return false;
}

/* Whether the argument is an option whose value is the next one. */
static bool wants_value(const char *argument)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (strcmp(table[i].name, argument + 2) == 0) return table[i].type != XD_OPTION_FLAG;
    return false;
}

static void sort(struct xd_arguments *arguments, int argc, char **argv)
{
    static char help[] = "--help";
    bool only_words = false;
    arguments->flags[arguments->flag_count++] = argv[0];
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && strcmp(argv[i], "-h") == 0) {
            arguments->flags[arguments->flag_count++] = help;
        } else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
            bool pair = wants_value(argv[i]) && i + 1 < argc;
            arguments->flags[arguments->flag_count++] = argv[i];
            if (pair) arguments->flags[arguments->flag_count++] = argv[++i];
        } else {
            arguments->words[arguments->word_count++] = argv[i];
        }
    }
}

bool xd_arguments_read(struct xd_arguments *arguments, int argc, char **argv, struct xd_buf *mistakes)
{
    *arguments = (struct xd_arguments){.word_count = 0};
    arguments->words = calloc((size_t)argc + 1, sizeof *arguments->words);
    arguments->flags = calloc((size_t)argc + 1, sizeof *arguments->flags);
    if (!arguments->words || !arguments->flags) return false;
    sort(arguments, argc, argv);
    return xd_options_read(&options, arguments->flag_count, arguments->flags, &arguments->settings,
                           &arguments->given, mistakes);
}

void xd_arguments_free(struct xd_arguments *arguments)
{
    xd_options_free(&options, &arguments->settings, &arguments->given);
    free(arguments->words);
    free(arguments->flags);
}

const char *xd_arguments_stray(const struct xd_arguments *arguments, unsigned takes)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        bool given = arguments->given.text[i] && arguments->given.source[i] == XD_FROM_FLAG;
        if (given && !is_taken(&table[i], takes)) return table[i].name;
    }
    return NULL;
}

void xd_options_help_for(unsigned takes, struct xd_buf *out)
{
    struct xd_option taken[OPTIONS];
    struct xd_options some = options;
    some.table = taken;
    some.count = 0;
    for (size_t i = 0; i < OPTIONS; i++)
        if (is_taken(&table[i], takes)) taken[some.count++] = table[i];

    struct xd_buf help;
    xd_buf_init(&help, HELP_MAX);
    xd_options_help(&some, &help);
    /* Its own first paragraph, the usage of a program without commands, is left out. */
    const uint8_t *start = help.data ? memmem(help.data, help.len, "\n\n", 2) : NULL;
    if (start) xd_buf_add(out, start + 2, help.len - (size_t)(start + 2 - help.data));
    xd_buf_free(&help);
}

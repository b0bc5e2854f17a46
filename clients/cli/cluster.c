/* crossdock cluster: init, status, drain. */
#include "clients/cli/cluster.h"

#include "clients/cli/places.h"
#include "core/ledger/ledger_redis.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 5000, BACKLOG = 1 << 20, LEASE_MS = 2000 };

enum xd_exit xd_cli_cluster_error(const struct xd_cli *cli, const struct xd_error *error)
{
    enum xd_exit status = error->code == XD_STORAGE_FAILED ? XD_EXIT_NO_CONNECTION : XD_EXIT_REFUSED;
    return xd_cli_error(cli, status, xd_code_name(error->code), error->field, error->message);
}

/* --- init ----------------------------------------------------------------------------------------------- */

static bool make_ranges(const struct xd_cli *cli, struct xd_layout *ranges, struct xd_error *error)
{
    const struct xd_cli_settings *settings = &cli->settings;
    struct xd_place *places = NULL;
    size_t count = 0;
    if (*settings->places && !xd_places_read(settings->places, &places, &count, error)) return false;
    bool made = xd_layout_cut(places, count, (uint32_t)settings->partitions, ranges);
    free(places);
    return made || xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the places");
}

/* The ledger first: it refuses a Redis that is too weak, or holds a ledger of another form. */
static bool make_ledger(const struct xd_cli *cli, const struct xd_market *market, struct xd_error *error)
{
    const struct xd_cli_settings *settings = &cli->settings;
    const struct xd_redis_ledger_options options = {.url = settings->redis,
                                                    .tls_ca = settings->redis_tls_ca,
                                                    .tls_cert = settings->redis_tls_cert,
                                                    .tls_key = settings->redis_tls_key,
                                                    .market = *market,
                                                    .market_given = true,
                                                    .partitions = (uint16_t)(settings->partitions * XD_KINDS),
                                                    .durability = XD_DURABILITY_FSYNCED,
                                                    .accept_weak = settings->accept_weak_redis,
                                                    .backlog_limit = BACKLOG,
                                                    .lease_ms = LEASE_MS,
                                                    .timeout_ms = TIMEOUT_MS,
                                                    .owner_only = true};
    struct event_base *base = event_base_new();
    if (!base) return xd_fail(error, XD_NO_MEMORY, NULL, "no memory");
    struct xd_ledger *ledger = xd_ledger_open_redis(base, &options, error);
    if (ledger) xd_ledger_close(ledger);
    event_base_free(base);
    return ledger != NULL;
}

static void print_init(const struct xd_cli *cli, const struct xd_cluster_layout *layout)
{
    printf(cli->settings.json ? "{\"id\":\"%s\",\"ranges\":%u,\"partitions\":%u}\n"
                              : "cluster %s  %u ranges, %u partitions\n",
           layout->id, layout->ranges.count, (unsigned)xd_cluster_partitions(layout));
}

static enum xd_exit init(struct xd_cli *cli, struct xd_cluster *cluster)
{
    const struct xd_cli_settings *settings = &cli->settings;
    const struct xd_market market = {.currency = xd_currency(settings->currency, strlen(settings->currency)),
                                     .road_factor_e4 = (int32_t)settings->road_factor_e4};
    struct xd_layout ranges;
    struct xd_error error;
    if (settings->partitions == 0) return xd_cli_usage(cli, "cluster init", "--partitions N is missing");
    if (market.currency == 0)
        return xd_cli_usage(cli, "--currency", "allowed: three capital letters (ISO 4217)");
    if (xd_cluster_layout(cluster))
        return xd_cli_error(cli, XD_EXIT_REFUSED, xd_code_name(XD_WRONG_STATE), "redis",
                            "a cluster has been initialised there already");
    if (!make_ranges(cli, &ranges, &error) || !make_ledger(cli, &market, &error) ||
        !xd_cluster_init(cluster, &ranges, &market, &error))
        return xd_cli_cluster_error(cli, &error);
    print_init(cli, xd_cluster_layout(cluster));
    return XD_EXIT_DONE;
}

/* --- drain ---------------------------------------------------------------------------------------------- */

static enum xd_exit drain(struct xd_cli *cli, struct xd_cluster *cluster)
{
    struct xd_member_status members[XD_MEMBERS_MAX];
    struct xd_error error;
    const char *name = cli->args[1];
    uint64_t id = 0;
    int count = xd_cluster_member_status(cluster, members, &error);
    for (int i = 0; i < count; i++) {
        char text[24];
        snprintf(text, sizeof(text), "%016" PRIx64, members[i].id);
        if (strcmp(name, text) == 0 || strcmp(name, members[i].name) == 0) id = members[i].id;
    }
    if (count >= 0 && id == 0) xd_fail(&error, XD_NOT_FOUND, "member", "there is no such member");
    if (id == 0 || !xd_cluster_drain(cluster, id, &error)) return xd_cli_cluster_error(cli, &error);
    printf(cli->settings.json ? "{\"member\":\"%016" PRIx64 "\",\"status\":\"draining\"}\n"
                              : "%016" PRIx64 "  draining\n",
           id);
    return XD_EXIT_DONE;
}

/* --- which ---------------------------------------------------------------------------------------------- */

static enum xd_exit run(struct xd_cli *cli, struct xd_cluster *cluster, void *arg)
{
    (void)arg;
    const char *what = cli->args[0];
    if (strcmp(what, "init") == 0) return init(cli, cluster);
    if (!xd_cluster_layout(cluster))
        return xd_cli_error(cli, XD_EXIT_REFUSED, xd_code_name(XD_NOT_FOUND), "redis",
                            "no cluster has been initialised there (crossdock cluster init)");
    return strcmp(what, "drain") == 0 ? drain(cli, cluster) : xd_cli_cluster_status(cli, cluster);
}

enum xd_exit xd_cli_with_redis(struct xd_cli *cli, xd_cli_redis_act *act, void *arg)
{
    const struct xd_cli_settings *settings = &cli->settings;
    const struct xd_cluster_options options = {.url = settings->redis,
                                               .tls_ca = settings->redis_tls_ca,
                                               .tls_cert = settings->redis_tls_cert,
                                               .tls_key = settings->redis_tls_key,
                                               .timeout_ms = TIMEOUT_MS};
    struct xd_error error;
    struct event_base *base = event_base_new();
    if (!base) return xd_cli_error(cli, XD_EXIT_REFUSED, "no_memory", "", "no memory");
    struct xd_cluster *cluster = xd_cluster_open(base, &options, &error);
    enum xd_exit status = cluster ? act(cli, cluster, arg) : xd_cli_cluster_error(cli, &error);
    xd_cluster_close(cluster);
    event_base_free(base);
    return status;
}

enum xd_exit xd_cli_cluster(struct xd_cli *cli)
{
    const char *what = cli->args[0];
    bool drains = strcmp(what, "drain") == 0;
    if (!drains && strcmp(what, "init") != 0 && strcmp(what, "status") != 0)
        return xd_cli_usage(cli, "cluster", "allowed: init, status, drain MEMBER");
    if (cli->arg_count != (drains ? 2 : 1))
        return xd_cli_usage(cli, "cluster", drains ? "MEMBER is missing" : "one argument too many");
    if (!*cli->settings.redis) return xd_cli_usage(cli, "cluster", "--redis URL is missing");
    return xd_cli_with_redis(cli, run, NULL);
}

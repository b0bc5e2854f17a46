/* What both programs read of the one options table. */
#include "program/settings.h"

#include <string.h>

/* The options of the broker that the matcher has too. */
static const char *const of_matcher[] = {
    "keep-log",       "retain-events", "snapshot-every", "backlog",           "redis",         "redis-tls-ca",
    "redis-tls-cert", "redis-tls-key", "durability",     "accept-weak-redis", "redis-timeout", "lease",
    "max-orders",     "config",        "log-level",      "check-config",      "version",       "help"};

static struct xd_option matcher_table[sizeof(of_matcher) / sizeof(*of_matcher)];

static struct xd_options matcher_options = {
    .program = "crossdock-matcher",
    .summary = "Owns partitions of a cluster over Redis and matches their orders.",
    .environment = "CROSSDOCK_",
    .config = "config",
    .table = matcher_table};

static bool is_of_matcher(const char *name)
{
    for (size_t i = 0; i < sizeof(of_matcher) / sizeof(*of_matcher); i++)
        if (strcmp(of_matcher[i], name) == 0) return true;
    return false;
}

const struct xd_options *xd_settings_options(enum xd_program program)
{
    if (program == XD_FOR_BROKER) return &xd_broker_options;
    size_t count = 0;
    for (size_t i = 0; i < xd_broker_options.count; i++)
        if (is_of_matcher(xd_broker_options.table[i].name))
            matcher_table[count++] = xd_broker_options.table[i];
    matcher_options.count = count;
    return &matcher_options;
}

struct xd_redis_ledger_options xd_settings_redis(const struct xd_settings *settings)
{
    return (struct xd_redis_ledger_options){.url = settings->redis,
                                            .tls_ca = settings->redis_tls_ca,
                                            .tls_cert = settings->redis_tls_cert,
                                            .tls_key = settings->redis_tls_key,
                                            .durability = settings->durability,
                                            .replicas = settings->replicas,
                                            .accept_weak = settings->accept_weak_redis,
                                            .keep_log = settings->keep_log,
                                            .event_retention_s = (settings->retain_events_ms + 999) / 1000,
                                            .backlog_limit = (size_t)settings->backlog,
                                            .outbox_limit = (size_t)settings->outbox,
                                            .lease_ms = (uint32_t)settings->lease_ms,
                                            .timeout_ms = (uint32_t)settings->redis_timeout_ms};
}

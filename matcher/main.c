/* crossdock-matcher: a member of a cluster until a signal, then hands over what it owns. */
#include "core/ledger/ledger_redis.h"
#include "matcher/matcher.h"
#include "program/program.h"

#include <stdio.h>

static void on_stopped(void *arg)
{
    event_base_loopbreak(arg);
}

static struct xd_matcher *start(const struct xd_run *run, struct xd_redis_ledger_options *ledger, struct xd_error *error)
{
    const struct xd_settings *settings = run->settings;
    const struct xd_matcher_options options = {
        .ledger = ledger,
        .cluster = {.url = settings->redis,
                    .tls_ca = settings->redis_tls_ca,
                    .tls_cert = settings->redis_tls_cert,
                    .tls_key = settings->redis_tls_key,
                    .timeout_ms = (uint32_t)settings->redis_timeout_ms},
        .max_orders = (uint32_t)settings->max_orders,
        .snapshot_every = (uint64_t)settings->snapshot_every,
        .log = run->log,
        .stopped = on_stopped,
        .arg = run->base};
    return xd_matcher_start(run->base, &options, error);
}

static void announce(const struct xd_matcher *matcher, const struct xd_log *log)
{
    char id[24];
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)matcher->id);
    xd_log(log, XD_LOG_INFO, "ready", xd_log_text("member", id), xd_log_text("name", matcher->name),
           xd_log_number("partitions", matcher->partition_count));
}

static void leave(void *arg)
{
    xd_matcher_leave(arg);
}

static bool serve(struct xd_run *run, struct xd_error *error)
{
    struct xd_redis_ledger_options ledger = xd_settings_redis(run->settings);
    struct xd_matcher *matcher = start(run, &ledger, error);
    if (!matcher) return false;
    announce(matcher, run->log);
    run->stop = leave;
    run->arg = matcher;
    event_base_dispatch(run->base);
    xd_matcher_destroy(matcher);
    return true;
}

int main(int argc, char **argv)
{
    return xd_program_main(XD_FOR_MATCHER, argc, argv, serve);
}

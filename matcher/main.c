/* crossdock-matcher: a member of a cluster until a signal, then hands over what it owns.
 *
 * Exit status: 0 done, 1 it could not run (or a second signal cut its end short), 2 mistakes in the settings.
 */
#include "broker/settings.h"
#include "core/ledger/ledger_redis.h"
#include "matcher/matcher.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, TEXT_MAX = 64 << 10 };

struct run {
    struct event_base *base;
    struct xd_matcher *matcher;
    struct event *terminate, *interrupt;
};

static void exit_now(int number)
{
    (void)number;
    _exit(EXIT_FAILURE);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number, (void)what;
    struct run *run = arg;
    event_del(run->terminate);
    event_del(run->interrupt);
    signal(SIGTERM, exit_now);
    signal(SIGINT, exit_now);
    if (run->matcher)
        xd_matcher_leave(run->matcher);
    else
        event_base_loopbreak(run->base);
}

static void on_stopped(void *arg)
{
    struct run *run = arg;
    event_base_loopbreak(run->base);
}

static bool prepare(struct run *run)
{
    signal(SIGPIPE, SIG_IGN);
    run->base = event_base_new();
    if (!run->base) return false;
    run->terminate = evsignal_new(run->base, SIGTERM, on_signal, run);
    run->interrupt = evsignal_new(run->base, SIGINT, on_signal, run);
    return run->terminate && run->interrupt && event_add(run->terminate, NULL) == 0 &&
           event_add(run->interrupt, NULL) == 0;
}

static struct xd_matcher *start(struct run *run, const struct xd_settings *settings, const struct xd_log *log,
                                struct xd_redis_ledger_options *ledger, struct xd_error *error)
{
    const struct xd_matcher_options options = {
        .ledger = ledger,
        .cluster = {.url = settings->redis,
                    .tls_ca = settings->redis_tls_ca,
                    .tls_cert = settings->redis_tls_cert,
                    .tls_key = settings->redis_tls_key,
                    .timeout_ms = (uint32_t)settings->redis_timeout_ms},
        .max_orders = (uint32_t)settings->max_orders,
        .snapshot_every = (uint64_t)settings->snapshot_every,
        .log = log,
        .stopped = on_stopped,
        .arg = run};
    return xd_matcher_start(run->base, &options, error);
}

static void clean_up(struct run *run)
{
    xd_matcher_destroy(run->matcher);
    if (run->terminate) event_free(run->terminate);
    if (run->interrupt) event_free(run->interrupt);
    if (run->base) event_base_free(run->base);
    libevent_global_shutdown();
}

static int serve(const struct xd_settings *settings)
{
    const struct xd_log log = {.stream = stderr, .level = (enum xd_log_level)settings->log_level};
    struct xd_redis_ledger_options ledger = xd_settings_redis(settings);
    struct run run = {0};
    struct xd_error error = {0};
    if (prepare(&run)) run.matcher = start(&run, settings, &log, &ledger, &error);
    bool well = run.matcher != NULL;
    if (well) {
        char id[24];
        snprintf(id, sizeof(id), "%016llx", (unsigned long long)run.matcher->id);
        xd_log(&log, XD_LOG_INFO, "ready", xd_log_text("member", id), xd_log_text("name", run.matcher->name),
               xd_log_number("partitions", run.matcher->partition_count));
        event_base_dispatch(run.base);
    } else {
        xd_log(&log, XD_LOG_ERROR, "failed",
               xd_log_text("why", *error.message ? error.message : "no memory"));
    }
    clean_up(&run);
    if (well) xd_log(&log, XD_LOG_INFO, "stopped", xd_log_number("status", 0));
    return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print(FILE *stream, const struct xd_buf *text, int status)
{
    fwrite(text->data, 1, text->len, stream);
    return status;
}

static int act(const struct xd_settings *settings, bool well, const struct xd_buf *mistakes,
               struct xd_buf *text)
{
    const struct xd_options *options = xd_settings_options(XD_FOR_MATCHER);
    if (settings->help) {
        xd_options_help(options, text);
        return print(stdout, text, EXIT_SUCCESS);
    }
    if (settings->version) {
        printf("crossdock-matcher %s\n", XD_VERSION);
        return EXIT_SUCCESS;
    }
    if (!well) return print(stderr, mistakes, EXIT_USAGE);
    if (settings->check_config) {
        xd_options_show(options, &settings->given, text);
        return print(stdout, text, EXIT_SUCCESS);
    }
    return serve(settings);
}

int main(int argc, char **argv)
{
    struct xd_settings settings;
    struct xd_buf mistakes, text;
    xd_buf_init(&mistakes, TEXT_MAX);
    xd_buf_init(&text, TEXT_MAX);
    bool well = xd_settings_read_for(XD_FOR_MATCHER, &settings, argc, argv, &mistakes);
    int status = act(&settings, well, &mistakes, &text);
    xd_settings_free(&settings);
    xd_buf_free(&mistakes);
    xd_buf_free(&text);
    return status;
}

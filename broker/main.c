/* crossdock-broker: reads its settings, runs the server until a signal, and says how it went.
 *
 * Exit status: 0 done, 1 it could not run (or a second signal cut its end short), 2 mistakes in the settings.
 */
#include "broker/server.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, TEXT_MAX = 64 << 10, SPARE_DESCRIPTORS = 128 };

struct run {
    struct event_base *base;
    struct xd_server *server;
    struct event *terminate, *interrupt;
    bool well;
};

static void exit_now(int number)
{
    (void)number;
    _exit(EXIT_FAILURE);
}

/* The first signal drains; from then on the next one ends the process, whatever it is waiting for. */
static void on_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number, (void)what;
    struct run *run = arg;
    event_del(run->terminate);
    event_del(run->interrupt);
    signal(SIGTERM, exit_now);
    signal(SIGINT, exit_now);
    xd_server_drain(run->server);
}

static void on_stopped(void *arg, bool well)
{
    struct run *run = arg;
    run->well = well;
    event_base_loopbreak(run->base);
}

/* As many descriptors as the connections need, as far as the system lets us have them. */
static void raise_limits(const struct xd_settings *settings, const struct xd_log *log)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)settings->max_connections + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return;
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < needed)
        xd_log(log, XD_LOG_WARNING, "few_descriptors", xd_log_number("limit", (int64_t)limit.rlim_cur),
               xd_log_number("needed", (int64_t)needed));
}

static bool prepare(struct run *run)
{
    signal(SIGPIPE, SIG_IGN);
    run->base = event_base_new();
    if (!run->base) return false;
    run->terminate = evsignal_new(run->base, SIGTERM, on_signal, run);
    run->interrupt = evsignal_new(run->base, SIGINT, on_signal, run);
    /* From now on a signal waits for the event loop, so that one during the start is not lost. */
    return run->terminate && run->interrupt && event_add(run->terminate, NULL) == 0 &&
           event_add(run->interrupt, NULL) == 0;
}

static void clean_up(struct run *run)
{
    xd_server_destroy(run->server);
    if (run->terminate) event_free(run->terminate);
    if (run->interrupt) event_free(run->interrupt);
    if (run->base) event_base_free(run->base);
    libevent_global_shutdown();
}

static int serve(const struct xd_settings *settings)
{
    const struct xd_log log = {.stream = stderr, .level = (enum xd_log_level)settings->log_level};
    struct run run = {0};
    struct xd_error error = {0};
    raise_limits(settings, &log);
    if (prepare(&run)) run.server = xd_server_start(settings, &log, run.base, on_stopped, &run, &error);
    if (run.server) {
        event_base_dispatch(run.base);
    } else {
        xd_log(&log, XD_LOG_ERROR, "failed",
               xd_log_text("why", *error.message ? error.message : "no memory"));
    }
    clean_up(&run);
    if (run.well) xd_log(&log, XD_LOG_INFO, "stopped", xd_log_number("status", 0));
    return run.well ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print(FILE *stream, const struct xd_buf *text, int status)
{
    fwrite(text->data, 1, text->len, stream);
    return status;
}

/* What is asked for instead of running, or running. */
static int act(const struct xd_settings *settings, bool well, const struct xd_buf *mistakes,
               struct xd_buf *text)
{
    if (settings->help) {
        xd_options_help(&xd_broker_options, text);
        return print(stdout, text, EXIT_SUCCESS);
    }
    if (settings->version) {
        printf("crossdock-broker %s\n", XD_VERSION);
        return EXIT_SUCCESS;
    }
    if (!well) return print(stderr, mistakes, EXIT_USAGE);
    if (settings->check_config) {
        xd_options_show(&xd_broker_options, &settings->given, text);
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
    bool well = xd_settings_read(&settings, argc, argv, &mistakes);
    int status = act(&settings, well, &mistakes, &text);
    xd_settings_free(&settings);
    xd_buf_free(&mistakes);
    xd_buf_free(&text);
    return status;
}

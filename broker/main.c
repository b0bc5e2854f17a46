/* crossdock-broker: runs the server until a signal. */
#include "broker/server.h"
#include "program/program.h"

#include <sys/resource.h>

enum { SPARE_DESCRIPTORS = 128 };

struct serving {
    struct event_base *base;
    struct xd_server *server;
    bool well;
};

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

static void on_stopped(void *arg, bool well)
{
    struct serving *serving = arg;
    serving->well = well;
    event_base_loopbreak(serving->base);
}

static void drain(void *arg)
{
    struct serving *serving = arg;
    xd_server_drain(serving->server);
}

static bool serve(struct xd_run *run, struct xd_error *error)
{
    struct serving serving = {.base = run->base};
    raise_limits(run->settings, run->log);
    serving.server = xd_server_start(run->settings, run->log, run->base, on_stopped, &serving, error);
    if (!serving.server) return false;
    run->stop = drain;
    run->arg = &serving;
    event_base_dispatch(run->base);
    xd_server_destroy(serving.server);
    return serving.well;
}

int main(int argc, char **argv)
{
    return xd_program_main(XD_FOR_BROKER, argc, argv, serve);
}

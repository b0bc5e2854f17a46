#include "program/program.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, TEXT_MAX = 64 << 10 };

/* Signals are read from a descriptor, so that one during the start waits for the event loop. */
struct stopper {
    struct xd_run run;
    sigset_t signals;
    int fd;
    struct event *event;
};

/* Says so without a time: nothing that makes one may be called here. */
static void exit_now(int number)
{
    static const char words[] = "level=error msg=failed why=\"a second signal cut the end short\"\n";
    (void)number;
    ssize_t written = write(STDERR_FILENO, words, sizeof(words) - 1);
    (void)written;
    _exit(EXIT_FAILURE);
}

/* From now on the next one ends the process, whatever it is waiting for. */
static void on_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    struct stopper *stopper = arg;
    struct signalfd_siginfo first;
    if (read(fd, &first, sizeof(first)) != sizeof(first)) return;
    event_del(stopper->event);
    signal(SIGTERM, exit_now);
    signal(SIGINT, exit_now);
    sigprocmask(SIG_UNBLOCK, &stopper->signals, NULL);
    if (stopper->run.stop) {
        stopper->run.stop(stopper->run.arg);
    } else {
        xd_log(stopper->run.log, XD_LOG_INFO, "stopped", xd_log_number("status", EXIT_SUCCESS));
        _exit(EXIT_SUCCESS);
    }
}

/* Before any thread is made: they all leave these signals alone. */
static bool prepare(struct stopper *stopper)
{
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stopper->signals);
    sigaddset(&stopper->signals, SIGTERM);
    sigaddset(&stopper->signals, SIGINT);
    stopper->run.base = event_base_new();
    if (!stopper->run.base || sigprocmask(SIG_BLOCK, &stopper->signals, NULL) != 0) return false;
    stopper->fd = signalfd(-1, &stopper->signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (stopper->fd < 0) return false;
    stopper->event = event_new(stopper->run.base, stopper->fd, EV_READ | EV_PERSIST, on_signal, stopper);
    return stopper->event && event_add(stopper->event, NULL) == 0;
}

static void clean_up(struct stopper *stopper)
{
    if (stopper->event) event_free(stopper->event);
    if (stopper->fd >= 0) close(stopper->fd);
    if (stopper->run.base) event_base_free(stopper->run.base);
    libevent_global_shutdown();
}

static int run(const struct xd_settings *settings, xd_serve *serve)
{
    const struct xd_log log = {.stream = stderr, .level = (enum xd_log_level)settings->log_level};
    struct stopper stopper = {.run = {.settings = settings, .log = &log}, .fd = -1};
    struct xd_error error = {0};
    bool well = prepare(&stopper) ? serve(&stopper.run, &error)
                                  : xd_fail(&error, XD_INTERNAL, NULL, "no event loop, or no memory for it");
    if (error.code != XD_OK) xd_log(&log, XD_LOG_ERROR, "failed", xd_log_text("why", error.message));
    clean_up(&stopper);
    if (well) xd_log(&log, XD_LOG_INFO, "stopped", xd_log_number("status", 0));
    return well ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int print(FILE *stream, const struct xd_buf *text, int status)
{
    fwrite(text->data, 1, text->len, stream);
    return status;
}

/* What is asked for instead of running, or running. */
static int act(const struct xd_settings *settings, bool well, const struct xd_buf *mistakes,
               struct xd_buf *text, xd_serve *serve)
{
    const struct xd_options *options = xd_settings_options(settings->program);
    if (settings->help) {
        xd_options_help(options, text);
        return print(stdout, text, EXIT_SUCCESS);
    }
    if (settings->version) {
        printf("%s %s\n", options->program, XD_VERSION);
        return EXIT_SUCCESS;
    }
    if (!well) return print(stderr, mistakes, EXIT_USAGE);
    if (settings->check_config) {
        xd_options_show(options, &settings->given, text);
        return print(stdout, text, EXIT_SUCCESS);
    }
    return run(settings, serve);
}

int xd_program_main(enum xd_program program, int argc, char *const *argv, xd_serve *serve)
{
    struct xd_settings settings;
    struct xd_buf mistakes, text;
    xd_buf_init(&mistakes, TEXT_MAX);
    xd_buf_init(&text, TEXT_MAX);
    bool well = xd_settings_read(program, &settings, argc, argv, &mistakes);
    int status = act(&settings, well, &mistakes, &text, serve);
    xd_settings_free(&settings);
    xd_buf_free(&mistakes);
    xd_buf_free(&text);
    return status;
}

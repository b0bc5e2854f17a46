#include "clients/bench/book.h"
#include "clients/bench/encode.h"
#include "clients/bench/replay.h"
#include "clients/bench/report.h"
#include "clients/bench/settings.h"
#include "core/json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_DONE, EXIT_WRONG, EXIT_USAGE, EXIT_CONNECTION };
enum { OUTPUT_BYTES = 1 << 16 };

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* What the load's callbacks need. */
struct show {
    const struct xd_bench_settings *settings;
    struct xd_progress progress;
    struct xd_summary summary;
    bool terminal;
};

static void show_progress(void *arg, const struct xd_load *load)
{
    struct show *show = arg;
    if (show->settings->scenario == XD_SCENARIO_DEMO)
        xd_progress_panel(&show->progress, load, &show->summary, show->terminal);
    else
        xd_progress_line(&show->progress, load);
}

static void show_told(void *arg, const struct xd_load *load, const struct xd_told *told,
                      const struct xd_verified *verified)
{
    struct show *show = arg;
    xd_summary_told(&show->summary, load, told, verified);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static int complain(int status, const char *message)
{
    fprintf(stderr, "crossdock-bench: %s\n", message);
    return status;
}

static void print_buf(FILE *stream, const struct xd_buf *buf)
{
    fwrite(buf->data, 1, buf->len, stream);
}

static bool print_json(const uint8_t *bytes, size_t len)
{
    msgpack_unpacked unpacked;
    struct xd_buf line;
    msgpack_unpacked_init(&unpacked);
    xd_buf_init(&line, OUTPUT_BYTES);
    bool good = msgpack_unpack_next(&unpacked, (const char *)bytes, len, NULL) == MSGPACK_UNPACK_SUCCESS;
    if (good) xd_json_write(&unpacked.data, &line);
    xd_buf_add(&line, "\n", 1);
    good = good && !line.failed;
    if (good) print_buf(stdout, &line);
    xd_buf_free(&line);
    msgpack_unpacked_destroy(&unpacked);
    return good;
}

/* --print: the market's orders, and nothing is sent. */
static int print_market(const struct xd_bench_settings *settings)
{
    struct xd_market_play *play = xd_market_create((uint64_t)settings->seed, 1.25);
    if (!play) return complain(EXIT_WRONG, "no memory");
    struct xd_source source = xd_market_source(play);
    struct xd_load_order order;
    int64_t count = settings->orders > 0 ? settings->orders : 1000;
    bool good = true;
    for (int64_t i = 0; good && i < count; i++) {
        char ref[XD_LOAD_REF];
        snprintf(ref, sizeof ref, "market-%08x", (unsigned)i);
        good = source.next(source.state, ref, time(NULL), &order) && print_json(order.bytes, order.len);
    }
    source.destroy(source.state);
    return good ? EXIT_DONE : complain(EXIT_WRONG, "cannot write");
}

static bool make_source(const struct xd_bench_settings *settings, const struct xd_load *load,
                        struct xd_source *out)
{
    char message[XD_REPLAY_MESSAGE];
    if (settings->scenario == XD_SCENARIO_REPLAY) {
        if (xd_replay_source(settings->file, out, message)) return true;
        complain(EXIT_USAGE, message);
        return false;
    }
    struct xd_market_play *play = xd_market_create((uint64_t)settings->seed, xd_load_road_factor(load));
    if (play && settings->scenario == XD_SCENARIO_BOOK)
        return xd_book_source(play, (int)settings->kind - 1, xd_load_broker_time(load), out);
    if (play) *out = xd_market_source(play);
    return play != NULL;
}

static const char *given(const char *text)
{
    return *text ? text : NULL;
}

static struct xd_load_options load_options(const struct xd_bench_settings *settings, struct show *show)
{
    bool demo = settings->scenario == XD_SCENARIO_DEMO;
    int tick_ms = 1000;
    if (demo) tick_ms = show->terminal ? 500 : 5000;
    return (struct xd_load_options){
        .client = {.url = settings->url,
                   .tls_ca = given(settings->tls_ca),
                   .tls_cert = given(settings->tls_cert),
                   .tls_key = given(settings->tls_key),
                   .tls_insecure = settings->tls_insecure},
        .connections = (uint32_t)settings->connections,
        .outstanding = (uint32_t)settings->outstanding,
        .batch = (uint32_t)settings->batch,
        .orders = (uint64_t)settings->orders,
        .seconds = (double)settings->seconds_ms / 1e3,
        .rate = (double)settings->rate_m / 1e3,
        .seed = (uint64_t)settings->seed,
        .reconnect_ns = settings->reconnect_ms * 1000000,
        .watch = !settings->no_watch,
        .stop = &interrupted,
        .tick = settings->quiet ? NULL : show_progress,
        .tick_ms = tick_ms,
        .told = demo ? show_told : NULL,
        .arg = show,
    };
}

static bool print_result(const struct xd_bench_settings *settings, const struct xd_load *load, double cpu_s)
{
    struct xd_report report = {
        .scenario = xd_scenario_names[settings->scenario],
        .connections = (uint32_t)settings->connections,
        .outstanding = (uint32_t)settings->outstanding,
        .batch = (uint32_t)settings->batch,
        .rate = (double)settings->rate_m / 1e3,
        .watched = !settings->no_watch,
        .cpu_s = cpu_s,
    };
    if (!settings->json) {
        xd_report_print(stdout, &report, load);
        return true;
    }
    struct xd_buf result;
    xd_buf_init(&result, OUTPUT_BYTES);
    xd_report_write(&result, &report, load);
    bool good = !result.failed && print_json(result.data, result.len);
    xd_buf_free(&result);
    return good;
}

static int play(const struct xd_bench_settings *settings, struct xd_load *load, struct show *show)
{
    struct xd_source source;
    xd_client_error error;
    if (!make_source(settings, load, &source)) return EXIT_USAGE;
    double cpu_s = cpu_seconds();
    bool done = xd_load_run(load, &source, &error);
    cpu_s = cpu_seconds() - cpu_s;
    if (done && settings->scenario == XD_SCENARIO_DEMO && !settings->quiet) show_progress(show, load);
    int status = EXIT_DONE;
    if (!done) status = complain(EXIT_CONNECTION, error.message);
    if (done && !print_result(settings, load, cpu_s))
        status = complain(EXIT_WRONG, "cannot write the result");
    if (done && xd_verify_counts(xd_load_verify(load))->violations > 0) status = EXIT_WRONG;
    source.destroy(source.state);
    return status;
}

static int run(const struct xd_bench_settings *settings)
{
    struct sigaction action = {.sa_handler = interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    struct show show = {.settings = settings,
                        .progress = {.stream = settings->scenario == XD_SCENARIO_DEMO ? stdout : stderr},
                        .terminal = isatty(STDOUT_FILENO)};
    struct xd_load_options options = load_options(settings, &show);
    xd_client_error error;
    struct xd_load *load = xd_load_create(&options, &error);
    if (!load) return complain(EXIT_CONNECTION, error.message);
    int status = play(settings, load, &show);
    xd_load_destroy(load);
    return status;
}

static int help(void)
{
    struct xd_buf text;
    xd_buf_init(&text, OUTPUT_BYTES);
    xd_options_help(&xd_bench_options, &text);
    print_buf(stdout, &text);
    xd_buf_free(&text);
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    struct xd_bench_settings settings;
    struct xd_option_given given_options;
    struct xd_buf mistakes;
    int status = EXIT_USAGE;
    xd_buf_init(&mistakes, OUTPUT_BYTES);
    if (!xd_bench_settings_read(argc, argv, &settings, &given_options, &mistakes)) {
        print_buf(stderr, &mistakes);
        fprintf(stderr, "crossdock-bench --help says what there is.\n");
    } else if (settings.help) {
        status = help();
    } else if (settings.version) {
        status = printf("crossdock-bench %s\n", XD_VERSION) > 0 ? EXIT_DONE : EXIT_WRONG;
    } else {
        status = settings.print ? print_market(&settings) : run(&settings);
    }
    xd_options_free(&xd_bench_options, &settings, &given_options);
    xd_buf_free(&mistakes);
    return status;
}

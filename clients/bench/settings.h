/* The options of crossdock-bench, from one table (core/options.h). */
#ifndef XD_BENCH_SETTINGS_H
#define XD_BENCH_SETTINGS_H

#include "core/options.h"

enum xd_scenario { XD_SCENARIO_MARKET, XD_SCENARIO_BOOK, XD_SCENARIO_DEMO, XD_SCENARIO_REPLAY };

struct xd_bench_settings {
    int64_t scenario; /* enum xd_scenario */
    char *file;       /* of a replay */
    char *url, *tls_ca, *tls_cert, *tls_key;
    bool tls_insecure;
    int64_t connections, outstanding, batch;
    int64_t orders;
    int64_t seconds_ms; /* 1e-3 s */
    int64_t rate_m;     /* 1e-3 orders/s */
    int64_t reconnect_ms;
    int64_t seed;
    int64_t kind; /* 0 all, else enum xd_kind + 1 */
    bool no_watch, print, json, quiet;
    bool version, help;
};

extern const struct xd_options xd_bench_options;
extern const char *const xd_scenario_names[];

/* Reads the command line: [SCENARIO] [FILE] and options. False with `mistakes` (one a line) if there are any.
 * xd_options_free(&xd_bench_options, ...) either way. */
bool xd_bench_settings_read(int argc, char *const *argv, struct xd_bench_settings *out,
                            struct xd_option_given *given, struct xd_buf *mistakes);

#endif

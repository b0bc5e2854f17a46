/* What a load says about itself: progress while it runs, the result at its end, and the demo's panel. */
#ifndef XD_BENCH_REPORT_H
#define XD_BENCH_REPORT_H

#include "clients/bench/summary.h"
#include "core/buf.h"

#include <stdio.h>

/* A line or panel now and then. Zero-initialise but for `stream`. */
struct xd_progress {
    FILE *stream;
    double seconds;          /* at the last line */
    uint64_t acked, matches; /* at the last line */
    uint32_t panel_lines;    /* on the screen, to be drawn over */
};

/* One line: rates since the last, latencies so far. */
void xd_progress_line(struct xd_progress *progress, const struct xd_load *load);

/* The demo's summary: drawn over itself on a terminal, else one plain line. */
void xd_progress_panel(struct xd_progress *progress, const struct xd_load *load,
                       const struct xd_summary *summary, bool terminal);

/* What was run, for the result. */
struct xd_report {
    const char *scenario;
    uint32_t connections, outstanding, batch;
    double rate; /* 0: closed loop */
    bool watched;
    double cpu_s; /* of this process, while it loaded */
};

/* The result for people, and as a msgpack map (for one line of JSON). */
void xd_report_print(FILE *stream, const struct xd_report *report, const struct xd_load *load);
void xd_report_write(struct xd_buf *out, const struct xd_report *report, const struct xd_load *load);

#endif

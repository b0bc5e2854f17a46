#include "clients/bench/report.h"

#include "core/mp.h"
#include "core/pair.h"

#include <string.h>

static const struct {
    double q;
    const char *name;
} quantiles[] = {{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}, {1, "max"}};

enum { QUANTILES = sizeof quantiles / sizeof quantiles[0], TEXT = 32 };

/* Nanoseconds as people read them: "870 us", "1.25 ms", "3.1 s". */
static const char *duration(uint64_t ns, char out[static TEXT])
{
    double us = (double)ns / 1e3;
    if (us < 1000)
        snprintf(out, TEXT, "%.0f us", us);
    else if (us < 1e6)
        snprintf(out, TEXT, "%.2f ms", us / 1e3);
    else
        snprintf(out, TEXT, "%.2f s", us / 1e6);
    return out;
}

/* 1234567 as "1,234,567". */
static const char *thousands(uint64_t value, char out[static TEXT])
{
    char digits[TEXT];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    size_t at = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

static const char *rounded(double value, char out[static TEXT])
{
    return thousands(value > 0 ? (uint64_t)(value + 0.5) : 0, out);
}

static double per(double amount, double of)
{
    return of > 0 ? amount / of : 0;
}

/* --- while it runs --- */

struct rates {
    double orders, matches; /* a second, since the last time */
};

static struct rates step(struct xd_progress *progress, const struct xd_load *load)
{
    const struct xd_load_stats *stats = xd_load_stats(load);
    const struct xd_verify_counts *counts = xd_verify_counts(xd_load_verify(load));
    double passed = stats->seconds - progress->seconds;
    struct rates rates = {per((double)(counts->acked - progress->acked), passed),
                          per((double)(counts->matches - progress->matches), passed)};
    progress->seconds = stats->seconds;
    progress->acked = counts->acked;
    progress->matches = counts->matches;
    return rates;
}

void xd_progress_line(struct xd_progress *progress, const struct xd_load *load)
{
    char a[TEXT], b[TEXT], c[TEXT], d[TEXT], e[TEXT];
    const struct xd_load_stats *stats = xd_load_stats(load);
    const struct xd_verify_counts *counts = xd_verify_counts(xd_load_verify(load));
    bool first = progress->acked == 0;
    struct rates rates = step(progress, load);
    if (first && counts->acked == 0) return;
    fprintf(progress->stream,
            "%6.1f s  %s orders/s  %s matches/s  %s acknowledged  p50 %s  p99 %s  %llu waiting%s\n",
            stats->seconds, rounded(rates.orders, a), rounded(rates.matches, b), thousands(counts->acked, c),
            duration(xd_histogram_quantile(&stats->ack, 0.5), d),
            duration(xd_histogram_quantile(&stats->ack, 0.99), e), (unsigned long long)stats->outstanding,
            counts->violations ? "  VIOLATIONS" : "");
    fflush(progress->stream);
}

static void panel_line(struct xd_progress *progress, const struct xd_load *load,
                       const struct xd_summary *summary)
{
    char a[TEXT], b[TEXT], c[TEXT], d[TEXT];
    const struct xd_verify_counts *counts = xd_verify_counts(xd_load_verify(load));
    struct rates rates = step(progress, load);
    uint64_t last = summary->latest_count;
    if (counts->acked == 0) return;
    fprintf(progress->stream, "%4.0f s  %s orders (%.0f/s), %s matches, %s t, %s empty km saved%s%s\n",
            progress->seconds, thousands(counts->acked, a), rates.orders, thousands(summary->confirmed, b),
            rounded((double)summary->kg / 1000, c), rounded((double)summary->saved_m / 1000, d),
            last ? "; latest: " : "", last ? summary->latest[(last - 1) % XD_SUMMARY_LATEST] : "");
}

static void draw_totals(FILE *out, const struct xd_summary *summary)
{
    char a[TEXT], b[TEXT], c[TEXT];
    fprintf(out, "  by road    %12s t     %10s pallets  %10s empty km saved\n",
            rounded((double)summary->kg / 1000, a), rounded((double)summary->pallets / 100, b),
            rounded((double)summary->saved_m / 1000, c));
    fprintf(out, "  in storage %12s pallet-days          %10s m2-days\n",
            rounded((double)summary->pallet_days / 100, a), rounded((double)summary->m2_days / 100, b));
}

static void draw_panel(FILE *out, const struct xd_load *load, const struct xd_summary *summary,
                       struct rates rates)
{
    char a[TEXT], b[TEXT], c[TEXT];
    const struct xd_load_stats *stats = xd_load_stats(load);
    const struct xd_verify_counts *counts = xd_verify_counts(xd_load_verify(load));
    int seconds = (int)stats->seconds;
    fprintf(out, "Crossdock: a freight market between real places%19s%02d:%02d\n", "", seconds / 60,
            seconds % 60);
    fprintf(out, "  orders     %12s       %5.1f/s  %s offers, %s requests\n", thousands(counts->acked, a),
            rates.orders, thousands(counts->offers, b), thousands(counts->requests, c));
    fprintf(out, "  matches    %12s       %5.1f/s  %s after the order that made them (p50)\n",
            thousands(summary->confirmed, a), rates.matches,
            duration(xd_histogram_quantile(&stats->match, 0.5), b));
    draw_totals(out, summary);
    fprintf(out, "  latest\n");
    for (uint64_t i = 0; i < XD_SUMMARY_LATEST; i++) {
        bool there = i < summary->latest_count;
        fprintf(out, "    %s\n",
                there ? summary->latest[(summary->latest_count - 1 - i) % XD_SUMMARY_LATEST] : "");
    }
}

void xd_progress_panel(struct xd_progress *progress, const struct xd_load *load,
                       const struct xd_summary *summary, bool terminal)
{
    enum { PANEL_LINES = 6 + XD_SUMMARY_LATEST };
    if (terminal) {
        /* Back to the panel's first line, and clear from there on. */
        if (progress->panel_lines > 0) fprintf(progress->stream, "\033[%uA\033[J", progress->panel_lines);
        fputs("\033[?7l", progress->stream); /* a line too long is cut, not wrapped */
        draw_panel(progress->stream, load, summary, step(progress, load));
        fputs("\033[?7h", progress->stream);
        progress->panel_lines = PANEL_LINES;
    } else {
        panel_line(progress, load, summary);
    }
    fflush(progress->stream);
}

/* --- the result --- */

static void print_latency(FILE *stream, const char *what, const struct xd_histogram *histogram)
{
    char text[TEXT];
    if (histogram->count == 0) return;
    fprintf(stream, "  %-16s", what);
    for (int i = 0; i < QUANTILES; i++)
        fprintf(stream, " %11s", duration(xd_histogram_quantile(histogram, quantiles[i].q), text));
    fputc('\n', stream);
}

static void print_verdict(FILE *stream, const struct xd_verify_counts *counts, bool watched)
{
    char a[TEXT];
    if (!watched) {
        fprintf(stream, "  not verified: nobody watched the events\n");
        return;
    }
    if (counts->violations == 0) {
        fprintf(stream,
                "  verified: every acknowledged order told of once, every match to both sides (%s events)\n",
                thousands(counts->told, a));
        return;
    }
    fprintf(stream, "  VIOLATIONS: %s\n", thousands(counts->violations, a));
    for (uint64_t i = 0; i < counts->violations && i < XD_VERIFY_SAMPLES; i++)
        fprintf(stream, "    %s\n", counts->samples[i]);
}

static void print_latencies(FILE *stream, const struct xd_load_stats *stats)
{
    fprintf(stream, "  %-16s", "");
    for (int i = 0; i < QUANTILES; i++)
        fprintf(stream, " %11s", quantiles[i].name);
    fputc('\n', stream);
    print_latency(stream, "acknowledged", &stats->ack);
    print_latency(stream, "order to match", &stats->match);
}

void xd_report_print(FILE *stream, const struct xd_report *report, const struct xd_load *load)
{
    char a[TEXT], b[TEXT], c[TEXT], d[TEXT];
    const struct xd_load_stats *stats = xd_load_stats(load);
    const struct xd_verify_counts *counts = xd_verify_counts(xd_load_verify(load));
    fprintf(stream, "%s: %u connections, up to %u orders outstanding on each, %u a call, ", report->scenario,
            report->connections, report->outstanding, report->batch);
    if (report->rate > 0)
        fprintf(stream, "open loop at %g orders/s\n", report->rate);
    else
        fprintf(stream, "closed loop\n");
    fprintf(stream, "  orders   %s/s: %s acknowledged (%s) in %.2f s, %s refused\n",
            rounded(per((double)stats->measured, stats->seconds), a), thousands(stats->measured, b),
            stats->durability, stats->seconds, thousands(counts->refused, c));
    if (report->watched)
        fprintf(stream, "  matches  %s/s: %s formed, %s confirmed, %.1f for 100 requests; %s actions sent\n",
                rounded(per((double)counts->matches, stats->seconds), a), thousands(counts->matches, b),
                thousands(counts->confirmed, c), per(100 * (double)counts->matches, (double)counts->requests),
                thousands(stats->actions, d));
    print_latencies(stream, stats);
    if (stats->reconnected > 0)
        fprintf(stream, "  connections made again: %s; orders sent again: %s; events that came again: %s\n",
                thousands(stats->reconnected, a), thousands(stats->resent, b), thousands(stats->repeated, c));
    if (stats->refusal[0] != '\0') fprintf(stream, "  first refusal: %s\n", stats->refusal);
    fprintf(stream, "  own cost: %.2f us of processor an order\n",
            per(report->cpu_s * 1e6, (double)stats->measured));
    print_verdict(stream, counts, report->watched);
}

static void put_number(struct xd_buf *out, const char *key, double value, int decimals)
{
    static const int64_t units[] = {1, 10, 100, 1000};
    xd_pair_decimal(out, key, (int64_t)(value * (double)units[decimals] + 0.5), decimals);
}

static void put_latency(struct xd_buf *out, const char *key, const struct xd_histogram *histogram)
{
    xd_mp_cstr(out, key);
    xd_mp_map(out, QUANTILES);
    for (int i = 0; i < QUANTILES; i++)
        put_number(out, quantiles[i].name, (double)xd_histogram_quantile(histogram, quantiles[i].q) / 1e3, 1);
}

static void put_samples(struct xd_buf *out, const struct xd_verify_counts *counts)
{
    uint32_t kept = counts->violations < XD_VERIFY_SAMPLES ? (uint32_t)counts->violations : XD_VERIFY_SAMPLES;
    xd_mp_cstr(out, "samples");
    xd_mp_array(out, kept);
    for (uint32_t i = 0; i < kept; i++)
        xd_mp_cstr(out, counts->samples[i]);
}

void xd_report_write(struct xd_buf *out, const struct xd_report *report, const struct xd_load *load)
{
    enum { PAIRS = 25 };
    const struct xd_load_stats *stats = xd_load_stats(load);
    const struct xd_verify_counts *counts = xd_verify_counts(xd_load_verify(load));
    xd_mp_map(out, PAIRS);
    xd_pair_cstr(out, "scenario", report->scenario);
    put_number(out, "connections", report->connections, 0);
    put_number(out, "outstanding", report->outstanding, 0);
    put_number(out, "batch", report->batch, 0);
    put_number(out, "rate", report->rate, 3);
    put_number(out, "seconds", stats->seconds, 3);
    put_number(out, "acknowledged", (double)stats->measured, 0);
    put_number(out, "refused", (double)counts->refused, 0);
    put_number(out, "orders_per_s", per((double)stats->measured, stats->seconds), 1);
    put_number(out, "requests", (double)counts->requests, 0);
    put_number(out, "matches", (double)counts->matches, 0);
    put_number(out, "confirmed", (double)counts->confirmed, 0);
    put_number(out, "matches_per_s", per((double)counts->matches, stats->seconds), 1);
    put_number(out, "actions", (double)stats->actions, 0);
    put_number(out, "reconnected", (double)stats->reconnected, 0);
    put_number(out, "resent", (double)stats->resent, 0);
    put_number(out, "repeated", (double)stats->repeated, 0);
    put_number(out, "events", (double)counts->told, 0);
    put_number(out, "cpu_us_per_order", per(report->cpu_s * 1e6, (double)stats->measured), 3);
    xd_pair_cstr(out, "durability", stats->durability);
    put_latency(out, "ack_us", &stats->ack);
    put_latency(out, "match_us", &stats->match);
    xd_pair_bool(out, "verified", report->watched);
    put_number(out, "violations", (double)counts->violations, 0);
    put_samples(out, counts);
}

/* crossdock-differential: random worlds played into the engine and into its naive twin, everything that they
 * say compared. */
#include "tests/differential/duel.h"
#include "tests/differential/shrink.h"
#include "tests/differential/traffic.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] = "crossdock-differential [--commands N] [--seed S] [--book "
                            "tiny|small|large|huge|mixed] [--no-shrink] [--quiet]\n"
                            "crossdock-differential --replay FILE...\n"
                            "\n"
                            "Plays N random commands (default 200000), in worlds of their own, into the "
                            "matching engine and into its naive twin,\n"
                            "and compares all that they say. Where they differ, prints the shortest script "
                            "found that shows it; --replay plays it\n"
                            "again. Exit status: 0 they agree, 1 they differ, 2 usage.\n";

static const char *const book_names[] = {"tiny", "small", "large", "huge", "mixed"};
enum { MIXED = XD_BOOK_SIZES, SHRINK_PLAYS = 4000 };

struct settings {
    uint64_t commands, seed;
    unsigned book;
    bool shrink, quiet;
    const char *replay;
};

/* What was gone through, for people to judge by. */
struct totals {
    uint64_t worlds, commands, restores, events[XD_EVENT_TYPE_COUNT];
    uint32_t book, stops;
    double started;
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- reporting ------------------------------------------------------------------------------------------ */

static void report_progress(const struct totals *totals, const struct settings *settings)
{
    static double last;
    double now = seconds();
    if (settings->quiet || now - last < 0.5) return;
    last = now;
    fprintf(stderr, "%s%llu of %llu commands in %llu worlds, %.0f a second%s", isatty(2) ? "\r" : "",
            (unsigned long long)totals->commands, (unsigned long long)settings->commands,
            (unsigned long long)totals->worlds, (double)totals->commands / (now - totals->started),
            isatty(2) ? "  " : "\n");
}

static void report_totals(const struct totals *totals)
{
    double took = seconds() - totals->started;
    printf("the engine and its twin agree: %llu commands in %llu worlds, %llu restores, %.1f s\n",
           (unsigned long long)totals->commands, (unsigned long long)totals->worlds,
           (unsigned long long)totals->restores, took);
    printf("largest book %u orders, longest plan %u stops; events:\n", totals->book, totals->stops);
    for (unsigned type = 0; type < XD_EVENT_TYPE_COUNT; type++) {
        printf("  %-20s %llu\n", xd_event_type_name((enum xd_event_type)type),
               (unsigned long long)totals->events[type]);
    }
}

/* Plays a script to its end, explaining where the two differ. True if they agree. */
static bool show(const struct xd_script *script)
{
    struct xd_duel duel;
    const char *what = NULL;
    xd_duel_begin(&duel, &script->options);
    uint32_t i = 0;
    while (i < script->count && !(what = xd_duel_step(&duel, script, i, NULL))) {
        i++;
    }
    if (what) {
        printf("# they differ at step %u of %u: %s\n", i + 1, script->count, what);
        xd_duel_explain(&duel, stdout);
    } else {
        printf("they agree on all %u steps\n", script->count);
    }
    xd_duel_end(&duel);
    return !what;
}

static void report_difference(struct xd_script *script, const char *what, const struct settings *settings)
{
    printf("# they differ after %u steps of the world with seed %llu: %s\n", script->count,
           (unsigned long long)settings->seed, what);
    fflush(stdout);
    if (settings->shrink) xd_shrink(script, SHRINK_PLAYS);
    if (!settings->shrink || !xd_script_print(script, stdout)) return;
    show(script);
}

/* --- playing -------------------------------------------------------------------------------------------- */

static enum xd_book_size book_of(const struct settings *settings, uint64_t seed)
{
    if (settings->book != MIXED) return (enum xd_book_size)settings->book;
    unsigned dice = (unsigned)(seed * 2654435761u % 1000);
    return dice < 250 ? XD_BOOK_TINY : dice < 820 ? XD_BOOK_SMALL : dice < 970 ? XD_BOOK_LARGE : XD_BOOK_HUGE;
}

static void count(struct totals *totals, const struct xd_duel *duel, bool restore)
{
    totals->commands += !restore;
    totals->restores += restore;
    if (duel->twin->order_count > totals->book) totals->book = duel->twin->order_count;
    for (uint32_t i = 0; i < duel->twin->order_count; i++) {
        const struct twin_plan *plan = &duel->twin->orders[i]->plan;
        if (plan->count - plan->history > totals->stops) totals->stops = plan->count - plan->history;
    }
}

/* A world of its own. True if the two agree in it. */
static bool play_world(const struct settings *settings, struct totals *totals)
{
    static const uint64_t lengths[XD_BOOK_SIZES] = {600, 1500, 4000, 12000};
    struct xd_traffic traffic;
    struct xd_script script;
    struct xd_duel duel;
    enum xd_book_size size = book_of(settings, settings->seed);
    uint64_t left = settings->commands - totals->commands;
    uint64_t length = left < lengths[size] ? left : lengths[size];
    xd_traffic_begin(&traffic, settings->seed, size);
    xd_script_init(&script, &traffic.options);
    xd_duel_begin(&duel, &traffic.options);
    const char *what = NULL;
    while (!what && duel.applied < length) {
        xd_traffic_next(&traffic, duel.twin, &script);
        what = xd_duel_step(&duel, &script, script.count - 1, NULL);
        count(totals, &duel, script.steps[script.count - 1].restore);
        report_progress(totals, settings);
    }
    for (unsigned type = 0; type < XD_EVENT_TYPE_COUNT; type++) {
        totals->events[type] += duel.twin->told[type];
    }
    totals->worlds++;
    xd_duel_end(&duel);
    if (what) report_difference(&script, what, settings);
    xd_script_free(&script);
    return !what;
}

static int play(struct settings *settings)
{
    struct totals totals = {.started = seconds()};
    for (; totals.commands < settings->commands; settings->seed++) {
        if (!play_world(settings, &totals)) {
            printf("# found after %llu commands, %.1f s\n", (unsigned long long)totals.commands,
                   seconds() - totals.started);
            return 1;
        }
    }
    report_totals(&totals);
    return 0;
}

static int replay(const char *path)
{
    struct xd_script script;
    struct xd_error error;
    unsigned line;
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return 2;
    }
    bool good = xd_script_read(&script, file, &error, &line);
    fclose(file);
    if (!good) fprintf(stderr, "%s, line %u: %s\n", path, line, error.message);
    if (good) printf("# %s\n", path);
    int status = !good ? 2 : show(&script) ? 0 : 1;
    xd_script_free(&script);
    return status;
}

static int replay_all(const struct settings *settings, char **more)
{
    int worst = replay(settings->replay);
    for (; *more; more++) {
        int status = replay(*more);
        if (status > worst) worst = status;
    }
    return worst;
}

static bool read_settings(int argc, char **argv, struct settings *settings)
{
    static const struct option options[] = {{"commands", required_argument, NULL, 'c'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"book", required_argument, NULL, 'b'},
                                            {"replay", required_argument, NULL, 'r'},
                                            {"no-shrink", no_argument, NULL, 'n'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {NULL, 0, NULL, 0}};
    *settings = (struct settings){.commands = 200000, .seed = 1, .book = MIXED, .shrink = true};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        char *end = NULL;
        if (c == 'c') settings->commands = strtoull(optarg, &end, 10);
        if (c == 's') settings->seed = strtoull(optarg, &end, 10);
        if (c == 'r') settings->replay = optarg;
        if (c == 'n') settings->shrink = false;
        if (c == 'q') settings->quiet = true;
        if (c == 'b') {
            for (settings->book = 0; settings->book <= MIXED && strcmp(optarg, book_names[settings->book]);
                 settings->book++) {
            }
        }
        if (c == '?' || (end && *end) || settings->book > MIXED) return false;
    }
    return settings->replay || optind == argc;
}

int main(int argc, char **argv)
{
    struct settings settings;
    if (!read_settings(argc, argv, &settings)) {
        fputs(usage, stderr);
        return 2;
    }
    return settings.replay ? replay_all(&settings, argv + optind) : play(&settings);
}

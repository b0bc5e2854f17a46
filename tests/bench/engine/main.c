/* crossdock-bench-engine: measures the engine alone, in process, on one core. Linked once with each book;
 * ./bench engine runs them all. One JSON object a line on stdout. */
#include "tests/bench/engine/measure.h"
#include "tests/bench/engine/offers.h"
#include "tests/bench/engine/prepare.h"
#include "tests/bench/engine/slices.h"
#include "tests/bench/engine/snapshot.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: crossdock-bench-engine prepare --shape storage|truck --resting N --out FILE [--seed S] [--turns "
    "T]\n"
    "                               [--unmatched]\n"
    "       crossdock-bench-engine run --from FILE [--commands K] [--seconds T] [--check K]\n"
    "       crossdock-bench-engine endure --from FILE --commands K\n"
    "       crossdock-bench-engine slices --from FILE\n"
    "       crossdock-bench-engine offers --resting N --requests R [--seed S] [--export DIR]\n"
    "\n"
    "prepare  makes a book of N resting orders and writes it to a file; --unmatched: orders that never "
    "match\n"
    "run      carries out commands on such a book and tells how fast; --check tells the digest of all events "
    "after so many\n"
    "endure   carries out K commands and tells of each tenth\n"
    "slices   makes a snapshot of such a book in slices and tells how long the longest is\n"
    "offers   R requests, one after the other, take the best of N storage offers; --export writes both as "
    "CSV\n";

struct arguments {
    const char *shape, *from, *out, *export;
    uint64_t resting, commands, check, seed, requests;
    double seconds, turns;
    bool unmatched;
};

enum { TEXT, NUMBER, REAL, FLAG };

static const struct {
    const char *name;
    int type;
    size_t offset;
} known[] = {
    {"--shape", TEXT, offsetof(struct arguments, shape)},
    {"--from", TEXT, offsetof(struct arguments, from)},
    {"--out", TEXT, offsetof(struct arguments, out)},
    {"--export", TEXT, offsetof(struct arguments, export)},
    {"--resting", NUMBER, offsetof(struct arguments, resting)},
    {"--commands", NUMBER, offsetof(struct arguments, commands)},
    {"--check", NUMBER, offsetof(struct arguments, check)},
    {"--seed", NUMBER, offsetof(struct arguments, seed)},
    {"--requests", NUMBER, offsetof(struct arguments, requests)},
    {"--seconds", REAL, offsetof(struct arguments, seconds)},
    {"--turns", REAL, offsetof(struct arguments, turns)},
    {"--unmatched", FLAG, offsetof(struct arguments, unmatched)},
};

static bool read_value(int type, char *value, void *at)
{
    char *end = value;
    if (type == TEXT) {
        *(const char **)at = value;
        return true;
    }
    if (type == NUMBER) *(uint64_t *)at = strtoull(value, &end, 10);
    if (type == REAL) *(double *)at = strtod(value, &end);
    return end != value && !*end;
}

static bool read_arguments(int argc, char **argv, struct arguments *out)
{
    *out =
        (struct arguments){.commands = UINT64_MAX, .seconds = 1e9, .seed = 1, .turns = 3, .requests = 1000};
    for (int i = 2; i < argc; i++) {
        size_t o = 0, count = sizeof known / sizeof *known;
        while (o < count && strcmp(argv[i], known[o].name) != 0)
            o++;
        if (o == count) return false;
        void *at = (char *)out + known[o].offset;
        if (known[o].type == FLAG) {
            *(bool *)at = true;
        } else if (++i == argc || !read_value(known[o].type, argv[i], at)) {
            return false;
        }
    }
    return true;
}

static int fail(const char *what)
{
    fprintf(stderr, "crossdock-bench-engine: %s\n", what);
    return EXIT_FAILURE;
}

static int prepare(const struct arguments *arguments)
{
    enum xd_shape shape = XD_SHAPE_STORAGE;
    while (shape < XD_SHAPES && strcmp(arguments->shape, xd_shape_names[shape]) != 0)
        shape++;
    if (shape == XD_SHAPES || arguments->resting < 2) return fail("no such shape, or too few orders");
    struct xd_engine_options options = xd_snapshot_options(arguments->resting);
    struct xd_flow *flow = xd_flow_create(shape, arguments->resting, arguments->seed);
    struct xd_engine *engine = xd_engine_create(&options);
    if (!flow || !engine) return fail("no memory, or a processor without AVX2");
    struct xd_meter meter;
    xd_meter_init(&meter, flow, engine);
    bool made =
        arguments->unmatched ? xd_prepare_unmatched(&meter) : xd_prepare_book(&meter, arguments->turns);
    bool written = made && xd_snapshot_write(arguments->out, flow, engine);
    xd_meter_free(&meter);
    xd_engine_destroy(engine);
    xd_flow_destroy(flow);
    if (!made) return fail("the engine failed");
    return written ? EXIT_SUCCESS : fail("the file cannot be written");
}

enum work { RUN, ENDURE, SLICES };

static int on_book(const struct arguments *arguments, enum work work)
{
    struct xd_snapshot book;
    if (!xd_snapshot_read(arguments->from, &book))
        return fail("the file cannot be read, or the processor has no AVX2");
    struct xd_limits limits = {
        .commands = arguments->commands, .seconds = arguments->seconds, .check = arguments->check};
    bool good = work == SLICES   ? xd_measure_slices(book.engine)
                : work == ENDURE ? xd_measure_endurance(&book, limits.commands)
                                 : xd_measure_run(&book, &limits);
    xd_engine_destroy(book.engine);
    xd_flow_destroy(book.flow);
    return good ? EXIT_SUCCESS : fail("the engine failed");
}

static int against_offers(const struct arguments *arguments)
{
    struct xd_offers_work work = {.offers = arguments->resting,
                                  .requests = arguments->requests,
                                  .seed = arguments->seed,
                                  .export = arguments->export};
    return xd_measure_offers(&work) ? EXIT_SUCCESS : fail("the engine failed, or a file cannot be written");
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    const char *verb = argc > 1 ? argv[1] : "";
    if (argc > 1 && read_arguments(argc, argv, &arguments)) {
        if (!strcmp(verb, "prepare") && arguments.shape && arguments.out) return prepare(&arguments);
        if (!strcmp(verb, "run") && arguments.from) return on_book(&arguments, RUN);
        if (!strcmp(verb, "offers") && arguments.resting) return against_offers(&arguments);
        if (!strcmp(verb, "endure") && arguments.from) return on_book(&arguments, ENDURE);
        if (!strcmp(verb, "slices") && arguments.from) return on_book(&arguments, SLICES);
    }
    fputs(usage, stderr);
    return 2;
}

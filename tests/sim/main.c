/* crossdock-sim: a cluster in one thread, from seeds. */
#include "tests/sim/run.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char usage[] =
    "crossdock-sim [--seeds N] [--from SEED] [--losing] [--without RULE] [--quiet]\n"
    "crossdock-sim --seed SEED [--losing] [--without RULE]\n"
    "\n"
    "Plays N runs (default 300) of a simulated cluster, from SEED (default 1) on, until a promise is\n"
    "broken; --seed plays one and tells all that happens. Each is played twice now and then, to see\n"
    "that it is the same. --losing loses writes again and again. --without leaves a rule out: epoch,\n"
    "fence, refs, lines.\n"
    "Exit status: 0 all promises were kept, 1 one was broken, 2 usage.\n";

static const struct {
    const char *name;
    enum sim_mutant mutant;
} rules[] = {
    {"epoch", SIM_NO_EPOCH}, {"fence", SIM_NO_FENCE}, {"refs", SIM_NO_REFS}, {"lines", SIM_NO_LINES}};

enum { AGAIN_EVERY = 50 };

struct settings {
    uint64_t seeds, from;
    struct sim_settings sim;
    bool one, quiet;
};

static bool read_rule(const char *name, unsigned *out)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].name, name) != 0) continue;
        *out |= rules[i].mutant;
        return true;
    }
    return false;
}

static bool read_settings(int argc, char **argv, struct settings *out)
{
    static const struct option options[] = {{"seeds", required_argument, NULL, 'n'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"without", required_argument, NULL, 'w'},
                                            {"losing", no_argument, NULL, 'l'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {NULL, 0, NULL, 0}};
    *out = (struct settings){.seeds = 300, .from = 1};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        char *end = NULL;
        if (c == 'n') out->seeds = strtoull(optarg, &end, 10);
        if (c == 'f') out->from = strtoull(optarg, &end, 10);
        if (c == 's') {
            out->from = strtoull(optarg, &end, 10);
            out->one = true;
            out->seeds = 1;
        }
        if (c == 'l') out->sim.losing = true;
        if (c == 'q') out->quiet = true;
        if (c == '?' || (c == 'w' && !read_rule(optarg, &out->sim.mutants)) || (end && *end)) return false;
    }
    out->sim.verbose = out->one;
    return optind == argc;
}

static double processor_s(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static bool is_same_again(uint64_t seed, const struct settings *settings, const struct sim_result *result)
{
    struct sim_result again;
    struct sim_settings quiet = settings->sim;
    quiet.verbose = false;
    sim_play(seed, &quiet, &again);
    if (again.trace == result->trace && again.steps == result->steps) return true;
    printf("seed %" PRIu64 ": another run when played again\n", seed);
    return false;
}

int main(int argc, char **argv)
{
    struct settings settings;
    if (!read_settings(argc, argv, &settings)) {
        fputs(usage, stderr);
        return 2;
    }
    struct sim_result sum = {.steps = 0}, result;
    for (uint64_t i = 0; i < settings.seeds; i++) {
        uint64_t seed = settings.from + i;
        sim_play(seed, &settings.sim, &result);
        if (*result.failure) {
            printf("seed %" PRIu64 ": %s\n", seed, result.failure);
            printf("found after %" PRIu64 " seeds, %.1f s of the processor\n", i + 1, processor_s());
            return 1;
        }
        if (i % AGAIN_EVERY == 0 && !is_same_again(seed, &settings, &result)) return 1;
        sum.steps += result.steps;
        sum.records += result.records;
        sum.events += result.events;
        sum.messages += result.messages;
        sum.matches += result.matches;
        sum.epochs += result.epochs;
    }
    if (settings.quiet) return 0;
    printf("%" PRIu64 " seeds: %" PRIu64 " steps, %" PRIu64 " records, %" PRIu64 " events, %" PRIu64
           " matches, %" PRIu64 " messages, %" PRIu64 " acquisitions; %.1f s of the processor\n",
           settings.seeds, sum.steps, sum.records, sum.events, sum.matches, sum.messages, sum.epochs,
           processor_s());
    return 0;
}

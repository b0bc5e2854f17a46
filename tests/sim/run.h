/* One run: a world from a seed, its faults, its end and what must be so then. */
#ifndef XD_TESTS_SIM_RUN_H
#define XD_TESTS_SIM_RUN_H

#include "tests/sim/world.h"

struct sim_result {
    char failure[400]; /* "" : all is well */
    uint64_t trace, steps, records, events, messages, matches, epochs;
};

void sim_play(uint64_t seed, const struct sim_settings *settings, struct sim_result *out);

#endif

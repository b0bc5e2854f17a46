/* What goes wrong, and when: crashes, pauses, cut and slow connections, clocks that jump, members that leave,
 * relays that repeat themselves. Any of them can come between any two steps. */
#ifndef XD_TESTS_SIM_FAULTS_H
#define XD_TESTS_SIM_FAULTS_H

#include "tests/sim/broker.h"
#include "tests/sim/matcher.h"

struct sim_faults {
    struct sim_world *world;
    struct sim_matcher *matchers[SIM_MATCHERS_MAX];
    struct sim_broker *brokers[SIM_BROKERS_MAX];
    unsigned matcher_count, broker_count;
    int64_t every_us; /* from one to the next, on average; 0: none */
    int64_t until_us;
    unsigned losses; /* that may still be: of what was written last */
    int64_t jumps_s; /* seconds that the store's clock may still jump forward */
};

/* Begins; at `until_us` everything works again, and stays so. */
void sim_faults_begin(struct sim_faults *faults);

#endif

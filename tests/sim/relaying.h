/* The hands of a relay (matcher/relay.h): they read the outbox of a partition and what others have seen of
 * it, and append. */
#ifndef XD_TESTS_SIM_RELAYING_H
#define XD_TESTS_SIM_RELAYING_H

#include "tests/sim/ledger.h"

struct sim_relaying;

/* From the outbox as it is on. */
struct sim_relaying *sim_relaying_start(struct sim_process *process, struct xd_ledger *ledger,
                                        unsigned partition);

/* Ends it, and frees it with the world. NULL does nothing. */
void sim_relaying_stop(struct sim_relaying *relaying);

/* Does what is to be done now. To be called often. */
void sim_relaying_pump(struct sim_relaying *relaying);

#endif

/* The ledger's seam over the simulated network: what the real owner, and the broker of the simulation, have
 * under them. It does what the ledger on Redis does: one entry of a partition under way at a time, sent again
 * with its serial when no answer came; commits likewise; leases renewed by themselves; a follower that blocks
 * until there are records. */
#ifndef XD_TESTS_SIM_LEDGER_H
#define XD_TESTS_SIM_LEDGER_H

#include "core/ledger/backend.h"
#include "tests/sim/store.h"

/* `id`: who appends and who holds leases; new in each life of a process. Partitions are the store's numbers.
 */
struct xd_ledger *sim_ledger_open(struct sim_process *process, uint64_t id);

/* The process is no more: whatever is under way is called back, nothing reaches the store. */
void sim_ledger_kill(struct xd_ledger *ledger);

/* A commit that was stored, with its messages: for the relay. May be NULL. */
typedef void sim_stored_cb(void *arg, uint16_t partition);
void sim_ledger_on_stored(struct xd_ledger *ledger, sim_stored_cb *callback, void *arg);

/* The partition was given back: who waits for the end of its lease need not. */
void sim_ledger_hurry(struct xd_ledger *ledger, uint16_t partition);

/* The generation that it knows. */
uint64_t sim_ledger_generation(const struct xd_ledger *ledger, uint16_t partition);

/* Commits on their way. */
bool sim_ledger_committing(const struct xd_ledger *ledger, uint16_t partition);

#endif

/* What must be so (DESIGN, promises 1 to 7), checked from outside: from what is stored, and from what clients
 * wrote and heard. */
#ifndef XD_TESTS_SIM_AUDIT_H
#define XD_TESTS_SIM_AUDIT_H

#include "engine/engine.h"
#include "tests/sim/market.h"
#include "tests/sim/store.h"

struct sim_audit;

struct sim_audit *sim_audit_create(struct sim_world *world);
void sim_audit_destroy(struct sim_audit *audit);

/* A commit that is about to be written, and each event that it writes, in the order in which all partitions
 * commit. */
void sim_audit_commit(struct sim_world *world, unsigned partition, const struct sim_part *part,
                      const struct sim_commit *commit);
void sim_audit_event(struct sim_world *world, unsigned partition, const struct sim_bytes *event);
/* A partition has lost events: only those that are left were ever told. */
void sim_audit_forget(struct sim_world *world);

/* Whether the order was told to be refused, or to be accepted. */
bool sim_audit_refused(const struct sim_audit *audit, uint64_t order_id);
bool sim_audit_accepted(const struct sim_audit *audit, uint64_t order_id);

/* Whether the two had a match that was declined, lapsed or was cancelled: they need not meet again. */
bool sim_audit_parted(const struct sim_world *world, struct xd_str offer_ref, struct xd_str request_ref);

/* How many matches there ever were. */
size_t sim_audit_matches(const struct sim_audit *audit);

/* replay.c: the log of a partition, played again from its start, gives the events that are stored; a snapshot
 * in the middle changes nothing. Returns the engine at the end (the caller's), NULL when it failed. */
struct xd_engine *sim_replay(struct sim_world *world, unsigned partition,
                             const struct xd_engine_options *options);

/* When all has come to rest: what was acknowledged is there and was told; clients heard all of it. */
void sim_audit_end(struct sim_world *world);

#endif

/* What must be so between partitions when nothing moves any more (docs/CLUSTER.md, Borders). */
#ifndef XD_TESTS_SIM_REST_H
#define XD_TESTS_SIM_REST_H

#include "engine/engine.h"
#include "tests/sim/store.h"

/* All claims are settled, and both sides agree on every ghost and every match across a border. `engines`: of
 * the store's partitions, as a replay of their logs has them. */
void sim_check_rest(struct sim_world *world, struct xd_engine *const *engines);

/* pairs.c: no two orders rest, in one partition or in two, that should have been matched. */
void sim_check_pairs(struct sim_world *world, struct xd_engine *const *engines);

#endif

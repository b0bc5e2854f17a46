/* A matcher: a member of the cluster that owns its share of the partitions. What it decides
 * (matcher/member.h, matcher/relay.h) and its stations, with their followers, owners and engines, are the
 * real ones. */
#ifndef XD_TESTS_SIM_MATCHER_H
#define XD_TESTS_SIM_MATCHER_H

#include "engine/engine.h"
#include "tests/sim/store.h"

struct sim_matcher;

/* The process of that number; not alive yet. `options`: of its engines, but for the partition. */
struct sim_matcher *sim_matcher_create(struct sim_world *world, unsigned index,
                                       const struct xd_engine_options *options);
void sim_matcher_destroy(struct sim_matcher *matcher);

struct sim_process *sim_matcher_process(struct sim_matcher *matcher);

/* Begins a life, with a new name; `peers`, of `count`, are all matchers of the world. */
void sim_matcher_start(struct sim_matcher *matcher, struct sim_matcher **peers, unsigned count);

/* kill -9 */
void sim_matcher_kill(struct sim_matcher *matcher);

/* SIGTERM: hands over, and ends when all is handed over. */
void sim_matcher_leave(struct sim_matcher *matcher);

/* The relay of a partition forgets how far it is. */
void sim_matcher_confuse(struct sim_matcher *matcher, unsigned partition);

/* The engine of a partition that it owns and has applied all of the log to, up to `position`; else NULL. */
struct xd_engine *sim_matcher_engine(const struct sim_matcher *matcher, unsigned partition,
                                     uint64_t position);

#endif

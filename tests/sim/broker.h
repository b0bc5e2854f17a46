/* A broker, as the ledger sees one: it reserves refs, appends what clients want to the home of the order or
 * match, and feeds them the events. It keeps nothing of its own. */
#ifndef XD_TESTS_SIM_BROKER_H
#define XD_TESTS_SIM_BROKER_H

#include "core/record.h"
#include "tests/sim/network.h"

struct sim_broker;

struct sim_broker *sim_broker_create(struct sim_world *world, unsigned index);
void sim_broker_destroy(struct sim_broker *broker);
struct sim_process *sim_broker_process(struct sim_broker *broker);
void sim_broker_start(struct sim_broker *broker);
void sim_broker_kill(struct sim_broker *broker);

struct sim_answer {
    enum xd_code code;
    uint64_t order_id; /* of an order */
    unsigned partition;
    uint64_t offset, generation; /* where it is in the log, and of which generation */
};

/* To be called at the broker. `record` is copied; an order's id is found here. The answer comes at the broker
 * too, at most once: not when it dies first. */
typedef void sim_answered(void *arg, const struct sim_answer *answer);
void sim_broker_take(struct sim_broker *broker, const struct xd_record *record, unsigned partition,
                     sim_answered *answered, void *arg);

/* Events of a partition from `from` on, a place in `generation`, as they are committed, until the broker dies
 * or `wanted` says no. When another generation has begun that is told, with no event; it goes on from what
 * has been kept. Called at the broker. */
struct sim_place {
    unsigned partition;
    uint64_t generation, offset;
};
typedef bool sim_wanted(void *arg, const struct sim_place *place, const uint8_t *bytes, size_t len);
void sim_broker_feed(struct sim_broker *broker, const struct sim_place *from, sim_wanted *wanted, void *arg);

#endif

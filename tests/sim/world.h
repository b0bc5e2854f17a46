/* The simulated world: one clock, one queue of what is going to happen, one source of chance. Everything runs
 * in one thread, in the order of the queue, so that a seed is a run.
 *
 *   world.c      time, chance, the queue
 *   timers.c     the event loop of a process: libevent's timers on the world's clock
 *   network.c    processes, their connections to the store, crashes, pauses and cuts
 *   store.c      the simulated Redis: partitions, leases, logs, outboxes, refs, each script one step
 *   history.c    what the store loses: generations
 *   ledger.c     the ledger's seam (core/ledger/backend.h) over the network
 *   matcher.c    a matcher: the real member, stations and relays (relaying.c: their hands)
 *   broker.c     a broker: refs, appends, feeds
 *   market.c     what clients want: orders, cancels, answers to proposals
 *   audit.c      what must be so, checked at each commit and at the end (replay.c, rest.c, pairs.c)
 *   faults.c     what goes wrong, and when
 *
 * Without memory it stops the program. */
#ifndef XD_TESTS_SIM_WORLD_H
#define XD_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_process;
struct sim_store;
struct sim_market;
struct sim_audit;

/* What is left out, to show that it is missed (tests/sim/mutants). */
enum sim_mutant {
    SIM_NO_EPOCH = 1, /* a commit compares neither epoch nor nonce */
    SIM_NO_FENCE = 2, /* nor what it continues */
    SIM_NO_REFS = 4,  /* a ref that was used is given another id */
    SIM_NO_LINES = 8, /* whoever writes of a former generation is not told that */
};

struct sim_settings {
    unsigned mutants; /* enum sim_mutant */
    bool losing;      /* writes are lost again and again */
    bool verbose;
};

enum { SIM_MS = 1000, SIM_S = 1000000 }; /* in microseconds */
enum { SIM_RANGES_MAX = 6, SIM_MATCHERS_MAX = 4, SIM_BROKERS_MAX = 3 };

typedef void sim_run(void *arg);

struct sim_item {
    int64_t at_us;
    uint64_t order;              /* of two at the same time, the one put in first */
    struct sim_process *process; /* it happens there: later if that is paused; NULL: nowhere */
    sim_run *run;
    void *arg;
};

struct sim_world {
    uint64_t seed, random;
    struct sim_settings settings;
    int64_t now_us;
    uint64_t order, steps;
    struct sim_item *heap;
    size_t count;
    struct sim_store *store;
    struct sim_market *market;
    struct sim_audit *audit;
    bool calm;     /* nothing goes wrong any more */
    bool over;     /* the run has ended: what is left in the queue is only freed */
    void **buried; /* freed with the world: what something in the queue may still name */
    size_t buried_count;
    char failure[400]; /* the first promise that was broken, or "" */
    uint64_t trace;    /* a hash of all that was committed: equal when a seed is played again */
};

void sim_world_begin(struct sim_world *world, uint64_t seed);
void sim_world_end(struct sim_world *world);

/* Puts something into the queue. `arg` is the caller's to free, when it runs; the queue runs all of it, even
 * at the end. */
void sim_at(struct sim_world *world, int64_t at_us, struct sim_process *process, sim_run *run, void *arg);

/* Does nothing: the end of what puts itself into the queue again and again. */
void sim_nothing(void *arg);

/* Lets the next thing happen. False: there is none, or something has failed. */
bool sim_step(struct sim_world *world);

/* Frees it with the world. */
void sim_bury(struct sim_world *world, void *memory);

/* A promise was broken: the run ends. Only the first counts. */
void sim_fail(struct sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line of what happens, where it was asked for. */
void sim_say(const struct sim_world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

uint64_t sim_random(struct sim_world *world);
uint64_t sim_below(struct sim_world *world, uint64_t bound);
int64_t sim_between(struct sim_world *world, int64_t low, int64_t high);
bool sim_chance(struct sim_world *world, unsigned percent);

/* Memory or the end of the program; zeroed. */
void *sim_new(size_t size);
/* The array with room for one member more than its `count`. */
void *sim_grown(void *array, size_t count, size_t size);
/* A copy; NULL of nothing. */
void *sim_copy(const void *bytes, size_t len);

#endif

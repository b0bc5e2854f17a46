/* Processes and their way to the store. A call goes out over the process' connection, is carried out at the
 * store in one step, and its answer comes back; each way takes its time. Calls of one connection stay in
 * order.
 *
 *      sim_send ──► (delay) ──► run, at the store ──► (delay) ──► done, at the process
 *
 * A cut ends all calls under way: done(false) comes at once, but some of them are carried out all the same,
 * maybe after what is sent over the next connection. A crash is a cut after which the process is no more. */
#ifndef XD_TESTS_SIM_NETWORK_H
#define XD_TESTS_SIM_NETWORK_H

#include "tests/sim/world.h"

struct sim_call {
    struct sim_process *process;
    struct sim_call *before, *after; /* of the process' calls under way, in the order sent */
    /* At the store. False: it waits until something has been stored in its partition (`partition`). */
    bool (*run)(struct sim_store *store, struct sim_call *call);
    /* At the process, exactly once: `answered`, or nobody knows. Never from within sim_send. */
    void (*done)(struct sim_call *call, bool answered);
    void (*destroy)(struct sim_call *call); /* frees the call and what it has */
    unsigned partition;
    uint64_t generation; /* it is only for this one of the partition; 0: for any */
    bool past;           /* it has come too late for that, and did nothing: answered so */
    bool apart;          /* a connection of its own: blocks, or may be overtaken */
    bool orphan;         /* nobody waits for the answer any more */
    bool lost;           /* it does not reach the store */
    int64_t later_us;    /* what holds it up besides */
};

/* The real code's `struct event_base` is one of these. */
struct sim_process {
    struct sim_world *world;
    char name[16];
    bool alive;
    uint32_t incarnation;
    int64_t paused_until_us, cut_until_us;
    int64_t clock_us; /* its clock less the world's */
    int64_t slow_us;  /* how long a way takes at most */
    int64_t last_there_us, last_back_us;
    struct sim_call *first, *last;
};

struct event_base;
static inline struct event_base *sim_base(struct sim_process *process)
{
    return (struct event_base *)(void *)process;
}

/* The call belongs to the network from here on. */
void sim_send(struct sim_process *process, struct sim_call *call);

/* Lets calls that wait for the partition try again. */
void sim_store_changed(struct sim_store *store, unsigned partition);

/* Ends the calls under way; there is no connection for `for_us`. */
void sim_cut(struct sim_process *process, int64_t for_us);

/* To be called when the process is no more alive, and again until nothing of it sends any more: all calls are
 * done(false). */
void sim_abandon(struct sim_process *process);

#endif

/* The commands that hold a book at its size: orders come, are cancelled, lapse and match, and matches are
 * completed when their time has come.
 *
 *     time       moves with every order submitted: a book of N turns over in so many hours, whatever N is
 *     complete   each match, by its requester, when it is loaded or on its first day
 *     withdraw   a truck after a match, every other time: its carrier has enough on it
 *     cancel     an order that rests, drawn at random: one command in so many, once the book is full
 *     submit     of the side that is further below N / 2
 *
 * The flow sees the engine through its events alone, as a client does, so the same seed gives the same
 * commands over any book that finds the same matches. */
#ifndef XD_TESTS_BENCH_ENGINE_FLOW_H
#define XD_TESTS_BENCH_ENGINE_FLOW_H

#include "core/output.h"
#include "core/record.h"
#include "tests/bench/engine/map.h"
#include "tests/bench/engine/orders.h"

enum { XD_FLOW_ACCOUNTS = 4000, XD_FLOW_NAME = 12, XD_FLOW_WITHDRAWN = 64 };

struct xd_flow_order {
    uint64_t number;
    uint32_t account;
    uint32_t side;
};

/* A match that awaits its completion. */
struct xd_flow_match {
    int64_t due; /* s */
    uint64_t id;
    uint64_t account;
};

/* What a flow is but for its lists: saved as it stands. */
struct xd_flow_state {
    uint32_t shape;
    uint64_t resting; /* N */
    uint64_t seed;
    int64_t now_us;
    int64_t step_us; /* for each order submitted */
    uint64_t next_number;
    double level;
    struct xd_random choices, orders;
    bool full; /* the book has been full: cancels have begun */
};

/* What has happened since it was last cleared. */
struct xd_flow_counts {
    uint64_t submits, cancels, completes;
    uint64_t matched; /* orders submitted that found a match at once */
    uint64_t matches, lapsed;
};

struct xd_flow {
    struct xd_flow_state state;
    struct xd_flow_counts counts;
    struct xd_order_maker maker;
    struct xd_places *places;
    struct xd_flow_order *live[XD_SIDES]; /* orders that rest */
    uint64_t live_count[XD_SIDES], live_room;
    struct xd_map index;      /* where in `live`, plus one, by number */
    struct xd_flow_match *heap; /* the next one due first */
    uint64_t heap_count, heap_room;
    uint64_t withdrawn[XD_FLOW_WITHDRAWN]; /* numbers of offers that are cancelled next */
    uint32_t withdrawn_count;
    msgpack_zone *zone;
    char ref[24];
    char names[XD_FLOW_ACCOUNTS][XD_FLOW_NAME];
};

/* The command that comes next; strings live until the next call. */
struct xd_flow_command {
    int64_t now; /* s */
    struct xd_record record;
    struct xd_flow_order order; /* of a submit or cancel */
    struct xd_flow_match match; /* of a completion */
};

/* A flow over an empty book. NULL without memory. */
struct xd_flow *xd_flow_create(enum xd_shape shape, uint64_t resting, uint64_t seed);
void xd_flow_destroy(struct xd_flow *flow);

void xd_flow_next(struct xd_flow *flow, struct xd_flow_command *command);

/* Takes notice of what became of the command. False if the engine said what it should not (a refused order),
 * or without memory. */
bool xd_flow_learn(struct xd_flow *flow, const struct xd_flow_command *command,
                   const struct xd_output *output);

/* What requests bid from now on. */
void xd_flow_set_level(struct xd_flow *flow, double level);

/* Puts an order among those that rest; a match among those to be completed. For reading a flow back. */
bool xd_flow_add_order(struct xd_flow *flow, const struct xd_flow_order *order);
bool xd_flow_add_match(struct xd_flow *flow, const struct xd_flow_match *match);

#endif

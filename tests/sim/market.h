/* What clients want and hear. They submit orders, amend and cancel some, answer proposals and end some
 * matches; they ask again at another broker until they have an answer, sometimes twice at once; they follow
 * all events over whatever brokers there are. */
#ifndef XD_TESTS_SIM_MARKET_H
#define XD_TESTS_SIM_MARKET_H

#include "core/curve.h"
#include "core/record.h"
#include "tests/sim/broker.h"

enum { SIM_ORDERS_MAX = 96 };

/* An order that some client writes; its number in the market is in its ref, "r7". */
struct sim_order {
    char account[8], ref[8];
    struct xd_order order;
    unsigned home; /* partition */
    bool acked;
    uint64_t id, offset, generation; /* as acknowledged */
};

struct sim_wish;

struct sim_market {
    struct sim_world *world;
    struct sim_broker **brokers;
    unsigned broker_count;
    struct xd_layout layout;
    struct xd_market terms;
    int64_t start_s; /* what the store's clock says at the world's beginning */
    enum xd_kind kind;
    unsigned accounts;
    struct sim_order orders[SIM_ORDERS_MAX];
    unsigned order_count;
    struct sim_wish *wishes;             /* all that were ever made */
    unsigned outstanding;                /* without an answer */
    uint64_t next[SIM_RANGES_MAX];       /* event wanted next, of each partition ... */
    uint64_t generation[SIM_RANGES_MAX]; /* ... and its generation */
    unsigned feed_broker;
    uint32_t feed_incarnation, feed_serial;
    uint64_t heard, heard_twice;
};

/* The orders, and when they are submitted: within `for_us`. Places and layout are for `ranges` partitions. */
struct sim_market *sim_market_create(struct sim_world *world, unsigned ranges, int64_t start_s,
                                     int64_t for_us);
void sim_market_open(struct sim_market *market, struct sim_broker **brokers, unsigned count);
void sim_market_destroy(struct sim_market *market);

/* orders.c: one of a grid of 5 x 5 places, some 40 km from one to the next. */
struct xd_place sim_random_place(struct sim_world *world);

/* Writes the order of that number. */
void sim_order_write(struct sim_market *market, unsigned number);

#endif

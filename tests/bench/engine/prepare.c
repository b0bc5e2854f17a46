#include "tests/bench/engine/prepare.h"

#include "tests/bench/engine/snapshot.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define SHARE      0.4
#define GAIN       0.3
#define FILL_LEVEL 0.4

enum { STEPS_A_TURN = 20, LEAST_STEP = 500 };

static void say(const struct xd_meter *meter, const char *what, double began)
{
    const struct xd_flow *flow = meter->flow;
    fprintf(stderr, "%s %" PRIu64 ": %s, %" PRIu64 " orders so far, level %.3f, %.0f s\n",
            xd_shape_names[flow->state.shape], flow->state.resting, what, flow->state.next_number - 1,
            flow->state.level, xd_seconds_now() - began);
}

/* Fills the book at bids so low that few match: quick, and what is left of them has gone when the book has
 * settled. */
static bool fill(struct xd_meter *meter, double level)
{
    xd_flow_set_level(meter->flow, level);
    while (!meter->flow->state.full) {
        if (!xd_meter_step(meter)) return false;
    }
    return true;
}

bool xd_prepare_unmatched(struct xd_meter *meter)
{
    return fill(meter, 0);
}

/* Plays until so many orders have come; moves the level where the share that matched was wrong. */
static bool step(struct xd_meter *meter, uint64_t orders)
{
    struct xd_flow *flow = meter->flow;
    xd_meter_clear(meter);
    while (flow->counts.submits < orders) {
        if (!xd_meter_step(meter)) return false;
    }
    double share = (double)flow->counts.matched / (double)flow->counts.submits;
    xd_flow_set_level(flow, flow->state.level * exp(GAIN * (SHARE - share)));
    return true;
}

bool xd_prepare_book(struct xd_meter *meter, double turns)
{
    struct xd_flow *flow = meter->flow;
    double began = xd_seconds_now();
    uint64_t orders = flow->state.resting / STEPS_A_TURN;
    if (orders < LEAST_STEP) orders = LEAST_STEP;
    unsigned steps = (unsigned)ceil(turns * (double)flow->state.resting / (double)orders);
    if (!fill(meter, FILL_LEVEL)) return false;
    say(meter, "full", began);
    double sum = 0;
    unsigned counted = 0;
    for (unsigned i = 0; i < steps; i++) {
        if (!step(meter, orders)) return false;
        if (2 * i >= steps) {
            sum += log(flow->state.level);
            counted++;
        }
        if (i % (STEPS_A_TURN / 4) == 0) say(meter, "settling", began);
    }
    if (counted) xd_flow_set_level(flow, exp(sum / counted));
    say(meter, "ready", began);
    return true;
}

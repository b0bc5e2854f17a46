#include "tests/bench/engine/flow.h"

#include "core/id.h"
#include "tests/bench/engine/flow_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)
#define START_S   INT64_C(1900000000)

/* Of what is not a completion or a withdrawal. */
static const double cancel_share[XD_SHAPES] = {[XD_SHAPE_STORAGE] = 0.2, [XD_SHAPE_TRUCK] = 0.08};

/* How often a match makes a carrier, or an owner, withdraw what is left of the offer. */
static const double withdrawn_share[XD_SHAPES] = {[XD_SHAPE_STORAGE] = 0, [XD_SHAPE_TRUCK] = 0.5};

/* In which a book turns over: N orders come. */
static const int64_t period_s[XD_SHAPES] = {[XD_SHAPE_STORAGE] = 4 * 86400, [XD_SHAPE_TRUCK] = 8 * 3600};

static void name_accounts(struct xd_flow *flow)
{
    for (unsigned i = 0; i < XD_FLOW_ACCOUNTS; i++) {
        snprintf(flow->names[i], XD_FLOW_NAME, "firm-%04u", i);
    }
}

static void start_maker(struct xd_flow *flow)
{
    flow->maker = (struct xd_order_maker){
        .shape = (enum xd_shape)flow->state.shape,
        .level = flow->state.level,
        .cold = 0.8,
        .random = flow->state.orders,
        .places = flow->places,
        .currency = xd_currency("CNY", 3),
    };
}

struct xd_flow *xd_flow_create(enum xd_shape shape, uint64_t resting, uint64_t seed)
{
    struct xd_flow *flow = calloc(1, sizeof *flow);
    if (!flow) return NULL;
    flow->places = xd_places_create();
    flow->zone = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    flow->live_room = resting / 2 + resting / 8 + 64;
    for (unsigned side = 0; side < XD_SIDES; side++) {
        flow->live[side] = calloc(flow->live_room, sizeof *flow->live[side]);
    }
    if (!flow->places || !flow->zone || !flow->live[XD_OFFER] || !flow->live[XD_REQUEST]) {
        xd_flow_destroy(flow);
        return NULL;
    }
    flow->state = (struct xd_flow_state){.shape = shape,
                                         .resting = resting,
                                         .seed = seed,
                                         .now_us = START_S * SECOND_US,
                                         .step_us = period_s[shape] * SECOND_US / (int64_t)resting,
                                         .next_number = 1,
                                         .level = 1};
    xd_random_seed(&flow->state.choices, seed);
    xd_random_seed(&flow->state.orders, seed + 1);
    name_accounts(flow);
    start_maker(flow);
    return flow;
}

void xd_flow_destroy(struct xd_flow *flow)
{
    if (!flow) return;
    xd_places_destroy(flow->places);
    if (flow->zone) msgpack_zone_free(flow->zone);
    free(flow->live[XD_OFFER]);
    free(flow->live[XD_REQUEST]);
    free(flow->heap);
    xd_map_free(&flow->index);
    free(flow);
}

void xd_flow_set_level(struct xd_flow *flow, double level)
{
    flow->state.level = level;
    flow->maker.level = level;
}

/* --- the lists --- */

bool xd_flow_add_order(struct xd_flow *flow, const struct xd_flow_order *order)
{
    uint64_t at = flow->live_count[order->side];
    if (at == flow->live_room) return false;
    if (!xd_map_put(&flow->index, order->number, (void *)(uintptr_t)(at + 1))) return false;
    flow->live[order->side][flow->live_count[order->side]++] = *order;
    return true;
}

static void drop_order(struct xd_flow *flow, enum xd_side side, uint64_t number)
{
    uint64_t at = (uint64_t)(uintptr_t)xd_map_get(&flow->index, number);
    if (!at) return;
    struct xd_flow_order *last = &flow->live[side][--flow->live_count[side]];
    xd_map_remove(&flow->index, number);
    if (last->number == number) return;
    xd_map_remove(&flow->index, last->number);
    flow->live[side][at - 1] = *last;
    xd_map_put(&flow->index, last->number, (void *)(uintptr_t)at); /* finds the room that was just left */
}

bool xd_flow_add_match(struct xd_flow *flow, const struct xd_flow_match *match)
{
    if (flow->heap_count == flow->heap_room) {
        uint64_t room = flow->heap_room ? flow->heap_room * 2 : 1024;
        struct xd_flow_match *heap = realloc(flow->heap, room * sizeof *heap);
        if (!heap) return false;
        flow->heap = heap;
        flow->heap_room = room;
    }
    uint64_t i = flow->heap_count++;
    for (; i && flow->heap[(i - 1) / 2].due > match->due; i = (i - 1) / 2) {
        flow->heap[i] = flow->heap[(i - 1) / 2];
    }
    flow->heap[i] = *match;
    return true;
}

static struct xd_flow_match take_first_match(struct xd_flow *flow)
{
    struct xd_flow_match first = flow->heap[0], last = flow->heap[--flow->heap_count];
    uint64_t i = 0;
    for (uint64_t child = 1; child < flow->heap_count; child = 2 * i + 1) {
        if (child + 1 < flow->heap_count && flow->heap[child + 1].due < flow->heap[child].due) child++;
        if (flow->heap[child].due >= last.due) break;
        flow->heap[i] = flow->heap[child];
        i = child;
    }
    flow->heap[i] = last;
    return first;
}

/* --- the next command --- */

/* An account keeps its score: 420 to 899. */
static int64_t credit_of(uint32_t account)
{
    return 420 + (account * UINT32_C(2654435761) >> 16) % 480;
}

static void complete(struct xd_flow *flow, struct xd_flow_command *command)
{
    command->match = take_first_match(flow);
    command->record = (struct xd_record){.type = XD_RECORD_COMPLETE,
                                         .account = xd_str_of(flow->names[command->match.account]),
                                         .match_id = command->match.id};
}

static void cancel(struct xd_flow *flow, const struct xd_flow_order *order, struct xd_flow_command *command)
{
    command->order = *order;
    command->record = (struct xd_record){.type = XD_RECORD_CANCEL,
                                         .account = xd_str_of(flow->names[command->order.account]),
                                         .order_id = xd_id(0, command->order.number)};
}

static bool withdraw(struct xd_flow *flow, struct xd_flow_command *command)
{
    while (flow->withdrawn_count) {
        uint64_t number = flow->withdrawn[--flow->withdrawn_count];
        uint64_t at = (uint64_t)(uintptr_t)xd_map_get(&flow->index, number);
        if (!at) continue; /* withdrawn already, after another match */
        cancel(flow, &flow->live[XD_OFFER][at - 1], command);
        return true;
    }
    return false;
}

static void cancel_any(struct xd_flow *flow, struct xd_flow_command *command)
{
    enum xd_side side = xd_random_chance(&flow->state.choices, 0.5) ? XD_OFFER : XD_REQUEST;
    if (!flow->live_count[side]) side = side == XD_OFFER ? XD_REQUEST : XD_OFFER;
    uint64_t at = xd_random_bits(&flow->state.choices) % flow->live_count[side];
    cancel(flow, &flow->live[side][at], command);
}

static void submit(struct xd_flow *flow, enum xd_side side, struct xd_flow_command *command)
{
    struct xd_flow_state *state = &flow->state;
    state->now_us += state->step_us;
    command->now = state->now_us / SECOND_US;
    command->order.number = state->next_number++;
    command->order.account = (uint32_t)xd_random_between(&state->choices, 0, XD_FLOW_ACCOUNTS - 1);
    command->order.side = side;
    command->record = (struct xd_record){.type = XD_RECORD_ORDER,
                                         .account = xd_str_of(flow->names[command->order.account]),
                                         .order_id = xd_id(0, command->order.number),
                                         .credit = credit_of(command->order.account)};
    xd_make_order(&flow->maker, side, command->now, &command->record.order);
    state->orders = flow->maker.random;
    snprintf(flow->ref, sizeof flow->ref, "r%" PRIu64, command->order.number);
    command->record.order.ref = xd_str_of(flow->ref);
}

static bool chance_of_cancel(struct xd_flow *flow)
{
    return xd_random_chance(&flow->state.choices, cancel_share[flow->state.shape]);
}

void xd_flow_next(struct xd_flow *flow, struct xd_flow_command *command)
{
    uint64_t half = flow->state.resting / 2;
    uint64_t offers = flow->live_count[XD_OFFER], requests = flow->live_count[XD_REQUEST];
    command->now = flow->state.now_us / SECOND_US;
    if (offers >= half && requests >= half) flow->state.full = true;
    if (flow->heap_count && flow->heap[0].due <= command->now) {
        complete(flow, command);
    } else if (withdraw(flow, command)) {
        return;
    } else if (flow->state.full && (chance_of_cancel(flow) || (offers >= half && requests >= half))) {
        cancel_any(flow, command);
    } else {
        submit(flow, offers < requests ? XD_OFFER : XD_REQUEST, command);
    }
}

/* --- what became of it --- */

static void withdraw_later(struct xd_flow *flow, uint64_t offer)
{
    if (!xd_random_chance(&flow->state.choices, withdrawn_share[flow->state.shape])) return;
    if (flow->withdrawn_count < XD_FLOW_WITHDRAWN) flow->withdrawn[flow->withdrawn_count++] = offer;
}

static bool take_note(struct xd_flow *flow, const struct xd_flow_event *event)
{
    switch (event->what) {
    case XD_FLOW_ORDER_LEFT:
        drop_order(flow, event->side, event->number);
        flow->counts.lapsed += event->lapsed;
        return true;
    case XD_FLOW_MATCHED:
        flow->counts.matches++;
        withdraw_later(flow, event->offer);
        return xd_flow_add_match(flow, &event->match);
    case XD_FLOW_REFUSED:
        return false;
    default:
        return true;
    }
}

static bool note_outcome(struct xd_flow *flow, const struct xd_flow_command *command, enum xd_code outcome,
                         bool found_match)
{
    enum { LATER_S = 3600 };
    switch (command->record.type) {
    case XD_RECORD_ORDER:
        flow->counts.submits++;
        flow->counts.matched += found_match;
        return outcome == XD_OK;
    case XD_RECORD_CANCEL:
        flow->counts.cancels++;
        return outcome == XD_OK;
    default:
        flow->counts.completes++;
        if (outcome != XD_WRONG_STATE) return true;
        struct xd_flow_match later = command->match; /* it was rescheduled and has not begun */
        later.due = command->now + LATER_S;
        return xd_flow_add_match(flow, &later);
    }
}

bool xd_flow_learn(struct xd_flow *flow, const struct xd_flow_command *command,
                   const struct xd_output *output)
{
    const size_t *ends = (const size_t *)(const void *)output->ends.data;
    uint16_t outcome = *(const uint16_t *)(const void *)output->outcomes.data;
    uint64_t matches = flow->counts.matches;
    /* It rests until an event says otherwise; what never rested is dropped all the same. */
    if (command->record.type == XD_RECORD_ORDER && !xd_flow_add_order(flow, &command->order)) return false;
    size_t start = 0;
    for (uint32_t i = 0; i < xd_output_event_count(output); i++) {
        struct xd_flow_event event;
        xd_flow_read_event(flow->zone, output->events.data + start, ends[i] - start, &event);
        if (!take_note(flow, &event)) return false;
        start = ends[i];
    }
    return note_outcome(flow, command, outcome, flow->counts.matches != matches);
}

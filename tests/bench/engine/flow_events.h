/* What a flow wants to know of an event. */
#ifndef XD_TESTS_BENCH_ENGINE_FLOW_EVENTS_H
#define XD_TESTS_BENCH_ENGINE_FLOW_EVENTS_H

#include "tests/bench/engine/flow.h"

enum xd_flow_happening {
    XD_FLOW_NOTHING,
    XD_FLOW_ORDER_LEFT, /* number, side: it rests no longer */
    XD_FLOW_MATCHED,    /* match: told to the requester, once a match */
    XD_FLOW_REFUSED,    /* an order was rejected */
};

struct xd_flow_event {
    enum xd_flow_happening what;
    uint64_t number;
    enum xd_side side;
    bool lapsed;
    struct xd_flow_match match;
    uint64_t offer; /* its number, of a match */
};

/* `zone` is used and cleared again. What is no event reads as XD_FLOW_REFUSED. */
void xd_flow_read_event(msgpack_zone *zone, const uint8_t *bytes, size_t len, struct xd_flow_event *out);

#endif

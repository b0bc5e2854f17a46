/* An event, read. */
#ifndef XD_TESTS_SIM_TOLD_H
#define XD_TESTS_SIM_TOLD_H

#include "core/event.h"

enum { SIM_STOPS_MAX = 128 };

struct sim_told_party {
    struct xd_str ref, account;
    uint64_t id;
};

struct sim_told {
    enum xd_event_type type;
    struct xd_str account;
    bool is_match;
    struct sim_told_party order; /* of an order's event */
    bool dropped;                /* what a "now" order did not get at once: it may be open again */
    uint64_t match_id;
    bool by_requester;
    bool lost; /* its home has lost the match, and of the other side it is only known which order that was */
    struct sim_told_party party[XD_SIDES];
    int64_t amount[XD_DIMS]; /* of a match; of an amended order what changed, 0 where nothing did */
    uint32_t stop_count;
    struct {
        uint64_t request;
        bool delivery;
    } stops[SIM_STOPS_MAX];
};

/* Strings point into `object`. False if it is not an event. */
bool sim_told_read(const msgpack_object *object, struct sim_told *out);

#endif

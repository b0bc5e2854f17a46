/* An engine played by hand: orders in as JSON, events out as MessagePack objects. For tests. */
#ifndef XD_TESTS_ENGINE_PLAY_H
#define XD_TESTS_ENGINE_PLAY_H

#include "engine/engine.h"

#include <jansson.h>

struct xd_play {
    struct xd_engine *engine;
    struct xd_engine_options options;
    int64_t now;
    uint64_t next_order; /* number of the next order submitted */
    struct xd_output output;
    msgpack_zone *zone;
    /* events of all calls so far, decoded; they live until xd_play_end */
    const msgpack_object **events;
    size_t event_count;
    uint64_t digest; /* over every event's bytes */
    enum xd_code outcome;
    unsigned note; /* beside it */
};

void xd_play_begin(struct xd_play *play, int64_t now);
void xd_play_end(struct xd_play *play);

/* Submits an order (`account` among its fields). Returns its id. */
uint64_t xd_play_submit(struct xd_play *play, const json_t *order);

/* Applies a record at play->now. */
void xd_play_apply(struct xd_play *play, const struct xd_record *record);

/* What an account does to a match. */
void xd_play_act(struct xd_play *play, enum xd_record_type type, const char *account, uint64_t match_id);
/* `changes`: an amendment's fields. */
void xd_play_amend(struct xd_play *play, const char *account, uint64_t order_id, const json_t *changes);
void xd_play_cancel(struct xd_play *play, const char *account, uint64_t order_id);
void xd_play_tick(struct xd_play *play, int64_t now);

/* Replaces the engine by one loaded from its own snapshot; fails the test if their hashes differ. */
void xd_play_restore(struct xd_play *play);

#endif

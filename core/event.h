/* What the engine says happened: one event is told to one account. The form made here is both what the ledger keeps
 * and what a client receives; the broker only adds `id` and `cursor` when it delivers (xd_event_deliver).
 *
 *   {"account": whose event, "type": "match.confirmed", "time": seconds, "order": {...} or "match": {...}} */
#ifndef XD_CORE_EVENT_H
#define XD_CORE_EVENT_H

#include "core/id.h"
#include "core/amend.h"

#define XD_EVENT_TYPES(X)                                                                                         \
    X(ORDER_ACCEPTED, "order.accepted")                                                                           \
    X(ORDER_REJECTED, "order.rejected")                                                                           \
    X(ORDER_AMENDED, "order.amended")                                                                             \
    X(ORDER_FILLED, "order.filled")                                                                               \
    X(ORDER_CANCELLED, "order.cancelled")                                                                         \
    X(ORDER_EXPIRED, "order.expired")                                                                             \
    X(MATCH_PROPOSED, "match.proposed")                                                                           \
    X(MATCH_CONFIRMED, "match.confirmed")                                                                         \
    X(MATCH_RESCHEDULED, "match.rescheduled")                                                                     \
    X(MATCH_DECLINED, "match.declined")                                                                           \
    X(MATCH_LAPSED, "match.lapsed")                                                                               \
    X(MATCH_COMPLETED, "match.completed")                                                                         \
    X(MATCH_CANCELLED, "match.cancelled")                                                                         \
    X(MATCH_NO_SHOW, "match.no_show")

enum xd_event_type {
#define X(id, name) XD_EVENT_##id,
    XD_EVENT_TYPES(X)
#undef X
    XD_EVENT_TYPE_COUNT
};

#define XD_ORDER_STATES(X)                                                                                        \
    X(OPEN, "open")                                                                                               \
    X(PARTLY_FILLED, "partly_filled")                                                                             \
    X(FILLED, "filled")                                                                                           \
    X(CANCELLED, "cancelled")                                                                                     \
    X(EXPIRED, "expired")                                                                                         \
    X(REJECTED, "rejected")

enum xd_order_state {
#define X(id, name) XD_ORDER_##id,
    XD_ORDER_STATES(X)
#undef X
    XD_ORDER_STATE_COUNT
};

#define XD_MATCH_STATES(X)                                                                                        \
    X(PROPOSED, "proposed")                                                                                       \
    X(CONFIRMED, "confirmed")                                                                                     \
    X(DECLINED, "declined")                                                                                       \
    X(LAPSED, "lapsed")                                                                                           \
    X(COMPLETED, "completed")                                                                                     \
    X(CANCELLED, "cancelled")                                                                                     \
    X(NO_SHOW, "no_show")

enum xd_match_state {
#define X(id, name) XD_MATCH_##id,
    XD_MATCH_STATES(X)
#undef X
    XD_MATCH_STATE_COUNT
};

/* An order in an event or a listing. */
struct xd_order_view {
    struct xd_str ref;
    uint64_t id;
    struct xd_str account;
    enum xd_side side;
    enum xd_kind kind;
    enum xd_order_state state;
    int64_t amount; /* of the main dimension, as written */
    int64_t open;   /* what is still free to match (requests); 0 for offers, where it depends on day or leg */
    int64_t valid_until;
    const char *reason; /* why it was cancelled or rejected, or NULL: "fill_now", "owner", ... */
    enum xd_code error; /* XD_OK, or why it was rejected */
    const struct xd_amendment *amendment; /* what amended it, or NULL; of it only the fields of `changes` are told */
    uint64_t changes;
    bool kept_priority;
};

struct xd_party_view {
    struct xd_str ref;
    uint64_t id;
    struct xd_str account;
    int64_t credit;
};

struct xd_stop_view {
    uint64_t request_id;
    bool delivery;
    struct xd_place place;
    int64_t eta;   /* s: loading or unloading starts */
    int64_t leave; /* s: it has ended */
};

/* A match as one side may see it. */
struct xd_match_view {
    uint64_t id;
    enum xd_kind kind;
    enum xd_match_state state;
    struct xd_party_view offer, request;
    int64_t amount[XD_DIMS];
    uint32_t dims; /* bit per dimension that the request stated */
    int64_t currency;
    int64_t quote, price, surplus, access; /* hundredths */
    int64_t km_m;                          /* metres: loaded (truck) or between the two places (storage) */
    int64_t added_m;                       /* metres (truck) */
    int64_t hold_until;                    /* s while proposed, else 0 */
    const char *by;                        /* "offer" or "request": who ended it, or NULL (the clock) */
    const char *reason;                    /* or NULL */
    struct xd_str note;                    /* the other side's */
    int64_t from_day, until_day;           /* storage */
    const struct xd_stop_view *stops;      /* truck: what this side may see of the plan */
    uint32_t stop_count;
};

const char *xd_event_type_name(enum xd_event_type type);
const char *xd_order_state_name(enum xd_order_state state);
const char *xd_match_state_name(enum xd_match_state state);

/* Append an event to `out`. */
void xd_event_order(struct xd_buf *out, enum xd_event_type type, int64_t time, const struct xd_order_view *order);
void xd_event_match(struct xd_buf *out, enum xd_event_type type, int64_t time, struct xd_str account,
                    const struct xd_match_view *match);

/* Just the order or match map, for listings. */
void xd_order_view_write(struct xd_buf *out, const struct xd_order_view *order);
void xd_match_view_write(struct xd_buf *out, const struct xd_match_view *match);

/* Whose event it is, read off its first bytes without parsing the rest. `bytes` is one whole event. An empty string if
 * it is not one. */
struct xd_str xd_event_account(const uint8_t *bytes, size_t len);

/* Appends the event to `out` with two pairs put before its own: "id", and `cursor`, the position after it. `bytes` is
 * one whole event; what is not a map that small makes `out` fail. */
void xd_event_deliver(struct xd_buf *out, const uint8_t *bytes, size_t len, struct xd_event_id id,
                      struct xd_str cursor);

#endif

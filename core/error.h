/* The error table: every code that a client can be told, its name on the wire, and what it means.
 * docs/PROTOCOL.md's list is made from it (crossdock-docs errors). */
#ifndef XD_CORE_ERROR_H
#define XD_CORE_ERROR_H

#include <stdbool.h>

#define XD_ERRORS(X)                                                                                         \
    X(OK, "ok", "no error")                                                                                  \
    X(BAD_FRAME, "bad_frame",                                                                                \
      "bytes that are not MessagePack-RPC; framing is lost and the connection is closed")                    \
    X(FRAME_TOO_LARGE, "frame_too_large", "a message longer than the limit; the connection is closed")       \
    X(TOO_DEEP, "too_deep", "a message nested deeper than the limit; the connection is closed")              \
    X(TOO_MANY_ELEMENTS, "too_many_elements",                                                                \
      "a message of more elements than the limit; the connection is closed")                                 \
    X(UNKNOWN_METHOD, "unknown_method", "no such method")                                                    \
    X(BAD_PARAMS, "bad_params",                                                                              \
      "params are not an array of at most one map, or a parameter is missing or wrong")                      \
    X(HELLO_FIRST, "hello_first", "the connection has not said hello yet")                                   \
    X(FORBIDDEN, "forbidden", "this connection may not do that")                                             \
    X(UNKNOWN_FIELD, "unknown_field", "a field that an order of this side and kind does not have")           \
    X(MISSING_FIELD, "missing_field", "a field that an order of this side and kind must have")               \
    X(DUPLICATE_FIELD, "duplicate_field", "a field given twice")                                             \
    X(BAD_TYPE, "bad_type", "a value of the wrong type")                                                     \
    X(BAD_VALUE, "bad_value", "a value that is not one of those allowed")                                    \
    X(OUT_OF_RANGE, "out_of_range", "a number, time or day outside its range")                               \
    X(TOO_MANY_DECIMALS, "too_many_decimals", "a number with more decimals than its field has")              \
    X(BAD_UTF8, "bad_utf8", "text that is not UTF-8")                                                        \
    X(BAD_JSON, "bad_json", "text that is not JSON (a client reports this before anything is sent)")         \
    X(TOO_LONG, "too_long", "a text or list longer than allowed")                                            \
    X(REF_CONFLICT, "ref_conflict", "this ref already names another order of the account")                   \
    X(NOT_FOUND, "not_found", "no such order or match, or not one of this account's")                        \
    X(WRONG_STATE, "wrong_state", "the order or match is in a state that does not allow it")                 \
    X(NOT_AMENDABLE, "not_amendable", "a field that cannot be amended: it makes the order what it is")       \
    X(HELD, "held", "an amendment that would take from live matches what they hold")                         \
    X(CLAIMED, "claimed", "an order of which another partition has, or is offered, a part; try again later") \
    X(LAPSED, "lapsed", "the order's valid_until has passed")                                                \
    X(BOOK_FULL, "book_full", "the partition holds as many orders as it may")                                \
    X(TOO_MANY_ORDERS, "too_many_orders", "a submit call of more orders than the limit")                     \
    X(ALREADY_SUBSCRIBED, "already_subscribed", "the connection has a subscription already")                 \
    X(BAD_CURSOR, "bad_cursor", "not a cursor of this installation")                                         \
    X(STORAGE_FULL, "storage_full", "the ledger's disk is full; nothing was stored; try again later")        \
    X(STORAGE_FAILED, "storage_failed", "the ledger could not store; nothing was stored; try again later")   \
    X(UNSETTLED, "unsettled",                                                                               \
      "stored, but what came of it is not known yet: the events will say; it may be sent again")            \
    X(FENCED, "fenced", "this process no longer owns the partition; nothing was stored")                     \
    X(NO_OWNER, "no_owner", "the partition has no owner at present, or none that answers; try again later")           \
    X(OVERLOADED, "overloaded", "too much is waiting; try again later")                                      \
    X(DRAINING, "draining", "the broker is shutting down; connect to another or later")                      \
    X(SLOW_CONSUMER, "slow_consumer",                                                                        \
      "events were not read for too long; the connection is closed; resume from the last cursor")            \
    X(NO_MEMORY, "no_memory", "no memory for this; the connection is closed")                                \
    X(INTERNAL, "internal", "a fault of Crossdock's own")

enum xd_code {
#define X(id, name, text) XD_##id,
    XD_ERRORS(X)
#undef X
    XD_CODE_COUNT
};

enum { XD_ERROR_FIELD_MAX = 80, XD_ERROR_MESSAGE_MAX = 320 };

/* What went wrong: a code, the field it is about ("" if none) and a sentence for people: what was given and
 * what is allowed. Both are UTF-8, cut short at a character when too long. */
struct xd_error {
    enum xd_code code;
    char field[XD_ERROR_FIELD_MAX];
    char message[XD_ERROR_MESSAGE_MAX];
};

/* The wire name of a code, and its meaning in a sentence. Static strings. */
const char *xd_code_name(enum xd_code code);
const char *xd_code_meaning(enum xd_code code);

/* Sets `error` and returns false, so that a check can end in `return xd_fail(...)`. `field` may be NULL; it
 * and the arguments may point into `*error`. Bytes of either that are not UTF-8 become '?'. */
bool xd_fail(struct xd_error *error, enum xd_code code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif

/* The methods: what a request names, what it needs, and how it is answered. */
#ifndef XD_BROKER_METHOD_H
#define XD_BROKER_METHOD_H

#include "broker/rpc.h"
#include "broker/session.h"

/* What a request's answer goes to. Every call ends in exactly one xd_reply_*, at once or later; the session
 * is kept until then. A notification has one as well, which sends nothing. */
struct xd_reply {
    struct xd_session *session;
    uint32_t msgid;
    bool wanted;
};

struct xd_call {
    struct xd_broker *broker;
    struct xd_session *session;
    const msgpack_object *params; /* a map, or NULL; lives until the handler returns */
    struct xd_reply reply;        /* to be copied by a handler that answers later */
};

typedef void xd_handler(struct xd_call *call);

/* Carries out what a client asks for. `code`: what reading it said (XD_OK or XD_BAD_PARAMS). */
void xd_method_call(struct xd_session *session, const struct xd_rpc *rpc, enum xd_code code);

/* --- answers --- */

/* Where the result's value is to be written, at once; then xd_reply_send. */
struct xd_buf *xd_reply_begin(const struct xd_reply *reply);
void xd_reply_send(const struct xd_reply *reply);

void xd_reply_error(const struct xd_reply *reply, const struct xd_error *error);

/* An error with the code's own meaning. `field` may be NULL. */
void xd_reply_code(const struct xd_reply *reply, enum xd_code code, const char *field);

/* --- parameters --- */

/* A text parameter. True: it is there, or may be left out (*out is empty then). Else XD_BAD_PARAMS in *error.
 */
bool xd_param_text(const struct xd_call *call, const char *name, bool optional, struct xd_str *out,
                   struct xd_error *error);

/* An integer of min..max; left out, `fallback`. */
bool xd_param_int(const struct xd_call *call, const char *name, int64_t min, int64_t max, int64_t fallback,
                  int64_t *out, struct xd_error *error);

/* Whose order or match the call is about: the session's account; of an operator's session the one that it
 * names. */
bool xd_param_account(const struct xd_call *call, struct xd_str *out, struct xd_error *error);

/* The order that the call is about: either a ref, or an id (*ref is empty then). */
bool xd_param_order_name(const struct xd_call *call, struct xd_str *ref, uint64_t *id, struct xd_error *error);

/* An order, and whose it is: as submit takes it. Strings point into `map`, or live as long as the session. */
bool xd_param_order(const struct xd_session *session, msgpack_object map, struct xd_str *account,
                    struct xd_order *order, struct xd_error *error);

/* --- handlers --- */

xd_handler xd_method_hello, xd_method_ping; /* methods_session.c */
xd_handler xd_method_submit;                /* methods_submit.c */
xd_handler xd_method_amend;                 /* methods_amend.c */
xd_handler xd_method_cancel, xd_method_cancel_match, xd_method_accept,
    xd_method_decline; /* methods_command.c */
xd_handler xd_method_complete, xd_method_no_show;
xd_handler xd_method_orders, xd_method_matches, xd_method_state_hash; /* methods_read.c */
xd_handler xd_method_explain, xd_method_what_if;                      /* methods_explain.c */
xd_handler xd_method_subscribe, xd_method_ack;                        /* methods_feed.c */
xd_handler xd_method_clock;                                           /* methods_clock.c */

#endif

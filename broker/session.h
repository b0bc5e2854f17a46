/* One client's connection as the protocol sees it: messages taken off the link one by one, requests without
 * an answer counted, and reading stopped while too much waits. A session outlives its link until nothing
 * refers to it any more. */
#ifndef XD_BROKER_SESSION_H
#define XD_BROKER_SESSION_H

#include "broker/broker.h"
#include "broker/feed.h"
#include "broker/link.h"

struct xd_session {
    struct xd_broker *broker;
    struct xd_link *link; /* NULL once the connection is gone */
    struct xd_session *next, **self;
    struct xd_mp_walk walk;
    uint32_t references;
    uint32_t outstanding;
    size_t held; /* bytes kept for answers that wait for the disk */
    bool surplus; /* one connection too many */
    bool closing;
    bool paused;       /* reading has stopped */
    bool peer_ended;   /* nothing more will come */
    enum xd_code lost; /* framing is lost; said and closed once what came before is answered */

    bool greeted; /* hello was said */
    bool asked;   /* and then something else */
    char account[XD_ACCOUNT_MAX + 1];
    bool is_operator; /* account is "*" */

    bool subscribing; /* asked for, and perhaps not answered yet */
    struct xd_subscriber subscriber;
    char durable[XD_REF_MAX + 1]; /* the subscription's name, or "" */
    struct xd_position *acknowledged; /* the furthest, of each partition; NULL: nothing is durable */
};

/* Takes over an accepted socket. A surplus session is told so and closed. False (the socket is closed)
 * without memory. */
bool xd_session_open(struct xd_broker *broker, evutil_socket_t socket, bool surplus);

/* Queues a whole message. A session that finds no memory for it is closed. */
void xd_session_send(struct xd_session *session, const struct xd_buf *message);

/* Bytes that wait to be written. */
size_t xd_session_unsent(const struct xd_session *session);

/* Queues a notice. */
void xd_session_notice(struct xd_session *session, enum xd_code code, const char *message);

/* Queues a last notice, and closes when it is written. */
void xd_session_refuse(struct xd_session *session, enum xd_code code, const char *message);

/* Closes when everything is written (xd_link_close). */
void xd_session_close(struct xd_session *session, int64_t flush_ms, const char *why);

/* Whoever will come back to a session later keeps a reference to it. */
struct xd_session *xd_session_keep(struct xd_session *session);
void xd_session_release(struct xd_session *session);

/* A request was taken; a request was answered. */
void xd_session_began(struct xd_session *session);
void xd_session_answered(struct xd_session *session);

/* Bytes are kept for an answer, and no longer (before it is sent). They count as its output does: above the
 * high mark the session is not read from. */
void xd_session_hold(struct xd_session *session, size_t bytes);
void xd_session_let_go(struct xd_session *session, size_t bytes);

/* All sessions read on, as far as each may. */
void xd_sessions_resume(struct xd_broker *broker);

/* The account as the ledger takes it. */
struct xd_str xd_session_account(const struct xd_session *session);

#endif

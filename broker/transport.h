/* What carries a connection's bytes: plain TCP or TLS, as one small table of operations over libevent's
 * bufferevents. Nothing above asks which one it is. */
#ifndef XD_BROKER_TRANSPORT_H
#define XD_BROKER_TRANSPORT_H

#include "core/error.h"
#include "core/order.h"

#include <event2/util.h>

struct bufferevent;
struct event_base;

enum { XD_PEER_TEXT = 160 };

struct xd_transport_ops {
    const char *name;

    /* Makes the bufferevent of an accepted socket and takes the socket over; NULL (the socket is closed)
     * without memory. It reports BEV_EVENT_CONNECTED, never from within the call, once the peer may be spoken
     * to. */
    struct bufferevent *(*accept)(void *state, struct event_base *base, evutil_socket_t socket);

    /* To be called once its callbacks are set: BEV_EVENT_CONNECTED comes, never from within the call, when
     * the peer may be spoken to. */
    void (*start)(struct bufferevent *connection);

    /* The name that the transport vouches for. False: it vouches for none, or for one that is no account
     * (then *error says so, and its code is XD_FORBIDDEN instead of XD_OK). */
    bool (*account)(struct bufferevent *connection, char out[static XD_ACCOUNT_MAX + 1],
                    struct xd_error *error);

    /* Tells the peer that nothing more will be sent. Everything was written. */
    void (*finish)(struct bufferevent *connection);

    /* Why the connection failed, in words. */
    void (*problem)(struct bufferevent *connection, char out[static XD_PEER_TEXT]);

    void (*destroy)(void *state);
};

struct xd_transport {
    const struct xd_transport_ops *ops;
    void *state;
};

/* Whether `account` is who a connection names or is: '*', an operator, which sees all accounts and acts for any. */
static inline bool xd_is_operator(struct xd_str account)
{
    return account.len == 1 && account.at[0] == '*';
}

struct xd_transport xd_transport_plain(void);

/* TLS 1.2 and 1.3 with the certificate chain and key of two PEM files. With `client_ca` (a PEM file, NULL for
 * none) a peer must show a certificate from there, whose CN then is its account ('*': an operator's). False and
 * *error where a file cannot be used. */
bool xd_transport_tls(const char *certificate, const char *key, const char *client_ca,
                      struct xd_transport *out, struct xd_error *error);

void xd_transport_destroy(struct xd_transport *transport);

#endif

/* One connection's bytes, over whichever transport, and its end.
 *
 *      OPENING --handshake--> OPEN --close--> FLUSHING --all written--> ENDING --peer's end, or time--> gone
 *         `---------- error, time -- or close without flush, at any state -------------------------------^
 *
 * Closing is safe anywhere, in a callback of the link itself too: a link ends only from the event loop. From
 * the moment that xd_link_close returns, or an error was met, no callback comes but the last, `closed`. After
 * the last byte was written the link waits a little for the peer's end: a socket closed with unread input
 * would be reset, and the peer might never see what was written last. */
#ifndef XD_BROKER_LINK_H
#define XD_BROKER_LINK_H

#include "broker/transport.h"

#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct xd_link;

/* All are called from the event loop, never from within a call of the link. */
struct xd_link_events {
    void (*ready)(void *arg);                   /* the handshake is done */
    void (*readable)(void *arg);                /* there are more bytes in xd_link_input */
    void (*ended)(void *arg);                   /* the peer sends no more; it may still read */
    void (*drained)(void *arg);                 /* what waits to be written has fallen to the low mark */
    void (*stuck)(void *arg);                   /* the peer has read nothing for the slow time-out */
    void (*closed)(void *arg, const char *why); /* the end; the link is freed after it */
};

struct xd_link_options {
    size_t input_max;   /* bytes kept that were not consumed; the peer has to wait then */
    size_t output_low;  /* low mark of `drained` */
    int64_t slow_ms;    /* slow time-out */
    int64_t opening_ms; /* for the handshake */
};

/* Takes over an accepted socket. NULL (the socket is closed) without memory. */
struct xd_link *xd_link_open(struct event_base *base, const struct xd_transport *transport,
                             evutil_socket_t socket, const struct xd_link_options *options,
                             const struct xd_link_events *events, void *arg);

/* The account that the transport vouches for (transport.h). */
bool xd_link_account(const struct xd_link *link, char out[static XD_ACCOUNT_MAX + 1], struct xd_error *error);

/* What has come and was not yet taken; the reader drains it. */
struct evbuffer *xd_link_input(struct xd_link *link);

/* Queues bytes, which are copied. False without memory, or once the link is closing. */
bool xd_link_send(struct xd_link *link, const void *bytes, size_t len);

/* Bytes queued and not yet taken by the kernel. */
size_t xd_link_unsent(const struct xd_link *link);

/* Whether to read on from the socket; yes at first. Turning it on again makes `readable` come for what is
 * already here. */
void xd_link_read(struct xd_link *link, bool on);

/* Makes `readable` come again soon, after others had their turn. */
void xd_link_again(struct xd_link *link);

/* Ends the link: after writing what is queued; at once where `flush_ms` is 0. The peer may read nothing of it
 * for `flush_ms`, and take a dozen times that in all. The first close counts; a later one can only make it
 * quicker, with 0. `why` is a static string for `closed`. */
void xd_link_close(struct xd_link *link, int64_t flush_ms, const char *why);

#endif

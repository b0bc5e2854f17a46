/* The inside of an xd_client, which client.c (its life), run.c (what it sends and receives) and request.c
 * (the blocking helper) share.
 *
 *     xd_client_call -> out [sent | unsent] -> transport -> in [frames | part of one] -> walk -> callbacks
 *
 * Callbacks run only inside xd_client_run, xd_client_request and xd_client_close. While one runs, `busy` is
 * set: run and request are refused, and close waits until the call that is under way ends. */
#ifndef XD_CLIENTS_LIB_CLIENT_H
#define XD_CLIENTS_LIB_CLIENT_H

#include "clients/lib/calls.h"
#include "clients/lib/transport.h"
#include "core/mp.h"

enum {
    XD_UNSENT_MAX = 64 << 20, /* bytes that may wait to be sent */
    XD_FRAME_MAX = 16 << 20,  /* bytes of one message from the broker */
    XD_READ_CHUNK = 64 << 10,
};

struct xd_client {
    struct xd_transport transport;
    struct xd_buf in;
    size_t in_at; /* frames before it have been delivered */
    struct xd_mp_walk walk;
    struct xd_buf out;
    size_t out_at; /* bytes before it have been sent */
    struct xd_calls calls;
    msgpack_zone *frame_zone; /* of the frame being delivered */
    xd_client_reply hello;
    int timeout_ms;
    xd_client_notify_fn *notify;
    void *notify_arg;
    bool ended;        /* `why` says why; nothing is sent or received any more */
    bool write_failed; /* what has come may still be read, then it ends */
    bool stop;
    bool busy;
    bool close_wanted;
    xd_client_error why;
    xd_client_error notice; /* the last one: why the broker is about to close */
};

/* One xd_client_run, without the guard against re-entry. */
int xd_client_step(struct xd_client *client, int timeout_ms);

/* xd_client_call, telling the msgid. */
bool xd_client_queue(struct xd_client *client, const char *method, const void *params, size_t len,
                     xd_client_reply_fn *callback, void *arg, uint32_t *id);

/* The connection has ended: calls without an answer are told. */
void xd_client_end(struct xd_client *client);

/* Leaves a call that set `busy`; frees the client if a callback closed it, and then returns false. */
bool xd_client_leave(struct xd_client *client);

#endif

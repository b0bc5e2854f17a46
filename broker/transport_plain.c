#include "broker/transport.h"

#include <event2/bufferevent.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static struct bufferevent *plain_accept(void *state, struct event_base *base, evutil_socket_t socket)
{
    (void)state;
    struct bufferevent *connection = bufferevent_socket_new(base, socket, BEV_OPT_CLOSE_ON_FREE);
    if (!connection) evutil_closesocket(socket);
    return connection;
}

static void plain_start(struct bufferevent *connection)
{
    bufferevent_trigger_event(connection, BEV_EVENT_CONNECTED, BEV_TRIG_DEFER_CALLBACKS);
}

static bool plain_account(struct bufferevent *connection, char out[static XD_ACCOUNT_MAX + 1],
                          struct xd_error *error)
{
    (void)connection;
    out[0] = '\0';
    error->code = XD_OK;
    return false;
}

static void plain_finish(struct bufferevent *connection)
{
    shutdown(bufferevent_getfd(connection), SHUT_WR);
}

static void plain_problem(struct bufferevent *connection, char out[static XD_PEER_TEXT])
{
    (void)connection;
    snprintf(out, XD_PEER_TEXT, "%s", evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
}

static void plain_destroy(void *state)
{
    (void)state;
}

static const struct xd_transport_ops plain = {
    .name = "plain",
    .accept = plain_accept,
    .start = plain_start,
    .account = plain_account,
    .finish = plain_finish,
    .problem = plain_problem,
    .destroy = plain_destroy,
};

struct xd_transport xd_transport_plain(void)
{
    return (struct xd_transport){.ops = &plain};
}

void xd_transport_destroy(struct xd_transport *transport)
{
    if (transport->ops) transport->ops->destroy(transport->state);
    *transport = (struct xd_transport){0};
}

#include "broker/acceptor.h"

#include "broker/session.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Connections that may be told at a time that they are too many; beyond, accepting pauses. */
enum { SURPLUS_MAX = 64 };

/* How long accepting pauses where the process or the machine has no descriptor or memory left. */
enum { PAUSE_MS = 100 };

struct xd_acceptor {
    struct xd_broker *broker;
    int socket; /* -1 once the listener has it */
    struct evconnlistener *listener;
    struct event *pause;
    struct sockaddr_storage address;
    socklen_t address_len;
    bool full;
};

static size_t most(const struct xd_acceptor *acceptor)
{
    return (size_t)acceptor->broker->settings->max_connections;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t socket, struct sockaddr *peer,
                      int peer_len, void *arg)
{
    (void)peer, (void)peer_len;
    struct xd_acceptor *acceptor = arg;
    size_t count = acceptor->broker->session_count;
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (!xd_session_open(acceptor->broker, socket, count >= most(acceptor)))
        xd_log(acceptor->broker->log, XD_LOG_WARNING, "not_accepted", xd_log_text("why", "no memory"));
    if (count + 1 < most(acceptor) + SURPLUS_MAX) return;
    acceptor->full = true;
    evconnlistener_disable(listener);
}

static void on_error(struct evconnlistener *listener, void *arg)
{
    struct xd_acceptor *acceptor = arg;
    const struct timeval pause = {.tv_usec = PAUSE_MS * 1000L};
    int problem = EVUTIL_SOCKET_ERROR();
    xd_log(acceptor->broker->log, XD_LOG_WARNING, "accept_paused", xd_log_text("why", strerror(problem)));
    evconnlistener_disable(listener);
    event_add(acceptor->pause, &pause);
}

static void on_pause_over(evutil_socket_t socket, short what, void *arg)
{
    (void)socket, (void)what;
    struct xd_acceptor *acceptor = arg;
    if (acceptor->listener && !acceptor->full) evconnlistener_enable(acceptor->listener);
}

void xd_acceptor_room(struct xd_acceptor *acceptor)
{
    if (!acceptor->full || acceptor->broker->session_count >= most(acceptor) + SURPLUS_MAX) return;
    acceptor->full = false;
    evconnlistener_enable(acceptor->listener);
}

static int bind_socket(const struct xd_settings *settings)
{
    int on = 1;
    int opened = socket(settings->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened < 0) return -1;
    setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(opened, (const struct sockaddr *)&settings->address, settings->address_len) == 0) return opened;
    int problem = errno;
    close(opened);
    errno = problem;
    return -1;
}

struct xd_acceptor *xd_acceptor_bind(struct xd_broker *broker, struct xd_error *error)
{
    struct xd_acceptor *acceptor = calloc(1, sizeof(*acceptor));
    struct event *pause = acceptor ? event_new(broker->base, -1, 0, on_pause_over, acceptor) : NULL;
    if (!pause) {
        free(acceptor);
        xd_fail(error, XD_NO_MEMORY, NULL, "no memory for a listening socket");
        return NULL;
    }
    acceptor->broker = broker;
    acceptor->pause = pause;
    acceptor->socket = bind_socket(broker->settings);
    if (acceptor->socket < 0) {
        xd_fail(error, XD_BAD_VALUE, "listen", "%s cannot be listened on: %s", broker->settings->listen,
                strerror(errno));
        xd_acceptor_close(acceptor);
        return NULL;
    }
    acceptor->address_len = sizeof(acceptor->address);
    getsockname(acceptor->socket, (struct sockaddr *)&acceptor->address, &acceptor->address_len);
    return acceptor;
}

bool xd_acceptor_listen(struct xd_acceptor *acceptor, struct xd_error *error)
{
    acceptor->listener =
        evconnlistener_new(acceptor->broker->base, on_accept, acceptor,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, SOMAXCONN, acceptor->socket);
    if (!acceptor->listener)
        return xd_fail(error, XD_BAD_VALUE, "listen", "%s cannot be listened on: %s",
                       acceptor->broker->settings->listen, strerror(errno));
    acceptor->socket = -1;
    evconnlistener_set_error_cb(acceptor->listener, on_error);
    return true;
}

void xd_acceptor_address(const struct xd_acceptor *acceptor, char out[static XD_ADDRESS_TEXT])
{
    char host[64], port[8];
    if (getnameinfo((const struct sockaddr *)&acceptor->address, acceptor->address_len, host, sizeof(host),
                    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        snprintf(out, XD_ADDRESS_TEXT, "?");
        return;
    }
    bool brackets = acceptor->address.ss_family == AF_INET6;
    snprintf(out, XD_ADDRESS_TEXT, "%s%s%s:%s", brackets ? "[" : "", host, brackets ? "]" : "", port);
}

void xd_acceptor_close(struct xd_acceptor *acceptor)
{
    if (!acceptor) return;
    if (acceptor->listener) evconnlistener_free(acceptor->listener);
    if (acceptor->socket >= 0) close(acceptor->socket);
    event_free(acceptor->pause);
    free(acceptor);
}

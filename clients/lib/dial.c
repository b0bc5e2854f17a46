#include "clients/lib/dial.h"

#include "clients/lib/deadline.h"
#include "clients/lib/failure.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* 0, or the errno that a connect under way has ended with. */
static int finish_connect(int fd, int64_t deadline)
{
    struct pollfd waited = {.fd = fd, .events = POLLOUT};
    int ready;
    do {
        ready = poll(&waited, 1, xd_deadline_left(deadline));
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) return ready < 0 ? errno : ETIMEDOUT;

    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

/* A connected socket, or -1 and errno in *why. */
static int connect_to(const struct addrinfo *address, int64_t deadline, int *why)
{
    int fd =
        socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address->ai_protocol);
    if (fd < 0) {
        *why = errno;
        return -1;
    }
    *why = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (*why == EINPROGRESS || *why == EINTR) *why = finish_connect(fd, deadline);
    if (*why == 0) return fd;
    close(fd);
    return -1;
}

/* Calls are small and answers awaited, so nothing may wait for more to send; a peer that vanished must be
 * noticed. */
static void tune(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

int xd_dial(const struct xd_url *url, int64_t deadline, xd_client_error *error)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int failed = getaddrinfo(url->host, url->port, &hints, &found);
    if (failed) {
        xd_client_fail(error, "connection", "%s: %s", url->host, gai_strerror(failed));
        return -1;
    }

    int fd = -1;
    int why = ECONNREFUSED;
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
        fd = connect_to(at, deadline, &why);
    freeaddrinfo(found);
    if (fd < 0)
        xd_client_fail(error, why == ETIMEDOUT ? "timeout" : "connection", "%s port %s: %s", url->host,
                       url->port, strerror(why));
    else
        tune(fd);
    return fd;
}

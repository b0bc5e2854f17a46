#include "clients/lib/failure.h"
#include "clients/lib/transport.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum xd_io plain_handshake(struct xd_transport *transport, xd_client_error *why)
{
    (void)transport, (void)why;
    return XD_IO_DONE;
}

static enum xd_io failed(xd_client_error *why)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return XD_IO_AGAIN;
    xd_client_fail(why, "connection", "%s", strerror(errno));
    return XD_IO_FAILED;
}

static enum xd_io plain_read(struct xd_transport *transport, void *to, size_t room, size_t *n,
                             xd_client_error *why)
{
    ssize_t got = recv(transport->fd, to, room, 0);
    if (got < 0) return failed(why);
    *n = (size_t)got;
    return got > 0 ? XD_IO_DONE : XD_IO_CLOSED;
}

static enum xd_io plain_write(struct xd_transport *transport, const void *bytes, size_t len, size_t *n,
                              xd_client_error *why)
{
    ssize_t sent = send(transport->fd, bytes, len, MSG_NOSIGNAL);
    if (sent < 0) return failed(why);
    *n = (size_t)sent;
    return XD_IO_DONE;
}

static void plain_close(struct xd_transport *transport)
{
    close(transport->fd);
    transport->fd = -1;
}

static const struct xd_transport_ops plain = {plain_handshake, plain_read, plain_write, plain_close};

void xd_transport_plain(struct xd_transport *transport, int fd)
{
    *transport = (struct xd_transport){.ops = &plain, .fd = fd, .read_waits = POLLIN, .write_waits = POLLOUT};
}

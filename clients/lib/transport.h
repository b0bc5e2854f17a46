/* A connected stream of bytes. Plain and TLS are one table of operations; nothing above asks which one it
 * is. */
#ifndef XD_CLIENTS_LIB_TRANSPORT_H
#define XD_CLIENTS_LIB_TRANSPORT_H

#include "clients/lib/url.h"

enum xd_io {
    XD_IO_DONE,   /* something was done; *n bytes */
    XD_IO_AGAIN,  /* wait as read_waits or write_waits says, then do the same again */
    XD_IO_CLOSED, /* the other side has ended the stream */
    XD_IO_FAILED, /* *why says what happened */
};

struct xd_transport;

struct xd_transport_ops {
    /* To be called until it does not say AGAIN (waiting as read_waits says), before any read or write. */
    enum xd_io (*handshake)(struct xd_transport *transport, xd_client_error *why);
    enum xd_io (*read)(struct xd_transport *transport, void *to, size_t room, size_t *n,
                       xd_client_error *why);
    enum xd_io (*write)(struct xd_transport *transport, const void *bytes, size_t len, size_t *n,
                        xd_client_error *why);
    void (*close)(struct xd_transport *transport);
};

struct xd_tls;

struct xd_transport {
    const struct xd_transport_ops *ops;
    int fd;
    short read_waits; /* POLLIN or POLLOUT: TLS may have to write before it can read, and read before it can
                         write */
    short write_waits;
    struct xd_tls *tls; /* NULL for plain */
};

/* Each takes over the connected, non-blocking socket `fd` where it succeeds. */
void xd_transport_plain(struct xd_transport *transport, int fd);
bool xd_transport_tls(struct xd_transport *transport, int fd, const struct xd_url *url,
                      const xd_client_options *options, xd_client_error *error);

#endif

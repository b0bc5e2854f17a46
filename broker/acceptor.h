/* The listening socket: bound early, so that an address in use is found out at once; listened on when the
 * broker can serve. */
#ifndef XD_BROKER_ACCEPTOR_H
#define XD_BROKER_ACCEPTOR_H

#include "broker/broker.h"

enum { XD_ADDRESS_TEXT = 80 };

struct xd_acceptor;

/* Binds the settings' address. NULL and *error if it cannot be. */
struct xd_acceptor *xd_acceptor_bind(struct xd_broker *broker, struct xd_error *error);

/* Accepts connections from now on. */
bool xd_acceptor_listen(struct xd_acceptor *acceptor, struct xd_error *error);

/* The address with the port that it really is, "127.0.0.1:7400". */
void xd_acceptor_address(const struct xd_acceptor *acceptor, char out[static XD_ADDRESS_TEXT]);

/* A session has gone: there may be room for another. */
void xd_acceptor_room(struct xd_acceptor *acceptor);

/* Stops accepting, closes the socket, frees. NULL is allowed. */
void xd_acceptor_close(struct xd_acceptor *acceptor);

#endif

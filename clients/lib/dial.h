/* From a URL to a connected socket. */
#ifndef XD_CLIENTS_LIB_DIAL_H
#define XD_CLIENTS_LIB_DIAL_H

#include "clients/lib/url.h"

/* Connects to the first of the host's addresses that answers before the deadline. Returns a non-blocking
 * socket, or -1 and *error (code "connection" or "timeout"). Looking up a name takes as long as the system's
 * resolver does. */
int xd_dial(const struct xd_url *url, int64_t deadline, xd_client_error *error);

#endif

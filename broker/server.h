/* A whole broker, put together and taken apart.
 *
 *      start: ledger opened -> engine rebuilt -> listening, "ready"
 *      drain: no new connections, every client told -> answers under way sent -> connections closed ->
 * snapshot -> stopped
 */
#ifndef XD_BROKER_SERVER_H
#define XD_BROKER_SERVER_H

#include "program/settings.h"
#include "core/error.h"
#include "core/log.h"

struct event_base;
struct xd_server;

/* Opens everything and begins to rebuild the engine; it listens once that is done. `stopped` is called from
 * the event loop, once: when a drain has ended (`well`), or when it cannot go on; then the server is to be
 * destroyed, from outside any of its callbacks. NULL and *error if it cannot be started. Settings, log and
 * base outlive the server. */
struct xd_server *xd_server_start(const struct xd_settings *settings, const struct xd_log *log,
                                  struct event_base *base, void (*stopped)(void *arg, bool well), void *arg,
                                  struct xd_error *error);

/* Ends it in good order, within the settings' drain time-out and what the disk takes. A second call does
 * nothing. */
void xd_server_drain(struct xd_server *server);

/* Stores what is under way, closes the ledger, frees. NULL is allowed. */
void xd_server_destroy(struct xd_server *server);

#endif

/* The calls that wait for an answer, by msgid.
 *
 * Ids are given out in sequence, so a ring indexed by the id's low bits is a hash without collisions, but for
 * a call that waits longer than a whole turn of the ring. Then the ring doubles, or, while less than half of
 * it is used, the id is passed over. */
#ifndef XD_CLIENTS_LIB_CALLS_H
#define XD_CLIENTS_LIB_CALLS_H

#include "clients/include/crossdock.h"

enum { XD_CALLS_MAX = 1 << 20 };

struct xd_call {
    uint32_t id;
    bool waiting;
    xd_client_reply_fn *callback; /* NULL: the answer is not wanted any more */
    void *arg;
};

struct xd_calls {
    struct xd_call *ring;
    uint32_t size; /* a power of two, or 0 */
    uint32_t count;
    uint32_t next_id;
};

/* False at XD_CALLS_MAX calls or without memory. */
bool xd_calls_add(struct xd_calls *calls, xd_client_reply_fn *callback, void *arg, uint32_t *id);

/* The call that waits under `id`, or NULL. It stays where it is until xd_calls_remove or the next
 * xd_calls_add. */
struct xd_call *xd_calls_find(struct xd_calls *calls, uint32_t id);
void xd_calls_remove(struct xd_calls *calls, struct xd_call *call);

/* Removes all, each one before it is handed to `each`, by and large the longest waiting first. `each` adds
 * none. */
void xd_calls_drain(struct xd_calls *calls, void (*each)(void *arg, const struct xd_call *call), void *arg);

void xd_calls_free(struct xd_calls *calls);

#endif

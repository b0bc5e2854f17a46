/* Matching across the borders of partitions, as its own files see it: docs/CLUSTER.md is the protocol.
 *
 *      home of a spread order (P)                  a partition of its cover (Q)
 *        spread.c   announces, gathers, decides      ghost.c   the copy in the book, rounds of claims
 *        image.c    the natives that claims bring    native.c  what is put aside, and mirrors of matches
 *                          peer.c  sessions, numbers, messages
 *
 * All of it hangs on engine->border, NULL where there is one partition only. */
#ifndef XD_MATCHER_BORDER_H
#define XD_MATCHER_BORDER_H

#include "core/claim.h"
#include "matcher/state.h"

struct xd_peer {
    uint32_t gen; /* of the other partition, as far as it is known */
    uint64_t sent, seen;
};

struct xd_border {
    struct xd_layout layout;
    uint16_t first;      /* partition of this kind: that of range 0 */
    uint16_t own;        /* range */
    uint32_t generation; /* of this partition */
    struct xd_peer peers[XD_RANGES_MAX];
};

/* border.c */
bool xd_border_create(struct xd_engine *engine);
void xd_border_free(struct xd_engine *engine);

/* peer.c */

/* The range of a partition of this kind, or -1. */
int xd_peer_range(const struct xd_border *border, uint64_t partition);
/* Whether a message is the next of its session: it counts as seen then. */
bool xd_peer_take(struct xd_border *border, const struct xd_message_head *head);
/* Sends a record to a range: gives it its head and appends it to the output. */
void xd_peer_send(struct xd_engine *engine, unsigned range, struct xd_record *message);

#endif

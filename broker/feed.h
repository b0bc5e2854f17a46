/* Feeds: who gets which events, and how a subscriber that fell behind catches up.
 *
 *               subscribe "now"
 *                     |                 output above the high mark
 *                   LIVE ---------------------------------------------> BEHIND <-- subscribe from the start
 * or a cursor ^                                                   |
 *                     `--- at the head <--- reads runs of its events, <---'
 *                                           one whenever its output is below the low mark
 *
 * A live subscriber is handed events as the ledger tells them; one that is behind gets them from the ledger's
 * store, from where it stands, until nothing lies between it and the head, in each partition by itself. So
 * there is neither gap nor reordering, and what waits in memory for a slow reader is bounded. */
#ifndef XD_BROKER_FEED_H
#define XD_BROKER_FEED_H

#include "broker/broker.h"
#include "core/cursor.h"

/* How far a subscriber has come in one partition: events before `at.next` were handed over. */
struct xd_feed_place {
    struct xd_position at;
    bool live;
};

/* A session's place in the feed; zero: none. Private to feed.c but for `attached`. */
struct xd_subscriber {
    bool attached;
    bool reading;                 /* a run of partition `turn` has been asked for */
    uint16_t turn;                /* partition to catch up with next */
    uint16_t behind;              /* places that are not live */
    struct xd_feed_place *places; /* of each partition */
    struct xd_session *session;
    struct xd_subscriber *after, **self; /* others of the same bucket */
};

/* Follows the ledger's events from now on. `accounts` is about how many subscribers there will be at most.
 * NULL without memory. */
struct xd_feed *xd_feed_create(struct xd_broker *broker, size_t accounts);

/* No subscriber is left. The ledger tells nothing any more. */
void xd_feed_destroy(struct xd_feed *feed);

/* The session's account ("*": everybody) gets its events from `at` (of each partition) on. False without
 * memory. */
bool xd_feed_attach(struct xd_feed *feed, struct xd_session *session, const struct xd_position *at);

/* Does nothing where it is not attached. */
void xd_feed_detach(struct xd_feed *feed, struct xd_subscriber *subscriber);

/* The session's output has fallen to the low mark. */
void xd_feed_drained(struct xd_feed *feed, struct xd_subscriber *subscriber);

#endif

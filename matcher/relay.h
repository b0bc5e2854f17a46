/* The relay of one partition: what it has written into its outbox goes, in order, into the logs of the
 * partitions that it is for (docs/CLUSTER.md, Outbox and relay). Pure decisions: messages, answers and times
 * are told to it, it says what is to be sent. It touches no socket and no clock, so that the simulation runs
 * exactly this.
 *
 * To each receiver it begins behind what the receiver's owner has committed (`seen`), as it was read; begins
 * again there after an append that failed, and when `seen` has not moved for XD_RELAY_STUCK_MS with messages
 * outstanding (twice as long after each time that was in vain, up to XD_RELAY_STUCK_MAX_MS: a receiver
 * without an owner is not flooded, nor does it get more than XD_RELAY_AHEAD beyond what it has seen). A
 * message is kept until it was seen. So each is appended at least once and in order; the receiver's engine
 * drops what comes twice. */
#ifndef XD_MATCHER_RELAY_H
#define XD_MATCHER_RELAY_H

#include "core/output.h"

enum {
    XD_RELAY_STUCK_MS = 2000,
    XD_RELAY_STUCK_MAX_MS = 32000,
    XD_RELAY_LOOK_MS = 100,
    XD_RELAY_WINDOW = 256, /* without an answer */
    XD_RELAY_AHEAD = 1024  /* not seen */
};

struct xd_relay;

enum xd_relay_step_type {
    XD_RELAY_LOOK, /* read what `to` has seen; answered by xd_relay_seen */
    XD_RELAY_SEND, /* append `bytes` to the log of `to`; answered by xd_relay_sent. The answers to several
                      sends to one receiver come in their order */
    XD_RELAY_TRIM, /* the outbox up to and with entry `number` is not needed any more; not answered */
};

struct xd_relay_step {
    enum xd_relay_step_type type;
    uint16_t to;
    uint64_t number;      /* of the message in the outbox */
    const uint8_t *bytes; /* lives until the relay is next called */
    size_t len;
};

/* For partition `from`; messages go to the partitions first..first+count-1. Keeps at most `limit` bytes. NULL
 * without memory. */
struct xd_relay *xd_relay_create(uint16_t from, uint16_t first, uint32_t count, size_t limit);
void xd_relay_destroy(struct xd_relay *relay);

/* A message has been written into the outbox for good, as its entry `number` (they rise). In the order in
 * which they were written: at first what an owner before left, then those of one's own commits. False: it is
 * to no such partition, or does not fit: then the relay is to be thrown away and made again from the outbox.
 */
bool xd_relay_add(struct xd_relay *relay, uint64_t number, const struct xd_message *message,
                  struct xd_str bytes);

/* What partition `to` has seen of this one. `known`: it could be read. */
void xd_relay_seen(struct xd_relay *relay, uint16_t to, bool known, struct xd_heard seen, int64_t now_ms);

/* The oldest append to `to` that has no answer is stored, or it is not known whether it is. */
void xd_relay_sent(struct xd_relay *relay, uint16_t to, bool stored, int64_t now_ms);

/* The next thing to be done at `now_ms` (any clock that does not go back); false when there is nothing now.
 */
bool xd_relay_next(struct xd_relay *relay, int64_t now_ms, struct xd_relay_step *step);

/* When to ask again though nothing was told meanwhile; INT64_MAX: not needed. */
int64_t xd_relay_due_ms(const struct xd_relay *relay, int64_t now_ms);

/* Bytes of messages that were not seen. */
size_t xd_relay_backlog(const struct xd_relay *relay);

#endif

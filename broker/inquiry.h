/* Questions that change nothing, asked of whoever has the engine of a partition: this process, or in a
 * cluster the partition's owner, over the cluster's channels (docs/CLUSTER.md, Questions). */
#ifndef XD_BROKER_INQUIRY_H
#define XD_BROKER_INQUIRY_H

#include "broker/broker.h"
#include "matcher/question.h"

enum { XD_INQUIRY_MS = 1000 };

struct xd_inquiries;

/* In a cluster it listens for answers. NULL without memory. */
struct xd_inquiries *xd_inquiries_create(struct xd_broker *broker);

/* Nobody waits for an answer any more. NULL is allowed. To be called before the cluster is closed and after
 * the ledger was. */
void xd_inquiries_destroy(struct xd_inquiries *inquiries);

/* The answer, once what it was read from is durable; or error->code is not XD_OK (XD_NO_OWNER: nobody owns
 * the partition, or nobody answered within XD_INQUIRY_MS). `value` lives until the callback returns. */
typedef void xd_inquiry_cb(void *arg, const struct xd_error *error, struct xd_str value);

/* The callback comes exactly once, never from within the call. False without memory: it does not come. */
bool xd_inquire(struct xd_broker *broker, uint16_t partition, const struct xd_question *question,
                xd_inquiry_cb *callback, void *arg);

#endif

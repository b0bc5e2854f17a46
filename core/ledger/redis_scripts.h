/* What runs inside Redis. Each script checks all there is to check before it writes anything, and touches the
 * keys of one partition (or of one account) only.
 *
 * The keys of partition 7, all under the hash tag {p7}:
 *
 *   xd:{p7}:state     hash: epoch, nonce, records, last (ms of the last record), committed, events, orders,
 *                     generation, line (the generation and where it began), replid, synced, place (of the
 *                     server that was checked last), a:PROCESS (the last entry that it appended), posted
 *                     and trimmed (bytes that ever came into the outbox, and that left it), ...
 *   xd:{p7}:log       stream: an entry carries a batch of records. Its id is <ms>-<offset of the first>: n, b
 *   xd:{p7}:out       stream: an entry carries a commit. Its id is <events after it>-<records after it>:
 *                     p, f, t, o, c, b, g (the line), r (refusals)
 *   xd:{p7}:outbox    stream: an entry carries the messages of a commit. Its id is <records after it>-0:
 *                     m, a (posted before it)
 *   xd:{p7}:seen      hash: partition -> the last message of it that was applied
 *   xd:{p7}:lease     string that expires: the process that works on the partition
 *   xd:{p7}:marks:N   string: 32 bits of each event from 65536 N on, by which an account's are found
 *   xd:{p7}:s:N:I     string: piece I of snapshot N
 *
 * The keys of an account, under its own tag: xd:{NAME}:r:REF (the order's id and digest) and
 * xd:{NAME}:cursors. */
#ifndef XD_CORE_LEDGER_REDIS_SCRIPTS_H
#define XD_CORE_LEDGER_REDIS_SCRIPTS_H

#include "core/redis/redis.h"

struct xd_redis_scripts {
    struct xd_redis_script init;   /* a partition that is not there yet */
    struct xd_redis_script check;  /* may writes have been lost? A new generation if so */
    /* CHANGED, where the partition is to be checked first: */
    struct xd_redis_script append; /* once, however often it is sent */
    struct xd_redis_script commit; /* fenced */
    struct xd_redis_script acquire;
    struct xd_redis_script save_snapshot; /* makes it the newest, and trims the log before it */
    struct xd_redis_script count;         /* takes numbers that nobody else gets */
    struct xd_redis_script trim_outbox;
    struct xd_redis_script look; /* and nothing else */
    /* In any case: */
    struct xd_redis_script renew, release;
    struct xd_redis_script read_log, read_events;
    struct xd_redis_script trim_events;
    struct xd_redis_script free_ref;
};

void xd_redis_scripts_init(struct xd_redis_scripts *scripts);

#endif

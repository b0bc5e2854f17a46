/* Redis, wherever its keys are: one server, the master that sentinels name, or the nodes of a Redis Cluster.
 * A command is sent to whoever has the slot of its keys; MOVED and ASK are followed, a script that the server
 * has not seen (NOSCRIPT) is sent whole.
 *
 * Connections are made when they are first used and again when they have broken, with growing pauses up to a
 * second. Each is for one `lane` of one server, so that what blocks or is long does not hold up what is
 * short.
 *
 * The contract of callbacks is that of link.h: an error return means that the callback never fires; else it
 * fires exactly once, never from within the call, with the answer, or with NULL when the connection broke or
 * the server could not be had (then nobody knows whether the command was carried out). */
#ifndef XD_CORE_REDIS_REDIS_H
#define XD_CORE_REDIS_REDIS_H

#include "core/redis/link.h"

struct xd_redis;

/* Lanes above these block, for up to XD_REDIS_BLOCK_MS. */
enum { XD_REDIS_WRITES, XD_REDIS_READS, XD_REDIS_BLOCKING, XD_REDIS_LANES = XD_REDIS_BLOCKING + 3 * 192 };
enum { XD_REDIS_BLOCK_MS = 2000 };

struct xd_redis_options {
    struct xd_redis_url url;
    const char *tls_ca, *tls_cert, *tls_key; /* PEM files, or NULL; only read when the URL says TLS */
    uint32_t timeout_ms;                     /* to connect, and to answer */
    size_t limit;                            /* bytes without an answer on one connection */
    void (*ready)(void *arg); /* a connection has been made: what was refused may be tried again */
    void *arg;
};

/* A script and the name that Redis knows it by. */
struct xd_redis_script {
    const char *source;
    char sha1[41];
};

/* Fills in the name. */
void xd_redis_script_init(struct xd_redis_script *script, const char *source);

struct xd_redis_call {
    uint32_t lane;
    uint16_t slot;                        /* of its keys (slot.h) */
    const struct xd_redis_script *script; /* NULL, or: argv begins with the number of keys */
    int argc;
    const char **argv;
    const size_t *argvlen;
    uint32_t replicas; /* not 0: WAIT for so many, on the same connection right behind the command */
    uint32_t wait_ms;  /* for so long; in a lane that does not block 20 ms at most where the last wait was in
                        * vain, so that they do not add up */
};

/* `replicas`: how many had what was written, where the call asked to wait; else 0. *reply as in link.h. */
typedef void xd_redis_cb(void *arg, redisReply **reply, int64_t replicas);

/* NULL and *error: a TLS file cannot be used, no memory. Connects to nothing yet. */
struct xd_redis *xd_redis_create(struct event_base *base, const struct xd_redis_options *options,
                                 struct xd_error *error);

/* XD_OK; XD_STORAGE_FAILED (the server cannot be had at present; `ready` tells when to try again),
 * XD_OVERLOADED, XD_NO_MEMORY. */
enum xd_code xd_redis_send(struct xd_redis *redis, const struct xd_redis_call *call, xd_redis_cb *callback,
                           void *arg);

/* Gives up the connection of a lane that serves `slot`; what is outstanding on it is called back with NULL.
 */
void xd_redis_drop(struct xd_redis *redis, uint32_t lane, uint16_t slot);

/* How many servers share the keys, as far as is known: more than one in a Redis Cluster. */
uint32_t xd_redis_servers(const struct xd_redis *redis);

/* "HOST:PORT" of the master that sentinels name, by which they know it again; "" where there are none. */
enum { XD_REDIS_PLACE_MAX = XD_REDIS_HOST_MAX + 8 };
void xd_redis_place(const struct xd_redis *redis, char out[static XD_REDIS_PLACE_MAX]);

/* Why the last connection broke, in words; "" if none has. */
const char *xd_redis_trouble(const struct xd_redis *redis);

/* What an answer means for whoever wanted something stored: XD_OK; XD_STORAGE_FULL (Redis' memory or disk);
 * XD_STORAGE_FAILED (any other error, and no answer). */
enum xd_code xd_redis_code(const redisReply *reply);

/* Calls outstanding callbacks with NULL, and frees. Not from within a callback. */
void xd_redis_free(struct xd_redis *redis);

#endif

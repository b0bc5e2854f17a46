/* One connection to one Redis server, over TCP or TLS alike: commands go out pipelined, answers come back in
 * order.
 *
 *      CONNECTING -> GREETING (AUTH, SELECT) -> READY -> down
 *
 * A link that is down stays down; whoever made it makes another. The contract of callbacks:
 *  1. An error return of xd_redis_link_send means that the callback never fires.
 *  2. Else it fires exactly once, never from within the call: with the answer, or with NULL when the link
 * went down first (then nobody knows whether the command was carried out).
 *  3. `down` comes once, after every outstanding callback was called with NULL; the link is gone then. It
 * does not come for a link that was closed.
 *  4. Any of them may send and may close the link. */
#ifndef XD_CORE_REDIS_LINK_H
#define XD_CORE_REDIS_LINK_H

#include "core/redis/url.h"

#include <hiredis/hiredis.h>
#include <openssl/types.h>

struct event_base;
struct evdns_base;
struct xd_redis_link;

struct xd_redis_link_config {
    struct event_base *base;
    struct evdns_base *dns;
    SSL_CTX *tls;         /* NULL: plain */
    const char *user;     /* "": the default user */
    const char *password; /* "": none is sent */
    uint32_t db;
    bool master_only;    /* a server that is no master is as good as none */
    uint32_t timeout_ms; /* to connect and greet, and until anything of the oldest command's answer comes */
    size_t limit;        /* bytes of commands without an answer, before XD_OVERLOADED */
};

/* `ready`: commands may be sent. `down`: the link is gone; `why` says in words what happened. `push`: what came though no
 * command waits for an answer, on a link that listens (xd_redis_link_listen); may be NULL. */
struct xd_redis_link_events {
    void (*ready)(void *arg);
    void (*down)(void *arg, const char *why);
    void (*push)(void *arg, const redisReply *reply);
    void *arg;
};

/* The answer belongs to the link, and is freed after the call; a callback that wants to keep it sets *reply
 * to NULL and calls freeReplyObject itself. *reply is NULL when there was none. */
typedef void xd_redis_reply_cb(void *arg, redisReply **reply);

/* Begins to connect. `patience_ms`: longer than timeout_ms that a command may take (those that block).
 * Config's strings outlive the link. NULL without memory. */
struct xd_redis_link *xd_redis_link_open(const struct xd_redis_link_config *config,
                                         const struct xd_redis_host *host, uint32_t patience_ms,
                                         const struct xd_redis_link_events *events);

bool xd_redis_link_ready(const struct xd_redis_link *link);

/* Sends one command in Redis' protocol (redisFormatCommandArgv). XD_OK; or XD_STORAGE_FAILED (not ready),
 * XD_OVERLOADED, XD_NO_MEMORY. */
enum xd_code xd_redis_link_send(struct xd_redis_link *link, const char *command, size_t len,
                                xd_redis_reply_cb *callback, void *arg);

/* Sends a command whose answers, and all that follows unasked, go to `push` (SUBSCRIBE and what is allowed after it). From then on
 * xd_redis_link_send is not to be used. Codes as above. */
enum xd_code xd_redis_link_listen(struct xd_redis_link *link, const char *command, size_t len);

/* Ends the connection: outstanding callbacks are called with NULL, `down` is not. */
void xd_redis_link_close(struct xd_redis_link *link);

#endif

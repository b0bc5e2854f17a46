/* The inside of redis.h.
 *
 *   redis.c     requests: sent, redirected, answered
 *   servers.c   servers and the connections to them
 *   cluster.c   the map from slots to servers
 *   sentinel.c  who the master is
 *   channels.c  what is published, heard (channels.h) */
#ifndef XD_CORE_REDIS_ROUTER_H
#define XD_CORE_REDIS_ROUTER_H

#include "core/redis/redis.h"
#include "core/redis/slot.h"

#include <openssl/types.h>

enum { XD_REDIS_SERVERS_MAX = 64 };

/* One call on its way; its command is kept, for it may have to be sent again elsewhere. */
struct xd_request {
    struct xd_request *next; /* among those that wait for a connection */
    struct xd_redis *redis;
    const struct xd_redis_script *script;
    xd_redis_cb *callback;
    void *arg;
    redisReply *reply; /* kept until WAIT's has come */
    uint32_t lane;
    uint32_t replicas, wait_ms;
    uint16_t slot;
    uint8_t hops;
    bool asking;
    size_t len;
    size_t tail; /* where a script's arguments begin */
    char command[];
};

struct xd_lane {
    struct xd_server *server;
    struct xd_redis_link *link;
    struct xd_request *first, *last; /* wait until it is ready; last only where there is first */
    size_t waiting;                  /* bytes of them */
    uint32_t pause_ms;
    int64_t closed_until_ms;
};

struct xd_server {
    struct xd_redis *redis;
    struct xd_redis_host host;
    bool lacks_replicas; /* the last WAIT was in vain: the next ones are short, until one is not */
    struct xd_lane lanes[XD_REDIS_LANES];
};

struct xd_redis {
    struct event_base *base;
    struct evdns_base *dns;
    struct xd_redis_options options;
    struct xd_redis_url url;
    SSL_CTX *tls;
    bool freeing;
    char trouble[200];

    struct xd_server *servers[XD_REDIS_SERVERS_MAX];
    uint32_t server_count;
    uint8_t slots[XD_REDIS_SLOTS]; /* index into servers; 0 (the seed, or the master) until known better */

    bool mapping; /* the slots are being asked for */
    int64_t mapped_ms;
    uint32_t map_from; /* server that was asked last */

    struct xd_redis_link *sentinel;
    struct event *sentinel_timer;
    uint32_t sentinel_index;
    bool master_known;
};

int64_t xd_redis_monotonic_ms(void);

/* servers.c: the index of a server, made if it is new; -1 when there are too many or no memory. */
int xd_servers_find(struct xd_redis *redis, const struct xd_redis_host *host);

/* Sends the request over its lane of a server, now or once connected. An error: it was not taken. */
enum xd_code xd_servers_send(struct xd_redis *redis, uint32_t server, struct xd_request *request);

/* How connections are made. */
struct xd_redis_link_config xd_servers_config(const struct xd_redis *redis);

/* Ends all connections to a server. */
void xd_servers_close(struct xd_redis *redis, uint32_t server);
void xd_servers_close_lane(struct xd_lane *lane);
void xd_servers_note(struct xd_redis *redis, const struct xd_redis_host *host, const char *why);

/* redis.c: writes the request to a link that is ready; gives up a request. */
enum xd_code xd_request_write(struct xd_request *request, struct xd_redis_link *link);
void xd_request_end(struct xd_request *request, redisReply **reply, int64_t replicas);

/* cluster.c: asks a server for the map of slots, unless that was just done. */
void xd_cluster_map(struct xd_redis *redis);

/* sentinel.c */
bool xd_sentinel_start(struct xd_redis *redis);
void xd_sentinel_stop(struct xd_redis *redis);

/* Ask again now: the master has gone, or is none any more. */
void xd_sentinel_doubt(struct xd_redis *redis);

#endif

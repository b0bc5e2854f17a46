#include "core/redis/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 10, LONGEST_PAUSE_MS = 1000 };

int64_t xd_redis_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void xd_servers_note(struct xd_redis *redis, const struct xd_redis_host *host, const char *why)
{
    snprintf(redis->trouble, sizeof redis->trouble, "%.100s port %u: %.80s", host->name, (unsigned)host->port,
             why);
}

int xd_servers_find(struct xd_redis *redis, const struct xd_redis_host *host)
{
    for (uint32_t i = 0; i < redis->server_count; i++) {
        const struct xd_redis_host *known = &redis->servers[i]->host;
        if (known->port == host->port && strcmp(known->name, host->name) == 0) return (int)i;
    }
    struct xd_server *server = redis->server_count < XD_REDIS_SERVERS_MAX ? calloc(1, sizeof *server) : NULL;
    if (!server) return -1;
    server->redis = redis;
    server->host = *host;
    for (int i = 0; i < XD_REDIS_LANES; i++)
        server->lanes[i].server = server;
    redis->servers[redis->server_count] = server;
    return (int)redis->server_count++;
}

/* The requests that wait are given back, all unlinked first: their callbacks may send new ones. */
static void give_up_waiting(struct xd_lane *lane)
{
    struct xd_request *request = lane->first;
    lane->first = NULL;
    lane->waiting = 0;
    while (request) {
        struct xd_request *next = request->next;
        redisReply *none = NULL;
        xd_request_end(request, &none, 0);
        request = next;
    }
}

static void on_ready(void *arg)
{
    struct xd_lane *lane = arg;
    struct xd_redis *redis = lane->server->redis;
    struct xd_request *request = lane->first;
    lane->first = NULL;
    lane->waiting = 0;
    lane->pause_ms = 0;
    while (request) {
        struct xd_request *next = request->next;
        redisReply *none = NULL;
        if (xd_request_write(request, lane->link) != XD_OK) xd_request_end(request, &none, 0);
        request = next;
    }
    if (redis->options.ready) redis->options.ready(redis->options.arg);
}

static void on_down(void *arg, const char *why)
{
    struct xd_lane *lane = arg;
    struct xd_redis *redis = lane->server->redis;
    lane->link = NULL;
    lane->pause_ms = lane->pause_ms == 0 ? FIRST_PAUSE_MS : lane->pause_ms * 2;
    if (lane->pause_ms > LONGEST_PAUSE_MS) lane->pause_ms = LONGEST_PAUSE_MS;
    lane->closed_until_ms = xd_redis_monotonic_ms() + lane->pause_ms;
    xd_servers_note(redis, &lane->server->host, why);
    give_up_waiting(lane);
    if (redis->url.sentinel)
        xd_sentinel_doubt(redis);
    else if (redis->server_count > 1)
        xd_cluster_map(redis);
}

struct xd_redis_link_config xd_servers_config(const struct xd_redis *redis)
{
    return (struct xd_redis_link_config){.base = redis->base,
                                         .dns = redis->dns,
                                         .tls = redis->tls,
                                         .user = redis->url.user,
                                         .password = redis->url.password,
                                         .db = redis->url.db,
                                         .master_only = redis->url.sentinel,
                                         .timeout_ms = redis->options.timeout_ms,
                                         .limit = redis->options.limit};
}

static bool open_link(struct xd_redis *redis, struct xd_lane *lane, uint32_t number)
{
    const struct xd_redis_link_config config = xd_servers_config(redis);
    const struct xd_redis_link_events events = {.ready = on_ready, .down = on_down, .arg = lane};
    uint32_t patience_ms = number >= XD_REDIS_BLOCKING ? XD_REDIS_BLOCK_MS : 0;
    lane->link = xd_redis_link_open(&config, &lane->server->host, patience_ms, &events);
    return lane->link != NULL;
}

enum xd_code xd_servers_send(struct xd_redis *redis, uint32_t server, struct xd_request *request)
{
    struct xd_lane *lane = &redis->servers[server]->lanes[request->lane];
    if (redis->freeing || (redis->url.sentinel && !redis->master_known)) return XD_STORAGE_FAILED;
    if (lane->link && xd_redis_link_ready(lane->link)) return xd_request_write(request, lane->link);
    if (!lane->link) {
        if (xd_redis_monotonic_ms() < lane->closed_until_ms) return XD_STORAGE_FAILED;
        if (!open_link(redis, lane, request->lane)) return XD_NO_MEMORY;
    }
    if (lane->waiting > 0 && lane->waiting + request->len > redis->options.limit) return XD_OVERLOADED;
    lane->waiting += request->len;
    request->next = NULL;
    *(lane->first ? &lane->last->next : &lane->first) = request;
    lane->last = request;
    return XD_OK;
}

void xd_servers_close_lane(struct xd_lane *lane)
{
    struct xd_redis_link *link = lane->link;
    lane->link = NULL;
    if (link) xd_redis_link_close(link);
    give_up_waiting(lane);
}

void xd_servers_close(struct xd_redis *redis, uint32_t server)
{
    for (int i = 0; i < XD_REDIS_LANES; i++)
        xd_servers_close_lane(&redis->servers[server]->lanes[i]);
}

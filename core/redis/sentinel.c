/* Who the master is: one sentinel after the other is asked each second, until one answers, and at once when a
 * connection to the master breaks. The answer of any sentinel counts; that it is a master is asked of the
 * server itself (link.c). */
#include "core/redis/router.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_EVERY_MS = 1000, ASK_SOON_MS = 50 };

static void ask_in(struct xd_redis *redis, int ms)
{
    event_add(redis->sentinel_timer, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
}

static void take_master(struct xd_redis *redis, const struct xd_redis_host *host)
{
    struct xd_server *server = redis->servers[0];
    bool same =
        redis->master_known && server->host.port == host->port && strcmp(server->host.name, host->name) == 0;
    if (same) return;
    redis->master_known = false;
    xd_servers_close(redis, 0); /* what was sent to the former one has no answer */
    for (int i = 0; i < XD_REDIS_LANES; i++)
        server->lanes[i].closed_until_ms = 0;
    server->host = *host;
    redis->master_known = true;
    if (redis->options.ready) redis->options.ready(redis->options.arg);
}

static void on_address(void *arg, redisReply **reply)
{
    struct xd_redis *redis = arg;
    const redisReply *pair = *reply;
    struct xd_redis_host host = {.port = 0};
    bool named = pair && pair->type == REDIS_REPLY_ARRAY && pair->elements == 2 &&
                 pair->element[0]->type == REDIS_REPLY_STRING && pair->element[0]->len <= XD_REDIS_HOST_MAX &&
                 pair->element[1]->type == REDIS_REPLY_STRING;
    if (named) {
        memcpy(host.name, pair->element[0]->str, pair->element[0]->len);
        host.port = (uint16_t)strtoul(pair->element[1]->str, NULL, 10);
        take_master(redis, &host);
    } else if (pair) {
        xd_servers_note(redis, &redis->url.hosts[redis->sentinel_index],
                        "this sentinel knows no such master");
        redis->sentinel_index = (redis->sentinel_index + 1) % redis->url.host_count;
        xd_redis_link_close(redis->sentinel);
        redis->sentinel = NULL;
    }
    if (!redis->freeing) ask_in(redis, redis->master_known ? ASK_EVERY_MS : ASK_SOON_MS);
}

static void ask(struct xd_redis *redis)
{
    const char *argv[] = {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", redis->url.master};
    char *command = NULL;
    int len = redisFormatCommandArgv(&command, 3, argv, NULL);
    if (len > 0) {
        if (xd_redis_link_send(redis->sentinel, command, (size_t)len, on_address, redis) != XD_OK)
            ask_in(redis, ASK_SOON_MS);
        redisFreeCommand(command);
    }
}

static void on_ready(void *arg)
{
    ask(arg);
}

static void on_down(void *arg, const char *why)
{
    struct xd_redis *redis = arg;
    redis->sentinel = NULL;
    xd_servers_note(redis, &redis->url.hosts[redis->sentinel_index], why);
    redis->sentinel_index = (redis->sentinel_index + 1) % redis->url.host_count;
    ask_in(redis, ASK_SOON_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct xd_redis *redis = arg;
    if (redis->sentinel) {
        if (xd_redis_link_ready(redis->sentinel)) ask(redis);
        return;
    }
    const struct xd_redis_link_config config = {.base = redis->base,
                                                .dns = redis->dns,
                                                .tls = redis->tls,
                                                .user = "",
                                                .password = "",
                                                .timeout_ms = redis->options.timeout_ms,
                                                .limit = 4096};
    const struct xd_redis_link_events events = {.ready = on_ready, .down = on_down, .arg = redis};
    redis->sentinel = xd_redis_link_open(&config, &redis->url.hosts[redis->sentinel_index], 0, &events);
    if (!redis->sentinel) ask_in(redis, ASK_EVERY_MS);
}

void xd_sentinel_doubt(struct xd_redis *redis)
{
    if (!redis->freeing) ask_in(redis, ASK_SOON_MS);
}

bool xd_sentinel_start(struct xd_redis *redis)
{
    redis->sentinel_timer = event_new(redis->base, -1, 0, on_timer, redis);
    if (!redis->sentinel_timer) return false;
    ask_in(redis, 0);
    return true;
}

void xd_sentinel_stop(struct xd_redis *redis)
{
    if (redis->sentinel) xd_redis_link_close(redis->sentinel);
    redis->sentinel = NULL;
    if (redis->sentinel_timer) event_free(redis->sentinel_timer);
    redis->sentinel_timer = NULL;
}

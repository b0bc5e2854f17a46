/* The map of slots, as CLUSTER SLOTS tells it. A MOVED corrects one slot at once; the map behind it the rest.
 */
#include "core/redis/router.h"

#include <stdlib.h>
#include <string.h>

enum { MAP_EVERY_MS = 500 };

/* One run of slots: [first, last, [host, port, ...] of the master, replicas...]. */
static void take_run(struct xd_redis *redis, const redisReply *run)
{
    if (run->type != REDIS_REPLY_ARRAY || run->elements < 3) return;
    const redisReply *first = run->element[0], *last = run->element[1], *master = run->element[2];
    if (first->type != REDIS_REPLY_INTEGER || last->type != REDIS_REPLY_INTEGER || first->integer < 0 ||
        last->integer >= XD_REDIS_SLOTS || master->type != REDIS_REPLY_ARRAY || master->elements < 2 ||
        master->element[1]->type != REDIS_REPLY_INTEGER)
        return;
    struct xd_redis_host host = {.port = (uint16_t)master->element[1]->integer};
    const redisReply *name = master->element[0];
    if (name->type == REDIS_REPLY_STRING && name->len > 0 && name->len <= XD_REDIS_HOST_MAX)
        memcpy(host.name, name->str, name->len);
    else /* the server that answers does not know its own name */
        memcpy(host.name, redis->servers[redis->map_from]->host.name, sizeof host.name);
    int server = xd_servers_find(redis, &host);
    for (long long slot = first->integer; server >= 0 && slot <= last->integer; slot++)
        redis->slots[slot] = (uint8_t)server;
}

static void on_map(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct xd_redis *redis = arg;
    redis->mapping = false;
    if (!*reply || (*reply)->type != REDIS_REPLY_ARRAY) return;
    for (size_t i = 0; i < (*reply)->elements; i++)
        take_run(redis, (*reply)->element[i]);
}

void xd_cluster_map(struct xd_redis *redis)
{
    static const char command[] = "*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n";
    int64_t now = xd_redis_monotonic_ms();
    if (redis->mapping || redis->freeing || now - redis->mapped_ms < MAP_EVERY_MS) return;
    struct xd_request *request = malloc(sizeof *request + sizeof command);
    if (!request) return;
    redis->mapped_ms = now;
    redis->map_from = (redis->map_from + 1) % redis->server_count;
    *request = (struct xd_request){
        .redis = redis, .callback = on_map, .arg = redis, .lane = XD_REDIS_READS, .len = sizeof command - 1};
    memcpy(request->command, command, sizeof command);
    redis->mapping = xd_servers_send(redis, redis->map_from, request) == XD_OK;
    if (!redis->mapping) free(request);
}

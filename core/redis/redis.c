#include "core/redis/router.h"

#include "core/redis/tls.h"

#include <event2/dns.h>
#include <event2/event.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOPS_MAX = 8, HEAD_MAX = 96, VAIN_WAIT_MS = 20 };

void xd_redis_script_init(struct xd_redis_script *script, const char *source)
{
    unsigned char digest[SHA_DIGEST_LENGTH];
    script->source = source;
    SHA1((const unsigned char *)source, strlen(source), digest);
    for (int i = 0; i < SHA_DIGEST_LENGTH; i++)
        snprintf(script->sha1 + 2 * i, 3, "%02x", digest[i]);
}

enum xd_code xd_redis_code(const redisReply *reply)
{
    if (!reply) return XD_STORAGE_FAILED;
    if (reply->type != REDIS_REPLY_ERROR) return XD_OK;
    bool full = strncmp(reply->str, "OOM", 3) == 0 || strncmp(reply->str, "MISCONF", 7) == 0;
    return full ? XD_STORAGE_FULL : XD_STORAGE_FAILED;
}

/* --- answers -------------------------------------------------------------------------------------------- */

void xd_request_end(struct xd_request *request, redisReply **reply, int64_t replicas)
{
    request->callback(request->arg, reply, replicas);
    free(request);
}

static bool is_error(const redisReply *reply, const char *kind)
{
    return reply && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, kind, strlen(kind)) == 0;
}

/* "MOVED 3999 127.0.0.1:6381", "ASK ..."; a host left out is the one that answered, which is the seed's. */
static int redirect_target(struct xd_redis *redis, const redisReply *reply, uint16_t slot)
{
    struct xd_redis_host host;
    const char *address = strrchr(reply->str, ' ');
    if (!address) return -1;
    address++;
    const char *colon = strrchr(address, ':');
    if (!colon) return -1;
    if (colon == address) {
        host = redis->servers[redis->slots[slot]]->host;
        host.port = (uint16_t)strtoul(colon + 1, NULL, 10);
    } else {
        size_t len = (size_t)(colon - address);
        if (len > XD_REDIS_HOST_MAX) return -1;
        host = (struct xd_redis_host){.port = (uint16_t)strtoul(colon + 1, NULL, 10)};
        memcpy(host.name, address, len);
    }
    return xd_servers_find(redis, &host);
}

/* Sends the request elsewhere, if the answer says so. True: it is on its way again. */
static bool redirected(struct xd_request *request, const redisReply *reply)
{
    struct xd_redis *redis = request->redis;
    bool moved = is_error(reply, "MOVED "), ask = is_error(reply, "ASK ");
    if ((!moved && !ask) || redis->url.sentinel || ++request->hops > HOPS_MAX) return false;
    int target = redirect_target(redis, reply, request->slot);
    if (target < 0) return false;
    request->asking = ask;
    if (moved) {
        redis->slots[request->slot] = (uint8_t)target;
        xd_cluster_map(redis);
    }
    return xd_servers_send(redis, (uint32_t)target, request) == XD_OK;
}

/* The server has not seen the script: the whole of it goes out in the place of its name. */
static struct xd_request *with_source(const struct xd_request *request)
{
    const char *source = request->script->source;
    size_t source_len = strlen(source), tail_len = request->len - request->tail;
    size_t argc_len = (size_t)(strchr(request->command, '\r') - request->command);
    struct xd_request *whole = malloc(sizeof *whole + HEAD_MAX + source_len + tail_len);
    if (!whole) return NULL;
    *whole = *request;
    int head = snprintf(whole->command, HEAD_MAX, "%.*s\r\n$4\r\nEVAL\r\n$%zu\r\n", (int)argc_len,
                        request->command, source_len);
    char *at = whole->command + head;
    memcpy(at, source, source_len);
    memcpy(at + source_len, "\r\n", 2);
    memcpy(at + source_len + 2, request->command + request->tail, tail_len);
    whole->len = (size_t)head + source_len + 2 + tail_len;
    whole->script = NULL;
    return whole;
}

static bool sent_whole(struct xd_request *request, const redisReply *reply)
{
    if (!request->script || !is_error(reply, "NOSCRIPT")) return false;
    struct xd_request *whole = with_source(request);
    if (!whole) return false;
    if (xd_servers_send(whole->redis, whole->redis->slots[whole->slot], whole) != XD_OK) {
        free(whole);
        return false;
    }
    free(request);
    return true;
}

static void conclude(struct xd_request *request, redisReply **reply, int64_t replicas)
{
    struct xd_redis *redis = request->redis;
    if (*reply && (redirected(request, *reply) || sent_whole(request, *reply))) return;
    bool demoted = is_error(*reply, "READONLY") && redis->url.sentinel;
    xd_request_end(request, reply, replicas);
    if (demoted) xd_sentinel_doubt(redis);
}

static void on_answer(void *arg, redisReply **reply)
{
    struct xd_request *request = arg;
    if (request->replicas == 0) {
        conclude(request, reply, 0);
        return;
    }
    request->reply = *reply;
    *reply = NULL;
}

static struct xd_server *server_of(const struct xd_request *request)
{
    return request->redis->servers[request->redis->slots[request->slot]];
}

static void on_waited(void *arg, redisReply **reply)
{
    struct xd_request *request = arg;
    redisReply *kept = request->reply;
    bool counted = *reply && (*reply)->type == REDIS_REPLY_INTEGER;
    int64_t replicas = counted ? (*reply)->integer : 0;
    if (counted) server_of(request)->lacks_replicas = replicas < request->replicas;
    request->reply = NULL;
    conclude(request, &kept, replicas);
    if (kept) freeReplyObject(kept);
}

/* --- sending -------------------------------------------------------------------------------------------- */

/* All or nothing: a part that cannot follow the first closes nothing, for the first is then answered alone.
 */
enum xd_code xd_request_write(struct xd_request *request, struct xd_redis_link *link)
{
    static const char asking[] = "*1\r\n$6\r\nASKING\r\n";
    if (request->asking) {
        enum xd_code code = xd_redis_link_send(link, asking, sizeof asking - 1, NULL, NULL);
        if (code != XD_OK) return code;
        request->asking = false;
    }
    enum xd_code code = xd_redis_link_send(link, request->command, request->len, on_answer, request);
    if (code != XD_OK || request->replicas == 0) return code;
    char wait[80], replicas[16], ms[16];
    int replicas_len = snprintf(replicas, sizeof replicas, "%u", request->replicas);
    bool in_vain = request->lane < XD_REDIS_BLOCKING && server_of(request)->lacks_replicas &&
                   request->wait_ms > VAIN_WAIT_MS;
    int ms_len = snprintf(ms, sizeof ms, "%u", in_vain ? VAIN_WAIT_MS : request->wait_ms);
    int len = snprintf(wait, sizeof wait, "*3\r\n$4\r\nWAIT\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", replicas_len,
                       replicas, ms_len, ms);
    if (xd_redis_link_send(link, wait, (size_t)len, on_waited, request) != XD_OK) request->replicas = 0;
    return XD_OK;
}

static struct xd_request *make_request(struct xd_redis *redis, const struct xd_redis_call *call)
{
    const char *argv_of_script[] = {"EVALSHA", call->script ? call->script->sha1 : ""};
    int extra = call->script ? 2 : 0;
    const char **argv = malloc((size_t)(call->argc + extra) * (sizeof *argv + sizeof(size_t)));
    if (!argv) return NULL;
    size_t *lens = (size_t *)(void *)(argv + call->argc + extra);
    for (int i = 0; i < extra; i++) {
        argv[i] = argv_of_script[i];
        lens[i] = strlen(argv[i]);
    }
    for (int i = 0; i < call->argc; i++) {
        argv[extra + i] = call->argv[i];
        lens[extra + i] = call->argvlen ? call->argvlen[i] : strlen(call->argv[i]);
    }
    char *command = NULL;
    int len = redisFormatCommandArgv(&command, call->argc + extra, argv, lens);
    free(argv);
    struct xd_request *request = len > 0 ? malloc(sizeof *request + (size_t)len) : NULL;
    if (request) {
        *request = (struct xd_request){.redis = redis,
                                       .script = call->script,
                                       .lane = call->lane,
                                       .replicas = call->replicas,
                                       .wait_ms = call->wait_ms,
                                       .slot = call->slot,
                                       .len = (size_t)len};
        memcpy(request->command, command, (size_t)len);
        /* behind "*N", "$7", "EVALSHA", "$40" and the name */
        const char *line = request->command;
        for (int i = 0; call->script && i < 5; i++)
            line = strchr(line, '\n') + 1;
        request->tail = (size_t)(line - request->command);
    }
    if (len > 0) redisFreeCommand(command);
    return request;
}

enum xd_code xd_redis_send(struct xd_redis *redis, const struct xd_redis_call *call, xd_redis_cb *callback,
                           void *arg)
{
    struct xd_request *request = make_request(redis, call);
    if (!request) return XD_NO_MEMORY;
    request->callback = callback;
    request->arg = arg;
    enum xd_code code = xd_servers_send(redis, redis->slots[call->slot], request);
    if (code != XD_OK) free(request);
    return code;
}

void xd_redis_drop(struct xd_redis *redis, uint32_t lane, uint16_t slot)
{
    xd_servers_close_lane(&redis->servers[redis->slots[slot]]->lanes[lane]);
}

uint32_t xd_redis_servers(const struct xd_redis *redis)
{
    return redis->server_count;
}

void xd_redis_place(const struct xd_redis *redis, char out[static XD_REDIS_PLACE_MAX])
{
    const struct xd_redis_host *host = &redis->servers[0]->host;
    out[0] = '\0';
    if (redis->url.sentinel && redis->master_known)
        snprintf(out, XD_REDIS_PLACE_MAX, "%s:%u", host->name, (unsigned)host->port);
}

const char *xd_redis_trouble(const struct xd_redis *redis)
{
    return redis->trouble;
}

/* --- making and ending ---------------------------------------------------------------------------------- */

static bool start(struct xd_redis *redis, struct xd_error *error)
{
    const struct xd_redis_options *options = &redis->options;
    if (redis->url.tls) {
        redis->tls = xd_redis_tls_create(options->tls_ca, options->tls_cert, options->tls_key, error);
        if (!redis->tls) return false;
    }
    redis->dns =
        evdns_base_new(redis->base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (!redis->dns) redis->dns = evdns_base_new(redis->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    bool started = redis->dns && xd_servers_find(redis, &redis->url.hosts[0]) == 0 &&
                   (!redis->url.sentinel || xd_sentinel_start(redis));
    return started || xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the connection to Redis");
}

struct xd_redis *xd_redis_create(struct event_base *base, const struct xd_redis_options *options,
                                 struct xd_error *error)
{
    struct xd_redis *redis = calloc(1, sizeof *redis);
    if (!redis) {
        xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the connection to Redis");
        return NULL;
    }
    redis->base = base;
    redis->options = *options;
    redis->url = options->url;
    redis->mapped_ms = INT64_MIN / 2;
    if (start(redis, error)) return redis;
    xd_redis_free(redis);
    return NULL;
}

void xd_redis_free(struct xd_redis *redis)
{
    if (!redis) return;
    redis->freeing = true;
    xd_sentinel_stop(redis);
    for (uint32_t i = 0; i < redis->server_count; i++)
        xd_servers_close(redis, i);
    for (uint32_t i = 0; i < redis->server_count; i++)
        free(redis->servers[i]);
    if (redis->dns) evdns_base_free(redis->dns, 0);
    SSL_CTX_free(redis->tls);
    free(redis);
}

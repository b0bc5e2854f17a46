#include "core/cluster/cluster.h"

#include "core/redis/slot.h"

#include <event2/event.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VERSION = 3, AGAIN_MS = 20, LIMIT_BYTES = 64 << 20, CUTS_TEXT = XD_RANGES_MAX * 11 };

static const char layout_key[] = "{xd}:cluster";

struct xd_cluster {
    struct event_base *base;
    struct xd_cluster_options options;
    struct xd_redis *redis;
    struct xd_redis_channels *channels;
    struct xd_redis_script heartbeat, leave, init;
    bool initialised;
    struct xd_cluster_layout layout;
};

/* KEYS: members, names, draining. ARGV: the member, the lease in ms, its name. Id, age and whether it drains,
 * of each. */
static const char heartbeat_script[] =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "redis.call('ZADD', KEYS[1], now, ARGV[1])\n"
    "redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])\n"
    "for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])) do\n"
    "  redis.call('ZREM', KEYS[1], id); redis.call('HDEL', KEYS[2], id); redis.call('SREM', KEYS[3], id)\n"
    "end\n"
    "local result, list = {}, redis.call('ZRANGE', KEYS[1], 0, 63, 'WITHSCORES')\n"
    "for i = 1, #list, 2 do\n"
    "  table.insert(result, list[i]); table.insert(result, now - list[i + 1])\n"
    "  table.insert(result, redis.call('SISMEMBER', KEYS[3], list[i]))\n"
    "end\n"
    "return result\n";

/* KEYS: members, names, draining. ARGV: the member, the channel that tells of it. */
static const char leave_script[] = "redis.call('ZREM', KEYS[1], ARGV[1])\n"
                                   "redis.call('HDEL', KEYS[2], ARGV[1])\n"
                                   "redis.call('SREM', KEYS[3], ARGV[1])\n"
                                   "return redis.call('PUBLISH', ARGV[2], 'members')\n";

/* KEYS: layout. ARGV: fields and values. */
static const char init_script[] = "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end\n"
                                  "redis.call('HSET', KEYS[1], unpack(ARGV))\n"
                                  "return 1\n";

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- asking and waiting --------------------------------------------------------------------------------- */

struct waiting {
    redisReply *reply;
    bool done;
};

static void on_waited(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct waiting *waiting = arg;
    waiting->reply = *reply;
    waiting->done = true;
    *reply = NULL;
}

static redisReply *wait_for(struct xd_cluster *cluster, const struct xd_redis_call *call,
                            struct xd_error *error)
{
    int64_t limit = monotonic_ms() + 2 * (int64_t)cluster->options.timeout_ms;
    while (monotonic_ms() < limit) {
        struct waiting waiting = {.done = false};
        if (xd_redis_send(cluster->redis, call, on_waited, &waiting) == XD_OK)
            while (!waiting.done)
                event_base_loop(cluster->base, EVLOOP_ONCE);
        if (waiting.reply && waiting.reply->type != REDIS_REPLY_ERROR) return waiting.reply;
        if (waiting.reply) {
            xd_fail(error, XD_STORAGE_FAILED, "redis", "Redis answers: %.200s", waiting.reply->str);
            freeReplyObject(waiting.reply);
            return NULL;
        }
        event_base_loopexit(cluster->base, &(struct timeval){.tv_usec = AGAIN_MS * 1000});
        event_base_loop(cluster->base, 0);
    }
    const char *why = xd_redis_trouble(cluster->redis);
    xd_fail(error, XD_STORAGE_FAILED, "redis", "Redis cannot be reached: %s",
            *why ? why : "no answer in time");
    return NULL;
}

redisReply *xd_cluster_ask(struct xd_cluster *cluster, const char *key, int argc, const char **argv,
                           struct xd_error *error)
{
    const struct xd_redis_call call = {
        .lane = XD_REDIS_WRITES, .slot = xd_redis_slot(key, strlen(key)), .argc = argc, .argv = argv};
    return wait_for(cluster, &call, error);
}

/* --- the layout ----------------------------------------------------------------------------------------- */

static const char *field(const redisReply *hash, const char *name)
{
    for (size_t i = 0; i + 1 < hash->elements; i += 2)
        if (hash->element[i]->type == REDIS_REPLY_STRING && strcmp(hash->element[i]->str, name) == 0 &&
            hash->element[i + 1]->type == REDIS_REPLY_STRING)
            return hash->element[i + 1]->str;
    return "";
}

static bool read_cuts(const char *text, struct xd_layout *ranges)
{
    for (uint32_t i = 0; i + 1 < ranges->count; i++) {
        char *end;
        ranges->cuts[i] = (uint32_t)strtoul(text, &end, 10);
        if (end == text) return false;
        text = *end == ',' ? end + 1 : end;
    }
    return xd_layout_valid(ranges);
}

static bool read_layout(struct xd_cluster *cluster, const redisReply *hash, struct xd_error *error)
{
    struct xd_cluster_layout *layout = &cluster->layout;
    if (strtoul(field(hash, "version"), NULL, 10) != VERSION)
        return xd_fail(error, XD_STORAGE_FAILED, "redis", "the cluster in Redis is of another version");
    layout->ranges.count = (uint32_t)strtoul(field(hash, "ranges"), NULL, 10);
    layout->market.currency = strtoll(field(hash, "currency"), NULL, 10);
    layout->market.road_factor_e4 = (int32_t)strtol(field(hash, "road_factor_e4"), NULL, 10);
    snprintf(layout->id, sizeof(layout->id), "%s", field(hash, "id"));
    if (layout->ranges.count == 0 || layout->ranges.count > XD_RANGES_MAX ||
        !read_cuts(field(hash, "cuts"), &layout->ranges))
        return xd_fail(error, XD_STORAGE_FAILED, "redis",
                       "the layout of the cluster in Redis cannot be read");
    cluster->initialised = true;
    return true;
}

static bool load_layout(struct xd_cluster *cluster, struct xd_error *error)
{
    const char *argv[] = {"HGETALL", layout_key};
    redisReply *hash = xd_cluster_ask(cluster, layout_key, 2, argv, error);
    if (!hash) return false;
    bool well = hash->type != REDIS_REPLY_ARRAY || hash->elements == 0 || read_layout(cluster, hash, error);
    freeReplyObject(hash);
    return well;
}

static bool draw_id(char out[static XD_CLUSTER_ID + 1])
{
    uint64_t id;
    if (RAND_bytes((unsigned char *)&id, sizeof(id)) != 1) return false;
    snprintf(out, XD_CLUSTER_ID + 1, "%016" PRIx64, id);
    return true;
}

bool xd_cluster_init(struct xd_cluster *cluster, const struct xd_layout *ranges,
                     const struct xd_market *market, struct xd_error *error)
{
    char id[XD_CLUSTER_ID + 1], count[16], currency[24], road_factor[16], cuts[CUTS_TEXT] = "", version[8];
    size_t at = 0;
    if (!draw_id(id)) return xd_fail(error, XD_INTERNAL, NULL, "no random numbers");
    snprintf(version, sizeof(version), "%d", VERSION);
    snprintf(count, sizeof(count), "%u", ranges->count);
    snprintf(currency, sizeof(currency), "%" PRId64, market->currency);
    snprintf(road_factor, sizeof(road_factor), "%d", market->road_factor_e4);
    for (uint32_t i = 0; i + 1 < ranges->count; i++)
        at += (size_t)snprintf(cuts + at, sizeof(cuts) - at, "%s%u", i ? "," : "", ranges->cuts[i]);
    const char *argv[] = {
        "1",  layout_key, "version", version,          "id",       id, "ranges", count, "cuts",
        cuts, "currency", currency,  "road_factor_e4", road_factor};
    const struct xd_redis_call call = {.lane = XD_REDIS_WRITES,
                                       .slot = xd_redis_slot(layout_key, sizeof(layout_key) - 1),
                                       .script = &cluster->init,
                                       .argc = sizeof(argv) / sizeof(*argv),
                                       .argv = argv};
    redisReply *reply = wait_for(cluster, &call, error);
    if (!reply) return false;
    bool stored = reply->type == REDIS_REPLY_INTEGER && reply->integer == 1;
    freeReplyObject(reply);
    if (!stored)
        return xd_fail(error, XD_WRONG_STATE, "redis", "a cluster has been initialised there already");
    return load_layout(cluster, error);
}

const struct xd_cluster_layout *xd_cluster_layout(const struct xd_cluster *cluster)
{
    return cluster->initialised ? &cluster->layout : NULL;
}

/* --- members -------------------------------------------------------------------------------------------- */

struct heartbeat {
    xd_heartbeat_cb *callback;
    void *arg;
};

static void on_heartbeat(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct heartbeat heartbeat = *(struct heartbeat *)arg;
    struct xd_member_info members[XD_MEMBERS_MAX];
    uint32_t count = 0;
    const redisReply *list = *reply;
    bool well = list && list->type == REDIS_REPLY_ARRAY;
    free(arg);
    for (size_t i = 0; well && i + 2 < list->elements && count < XD_MEMBERS_MAX; i += 3) {
        if (list->element[i]->type != REDIS_REPLY_STRING) continue;
        members[count++] = (struct xd_member_info){.id = strtoull(list->element[i]->str, NULL, 16),
                                                   .age_ms = list->element[i + 1]->integer,
                                                   .draining = list->element[i + 2]->integer != 0};
    }
    if (heartbeat.callback)
        heartbeat.callback(heartbeat.arg, well ? XD_OK : XD_STORAGE_FAILED, members, count);
}

static enum xd_code send_script(struct xd_cluster *cluster, const struct xd_redis_script *script,
                                uint64_t member, const char *second, const char *third, xd_redis_cb *callback,
                                void *arg)
{
    char id[24];
    snprintf(id, sizeof(id), "%016" PRIx64, member);
    const char *argv[] = {"3", "{xd}:members", "{xd}:names", "{xd}:draining", id, second, third};
    const struct xd_redis_call call = {.lane = XD_REDIS_WRITES,
                                       .slot = xd_redis_slot(layout_key, sizeof(layout_key) - 1),
                                       .script = script,
                                       .argc = third ? 7 : 6,
                                       .argv = argv};
    return xd_redis_send(cluster->redis, &call, callback, arg);
}

enum xd_code xd_cluster_heartbeat(struct xd_cluster *cluster, uint64_t member, const char *name,
                                  uint32_t lease_ms, xd_heartbeat_cb *callback, void *arg)
{
    char lease[16];
    struct heartbeat *heartbeat = malloc(sizeof(*heartbeat));
    if (!heartbeat) return XD_NO_MEMORY;
    *heartbeat = (struct heartbeat){callback, arg};
    snprintf(lease, sizeof(lease), "%u", lease_ms);
    enum xd_code code =
        send_script(cluster, &cluster->heartbeat, member, lease, name, on_heartbeat, heartbeat);
    if (code != XD_OK) free(heartbeat);
    return code;
}

static void on_ignored(void *arg, redisReply **reply, int64_t replicas)
{
    (void)arg, (void)reply, (void)replicas;
}

struct leaving {
    xd_left_cb *callback;
    void *arg;
};

static void on_left(void *arg, redisReply **reply, int64_t replicas)
{
    (void)reply, (void)replicas;
    struct leaving leaving = *(struct leaving *)arg;
    free(arg);
    leaving.callback(leaving.arg);
}

enum xd_code xd_cluster_leave(struct xd_cluster *cluster, uint64_t member, xd_left_cb *callback, void *arg)
{
    char channel[XD_REDIS_CHANNEL_MAX + 1];
    struct leaving *leaving = malloc(sizeof(*leaving));
    if (!leaving) return XD_NO_MEMORY;
    *leaving = (struct leaving){callback, arg};
    xd_cluster_channel(cluster, "members", channel);
    enum xd_code code = send_script(cluster, &cluster->leave, member, channel, NULL, on_left, leaving);
    if (code != XD_OK) free(leaving);
    return code;
}

/* --- channels ------------------------------------------------------------------------------------------- */

bool xd_cluster_open_channels(struct xd_cluster *cluster, const struct xd_redis_channels_events *events)
{
    cluster->channels = xd_redis_channels_open(cluster->redis, events);
    return cluster->channels != NULL;
}

void xd_cluster_channel(const struct xd_cluster *cluster, const char *name,
                        char out[static XD_REDIS_CHANNEL_MAX + 1])
{
    snprintf(out, XD_REDIS_CHANNEL_MAX + 1, "%s:%s", cluster->layout.id, name);
}

void xd_cluster_channel_of(const struct xd_cluster *cluster, const char *name, uint64_t number,
                           char out[static XD_REDIS_CHANNEL_MAX + 1])
{
    snprintf(out, XD_REDIS_CHANNEL_MAX + 1, "%s:%s:%" PRIx64, cluster->layout.id, name, number);
}

bool xd_cluster_listen(struct xd_cluster *cluster, const char *channel)
{
    return xd_redis_channels_add(cluster->channels, channel);
}

void xd_cluster_unlisten(struct xd_cluster *cluster, const char *channel)
{
    xd_redis_channels_remove(cluster->channels, channel);
}

struct publication {
    struct xd_cluster *cluster;
    xd_published_cb *callback;
    void *arg;
};

static void on_published(void *arg, redisReply **reply, int64_t replicas)
{
    (void)replicas;
    struct publication *publication = arg;
    /* In a Redis Cluster it is those at that server only. */
    bool known =
        *reply && (*reply)->type == REDIS_REPLY_INTEGER && xd_redis_servers(publication->cluster->redis) == 1;
    int64_t receivers = known ? (*reply)->integer : -1;
    publication->callback(publication->arg, receivers);
    free(publication);
}

enum xd_code xd_cluster_publish(struct xd_cluster *cluster, const char *channel, const void *bytes,
                                size_t len, xd_published_cb *callback, void *arg)
{
    const char *argv[] = {"PUBLISH", channel, bytes};
    const size_t lens[] = {sizeof("PUBLISH") - 1, strlen(channel), len};
    const struct xd_redis_call call = {.lane = XD_REDIS_READS,
                                       .slot = xd_redis_slot(channel, lens[1]),
                                       .argc = 3,
                                       .argv = argv,
                                       .argvlen = lens};
    if (!callback) return xd_redis_send(cluster->redis, &call, on_ignored, NULL);
    struct publication *publication = malloc(sizeof(*publication));
    if (!publication) return XD_NO_MEMORY;
    *publication = (struct publication){cluster, callback, arg};
    enum xd_code code = xd_redis_send(cluster->redis, &call, on_published, publication);
    if (code != XD_OK) free(publication);
    return code;
}

/* --- opening and closing -------------------------------------------------------------------------------- */

struct xd_cluster *xd_cluster_open(struct event_base *base, const struct xd_cluster_options *options,
                                   struct xd_error *error)
{
    struct xd_redis_options redis = {.tls_ca = options->tls_ca,
                                     .tls_cert = options->tls_cert,
                                     .tls_key = options->tls_key,
                                     .timeout_ms = options->timeout_ms,
                                     .limit = LIMIT_BYTES};
    if (!xd_redis_url_parse(options->url, &redis.url, error)) return NULL;
    struct xd_cluster *cluster = calloc(1, sizeof(*cluster));
    if (!cluster) {
        xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the cluster");
        return NULL;
    }
    cluster->base = base;
    cluster->options = *options;
    xd_redis_script_init(&cluster->heartbeat, heartbeat_script);
    xd_redis_script_init(&cluster->leave, leave_script);
    xd_redis_script_init(&cluster->init, init_script);
    cluster->redis = xd_redis_create(base, &redis, error);
    if (cluster->redis && load_layout(cluster, error)) return cluster;
    xd_cluster_close(cluster);
    return NULL;
}

void xd_cluster_close(struct xd_cluster *cluster)
{
    if (!cluster) return;
    xd_redis_channels_close(cluster->channels);
    xd_redis_free(cluster->redis);
    free(cluster);
}

#include "core/redis/channels.h"

#include "core/redis/router.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

enum { WATCH_MS = XD_REDIS_CHANNELS_PAUSE_MS, ASK_MS = 1000 };

struct channel {
    struct channel *next;
    char name[XD_REDIS_CHANNEL_MAX + 1];
};

struct xd_redis_channels {
    struct xd_redis *redis;
    struct xd_redis_channels_events events;
    struct xd_redis_link *link;
    struct event *watch;
    struct channel *first;
    uint32_t unconfirmed; /* subscriptions that were asked for at the connection's beginning */
    bool ready;
    int64_t heard_ms, asked_ms;
};

static void send_words(struct xd_redis_channels *channels, int count, const char **words)
{
    char *command = NULL;
    int len = redisFormatCommandArgv(&command, count, words, NULL);
    if (len < 0) return;
    xd_redis_link_listen(channels->link, command, (size_t)len);
    redisFreeCommand(command);
}

static void subscribe(struct xd_redis_channels *channels, const char *verb, const char *name)
{
    const char *words[] = {verb, name};
    if (channels->link && xd_redis_link_ready(channels->link)) send_words(channels, 2, words);
}

static void confirm(struct xd_redis_channels *channels)
{
    if (channels->unconfirmed == 0 || --channels->unconfirmed > 0) return;
    channels->ready = true;
    if (channels->events.listening) channels->events.listening(channels->events.arg);
}

/* ["message", channel, bytes], ["subscribe", channel, n], ["pong", ""]. */
static void on_push(void *arg, const redisReply *reply)
{
    struct xd_redis_channels *channels = arg;
    channels->heard_ms = xd_redis_monotonic_ms();
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING)
        return;
    const char *kind = reply->element[0]->str;
    if (strcmp(kind, "subscribe") == 0) confirm(channels);
    if (strcmp(kind, "message") != 0 || reply->elements != 3 || reply->element[2]->type != REDIS_REPLY_STRING)
        return;
    channels->events.heard(channels->events.arg, reply->element[1]->str, reply->element[2]->str,
                           reply->element[2]->len);
}

static void on_ready(void *arg)
{
    struct xd_redis_channels *channels = arg;
    channels->heard_ms = channels->asked_ms = xd_redis_monotonic_ms();
    channels->unconfirmed = 0;
    for (struct channel *one = channels->first; one; one = one->next) {
        subscribe(channels, "SUBSCRIBE", one->name);
        channels->unconfirmed++;
    }
}

static void on_down(void *arg, const char *why)
{
    (void)why; /* the lanes to the same server say it too */
    struct xd_redis_channels *channels = arg;
    channels->link = NULL;
    channels->ready = false;
}

static void open_link(struct xd_redis_channels *channels)
{
    struct xd_redis *redis = channels->redis;
    if (redis->url.sentinel && !redis->master_known) return;
    const struct xd_redis_link_config config = xd_servers_config(redis);
    const struct xd_redis_link_events events = {
        .ready = on_ready, .down = on_down, .push = on_push, .arg = channels};
    channels->link = xd_redis_link_open(&config, &redis->servers[redis->slots[0]]->host, 0, &events);
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    static const char *const ping[] = {"PING"};
    struct xd_redis_channels *channels = arg;
    int64_t now = xd_redis_monotonic_ms();
    if (!channels->link) {
        open_link(channels);
        return;
    }
    if (!xd_redis_link_ready(channels->link)) return;
    if (now - channels->heard_ms > channels->redis->options.timeout_ms + ASK_MS) {
        xd_redis_link_close(channels->link);
        on_down(channels, "silent");
    } else if (now - channels->asked_ms >= ASK_MS && channels->ready) {
        channels->asked_ms = now;
        send_words(channels, 1, (const char **)(uintptr_t)ping);
    }
}

struct xd_redis_channels *xd_redis_channels_open(struct xd_redis *redis,
                                                 const struct xd_redis_channels_events *events)
{
    struct xd_redis_channels *channels = calloc(1, sizeof(*channels));
    if (!channels) return NULL;
    channels->redis = redis;
    channels->events = *events;
    channels->watch = event_new(redis->base, -1, EV_PERSIST, on_watch, channels);
    if (channels->watch && event_add(channels->watch, &(struct timeval){.tv_usec = WATCH_MS * 1000}) == 0) {
        open_link(channels);
        return channels;
    }
    xd_redis_channels_close(channels);
    return NULL;
}

bool xd_redis_channels_add(struct xd_redis_channels *channels, const char *name)
{
    struct channel *channel = strlen(name) <= XD_REDIS_CHANNEL_MAX ? calloc(1, sizeof(*channel)) : NULL;
    if (!channel) return false;
    strcpy(channel->name, name);
    channel->next = channels->first;
    channels->first = channel;
    subscribe(channels, "SUBSCRIBE", name);
    return true;
}

void xd_redis_channels_remove(struct xd_redis_channels *channels, const char *name)
{
    struct channel **at = &channels->first;
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    struct channel *channel = *at;
    if (!channel) return;
    *at = channel->next;
    free(channel);
    subscribe(channels, "UNSUBSCRIBE", name);
}

void xd_redis_channels_close(struct xd_redis_channels *channels)
{
    if (!channels) return;
    if (channels->link) xd_redis_link_close(channels->link);
    if (channels->watch) event_free(channels->watch);
    while (channels->first) {
        struct channel *next = channels->first->next;
        free(channels->first);
        channels->first = next;
    }
    free(channels);
}

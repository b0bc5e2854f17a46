/* Channels: what others publish, heard as it comes. Nothing is kept for who does not listen: a message may be
 * lost whenever a connection breaks, so whoever uses channels does without, only slower.
 *
 * One connection of its own, made again when it has broken (pauses of XD_REDIS_CHANNELS_PAUSE_MS) and given
 * up when it is silent for the time-out though it is asked. In a Redis Cluster any node hears what is
 * published at any other. */
#ifndef XD_CORE_REDIS_CHANNELS_H
#define XD_CORE_REDIS_CHANNELS_H

#include "core/redis/redis.h"

struct xd_redis_channels;

enum { XD_REDIS_CHANNELS_PAUSE_MS = 100, XD_REDIS_CHANNEL_MAX = 80 };

/* `heard`: a message; the bytes live until it returns. `listening`: all channels are subscribed to, after the
 * connection was made (again): what was published before may have been missed. Either may call anything but
 * xd_redis_channels_close. */
struct xd_redis_channels_events {
    void (*heard)(void *arg, const char *channel, const char *bytes, size_t len);
    void (*listening)(void *arg);
    void *arg;
};

/* Uses the servers of `redis`, which outlives it. NULL without memory. */
struct xd_redis_channels *xd_redis_channels_open(struct xd_redis *redis,
                                                 const struct xd_redis_channels_events *events);

/* Listen to a channel of at most XD_REDIS_CHANNEL_MAX bytes, and no longer. False without memory. */
bool xd_redis_channels_add(struct xd_redis_channels *channels, const char *name);
void xd_redis_channels_remove(struct xd_redis_channels *channels, const char *name);

/* NULL is allowed. */
void xd_redis_channels_close(struct xd_redis_channels *channels);

#endif

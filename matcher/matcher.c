#include "matcher/matcher.h"

#include "core/ledger/ledger_redis.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEAVE_LIMIT_MS = 5000 };

static const char said_members[] = "members", said_freed[] = "freed ", said_want[] = "want ";

static int64_t monotonic_ms(void *arg)
{
    (void)arg;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What is decided is done from the event loop, not from within what led to it. */
static void turn_soon(void *arg)
{
    const struct xd_matcher *matcher = arg;
    event_active(matcher->turn, EV_TIMEOUT, 0);
}

static void log_partition(const struct xd_matcher *matcher, const char *what, uint16_t partition)
{
    xd_log(matcher->options.log, XD_LOG_INFO, what, xd_log_number("partition", partition),
           xd_log_number("record", (int64_t)xd_station_position(matcher->crew.stations[partition])));
}

/* --- what stations tell --------------------------------------------------------------------------------- */

static void on_warm(void *arg, uint16_t partition, bool warm)
{
    const struct xd_matcher *matcher = arg;
    xd_log(matcher->options.log, XD_LOG_DEBUG, warm ? "warm" : "cold", xd_log_number("partition", partition));
}

/* Without memory it is as if the relay were slow: the next owner sends what is in the outbox. */
static void start_courier(struct xd_matcher *matcher, uint16_t partition)
{
    uint32_t count = xd_cluster_layout(matcher->cluster)->ranges.count;
    uint16_t first = (uint16_t)(partition / count * count);
    if (count > 1)
        matcher->couriers[partition] =
            xd_courier_start(matcher->base, matcher->ledger, partition, first, count);
}

static void stop_courier(struct xd_matcher *matcher, uint16_t partition)
{
    xd_courier_stop(matcher->couriers[partition]);
    matcher->couriers[partition] = NULL;
}

static void on_owning(void *arg, uint16_t partition)
{
    struct xd_matcher *matcher = arg;
    char channel[XD_REDIS_CHANNEL_MAX + 1];
    xd_matcher_ask_channel(matcher, partition, channel);
    xd_cluster_listen(matcher->cluster, channel);
    start_courier(matcher, partition);
    log_partition(matcher, "owning", partition);
}

static void on_outbox(void *arg, uint16_t partition)
{
    struct xd_matcher *matcher = arg;
    if (matcher->couriers[partition]) xd_courier_grew(matcher->couriers[partition]);
}

static void deaf_to(struct xd_matcher *matcher, uint16_t partition)
{
    char channel[XD_REDIS_CHANNEL_MAX + 1];
    xd_matcher_ask_channel(matcher, partition, channel);
    xd_cluster_unlisten(matcher->cluster, channel);
}

static void on_differs(void *arg, uint16_t partition, uint64_t records, uint64_t events, uint64_t committed)
{
    const struct xd_matcher *matcher = arg;
    xd_log(matcher->options.log, XD_LOG_ERROR, "replay_differs", xd_log_number("partition", partition),
           xd_log_number("records", (int64_t)records), xd_log_number("events", (int64_t)events),
           xd_log_number("committed_events", (int64_t)committed));
}

static void on_lost(void *arg, uint16_t partition, enum xd_code code)
{
    struct xd_matcher *matcher = arg;
    deaf_to(matcher, partition);
    stop_courier(matcher, partition);
    xd_log(matcher->options.log, XD_LOG_WARNING, "lost", xd_log_number("partition", partition),
           xd_log_text("code", xd_code_name(code)));
}

/* --- what is decided ------------------------------------------------------------------------------------ */

static void release(void *arg, uint16_t partition)
{
    struct xd_matcher *matcher = arg;
    deaf_to(matcher, partition);
    stop_courier(matcher, partition);
    log_partition(matcher, "handed_over", partition);
    xd_station_release(matcher->crew.stations[partition]);
}

static void hurry(void *arg, uint16_t partition)
{
    const struct xd_matcher *matcher = arg;
    xd_ledger_redis_hurry(matcher->ledger, partition);
}

static void want(void *arg, uint16_t partition)
{
    const struct xd_matcher *matcher = arg;
    char text[64];
    int len = snprintf(text, sizeof(text), "%s%u %016" PRIx64, said_want, (unsigned)partition, matcher->id);
    xd_cluster_publish(matcher->cluster, matcher->channel, text, (size_t)len, NULL, NULL);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct xd_matcher *matcher = arg;
    xd_crew_turn(&matcher->crew);
    if (!matcher->left || matcher->out || !xd_member_is_out(&matcher->crew.member)) return;
    matcher->out = true;
    matcher->options.stopped(matcher->options.arg);
}

/* --- members -------------------------------------------------------------------------------------------- */

static void beat(struct xd_matcher *matcher);

static void on_members(void *arg, enum xd_code code, const struct xd_member_info *members, uint32_t count)
{
    struct xd_matcher *matcher = arg;
    uint64_t live[XD_MEMBERS_MAX];
    uint32_t n = 0;
    matcher->beating = false;
    if (code != XD_OK || matcher->leaving) return;
    for (uint32_t i = 0; i < count; i++)
        if (!members[i].draining) live[n++] = members[i].id;
    if (n != matcher->members)
        xd_log(matcher->options.log, XD_LOG_INFO, "members", xd_log_number("live", count),
               xd_log_number("taking_part", n));
    matcher->members = n;
    xd_member_list(&matcher->crew.member, live, n);
    turn_soon(matcher);
    if (matcher->beat_again) beat(matcher);
}

static void beat(struct xd_matcher *matcher)
{
    matcher->beat_again = matcher->beating;
    if (matcher->beating || matcher->leaving) return;
    uint32_t lease_ms = matcher->options.ledger->lease_ms;
    matcher->beating = xd_cluster_heartbeat(matcher->cluster, matcher->id, matcher->name, lease_ms,
                                            on_members, matcher) == XD_OK;
}

static void on_heartbeat(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct xd_matcher *matcher = arg;
    beat(matcher);
    turn_soon(matcher);
}

/* "members", "freed N", "want N ID". */
static void on_told(struct xd_matcher *matcher, const char *bytes, size_t len)
{
    char text[64], *end = text;
    if (len >= sizeof(text)) return;
    memcpy(text, bytes, len);
    text[len] = '\0';
    if (strcmp(text, said_members) == 0) {
        beat(matcher);
    } else if (strncmp(text, said_freed, sizeof(said_freed) - 1) == 0) {
        xd_member_freed(&matcher->crew.member, (uint16_t)strtoul(text + sizeof(said_freed) - 1, &end, 10));
    } else if (strncmp(text, said_want, sizeof(said_want) - 1) == 0) {
        uint16_t partition = (uint16_t)strtoul(text + sizeof(said_want) - 1, &end, 10);
        xd_member_wanted(&matcher->crew.member, partition, strtoull(end, NULL, 16));
    }
    turn_soon(matcher);
}

static void on_heard(void *arg, const char *channel, const char *bytes, size_t len)
{
    struct xd_matcher *matcher = arg;
    if (strcmp(channel, matcher->channel) == 0)
        on_told(matcher, bytes, len);
    else
        xd_matcher_answer(matcher, channel, bytes, len);
}

static void on_listening(void *arg)
{
    beat(arg); /* what was told meanwhile may have been missed */
}

/* --- leaving -------------------------------------------------------------------------------------------- */

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct xd_matcher *matcher = arg;
    if (matcher->out) return;
    matcher->out = true;
    matcher->options.stopped(matcher->options.arg);
}

static void on_left(void *arg)
{
    struct xd_matcher *matcher = arg;
    matcher->left = true;
    turn_soon(matcher);
}

void xd_matcher_leave(struct xd_matcher *matcher)
{
    if (matcher->leaving) return;
    xd_log(matcher->options.log, XD_LOG_INFO, "leaving", xd_log_number("members", matcher->members));
    matcher->leaving = true;
    matcher->left = xd_cluster_leave(matcher->cluster, matcher->id, on_left, matcher) != XD_OK;
    xd_member_leave(&matcher->crew.member);
    event_add(matcher->drain_limit, &(struct timeval){.tv_sec = LEAVE_LIMIT_MS / 1000});
    turn_soon(matcher);
}

/* --- starting and ending -------------------------------------------------------------------------------- */

static bool take_names(struct xd_matcher *matcher, struct xd_error *error)
{
    char host[64] = "";
    if (RAND_bytes((unsigned char *)&matcher->id, sizeof(matcher->id)) != 1)
        return xd_fail(error, XD_INTERNAL, NULL, "no random numbers");
    matcher->id |= 1; /* not XD_NO_MEMBER */
    gethostname(host, sizeof(host) - 1);
    snprintf(matcher->name, sizeof(matcher->name), "%s:%ld", host, (long)getpid());
    return true;
}

static bool open_cluster(struct xd_matcher *matcher, struct xd_error *error)
{
    const struct xd_redis_channels_events events = {
        .heard = on_heard, .listening = on_listening, .arg = matcher};
    matcher->cluster = xd_cluster_open(matcher->base, &matcher->options.cluster, error);
    if (!matcher->cluster) return false;
    const struct xd_cluster_layout *layout = xd_cluster_layout(matcher->cluster);
    if (!layout)
        return xd_fail(error, XD_NOT_FOUND, "redis",
                       "no cluster has been initialised there (crossdock cluster init)");
    matcher->partition_count = xd_cluster_partitions(layout);
    xd_cluster_channel(matcher->cluster, "members", matcher->channel);
    if (!xd_cluster_open_channels(matcher->cluster, &events) ||
        !xd_cluster_listen(matcher->cluster, matcher->channel))
        return xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the cluster's channels");
    return true;
}

static bool open_ledger(struct xd_matcher *matcher, struct xd_error *error)
{
    struct xd_redis_ledger_options *options = matcher->options.ledger;
    options->market = xd_cluster_layout(matcher->cluster)->market;
    options->market_given = true;
    options->partitions = matcher->partition_count;
    options->process = matcher->id;
    options->freed_channel = matcher->channel;
    options->owner_only = true;
    options->outbox_grew = on_outbox;
    options->outbox_arg = matcher;
    matcher->ledger = xd_ledger_open_redis(matcher->base, options, error);
    return matcher->ledger != NULL;
}

static bool make_crew(struct xd_matcher *matcher, struct xd_error *error)
{
    const struct xd_cluster_layout *layout = xd_cluster_layout(matcher->cluster);
    const struct xd_crew_options options = {.id = matcher->id,
                                            .count = matcher->partition_count,
                                            .engine = {.market = layout->market,
                                                       .max_orders = matcher->options.max_orders,
                                                       .layout = &layout->ranges},
                                            .snapshot_every = matcher->options.snapshot_every,
                                            .events = {.now_ms = monotonic_ms,
                                                       .turn = turn_soon,
                                                       .warm = on_warm,
                                                       .owning = on_owning,
                                                       .lost = on_lost,
                                                       .differs = on_differs,
                                                       .release = release,
                                                       .hurry = hurry,
                                                       .want = want,
                                                       .arg = matcher}};
    return xd_crew_init(&matcher->crew, matcher->base, matcher->ledger, &options) ||
           xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the partitions");
}

static bool make_events(struct xd_matcher *matcher, struct xd_error *error)
{
    matcher->turn = event_new(matcher->base, -1, 0, on_turn, matcher);
    matcher->drain_limit = evtimer_new(matcher->base, on_limit, matcher);
    matcher->heartbeat = event_new(matcher->base, -1, EV_PERSIST, on_heartbeat, matcher);
    bool made = matcher->turn && matcher->drain_limit && matcher->heartbeat;
    return made || xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the matcher");
}

static bool start_beating(struct xd_matcher *matcher, struct xd_error *error)
{
    uint32_t ms = matcher->options.ledger->lease_ms / 4;
    if (ms > XD_HEARTBEAT_MS) ms = XD_HEARTBEAT_MS;
    const struct timeval every = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
    beat(matcher);
    return event_add(matcher->heartbeat, &every) == 0 ||
           xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the matcher");
}

struct xd_matcher *xd_matcher_start(struct event_base *base, const struct xd_matcher_options *options,
                                    struct xd_error *error)
{
    struct xd_matcher *matcher = calloc(1, sizeof(*matcher));
    if (!matcher) {
        xd_fail(error, XD_NO_MEMORY, NULL, "no memory for the matcher");
        return NULL;
    }
    matcher->options = *options;
    matcher->base = base;
    if (!make_events(matcher, error) || !take_names(matcher, error) || !open_cluster(matcher, error) ||
        !open_ledger(matcher, error) || !make_crew(matcher, error) || !start_beating(matcher, error)) {
        xd_matcher_destroy(matcher);
        return NULL;
    }
    return matcher;
}

void xd_matcher_destroy(struct xd_matcher *matcher)
{
    if (!matcher) return;
    for (uint16_t i = 0; i < matcher->partition_count; i++) {
        stop_courier(matcher, i);
    }
    xd_crew_stop(&matcher->crew);
    if (matcher->ledger) xd_ledger_close(matcher->ledger);
    xd_cluster_close(matcher->cluster);
    xd_crew_free(&matcher->crew);
    if (matcher->turn) event_free(matcher->turn);
    if (matcher->drain_limit) event_free(matcher->drain_limit);
    if (matcher->heartbeat) event_free(matcher->heartbeat);
    free(matcher);
}

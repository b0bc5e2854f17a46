#include "broker/link.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that one turn of the event loop reads from or writes to a connection, so that none starves the
 * others. */
enum { READ_TURN = 64 << 10, WRITE_TURN = 256 << 10 };

/* How long the peer may take to end its side once everything was written. */
enum { ENDING_MS = 2000 };

/* A peer that goes on reading what waits for it may take so many times the time for it, and no longer. */
enum { FLUSH_TURNS = 12 };

enum state { OPENING, OPEN, FLUSHING, ENDING, GONE };

struct xd_link {
    enum state state;
    const struct xd_transport_ops *ops;
    struct bufferevent *connection;
    struct event *timer; /* of OPENING, FLUSHING and ENDING */
    struct event *last;  /* activated once, to end from the event loop */
    const struct xd_link_events *events;
    void *arg;
    struct timeval slow;
    bool peer_ended;
    int64_t flush_ms; /* while FLUSHING: how long the peer may read nothing, */
    int flush_turns;  /* how often that may still be begun anew, */
    size_t unsent;    /* and what waited when it was */
    const char *why;
    char problem[XD_PEER_TEXT];
};

static struct timeval time_of(int64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

static void start_timer(struct xd_link *link, int64_t ms)
{
    struct timeval after = time_of(ms);
    event_add(link->timer, &after);
}

static void end(struct xd_link *link, const char *why)
{
    if (link->state == GONE) return;
    link->state = GONE;
    if (!link->why) link->why = why;
    bufferevent_disable(link->connection, EV_READ | EV_WRITE);
    event_del(link->timer);
    event_active(link->last, 0, 0);
}

static void destroy(struct xd_link *link)
{
    if (link->connection) bufferevent_free(link->connection);
    if (link->timer) event_free(link->timer);
    if (link->last) event_free(link->last);
    free(link);
}

static void on_last(evutil_socket_t socket, short what, void *arg)
{
    (void)socket, (void)what;
    struct xd_link *link = arg;
    link->events->closed(link->arg, link->why);
    destroy(link);
}

/* Whether the peer has read some of what waits since it was last asked. */
static bool still_flushing(struct xd_link *link)
{
    size_t unsent = xd_link_unsent(link);
    bool moved = link->state == FLUSHING && unsent < link->unsent && link->flush_turns-- > 0;
    link->unsent = unsent;
    return moved;
}

static void on_timer(evutil_socket_t socket, short what, void *arg)
{
    (void)socket, (void)what;
    struct xd_link *link = arg;
    if (still_flushing(link)) {
        start_timer(link, link->flush_ms);
        return;
    }
    end(link, link->state == OPENING ? "no handshake in time" : "not read in time");
}

static void flushed(struct xd_link *link)
{
    if (link->peer_ended) {
        end(link, "closed");
        return;
    }
    link->state = ENDING;
    link->ops->finish(link->connection);
    start_timer(link, ENDING_MS);
}

static void on_read(struct bufferevent *connection, void *arg)
{
    struct xd_link *link = arg;
    if (link->state == OPEN)
        link->events->readable(link->arg);
    else if (link->state != OPENING)
        evbuffer_drain(bufferevent_get_input(connection), SIZE_MAX);
}

static void on_write(struct bufferevent *connection, void *arg)
{
    struct xd_link *link = arg;
    if (link->state == OPEN)
        link->events->drained(link->arg);
    else if (link->state == FLUSHING && evbuffer_get_length(bufferevent_get_output(connection)) == 0)
        flushed(link);
}

static void on_peer_end(struct xd_link *link)
{
    link->peer_ended = true;
    if (link->state == OPEN)
        link->events->ended(link->arg);
    else if (link->state != FLUSHING)
        end(link, "the peer closed");
}

static void on_event(struct bufferevent *connection, short what, void *arg)
{
    struct xd_link *link = arg;
    if (link->state == GONE) return;
    if (what & BEV_EVENT_ERROR) {
        link->ops->problem(connection, link->problem);
        end(link, link->problem);
    } else if (what & BEV_EVENT_EOF) {
        on_peer_end(link);
    } else if (what & BEV_EVENT_TIMEOUT) {
        if (link->state == OPEN) link->events->stuck(link->arg);
    } else if (what & BEV_EVENT_CONNECTED && link->state == OPENING) {
        link->state = OPEN;
        event_del(link->timer);
        bufferevent_set_timeouts(connection, NULL, &link->slow);
        link->events->ready(link->arg);
        if (evbuffer_get_length(bufferevent_get_input(connection)) > 0) xd_link_again(link);
    }
}

static bool connect_parts(struct xd_link *link, struct event_base *base, const struct xd_transport *transport,
                          evutil_socket_t socket)
{
    link->connection = transport->ops->accept(transport->state, base, socket);
    if (!link->connection) return false;
    link->timer = event_new(base, -1, 0, on_timer, link);
    link->last = event_new(base, -1, 0, on_last, link);
    return link->timer && link->last;
}

struct xd_link *xd_link_open(struct event_base *base, const struct xd_transport *transport,
                             evutil_socket_t socket, const struct xd_link_options *options,
                             const struct xd_link_events *events, void *arg)
{
    struct xd_link *link = calloc(1, sizeof(*link));
    if (!link) {
        evutil_closesocket(socket);
        return NULL;
    }
    link->ops = transport->ops;
    link->events = events;
    link->arg = arg;
    link->slow = time_of(options->slow_ms);
    if (!connect_parts(link, base, transport, socket)) {
        destroy(link);
        return NULL;
    }
    bufferevent_setcb(link->connection, on_read, on_write, on_event, link);
    bufferevent_setwatermark(link->connection, EV_READ, 0, options->input_max);
    bufferevent_setwatermark(link->connection, EV_WRITE, options->output_low, 0);
    bufferevent_set_max_single_read(link->connection, READ_TURN);
    bufferevent_set_max_single_write(link->connection, WRITE_TURN);
    bufferevent_enable(link->connection, EV_READ | EV_WRITE);
    start_timer(link, options->opening_ms);
    link->ops->start(link->connection);
    return link;
}

bool xd_link_account(const struct xd_link *link, char out[static XD_ACCOUNT_MAX + 1], struct xd_error *error)
{
    return link->ops->account(link->connection, out, error);
}

struct evbuffer *xd_link_input(struct xd_link *link)
{
    return bufferevent_get_input(link->connection);
}

bool xd_link_send(struct xd_link *link, const void *bytes, size_t len)
{
    return link->state <= OPEN && bufferevent_write(link->connection, bytes, len) == 0;
}

size_t xd_link_unsent(const struct xd_link *link)
{
    return evbuffer_get_length(bufferevent_get_output(link->connection));
}

void xd_link_read(struct xd_link *link, bool on)
{
    if (link->state != OPEN) return;
    if (on && !link->peer_ended) bufferevent_enable(link->connection, EV_READ);
    if (on) xd_link_again(link);
    if (!on) bufferevent_disable(link->connection, EV_READ);
}

void xd_link_again(struct xd_link *link)
{
    if (link->state == OPEN)
        bufferevent_trigger(link->connection, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

void xd_link_close(struct xd_link *link, int64_t flush_ms, const char *why)
{
    if (flush_ms == 0 || link->state == OPENING) {
        end(link, why);
        return;
    }
    if (link->state != OPEN) return;
    link->why = why;
    link->state = FLUSHING;
    link->flush_ms = flush_ms;
    link->flush_turns = FLUSH_TURNS;
    link->unsent = xd_link_unsent(link);
    start_timer(link, flush_ms);
    bufferevent_setwatermark(link->connection, EV_WRITE, 0, 0);
    bufferevent_enable(link->connection, (short)(link->peer_ended ? EV_WRITE : EV_READ | EV_WRITE));
    /* Not now: the caller may be looking at the input. */
    bufferevent_trigger(link->connection, xd_link_unsent(link) == 0 ? EV_READ | EV_WRITE : EV_READ,
                        BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

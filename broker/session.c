#include "broker/session.h"

#include "broker/method.h"
#include "broker/rpc.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

/* Messages of one session before the others have a turn. */
enum { MESSAGES_PER_TURN = 256 };

enum { OPENING_MS = 10000, FLUSH_MS = 5000 };

static void unlink_session(struct xd_session *session)
{
    *session->self = session->next;
    if (session->next) session->next->self = session->self;
    session->broker->session_count--;
}

static void link_session(struct xd_session *session)
{
    struct xd_broker *broker = session->broker;
    session->next = broker->sessions;
    session->self = &broker->sessions;
    if (session->next) session->next->self = &session->next;
    broker->sessions = session;
    broker->session_count++;
}

struct xd_session *xd_session_keep(struct xd_session *session)
{
    session->references++;
    return session;
}

void xd_session_release(struct xd_session *session)
{
    if (--session->references > 0) return;
    free(session->acknowledged);
    free(session);
}

struct xd_str xd_session_account(const struct xd_session *session)
{
    return xd_str_of(session->account);
}

size_t xd_session_unsent(const struct xd_session *session)
{
    return session->link ? xd_link_unsent(session->link) : 0;
}

void xd_session_close(struct xd_session *session, int64_t flush_ms, const char *why)
{
    session->closing = true;
    xd_feed_detach(session->broker->feed, &session->subscriber);
    if (session->link) xd_link_close(session->link, flush_ms, why);
}

void xd_session_send(struct xd_session *session, const struct xd_buf *message)
{
    if (!session->link || session->closing) return;
    if (message->failed || !xd_link_send(session->link, message->data, message->len))
        xd_session_close(session, 0, "no memory");
}

void xd_session_notice(struct xd_session *session, enum xd_code code, const char *message)
{
    struct xd_buf notice;
    xd_buf_init(&notice, 4096);
    xd_rpc_notice(&notice, code, message);
    xd_session_send(session, &notice);
    xd_buf_free(&notice);
}

void xd_session_refuse(struct xd_session *session, enum xd_code code, const char *message)
{
    if (session->closing) return;
    xd_log(session->broker->log, XD_LOG_INFO, "refused", xd_log_text("code", xd_code_name(code)),
           xd_log_text("account", session->account), xd_log_text("reason", message));
    xd_session_notice(session, code, message);
    xd_session_close(session, FLUSH_MS, xd_code_name(code));
}

/* --- when to read --- */

/* What a session makes the broker keep: answers that are to be written, and those in the making. */
static size_t waiting(const struct xd_session *session)
{
    return xd_session_unsent(session) + session->held;
}

static bool must_pause(const struct xd_session *session)
{
    return session->broker->congested || session->outstanding >= XD_OUTSTANDING_MAX ||
           waiting(session) >= XD_OUTPUT_HIGH;
}

static void resume(struct xd_session *session)
{
    if (!session->paused || session->closing || session->broker->congested || session->lost != XD_OK ||
        session->outstanding > XD_OUTSTANDING_MAX / 2 || waiting(session) > XD_OUTPUT_LOW)
        return;
    session->paused = false;
    xd_link_read(session->link, true);
}

void xd_sessions_resume(struct xd_broker *broker)
{
    for (struct xd_session *session = broker->sessions; session; session = session->next)
        resume(session);
}

void xd_session_hold(struct xd_session *session, size_t bytes)
{
    session->held += bytes;
}

void xd_session_let_go(struct xd_session *session, size_t bytes)
{
    session->held -= bytes;
}

void xd_session_began(struct xd_session *session)
{
    xd_session_keep(session);
    session->outstanding++;
    session->broker->outstanding++;
}

/* What came after the last whole message cannot be read. The requests before it have their answers first. */
static void lose(struct xd_session *session, enum xd_code code)
{
    session->lost = code;
    if (session->outstanding == 0)
        xd_session_refuse(session, code, xd_code_meaning(code));
    else
        xd_link_read(session->link, false);
}

void xd_session_answered(struct xd_session *session)
{
    struct xd_broker *broker = session->broker;
    session->outstanding--;
    broker->outstanding--;
    if (session->lost != XD_OK && session->outstanding == 0) lose(session, session->lost);
    if (session->link) {
        resume(session);
        if (session->peer_ended && session->outstanding == 0) xd_link_again(session->link);
    }
    xd_session_release(session);
    if (broker->draining) broker->changed(broker->changed_arg);
}

/* --- messages --- */

/* Looks for a whole message at the front of the input. Only a message that lies in several pieces is moved
 * together, and the buffer then doubles, so that one arriving bit by bit is not copied over and over. */
static enum xd_mp_walk_result find_message(struct xd_session *session, struct evbuffer *input,
                                           const uint8_t **bytes, enum xd_code *code)
{
    const struct xd_mp_limits limits = {.bytes = (size_t)session->broker->settings->max_message,
                                        .depth = XD_FRAME_DEPTH,
                                        .elements = XD_FRAME_ELEMENTS};
    size_t total = evbuffer_get_length(input);
    size_t front = evbuffer_get_contiguous_space(input);
    if (total == 0) return XD_MP_MORE;
    *bytes = evbuffer_pullup(input, (ev_ssize_t)front);
    enum xd_mp_walk_result result = xd_mp_walk(&session->walk, *bytes, front, &limits, code);
    if (result != XD_MP_MORE || front == total) return result;
    *bytes = evbuffer_pullup(input, -1);
    if (!*bytes) {
        *code = XD_NO_MEMORY;
        return XD_MP_REFUSED;
    }
    return xd_mp_walk(&session->walk, *bytes, total, &limits, code);
}

static void handle(struct xd_session *session, const uint8_t *bytes, size_t len)
{
    msgpack_zone *zone = &session->broker->zone;
    msgpack_object message;
    size_t offset = 0;
    msgpack_unpack_return unpacked = msgpack_unpack((const char *)bytes, len, &offset, zone, &message);
    struct xd_rpc rpc;
    enum xd_code code = unpacked == MSGPACK_UNPACK_SUCCESS       ? xd_rpc_read(&message, &rpc)
                        : unpacked == MSGPACK_UNPACK_NOMEM_ERROR ? XD_NO_MEMORY
                                                                 : XD_BAD_FRAME;
    if (code == XD_OK || code == XD_BAD_PARAMS)
        xd_method_call(session, &rpc, code);
    else
        lose(session, code);
    msgpack_zone_clear(zone);
}

/* Nothing more can come: what is left in the input is no whole message. */
static void end_if_done(struct xd_session *session)
{
    if (session->peer_ended && session->outstanding == 0)
        xd_session_close(session, FLUSH_MS, "the peer closed");
}

static void on_readable(void *arg)
{
    struct xd_session *session = arg;
    struct evbuffer *input = xd_link_input(session->link);
    for (unsigned turn = 0; !session->closing && session->lost == XD_OK; turn++) {
        if (must_pause(session)) {
            session->paused = true;
            xd_link_read(session->link, false);
            return;
        }
        if (turn == MESSAGES_PER_TURN) {
            xd_link_again(session->link);
            return;
        }
        const uint8_t *bytes = NULL;
        enum xd_code code = XD_OK;
        enum xd_mp_walk_result result = find_message(session, input, &bytes, &code);
        if (result == XD_MP_REFUSED) {
            lose(session, code);
            return;
        }
        if (result == XD_MP_MORE) {
            end_if_done(session);
            return;
        }
        size_t len = session->walk.at;
        session->walk = (struct xd_mp_walk){0};
        handle(session, bytes, len);
        if (!session->closing) evbuffer_drain(input, len);
    }
}

/* --- the link's other events --- */

static void on_ready(void *arg)
{
    struct xd_session *session = arg;
    if (session->surplus)
        xd_session_refuse(session, XD_OVERLOADED,
                          "there are as many connections as there may be; try again later");
    else if (session->broker->draining)
        xd_session_refuse(session, XD_DRAINING, xd_code_meaning(XD_DRAINING));
}

static void on_ended(void *arg)
{
    struct xd_session *session = arg;
    session->peer_ended = true;
    xd_link_again(session->link);
}

static void on_drained(void *arg)
{
    struct xd_session *session = arg;
    resume(session);
    xd_feed_drained(session->broker->feed, &session->subscriber);
}

static void on_stuck(void *arg)
{
    struct xd_session *session = arg;
    xd_session_refuse(session, XD_SLOW_CONSUMER, xd_code_meaning(XD_SLOW_CONSUMER));
}

static void on_closed(void *arg, const char *why)
{
    struct xd_session *session = arg;
    struct xd_broker *broker = session->broker;
    xd_log(broker->log, XD_LOG_DEBUG, "closed", xd_log_text("account", session->account),
           xd_log_text("why", why));
    session->link = NULL;
    session->closing = true;
    xd_feed_detach(broker->feed, &session->subscriber);
    unlink_session(session);
    xd_session_release(session);
    broker->changed(broker->changed_arg);
}

static const struct xd_link_events link_events = {
    .ready = on_ready,
    .readable = on_readable,
    .ended = on_ended,
    .drained = on_drained,
    .stuck = on_stuck,
    .closed = on_closed,
};

bool xd_session_open(struct xd_broker *broker, evutil_socket_t socket, bool surplus)
{
    const struct xd_link_options options = {.input_max =
                                                (size_t)broker->settings->max_message + XD_OUTPUT_LOW,
                                            .output_low = XD_OUTPUT_LOW,
                                            .slow_ms = broker->settings->slow_timeout_ms,
                                            .opening_ms = OPENING_MS};
    struct xd_session *session = calloc(1, sizeof(*session));
    if (!session) {
        evutil_closesocket(socket);
        return false;
    }
    session->broker = broker;
    session->surplus = surplus;
    session->references = 1;
    session->link = xd_link_open(broker->base, &broker->transport, socket, &options, &link_events, session);
    if (!session->link) {
        free(session);
        return false;
    }
    link_session(session);
    xd_log(broker->log, XD_LOG_DEBUG, "connected", xd_log_number("sessions", (int64_t)broker->session_count));
    return true;
}

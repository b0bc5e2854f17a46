/* subscribe and ack. */
#include "broker/method.h"

#include <stdlib.h>
#include <string.h>

/* A subscribe or an ack that waits for the ledger. */
struct position {
    struct xd_reply reply;
    bool named_start; /* `from` said where to begin */
    bool recovered;
    bool ahead;       /* `next` is beyond what this broker has heard of: another may have told it */
    uint64_t next;
    void (*then)(struct position *position);
};

static struct xd_event_id at_offset(const struct xd_broker *broker, uint64_t offset)
{
    return (struct xd_event_id){
        .partition = 0, .generation = xd_ledger_generation(broker->ledger, 0), .offset = offset};
}

static void write_cursor(struct xd_buf *out, const struct xd_broker *broker, uint64_t next)
{
    char cursor[XD_ID_TEXT];
    xd_mp_cstr(out, "cursor");
    xd_mp_str(out, cursor, xd_cursor_format(at_offset(broker, next), cursor));
}

static struct position *begin(const struct xd_call *call)
{
    struct position *position = calloc(1, sizeof(*position));
    if (!position)
        xd_reply_code(&call->reply, XD_NO_MEMORY, NULL);
    else
        position->reply = call->reply;
    return position;
}

/* Where to go on from a cursor. What retention has trimmed, or a former generation told, cannot be had again:
 * then from the oldest event, and not `recovered`. False: a cursor that this installation never gave. One that is
 * ahead may still be such a one: only the ledger knows. */
static bool resume_at(const struct xd_broker *broker, struct xd_event_id cursor, struct position *position)
{
    uint32_t generation = xd_ledger_generation(broker->ledger, 0);
    uint64_t oldest = xd_ledger_event_oldest(broker->ledger, 0);
    if (cursor.partition != 0 || cursor.generation > generation) return false;
    position->ahead = cursor.generation == generation && cursor.offset > xd_ledger_event_head(broker->ledger, 0);
    position->recovered = cursor.generation == generation && cursor.offset >= oldest;
    position->next = position->recovered ? cursor.offset : oldest;
    return true;
}

/* --- subscribe --- */

static void refuse(struct position *position, enum xd_code code, const char *field)
{
    position->reply.session->subscribing = false;
    position->reply.session->durable[0] = '\0';
    xd_reply_code(&position->reply, code, field);
    free(position);
}

/* The answer first, then the events. */
static void start(struct position *position)
{
    struct xd_session *session = xd_session_keep(position->reply.session);
    struct xd_buf *out = xd_reply_begin(&position->reply);
    xd_mp_map(out, 2);
    xd_mp_cstr(out, "recovered");
    xd_mp_bool(out, position->recovered);
    write_cursor(out, session->broker, position->next);
    xd_reply_send(&position->reply);
    if (session->link && !session->closing) xd_feed_attach(session->broker->feed, session, position->next);
    free(position);
    xd_session_release(session);
}

static void on_head(void *arg, const struct xd_event_run *run)
{
    struct position *position = arg;
    if (run->code != XD_OK)
        refuse(position, run->code, NULL);
    else if (position->next > run->head)
        refuse(position, XD_BAD_CURSOR, position->named_start ? "from" : "durable");
    else
        position->then(position);
}

/* Goes on with `then` once it is known that the events before the position have been. */
static void verify(struct position *position, void (*then)(struct position *position))
{
    const struct xd_session *session = position->reply.session;
    if (!position->ahead) {
        then(position);
        return;
    }
    position->then = then;
    xd_ledger_read_events(session->broker->ledger, 0, position->next, xd_session_account(session), 1, on_head, position);
}

static void on_first_saved(void *arg, enum xd_code code)
{
    struct position *position = arg;
    if (code == XD_OK)
        start(position);
    else
        refuse(position, code, NULL);
}

/* A durable name: begins where it was last acknowledged, unless `from` says otherwise. The first time its
 * beginning is kept, so that nothing is missed even by a client that goes away before its first ack. */
static void on_loaded(void *arg, enum xd_code code, struct xd_event_id stored)
{
    struct position *position = arg;
    struct xd_session *session = position->reply.session;
    const struct xd_broker *broker = session->broker;
    if (code == XD_NOT_FOUND) {
        session->acknowledged = position->next;
        xd_ledger_save_cursor(broker->ledger, xd_session_account(session), xd_str_of(session->durable),
                              at_offset(broker, position->next), on_first_saved, position);
        return;
    }
    if (code != XD_OK) {
        refuse(position, code, NULL);
        return;
    }
    session->acknowledged = stored.generation == xd_ledger_generation(broker->ledger, 0) ? stored.offset : 0;
    if (!position->named_start && !resume_at(broker, stored, position)) {
        refuse(position, XD_BAD_CURSOR, "durable");
        return;
    }
    if (position->named_start)
        start(position);
    else
        verify(position, start);
}

static void begin_or_load(struct position *position)
{
    const struct xd_session *session = position->reply.session;
    if (session->durable[0] == '\0')
        start(position);
    else
        xd_ledger_load_cursor(session->broker->ledger, xd_session_account(session), xd_str_of(session->durable),
                              on_loaded, position);
}

static bool read_from(const struct xd_call *call, struct position *position, struct xd_error *error)
{
    const struct xd_broker *broker = call->broker;
    struct xd_str from;
    struct xd_event_id cursor;
    if (!xd_param_text(call, "from", true, &from, error)) return false;
    position->named_start = from.len > 0;
    position->recovered = true;
    position->next = xd_ledger_event_head(broker->ledger, 0);
    if (from.len == 0 || xd_str_equal(from, xd_str_of("now"))) return true;
    if (xd_str_equal(from, xd_str_of("start"))) {
        position->next = xd_ledger_event_oldest(broker->ledger, 0);
        position->recovered = position->next == 0;
        return true;
    }
    if (xd_cursor_parse(from.at, from.len, &cursor) && resume_at(broker, cursor, position)) return true;
    return xd_fail(error, XD_BAD_CURSOR, "from", "%s", xd_code_meaning(XD_BAD_CURSOR));
}

static bool read_durable(const struct xd_call *call, struct xd_error *error)
{
    struct xd_str name;
    if (!xd_param_text(call, "durable", true, &name, error)) return false;
    if (name.len > 0 && !xd_ref_valid(name))
        return xd_fail(error, XD_BAD_PARAMS, "durable", "not a name; allowed: 1 to %d of A-Za-z0-9._:-",
                       XD_REF_MAX);
    if (name.len > 0) memcpy(call->session->durable, name.at, name.len);
    call->session->durable[name.len] = '\0';
    return true;
}

void xd_method_subscribe(struct xd_call *call)
{
    struct xd_session *session = call->session;
    struct xd_error error;
    if (session->subscribing) {
        xd_reply_code(&call->reply, XD_ALREADY_SUBSCRIBED, NULL);
        return;
    }
    struct position *position = begin(call);
    if (!position) return;
    if (!read_from(call, position, &error) || !read_durable(call, &error)) {
        xd_reply_error(&call->reply, &error);
        free(position);
        return;
    }
    session->subscribing = true;
    verify(position, begin_or_load);
}

/* --- ack --- */

static void on_saved(void *arg, enum xd_code code)
{
    struct position *position = arg;
    if (code != XD_OK) {
        xd_reply_code(&position->reply, code, NULL);
    } else {
        struct xd_buf *out = xd_reply_begin(&position->reply);
        xd_mp_map(out, 1);
        write_cursor(out, position->reply.session->broker, position->next);
        xd_reply_send(&position->reply);
    }
    free(position);
}

static bool read_ack(const struct xd_call *call, struct position *position, struct xd_error *error)
{
    struct xd_str text;
    struct xd_event_id cursor;
    if (!xd_param_text(call, "cursor", false, &text, error)) return false;
    if (call->session->durable[0] == '\0' || !call->session->subscriber.session)
        return xd_fail(error, XD_BAD_PARAMS, NULL, "the connection has no durable subscription");
    if (!xd_cursor_parse(text.at, text.len, &cursor) || !resume_at(call->broker, cursor, position) ||
        cursor.generation != xd_ledger_generation(call->broker->ledger, 0))
        return xd_fail(error, XD_BAD_CURSOR, "cursor", "%s", xd_code_meaning(XD_BAD_CURSOR));
    if (position->ahead && cursor.offset > call->session->subscriber.next)
        return xd_fail(error, XD_BAD_CURSOR, "cursor", "%s", xd_code_meaning(XD_BAD_CURSOR));
    position->next = cursor.offset;
    return true;
}

void xd_method_ack(struct xd_call *call)
{
    struct xd_session *session = call->session;
    struct xd_error error;
    struct position *position = begin(call);
    if (!position) return;
    if (!read_ack(call, position, &error)) {
        xd_reply_error(&call->reply, &error);
        free(position);
        return;
    }
    /* Only ever forward: an older one keeps what a newer one, stored or on its way, has said. */
    if (position->next > session->acknowledged) session->acknowledged = position->next;
    position->next = session->acknowledged;
    xd_ledger_save_cursor(call->broker->ledger, xd_session_account(session), xd_str_of(session->durable),
                          at_offset(call->broker, position->next), on_saved, position);
}

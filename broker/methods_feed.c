/* subscribe and ack. */
#include "broker/method.h"
#include "core/pair.h"

#include <stdlib.h>
#include <string.h>

/* A subscribe or an ack that waits for the ledger. */
struct position {
    struct xd_reply reply;
    bool named_start; /* `from` said where to begin */
    bool recovered;
    uint16_t verified; /* partitions whose position is known to be one */
    void (*then)(struct position *position);
    struct xd_position at[]; /* of each partition */
};

static const struct xd_broker *broker_of(const struct position *position)
{
    return position->reply.session->broker;
}

static struct xd_str cursor_text(const struct position *position, char out[static XD_CURSOR_TEXT])
{
    return (struct xd_str){out,
                           (uint32_t)xd_cursor_write(position->at, broker_of(position)->partitions, out)};
}

static void write_cursor(struct xd_buf *out, const struct position *position)
{
    char text[XD_CURSOR_TEXT];
    struct xd_str cursor = cursor_text(position, text);
    xd_pair_str(out, "cursor", cursor);
}

static void save(struct position *position, xd_done_cb *callback)
{
    char text[XD_CURSOR_TEXT];
    const struct xd_session *session = position->reply.session;
    xd_ledger_save_cursor(session->broker->ledger, xd_session_account(session), xd_str_of(session->durable),
                          cursor_text(position, text), callback, position);
}

static struct position *begin(const struct xd_call *call)
{
    struct position *position =
        calloc(1, sizeof(*position) + call->broker->partitions * sizeof(struct xd_position));
    if (!position)
        xd_reply_code(&call->reply, XD_NO_MEMORY, NULL);
    else
        position->reply = call->reply;
    return position;
}

/* Where to go on in one partition. What retention has trimmed, or a former generation told, cannot be had
 * again: then from the oldest event, and not `recovered`. One that is ahead of what this broker has heard of
 * may be another broker's, or none of this installation: only the ledger knows. */
static void resume_in(const struct xd_broker *broker, uint16_t partition, struct xd_position from,
                      struct position *position)
{
    uint32_t generation = xd_ledger_generation(broker->ledger, partition);
    uint64_t oldest = xd_ledger_event_oldest(broker->ledger, partition);
    bool recovered = from.generation >= generation && from.next >= oldest;
    position->recovered = position->recovered && recovered;
    position->at[partition] = recovered ? from : (struct xd_position){generation, oldest};
}

static bool resume_at(struct xd_str cursor, struct position *position)
{
    struct xd_position from[XD_CURSOR_PARTITIONS];
    const struct xd_broker *broker = broker_of(position);
    if (!xd_cursor_read(cursor, from, broker->partitions)) return false;
    position->recovered = true;
    for (uint16_t i = 0; i < broker->partitions; i++)
        resume_in(broker, i, from[i], position);
    return true;
}

/* What was acknowledged, never less than before: an older one keeps what a newer one, stored or on its way,
 * has said. */
static bool acknowledge(struct position *position)
{
    struct xd_session *session = position->reply.session;
    uint16_t count = session->broker->partitions;
    if (!session->acknowledged) session->acknowledged = calloc(count, sizeof(*session->acknowledged));
    if (!session->acknowledged) return false;
    for (uint16_t i = 0; i < count; i++) {
        struct xd_position *known = &session->acknowledged[i];
        bool further = position->at[i].generation != known->generation || position->at[i].next > known->next;
        if (further) *known = position->at[i];
        position->at[i] = *known;
    }
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
    const struct xd_broker *broker = broker_of(position);
    for (uint16_t i = 0; i < broker->partitions; i++)
        if (position->at[i].generation !=
            xd_ledger_generation(broker->ledger, i)) { /* it has risen meanwhile */
            refuse(position, XD_STORAGE_FAILED, NULL);
            return;
        }
    struct xd_session *session = xd_session_keep(position->reply.session);
    struct xd_buf *out = xd_reply_begin(&position->reply);
    xd_mp_map(out, 2);
    xd_pair_bool(out, "recovered", position->recovered);
    write_cursor(out, position);
    xd_reply_send(&position->reply);
    if (session->link && !session->closing && !xd_feed_attach(session->broker->feed, session, position->at))
        xd_session_close(session, 0, "no memory");
    free(position);
    xd_session_release(session);
}

static bool is_ahead(const struct position *position, uint16_t partition)
{
    const struct xd_ledger *ledger = broker_of(position)->ledger;
    return position->at[partition].next > xd_ledger_event_head(ledger, partition) ||
           position->at[partition].generation > xd_ledger_generation(ledger, partition);
}

static void verify(struct position *position, void (*then)(struct position *position));

static void on_head(void *arg, const struct xd_event_run *run)
{
    struct position *position = arg;
    struct xd_ledger *ledger = broker_of(position)->ledger;
    const struct xd_position *at = &position->at[position->verified];
    if (run->code != XD_OK) {
        refuse(position, run->code, NULL);
    } else if (xd_ledger_may_be_behind(ledger, position->verified, at->generation)) {
        refuse(position, XD_STORAGE_FAILED, NULL);
    } else if (at->next > run->head || at->generation > xd_ledger_generation(ledger, position->verified)) {
        refuse(position, XD_BAD_CURSOR, position->named_start ? "from" : "durable");
    } else {
        position->verified++;
        verify(position, position->then);
    }
}

/* Goes on with `then` once it is known that the events before the position have been, in every partition. */
static void verify(struct position *position, void (*then)(struct position *position))
{
    const struct xd_session *session = position->reply.session;
    uint16_t count = session->broker->partitions;
    while (position->verified < count && !is_ahead(position, position->verified))
        position->verified++;
    if (position->verified == count) {
        then(position);
        return;
    }
    position->then = then;
    xd_ledger_read_events(session->broker->ledger, position->verified, position->at[position->verified].next,
                          xd_session_account(session), 1, on_head, position);
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
static void on_loaded(void *arg, enum xd_code code, struct xd_str stored)
{
    struct position *position = arg;
    struct xd_session *session = position->reply.session;
    uint16_t count = session->broker->partitions;
    free(session->acknowledged);
    session->acknowledged = calloc(count, sizeof(*session->acknowledged));
    if (!session->acknowledged) {
        refuse(position, XD_NO_MEMORY, NULL);
    } else if (code == XD_NOT_FOUND) {
        memcpy(session->acknowledged, position->at, count * sizeof(*position->at));
        save(position, on_first_saved);
    } else if (code != XD_OK) {
        refuse(position, code, NULL);
    } else {
        xd_cursor_read(stored, session->acknowledged, count);
        if (!position->named_start && !resume_at(stored, position)) {
            refuse(position, XD_BAD_CURSOR, "durable");
            return;
        }
        position->verified = position->named_start ? count : 0;
        verify(position, start);
    }
}

static void begin_or_load(struct position *position)
{
    const struct xd_session *session = position->reply.session;
    if (session->durable[0] == '\0')
        start(position);
    else
        xd_ledger_load_cursor(session->broker->ledger, xd_session_account(session),
                              xd_str_of(session->durable), on_loaded, position);
}

/* From the oldest event there is, or from now. */
static void begin_at(const struct xd_broker *broker, bool oldest, struct position *position)
{
    position->recovered = true;
    for (uint16_t i = 0; i < broker->partitions; i++) {
        uint64_t next =
            oldest ? xd_ledger_event_oldest(broker->ledger, i) : xd_ledger_event_head(broker->ledger, i);
        position->at[i] = (struct xd_position){xd_ledger_generation(broker->ledger, i), next};
        if (oldest && next > 0) position->recovered = false;
    }
}

static bool read_from(const struct xd_call *call, struct position *position, struct xd_error *error)
{
    struct xd_str from;
    if (!xd_param_text(call, "from", true, &from, error)) return false;
    bool oldest = xd_str_equal(from, xd_str_of("start"));
    position->named_start = from.len > 0;
    begin_at(call->broker, oldest, position);
    if (oldest || from.len == 0 || xd_str_equal(from, xd_str_of("now")) || resume_at(from, position))
        return true;
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
        write_cursor(out, position);
        xd_reply_send(&position->reply);
    }
    free(position);
}

static bool read_ack(const struct xd_call *call, struct position *position, struct xd_error *error)
{
    struct xd_str text;
    struct xd_position given[XD_CURSOR_PARTITIONS];
    uint16_t count = call->broker->partitions;
    if (!xd_param_text(call, "cursor", false, &text, error)) return false;
    if (call->session->durable[0] == '\0' || !call->session->subscriber.session)
        return xd_fail(error, XD_BAD_PARAMS, NULL, "the connection has no durable subscription");
    bool well = xd_cursor_read(text, given, count) && resume_at(text, position);
    const struct xd_feed_place *told = call->session->subscriber.places;
    for (uint16_t i = 0; well && i < count; i++) {
        position->at[i].next = given[i].next;
        bool known = !is_ahead(position, i) || (told && given[i].next <= told[i].at.next);
        well = known && given[i].generation == xd_ledger_generation(call->broker->ledger, i);
    }
    return well || xd_fail(error, XD_BAD_CURSOR, "cursor", "%s", xd_code_meaning(XD_BAD_CURSOR));
}

void xd_method_ack(struct xd_call *call)
{
    struct xd_error error;
    struct position *position = begin(call);
    if (!position) return;
    bool well = read_ack(call, position, &error);
    if (well && !acknowledge(position))
        well = xd_fail(&error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
    if (well) {
        save(position, on_saved);
    } else {
        xd_reply_error(&call->reply, &error);
        free(position);
    }
}

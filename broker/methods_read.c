/* orders, matches and state_hash: asked of all partitions that may have something, some at a time, in the order of
 * their numbers, which is that of ids. */
#include "broker/inquiry.h"
#include "broker/method.h"
#include "broker/route.h"

#include <stdlib.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, AT_ONCE = 8, ENTRIES_MAX = 16 << 20, HASH_BYTES = 128 };

struct kind {
    enum xd_question_type type;
    const char *list; /* the result's key */
    const char *(*state_name)(int state);
    int states;
    bool (*parse)(const char *text, size_t len, uint64_t *id);
    size_t (*format)(uint64_t id, char out[static XD_ID_TEXT]);
};

static const char *order_state(int state)
{
    return xd_order_state_name((enum xd_order_state)state);
}

static const char *match_state(int state)
{
    return xd_match_state_name((enum xd_match_state)state);
}

static const struct kind orders = {XD_ASK_ORDERS,        "orders",          order_state,
                                   XD_ORDER_STATE_COUNT, xd_order_id_parse, xd_order_id_format};
static const struct kind matches = {XD_ASK_MATCHES,       "matches",         match_state,
                                    XD_MATCH_STATE_COUNT, xd_match_id_parse, xd_match_id_format};
static const struct kind hashes = {.type = XD_ASK_STATE_HASH, .list = "partitions"};

struct reading;

/* What one partition said. */
struct part {
    struct reading *reading;
    struct xd_error error;
    struct xd_buf value;
    size_t expected; /* held for it until it has come */
};

struct reading {
    struct xd_reply reply;
    const struct kind *kind;
    struct xd_question question;
    uint32_t limit;  /* of entries, in all */
    uint16_t next;   /* partition to be asked next */
    uint16_t asked;  /* of `parts` */
    uint16_t waiting;
    struct xd_buf entries;
    uint32_t count;
    uint64_t last; /* id of the last entry */
    bool more;
    size_t held;
    struct part parts[AT_ONCE];
};

/* --- the answer ----------------------------------------------------------------------------------------- */

static void drop(struct reading *reading)
{
    for (int i = 0; i < AT_ONCE; i++)
        xd_buf_free(&reading->parts[i].value);
    xd_buf_free(&reading->entries);
    free(reading);
}

static void refuse(struct reading *reading, const struct xd_error *error)
{
    xd_session_let_go(reading->reply.session, reading->held);
    xd_reply_error(&reading->reply, error);
    drop(reading);
}

static void show(struct reading *reading)
{
    bool pages = reading->kind != &hashes;
    xd_session_let_go(reading->reply.session, reading->held);
    struct xd_buf *out = xd_reply_begin(&reading->reply);
    xd_mp_map(out, pages ? 2 : 1);
    xd_mp_cstr(out, reading->kind->list);
    xd_mp_array(out, reading->count);
    xd_buf_add(out, reading->entries.data, reading->entries.len);
    out->failed = out->failed || reading->entries.failed;
    if (pages) {
        char id[XD_ID_TEXT];
        xd_mp_cstr(out, "next");
        if (reading->more)
            xd_mp_str(out, id, reading->kind->format(reading->last, id));
        else
            xd_mp_nil(out);
    }
    xd_reply_send(&reading->reply);
    drop(reading);
}

/* --- what partitions said ------------------------------------------------------------------------------- */

static void hold(struct reading *reading, size_t bytes)
{
    reading->held += bytes;
    xd_session_hold(reading->reply.session, bytes);
}

static void let_go(struct reading *reading, size_t bytes)
{
    reading->held -= bytes;
    xd_session_let_go(reading->reply.session, bytes);
}

/* Adds a partition's entries. False: the page ends before or with them. */
static bool add_entries(struct reading *reading, const struct part *part)
{
    struct xd_str value = {(const char *)part->value.data, (uint32_t)part->value.len}, entries = value;
    struct xd_listing_head head = {.count = 1};
    if (reading->kind != &hashes && !xd_listing_head_read(value, &head, &entries)) return false;
    bool fits = reading->count + head.count <= reading->limit &&
                reading->entries.len + entries.len <= XD_ANSWER_BYTES;
    if (reading->count > 0 && reading->kind != &hashes && !fits) {
        reading->more = reading->more || head.count > 0;
        return head.count == 0;
    }
    xd_buf_add(&reading->entries, entries.at, entries.len);
    reading->count += head.count;
    if (head.count > 0) reading->last = head.last;
    reading->more = head.more;
    return !head.more;
}

static void ask_some(struct reading *reading);

static void take(struct reading *reading)
{
    bool goes_on = true;
    for (uint16_t i = 0; i < reading->asked; i++) {
        if (reading->parts[i].error.code != XD_OK) {
            refuse(reading, &reading->parts[i].error);
            return;
        }
    }
    for (uint16_t i = 0; i < reading->asked && goes_on; i++)
        goes_on = add_entries(reading, &reading->parts[i]);
    bool left = reading->next < reading->reply.session->broker->partitions;
    if (goes_on && left && reading->count < reading->limit) {
        ask_some(reading);
        return;
    }
    if (goes_on && left) reading->more = true; /* perhaps; the next page says */
    show(reading);
}

static void on_answer(void *arg, const struct xd_error *error, struct xd_str value)
{
    struct part *part = arg;
    struct reading *reading = part->reading;
    part->error = *error;
    xd_buf_free(&part->value);
    xd_buf_init(&part->value, ENTRIES_MAX);
    xd_buf_add(&part->value, value.at, value.len);
    let_go(reading, part->expected);
    hold(reading, value.len);
    if (--reading->waiting == 0) take(reading);
}

static void ask_some(struct reading *reading)
{
    struct xd_broker *broker = reading->reply.session->broker;
    uint64_t after = reading->question.after;
    reading->asked = 0;
    reading->waiting = 1; /* until all have been asked */
    while (reading->asked < AT_ONCE && reading->next < broker->partitions) {
        struct part *part = &reading->parts[reading->asked++];
        struct xd_question question = reading->question;
        uint16_t partition = reading->next++;
        question.limit = reading->limit - reading->count;
        question.after = after != 0 && xd_id_partition(after) == partition ? after : 0;
        part->reading = reading;
        part->expected = reading->kind == &hashes ? HASH_BYTES : XD_ANSWER_BYTES;
        hold(reading, part->expected);
        part->error = (struct xd_error){.code = XD_OK};
        if (xd_inquire(broker, partition, &question, on_answer, part))
            reading->waiting++;
        else
            xd_fail(&part->error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
    }
    if (--reading->waiting == 0) take(reading);
}

/* --- the question --------------------------------------------------------------------------------------- */

static bool read_listing(const struct xd_call *call, const struct kind *kind, struct xd_question *out,
                         struct xd_error *error)
{
    struct xd_str state, after;
    int64_t limit = 0;
    out->account = xd_session_account(call->session);
    out->state = -1;
    if (!xd_param_text(call, "state", true, &state, error) ||
        !xd_param_text(call, "after", true, &after, error) ||
        !xd_param_int(call, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, &limit, error))
        return false;
    out->limit = (uint32_t)limit;
    if (after.len > 0 && !kind->parse(after.at, after.len, &out->after))
        return xd_fail(error, XD_BAD_PARAMS, "after", "not an id that a page before ended with");
    if (state.len == 0) return true;
    for (int i = 0; i < kind->states; i++)
        if (xd_str_equal(state, xd_str_of(kind->state_name(i)))) out->state = i;
    if (out->state >= 0) return true;
    return xd_fail(error, XD_BAD_PARAMS, "state", "there is no such state of %s", kind->list);
}

static void begin(const struct xd_call *call, const struct kind *kind, const struct xd_question *question)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    enum xd_code state = reading ? xd_broker_state(call->broker) : XD_NO_MEMORY;
    if (state != XD_OK) {
        xd_reply_code(&call->reply, state, NULL);
        free(reading);
        return;
    }
    reading->reply = call->reply;
    reading->kind = kind;
    reading->question = *question;
    reading->limit = question->limit;
    if (question->after) reading->next = xd_id_partition(question->after);
    xd_buf_init(&reading->entries, ENTRIES_MAX);
    hold(reading, sizeof(*reading));
    ask_some(reading);
}

static void list(const struct xd_call *call, const struct kind *kind)
{
    struct xd_question question = {.type = kind->type};
    struct xd_error error;
    if (read_listing(call, kind, &question, &error))
        begin(call, kind, &question);
    else
        xd_reply_error(&call->reply, &error);
}

void xd_method_orders(struct xd_call *call)
{
    list(call, &orders);
}

void xd_method_matches(struct xd_call *call)
{
    list(call, &matches);
}

void xd_method_state_hash(struct xd_call *call)
{
    const struct xd_question question = {.type = XD_ASK_STATE_HASH, .limit = UINT32_MAX};
    begin(call, &hashes, &question);
}

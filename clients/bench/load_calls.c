#include "clients/bench/load_parts.h"

#include "core/mp.h"
#include "core/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t xd_load_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void xd_load_fail(struct xd_load *load, const char *code, const char *message)
{
    if (load->error.code[0] != '\0') return;
    snprintf(load->error.code, sizeof load->error.code, "%s", code);
    snprintf(load->error.message, sizeof load->error.message, "%s", message);
}

static struct xd_load_call *take_call(struct xd_load *load, struct xd_load_link *link)
{
    struct xd_load_call *call = load->free_calls;
    if (call)
        load->free_calls = call->next;
    else
        call = malloc(sizeof *call);
    if (!call) {
        xd_load_fail(load, "no_memory", "no memory for a call");
        return NULL;
    }
    *call = (struct xd_load_call){.load = load, .link = link};
    return call;
}

static void give_call(struct xd_load_call *call)
{
    free(call->bytes);
    call->next = call->load->free_calls;
    call->load->free_calls = call;
}

void xd_load_free_calls(struct xd_load *load)
{
    for (uint32_t i = 0; i < load->link_count; i++) {
        while (load->links[i].again) {
            struct xd_load_call *call = load->links[i].again;
            load->links[i].again = call->next;
            give_call(call);
        }
    }
    while (load->free_calls) {
        struct xd_load_call *call = load->free_calls;
        load->free_calls = call->next;
        free(call);
    }
}

/* --- answers to orders --- */

static void refused(struct xd_load *load, uint64_t index, const msgpack_object *error)
{
    struct xd_str code, message;
    xd_verify_refused(load->verify, index);
    if (load->stats->refusal[0] != '\0') return;
    if (!xd_mp_get_str(error, "code", &code) || !xd_mp_get_str(error, "message", &message)) return;
    snprintf(load->stats->refusal, sizeof load->stats->refusal, "%.*s: %.*s", (int)code.len, code.at,
             (int)message.len, message.at);
}

static void keep_durability(struct xd_load *load, const msgpack_object *result)
{
    struct xd_str durability;
    if (load->stats->durability[0] == '\0' && xd_mp_get_str(result, "durability", &durability))
        snprintf(load->stats->durability, sizeof load->stats->durability, "%.*s", (int)durability.len,
                 durability.at);
}

static void answered(struct xd_load *load, uint64_t index, const msgpack_object *result, int64_t now_ns)
{
    struct xd_str text;
    uint64_t id;
    const msgpack_object *error = xd_mp_get(result, "error");
    if (error && error->type == MSGPACK_OBJECT_MAP) {
        refused(load, index, error);
        return;
    }
    if (!xd_mp_get_str(result, "id", &text) || !xd_order_id_parse(text.at, text.len, &id)) {
        xd_load_fail(load, "protocol", "an answer to submit without the order's id");
        return;
    }
    xd_verify_acked(load->verify, index, id);
    keep_durability(load, result);
    if (load->setting_up) return;
    load->stats->measured++;
    int64_t waited = now_ns - xd_verify_order(load->verify, index)->due_ns;
    xd_histogram_add(&load->stats->ack, waited > 0 ? (uint64_t)waited : 0);
}

static void batch_answered(struct xd_load_call *call, const msgpack_object *result, int64_t now_ns)
{
    const msgpack_object *results = xd_mp_get(result, "results");
    if (!results || results->type != MSGPACK_OBJECT_ARRAY || results->via.array.size != call->count) {
        xd_load_fail(call->load, "protocol", "an answer to submit without a result for each order");
        return;
    }
    for (uint32_t i = 0; i < call->count; i++)
        answered(call->load, call->first + i, &results->via.array.ptr[i], now_ns);
}

static void submit_replied(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    struct xd_load_call *call = arg;
    struct xd_load *load = call->load;
    int64_t now_ns = xd_load_clock_ns();
    load->last_answer_ns = now_ns;
    if (xd_load_retries(load, error)) {
        xd_load_again(call);
        return;
    }
    call->link->orders -= call->count;
    load->stats->outstanding -= call->count;
    if (error->type != MSGPACK_OBJECT_NIL) {
        for (uint32_t i = 0; i < call->count; i++)
            refused(load, call->first + i, error);
    } else if (load->options.batch == 1) {
        answered(load, call->first, result, now_ns);
    } else {
        batch_answered(call, result, now_ns);
    }
    give_call(call);
}

/* --- actions: cancel, accept, decline --- */

static void action_replied(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    struct xd_load_call *call = arg;
    (void)result;
    if (error->type != MSGPACK_OBJECT_NIL) call->load->stats->actions_refused++;
    give_call(call);
}

/* A refusal is no fault: the match or order may have ended meanwhile. */
static void act(struct xd_load *load, const char *method, const char *key, struct xd_str name,
                const char *account)
{
    enum { ACTION_BYTES = 512 };
    uint8_t bytes[ACTION_BYTES];
    struct xd_buf params = {.data = bytes, .cap = sizeof bytes, .limit = sizeof bytes}; /* never grows */
    xd_mp_map(&params, 2);
    xd_pair_str(&params, key, name);
    xd_pair_cstr(&params, "account", account);
    struct xd_load_link *link = &load->links[load->next_link];
    struct xd_load_call *call = params.failed || !link->client ? NULL : take_call(load, link);
    if (!call) return;
    if (!xd_client_call(link->client, method, params.data, params.len, action_replied, call)) {
        give_call(call);
        return;
    }
    load->stats->actions++;
}

/* Now and then the order before the last few hundred is withdrawn, if it was acknowledged. */
static void maybe_cancel(struct xd_load *load)
{
    enum { AGO = 400 };
    if (load->setting_up || load->sent < load->source->setup + AGO) return;
    if (!xd_random_chance(&load->random, load->source->cancels)) return;
    uint64_t index = load->sent - AGO;
    const struct xd_sent *order = xd_verify_order(load->verify, index);
    char ref[XD_LOAD_REF];
    if (!order->acked) return;
    xd_verify_ref(load->verify, index, ref);
    act(load, "cancel", "ref", xd_str_of(ref), order->account);
}

/* A proposal was told to one side: if that side is the load's and confirms by hand, it answers. Of a proposal
 * that is to be declined only one side says so. */
static void answer_proposal(struct xd_load *load, const struct xd_told *told,
                            const struct xd_verified *verified)
{
    enum { DECLINED_IN = 10 };
    uint64_t mine = xd_told_side(told) == 0 ? verified->offer : verified->request;
    if (mine == XD_VERIFY_NONE) return;
    const struct xd_sent *order = xd_verify_order(load->verify, mine);
    if (!order->manual) return;
    bool decline = xd_id_number(told->match.id) % DECLINED_IN == 0;
    bool by_request =
        verified->request != XD_VERIFY_NONE && xd_verify_order(load->verify, verified->request)->manual;
    if (decline && by_request && mine != verified->request) return;
    char text[XD_ID_TEXT];
    struct xd_str id = {.at = text, .len = (uint32_t)xd_match_id_format(told->match.id, text)};
    act(load, decline ? "decline" : "accept", "match", id, order->account);
}

/* --- orders --- */

static int64_t broker_now(const struct xd_load *load)
{
    if (load->broker_stands) return load->broker_time;
    return load->broker_time + (xd_load_clock_ns() - load->hello_ns) / 1000000000;
}

/* Appends the next order's bytes to the call's parameters. */
static bool add_order(struct xd_load *load, int64_t due_ns)
{
    char ref[XD_LOAD_REF];
    struct xd_load_order order;
    xd_verify_ref(load->verify, load->sent, ref);
    if (!load->source->next(load->source->state, ref, broker_now(load), &order)) {
        load->source_ended = true;
        return false;
    }
    xd_buf_add(&load->params, order.bytes, order.len);
    if (load->params.failed || !xd_verify_sent(load->verify, &order, due_ns)) {
        xd_load_fail(load, "no_memory", "too many orders in one load, or no memory for them");
        return false;
    }
    load->sent++;
    return true;
}

/* The map {"orders": [...]} around what add_order appended; its array's header takes 3 bytes whatever its
 * length. */
enum { ORDERS_HEAD = 1 + 7 + 3 };

static void open_batch(struct xd_buf *params)
{
    static const uint8_t head[ORDERS_HEAD] = {0x81, 0xa6, 'o', 'r', 'd', 'e', 'r', 's', 0xdc, 0, 0};
    xd_buf_add(params, head, sizeof head);
}

static void close_batch(struct xd_buf *params, uint32_t count)
{
    if (params->failed) return;
    params->data[ORDERS_HEAD - 2] = (uint8_t)(count >> 8);
    params->data[ORDERS_HEAD - 1] = (uint8_t)count;
}

bool xd_load_send(struct xd_load *load, struct xd_load_call *call, const uint8_t *bytes, size_t len)
{
    if (xd_client_call(call->link->client, "submit", bytes, len, submit_replied, call)) return true;
    char why[sizeof load->error.message];
    snprintf(why, sizeof why, "%s", xd_client_why(call->link->client)->message);
    xd_load_again(call);
    if (xd_load_lost(load, call->link)) return true;
    xd_load_fail(load, "connection", why);
    return false;
}

/* Sends what was made in the load's buffer, and keeps it where it may be wanted again. */
static bool send_submit(struct xd_load *load, struct xd_load_call *call)
{
    const struct xd_buf *params = &load->params;
    if (load->options.reconnect_ns > 0) {
        call->bytes = malloc(params->len);
        if (!call->bytes) {
            xd_load_fail(load, "no_memory", "no memory for a call");
            give_call(call);
            return false;
        }
        memcpy(call->bytes, params->data, params->len);
        call->len = params->len;
    }
    return xd_load_send(load, call, params->data, params->len);
}

bool xd_load_submit(struct xd_load *load, struct xd_load_link *link, uint32_t count, int64_t due_ns,
                    double step_ns)
{
    bool batch = load->options.batch > 1;
    uint32_t added = 0;
    struct xd_load_call *call = take_call(load, link);
    if (!call) return false;
    call->first = load->sent;
    xd_buf_clear(&load->params);
    if (batch) open_batch(&load->params);
    while (added < count && add_order(load, due_ns + (int64_t)(added * step_ns)))
        added++;
    if (batch) close_batch(&load->params, added);
    call->count = added;
    if (added == 0 || load->error.code[0] != '\0') {
        give_call(call);
        return false;
    }
    link->orders += added;
    load->stats->outstanding += added;
    if (!send_submit(load, call)) return false;
    if (load->source->cancels > 0) maybe_cancel(load);
    return true;
}

/* --- events --- */

static void event(struct xd_load *load, const msgpack_object *params)
{
    struct xd_told told;
    struct xd_verified verified;
    int64_t now_ns = xd_load_clock_ns();
    load->last_event_ns = now_ns;
    if (xd_load_repeated(load, params)) return;
    if (!xd_told_read(params, &told)) {
        xd_verify_garbage(load->verify);
        return;
    }
    if (!xd_verify_event(load->verify, &told, &verified)) return;
    if (verified.formed && verified.incoming != XD_VERIFY_NONE && verified.incoming >= load->source->setup) {
        int64_t waited = now_ns - xd_verify_order(load->verify, verified.incoming)->due_ns;
        xd_histogram_add(&load->stats->match, waited > 0 ? (uint64_t)waited : 0);
    }
    if (told.type == XD_EVENT_MATCH_PROPOSED) answer_proposal(load, &told, &verified);
    if (load->options.told) load->options.told(load->options.arg, load, &told, &verified);
}

void xd_load_notified(void *arg, const char *method, const msgpack_object *params)
{
    struct xd_load *load = arg;
    if (strcmp(method, "event") == 0) event(load, params);
}

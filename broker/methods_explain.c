/* explain and what_if: asked of the engine at once, shown when what was found is durable. */
#include "broker/inquiry.h"
#include "broker/method.h"
#include "broker/route.h"

#include <stdlib.h>
#include <string.h>

/* An explanation that waits for the id of its order. */
struct asked {
    struct xd_reply reply;
    char account[XD_ACCOUNT_MAX + 1];
};

/* An explanation that has been asked for. */
struct explaining {
    struct xd_reply reply;
    bool by_ref;
};

static void on_explained(void *arg, const struct xd_error *error, struct xd_str value)
{
    struct explaining explaining = *(struct explaining *)arg;
    struct xd_error told = *error;
    free(arg);
    if (error->code != XD_OK) {
        if (explaining.by_ref && told.field[0]) strcpy(told.field, "ref");
        xd_reply_error(&explaining.reply, &told);
        return;
    }
    xd_buf_add(xd_reply_begin(&explaining.reply), value.at, value.len);
    xd_reply_send(&explaining.reply);
}

static void ask(const struct xd_reply *reply, uint16_t partition, const struct xd_question *question,
                bool by_ref)
{
    struct xd_broker *broker = reply->session->broker;
    enum xd_code state = xd_broker_state(broker);
    struct explaining *explaining = state == XD_OK ? malloc(sizeof(*explaining)) : NULL;
    if (explaining) *explaining = (struct explaining){*reply, by_ref};
    if (explaining && xd_inquire(broker, partition, question, on_explained, explaining)) return;
    free(explaining);
    xd_reply_code(reply, state != XD_OK ? state : XD_NO_MEMORY, NULL);
}

/* --- explain --- */

static void explain(const struct xd_reply *reply, struct xd_str account, uint64_t id, bool by_ref)
{
    const struct xd_question question = {.type = XD_ASK_EXPLAIN, .account = account, .id = id};
    uint16_t partition;
    if (xd_route_id(reply->session->broker, id, &partition))
        ask(reply, partition, &question, by_ref);
    else
        xd_reply_code(reply, XD_NOT_FOUND, by_ref ? "ref" : "id");
}

static void on_found(void *arg, enum xd_code code, uint64_t order_id)
{
    struct asked *asked = arg;
    if (code == XD_OK)
        explain(&asked->reply, xd_str_of(asked->account), order_id, true);
    else
        xd_reply_code(&asked->reply, code, code == XD_NOT_FOUND ? "ref" : NULL);
    free(asked);
}

static void explain_ref(const struct xd_call *call, struct xd_str account, struct xd_str ref)
{
    struct asked *asked = calloc(1, sizeof(*asked));
    if (!asked) {
        xd_reply_code(&call->reply, XD_NO_MEMORY, NULL);
        return;
    }
    asked->reply = call->reply;
    memcpy(asked->account, account.at, account.len);
    xd_ledger_find_ref(call->broker->ledger, xd_str_of(asked->account), ref, on_found, asked);
}

void xd_method_explain(struct xd_call *call)
{
    struct xd_str account, ref;
    struct xd_error error;
    uint64_t id = 0;
    if (!xd_param_account(call, &account, &error) || !xd_param_order_name(call, &ref, &id, &error))
        xd_reply_error(&call->reply, &error);
    else if (ref.len > 0)
        explain_ref(call, account, ref);
    else
        explain(&call->reply, account, id, false);
}

/* --- what_if --- */

/* An order that is not to be submitted needs no name: it gets one that takes nobody's. */
static bool with_ref(struct xd_broker *broker, const msgpack_object *params, msgpack_object *out)
{
    static const char key[] = "ref", name[] = "what-if";
    *out = *params;
    if (xd_mp_get(params, key)) return true;
    uint32_t size = params->via.map.size;
    msgpack_object_kv *pairs = msgpack_zone_malloc(&broker->zone, (size + 1) * sizeof(*pairs));
    if (!pairs) return false;
    if (size > 0) memcpy(pairs, params->via.map.ptr, size * sizeof(*pairs));
    pairs[size] = (msgpack_object_kv){
        .key = {.type = MSGPACK_OBJECT_STR, .via.str = {.size = sizeof(key) - 1, .ptr = key}},
        .val = {.type = MSGPACK_OBJECT_STR, .via.str = {.size = sizeof(name) - 1, .ptr = name}}};
    out->via.map.ptr = pairs;
    out->via.map.size = size + 1;
    return true;
}

static bool read_order(const struct xd_call *call, struct xd_str *account, struct xd_order *order,
                       struct xd_error *error)
{
    msgpack_object map;
    if (!call->params) return xd_fail(error, XD_BAD_PARAMS, NULL, "an order is missing");
    if (!with_ref(call->broker, call->params, &map))
        return xd_fail(error, XD_NO_MEMORY, NULL, "%s", xd_code_meaning(XD_NO_MEMORY));
    return xd_param_order(call->session, map, account, order, error);
}

void xd_method_what_if(struct xd_call *call)
{
    struct xd_question question = {.type = XD_ASK_WHAT_IF};
    struct xd_error error;
    if (read_order(call, &question.account, &question.order, &error))
        ask(&call->reply, xd_route_order(call->broker, &question.order), &question, false);
    else
        xd_reply_error(&call->reply, &error);
}

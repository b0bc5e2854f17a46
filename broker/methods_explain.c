/* explain and what_if: asked of the engine at once, shown when what was found is durable. */
#include "broker/method.h"
#include "broker/page.h"
#include "broker/route.h"
#include "matcher/explain.h"

#include <stdlib.h>
#include <string.h>

/* An explanation that waits for the id of its order. */
struct asked {
    struct xd_reply reply;
    char account[XD_ACCOUNT_MAX + 1];
};

static int64_t now_of(const struct xd_broker *broker)
{
    return xd_ledger_now_ms(broker->ledger) / 1000;
}

/* --- explain --- */

static void explain(const struct xd_reply *reply, struct xd_str account, uint64_t id, bool by_ref)
{
    struct xd_engine *engine = NULL;
    struct xd_error error;
    uint16_t partition;
    if (!xd_route_id(id, &partition)) {
        xd_reply_code(reply, XD_NOT_FOUND, by_ref ? "ref" : "id");
        return;
    }
    struct xd_page *page = xd_page_begin(reply, &engine);
    if (!page) return;
    if (xd_engine_explain(engine, now_of(reply->session->broker), account, id, &page->value, &error)) {
        xd_page_show(page);
        return;
    }
    if (by_ref && error.field[0]) strcpy(error.field, "ref");
    xd_page_refuse(page, &error);
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
    struct xd_str account;
    struct xd_order order;
    struct xd_error error;
    struct xd_engine *engine = NULL;
    if (!read_order(call, &account, &order, &error)) {
        xd_reply_error(&call->reply, &error);
        return;
    }
    struct xd_page *page = xd_page_begin(&call->reply, &engine);
    if (!page) return;
    if (xd_engine_what_if(engine, now_of(call->broker), &order, account, XD_CREDIT_UNKNOWN, &page->value,
                          &error))
        xd_page_show(page);
    else
        xd_page_refuse(page, &error);
}

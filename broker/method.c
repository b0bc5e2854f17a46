#include "broker/method.h"

#include <string.h>

enum {
    BEFORE_HELLO = 1 << 0,   /* may be called without one */
    OPERATOR = 1 << 1,       /* not where clients authenticate */
    TEST_CLOCK = 1 << 2,     /* exists only under --test-clock */
    SILENT = 1 << 3,         /* has an effect as a notification too */
    WHILE_DRAINING = 1 << 4, /* is still carried out then */
    ANY_PARAMS = 1 << 5,     /* does not mind parameters that it does not know */
};

struct method {
    const char *name;
    xd_handler *handler;
    unsigned flags;
    const char *const *params; /* names, NULL-terminated */
};

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct method methods[] = {
    {"submit", xd_method_submit, SILENT | ANY_PARAMS, NULL},
    {"ping", xd_method_ping, BEFORE_HELLO | SILENT | WHILE_DRAINING, NULL},
    {"hello", xd_method_hello, BEFORE_HELLO | SILENT | WHILE_DRAINING | ANY_PARAMS, NULL},
    {"amend", xd_method_amend, SILENT | ANY_PARAMS, NULL},
    {"cancel", xd_method_cancel, SILENT, NAMES("ref", "id", "account")},
    {"cancel_match", xd_method_cancel_match, SILENT, NAMES("match", "account")},
    {"accept", xd_method_accept, SILENT, NAMES("match", "account")},
    {"decline", xd_method_decline, SILENT, NAMES("match", "account")},
    {"complete", xd_method_complete, SILENT, NAMES("match", "account")},
    {"no_show", xd_method_no_show, SILENT, NAMES("match", "account")},
    {"orders", xd_method_orders, 0, NAMES("state", "limit", "after")},
    {"matches", xd_method_matches, 0, NAMES("state", "limit", "after")},
    {"explain", xd_method_explain, 0, NAMES("ref", "id", "account")},
    {"what_if", xd_method_what_if, ANY_PARAMS, NULL},
    {"subscribe", xd_method_subscribe, SILENT, NAMES("from", "durable")},
    {"ack", xd_method_ack, SILENT | WHILE_DRAINING, NAMES("cursor")},
    {"state_hash", xd_method_state_hash, OPERATOR, NULL},
    {"clock", xd_method_clock, TEST_CLOCK | SILENT, NAMES("set", "advance")},
};

static const struct method *find(const struct xd_broker *broker, struct xd_str name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
        if (xd_str_equal(name, xd_str_of(methods[i].name)))
            return methods[i].flags & TEST_CLOCK && !broker->clock.by_hand ? NULL : &methods[i];
    return NULL;
}

static bool is_known(const struct method *method, struct xd_str name)
{
    for (const char *const *known = method->params; known && *known; known++)
        if (xd_str_equal(name, xd_str_of(*known))) return true;
    return false;
}

/* Each parameter is one of the method's, and there once. */
static bool check_params(const struct method *method, const msgpack_object *params, struct xd_error *error)
{
    if (!params || method->flags & ANY_PARAMS) return true;
    for (uint32_t i = 0; i < params->via.map.size; i++) {
        const msgpack_object *key = &params->via.map.ptr[i].key;
        if (key->type != MSGPACK_OBJECT_STR)
            return xd_fail(error, XD_BAD_PARAMS, NULL, "a parameter's name is no string");
        struct xd_str name = {key->via.str.ptr, key->via.str.size};
        char field[XD_ERROR_FIELD_MAX];
        snprintf(field, sizeof(field), "%.*s", (int)name.len, name.at);
        if (!is_known(method, name))
            return xd_fail(error, XD_BAD_PARAMS, field, "%s has no such parameter", method->name);
        if (xd_mp_get(params, field) != &params->via.map.ptr[i].val)
            return xd_fail(error, XD_BAD_PARAMS, field, "given twice");
    }
    return true;
}

/* What stands against the call, or XD_OK. */
static enum xd_code check_session(const struct xd_session *session, const struct method *method)
{
    if (!session->greeted && !(method->flags & BEFORE_HELLO)) return XD_HELLO_FIRST;
    if (method->flags & OPERATOR && xd_settings_authenticated(session->broker->settings)) return XD_FORBIDDEN;
    if (session->broker->draining && !(method->flags & WHILE_DRAINING)) return XD_DRAINING;
    return XD_OK;
}

void xd_method_call(struct xd_session *session, const struct xd_rpc *rpc, enum xd_code code)
{
    const struct method *method = find(session->broker, rpc->method);
    if (!rpc->wants_answer && (!method || !(method->flags & SILENT) || code != XD_OK)) return;
    struct xd_call call = {.broker = session->broker,
                           .session = session,
                           .params = rpc->params,
                           .reply = {.session = session, .msgid = rpc->msgid, .wanted = rpc->wants_answer}};
    xd_session_began(session);
    struct xd_error error;
    enum xd_code problem = !method ? XD_UNKNOWN_METHOD : check_session(session, method);
    if (problem != XD_OK) {
        xd_reply_code(&call.reply, problem, NULL);
        return;
    }
    if (code != XD_OK) {
        xd_reply_code(&call.reply, code, NULL);
        return;
    }
    if (!check_params(method, rpc->params, &error)) {
        xd_reply_error(&call.reply, &error);
        return;
    }
    if (!(method->flags & BEFORE_HELLO)) session->asked = true;
    method->handler(&call);
}

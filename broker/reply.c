/* Answers, and what is read from a call's parameters. */
#include "broker/method.h"
#include "core/id.h"

#include <inttypes.h>

struct xd_buf *xd_reply_begin(const struct xd_reply *reply)
{
    struct xd_buf *out = &reply->session->broker->scratch;
    xd_buf_clear(out);
    xd_rpc_result(out, reply->msgid);
    return out;
}

static void finish(const struct xd_reply *reply)
{
    struct xd_buf *out = &reply->session->broker->scratch;
    if (reply->wanted) xd_session_send(reply->session, out);
    if (out->cap > XD_OUTPUT_HIGH) xd_buf_free(out);
    xd_session_answered(reply->session);
}

void xd_reply_send(const struct xd_reply *reply)
{
    finish(reply);
}

void xd_reply_error(const struct xd_reply *reply, const struct xd_error *error)
{
    struct xd_buf *out = &reply->session->broker->scratch;
    xd_buf_clear(out);
    xd_rpc_error(out, reply->msgid, error);
    finish(reply);
}

void xd_reply_code(const struct xd_reply *reply, enum xd_code code, const char *field)
{
    struct xd_error error;
    xd_fail(&error, code, field, "%s", xd_code_meaning(code));
    xd_reply_error(reply, &error);
}

bool xd_param_text(const struct xd_call *call, const char *name, bool optional, struct xd_str *out,
                   struct xd_error *error)
{
    const msgpack_object *value = call->params ? xd_mp_get(call->params, name) : NULL;
    if (!value || value->type == MSGPACK_OBJECT_NIL) {
        if (!optional) return xd_fail(error, XD_BAD_PARAMS, name, "missing");
        *out = (struct xd_str){0};
        return true;
    }
    if (value->type != MSGPACK_OBJECT_STR) return xd_fail(error, XD_BAD_PARAMS, name, "not a string");
    if (value->via.str.size == 0) return xd_fail(error, XD_BAD_PARAMS, name, "empty");
    *out = (struct xd_str){value->via.str.ptr, value->via.str.size};
    return true;
}

bool xd_param_int(const struct xd_call *call, const char *name, int64_t min, int64_t max, int64_t fallback,
                  int64_t *out, struct xd_error *error)
{
    const msgpack_object *value = call->params ? xd_mp_get(call->params, name) : NULL;
    int64_t number = fallback;
    if (value && value->type != MSGPACK_OBJECT_NIL && !xd_mp_get_int(call->params, name, &number))
        return xd_fail(error, XD_BAD_PARAMS, name, "not an integer");
    if (number < min || number > max)
        return xd_fail(error, XD_BAD_PARAMS, name, "%" PRId64 " is not within %" PRId64 " to %" PRId64,
                       number, min, max);
    *out = number;
    return true;
}

bool xd_param_account(const struct xd_call *call, struct xd_str *out, struct xd_error *error)
{
    struct xd_str own = xd_session_account(call->session);
    struct xd_str named;
    if (!xd_param_text(call, "account", !call->session->is_operator, &named, error)) return false;
    if (named.len == 0 && !call->session->is_operator) {
        *out = own;
        return true;
    }
    if (!call->session->is_operator && !xd_str_equal(named, own))
        return xd_fail(error, XD_FORBIDDEN, "account",
                       "only an operator's connection acts for other accounts");
    if (!xd_account_valid(named))
        return xd_fail(error, XD_BAD_PARAMS, "account", "not an account; allowed: 1 to %d of A-Za-z0-9._:@-",
                       XD_ACCOUNT_MAX);
    *out = named;
    return true;
}

bool xd_param_order_name(const struct xd_call *call, struct xd_str *ref, uint64_t *id, struct xd_error *error)
{
    struct xd_str text;
    if (!xd_param_text(call, "ref", true, ref, error) || !xd_param_text(call, "id", true, &text, error)) return false;
    if ((ref->len > 0) == (text.len > 0)) return xd_fail(error, XD_BAD_PARAMS, NULL, "either ref or id is needed");
    if (ref->len > 0 && !xd_ref_valid(*ref))
        return xd_fail(error, XD_BAD_PARAMS, "ref", "not a ref; allowed: 1 to %d of A-Za-z0-9._:-", XD_REF_MAX);
    if (text.len > 0 && !xd_order_id_parse(text.at, text.len, id))
        return xd_fail(error, XD_BAD_PARAMS, "id", "not the id of an order, as o0-17 is one");
    return true;
}

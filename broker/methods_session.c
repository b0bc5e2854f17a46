/* hello and ping. */
#include "broker/method.h"
#include "core/pair.h"

#include <string.h>

static void write_limits(struct xd_buf *out, const struct xd_broker *broker)
{
    xd_mp_map(out, 5);
    xd_pair_int(out, "message_bytes", broker->settings->max_message);
    xd_pair_int(out, "depth", XD_FRAME_DEPTH);
    xd_pair_int(out, "elements", XD_FRAME_ELEMENTS);
    xd_pair_int(out, "orders", XD_SUBMIT_ORDERS);
    xd_pair_int(out, "outstanding", XD_OUTSTANDING_MAX);
}

static void answer(const struct xd_call *call)
{
    const struct xd_broker *broker = call->broker;
    struct xd_buf *out = xd_reply_begin(&call->reply);
    xd_mp_map(out, 9);
    xd_pair_cstr(out, "server", "crossdock-broker");
    xd_pair_cstr(out, "version", XD_VERSION);
    xd_pair_cstr(out, "account", call->session->account);
    xd_pair_int(out, "time", xd_ledger_now_ms(broker->ledger) / 1000);
    xd_pair_currency(out, "currency", broker->market.currency);
    xd_pair_decimal(out, "road_factor", broker->market.road_factor_e4, 4);
    xd_pair_int(out, "partitions", broker->partitions);
    xd_pair_bool(out, "test_clock", broker->clock.by_hand);
    xd_mp_cstr(out, "limits");
    write_limits(out, broker);
    xd_reply_send(&call->reply);
}

/* Whose connection it is: what the transport vouches for, or in its absence what is named. */
static bool find_account(const struct xd_call *call, char out[static XD_ACCOUNT_MAX + 1],
                         struct xd_error *error)
{
    bool authenticated = xd_settings_authenticated(call->broker->settings);
    struct xd_str named;
    if (!xd_param_text(call, "account", authenticated, &named, error)) return false;
    if (!authenticated) {
        if (!xd_is_operator(named) && !xd_account_valid(named))
            return xd_fail(error, XD_BAD_PARAMS, "account",
                           "not an account; allowed: 1 to %d of A-Za-z0-9._:@- , or '*'", XD_ACCOUNT_MAX);
        memcpy(out, named.at, named.len);
        out[named.len] = '\0';
        return true;
    }
    if (!xd_link_account(call->session->link, out, error))
        return error->code != XD_OK
                   ? false
                   : xd_fail(error, XD_FORBIDDEN, NULL, "the connection has shown no certificate");
    if (named.len > 0 && !xd_str_equal(named, xd_str_of(out)))
        return xd_fail(error, XD_FORBIDDEN, "account", "the certificate's CN is another account");
    return true;
}

void xd_method_hello(struct xd_call *call)
{
    struct xd_session *session = call->session;
    struct xd_error error;
    char account[XD_ACCOUNT_MAX + 1];
    if (!find_account(call, account, &error)) {
        xd_reply_error(&call->reply, &error);
        return;
    }
    if (session->asked && strcmp(account, session->account) != 0) {
        xd_fail(&error, XD_FORBIDDEN, "account", "the connection has been used under another account");
        xd_reply_error(&call->reply, &error);
        return;
    }
    memcpy(session->account, account, sizeof(account));
    session->is_operator = strcmp(account, "*") == 0;
    session->greeted = true;
    answer(call);
}

void xd_method_ping(struct xd_call *call)
{
    struct xd_buf *out = xd_reply_begin(&call->reply);
    xd_mp_map(out, 1);
    xd_pair_int(out, "time", xd_ledger_now_ms(call->broker->ledger) / 1000);
    xd_reply_send(&call->reply);
}

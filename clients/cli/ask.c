#include "clients/cli/cli.h"
#include "core/id.h"
#include "core/pair.h"

#include <string.h>

/* A clock that is moved far carries out all that falls due before it answers. */
enum { TIMEOUT_MS = 60000 };

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

/* Why there is no connection, as an exit status: what is no refusal by the broker is the network's, or
 * passes. */
static enum xd_exit status_of(const char *code)
{
    static const char *const no_connection[] = {
        "connection", "tls", "timeout", "protocol", "no_memory", "overloaded", "draining", "slow_consumer",
    };
    if (strcmp(code, "url") == 0) return XD_EXIT_USAGE;
    for (size_t i = 0; i < sizeof no_connection / sizeof *no_connection; i++)
        if (strcmp(code, no_connection[i]) == 0) return XD_EXIT_NO_CONNECTION;
    return XD_EXIT_REFUSED;
}

enum xd_exit xd_cli_connect(struct xd_cli *cli, xd_client_notify_fn *notify, void *notify_arg)
{
    const struct xd_cli_settings *settings = &cli->settings;
    xd_client_options options = {
        .url = settings->url,
        .account = or_null(settings->account),
        .tls_ca = or_null(settings->tls_ca),
        .tls_cert = or_null(settings->tls_cert),
        .tls_key = or_null(settings->tls_key),
        .tls_insecure = settings->tls_insecure,
        .timeout_ms = TIMEOUT_MS,
        .notify = notify,
        .notify_arg = notify_arg,
    };
    if (!options.account && !options.tls_cert) options.account = "*";
    xd_client_error error;
    cli->client = xd_client_connect(&options, &error);
    if (cli->client) return XD_EXIT_DONE;
    return xd_cli_error(cli, status_of(error.code), error.code, error.field, error.message);
}

enum xd_exit xd_cli_lost(const struct xd_cli *cli)
{
    const xd_client_error *why = xd_client_why(cli->client);
    return xd_cli_error(cli, XD_EXIT_NO_CONNECTION, why->code, why->field, why->message);
}

enum xd_exit xd_cli_ask(struct xd_cli *cli, const char *method, const struct xd_buf *params,
                        xd_client_reply *reply)
{
    if (params->failed)
        return xd_cli_error(cli, XD_EXIT_USAGE, "too_long", "",
                            "the arguments are longer than a message may be");
    if (!xd_client_request(cli->client, method, params->data, params->len, reply)) return xd_cli_lost(cli);
    if (reply->error.type == MSGPACK_OBJECT_NIL) return XD_EXIT_DONE;
    enum xd_exit status = xd_cli_refused(cli, &reply->error);
    xd_client_reply_free(reply);
    return status;
}

void xd_cli_params(const struct xd_cli *cli, struct xd_buf *params, uint32_t pairs)
{
    bool as = cli->settings.as[0] != '\0';
    xd_buf_init(params, XD_PARAMS_MAX);
    xd_mp_map(params, pairs + as);
    if (!as) return;
    xd_pair_cstr(params, "account", cli->settings.as);
}

void xd_cli_order_name(struct xd_buf *params, const char *name)
{
    uint64_t id;
    bool is_ref = strncmp(name, "ref=", 4) == 0;
    bool is_id = !is_ref && xd_order_id_parse(name, strlen(name), &id);
    xd_pair_cstr(params, is_id ? "id" : "ref", is_ref ? name + 4 : name);
}

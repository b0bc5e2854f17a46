#include "client_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <string.h>

xd_client *connect_to(const struct server *server, xd_client_notify_fn *notify, void *arg)
{
    xd_client_options options = {
        .url = server->url, .account = "acme", .timeout_ms = 5000, .notify = notify, .notify_arg = arg};
    xd_client_error error;
    xd_client *client = xd_client_connect(&options, &error);
    if (!client) fail_msg("%s: %s", error.code, error.message);
    return client;
}

void count_reply(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    struct tally *tally = arg;
    struct xd_str code = {"", 0};
    int64_t n = 0;
    xd_mp_get_str(error, "code", &code);
    if (error->type == MSGPACK_OBJECT_NIL) {
        tally->answered++;
        if (xd_mp_get_int(result, "n", &n)) tally->sum += n;
    } else if (xd_str_equal(code, xd_str_of("connection"))) {
        tally->lost++;
    } else {
        tally->refused++;
    }
}

void hear(void *arg, const char *method, const msgpack_object *params)
{
    struct heard *heard = arg;
    int64_t n = 0;
    xd_mp_get_int(params, "n", &n);
    heard->sum += n;
    if (strcmp(method, "event") == 0)
        heard->events++;
    else
        heard->others++;
    if (heard->stop) xd_client_stop(*heard->client);
}

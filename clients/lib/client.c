#include "clients/lib/client.h"

#include "clients/lib/deadline.h"
#include "clients/lib/dial.h"
#include "clients/lib/failure.h"
#include "core/pair.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_MS = 10000, ZONE_CHUNK = 16 << 10 };

static const char default_url[] = "tcp://127.0.0.1:7400";

/* --- connecting ----------------------------------------------------------------------------------------- */

static bool shake_hands(struct xd_transport *transport, int64_t deadline, xd_client_error *error)
{
    for (;;) {
        enum xd_io io = transport->ops->handshake(transport, error);
        if (io == XD_IO_DONE) return true;
        if (io == XD_IO_FAILED) return false;
        if (io == XD_IO_CLOSED) return xd_client_fail(error, "tls", "the broker closed the connection");

        struct pollfd waited = {.fd = transport->fd, .events = transport->read_waits};
        int ready = poll(&waited, 1, xd_deadline_left(deadline));
        if (ready < 0 && errno != EINTR) return xd_client_fail(error, "connection", "poll: error %d", errno);
        if (ready == 0) return xd_client_fail(error, "timeout", "no TLS handshake in time");
    }
}

/* On failure *transport may be open nevertheless (ops is set); destroy() closes it. */
static bool open_transport(struct xd_transport *transport, const xd_client_options *options, int64_t deadline,
                           xd_client_error *error)
{
    struct xd_url url;
    if (!xd_url_parse(options->url ? options->url : default_url, &url, error)) return false;
    bool tls_wanted = options->tls_ca || options->tls_cert || options->tls_key || options->tls_insecure;
    if (tls_wanted && !url.tls)
        return xd_client_fail(error, "url", "TLS needs a URL that begins with tls://");

    int fd = xd_dial(&url, deadline, error);
    if (fd < 0) return false;
    if (!url.tls) {
        xd_transport_plain(transport, fd);
        return true;
    }
    if (!xd_transport_tls(transport, fd, &url, options, error)) {
        close(fd);
        return false;
    }
    return shake_hands(transport, deadline, error);
}

static struct xd_client *create(const xd_client_options *options)
{
    struct xd_client *client = calloc(1, sizeof *client);
    msgpack_zone *zone = msgpack_zone_new(ZONE_CHUNK);
    if (!client || !zone) {
        free(client);
        if (zone) msgpack_zone_free(zone);
        return NULL;
    }
    client->frame_zone = zone;
    xd_buf_init(&client->in, XD_FRAME_MAX + XD_READ_CHUNK);
    xd_buf_init(&client->out, XD_UNSENT_MAX);
    client->timeout_ms = options->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : options->timeout_ms;
    client->notify = options->notify;
    client->notify_arg = options->notify_arg;
    return client;
}

static void destroy(struct xd_client *client)
{
    if (client->transport.ops) client->transport.ops->close(&client->transport);
    xd_buf_free(&client->in);
    xd_buf_free(&client->out);
    xd_calls_free(&client->calls);
    msgpack_zone_free(client->frame_zone);
    xd_client_reply_free(&client->hello);
    free(client);
}

static bool say_hello(struct xd_client *client, const char *account, xd_client_error *error)
{
    struct xd_buf params;
    xd_buf_init(&params, 4096);
    xd_mp_map(&params, account ? 1 : 0);
    if (account) {
        xd_pair_cstr(&params, "account", account);
    }
    bool answered = false;
    if (params.failed)
        xd_client_fail(error, "no_memory", "the account's name is too long");
    else if (!xd_client_request(client, "hello", params.data, params.len, &client->hello))
        *error = client->why;
    else if (client->hello.error.type != MSGPACK_OBJECT_NIL)
        xd_client_fail_map(error, &client->hello.error);
    else if (client->hello.result.type != MSGPACK_OBJECT_MAP)
        xd_client_fail(error, "protocol", "the broker's answer to hello is not a map");
    else
        answered = true;
    xd_buf_free(&params);
    return answered;
}

xd_client *xd_client_connect(const xd_client_options *options, xd_client_error *error)
{
    struct xd_client *client = create(options);
    if (!client) {
        xd_client_fail(error, "no_memory", "no memory for a client");
        return NULL;
    }
    int64_t deadline = xd_deadline_in(client->timeout_ms);
    if (open_transport(&client->transport, options, deadline, error) &&
        say_hello(client, options->account, error))
        return client;
    destroy(client);
    return NULL;
}

/* --- the rest of its life ------------------------------------------------------------------------------- */

void xd_client_close(xd_client *client)
{
    if (!client) return;
    if (client->busy) {
        client->close_wanted = true;
        client->stop = true;
        return;
    }
    client->busy = true;
    if (!client->ended) {
        xd_client_fail(&client->why, "connection", "the client closed the connection");
        xd_client_end(client);
    }
    destroy(client);
}

bool xd_client_leave(struct xd_client *client)
{
    client->busy = false;
    if (!client->close_wanted) return true;
    xd_client_close(client);
    return false;
}

int xd_client_run(xd_client *client, int timeout_ms)
{
    if (client->busy) return 0;
    client->busy = true;
    int taken = xd_client_step(client, timeout_ms);
    return xd_client_leave(client) ? taken : -1;
}

bool xd_client_call(xd_client *client, const char *method, const void *params, size_t len,
                    xd_client_reply_fn *callback, void *arg)
{
    uint32_t id;
    return xd_client_queue(client, method, params, len, callback, arg, &id);
}

void xd_client_stop(xd_client *client)
{
    client->stop = true;
}

const msgpack_object *xd_client_hello(const xd_client *client)
{
    return &client->hello.result;
}

int xd_client_fd(const xd_client *client)
{
    return client->transport.fd;
}

bool xd_client_wants_write(const xd_client *client)
{
    if (client->transport.read_waits == POLLOUT) return true;
    return xd_client_unsent(client) > 0 && client->transport.write_waits == POLLOUT;
}

size_t xd_client_outstanding(const xd_client *client)
{
    return client->calls.count;
}

size_t xd_client_unsent(const xd_client *client)
{
    return client->out.len - client->out_at;
}

const xd_client_error *xd_client_why(const xd_client *client)
{
    return &client->why;
}

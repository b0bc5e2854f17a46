#include "clients/lib/client.h"
#include "clients/lib/deadline.h"
#include "clients/lib/failure.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

enum { RESPONSE = 1, NOTIFICATION = 2, READ_BUDGET = 1 << 20 };

static const struct xd_mp_limits frame_limits = {.bytes = XD_FRAME_MAX, .depth = 24, .elements = 1 << 20};

/* --- sending -------------------------------------------------------------------------------------------- */

static void pack_message(struct xd_buf *out, uint32_t id, const char *method, const void *params, size_t len)
{
    xd_mp_array(out, 4);
    xd_mp_uint(out, 0);
    xd_mp_uint(out, id);
    xd_mp_cstr(out, method);
    xd_mp_array(out, params ? 1 : 0);
    xd_buf_add(out, params, params ? len : 0);
}

bool xd_client_queue(struct xd_client *client, const char *method, const void *params, size_t len,
                     xd_client_reply_fn *callback, void *arg, uint32_t *id)
{
    if (client->ended || client->write_failed) return false;
    if (client->out_at > XD_READ_CHUNK && client->out_at > client->out.len / 2) {
        xd_buf_consume(&client->out, client->out_at);
        client->out_at = 0;
    }
    size_t before = client->out.len;
    if (!xd_calls_add(&client->calls, callback, arg, id)) return false;
    pack_message(&client->out, *id, method, params, len);
    if (!client->out.failed) return true;

    client->out.len = before;
    client->out.failed = false;
    xd_calls_remove(&client->calls, xd_calls_find(&client->calls, *id));
    return false;
}

static void flush_out(struct xd_client *client)
{
    while (client->out_at < client->out.len && !client->write_failed) {
        size_t n;
        enum xd_io io = client->transport.ops->write(&client->transport, client->out.data + client->out_at,
                                                     client->out.len - client->out_at, &n, &client->why);
        if (io == XD_IO_AGAIN) return;
        if (io == XD_IO_DONE) {
            client->out_at += n;
        } else {
            client->write_failed = true;
            if (io == XD_IO_CLOSED)
                xd_client_fail(&client->why, "connection", "the broker closed the connection");
        }
    }
    xd_buf_clear(&client->out);
    client->out_at = 0;
}

/* --- the end -------------------------------------------------------------------------------------------- */

static msgpack_object text_object(const char *text)
{
    msgpack_object object = {.type = MSGPACK_OBJECT_STR};
    object.via.str.ptr = text;
    object.via.str.size = (uint32_t)strlen(text);
    return object;
}

static void tell_lost(void *arg, const struct xd_call *call)
{
    const struct xd_client *client = arg;
    if (!call->callback) return;
    msgpack_object_kv pairs[2] = {
        {.key = text_object("code"), .val = text_object("connection")},
        {.key = text_object("message"), .val = text_object(client->why.message)},
    };
    msgpack_object error = {.type = MSGPACK_OBJECT_MAP};
    error.via.map.size = 2;
    error.via.map.ptr = pairs;
    msgpack_object nothing = {.type = MSGPACK_OBJECT_NIL};
    call->callback(call->arg, &error, &nothing);
}

void xd_client_end(struct xd_client *client)
{
    client->ended = true;
    xd_calls_drain(&client->calls, tell_lost, client);
}

/* The broker says in a last notice why it closes. */
static void end_closed(struct xd_client *client)
{
    if (client->notice.code[0] != '\0')
        client->why = client->notice;
    else if (!client->write_failed)
        xd_client_fail(&client->why, "connection", "the broker closed the connection");
    xd_client_end(client);
}

static void end_protocol(struct xd_client *client, const char *what)
{
    xd_client_fail(&client->why, "protocol", "the broker sent %s", what);
    xd_client_end(client);
}

/* --- receiving ------------------------------------------------------------------------------------------ */

static bool is_uint(const msgpack_object *object, uint64_t max)
{
    return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER && object->via.u64 <= max;
}

/* [1, msgid, error, result] */
static bool deliver_response(struct xd_client *client, const msgpack_object *fields)
{
    if (!is_uint(&fields[1], UINT32_MAX)) return false;
    if (fields[2].type != MSGPACK_OBJECT_NIL && fields[2].type != MSGPACK_OBJECT_MAP) return false;
    struct xd_call *call = xd_calls_find(&client->calls, (uint32_t)fields[1].via.u64);
    if (!call) return true;
    struct xd_call found = *call;
    xd_calls_remove(&client->calls, call);
    if (found.callback) found.callback(found.arg, &fields[2], &fields[3]);
    return true;
}

/* [2, method, params] */
static bool deliver_notification(struct xd_client *client, const msgpack_object *fields)
{
    char method[64];
    if (fields[1].type != MSGPACK_OBJECT_STR || fields[2].type != MSGPACK_OBJECT_ARRAY) return false;
    if (fields[1].via.str.size >= sizeof method) return true;
    memcpy(method, fields[1].via.str.ptr, fields[1].via.str.size);
    method[fields[1].via.str.size] = '\0';

    const msgpack_object_array *params = &fields[2].via.array;
    static const msgpack_object none = {.type = MSGPACK_OBJECT_MAP};
    const msgpack_object *map = params->size > 0 ? &params->ptr[0] : &none;
    if (map->type != MSGPACK_OBJECT_MAP) return false;
    if (strcmp(method, "notice") == 0) xd_client_fail_map(&client->notice, map);
    if (client->notify) client->notify(client->notify_arg, method, map);
    return true;
}

static bool deliver(struct xd_client *client, const msgpack_object *message)
{
    if (message->type != MSGPACK_OBJECT_ARRAY || message->via.array.size == 0) return false;
    const msgpack_object *fields = message->via.array.ptr;
    uint32_t size = message->via.array.size;
    if (is_uint(fields, RESPONSE) && fields->via.u64 == RESPONSE && size == 4)
        return deliver_response(client, fields);
    if (is_uint(fields, NOTIFICATION) && fields->via.u64 == NOTIFICATION && size == 3)
        return deliver_notification(client, fields);
    return false;
}

/* Delivers the frame of `len` bytes that stands first in `in`. */
static void take_frame(struct xd_client *client, size_t len)
{
    const char *bytes = (const char *)client->in.data + client->in_at;
    client->in_at += len;
    client->walk = (struct xd_mp_walk){.at = 0};

    msgpack_object message;
    size_t offset = 0;
    msgpack_zone_clear(client->frame_zone);
    if (msgpack_unpack(bytes, len, &offset, client->frame_zone, &message) != MSGPACK_UNPACK_SUCCESS) {
        xd_client_fail(&client->why, "no_memory", "no memory for a message of %zu bytes", len);
        xd_client_end(client);
        return;
    }
    if (!deliver(client, &message)) end_protocol(client, "a message that is not MessagePack-RPC");
}

static int take_frames(struct xd_client *client)
{
    int taken = 0;
    while (!client->ended && !client->stop && client->in_at < client->in.len) {
        enum xd_code code;
        enum xd_mp_walk_result walked = xd_mp_walk(&client->walk, client->in.data + client->in_at,
                                                   client->in.len - client->in_at, &frame_limits, &code);
        if (walked == XD_MP_MORE) break;
        if (walked == XD_MP_REFUSED) {
            end_protocol(client, xd_code_meaning(code));
            break;
        }
        take_frame(client, client->walk.at);
        taken++;
    }
    xd_buf_consume(&client->in, client->in_at);
    client->in_at = 0;
    return taken;
}

/* Reads a chunk, as much as has come. False when there is no more to read for now. */
static bool read_chunk(struct xd_client *client, size_t *budget)
{
    if (!xd_buf_reserve(&client->in, XD_READ_CHUNK)) {
        xd_client_fail(&client->why, "no_memory", "no memory for what the broker sends");
        xd_client_end(client);
        return false;
    }
    size_t n = 0;
    xd_client_error why;
    enum xd_io io = client->transport.ops->read(&client->transport, client->in.data + client->in.len,
                                                XD_READ_CHUNK, &n, &why);
    if (io == XD_IO_DONE) {
        client->in.len += n;
        *budget -= n < *budget ? n : *budget;
        return true;
    }
    if (io == XD_IO_FAILED && !client->write_failed) client->why = why;
    if (io == XD_IO_FAILED) client->write_failed = true;
    if (io == XD_IO_CLOSED || client->write_failed) end_closed(client);
    return false;
}

/* Sends and receives what it can without waiting. Returns how many messages were taken. */
static int pump(struct xd_client *client)
{
    size_t budget = READ_BUDGET;
    flush_out(client);
    int taken = take_frames(client);
    /* Once something was taken the caller gets his turn; before that, what TLS holds back would be seen by no
     * poll. */
    while (!client->ended && !client->stop && (budget > 0 || taken == 0) && read_chunk(client, &budget))
        taken += take_frames(client);
    if (!client->ended) flush_out(client);
    return taken;
}

/* False when the deadline has passed. */
static bool wait_ready(const struct xd_client *client, int64_t deadline)
{
    struct pollfd waited = {.fd = client->transport.fd, .events = client->transport.read_waits};
    if (xd_client_unsent(client) > 0) waited.events = (short)(waited.events | client->transport.write_waits);
    int ready;
    do {
        ready = poll(&waited, 1, xd_deadline_left(deadline));
    } while (ready < 0 && errno == EINTR);
    return ready != 0;
}

int xd_client_step(struct xd_client *client, int timeout_ms)
{
    int64_t deadline = xd_deadline_in(timeout_ms);
    int taken = 0;
    while (!client->ended) {
        taken = pump(client);
        if (taken > 0 || client->stop || client->ended || !wait_ready(client, deadline)) break;
    }
    client->stop = false;
    return taken == 0 && client->ended ? -1 : taken;
}

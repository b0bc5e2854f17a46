/* The blocking helper: a call, and xd_client_run until its answer has come. */
#include "clients/lib/client.h"
#include "clients/lib/deadline.h"
#include "clients/lib/failure.h"

#include <string.h>

enum { ZONE_CHUNK = 1 << 10 };

struct wait {
    struct xd_client *client;
    xd_client_reply reply;
    bool answered;
    bool lost;
};

/* A copy of `object` whose strings are the zone's own. */
static bool copy_object(const msgpack_object *object, msgpack_zone *zone, msgpack_object *copy)
{
    msgpack_sbuffer buffer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer packer;
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    bool copied = msgpack_pack_object(&packer, *object) == 0;
    char *bytes = copied ? msgpack_zone_malloc(zone, buffer.size > 0 ? buffer.size : 1) : NULL;
    if (bytes) memcpy(bytes, buffer.data, buffer.size);
    copied = bytes && msgpack_unpack(bytes, buffer.size, NULL, zone, copy) == MSGPACK_UNPACK_SUCCESS;
    msgpack_sbuffer_destroy(&buffer);
    return copied;
}

static void on_reply(void *arg, const msgpack_object *error, const msgpack_object *result)
{
    struct wait *wait = arg;
    wait->answered = true;
    wait->lost = wait->client->ended;
    xd_client_stop(wait->client);
    if (wait->lost) return;

    wait->reply.zone = msgpack_zone_new(ZONE_CHUNK);
    if (wait->reply.zone && copy_object(error, wait->reply.zone, &wait->reply.error) &&
        copy_object(result, wait->reply.zone, &wait->reply.result))
        return;
    wait->lost = true;
    xd_client_fail(&wait->client->why, "no_memory", "no memory for the broker's answer");
}

/* Runs until the answer, the connection's end or the time-out. */
static void run_until_answered(struct xd_client *client, struct wait *wait, uint32_t id)
{
    int64_t deadline = xd_deadline_in(client->timeout_ms);
    while (!wait->answered && !client->ended && !client->close_wanted) {
        int left = xd_deadline_left(deadline);
        if (left == 0) {
            xd_client_fail(&client->why, "timeout", "no answer within %d ms", client->timeout_ms);
            break;
        }
        xd_client_step(client, left);
    }
    struct xd_call *call = wait->answered ? NULL : xd_calls_find(&client->calls, id);
    if (call) call->callback = NULL;
}

bool xd_client_request(xd_client *client, const char *method, const void *params, size_t len,
                       xd_client_reply *reply)
{
    struct wait wait = {.client = client};
    *reply = wait.reply;
    if (client->busy) return xd_client_fail(&client->why, "protocol", "a request from within a callback");
    uint32_t id;
    if (!xd_client_queue(client, method, params, len, on_reply, &wait, &id)) {
        if (client->ended || client->write_failed) return false;
        return xd_client_fail(&client->why, "no_memory", "too much waits to be sent or answered");
    }
    client->busy = true;
    run_until_answered(client, &wait, id);
    bool answered = wait.answered && !wait.lost;
    if (!xd_client_leave(client)) answered = false;
    if (answered)
        *reply = wait.reply;
    else
        xd_client_reply_free(&wait.reply);
    return answered;
}

void xd_client_reply_free(xd_client_reply *reply)
{
    if (reply->zone) msgpack_zone_free(reply->zone);
    *reply = (xd_client_reply){.zone = NULL};
}

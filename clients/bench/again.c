#include "clients/bench/load_parts.h"

#include "core/id.h"
#include "core/mp.h"

#include <stdio.h>
#include <string.h>

enum { RETRY_NS = 100 * 1000 * 1000, DIAL_MS = 3000 };

bool xd_load_retries(const struct xd_load *load, const msgpack_object *error)
{
    /* What docs/PROTOCOL.md calls "the broker could not", and the library's own code for an ended connection.
     */
    static const char *const later[] = {"connection", "draining",     "fenced",        "no_owner",
                                        "overloaded", "storage_full", "storage_failed"};
    struct xd_str code;
    if (load->options.reconnect_ns == 0 || error->type != MSGPACK_OBJECT_MAP) return false;
    if (!xd_mp_get_str(error, "code", &code)) return false;
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        if (xd_str_equal(code, xd_str_of(later[i]))) return true;
    }
    return false;
}

void xd_load_again(struct xd_load_call *call)
{
    struct xd_load_link *link = call->link;
    call->next = link->again;
    link->again = call;
    link->again_ns = xd_load_clock_ns() + RETRY_NS;
}

bool xd_load_lost(struct xd_load *load, struct xd_load_link *link)
{
    if (load->options.reconnect_ns == 0) return false;
    xd_client *client = link->client;
    if (!client) return true;
    link->client = NULL;
    if (link->lost_ns == 0) link->lost_ns = xd_load_clock_ns();
    link->retry_ns = xd_load_clock_ns() + RETRY_NS;
    xd_client_close(client); /* its calls come back, to be sent again */
    return true;
}

/* True once there is a connection. */
static bool redial(struct xd_load *load, struct xd_load_link *link)
{
    xd_client_error error;
    int64_t now_ns = xd_load_clock_ns();
    if (now_ns < link->retry_ns) return false;
    if (xd_load_dial(load, link, DIAL_MS, &error)) {
        load->stats->reconnected++;
        link->lost_ns = 0;
        link->again_ns = 0;
        return true;
    }
    now_ns = xd_load_clock_ns();
    link->retry_ns = now_ns + RETRY_NS;
    if (now_ns - link->lost_ns > load->options.reconnect_ns) xd_load_fail(load, error.code, error.message);
    return false;
}

static void send_again(struct xd_load *load, struct xd_load_link *link)
{
    struct xd_load_call *calls = link->again;
    link->again = NULL;
    while (calls) {
        struct xd_load_call *call = calls;
        calls = call->next;
        load->stats->resent += call->count;
        if (!link->client)
            xd_load_again(call);
        else
            xd_load_send(load, call, call->bytes, call->len);
    }
}

void xd_load_mend(struct xd_load *load)
{
    if (load->options.reconnect_ns == 0) return;
    for (uint32_t i = 0; i < load->link_count; i++) {
        struct xd_load_link *link = &load->links[i];
        if (!link->client && !redial(load, link)) continue;
        if (link->again && xd_load_clock_ns() >= link->again_ns) send_again(load, link);
    }
    if (load->options.watch && !load->watch.client && redial(load, &load->watch)) xd_load_subscribe(load);
}

bool xd_load_repeated(struct xd_load *load, const msgpack_object *event)
{
    struct xd_str text;
    struct xd_event_id id;
    if (!load->seen || event->type != MSGPACK_OBJECT_MAP) return false;
    if (xd_mp_get_str(event, "cursor", &text) && text.len < sizeof load->cursor)
        snprintf(load->cursor, sizeof load->cursor, "%.*s", (int)text.len, text.at);
    if (!xd_mp_get_str(event, "id", &text) || !xd_event_id_parse(text.at, text.len, &id)) return false;
    struct xd_load_seen *seen = &load->seen[id.partition];
    bool before =
        id.generation < seen->generation || (id.generation == seen->generation && id.offset < seen->next);
    if (before) load->stats->repeated++;
    if (!before) *seen = (struct xd_load_seen){id.generation, id.offset + 1};
    return before;
}

#include "clients/lib/calls.h"

#include <stdlib.h>

enum { FIRST_SIZE = 64 };

static struct xd_call *slot(const struct xd_calls *calls, uint32_t id)
{
    return &calls->ring[id & (calls->size - 1)];
}

/* Ids that were apart modulo the old size are apart modulo twice of it. */
static bool grow(struct xd_calls *calls)
{
    struct xd_calls grown = *calls;
    grown.size = calls->size > 0 ? calls->size * 2 : FIRST_SIZE;
    grown.ring = calloc(grown.size, sizeof *grown.ring);
    if (!grown.ring) return false;
    for (uint32_t i = 0; i < calls->size; i++)
        if (calls->ring[i].waiting) *slot(&grown, calls->ring[i].id) = calls->ring[i];
    free(calls->ring);
    *calls = grown;
    return true;
}

bool xd_calls_add(struct xd_calls *calls, xd_client_reply_fn *callback, void *arg, uint32_t *id)
{
    if (calls->count >= XD_CALLS_MAX) return false;
    if (calls->size == 0 && !grow(calls)) return false;
    while (slot(calls, calls->next_id)->waiting) {
        if (calls->count < calls->size / 2)
            calls->next_id++;
        else if (!grow(calls))
            return false;
    }
    *id = calls->next_id++;
    *slot(calls, *id) = (struct xd_call){.id = *id, .waiting = true, .callback = callback, .arg = arg};
    calls->count++;
    return true;
}

struct xd_call *xd_calls_find(struct xd_calls *calls, uint32_t id)
{
    if (calls->size == 0) return NULL;
    struct xd_call *call = slot(calls, id);
    return call->waiting && call->id == id ? call : NULL;
}

void xd_calls_remove(struct xd_calls *calls, struct xd_call *call)
{
    call->waiting = false;
    calls->count--;
}

void xd_calls_drain(struct xd_calls *calls, void (*each)(void *arg, const struct xd_call *call), void *arg)
{
    for (uint32_t i = 0; i < calls->size; i++) {
        struct xd_call *call = slot(calls, calls->next_id + i);
        if (!call->waiting) continue;
        xd_calls_remove(calls, call);
        each(arg, call);
    }
}

void xd_calls_free(struct xd_calls *calls)
{
    free(calls->ring);
    *calls = (struct xd_calls){.next_id = calls->next_id};
}

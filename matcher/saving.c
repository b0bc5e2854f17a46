#include "matcher/saving.h"

#include <event2/event.h>
#include <stdlib.h>

enum { PAUSE_US = 1000 };

static const size_t STATE_LIMIT = (size_t)8 << 30;

struct xd_saving {
    struct xd_saving_options options;
    struct xd_ledger *ledger;
    struct xd_engine *engine;
    struct event *timer; /* of the next slice */
    struct xd_buf state, chunk;
    size_t given;   /* bytes of `state` */
    bool whole;     /* all of it is in chunks */
    bool storing;   /* the ledger has a chunk or the end: its callback comes */
    bool abandoned; /* only that callback is waited for */
};

static void destroy(struct xd_saving *saving)
{
    if (saving->timer) event_free(saving->timer);
    xd_buf_free(&saving->state);
    xd_buf_free(&saving->chunk);
    free(saving);
}

static void finish(struct xd_saving *saving, enum xd_code code)
{
    xd_done_cb *done = saving->options.done;
    void *arg = saving->options.arg;
    destroy(saving);
    done(arg, code);
}

static void next_slice(struct xd_saving *saving)
{
    event_add(saving->timer, &(struct timeval){.tv_usec = saving->options.hurried ? 0 : PAUSE_US});
}

static void on_stored(void *arg, enum xd_code code)
{
    struct xd_saving *saving = arg;
    saving->storing = false;
    if (saving->abandoned) {
        destroy(saving);
    } else if (code != XD_OK || saving->whole) {
        finish(saving, code);
    } else {
        next_slice(saving);
    }
}

/* Makes some more of the chunk, or of several. */
static void slice(evutil_socket_t fd, short what, void *arg)
{
    struct xd_saving *saving = arg;
    (void)fd;
    (void)what;
    saving->storing = true;
    if (saving->given == saving->state.len) {
        saving->whole = true;
        xd_ledger_end_snapshot(saving->ledger, &saving->options.lease, on_stored, saving);
        return;
    }
    size_t left = saving->state.len - saving->given;
    size_t len = left < XD_SNAPSHOT_CHUNK ? left : XD_SNAPSHOT_CHUNK;
    xd_buf_add(&saving->chunk, saving->state.data + saving->given, len);
    saving->given += len;
    xd_ledger_add_to_snapshot(saving->ledger, &saving->options.lease, &saving->chunk, on_stored, saving);
}

struct xd_saving *xd_saving_begin(struct event_base *base, struct xd_ledger *ledger, struct xd_engine *engine,
                                  const struct xd_saving_options *options, enum xd_code *code)
{
    struct xd_saving *saving = calloc(1, sizeof *saving);
    *code = XD_NO_MEMORY;
    if (!saving) return NULL;
    *saving = (struct xd_saving){.options = *options, .ledger = ledger, .engine = engine};
    xd_buf_init(&saving->state, STATE_LIMIT);
    xd_buf_init(&saving->chunk, XD_SNAPSHOT_CHUNK_MAX);
    saving->timer = evtimer_new(base, slice, saving);
    if (saving->timer && xd_engine_save(engine, &saving->state)) {
        *code = xd_ledger_begin_snapshot(ledger, &options->lease, options->next_record, options->next_event);
    }
    if (*code != XD_OK) {
        destroy(saving);
        return NULL;
    }
    next_slice(saving);
    return saving;
}

void xd_saving_abandon(struct xd_saving *saving)
{
    struct xd_ledger *ledger = saving->ledger;
    struct xd_lease lease = saving->options.lease;
    event_del(saving->timer);
    saving->abandoned = true;
    if (!saving->storing) destroy(saving); /* else on_stored does */
    xd_ledger_drop_snapshot(ledger, &lease);
}

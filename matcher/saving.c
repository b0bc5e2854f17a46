#include "matcher/saving.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

/* Between two slices the event loop has at least as long for all else. */
enum { SLICE_NS = 1000000, PAUSE_US = 1000 };

/* Orders and matches between two looks at the clock: few enough that full plans and calendars do not prolong a slice much. */
enum { STEP = 32 };

struct xd_saving {
    struct xd_saving_options options;
    struct xd_ledger *ledger;
    struct xd_engine *engine;
    struct event *timer; /* of the next slice */
    struct xd_buf chunk;
    bool whole;     /* all of the state is in chunks */
    bool storing;   /* the ledger has a chunk or the end: its callback comes */
    bool ending;    /* it is the end */
    bool abandoned; /* only that callback is waited for */
};

static void destroy(struct xd_saving *saving)
{
    if (saving->timer) event_free(saving->timer);
    xd_buf_free(&saving->chunk);
    free(saving);
}

static void finish(struct xd_saving *saving, enum xd_code code)
{
    xd_done_cb *done = saving->options.done;
    void *arg = saving->options.arg;
    xd_engine_save_abandon(saving->engine);
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
    } else if (code != XD_OK || saving->ending) {
        finish(saving, code);
    } else {
        next_slice(saving);
    }
}

static int64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Makes some more of the chunk. False without memory. */
static bool fill(struct xd_saving *saving)
{
    int64_t until = clock_ns() + SLICE_NS;
    enum xd_save_result result = XD_SAVE_GOES_ON;
    while (result == XD_SAVE_GOES_ON && saving->chunk.len < XD_SNAPSHOT_CHUNK && clock_ns() < until) {
        result = xd_engine_save_some(saving->engine, STEP, &saving->chunk);
    }
    saving->whole = result == XD_SAVE_WHOLE;
    return result != XD_SAVE_FAILED;
}

/* A slice; hands over the chunk when it is full, or the last. */
static void slice(evutil_socket_t fd, short what, void *arg)
{
    struct xd_saving *saving = arg;
    (void)fd;
    (void)what;
    if (!saving->whole && !fill(saving)) {
        xd_ledger_drop_snapshot(saving->ledger, &saving->options.lease);
        finish(saving, XD_NO_MEMORY);
    } else if (saving->chunk.len >= XD_SNAPSHOT_CHUNK || (saving->whole && saving->chunk.len)) {
        saving->storing = true;
        xd_ledger_add_to_snapshot(saving->ledger, &saving->options.lease, &saving->chunk, on_stored, saving);
    } else if (saving->whole) {
        saving->storing = saving->ending = true;
        xd_ledger_end_snapshot(saving->ledger, &saving->options.lease, on_stored, saving);
    } else {
        next_slice(saving);
    }
}

struct xd_saving *xd_saving_begin(struct event_base *base, struct xd_ledger *ledger, struct xd_engine *engine,
                                  const struct xd_saving_options *options, enum xd_code *code)
{
    struct xd_saving *saving = calloc(1, sizeof *saving);
    *code = XD_NO_MEMORY;
    if (!saving) return NULL;
    *saving = (struct xd_saving){.options = *options, .ledger = ledger, .engine = engine};
    xd_buf_init(&saving->chunk, XD_SNAPSHOT_CHUNK_MAX);
    saving->timer = evtimer_new(base, slice, saving);
    if (saving->timer && xd_engine_save_begin(engine)) {
        *code = xd_ledger_begin_snapshot(ledger, &options->lease, options->next_record, options->next_event);
        if (*code != XD_OK) xd_engine_save_abandon(engine);
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
    xd_engine_save_abandon(saving->engine);
    saving->abandoned = true;
    if (!saving->storing) destroy(saving); /* else on_stored does */
    xd_ledger_drop_snapshot(ledger, &lease);
}

#include "matcher/follower.h"

#include "matcher/entry.h"

#include <event2/event.h>
#include <stdlib.h>

static const size_t OUTPUT_LIMIT = (size_t)64 << 20;
/* Between two reads the event loop does all else: so little that leases are renewed in time. */
static const size_t READ_BYTES = (size_t)32 << 10;

struct xd_follower {
    struct xd_follower_options options;
    struct xd_ledger *ledger;
    struct xd_progress progress;
    struct xd_output output;
    msgpack_zone *zone;
    struct event *timer;
    bool reading; /* a call whose callback has not come */
    bool stopped;
    bool warm;
    xd_taken_cb *taken;
    void *taken_arg;
};

static void destroy(struct xd_follower *follower)
{
    if (follower->timer) event_free(follower->timer);
    if (follower->zone) msgpack_zone_free(follower->zone);
    xd_output_free(&follower->output);
    xd_engine_destroy(follower->progress.engine);
    free(follower);
}

static void finish(struct xd_follower *follower)
{
    struct xd_progress progress = follower->progress;
    xd_taken_cb *taken = follower->taken;
    void *arg = follower->taken_arg;
    if (taken) follower->progress.engine = NULL;
    destroy(follower);
    if (taken) taken(arg, progress);
}

static void wait_ms(struct xd_follower *follower, int ms)
{
    event_add(follower->timer, &(struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000});
}

static void set_warm(struct xd_follower *follower, bool warm)
{
    if (warm == follower->warm) return;
    follower->warm = warm;
    follower->options.warm(follower->options.arg, warm);
}

static void start_over(struct xd_follower *follower)
{
    xd_engine_destroy(follower->progress.engine);
    follower->progress = (struct xd_progress){.engine = NULL};
    set_warm(follower, false);
    wait_ms(follower, XD_FOLLOWER_RETRY_MS);
}

/* --- the log -------------------------------------------------------------------------------------------- */

static bool apply(struct xd_follower *follower, const struct xd_log_run *run)
{
    struct xd_progress *progress = &follower->progress;
    for (uint32_t i = 0; i < run->count && progress->position < run->committed; i++) {
        if (!xd_entry_apply(progress->engine, follower->zone, &run->entries[i], &follower->output))
            return false;
        progress->position++;
        progress->events += xd_output_event_count(&follower->output);
        xd_output_clear(&follower->output);
    }
    /* The same log gave other events than it did before: it is not this one that is to own the partition. */
    return progress->position != run->committed || progress->events == run->events;
}

static void read_on(struct xd_follower *follower);

static uint32_t generation(const struct xd_follower *follower)
{
    return xd_ledger_generation(follower->ledger, follower->options.engine.partition);
}

static void on_run(void *arg, const struct xd_log_run *run)
{
    struct xd_follower *follower = arg;
    bool same = follower->progress.generation == generation(follower);
    follower->reading = false;
    if (follower->stopped) {
        finish(follower);
    } else if (run->code != XD_OK || !same || !apply(follower, run)) {
        start_over(follower);
    } else if (follower->progress.position >= run->committed) {
        set_warm(follower, follower->progress.position == run->committed);
        wait_ms(follower, XD_FOLLOWER_LOOK_MS);
    } else {
        read_on(follower);
    }
}

static void read_on(struct xd_follower *follower)
{
    follower->reading = true;
    xd_ledger_read_log(follower->ledger, follower->options.engine.partition, follower->progress.position,
                       READ_BYTES, on_run, follower);
}

/* --- the snapshot --------------------------------------------------------------------------------------- */

static void on_snapshot(void *arg, enum xd_code code, uint64_t next_record, uint64_t next_event,
                        struct xd_buf *state)
{
    struct xd_follower *follower = arg;
    struct xd_progress *progress = &follower->progress;
    follower->reading = false;
    *progress = (struct xd_progress){
        .position = next_record, .events = next_event, .generation = progress->generation};
    if (code == XD_OK) {
        if (!follower->stopped)
            progress->engine = xd_engine_load(&follower->options.engine, state->data, state->len);
        xd_buf_free(state);
    } else if (code == XD_NOT_FOUND && !follower->stopped) {
        progress->engine = xd_engine_create(&follower->options.engine);
    }
    if (follower->stopped)
        finish(follower);
    else if (progress->engine)
        read_on(follower);
    else
        start_over(follower);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct xd_follower *follower = arg;
    if (follower->stopped) {
        finish(follower);
    } else if (follower->progress.engine) {
        read_on(follower);
    } else {
        follower->reading = true;
        follower->progress.generation = generation(follower); /* never newer than what is read */
        xd_ledger_load_snapshot(follower->ledger, follower->options.engine.partition, on_snapshot, follower);
    }
}

/* --- beginning and ending ------------------------------------------------------------------------------- */

struct xd_follower *xd_follower_start(struct event_base *base, struct xd_ledger *ledger,
                                      const struct xd_follower_options *options, struct xd_progress progress)
{
    struct xd_follower *follower = calloc(1, sizeof(*follower));
    if (!follower) return NULL;
    follower->options = *options;
    follower->ledger = ledger;
    xd_output_init(&follower->output, OUTPUT_LIMIT);
    follower->zone = msgpack_zone_new(8192);
    follower->timer = evtimer_new(base, on_timer, follower);
    if (!follower->zone || !follower->timer) {
        destroy(follower);
        return NULL;
    }
    follower->progress = progress;
    wait_ms(follower, 0);
    return follower;
}

void xd_follower_stop(struct xd_follower *follower, xd_taken_cb *taken, void *arg)
{
    follower->stopped = true;
    follower->taken = taken;
    follower->taken_arg = arg;
    if (!follower->reading) wait_ms(follower, 0);
}

#include "matcher/station.h"

#include <event2/event.h>
#include <stdlib.h>

struct xd_station {
    struct xd_station_options options;
    struct event_base *base;
    struct xd_ledger *ledger;
    uint16_t partition;
    struct xd_follower *follower;
    struct xd_owner *owner;
    struct xd_progress progress; /* of an owner that lost its lease, for the follower after it */
    struct xd_lease lease; /* got, and waits for what the follower has */
    bool taking;           /* the follower's progress is on its way */
    bool stopped;
    struct event *loss; /* the owner has lost its lease: told from outside of its callback */
    enum xd_code loss_code;
};

/* --- owning --------------------------------------------------------------------------------------------- */

static void on_owner(void *arg, bool owning, enum xd_code code)
{
    struct xd_station *station = arg;
    if (owning) {
        station->options.events.owning(station->options.events.arg, station->partition);
    } else {
        station->loss_code = code;
        event_active(station->loss, EV_TIMEOUT, 0);
    }
}

static void on_differs(void *arg, uint64_t records, uint64_t events, uint64_t committed)
{
    const struct xd_station *station = arg;
    const struct xd_station_events *told = &station->options.events;
    if (told->differs) told->differs(told->arg, station->partition, records, events, committed);
}

static void on_loss(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    struct xd_station *station = arg;
    if (!station->owner || station->stopped) return;
    station->progress = xd_owner_leave(station->owner);
    station->owner = NULL;
    station->options.events.lost(station->options.events.arg, station->partition, station->loss_code);
}

static void own(struct xd_station *station, struct xd_progress progress)
{
    const struct xd_owner_options options = {.engine = station->options.engine,
                                             .snapshot_every = station->options.snapshot_every,
                                             .changed = on_owner,
                                             .differs = on_differs,
                                             .arg = station};
    station->owner = xd_owner_take(station->base, station->ledger, &options, &station->lease, progress);
    if (station->owner) return;
    xd_engine_destroy(progress.engine);
    xd_ledger_release(station->ledger, &station->lease);
    station->options.events.lost(station->options.events.arg, station->partition, XD_NO_MEMORY);
}

/* --- following ------------------------------------------------------------------------------------------ */

static void on_warm(void *arg, bool warm)
{
    struct xd_station *station = arg;
    if (!station->stopped)
        station->options.events.warm(station->options.events.arg, station->partition, warm);
}

static void forget(struct xd_station *station)
{
    xd_engine_destroy(station->progress.engine);
    station->progress = (struct xd_progress){.engine = NULL};
}

void xd_station_follow(struct xd_station *station)
{
    const struct xd_follower_options options = {
        .engine = station->options.engine, .warm = on_warm, .arg = station};
    station->follower = xd_follower_start(station->base, station->ledger, &options, station->progress);
    if (station->follower) station->progress.engine = NULL;
    forget(station);
}

void xd_station_unfollow(struct xd_station *station)
{
    if (station->follower) xd_follower_stop(station->follower, NULL, NULL);
    station->follower = NULL;
    forget(station);
}

/* --- the lease ------------------------------------------------------------------------------------------ */

static void on_taken(void *arg, struct xd_progress progress)
{
    struct xd_station *station = arg;
    bool wanted = station->taking && !station->stopped;
    station->taking = false;
    if (wanted)
        own(station, progress);
    else
        xd_engine_destroy(progress.engine);
}

static void on_lease(void *arg, enum xd_code code, const struct xd_lease *lease)
{
    struct xd_station *station = arg;
    const struct xd_station_events *events = &station->options.events;
    if (station->stopped) return;
    if (code != XD_OK) {
        events->refused(events->arg, station->partition, code);
        return;
    }
    station->lease = *lease;
    struct xd_follower *follower = station->follower;
    station->follower = NULL;
    station->taking = follower != NULL;
    events->acquired(events->arg, station->partition);
    if (follower)
        xd_follower_stop(follower, on_taken, station);
    else
        own(station, (struct xd_progress){.engine = NULL});
}

void xd_station_acquire(struct xd_station *station)
{
    xd_ledger_acquire(station->ledger, station->partition, on_lease, station);
}

void xd_station_release(struct xd_station *station)
{
    if (station->owner)
        xd_owner_stop(station->owner);
    else
        xd_ledger_release(station->ledger, &station->lease);
    station->owner = NULL;
    station->taking = false;
}

/* --- the rest ------------------------------------------------------------------------------------------- */

struct xd_engine *xd_station_engine(const struct xd_station *station)
{
    return station->owner ? xd_owner_engine(station->owner) : NULL;
}

uint64_t xd_station_position(const struct xd_station *station)
{
    return station->owner ? xd_owner_position(station->owner) : 0;
}

struct xd_station *xd_station_create(struct event_base *base, struct xd_ledger *ledger,
                                     const struct xd_station_options *options)
{
    struct xd_station *station = calloc(1, sizeof(*station));
    if (!station) return NULL;
    station->options = *options;
    station->base = base;
    station->ledger = ledger;
    station->partition = options->engine.partition;
    station->loss = event_new(base, -1, 0, on_loss, station);
    if (station->loss) return station;
    free(station);
    return NULL;
}

void xd_station_stop(struct xd_station *station)
{
    station->stopped = true;
    xd_station_unfollow(station);
    if (station->owner) xd_owner_stop(station->owner);
    station->owner = NULL;
}

void xd_station_free(struct xd_station *station)
{
    if (!station) return;
    event_free(station->loss);
    free(station);
}

#include "matcher/crew.h"

static int64_t now_ms(const struct xd_crew *crew)
{
    return crew->options.events.now_ms(crew->options.events.arg);
}

static void turn_soon(const struct xd_crew *crew)
{
    crew->options.events.turn(crew->options.events.arg);
}

/* --- what stations tell --------------------------------------------------------------------------------- */

static uint16_t seat_of(const struct xd_crew *crew, uint16_t partition)
{
    return (uint16_t)(partition - crew->options.engine.partition);
}

static void on_warm(void *arg, uint16_t partition, bool warm)
{
    struct xd_crew *crew = arg;
    uint16_t seat = seat_of(crew, partition);
    xd_member_warm(&crew->member, seat, warm);
    if (crew->options.events.warm) crew->options.events.warm(crew->options.events.arg, seat, warm);
    turn_soon(crew);
}

static void on_acquired(void *arg, uint16_t partition)
{
    struct xd_crew *crew = arg;
    xd_member_acquired(&crew->member, seat_of(crew, partition));
    turn_soon(crew);
}

static void on_owning(void *arg, uint16_t partition)
{
    struct xd_crew *crew = arg;
    crew->options.events.owning(crew->options.events.arg, seat_of(crew, partition));
}

static void on_refused(void *arg, uint16_t partition, enum xd_code code)
{
    struct xd_crew *crew = arg;
    xd_member_refused(&crew->member, seat_of(crew, partition), code == XD_FENCED, now_ms(crew));
    turn_soon(crew);
}

static void on_differs(void *arg, uint16_t partition, uint64_t records, uint64_t events, uint64_t committed)
{
    const struct xd_crew *crew = arg;
    const struct xd_crew_events *told = &crew->options.events;
    if (told->differs) told->differs(told->arg, seat_of(crew, partition), records, events, committed);
}

static void on_lost(void *arg, uint16_t partition, enum xd_code code)
{
    struct xd_crew *crew = arg;
    uint16_t seat = seat_of(crew, partition);
    crew->options.events.lost(crew->options.events.arg, seat, code);
    xd_member_lost(&crew->member, seat, code == XD_INTERNAL, now_ms(crew));
    if (crew->member.seats[seat].duty == XD_DUTY_NONE) xd_station_unfollow(crew->stations[seat]);
    turn_soon(crew);
}

/* --- what is decided ------------------------------------------------------------------------------------ */

static void carry_out(struct xd_crew *crew, struct xd_step step)
{
    struct xd_station *station = crew->stations[step.partition];
    switch (step.type) {
    case XD_STEP_FOLLOW:
        xd_station_follow(station);
        break;
    case XD_STEP_UNFOLLOW:
        xd_station_unfollow(station);
        break;
    case XD_STEP_ACQUIRE:
        xd_station_acquire(station);
        break;
    case XD_STEP_HURRY:
        crew->options.events.hurry(crew->options.events.arg, step.partition);
        break;
    case XD_STEP_RELEASE:
        crew->options.events.release(crew->options.events.arg, step.partition);
        xd_member_released(&crew->member, step.partition, now_ms(crew));
        break;
    case XD_STEP_WANT:
        crew->options.events.want(crew->options.events.arg, step.partition);
        break;
    }
}

void xd_crew_turn(struct xd_crew *crew)
{
    struct xd_step step;
    if (!crew->options.count) return;
    while (xd_member_next(&crew->member, now_ms(crew), &step)) {
        carry_out(crew, step);
    }
}

/* --- beginning and ending ------------------------------------------------------------------------------- */

bool xd_crew_init(struct xd_crew *crew, struct event_base *base, struct xd_ledger *ledger,
                  const struct xd_crew_options *options)
{
    struct xd_station_options station = {.engine = options->engine,
                                         .snapshot_every = options->snapshot_every,
                                         .events = {.warm = on_warm,
                                                    .acquired = on_acquired,
                                                    .owning = on_owning,
                                                    .refused = on_refused,
                                                    .lost = on_lost,
                                                    .differs = on_differs,
                                                    .arg = crew}};
    *crew = (struct xd_crew){.options = *options};
    xd_member_init(&crew->member, options->id, options->count);
    for (uint16_t seat = 0; seat < options->count; seat++) {
        station.engine.partition = (uint16_t)(options->engine.partition + seat);
        crew->stations[seat] = xd_station_create(base, ledger, &station);
        if (!crew->stations[seat]) return false;
    }
    return true;
}

void xd_crew_stop(struct xd_crew *crew)
{
    for (uint16_t seat = 0; seat < crew->options.count; seat++) {
        if (crew->stations[seat]) xd_station_stop(crew->stations[seat]);
    }
}

void xd_crew_free(struct xd_crew *crew)
{
    for (uint16_t seat = 0; seat < crew->options.count; seat++) {
        xd_station_free(crew->stations[seat]);
        crew->stations[seat] = NULL;
    }
}

/* The part of libevent that the real code uses, on the world's clock: timers of a process. They stand in the
 * place of the library's functions of the same names. */
#include "tests/sim/network.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

struct event {
    struct sim_process *process;
    event_callback_fn callback;
    void *arg;
    uint64_t serial; /* of the last time that it was added */
    unsigned queued; /* entries of the queue that name it */
    bool added, freed;
};

struct firing {
    struct event *event;
    uint64_t serial;
};

static void fire(void *arg)
{
    struct firing firing = *(struct firing *)arg;
    struct event *event = firing.event;
    free(arg);
    event->queued--;
    if (event->freed) {
        if (!event->queued) free(event);
    } else if (event->added && event->serial == firing.serial) {
        event->added = false;
        event->callback(-1, EV_TIMEOUT, event->arg);
    }
}

struct event *event_new(struct event_base *base, evutil_socket_t fd, short what, event_callback_fn callback,
                        void *arg)
{
    (void)fd;
    (void)what;
    struct event *event = sim_new(sizeof *event);
    *event = (struct event){.process = (struct sim_process *)(void *)base, .callback = callback, .arg = arg};
    return event;
}

int event_add(struct event *event, const struct timeval *timeout)
{
    struct firing *firing = sim_new(sizeof *firing);
    struct sim_world *world = event->process->world;
    *firing = (struct firing){.event = event, .serial = ++event->serial};
    event->added = true;
    event->queued++;
    sim_at(world, world->now_us + timeout->tv_sec * (int64_t)SIM_S + timeout->tv_usec, event->process, fire,
           firing);
    return 0;
}

void event_active(struct event *event, int result, short calls)
{
    (void)result;
    (void)calls;
    event_add(event, &(struct timeval){0});
}

int event_pending(const struct event *event, short events, struct timeval *at)
{
    (void)at;
    return event->added ? events : 0;
}

int event_del(struct event *event)
{
    event->added = false;
    return 0;
}

void event_free(struct event *event)
{
    event->freed = true;
    event->added = false;
    if (!event->queued) free(event);
}

/* Work takes no time: a slice of a snapshot never ends for its length. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
    (void)clock;
    *now = (struct timespec){0};
    return 0;
}

#include "broker/clock.h"

#include <time.h>

int64_t xd_clock_real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t xd_clock_ms(void *clock)
{
    const struct xd_clock *own = clock;
    return own->by_hand ? own->now_ms : xd_clock_real_ms();
}

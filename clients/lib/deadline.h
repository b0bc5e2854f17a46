/* Points in time to give up at: milliseconds of the monotonic clock, or XD_NO_DEADLINE. */
#ifndef XD_CLIENTS_LIB_DEADLINE_H
#define XD_CLIENTS_LIB_DEADLINE_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define XD_NO_DEADLINE INT64_C(-1)

static inline int64_t xd_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* `timeout_ms` from now; a negative one is none. */
static inline int64_t xd_deadline_in(int timeout_ms)
{
    return timeout_ms < 0 ? XD_NO_DEADLINE : xd_monotonic_ms() + timeout_ms;
}

/* What is left, as poll(2) takes it: -1 for ever, 0 when it has passed. */
static inline int xd_deadline_left(int64_t deadline)
{
    if (deadline == XD_NO_DEADLINE) return -1;
    int64_t left = deadline - xd_monotonic_ms();
    if (left < 0) return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

#endif

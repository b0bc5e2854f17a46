/* A storage offer's calendar: what is still free on each of its days, in each dimension that it states (rule 6).
 *
 *      m2   100 |####      ######|      days begun stay taken when a match ends
 *             0 +----------------+
 *               ^   ^     ^
 *               three steps: from_day, and each day on which what is free changes
 *
 * Few of its days differ from the day before, so it keeps the steps: a row of the first day and what is free from it on, in
 * each stated dimension. There are never more steps than days. Made when something is first taken: until then an offer has
 * its capacity on every day, and no calendar. */
#ifndef XD_ENGINE_CALENDAR_H
#define XD_ENGINE_CALENDAR_H

#include "core/order.h"
#include "engine/pool.h"

struct xd_calendar {
    int32_t from_day, until_day;
    uint16_t count, room; /* steps */
    uint8_t dims;         /* bit per dimension that the offer states */
    uint8_t width;        /* numbers in a row: 1 for the day, 1 for each stated dimension */
    int64_t rows[];
};

/* A calendar of the pool with `capacity` free on every day of [from_day, until_day). NULL without memory. It is given back
 * with xd_pool_give. */
struct xd_calendar *xd_calendar_create(struct xd_pool *pool, int32_t from_day, int32_t until_day, uint8_t dims,
                                       const int64_t capacity[XD_DIMS]);

/* The least that is free of a stated dimension over [from, until), which lies within the calendar. */
int64_t xd_calendar_free_of(const struct xd_calendar *calendar, enum xd_dim dim, int64_t from, int64_t until);

/* The most that is free of a stated dimension on any day. */
int64_t xd_calendar_most_free(const struct xd_calendar *calendar, enum xd_dim dim);

/* Takes (or gives back) an amount on every day of [from, until); what it says of dimensions that are not stated is ignored.
 * Taking more than is free is the caller's fault. The calendar may move. False without memory, the calendar unchanged. */
bool xd_calendar_take(struct xd_pool *pool, struct xd_calendar **calendar, const int64_t amount[XD_DIMS], int64_t from,
                      int64_t until);
bool xd_calendar_give(struct xd_pool *pool, struct xd_calendar **calendar, const int64_t amount[XD_DIMS], int64_t from,
                      int64_t until);

/* Step `i`: the day after its last. */
int64_t xd_calendar_step_end(const struct xd_calendar *calendar, uint32_t i);

/* Step `i`: what is free of a stated dimension. */
int64_t xd_calendar_step_free(const struct xd_calendar *calendar, uint32_t i, enum xd_dim dim);

#endif

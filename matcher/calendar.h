/* A storage offer's calendar: what is still free on each of its days, in each dimension that it states (rule 6).
 *
 *      m2   100 |####      ######|      days begun stay taken when a match ends
 *             0 +----------------+
 *               from_day         until_day (exclusive)
 *
 * Until something is taken there is only the capacity; then an array of days for each dimension. */
#ifndef XD_MATCHER_CALENDAR_H
#define XD_MATCHER_CALENDAR_H

#include "core/order.h"

struct xd_calendar {
    int64_t from_day, until_day;
    int64_t capacity[XD_DIMS];
    uint8_t dims;  /* bit per dimension that the offer states */
    int64_t *left; /* [dimension, those stated only][day], or NULL while nothing was ever taken */
};

void xd_calendar_init(struct xd_calendar *calendar, const struct xd_order *offer, uint8_t dims);
void xd_calendar_free(struct xd_calendar *calendar);

/* The least that is free of a stated dimension over [from, until), which lies within the calendar. */
int64_t xd_calendar_free_of(const struct xd_calendar *calendar, enum xd_dim dim, int64_t from, int64_t until);

/* The most that is free of a stated dimension on any day. */
int64_t xd_calendar_most_free(const struct xd_calendar *calendar, enum xd_dim dim);

/* Takes (or gives back) an amount on every day of [from, until). Taking more than is free is the caller's fault. Taking is
 * false without memory. */
bool xd_calendar_take(struct xd_calendar *calendar, const int64_t amount[XD_DIMS], int64_t from, int64_t until);
void xd_calendar_give(struct xd_calendar *calendar, const int64_t amount[XD_DIMS], int64_t from, int64_t until);

/* How many numbers `left` holds. */
size_t xd_calendar_cells(const struct xd_calendar *calendar);

/* Makes `left`, all free, if it is not there yet. False without memory. */
bool xd_calendar_open(struct xd_calendar *calendar);

#endif

/* The slow twin of a storage offer's calendar (rule 6): the list of what was taken, and nothing else. */
#ifndef XD_TESTS_DIFFERENTIAL_TWIN_CALENDAR_H
#define XD_TESTS_DIFFERENTIAL_TWIN_CALENDAR_H

#include "core/order.h"

/* What a match has of every day of [from, until). */
struct twin_take {
    uint64_t match_id;
    int64_t from, until;
    int64_t amount[XD_DIMS];
};

/* Empty: {0}. */
struct twin_calendar {
    struct twin_take *takes;
    uint32_t count;
};

void twin_calendar_free(struct twin_calendar *calendar);

/* What the offer has of a dimension, less all that is taken of it on that day. */
int64_t twin_calendar_left(const struct twin_calendar *calendar, const struct xd_order *offer,
                           enum xd_dim dim, int64_t day);

void twin_calendar_take(struct twin_calendar *calendar, const struct twin_take *take);

/* Gives back what a match has of the days from `day` on. True if that was anything. */
bool twin_calendar_give(struct twin_calendar *calendar, uint64_t match_id, int64_t day);

#endif

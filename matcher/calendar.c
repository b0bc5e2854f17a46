#include "matcher/calendar.h"

#include <stdlib.h>
#include <string.h>

void xd_calendar_init(struct xd_calendar *calendar, const struct xd_order *offer, uint8_t dims)
{
    *calendar = (struct xd_calendar){.from_day = offer->from_day, .until_day = offer->until_day, .dims = dims};
    memcpy(calendar->capacity, offer->amount, sizeof calendar->capacity);
}

void xd_calendar_free(struct xd_calendar *calendar)
{
    free(calendar->left);
    calendar->left = NULL;
}

static size_t days(const struct xd_calendar *calendar)
{
    return (size_t)(calendar->until_day - calendar->from_day);
}

size_t xd_calendar_cells(const struct xd_calendar *calendar)
{
    return (size_t)__builtin_popcount(calendar->dims) * days(calendar);
}

/* The row of a stated dimension. */
static int64_t *row(const struct xd_calendar *calendar, unsigned dim)
{
    unsigned before = calendar->dims & ((1u << dim) - 1);
    return calendar->left + (size_t)__builtin_popcount(before) * days(calendar);
}

int64_t xd_calendar_free_of(const struct xd_calendar *calendar, enum xd_dim dim, int64_t from, int64_t until)
{
    int64_t least = calendar->capacity[dim];
    if (!calendar->left) return least;
    const int64_t *left = row(calendar, dim);
    for (int64_t day = from - calendar->from_day; day < until - calendar->from_day; day++) {
        if (left[day] < least) least = left[day];
    }
    return least;
}

int64_t xd_calendar_most_free(const struct xd_calendar *calendar, enum xd_dim dim)
{
    if (!calendar->left) return calendar->capacity[dim];
    const int64_t *left = row(calendar, dim);
    int64_t most = 0;
    for (size_t day = 0; day < days(calendar); day++) {
        if (left[day] > most) most = left[day];
    }
    return most;
}

bool xd_calendar_open(struct xd_calendar *calendar)
{
    if (calendar->left) return true;
    calendar->left = malloc(xd_calendar_cells(calendar) * sizeof *calendar->left);
    if (!calendar->left) return false;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (!(calendar->dims >> dim & 1)) continue;
        int64_t *left = row(calendar, dim);
        for (size_t day = 0; day < days(calendar); day++) {
            left[day] = calendar->capacity[dim];
        }
    }
    return true;
}

static void add(struct xd_calendar *calendar, const int64_t amount[XD_DIMS], int sign, int64_t from, int64_t until)
{
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (!(calendar->dims >> dim & 1)) continue;
        int64_t *left = row(calendar, dim);
        for (int64_t day = from - calendar->from_day; day < until - calendar->from_day; day++) {
            left[day] += sign * amount[dim];
        }
    }
}

bool xd_calendar_take(struct xd_calendar *calendar, const int64_t amount[XD_DIMS], int64_t from, int64_t until)
{
    if (!xd_calendar_open(calendar)) return false;
    add(calendar, amount, -1, from, until);
    return true;
}

void xd_calendar_give(struct xd_calendar *calendar, const int64_t amount[XD_DIMS], int64_t from, int64_t until)
{
    add(calendar, amount, 1, from, until);
}

#include "engine/fit/calendar.h"

#include <string.h>

static int64_t *row(struct xd_calendar *calendar, uint32_t i)
{
    return calendar->rows + (size_t)i * calendar->width;
}

static const int64_t *row_of(const struct xd_calendar *calendar, uint32_t i)
{
    return calendar->rows + (size_t)i * calendar->width;
}

/* Where a stated dimension stands in a row. */
static unsigned column(const struct xd_calendar *calendar, unsigned dim)
{
    unsigned before = calendar->dims & ((1u << dim) - 1);
    return 1 + (unsigned)__builtin_popcount(before);
}

static struct xd_calendar *with_room(struct xd_pool *pool, uint32_t width, uint32_t steps)
{
    struct xd_calendar *calendar = xd_pool_take(pool, sizeof *calendar + steps * width * sizeof(int64_t));
    if (!calendar) return NULL;
    calendar->width = (uint8_t)width;
    calendar->room = (uint16_t)((xd_pool_room(calendar) - sizeof *calendar) / (width * sizeof(int64_t)));
    return calendar;
}

struct xd_calendar *xd_calendar_create(struct xd_pool *pool, int32_t from_day, int32_t until_day, uint8_t dims,
                                       const int64_t capacity[XD_DIMS])
{
    enum { FIRST_STEPS = 3 };
    struct xd_calendar *calendar = with_room(pool, 1 + (uint32_t)__builtin_popcount(dims), FIRST_STEPS);
    if (!calendar) return NULL;
    calendar->from_day = from_day;
    calendar->until_day = until_day;
    calendar->dims = dims;
    calendar->count = 1;
    calendar->rows[0] = from_day;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (dims >> dim & 1) calendar->rows[column(calendar, dim)] = capacity[dim];
    }
    return calendar;
}

int64_t xd_calendar_step_end(const struct xd_calendar *calendar, uint32_t i)
{
    return i + 1 < calendar->count ? row_of(calendar, i + 1)[0] : calendar->until_day;
}

int64_t xd_calendar_step_free(const struct xd_calendar *calendar, uint32_t i, enum xd_dim dim)
{
    return row_of(calendar, i)[column(calendar, dim)];
}

/* The step that a day of the calendar lies in. */
static uint32_t step_of(const struct xd_calendar *calendar, int64_t day)
{
    uint32_t low = 0, high = calendar->count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (row_of(calendar, middle)[0] <= day) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

int64_t xd_calendar_free_of(const struct xd_calendar *calendar, enum xd_dim dim, int64_t from, int64_t until)
{
    uint32_t i = step_of(calendar, from);
    unsigned at = column(calendar, dim);
    int64_t least = row_of(calendar, i)[at];
    for (i++; i < calendar->count && row_of(calendar, i)[0] < until; i++) {
        int64_t left = row_of(calendar, i)[at];
        if (left < least) least = left;
    }
    return least;
}

int64_t xd_calendar_most_free(const struct xd_calendar *calendar, enum xd_dim dim)
{
    unsigned at = column(calendar, dim);
    int64_t most = 0;
    for (uint32_t i = 0; i < calendar->count; i++) {
        int64_t left = row_of(calendar, i)[at];
        if (left > most) most = left;
    }
    return most;
}

/* --- changing ------------------------------------------------------------------------------------------------------------ */

static bool make_room(struct xd_pool *pool, struct xd_calendar **calendar, uint32_t steps)
{
    struct xd_calendar *old = *calendar;
    if (steps <= old->room) return true;
    struct xd_calendar *wider = with_room(pool, old->width, steps + steps / 4);
    if (!wider) return false;
    uint16_t room = wider->room;
    memcpy(wider, old, sizeof *old + (size_t)old->count * old->width * sizeof(int64_t));
    wider->room = room;
    xd_pool_give(pool, old);
    *calendar = wider;
    return true;
}

/* Makes a step begin at `day`, for which there is room; which one. */
static uint32_t split(struct xd_calendar *calendar, int64_t day)
{
    if (day == calendar->until_day) return calendar->count;
    uint32_t i = step_of(calendar, day);
    if (row(calendar, i)[0] == day) return i;
    size_t step = calendar->width * sizeof(int64_t);
    memmove(row(calendar, i + 1), row(calendar, i), (calendar->count - i) * step);
    calendar->count++;
    row(calendar, i + 1)[0] = day;
    return i + 1;
}

/* Joins neighbours that have become alike. */
static void join(struct xd_calendar *calendar)
{
    size_t numbers = (calendar->width - 1u) * sizeof(int64_t), step = calendar->width * sizeof(int64_t);
    uint16_t kept = 1;
    for (uint32_t i = 1; i < calendar->count; i++) {
        if (!memcmp(row(calendar, i) + 1, row(calendar, kept - 1u) + 1, numbers)) continue;
        if (i != kept) memcpy(row(calendar, kept), row(calendar, i), step);
        kept++;
    }
    calendar->count = kept;
}

static bool add(struct xd_pool *pool, struct xd_calendar **where, const int64_t amount[XD_DIMS], int sign, int64_t from,
                int64_t until)
{
    if (!make_room(pool, where, (*where)->count + 2u)) return false;
    struct xd_calendar *calendar = *where;
    uint32_t first = split(calendar, from), end = split(calendar, until);
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        if (!(calendar->dims >> dim & 1)) continue;
        unsigned at = column(calendar, dim);
        for (uint32_t i = first; i < end; i++) {
            row(calendar, i)[at] += sign * amount[dim];
        }
    }
    join(calendar);
    return true;
}

bool xd_calendar_take(struct xd_pool *pool, struct xd_calendar **calendar, const int64_t amount[XD_DIMS], int64_t from,
                      int64_t until)
{
    return add(pool, calendar, amount, -1, from, until);
}

bool xd_calendar_give(struct xd_pool *pool, struct xd_calendar **calendar, const int64_t amount[XD_DIMS], int64_t from,
                      int64_t until)
{
    return add(pool, calendar, amount, 1, from, until);
}

#include "tests/differential/twin_calendar.h"

#include "tests/differential/grow.h"

void twin_calendar_free(struct twin_calendar *calendar)
{
    free(calendar->takes);
    *calendar = (struct twin_calendar){0};
}

int64_t twin_calendar_left(const struct twin_calendar *calendar, const struct xd_order *offer,
                           enum xd_dim dim, int64_t day)
{
    int64_t left = offer->amount[dim];
    for (uint32_t i = 0; i < calendar->count; i++) {
        const struct twin_take *take = &calendar->takes[i];
        if (take->from <= day && day < take->until) left -= take->amount[dim];
    }
    return left;
}

void twin_calendar_take(struct twin_calendar *calendar, const struct twin_take *take)
{
    calendar->takes = xd_grown(calendar->takes, calendar->count, sizeof *calendar->takes);
    calendar->takes[calendar->count++] = *take;
}

bool twin_calendar_give(struct twin_calendar *calendar, uint64_t match_id, int64_t day)
{
    bool given = false;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < calendar->count; i++) {
        struct twin_take take = calendar->takes[i];
        if (take.match_id == match_id && take.until > day) {
            take.until = day;
            given = true;
        }
        if (take.until > take.from) calendar->takes[kept++] = take;
    }
    calendar->count = kept;
    return given;
}

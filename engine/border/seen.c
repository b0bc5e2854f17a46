#include "engine/state.h"

#include <stdlib.h>
#include <string.h>

/* The first interval that ends at or after `number`. */
static uint32_t position(const struct xd_seen *seen, uint64_t number)
{
    uint32_t low = 0, high = seen->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (seen->intervals[middle].last < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool xd_seen_contains(const struct xd_seen *seen, uint64_t number)
{
    uint32_t i = position(seen, number);
    return i < seen->count && seen->intervals[i].first <= number;
}

static bool insert(struct xd_seen *seen, uint32_t i, uint64_t number)
{
    if (seen->count == seen->room) {
        uint32_t room = seen->room ? seen->room * 2 : 8;
        struct xd_interval *intervals = realloc(seen->intervals, room * sizeof *intervals);
        if (!intervals) return false;
        seen->intervals = intervals;
        seen->room = room;
    }
    memmove(seen->intervals + i + 1, seen->intervals + i, (seen->count - i) * sizeof *seen->intervals);
    seen->intervals[i] = (struct xd_interval){number, number};
    seen->count++;
    return true;
}

/* Gaps are numbers that were refused or never came; the lowest are taken for seen when there are too many of them. */
enum { INTERVALS_MAX = 4096 };

static void close_lowest_gap(struct xd_seen *seen)
{
    seen->intervals[0].last = seen->intervals[1].last;
    seen->count--;
    memmove(seen->intervals + 1, seen->intervals + 2, (seen->count - 1) * sizeof *seen->intervals);
}

bool xd_seen_add(struct xd_seen *seen, uint64_t number)
{
    uint32_t i = position(seen, number);
    bool after = i > 0 && seen->intervals[i - 1].last + 1 == number;
    bool before = i < seen->count && seen->intervals[i].first == number + 1;
    if (after && before) {
        seen->intervals[i - 1].last = seen->intervals[i].last;
        seen->count--;
        memmove(seen->intervals + i, seen->intervals + i + 1, (seen->count - i) * sizeof *seen->intervals);
    } else if (after) {
        seen->intervals[i - 1].last = number;
    } else if (before) {
        seen->intervals[i].first = number;
    } else if (!insert(seen, i, number)) {
        return false;
    }
    if (seen->count > INTERVALS_MAX) close_lowest_gap(seen);
    return true;
}

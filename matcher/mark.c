#include "matcher/mark.h"

#include <stdlib.h>
#include <xxhash.h>

static bool list(struct xd_unhashed *unhashed, struct xd_mark *mark)
{
    uint32_t place = unhashed->count;
    if (unhashed->first_free) {
        place = unhashed->first_free - 1;
        unhashed->first_free = (uint32_t)(unhashed->places[place].free >> 1);
    } else if (unhashed->count < unhashed->room) {
        unhashed->count++;
    } else {
        uint32_t room = unhashed->room ? unhashed->room * 2 : 64;
        union xd_unhashed_place *places = realloc(unhashed->places, room * sizeof *places);
        if (!places) return false;
        unhashed->places = places;
        unhashed->room = room;
        unhashed->count++;
    }
    unhashed->places[place].mark = mark;
    mark->value = place;
    mark->unhashed = true;
    return true;
}

static void unlist(struct xd_unhashed *unhashed, const struct xd_mark *mark)
{
    uint32_t place = (uint32_t)mark->value;
    unhashed->places[place].free = (uintptr_t)unhashed->first_free << 1 | 1;
    unhashed->first_free = place + 1;
}

bool xd_mark_enter(struct xd_unhashed *unhashed, struct xd_mark *mark, bool is_match)
{
    *mark = (struct xd_mark){.is_match = is_match};
    return list(unhashed, mark);
}

void xd_mark_leave(struct xd_unhashed *unhashed, struct xd_mark *mark)
{
    if (mark->unhashed) {
        unlist(unhashed, mark);
    } else {
        unhashed->sum -= mark->value;
    }
}

bool xd_mark_list(struct xd_unhashed *unhashed, struct xd_mark *mark)
{
    unhashed->sum -= mark->value;
    return list(unhashed, mark);
}

void xd_mark_hash(struct xd_unhashed *unhashed, struct xd_mark *mark, const uint8_t *bytes, size_t len)
{
    if (!mark->unhashed) return;
    unlist(unhashed, mark);
    mark->unhashed = false;
    mark->value = XXH3_64bits(bytes, len) & ((UINT64_C(1) << XD_MARK_BITS) - 1);
    unhashed->sum += mark->value;
}

struct xd_mark *xd_unhashed_next(const struct xd_unhashed *unhashed, uint32_t *place)
{
    while (*place < unhashed->count) {
        const union xd_unhashed_place *at = &unhashed->places[(*place)++];
        if (!(at->free & 1)) return at->mark;
    }
    return NULL;
}

void xd_unhashed_free(struct xd_unhashed *unhashed)
{
    free(unhashed->places);
    *unhashed = (struct xd_unhashed){0};
}

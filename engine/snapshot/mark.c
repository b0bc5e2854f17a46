#include "engine/snapshot/mark.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

/* Links are less. */
static const uint32_t PLACE_FREE = UINT32_C(1) << 31;
static_assert(XD_POOL_SLABS_MAX <= (INT32_MAX / XD_POOL_UNITS_A_SLAB) + 1, "a link leaves a bit for PLACE_FREE");

static bool list(struct xd_unhashed *unhashed, struct xd_mark *mark)
{
    uint32_t place = unhashed->count;
    if (unhashed->first_free) {
        place = unhashed->first_free - 1;
        unhashed->first_free = unhashed->places[place] & ~PLACE_FREE;
    } else if (unhashed->count < unhashed->room) {
        unhashed->count++;
    } else {
        uint32_t room = unhashed->room ? unhashed->room * 2 : 64;
        uint32_t *places = realloc(unhashed->places, room * sizeof *places);
        if (!places) return false;
        unhashed->places = places;
        unhashed->room = room;
        unhashed->count++;
    }
    unhashed->places[place] = xd_pool_link((const char *)mark - XD_MARK_AT);
    mark->value = place;
    mark->unhashed = true;
    return true;
}

static void unlist(struct xd_unhashed *unhashed, const struct xd_mark *mark)
{
    uint32_t place = (uint32_t)mark->value;
    unhashed->places[place] = PLACE_FREE | unhashed->first_free;
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
        uint32_t at = unhashed->places[(*place)++];
        if (!(at & PLACE_FREE)) return (struct xd_mark *)(void *)((char *)xd_pool_at(unhashed->pool, at) + XD_MARK_AT);
    }
    return NULL;
}

void xd_unhashed_free(struct xd_unhashed *unhashed)
{
    free(unhashed->places);
    *unhashed = (struct xd_unhashed){.pool = unhashed->pool};
}

/* A binary heap that knows where each of its members is, so that any can be moved or taken out. */
#include "core/when.h"
#include "engine/state.h"

#include <stdlib.h>

static struct xd_deadline *deadline_of(const struct xd_deadlines *deadlines, xd_link block)
{
    return (struct xd_deadline *)(void *)((char *)xd_pool_at(deadlines->pool, block) + XD_DEADLINE_AT);
}

static xd_link block_of(const struct xd_deadline *deadline)
{
    return xd_pool_link((const char *)deadline - XD_DEADLINE_AT);
}

static uint32_t about(int64_t when)
{
    int64_t steps = (when - XD_TIME_MIN) / 2;
    return steps < 0 ? 0 : steps > UINT32_MAX ? UINT32_MAX : (uint32_t)steps;
}

static bool before(const struct xd_deadlines *deadlines, const struct xd_deadline_cell *a,
                   const struct xd_deadline_cell *b)
{
    if (a->about != b->about) return a->about < b->about;
    const struct xd_deadline *one = deadline_of(deadlines, a->block), *other = deadline_of(deadlines, b->block);
    if (one->when != other->when) return one->when < other->when;
    if (one->class != other->class) return one->class < other->class;
    return one->age < other->age;
}

static void place(struct xd_deadlines *deadlines, uint32_t index, struct xd_deadline_cell cell)
{
    deadlines->heap[index] = cell;
    deadline_of(deadlines, cell.block)->index = index;
}

/* Moves a cell up from the empty place `i`, as far as it goes; where to. */
static uint32_t sift_up(struct xd_deadlines *deadlines, uint32_t i, const struct xd_deadline_cell *cell)
{
    while (i > 1 && before(deadlines, cell, &deadlines->heap[i / 2])) {
        place(deadlines, i, deadlines->heap[i / 2]);
        i /= 2;
    }
    return i;
}

static uint32_t sift_down(struct xd_deadlines *deadlines, uint32_t i, const struct xd_deadline_cell *cell)
{
    for (uint32_t child = 2 * i; child <= deadlines->count; child = 2 * i) {
        const struct xd_deadline_cell *heap = deadlines->heap;
        if (child < deadlines->count && before(deadlines, &heap[child + 1], &heap[child])) child++;
        if (!before(deadlines, &heap[child], cell)) break;
        place(deadlines, i, heap[child]);
        i = child;
    }
    return i;
}

/* Puts a cell into the heap, from the empty place `i`. */
static void settle(struct xd_deadlines *deadlines, uint32_t i, struct xd_deadline_cell cell)
{
    uint32_t up = sift_up(deadlines, i, &cell);
    place(deadlines, up == i ? sift_down(deadlines, i, &cell) : up, cell);
}

static bool make_room(struct xd_deadlines *deadlines)
{
    if (deadlines->count + 1 < deadlines->room) return true;
    uint32_t room = deadlines->room < 4096 ? 64 + deadlines->room * 2 : deadlines->room + deadlines->room / 4;
    struct xd_deadline_cell *heap = realloc(deadlines->heap, room * sizeof *heap);
    if (!heap) return false;
    deadlines->heap = heap;
    deadlines->room = room;
    return true;
}

bool xd_deadlines_set(struct xd_deadlines *deadlines, struct xd_deadline *deadline, int64_t when)
{
    if (!deadline->index) {
        if (!make_room(deadlines)) return false;
        deadline->index = ++deadlines->count;
    }
    deadline->when = when;
    struct xd_deadline_cell cell = {.about = about(when), .block = block_of(deadline)};
    settle(deadlines, deadline->index, cell);
    return true;
}

void xd_deadlines_remove(struct xd_deadlines *deadlines, struct xd_deadline *deadline)
{
    uint32_t index = deadline->index;
    if (!index) return;
    deadline->index = 0;
    struct xd_deadline_cell last = deadlines->heap[deadlines->count--];
    if (index <= deadlines->count) settle(deadlines, index, last);
}

struct xd_deadline *xd_deadlines_first(const struct xd_deadlines *deadlines)
{
    return deadlines->count ? deadline_of(deadlines, deadlines->heap[1].block) : NULL;
}

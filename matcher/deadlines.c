/* A binary heap that knows where each of its members is, so that any can be moved or taken out. */
#include "matcher/state.h"

#include <stdlib.h>

static bool before(const struct xd_deadline *a, const struct xd_deadline *b)
{
    if (a->when != b->when) return a->when < b->when;
    if (a->class != b->class) return a->class < b->class;
    return a->age < b->age;
}

static void place(struct xd_deadlines *deadlines, uint32_t index, struct xd_deadline *deadline)
{
    deadlines->heap[index] = deadline;
    deadline->index = index;
}

static void sift_up(struct xd_deadlines *deadlines, struct xd_deadline *deadline)
{
    uint32_t i = deadline->index;
    while (i > 1 && before(deadline, deadlines->heap[i / 2])) {
        place(deadlines, i, deadlines->heap[i / 2]);
        i /= 2;
    }
    place(deadlines, i, deadline);
}

static void sift_down(struct xd_deadlines *deadlines, struct xd_deadline *deadline)
{
    uint32_t i = deadline->index;
    for (uint32_t child = 2 * i; child <= deadlines->count; child = 2 * i) {
        if (child < deadlines->count && before(deadlines->heap[child + 1], deadlines->heap[child])) child++;
        if (!before(deadlines->heap[child], deadline)) break;
        place(deadlines, i, deadlines->heap[child]);
        i = child;
    }
    place(deadlines, i, deadline);
}

bool xd_deadlines_set(struct xd_deadlines *deadlines, struct xd_deadline *deadline, int64_t when)
{
    deadline->when = when;
    if (!deadline->index) {
        if (deadlines->count + 1 >= deadlines->room) {
            uint32_t room = deadlines->room ? deadlines->room * 2 : 64;
            struct xd_deadline **heap = realloc(deadlines->heap, room * sizeof(*heap));
            if (!heap) return false;
            deadlines->heap = heap;
            deadlines->room = room;
        }
        place(deadlines, ++deadlines->count, deadline);
    }
    sift_up(deadlines, deadline);
    sift_down(deadlines, deadline);
    return true;
}

void xd_deadlines_remove(struct xd_deadlines *deadlines, struct xd_deadline *deadline)
{
    uint32_t index = deadline->index;
    if (!index) return;
    deadline->index = 0;
    struct xd_deadline *last = deadlines->heap[deadlines->count--];
    if (last == deadline) return;
    place(deadlines, index, last);
    sift_up(deadlines, last);
    sift_down(deadlines, last);
}

struct xd_deadline *xd_deadlines_first(const struct xd_deadlines *deadlines)
{
    return deadlines->count ? deadlines->heap[1] : NULL;
}

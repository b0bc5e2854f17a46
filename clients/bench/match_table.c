#include "clients/bench/match_table.h"

#include <stdbool.h>
#include <stdlib.h>

enum { FIRST_SIZE = 4096 };

/* Linear probing: the entry of `id`, or the free place where it would go. */
static struct xd_seen_match *find(struct xd_seen_match *slots, size_t size, uint64_t id)
{
    size_t at = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (size - 1);
    while (slots[at].id != 0 && slots[at].id != id)
        at = (at + 1) & (size - 1);
    return &slots[at];
}

static bool grow(struct xd_match_table *table)
{
    size_t size = table->size ? table->size * 2 : FIRST_SIZE;
    struct xd_seen_match *slots = calloc(size, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < table->size; i++) {
        if (table->slots[i].id != 0) *find(slots, size, table->slots[i].id) = table->slots[i];
    }
    free(table->slots);
    table->slots = slots;
    table->size = size;
    return true;
}

struct xd_seen_match *xd_match_table_get(struct xd_match_table *table, uint64_t id)
{
    if (table->count * 2 >= table->size && !grow(table)) return NULL;
    struct xd_seen_match *match = find(table->slots, table->size, id);
    if (match->id == 0) {
        match->id = id;
        table->count++;
    }
    return match;
}

void xd_match_table_free(struct xd_match_table *table)
{
    free(table->slots);
    *table = (struct xd_match_table){0};
}

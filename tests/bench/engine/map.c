#include "tests/bench/engine/map.h"

#include <stdlib.h>

/* Fibonacci hashing: ids are mostly consecutive. */
static uint32_t home(const struct xd_map *table, uint64_t id)
{
    return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & table->mask;
}

static struct xd_map_cell *find(const struct xd_map *table, uint64_t id)
{
    uint32_t i = home(table, id);
    while (table->cells[i].id != 0 && table->cells[i].id != id) {
        i = (i + 1) & table->mask;
    }
    return &table->cells[i];
}

void *xd_map_get(const struct xd_map *table, uint64_t id)
{
    return table->cells && id ? find(table, id)->value : NULL;
}

static bool grow(struct xd_map *table)
{
    uint32_t size = table->cells ? (table->mask + 1) * 2 : 64;
    struct xd_map bigger = {.cells = calloc(size, sizeof *bigger.cells), .count = table->count, .mask = size - 1};
    if (!bigger.cells) return false;
    for (uint32_t i = 0; table->cells && i <= table->mask; i++) {
        if (table->cells[i].id) *find(&bigger, table->cells[i].id) = table->cells[i];
    }
    free(table->cells);
    *table = bigger;
    return true;
}

bool xd_map_put(struct xd_map *table, uint64_t id, void *value)
{
    bool full = !table->cells || (uint64_t)table->count * 4 >= ((uint64_t)table->mask + 1) * 3;
    if (full && !grow(table)) return false;
    *find(table, id) = (struct xd_map_cell){.id = id, .value = value};
    table->count++;
    return true;
}

void xd_map_remove(struct xd_map *table, uint64_t id)
{
    if (!table->cells) return;
    struct xd_map_cell *cell = find(table, id);
    if (!cell->id) return;
    uint32_t hole = (uint32_t)(cell - table->cells);
    for (uint32_t i = (hole + 1) & table->mask; table->cells[i].id; i = (i + 1) & table->mask) {
        uint32_t wanted = home(table, table->cells[i].id);
        /* May the cell at i move to the hole? Only if its home is not between the two. */
        if (((i - wanted) & table->mask) < ((i - hole) & table->mask)) continue;
        table->cells[hole] = table->cells[i];
        hole = i;
    }
    table->cells[hole] = (struct xd_map_cell){0};
    table->count--;
}

void xd_map_free(struct xd_map *table)
{
    free(table->cells);
    *table = (struct xd_map){0};
}

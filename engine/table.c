#include "engine/table.h"

#include <stdlib.h>
#include <string.h>

/* Fibonacci hashing: ids are mostly consecutive. */
static uint32_t hash_of(uint64_t id)
{
    return (uint32_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static uint64_t id_of(const struct xd_table *table, const struct xd_table_cell *cell)
{
    uint64_t id;
    memcpy(&id, xd_pool_at(table->pool, cell->block), sizeof id);
    return id;
}

/* The cell of an id, or the empty one where it would be. */
static struct xd_table_cell *find(const struct xd_table *table, uint64_t id)
{
    uint32_t hash = hash_of(id);
    uint32_t i = hash & table->mask;
    while (table->cells[i].block && (table->cells[i].hash != hash || id_of(table, &table->cells[i]) != id)) {
        i = (i + 1) & table->mask;
    }
    return &table->cells[i];
}

void *xd_table_get(const struct xd_table *table, uint64_t id)
{
    return table->cells && id ? xd_pool_at(table->pool, find(table, id)->block) : NULL;
}

static void put_cell(struct xd_table *table, struct xd_table_cell cell)
{
    uint32_t i = cell.hash & table->mask;
    while (table->cells[i].block) {
        i = (i + 1) & table->mask;
    }
    table->cells[i] = cell;
}

static bool grow(struct xd_table *table)
{
    uint32_t size = table->cells ? (table->mask + 1) * 2 : 64;
    struct xd_table bigger = *table;
    bigger.cells = calloc(size, sizeof *bigger.cells);
    bigger.mask = size - 1;
    if (!bigger.cells) return false;
    for (uint32_t i = 0; table->cells && i <= table->mask; i++) {
        if (table->cells[i].block) put_cell(&bigger, table->cells[i]);
    }
    free(table->cells);
    *table = bigger;
    return true;
}

bool xd_table_put(struct xd_table *table, const void *block)
{
    bool full = !table->cells || (uint64_t)table->count * 8 >= ((uint64_t)table->mask + 1) * 7;
    if (full && !grow(table)) return false;
    uint64_t id;
    memcpy(&id, block, sizeof id);
    put_cell(table, (struct xd_table_cell){.block = xd_pool_link(block), .hash = hash_of(id)});
    table->count++;
    return true;
}

void xd_table_remove(struct xd_table *table, uint64_t id)
{
    if (!table->cells) return;
    struct xd_table_cell *cell = find(table, id);
    if (!cell->block) return;
    uint32_t hole = (uint32_t)(cell - table->cells);
    for (uint32_t i = (hole + 1) & table->mask; table->cells[i].block; i = (i + 1) & table->mask) {
        uint32_t wanted = table->cells[i].hash & table->mask;
        /* May the cell at i move to the hole? Only if its home is not between the two. */
        if (((i - wanted) & table->mask) < ((i - hole) & table->mask)) continue;
        table->cells[hole] = table->cells[i];
        hole = i;
    }
    table->cells[hole] = (struct xd_table_cell){0};
    table->count--;
}

void xd_table_free(struct xd_table *table)
{
    free(table->cells);
    table->cells = NULL;
    table->count = table->mask = 0;
}

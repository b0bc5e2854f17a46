/* A hash table from 64-bit ids (not 0) to pointers: open addressing, linear probing, deletion by moving back (Knuth, The Art
 * of Computer Programming 3, 6.4, algorithm R), so it never fills with tombstones. */
#ifndef XD_MATCHER_TABLE_H
#define XD_MATCHER_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xd_table_cell {
    uint64_t id;
    void *value;
};

struct xd_table {
    struct xd_table_cell *cells;
    uint32_t count, mask; /* mask + 1 cells, or none */
};

/* NULL if it is not there. */
void *xd_table_get(const struct xd_table *table, uint64_t id);

/* Adds an id that is not there yet. False without memory. */
bool xd_table_put(struct xd_table *table, uint64_t id, void *value);

void xd_table_remove(struct xd_table *table, uint64_t id);
void xd_table_free(struct xd_table *table);

#endif

/* A hash table from 64-bit ids (not 0) to pointers: open addressing, linear probing, deletion by moving back (Knuth, The Art
 * of Computer Programming 3, 6.4, algorithm R), so it never fills with tombstones. */
#ifndef XD_TESTS_BENCH_ENGINE_MAP_H
#define XD_TESTS_BENCH_ENGINE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xd_map_cell {
    uint64_t id;
    void *value;
};

struct xd_map {
    struct xd_map_cell *cells;
    uint32_t count, mask; /* mask + 1 cells, or none */
};

/* NULL if it is not there. */
void *xd_map_get(const struct xd_map *table, uint64_t id);

/* Adds an id that is not there yet. False without memory. */
bool xd_map_put(struct xd_map *table, uint64_t id, void *value);

void xd_map_remove(struct xd_map *table, uint64_t id);
void xd_map_free(struct xd_map *table);

#endif

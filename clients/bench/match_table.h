/* The matches that were told of, by id: a hash table that grows, for verify.c. */
#ifndef XD_BENCH_MATCH_TABLE_H
#define XD_BENCH_MATCH_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct xd_seen_match {
    uint64_t id; /* 0: a free place */
    uint64_t facts;
    uint16_t told[2]; /* per side: bit per enum xd_event_type */
    uint32_t live;    /* 1 while it holds some of the request's amount */
};

struct xd_match_table {
    struct xd_seen_match *slots;
    size_t size; /* a power of two, or 0 */
    size_t count;
};

/* The entry of match `id` (not 0), made zeroed but for its id if there was none. It stays where it is until
 * the next call. NULL without memory. */
struct xd_seen_match *xd_match_table_get(struct xd_match_table *table, uint64_t id);

void xd_match_table_free(struct xd_match_table *table);

#endif

/* What an order or match carries so that the state's hash is kept incrementally and a snapshot can be made in slices.
 *
 *      sum = of the values of all that are not `unhashed`        state hash = sum + hash of the header
 *
 * What is about to change leaves the sum and enters the list of the unhashed; nothing is packed then. Those in the list are
 * packed and hashed when the state's hash is asked for, or when a snapshot comes by that packs them anyway. The hash is a sum,
 * so it does not depend on the order or the way in which the state came about. */
#ifndef XD_ENGINE_MARK_H
#define XD_ENGINE_MARK_H

#include "engine/pool.h"

#include <stdbool.h>

enum { XD_MARK_BITS = 61 };

struct xd_mark {
    uint64_t value : XD_MARK_BITS; /* hash of what the snapshot says of it; while unhashed: its place in the list */
    uint64_t unhashed : 1;
    uint64_t kept : 1; /* the snapshot under way has kept how it was */
    uint64_t is_match : 1;
};

/* Orders and matches have their mark here, so that the list needs no more than a link to the block. */
enum { XD_MARK_AT = 32 };

/* Places that are free are chained through the list itself, so that it is no longer than the most that were ever in it. */
struct xd_unhashed {
    const struct xd_pool *pool; /* of the blocks; set by the owner before first use */
    uint32_t *places;           /* the link of a block, or the highest bit and the next free place + 1 */
    uint32_t count, room;
    uint32_t first_free; /* place + 1, or 0 */
    uint64_t sum;
};

/* New, in the list. False without memory. */
bool xd_mark_enter(struct xd_unhashed *unhashed, struct xd_mark *mark, bool is_match);

/* It is gone. */
void xd_mark_leave(struct xd_unhashed *unhashed, struct xd_mark *mark);

/* Its value counts no longer: into the list. False without memory. */
bool xd_mark_list(struct xd_unhashed *unhashed, struct xd_mark *mark);

/* The same, if it is not there already. */
static inline bool xd_mark_change(struct xd_unhashed *unhashed, struct xd_mark *mark)
{
    return mark->unhashed || xd_mark_list(unhashed, mark);
}

/* Out of the list, if it is there, with the hash of its bytes. */
void xd_mark_hash(struct xd_unhashed *unhashed, struct xd_mark *mark, const uint8_t *bytes, size_t len);

/* The next in the list from `*place` on, which moves behind it; NULL at the end. */
struct xd_mark *xd_unhashed_next(const struct xd_unhashed *unhashed, uint32_t *place);

void xd_unhashed_free(struct xd_unhashed *unhashed);

#endif

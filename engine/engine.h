/* The matching engine of one partition: records in, events out.
 *
 * A pure library: it does no I/O, reads no clock, draws no random number and starts no thread. Time is what its caller
 * says with each record. The same records at the same times give the same events, byte for byte, on any machine.
 * docs/RULES.md says what the rules mean where they could be read in two ways. */
#ifndef XD_ENGINE_ENGINE_H
#define XD_ENGINE_ENGINE_H

#include "core/curve.h"
#include "core/event.h"
#include "core/output.h"
#include "core/record.h"

struct xd_engine;

struct xd_engine_options {
    uint16_t partition;
    struct xd_market market;
    uint32_t max_orders; /* that it holds; more are refused with XD_BOOK_FULL; as many ghosts besides */
    const struct xd_layout *layout; /* copied; NULL: there is one partition, and no borders (docs/CLUSTER.md) */
};

/* NULL without memory. */
struct xd_engine *xd_engine_create(const struct xd_engine_options *options);
void xd_engine_destroy(struct xd_engine *engine);

/* Applies one record at log time `now` (seconds; not before the last one's): first every deadline that has passed, then
 * the record, then what it set free. Appends to `output` the events, the refs that closed, and one outcome: XD_OK,
 * XD_NOT_FOUND, XD_WRONG_STATE, XD_FORBIDDEN, or for an order XD_LAPSED, XD_BOOK_FULL (an order.rejected event says so
 * too), or for an amendment XD_LAPSED, XD_HELD or what the checks of orders say (a refusal beside the outcome names the
 * field). An order whose id was seen before is dropped with XD_OK and no event; so is a message of another
 * partition that is not the next of its session. What other partitions are to be told is appended as messages.
 * False without memory, here or in `output`: the engine is then unusable and must be rebuilt from the log. */
bool xd_engine_apply(struct xd_engine *engine, int64_t now, const struct xd_record *record, struct xd_output *output);

/* What stands between this partition and another of its kind: the session, and the last numbers sent and applied in it. The relay goes
 * on after what the other's engine has `seen`. */
struct xd_engine_peer {
    uint32_t own_gen, gen; /* the session: this partition's generation, and the other's */
    uint64_t sent, seen;
};

/* False if that is no other partition of the kind. */
bool xd_engine_peer(const struct xd_engine *engine, uint16_t partition, struct xd_engine_peer *out);

/* When the next deadline is due (seconds), or INT64_MAX. The owner appends a tick then. */
int64_t xd_engine_next_deadline(const struct xd_engine *engine);

/* The time of the last record applied, seconds. */
int64_t xd_engine_now(const struct xd_engine *engine);

/* Appends the whole state in canonical form: the same after the same records, however the engine came by it (it applied them
 * all, or was restored in between). False without memory. */
bool xd_engine_save(const struct xd_engine *engine, struct xd_buf *out);

/* The same in slices, while records go on being applied: what is saved is the state as it is at the beginning, between two
 * records, byte for byte what xd_engine_save would append then. What changes or goes before the slices come to it is packed
 * first and kept aside: at most as many bytes as the whole state, and 32 for each order and match. One at a time.
 * False without memory, or when one is under way. */
bool xd_engine_save_begin(struct xd_engine *engine);

/* XD_SAVE_FAILED: without memory, here, since the last slice or in `out`; the engine itself is well. */
enum xd_save_result { XD_SAVE_GOES_ON, XD_SAVE_WHOLE, XD_SAVE_FAILED };

/* Appends at most so many orders and matches more (one takes about half a microsecond, a full plan or calendar ten) of the
 * snapshot that was begun. It is over unless it goes on. */
enum xd_save_result xd_engine_save_some(struct xd_engine *engine, uint32_t most, struct xd_buf *out);

/* Ends the one under way, if there is one. */
void xd_engine_save_abandon(struct xd_engine *engine);

/* An engine from what xd_engine_save wrote. NULL if the bytes are not that, or without memory. */
struct xd_engine *xd_engine_load(const struct xd_engine_options *options, const uint8_t *bytes, size_t len);

/* A hash of what xd_engine_save writes: XXH3 (64 bits) of its header plus the sum of the low 61 bits of XXH3 of each order and
 * match, modulo 2^64. Packs and hashes only what has changed since it was last asked for or saved in slices. 0 without
 * memory. */
uint64_t xd_engine_state_hash(const struct xd_engine *engine);

/* Listings, in the order in which they came. What the engine holds: orders that are open or have live matches, and the live matches, those
 * proposed or confirmed. */
struct xd_listing {
    struct xd_str account; /* whose; "*": everybody's */
    int state;             /* an enum xd_order_state or xd_match_state, or -1 for all */
    uint64_t after;        /* id of the last one of the page before, or 0 */
    uint32_t limit;        /* how many at most */
};

/* Each appends maps (event.h) to `out` and returns how many; *more says whether another page follows, *last is the id to
 * go on after. */
uint32_t xd_engine_list_orders(const struct xd_engine *engine, const struct xd_listing *listing, struct xd_buf *out,
                               uint64_t *last, bool *more);
uint32_t xd_engine_list_matches(const struct xd_engine *engine, const struct xd_listing *listing, struct xd_buf *out,
                                uint64_t *last, bool *more);

struct xd_engine_stats {
    uint64_t orders, open_offers, open_requests, matches, proposals;
};
void xd_engine_stats(const struct xd_engine *engine, struct xd_engine_stats *out);

#endif

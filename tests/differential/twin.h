/* The naive twin of the matching engine: the oracle that the fast one is compared with, byte for byte.
 *
 * It is the rules written down literally: arrays looked through from end to end, no index, no heap, no hash
 * table, nothing pruned, and nothing kept that can be counted again from what is there. Of the product it
 * shares only core/: geometry, orders, the encoding of events. Where the rules leave the order of events open
 * it tells them in the engine's order. Without memory it stops the program. */
#ifndef XD_TESTS_DIFFERENTIAL_TWIN_H
#define XD_TESTS_DIFFERENTIAL_TWIN_H

#include "core/output.h"
#include "core/record.h"

struct xd_twin;

struct xd_twin_options {
    uint16_t partition;
    struct xd_market market;
    uint32_t max_orders;
};

struct xd_twin *xd_twin_create(const struct xd_twin_options *options);
void xd_twin_destroy(struct xd_twin *twin);

/* As xd_engine_apply. */
void xd_twin_apply(struct xd_twin *twin, int64_t now, const struct xd_record *record,
                   struct xd_output *output);

/* When the next deadline is due (seconds), or INT64_MAX. An engine may name an earlier time, not a later one.
 */
int64_t xd_twin_next_deadline(const struct xd_twin *twin);

/* Appends what the engine's two listings give for an account ("*": everybody's), all states, without a limit.
 */
void xd_twin_list_orders(const struct xd_twin *twin, struct xd_str account, struct xd_buf *out);
void xd_twin_list_matches(const struct xd_twin *twin, struct xd_str account, struct xd_buf *out);

#endif

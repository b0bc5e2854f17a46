/* Why an order does not match, and what one would match: questions to the engine that change nothing of its
 * state.
 *
 * Both are answered by a MessagePack map (docs/PROTOCOL.md, "explain, what_if"): of the other side's orders
 * in reach, how many fail for each reason, and for each reason the nearest miss; nothing in it names another
 * account, its order or its place. docs/RULES.md, "Explaining", says what is in reach and what counts. The
 * time that an answer takes is bounded: at most XD_EXPLAIN_STORAGE or XD_EXPLAIN_TRUCKS orders are looked at,
 * the nearest, and at most XD_EXPLAIN_MATCHES matches found. */
#ifndef XD_ENGINE_EXPLAIN_H
#define XD_ENGINE_EXPLAIN_H

#include "engine/engine.h"

enum { XD_EXPLAIN_STORAGE = 10000, XD_EXPLAIN_TRUCKS = 2500, XD_EXPLAIN_MATCHES = 100 };

/* Why an order of the account ("*": of anybody) that waits in the book has not matched, as of `now`
 * (seconds). False: *error is XD_NOT_FOUND, XD_WRONG_STATE (nothing of it is open; the message says why), or
 * XD_NO_MEMORY. */
bool xd_engine_explain(struct xd_engine *engine, int64_t now, struct xd_str account, uint64_t order_id,
                       struct xd_buf *out, struct xd_error *error);

/* What an order would match if the account, with that credit score, submitted it at `now`, and why no more.
 * False: *error is what submitting it would say (XD_LAPSED), or XD_NO_MEMORY. */
bool xd_engine_what_if(struct xd_engine *engine, int64_t now, const struct xd_order *order,
                       struct xd_str account, int64_t credit, struct xd_buf *out, struct xd_error *error);

#endif

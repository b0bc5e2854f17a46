/* Why an offer and a request do not fit, told by all that stands against them rather than by the first thing
 * found.
 *
 * The parties' reasons are each by themselves: xd_fit_parties. Place, time, temperature, amounts and price
 * hang together (where a load goes decides what it costs), so xd_fit_terms itself is asked, with limits
 * lifted: a *reason* is one whose lifting alone is wanted when every other one is lifted already. Where only
 * several limits together stand in the way (room at one position of a plan, time at another), the reasons are
 * those of which lifting any one would do. */
#ifndef XD_ENGINE_JUDGE_H
#define XD_ENGINE_JUDGE_H

#include "engine/fit/fit.h"

struct xd_verdict {
    unsigned misses; /* bit per enum xd_miss; 0: they fit */
    unsigned alone;  /* of them: those without which the two would fit */
};

/* The verdict on a pair at `now`. `misses` is 0 exactly where xd_fit is true. Prices of two currencies are
 * not compared; a truck that has no stop left to give is judged by nothing but that (capacity). */
void xd_judge(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4, int64_t now,
              struct xd_verdict *out);

/* Makes the copy of a storage offer state, for each day, what is free on every day of the request that it
 * has; a day that it has not counts as empty. The copy has no calendar then, and stands for the offer
 * wherever it is judged with this request. */
void xd_free_over(struct xd_slot *offer, const struct xd_slot *request);

/* What a time or a price is lifted to: beyond any value of a field, and far enough from the end to be added
 * to. */
#define XD_NO_LIMIT (INT64_MAX / 8)

/* Lifts the limits of both copies that `misses` says (those of the terms only). A storage offer is an
 * xd_free_over one. */
void xd_lift(struct xd_slot *offer, struct xd_slot *request, unsigned misses);

#endif

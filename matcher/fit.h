/* Whether an offer and a request fit, and at what price (rules 2 to 8). Decides nothing about which pair is best. */
#ifndef XD_MATCHER_FIT_H
#define XD_MATCHER_FIT_H

#include "matcher/plan.h"

struct xd_slot;

/* A pair that fits, as it would be matched. Money in hundredths. */
struct xd_candidate {
    int64_t surplus, quote, access;
    int64_t km_m, added_m;      /* metres: see struct xd_match_view */
    int32_t part;               /* of the main dimension */
    int64_t amount[XD_DIMS];
    struct xd_insertion insertion; /* trucks */
};

/* False if they do not fit at `now`, or only with a surplus below `at_least` (>= 0). `*out` is then unspecified. */
bool xd_fit(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4, int64_t now,
            int64_t at_least, struct xd_candidate *out);

/* Rule 8, exact and rounded once: hundredths. */
__int128 xd_quote_truck(int64_t base, int64_t per_t_km, int64_t per_detour_km, int64_t kg, int64_t loaded_m,
                        int64_t added_m);
__int128 xd_quote_storage(int64_t base, int64_t per_unit_day, int64_t amount, int64_t days);
__int128 xd_access_cost(int64_t per_access_km, int64_t metres);

/* ceil(amount x part / whole) and floor(amount x part / whole). */
int64_t xd_share_up(int64_t amount, int64_t part, int64_t whole);
int64_t xd_share_down(int64_t amount, int64_t part, int64_t whole);

#endif

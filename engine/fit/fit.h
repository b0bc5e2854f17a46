/* Whether an offer and a request fit, and at what price (rules 2 to 8). Decides nothing about which pair is best. */
#ifndef XD_ENGINE_FIT_H
#define XD_ENGINE_FIT_H

#include "engine/fit/plan.h"

struct xd_slot;

/* Why an offer and a request do not fit, in the order in which reasons are told: id, name on the wire. */
#define XD_MISSES(X)                                                                                                    \
    X(PRICE, "price")                                                                                                   \
    X(TIME, "time")                                                                                                     \
    X(CAPACITY, "capacity")                                                                                             \
    X(TEMPERATURE, "temperature")                                                                                       \
    X(FEATURES, "features")                                                                                             \
    X(CREDIT, "credit")                                                                                                 \
    X(DISTANCE, "distance")                                                                                             \
    X(CURRENCY, "currency")                                                                                             \
    X(EXCLUDED, "excluded")       /* by an `only` or `never` of either */                                               \
    X(BARRED, "barred")           /* paired before, and parted: rule 10 */                                              \
    X(OWN, "own_account")

enum xd_miss {
#define X(id, name) XD_MISS_##id,
    XD_MISSES(X)
#undef X
    XD_MISS_COUNT
};

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

/* The two halves of xd_fit, for who wants to know why not (judge.c). Who may meet whom (rules 2 and 10): a bit of enum xd_miss for
 * each thing that stands against it, 0 if nothing does. */
unsigned xd_fit_parties(const struct xd_slot *offer, const struct xd_slot *request);
/* The rest: place, time, temperature, amounts and price (rules 3 to 8); as xd_fit. */
bool xd_fit_terms(const struct xd_slot *offer, const struct xd_slot *request, int32_t road_factor_e4, int64_t now,
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

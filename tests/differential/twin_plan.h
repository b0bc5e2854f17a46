/* The slow twin of a truck's plan (rules 3, 4 and 5), written from the rules and nothing else.
 *
 * It forgets nothing: the list holds every stop since `from`, also those served long ago. A place for a load
 * is found by rebuilding the whole plan for every pair of positions and checking every rule on what was
 * built. */
#ifndef XD_TESTS_DIFFERENTIAL_TWIN_PLAN_H
#define XD_TESTS_DIFFERENTIAL_TWIN_PLAN_H

#include "core/geo.h"
#include "core/order.h"

struct twin_truck {
    struct xd_unit_vector from, to;
    bool has_to, has_temp;
    bool states[XD_DIMS]; /* the dimensions that it limits */
    int64_t capacity[XD_DIMS];
    int32_t road_factor_e4;
    int64_t max_detour_m, available_from, available_until, speed;
    struct xd_range temp;
};

struct twin_load {
    uint64_t match_id, request_id;
    struct xd_place from, to;
    struct xd_unit_vector pickup, delivery;
    int64_t pickup_from, pickup_until, deliver_until, load_s, unload_s;
    int64_t amount[XD_DIMS];
    bool has_temp;
    struct xd_range temp;
};

struct twin_stop {
    const struct twin_load *load;
    bool delivery;
    bool off;                   /* the fixed pickup of a load that was taken off */
    int64_t depart, start, end; /* s: leaves the stop before, service starts, has ended */
    int64_t told;               /* the start that its requester knows */
};

struct twin_plan {
    struct twin_stop *stops;
    uint32_t count;
    uint32_t history; /* stops whose service had ended when the plan, as it then stood, was last changed */
    struct twin_load **loads; /* every one that it ever had; owned */
    uint32_t load_count;
};

struct twin_insertion {
    uint32_t pickup, delivery; /* positions counted from the end of the history */
    int64_t added_m;           /* what the plan's length grows by */
    int64_t charged_m;         /* the added metres of the tariff: detour after less before, at least 0 */
};

enum { TWIN_LOADS_MAX = 16, TWIN_STOPS_MAX = 64 };

/* The truck of an offer and the load of a request (whose ids are left 0). */
struct twin_truck twin_truck_of(const struct xd_order *offer, int32_t road_factor_e4);
struct twin_load twin_load_of(const struct xd_order *request);

/* An empty plan is {0}. */
void twin_plan_free(struct twin_plan *plan);

/* The feasible pair of positions that adds the fewest metres, the earliest pickup and then delivery on a tie;
 * false if there is none. */
bool twin_plan_try(const struct twin_plan *plan, const struct twin_truck *truck, const struct twin_load *load,
                   int64_t now, struct twin_insertion *out);

/* Carries out what twin_plan_try found at the same `now`. */
void twin_plan_insert(struct twin_plan *plan, const struct twin_truck *truck, const struct twin_load *load,
                      int64_t now, const struct twin_insertion *insertion);

/* Takes off those stops of a match that are not fixed. True if anything was given back. */
bool twin_plan_remove(struct twin_plan *plan, const struct twin_truck *truck, uint64_t match_id, int64_t now);

/* The stop of a match, wherever in time it lies; NULL if it is not on the plan. */
const struct twin_stop *twin_plan_stop(const struct twin_plan *plan, uint64_t match_id, bool delivery);

int64_t twin_plan_detour(const struct twin_plan *plan, const struct twin_truck *truck);

#endif

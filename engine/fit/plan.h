/* A truck's plan: where it stops, when, and what is on board between (rules 3, 4 and 5).
 *
 *      from ──► stop 0 ──► stop 1 ──► ... ──► stop n-1 ──► to
 *        │        │ fixed: planned departure <= now        │
 *        │        └ nothing goes before it, it never moves └ the lane's end, if it has one
 *        └ free at `available_from`
 *
 * A stop is a pickup or a delivery of a load. Stops whose service has ended are taken off the front whenever the plan is
 * changed; the place, time and metres they left behind are `at`, `free` and `done_m`, so a plan stays small however long
 * the truck has been under way. The plan knows loads, not orders or matches: it can be tested and replaced alone. */
#ifndef XD_ENGINE_PLAN_H
#define XD_ENGINE_PLAN_H

#include "core/geo.h"
#include "core/order.h"
#include "engine/pool.h"

enum {
    XD_PLAN_LOADS_MAX = 16, /* undelivered */
    XD_PLAN_STOPS_MAX = 64, /* not yet served: fixed pickups of loads taken off count here only */
};

/* Temperatures, tenths of a degree Celsius. */
struct xd_band {
    int16_t min, max;
};

/* What a truck is and where it may go: fixed while its offer lives. */
struct xd_truck {
    struct xd_unit_vector from, to;
    int64_t available_from, available_until; /* s */
    int64_t capacity[XD_DIMS];
    int32_t road_factor_e4;
    int32_t lane_m; /* from-to, 0 without to */
    int32_t max_detour_m;
    int32_t speed; /* tenths of km/h */
    struct xd_band temp;
    bool has_to;
    bool has_temp;
    uint8_t dims; /* bit per dimension that it states */
};

struct xd_load {
    uint64_t match_id, request_id;
    struct xd_unit_vector pickup, delivery;
    struct xd_place pickup_place, delivery_place;
    int64_t pickup_from, pickup_until, deliver_until; /* s */
    int64_t amount[XD_DIMS];
    int32_t load_s, unload_s;
    int32_t direct_m; /* pickup-delivery */
    struct xd_band temp;
    bool has_temp;
    bool picked_up; /* its pickup has been taken off the plan's front */
    bool off;       /* taken off; only its fixed pickup remains */
};

struct xd_stop {
    struct xd_unit_vector place; /* the load's, kept here where trials pass along the stops */
    struct xd_load *load;
    int64_t depart; /* s: leaves the stop before */
    int64_t start;  /* s: service starts (the eta) */
    int64_t end;    /* s: service has ended */
    int64_t told;   /* the start that its requester knows */
    int32_t leg_m;  /* from the stop before */
    bool delivery;
};

struct xd_plan {
    struct xd_unit_vector at; /* behind the stops: where the truck is free ... */
    int64_t free;             /* ... and when */
    int64_t done_m;           /* metres of the legs up to `at` */
    int64_t direct_m;         /* of all its loads, delivered ones too */
    int64_t length_m;         /* of all of it: done, stops, last leg */
    struct xd_stop *stops;
    int32_t last_leg_m;       /* to `to`; 0 without */
    uint16_t count, room;
};

struct xd_insertion {
    uint32_t pickup, delivery; /* positions in the plan as it stands */
    int64_t added_m;           /* what the plan grows by */
    int64_t charged_m;         /* detour after less before, at least 0: the added metres of the tariff */
};

void xd_plan_init(struct xd_plan *plan, const struct xd_truck *truck);
/* Gives back what it holds; loads and stops of a plan are blocks of one pool. */
void xd_plan_free(struct xd_plan *plan, struct xd_pool *pool);

/* Finds the feasible pair of positions that adds the fewest metres, the earliest on a tie; false if there is none. Every pair
 * is tried in the order of the rule, its metres first, its times only where it would win. O(stops^2) pairs. */
bool xd_plan_try(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load, int64_t now,
                 struct xd_insertion *out);

/* The same for a caller that has no use for more than `most_charged_m` charged metres: false also where the best pair charges
 * more, which is mostly found out without exact distances. */
bool xd_plan_try_within(const struct xd_plan *plan, const struct xd_truck *truck, const struct xd_load *load, int64_t now,
                        int64_t most_charged_m, struct xd_insertion *out);

/* Carries out what xd_plan_try found at the same `now`. Takes a copy of `load`. False without memory (plan unchanged). */
bool xd_plan_insert(struct xd_plan *plan, struct xd_pool *pool, const struct xd_truck *truck, const struct xd_load *load,
                    int64_t now, const struct xd_insertion *insertion);

/* Takes the load of a match off as far as its stops are not fixed, and remakes what follows. True if anything was given
 * back. */
bool xd_plan_remove(struct xd_plan *plan, struct xd_pool *pool, const struct xd_truck *truck, uint64_t match_id, int64_t now);

/* What the stops that are not served at `now` need of the truck, however it may be amended. */
struct xd_plan_needs {
    int64_t aboard[XD_DIMS]; /* the most on any leg to them */
    struct xd_range temp;    /* what their loads tolerate in common, if any of them asks */
    bool has_temp;
    int64_t end; /* s: when the plan ends, at `to` if there is one; 0 where all is served */
};
void xd_plan_needs(const struct xd_plan *plan, const struct xd_truck *truck, int64_t now, struct xd_plan_needs *out);

/* How many stops are fixed at `now`. */
uint32_t xd_plan_fixed(const struct xd_plan *plan, int64_t now);

/* The stop of a match, or NULL when it is not (or no longer) on the plan. */
const struct xd_stop *xd_plan_stop(const struct xd_plan *plan, uint64_t match_id, bool delivery);

/* The plan's length less the lane, or less its loads' direct metres where it has no `to`. */
int64_t xd_plan_detour(const struct xd_plan *plan, const struct xd_truck *truck);

/* A copy of its own, loads and all. False without memory (nothing is left behind). */
bool xd_plan_copy(struct xd_plan *to, struct xd_pool *pool, const struct xd_plan *from);

/* For a plan read from a snapshot: appends a copy of a stop (false without memory), then works out what follows from the
 * stops. */
bool xd_plan_append(struct xd_plan *plan, struct xd_pool *pool, const struct xd_stop *stop);
void xd_plan_measure(struct xd_plan *plan, const struct xd_truck *truck);

#endif

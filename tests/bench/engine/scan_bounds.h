/* What the columns and the probes of the vectorised scan are made of: attributes of an order, relaxed so far
 * that rounding to a float can refuse nothing that fits. */
#ifndef XD_TESTS_BENCH_ENGINE_SCAN_BOUNDS_H
#define XD_TESTS_BENCH_ENGINE_SCAN_BOUNDS_H

#include "core/geo.h"

#include <stdbool.h>

struct xd_slot;

#define XD_SCAN_EARTH_M 6371008.8

/* A truck from its head on: the last stop of its plan that is fixed. Nothing new goes before it, then or
 * later. */
struct xd_scan_way {
    struct xd_unit_vector head;
    int64_t free; /* s: when it is free at its head */
    bool idle;    /* nothing is planned after the head: it leaves no earlier than now */
    int64_t
        longest_m; /* from the head by a new pickup and delivery to `to`; without `to`: to the new pickup */
    int64_t planned_m; /* of the plan as it stands, from the head to its end */
};

struct xd_scan_way xd_scan_way_of(const struct xd_slot *truck_offer, int64_t now);

/* What is free of a storage offer's main dimension on its emptiest day. */
int64_t xd_scan_emptiest_day(const struct xd_slot *storage_offer);

/* The least that a storage request would take now: its min_part, or what remains of it. */
int64_t xd_scan_least_part(const struct xd_slot *storage_request);

/* The square of a chord on the unit sphere that no place within the radius lies beyond. */
double xd_scan_reach(int64_t radius_m, int32_t road_factor_e4);

/* Amounts as floats that are never too small (capacities) or too large (needs). */
double xd_scan_most(int64_t amount);
double xd_scan_least(int64_t amount);

/* Times in steps of 4 s, which fit 32 bits until the year 2242, rounded down and up. */
int32_t xd_scan_time_down(int64_t time);
int32_t xd_scan_time_up(int64_t time);

#endif

/* What plan.c and plan_try.c share, not for use elsewhere; inline, because the search is made of it. */
#ifndef XD_ENGINE_PLAN_PARTS_H
#define XD_ENGINE_PLAN_PARTS_H

#include "engine/fit/plan.h"

/* The place before stop `i`: node i of the plan. */
static inline const struct xd_unit_vector *xd_plan_node(const struct xd_plan *plan, uint32_t i)
{
    return i == 0 ? &plan->at : &plan->stops[i - 1].place;
}

static inline int64_t xd_plan_free_at(const struct xd_plan *plan, uint32_t i)
{
    return i == 0 ? plan->free : plan->stops[i - 1].end;
}

static inline int32_t xd_truck_distance(const struct xd_truck *truck, const struct xd_unit_vector *a,
                                        const struct xd_unit_vector *b)
{
    return (int32_t)xd_distance_m(*a, *b, truck->road_factor_e4);
}

/* A stop's times from the time its truck is free; false if they miss its window. */
static inline bool xd_stop_serve(const struct xd_load *load, bool delivery, int64_t drive_s, int64_t now,
                                 int64_t *free, struct xd_stop *times)
{
    int64_t depart = *free > now ? *free : now;
    if (!delivery && depart < load->pickup_from - drive_s) depart = load->pickup_from - drive_s;
    int64_t start = depart + drive_s;
    *free = start + (delivery ? load->unload_s : load->load_s);
    if (times) {
        times->depart = depart;
        times->start = start;
        times->end = *free;
    }
    return start <= (delivery ? load->deliver_until : load->pickup_until);
}

/* What was picked up before the first stop that is still on the plan, and not delivered there. */
void xd_plan_aboard_at_first(const struct xd_plan *plan, int64_t aboard[XD_DIMS]);

#endif

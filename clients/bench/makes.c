#include "clients/bench/makes.h"

/* As of a general freight market: 0.3 to 0.7 a tonne-kilometre in a full truck, more in a small one. */
static const struct xd_truck_make trucks[] = {
    {35, 20000, 3300, 0.38, 4.5, 120}, /* articulated */
    {35, 7500, 1600, 0.62, 3.2, 80},   /* two axles */
    {30, 1500, 500, 1.30, 1.8, 40},    /* van */
};

const struct xd_truck_make *xd_draw_truck(struct xd_random *random)
{
    int64_t percent = xd_random_between(random, 0, 99);
    const struct xd_truck_make *truck = trucks;
    while (percent >= truck->percent)
        percent -= truck++->percent;
    return truck;
}

static const struct xd_chamber_make chambers[] = {
    {{-250, -200}, {-300, -180}, 4.2}, /* frozen */
    {{0, 30}, {-10, 40}, 3.4},         /* chilled */
    {{30, 70}, {20, 80}, 3.0},         /* fresh, medicines */
    {{120, 180}, {100, 200}, 2.2},     /* chocolate, wine */
};

const struct xd_chamber_make *xd_draw_chamber(struct xd_random *random)
{
    return &chambers[xd_random_between(random, 0, 3)];
}

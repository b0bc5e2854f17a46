#include "clients/bench/places.h"

#include <math.h>
#include <stdlib.h>

#define EARTH_KM   6371.0088
#define GRAVITY_KM 150.0
#define RADIANS    (3.14159265358979323846 / 180)

/* Column i is town i with probability keep[i], else town other[i]. `at` are the towns on the unit sphere, so
 * that the many distances behind one draw need no trigonometry. */
struct xd_places {
    double *keep;
    uint32_t *other;
    struct xd_unit_vector *at;
};

/* Vose's two work lists, towns with less and with more than their column holds, from both ends of one
 * array. */
static void fill_columns(struct xd_places *places, uint32_t *work)
{
    double people = 0;
    for (uint32_t i = 0; i < xd_town_count; i++)
        people += xd_towns[i].people;
    uint32_t small = 0;
    uint32_t large = xd_town_count;
    for (uint32_t i = 0; i < xd_town_count; i++) {
        places->keep[i] = xd_towns[i].people * xd_town_count / people;
        places->other[i] = i;
        work[places->keep[i] < 1 ? small++ : --large] = i;
    }
    while (small > 0 && large < xd_town_count) {
        uint32_t less = work[--small];
        uint32_t more = work[large];
        places->other[less] = more;
        places->keep[more] -= 1 - places->keep[less];
        if (places->keep[more] >= 1) continue;
        large++;
        work[small++] = more;
    }
    while (small > 0)
        places->keep[work[--small]] = 1;
    while (large < xd_town_count)
        places->keep[work[large++]] = 1;
}

static void place_towns(struct xd_unit_vector *at)
{
    for (uint32_t i = 0; i < xd_town_count; i++) {
        double ring = cos(xd_towns[i].lat);
        at[i] = (struct xd_unit_vector){ring * cos(xd_towns[i].lon), ring * sin(xd_towns[i].lon),
                                        sin(xd_towns[i].lat)};
    }
}

struct xd_places *xd_places_create(void)
{
    struct xd_places *places = calloc(1, sizeof *places);
    if (!places) return NULL;
    places->keep = calloc(xd_town_count, sizeof *places->keep);
    places->other = calloc(xd_town_count, sizeof *places->other);
    uint32_t *work = calloc(xd_town_count, sizeof *work);
    places->at = calloc(xd_town_count, sizeof *places->at);
    bool made = places->keep && places->other && places->at && work;
    if (made) {
        fill_columns(places, work);
        place_towns(places->at);
    }
    free(work);
    if (made) return places;
    xd_places_destroy(places);
    return NULL;
}

void xd_places_destroy(struct xd_places *places)
{
    if (!places) return;
    free(places->keep);
    free(places->other);
    free(places->at);
    free(places);
}

uint32_t xd_places_draw(const struct xd_places *places, struct xd_random *random)
{
    uint32_t column = (uint32_t)xd_random_between(random, 0, (int64_t)xd_town_count - 1);
    return xd_random_unit(random) < places->keep[column] ? column : places->other[column];
}

/* The square of the straight line between two towns over GRAVITY_KM: near enough to the arc for a
 * probability. */
static double reach_squared(const struct xd_places *places, uint32_t a, uint32_t b)
{
    double x = places->at[a].x - places->at[b].x;
    double y = places->at[a].y - places->at[b].y;
    double z = places->at[a].z - places->at[b].z;
    return (x * x + y * y + z * z) * (EARTH_KM / GRAVITY_KM) * (EARTH_KM / GRAVITY_KM);
}

uint32_t xd_places_draw_towards(const struct xd_places *places, struct xd_random *random, uint32_t from)
{
    enum { TRIES = 300 };
    for (int i = 0; i < TRIES; i++) {
        uint32_t to = xd_places_draw(places, random);
        if (to == from) continue;
        if (xd_random_chance(random, 1 / (1 + reach_squared(places, from, to)))) return to;
    }
    return from > 0 ? from - 1 : from + 1;
}

static double arc_km(double lat_a, double lon_a, double lat_b, double lon_b)
{
    double sin_lat = sin((lat_b - lat_a) / 2);
    double sin_lon = sin((lon_b - lon_a) / 2);
    double h = sin_lat * sin_lat + cos(lat_a) * cos(lat_b) * sin_lon * sin_lon;
    return 2 * EARTH_KM * asin(sqrt(h < 1 ? h : 1));
}

double xd_places_km(uint32_t a, uint32_t b)
{
    return arc_km(xd_towns[a].lat, xd_towns[a].lon, xd_towns[b].lat, xd_towns[b].lon);
}

static int32_t shifted_e7(double radians, int64_t shift_e4)
{
    return (int32_t)((lround(radians / RADIANS * 1e4) + shift_e4) * 1000);
}

struct xd_place xd_places_near(struct xd_random *random, uint32_t town)
{
    enum { SPREAD_E4 = 400 };
    int64_t north = xd_random_between(random, -SPREAD_E4, SPREAD_E4);
    int64_t east = xd_random_between(random, -SPREAD_E4, SPREAD_E4);
    return (struct xd_place){.lat_e7 = shifted_e7(xd_towns[town].lat, north),
                             .lon_e7 = shifted_e7(xd_towns[town].lon, east)};
}

const char *xd_places_name(double lat, double lon)
{
    uint32_t nearest = 0;
    double least = INFINITY;
    for (uint32_t i = 0; i < xd_town_count; i++) {
        double km = arc_km(lat * RADIANS, lon * RADIANS, xd_towns[i].lat, xd_towns[i].lon);
        if (km >= least) continue;
        least = km;
        nearest = i;
    }
    return xd_towns[nearest].name;
}

/* The real places that the market is played between (data/cn_places.csv, compiled in), chosen by their
 * population. */
#ifndef XD_BENCH_PLACES_H
#define XD_BENCH_PLACES_H

#include "clients/bench/random.h"
#include "core/geo.h"

struct xd_town {
    const char *name; /* UTF-8 */
    double lat, lon;  /* radians */
    double people;
};

extern const struct xd_town xd_towns[];
extern const uint32_t xd_town_count;

/* Towns drawn in proportion to their people, in constant time: the alias method (A. Walker 1974, in the form
 * of M. Vose, "A Linear Algorithm for Generating Random Numbers with a Given Distribution", 1991). */
struct xd_places;

/* NULL without memory. */
struct xd_places *xd_places_create(void);
void xd_places_destroy(struct xd_places *places);

/* A town in proportion to its people. */
uint32_t xd_places_draw(const struct xd_places *places, struct xd_random *random);

/* A town to go to from `from`, not `from` itself: in proportion to its people and falling with distance, as
 * freight does (gravity: people / (1 + (km / 150)^2) within a few hundred draws). */
uint32_t xd_places_draw_towards(const struct xd_places *places, struct xd_random *random, uint32_t from);

/* Great-circle kilometres between two towns, without a road factor. */
double xd_places_km(uint32_t a, uint32_t b);

/* A point in the outskirts of a town: up to about 6 km from its centre, on whole 1e-4 degrees. */
struct xd_place xd_places_near(struct xd_random *random, uint32_t town);

/* The nearest town's name to a point in degrees. */
const char *xd_places_name(double lat, double lon);

#endif

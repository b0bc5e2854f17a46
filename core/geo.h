/* Places and distances, the same bits on every machine: only + - * / and sqrt, and the
 * compiler is kept from fusing them (-ffp-contract=off).
 *
 * A place becomes a unit vector once; a distance is then 2 R atan2(|p - q|, |p + q|), which is well
 * conditioned from neighbours to antipodes (W. Kahan, "How Futile are Mindless Assessments of Roundoff",
 * 2006, on angles between vectors). sin, cos and atan are Taylor series after exact range reduction; the
 * error of a distance is below 1e-7 m. */
#ifndef XD_CORE_GEO_H
#define XD_CORE_GEO_H

#include <stdint.h>

#define XD_EARTH_RADIUS_M 6371008.8

enum { XD_E7 = 10000000 }; /* units of 1e-7 degree */

struct xd_place {
    int32_t lat_e7; /* -90..90 degrees */
    int32_t lon_e7; /* -180..180 degrees */
};

struct xd_unit_vector {
    double x, y, z;
};

struct xd_unit_vector xd_place_vector(struct xd_place place);

/* The angle between two unit vectors in radians, 0 to pi. */
double xd_angle(struct xd_unit_vector a, struct xd_unit_vector b);

/* The great circle between two places on R = 6371.0088 km times road_factor_e4 / 10000, in whole
 * metres, rounded to the nearest. */
int64_t xd_distance_m(struct xd_unit_vector a, struct xd_unit_vector b, int32_t road_factor_e4);

/* Seconds to drive `metres` (>= 0) at `speed` tenths of km/h (> 0): metres x 3.6 / km/h, rounded up. */
int64_t xd_drive_s(int64_t metres, int64_t speed);

#endif

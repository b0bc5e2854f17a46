#include "core/geo.h"

#include <math.h>
#include <stdbool.h>

#define DEGREE_E7_RADIANS 0x1.dfc0a0acf97e2p-30 /* pi / 180e7 */
#define HALF_PI           0x1.921fb54442d18p+0

enum { E7_45 = 45 * XD_E7, E7_90 = 90 * XD_E7, E7_180 = 180 * XD_E7 };

struct sincos {
    double sin, cos;
};

/* Taylor series for 0 <= x <= pi/4, where the first term left out is below 1e-17 of the sum. */
static struct sincos sincos_octant(double x)
{
    double z = x * x;
    double s = 1.0 / 355687428096000.0; /* 1/17! */
    s = s * z - 1.0 / 1307674368000.0;
    s = s * z + 1.0 / 6227020800.0;
    s = s * z - 1.0 / 39916800.0;
    s = s * z + 1.0 / 362880.0;
    s = s * z - 1.0 / 5040.0;
    s = s * z + 1.0 / 120.0;
    s = s * z - 1.0 / 6.0;

    double c = 1.0 / 20922789888000.0; /* 1/16! */
    c = c * z - 1.0 / 87178291200.0;
    c = c * z + 1.0 / 479001600.0;
    c = c * z - 1.0 / 3628800.0;
    c = c * z + 1.0 / 40320.0;
    c = c * z - 1.0 / 720.0;
    c = c * z + 1.0 / 24.0;
    c = c * z - 1.0 / 2.0;
    return (struct sincos){.sin = x + x * (z * s), .cos = 1.0 + z * c};
}

/* Sine and cosine of -180..180 degrees, folded to an octant while the angle is still an exact integer. */
static struct sincos sincos_e7(int32_t angle)
{
    int32_t a = angle < 0 ? -angle : angle;
    bool obtuse = a > E7_90;
    if (obtuse) a = E7_180 - a;
    bool steep = a > E7_45;
    if (steep) a = E7_90 - a;

    struct sincos folded = sincos_octant((double)a * DEGREE_E7_RADIANS);
    struct sincos out = steep ? (struct sincos){.sin = folded.cos, .cos = folded.sin} : folded;
    if (obtuse) out.cos = -out.cos;
    if (angle < 0) out.sin = -out.sin;
    return out;
}

/* atan of 0 <= t <= 1: atan(k/8) from the table and the series for what is left, at most 1/16. */
static double atan_unit(double t)
{
    static const double eighths[] = {
        0.0,
        0x1.fd5ba9aac2f6ep-4,
        0x1.f5b75f92c80ddp-3,
        0x1.6f61941e4def1p-2,
        0x1.dac670561bb4fp-2,
        0x1.1e00babdefeb4p-1,
        0x1.4978fa3269ee1p-1,
        0x1.700a7c5784634p-1,
        0x1.921fb54442d18p-1,
    };
    int k = (int)(t * 8.0 + 0.5);
    double base = (double)k / 8.0;
    double u = (t - base) / (1.0 + t * base);
    double z = u * u;
    double s = 1.0 / 13.0;
    s = s * z - 1.0 / 11.0;
    s = s * z + 1.0 / 9.0;
    s = s * z - 1.0 / 7.0;
    s = s * z + 1.0 / 5.0;
    s = s * z - 1.0 / 3.0;
    return eighths[k] + (u + u * (z * s));
}

/* atan2 for y, x >= 0, not both 0. */
static double atan2_quadrant(double y, double x)
{
    return y <= x ? atan_unit(y / x) : HALF_PI - atan_unit(x / y);
}

struct xd_unit_vector xd_place_vector(struct xd_place place)
{
    struct sincos lat = sincos_e7(place.lat_e7);
    struct sincos lon = sincos_e7(place.lon_e7);
    return (struct xd_unit_vector){.x = lat.cos * lon.cos, .y = lat.cos * lon.sin, .z = lat.sin};
}

double xd_angle(struct xd_unit_vector a, struct xd_unit_vector b)
{
    double dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
    double sx = a.x + b.x, sy = a.y + b.y, sz = a.z + b.z;
    double apart = sqrt(dx * dx + dy * dy + dz * dz);
    double together = sqrt(sx * sx + sy * sy + sz * sz);
    return 2.0 * atan2_quadrant(apart, together);
}

int64_t xd_distance_m(struct xd_unit_vector a, struct xd_unit_vector b, int32_t road_factor_e4)
{
    double metres = xd_angle(a, b) * XD_EARTH_RADIUS_M * (double)road_factor_e4 / 10000.0;
    return (int64_t)(metres + 0.5);
}

int64_t xd_drive_s(int64_t metres, int64_t speed)
{
    return (metres * 36 + speed - 1) / speed;
}

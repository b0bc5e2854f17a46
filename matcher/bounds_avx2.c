/* Compiled for processors with AVX2: eight at a time. */
#define XD_BOUNDS xd_bounds_avx2
#include "matcher/bounds_lanes.h"

/* Compiled for processors with AVX2: eight at a time. */
#define XD_BOUND xd_bound_avx2
#include "engine/index/bounds_lanes.h"

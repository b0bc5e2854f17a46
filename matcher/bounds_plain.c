#define XD_BOUND xd_bound_plain
#include "matcher/bounds_lanes.h"

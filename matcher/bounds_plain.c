#define XD_BOUNDS xd_bounds_plain
#include "matcher/bounds_lanes.h"

#define XD_BOUND xd_bound_plain
#include "engine/index/bounds_lanes.h"

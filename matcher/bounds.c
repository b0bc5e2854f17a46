#include "matcher/bounds.h"

const xd_bound_functions *xd_bounds_here(void)
{
#ifdef XD_WITH_AVX2
    if (__builtin_cpu_supports("avx2")) return &xd_bounds_avx2;
#endif
    return &xd_bounds_plain;
}

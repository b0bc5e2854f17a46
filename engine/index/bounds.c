#include "engine/index/bounds.h"

xd_bound_function *xd_bound_here(void)
{
#ifdef XD_WITH_AVX2
    if (__builtin_cpu_supports("avx2")) return xd_bound_avx2;
#endif
    return xd_bound_plain;
}

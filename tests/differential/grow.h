/* Arrays that grow by one, for these test programs only: without memory they stop. */
#ifndef XD_TESTS_DIFFERENTIAL_GROW_H
#define XD_TESTS_DIFFERENTIAL_GROW_H

#include <stdio.h>
#include <stdlib.h>

static inline void *xd_needed(void *memory)
{
    if (memory) return memory;
    fputs("no memory\n", stderr);
    exit(2);
}

/* The array with room for one member more than its `count`; its room is always the next power of two. */
static inline void *xd_grown(void *array, size_t count, size_t size)
{
    if (count & (count - 1)) return array;
    return xd_needed(realloc(array, (count ? 2 * count : 1) * size));
}

#endif

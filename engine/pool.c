#include "engine/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__
#define XD_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define XD_HAS_ASAN 1
#endif
#endif

#ifdef XD_HAS_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* Under the sanitizer, a block that was given back must not be touched. */
static void hide(void *block, size_t size)
{
#ifdef XD_HAS_ASAN
    __asan_poison_memory_region(block, size);
#else
    (void)block;
    (void)size;
#endif
}

static void show(void *block, size_t size)
{
#ifdef XD_HAS_ASAN
    __asan_unpoison_memory_region(block, size);
#else
    (void)block;
    (void)size;
#endif
}

struct xd_slab {
    struct xd_slab *next, *before; /* among the open ones of its size, or the spares (next only) */
    uint32_t number;
    uint32_t size;  /* bytes of a block */
    uint32_t used;  /* blocks */
    uint32_t fresh; /* blocks never given out lie behind this many; the others are on the list */
    uint32_t blocks;
    uint32_t free; /* offset of the first free block that was used before, 0: none; a free block holds the next one's */
    size_t length; /* of the whole slab */
};

static_assert(sizeof(struct xd_slab) % XD_POOL_UNIT == 0, "blocks begin behind it");

/* A slab ends a little before the next boundary, so that the C library's own head of the next one fits between them. */
enum { GAP = 64, SPARES_MIN = 4 };

static struct xd_slab *slab_of(const void *block)
{
    return (struct xd_slab *)((uintptr_t)block & ~(uintptr_t)(XD_POOL_SLAB - 1));
}

static void *block_at(struct xd_slab *slab, uint32_t offset)
{
    return (char *)slab + offset;
}

/* --- slabs ------------------------------------------------------------------------------------------------------------------ */

static void open_slab(struct xd_pool *pool, struct xd_slab *slab)
{
    struct xd_slab **first = &pool->open[slab->size / XD_POOL_UNIT];
    slab->before = NULL;
    slab->next = *first;
    if (*first) (*first)->before = slab;
    *first = slab;
}

static void close_slab(struct xd_pool *pool, struct xd_slab *slab)
{
    *(slab->before ? &slab->before->next : &pool->open[slab->size / XD_POOL_UNIT]) = slab->next;
    if (slab->next) slab->next->before = slab->before;
}

/* Room for one slab more: in the list, and for its number should it be given back. */
static bool make_room(struct xd_pool *pool)
{
    if (pool->number_count || pool->slab_count + 1 < pool->slab_room) return true;
    uint32_t room = pool->slab_room ? pool->slab_room * 2 : 64;
    if (room > XD_POOL_SLABS_MAX) return false;
    struct xd_slab **slabs = realloc(pool->slabs, room * sizeof(*slabs));
    if (slabs) pool->slabs = slabs;
    uint32_t *numbers = realloc(pool->numbers, room * sizeof *numbers);
    if (numbers) pool->numbers = numbers;
    if (!slabs || !numbers) return false;
    pool->slabs[0] = NULL;
    pool->slab_room = room;
    return true;
}

static struct xd_slab *new_slab(struct xd_pool *pool, size_t length)
{
    if (!make_room(pool)) return NULL;
    void *memory;
    if (posix_memalign(&memory, XD_POOL_SLAB, length)) return NULL;
    struct xd_slab *slab = memory;
    uint32_t number = pool->number_count ? pool->numbers[--pool->number_count] : ++pool->slab_count;
    *slab = (struct xd_slab){.number = number, .length = length};
    pool->slabs[number] = slab;
    pool->bytes += length;
    return slab;
}

static void free_slab(struct xd_pool *pool, struct xd_slab *slab)
{
    pool->slabs[slab->number] = NULL;
    pool->numbers[pool->number_count++] = slab->number;
    pool->bytes -= slab->length;
    show(slab, slab->length);
    free(slab);
}

/* A slab that nothing of is in use: kept for any size, up to one in 64 of all. */
static void put_aside(struct xd_pool *pool, struct xd_slab *slab)
{
    if (pool->spare_count >= SPARES_MIN + pool->slab_count / 64) {
        free_slab(pool, slab);
        return;
    }
    slab->next = pool->spares;
    pool->spares = slab;
    pool->spare_count++;
}

static struct xd_slab *slab_for(struct xd_pool *pool, uint32_t size)
{
    struct xd_slab *slab = pool->spares;
    if (slab) {
        pool->spares = slab->next;
        pool->spare_count--;
    } else {
        slab = new_slab(pool, XD_POOL_SLAB - GAP);
    }
    if (!slab) return NULL;
    slab->size = size;
    slab->used = slab->fresh = slab->free = 0;
    slab->blocks = (uint32_t)((slab->length - sizeof *slab) / size);
    hide(slab + 1, slab->length - sizeof *slab);
    open_slab(pool, slab);
    return slab;
}

/* --- blocks ----------------------------------------------------------------------------------------------------------------- */

static void *take_large(struct xd_pool *pool, size_t size)
{
    if (size > UINT32_MAX / 2) return NULL;
    size_t length = (sizeof(struct xd_slab) + size + XD_POOL_SLAB - 1) / XD_POOL_SLAB * XD_POOL_SLAB;
    struct xd_slab *slab = new_slab(pool, length);
    if (!slab) return NULL;
    slab->size = (uint32_t)(length - sizeof *slab);
    slab->blocks = slab->used = 1;
    return memset(slab + 1, 0, slab->size);
}

void *xd_pool_take(struct xd_pool *pool, size_t size)
{
    if (size > XD_POOL_LARGE) return take_large(pool, size);
    uint32_t rounded = (uint32_t)(size + XD_POOL_UNIT - 1) / XD_POOL_UNIT * XD_POOL_UNIT;
    struct xd_slab *slab = pool->open[rounded / XD_POOL_UNIT];
    if (!slab) slab = slab_for(pool, rounded);
    if (!slab) return NULL;
    uint32_t offset = slab->free ? slab->free : (uint32_t)sizeof *slab + slab->fresh++ * slab->size;
    void *block = block_at(slab, offset);
    show(block, slab->size);
    if (slab->free) memcpy(&slab->free, block, sizeof slab->free);
    if (++slab->used == slab->blocks) close_slab(pool, slab);
    return memset(block, 0, slab->size);
}

void xd_pool_give(struct xd_pool *pool, void *block)
{
    if (!block) return;
    struct xd_slab *slab = slab_of(block);
    if (slab->size > XD_POOL_LARGE) {
        free_slab(pool, slab);
        return;
    }
    if (slab->used-- == slab->blocks) open_slab(pool, slab);
    memcpy(block, &slab->free, sizeof slab->free);
    slab->free = (uint32_t)((char *)block - (char *)slab);
    hide(block, slab->size);
    if (slab->used) return;
    close_slab(pool, slab);
    put_aside(pool, slab);
}

size_t xd_pool_room(const void *block)
{
    return slab_of(block)->size;
}

xd_link xd_pool_link(const void *block)
{
    if (!block) return 0;
    const struct xd_slab *slab = slab_of(block);
    return slab->number * XD_POOL_UNITS_A_SLAB + (xd_link)((const char *)block - (const char *)slab) / XD_POOL_UNIT;
}

void xd_pool_free(struct xd_pool *pool)
{
    for (uint32_t number = 1; number <= pool->slab_count; number++) {
        if (pool->slabs[number]) free_slab(pool, pool->slabs[number]);
    }
    free(pool->slabs);
    free(pool->numbers);
    *pool = (struct xd_pool){0};
}

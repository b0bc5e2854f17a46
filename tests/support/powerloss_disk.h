/* The disk behind powerloss_vfs.c: files, what of them is synced, and what a loss of power leaves. Not
 * locked: the VFS does that. */
#ifndef XD_TESTS_SUPPORT_POWERLOSS_DISK_H
#define XD_TESTS_SUPPORT_POWERLOSS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DISK_NAME_MAX = 512, DISK_SHM_REGIONS = 64, DISK_SHM_LOCKS = 8 };

struct disk_bytes {
    uint8_t *data;
    size_t len, cap;
};

/* A change since the last sync: a write, or a truncation to `at` (len 0). */
struct disk_change {
    struct disk_change *next;
    size_t at, len;
    bool truncation;
    uint8_t data[];
};

struct disk_file {
    struct disk_file *next;
    char name[DISK_NAME_MAX];
    bool exists;
    bool durable; /* its name is */
    struct disk_bytes now, synced;
    struct disk_change *changes, **changes_tail;
    int shared;                       /* handles that hold a shared lock or more */
    const void *reserved, *exclusive; /* the handle that holds it */
    void *shm[DISK_SHM_REGIONS];
    int shm_shared[DISK_SHM_LOCKS];
    const void *shm_exclusive[DISK_SHM_LOCKS];
};

struct disk {
    struct disk_file *files;
    uint64_t random;
};

uint64_t disk_random(struct disk *disk);

/* The file of that name, made if `create`; NULL if there is none. */
struct disk_file *disk_open(struct disk *disk, const char *name, bool create);
void disk_write(struct disk_file *file, const void *data, size_t len, size_t at);
void disk_truncate(struct disk_file *file, size_t len);
void disk_sync(struct disk_file *file);
void disk_delete(struct disk_file *file);
size_t disk_size(const struct disk *disk);

/* What a loss of power leaves: each change since the last sync kept, dropped or torn. Shared memory is gone.
 */
void disk_lose_power(struct disk *disk);
void disk_free(struct disk *disk);

#endif

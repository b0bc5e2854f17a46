#include "tests/support/powerloss_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

static void *allocate(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory) {
        perror("calloc");
        exit(1);
    }
    return memory;
}

/* xorshift64* */
uint64_t disk_random(struct disk *disk)
{
    uint64_t x = disk->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    disk->random = x;
    return x * UINT64_C(2685821657736338717);
}

static void resize(struct disk_bytes *bytes, size_t len)
{
    if (len > bytes->cap) {
        size_t cap = 2 * len;
        uint8_t *data = allocate(cap);
        if (bytes->len) memcpy(data, bytes->data, bytes->len);
        free(bytes->data);
        bytes->data = data;
        bytes->cap = cap;
    }
    if (len > bytes->len) memset(bytes->data + bytes->len, 0, len - bytes->len);
    bytes->len = len;
}

static void put(struct disk_bytes *bytes, const void *data, size_t len, size_t at)
{
    if (at + len > bytes->len) resize(bytes, at + len);
    if (len) memcpy(bytes->data + at, data, len);
}

struct disk_file *disk_open(struct disk *disk, const char *name, bool create)
{
    struct disk_file *file = disk->files;
    while (file && strcmp(file->name, name) != 0)
        file = file->next;
    if (file && (file->exists || create)) {
        file->exists = true;
        return file;
    }
    if (!create) return NULL;
    file = allocate(sizeof *file);
    snprintf(file->name, sizeof file->name, "%s", name);
    file->exists = true;
    file->changes_tail = &file->changes;
    file->next = disk->files;
    disk->files = file;
    return file;
}

static void note(struct disk_file *file, bool truncation, const void *data, size_t len, size_t at)
{
    struct disk_change *change = allocate(sizeof *change + len);
    change->truncation = truncation;
    change->at = at;
    change->len = len;
    if (len) memcpy(change->data, data, len);
    *file->changes_tail = change;
    file->changes_tail = &change->next;
}

static void forget_changes(struct disk_file *file)
{
    while (file->changes) {
        struct disk_change *change = file->changes;
        file->changes = change->next;
        free(change);
    }
    file->changes_tail = &file->changes;
}

void disk_write(struct disk_file *file, const void *data, size_t len, size_t at)
{
    note(file, false, data, len, at);
    put(&file->now, data, len, at);
}

void disk_truncate(struct disk_file *file, size_t len)
{
    note(file, true, NULL, 0, len);
    resize(&file->now, len);
}

static void apply(struct disk_bytes *bytes, const struct disk_change *change)
{
    if (change->truncation)
        resize(bytes, change->at);
    else
        put(bytes, change->data, change->len, change->at);
}

void disk_sync(struct disk_file *file)
{
    for (const struct disk_change *change = file->changes; change; change = change->next)
        apply(&file->synced, change);
    forget_changes(file);
    file->durable = true;
}

void disk_delete(struct disk_file *file)
{
    forget_changes(file);
    resize(&file->now, 0);
    resize(&file->synced, 0);
    file->exists = file->durable = false;
}

size_t disk_size(const struct disk *disk)
{
    size_t size = 0;
    for (const struct disk_file *file = disk->files; file; file = file->next)
        size += file->now.len;
    return size;
}

/* Each sector of the write arrives or not. */
static void tear(struct disk *disk, struct disk_bytes *bytes, const struct disk_change *change)
{
    size_t at = 0;
    while (at < change->len) {
        size_t left_in_sector = SECTOR - (change->at + at) % SECTOR;
        size_t len = change->len - at < left_in_sector ? change->len - at : left_in_sector;
        if (disk_random(disk) & 1) put(bytes, change->data + at, len, change->at + at);
        at += len;
    }
}

static void lose_changes(struct disk *disk, struct disk_file *file, unsigned kept_percent)
{
    for (const struct disk_change *change = file->changes; change; change = change->next) {
        if (disk_random(disk) % 100 < kept_percent)
            apply(&file->synced, change);
        else if (!change->truncation && disk_random(disk) % 2)
            tear(disk, &file->synced, change);
    }
    forget_changes(file);
    resize(&file->now, 0);
    put(&file->now, file->synced.data, file->synced.len, 0);
}

void disk_lose_power(struct disk *disk)
{
    static const unsigned kept_percent[] = {0, 20, 50, 90, 100};
    unsigned percent = kept_percent[disk_random(disk) % (sizeof kept_percent / sizeof *kept_percent)];
    for (struct disk_file *file = disk->files; file; file = file->next) {
        if (!file->durable && disk_random(disk) % 2)
            disk_delete(file); /* never synced: its name may be gone */
        lose_changes(disk, file, percent);
        file->shared = 0;
        file->reserved = file->exclusive = NULL;
        memset(file->shm_shared, 0, sizeof file->shm_shared);
        memset(file->shm_exclusive, 0, sizeof file->shm_exclusive);
        for (int i = 0; i < DISK_SHM_REGIONS; i++) {
            free(file->shm[i]);
            file->shm[i] = NULL;
        }
    }
}

void disk_free(struct disk *disk)
{
    while (disk->files) {
        struct disk_file *file = disk->files;
        disk->files = file->next;
        forget_changes(file);
        free(file->now.data);
        free(file->synced.data);
        for (int i = 0; i < DISK_SHM_REGIONS; i++)
            free(file->shm[i]);
        free(file);
    }
}

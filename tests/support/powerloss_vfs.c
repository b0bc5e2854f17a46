#include "tests/support/powerloss_vfs.h"
#include "tests/support/powerloss_disk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* A handle: one connection's view of a file. */
struct handle {
    sqlite3_file base;
    struct disk_file *file;
    int lock;
    bool delete_on_close;
    int shm_locks; /* bits: held shared or exclusive */
};

static struct {
    pthread_mutex_t mutex;
    struct disk disk;
    uint64_t operations, syncs, cut_at;
    bool cut, cut_in_database;
    size_t limit;
    unsigned failing_syncs;
} vfs = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)(void *)file;
}

/* Counts an operation. True when the power is gone before it; *last when it goes in the middle of it. */
static bool operate_locked(bool *last)
{
    if (vfs.cut) return true;
    vfs.operations++;
    *last = vfs.cut_at != 0 && vfs.operations >= vfs.cut_at;
    return false;
}

static bool is_database(const char *name)
{
    return !strstr(name, "-wal") && !strstr(name, "-journal");
}

static int end_locked(bool last, int result, const char *name)
{
    if (last) {
        vfs.cut = true;
        vfs.cut_in_database = is_database(name);
    }
    return last ? SQLITE_IOERR : result;
}

/* --- a file --------------------------------------------------------------------------------------------- */

static int file_close(sqlite3_file *base)
{
    struct handle *h = handle_of(base);
    pthread_mutex_lock(&vfs.mutex);
    if (h->delete_on_close) disk_delete(h->file);
    pthread_mutex_unlock(&vfs.mutex);
    return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *out, int len, sqlite3_int64 at)
{
    const struct disk_file *file = handle_of(base)->file;
    pthread_mutex_lock(&vfs.mutex);
    int result = vfs.cut ? SQLITE_IOERR_READ : SQLITE_OK;
    if (result == SQLITE_OK) {
        size_t from = (size_t)at, n = (size_t)len;
        size_t have = from < file->now.len ? file->now.len - from : 0;
        size_t copied = have < n ? have : n;
        if (copied) memcpy(out, file->now.data + from, copied);
        memset((char *)out + copied, 0, n - copied);
        result = copied < n ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
    }
    pthread_mutex_unlock(&vfs.mutex);
    return result;
}

static int write_locked(struct disk_file *file, const void *data, size_t len, size_t at)
{
    bool last;
    if (operate_locked(&last)) return SQLITE_IOERR_WRITE;
    size_t grown = at + len > file->now.len ? at + len - file->now.len : 0;
    if (vfs.limit && grown && disk_size(&vfs.disk) + grown > vfs.limit)
        return end_locked(last, SQLITE_FULL, file->name);
    disk_write(file, data, len, at);
    return end_locked(last, SQLITE_OK, file->name);
}

static int file_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 at)
{
    pthread_mutex_lock(&vfs.mutex);
    int result = write_locked(handle_of(base)->file, data, (size_t)len, (size_t)at);
    pthread_mutex_unlock(&vfs.mutex);
    return result;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 len)
{
    bool last;
    int result = SQLITE_IOERR_TRUNCATE;
    pthread_mutex_lock(&vfs.mutex);
    if (!operate_locked(&last)) {
        disk_truncate(handle_of(base)->file, (size_t)len);
        result = end_locked(last, SQLITE_OK, handle_of(base)->file->name);
    }
    pthread_mutex_unlock(&vfs.mutex);
    return result;
}

static int sync_locked(struct disk_file *file)
{
    bool last;
    if (operate_locked(&last)) return SQLITE_IOERR_FSYNC;
    vfs.syncs++;
    if (vfs.failing_syncs > 0) {
        vfs.failing_syncs--;
        return end_locked(last, SQLITE_IOERR_FSYNC, file->name);
    }
    if (!last) /* a sync that the power did not see the end of has promised nothing */
        disk_sync(file);
    return end_locked(last, SQLITE_OK, file->name);
}

static int file_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    pthread_mutex_lock(&vfs.mutex);
    int result = sync_locked(handle_of(base)->file);
    pthread_mutex_unlock(&vfs.mutex);
    return result;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    pthread_mutex_lock(&vfs.mutex);
    *size = (sqlite3_int64)handle_of(base)->file->now.len;
    pthread_mutex_unlock(&vfs.mutex);
    return SQLITE_OK;
}

/* --- its locks ------------------------------------------------------------------------------------------ */

static int lock_locked(struct handle *h, int level)
{
    struct disk_file *file = h->file;
    if (h->lock >= level) return SQLITE_OK;
    if (file->exclusive && file->exclusive != h) return SQLITE_BUSY;
    if (level >= SQLITE_LOCK_RESERVED && file->reserved && file->reserved != h) return SQLITE_BUSY;
    if (level == SQLITE_LOCK_EXCLUSIVE && file->shared > (h->lock >= SQLITE_LOCK_SHARED)) return SQLITE_BUSY;
    if (h->lock < SQLITE_LOCK_SHARED) file->shared++;
    if (level >= SQLITE_LOCK_RESERVED) file->reserved = h;
    if (level == SQLITE_LOCK_EXCLUSIVE) file->exclusive = h;
    h->lock = level;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
    pthread_mutex_lock(&vfs.mutex);
    int result = lock_locked(handle_of(base), level);
    pthread_mutex_unlock(&vfs.mutex);
    return result;
}

static int file_unlock(sqlite3_file *base, int level)
{
    struct handle *h = handle_of(base);
    pthread_mutex_lock(&vfs.mutex);
    if (h->lock > level) {
        if (h->file->exclusive == h) h->file->exclusive = NULL;
        if (h->file->reserved == h) h->file->reserved = NULL;
        if (level == SQLITE_LOCK_NONE) h->file->shared--;
        h->lock = level;
    }
    pthread_mutex_unlock(&vfs.mutex);
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *base, int *reserved)
{
    pthread_mutex_lock(&vfs.mutex);
    *reserved = handle_of(base)->file->reserved != NULL;
    pthread_mutex_unlock(&vfs.mutex);
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg)
{
    (void)base;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
    (void)base;
    return 512;
}

static int file_characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* --- shared memory -------------------------------------------------------------------------------------- */

static int shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
    struct disk_file *file = handle_of(base)->file;
    int result = SQLITE_OK;
    pthread_mutex_lock(&vfs.mutex);
    if (vfs.cut || region >= DISK_SHM_REGIONS)
        result = SQLITE_IOERR_SHMMAP;
    else if (!file->shm[region] && extend && !(file->shm[region] = calloc(1, (size_t)size)))
        result = SQLITE_NOMEM;
    *out = result == SQLITE_OK ? file->shm[region] : NULL;
    pthread_mutex_unlock(&vfs.mutex);
    return result;
}

static bool shm_available_locked(const struct handle *h, int first, int n, int flags)
{
    const struct disk_file *file = h->file;
    for (int i = first; i < first + n; i++) {
        if (file->shm_exclusive[i] && file->shm_exclusive[i] != h) return false;
        int others = file->shm_shared[i] - (h->shm_locks >> i & 1);
        if ((flags & SQLITE_SHM_EXCLUSIVE) && others > 0) return false;
    }
    return true;
}

static int shm_lock_locked(struct handle *h, int first, int n, int flags)
{
    struct disk_file *file = h->file;
    if ((flags & SQLITE_SHM_LOCK) && !shm_available_locked(h, first, n, flags)) return SQLITE_BUSY;
    for (int i = first; i < first + n; i++) {
        int bit = 1 << i;
        bool shared = (h->shm_locks & bit) != 0;
        if (!(flags & SQLITE_SHM_LOCK)) {
            if (file->shm_exclusive[i] == h)
                file->shm_exclusive[i] = NULL;
            else if (shared)
                file->shm_shared[i]--;
            h->shm_locks &= ~bit;
        } else if (flags & SQLITE_SHM_EXCLUSIVE) {
            file->shm_exclusive[i] = h;
        } else if (!shared) {
            file->shm_shared[i]++;
            h->shm_locks |= bit;
        }
    }
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *base, int first, int n, int flags)
{
    pthread_mutex_lock(&vfs.mutex);
    int result = shm_lock_locked(handle_of(base), first, n, flags);
    pthread_mutex_unlock(&vfs.mutex);
    return result;
}

static void shm_barrier(sqlite3_file *base)
{
    (void)base;
    __sync_synchronize();
    pthread_mutex_lock(&vfs.mutex);
    pthread_mutex_unlock(&vfs.mutex);
}

static int shm_unmap(sqlite3_file *base, int delete)
{
    struct handle *h = handle_of(base);
    pthread_mutex_lock(&vfs.mutex);
    for (int i = 0; i < DISK_SHM_LOCKS; i++)
        shm_lock_locked(h, i, 1, SQLITE_SHM_UNLOCK);
    if (delete) {
        for (int i = 0; i < DISK_SHM_REGIONS; i++) {
            free(h->file->shm[i]);
            h->file->shm[i] = NULL;
        }
    }
    pthread_mutex_unlock(&vfs.mutex);
    return SQLITE_OK;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* --- the file system ------------------------------------------------------------------------------------ */

static int vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *base, int flags, int *out_flags)
{
    (void)self;
    struct handle *h = handle_of(base);
    memset(h, 0, sizeof *h);
    char unnamed[32];
    pthread_mutex_lock(&vfs.mutex);
    if (!name) {
        sqlite3_snprintf(sizeof unnamed, unnamed, "unnamed-%llx", (unsigned long long)disk_random(&vfs.disk));
        name = unnamed;
    }
    h->file = vfs.cut ? NULL : disk_open(&vfs.disk, name, flags & SQLITE_OPEN_CREATE);
    pthread_mutex_unlock(&vfs.mutex);
    if (!h->file) return SQLITE_CANTOPEN;
    h->delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
    h->base.pMethods = &file_methods;
    if (out_flags) *out_flags = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *self, const char *name, int sync_directory)
{
    (void)self;
    (void)sync_directory;
    bool last;
    int result = SQLITE_IOERR_DELETE;
    pthread_mutex_lock(&vfs.mutex);
    if (!operate_locked(&last)) {
        struct disk_file *file = disk_open(&vfs.disk, name, false);
        if (file && !last) disk_delete(file);
        result = end_locked(last, file ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT, name);
    }
    pthread_mutex_unlock(&vfs.mutex);
    return result;
}

static int vfs_access(sqlite3_vfs *self, const char *name, int flags, int *out)
{
    (void)self;
    pthread_mutex_lock(&vfs.mutex);
    const struct disk_file *file = disk_open(&vfs.disk, name, false);
    *out = file && (flags != SQLITE_ACCESS_EXISTS || file->now.len > 0);
    pthread_mutex_unlock(&vfs.mutex);
    return SQLITE_OK;
}

static int vfs_full_pathname(sqlite3_vfs *self, const char *name, int len, char *out)
{
    (void)self;
    sqlite3_snprintf(len, out, "%s", name);
    return SQLITE_OK;
}

static void register_once(void)
{
    static sqlite3_vfs ours;
    if (ours.zName) return;
    ours = *sqlite3_vfs_find(NULL); /* for the clock, sleep and randomness */
    ours.zName = POWERLOSS_VFS;
    ours.szOsFile = sizeof(struct handle);
    ours.mxPathname = DISK_NAME_MAX;
    ours.pNext = NULL;
    ours.xOpen = vfs_open;
    ours.xDelete = vfs_delete;
    ours.xAccess = vfs_access;
    ours.xFullPathname = vfs_full_pathname;
    sqlite3_vfs_register(&ours, 0);
}

/* --- the test's side ------------------------------------------------------------------------------------ */

void powerloss_start(uint64_t seed)
{
    register_once();
    pthread_mutex_lock(&vfs.mutex);
    disk_free(&vfs.disk);
    vfs.disk.random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    vfs.operations = vfs.syncs = vfs.cut_at = 0;
    vfs.cut = false;
    vfs.limit = 0;
    vfs.failing_syncs = 0;
    pthread_mutex_unlock(&vfs.mutex);
}

void powerloss_end(void)
{
    powerloss_start(1);
}

void powerloss_cut_after(uint64_t operations)
{
    pthread_mutex_lock(&vfs.mutex);
    vfs.cut_at = operations ? vfs.operations + operations : 0;
    pthread_mutex_unlock(&vfs.mutex);
}

bool powerloss_is_cut(void)
{
    pthread_mutex_lock(&vfs.mutex);
    bool cut = vfs.cut;
    pthread_mutex_unlock(&vfs.mutex);
    return cut;
}

bool powerloss_cut_in_database(void)
{
    pthread_mutex_lock(&vfs.mutex);
    bool in_database = vfs.cut && vfs.cut_in_database;
    pthread_mutex_unlock(&vfs.mutex);
    return in_database;
}

void powerloss_power_on(void)
{
    pthread_mutex_lock(&vfs.mutex);
    disk_lose_power(&vfs.disk);
    vfs.cut = false;
    vfs.cut_at = 0;
    pthread_mutex_unlock(&vfs.mutex);
}

void powerloss_limit(size_t bytes)
{
    pthread_mutex_lock(&vfs.mutex);
    vfs.limit = bytes;
    pthread_mutex_unlock(&vfs.mutex);
}

void powerloss_fail_syncs(unsigned count)
{
    pthread_mutex_lock(&vfs.mutex);
    vfs.failing_syncs = count;
    pthread_mutex_unlock(&vfs.mutex);
}

uint64_t powerloss_operations(void)
{
    pthread_mutex_lock(&vfs.mutex);
    uint64_t operations = vfs.operations;
    pthread_mutex_unlock(&vfs.mutex);
    return operations;
}

uint64_t powerloss_syncs(void)
{
    pthread_mutex_lock(&vfs.mutex);
    uint64_t syncs = vfs.syncs;
    pthread_mutex_unlock(&vfs.mutex);
    return syncs;
}

size_t powerloss_bytes(void)
{
    pthread_mutex_lock(&vfs.mutex);
    size_t bytes = disk_size(&vfs.disk);
    pthread_mutex_unlock(&vfs.mutex);
    return bytes;
}

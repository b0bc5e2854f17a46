/* Counts a program's fsyncs from inside, without a tracer's cost: preloaded (LD_PRELOAD), it stands before
 * fsync and fdatasync and keeps their number, 8 bytes in the machine's order, at the start of the file that
 * XD_COUNT_SYNCS names. Anybody can read it at any time: od -An -t u8 -N 8 FILE. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int sync_fn(int file);

static _Atomic uint64_t *count;
static sync_fn *real_fsync, *real_fdatasync;

__attribute__((constructor)) static void start(void)
{
    *(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
    *(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    const char *path = getenv("XD_COUNT_SYNCS");
    if (!path) return;
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (file < 0) return;
    if (ftruncate(file, sizeof *count) == 0) {
        void *page = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (page != MAP_FAILED) count = page;
    }
    close(file);
}

int fsync(int file)
{
    if (count) atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    return real_fsync(file);
}

int fdatasync(int file)
{
    if (count) atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    return real_fdatasync(file);
}

/* crossdock-bench-raw FILE GROUP BYTES SECONDS: what the disk itself can do. Appends groups of GROUP records
 * of BYTES bytes to FILE, each group with one write and one fdatasync, for SECONDS; prints records/s. The
 * file is removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool append(int file, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(file, bytes, len);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes += written;
        len -= (size_t)written;
    }
    return fdatasync(file) == 0;
}

/* Records/s, or below 0 on failure. */
static double measure(int file, const char *bytes, size_t len, long group, double seconds)
{
    double start = now_s();
    double passed = 0;
    double records = 0;
    while (passed < seconds) {
        if (!append(file, bytes, len)) return -1;
        records += (double)group;
        passed = now_s() - start;
    }
    return records / passed;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: crossdock-bench-raw FILE GROUP BYTES SECONDS\n");
        return 2;
    }
    long group = strtol(argv[2], NULL, 10);
    long record = strtol(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    if (group < 1 || group > 100000 || record < 1 || record > 100000 || !(seconds > 0)) {
        fprintf(stderr, "crossdock-bench-raw: GROUP and BYTES are 1 to 100000, SECONDS is above 0\n");
        return 2;
    }
    size_t len = (size_t)(group * record);
    char *bytes = malloc(len);
    int file = open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0600);
    if (!bytes || file < 0) {
        fprintf(stderr, "crossdock-bench-raw: %s: %s\n", argv[1], strerror(errno));
        free(bytes);
        return 1;
    }
    memset(bytes, 'x', len);
    double rate = measure(file, bytes, len, group, seconds);
    if (rate < 0) fprintf(stderr, "crossdock-bench-raw: %s: %s\n", argv[1], strerror(errno));
    close(file);
    unlink(argv[1]);
    free(bytes);
    if (rate < 0) return 1;
    printf("%.1f\n", rate);
    return 0;
}

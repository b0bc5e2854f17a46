#include "tests/bench/engine/snapshot.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char magic[8] = "XDBOOK1";

struct header {
    char magic[8];
    struct xd_flow_state state;
    uint64_t orders[XD_SIDES], matches, engine_bytes;
};

struct xd_engine_options xd_snapshot_options(uint64_t resting)
{
    enum { ROOM = 16 }; /* requests that are filled stay until their matches are completed */
    uint64_t most = resting * ROOM;
    return (struct xd_engine_options){
        .market = {.currency = xd_currency("CNY", 3), .road_factor_e4 = 12500},
        .max_orders = most < UINT32_MAX ? (uint32_t)most : UINT32_MAX,
    };
}

uint64_t xd_heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

uint64_t xd_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

double xd_seconds_now(void)
{
    return (double)xd_clock_ns() / 1e9;
}

/* --- writing --- */

static bool write_lists(FILE *file, const struct xd_flow *flow)
{
    bool good = true;
    for (unsigned side = 0; side < XD_SIDES && good; side++) {
        uint64_t count = flow->live_count[side];
        good = fwrite(flow->live[side], sizeof *flow->live[side], count, file) == count;
    }
    return good && fwrite(flow->heap, sizeof *flow->heap, flow->heap_count, file) == flow->heap_count;
}

bool xd_snapshot_write(const char *path, const struct xd_flow *flow, const struct xd_engine *engine)
{
    struct xd_buf bytes;
    xd_buf_init(&bytes, SIZE_MAX / 2);
    FILE *file = xd_engine_save(engine, &bytes) ? fopen(path, "wb") : NULL;
    bool good = false;
    if (file) {
        struct header header = {.state = flow->state,
                                .orders = {flow->live_count[XD_OFFER], flow->live_count[XD_REQUEST]},
                                .matches = flow->heap_count,
                                .engine_bytes = bytes.len};
        memcpy(header.magic, magic, sizeof magic);
        good = fwrite(&header, sizeof header, 1, file) == 1 && write_lists(file, flow) &&
               fwrite(bytes.data, 1, bytes.len, file) == bytes.len;
        good = fclose(file) == 0 && good;
    }
    xd_buf_free(&bytes);
    return good;
}

/* --- reading --- */

struct bytes {
    const uint8_t *at;
    size_t left;
};

static const void *take(struct bytes *bytes, size_t count, size_t size)
{
    if (bytes->left / size < count) return NULL;
    const uint8_t *at = bytes->at;
    bytes->at += count * size;
    bytes->left -= count * size;
    return at;
}

static bool read_flow(struct bytes *bytes, const struct header *header, struct xd_flow *flow)
{
    flow->state = header->state;
    flow->maker.random = header->state.orders;
    xd_flow_set_level(flow, header->state.level);
    for (unsigned side = 0; side < XD_SIDES; side++) {
        const struct xd_flow_order *orders = take(bytes, header->orders[side], sizeof *orders);
        for (uint64_t i = 0; orders && i < header->orders[side]; i++) {
            if (!xd_flow_add_order(flow, &orders[i])) return false;
        }
        if (!orders) return false;
    }
    const struct xd_flow_match *matches = take(bytes, header->matches, sizeof *matches);
    for (uint64_t i = 0; matches && i < header->matches; i++) {
        if (!xd_flow_add_match(flow, &matches[i])) return false;
    }
    return matches;
}

static bool read_engine(struct bytes *bytes, uint64_t resting, struct xd_snapshot *out)
{
    struct xd_engine_options options = xd_snapshot_options(resting);
    double began = xd_seconds_now();
    uint64_t before = xd_heap_in_use();
    out->engine = xd_engine_load(&options, bytes->at, bytes->left);
    out->heap_bytes = xd_heap_in_use() - before;
    out->seconds = xd_seconds_now() - began;
    return out->engine;
}

static bool read_all(struct bytes bytes, struct xd_snapshot *out)
{
    const struct header *header = take(&bytes, 1, sizeof *header);
    if (!header || memcmp(header->magic, magic, sizeof magic) != 0) return false;
    const struct xd_flow_state *state = &header->state;
    if (state->shape >= XD_SHAPES) return false;
    out->flow = xd_flow_create((enum xd_shape)state->shape, state->resting, state->seed);
    return out->flow && read_flow(&bytes, header, out->flow) && bytes.left == header->engine_bytes &&
           read_engine(&bytes, state->resting, out);
}

bool xd_snapshot_read(const char *path, struct xd_snapshot *out)
{
    *out = (struct xd_snapshot){0};
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    struct stat stat;
    bool good = false;
    if (fstat(file, &stat) == 0 && stat.st_size > 0) {
        size_t size = (size_t)stat.st_size;
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (map != MAP_FAILED) {
            good = read_all((struct bytes){map, size}, out);
            munmap(map, size);
        }
    }
    close(file);
    if (good) return true;
    xd_flow_destroy(out->flow);
    xd_engine_destroy(out->engine);
    *out = (struct xd_snapshot){0};
    return false;
}

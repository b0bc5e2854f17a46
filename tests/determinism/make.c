/* crossdock-determinism-log: writes a log (log.h) of the differential test's traffic: worlds of all styles,
 * all kinds and fills, commands aimed at what the naive twin holds. The engine has no part in it. */
#include "core/mp.h"
#include "tests/determinism/log.h"
#include "tests/differential/script.h"
#include "tests/differential/traffic.h"
#include "tests/differential/twin.h"

#include <inttypes.h>
#include <stdlib.h>

enum { OUTPUT_MAX = 1 << 28, VALUE_MAX = 1 << 20 };

struct writing {
    FILE *file;
    struct xd_buf value;
    uint64_t commands;
};

static bool flush(struct writing *to)
{
    bool good = !to->value.failed && fwrite(to->value.data, 1, to->value.len, to->file) == to->value.len;
    xd_buf_clear(&to->value);
    return good;
}

static bool write_world(struct writing *to, const struct xd_twin_options *options)
{
    xd_mp_array(&to->value, XD_LOG_WORLD_VALUES);
    xd_mp_int(&to->value, options->partition);
    xd_mp_int(&to->value, options->max_orders);
    xd_mp_int(&to->value, options->market.currency);
    xd_mp_int(&to->value, options->market.road_factor_e4);
    return flush(to);
}

static bool write_step(struct writing *to, const struct xd_script *script, const struct xd_step *step)
{
    if (step->restore) {
        xd_mp_nil(&to->value);
    } else {
        xd_mp_array(&to->value, XD_LOG_RECORD_VALUES);
        xd_mp_int(&to->value, step->at);
        xd_buf_add(&to->value, script->bytes.data + step->start, step->len);
        to->commands++;
    }
    return flush(to);
}

/* The traffic of one world, and the twin that it is aimed by. */
struct world {
    struct xd_traffic traffic;
    struct xd_script script;
    struct xd_twin *twin;
    struct xd_output output;
    msgpack_unpacked object;
};

static bool play_step(struct world *world, struct writing *to)
{
    xd_traffic_next(&world->traffic, world->twin, &world->script);
    uint32_t last = world->script.count - 1;
    const struct xd_step *step = &world->script.steps[last];
    if (!step->restore) {
        struct xd_record record;
        if (!xd_script_record(&world->script, last, &world->object, &record)) return false;
        xd_output_clear(&world->output);
        xd_twin_apply(world->twin, step->at, &record, &world->output);
    }
    return write_step(to, &world->script, step);
}

static bool play_world(uint64_t seed, enum xd_book_size size, uint64_t until, struct writing *to)
{
    struct world world;
    xd_traffic_begin(&world.traffic, seed, size);
    xd_script_init(&world.script, &world.traffic.options);
    world.twin = xd_twin_create(&world.traffic.options);
    xd_output_init(&world.output, OUTPUT_MAX);
    msgpack_unpacked_init(&world.object);
    bool good = write_world(to, &world.traffic.options);
    while (good && to->commands < until)
        good = play_step(&world, to);
    msgpack_unpacked_destroy(&world.object);
    xd_output_free(&world.output);
    xd_twin_destroy(world.twin);
    xd_script_free(&world.script);
    return good;
}

/* Of every twenty worlds: four tiny, thirteen small, two large, one huge. */
static enum xd_book_size size_of(uint64_t seed)
{
    uint64_t dice = seed % 20;
    return dice < 4 ? XD_BOOK_TINY : dice < 17 ? XD_BOOK_SMALL : dice < 19 ? XD_BOOK_LARGE : XD_BOOK_HUGE;
}

int main(int argc, char **argv)
{
    static const uint64_t lengths[XD_BOOK_SIZES] = {600, 1500, 4000, 12000};
    if (argc != 3) {
        fputs("usage: crossdock-determinism-log COMMANDS SEED > LOG\n", stderr);
        return 2;
    }
    uint64_t commands = strtoull(argv[1], NULL, 10), seed = strtoull(argv[2], NULL, 10);
    struct writing to = {.file = stdout};
    xd_buf_init(&to.value, VALUE_MAX);
    bool good = true;
    for (; good && to.commands < commands; seed++) {
        enum xd_book_size size = size_of(seed);
        uint64_t until = to.commands + lengths[size];
        good = play_world(seed, size, until < commands ? until : commands, &to);
    }
    good = fflush(stdout) == 0 && good;
    fprintf(stderr, "%" PRIu64 "\n", seed); /* the seed to go on with */
    xd_buf_free(&to.value);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

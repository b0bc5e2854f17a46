/* Plays a log (log.h) through the engine and prints a line for each world: what was told, its digest, and the
 * hash of the state at the end. Built many times over, with nothing but the domain and the engine: all must
 * print the same. */
#include "engine/engine.h"
#include "tests/determinism/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { OUTPUT_MAX = 1 << 28, SNAPSHOT_MAX = 1 << 30 };

struct playing {
    bool straight; /* snapshots are passed over */
    struct xd_engine_options options;
    struct xd_engine *engine;
    struct xd_output output;
    uint64_t world, records, events;
    XXH3_state_t *digest; /* over all that the engine appended to its output */
};

static void end_world(struct playing *playing)
{
    if (!playing->engine) return;
    XXH128_hash_t digest = XXH3_128bits_digest(playing->digest);
    printf("world %" PRIu64 ": %" PRIu64 " records, %" PRIu64 " events, digest %016" PRIx64 "%016" PRIx64
           ", state %016" PRIx64 "\n",
           playing->world, playing->records, playing->events, digest.high64, digest.low64,
           xd_engine_state_hash(playing->engine));
    xd_engine_destroy(playing->engine);
    playing->engine = NULL;
}

static bool begin_world(struct playing *playing, const msgpack_object *values)
{
    end_world(playing);
    playing->options = (struct xd_engine_options){
        .partition = (uint16_t)values[0].via.u64,
        .max_orders = (uint32_t)values[1].via.u64,
        .market = {.currency = values[2].via.i64, .road_factor_e4 = (int32_t)values[3].via.i64}};
    playing->world++;
    playing->records = playing->events = 0;
    playing->engine = xd_engine_create(&playing->options);
    return playing->engine && XXH3_128bits_reset(playing->digest) == XXH_OK;
}

static void add_digest(XXH3_state_t *digest, const struct xd_buf *bytes)
{
    if (bytes->len) XXH3_128bits_update(digest, bytes->data, bytes->len);
}

static bool apply(struct playing *playing, const msgpack_object *values)
{
    struct xd_record record;
    struct xd_output *output = &playing->output;
    xd_output_clear(output);
    if (!playing->engine || !xd_record_unpack(&values[1], &record)) return false;
    if (!xd_engine_apply(playing->engine, values[0].via.i64, &record, output) || xd_output_failed(output))
        return false;
    int64_t deadline = xd_engine_next_deadline(playing->engine);
    add_digest(playing->digest, &output->events);
    add_digest(playing->digest, &output->ends);
    add_digest(playing->digest, &output->outcomes);
    XXH3_128bits_update(playing->digest, &deadline, sizeof deadline);
    playing->records++;
    playing->events += xd_output_event_count(output);
    return true;
}

static bool restore(struct playing *playing)
{
    if (playing->straight) return true;
    struct xd_buf state;
    xd_buf_init(&state, SNAPSHOT_MAX);
    bool saved = playing->engine && xd_engine_save(playing->engine, &state);
    struct xd_engine *loaded = saved ? xd_engine_load(&playing->options, state.data, state.len) : NULL;
    xd_buf_free(&state);
    if (!loaded) return false;
    xd_engine_destroy(playing->engine);
    playing->engine = loaded;
    return true;
}

static bool play_value(struct playing *playing, const msgpack_object *value)
{
    if (value->type == MSGPACK_OBJECT_NIL) return restore(playing);
    if (value->type != MSGPACK_OBJECT_ARRAY) return false;
    const msgpack_object_array *array = &value->via.array;
    if (array->size == XD_LOG_WORLD_VALUES) return begin_world(playing, array->ptr);
    return array->size == XD_LOG_RECORD_VALUES && apply(playing, array->ptr);
}

static bool play(struct playing *playing, const char *bytes, size_t len)
{
    msgpack_unpacked value;
    msgpack_unpacked_init(&value);
    bool good = true;
    for (size_t at = 0; good && at < len;) {
        good = msgpack_unpack_next(&value, bytes, len, &at) == MSGPACK_UNPACK_SUCCESS &&
               play_value(playing, &value.data);
    }
    msgpack_unpacked_destroy(&value);
    end_world(playing);
    return good;
}

int main(int argc, char **argv)
{
    bool straight = argc == 3 && !strcmp(argv[1], "--straight");
    if (argc != 2 && !straight) {
        fputs("usage: play [--straight] LOG\n", stderr);
        return 2;
    }
    struct stat about;
    int fd = open(argv[argc - 1], O_RDONLY);
    if (fd < 0 || fstat(fd, &about) != 0 || about.st_size <= 0) {
        perror(argv[argc - 1]);
        return EXIT_FAILURE;
    }
    size_t len = (size_t)about.st_size;
    const char *bytes = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    struct playing playing = {.straight = straight, .digest = XXH3_createState()};
    xd_output_init(&playing.output, OUTPUT_MAX);
    bool good = bytes != MAP_FAILED && playing.digest && play(&playing, bytes, len);
    if (!good) fputs("play: the log is not one, or there is no memory\n", stderr);
    XXH3_freeState(playing.digest);
    xd_output_free(&playing.output);
    close(fd);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

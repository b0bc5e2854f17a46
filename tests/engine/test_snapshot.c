/* Snapshots and the state's hash in random play: one made in slices is the one made at once where it was begun; the hash kept
 * incrementally is the hash of all; an engine loaded at any record of a log goes on as one that played it from the start. */
#include "engine/state.h"
#include "tests/engine/market.h"
#include "tests/engine/play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

enum { STATE_MAX = 1 << 28 };

static uint64_t scale(void)
{
    const char *text = getenv("XD_TEST_SCALE");
    return text ? strtoull(text, NULL, 10) : 1;
}

static struct xd_world world_of(uint64_t seed)
{
    return (struct xd_world){
        .seed = seed, .next_order = 1, .now = 1893456000, .crowded = seed % 4 == 3, .careful = seed % 4 >= 2};
}

static void play_one(struct xd_play *play, struct xd_world *world)
{
    struct xd_record record;
    xd_world_record(world, &record);
    xd_world_aim(world, play->engine, &record);
    play->now = world->now;
    xd_play_apply(play, &record);
    world->next_match = play->engine->next_match;
}

static void save(const struct xd_engine *engine, struct xd_buf *out)
{
    xd_buf_init(out, STATE_MAX);
    assert_true(xd_engine_save(engine, out));
}

static void assert_same(const struct xd_buf *a, const struct xd_buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

/* --- slices ----------------------------------------------------------------------------------------------------------------- */

/* A snapshot under way and what it should become. */
struct sliced {
    bool under_way;
    uint32_t pace; /* orders and matches in a slice, at most */
    struct xd_buf whole, slices;
};

static void begin(struct sliced *sliced, struct xd_engine *engine, uint32_t pace)
{
    save(engine, &sliced->whole);
    xd_buf_init(&sliced->slices, STATE_MAX);
    assert_true(xd_engine_save_begin(engine));
    assert_false(xd_engine_save_begin(engine));
    sliced->under_way = true;
    sliced->pace = pace;
}

static void end(struct sliced *sliced)
{
    sliced->under_way = false;
    xd_buf_free(&sliced->whole);
    xd_buf_free(&sliced->slices);
}

/* Returns whether it has become whole: then it is what it should be. */
static bool go_on(struct sliced *sliced, struct xd_engine *engine, struct xd_world *dice)
{
    uint32_t most = (uint32_t)xd_world_below(dice, sliced->pace + 1);
    enum xd_save_result result = xd_engine_save_some(engine, most, &sliced->slices);
    assert_int_not_equal(result, XD_SAVE_FAILED);
    if (result == XD_SAVE_GOES_ON) return false;
    assert_same(&sliced->slices, &sliced->whole);
    end(sliced);
    return true;
}

/* How many snapshots were compared. */
static unsigned slice_a_world(uint64_t seed, unsigned commands)
{
    struct xd_world world = world_of(seed), dice = {.seed = ~seed};
    struct xd_play play;
    struct sliced sliced = {.under_way = false};
    unsigned compared = 0;
    xd_play_begin(&play, world.now);
    for (unsigned i = 0; i < commands; i++) {
        play_one(&play, &world);
        if (sliced.under_way) {
            compared += go_on(&sliced, play.engine, &dice);
        } else if (xd_world_below(&dice, 4) == 0) {
            begin(&sliced, play.engine, 1 + (uint32_t)xd_world_below(&dice, 12));
        }
        if (sliced.under_way && xd_world_below(&dice, 300) == 0) {
            xd_engine_save_abandon(play.engine);
            end(&sliced);
        }
    }
    if (sliced.under_way) end(&sliced); /* the engine goes while it is under way */
    xd_play_end(&play);
    return compared;
}

static void a_snapshot_made_in_slices_is_the_one_made_at_once(void **state)
{
    (void)state;
    unsigned compared = 0;
    for (uint64_t seed = 1; seed <= 120 * scale(); seed++) {
        compared += slice_a_world(seed, 1500);
    }
    print_message("%u snapshots in slices\n", compared);
    assert_true(compared >= 2000 * scale());
}

static void a_snapshot_without_room_fails_and_the_engine_goes_on(void **state)
{
    (void)state;
    struct xd_world world = world_of(5);
    struct xd_play play;
    struct xd_buf small;
    xd_play_begin(&play, world.now);
    for (unsigned i = 0; i < 300; i++) {
        play_one(&play, &world);
    }
    assert_true(xd_engine_save_begin(play.engine));
    xd_buf_init(&small, 1000);
    assert_int_equal(xd_engine_save_some(play.engine, UINT32_MAX, &small), XD_SAVE_FAILED);
    xd_buf_free(&small);
    for (unsigned i = 0; i < 300; i++) {
        play_one(&play, &world);
    }
    struct sliced sliced;
    begin(&sliced, play.engine, UINT32_MAX - 1);
    assert_int_equal(xd_engine_save_some(play.engine, UINT32_MAX, &sliced.slices), XD_SAVE_WHOLE);
    assert_same(&sliced.slices, &sliced.whole);
    end(&sliced);
    xd_play_end(&play);
}

/* --- the hash --------------------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(struct xd_buf *bytes)
{
    uint64_t hash = XXH3_64bits(bytes->data, bytes->len);
    bytes->len = 0;
    return hash;
}

static uint64_t hash_from_scratch(const struct xd_engine *engine)
{
    static const uint64_t low = (UINT64_C(1) << 61) - 1;
    struct xd_buf bytes;
    xd_buf_init(&bytes, STATE_MAX);
    xd_pack_header(engine, &bytes);
    uint64_t hash = hash_of(&bytes);
    for (const struct xd_slot *slot = xd_slot_at(engine, engine->first_order); slot;
         slot = xd_slot_at(engine, slot->everybody.after)) {
        xd_pack_order(slot, &bytes);
        hash += hash_of(&bytes) & low;
    }
    for (const struct xd_deal *deal = engine->first_deal; deal; deal = deal->after) {
        xd_pack_match(deal, &bytes);
        hash += hash_of(&bytes) & low;
    }
    assert_false(bytes.failed);
    xd_buf_free(&bytes);
    return hash;
}

static void the_hash_is_that_of_all_after_every_command(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 16 * scale(); seed++) {
        struct xd_world world = world_of(seed), dice = {.seed = ~seed};
        struct xd_play play;
        struct sliced sliced = {.under_way = false};
        xd_play_begin(&play, world.now);
        for (unsigned i = 0; i < 1000; i++) {
            play_one(&play, &world);
            if (sliced.under_way) {
                go_on(&sliced, play.engine, &dice);
            } else if (seed % 2 && i % 50 == 0) {
                begin(&sliced, play.engine, 20);
            }
            /* In some worlds much is left to be hashed at once, in others never more than a command's. */
            if (seed % 3 && xd_world_below(&dice, 40)) continue;
            assert_int_equal(xd_engine_state_hash(play.engine), hash_from_scratch(play.engine));
        }
        if (sliced.under_way) end(&sliced);
        xd_play_end(&play);
    }
}

/* --- cut points ------------------------------------------------------------------------------------------------------------- */

enum { LOG = 500, CUTS = 100 };

/* A log, and what became of each of its records. */
struct log {
    struct xd_buf bytes;
    size_t ends[LOG];
    int64_t now[LOG];
    uint64_t events[LOG], hashes[LOG]; /* of the record's events; of the state after it */
    struct xd_buf cut[LOG];            /* a snapshot after it, in some */
};

static void note(struct log *log, unsigned i, struct xd_play *play)
{
    log->events[i] = XXH3_64bits(play->output.events.data, play->output.events.len);
    log->hashes[i] = xd_engine_state_hash(play->engine);
}

/* Snapshots after CUTS records, most of them made in slices while the log goes on. */
static void write_log(struct log *log, uint64_t seed)
{
    struct xd_world world = world_of(seed), dice = {.seed = ~seed};
    struct xd_play play;
    xd_buf_init(&log->bytes, STATE_MAX);
    xd_play_begin(&play, world.now);
    int slicing = -1;
    for (unsigned i = 0, cuts = 0; i < LOG; i++) {
        struct xd_record record;
        xd_world_record(&world, &record);
        xd_world_aim(&world, play.engine, &record);
        log->now[i] = play.now = world.now;
        xd_record_pack(&record, &log->bytes);
        log->ends[i] = log->bytes.len;
        xd_play_apply(&play, &record);
        world.next_match = play.engine->next_match;
        note(log, i, &play);
        if (slicing >= 0 && xd_engine_save_some(play.engine, 100, &log->cut[slicing]) == XD_SAVE_WHOLE) slicing = -1;
        if (cuts == CUTS || xd_world_below(&dice, LOG - i) >= CUTS - cuts) continue;
        cuts++;
        xd_buf_init(&log->cut[i], STATE_MAX);
        if (slicing >= 0) {
            assert_true(xd_engine_save(play.engine, &log->cut[i]));
        } else {
            assert_true(xd_engine_save_begin(play.engine));
            slicing = (int)i;
        }
    }
    if (slicing >= 0) assert_int_equal(xd_engine_save_some(play.engine, UINT32_MAX, &log->cut[slicing]), XD_SAVE_WHOLE);
    xd_play_end(&play);
}

static void replay_record(struct log *log, unsigned i, struct xd_play *play)
{
    size_t from = i ? log->ends[i - 1] : 0;
    struct xd_record record;
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    assert_int_equal(msgpack_unpack_next(&object, (const char *)log->bytes.data + from, log->ends[i] - from, NULL),
                     MSGPACK_UNPACK_SUCCESS);
    assert_true(xd_record_unpack(&object.data, &record));
    play->now = log->now[i];
    xd_play_apply(play, &record);
    msgpack_unpacked_destroy(&object);
    assert_int_equal(XXH3_64bits(play->output.events.data, play->output.events.len), log->events[i]);
}

static void replay_from(struct log *log, unsigned cut)
{
    struct xd_play play;
    xd_play_begin(&play, log->now[cut]);
    xd_engine_destroy(play.engine);
    play.engine = xd_engine_load(&play.options, log->cut[cut].data, log->cut[cut].len);
    assert_non_null(play.engine);
    assert_int_equal(xd_engine_state_hash(play.engine), log->hashes[cut]);
    for (unsigned i = cut + 1; i < LOG; i++) {
        replay_record(log, i, &play);
    }
    assert_int_equal(xd_engine_state_hash(play.engine), log->hashes[LOG - 1]);
    xd_play_end(&play);
}

static void a_restored_snapshot_and_a_replay_agree_at_every_cut(void **state)
{
    (void)state;
    unsigned cuts = 0;
    for (uint64_t seed = 1; seed <= 10 * scale(); seed++) {
        struct log *log = calloc(1, sizeof *log);
        assert_non_null(log);
        write_log(log, seed);
        for (unsigned i = 0; i < LOG; i++) {
            if (!log->cut[i].len) continue;
            replay_from(log, i);
            xd_buf_free(&log->cut[i]);
            cuts++;
        }
        xd_buf_free(&log->bytes);
        free(log);
    }
    print_message("%u cuts\n", cuts);
    assert_int_equal(cuts, 10 * scale() * CUTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_snapshot_made_in_slices_is_the_one_made_at_once),
        cmocka_unit_test(a_snapshot_without_room_fails_and_the_engine_goes_on),
        cmocka_unit_test(the_hash_is_that_of_all_after_every_command),
        cmocka_unit_test(a_restored_snapshot_and_a_replay_agree_at_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Loss of power under the real owner and engine: after each cut every acknowledged order is there, every event that was told
 * is still the same, and the state rebuilt from snapshot and tail is that of a replay from the log's start.
 *
 *   test_ledger_powerloss_engine [CUTS [SEED]] */
#include "core/ledger/ledger_sqlite.h"
#include "core/mp.h"
#include "core/record.h"
#include "matcher/owner.h"
#include "tests/engine/market.h"
#include "tests/ledger/cmocka_all.h"
#include "tests/support/powerloss_vfs.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { LIFE_CUTS = 8, RECORDS_MAX = 8000, EVENTS_MAX = 40000 };

static unsigned long cuts_wanted = 1000, first_seed = 1, acknowledged_in_all, told_in_all;

struct life {
    struct event_base *base;
    struct xd_ledger *ledger;
    struct xd_owner *owner;
    bool owning;
    struct xd_world world;
    int64_t clock_ms;
    uint64_t acknowledged[RECORDS_MAX]; /* ids of orders whose outcome was XD_OK */
    uint64_t acknowledged_count;
    uint64_t told[EVENTS_MAX]; /* hashes of events, by offset */
    uint64_t told_count;
    uint64_t waiting; /* appends without an answer */
    bool checking;    /* reading events back */
    uint64_t read_count;
    uint64_t accepted_again;
};

static struct life life;

/* --- a broker in small --------------------------------------------------------------------------------------------------------- */

static int64_t clock_ms(void *arg)
{
    (void)arg;
    return life.clock_ms;
}

static void on_owner(void *arg, bool owning, enum xd_code code)
{
    (void)arg;
    (void)code;
    life.owning = owning;
}

static void on_events(void *arg, uint16_t partition, const struct xd_event_ref *events, uint32_t count)
{
    (void)arg;
    (void)partition;
    for (uint32_t i = 0; i < count && events[i].offset < EVENTS_MAX; i++) {
        uint64_t hash = XXH3_64bits(events[i].bytes, events[i].len);
        if (events[i].offset < life.told_count) {
            assert_int_equal(life.told[events[i].offset], hash);
        } else {
            assert_int_equal(events[i].offset, life.told_count);
            life.told[life.told_count++] = hash;
        }
    }
}

static bool open_ledger(void)
{
    struct xd_error error;
    struct xd_sqlite_options options = {.directory = "disk",
                                        .market = {xd_currency("CNY", 3), 12500},
                                        .market_given = true,
                                        .keep_log = true,
                                        .backlog_limit = 64 << 20,
                                        .clock_ms = clock_ms,
                                        .vfs = POWERLOSS_VFS};
    life.ledger = xd_ledger_open_sqlite(life.base, &options, &error);
    return life.ledger != NULL;
}

static bool start(bool rebuild)
{
    struct xd_owner_options owner = {.engine = {.market = {xd_currency("CNY", 3), 12500}, .max_orders = 1 << 20},
                                     .snapshot_every = 200,
                                     .rebuild = rebuild,
                                     .changed = on_owner};
    life.owning = false;
    xd_ledger_follow_events(life.ledger, on_events, NULL);
    life.owner = xd_owner_start(life.base, life.ledger, &owner);
    assert_non_null(life.owner);
    while (!life.owning && !powerloss_is_cut()) {
        event_base_loop(life.base, EVLOOP_ONCE);
    }
    return life.owning;
}

static void stop(void)
{
    if (!life.ledger) return;
    if (life.owner) xd_owner_stop(life.owner);
    xd_ledger_close(life.ledger);
    life.owner = NULL;
    life.ledger = NULL;
}

/* --- the load ------------------------------------------------------------------------------------------------------------------ */

static void on_appended(void *arg, const struct xd_append_result *result)
{
    uint64_t order_id = (uint64_t)(uintptr_t)arg;
    life.waiting--;
    if (result->code != XD_OK || result->outcome != XD_OK || !order_id) return;
    assert_true(result->outcome_known);
    life.acknowledged[life.acknowledged_count++] = order_id;
}

static void append_one(void)
{
    struct xd_record record;
    xd_world_record(&life.world, &record);
    if (life.world.now * 1000 > life.clock_ms) life.clock_ms = life.world.now * 1000;
    if (record.type == XD_RECORD_ORDER) {
        enum xd_code code = XD_OK;
        uint64_t id = 0;
        enum xd_reserve_result now = xd_ledger_reserve(life.ledger, 0, record.account, record.order.ref,
                                                       xd_order_digest(&record.order), &code, &id, NULL, NULL);
        if (now != XD_RESERVE_NOW || code != XD_OK) return;
        record.order_id = id;
    } else {
        record.order_id = record.type == XD_RECORD_CANCEL ? record.order_id : 0;
    }
    struct xd_buf bytes;
    xd_buf_init(&bytes, 1 << 16);
    xd_record_pack(&record, &bytes);
    uint64_t order_id = record.type == XD_RECORD_ORDER ? record.order_id : 0;
    life.waiting++;
    xd_ledger_append(life.ledger, 0, order_id, bytes.data, bytes.len, on_appended, (void *)(uintptr_t)order_id);
    xd_buf_free(&bytes);
}

static bool worn_out(void)
{
    return life.acknowledged_count + 100 > RECORDS_MAX || life.told_count + 2000 > EVENTS_MAX;
}

static void live_until_cut(uint64_t operations)
{
    powerloss_cut_after(operations);
    if (open_ledger() && start(false)) {
        while (life.owning && !powerloss_is_cut() && !worn_out()) {
            uint64_t burst = 1 + xd_world_below(&life.world, 10);
            for (uint64_t i = 0; i < burst; i++) {
                append_one();
            }
            while (life.waiting > 20) {
                event_base_loop(life.base, EVLOOP_ONCE);
            }
            event_base_loop(life.base, EVLOOP_NONBLOCK);
        }
    }
    stop();
    assert_int_equal(life.waiting, 0); /* closing answers all */
}

/* --- the check ----------------------------------------------------------------------------------------------------------------- */

static bool is_acknowledged(uint64_t id)
{
    for (uint64_t i = 0; i < life.acknowledged_count; i++) {
        if (life.acknowledged[i] == id) return true;
    }
    return false;
}

static void note_acceptance(const struct xd_event_ref *event)
{
    msgpack_unpacked object;
    msgpack_unpacked_init(&object);
    struct xd_str type, text;
    uint64_t id;
    assert_int_equal(msgpack_unpack_next(&object, (const char *)event->bytes, event->len, NULL), MSGPACK_UNPACK_SUCCESS);
    const msgpack_object *order = xd_mp_get(&object.data, "order");
    if (order && xd_mp_get_str(&object.data, "type", &type) && xd_str_equal(type, xd_str_of("order.accepted"))) {
        assert_true(xd_mp_get_str(order, "id", &text) && xd_order_id_parse(text.at, text.len, &id));
        life.accepted_again += is_acknowledged(id);
    }
    msgpack_unpacked_destroy(&object);
}

static void on_read(void *arg, const struct xd_event_run *run)
{
    (void)arg;
    assert_int_equal(run->code, XD_OK);
    for (uint32_t i = 0; i < run->count; i++) {
        assert_int_equal(run->events[i].offset, life.read_count);
        uint64_t hash = XXH3_64bits(run->events[i].bytes, run->events[i].len);
        if (life.read_count < life.told_count) assert_int_equal(life.told[life.read_count], hash);
        life.told[life.read_count++] = hash; /* stored, though perhaps never told: it must not change from now on */
        note_acceptance(&run->events[i]);
    }
    life.checking = run->next < xd_ledger_event_head(life.ledger, 0);
    if (life.checking)
        xd_ledger_read_events(life.ledger, 0, run->next, xd_str_of("*"), 1 << 20, on_read, NULL);
}

static void check_events(void)
{
    life.read_count = life.accepted_again = 0;
    /* What a deadline that is due causes may be told once all before it has been read: it is read then. */
    for (int tries = 0; tries == 0 || (life.read_count < life.told_count && tries < 100); tries++) {
        life.checking = true;
        xd_ledger_read_events(life.ledger, 0, life.read_count, xd_str_of("*"), 1 << 20, on_read, NULL);
        while (life.checking) {
            event_base_loop(life.base, EVLOOP_ONCE);
        }
    }
    if (life.read_count < life.told_count) print_message("read %lu told %lu head %lu\n", life.read_count, life.told_count, xd_ledger_event_head(life.ledger, 0));
    assert_true(life.read_count >= life.told_count);
    assert_int_equal(life.accepted_again, life.acknowledged_count);
    life.told_count = life.read_count;
}

static uint64_t state_hash(bool rebuild)
{
    assert_true(open_ledger());
    check_events(); /* those that were stored and never told too, before the owner adds more */
    assert_true(start(rebuild));
    uint64_t hash = xd_engine_state_hash(xd_owner_engine(life.owner));
    if (rebuild) check_events();
    uint64_t head = xd_ledger_event_head(life.ledger, 0);
    assert_true(head >= life.told_count);
    stop();
    return hash;
}

static void nothing_acknowledged_is_lost(void **state)
{
    (void)state;
    for (unsigned long cut = 0; cut < cuts_wanted;) {
        unsigned long seed = first_seed + cut;
        memset(&life, 0, sizeof life);
        life.base = event_base_new();
        life.world = (struct xd_world){.seed = seed, .next_order = 1, .next_match = 1, .now = 1893456000};
        life.clock_ms = life.world.now * 1000;
        powerloss_start(seed);
        for (int i = 0; i < LIFE_CUTS && cut < cuts_wanted; i++, cut++) {
            live_until_cut(1 + xd_world_below(&life.world, i == 0 ? 120 : 700));
            powerloss_power_on();
            uint64_t restored = state_hash(false);
            uint64_t replayed = state_hash(true);
            assert_int_equal(restored, replayed);
        }
        acknowledged_in_all += life.acknowledged_count;
        told_in_all += life.told_count;
        event_base_free(life.base);
        powerloss_end();
    }
    print_message("%lu cuts; %lu orders acknowledged, %lu events\n", cuts_wanted, acknowledged_in_all, told_in_all);
    assert_true(acknowledged_in_all > cuts_wanted);
}

int main(int argc, char **argv)
{
    if (argc > 1) cuts_wanted = strtoul(argv[1], NULL, 10);
    if (argc > 2) first_seed = strtoul(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_acknowledged_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

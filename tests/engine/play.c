#include "tests/engine/play.h"

#include "core/json.h"
#include "core/when.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <xxhash.h>

void xd_play_begin(struct xd_play *play, int64_t now)
{
    *play = (struct xd_play){.now = now, .next_order = 1};
    play->options.market = (struct xd_market){.currency = xd_currency("CNY", 3), .road_factor_e4 = 12500};
    play->options.max_orders = 1u << 20;
    play->engine = xd_engine_create(&play->options);
    play->zone = msgpack_zone_new(1 << 16);
    xd_output_init(&play->output, 64 << 20);
    assert_non_null(play->engine);
}

void xd_play_end(struct xd_play *play)
{
    xd_engine_destroy(play->engine);
    xd_output_free(&play->output);
    msgpack_zone_free(play->zone);
    free(play->events);
}

static void keep_event(struct xd_play *play, const uint8_t *bytes, size_t len)
{
    char *copy = msgpack_zone_malloc(play->zone, len);
    msgpack_object *event = msgpack_zone_malloc(play->zone, sizeof *event);
    memcpy(copy, bytes, len);
    size_t at = 0;
    assert_int_equal(msgpack_unpack(copy, len, &at, play->zone, event), MSGPACK_UNPACK_SUCCESS);
    play->digest = XXH64(bytes, len, play->digest);
    if ((play->event_count & (play->event_count - 1)) == 0) {
        size_t room = play->event_count ? play->event_count * 2 : 1;
        play->events = realloc(play->events, room * sizeof(*play->events));
    }
    play->events[play->event_count++] = event;
}

void xd_play_apply(struct xd_play *play, const struct xd_record *record)
{
    xd_output_clear(&play->output);
    assert_true(xd_engine_apply(play->engine, play->now, record, &play->output));
    assert_int_equal(play->output.outcomes.len, sizeof(uint16_t));
    uint16_t outcome;
    memcpy(&outcome, play->output.outcomes.data, sizeof outcome);
    play->outcome = xd_outcome_code(outcome);
    play->note = xd_outcome_note(outcome);
    size_t start = 0;
    for (uint32_t i = 0; i < xd_output_event_count(&play->output); i++) {
        size_t end = ((const size_t *)(const void *)play->output.ends.data)[i];
        keep_event(play, play->output.events.data + start, end - start);
        start = end;
    }
}

/* JSON as a client would send it. */
static void read_json(const json_t *value, struct xd_buf *bytes, msgpack_unpacked *object)
{
    char *text = json_dumps(value, JSON_REAL_PRECISION(15));
    struct xd_error error = {0};
    struct xd_mp_limits limits = {1 << 20, 16, 65536};
    xd_buf_init(bytes, 1 << 20);
    assert_true(xd_json_read(text, strlen(text), &limits, bytes, &error));
    free(text);
    msgpack_unpacked_init(object);
    assert_int_equal(msgpack_unpack_next(object, (const char *)bytes->data, bytes->len, NULL), MSGPACK_UNPACK_SUCCESS);
}

uint64_t xd_play_submit(struct xd_play *play, const json_t *order)
{
    json_t *fields = json_copy((json_t *)order);
    const char *account = json_string_value(json_object_get(order, "account"));
    json_object_del(fields, "account");
    struct xd_buf bytes;
    struct xd_error error = {0};
    msgpack_unpacked object;
    read_json(fields, &bytes, &object);
    json_decref(fields);
    struct xd_record record = {.type = XD_RECORD_ORDER,
                               .account = xd_str_of(account),
                               .order_id = xd_id(0, play->next_order++),
                               .credit = XD_CREDIT_UNKNOWN};
    if (!xd_order_read(&object.data, &play->options.market, &record.order, &error)) {
        fail_msg("%s: %s", error.field, error.message);
    }
    xd_play_apply(play, &record);
    msgpack_unpacked_destroy(&object);
    xd_buf_free(&bytes);
    return record.order_id;
}

void xd_play_amend(struct xd_play *play, const char *account, uint64_t order_id, const json_t *changes)
{
    struct xd_buf bytes;
    struct xd_error error = {0};
    msgpack_unpacked object;
    struct xd_record record = {.type = XD_RECORD_AMEND, .account = xd_str_of(account), .order_id = order_id};
    read_json(changes, &bytes, &object);
    if (!xd_amendment_read(&object.data, &record.amendment, &error)) fail_msg("%s: %s", error.field, error.message);
    xd_play_apply(play, &record);
    msgpack_unpacked_destroy(&object);
    xd_buf_free(&bytes);
}

void xd_play_act(struct xd_play *play, enum xd_record_type type, const char *account, uint64_t match_id)
{
    xd_play_apply(play, &(struct xd_record){.type = type, .account = xd_str_of(account), .match_id = match_id});
}

void xd_play_cancel(struct xd_play *play, const char *account, uint64_t order_id)
{
    xd_play_apply(play, &(struct xd_record){
                            .type = XD_RECORD_CANCEL, .account = xd_str_of(account), .order_id = order_id});
}

void xd_play_tick(struct xd_play *play, int64_t now)
{
    play->now = now;
    xd_play_apply(play, &(struct xd_record){.type = XD_RECORD_TICK});
}

void xd_play_restore(struct xd_play *play)
{
    struct xd_buf state;
    xd_buf_init(&state, (size_t)1 << 30);
    assert_true(xd_engine_save(play->engine, &state));
    struct xd_engine *loaded = xd_engine_load(&play->options, state.data, state.len);
    assert_non_null(loaded);
    assert_int_equal(xd_engine_state_hash(loaded), xd_engine_state_hash(play->engine));
    xd_engine_destroy(play->engine);
    play->engine = loaded;
    xd_buf_free(&state);
}

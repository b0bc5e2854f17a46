/* crossdock-bench-quality: plays small books through the engine, as the quality benchmark gives them. A line
 * of JSON in for each book, a line out: the matches that were made, as their offers' owners were told.
 *
 *   {"now": 1893456000, "orders": [{"account": "a1", "order": {...}}, ...]}    one after the other, all at
 * that second
 *   [{"id": "m0-1", "offer": {...}, "request": {...}, "surplus": 12.5, ...}]
 *
 * A book that the engine refuses an order of ends the program. */
#include "core/id.h"
#include "core/json.h"
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_BYTES = 16 << 20, ELEMENTS_MAX = 1 << 20, ORDERS_MAX = 1 << 16 };

struct playing {
    struct xd_engine_options options;
    struct xd_engine *engine;
    struct xd_output output;
    struct xd_buf answer; /* JSON */
    bool first;           /* no match is in the answer yet */
};

static bool told_to_owner(const msgpack_object *event, const msgpack_object *match)
{
    struct xd_str account, owner;
    return xd_mp_get_str(event, "account", &account) &&
           xd_mp_get_str(xd_mp_get(match, "offer"), "account", &owner) && xd_str_equal(account, owner);
}

static void take_event(struct playing *playing, const msgpack_object *event)
{
    struct xd_str type;
    const msgpack_object *match = xd_mp_get(event, "match");
    if (!match || !xd_mp_get_str(event, "type", &type) || !xd_str_equal(type, xd_str_of("match.confirmed")))
        return;
    if (!told_to_owner(event, match)) return;
    if (!playing->first) xd_buf_add(&playing->answer, ", ", 2);
    playing->first = false;
    xd_json_write(match, &playing->answer);
}

static bool take_events(struct playing *playing)
{
    const struct xd_buf *events = &playing->output.events;
    msgpack_unpacked event;
    msgpack_unpacked_init(&event);
    bool good = true;
    for (size_t at = 0; good && at < events->len;) {
        good = msgpack_unpack_next(&event, (const char *)events->data, events->len, &at) ==
               MSGPACK_UNPACK_SUCCESS;
        if (good) take_event(playing, &event.data);
    }
    msgpack_unpacked_destroy(&event);
    return good;
}

/* The order of a line, its id made of its number. */
static bool submit(struct playing *playing, int64_t now, const msgpack_object *given, uint32_t number)
{
    struct xd_record record = {
        .type = XD_RECORD_ORDER, .order_id = xd_id(0, number), .credit = XD_CREDIT_UNKNOWN};
    struct xd_error error = {0};
    const msgpack_object *order = xd_mp_get(given, "order");
    if (!order || !xd_mp_get_str(given, "account", &record.account)) return false;
    if (!xd_order_read(order, &playing->options.market, &record.order, &error)) {
        fprintf(stderr, "crossdock-bench-quality: order %u: %s: %s\n", number, error.field, error.message);
        return false;
    }
    uint16_t outcome;
    xd_output_clear(&playing->output);
    if (!xd_engine_apply(playing->engine, now, &record, &playing->output)) return false;
    memcpy(&outcome, playing->output.outcomes.data, sizeof outcome);
    return outcome == XD_OK && take_events(playing);
}

static bool play_book(struct playing *playing, const msgpack_object *book)
{
    int64_t now;
    const msgpack_object *orders = xd_mp_get(book, "orders");
    if (!orders || orders->type != MSGPACK_OBJECT_ARRAY || !xd_mp_get_int(book, "now", &now)) return false;
    playing->engine = xd_engine_create(&playing->options);
    playing->first = true;
    xd_buf_clear(&playing->answer);
    xd_buf_add(&playing->answer, "[", 1);
    bool good = playing->engine != NULL;
    for (uint32_t i = 0; good && i < orders->via.array.size; i++) {
        good = submit(playing, now, &orders->via.array.ptr[i], i + 1);
    }
    xd_buf_add(&playing->answer, "]\n", 2);
    xd_engine_destroy(playing->engine);
    return good && !playing->answer.failed &&
           fwrite(playing->answer.data, 1, playing->answer.len, stdout) == playing->answer.len &&
           fflush(stdout) == 0;
}

static bool play_line(struct playing *playing, const char *text, size_t len)
{
    const struct xd_mp_limits limits = {LINE_MAX_BYTES, XD_MP_MAX_DEPTH, ELEMENTS_MAX};
    struct xd_buf bytes;
    struct xd_error error = {0};
    msgpack_unpacked book;
    xd_buf_init(&bytes, LINE_MAX_BYTES);
    msgpack_unpacked_init(&book);
    bool good =
        xd_json_read(text, len, &limits, &bytes, &error) &&
        msgpack_unpack_next(&book, (const char *)bytes.data, bytes.len, NULL) == MSGPACK_UNPACK_SUCCESS &&
        play_book(playing, &book.data);
    msgpack_unpacked_destroy(&book);
    xd_buf_free(&bytes);
    return good;
}

int main(void)
{
    struct playing playing = {
        .options = {.market = {.currency = xd_currency("CNY", 3), .road_factor_e4 = 12500},
                    .max_orders = ORDERS_MAX}};
    xd_output_init(&playing.output, LINE_MAX_BYTES);
    xd_buf_init(&playing.answer, LINE_MAX_BYTES);
    char *text = NULL;
    size_t room = 0;
    bool good = true;
    for (ssize_t len; good && (len = getline(&text, &room, stdin)) > 0;)
        good = play_line(&playing, text, (size_t)len);
    if (!good) fputs("crossdock-bench-quality: a book could not be played\n", stderr);
    free(text);
    xd_buf_free(&playing.answer);
    xd_output_free(&playing.output);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

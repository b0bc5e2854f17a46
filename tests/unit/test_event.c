#include "core/event.h"

#include "tests/unit/notation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 1 << 16, TEXT = 2048 };

static const struct xd_order_view request = {
    .ref = {"r1", 2},
    .id = 17,
    .account = {"shop", 4},
    .side = XD_REQUEST,
    .kind = XD_COLD,
    .state = XD_ORDER_PARTLY_FILLED,
    .amount = 1250,
    .open = 250,
    .valid_until = 1893456000,
};

static const struct xd_stop_view stops[] = {
    {.request_id = 17, .place = {312300000, 1214700000}, .eta = 1893460000, .leave = 1893461800},
    {.request_id = 17,
     .delivery = true,
     .place = {399000000, -10000000},
     .eta = 1893500000,
     .leave = 1893500000},
};

static struct xd_match_view truck_match(void)
{
    return (struct xd_match_view){
        .id = 4,
        .kind = XD_TRUCK,
        .state = XD_MATCH_PROPOSED,
        .offer = {.ref = {"o1", 2}, .id = 3, .account = {"haul", 4}, .credit = 500},
        .request = {.ref = {"r1", 2}, .id = 17, .account = {"shop", 4}, .credit = 710},
        .amount = {[XD_PALLETS] = 250, [XD_KG] = 1200},
        .dims = 1U << XD_PALLETS | 1U << XD_KG,
        .currency = xd_currency("EUR", 3),
        .quote = 98050,
        .price = 124000,
        .surplus = 51901,
        .km_m = 1212345,
        .added_m = 0,
        .hold_until = 1893456900,
        .stops = stops,
        .stop_count = 2,
    };
}

static void expect(struct xd_buf *bytes, const char *expected)
{
    struct parsed parsed;
    char text[TEXT];
    assert_false(bytes->failed);
    assert_true(parsed_from(bytes, &parsed));
    notation_print(&parsed.object, text, sizeof text);
    assert_string_equal(text, expected);
    parsed_free(&parsed);
}

static void tells_of_an_order(void **state)
{
    (void)state;
    struct xd_buf bytes;
    xd_buf_init(&bytes, LIMIT);
    xd_event_order(&bytes, XD_EVENT_ORDER_ACCEPTED, 1893400000, &request);
    expect(&bytes, "{account: shop, type: order.accepted, time: 1893400000, order: {ref: r1, id: o0-17, "
                   "account: shop, side: request, kind: cold, state: partly_filled, amount: 12.5, open: 2.5, "
                   "valid_until: 1893456000}}");
}

static void tells_why_an_order_ended(void **state)
{
    (void)state;
    struct xd_buf bytes;
    struct xd_order_view order = request;
    order.side = XD_OFFER;
    order.kind = XD_WAREHOUSE;
    order.state = XD_ORDER_REJECTED;
    order.reason = "book_full";
    order.error = XD_BOOK_FULL;
    xd_buf_init(&bytes, LIMIT);
    xd_order_view_write(&bytes, &order);
    expect(&bytes, "{ref: r1, id: o0-17, account: shop, side: offer, kind: warehouse, state: rejected, "
                   "amount: 12.5, valid_until: 1893456000, reason: book_full, error: {code: book_full, "
                   "message: the partition holds as many orders as it may}}");
}

static void tells_of_a_truck_match(void **state)
{
    (void)state;
    struct xd_buf bytes;
    struct xd_match_view match = truck_match();
    xd_buf_init(&bytes, LIMIT);
    xd_event_match(&bytes, XD_EVENT_MATCH_PROPOSED, 1893456000, xd_str_of("haul"), &match);
    expect(
        &bytes,
        "{account: haul, type: match.proposed, time: 1893456000, match: {id: m0-4, kind: truck, "
        "state: proposed, offer: {ref: o1, id: o0-3, account: haul, credit: 500}, "
        "request: {ref: r1, id: o0-17, account: shop, credit: 710}, pallets: 2.5, kg: 1200, currency: EUR, "
        "quote: 980.5, price: 1240, surplus: 519.01, km: 1212.345, added_km: 0, hold_until: 1893456900, "
        "stops: [{order: o0-17, action: pickup, lat: 31.23, lon: 121.47, eta: 1893460000, leave: "
        "1893461800}, "
        "{order: o0-17, action: delivery, lat: 39.9, lon: -1, eta: 1893500000, leave: 1893500000}]}}");
}

static void tells_of_a_storage_match(void **state)
{
    (void)state;
    struct xd_buf bytes;
    struct xd_match_view match = truck_match();
    match.kind = XD_WAREHOUSE;
    match.state = XD_MATCH_CANCELLED;
    match.dims = 1U << XD_M3 | 1U << XD_M2;
    match.amount[XD_M3] = 1001;
    match.amount[XD_M2] = 6000;
    match.access = 3005;
    match.hold_until = 0;
    match.by = "request";
    match.reason = "owner";
    match.note = xd_str_of("ring twice");
    match.from_day = 21915;
    match.until_day = 21974;
    xd_buf_init(&bytes, LIMIT);
    xd_match_view_write(&bytes, &match);
    expect(&bytes,
           "{id: m0-4, kind: warehouse, state: cancelled, offer: {ref: o1, id: o0-3, account: haul, "
           "credit: 500}, request: {ref: r1, id: o0-17, account: shop, credit: 710}, m3: 1.001, m2: 60, "
           "currency: EUR, quote: 980.5, price: 1240, surplus: 519.01, access: 30.05, km: 1212.345, "
           "by: request, reason: owner, note: ring twice, from_day: 2030-01-01, until_day: 2030-03-01}");
}

static void names_types_and_states(void **state)
{
    (void)state;
    assert_string_equal(xd_event_type_name(XD_EVENT_ORDER_ACCEPTED), "order.accepted");
    assert_string_equal(xd_event_type_name(XD_EVENT_MATCH_NO_SHOW), "match.no_show");
    assert_string_equal(xd_order_state_name(XD_ORDER_OPEN), "open");
    assert_string_equal(xd_order_state_name(XD_ORDER_REJECTED), "rejected");
    assert_string_equal(xd_match_state_name(XD_MATCH_PROPOSED), "proposed");
    assert_string_equal(xd_match_state_name(XD_MATCH_NO_SHOW), "no_show");
}

static void reads_the_account_off_the_front(void **state)
{
    (void)state;
    char name[XD_ACCOUNT_MAX];
    memset(name, 'n', sizeof name);
    for (uint32_t len = 1; len <= sizeof name; len++) {
        struct xd_buf bytes;
        struct xd_order_view order = request;
        order.account = (struct xd_str){name, len};
        xd_buf_init(&bytes, LIMIT);
        xd_event_order(&bytes, XD_EVENT_ORDER_EXPIRED, 1893400000, &order);
        struct xd_str account = xd_event_account(bytes.data, bytes.len);
        assert_true(xd_str_equal(account, order.account));
        assert_int_equal(xd_event_account(bytes.data, 10).len, 0);
        xd_buf_free(&bytes);
    }
    assert_int_equal(xd_event_account(NULL, 0).len, 0);
    assert_int_equal(xd_event_account((const uint8_t *)"\x84\xa7"
                                                       "account\x05x",
                                      11)
                         .len,
                     0);
    assert_int_equal(xd_event_account((const uint8_t *)"\x84\xa7"
                                                       "accounts\xa1x",
                                      12)
                         .len,
                     0);
    assert_int_equal(xd_event_account((const uint8_t *)"\x84\xa7"
                                                       "account\xd9\x05x",
                                      12)
                         .len,
                     0);
}

static void delivers_with_id_and_cursor(void **state)
{
    (void)state;
    struct xd_buf body;
    struct xd_buf out;
    struct xd_event_id id = {.partition = 0, .generation = 1, .offset = 93};
    xd_buf_init(&body, LIMIT);
    xd_buf_init(&out, LIMIT);
    xd_event_order(&body, XD_EVENT_ORDER_FILLED, 1893400000, &request);
    xd_event_deliver(&out, body.data, body.len, id, xd_str_of("0.1.94"));
    assert_memory_equal(out.data + out.len - (body.len - 1), body.data + 1, body.len - 1);
    expect(&out, "{id: e0-1-93, cursor: 0.1.94, account: shop, type: order.filled, time: 1893400000, order: "
                 "{ref: r1, id: o0-17, account: shop, side: request, kind: cold, state: partly_filled, "
                 "amount: 12.5, open: 2.5, valid_until: 1893456000}}");
    xd_buf_free(&body);
}

static void delivers_only_small_maps(void **state)
{
    (void)state;
    static const uint8_t firsts[] = {0x8e, 0x8f, 0x90, 0xde, 0x7f};
    struct xd_event_id id = {.offset = 1};
    struct xd_buf out;
    for (size_t i = 0; i < sizeof firsts; i++) {
        xd_buf_init(&out, LIMIT);
        xd_event_deliver(&out, &firsts[i], 1, id, xd_str_of("0.1.2"));
        assert_true(out.failed);
        xd_buf_free(&out);
    }
    xd_event_deliver(&out, NULL, 0, id, xd_str_of("0.1.2"));
    assert_true(out.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_of_an_order),           cmocka_unit_test(tells_why_an_order_ended),
        cmocka_unit_test(tells_of_a_truck_match),      cmocka_unit_test(tells_of_a_storage_match),
        cmocka_unit_test(names_types_and_states),      cmocka_unit_test(reads_the_account_off_the_front),
        cmocka_unit_test(delivers_with_id_and_cursor), cmocka_unit_test(delivers_only_small_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "clients/bench/book.h"
#include "clients/bench/market.h"
#include "clients/bench/places.h"
#include "core/mp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOW = 1893456000, ORDERS = 20000 };

static const struct xd_market cny = {.currency = 0, .road_factor_e4 = 12500};

/* The order's bytes without the account, read as the broker reads them; fails the test where it would
 * refuse. */
static void read_order(const struct xd_load_order *made, struct xd_order *out)
{
    struct xd_error error = {0};
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)made->bytes, made->len, NULL),
                     MSGPACK_UNPACK_SUCCESS);
    msgpack_object *map = &unpacked.data;
    struct xd_str account;
    assert_true(xd_mp_get_str(map, "account", &account));
    assert_true(xd_account_valid(account) && xd_str_equal(account, xd_str_of(made->account)));
    map->via.map.ptr++; /* the account is the first pair */
    map->via.map.size--;
    if (!xd_order_read(map, &cny, out, &error)) fail_msg("%s: %s", error.field, error.message);
    map->via.map.ptr--;
    assert_true(out->valid_until > NOW);
    out->ref = out->note = (struct xd_str){"", 0};
    msgpack_unpacked_destroy(&unpacked);
}

static struct xd_source market(uint64_t seed)
{
    struct xd_market_play *play = xd_market_create(seed, 1.25);
    assert_non_null(play);
    return xd_market_source(play);
}

static void every_order_is_valid(void **state)
{
    struct xd_source source = market(3);
    uint32_t count[XD_KINDS][XD_SIDES] = {{0}};
    uint32_t manual = 0;
    (void)state;
    for (uint32_t i = 0; i < ORDERS; i++) {
        char ref[XD_LOAD_REF];
        struct xd_load_order made;
        struct xd_order order;
        snprintf(ref, sizeof ref, "b00000000-%08x", i);
        assert_true(source.next(source.state, ref, NOW, &made));
        read_order(&made, &order);
        assert_int_equal(order.side, made.side);
        assert_int_equal(order.kind, made.kind);
        assert_int_equal(order.amount[xd_main_dim((enum xd_kind)order.kind)], made.amount);
        assert_int_equal(order.side == XD_REQUEST && order.min_part > 0, made.splits);
        assert_int_equal(order.confirm == XD_CONFIRM_MANUAL, made.manual);
        assert_non_null(made.place);
        count[order.kind][order.side]++;
        manual += made.manual;
    }
    source.destroy(source.state);
    for (int kind = 0; kind < XD_KINDS; kind++) {
        for (int side = 0; side < XD_SIDES; side++)
            assert_true(count[kind][side] > ORDERS / 50);
    }
    assert_true(count[XD_TRUCK][XD_REQUEST] > count[XD_TRUCK][XD_OFFER]);
    assert_true(manual > ORDERS / 50 && manual < ORDERS / 10);
}

static void same_seed_same_orders(void **state)
{
    struct xd_source one = market(5);
    struct xd_source same = market(5);
    struct xd_source other = market(6);
    bool differs = false;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct xd_load_order a, b, c;
        assert_true(one.next(one.state, "b00000000-00000000", NOW, &a));
        assert_true(same.next(same.state, "b00000000-00000000", NOW, &b));
        assert_true(other.next(other.state, "b00000000-00000000", NOW, &c));
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.bytes, b.bytes, a.len);
        differs = differs || a.len != c.len || memcmp(a.bytes, c.bytes, a.len) != 0;
    }
    assert_true(differs);
    one.destroy(one.state);
    same.destroy(same.state);
    other.destroy(other.state);
}

/* A hundred offers, then requests for ever, each under its own ref. */
static void book_of_a_hundred(void **state)
{
    struct xd_source book;
    (void)state;
    assert_true(xd_book_source(xd_market_create(1, 1.25), XD_TRUCK, NOW, &book));
    assert_int_equal(book.setup, XD_BOOK_OFFERS);
    for (uint32_t i = 0; i < 10000; i++) {
        char ref[XD_LOAD_REF];
        struct xd_load_order made;
        struct xd_order order;
        snprintf(ref, sizeof ref, "b00000000-%08x", i);
        assert_true(book.next(book.state, ref, NOW, &made));
        assert_non_null(memmem(made.bytes, made.len, ref, sizeof ref - 1));
        read_order(&made, &order);
        assert_int_equal(order.side, i < XD_BOOK_OFFERS ? XD_OFFER : XD_REQUEST);
        assert_int_equal(order.kind, XD_TRUCK);
        assert_int_equal(order.fill, i < XD_BOOK_OFFERS ? XD_FILL_REST : XD_FILL_NOW);
        assert_int_equal(order.confirm, XD_CONFIRM_AUTO);
    }
    book.destroy(book.state);
}

/* Towns are drawn as often as their people are many. */
static void places_by_people(void **state)
{
    enum { DRAWS = 2000000 };
    struct xd_places *places = xd_places_create();
    struct xd_random random;
    uint32_t *drawn = calloc(xd_town_count, sizeof *drawn);
    double people = 0;
    (void)state;
    assert_true(places && drawn);
    xd_random_seed(&random, 11);
    for (int i = 0; i < DRAWS; i++)
        drawn[xd_places_draw(places, &random)]++;
    for (uint32_t i = 0; i < xd_town_count; i++)
        people += xd_towns[i].people;
    for (uint32_t i = 0; i < xd_town_count; i++) {
        double expected = DRAWS * xd_towns[i].people / people;
        double off = drawn[i] - expected;
        assert_true(off * off <= 36 * (expected + 1)); /* six standard deviations */
    }
    free(drawn);
    xd_places_destroy(places);
}

static void nearest_name(void **state)
{
    (void)state;
    assert_string_equal(xd_places_name(31.3, 120.6), "Suzhou");
    assert_string_equal(xd_places_name(32.05, 118.75), "Nanjing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_is_valid), cmocka_unit_test(same_seed_same_orders),
        cmocka_unit_test(book_of_a_hundred),    cmocka_unit_test(places_by_people),
        cmocka_unit_test(nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

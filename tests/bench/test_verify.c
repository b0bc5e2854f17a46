/* The verification must notice what a broker could get wrong: each case starts from a load that is in order,
 * falsifies one thing in what is told, and counts what is noticed. */
#include "clients/bench/verify.h"
#include "core/mp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define PREFIX "b0000abcd"

enum { OFFER, REQUEST, SPLIT, ORDERS };

/* Three orders: a truck offer (0), a truck request of 4 pallets (1), a cold request of 10 that may be split
 * (2). */
static const struct xd_load_order orders[ORDERS] = {
    [OFFER] = {.account = "carrier", .amount = 3300, .side = XD_OFFER, .kind = XD_TRUCK},
    [REQUEST] = {.account = "shipper", .amount = 400, .side = XD_REQUEST, .kind = XD_TRUCK},
    [SPLIT] = {.account = "grocer", .amount = 1000, .side = XD_REQUEST, .kind = XD_COLD, .splits = true},
};

static struct xd_verify *loaded(void)
{
    struct xd_verify *verify = xd_verify_create(PREFIX);
    assert_non_null(verify);
    for (int i = 0; i < ORDERS; i++)
        assert_true(xd_verify_sent(verify, &orders[i], i));
    return verify;
}

static struct xd_str ref_of(uint64_t index)
{
    static char refs[4][XD_LOAD_REF];
    char *ref = refs[index % 4];
    snprintf(ref, XD_LOAD_REF, "%s-%08x", PREFIX, (unsigned)index);
    return xd_str_of(ref);
}

static struct xd_told accepted(uint64_t index)
{
    return (struct xd_told){
        .type = XD_EVENT_ORDER_ACCEPTED,
        .account = xd_str_of(orders[index].account),
        .order = {.ref = ref_of(index), .account = xd_str_of(orders[index].account), .id = 100 + index},
    };
}

static struct xd_told confirmed(const char *to)
{
    return (struct xd_told){
        .type = XD_EVENT_MATCH_CONFIRMED,
        .account = xd_str_of(to),
        .is_match = true,
        .match = {.id = 7,
                  .kind = XD_TRUCK,
                  .offer = {.ref = ref_of(OFFER), .account = xd_str_of("carrier"), .id = 100},
                  .request = {.ref = ref_of(REQUEST), .account = xd_str_of("shipper"), .id = 101},
                  .amount = {[XD_PALLETS] = 400, [XD_KG] = 900},
                  .quote = 10000,
                  .surplus = 5001,
                  .price = 12500,
                  .km_m = 300000},
    };
}

/* A part of the cold request, from somebody else's offer, told to both sides. */
static void part(struct xd_verify *verify, uint64_t id, int64_t pallets)
{
    struct xd_verified verified;
    struct xd_told told = confirmed("grocer");
    told.match.id = id;
    told.match.kind = XD_COLD;
    told.match.offer = (struct xd_told_party){.ref = xd_str_of("x"), .account = xd_str_of("store"), .id = 5};
    told.match.request =
        (struct xd_told_party){.ref = ref_of(SPLIT), .account = xd_str_of("grocer"), .id = 102};
    told.match.amount[XD_PALLETS] = pallets;
    xd_verify_event(verify, &told, &verified);
    told.account = xd_str_of("store");
    xd_verify_event(verify, &told, &verified);
}

static struct xd_verified tell(struct xd_verify *verify, struct xd_told told)
{
    struct xd_verified verified;
    xd_verify_event(verify, &told, &verified);
    return verified;
}

/* All answered and told of, as it should be. */
static struct xd_verify *in_order(void)
{
    struct xd_verify *verify = loaded();
    for (uint64_t i = 0; i < ORDERS; i++) {
        tell(verify, accepted(i));
        xd_verify_acked(verify, i, 100 + i);
    }
    return verify;
}

static uint64_t finish(struct xd_verify *verify)
{
    xd_verify_finish(verify);
    uint64_t violations = xd_verify_counts(verify)->violations;
    if (violations > 0) print_message("%s\n", xd_verify_counts(verify)->samples[0]);
    xd_verify_destroy(verify);
    return violations;
}

static void all_in_order(void **state)
{
    struct xd_verify *verify = in_order();
    (void)state;
    tell(verify, confirmed("carrier"));
    assert_false(xd_verify_settled(verify));
    tell(verify, confirmed("shipper"));
    assert_true(xd_verify_settled(verify));
    part(verify, 20, 600);
    part(verify, 21, 400);
    assert_int_equal(xd_verify_counts(verify)->matches, 3);
    assert_int_equal(xd_verify_counts(verify)->acked, 3);
    assert_int_equal(xd_verify_counts(verify)->requests, 2);
    assert_int_equal(finish(verify), 0);
}

/* The incoming order is the one accepted last, while nothing else has happened. */
static void knows_the_incoming_order(void **state)
{
    struct xd_verify *verify = loaded();
    (void)state;
    tell(verify, accepted(OFFER));
    tell(verify, accepted(REQUEST));
    struct xd_verified first = tell(verify, confirmed("carrier"));
    assert_true(first.formed && first.first);
    assert_int_equal(first.incoming, REQUEST);
    struct xd_verified second = tell(verify, confirmed("shipper"));
    assert_false(second.formed || second.first);
    struct xd_told ended = accepted(SPLIT);
    tell(verify, ended);
    ended.type = XD_EVENT_ORDER_CANCELLED;
    tell(verify, ended);
    struct xd_told freed = confirmed("shipper");
    freed.match.id = 8;
    assert_true(tell(verify, freed).incoming == XD_VERIFY_NONE);
    xd_verify_destroy(verify);
}

static void others_are_passed_over(void **state)
{
    struct xd_verify *verify = in_order();
    struct xd_told told = accepted(OFFER);
    struct xd_verified verified;
    (void)state;
    told.order.ref = xd_str_of("somebody's");
    assert_false(xd_verify_event(verify, &told, &verified));
    told.order.ref = xd_str_of(PREFIX "-00000009"); /* never sent */
    assert_false(xd_verify_event(verify, &told, &verified));
    assert_int_equal(finish(verify), 0);
}

/* --- falsified --- */

static void acknowledged_never_told(void **state)
{
    struct xd_verify *verify = loaded();
    (void)state;
    for (uint64_t i = 0; i < ORDERS; i++)
        xd_verify_acked(verify, i, 100 + i);
    tell(verify, accepted(OFFER));
    tell(verify, accepted(SPLIT));
    assert_false(xd_verify_settled(verify));
    assert_int_equal(finish(verify), 1);
}

static void never_answered(void **state)
{
    struct xd_verify *verify = loaded();
    (void)state;
    xd_verify_refused(verify, OFFER);
    xd_verify_refused(verify, REQUEST);
    assert_int_equal(finish(verify), 1);
}

static void answered_twice(void **state)
{
    struct xd_verify *verify = in_order();
    (void)state;
    xd_verify_acked(verify, OFFER, 100);
    assert_int_equal(finish(verify), 1);
}

static void told_twice(void **state)
{
    struct xd_verify *verify = in_order();
    (void)state;
    tell(verify, accepted(REQUEST));
    assert_int_equal(finish(verify), 1);
}

static void refused_and_told(void **state)
{
    struct xd_verify *verify = loaded();
    (void)state;
    xd_verify_refused(verify, OFFER);
    xd_verify_refused(verify, REQUEST);
    xd_verify_refused(verify, SPLIT);
    tell(verify, accepted(REQUEST));
    assert_int_equal(finish(verify), 1);
}

static void told_under_another_id(void **state)
{
    struct xd_verify *verify = loaded();
    (void)state;
    for (uint64_t i = 0; i < ORDERS; i++) {
        struct xd_told told = accepted(i);
        told.order.id += i == REQUEST;
        tell(verify, told);
        xd_verify_acked(verify, i, 100 + i);
    }
    assert_int_equal(finish(verify), 1);
}

static void told_to_another_account(void **state)
{
    struct xd_verify *verify = loaded();
    (void)state;
    for (uint64_t i = 0; i < ORDERS; i++) {
        struct xd_told told = accepted(i);
        if (i == SPLIT) told.account = xd_str_of("spy");
        tell(verify, told);
        xd_verify_acked(verify, i, 100 + i);
    }
    assert_int_equal(finish(verify), 1);
}

static void match_told_to_one_side(void **state)
{
    struct xd_verify *verify = in_order();
    (void)state;
    tell(verify, confirmed("shipper"));
    assert_int_equal(finish(verify), 1);
}

static void match_told_twice(void **state)
{
    struct xd_verify *verify = in_order();
    (void)state;
    tell(verify, confirmed("shipper"));
    tell(verify, confirmed("carrier"));
    tell(verify, confirmed("shipper"));
    assert_int_equal(finish(verify), 1);
}

static void match_told_to_a_stranger(void **state)
{
    struct xd_verify *verify = in_order();
    (void)state;
    tell(verify, confirmed("spy"));
    assert_int_equal(finish(verify), 1);
}

/* Each fact of a match falsified in what the second side is told. */
static void sides_told_differently(void **state)
{
    (void)state;
    for (int fact = 0; fact < 7; fact++) {
        struct xd_verify *verify = in_order();
        struct xd_told told = confirmed("carrier");
        switch (fact) {
        case 0:
            told.match.amount[XD_PALLETS] -= 25;
            break;
        case 1:
            told.match.amount[XD_KG] += 1;
            break;
        case 2:
            told.match.price += 1;
            break;
        case 3:
            told.match.quote += 100;
            break;
        case 4:
            told.match.surplus += 2;
            break;
        case 5:
            told.match.km_m += 1;
            break;
        default:
            told.match.request.id += 1;
            break;
        }
        tell(verify, confirmed("shipper"));
        tell(verify, told);
        assert_true(finish(verify) >= 1);
    }
}

static void wrong_price(void **state)
{
    (void)state;
    for (int64_t off = -1; off <= 1; off += 2) {
        struct xd_verify *verify = in_order();
        struct xd_told told = confirmed("carrier");
        told.match.price += off;
        tell(verify, told);
        told.account = xd_str_of("shipper");
        tell(verify, told);
        assert_int_equal(finish(verify), 2);
    }
}

static void served_twice(void **state)
{
    struct xd_verify *verify = in_order();
    struct xd_told again = confirmed("carrier");
    (void)state;
    tell(verify, confirmed("carrier"));
    tell(verify, confirmed("shipper"));
    again.match.id = 9;
    tell(verify, again);
    again.account = xd_str_of("shipper");
    tell(verify, again);
    assert_int_equal(finish(verify), 1);
}

static void served_in_part(void **state)
{
    struct xd_verify *verify = in_order();
    struct xd_told told = confirmed("carrier");
    (void)state;
    told.match.amount[XD_PALLETS] = 200;
    tell(verify, told);
    told.account = xd_str_of("shipper");
    tell(verify, told);
    assert_int_equal(finish(verify), 1);
}

static void parts_beyond_the_whole(void **state)
{
    struct xd_verify *verify = in_order();
    (void)state;
    part(verify, 20, 600);
    part(verify, 21, 401);
    assert_int_equal(finish(verify), 1);
}

/* What was declined may be given to another. */
static void parts_given_back(void **state)
{
    struct xd_verify *verify = in_order();
    struct xd_told told = confirmed("shipper");
    (void)state;
    for (int step = 0; step < 2; step++) {
        told.type = step == 0 ? XD_EVENT_MATCH_PROPOSED : XD_EVENT_MATCH_DECLINED;
        told.account = xd_str_of("shipper");
        tell(verify, told);
        told.account = xd_str_of("carrier");
        tell(verify, told);
    }
    told = confirmed("shipper");
    told.match.id = 8;
    tell(verify, told);
    told.account = xd_str_of("carrier");
    tell(verify, told);
    assert_int_equal(finish(verify), 0);
}

static void garbage(void **state)
{
    struct xd_verify *verify = in_order();
    (void)state;
    xd_verify_garbage(verify);
    assert_int_equal(finish(verify), 1);
}

/* --- reading events --- */

static bool read_back(struct xd_buf *bytes, struct xd_told *out, struct xd_told_match *match)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    assert_int_equal(msgpack_unpack_next(&unpacked, (const char *)bytes->data, bytes->len, NULL),
                     MSGPACK_UNPACK_SUCCESS);
    bool read = xd_told_read(&unpacked.data, out);
    *match = out->match;
    msgpack_unpacked_destroy(&unpacked); /* strings point into `bytes`, which stay */
    return read;
}

static void reads_what_the_core_writes(void **state)
{
    struct xd_stop_view stops[] = {{.request_id = 12, .place = {311000000, 1214000000}},
                                   {.request_id = 12, .delivery = true, .place = {320000000, 1187000000}}};
    struct xd_match_view view = {
        .id = 5,
        .kind = XD_TRUCK,
        .state = XD_MATCH_CONFIRMED,
        .offer = {.ref = xd_str_of("o"), .id = 11, .account = xd_str_of("carrier"), .credit = 500},
        .request = {.ref = xd_str_of("r"), .id = 12, .account = xd_str_of("shipper"), .credit = 500},
        .amount = {[XD_PALLETS] = 225, [XD_KG] = 1001},
        .dims = 1 << XD_PALLETS | 1 << XD_KG,
        .currency = xd_currency("CNY", 3),
        .quote = 10007,
        .price = 12508,
        .surplus = 5003,
        .km_m = 300123,
        .added_m = 1999,
        .stops = stops,
        .stop_count = 2};
    struct xd_buf bytes;
    struct xd_told told;
    struct xd_told_match match;
    (void)state;
    xd_buf_init(&bytes, 1 << 16);
    xd_event_match(&bytes, XD_EVENT_MATCH_CONFIRMED, 1893456000, xd_str_of("shipper"), &view);
    assert_true(read_back(&bytes, &told, &match));
    assert_true(told.is_match && told.type == XD_EVENT_MATCH_CONFIRMED && xd_told_side(&told) == 1);
    assert_int_equal(match.amount[XD_PALLETS], 225);
    assert_int_equal(match.amount[XD_KG], 1001);
    assert_true(match.quote == 10007 && match.price == 12508 && match.surplus == 5003);
    assert_true(match.km_m == 300123 && match.added_m == 1999);
    assert_true(match.from_lat == 31.1 && match.to_lon == 118.7);
    xd_buf_clear(&bytes);
    xd_mp_map(&bytes, 1);
    xd_mp_cstr(&bytes, "account");
    xd_mp_cstr(&bytes, "x");
    assert_false(read_back(&bytes, &told, &match));
    xd_buf_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_order),
        cmocka_unit_test(knows_the_incoming_order),
        cmocka_unit_test(others_are_passed_over),
        cmocka_unit_test(acknowledged_never_told),
        cmocka_unit_test(never_answered),
        cmocka_unit_test(answered_twice),
        cmocka_unit_test(told_twice),
        cmocka_unit_test(refused_and_told),
        cmocka_unit_test(told_under_another_id),
        cmocka_unit_test(told_to_another_account),
        cmocka_unit_test(match_told_to_one_side),
        cmocka_unit_test(match_told_twice),
        cmocka_unit_test(match_told_to_a_stranger),
        cmocka_unit_test(sides_told_differently),
        cmocka_unit_test(wrong_price),
        cmocka_unit_test(served_twice),
        cmocka_unit_test(served_in_part),
        cmocka_unit_test(parts_beyond_the_whole),
        cmocka_unit_test(parts_given_back),
        cmocka_unit_test(garbage),
        cmocka_unit_test(reads_what_the_core_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

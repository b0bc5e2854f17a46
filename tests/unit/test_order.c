/* Good orders: read, written, packed, unpacked and digested. test_order_fields.c and test_order_values.c have
 * the bad. */
#include "core/features.h"
#include "core/schema.h"
#include "tests/unit/notation.h"
#include "tests/unit/orders.h"
#include "tests/unit/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 1 << 16, DAY_2030 = 21915 };

static const char *const good_orders[] = {TRUCK_OFFER,  TRUCK_REQUEST,   COLD_OFFER,
                                          COLD_REQUEST, WAREHOUSE_OFFER, WAREHOUSE_REQUEST};

/* Every field that a truck offer can have, at its longest or largest. */
static const char full_truck_offer[] =
    "side: offer, kind: truck, ref: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, "
    "valid_until: 7258118399, fill: now, confirm: manual, hold_s: 86400, min_credit: 1000, "
    "features: [tail_lift, atp_frc, adr_9], "
    "currency: CNY, pallets: 1000000, kg: 1000000000, m3: 10000000, ldm: 10000000, m2: 10000000, "
    "from: {lat: -90, lon: -180}, to: {lat: 90, lon: 180}, max_detour_km: 20000, available_from: 946684800, "
    "available_until: 7258118399, speed_kmh: 200, temp_c: {min: -100, max: 100}, base: 1000000000, "
    "per_t_km: 1000000, per_detour_km: 1000000";

static struct xd_market market(void)
{
    return (struct xd_market){.currency = xd_currency("EUR", 3), .road_factor_e4 = 12500};
}

/* Strings of the order live as long as `parsed`. */
static struct xd_order read_order(const char *base, const char *drop, const char *more, struct parsed *parsed)
{
    struct xd_market m = market();
    struct xd_order order;
    struct xd_error error;
    notation_map(base, drop, more, parsed);
    if (!xd_order_read(&parsed->object, &m, &order, &error)) {
        fail_msg("%s: %s: %s", xd_code_name(error.code), error.field, error.message);
    }
    return order;
}

static struct xd_digest digest_of(const char *base, const char *drop, const char *more)
{
    struct parsed parsed;
    struct xd_order order = read_order(base, drop, more, &parsed);
    struct xd_digest digest = xd_order_digest(&order);
    parsed_free(&parsed);
    return digest;
}

static bool digests_equal(struct xd_digest a, struct xd_digest b)
{
    return a.high == b.high && a.low == b.low;
}

static void repack(const struct xd_order *order, struct parsed *out)
{
    struct xd_buf bytes;
    xd_buf_init(&bytes, LIMIT);
    xd_order_pack(order, &bytes);
    assert_false(bytes.failed);
    assert_true(parsed_from(&bytes, out));
}

static bool accounts_equal(const struct xd_accounts *a, const struct xd_accounts *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!xd_str_equal(a->at[i], b->at[i])) return false;
    }
    return true;
}

/* Equal in all members, wherever their strings are. */
static bool orders_equal(const struct xd_order *a, const struct xd_order *b)
{
    struct xd_order other = *b;
    if (!xd_str_equal(a->ref, b->ref) || !xd_str_equal(a->note, b->note)) return false;
    if (!accounts_equal(&a->only, &b->only) || !accounts_equal(&a->never, &b->never)) return false;
    other.ref = a->ref;
    other.note = a->note;
    other.only = a->only;
    other.never = a->never;
    return memcmp(a, &other, sizeof other) == 0;
}

static void fills_in_a_truck_offer(void **state)
{
    (void)state;
    struct parsed parsed;
    struct xd_order order =
        read_order(TRUCK_OFFER, NULL, "per_t_km: 0.085, features: [tail_lift, adr_1]", &parsed);
    assert_int_equal(order.side, XD_OFFER);
    assert_int_equal(order.kind, XD_TRUCK);
    assert_true(xd_str_equal(order.ref, xd_str_of("o1")));
    assert_int_equal(order.amount[XD_PALLETS], 1400);
    assert_int_equal(order.amount[XD_KG], 12000);
    assert_int_equal(order.amount[XD_M3], 0);
    assert_int_equal(order.from.lat_e7, 312300000);
    assert_int_equal(order.from.lon_e7, 1214700000);
    assert_int_equal(order.max_detour_m, 80000);
    assert_int_equal(order.available_from, 1893456000);
    assert_int_equal(order.speed, 600);
    assert_int_equal(order.per_t_km, 850);
    assert_int_equal(order.base, 0);
    assert_int_equal(order.hold_s, 900);
    assert_int_equal(order.fill, XD_FILL_REST);
    assert_int_equal(order.confirm, XD_CONFIRM_AUTO);
    assert_int_equal(order.valid_until, order.available_until);
    assert_int_equal(order.currency, market().currency);
    assert_int_equal(order.features, UINT64_C(1) | UINT64_C(1) << xd_feature_bit("adr_1", 5));
    assert_true(xd_order_gave(&order, XD_F_PER_T_KM) && xd_order_gave(&order, XD_F_SIDE));
    assert_false(xd_order_gave(&order, XD_F_TO) || xd_order_gave(&order, XD_F_VALID_UNTIL) ||
                 xd_order_gave(&order, XD_F_SPEED_KMH) || xd_order_gave(&order, XD_F_CURRENCY));
    parsed_free(&parsed);
}

static void defaults_follow_side_and_kind(void **state)
{
    (void)state;
    struct parsed parsed;
    struct xd_order order = read_order(TRUCK_REQUEST, NULL, "", &parsed);
    assert_int_equal(order.valid_until, order.pickup_until);
    assert_int_equal(order.speed, 0);
    assert_int_equal(order.max_price, 150000);
    parsed_free(&parsed);

    order = read_order(COLD_OFFER, NULL, "", &parsed);
    assert_int_equal(order.valid_until, order.until_day * 86400);
    assert_int_equal(order.temp.min, -200);
    assert_int_equal(order.temp.max, -180);
    assert_int_equal(order.per_unit_day, 12000);
    parsed_free(&parsed);

    order = read_order(WAREHOUSE_OFFER, NULL, "currency: USD, min_part: 12.5", &parsed);
    assert_int_equal(order.per_unit_day, 500);
    assert_int_equal(order.amount[XD_M2], 10000);
    assert_int_equal(order.min_part, 1250);
    assert_int_equal(order.currency, xd_currency("USD", 3));
    parsed_free(&parsed);

    order = read_order(COLD_REQUEST, NULL, "fill: all_now, only: [acme, 'x@y'], never: [zeta]", &parsed);
    assert_int_equal(order.valid_until, order.from_day * 86400);
    assert_int_equal(order.from_day, DAY_2030 + 4);
    assert_int_equal(order.radius_m, 60000);
    assert_int_equal(order.fill, XD_FILL_ALL_NOW);
    assert_int_equal(order.only.count, 2);
    assert_true(xd_str_equal(order.only.at[1], xd_str_of("x@y")));
    assert_int_equal(order.never.count, 1);
    parsed_free(&parsed);
}

/* Pairs of spellings that are the same order. */
static void reads_each_spelling_alike(void **state)
{
    (void)state;
    static const struct {
        const char *base, *drop, *a, *b;
    } rows[] = {
        {TRUCK_OFFER, "kg", "kg: 12000", "kg: 12000.0"},
        {TRUCK_OFFER, "kg", "kg: 12000", "kg: '12000'"},
        {TRUCK_OFFER, "kg", "kg: 12000", "kg: '1.2e4'"},
        {TRUCK_OFFER, "kg", "kg: 12000", "kg: 12000.0f"},
        {TRUCK_OFFER, "pallets", "pallets: 0.1", "pallets: 0.1f"},
        {TRUCK_OFFER, "pallets", "pallets: 2.55", "pallets: '2.550'"},
        {TRUCK_OFFER, "pallets", "pallets: 999999.99", "pallets: '999999.99'"},
        {TRUCK_OFFER, "available_from", "available_from: 1893456000",
         "available_from: '2030-01-01T08:00:00+08:00'"},
        {TRUCK_OFFER, "available_from", "available_from: 1893456000",
         "available_from: '2030-01-01T00:00:00Z'"},
        {TRUCK_OFFER, "available_from", "available_from: 1893456000", "available_from: 1893456000.0"},
        {TRUCK_OFFER, "available_from", "available_from: 1893456000", "available_from: '1893456000'"},
        {TRUCK_OFFER, "from", "from: {lat: 31.12345674, lon: 121}", "from: {lon: 121.0, lat: 31.1234567}"},
        {TRUCK_OFFER, "from", "from: {lat: -0.00000005, lon: 121}", "from: {lon: 121, lat: '-0.0000001'}"},
        {TRUCK_OFFER, NULL, "features: [cctv, guarded]", "features: [guarded, cctv]"},
        {TRUCK_OFFER, NULL, "temp_c: {min: 2, max: 7.5}", "temp_c: {max: '7.50', min: 2.0}"},
        {TRUCK_REQUEST, "max_price", "max_price: 1240.1", "max_price: '1240.10'"},
        {TRUCK_REQUEST, NULL, "note: b, currency: EUR", "currency: EUR, note: b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed a;
        struct parsed b;
        struct xd_order first = read_order(rows[i].base, rows[i].drop, rows[i].a, &a);
        struct xd_order second = read_order(rows[i].base, rows[i].drop, rows[i].b, &b);
        if (!orders_equal(&first, &second)) fail_msg("%s differs from %s", rows[i].a, rows[i].b);
        assert_true(digests_equal(xd_order_digest(&first), xd_order_digest(&second)));
        parsed_free(&a);
        parsed_free(&b);
    }
}

static void takes_the_ends_of_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *base, *drop, *more;
    } rows[] = {
        {TRUCK_OFFER, "pallets", "pallets: 0.01"},
        {TRUCK_OFFER, "kg", "kg: 1"},
        {TRUCK_OFFER, "max_detour_km", "max_detour_km: 0"},
        {TRUCK_OFFER, NULL, "speed_kmh: 1, hold_s: 30, min_credit: 0, base: 0, m3: 0.001, ldm: 0.01"},
        {TRUCK_OFFER, NULL, "valid_until: 1893628800"},
        {TRUCK_OFFER, NULL, "valid_until: 946684800"},
        {TRUCK_OFFER, "available_until", "available_until: 1893456001"},
        {TRUCK_REQUEST, "pickup_until", "pickup_until: 1893456000"},
        {TRUCK_REQUEST, "deliver_until", "deliver_until: 1893456000"},
        {TRUCK_REQUEST, "max_price", "max_price: 0.01, load_min: 10080, unload_min: 0, fill: all_now"},
        {COLD_OFFER, "temp_c", "temp_c: {min: 4, max: 4}"},
        {COLD_OFFER, "until_day", "until_day: '2030-01-02'"},
        {COLD_OFFER, "until_day", "until_day: '2032-01-02'"},
        {COLD_OFFER, NULL, "min_part: 40, valid_until: '2030-03-01T00:00:00Z'"},
        {WAREHOUSE_REQUEST, "radius_km", "radius_km: 0, min_part: 60, per_access_km: 0.0001"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed parsed;
        read_order(rows[i].base, rows[i].drop, rows[i].more, &parsed);
        parsed_free(&parsed);
    }
    struct parsed parsed;
    read_order(full_truck_offer, NULL, "", &parsed);
    parsed_free(&parsed);
}

static void writes_what_was_given(void **state)
{
    (void)state;
    struct parsed parsed;
    struct parsed written;
    struct xd_buf bytes;
    char text[1024];
    struct xd_order order =
        read_order(COLD_REQUEST, NULL,
                   "min_part: 0.5, features: [temp_log, atp_frc], never: [zeta], note: 'mind the step', "
                   "confirm: manual, currency: CNY, per_access_km: 0.35",
                   &parsed);
    xd_buf_init(&bytes, LIMIT);
    xd_order_write(&order, &bytes);
    assert_true(parsed_from(&bytes, &written));
    notation_print(&written.object, text, sizeof text);
    assert_string_equal(
        text, "{side: request, kind: cold, ref: r2, confirm: manual, features: [temp_log, atp_frc], "
              "never: [zeta], currency: CNY, note: mind the step, pallets: 5, min_part: 0.5, "
              "at: {lat: 31.2, lon: 121.4}, radius_km: 60, from_day: 2030-01-05, "
              "until_day: 2030-01-20, temp_c: {min: -25, max: -15}, max_price: 900, "
              "per_access_km: 0.35}");
    parsed_free(&parsed);
    parsed_free(&written);
}

/* Read, then written and read again, then packed and unpacked: always the same order. */
static void survives_writing_and_packing(void **state)
{
    (void)state;
    for (size_t i = 0; i <= sizeof good_orders / sizeof good_orders[0]; i++) {
        const char *text = i < 6 ? good_orders[i] : full_truck_offer;
        struct parsed parsed;
        struct parsed written;
        struct parsed packed;
        struct xd_buf bytes;
        struct xd_market m = market();
        struct xd_error error;
        struct xd_order again;
        struct xd_order order = read_order(text, NULL, "", &parsed);

        xd_buf_init(&bytes, LIMIT);
        xd_order_write(&order, &bytes);
        assert_true(parsed_from(&bytes, &written));
        assert_true(xd_order_read(&written.object, &m, &again, &error));
        assert_true(orders_equal(&order, &again));

        repack(&order, &packed);
        memset(&again, 0xa5, sizeof again);
        assert_true(xd_order_unpack(&packed.object, &again));
        assert_true(orders_equal(&order, &again));
        assert_true(digests_equal(xd_order_digest(&order), xd_order_digest(&again)));
        parsed_free(&parsed);
        parsed_free(&written);
        parsed_free(&packed);
    }
}

static void packs_to_tags_and_units(void **state)
{
    (void)state;
    struct parsed parsed;
    struct parsed packed;
    char text[1024];
    struct xd_order order =
        read_order(WAREHOUSE_OFFER, NULL, "features: [pallet_jack], only: [a, b]", &parsed);
    repack(&order, &packed);
    notation_print(&packed.object, text, sizeof text);
    assert_string_equal(text, "{1: 0, 2: 2, 3: o3, 68: 1898553600, 9: 2, 10: [a, b], 76: 4543826, 18: 10000, "
                              "22: [313000000, 1206000000], 33: 21915, 34: 21974, 40: 500}");
    parsed_free(&parsed);
    parsed_free(&packed);
}

static void refuses_what_was_not_packed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "7",
        "{}",
        "{1: 0}",
        /* a good one, and then: a tag out of order, one unknown, one twice, a value of another type, one
         * beyond its range, a required field not there, a field of other orders, a check across fields, no
         * currency */
        "{2: 2, 1: 0, 3: o3, 68: 1898553600, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974, 99: "
        "1}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 4543826, 18: 10000, 18: 10000, 22: [1, 2], 33: 21915, 34: "
        "21974}",
        "{1: 0, 2: 2, 3: 3, 68: 1898553600, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: 'a b', 68: 1898553600, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 3, 3: o3, 68: 1898553600, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 4543826, 18: 0, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 4543826, 18: 10000, 22: [900000001, 2], 33: 21915, 34: "
        "21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 4543826, 18: 10000, 22: [1], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 4543826, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 4543826, 18: 10000, 22: [1, 2], 24: 5, 33: 21915, 34: "
        "21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: 21915}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553601, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 76: 5, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: 21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 9: 68719476736, 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, "
        "34: "
        "21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 10: [], 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: "
        "21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 10: ['*'], 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: "
        "21974}",
        "{1: 0, 2: 2, 3: o3, 68: 1898553600, 13: '\xff', 76: 4543826, 18: 10000, 22: [1, 2], 33: 21915, 34: "
        "21974}",
    };
    struct xd_order order;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct parsed parsed;
        struct xd_buf bytes;
        xd_buf_init(&bytes, LIMIT);
        notation_value(rows[i], &bytes);
        assert_true(parsed_from(&bytes, &parsed));
        if (xd_order_unpack(&parsed.object, &order)) fail_msg("unpacked: %s", rows[i]);
        parsed_free(&parsed);
    }
}

static void digests_tell_orders_apart(void **state)
{
    (void)state;
    static const struct {
        const char *drop, *more;
    } changes[] = {
        {"ref", "ref: r9"},
        {"pallets", "pallets: 2.51"},
        {"to", "to: {lat: 39.9000001, lon: 116.4}"},
        {NULL, "hold_s: 901"},
        {NULL, "note: a"},
        {NULL, "only: [a]"},
        {NULL, "never: [a]"},
        {NULL, "features: [cctv]"},
        {NULL, "temp_c: {min: 2, max: 8}"},
        {NULL, "m3: 1"},
        {NULL, "ldm: 1"},
        {NULL, "fill: now"},
        {NULL, "m2: 1"},
        {"max_price", "max_price: 1500.01"},
    };
    struct xd_digest plain = digest_of(TRUCK_REQUEST, NULL, "");
    assert_true(digests_equal(plain, digest_of(TRUCK_REQUEST, "ref", "ref: r1")));
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct xd_digest changed = digest_of(TRUCK_REQUEST, changes[i].drop, changes[i].more);
        if (digests_equal(plain, changed)) fail_msg("%s makes no difference", changes[i].more);
    }
}

/* What the market fills in is not what the owner wrote. */
static void digests_leave_defaults_out(void **state)
{
    (void)state;
    struct parsed parsed;
    struct xd_error error;
    struct xd_order euro = read_order(COLD_OFFER, NULL, "", &parsed);
    struct xd_market other = {.currency = xd_currency("CNY", 3), .road_factor_e4 = 13000};
    struct xd_order yuan;
    assert_true(xd_order_read(&parsed.object, &other, &yuan, &error));
    assert_int_not_equal(euro.currency, yuan.currency);
    assert_true(digests_equal(xd_order_digest(&euro), xd_order_digest(&yuan)));
    parsed_free(&parsed);
}

static void names_follow_their_rules(void **state)
{
    (void)state;
    char text[4];
    assert_true(xd_ref_valid(xd_str_of("A-z0._:9")));
    assert_false(xd_ref_valid(xd_str_of("")) || xd_ref_valid(xd_str_of("a@b")) ||
                 xd_ref_valid(xd_str_of("a,b")));
    assert_true(xd_account_valid(xd_str_of("a@b-c")));
    assert_false(xd_account_valid(xd_str_of("*")) || xd_account_valid(xd_str_of("")));
    xd_currency_format(xd_currency("XAU", 3), text);
    assert_string_equal(text, "XAU");
    assert_int_equal(xd_currency("EU", 2), 0);
    assert_int_equal(xd_currency("EURO", 4), 0);
    assert_int_equal(xd_currency("eur", 3), 0);
    assert_int_equal(xd_main_dim(XD_TRUCK), XD_PALLETS);
    assert_int_equal(xd_main_dim(XD_COLD), XD_PALLETS);
    assert_int_equal(xd_main_dim(XD_WAREHOUSE), XD_M2);
}

/* Changes bytes of `bytes` at random and reads what that makes; true if it is MessagePack at all. */
static bool mutate(struct rng *rng, const struct parsed *from, struct parsed *out)
{
    struct xd_buf bytes;
    xd_buf_init(&bytes, LIMIT);
    xd_buf_add(&bytes, from->bytes.data, from->bytes.len);
    for (int64_t n = rng_between(rng, 1, 3); n > 0; n--) {
        size_t at = (size_t)rng_between(rng, 0, (int64_t)bytes.len - 1);
        bytes.data[at] = rng_between(rng, 0, 1) ? (uint8_t)rng_next(rng) : (uint8_t)(bytes.data[at] + 1);
    }
    return parsed_from(&bytes, out);
}

/* An order that any of the readers takes keeps every promise of the table, so it packs and comes back. */
static void takes_or_refuses_any_bytes(void **state)
{
    (void)state;
    struct rng rng = {.state = 7};
    struct xd_market m = market();
    int taken = 0;
    for (int round = 0; round < 60000; round++) {
        struct parsed parsed;
        struct parsed packed;
        struct parsed mutant;
        struct xd_error error;
        struct xd_order order =
            read_order(good_orders[round % 6], NULL, "features: [cctv], only: [a]", &parsed);
        struct xd_order again;
        repack(&order, &packed);
        bool from_ledger = round / 6 % 2 == 0;
        bool parses = mutate(&rng, from_ledger ? &packed : &parsed, &mutant);
        if (parses && (from_ledger ? xd_order_unpack(&mutant.object, &order)
                                   : xd_order_read(&mutant.object, &m, &order, &error))) {
            struct parsed repacked;
            taken++;
            repack(&order, &repacked);
            assert_true(xd_order_unpack(&repacked.object, &again));
            assert_true(orders_equal(&order, &again));
            parsed_free(&repacked);
        }
        parsed_free(&mutant);
        parsed_free(&packed);
        parsed_free(&parsed);
    }
    assert_true(taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_a_truck_offer),    cmocka_unit_test(defaults_follow_side_and_kind),
        cmocka_unit_test(reads_each_spelling_alike), cmocka_unit_test(takes_the_ends_of_ranges),
        cmocka_unit_test(writes_what_was_given),     cmocka_unit_test(survives_writing_and_packing),
        cmocka_unit_test(packs_to_tags_and_units),   cmocka_unit_test(refuses_what_was_not_packed),
        cmocka_unit_test(digests_tell_orders_apart), cmocka_unit_test(digests_leave_defaults_out),
        cmocka_unit_test(names_follow_their_rules),  cmocka_unit_test(takes_or_refuses_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Amendments by themselves: what can be read, what an order becomes, and which changes make it easier or harder to match. */
#include "core/amend.h"

#include "tests/unit/notation.h"
#include "tests/unit/orders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool read(const char *changes, struct parsed *parsed, struct xd_amendment *out, struct xd_error *error)
{
    notation_map("", NULL, changes, parsed);
    return xd_amendment_read(&parsed->object, out, error);
}

static void refuses_what_no_order_may_amend(void **state)
{
    (void)state;
    static const struct {
        const char *changes;
        enum xd_code code;
        const char *field, *message;
    } rows[] = {
        {"ref: r1", XD_BAD_PARAMS, "", "an amendment needs a field to change"},
        {"colour: red", XD_UNKNOWN_FIELD, "colour", "an order has no field \"colour\""},
        {"kind: cold", XD_NOT_AMENDABLE, "kind", "kind cannot be amended; cancel the order and submit another"},
        {"fill: now", XD_NOT_AMENDABLE, "fill", "fill cannot be amended; cancel the order and submit another"},
        {"at: nil", XD_NOT_AMENDABLE, "at", "at cannot be amended; cancel the order and submit another"},
        {"kg: 5, kg: 6", XD_DUPLICATE_FIELD, "kg", "kg is given twice"},
        {"kg: nil, kg: 6", XD_DUPLICATE_FIELD, "kg", "kg is given twice"},
        {"kg: 1.5", XD_TOO_MANY_DECIMALS, "kg", NULL},
        {"kg: 0", XD_OUT_OF_RANGE, "kg", NULL},
        {"kg: [1]", XD_BAD_TYPE, "kg", NULL},
        {"5: 6", XD_BAD_TYPE, "", "the name of a field is a string, not 5"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parsed parsed;
        struct xd_amendment amendment;
        struct xd_error error;
        assert_false(read(rows[i].changes, &parsed, &amendment, &error));
        assert_string_equal(xd_code_name(error.code), xd_code_name(rows[i].code));
        assert_string_equal(error.field, rows[i].field);
        if (rows[i].message) assert_string_equal(error.message, rows[i].message);
        parsed_free(&parsed);
    }
}

/* An order and what `changes` make of it. */
struct pair {
    struct parsed order, changes;
    struct xd_order before, after;
    struct xd_error error;
    bool good;
};

static void amend(const char *base, const char *more, const char *changes, struct pair *out)
{
    struct xd_market market = {.currency = xd_currency("EUR", 3), .road_factor_e4 = 12500};
    struct xd_amendment amendment;
    notation_map(base, NULL, more, &out->order);
    assert_true(xd_order_read(&out->order.object, &market, &out->before, &out->error));
    assert_true(read(changes, &out->changes, &amendment, &out->error));
    out->good = xd_order_amend(&out->before, &amendment, &out->after, &out->error);
}

static void forget(struct pair *pair)
{
    parsed_free(&pair->order);
    parsed_free(&pair->changes);
}

static void checks_the_amended_order_as_a_new_one(void **state)
{
    (void)state;
    static const struct {
        const char *base, *more, *changes;
        enum xd_code code;
        const char *field;
    } rows[] = {
        {TRUCK_OFFER, "", "max_price: 5", XD_UNKNOWN_FIELD, "max_price"},
        {TRUCK_OFFER, "", "kg: nil", XD_MISSING_FIELD, "kg"},
        {TRUCK_OFFER, "", "available_until: '2029-01-01T00:00:00Z'", XD_OUT_OF_RANGE, "available_until"},
        {WAREHOUSE_OFFER, "", "until_day: '2029-01-01'", XD_OUT_OF_RANGE, "until_day"},
        {WAREHOUSE_OFFER, "", "min_part: 101", XD_OUT_OF_RANGE, "min_part"},
        {WAREHOUSE_OFFER, "min_part: 50", "m2: 49", XD_OUT_OF_RANGE, "min_part"},
        {WAREHOUSE_OFFER, "valid_until: '2030-02-28T00:00:00Z'", "until_day: '2030-02-20'", XD_OUT_OF_RANGE, "valid_until"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair pair;
        amend(rows[i].base, rows[i].more, rows[i].changes, &pair);
        assert_false(pair.good);
        assert_string_equal(xd_code_name(pair.error.code), xd_code_name(rows[i].code));
        assert_string_equal(pair.error.field, rows[i].field);
        forget(&pair);
    }
}

static void knows_easier_from_harder(void **state)
{
    (void)state;
    static const struct {
        const char *base, *more, *changes;
        const char *ease; /* "+": easier, "-": harder, "": changed, neither; "=": no change */
    } rows[] = {
        {WAREHOUSE_REQUEST, "", "max_price: 99999", "+"},
        {WAREHOUSE_REQUEST, "", "max_price: 0.01", "-"},
        {WAREHOUSE_REQUEST, "", "max_price: 99999, radius_km: 1", "+-"},
        {WAREHOUSE_REQUEST, "", "m2: 1000", "-"},
        {WAREHOUSE_REQUEST, "", "kg: 1", "-"},
        {WAREHOUSE_REQUEST, "kg: 1", "kg: nil", "+"},
        {WAREHOUSE_REQUEST, "", "min_part: 1", "+"},
        {WAREHOUSE_REQUEST, "min_part: 1", "min_part: nil", "-"},
        {WAREHOUSE_OFFER, "", "min_part: 1", "-"},
        {WAREHOUSE_OFFER, "", "m2: 99", "-"},
        {WAREHOUSE_OFFER, "", "m2: 101", "+"},
        {WAREHOUSE_OFFER, "", "kg: 100000", "-"},
        {WAREHOUSE_OFFER, "kg: 1", "kg: nil", "+"},
        {WAREHOUSE_OFFER, "", "base: 5", "-"},
        {WAREHOUSE_OFFER, "", "base: 0", ""},
        {WAREHOUSE_OFFER, "base: 0", "base: nil", ""},
        {WAREHOUSE_OFFER, "base: 1", "base: 1", "="},
        {WAREHOUSE_OFFER, "", "only: [a]", "-"},
        {WAREHOUSE_OFFER, "only: [a]", "only: [a, b]", "+"},
        {WAREHOUSE_OFFER, "only: [a]", "only: [b]", "+-"},
        {WAREHOUSE_OFFER, "only: [a]", "only: nil", "+"},
        {WAREHOUSE_OFFER, "", "never: [a]", "-"},
        {WAREHOUSE_OFFER, "never: [a, b]", "never: [b]", "+"},
        {WAREHOUSE_OFFER, "", "note: 'gate 4', confirm: manual, hold_s: 60", ""},
        {WAREHOUSE_OFFER, "", "valid_until: '2030-02-01T00:00:00Z'", ""},
        {WAREHOUSE_OFFER, "", "until_day: '2030-03-02'", "+"},
        {WAREHOUSE_OFFER, "features: [atp_frc]", "features: [atp_frc, atp_fra]", ""},
        {WAREHOUSE_OFFER, "features: [atp_frc]", "features: [atp_fra]", "-"},
        {TRUCK_OFFER, "", "max_detour_km: 1000", "+"},
        {TRUCK_OFFER, "temp_c: {min: 2, max: 8}", "temp_c: {min: 0, max: 6}", "+-"},
        {TRUCK_OFFER, "", "temp_c: {min: 2, max: 8}", "+"},
        {TRUCK_REQUEST, "", "temp_c: {min: 2, max: 8}", "-"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pair pair;
        char ease[4] = "";
        amend(rows[i].base, rows[i].more, rows[i].changes, &pair);
        if (!pair.good) fail_msg("%s: %s", rows[i].changes, pair.error.message);
        struct xd_ease is = xd_order_ease(&pair.before, &pair.after);
        if (is.easier) strcat(ease, "+");
        if (is.harder) strcat(ease, "-");
        if (!xd_order_changes(&pair.before, &pair.after)) strcat(ease, "=");
        if (strcmp(ease, rows[i].ease)) fail_msg("%s with %s: '%s'", rows[i].more, rows[i].changes, ease);
        forget(&pair);
    }
}

static void a_default_valid_until_follows_the_window(void **state)
{
    (void)state;
    struct pair pair;
    amend(WAREHOUSE_OFFER, "", "until_day: '2030-03-02'", &pair);
    assert_true(pair.good);
    assert_int_equal(pair.after.valid_until, pair.before.valid_until + 86400);
    forget(&pair);
    amend(WAREHOUSE_OFFER, "valid_until: '2030-02-01T00:00:00Z'", "until_day: '2030-03-02', valid_until: nil", &pair);
    assert_true(pair.good);
    assert_int_equal(pair.after.valid_until, pair.after.until_day * 86400);
    forget(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_no_order_may_amend),
        cmocka_unit_test(checks_the_amended_order_as_a_new_one),
        cmocka_unit_test(knows_easier_from_harder),
        cmocka_unit_test(a_default_valid_until_follows_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

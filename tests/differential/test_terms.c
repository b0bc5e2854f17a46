/* What the engine keeps of an order (engine/terms.c) tells all that its owner wrote, whatever the field table allows. */
#include "core/features.h"
#include "core/schema.h"
#include "engine/state.h"
#include "tests/differential/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { ORDERS = 20000 };

static struct xd_engine *engine;

static int begin(void **state)
{
    (void)state;
    struct xd_engine_options options = {.market = {.currency = xd_currency("EUR", 3), .road_factor_e4 = 30000}};
    engine = xd_engine_create(&options);
    return engine ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    xd_engine_destroy(engine);
    return 0;
}

static void assert_same_accounts(const struct xd_accounts *one, const struct xd_accounts *other)
{
    assert_int_equal(one->count, other->count);
    for (uint32_t i = 0; i < one->count; i++) {
        assert_true(xd_str_equal(one->at[i], other->at[i]));
    }
}

static void assert_same(const struct xd_order *written, const struct xd_order *kept)
{
    enum xd_column column = xd_column((enum xd_side)written->side, (enum xd_kind)written->kind);
    assert_int_equal(written->given, kept->given);
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (field->need[column] == XD_NEVER) continue; /* the traffic leaves something there now and then */
        const void *one = (const char *)written + field->offset, *other = (const char *)kept + field->offset;
        if (field->type == XD_TYPE_ACCOUNTS) {
            assert_same_accounts(one, other);
        } else if (field->type == XD_TYPE_REF || field->type == XD_TYPE_TEXT) {
            assert_true(xd_str_equal(*(const struct xd_str *)one, *(const struct xd_str *)other));
        } else if (field->type == XD_TYPE_RANGE) {
            assert_memory_equal(one, other, sizeof(struct xd_range));
        } else {
            assert_memory_equal(one, other, sizeof(int64_t)); /* a place is as long */
        }
    }
}

static void check(const struct xd_order *written)
{
    struct xd_order kept;
    struct xd_slot *slot = xd_slot_create(engine, written, xd_str_of("carol"), xd_id(0, 1), XD_CREDIT_MAX);
    assert_non_null(slot);
    xd_slot_order(slot, &kept);
    assert_same(written, &kept);
    assert_int_equal(slot->credit, XD_CREDIT_MAX);
    xd_slot_destroy(engine, slot);
}

static void any_order_can_be_told_again(void **state)
{
    (void)state;
    struct xd_traffic traffic;
    struct xd_twin twin = {0};
    struct xd_record record = {0};
    xd_traffic_begin(&traffic, 5, XD_BOOK_SMALL);
    traffic.style.lists = 50;
    for (unsigned i = 0; i < ORDERS; i++) {
        xd_traffic_order(&traffic, &twin, &record);
        check(&record.order);
    }
}

/* Every field of a kind at the end of its range: each fits where it is kept. */
static void extreme_order(enum xd_column column, bool most, struct xd_order *out)
{
    static const char text[XD_NOTE_MAX] = "e";
    *out = (struct xd_order){0};
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        void *at = (char *)out + field->offset;
        if (field->need[column] == XD_NEVER) continue;
        out->given |= UINT64_C(1) << id;
        if (field->type == XD_TYPE_REF || field->type == XD_TYPE_TEXT) {
            *(struct xd_str *)at = (struct xd_str){text, (uint32_t)(most ? field->max : field->min)};
        } else if (field->type == XD_TYPE_PLACE) {
            *(struct xd_place *)at = (struct xd_place){(most ? 90 : -90) * XD_E7, (most ? 180 : -180) * XD_E7};
        } else if (field->type == XD_TYPE_RANGE) {
            *(struct xd_range *)at = (struct xd_range){field->min, field->max};
        } else if (field->type == XD_TYPE_FEATURES) {
            *(uint64_t *)at = UINT64_C(1) << (most ? XD_FEATURE_COUNT - 1 : 0);
        } else if (field->type == XD_TYPE_CURRENCY) {
            *(int64_t *)at = most ? xd_currency("ZZZ", 3) : xd_currency("AAA", 3);
        } else if (field->type == XD_TYPE_ACCOUNTS) {
            struct xd_accounts *accounts = at;
            accounts->count = (uint32_t)(most ? field->max : field->min);
            for (uint32_t i = 0; i < accounts->count; i++) {
                accounts->at[i] = (struct xd_str){"abcdefghijklmnopqrstuvwxyz", i + 1};
            }
        } else {
            *(int64_t *)at = most ? field->max : field->min;
        }
    }
}

static void every_range_fits(void **state)
{
    (void)state;
    for (unsigned column = 0; column < XD_COLUMNS; column++) {
        for (unsigned most = 0; most < 2; most++) {
            struct xd_order order;
            extreme_order((enum xd_column)column, most, &order);
            order.side = column % XD_SIDES;
            order.kind = column / XD_SIDES;
            check(&order);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_can_be_told_again),
        cmocka_unit_test(every_range_fits),
    };
    return cmocka_run_group_tests(tests, begin, end);
}

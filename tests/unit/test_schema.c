/* The field table agrees with itself; features; fields from a command line; how errors show what was given.
 */
#include "core/features.h"
#include "core/given.h"
#include "core/schema.h"
#include "tests/unit/notation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { LIMIT = 4096 };

static bool is_number(const struct xd_field *field)
{
    return field->type == XD_TYPE_NUMBER || field->type == XD_TYPE_CHOICE || field->type == XD_TYPE_TIME ||
           field->type == XD_TYPE_DAY;
}

static void each_field_is_whole(void **state)
{
    (void)state;
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        assert_int_equal(xd_field_id(field), id);
        assert_ptr_equal(xd_field_find(field->name, strlen(field->name)), field);
        assert_ptr_equal(xd_field_by_tag(field->tag), field);
        assert_true(field->tag >= 1 && field->tag < 64);
        assert_true(field->offset + sizeof(int64_t) <= sizeof(struct xd_order));
        assert_true(field->unit != NULL && field->default_text != NULL && strlen(field->doc) > 8);
        assert_true(!is_number(field) || field->min < field->max);
        if (field->has_default) assert_true(field->fallback >= field->min && field->fallback <= field->max);
        if (field->has_default) assert_true(field->default_text[0] != '\0');
        bool used = false;
        for (int column = 0; column < XD_COLUMNS; column++)
            used = used || field->need[column] != XD_NEVER;
        assert_true(used);
        if (field->type != XD_TYPE_CHOICE) continue;
        for (int64_t i = 0; i <= field->max; i++)
            assert_non_null(field->choices[i]);
        assert_null(field->choices[field->max + 1]);
    }
}

static void tags_are_never_reused(void **state)
{
    (void)state;
    for (unsigned a = 0; a < XD_FIELD_COUNT; a++) {
        for (unsigned b = 0; b < a; b++) {
            assert_int_not_equal(xd_fields[a].tag, xd_fields[b].tag);
            assert_string_not_equal(xd_fields[a].name, xd_fields[b].name);
        }
    }
    assert_null(xd_field_by_tag(0));
    assert_null(xd_field_by_tag(XD_FIELD_COUNT + 1));
}

static void finds_only_whole_names(void **state)
{
    (void)state;
    static const char *const others[] = {"", "k", "kgs", "per", "per_", "zzz", "Side", "until_da", "m"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_null(xd_field_find(others[i], strlen(others[i])));
    }
    assert_null(xd_field_find("kg\0", 3));
    assert_ptr_equal(xd_field_find("kg=5", 2), &xd_fields[XD_F_KG]);
}

static void columns_have_names(void **state)
{
    (void)state;
    assert_int_equal(xd_column(XD_OFFER, XD_TRUCK), XD_TRUCK_OFFER);
    assert_int_equal(xd_column(XD_REQUEST, XD_COLD), XD_COLD_REQUEST);
    assert_int_equal(xd_column(XD_REQUEST, XD_WAREHOUSE), XD_WAREHOUSE_REQUEST);
    assert_string_equal(xd_column_name(XD_COLD_OFFER), "cold offer");
    assert_string_equal(xd_column_name(XD_WAREHOUSE_REQUEST), "warehouse request");
}

static void one_pallet_is_no_pallets(void **state)
{
    (void)state;
    assert_string_equal(xd_dim_unit(XD_PALLETS, "1"), "pallet");
    assert_string_equal(xd_dim_unit(XD_PALLETS, "0"), "pallets");
    assert_string_equal(xd_dim_unit(XD_PALLETS, "0.1"), "pallets");
    assert_string_equal(xd_dim_unit(XD_PALLETS, "11"), "pallets");
    assert_string_equal(xd_dim_unit(XD_KG, "1"), "kg");
}

static void dimensions_are_the_tables(void **state)
{
    (void)state;
    for (unsigned dim = 0; dim < XD_DIMS; dim++) {
        const struct xd_field *field = xd_field_find(xd_dim_names[dim], strlen(xd_dim_names[dim]));
        assert_non_null(field);
        assert_int_equal(field->scale, xd_dim_scale[dim]);
        assert_int_equal(field->offset, offsetof(struct xd_order, amount) + dim * sizeof(int64_t));
    }
}

static uint64_t bit_of(const char *name)
{
    return UINT64_C(1) << xd_feature_bit(name, strlen(name));
}

static void features_have_a_bit_each(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < XD_FEATURE_COUNT; bit++) {
        const char *name = xd_feature_name(bit);
        assert_int_equal(xd_feature_bit(name, strlen(name)), bit);
        if (strncmp(name, "adr_", 4) != 0) assert_non_null(strstr(xd_features_text, name));
    }
    assert_int_equal(xd_feature_bit("tail", 4), -1);
    assert_int_equal(xd_feature_bit("cctv2", 5), -1);
    assert_int_equal(xd_feature_bit("", 0), -1);
}

static void atp_classes_imply_lower_ones(void **state)
{
    (void)state;
    uint64_t fna = bit_of("atp_fna");
    uint64_t fra = bit_of("atp_fra");
    uint64_t frb = bit_of("atp_frb");
    uint64_t frc = bit_of("atp_frc");
    uint64_t other = bit_of("cctv") | bit_of("adr_9");
    assert_int_equal(xd_features_implied(other), other);
    assert_int_equal(xd_features_implied(fna), fna);
    assert_int_equal(xd_features_implied(fra), fra | fna);
    assert_int_equal(xd_features_implied(frb), frb | fra | fna);
    assert_int_equal(xd_features_implied(frc | other), frc | frb | fra | fna | other);
}

static void reads_fields_from_a_command_line(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *expected; /* NULL: refused */
    } rows[] = {
        {"kg", "12000", "{kg: 12000}"},
        {"pallets", "2.5", "{pallets: 2.5}"},
        {"kg", "-1e3", "{kg: -1e3}"},
        {"kg", "99999999999999999999", "{kg: 99999999999999999999}"},
        {"kg", "", NULL},
        {"kg", "12t", NULL},
        {"from", "31.23,121.47", "{from: {lat: 31.23, lon: 121.47}}"},
        {"from", "-31.5,-0.25", "{from: {lat: -31.5, lon: -0.25}}"},
        {"from", "31.23", NULL},
        {"from", "31.23,", NULL},
        {"from", ",121", NULL},
        {"from", "31.23, 121.47", NULL},
        {"from", "1,2,3", NULL},
        {"temp_c", "-20..-18", "{temp_c: {min: -20, max: -18}}"},
        {"temp_c", "2..7.5", "{temp_c: {min: 2, max: 7.5}}"},
        {"temp_c", "4", NULL},
        {"temp_c", "..4", NULL},
        {"temp_c", "2..", NULL},
        {"features", "tail_lift", "{features: [tail_lift]}"},
        {"features", "tail_lift,cctv,wings", "{features: [tail_lift, cctv, wings]}"},
        {"features", "", NULL},
        {"features", "a,,b", NULL},
        {"only", "acme,", NULL},
        {"never", ",acme", NULL},
        {"only", "acme,x@y", "{only: [acme, x@y]}"},
        {"ref", "", "{ref: }"},
        {"note", "to the back door", "{note: to the back door}"},
        {"fill", "whenever", "{fill: whenever}"},
        {"pickup_from", "2030-01-01T00:00:00Z", "{pickup_from: 2030-01-01T00:00:00Z}"},
        {"from_day", "2030-01-01", "{from_day: 2030-01-01}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xd_buf bytes;
        struct xd_error error;
        struct parsed parsed;
        char text[256];
        const struct xd_field *field = xd_field_find(rows[i].name, strlen(rows[i].name));
        xd_buf_init(&bytes, LIMIT);
        xd_buf_add(&bytes, "\x81", 1);
        bool taken = xd_field_from_text(field, rows[i].text, &bytes, &error);
        if (taken != (rows[i].expected != NULL)) fail_msg("%s=%s", rows[i].name, rows[i].text);
        if (taken) {
            assert_true(parsed_from(&bytes, &parsed));
            notation_print(&parsed.object, text, sizeof text);
            assert_string_equal(text, rows[i].expected);
            parsed_free(&parsed);
        } else {
            assert_int_equal(bytes.len, 1);
            assert_int_equal(error.code, XD_BAD_VALUE);
            assert_string_equal(error.field, rows[i].name);
        }
        xd_buf_free(&bytes);
    }
}

static void says_what_shape_it_wants(void **state)
{
    (void)state;
    struct xd_buf bytes;
    struct xd_error error;
    xd_buf_init(&bytes, LIMIT);
    assert_false(xd_field_from_text(&xd_fields[XD_F_FROM], "Berlin", &bytes, &error));
    assert_string_equal(error.message, "\"Berlin\" is not a place, \"lat,lon\"");
    assert_false(xd_field_from_text(&xd_fields[XD_F_TEMP_C], "cold", &bytes, &error));
    assert_string_equal(error.message, "\"cold\" is not a range, \"min..max\"");
    assert_false(xd_field_from_text(&xd_fields[XD_F_KG], "a lot", &bytes, &error));
    assert_string_equal(error.message, "\"a lot\" is not a number");
    xd_buf_free(&bytes);
}

static void shows_what_was_given(void **state)
{
    (void)state;
    static const struct {
        const char *value, *shown;
    } rows[] = {
        {"nil", "nil"},
        {"true", "true"},
        {"false", "false"},
        {"18446744073709551615", "18446744073709551615"},
        {"-5", "-5"},
        {"0.1", "0.1"},
        {"0.1f", "0.1"},
        {"16777217.5", "16777217.5"},
        {"nan", "nan"},
        {"inf", "inf"},
        {"[1]", "a list"},
        {"{}", "a map"},
        {"b'1'", "binary data"},
        {"'a\tb'", "\"a?b\""},
        {"'\xc3\xa9\xff'", "\"\xc3\xa9?\""},
    };
    char shown[XD_GIVEN];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xd_buf bytes;
        struct parsed parsed;
        xd_buf_init(&bytes, LIMIT);
        notation_value(rows[i].value, &bytes);
        assert_true(parsed_from(&bytes, &parsed));
        xd_given_value(&parsed.object, shown);
        assert_string_equal(shown, rows[i].shown);
        parsed_free(&parsed);
    }
}

/* Cut at a character, never within one, and never longer than its room. */
static void cuts_long_texts(void **state)
{
    (void)state;
    char text[200];
    char shown[XD_GIVEN];
    memset(text, 'a', sizeof text);
    xd_given_text(text, 60, shown);
    assert_int_equal(strlen(shown), 62);
    xd_given_text(text, 61, shown);
    assert_int_equal(strlen(shown), 65);
    assert_string_equal(shown + 61, "...\"");
    memcpy(text + 58, "\xf0\x9f\x9a\x9a", 4);
    xd_given_text(text, 100, shown);
    assert_int_equal(strlen(shown), 63);
    assert_string_equal(shown + 58, "a...\"");
    xd_given_name(text, 33, shown);
    assert_int_equal(strlen(shown), 35);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_whole),
        cmocka_unit_test(tags_are_never_reused),
        cmocka_unit_test(finds_only_whole_names),
        cmocka_unit_test(columns_have_names),
        cmocka_unit_test(dimensions_are_the_tables),
        cmocka_unit_test(one_pallet_is_no_pallets),
        cmocka_unit_test(features_have_a_bit_each),
        cmocka_unit_test(atp_classes_imply_lower_ones),
        cmocka_unit_test(reads_fields_from_a_command_line),
        cmocka_unit_test(says_what_shape_it_wants),
        cmocka_unit_test(shows_what_was_given),
        cmocka_unit_test(cuts_long_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

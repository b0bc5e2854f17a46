/* One field's value, from what a client sent to the table's units. */
#include "core/decimal.h"
#include "core/features.h"
#include "core/given.h"
#include "core/order_parts.h"
#include "core/utf8.h"
#include "core/when.h"

#include <stdio.h>
#include <string.h>

/* What a number may be: a field's own, or one of the two inside a place or a range. */
struct number_rule {
    const char *name; /* "kg", "from.lat" */
    const char *unit;
    int scale;
    bool round;
    int64_t min, max;
};

/* A map of exactly two numbers. */
struct pair_rule {
    const char *what;
    const char *keys[2];
    struct number_rule numbers[2]; /* `name` is made where it is read */
};

static const int64_t power_of_ten[] = {1,      10,      100,      1000,      10000,
                                       100000, 1000000, 10000000, 100000000, 1000000000};

static enum xd_decimal_result whole_number(bool fits, int64_t value, int scale, int64_t *out)
{
    int64_t scaled;
    if (!fits || __builtin_mul_overflow(value, power_of_ten[scale], &scaled)) return XD_DECIMAL_OVERFLOW;
    *out = scaled;
    return XD_DECIMAL_OK;
}

static enum xd_decimal_result number_from_float(float value, int scale, bool round, int64_t *out)
{
    char text[32];
    size_t len = xd_given_float(value, text);
    return xd_decimal_parse(text, len, scale, round, out);
}

static bool is_number_like(const msgpack_object *value)
{
    switch (value->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
    case MSGPACK_OBJECT_STR:
        return true;
    default:
        return false;
    }
}

static enum xd_decimal_result to_units(const msgpack_object *value, int scale, bool round, int64_t *out)
{
    switch (value->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return whole_number(value->via.u64 <= INT64_MAX, (int64_t)value->via.u64, scale, out);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return whole_number(true, value->via.i64, scale, out);
    case MSGPACK_OBJECT_FLOAT32:
        return number_from_float((float)value->via.f64, scale, round, out);
    case MSGPACK_OBJECT_FLOAT64:
        return xd_decimal_from_double(value->via.f64, scale, round, out);
    case MSGPACK_OBJECT_STR:
        return xd_decimal_parse(value->via.str.ptr, value->via.str.size, scale, round, out);
    default:
        return XD_DECIMAL_SYNTAX;
    }
}

static bool outside(const struct number_rule *rule, const char *given, struct xd_error *error)
{
    char low[32];
    char high[32];
    xd_decimal_format(rule->min, rule->scale, low);
    xd_decimal_format(rule->max, rule->scale, high);
    return xd_fail(error, XD_OUT_OF_RANGE, rule->name, "%s is not within %s to %s%s%s", given, low, high,
                   rule->unit[0] != '\0' ? " " : "", rule->unit);
}

static bool excess(const struct number_rule *rule, const char *given, struct xd_error *error)
{
    if (rule->scale == 0) {
        return xd_fail(error, XD_TOO_MANY_DECIMALS, rule->name, "%s has decimals, %s takes whole numbers",
                       given, rule->name);
    }
    return xd_fail(error, XD_TOO_MANY_DECIMALS, rule->name, "%s has more than %d decimal%s", given,
                   rule->scale, rule->scale == 1 ? "" : "s");
}

static bool read_number(const struct number_rule *rule, const msgpack_object *value, int64_t *out,
                        struct xd_error *error)
{
    int64_t number = 0;
    enum xd_decimal_result result = to_units(value, rule->scale, rule->round, &number);
    if (result == XD_DECIMAL_OK && number >= rule->min && number <= rule->max) {
        *out = number;
        return true;
    }
    char given[XD_GIVEN];
    xd_given_value(value, given);
    if (!is_number_like(value)) return xd_fail(error, XD_BAD_TYPE, rule->name, "%s is not a number", given);
    if (value->type == MSGPACK_OBJECT_STR && !xd_utf8_valid(value->via.str.ptr, value->via.str.size)) {
        return xd_fail(error, XD_BAD_UTF8, rule->name, "%s is not UTF-8", given);
    }
    if (result == XD_DECIMAL_SYNTAX)
        return xd_fail(error, XD_BAD_VALUE, rule->name, "%s is not a number", given);
    return result == XD_DECIMAL_EXCESS ? excess(rule, given, error) : outside(rule, given, error);
}

static bool all_digits(struct xd_str text)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') return false;
    }
    return text.len > 0;
}

/* A string that is UTF-8; `wanted` ends the sentence "5 is not ...". */
static bool read_string(const char *name, const msgpack_object *value, const char *wanted, struct xd_str *out,
                        struct xd_error *error)
{
    if (value->type != MSGPACK_OBJECT_STR) {
        char given[XD_GIVEN];
        xd_given_value(value, given);
        return xd_fail(error, XD_BAD_TYPE, name, "%s is not %s", given, wanted);
    }
    struct xd_str text = {value->via.str.ptr, value->via.str.size};
    if (!xd_utf8_valid(text.at, text.len)) {
        char given[XD_GIVEN];
        xd_given_text(text.at, text.len, given);
        return xd_fail(error, XD_BAD_UTF8, name, "%s is not UTF-8", given);
    }
    *out = text;
    return true;
}

static bool bad_text(enum xd_code code, const char *name, struct xd_str text, const char *wanted,
                     struct xd_error *error)
{
    char given[XD_GIVEN];
    xd_given_text(text.at, text.len, given);
    return xd_fail(error, code, name, "%s is not %s", given, wanted);
}

static bool outside_times(const struct xd_field *field, const msgpack_object *value, struct xd_error *error)
{
    char given[XD_GIVEN], low[32], high[32];
    xd_given_value(value, given);
    xd_time_format(field->min, low);
    xd_time_format(field->max, high);
    return xd_fail(error, XD_OUT_OF_RANGE, field->name, "%s is not within %s to %s", given, low, high);
}

static bool read_time(const struct xd_field *field, const msgpack_object *value, int64_t *out,
                      struct xd_error *error)
{
    static const char wanted[] =
        "a time: RFC 3339 with an offset (2030-01-01T08:00:00+08:00), or epoch seconds";
    struct number_rule rule = {.name = field->name, .unit = "", .min = field->min, .max = field->max};
    if (value->type == MSGPACK_OBJECT_STR) {
        struct xd_str text = {0};
        if (!read_string(field->name, value, wanted, &text, error)) return false;
        int64_t time;
        if (xd_time_parse(text.at, text.len, &time)) {
            if (time < field->min || time > field->max) return outside_times(field, value, error);
            *out = time;
            return true;
        }
        if (!all_digits(text)) return bad_text(XD_BAD_VALUE, field->name, text, wanted, error);
    } else if (!is_number_like(value)) {
        struct xd_str none = {0};
        return read_string(field->name, value, wanted, &none, error);
    }
    struct xd_error inner;
    if (read_number(&rule, value, out, &inner)) return true;
    if (inner.code == XD_OUT_OF_RANGE) return outside_times(field, value, error);
    char given[XD_GIVEN];
    xd_given_value(value, given);
    return xd_fail(error, inner.code, field->name, "%s is not %s", given, wanted);
}

static bool read_day(const struct xd_field *field, const msgpack_object *value, int64_t *out,
                     struct xd_error *error)
{
    static const char wanted[] = "a day from 2000-01-01 to 2199-12-31, written YYYY-MM-DD";
    struct xd_str text = {0};
    if (!read_string(field->name, value, wanted, &text, error)) return false;
    int64_t day;
    if (!xd_day_parse(text.at, text.len, &day))
        return bad_text(XD_BAD_VALUE, field->name, text, wanted, error);
    if (day < field->min || day > field->max) {
        char given[XD_GIVEN], low[16], high[16];
        xd_given_value(value, given);
        xd_day_format(field->min, low);
        xd_day_format(field->max, high);
        return xd_fail(error, XD_OUT_OF_RANGE, field->name, "%s is not within %s to %s", given, low, high);
    }
    *out = day;
    return true;
}

/* Why it is none of the field's choices. */
static bool no_choice(const struct xd_field *field, const msgpack_object *value, struct xd_error *error)
{
    char wanted[64] = "one of ";
    for (int64_t i = 0; i <= field->max; i++) {
        size_t used = strlen(wanted);
        snprintf(wanted + used, sizeof wanted - used, "%s%s", i == 0 ? "" : ", ", field->choices[i]);
    }
    struct xd_str text = {0};
    if (!read_string(field->name, value, wanted, &text, error)) return false;
    return bad_text(XD_BAD_VALUE, field->name, text, wanted, error);
}

static bool read_choice(const struct xd_field *field, const msgpack_object *value, int64_t *out,
                        struct xd_error *error)
{
    if (value->type != MSGPACK_OBJECT_STR) return no_choice(field, value, error);
    struct xd_str text = {value->via.str.ptr, value->via.str.size};
    for (int64_t i = 0; i <= field->max; i++) {
        if (!xd_str_equal(text, xd_str_of(field->choices[i]))) continue;
        *out = i;
        return true;
    }
    return no_choice(field, value, error);
}

static bool read_ref(const struct xd_field *field, const msgpack_object *value, struct xd_str *out,
                     struct xd_error *error)
{
    static const char wanted[] = "1 to 64 of A-Za-z0-9._:-";
    struct xd_str text = {0};
    if (!read_string(field->name, value, wanted, &text, error)) return false;
    if (!xd_ref_valid(text)) {
        return bad_text(text.len > XD_REF_MAX ? XD_TOO_LONG : XD_BAD_VALUE, field->name, text, wanted, error);
    }
    *out = text;
    return true;
}

static bool read_note(const struct xd_field *field, const msgpack_object *value, struct xd_str *out,
                      struct xd_error *error)
{
    static const char wanted[] = "a text of 1 to 256 bytes";
    struct xd_str text = {0};
    if (!read_string(field->name, value, wanted, &text, error)) return false;
    if (text.len < field->min || text.len > field->max) {
        return bad_text(text.len == 0 ? XD_BAD_VALUE : XD_TOO_LONG, field->name, text, wanted, error);
    }
    *out = text;
    return true;
}

static bool read_currency(const struct xd_field *field, const msgpack_object *value, int64_t *out,
                          struct xd_error *error)
{
    static const char wanted[] = "three capital letters (ISO 4217)";
    struct xd_str text = {0};
    if (!read_string(field->name, value, wanted, &text, error)) return false;
    int64_t currency = xd_currency(text.at, text.len);
    if (currency == 0) return bad_text(XD_BAD_VALUE, field->name, text, wanted, error);
    *out = currency;
    return true;
}

/* The value as a list of field->min to field->max elements. */
static bool read_list(const struct xd_field *field, const msgpack_object *value, const char *of,
                      struct xd_error *error)
{
    if (value->type != MSGPACK_OBJECT_ARRAY) {
        char given[XD_GIVEN];
        xd_given_value(value, given);
        return xd_fail(error, XD_BAD_TYPE, field->name, "%s is not a list of %s", given, of);
    }
    uint32_t size = value->via.array.size;
    if (size >= field->min && size <= field->max) return true;
    return xd_fail(error, size == 0 ? XD_BAD_VALUE : XD_TOO_LONG, field->name,
                   "a list of %u is not within %d to %d %s", size, (int)field->min, (int)field->max, of);
}

static bool read_features(const struct xd_field *field, const msgpack_object *value, uint64_t *out,
                          struct xd_error *error)
{
    if (!read_list(field, value, "features", error)) return false;
    uint64_t features = 0;
    for (uint32_t i = 0; i < value->via.array.size; i++) {
        struct xd_str name = {0};
        if (!read_string(field->name, &value->via.array.ptr[i], "the name of a feature", &name, error))
            return false;
        int bit = xd_feature_bit(name.at, name.len);
        if (bit < 0 || (features >> bit & 1) != 0) {
            char given[XD_GIVEN];
            xd_given_text(name.at, name.len, given);
            if (bit >= 0) return xd_fail(error, XD_BAD_VALUE, field->name, "%s is in the list twice", given);
            return xd_fail(error, XD_BAD_VALUE, field->name, "%s is none of %s", given, xd_features_text);
        }
        features |= UINT64_C(1) << bit;
    }
    *out = features;
    return true;
}

static bool read_accounts(const struct xd_field *field, const msgpack_object *value, struct xd_accounts *out,
                          struct xd_error *error)
{
    static const char wanted[] = "an account: 1 to 64 of A-Za-z0-9._:@-";
    if (!read_list(field, value, "accounts", error)) return false;
    for (uint32_t i = 0; i < value->via.array.size; i++) {
        struct xd_str name = {0};
        if (!read_string(field->name, &value->via.array.ptr[i], wanted, &name, error)) return false;
        if (!xd_account_valid(name)) {
            return bad_text(name.len > XD_ACCOUNT_MAX ? XD_TOO_LONG : XD_BAD_VALUE, field->name, name, wanted,
                            error);
        }
        out->at[i] = name;
    }
    out->count = value->via.array.size;
    return true;
}

/* Which of the two keys this is, or a failure that names it. */
static bool pair_key(const struct xd_field *field, const struct pair_rule *rule, const msgpack_object *key,
                     unsigned seen, unsigned *index, struct xd_error *error)
{
    char given[XD_GIVEN];
    if (key->type != MSGPACK_OBJECT_STR) {
        xd_given_value(key, given);
        return xd_fail(error, XD_BAD_TYPE, field->name, "a key of %s is %s, not a string", rule->what, given);
    }
    struct xd_str text = {key->via.str.ptr, key->via.str.size};
    char path[XD_ERROR_FIELD_MAX];
    xd_given_name(text.at, text.len, given);
    snprintf(path, sizeof path, "%s.%s", field->name, given);
    for (unsigned i = 0; i < 2; i++) {
        if (!xd_str_equal(text, xd_str_of(rule->keys[i]))) continue;
        if (seen >> i & 1) return xd_fail(error, XD_DUPLICATE_FIELD, path, "%s is given twice", path);
        *index = i;
        return true;
    }
    if (!xd_utf8_valid(text.at, text.len)) {
        return xd_fail(error, XD_BAD_UTF8, path, "the name of a field, \"%s\", is not UTF-8", given);
    }
    return xd_fail(error, XD_UNKNOWN_FIELD, path, "%s has no field \"%s\"", rule->what, given);
}

static bool read_pair(const struct xd_field *field, struct pair_rule *rule, const msgpack_object *value,
                      int64_t out[2], struct xd_error *error)
{
    char path[XD_ERROR_FIELD_MAX];
    if (value->type != MSGPACK_OBJECT_MAP) {
        char given[XD_GIVEN];
        xd_given_value(value, given);
        return xd_fail(error, XD_BAD_TYPE, field->name, "%s is not %s", given, rule->what);
    }
    unsigned seen = 0;
    for (uint32_t i = 0; i < value->via.map.size; i++) {
        const msgpack_object_kv *kv = &value->via.map.ptr[i];
        unsigned index = 0;
        if (!pair_key(field, rule, &kv->key, seen, &index, error)) return false;
        snprintf(path, sizeof path, "%s.%s", field->name, rule->keys[index]);
        rule->numbers[index].name = path;
        if (!read_number(&rule->numbers[index], &kv->val, &out[index], error)) return false;
        seen |= 1U << index;
    }
    if (seen == 3) return true;
    snprintf(path, sizeof path, "%s.%s", field->name, rule->keys[seen & 1]);
    return xd_fail(error, XD_MISSING_FIELD, path, "%s needs %s", rule->what, rule->keys[seen & 1]);
}

static bool read_place(const struct xd_field *field, const msgpack_object *value, struct xd_place *out,
                       struct xd_error *error)
{
    struct pair_rule rule = {
        .what = "a place {lat, lon}",
        .keys = {"lat", "lon"},
        .numbers =
            {{.unit = "", .scale = 7, .round = true, .min = INT64_C(-90) * XD_E7, .max = INT64_C(90) * XD_E7},
             {.unit = "",
              .scale = 7,
              .round = true,
              .min = INT64_C(-180) * XD_E7,
              .max = INT64_C(180) * XD_E7}},
    };
    int64_t degrees[2];
    if (!read_pair(field, &rule, value, degrees, error)) return false;
    *out = (struct xd_place){(int32_t)degrees[0], (int32_t)degrees[1]};
    return true;
}

static bool read_range(const struct xd_field *field, const msgpack_object *value, struct xd_range *out,
                       struct xd_error *error)
{
    struct number_rule number = {
        .unit = field->unit, .scale = field->scale, .min = field->min, .max = field->max};
    struct pair_rule rule = {
        .what = "a range {min, max}", .keys = {"min", "max"}, .numbers = {number, number}};
    int64_t ends[2];
    if (!read_pair(field, &rule, value, ends, error)) return false;
    *out = (struct xd_range){ends[0], ends[1]};
    return true;
}

bool xd_value_read(const struct xd_field *field, const msgpack_object *value, struct xd_order *out,
                   struct xd_error *error)
{
    void *at = xd_order_int(out, field);
    switch (field->type) {
    case XD_TYPE_CHOICE:
        return read_choice(field, value, at, error);
    case XD_TYPE_REF:
        return read_ref(field, value, at, error);
    case XD_TYPE_TEXT:
        return read_note(field, value, at, error);
    case XD_TYPE_TIME:
        return read_time(field, value, at, error);
    case XD_TYPE_DAY:
        return read_day(field, value, at, error);
    case XD_TYPE_PLACE:
        return read_place(field, value, at, error);
    case XD_TYPE_RANGE:
        return read_range(field, value, at, error);
    case XD_TYPE_FEATURES:
        return read_features(field, value, at, error);
    case XD_TYPE_ACCOUNTS:
        return read_accounts(field, value, at, error);
    case XD_TYPE_CURRENCY:
        return read_currency(field, value, at, error);
    case XD_TYPE_NUMBER:
        break;
    }
    struct number_rule rule = {.name = field->name,
                               .unit = field->unit,
                               .scale = field->scale,
                               .min = field->min,
                               .max = field->max};
    return read_number(&rule, value, at, error);
}

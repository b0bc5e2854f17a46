/* Fields as they are written on a command line. */
#include "core/decimal.h"
#include "core/given.h"
#include "core/mp.h"
#include "core/pair.h"
#include "core/schema.h"

#include <string.h>

static bool is_number(struct xd_str text)
{
    int64_t value;
    return xd_decimal_parse(text.at, text.len, 0, true, &value) != XD_DECIMAL_SYNTAX;
}

static bool misshapen(const struct xd_field *field, struct xd_str text, const char *wanted,
                      struct xd_error *error)
{
    char given[XD_GIVEN];
    xd_given_text(text.at, text.len, given);
    return xd_fail(error, XD_BAD_VALUE, field->name, "%s is not %s", given, wanted);
}

/* Splits at the first `mark`; false if there is none. */
static bool split(struct xd_str text, const char *mark, struct xd_str *before, struct xd_str *after)
{
    size_t width = strlen(mark);
    const char *at = memmem(text.at, text.len, mark, width);
    if (at == NULL) return false;
    *before = (struct xd_str){text.at, (uint32_t)(at - text.at)};
    *after = (struct xd_str){at + width, (uint32_t)(text.len - before->len - width)};
    return true;
}

/* Two numbers with a mark between them, as a map of two keys. */
static bool add_pair(const struct xd_field *field, struct xd_str text, const char *mark,
                     const char *const keys[2], const char *wanted, struct xd_buf *out,
                     struct xd_error *error)
{
    struct xd_str parts[2];
    if (!split(text, mark, &parts[0], &parts[1]) || !is_number(parts[0]) || !is_number(parts[1])) {
        return misshapen(field, text, wanted, error);
    }
    xd_mp_cstr(out, field->name);
    xd_mp_map(out, 2);
    for (int i = 0; i < 2; i++) {
        xd_pair_str(out, keys[i], parts[i]);
    }
    return true;
}

static bool add_list(const struct xd_field *field, struct xd_str text, struct xd_buf *out,
                     struct xd_error *error)
{
    uint32_t count = 1;
    bool empty = text.len == 0 || text.at[0] == ',' || text.at[text.len - 1] == ',';
    for (uint32_t i = 1; i < text.len; i++) {
        if (text.at[i] != ',') continue;
        count++;
        empty = empty || text.at[i - 1] == ',';
    }
    if (empty) return misshapen(field, text, "a list of names, \"a,b\"", error);
    xd_mp_cstr(out, field->name);
    xd_mp_array(out, count);
    struct xd_str name;
    while (split(text, ",", &name, &text))
        xd_mp_str(out, name.at, name.len);
    xd_mp_str(out, text.at, text.len);
    return true;
}

bool xd_field_from_text(const struct xd_field *field, const char *text, struct xd_buf *out,
                        struct xd_error *error)
{
    static const char *const place_keys[2] = {"lat", "lon"};
    static const char *const range_keys[2] = {"min", "max"};
    struct xd_str value = xd_str_of(text);
    switch (field->type) {
    case XD_TYPE_PLACE:
        return add_pair(field, value, ",", place_keys, "a place, \"lat,lon\"", out, error);
    case XD_TYPE_RANGE:
        return add_pair(field, value, "..", range_keys, "a range, \"min..max\"", out, error);
    case XD_TYPE_FEATURES:
    case XD_TYPE_ACCOUNTS:
        return add_list(field, value, out, error);
    case XD_TYPE_NUMBER:
        if (!is_number(value)) return misshapen(field, value, "a number", error);
        break;
    default:
        break;
    }
    xd_pair_str(out, field->name, value);
    return true;
}

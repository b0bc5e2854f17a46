#include "core/option_value.h"

#include "core/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* The smallest first; a value is shown in the largest that it is a multiple of. */
static const struct unit size_units[] = {{"", 1}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {NULL, 0}};
static const struct unit duration_units[] = {{"ms", 1},          {"s", 1000},         {"m", 60 * 1000},
                                             {"h", 3600 * 1000}, {"d", 86400 * 1000}, {NULL, 0}};

static const struct unit *units_of(const struct xd_option *option)
{
    return option->type == XD_OPTION_SIZE ? size_units : duration_units;
}

static bool parse_unit(const struct unit *units, const char *text, int64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    int64_t count = 0;
    if (xd_decimal_parse(text, digits, 0, false, &count) != XD_DECIMAL_OK) return false;
    if (count == 0 && text[digits] == '\0') {
        *out = 0;
        return true;
    }
    for (const struct unit *unit = units; unit->name; unit++)
        if (strcmp(text + digits, unit->name) == 0) return !__builtin_mul_overflow(count, unit->factor, out);
    return false;
}

static void format_unit(const struct unit *units, int64_t value, char *out, size_t size)
{
    const struct unit *best = units;
    for (const struct unit *unit = units; unit->name && value != 0; unit++)
        if (value % unit->factor == 0) best = unit;
    snprintf(out, size, "%lld%s", (long long)(value / best->factor), value == 0 ? "" : best->name);
}

static void format_bound(const struct xd_option *option, int64_t value, char out[static 32])
{
    if (option->type == XD_OPTION_NUMBER)
        xd_decimal_format(value, option->scale, out);
    else
        format_unit(units_of(option), value, out, 32);
}

static void add_choices(const struct xd_option *option, char *out, size_t size)
{
    size_t at = 0;
    for (const char *const *choice = option->choices; *choice && at < size; choice++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", choice == option->choices ? "" : ", ", *choice);
}

void xd_option_allowed(const struct xd_option *option, char *out, size_t size)
{
    if (size) out[0] = '\0';
    if (option->type == XD_OPTION_CHOICE) add_choices(option, out, size);
    if (option->type == XD_OPTION_FLAG || option->type == XD_OPTION_TEXT || option->type == XD_OPTION_CHOICE)
        return;
    char min[32], max[32];
    format_bound(option, option->min, min);
    format_bound(option, option->max, max);
    snprintf(out, size, "%s to %s", min, max);
}

static bool parse_flag(const char *text, bool *out)
{
    static const char *const names[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(text, names[i]) == 0) {
            *out = i % 2 != 0;
            return true;
        }
    return false;
}

static bool parse_choice(const struct xd_option *option, const char *text, int64_t *out)
{
    for (int64_t i = 0; option->choices[i]; i++)
        if (strcmp(text, option->choices[i]) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool parse_number(const struct xd_option *option, const char *text, int64_t *out)
{
    int64_t value = 0;
    bool is_one = option->type == XD_OPTION_NUMBER
                      ? xd_decimal_parse(text, strlen(text), option->scale, false, &value) == XD_DECIMAL_OK
                      : parse_unit(units_of(option), text, &value);
    if (!is_one || value < option->min || value > option->max) return false;
    *out = value;
    return true;
}

static bool store_text(const char *text, char **out)
{
    char *copy = strdup(text);
    if (!copy) return false;
    *out = copy;
    return true;
}

bool xd_option_store(const struct xd_option *option, const char *text, void *out, char *problem, size_t size)
{
    static const char *const examples[] = {[XD_OPTION_FLAG] = "true or false",
                                           [XD_OPTION_SIZE] = " as in 64k, 1m, 2g",
                                           [XD_OPTION_DURATION] = " as in 500ms, 30s, 5m, 12h, 7d"};
    bool stored = false;
    if (option->type == XD_OPTION_FLAG)
        stored = parse_flag(text, out);
    else if (option->type == XD_OPTION_TEXT)
        stored = store_text(text, out);
    else if (option->type == XD_OPTION_CHOICE)
        stored = parse_choice(option, text, out);
    else
        stored = parse_number(option, text, out);
    if (stored) return true;
    char allowed[256];
    xd_option_allowed(option, allowed, sizeof(allowed));
    const char *example =
        option->type <= XD_OPTION_DURATION && examples[option->type] ? examples[option->type] : "";
    snprintf(problem, size, "'%.100s' is not allowed; allowed: %s%s", text, allowed, example);
    return false;
}

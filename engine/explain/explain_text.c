/* The sentences in which a nearest miss is told, all of them. They name what the asking order would have to
 * change or to find, and nothing else of the other one. */
#include "engine/explain/explanation.h"

#include "core/decimal.h"
#include "core/features.h"
#include "core/when.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A sentence being written; what does not fit is left out. */
struct text {
    char *at;
    size_t len;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(text->at + text->len, XD_NEAREST_TEXT - text->len, format, arguments);
    va_end(arguments);
    if (written > 0) text->len += (size_t)written;
    if (text->len >= XD_NEAREST_TEXT) text->len = XD_NEAREST_TEXT - 1;
}

/* "1,240.00" */
static void add_money(struct text *text, int64_t hundredths)
{
    char digits[32];
    int len = snprintf(digits, sizeof digits, "%" PRId64, hundredths / 100);
    for (int i = 0; i < len; i++) {
        add(text, "%s%c", i > 0 && (len - i) % 3 == 0 ? "," : "", digits[i]);
    }
    add(text, ".%02d", (int)(hundredths % 100));
}

static void add_number(struct text *text, int64_t value, int scale)
{
    char digits[32];
    xd_decimal_format(value, scale, digits);
    add(text, "%s", digits);
}

/* "2.5 pallets" */
static void add_amount(struct text *text, int64_t value, enum xd_dim dim)
{
    char digits[32];
    xd_decimal_format(value, xd_dim_scale[dim], digits);
    add(text, "%s %s", digits, xd_dim_unit(dim, digits));
}

static void add_time(struct text *text, const char *before, int64_t time)
{
    char when[32];
    xd_time_format(time, when);
    add(text, "%s%s", before, when);
}

static void add_day(struct text *text, const char *before, int64_t day)
{
    char when[16];
    xd_day_format(day, when);
    add(text, "%s%s", before, when);
}

/* The value that a knob would have. */
static int64_t turned(const struct xd_slot *order, const struct xd_nearest *nearest, enum xd_knob knob)
{
    return xd_knob_value(order, knob) + nearest->change[knob];
}

static void tell_price(struct text *text, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    if (order->side == XD_REQUEST) {
        add(text, "nearest would match at ");
        add_money(text, turned(order, nearest, XD_KNOB_MAX_PRICE));
        add(text, " (limit ");
        add_money(text, order->max_price);
        add(text, ")");
    } else {
        add(text, "nearest would match at a quote of ");
        add_money(text, nearest->quote);
        add(text, " (");
        add_money(text, nearest->miss);
        add(text, " less)");
    }
}

static void tell_days(struct text *text, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    int64_t from = nearest->change[XD_KNOB_FROM_DAY], until = nearest->change[XD_KNOB_UNTIL_DAY];
    bool request = order->side == XD_REQUEST;
    /* A request that moves on as it is is held up by its first day, one that moves forward by its last. */
    bool tells_from = request ? from > 0 : from < 0, tells_until = request ? until < 0 : until > 0;
    add(text, request ? "nearest is free" : "nearest is wanted");
    if (tells_from) add_day(text, " from ", turned(order, nearest, XD_KNOB_FROM_DAY));
    if (tells_until) add_day(text, " until ", turned(order, nearest, XD_KNOB_UNTIL_DAY));
}

static void tell_times(struct text *text, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    static const struct {
        enum xd_knob knob;
        const char *words;
    } parts[] = {{XD_KNOB_PICKUP_FROM, " start loading at "},
                 {XD_KNOB_PICKUP_UNTIL, " load at "},
                 {XD_KNOB_DELIVER_UNTIL, " unload at "},
                 {XD_KNOB_AVAILABLE_FROM, " from "},
                 {XD_KNOB_AVAILABLE_UNTIL, " until "}};
    add(text, order->side == XD_REQUEST ? "nearest could" : "nearest would need the truck");
    const char *and = "";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!nearest->change[parts[i].knob]) continue;
        add(text, "%s", and);
        add_time(text, parts[i].words, turned(order, nearest, parts[i].knob));
        and = " and";
    }
}

static void tell_room(struct text *text, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    const char *comma = "";
    add(text, "nearest would match with ");
    for (unsigned d = 0; d < XD_DIMS; d++) {
        int64_t change = nearest->change[d];
        if (!change) continue;
        add(text, "%s", comma);
        add_amount(text, change < 0 ? -change : change, d);
        add(text, change < 0 ? " less" : " more");
        comma = ", ";
    }
    if (!nearest->change[XD_KNOB_MIN_PART]) return;
    add(text, "%smin_part ", comma);
    add_number(text, turned(order, nearest, XD_KNOB_MIN_PART), xd_fields[XD_F_MIN_PART].scale);
}

static void tell_temperature(struct text *text, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    int scale = xd_fields[XD_F_TEMP_C].scale;
    add(text, "nearest would match at ");
    add_number(text, turned(order, nearest, XD_KNOB_TEMP_MIN), scale);
    add(text, "..");
    add_number(text, turned(order, nearest, XD_KNOB_TEMP_MAX), scale);
    add(text, " C");
}

static void tell_features(struct text *text, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    const char *before = order->side == XD_REQUEST ? "nearest lacks " : "nearest asks for ";
    for (unsigned bit = 0; bit < XD_FEATURE_COUNT; bit++) {
        if (!(nearest->features >> bit & 1)) continue;
        add(text, "%s%s", before, xd_feature_name(bit));
        before = ", ";
    }
}

static void tell_credit(struct text *text, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    bool own = nearest->change[XD_KNOB_MIN_CREDIT];
    if (own)
        add(text, "nearest has a credit of %" PRId64 " (min_credit %d)",
            turned(order, nearest, XD_KNOB_MIN_CREDIT), order->min_credit);
    if (nearest->wanted_credit)
        add(text, "%s a credit of %" PRId64 " (yours is %d)", own ? ", and asks for" : "nearest asks for",
            nearest->wanted_credit, order->credit);
}

static void tell_distance(struct text *text, const struct xd_slot *order, const struct xd_nearest *nearest)
{
    int scale = xd_fields[XD_F_RADIUS_KM].scale;
    add(text, order->kind == XD_TRUCK ? "nearest would be " : "nearest is ");
    add_number(text, nearest->miss, scale);
    add(text, order->kind == XD_TRUCK ? " km beyond the detour" : " km beyond the radius");
}

const char *xd_nearest_text(const struct xd_slot *order, enum xd_miss miss, const struct xd_nearest *nearest,
                            char text[static XD_NEAREST_TEXT])
{
    static void (*const tellers[XD_MISS_COUNT])(struct text *, const struct xd_slot *,
                                                const struct xd_nearest *) = {
        [XD_MISS_PRICE] = tell_price,
        [XD_MISS_CAPACITY] = tell_room,
        [XD_MISS_TEMPERATURE] = tell_temperature,
        [XD_MISS_FEATURES] = tell_features,
        [XD_MISS_CREDIT] = tell_credit,
        [XD_MISS_DISTANCE] = tell_distance,
    };
    struct text out = {.at = text};
    text[0] = '\0';
    if (miss == XD_MISS_TIME) {
        (order->kind == XD_TRUCK ? tell_times : tell_days)(&out, order, nearest);
    } else if (tellers[miss]) {
        tellers[miss](&out, order, nearest);
    }
    return text;
}

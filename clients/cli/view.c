#include "clients/cli/view.h"

#include "clients/cli/cli.h"
#include "core/given.h"
#include "core/schema.h"
#include "core/when.h"

#include <stdio.h>
#include <string.h>

static bool number_of(const msgpack_object *value, double *out)
{
    if (!value) return false;
    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        *out = (double)value->via.u64;
    else if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        *out = (double)value->via.i64;
    else if (value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64)
        *out = value->via.f64;
    else
        return false;
    return true;
}

static const char *from_value(const msgpack_object *value, char out[static XD_VIEW])
{
    double number;
    out[0] = '\0';
    if (value && value->type == MSGPACK_OBJECT_STR)
        snprintf(out, XD_VIEW, "%.*s", (int)value->via.str.size, value->via.str.ptr);
    else if (number_of(value, &number))
        xd_given_value(value, out);
    return out;
}

const char *xd_view(const msgpack_object *map, const char *key, char out[static XD_VIEW])
{
    return from_value(xd_mp_get(map, key), out);
}

const char *xd_view_time(const msgpack_object *map, const char *key, char out[static XD_VIEW])
{
    int64_t time;
    out[0] = '\0';
    if (xd_mp_get_int(map, key, &time)) xd_time_format(time, out);
    return out;
}

const char *xd_view_money(const msgpack_object *match, const char *key, char out[static XD_VIEW])
{
    double amount;
    char currency[XD_VIEW];
    out[0] = '\0';
    if (number_of(xd_mp_get(match, key), &amount))
        snprintf(out, XD_VIEW, "%.2f %.3s", amount, xd_view(match, "currency", currency));
    return out;
}

const char *xd_view_amount(const msgpack_object *order, const char *key, char out[static XD_VIEW])
{
    char amount[XD_VIEW], kind[XD_VIEW];
    bool floor = strcmp(xd_view(order, "kind", kind), xd_kind_names[XD_WAREHOUSE]) == 0;
    out[0] = '\0';
    if (*xd_view(order, key, amount))
        snprintf(out, XD_VIEW, "%.40s %s", amount, xd_dim_unit(floor ? XD_M2 : XD_PALLETS, amount));
    return out;
}

const char *xd_view_amounts(const msgpack_object *match, char out[static XD_VIEW])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; xd_dim_names[i]; i++) {
        char amount[XD_VIEW];
        if (!*xd_view(match, xd_dim_names[i], amount)) continue;
        int n = snprintf(out + len, XD_VIEW - len, "%s%.24s %s", len > 0 ? " " : "", amount,
                         xd_dim_unit((enum xd_dim)i, amount));
        if (n < 0 || (size_t)n >= XD_VIEW - len) break;
        len += (size_t)n;
    }
    return out;
}

const char *xd_view_party(const msgpack_object *match, const char *side, char out[static XD_VIEW])
{
    char account[XD_VIEW], ref[XD_VIEW];
    const msgpack_object *party = xd_mp_get(match, side);
    snprintf(out, XD_VIEW, "%.70s/%.70s", xd_view(party, "account", account), xd_view(party, "ref", ref));
    return out;
}

const char *xd_view_when(const msgpack_object *match, char out[static XD_VIEW])
{
    char first[XD_VIEW], last[XD_VIEW];
    const msgpack_object *stops = xd_mp_get(match, "stops");
    if (stops && stops->type == MSGPACK_OBJECT_ARRAY && stops->via.array.size > 0) {
        xd_view_time(&stops->via.array.ptr[0], "eta", first);
        xd_view_time(&stops->via.array.ptr[stops->via.array.size - 1], "eta", last);
    } else {
        xd_view(match, "from_day", first);
        xd_view(match, "until_day", last);
    }
    snprintf(out, XD_VIEW, "%.32s%s%.32s", first, first[0] ? " to " : "", last);
    return out;
}

/* What stands before it, and the text, filled up to `width`. */
static void put(const char *before, const char *text, int width)
{
    fputs(before, stdout);
    xd_cli_print(xd_str_of(text));
    for (int i = (int)strlen(text); i < width; i++)
        putchar(' ');
}

static void print_order(const msgpack_object *order)
{
    char text[XD_VIEW];
    put("  ", xd_view(order, "id", text), 8);
    put("  ", xd_view(order, "side", text), 0);
    put(" ", xd_view(order, "kind", text), 0);
    put(" ", xd_view(order, "ref", text), 0);
    put(", ", xd_view_amount(order, "amount", text), 0);
    if (*xd_view(order, "reason", text)) put(", ", text, 0);
    if (*xd_view(xd_mp_get(order, "error"), "code", text)) put(": ", text, 0);
}

static void print_match(const msgpack_object *match)
{
    char text[XD_VIEW];
    put("  ", xd_view(match, "id", text), 8);
    put("  ", xd_view(match, "kind", text), 0);
    put(" ", xd_view_party(match, "offer", text), 0);
    put(" for ", xd_view_party(match, "request", text), 0);
    put(", ", xd_view_amounts(match, text), 0);
    put(", ", xd_view_money(match, "price", text), 0);
    put(", ", xd_view_when(match, text), 0);
    if (*xd_view(match, "by", text)) put(", by ", text, 0);
    if (*xd_view(match, "reason", text)) put(", ", text, 0);
}

void xd_view_print_event(const msgpack_object *event)
{
    char text[XD_VIEW];
    put("", xd_view_time(event, "time", text), 0);
    put("  ", xd_view(event, "account", text), 12);
    put("  ", xd_view(event, "type", text), 17);
    const msgpack_object *order = xd_mp_get(event, "order"), *match = xd_mp_get(event, "match");
    if (order) print_order(order);
    if (match) print_match(match);
}

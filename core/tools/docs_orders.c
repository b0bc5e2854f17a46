/* docs/ORDERS.md: the field table in Markdown, and an example of each order, read before it is shown. */
#include "core/decimal.h"
#include "core/features.h"
#include "core/json.h"
#include "core/schema.h"
#include "core/tools/docs.h"
#include "core/when.h"

#include <string.h>

enum { EXAMPLE_MAX = 4096, EXAMPLE_FIELDS = 24 };

/* How an example is written on the command line, after "crossdock offer truck"; a NULL ends it. */
static const char *const examples[XD_COLUMNS][EXAMPLE_FIELDS] = {
    [XD_TRUCK_OFFER] = {"ref=home-to-beijing", "pallets=14", "kg=12000", "from=31.23,121.47", "to=39.9,116.4",
                        "max_detour_km=80", "available_from=2030-01-01T08:00:00+08:00",
                        "available_until=2030-01-02T20:00:00+08:00", "base=50", "per_t_km=0.085",
                        "per_detour_km=0.9", "features=tail_lift,gps_tracking"},
    [XD_TRUCK_REQUEST] = {"ref=tea-117", "pallets=2.5", "kg=1200", "from=31.3,120.6", "to=39.13,117.2",
                          "pickup_from=2030-01-01T09:00:00+08:00", "pickup_until=2030-01-01T15:00:00+08:00",
                          "deliver_until=2030-01-02T18:00:00+08:00", "load_min=30", "unload_min=30",
                          "max_price=640", "features=tail_lift", "note=gate 4, ring twice"},
    [XD_COLD_OFFER] = {"ref=chamber-3", "pallets=40", "at=31.3,120.6", "from_day=2030-01-01",
                       "until_day=2030-03-01", "temp_c=-20..-18", "base=20", "per_pallet_day=1.2",
                       "min_part=2", "features=temp_log,haccp"},
    [XD_COLD_REQUEST] = {"ref=dumplings-5", "pallets=5", "at=31.23,121.47", "radius_km=120",
                         "from_day=2030-01-05", "until_day=2030-01-20", "temp_c=-25..-15", "max_price=190",
                         "features=temp_log"},
    [XD_WAREHOUSE_OFFER] = {"ref=hall-b", "m2=400", "at=31.3,120.6", "from_day=2030-01-01",
                            "until_day=2031-01-01", "per_m2_day=0.05", "features=forklift,sprinkler",
                            "confirm=manual", "hold_s=3600"},
    [XD_WAREHOUSE_REQUEST] = {"ref=spring-stock", "m2=120", "at=31.23,121.47", "radius_km=200",
                              "from_day=2030-02-01", "until_day=2030-03-01", "max_price=300", "min_part=40",
                              "per_access_km=0.35", "valid_until=2030-01-25T00:00:00Z"},
};

static const char intro[] =
    "# Orders\n\n"
    "<!-- Printed by `crossdock-docs orders` from the table in core/schema.c; change it there. -->\n\n"
    "An order is a map of fields. It is an *offer* of idle capacity or a *request* for some, and of one of "
    "three\n"
    "kinds: `truck`, `cold` (cold storage) or `warehouse`. What is not said here is refused: an unknown "
    "field, one\n"
    "given twice or missing, a value out of range or with too many decimals is an [error](ERRORS.md) that "
    "names\n"
    "the field, what was given and what is allowed.\n\n";

static const char values[] =
    "## How values are written\n\n"
    "| type | as |\n|---|---|\n"
    "| choice | one of the names listed |\n"
    "| number | an integer, a float or a decimal string. A float is read as the shortest decimal that it "
    "prints as "
    "(0.1 is 0.1). More decimals than the field has are refused, zeros at the end apart |\n"
    "| time | RFC 3339 with an offset (`2030-01-01T08:00:00+08:00`), or whole seconds since 1970 as an "
    "integer, "
    "float or string of digits; from 2000 to 2199 |\n"
    "| day | `YYYY-MM-DD`, UTC; from 2000 to 2199 |\n"
    "| place | `{lat, lon}` in degrees, -90 to 90 and -180 to 180, as numbers; rounded to 7 decimals |\n"
    "| range | `{min, max}`, numbers, `min` not above `max` |\n"
    "| features | a list of [features](#features), none twice |\n"
    "| accounts | a list of 1 to 16 accounts, each 1 to 64 of `A-Za-z0-9._:@-` |\n"
    "| ref | 1 to 64 of `A-Za-z0-9._:-` |\n"
    "| text | UTF-8 |\n"
    "| currency | three capital letters |\n\n"
    "On the command line a field is `name=value`: a place is `lat,lon`, a range `min..max`, a list `a,b`. "
    "Money is\n"
    "in the order's currency, with 2 decimals, rates with 4. An offer that says nothing of a dimension "
    "(`m3`, say)\n"
    "does not limit it.\n\n";

static const char amending[] =
    "## What can be amended\n\n"
    "The column *amend* of the tables below says what of a field may change while its order is open, and "
    "which way\n"
    "makes the order easier to match:\n\n"
    "| amend | |\n|---|---|\n"
    "| | not at all: cancel the order and submit another |\n"
    "| freely | any change; the order keeps its age |\n"
    "| more | more of it (a higher number, a later time or day, a wider range, more names) keeps the order's "
    "age, less "
    "loses it |\n"
    "| less | less of it keeps the order's age, more loses it |\n\n"
    "A field that is left out counts as what it stands for: an offer without `m3` has no end of it, a "
    "request without\n"
    "`m3` needs none; `only` left out is everybody, `never` nobody; a request without `min_part` wants the "
    "whole.\n"
    "[RULES.md](RULES.md#amending) says what live matches hold, and what happens then.\n\n";

static const char agreement[] = "## What must agree\n\n"
                                "- `available_until` is after `available_from`; `pickup_until` and "
                                "`deliver_until` are not before `pickup_from`;\n"
                                "  `until_day` is after `from_day`, by at most 731 days.\n"
                                "- `min_part` is at most the order's own pallets (cold) or m2 (warehouse).\n"
                                "- `fill: all_now` is for requests only.\n"
                                "- `valid_until` is at most its default.\n\n";

static const char *type_name(enum xd_type type)
{
    static const char *const names[] = {
        [XD_TYPE_CHOICE] = "choice",     [XD_TYPE_REF] = "ref",           [XD_TYPE_TEXT] = "text",
        [XD_TYPE_NUMBER] = "number",     [XD_TYPE_TIME] = "time",         [XD_TYPE_DAY] = "day",
        [XD_TYPE_PLACE] = "place",       [XD_TYPE_RANGE] = "range",       [XD_TYPE_FEATURES] = "features",
        [XD_TYPE_ACCOUNTS] = "accounts", [XD_TYPE_CURRENCY] = "currency",
    };
    return names[type];
}

static void put_type(FILE *out, const struct xd_field *field)
{
    fputs(type_name(field->type), out);
    if (field->type != XD_TYPE_NUMBER && field->type != XD_TYPE_RANGE) return;
    if (field->scale == 0) {
        fputs(", whole", out);
    } else {
        fprintf(out, ", %d decimal%s", field->scale, field->scale == 1 ? "" : "s");
    }
}

static void put_limits(FILE *out, const struct xd_field *field)
{
    char low[32];
    char high[32];
    xd_decimal_format(field->min, field->scale, low);
    xd_decimal_format(field->max, field->scale, high);
    fprintf(out, "%s to %s", low, high);
}

static void put_allowed(FILE *out, const struct xd_field *field)
{
    switch (field->type) {
    case XD_TYPE_CHOICE:
        for (int64_t i = 0; i <= field->max; i++)
            fprintf(out, "%s`%s`", i == 0 ? "" : ", ", field->choices[i]);
        break;
    case XD_TYPE_NUMBER:
    case XD_TYPE_RANGE:
        put_limits(out, field);
        break;
    case XD_TYPE_TEXT:
        put_limits(out, field);
        fputs(" bytes", out);
        break;
    case XD_TYPE_FEATURES:
    case XD_TYPE_ACCOUNTS:
        put_limits(out, field);
        fputs(" names", out);
        break;
    default:
        break;
    }
}

static void put_row(FILE *out, const struct xd_field *field, enum xd_column column)
{
    static const char *const amends[] = {[XD_AMEND_NOT] = "", [XD_AMEND_FREELY] = "freely", [XD_AMEND_MORE] = "more",
                                         [XD_AMEND_LESS] = "less"};
    fprintf(out, "| `%s` | %s | ", field->name, field->need[column] == XD_REQUIRED ? "yes" : "");
    put_type(out, field);
    fprintf(out, " | %s | ", field->unit);
    put_allowed(out, field);
    fprintf(out, " | %s | %s | %s |\n", field->default_text, amends[field->amend[column]], field->doc);
}

static bool everywhere_alike(const struct xd_field *field)
{
    for (int column = 1; column < XD_COLUMNS; column++) {
        if (field->need[column] != field->need[0] || field->amend[column] != field->amend[0]) return false;
    }
    return true;
}

/* The fields that are the same for all orders, or the others that one column has. */
static void put_fields(FILE *out, enum xd_column column, bool common)
{
    fputs("| field | required | type | unit | allowed | default | amend | meaning |\n"
          "|---|---|---|---|---|---|---|---|\n",
          out);
    for (unsigned id = 0; id < XD_FIELD_COUNT; id++) {
        const struct xd_field *field = &xd_fields[id];
        if (field->need[column] != XD_NEVER && everywhere_alike(field) == common) put_row(out, field, column);
    }
    fputs("\n", out);
}

static void put_features(FILE *out)
{
    fputs("## Features\n\nAn offer has them, a request needs them.\n\n", out);
    for (unsigned bit = 0; bit < XD_FEATURE_COUNT; bit++) {
        fprintf(out, "`%s`%s", xd_feature_name(bit),
                bit % 8 == 7 || bit + 1 == XD_FEATURE_COUNT ? "\n" : " ");
    }
    fputs("\nThe ATP classes (the treaty on carrying perishable food) each imply the lower ones:\n\n", out);
    for (unsigned bit = 0; bit < XD_FEATURE_COUNT; bit++) {
        uint64_t more = xd_features_implied(UINT64_C(1) << bit) & ~(UINT64_C(1) << bit);
        if (more == 0) continue;
        fprintf(out, "- `%s` implies", xd_feature_name(bit));
        const char *mark = " ";
        for (unsigned lower = XD_FEATURE_COUNT; lower-- > 0;) {
            if (!(more >> lower & 1)) continue;
            fprintf(out, "%s`%s`", mark, xd_feature_name(lower));
            mark = ", ";
        }
        fputs("\n", out);
    }
}

/* --- examples --- */

static bool add_argument(const char *argument, struct xd_buf *map, struct xd_error *error)
{
    const char *mark = strchr(argument, '=');
    const struct xd_field *field = xd_field_find(argument, (size_t)(mark - argument));
    if (field == NULL) return xd_fail(error, XD_UNKNOWN_FIELD, argument, "no such field");
    return xd_field_from_text(field, mark + 1, map, error);
}

/* The example as a client sends it. */
static bool example_map(enum xd_column column, struct xd_buf *map, struct xd_error *error)
{
    uint32_t count = 0;
    while (count < EXAMPLE_FIELDS && examples[column][count] != NULL)
        count++;
    xd_mp_map(map, count + 2);
    bool done = xd_field_from_text(&xd_fields[XD_F_SIDE], xd_side_names[column % XD_SIDES], map, error) &&
                xd_field_from_text(&xd_fields[XD_F_KIND], xd_kind_names[column / XD_SIDES], map, error);
    for (uint32_t i = 0; done && i < count; i++)
        done = add_argument(examples[column][i], map, error);
    return done;
}

/* The order as JSON, a field to a line, its times as people write them. */
static void put_json(FILE *out, const msgpack_object *map)
{
    struct xd_buf text;
    xd_buf_init(&text, EXAMPLE_MAX);
    fputs("```json\n{", out);
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *kv = &map->via.map.ptr[i];
        const struct xd_field *field = xd_field_find(kv->key.via.str.ptr, kv->key.via.str.size);
        fprintf(out, "%s\n  \"%s\": ", i == 0 ? "" : ",", field->name);
        if (field->type == XD_TYPE_TIME) {
            char time[32];
            xd_time_format(kv->val.via.i64, time);
            fprintf(out, "\"%s\"", time);
            continue;
        }
        xd_buf_clear(&text);
        xd_json_write(&kv->val, &text);
        fwrite(text.data, 1, text.len, out);
    }
    fputs("\n}\n```\n\n", out);
    xd_buf_free(&text);
}

static void put_command(FILE *out, enum xd_column column)
{
    fprintf(out, "```sh\ncrossdock %s %s", xd_side_names[column % XD_SIDES],
            xd_kind_names[column / XD_SIDES]);
    for (int i = 0; i < EXAMPLE_FIELDS && examples[column][i] != NULL; i++) {
        const char *argument = examples[column][i];
        const char *quote = strchr(argument, ' ') != NULL ? "'" : "";
        fprintf(out, "%s%s%s%s", i % 3 == 0 ? " \\\n    " : " ", quote, argument, quote);
    }
    fputs("\n```\n\n", out);
}

static bool unpack(const struct xd_buf *bytes, msgpack_unpacked *out)
{
    return !bytes->failed &&
           msgpack_unpack_next(out, (const char *)bytes->data, bytes->len, NULL) == MSGPACK_UNPACK_SUCCESS;
}

static bool put_example(FILE *out, enum xd_column column, struct xd_buf *sent, struct xd_buf *written)
{
    struct xd_market market = {.currency = xd_currency("EUR", 3), .road_factor_e4 = 12500};
    struct xd_order order;
    struct xd_error error = {.message = "no memory"};
    msgpack_unpacked map;
    msgpack_unpacked again;
    msgpack_unpacked_init(&map);
    msgpack_unpacked_init(&again);
    bool done = example_map(column, sent, &error) && unpack(sent, &map) &&
                xd_order_read(&map.data, &market, &order, &error);
    if (done) {
        xd_order_write(&order, written);
        done = unpack(written, &again);
    }
    if (done) {
        put_command(out, column);
        put_json(out, &again.data);
    } else {
        fprintf(stderr, "the example of a %s: %s: %s\n", xd_column_name(column), error.field, error.message);
    }
    msgpack_unpacked_destroy(&map);
    msgpack_unpacked_destroy(&again);
    return done;
}

static bool put_column(FILE *out, enum xd_column column)
{
    struct xd_buf sent;
    struct xd_buf written;
    const char *name = xd_column_name(column);
    const struct xd_field *end = &xd_fields[xd_column_end(column)];
    xd_buf_init(&sent, EXAMPLE_MAX);
    xd_buf_init(&written, EXAMPLE_MAX);
    fprintf(out, "## %c%s\n\n", name[0] - 'a' + 'A', name + 1);
    put_fields(out, column, false);
    fprintf(out, "It lapses at %s`%s`, or at `valid_until` if that is earlier.\n\n",
            end->type == XD_TYPE_DAY ? "the start of " : "", end->name);
    bool done = put_example(out, column, &sent, &written);
    xd_buf_free(&sent);
    xd_buf_free(&written);
    return done;
}

bool xd_docs_orders(FILE *out)
{
    fputs(intro, out);
    fputs(values, out);
    fputs(amending, out);
    fputs("## All orders\n\n", out);
    put_fields(out, XD_TRUCK_OFFER, true);
    bool done = true;
    for (int column = 0; done && column < XD_COLUMNS; column++)
        done = put_column(out, (enum xd_column)column);
    fputs(agreement, out);
    put_features(out);
    return done;
}

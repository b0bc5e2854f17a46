/* The one table of an order's fields. Codecs, checks, the command line, docs/ORDERS.md and (later) OpenAPI are made
 * from it; nothing about a field is written anywhere else. */
#ifndef XD_CORE_SCHEMA_H
#define XD_CORE_SCHEMA_H

#include "core/order.h"

enum xd_type {
    XD_TYPE_CHOICE,   /* int64: index into `choices` */
    XD_TYPE_REF,      /* xd_str */
    XD_TYPE_TEXT,     /* xd_str, at most `max` bytes of UTF-8 */
    XD_TYPE_NUMBER,   /* int64, `scale` decimals */
    XD_TYPE_TIME,     /* int64 seconds; RFC 3339 or a number */
    XD_TYPE_DAY,      /* int64 days; YYYY-MM-DD */
    XD_TYPE_PLACE,    /* xd_place; {lat, lon}, rounded to 7 decimals */
    XD_TYPE_RANGE,    /* xd_range; {min, max} of `scale` decimals */
    XD_TYPE_FEATURES, /* uint64 bits; list of names */
    XD_TYPE_ACCOUNTS, /* xd_accounts; list of 1 to 16 */
    XD_TYPE_CURRENCY, /* int64 */
};

/* Which orders have a field: a column for each side and kind. */
enum xd_column {
    XD_TRUCK_OFFER,
    XD_TRUCK_REQUEST,
    XD_COLD_OFFER,
    XD_COLD_REQUEST,
    XD_WAREHOUSE_OFFER,
    XD_WAREHOUSE_REQUEST,
    XD_COLUMNS
};
enum xd_need { XD_NEVER, XD_OPTIONAL, XD_REQUIRED };

/* Whether a field of an open order may be amended, and what of it makes the order easier to match: more of it (a higher
 * number, a later time, a larger set, a wider range) or less. What says nothing about whom it fits is free. */
enum xd_amend { XD_AMEND_NOT, XD_AMEND_FREELY, XD_AMEND_MORE, XD_AMEND_LESS };

enum xd_field_id {
    XD_F_SIDE,
    XD_F_KIND,
    XD_F_REF,
    XD_F_VALID_UNTIL,
    XD_F_FILL,
    XD_F_CONFIRM,
    XD_F_HOLD_S,
    XD_F_MIN_CREDIT,
    XD_F_FEATURES,
    XD_F_ONLY,
    XD_F_NEVER,
    XD_F_CURRENCY,
    XD_F_NOTE,
    XD_F_PALLETS,
    XD_F_KG,
    XD_F_M3,
    XD_F_LDM,
    XD_F_M2,
    XD_F_MIN_PART,
    XD_F_FROM,
    XD_F_TO,
    XD_F_AT,
    XD_F_MAX_DETOUR_KM,
    XD_F_RADIUS_KM,
    XD_F_AVAILABLE_FROM,
    XD_F_AVAILABLE_UNTIL,
    XD_F_SPEED_KMH,
    XD_F_PICKUP_FROM,
    XD_F_PICKUP_UNTIL,
    XD_F_DELIVER_UNTIL,
    XD_F_LOAD_MIN,
    XD_F_UNLOAD_MIN,
    XD_F_FROM_DAY,
    XD_F_UNTIL_DAY,
    XD_F_TEMP_C,
    XD_F_BASE,
    XD_F_PER_T_KM,
    XD_F_PER_DETOUR_KM,
    XD_F_PER_PALLET_DAY,
    XD_F_PER_M2_DAY,
    XD_F_MAX_PRICE,
    XD_F_PER_ACCESS_KM,
    XD_FIELD_COUNT
};

struct xd_field {
    const char *name;
    uint8_t tag; /* in the ledger's records; never reused */
    enum xd_type type;
    uint8_t scale;
    int64_t min, max;                /* in units of 10^-scale; list or text length for those types */
    uint8_t need[XD_COLUMNS];        /* enum xd_need */
    uint8_t amend[XD_COLUMNS];       /* enum xd_amend */
    size_t offset;                   /* in struct xd_order */
    const char *const *choices;      /* NULL-terminated, for XD_TYPE_CHOICE */
    const char *unit;                /* "kg", "km", ... or "" */
    bool has_default;
    int64_t fallback;                /* the default, if has_default */
    const char *default_text;        /* how the default reads in the docs, "" if none */
    const char *doc;                 /* one line of prose */
};

extern const struct xd_field xd_fields[XD_FIELD_COUNT];

enum xd_column xd_column(enum xd_side side, enum xd_kind kind);
const char *xd_column_name(enum xd_column column); /* "truck offer" */

/* The time, or the day at whose start, such an order lapses at the latest: the default of valid_until and its limit. */
enum xd_field_id xd_column_end(enum xd_column column);

/* The field of that name, or NULL. */
const struct xd_field *xd_field_find(const char *name, size_t len);
const struct xd_field *xd_field_by_tag(unsigned tag);

static inline enum xd_field_id xd_field_id(const struct xd_field *field)
{
    return (enum xd_field_id)(field - xd_fields);
}

static inline bool xd_order_gave(const struct xd_order *order, enum xd_field_id id)
{
    return order->given >> id & 1;
}

/* The names of choices, as they are on the wire. */
extern const char *const xd_side_names[];
extern const char *const xd_kind_names[];
extern const char *const xd_fill_names[];
extern const char *const xd_confirm_names[];
extern const char *const xd_dim_names[];
extern const uint8_t xd_dim_scale[XD_DIMS];

/* The name of a dimension as it stands behind an amount: "pallet" behind "1", "pallets" behind "2.5". */
const char *xd_dim_unit(enum xd_dim dim, const char *amount);

/* Appends a field and its value, as they are written on a command line ("field=value"; `text` is what follows the
 * "="), to a msgpack map under construction: numbers as decimal strings, places from "lat,lon", ranges from
 * "min..max", lists from "a,b", all else as it is. The broker does the checking: this fails, with nothing appended,
 * only where the text has not the shape of the type. */
bool xd_field_from_text(const struct xd_field *field, const char *text, struct xd_buf *out, struct xd_error *error);

#endif

#include "core/schema.h"

#include "core/features.h"
#include "core/when.h"

#include <assert.h>
#include <string.h>

const char *const xd_side_names[] = {"offer", "request", NULL};
const char *const xd_kind_names[] = {"truck", "cold", "warehouse", NULL};
const char *const xd_fill_names[] = {"rest", "now", "all_now", NULL};
const char *const xd_confirm_names[] = {"auto", "manual", NULL};
const char *const xd_dim_names[] = {"pallets", "kg", "m3", "ldm", "m2", NULL};
const uint8_t xd_dim_scale[XD_DIMS] = {2, 0, 3, 2, 2};

#define MILLION INT64_C(1000000)

/* The columns are: truck offer, truck request, cold offer, cold request, warehouse offer, warehouse request. */
enum { N = XD_NEVER, O = XD_OPTIONAL, R = XD_REQUIRED };
enum { X = XD_AMEND_NOT, F = XD_AMEND_FREELY, M = XD_AMEND_MORE, L = XD_AMEND_LESS };

/* clang-format off */
const struct xd_field xd_fields[XD_FIELD_COUNT] = {
    [XD_F_SIDE] = {
        .name = "side", .tag = 1, .type = XD_TYPE_CHOICE, .offset = offsetof(struct xd_order, side),
        .scale = 0, .min = 0, .max = 1, .need = {R, R, R, R, R, R},
        .choices = xd_side_names, .unit = "", .default_text = "",
        .doc = "whether capacity is offered or asked for",
    },
    [XD_F_KIND] = {
        .name = "kind", .tag = 2, .type = XD_TYPE_CHOICE, .offset = offsetof(struct xd_order, kind),
        .scale = 0, .min = 0, .max = 2, .need = {R, R, R, R, R, R},
        .choices = xd_kind_names, .unit = "", .default_text = "",
        .doc = "what it is: room on a truck, cold storage, or dry warehouse floor",
    },
    [XD_F_REF] = {
        .name = "ref", .tag = 3, .type = XD_TYPE_REF, .offset = offsetof(struct xd_order, ref),
        .scale = 0, .min = 1, .max = XD_REF_MAX, .need = {R, R, R, R, R, R},
        .unit = "", .default_text = "",
        .doc = "the account's own name for the order, and its idempotency key: the same order sent "
               "again under it is one order",
    },
    [XD_F_VALID_UNTIL] = {
        .name = "valid_until", .tag = 4, .type = XD_TYPE_TIME, .offset = offsetof(struct xd_order, valid_until),
        .scale = 0, .min = XD_TIME_MIN, .max = XD_TIME_MAX, .need = {O, O, O, O, O, O},
        .amend = {F, F, F, F, F, F},
        .unit = "", .default_text = "the end of its window",
        .doc = "when the order lapses if it is still open; never later than its default",
    },
    [XD_F_FILL] = {
        .name = "fill", .tag = 5, .type = XD_TYPE_CHOICE, .offset = offsetof(struct xd_order, fill),
        .scale = 0, .min = 0, .max = 2, .need = {O, O, O, O, O, O},
        .choices = xd_fill_names, .unit = "", .has_default = true, .fallback = XD_FILL_REST, .default_text = "rest",
        .doc = "`rest`: match now, then wait; `now`: match now and drop the remainder; `all_now` "
               "(requests only): now and whole, or nothing",
    },
    [XD_F_CONFIRM] = {
        .name = "confirm", .tag = 6, .type = XD_TYPE_CHOICE, .offset = offsetof(struct xd_order, confirm),
        .scale = 0, .min = 0, .max = 1, .need = {O, O, O, O, O, O},
        .amend = {F, F, F, F, F, F},
        .choices = xd_confirm_names, .unit = "", .has_default = true, .fallback = XD_CONFIRM_AUTO, .default_text = "auto",
        .doc = "`auto`: a match binds at once; `manual`: it is a proposal until every manual side "
               "accepts",
    },
    [XD_F_HOLD_S] = {
        .name = "hold_s", .tag = 7, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, hold_s),
        .scale = 0, .min = 30, .max = 86400, .need = {O, O, O, O, O, O},
        .amend = {F, F, F, F, F, F},
        .unit = "s", .has_default = true, .fallback = 900, .default_text = "900",
        .doc = "how long a proposal is held for this side to accept",
    },
    [XD_F_MIN_CREDIT] = {
        .name = "min_credit", .tag = 8, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, min_credit),
        .scale = 0, .min = 0, .max = XD_CREDIT_MAX, .need = {O, O, O, O, O, O},
        .amend = {L, L, L, L, L, L},
        .unit = "", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "the least credit score of the other side",
    },
    [XD_F_FEATURES] = {
        .name = "features", .tag = 9, .type = XD_TYPE_FEATURES, .offset = offsetof(struct xd_order, features),
        .scale = 0, .min = 1, .max = XD_FEATURE_COUNT, .need = {O, O, O, O, O, O},
        .amend = {M, L, M, L, M, L},
        .unit = "", .default_text = "none",
        .doc = "what an offer has, or a request needs",
    },
    [XD_F_ONLY] = {
        .name = "only", .tag = 10, .type = XD_TYPE_ACCOUNTS, .offset = offsetof(struct xd_order, only),
        .scale = 0, .min = 1, .max = XD_ACCOUNTS_MAX, .need = {O, O, O, O, O, O},
        .amend = {M, M, M, M, M, M},
        .unit = "", .default_text = "anybody",
        .doc = "match with these accounts only",
    },
    [XD_F_NEVER] = {
        .name = "never", .tag = 11, .type = XD_TYPE_ACCOUNTS, .offset = offsetof(struct xd_order, never),
        .scale = 0, .min = 1, .max = XD_ACCOUNTS_MAX, .need = {O, O, O, O, O, O},
        .amend = {L, L, L, L, L, L},
        .unit = "", .default_text = "nobody",
        .doc = "never match with these accounts",
    },
    [XD_F_CURRENCY] = {
        .name = "currency", .tag = 12, .type = XD_TYPE_CURRENCY, .offset = offsetof(struct xd_order, currency),
        .scale = 0, .min = 0, .max = 0, .need = {O, O, O, O, O, O},
        .unit = "", .default_text = "the market's",
        .doc = "ISO 4217 code of all its money; orders match within one currency",
    },
    [XD_F_NOTE] = {
        .name = "note", .tag = 13, .type = XD_TYPE_TEXT, .offset = offsetof(struct xd_order, note),
        .scale = 0, .min = 1, .max = XD_NOTE_MAX, .need = {O, O, O, O, O, O},
        .amend = {F, F, F, F, F, F},
        .unit = "", .default_text = "",
        .doc = "free text for the other side of a match",
    },
    [XD_F_PALLETS] = {
        .name = "pallets", .tag = 14, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, amount[XD_PALLETS]),
        .scale = 2, .min = 1, .max = 100 * MILLION, .need = {R, R, R, R, O, O},
        .amend = {M, L, M, L, M, L},
        .unit = "pallets", .default_text = "",
        .doc = "pallet places that an offer has, or a request needs",
    },
    [XD_F_KG] = {
        .name = "kg", .tag = 15, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, amount[XD_KG]),
        .scale = 0, .min = 1, .max = 1000 * MILLION, .need = {R, R, O, O, O, O},
        .amend = {M, L, M, L, M, L},
        .unit = "kg", .default_text = "",
        .doc = "weight that an offer can take, or a request has",
    },
    [XD_F_M3] = {
        .name = "m3", .tag = 16, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, amount[XD_M3]),
        .scale = 3, .min = 1, .max = 10000 * MILLION, .need = {O, O, O, O, O, O},
        .amend = {M, L, M, L, M, L},
        .unit = "m3", .default_text = "",
        .doc = "volume in cubic metres",
    },
    [XD_F_LDM] = {
        .name = "ldm", .tag = 17, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, amount[XD_LDM]),
        .scale = 2, .min = 1, .max = 1000 * MILLION, .need = {O, O, O, O, O, O},
        .amend = {M, L, M, L, M, L},
        .unit = "ldm", .default_text = "",
        .doc = "loading metres, the length of a trailer's floor",
    },
    [XD_F_M2] = {
        .name = "m2", .tag = 18, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, amount[XD_M2]),
        .scale = 2, .min = 1, .max = 1000 * MILLION, .need = {O, O, O, O, R, R},
        .amend = {M, L, M, L, M, L},
        .unit = "m2", .default_text = "",
        .doc = "floor area in square metres",
    },
    [XD_F_MIN_PART] = {
        .name = "min_part", .tag = 19, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, min_part),
        .scale = 2, .min = 1, .max = 1000 * MILLION, .need = {N, N, O, O, O, O},
        .amend = {X, X, L, L, L, L},
        .unit = "pallets or m2", .default_text = "",
        .doc = "a request: may be split, and this is the least part worth having; an offer: the least "
               "it lets go; in pallets (cold) or m2 (warehouse), at most the order's own amount",
    },
    [XD_F_FROM] = {
        .name = "from", .tag = 20, .type = XD_TYPE_PLACE, .offset = offsetof(struct xd_order, from),
        .scale = 0, .min = 0, .max = 0, .need = {R, R, N, N, N, N},
        .unit = "", .default_text = "",
        .doc = "where the truck is free, or the goods are picked up",
    },
    [XD_F_TO] = {
        .name = "to", .tag = 21, .type = XD_TYPE_PLACE, .offset = offsetof(struct xd_order, to),
        .scale = 0, .min = 0, .max = 0, .need = {O, R, N, N, N, N},
        .unit = "", .default_text = "",
        .doc = "where the truck must end (left out: anywhere), or the goods go",
    },
    [XD_F_AT] = {
        .name = "at", .tag = 22, .type = XD_TYPE_PLACE, .offset = offsetof(struct xd_order, at),
        .scale = 0, .min = 0, .max = 0, .need = {N, N, R, R, R, R},
        .unit = "", .default_text = "",
        .doc = "where the storage is, or is wanted",
    },
    [XD_F_MAX_DETOUR_KM] = {
        .name = "max_detour_km", .tag = 23, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, max_detour_m),
        .scale = 3, .min = 0, .max = 20 * MILLION, .need = {R, N, N, N, N, N},
        .amend = {M, X, X, X, X, X},
        .unit = "km", .default_text = "",
        .doc = "the most kilometres that all its loads together may add",
    },
    [XD_F_RADIUS_KM] = {
        .name = "radius_km", .tag = 24, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, radius_m),
        .scale = 3, .min = 0, .max = 20 * MILLION, .need = {N, N, N, R, N, R},
        .amend = {X, X, X, M, X, M},
        .unit = "km", .default_text = "",
        .doc = "how far from `at` the storage may be",
    },
    [XD_F_AVAILABLE_FROM] = {
        .name = "available_from", .tag = 25, .type = XD_TYPE_TIME, .offset = offsetof(struct xd_order, available_from),
        .scale = 0, .min = XD_TIME_MIN, .max = XD_TIME_MAX, .need = {R, N, N, N, N, N},
        .amend = {L, X, X, X, X, X},
        .unit = "", .default_text = "",
        .doc = "when the truck is free at `from`",
    },
    [XD_F_AVAILABLE_UNTIL] = {
        .name = "available_until", .tag = 26, .type = XD_TYPE_TIME, .offset = offsetof(struct xd_order, available_until),
        .scale = 0, .min = XD_TIME_MIN, .max = XD_TIME_MAX, .need = {R, N, N, N, N, N},
        .amend = {M, X, X, X, X, X},
        .unit = "", .default_text = "",
        .doc = "when it must be at `to`, or without it have unloaded the last load; after "
               "`available_from`",
    },
    [XD_F_SPEED_KMH] = {
        .name = "speed_kmh", .tag = 27, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, speed),
        .scale = 1, .min = 10, .max = 2000, .need = {O, N, N, N, N, N},
        .unit = "km/h", .has_default = true, .fallback = 600, .default_text = "60",
        .doc = "average driving speed",
    },
    [XD_F_PICKUP_FROM] = {
        .name = "pickup_from", .tag = 28, .type = XD_TYPE_TIME, .offset = offsetof(struct xd_order, pickup_from),
        .scale = 0, .min = XD_TIME_MIN, .max = XD_TIME_MAX, .need = {N, R, N, N, N, N},
        .amend = {X, L, X, X, X, X},
        .unit = "", .default_text = "",
        .doc = "the earliest that loading may start",
    },
    [XD_F_PICKUP_UNTIL] = {
        .name = "pickup_until", .tag = 29, .type = XD_TYPE_TIME, .offset = offsetof(struct xd_order, pickup_until),
        .scale = 0, .min = XD_TIME_MIN, .max = XD_TIME_MAX, .need = {N, R, N, N, N, N},
        .amend = {X, M, X, X, X, X},
        .unit = "", .default_text = "",
        .doc = "the latest that loading may start; not before `pickup_from`",
    },
    [XD_F_DELIVER_UNTIL] = {
        .name = "deliver_until", .tag = 30, .type = XD_TYPE_TIME, .offset = offsetof(struct xd_order, deliver_until),
        .scale = 0, .min = XD_TIME_MIN, .max = XD_TIME_MAX, .need = {N, R, N, N, N, N},
        .amend = {X, M, X, X, X, X},
        .unit = "", .default_text = "",
        .doc = "the latest that unloading may start; not before `pickup_from`",
    },
    [XD_F_LOAD_MIN] = {
        .name = "load_min", .tag = 31, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, load_min),
        .scale = 0, .min = 0, .max = 10080, .need = {N, O, N, N, N, N},
        .amend = {X, L, X, X, X, X},
        .unit = "min", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "how long loading takes",
    },
    [XD_F_UNLOAD_MIN] = {
        .name = "unload_min", .tag = 32, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, unload_min),
        .scale = 0, .min = 0, .max = 10080, .need = {N, O, N, N, N, N},
        .amend = {X, L, X, X, X, X},
        .unit = "min", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "how long unloading takes",
    },
    [XD_F_FROM_DAY] = {
        .name = "from_day", .tag = 33, .type = XD_TYPE_DAY, .offset = offsetof(struct xd_order, from_day),
        .scale = 0, .min = XD_TIME_MIN / XD_DAY_S, .max = XD_TIME_MAX / XD_DAY_S, .need = {N, N, R, R, R, R},
        .amend = {X, X, L, M, L, M},
        .unit = "", .default_text = "",
        .doc = "the first day",
    },
    [XD_F_UNTIL_DAY] = {
        .name = "until_day", .tag = 34, .type = XD_TYPE_DAY, .offset = offsetof(struct xd_order, until_day),
        .scale = 0, .min = XD_TIME_MIN / XD_DAY_S, .max = XD_TIME_MAX / XD_DAY_S, .need = {N, N, R, R, R, R},
        .amend = {X, X, M, L, M, L},
        .unit = "", .default_text = "",
        .doc = "the day after the last; after `from_day` by at most 731 days",
    },
    [XD_F_TEMP_C] = {
        .name = "temp_c", .tag = 35, .type = XD_TYPE_RANGE, .offset = offsetof(struct xd_order, temp),
        .scale = 1, .min = -1000, .max = 1000, .need = {O, O, R, R, N, N},
        .amend = {M, M, L, M, X, X},
        .unit = "°C", .default_text = "",
        .doc = "the set-points that a truck can run, the band that a chamber stays in, or what the goods of a "
               "request tolerate",
    },
    [XD_F_BASE] = {
        .name = "base", .tag = 36, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, base),
        .scale = 2, .min = 0, .max = 100000 * MILLION, .need = {O, N, O, N, O, N},
        .amend = {L, X, L, X, L, X},
        .unit = "per match", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "price of a match, whatever its size",
    },
    [XD_F_PER_T_KM] = {
        .name = "per_t_km", .tag = 37, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, per_t_km),
        .scale = 4, .min = 0, .max = 10000 * MILLION, .need = {O, N, N, N, N, N},
        .amend = {L, X, X, X, X, X},
        .unit = "per t km", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "price of a tonne over a kilometre, from the load's `from` to its `to`",
    },
    [XD_F_PER_DETOUR_KM] = {
        .name = "per_detour_km", .tag = 38, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, per_detour_km),
        .scale = 4, .min = 0, .max = 10000 * MILLION, .need = {O, N, N, N, N, N},
        .amend = {L, X, X, X, X, X},
        .unit = "per km", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "price of a kilometre that a load adds to the detour",
    },
    [XD_F_PER_PALLET_DAY] = {
        .name = "per_pallet_day", .tag = 39, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, per_unit_day),
        .scale = 4, .min = 0, .max = 10000 * MILLION, .need = {N, N, O, N, N, N},
        .amend = {X, X, L, X, X, X},
        .unit = "per pallet day", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "price of a pallet for a day",
    },
    [XD_F_PER_M2_DAY] = {
        .name = "per_m2_day", .tag = 40, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, per_unit_day),
        .scale = 4, .min = 0, .max = 10000 * MILLION, .need = {N, N, N, N, O, N},
        .amend = {X, X, X, X, L, X},
        .unit = "per m2 day", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "price of a square metre for a day",
    },
    [XD_F_MAX_PRICE] = {
        .name = "max_price", .tag = 41, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, max_price),
        .scale = 2, .min = 1, .max = 100000 * MILLION, .need = {N, R, N, R, N, R},
        .amend = {X, M, X, M, X, M},
        .unit = "", .default_text = "",
        .doc = "the most that the whole may cost, all in",
    },
    [XD_F_PER_ACCESS_KM] = {
        .name = "per_access_km", .tag = 42, .type = XD_TYPE_NUMBER, .offset = offsetof(struct xd_order, per_access_km),
        .scale = 4, .min = 0, .max = 10000 * MILLION, .need = {N, N, N, O, N, O},
        .amend = {X, X, X, L, X, L},
        .unit = "per km", .has_default = true, .fallback = 0, .default_text = "0",
        .doc = "what a kilometre between the two places costs the requester itself",
    },
};
/* clang-format on */

/* All fields in the order of their names, for xd_field_find. */
static const uint8_t by_name[] = {
    XD_F_AT, XD_F_AVAILABLE_FROM, XD_F_AVAILABLE_UNTIL, XD_F_BASE, XD_F_CONFIRM, XD_F_CURRENCY,
    XD_F_DELIVER_UNTIL, XD_F_FEATURES, XD_F_FILL, XD_F_FROM, XD_F_FROM_DAY, XD_F_HOLD_S, XD_F_KG, XD_F_KIND,
    XD_F_LDM, XD_F_LOAD_MIN, XD_F_M2, XD_F_M3, XD_F_MAX_DETOUR_KM, XD_F_MAX_PRICE, XD_F_MIN_CREDIT,
    XD_F_MIN_PART, XD_F_NEVER, XD_F_NOTE, XD_F_ONLY, XD_F_PALLETS, XD_F_PER_ACCESS_KM, XD_F_PER_DETOUR_KM,
    XD_F_PER_M2_DAY, XD_F_PER_PALLET_DAY, XD_F_PER_T_KM, XD_F_PICKUP_FROM, XD_F_PICKUP_UNTIL,
    XD_F_RADIUS_KM, XD_F_REF, XD_F_SIDE, XD_F_SPEED_KMH, XD_F_TEMP_C, XD_F_TO, XD_F_UNLOAD_MIN,
    XD_F_UNTIL_DAY, XD_F_VALID_UNTIL,
};
static_assert(sizeof by_name == XD_FIELD_COUNT, "each field once");
static_assert(XD_FIELD_COUNT <= 64, "xd_order.given has a bit for each");

const char *xd_dim_unit(enum xd_dim dim, const char *amount)
{
    return dim == XD_PALLETS && strcmp(amount, "1") == 0 ? "pallet" : xd_dim_names[dim];
}

enum xd_column xd_column(enum xd_side side, enum xd_kind kind)
{
    return (enum xd_column)((unsigned)kind * XD_SIDES + (unsigned)side);
}

const char *xd_column_name(enum xd_column column)
{
    static const char *const names[XD_COLUMNS] = {
        "truck offer", "truck request", "cold offer", "cold request", "warehouse offer", "warehouse request",
    };
    return names[column];
}

enum xd_field_id xd_column_end(enum xd_column column)
{
    switch (column) {
    case XD_TRUCK_OFFER: return XD_F_AVAILABLE_UNTIL;
    case XD_TRUCK_REQUEST: return XD_F_PICKUP_UNTIL;
    case XD_COLD_OFFER:
    case XD_WAREHOUSE_OFFER: return XD_F_UNTIL_DAY;
    default: return XD_F_FROM_DAY;
    }
}

const struct xd_field *xd_field_find(const char *name, size_t len)
{
    if (len == 0) return NULL;
    size_t low = 0;
    size_t high = XD_FIELD_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct xd_field *field = &xd_fields[by_name[middle]];
        size_t field_len = strlen(field->name);
        int order = memcmp(name, field->name, len < field_len ? len : field_len);
        if (order == 0 && len == field_len) return field;
        if (order < 0 || (order == 0 && len < field_len)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct xd_field *xd_field_by_tag(unsigned tag)
{
    for (unsigned i = 0; i < XD_FIELD_COUNT; i++) {
        if (xd_fields[i].tag == tag) return &xd_fields[i];
    }
    return NULL;
}

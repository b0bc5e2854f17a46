/* An order as its owner wrote it: fixed-point, defaults filled in, checked. Made from the field table (schema.h); its
 * strings point into whatever it was read from. */
#ifndef XD_CORE_ORDER_H
#define XD_CORE_ORDER_H

#include "core/buf.h"
#include "core/error.h"
#include "core/geo.h"

#include <msgpack.h>

enum xd_side { XD_OFFER, XD_REQUEST, XD_SIDES };
enum xd_kind { XD_TRUCK, XD_COLD, XD_WAREHOUSE, XD_KINDS };
enum xd_fill { XD_FILL_REST, XD_FILL_NOW, XD_FILL_ALL_NOW };
enum xd_confirm { XD_CONFIRM_AUTO, XD_CONFIRM_MANUAL };

/* The dimensions of an amount, in the order of the table: pallets (1e-2), kg (1), m3 (1e-3), ldm (1e-2), m2 (1e-2). */
enum xd_dim { XD_PALLETS, XD_KG, XD_M3, XD_LDM, XD_M2, XD_DIMS };

enum { XD_ACCOUNT_MAX = 64, XD_REF_MAX = 64, XD_NOTE_MAX = 256, XD_ACCOUNTS_MAX = 16 };
enum { XD_CREDIT_UNKNOWN = 500, XD_CREDIT_MAX = 1000 };

struct xd_range {
    int64_t min, max; /* tenths of a degree Celsius */
};

struct xd_accounts {
    uint32_t count;
    struct xd_str at[XD_ACCOUNTS_MAX];
};

struct xd_order {
    uint64_t given; /* bit per enum xd_field_id: written by the owner, not a default */
    int64_t side, kind, fill, confirm;
    struct xd_str ref;
    int64_t valid_until; /* s; the default is filled in */
    int64_t hold_s;
    int64_t min_credit;
    uint64_t features; /* bits of features.h, as written (not closed under implication) */
    struct xd_accounts only, never;
    int64_t currency; /* xd_currency(); the market's if left out */
    struct xd_str note;
    int64_t amount[XD_DIMS]; /* 0 where not given */
    int64_t min_part;
    struct xd_place from, to, at;
    int64_t max_detour_m, radius_m;
    int64_t available_from, available_until; /* s */
    int64_t speed;                           /* tenths of km/h */
    int64_t pickup_from, pickup_until, deliver_until;
    int64_t load_min, unload_min;
    int64_t from_day, until_day; /* days; until_day exclusive */
    struct xd_range temp;        /* meaningful only if given */
    int64_t base, max_price;     /* hundredths */
    int64_t per_t_km, per_detour_km, per_unit_day, per_access_km; /* 1e-4; per_unit_day is per pallet or per m2 */
};

/* What an installation fixes when it is first initialised. */
struct xd_market {
    int64_t currency;
    int32_t road_factor_e4;
};

/* Three capital letters, packed; 0 if they are not. */
int64_t xd_currency(const char *text, size_t len);
void xd_currency_format(int64_t currency, char out[static 4]);

/* The dimension that a kind is counted in (and `min_part` is in): trucks and cold storage pallets, warehouses m2. */
enum xd_dim xd_main_dim(enum xd_kind kind);

/* Reads an order from a msgpack map of field names (what a client sends), fills in defaults and checks everything
 * that can be known from the order alone: fields, types, ranges, windows, validity. `account` inside the map is not a
 * field; the caller takes it out or refuses it (an unknown field). Strings in `*out` point into `map`'s. On failure
 * `*error` names the field, what was given and what is allowed; `*out` is unspecified. */
bool xd_order_read(const msgpack_object *map, const struct xd_market *market, struct xd_order *out,
                   struct xd_error *error);

/* The order with field names and decimals, as a client would write it (defaults that the owner did not write are left
 * out): a msgpack map. */
void xd_order_write(const struct xd_order *order, struct xd_buf *out);

/* The ledger's form: a map of field tags, in the table's order, to integers in the table's units; what was not given
 * is left out, but valid_until and currency, which are always there (their tag plus 64 where they were not given).
 * Canonical: equal orders give equal bytes. */
void xd_order_pack(const struct xd_order *order, struct xd_buf *out);

/* The most bytes that an order packs to: 256 of note, 64 of ref, two lists of 16 names of 64, some 45 numbers. */
enum { XD_ORDER_PACKED_MAX = 4096 };

/* Back from the ledger's form, the order as it was packed; strings point into `object`. False if it was not made by
 * xd_order_pack from an order that xd_order_read would pass: every range and check holds afterwards. */
bool xd_order_unpack(const msgpack_object *object, struct xd_order *out);

/* 128 bits over what the owner wrote (not over defaults): equal for a retry of the same order. */
struct xd_digest {
    uint64_t high, low;
};
struct xd_digest xd_order_digest(const struct xd_order *order);

/* 1..64 of A-Za-z0-9._:- */
bool xd_ref_valid(struct xd_str ref);

/* 1..64 of A-Za-z0-9._:@- , the rule for accounts. */
bool xd_account_valid(struct xd_str account);

#endif

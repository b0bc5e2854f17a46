/* An amendment: new values for some fields of an order that is there. Which fields may be amended, and in which direction
 * that makes the order easier to match, the field table says (xd_field.amend). */
#ifndef XD_CORE_AMEND_H
#define XD_CORE_AMEND_H

#include "core/order.h"

struct xd_amendment {
    struct xd_order to; /* the new values; `to.given` says of which fields, nothing else in it means anything */
    uint64_t removed;   /* bit per enum xd_field_id: fields taken out of the order, whose defaults then hold */
};

/* What came of an amendment that was not refused; noted beside its outcome (output.h). */
enum xd_amended {
    XD_AMENDED_NOTHING, /* the order was as the amendment wants it already */
    XD_AMENDED_KEPT,    /* it only became easier to match, or no different: it keeps its age */
    XD_AMENDED_LOST,    /* it became harder to match: it is as old as if it had come in now */
};

/* Reads an amendment from a msgpack map of field names: a value to set it, nil to take it out. The pairs `id`, `ref` and
 * `account`, which say what is amended, are passed over. Strings point into the map's. Checks all that can be known
 * without the order; on failure `*error` names the field, what was given and what is allowed. */
bool xd_amendment_read(const msgpack_object *map, struct xd_amendment *out, struct xd_error *error);

/* With field names and decimals, as a client would write it, nil for what is taken out; only the fields of `which`. */
void xd_amendment_write(const struct xd_amendment *amendment, uint64_t which, struct xd_buf *out);

/* The ledger's form: a map of field tags, in the table's order, to values or nil. Canonical, as an order's. */
void xd_amendment_pack(const struct xd_amendment *amendment, struct xd_buf *out);

/* Back again; strings point into `object`. False if it is not one. */
bool xd_amendment_unpack(const msgpack_object *object, struct xd_amendment *out);

/* The order as amended, with all the checks of xd_order_read; a `valid_until` that the owner did not write follows the end
 * of its window. Strings point to where those of `order` and of the amendment do. False: `*error` says why, `*out` is
 * unspecified. */
bool xd_order_amend(const struct xd_order *order, const struct xd_amendment *amendment, struct xd_order *out,
                    struct xd_error *error);

/* Which fields of an order the other one has otherwise, or has written where this one has a default: a bit each. */
uint64_t xd_order_changes(const struct xd_order *order, const struct xd_order *other);

/* How much harder or easier to match an order has become: each change is looked at by itself. */
struct xd_ease {
    bool easier, harder;
};
struct xd_ease xd_order_ease(const struct xd_order *before, const struct xd_order *after);

#endif

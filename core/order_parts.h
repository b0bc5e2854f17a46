/* How order.c and order_codec.c read and check an order: steps of xd_order_read, not for use elsewhere. */
#ifndef XD_CORE_ORDER_PARTS_H
#define XD_CORE_ORDER_PARTS_H

#include "core/schema.h"

/* Where a field's value is kept. Which of the two is right follows from field->type. */
static inline int64_t *xd_order_int(struct xd_order *order, const struct xd_field *field)
{
    return (int64_t *)(void *)((char *)order + field->offset);
}

static inline const void *xd_order_at(const struct xd_order *order, const struct xd_field *field)
{
    return (const char *)order + field->offset;
}

/* Reads one field's value as clients write it: its type, shape and range. Nothing is stored on failure. */
bool xd_value_read(const struct xd_field *field, const msgpack_object *value, struct xd_order *out,
                   struct xd_error *error);

/* How one value is written: as clients do, and in the ledger's form. `at`: xd_order_at. */
void xd_value_write(struct xd_buf *out, const struct xd_field *field, const void *at);
void xd_value_pack(struct xd_buf *out, const struct xd_field *field, const void *at);

/* A value back from the ledger's form; false if it is not of its field's type and range. */
bool xd_value_unpack(const struct xd_field *field, const msgpack_object *value, struct xd_order *out);

/* Fail with what a client is told of a field that there is not (in `owner`, "a truck offer"), or not in orders of this
 * column. */
bool xd_field_unknown(const msgpack_object_str *name, const char *owner, struct xd_error *error);
bool xd_field_misplaced(const struct xd_field *field, enum xd_column column, struct xd_error *error);

/* Whether all that such an order must have is given. */
bool xd_order_complete(const struct xd_order *order, enum xd_column column, struct xd_error *error);

/* Fills in the table's defaults of what was not given (`given` says). */
void xd_order_default(struct xd_order *order);

/* The default and latest `valid_until`: the end of the order's window, in seconds. */
int64_t xd_order_end(const struct xd_order *order);

/* The checks that take more than one field, on an order that has all its fields and defaults. */
bool xd_order_check(const struct xd_order *order, struct xd_error *error);

#endif

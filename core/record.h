/* What is appended to a partition's log: one record is one command. Time is not in it: the ledger stamps each record
 * as it takes it, and gives it back beside the record. */
#ifndef XD_CORE_RECORD_H
#define XD_CORE_RECORD_H

#include "core/amend.h"

#define XD_RECORD_TYPES(X)                                                                                        \
    X(ORDER, "order")               /* account, order_id, credit (the poster's), order */                         \
    X(AMEND, "amend")               /* account, order_id, amendment */                                            \
    X(CANCEL, "cancel")             /* account, order_id */                                                       \
    X(CANCEL_MATCH, "cancel_match") /* account, match_id */                                                       \
    X(ACCEPT, "accept")             /* account, match_id */                                                       \
    X(DECLINE, "decline")           /* account, match_id */                                                       \
    X(COMPLETE, "complete")         /* account, match_id */                                                       \
    X(NO_SHOW, "no_show")           /* account, match_id */                                                       \
    X(CREDIT, "credit")             /* account, credit (the new score) */                                         \
    X(TICK, "tick")                 /* nothing: time alone */

enum xd_record_type {
#define X(id, name) XD_RECORD_##id,
    XD_RECORD_TYPES(X)
#undef X
    XD_RECORD_TYPE_COUNT
};

struct xd_record {
    enum xd_record_type type;
    struct xd_str account;
    uint64_t order_id;
    uint64_t match_id;
    int64_t credit;
    union {
        struct xd_order order;
        struct xd_amendment amendment;
    };
};

const char *xd_record_type_name(enum xd_record_type type);

/* A msgpack map {"type", "account", "id" or "match", "credit", "order", "changes"}, of which each type has what is said above;
 * ids are integers, orders and changes are in their ledger form. */
void xd_record_pack(const struct xd_record *record, struct xd_buf *out);

/* Back again; strings point into `object`. False if it is not a record. */
bool xd_record_unpack(const msgpack_object *object, struct xd_record *out);

/* The record as people and programs read it (`crossdock log`): field names and decimals, ids in text. A msgpack map. */
void xd_record_write(const struct xd_record *record, struct xd_buf *out);

#endif

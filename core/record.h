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
    X(TICK, "tick")                 /* nothing: time alone */                                                     \
    /* Between partitions (docs/CLUSTER.md): these have the head of struct xd_message_head. */                    \
    X(GHOST, "ghost")               /* account, order_id, credit, version, ask, barred, plan, order */            \
    X(GHOST_GONE, "ghost_gone")     /* order_id */                                                                \
    X(CLAIMS, "claims")             /* order_id (of the ghost), version, round, full, claims */                   \
    X(ANSWERS, "answers")           /* order_id (of the ghost), round, answers */                                 \
    X(MATCH_STATE, "match_state")   /* match_id, version, state, give_from, reopens */                            \
    X(WITHDRAW, "withdraw")         /* match_id, rollback */                                                      \
    X(SYNC, "sync")                 /* nothing */                                                                 \
    X(SYNC_MATCH, "sync_match")     /* order_id, match_id, version, ghost_id, give_from, until, answers */        \
    X(SYNC_END, "sync_end")         /* nothing */                                                                 \
    X(GENERATION, "generation")     /* generation; no head: the owner's own */

enum xd_record_type {
#define X(id, name) XD_RECORD_##id,
    XD_RECORD_TYPES(X)
#undef X
    XD_RECORD_TYPE_COUNT
};

/* Who sent a message, in which session (the generations of sender and receiver), and its number there: 1, 2, 3 ... */
struct xd_message_head {
    uint64_t from; /* partition */
    uint64_t from_gen, to_gen;
    uint64_t seq;
};

struct xd_record {
    enum xd_record_type type;
    struct xd_str account;
    uint64_t order_id;
    uint64_t match_id;
    int64_t credit;
    struct xd_message_head head;
    uint64_t version, round, ghost_id, generation;
    int64_t state;     /* enum xd_match_state */
    int64_t give_from; /* day from which on storage is given back (0: nothing is), or taken ... */
    int64_t until;     /* ... up to this one */
    bool ask, full, reopens, rollback;
    struct xd_str plan;    /* packed: a truck's plan as a snapshot has it; of storage, what is open */
    struct xd_str barred;  /* packed: an array of order ids */
    struct xd_str claims;  /* claims packed one behind the other (claim.h) */
    struct xd_str answers; /* the same of answers */
    union {
        struct xd_order order;
        struct xd_amendment amendment;
    };
};

/* Whether records of the type come from another partition, with a head. */
bool xd_record_is_message(enum xd_record_type type);

const char *xd_record_type_name(enum xd_record_type type);

/* A msgpack map of "type" and what each type has by the list above, under the names there (ids of orders are "id", of matches
 * "match"); ids are integers, orders and changes are in their ledger form, what is packed is a bin. */
void xd_record_pack(const struct xd_record *record, struct xd_buf *out);

/* Back again; strings point into `object`. False if it is not a record. */
bool xd_record_unpack(const msgpack_object *object, struct xd_record *out);

/* The record as people and programs read it (`crossdock log`): field names and decimals, ids in text. A msgpack map. */
void xd_record_write(const struct xd_record *record, struct xd_buf *out);

#endif

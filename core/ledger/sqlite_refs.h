/* The refs that the table on disk does not have yet, and the ids that may be appended. On the event base's
 * thread.
 *
 *   reserved   given out, not appended yet: given up after a minute, or when too many wait
 *   appended   its record is on its way to the disk, and it with it
 *   stored     durable beside its record, not folded into the table yet (sqlite_fold.h)
 *   retried    in the table already: its order may be appended again, which stores no ref
 *
 * By id all are found; by ref all but the last. A ref past its time is known until it is folded, if it closed
 * since the last fold. */
#ifndef XD_CORE_LEDGER_SQLITE_REFS_H
#define XD_CORE_LEDGER_SQLITE_REFS_H

#include "core/ledger/sqlite_fingerprints.h"
#include "core/order.h"

enum xd_reservation_state { XD_REF_RESERVED, XD_REF_APPENDED, XD_REF_STORED, XD_REF_RETRIED };

struct xd_reservation {
    struct xd_reservation *next_by_id, *next_by_ref;
    struct xd_reservation *older, *newer; /* among those that can be given up; newer: among stored ones */
    uint64_t id;
    uint64_t fingerprint;
    struct xd_digest digest;
    int64_t given_ms;  /* monotonic clock */
    const void *batch; /* that stores it, once appended and gathered and until stored */
    uint64_t serial;   /* of that batch, once stored */
    enum xd_reservation_state state;
    bool by_ref; /* found by ref */
    bool freed;  /* refused within the batch that would have stored it */
    bool closed; /* closed likewise */
    uint8_t account_len, ref_len;
    char account[XD_ACCOUNT_MAX];
    char ref[XD_REF_MAX];
};

static inline struct xd_str xd_reservation_account(const struct xd_reservation *r)
{
    return (struct xd_str){.at = r->account, .len = r->account_len};
}

static inline struct xd_str xd_reservation_ref(const struct xd_reservation *r)
{
    return (struct xd_str){.at = r->ref, .len = r->ref_len};
}

struct xd_refs {
    struct xd_reservation **by_id, **by_ref;
    struct xd_reservation *oldest, *newest;
    uint32_t waiting;                                  /* in the list from oldest to newest */
    uint32_t pending;                                  /* reserved, appended or stored */
    struct xd_reservation *first_stored, *last_stored; /* in the order of their batches */
    struct xd_fingerprints durable;
};

bool xd_refs_init(struct xd_refs *refs);
void xd_refs_free(struct xd_refs *refs);

struct xd_reservation *xd_refs_find(const struct xd_refs *refs, struct xd_str account, struct xd_str ref,
                                    uint64_t fingerprint);
struct xd_reservation *xd_refs_find_id(const struct xd_refs *refs, uint64_t id);

/* Makes a reservation, reserved or retried. NULL without memory. */
struct xd_reservation *xd_refs_add(struct xd_refs *refs, enum xd_reservation_state state,
                                   struct xd_str account, struct xd_str ref, struct xd_digest digest,
                                   uint64_t id);

/* From reserved to appended. */
void xd_refs_append(struct xd_refs *refs, struct xd_reservation *reservation);

/* No longer found, neither by id nor by ref: its order was refused, in a batch that is not durable yet. */
void xd_refs_hide(struct xd_refs *refs, struct xd_reservation *reservation);

/* An appended one is given up. */
void xd_refs_drop(struct xd_refs *refs, struct xd_reservation *reservation);

/* The batch of an appended one is durable: it is stored, or dropped if freed. */
void xd_refs_store(struct xd_refs *refs, struct xd_reservation *reservation, uint64_t serial);

/* Those of batches up to `serial` are in the table. */
void xd_refs_folded(struct xd_refs *refs, uint64_t serial);

/* The batches that hid stored ones have failed: they are found again. */
void xd_refs_show_stored(struct xd_refs *refs);

/* Gives up those reserved and not appended. */
void xd_refs_give_up_reserved(struct xd_refs *refs);

#endif

/* The refs that are not on disk yet, and the ids that may be appended. On the event base's thread.
 *
 *   reserved   given out, not appended yet: given up after a minute, or when too many wait
 *   appended   its record is on its way to the disk, and it with it
 *   retried    on disk already: its order may be appended again, which stores no ref
 *
 * By id all three are found; by ref the first two. */
#ifndef XD_CORE_LEDGER_SQLITE_REFS_H
#define XD_CORE_LEDGER_SQLITE_REFS_H

#include "core/ledger/sqlite_fingerprints.h"
#include "core/order.h"

enum xd_reservation_state { XD_REF_RESERVED, XD_REF_APPENDED, XD_REF_RETRIED };

struct xd_reservation {
    struct xd_reservation *next_by_id, *next_by_ref;
    struct xd_reservation *older, *newer; /* among those that can be given up; not of appended ones */
    uint64_t id;
    uint64_t fingerprint;
    struct xd_digest digest;
    int64_t given_ms;  /* monotonic clock */
    const void *batch; /* that stores it, once appended and gathered */
    enum xd_reservation_state state;
    bool by_ref;   /* found by ref */
    bool replaces; /* a ref on disk that is past its time may be in the way */
    bool replaced; /* and it was */
    bool freed;    /* refused within the batch that would have stored it */
    bool closed;   /* closed likewise */
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
    uint32_t waiting; /* in the list from oldest to newest */
    uint32_t pending; /* reserved or appended */
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

/* No longer found, neither by id nor by ref: its order was refused. */
void xd_refs_hide(struct xd_refs *refs, struct xd_reservation *reservation);

/* An appended one is on disk (unless freed) or given up: drops it. */
void xd_refs_finish(struct xd_refs *refs, struct xd_reservation *reservation, bool durable);

/* Gives up those reserved and not appended. */
void xd_refs_give_up_reserved(struct xd_refs *refs);

#endif

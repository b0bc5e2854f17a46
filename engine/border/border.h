/* Matching across the borders of partitions, as its own files see it: docs/CLUSTER.md is the protocol.
 *
 *      home of a spread order (P)                      a partition of its cover (Q)
 *        spread.c   announces, gathers                   ghost.c    the copy in the book, and what it takes
 *        image.c    the orders that claims bring         native.c   what is put aside, and mirrors of matches
 *        decide.c   who is taken, and the answers
 *
 *      past.c   matches that have ended     reconcile.c   after a loss nothing is matched, until ...
 *      sync.c   what both sides list then   lost.c        ... what had ended is taken over
 *
 *      peer.c   sessions and numbers      border.c   what arrives, what leaves      border_snapshot.c   the
 * state in bytes
 *
 * All of it hangs on engine->border, NULL where there is one partition only. Slots of other partitions'
 * orders (ghosts and images) are in no table and no list of the engine: this code alone makes and unmakes
 * them. */
#ifndef XD_ENGINE_BORDER_H
#define XD_ENGINE_BORDER_H

#include "core/claim.h"
#include "core/cover.h"
#include "engine/state.h"

struct xd_peer {
    uint32_t gen; /* of the other partition, as far as it is known */
    uint64_t sent, seen;
    uint64_t ended; /* number of the last end of a match that it was told; these rise over generations */
    uint64_t kept;  /* the same, as it was when this generation began: what was told after that is lost */
    uint64_t heard; /* number of the last that it told */
};

/* --- at the home of a spread order
 * ------------------------------------------------------------------------------------------ */

/* A claim that waits for its answer. */
struct xd_kept {
    struct xd_kept *next;
    uint64_t ghost; /* the spread order's id */
    uint64_t round, version;
    int64_t surplus;       /* counted on */
    struct xd_slot *image; /* NULL: the answer is no */
    uint8_t range;         /* who claims */
};

struct xd_kept_list {
    struct xd_kept *first, *last;
};

struct xd_spread {
    uint64_t id;
    struct xd_deadline deadline; /* of the gathering */
    uint64_t version;            /* last announced */
    uint64_t asked_version;      /* at which the gathering asked */
    uint64_t terms_version; /* since which its terms are as they are: what older claims put aside may be other
                               days */
    uint64_t cover;         /* ranges, its home among them */
    uint64_t known;         /* ranges that have a ghost */
    uint64_t behind;        /* of these, who has not been told the version */
    uint64_t full;          /* of these, who had no room for what it was told last */
    uint64_t asked;         /* ranges whose reply is missing */
    uint64_t terms, state;  /* hashes of what the version has */
    struct xd_oval extent;  /* for which `cover` was last worked out */
    struct xd_kept_list kept;
    bool gathering, ask, amended;
    bool dirty; /* to be looked at when the record has been applied */
};

/* --- in a partition of its cover
 * -------------------------------------------------------------------------------------------- */

struct xd_round_claim {
    uint64_t native;
    int64_t surplus;
    int64_t amount[XD_DIMS];
    int32_t part;
};

struct xd_round {
    uint64_t number, version;
    int32_t from_day, until_day; /* storage: the ghost's days */
    uint32_t count;
    bool doubtful; /* of a session that is over: its answer may have been lost */
    struct xd_round_claim claims[XD_CLAIMS_MAX];
};

/* Idle: `slot` is in the book. Busy: `round` is open and the latest state is kept packed; it has no slot. */
struct xd_ghost {
    uint64_t id;
    uint64_t version; /* of the latest state */
    uint64_t age;
    struct xd_slot *slot;
    struct xd_round *round;
    uint8_t *state; /* a packed `ghost` record */
    uint32_t state_len;
    uint32_t refused_count, refused_room;
    uint64_t *refused; /* natives that were answered no at this version: not claimed again until it rises */
    bool asked;        /* a reply is due in this record */
    bool gone;         /* to be dropped when the round ends */
    bool stale;        /* its home has not named it in the list that it is sending (sync.c) */
};

/* A match of a native that lives at the ghost's home. */
struct xd_mirror {
    uint64_t id; /* of the match */
    uint64_t native, ghost;
    struct xd_mirror *next; /* of the native */
    int64_t amount[XD_DIMS];
    int32_t part, from_day, until_day;
    uint8_t state; /* enum xd_match_state: proposed or confirmed */
    bool stale;    /* as of a ghost */
};

/* What a point order has to do with ghosts; it has one only while it has open claims or mirrors. */
struct xd_native {
    uint64_t id;
    uint32_t claims; /* open */
    bool cancel_wanted, lapse_due;
    struct xd_mirror *first, *last;
};

struct xd_told_state {
    uint64_t match;
    uint64_t number; /* of an end */
    int64_t give_from;
    uint8_t range, state;
    bool reopens;
};

/* A match that has ended, at home here or in told.range, which has the other order. */
struct xd_past {
    struct xd_told_state told;
    uint64_t native, ghost;
    int64_t part, amount[XD_DIMS];
    int32_t from_day, until_day; /* storage */
};

enum { XD_PAST_MAX = 4096 };

/* --- all of it
 * ---------------------------------------------------------------------------------------------------------------
 */

struct xd_border {
    struct xd_layout layout;
    uint16_t first;      /* partition of this kind: that of range 0 */
    uint16_t own;        /* range */
    uint32_t generation; /* of this partition */
    uint64_t rounds;     /* numbered so far */
    struct xd_peer peers[XD_RANGES_MAX];
    struct xd_table spreads, ghosts, natives, mirrors;
    struct xd_past *past; /* a ring of XD_PAST_MAX; NULL until a match over a border has ended */
    uint64_t past_count;  /* ever put into it */
    uint64_t awaited;     /* ranges that have not told yet what they know, after a loss: nothing is matched */
    struct xd_buf lost;   /* struct xd_past, at most XD_PAST_MAX: what orders here have yet to make up for */

    /* Of the record that is being applied. */
    uint64_t first_match;             /* number of the first match that it may make */
    uint64_t first_round;             /* and of the first round that it may open */
    const struct xd_spread *deciding; /* whose claims are being treated ... */
    bool alone;                       /* ... over them alone, not over the book too */
    struct xd_kept_list decided;      /* to be answered */
    struct xd_buf dirty;              /* uint64_t: spread orders to be looked at */
    struct xd_buf states;             /* struct xd_told_state */
    struct xd_buf replies;            /* struct xd_reply: rounds opened, and empty ones */
    struct xd_buf withdrawals;        /* uint64_t: matches */
};

struct xd_reply {
    uint64_t ghost, version;
    bool empty, full;
};

static inline uint64_t xd_range_bit(unsigned range)
{
    return UINT64_C(1) << range;
}

/* Whether an order is the side that has an extent. */
static inline bool xd_is_spread(const struct xd_slot *slot)
{
    return (slot->kind == XD_TRUCK) == (slot->side == XD_OFFER);
}

/* Whether this partition has lost writes, and not heard yet from all others what they know of them. */
static inline bool xd_reconciles(const struct xd_border *border)
{
    return border->awaited;
}

static inline bool xd_has_ended(int64_t match_state)
{
    return match_state != XD_MATCH_PROPOSED && match_state != XD_MATCH_CONFIRMED;
}

/* Whether something of an order is open to matching. */
static inline bool xd_is_open(const struct xd_slot *slot)
{
    return slot->side == XD_OFFER ? slot->ended == XD_LIVE : slot->open > 0;
}

/* border.c */
bool xd_border_create(struct xd_engine *engine);
void xd_border_free(struct xd_engine *engine);
/* Tells the native's home what became of a match. */
void xd_border_tell_state(struct xd_engine *engine, const struct xd_told_state *told);
/* A slot of another partition's order: out of the book, freed at the end of the record. */
void xd_border_bury(struct xd_engine *engine, struct xd_slot *slot);

/* peer.c */

/* The range of a partition of this kind, or -1. */
int xd_peer_range(const struct xd_border *border, uint64_t partition);
/* The range that an order or match of another partition is at home in. */
unsigned xd_home_range(const struct xd_border *border, uint64_t id);
/* Whether a message is the next of its session: it counts as seen then. */
bool xd_peer_take(struct xd_border *border, const struct xd_message_head *head);
/* Numbers the end of a match that a range is told of. */
uint64_t xd_peer_next_end(struct xd_border *border, unsigned range);
/* Sends a record to a range: gives it its head and appends it to the output. */
void xd_peer_send(struct xd_engine *engine, unsigned range, struct xd_record *message);

/* spread.c */

/* Whether an order that is to be treated gathers first: announced to its cover, and out of the book. */
bool xd_spread_gathers(struct xd_engine *engine, struct xd_slot *slot);
struct xd_spread *xd_spread_find(const struct xd_engine *engine, uint64_t id);
void xd_spread_close(struct xd_engine *engine, struct xd_spread *spread);
/* After a loss: it is as if it had never been announced. */
void xd_spread_hold(struct xd_engine *engine, struct xd_spread *spread);
/* What became of an order in this record: tells its cover. */
void xd_spread_tell(struct xd_engine *engine, struct xd_spread *spread);
void xd_spread_take_claims(struct xd_engine *engine, const struct xd_record *record);

/* ghost_state.c: a ghost's state, as it is sent, kept and built from */
void xd_ghost_pack(const struct xd_slot *slot, uint64_t version, const struct xd_ghost *ghost,
                   struct xd_buf *out);
/* The packed plan of a truck, or what is open. */
void xd_state_pack(const struct xd_slot *slot, struct xd_buf *out);
/* Makes the slot of a ghost anew from its state. False if it is malformed or without memory. */
bool xd_ghost_build(struct xd_engine *engine, struct xd_ghost *ghost, const struct xd_record *state);
/* The same from what was packed. */
bool xd_ghost_rebuild(struct xd_engine *engine, struct xd_ghost *ghost, const uint8_t *bytes, size_t len);
/* Keeps packed bytes as the latest state. */
bool xd_ghost_keep(struct xd_engine *engine, struct xd_ghost *ghost, const uint8_t *bytes, size_t len);
void xd_ghost_forget_state(struct xd_engine *engine, struct xd_ghost *ghost);

/* Sends the state that was last announced to one range again. */
void xd_spread_repeat(struct xd_engine *engine, struct xd_spread *spread, unsigned range);
/* What a range had claimed is forgotten, and no reply any more: it will claim again. */
void xd_spread_forget_claims(struct xd_engine *engine, struct xd_spread *spread, unsigned range);

/* decide.c */

/* Treats an order over the claims it has kept (and its own book, unless `alone`), and sets them down to be
 * answered. */
void xd_decide(struct xd_engine *engine, struct xd_spread *spread, struct xd_slot *slot, bool alone);
/* All kept claims are to be answered no. */
void xd_refuse_kept(struct xd_engine *engine, struct xd_spread *spread);
/* The ranges that get answers of this order in this record. */
uint64_t xd_answered(const struct xd_border *border, uint64_t ghost);
void xd_kept_add(struct xd_kept_list *list, struct xd_kept *kept);
void xd_kept_free(struct xd_engine *engine, struct xd_kept_list *list);
void xd_send_answers(struct xd_engine *engine);

/* image.c: the copy of a native that a claim brings */
struct xd_slot *xd_image_create(struct xd_engine *engine, const struct xd_claim *claim);
/* The order of a match that is an image, or NULL. */
struct xd_slot *xd_image_of(const struct xd_deal *deal);
void xd_withdraw_match(struct xd_engine *engine, const struct xd_record *record);

/* ghost.c */
void xd_ghost_take(struct xd_engine *engine, const struct xd_record *record);
void xd_ghost_take_gone(struct xd_engine *engine, const struct xd_record *record);
void xd_ghost_treat(struct xd_engine *engine, struct xd_slot *slot);
void xd_ghost_take_answers(struct xd_engine *engine, const struct xd_record *record);
void xd_send_claims(struct xd_engine *engine);
/* A session begins anew: claims that its home has not said yes to are answered no, and a stale ghost goes. */
void xd_ghost_conclude(struct xd_engine *engine, struct xd_ghost *ghost);

/* native.c */
struct xd_native *xd_native_find(const struct xd_engine *engine, uint64_t id);
/* The one of an order, made if need be; NULL without memory. */
struct xd_native *xd_native_of(struct xd_engine *engine, uint64_t id);
/* Puts the part of a claim aside. */
void xd_native_put_aside(struct xd_engine *engine, struct xd_slot *slot, const struct xd_round *round,
                         const struct xd_round_claim *claim);
/* The answer to a claim: gives back what was not taken; a yes leaves a mirror. */
void xd_native_answered(struct xd_engine *engine, const struct xd_ghost *ghost, uint32_t index,
                        const struct xd_answer *answer);
/* A match that this partition has lost: as much is put aside again, and a mirror made. False if there is not
 * as much. */
bool xd_native_find_again(struct xd_engine *engine, const struct xd_record *listed,
                          const struct xd_answer *match);
/* Its home lists it with that state. */
void xd_mirror_listed(struct xd_engine *engine, struct xd_mirror *mirror, int64_t state);
/* Its home has lost the match: gives back, and tells the native's account. */
void xd_mirror_roll_back(struct xd_engine *engine, struct xd_mirror *mirror);
/* So much more of an order is confirmed. */
void xd_count_confirmed(struct xd_engine *engine, struct xd_slot *slot, int32_t part);
/* Whether its end waits for answers. */
bool xd_native_waits(const struct xd_engine *engine, const struct xd_slot *slot);
/* All answers of the record are in: what waited for them goes on. */
void xd_native_go_on(struct xd_engine *engine, uint64_t id);
/* Adds a mirror at the end of its native's. */
bool xd_mirror_enter(struct xd_engine *engine, struct xd_native *native, struct xd_mirror *mirror);
void xd_mirror_take_state(struct xd_engine *engine, struct xd_mirror *mirror, const struct xd_record *record);
void xd_send_withdrawals(struct xd_engine *engine);

/* report.c: its match was lost by the partition that had it; of the other side it is known only which order
 * that was. */
void xd_report_lost(struct xd_engine *engine, const struct xd_slot *native, const struct xd_mirror *mirror);

/* past.c: matches that have ended */
void xd_past_add(struct xd_engine *engine, const struct xd_past *past);
/* Whether a match is known to have ended, be it of what is lost. */
bool xd_past_contains(const struct xd_border *border, uint64_t match);
/* In a new session: each that the range had an order in, and its end; what is lost as well. */
void xd_past_tell(struct xd_engine *engine, unsigned range);
void xd_past_pack(const struct xd_border *border, struct xd_buf *out);
bool xd_past_unpack(struct xd_border *border, const msgpack_object *object);

/* lost.c: matches that have ended, of which this partition has lost everything */

/* Another lists one. */
void xd_lost_note(struct xd_engine *engine, const struct xd_record *listed, const struct xd_answer *match);
/* One that lives cannot be taken over, and is to end: it may end otherwise before that is heard. */
void xd_lost_withdraw(struct xd_engine *engine, const struct xd_record *listed,
                      const struct xd_answer *match);
/* The range begins anew, and lists again those that live. */
void xd_lost_forget_withdrawn(struct xd_engine *engine, unsigned range);
/* How it ended. False if it is none of them. */
bool xd_lost_take_state(struct xd_engine *engine, const struct xd_record *record);
/* Takes of the orders that are here what such matches had of them; what they had of others is kept until
 * those come in again. */
void xd_lost_settle(struct xd_engine *engine);
void xd_lost_pack(const struct xd_border *border, struct xd_buf *out);
bool xd_lost_unpack(struct xd_border *border, const msgpack_object *object);

/* reconcile.c: after a loss nothing is matched until all others have told what they know */
void xd_reconcile_begin(struct xd_engine *engine);
/* A range has told all. */
void xd_reconcile_with(struct xd_engine *engine, unsigned range);

/* sync.c: generations */
/* Lists a match; `about` has its orders and days. */
void xd_sync_tell_match(struct xd_engine *engine, unsigned range, const struct xd_record *about,
                        const struct xd_answer *match);
void xd_sync_generation(struct xd_engine *engine, uint64_t generation);
/* Whether a `sync` opens a session, which has then begun from this side too. */
bool xd_sync_opens(struct xd_engine *engine, const struct xd_message_head *head);
void xd_sync_begin(struct xd_engine *engine, unsigned range);
void xd_sync_take_match(struct xd_engine *engine, const struct xd_record *record);
/* What became of a match, told by its home; or, of one that is at home here, by the other side. */
void xd_sync_take_state(struct xd_engine *engine, const struct xd_record *record);
void xd_sync_end(struct xd_engine *engine, unsigned range);

/* The blocks of a table by id; the caller frees them. NULL without memory. */
void **xd_border_sorted(const struct xd_table *table);

/* border_snapshot.c: the state as a snapshot has it */
struct xd_border_counts {
    uint64_t spreads, ghosts, natives;
};
static inline uint64_t xd_border_count(const struct xd_border_counts *counts)
{
    return counts->spreads + counts->ghosts + counts->natives;
}

/* What goes into the header: sessions and counts. */
void xd_border_pack_header(const struct xd_border *border, struct xd_buf *out);
bool xd_border_unpack_header(struct xd_border *border, const msgpack_object *object,
                             struct xd_border_counts *out);
/* Spread orders, ghosts and natives, one object each, by id; nothing without borders. With `sum`: their
 * hashes added up, and `out` as it was. */
void xd_border_pack(const struct xd_engine *engine, struct xd_buf *out, uint64_t *sum);
/* The object of that number back. */
bool xd_border_unpack(struct xd_engine *engine, const struct xd_border_counts *counts, uint64_t number,
                      const msgpack_object *object);
void xd_pack_image(const struct xd_slot *image, struct xd_buf *out);
struct xd_slot *xd_unpack_image(struct xd_engine *engine, const msgpack_object *object);

#endif

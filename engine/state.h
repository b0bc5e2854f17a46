/* What the engine holds, as its own files see it. Nothing outside matcher/ includes this. */
#ifndef XD_ENGINE_STATE_H
#define XD_ENGINE_STATE_H

#include "core/event.h"
#include "engine/engine.h"
#include "engine/fit/calendar.h"
#include "engine/fit/fit.h"
#include "engine/fit/plan.h"
#include "engine/index/tree.h"
#include "engine/snapshot/mark.h"
#include "engine/table.h"

#include <assert.h>
#include <stddef.h>

struct xd_slot;
struct xd_deal;
struct xd_books;
struct xd_slices;
struct xd_border;

/* --- deadlines (deadlines.c) ----------------------------------------------------------------------------------------------- */

/* Deadlines of one second are carried out in this order, then by age. */
enum xd_deadline_class { XD_DEADLINE_HOLD, XD_DEADLINE_ORDER, XD_DEADLINE_COMPLETION, XD_DEADLINE_GATHER };

struct xd_deadline {
    int64_t when; /* s */
    uint64_t age;
    uint32_t index; /* in the heap, 1 and up; 0: not in it */
    uint8_t class;
};

/* Orders and matches begin with their id and have their deadline behind it, so that tables and the heap need no more than a
 * link to the block. */
enum { XD_ID_AT = 0, XD_DEADLINE_AT = sizeof(uint64_t) };

/* `about` decides nearly always, without a look at the block. */
struct xd_deadline_cell {
    uint32_t about; /* when, in steps of 2 s from XD_TIME_MIN, within its range */
    xd_link block;
};

struct xd_deadlines {
    const struct xd_pool *pool; /* of the blocks; set by the owner before first use */
    struct xd_deadline_cell *heap; /* [1..count] */
    uint32_t count, room;
};

bool xd_deadlines_set(struct xd_deadlines *deadlines, struct xd_deadline *deadline, int64_t when);
void xd_deadlines_remove(struct xd_deadlines *deadlines, struct xd_deadline *deadline);
/* The next one due, left where it is, or NULL. */
struct xd_deadline *xd_deadlines_first(const struct xd_deadlines *deadlines);

/* --- accounts (accounts.c) ------------------------------------------------------------------------------------------------- */

/* A name that orders mention, counted; its orders are listed in the order in which they came. */
struct xd_account {
    struct xd_account *next; /* in its bucket */
    uint64_t hash;
    uint32_t mentions;
    uint32_t len;
    struct xd_deal *first_deal, *last_deal; /* by id, linked through deal->party[side] */
    xd_link first_order, last_order;        /* linked through slot->mine */
    char name[];
};

struct xd_accounts_table {
    struct xd_pool *pool; /* of the accounts; set by the owner before first use */
    struct xd_account **buckets;
    uint32_t bucket_count, count;
};

/* Finds or adds, counting one mention more. NULL without memory. */
struct xd_account *xd_account_mention(struct xd_accounts_table *table, struct xd_str name);
void xd_account_forget(struct xd_accounts_table *table, struct xd_account *account);
struct xd_account *xd_account_find(const struct xd_accounts_table *table, struct xd_str name);

/* --- orders ---------------------------------------------------------------------------------------------------------------- */

enum xd_ended { XD_LIVE, XD_ENDED_CANCELLED, XD_ENDED_EXPIRED, XD_ENDED_DROPPED };

/* An order of this partition; or the copy of one of another's, which rests here or stands in a match (border.h). */
enum xd_role { XD_ROLE_OWN, XD_ROLE_GHOST, XD_ROLE_IMAGE };

struct xd_slot_links {
    xd_link before, after;
};

/* Offers that a request is not to be paired with again, by id; those that were there when the last was added. */
struct xd_barred {
    uint32_t count, room;
    uint64_t offers[];
};

struct xd_truck_offer {
    struct xd_truck truck;
    struct xd_plan plan;
    struct xd_place from, to;
    int64_t base, per_t_km, per_detour_km;
};

struct xd_storage_offer {
    struct xd_unit_vector at;
    struct xd_calendar *calendar; /* NULL until something is taken */
    int64_t base, per_unit_day;
    struct xd_place place; /* `at` as it was written */
    int32_t from_day, until_day;
};

struct xd_storage_request {
    struct xd_unit_vector at;
    int64_t per_access_km;
    struct xd_place place; /* `at` as it was written */
    int32_t radius_m, from_day, until_day;
};

/* One order of the book. Its block is as long as its kind and side need: of the union it has its own member only, and behind
 * that what few orders have or what is of no fixed length:
 *
 *      [struct xd_slot .. its member][accounts of `only`, then `never`][amounts beside the main one][ref][note]
 *
 * Numbers are as wide as their range in the field table asks for. What the order's owner wrote can be told from it, to the
 * last default: terms.c. */
enum { XD_SLOT_GIVEN_BITS = 44, XD_SLOT_NOTE_BITS = 9, XD_SLOT_REF_BITS = 7, XD_SLOT_ATP_BITS = 4 };

struct xd_slot {
    uint64_t id;
    union {
        struct xd_deadline lapse;
        struct {
            int64_t valid_until; /* lapse.when */
            uint64_t age;        /* lapse.age */
        };
    };
    struct xd_mark mark;
    struct xd_account *account;
    struct xd_deal *first_deal;   /* of those that live; linked through deal->party[side] */
    struct xd_barred *barred;     /* requests (while it is tried, what_if.c, an offer too); NULL: none */
    uint64_t features;            /* offers: closed under implication */
    uint64_t given : XD_SLOT_GIVEN_BITS; /* as in struct xd_order */
    uint64_t note_len : XD_SLOT_NOTE_BITS;
    uint64_t ref_len : XD_SLOT_REF_BITS;
    uint64_t atp : XD_SLOT_ATP_BITS; /* the classes among its features, as written */
    int64_t max_price;               /* requests */
    struct xd_place_in_tree place; /* in its book, while it rests */
    struct xd_slot_links everybody, mine; /* all orders, the account's: as they came */
    uint64_t entered; /* rises along these lists, as the age does not where amendments have cost it; not saved */
    int32_t currency;
    int32_t whole; /* of the main dimension */
    int32_t open, confirmed; /* requests: the whole = open + confirmed + what is proposed + what is closed */
    int32_t min_part;
    int32_t hold_s;
    int16_t credit, min_credit;
    struct xd_band temp;
    uint8_t side, kind, fill;
    uint8_t confirm : 1;
    uint8_t role : 2; /* enum xd_role */
    bool aside : 1;   /* kept out of the book: it gathers, or is to end when its claims are answered (border.h) */
    uint8_t ended;    /* enum xd_ended */
    uint8_t only_count, never_count;
    uint8_t dims : 5;   /* bit per dimension that it states */
    bool has_temp : 1;
    bool grown : 1;     /* waits to be treated */
    bool dead : 1;      /* freed at the end of the record */

    union {
        struct xd_truck_offer truck_offer;
        struct xd_load truck_request; /* ids of matches not filled in */
        struct xd_storage_offer storage_offer;
        struct xd_storage_request storage_request;
    };
};

/* --- matches --------------------------------------------------------------------------------------------------------------- */

struct xd_deal_links {
    struct xd_deal *before, *after; /* of the order */
    struct xd_deal *account_before, *account_after;
};

/* A match that is proposed or confirmed. */
struct xd_deal {
    uint64_t id;
    struct xd_deadline deadline; /* hold while proposed, completion once confirmed */
    struct xd_mark mark;
    uint64_t group; /* the id of the first part of one all_now proposal; its own otherwise */
    struct xd_slot *order[XD_SIDES];
    struct xd_deal_links party[XD_SIDES];
    struct xd_deal *before, *after; /* all, by id */
    uint8_t state;                  /* enum xd_match_state */
    bool accepted[XD_SIDES];
    int32_t part; /* in the main dimension */
    int64_t amount[XD_DIMS];
    int64_t quote, price, surplus, access, km_m, added_m;
    int64_t hold_until;
    int64_t planned_end; /* s: when it is unloaded, or its last day ends */
};

static_assert(offsetof(struct xd_slot, id) == XD_ID_AT && offsetof(struct xd_deal, id) == XD_ID_AT, "see XD_ID_AT");
static_assert(offsetof(struct xd_slot, lapse) == XD_DEADLINE_AT && offsetof(struct xd_deal, deadline) == XD_DEADLINE_AT,
              "see XD_DEADLINE_AT");
static_assert(offsetof(struct xd_slot, mark) == XD_MARK_AT && offsetof(struct xd_deal, mark) == XD_MARK_AT, "see XD_MARK_AT");

/* --- the engine ------------------------------------------------------------------------------------------------------------ */

struct xd_interval {
    uint64_t first, last;
};

/* Which order numbers have been seen: sorted, disjoint, never touching. */
struct xd_seen {
    struct xd_interval *intervals;
    uint32_t count, room;
};

struct xd_engine {
    struct xd_engine_options options;
    int64_t now;
    uint64_t next_age, next_match;
    uint64_t next_entered;
    bool failed; /* memory ran out: the state is not to be trusted */
    struct xd_output *output;

    struct xd_pool pool; /* of orders, matches, accounts, plans and calendars */
    struct xd_table orders, deals; /* by id */
    struct xd_accounts_table accounts;
    struct xd_books *books;
    struct xd_deadlines deadlines;
    struct xd_seen seen;
    xd_link first_order, last_order; /* linked through slot->everybody */
    struct xd_deal *first_deal, *last_deal;
    uint64_t order_count, deal_count, proposal_count;

    struct xd_slot **grown; /* what waits to be treated */
    uint32_t grown_count, grown_room;
    xd_link graveyard; /* linked through everybody.after */

    struct xd_unhashed *unhashed; /* kept for the state's hash, which changes nothing else */
    struct xd_slices *slices;     /* a snapshot under way, or NULL */
    struct xd_border *border;     /* border.h; NULL where there is one partition only */
};

/* seen.c */
bool xd_seen_contains(const struct xd_seen *seen, uint64_t number);
bool xd_seen_add(struct xd_seen *seen, uint64_t number);

/* slices.c: snapshots made in slices. Keeps aside how it was, if the snapshot under way has yet to come to it. */
void xd_slices_keep_order(struct xd_engine *engine, struct xd_slot *slot);
void xd_slices_keep_match(struct xd_engine *engine, struct xd_deal *deal);
/* It is about to be taken from its place in the list of all: the walk goes on behind it. */
void xd_slices_pass_order(struct xd_engine *engine, const struct xd_slot *slot);
/* Another block takes its place in the list of all. */
void xd_slices_replace_order(struct xd_engine *engine, xd_link was, xd_link is);
void xd_slices_pass_match(struct xd_engine *engine, const struct xd_deal *deal);

/* border.c: the order may have changed, to tell other partitions of it. */
void xd_border_touch(struct xd_engine *engine, const struct xd_slot *slot);

/* To be called before anything changes that the snapshot says of an order or match: every time, it costs next to nothing. */
static inline void xd_touch_order(struct xd_engine *engine, struct xd_slot *slot)
{
    if (slot->role != XD_ROLE_OWN) return;
    if (engine->slices) xd_slices_keep_order(engine, slot);
    if (!xd_mark_change(engine->unhashed, &slot->mark)) engine->failed = true;
    if (engine->border) xd_border_touch(engine, slot);
}

static inline void xd_touch_match(struct xd_engine *engine, struct xd_deal *deal)
{
    if (engine->slices) xd_slices_keep_match(engine, deal);
    if (!xd_mark_change(engine->unhashed, &deal->mark)) engine->failed = true;
}

/* snapshot.c: what a snapshot says */
void xd_pack_plan(const struct xd_plan *plan, struct xd_buf *out);
bool xd_unpack_plan(struct xd_engine *engine, struct xd_slot *truck_offer, const msgpack_object *object);
/* The ids of barred orders, back into a slot that has none. */
bool xd_unpack_barred(struct xd_engine *engine, struct xd_slot *slot, const msgpack_object *object);
void xd_pack_terms(const struct xd_slot *slot, struct xd_buf *out);
void xd_pack_header(const struct xd_engine *engine, struct xd_buf *out);
void xd_pack_order(const struct xd_slot *slot, struct xd_buf *out);
void xd_pack_match(const struct xd_deal *deal, struct xd_buf *out);

/* slot.c: making and unmaking orders */

/* The order of a link; NULL of 0. */
static inline struct xd_slot *xd_slot_at(const struct xd_engine *engine, xd_link link)
{
    return xd_pool_at(&engine->pool, link);
}

struct xd_slot *xd_slot_create(struct xd_engine *engine, const struct xd_order *order, struct xd_str account, uint64_t id,
                               int64_t credit);
void xd_slot_destroy(struct xd_engine *engine, struct xd_slot *slot);
/* Enters it everywhere but in its book and among the deadlines. */
bool xd_slot_enter(struct xd_engine *engine, struct xd_slot *slot);
void xd_slot_leave(struct xd_engine *engine, struct xd_slot *slot);
/* Of a storage offer: the least that is free of a stated dimension over [from, until), within its days; the most that is free
 * of the main one on any day. */
int64_t xd_slot_free(const struct xd_slot *storage_offer, enum xd_dim dim, int64_t from, int64_t until);
int64_t xd_slot_most_free(const struct xd_slot *storage_offer);
/* Of a storage offer: the first and last day, from `day` on, on which anything is taken; false if there is none. */
bool xd_slot_taken(const struct xd_slot *storage_offer, int64_t day, int64_t *first, int64_t *last);
/* Takes from a storage offer, or gives back to it, as its calendar does. False without memory. */
bool xd_slot_take(struct xd_engine *engine, struct xd_slot *storage_offer, const int64_t amount[XD_DIMS], int64_t from,
                  int64_t until);
bool xd_slot_give(struct xd_engine *engine, struct xd_slot *storage_offer, const int64_t amount[XD_DIMS], int64_t from,
                  int64_t until);
bool xd_slot_barred(const struct xd_slot *request, uint64_t offer_id);
/* Makes room for so many barred offers, no fewer than there are. False without memory. */
bool xd_slot_bar_room(struct xd_engine *engine, struct xd_slot *request, uint32_t room);
void xd_slot_bar(struct xd_engine *engine, struct xd_slot *request, uint64_t offer_id);
/* The same for an order that was never entered, of either side, and is not barred yet. False without memory. */
bool xd_slot_bar_tried(struct xd_engine *engine, struct xd_slot *order, uint64_t other_id);
/* Puts `fresh`, made of the amended order, its age set and not entered yet, in the place of `slot`, with its matches and what
 * is kept of it beside the order; `slot` is destroyed. False without memory. */
bool xd_slot_replace(struct xd_engine *engine, struct xd_slot *slot, struct xd_slot *fresh);
enum xd_order_state xd_slot_state(const struct xd_slot *slot);

/* terms.c: what an order's owner wrote, in the block that is kept of it */

/* How long a block for the order must be. */
size_t xd_terms_size(const struct xd_order *order);
/* Fills in all that follows from the order, but the accounts that it mentions, in a block that is all zero else. */
void xd_terms_set(struct xd_slot *slot, const struct xd_order *order, int32_t road_factor_e4);
/* The order back; its strings are the slot's and its accounts'. */
void xd_slot_order(const struct xd_slot *slot, struct xd_order *out);
struct xd_str xd_slot_ref(const struct xd_slot *slot);
struct xd_str xd_slot_note(const struct xd_slot *slot);
/* `only_count` accounts, then `never_count`; both counts together. */
struct xd_account **xd_slot_mentioned(const struct xd_slot *slot);
uint32_t xd_slot_mentions(const struct xd_slot *slot);
/* What it has or needs in a dimension; 0 where it states none. */
int64_t xd_slot_amount(const struct xd_slot *slot, enum xd_dim dim);
/* A copy of an order to be changed and judged, and no more: it has no ref and no note, and shares plan, calendar and barred orders
 * with the order that it was made from. */
struct xd_slot_copy {
    struct xd_slot slot;
    char behind[2 * XD_ACCOUNTS_MAX * sizeof(struct xd_account *) + XD_DIMS * sizeof(int64_t)];
};
void xd_slot_copy(struct xd_slot_copy *to, const struct xd_slot *slot);
/* Changes the amount of a copy, in a dimension that it states. */
void xd_slot_set_amount(struct xd_slot *copy, enum xd_dim dim, int64_t amount);

/* book.c: the orders that rest, and the search over them. How they are kept is that file's own affair. */
struct xd_books *xd_books_create(const struct xd_engine_options *options);
void xd_books_destroy(struct xd_books *books);
/* Whether an order rests: open, live, and not one that takes what there is now or nothing. */
bool xd_rests(const struct xd_slot *slot);
/* Enters an order that rests and is not in its book, takes out one that is and does not, and takes notice of what changed of
 * one that stays: what is open of it, its plan, its calendar. To be called after every change. */
void xd_book_update(struct xd_engine *engine, struct xd_slot *slot);
/* Enters all orders that rest, into books that are empty: at the end of a load. False without memory. */
bool xd_books_fill(struct xd_engine *engine);
/* The resting counterpart with the greatest surplus, the older on a tie; NULL if none fits. */
struct xd_slot *xd_book_best(struct xd_engine *engine, const struct xd_slot *incoming, struct xd_candidate *best);
/* Calls `visit` for the resting counterparts whose places lie within the reach of `incoming` and `spare_m` metres more, whatever
 * else stands against them; a few beyond may be among them. The nearest come first; at most `limit` of each shelf. False if
 * there may be more, or there was no memory. Changes nothing. */
bool xd_book_visit(struct xd_engine *engine, const struct xd_slot *incoming, double spare_m, uint32_t limit,
                   void (*visit)(void *arg, const struct xd_slot *resting), void *arg);
uint64_t xd_book_count(const struct xd_engine *engine, enum xd_kind kind, enum xd_side side);

/* deal.c: matches */
bool xd_deal_enter(struct xd_engine *engine, struct xd_deal *deal);
void xd_deal_leave(struct xd_engine *engine, struct xd_deal *deal);
struct xd_deal *xd_deal_next(const struct xd_deal *deal, const struct xd_slot *of);

/* treat.c: rule 9 and 12 */
void xd_treat(struct xd_engine *engine, struct xd_slot *slot);
/* The same for an order that does not gather over a border first, or has done so. */
void xd_treat_now(struct xd_engine *engine, struct xd_slot *slot);
void xd_treat_grown(struct xd_engine *engine);
void xd_grow(struct xd_engine *engine, struct xd_slot *slot);

/* life.c: what ends orders and matches */
void xd_settle_order(struct xd_engine *engine, struct xd_slot *slot);
void xd_lapse_due(struct xd_engine *engine);
enum xd_code xd_cancel_order(struct xd_engine *engine, const struct xd_record *record);
enum xd_code xd_end_match(struct xd_engine *engine, const struct xd_record *record);
enum xd_code xd_accept_match(struct xd_engine *engine, const struct xd_record *record);
void xd_confirm(struct xd_engine *engine, struct xd_deal *deal);
/* A match is planned to end then (s): its unloading has moved. */
void xd_plan_end(struct xd_engine *engine, struct xd_deal *deal, int64_t planned_end);

/* amend.c: new terms for an open order. *note: enum xd_amended, if it was not refused. */
enum xd_code xd_amend_order(struct xd_engine *engine, const struct xd_record *record, unsigned *note);
/* amend_held.c: whether live matches keep what they have if `before` becomes `after`, an order that passes all checks of its
 * own. False: *error names the first field of the table by which they would not, with what is allowed. */
bool xd_amend_keeps_matches(const struct xd_engine *engine, const struct xd_slot *slot, const struct xd_order *before,
                            const struct xd_order *after, struct xd_error *error);

/* The part of a match that ended is open again, unless its order has ended meanwhile. */
void xd_reopen(struct xd_engine *engine, struct xd_slot *request, int32_t part);
/* Withdraws what is open and proposed of an order. */
void xd_withdraw_order(struct xd_engine *engine, struct xd_slot *slot);
/* Its time has come: what is open of it is closed. */
void xd_lapse_order(struct xd_engine *engine, struct xd_slot *slot);
struct xd_deal *xd_first_proposal(const struct xd_slot *slot);
/* The home of the order that stands on side `by` asks for its end: a proposal is declined, a match that it lost is rolled back. */
void xd_end_withdrawn(struct xd_engine *engine, struct xd_deal *deal, enum xd_side by, bool rollback);
/* Its end was lost here; the image's home was told of it, and tells it again. */
void xd_end_again(struct xd_engine *engine, struct xd_deal *deal, enum xd_match_state state, bool reopens);

/* Matching across borders (border.h): none of these does anything where there is one partition. */

/* Before a record: what is noted of the one before is forgotten. After it: what other partitions are to be told is sent. */
void xd_border_begin(struct xd_engine *engine);
void xd_border_flush(struct xd_engine *engine);
enum xd_code xd_border_apply(struct xd_engine *engine, const struct xd_record *record);
/* Whether nothing is matched: writes were lost, and other partitions have not told yet what they know of
 * them. */
bool xd_border_reconciles(const struct xd_engine *engine);
/* An order has come in, and is to be treated next. It may be over already: what a match had of it may be all
 * that is left of an earlier life. */
void xd_border_entered(struct xd_engine *engine, struct xd_slot *slot);
/* Whether an order that is to be treated is not to be treated now. */
bool xd_border_defers(struct xd_engine *engine, struct xd_slot *slot);
/* As xd_book_best; over claims while they are decided. */
struct xd_slot *xd_border_best(struct xd_engine *engine, const struct xd_slot *incoming, struct xd_candidate *best);
/* The best is a ghost: puts the part of the native aside and claims. */
void xd_border_claim(struct xd_engine *engine, struct xd_slot *native, struct xd_slot *ghost,
                     const struct xd_candidate *candidate);
/* Whether an order has claims open or matches elsewhere, and so must stay. */
bool xd_border_holds(const struct xd_engine *engine, const struct xd_slot *slot);
bool xd_border_claimed(const struct xd_engine *engine, const struct xd_slot *slot);
/* Widens the days first..last, where there are `any`, to those of its matches elsewhere; whether there are
 * any then. */
bool xd_border_days(const struct xd_engine *engine, const struct xd_slot *slot, bool any, int64_t *first,
                    int64_t *last);
/* Whether its lapse, or its cancellation, waits for answers. */
bool xd_border_delays_lapse(struct xd_engine *engine, struct xd_slot *slot);
bool xd_border_delays_cancel(struct xd_engine *engine, struct xd_slot *slot);
/* Whether it has proposals elsewhere; asks for their end. */
bool xd_border_proposed(const struct xd_engine *engine, const struct xd_slot *slot);
void xd_border_withdraw(struct xd_engine *engine, const struct xd_slot *slot);
void xd_border_confirmed(struct xd_engine *engine, const struct xd_deal *deal);
void xd_border_ended(struct xd_engine *engine, const struct xd_deal *deal, int64_t give_from, bool reopens);
/* A copy has nothing to stay for any more. */
void xd_border_settle(struct xd_engine *engine, struct xd_slot *copy);
/* An order has new terms. */
void xd_border_amended(struct xd_engine *engine, const struct xd_slot *slot);
void xd_border_gathered(struct xd_engine *engine, struct xd_deadline *deadline);

/* report.c: events */
void xd_report_order(struct xd_engine *engine, const struct xd_slot *slot, enum xd_event_type type, const char *reason);
void xd_report_amended(struct xd_engine *engine, const struct xd_slot *slot, const struct xd_amendment *amendment,
                       uint64_t changes, bool kept_priority);
void xd_report_rejected(struct xd_engine *engine, const struct xd_record *record, enum xd_code code);
void xd_report_match(struct xd_engine *engine, const struct xd_deal *deal, enum xd_event_type type, const char *by,
                     const char *reason);
void xd_report_moved(struct xd_engine *engine, struct xd_slot *truck_offer, const struct xd_deal *except);
void xd_view_order(const struct xd_slot *slot, struct xd_order_view *view);
/* `stops` has room for XD_PLAN_STOPS_MAX. */
void xd_view_match(const struct xd_deal *deal, enum xd_side to, struct xd_match_view *view, struct xd_stop_view *stops);

#endif

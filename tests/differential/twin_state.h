/* What the twin holds, for its own files and for the generator of random commands, which aims at what exists.
 */
#ifndef XD_TESTS_DIFFERENTIAL_TWIN_STATE_H
#define XD_TESTS_DIFFERENTIAL_TWIN_STATE_H

#include "core/event.h"
#include "tests/differential/twin.h"
#include "tests/differential/twin_calendar.h"
#include "tests/differential/twin_plan.h"

enum twin_ended { TWIN_LIVE, TWIN_CANCELLED, TWIN_EXPIRED, TWIN_DROPPED };

struct twin_order {
    uint64_t id, age;
    struct xd_order order; /* its strings are in `text` */
    struct xd_str account;
    char *text;
    int64_t credit;
    enum twin_ended ended;
    int64_t dropped; /* requests: what `now` and `all_now` let go, never open again */
    bool grown;
    struct twin_match **matches; /* requests: all that it ever had, owned */
    uint32_t match_count;
    struct twin_truck truck; /* truck offers */
    struct twin_plan plan;
    struct twin_calendar calendar; /* storage offers */
};

struct twin_match {
    uint64_t id, group, offer_id;
    struct twin_order *offer, *request; /* `offer` only while the match lives */
    enum xd_match_state state;
    bool accepted[XD_SIDES];
    enum xd_side by;    /* who cancelled it */
    const char *reason; /* why it was declined */
    int64_t part, amount[XD_DIMS];
    int64_t quote, surplus, access, km_m, added_m, hold_until;
};

struct xd_twin {
    struct xd_twin_options options;
    int64_t now;
    int64_t reached; /* the deadline that is being carried out (those before it have been), else INT64_MAX */
    uint64_t next_age, next_match;
    struct xd_output *output;
    struct twin_order **orders; /* that it holds, as they came */
    uint32_t order_count;
    struct twin_match **matches; /* proposed or confirmed, by id */
    uint32_t match_count;
    uint64_t *seen; /* numbers of all orders that it ever took */
    uint32_t seen_count;
    uint64_t told[XD_EVENT_TYPE_COUNT]; /* events of each type, counted for people to see */
    struct twin_order **gone;           /* freed after the record */
    uint32_t gone_count;
};

/* A pair that fits, as it would be matched. */
struct twin_candidate {
    struct twin_order *offer, *request;
    int64_t quote, surplus, access, km_m, added_m, part, amount[XD_DIMS];
    struct twin_insertion insertion;
};

/* twin.c: what there is, and what can be counted from it */
struct twin_order *twin_find_order(const struct xd_twin *twin, uint64_t id);
struct twin_match *twin_find_match(const struct xd_twin *twin, uint64_t id);
bool twin_is_seen(const struct xd_twin *twin, uint64_t number);
int64_t twin_whole(const struct twin_order *order);   /* the amount as written, of the main dimension */
int64_t twin_open(const struct twin_order *request);  /* of it: what is free to match */
int64_t twin_bound(const struct twin_order *request); /* of it: in matches that are confirmed or completed */
bool twin_is_open(const struct twin_order *order);    /* may still take something */
enum xd_order_state twin_order_state(const struct twin_order *order);
/* The order is from now on what `new` says. */
void twin_rewrite(const struct xd_twin *twin, struct twin_order *order, const struct xd_order *new);
/* The order leaves when nothing of it is open and no match of it lives. */
void twin_settle(struct xd_twin *twin, struct twin_order *order);

/* twin_fit.c: rules 2, 6, 7 and 8; of the request what `remaining` says */
bool twin_fit(const struct xd_twin *twin, struct twin_order *offer, struct twin_order *request,
              int64_t remaining, struct twin_candidate *out);

/* twin_treat.c: rules 9 and 12 */
void twin_treat(struct xd_twin *twin, struct twin_order *order);
void twin_treat_grown(struct xd_twin *twin);

/* twin_life.c: rules 10, 11 and 13 */
void twin_confirm(struct xd_twin *twin, struct twin_match *match);
void twin_carry_out_deadlines(struct xd_twin *twin);
enum xd_code twin_cancel_order(struct xd_twin *twin, const struct xd_record *record);
enum xd_code twin_accept(struct xd_twin *twin, const struct xd_record *record);
enum xd_code twin_end(struct xd_twin *twin, const struct xd_record *record);
bool twin_begun(const struct xd_twin *twin, const struct twin_match *match);

/* twin_amend.c; *note: enum xd_amended */
enum xd_code twin_amend(struct xd_twin *twin, const struct xd_record *record, unsigned *note);

/* twin_report.c: events */
void twin_report_amended(struct xd_twin *twin, const struct twin_order *order,
                         const struct xd_amendment *amendment, uint64_t changes, bool kept_priority);
void twin_report_order(struct xd_twin *twin, const struct twin_order *order, enum xd_event_type type,
                       const char *reason);
void twin_report_rejected(struct xd_twin *twin, const struct xd_record *record, enum xd_code code);
void twin_report_match(struct xd_twin *twin, struct twin_match *match, enum xd_event_type type,
                       const char *by, const char *reason);
/* To the requesters of a truck's other loads whose times have changed since they were last told. */
void twin_report_moved(struct xd_twin *twin, struct twin_order *offer, const struct twin_match *except);

#endif

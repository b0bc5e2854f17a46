/* The stations of a process, one a partition, and the member that decides what they do: its decisions are
 * carried out, and it is told what came of them. What lies beyond the stations (the others of the cluster,
 * what runs beside an owner, the time) is the process's. The simulation runs exactly this. */
#ifndef XD_MATCHER_CREW_H
#define XD_MATCHER_CREW_H

#include "matcher/member.h"
#include "matcher/station.h"

/* Seats count from 0, as the member has them. */
struct xd_crew_events {
    int64_t (*now_ms)(void *arg); /* of a clock that does not go back */
    void (*turn)(void *arg);      /* xd_crew_turn is to be called: soon, not from within this */
    void (*warm)(void *arg, uint16_t seat, bool warm); /* or NULL */
    void (*owning)(void *arg, uint16_t seat);
    void (*lost)(void *arg, uint16_t seat, enum xd_code code); /* what it owned */
    /* As an owner is told (owner.h), before `lost`; or NULL. */
    void (*differs)(void *arg, uint16_t seat, uint64_t records, uint64_t events, uint64_t committed);
    void (*release)(void *arg, uint16_t seat); /* ends what runs beside the owner, and releases the station */
    void (*hurry)(void *arg, uint16_t seat);   /* the try for the lease that is under way */
    void (*want)(void *arg, uint16_t seat);    /* the others are to hear that it is wanted here */
    void *arg;
};

struct xd_crew_options {
    uint64_t id;                     /* the member's */
    uint16_t count;                  /* of seats, at most XD_MEMBER_PARTITIONS_MAX */
    struct xd_engine_options engine; /* its partition is seat 0, and the next are the others */
    uint64_t snapshot_every;
    struct xd_crew_events events;
};

struct xd_crew {
    struct xd_crew_options options;
    struct xd_member member;
    struct xd_station *stations[XD_MEMBER_PARTITIONS_MAX];
};

/* False without memory; xd_crew_stop and xd_crew_free end it in either case. One that is all zeros has no
 * seats: the others do nothing with it. */
bool xd_crew_init(struct xd_crew *crew, struct event_base *base, struct xd_ledger *ledger,
                  const struct xd_crew_options *options);

/* Does all that the member has decided by now. */
void xd_crew_turn(struct xd_crew *crew);

/* Before the ledger is closed, and after. */
void xd_crew_stop(struct xd_crew *crew);
void xd_crew_free(struct xd_crew *crew);

#endif

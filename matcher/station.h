/* A member's work at one partition: the follower, the try for the lease, the owner. Does the steps that
 * member.h decides, and tells what became of them. */
#ifndef XD_MATCHER_STATION_H
#define XD_MATCHER_STATION_H

#include "matcher/owner.h"

struct event_base;
struct xd_station;

/* All come from the event loop, never from within a call of the station. `differs` comes before `lost`. */
struct xd_station_events {
    void (*warm)(void *arg, uint16_t partition, bool warm);
    void (*acquired)(void *arg, uint16_t partition); /* the lease; what is left of the log follows */
    void (*owning)(void *arg, uint16_t partition);   /* all is applied: records flow */
    void (*refused)(void *arg, uint16_t partition, enum xd_code code); /* the try */
    void (*lost)(void *arg, uint16_t partition, enum xd_code code);    /* the lease */
    /* As an owner is told (owner.h), before `lost`. */
    void (*differs)(void *arg, uint16_t partition, uint64_t records, uint64_t events, uint64_t committed);
    void *arg;
};

struct xd_station_options {
    struct xd_engine_options engine;
    uint64_t snapshot_every;
    struct xd_station_events events;
};

/* NULL without memory. */
struct xd_station *xd_station_create(struct event_base *base, struct xd_ledger *ledger,
                                     const struct xd_station_options *options);

/* Follows the log; after a loss it goes on where the owner had come to. */
void xd_station_follow(struct xd_station *station);

/* Ends that, and forgets what it had. */
void xd_station_unfollow(struct xd_station *station);
void xd_station_acquire(struct xd_station *station);

/* Gives the lease back once the commits that were sent are stored, and takes no further records. */
void xd_station_release(struct xd_station *station);

/* As of the owner; NULL and 0 where there is none. */
struct xd_engine *xd_station_engine(const struct xd_station *station);
uint64_t xd_station_position(const struct xd_station *station);

/* To be called before the ledger is closed; it is freed by xd_station_free after that. No event comes any
 * more. */
void xd_station_stop(struct xd_station *station);
void xd_station_free(struct xd_station *station);

#endif

/* What a member of the cluster does about each partition (docs/CLUSTER.md, Members and Leases): pure
 * decisions. Lists of members, answers and times are told to it; it says what is to be done next. It touches
 * no socket and no clock, so that the simulation runs exactly this.
 *
 *            FOLLOW                ACQUIRE, and the lease is got
 *    EMPTY ---------> FOLLOWING --------------------------------> OWNING
 *      ^  <---------    ^                                            | RELEASE: another is to have it and is
 * warm, |    UNFOLLOW    |  lost the lease                            |          or this member leaves |
 * `--------------------------------------------|
 *      `------------------------------- RELEASING <------------------'
 *
 * A follower that is to own tries to acquire, again and again (a try ends when another's lease does, or was
 * renewed); so does the standby once it is warm, which thereby takes over at the end of a dead owner's lease,
 * before anybody has missed its heartbeat. Who is to own, is warm (has applied all that is committed) and
 * does not own, says so: WANT. The owner that hears it lets go, if by its own list the other is right. So a
 * partition that moves between living members is without an owner for a few round trips only. */
#ifndef XD_MATCHER_MEMBER_H
#define XD_MATCHER_MEMBER_H

#include "core/rendezvous.h"

enum { XD_MEMBER_PARTITIONS_MAX = 192, XD_MEMBER_RETRY_MS = 500, XD_MEMBER_WRONG_MS = 10000 };

enum xd_duty { XD_DUTY_NONE, XD_DUTY_STAND_BY, XD_DUTY_OWN };
enum xd_seat_state { XD_SEAT_EMPTY, XD_SEAT_FOLLOWING, XD_SEAT_OWNING, XD_SEAT_RELEASING };

struct xd_seat {
    enum xd_seat_state state;
    enum xd_duty duty;
    bool warm;        /* the follower has applied all that is committed */
    bool acquiring;   /* a try is under way */
    bool freed;       /* it was said to be free since the last try began */
    bool said;        /* WANT was said since the last list */
    bool wanted;      /* the one that is to own it is ready */
    int64_t retry_ms; /* not before */
};

struct xd_member {
    uint64_t id;
    uint32_t partition_count;
    bool leaving;
    uint64_t owners[XD_MEMBER_PARTITIONS_MAX]; /* by the last list */
    struct xd_seat seats[XD_MEMBER_PARTITIONS_MAX];
};

enum xd_step_type {
    XD_STEP_FOLLOW,   /* begin to follow the partition's log */
    XD_STEP_UNFOLLOW, /* end it */
    XD_STEP_ACQUIRE,  /* try to get the lease; answered by _acquired or _refused */
    XD_STEP_HURRY,    /* the try under way need not wait: the lease is free */
    XD_STEP_RELEASE,  /* take no more records, finish, give the lease back; answered by _released */
    XD_STEP_WANT,     /* say that this member is ready to own the partition */
};

struct xd_step {
    enum xd_step_type type;
    uint16_t partition;
};

/* `id` is not XD_NO_MEMBER, `partition_count` at most XD_MEMBER_PARTITIONS_MAX. */
void xd_member_init(struct xd_member *member, uint64_t id, uint32_t partition_count);

/* The live members, of those that take part (not those being drained), as the last heartbeat said. More than
 * XD_MEMBERS_MAX: the list is ignored, and false. */
bool xd_member_list(struct xd_member *member, const uint64_t *members, uint32_t count);

/* What became of a step, or was heard. */
void xd_member_warm(struct xd_member *member, uint16_t partition, bool warm);
void xd_member_acquired(struct xd_member *member, uint16_t partition);
void xd_member_refused(struct xd_member *member, uint16_t partition, bool held, int64_t now_ms);
/* `wrong`: its log does not give what it gave before, and will not at once: tried again after
 * XD_MEMBER_WRONG_MS. */
void xd_member_lost(struct xd_member *member, uint16_t partition, bool wrong, int64_t now_ms);
void xd_member_released(struct xd_member *member, uint16_t partition, int64_t now_ms);
void xd_member_freed(struct xd_member *member, uint16_t partition);
void xd_member_wanted(struct xd_member *member, uint16_t partition, uint64_t by);

/* From now on everything is handed over. */
void xd_member_leave(struct xd_member *member);

/* The next thing to be done at `now_ms` (any clock that does not go back); false when there is nothing.
 * Whoever calls does it, and tells what became of it. */
bool xd_member_next(struct xd_member *member, int64_t now_ms, struct xd_step *step);

/* Nothing is owned, followed or under way. */
bool xd_member_is_out(const struct xd_member *member);

#endif

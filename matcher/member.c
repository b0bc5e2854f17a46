#include "matcher/member.h"

#include <string.h>

void xd_member_init(struct xd_member *member, uint64_t id, uint32_t partition_count)
{
    memset(member, 0, sizeof(*member));
    member->id = id;
    member->partition_count = partition_count;
}

bool xd_member_list(struct xd_member *member, const uint64_t *members, uint32_t count)
{
    uint64_t owners[XD_MEMBER_PARTITIONS_MAX], standbys[XD_MEMBER_PARTITIONS_MAX];
    if (!xd_rendezvous(members, count, member->partition_count, owners) ||
        !xd_rendezvous_standbys(members, count, member->partition_count, owners, standbys))
        return false;
    for (uint32_t i = 0; i < member->partition_count; i++) {
        struct xd_seat *seat = &member->seats[i];
        member->owners[i] = owners[i];
        seat->said = false;
        seat->wanted = seat->wanted && owners[i] != member->id;
        seat->duty = owners[i] == member->id     ? XD_DUTY_OWN
                     : standbys[i] == member->id ? XD_DUTY_STAND_BY
                                                 : XD_DUTY_NONE;
    }
    return true;
}

void xd_member_warm(struct xd_member *member, uint16_t partition, bool warm)
{
    member->seats[partition].warm = warm;
}

void xd_member_acquired(struct xd_member *member, uint16_t partition)
{
    struct xd_seat *seat = &member->seats[partition];
    seat->state = XD_SEAT_OWNING;
    seat->acquiring = seat->freed = seat->warm = seat->wanted = false;
}

void xd_member_refused(struct xd_member *member, uint16_t partition, bool held, int64_t now_ms)
{
    struct xd_seat *seat = &member->seats[partition];
    seat->acquiring = false;
    seat->retry_ms = held ? now_ms : now_ms + XD_MEMBER_RETRY_MS;
}

void xd_member_lost(struct xd_member *member, uint16_t partition, bool wrong, int64_t now_ms)
{
    struct xd_seat *seat = &member->seats[partition];
    seat->state = XD_SEAT_EMPTY;
    seat->warm = seat->wanted = false;
    if (wrong) seat->retry_ms = now_ms + XD_MEMBER_WRONG_MS;
}

void xd_member_released(struct xd_member *member, uint16_t partition, int64_t now_ms)
{
    xd_member_lost(member, partition, false, now_ms);
    member->seats[partition].retry_ms = now_ms + XD_MEMBER_RETRY_MS; /* it is another's turn */
}

void xd_member_freed(struct xd_member *member, uint16_t partition)
{
    if (partition < member->partition_count) member->seats[partition].freed = true;
}

void xd_member_wanted(struct xd_member *member, uint16_t partition, uint64_t by)
{
    if (partition >= member->partition_count || by == member->id || member->owners[partition] != by) return;
    member->seats[partition].wanted = true;
}

void xd_member_leave(struct xd_member *member)
{
    member->leaving = true;
}

static bool follow_step(const struct xd_member *member, struct xd_seat *seat, enum xd_step_type *type)
{
    bool stays = seat->duty != XD_DUTY_NONE && !member->leaving;
    if (seat->state == XD_SEAT_EMPTY && stays) {
        seat->state = XD_SEAT_FOLLOWING;
        seat->warm = false;
        *type = XD_STEP_FOLLOW;
        return true;
    }
    /* A try under way is waited for, for it may get the lease, which is then given back; but not by one that
     * leaves. */
    if (seat->state == XD_SEAT_FOLLOWING && !stays && (!seat->acquiring || member->leaving)) {
        seat->state = XD_SEAT_EMPTY;
        *type = XD_STEP_UNFOLLOW;
        return true;
    }
    return false;
}

static bool lease_step(const struct xd_member *member, struct xd_seat *seat, int64_t now_ms,
                       enum xd_step_type *type)
{
    if (seat->state == XD_SEAT_OWNING && (member->leaving || seat->wanted)) {
        seat->state = XD_SEAT_RELEASING;
        *type = XD_STEP_RELEASE;
        return true;
    }
    if (seat->state != XD_SEAT_FOLLOWING || seat->duty == XD_DUTY_NONE || member->leaving) return false;
    bool tries = seat->duty == XD_DUTY_OWN || seat->warm;
    if (tries && !seat->acquiring && now_ms >= seat->retry_ms) {
        seat->acquiring = true;
        seat->freed = false;
        *type = XD_STEP_ACQUIRE;
        return true;
    }
    /* A standby leaves a partition that was given back to the one that it was given back for. */
    if (seat->acquiring && seat->freed && seat->duty == XD_DUTY_OWN) {
        seat->freed = false;
        *type = XD_STEP_HURRY;
        return true;
    }
    if (seat->warm && seat->duty == XD_DUTY_OWN && !seat->said) {
        seat->said = true;
        *type = XD_STEP_WANT;
        return true;
    }
    return false;
}

bool xd_member_next(struct xd_member *member, int64_t now_ms, struct xd_step *step)
{
    for (uint32_t i = 0; i < member->partition_count; i++) {
        struct xd_seat *seat = &member->seats[i];
        step->partition = (uint16_t)i;
        if (follow_step(member, seat, &step->type) || lease_step(member, seat, now_ms, &step->type))
            return true;
    }
    return false;
}

bool xd_member_is_out(const struct xd_member *member)
{
    for (uint32_t i = 0; i < member->partition_count; i++)
        if (member->seats[i].state != XD_SEAT_EMPTY) return false;
    return true;
}

#include "core/rendezvous.h"

#include <xxhash.h>

static void put_u64(uint8_t *at, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint64_t weight(uint64_t member, uint32_t partition)
{
    uint8_t pair[16]; /* little-endian, so that machines of either order agree */
    put_u64(pair, member);
    put_u64(pair + 8, partition);
    return XXH3_64bits(pair, sizeof pair);
}

uint32_t xd_rendezvous_share(uint32_t member_count, uint32_t partition_count)
{
    return (uint32_t)((UINT64_C(5) * partition_count + UINT64_C(4) * member_count - 1) /
                      (UINT64_C(4) * member_count));
}

/* The member of greatest weight that has less than its share; of equal ones the greater id. */
static uint32_t choose(const uint64_t *members, uint32_t member_count, const uint32_t *loads, uint32_t share,
                       uint32_t partition)
{
    uint32_t best = member_count;
    uint64_t greatest = 0;
    for (uint32_t i = 0; i < member_count; i++) {
        if (loads[i] >= share) continue;
        uint64_t w = weight(members[i], partition);
        if (best < member_count && (w < greatest || (w == greatest && members[i] < members[best]))) continue;
        best = i;
        greatest = w;
    }
    return best;
}

bool xd_rendezvous(const uint64_t *members, uint32_t member_count, uint32_t partition_count, uint64_t *owners)
{
    uint32_t loads[XD_MEMBERS_MAX] = {0};
    if (member_count > XD_MEMBERS_MAX) return false;
    uint32_t share = member_count ? xd_rendezvous_share(member_count, partition_count) : 0;
    for (uint32_t partition = 0; partition < partition_count; partition++) {
        owners[partition] = XD_NO_MEMBER;
        if (!member_count) continue;
        uint32_t chosen = choose(members, member_count, loads, share, partition);
        loads[chosen]++;
        owners[partition] = members[chosen];
    }
    return true;
}

/* The owners as they would be without one of the members, of the partitions that it owns. */
static void stand_in(const uint64_t *members, uint32_t member_count, uint64_t without,
                     uint32_t partition_count, const uint64_t *owners, uint64_t *standbys)
{
    uint64_t rest[XD_MEMBERS_MAX];
    uint32_t loads[XD_MEMBERS_MAX] = {0}, count = 0;
    for (uint32_t i = 0; i < member_count; i++) {
        if (members[i] != without) rest[count++] = members[i];
    }
    uint32_t share = count ? xd_rendezvous_share(count, partition_count) : 0;
    for (uint32_t partition = 0; partition < partition_count; partition++) {
        uint32_t chosen = count ? choose(rest, count, loads, share, partition) : 0;
        if (count) loads[chosen]++;
        if (owners[partition] == without) standbys[partition] = count ? rest[chosen] : XD_NO_MEMBER;
    }
}

bool xd_rendezvous_standbys(const uint64_t *members, uint32_t member_count, uint32_t partition_count,
                            const uint64_t *owners, uint64_t *standbys)
{
    if (member_count > XD_MEMBERS_MAX) return false;
    for (uint32_t partition = 0; partition < partition_count; partition++) {
        standbys[partition] = XD_NO_MEMBER;
    }
    for (uint32_t i = 0; i < member_count; i++) {
        stand_in(members, member_count, members[i], partition_count, owners, standbys);
    }
    return true;
}

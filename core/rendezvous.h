/* Which member owns which partition, computed alike by all from the list of members (docs/CLUSTER.md,
 * Members).
 *
 * Rendezvous hashing (D. Thaler, C. Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998):
 * each pair of member and partition has a weight, and the greatest wins; with a bound on each member's load
 * as in V. Mirrokni, M. Thorup, M. Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2018, so that a
 * few partitions too are shared fairly. */
#ifndef XD_CORE_RENDEZVOUS_H
#define XD_CORE_RENDEZVOUS_H

#include <stdbool.h>
#include <stdint.h>

enum { XD_MEMBERS_MAX = 64, XD_NO_MEMBER = 0 };

/* How many partitions a member has at most: 1.25 of the mean, rounded up. */
uint32_t xd_rendezvous_share(uint32_t member_count, uint32_t partition_count);

/* Gives each partition its owner, a member's id. The ids are distinct and not XD_NO_MEMBER, in any order.
 * Without members every owner is XD_NO_MEMBER. False with more than XD_MEMBERS_MAX members. */
bool xd_rendezvous(const uint64_t *members, uint32_t member_count, uint32_t partition_count,
                   uint64_t *owners);

/* And its standby: who would own it if its owner, as in `owners`, were not there. XD_NO_MEMBER where there is
 * one member only. */
bool xd_rendezvous_standbys(const uint64_t *members, uint32_t member_count, uint32_t partition_count,
                            const uint64_t *owners, uint64_t *standbys);

#endif

#include "core/rendezvous.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/rng.h"

enum { PARTITIONS = 48, CLUSTERS = 2000 };

struct cluster {
    uint64_t members[XD_MEMBERS_MAX];
    uint32_t count;
    uint64_t owners[PARTITIONS];
};

static void random_cluster(struct rng *rng, uint32_t count, struct cluster *out)
{
    out->count = count;
    for (uint32_t i = 0; i < count; i++) {
        out->members[i] = rng_next(rng) | 1;
    }
    assert_true(xd_rendezvous(out->members, count, PARTITIONS, out->owners));
}

static uint32_t owned_by(const struct cluster *cluster, uint64_t member)
{
    uint32_t count = 0;
    for (uint32_t p = 0; p < PARTITIONS; p++) {
        count += cluster->owners[p] == member;
    }
    return count;
}

static void drop_member(struct cluster *cluster, uint32_t i)
{
    cluster->members[i] = cluster->members[--cluster->count];
    assert_true(xd_rendezvous(cluster->members, cluster->count, PARTITIONS, cluster->owners));
}

static void every_partition_has_one_of_the_members(void **state)
{
    (void)state;
    struct rng rng = {1};
    struct cluster cluster;
    for (uint32_t round = 0; round < CLUSTERS; round++) {
        random_cluster(&rng, (uint32_t)rng_between(&rng, 1, 12), &cluster);
        uint32_t total = 0;
        for (uint32_t i = 0; i < cluster.count; i++) {
            total += owned_by(&cluster, cluster.members[i]);
        }
        assert_int_equal(total, PARTITIONS);
    }
}

static void nobody_has_more_than_its_share(void **state)
{
    (void)state;
    assert_int_equal(xd_rendezvous_share(3, 48), 20);
    assert_int_equal(xd_rendezvous_share(5, 48), 12);
    assert_int_equal(xd_rendezvous_share(64, 48), 1);
    struct rng rng = {2};
    struct cluster cluster;
    for (uint32_t round = 0; round < CLUSTERS; round++) {
        random_cluster(&rng, (uint32_t)rng_between(&rng, 1, 12), &cluster);
        uint32_t share = xd_rendezvous_share(cluster.count, PARTITIONS);
        for (uint32_t i = 0; i < cluster.count; i++) {
            assert_in_range(owned_by(&cluster, cluster.members[i]), 0, share);
        }
    }
}

static void the_order_of_the_list_does_not_matter(void **state)
{
    (void)state;
    struct rng rng = {3};
    struct cluster cluster;
    random_cluster(&rng, 7, &cluster);
    uint64_t turned[7], owners[PARTITIONS];
    for (uint32_t i = 0; i < 7; i++) {
        turned[i] = cluster.members[(i + 3) % 7];
    }
    assert_true(xd_rendezvous(turned, 7, PARTITIONS, owners));
    assert_memory_equal(owners, cluster.owners, sizeof owners);
}

/* When one of n members goes, its own partitions must move; on the average hardly any other does. */
static void little_moves_when_a_member_goes(void **state)
{
    (void)state;
    struct rng rng = {4};
    uint64_t must = 0, moved = 0;
    for (uint32_t round = 0; round < CLUSTERS; round++) {
        struct cluster before, after;
        random_cluster(&rng, (uint32_t)rng_between(&rng, 2, 12), &before);
        after = before;
        drop_member(&after, (uint32_t)rng_between(&rng, 0, before.count - 1));
        for (uint32_t p = 0; p < PARTITIONS; p++) {
            moved += before.owners[p] != after.owners[p];
        }
        for (uint32_t p = 0; p < PARTITIONS; p++) {
            bool stays = false;
            for (uint32_t i = 0; i < after.count; i++) {
                stays |= after.members[i] == before.owners[p];
            }
            must += !stays;
        }
    }
    print_message("a member goes: %.2f moves for each that must\n", (double)moved / (double)must);
    assert_true(moved * 100 <= must * 150);
}

static void the_standby_is_who_takes_over(void **state)
{
    (void)state;
    struct rng rng = {5};
    for (uint32_t round = 0; round < 200; round++) {
        struct cluster before, after;
        uint64_t standbys[PARTITIONS];
        random_cluster(&rng, (uint32_t)rng_between(&rng, 2, 6), &before);
        assert_true(
            xd_rendezvous_standbys(before.members, before.count, PARTITIONS, before.owners, standbys));
        uint32_t gone = (uint32_t)rng_between(&rng, 0, before.count - 1);
        uint64_t member = before.members[gone];
        after = before;
        drop_member(&after, gone);
        for (uint32_t p = 0; p < PARTITIONS; p++) {
            assert_int_not_equal(standbys[p], before.owners[p]);
            if (before.owners[p] == member) assert_int_equal(standbys[p], after.owners[p]);
        }
    }
}

static void nobody_and_too_many(void **state)
{
    (void)state;
    uint64_t owners[PARTITIONS], one = 7, many[XD_MEMBERS_MAX + 1] = {0};
    assert_true(xd_rendezvous(NULL, 0, PARTITIONS, owners));
    assert_int_equal(owners[0], XD_NO_MEMBER);
    assert_true(xd_rendezvous(&one, 1, PARTITIONS, owners));
    assert_int_equal(owners[PARTITIONS - 1], 7);
    uint64_t standbys[PARTITIONS];
    assert_true(xd_rendezvous_standbys(&one, 1, PARTITIONS, owners, standbys));
    assert_int_equal(standbys[0], XD_NO_MEMBER);
    assert_false(xd_rendezvous(many, XD_MEMBERS_MAX + 1, PARTITIONS, owners));
}

/* Fixed, because members of two versions must agree. */
static void the_assignment_is_always_the_same(void **state)
{
    (void)state;
    static const uint64_t members[] = {1, 2, 3};
    uint64_t owners[16];
    assert_true(xd_rendezvous(members, 3, 16, owners));
    char text[17] = {0};
    for (uint32_t p = 0; p < 16; p++) {
        text[p] = (char)('0' + owners[p]);
    }
    assert_string_equal(text, "2222232132311111");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_partition_has_one_of_the_members),
        cmocka_unit_test(nobody_has_more_than_its_share),
        cmocka_unit_test(the_order_of_the_list_does_not_matter),
        cmocka_unit_test(little_moves_when_a_member_goes),
        cmocka_unit_test(the_standby_is_who_takes_over),
        cmocka_unit_test(nobody_and_too_many),
        cmocka_unit_test(the_assignment_is_always_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

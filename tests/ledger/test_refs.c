#include "core/ledger/sqlite_fingerprints.h"
#include "tests/ledger/cmocka_all.h"
#include "tests/ledger/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* Reserves and appends, and waits until it is durable. */
static uint64_t order(struct rig *rig, const char *ref, uint64_t digest, enum toy_wish wish)
{
    struct rig_append append;
    uint64_t id = 0;
    assert_int_equal(rig_order(rig, "acme", ref, digest, wish, &id, &append), XD_OK);
    rig_wait_answers(rig);
    assert_int_equal(append.result.code, XD_OK);
    assert_int_equal(append.result.outcome, wish == TOY_REFUSE ? XD_LAPSED : XD_OK);
    return id;
}

static int64_t ref_rows(struct rig *rig)
{
    if (rig->on_redis) {
        for (int i = 0; i < 20; i++)
            rig_turn(rig, 5); /* refs are freed after the commit */
        return atoi(redis_cli(&rig->server, "eval \"return #redis.call('KEYS', 'xd:*:r:*')\" 0"));
    }
    rig_wait_folded(rig);
    return rig_sql(rig, "SELECT count(*) FROM refs");
}

static void a_retry_gets_the_same_id_and_another_order_a_conflict(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    struct rig_append first, again;
    uint64_t id = 0, same = 0, other = 0;
    assert_int_equal(rig_order(&rig, "acme", "r1", 7, TOY_KEEP, &id, &first), XD_OK);
    assert_int_equal(id, xd_id(0, 1));
    /* while it is on its way */
    assert_int_equal(rig_order(&rig, "acme", "r1", 7, TOY_KEEP, &same, &again), XD_OK);
    assert_int_equal(same, id);
    assert_int_equal(rig_reserve(&rig, "acme", "r1", 8, &other), XD_REF_CONFLICT);
    rig_wait_answers(&rig);
    assert_int_equal(first.result.code, XD_OK);
    assert_int_equal(again.result.code, XD_OK);
    for (int restarted = 0; restarted < 2; restarted++) { /* once it is durable, and after a restart */
        assert_int_equal(order(&rig, "r1", 7, TOY_KEEP), id);
        assert_int_equal(rig_reserve(&rig, "acme", "r1", 8, &other), XD_REF_CONFLICT);
        assert_int_equal(ref_rows(&rig), 1);
        rig_restart(&rig);
    }
    assert_int_equal(rig_reserve(&rig, "other", "r1", 8, &other),
                     XD_OK); /* each account has refs of its own */
    assert_int_not_equal(other, id);
    rig_free(&rig);
}

static void order_numbers_go_on_after_a_restart(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    uint64_t last = 0;
    for (unsigned i = 0; i < 60; i++) {
        char ref[16];
        snprintf(ref, sizeof ref, "r%u", i);
        uint64_t id = order(&rig, ref, i, i % 3 ? TOY_KEEP : TOY_REFUSE);
        assert_true(id > last);
        last = id;
        if (i % 20 == 19) {
            rig_restart(&rig);
        }
    }
    if (!rig.on_redis) assert_int_equal(last, 60); /* on Redis each process has numbers of its own */
    rig_free(&rig);
}

static void a_refused_order_frees_its_ref(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    uint64_t refused = order(&rig, "r1", 1, TOY_REFUSE);
    assert_int_equal(ref_rows(&rig), 0);
    uint64_t found;
    assert_int_equal(rig_find_ref(&rig, "acme", "r1", &found), XD_NOT_FOUND);
    uint64_t id = order(&rig, "r1", 2, TOY_KEEP); /* another order under the same ref */
    assert_int_not_equal(id, refused);
    assert_int_equal(rig_find_ref(&rig, "acme", "r1", &found), XD_OK);
    assert_int_equal(found, id);
    assert_int_equal(ref_rows(&rig), 1);
    rig_free(&rig);
}

static void an_order_never_appended_leaves_its_ref_free(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    uint64_t id, other, found;
    assert_int_equal(rig_reserve(&rig, "acme", "r1", 1, &id), XD_OK);
    assert_int_equal(rig_reserve(&rig, "acme", "r1", 2, &other), XD_REF_CONFLICT); /* it may still come */
    assert_int_equal(rig_find_ref(&rig, "acme", "r1", &found), XD_NOT_FOUND);
    rig_restart(&rig);
    order(&rig, "r1", 2, TOY_KEEP);
    rig_free(&rig);
}

static void an_order_needs_a_reservation(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    struct rig_append append;
    struct toy_record record = {.number = 1, .wish = TOY_KEEP, .account = "acme", .ref = "r1"};
    rig_append(&rig, &record, 99, 0, &append);
    rig_wait_answers(&rig);
    assert_int_equal(append.result.code, XD_OVERLOADED);
    assert_int_equal(rig.state.next_record, 0);
    rig_free(&rig);
}

static void a_ref_is_kept_30_days_after_its_order_closed(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, NULL);
    uint64_t id = order(&rig, "r1", 1, TOY_CLOSE), other, found;
    rig_wait_folded(&rig);
    rig.clock_ms += 30 * DAY_MS;
    assert_int_equal(order(&rig, "r1", 1, TOY_KEEP), id);
    assert_int_equal(rig_reserve(&rig, "acme", "r1", 2, &other), XD_REF_CONFLICT);
    assert_int_equal(rig_find_ref(&rig, "acme", "r1", &found), XD_OK);
    rig.clock_ms += 1;
    assert_int_equal(rig_find_ref(&rig, "acme", "r1", &found), XD_NOT_FOUND);
    uint64_t next = order(&rig, "r1", 2, TOY_KEEP);
    assert_int_not_equal(next, id);
    assert_int_equal(ref_rows(&rig), 1);
    for (int restarted = 0; restarted < 2; restarted++) {
        assert_int_equal(order(&rig, "r1", 2, TOY_KEEP), next);
        rig_restart(&rig);
    }
    rig_free(&rig);
}

static void refs_past_their_time_are_swept(void **state)
{
    (void)state;
    enum { ORDERS = 700 };
    static struct rig_append answers[ORDERS];
    struct rig rig;
    rig_start(&rig, NULL);
    uint64_t id, other;
    for (unsigned i = 0; i < ORDERS; i++) {
        char ref[16];
        snprintf(ref, sizeof ref, "r%u", i);
        assert_int_equal(rig_order(&rig, "acme", ref, i, i % 2 ? TOY_CLOSE : TOY_KEEP, &id, &answers[i]),
                         XD_OK);
    }
    rig_wait_answers(&rig);
    assert_int_equal(ref_rows(&rig), ORDERS);
    rig.clock_ms += 30 * DAY_MS + 1000;
    for (int i = 0; i < 1000 && ref_rows(&rig) > ORDERS / 2; i++)
        rig_turn(&rig, 100);
    assert_int_equal(ref_rows(&rig), ORDERS / 2);
    rig_turn(&rig, 50); /* the news of it */
    enum xd_code code;
    assert_int_equal(xd_ledger_reserve(rig.ledger, 0, xd_str_of("acme"), xd_str_of("r1"),
                                       (struct xd_digest){0, 1}, &code, &other, NULL, NULL),
                     XD_RESERVE_NOW); /* surely absent: no look at the disk */
    assert_int_equal(code, XD_OK);
    assert_int_equal(rig_reserve(&rig, "acme", "r2", 99, &other), XD_REF_CONFLICT);
    rig_free(&rig);
}

/* The set against a plain list. */
static void fingerprints_are_a_multiset(void **state)
{
    (void)state;
    enum { STEPS = 200000, KINDS = 3000 };
    static unsigned count[KINDS];
    struct xd_fingerprints set = {0};
    uint64_t random = 88172645463325252u;
    size_t total = 0;
    for (int i = 0; i < STEPS; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        unsigned kind = (unsigned)(random % KINDS);
        uint64_t fingerprint = 1 + (uint64_t)(kind / 10) * 4096 + kind % 10; /* long runs of neighbours */
        if (random >> 60 < 8) {
            assert_true(xd_fingerprints_reserve(&set, 1));
            xd_fingerprints_add(&set, fingerprint);
            count[kind]++;
            total++;
        } else {
            xd_fingerprints_remove(&set, fingerprint);
            total -= count[kind] > 0;
            count[kind] -= count[kind] > 0;
        }
        assert_int_equal(set.count, total);
        assert_int_equal(xd_fingerprints_has(&set, fingerprint), count[kind] > 0);
    }
    for (unsigned kind = 0; kind < KINDS; kind++)
        assert_int_equal(xd_fingerprints_has(&set, 1 + (uint64_t)(kind / 10) * 4096 + kind % 10),
                         count[kind] > 0);
    xd_fingerprints_free(&set);
    assert_int_not_equal(xd_fingerprint(xd_str_of("ab"), xd_str_of("c")),
                         xd_fingerprint(xd_str_of("a"), xd_str_of("bc")));
}

/* Many retries in flight at once, over restarts, against what each ref got first. */
static void many_refs_agree(void **state)
{
    (void)state;
    enum { REFS = 300, ROUNDS = 3000 };
    static uint64_t ids[REFS];
    static struct rig_append answers[ROUNDS];
    struct rig rig;
    rig_start(&rig, NULL);
    uint64_t random = 42;
    memset(ids, 0, sizeof ids);
    for (unsigned i = 0; i < ROUNDS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned which = (unsigned)(random >> 40) % REFS;
        char ref[16];
        snprintf(ref, sizeof ref, "r%u", which);
        uint64_t id = 0, digest = which * 3 + (random >> 60 == 0); /* now and then another order */
        enum xd_code code = rig_order(&rig, "acme", ref, digest, TOY_KEEP, &id, &answers[i]);
        if (ids[which] == 0 && code == XD_OK && digest % 3 == 0)
            ids[which] = id;
        else if (digest % 3 == 0 && ids[which] != 0)
            assert_true(code == XD_OK && id == ids[which]);
        if (i % 600 == 599) {
            rig_wait_answers(&rig);
            rig_restart(&rig);
        }
    }
    rig_wait_answers(&rig);
    for (unsigned i = 0; i < ROUNDS; i++)
        assert_true(!answers[i].done || answers[i].result.code == XD_OK);
    assert_in_range(ref_rows(&rig), REFS - 5, REFS);
    rig_free(&rig);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(a_retry_gets_the_same_id_and_another_order_a_conflict),
        cmocka_unit_test(order_numbers_go_on_after_a_restart),
        cmocka_unit_test(a_refused_order_frees_its_ref),
        cmocka_unit_test(many_refs_agree),
    };
    const struct CMUnitTest embedded[] = {
        cmocka_unit_test(an_order_never_appended_leaves_its_ref_free),
        cmocka_unit_test(an_order_needs_a_reservation),
        cmocka_unit_test(a_ref_is_kept_30_days_after_its_order_closed),
        cmocka_unit_test(refs_past_their_time_are_swept),
        cmocka_unit_test(fingerprints_are_a_multiset),
    };
    if (rig_choose(argc > 1 ? argv[1] : NULL)) return cmocka_run_group_tests(both, NULL, NULL);
    return cmocka_run_group_tests(both, NULL, NULL) + cmocka_run_group_tests(embedded, NULL, NULL);
}

#include "tests/ledger/many.h"
#include "tests/ledger/cmocka_all.h"

struct rig_append answers[ANSWERS];

void append_many(struct rig *rig, unsigned from, unsigned count, size_t len)
{
    assert_in_range(from + count, 0, ANSWERS);
    for (unsigned i = from; i < from + count; i++) {
        struct toy_record record = {.number = i, .wish = TOY_KEEP, .account = "acme", .ref = "-"};
        rig_append(rig, &record, 0, len, &answers[i]);
    }
}

void assert_answers(unsigned from, unsigned count, enum xd_code code)
{
    for (unsigned i = from; i < from + count; i++)
        assert_int_equal(answers[i].result.code, code);
}

void check_whole(struct rig *rig, uint64_t records)
{
    struct toy_state replayed;
    rig_check_replay(rig, &replayed);
    assert_int_equal(replayed.next_record, records);
}

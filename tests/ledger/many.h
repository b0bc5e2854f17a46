/* Appends by the thousand, all of one account, and what came of each. */
#ifndef XD_TESTS_LEDGER_MANY_H
#define XD_TESTS_LEDGER_MANY_H

#include "tests/ledger/rig.h"

enum { ANSWERS = 6000 };
extern struct rig_append answers[ANSWERS]; /* by the number of the record */

/* Records from..from+count-1 of `len` bytes at least. */
void append_many(struct rig *rig, unsigned from, unsigned count, size_t len);

void assert_answers(unsigned from, unsigned count, enum xd_code code);

/* All `records` are stored once, and the events are theirs. */
void check_whole(struct rig *rig, uint64_t records);

#endif

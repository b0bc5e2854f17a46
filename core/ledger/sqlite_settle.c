/* Waiting until what was appended and committed is durable. Waiters are in the order of what they wait for:
 * each knows how many records and commits there had been, in all partitions, when it came. */
#include "core/ledger/sqlite_ledger.h"

#include <stdlib.h>

struct xd_settle {
    struct xd_job job;
    struct xd_settle *next;
    uint64_t appended; /* records and commits that have to be durable */
    enum xd_code code;
    xd_done_cb *callback;
    void *arg;
};

static void answer(struct xd_job *job, struct xd_sqlite *ledger)
{
    (void)ledger;
    struct xd_settle *settle = (struct xd_settle *)job;
    settle->callback(settle->arg, settle->code);
    free(settle);
}

void xd_sqlite_settle(struct xd_ledger *base, xd_done_cb *callback, void *arg)
{
    struct xd_sqlite *ledger = xd_sqlite_of(base);
    struct xd_settle *settle = malloc(sizeof *settle);
    if (!settle) {
        xd_sqlite_refuse_done(ledger, XD_NO_MEMORY, callback, arg);
        return;
    }
    *settle = (struct xd_settle){
        .job.done = answer, .appended = ledger->appended, .callback = callback, .arg = arg};
    if (ledger->appended == ledger->stored) {
        xd_sqlite_defer(ledger, &settle->job);
        return;
    }
    *(ledger->settles ? &ledger->last_settle->next : &ledger->settles) = settle;
    ledger->last_settle = settle;
}

void xd_sqlite_settle_up_to(struct xd_sqlite *ledger, uint64_t appended, enum xd_code code)
{
    while (ledger->settles && ledger->settles->appended <= appended) {
        struct xd_settle *settle = ledger->settles;
        ledger->settles = settle->next;
        settle->code = code;
        xd_sqlite_defer(ledger, &settle->job);
    }
}

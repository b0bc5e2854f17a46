/* Waiting until what was appended is answered and what was committed is told. */
#include "core/ledger/redis_ledger.h"

#include <stdlib.h>

struct target {
    uint64_t appended; /* records appended by us */
    uint64_t made;     /* records committed */
};

struct xd_redis_settle {
    struct xd_put_off put_off;
    struct xd_redis_settle *next;
    enum xd_code code;
    xd_done_cb *callback;
    void *arg;
    struct target targets[]; /* of each partition */
};

static void answer(struct xd_put_off *put_off)
{
    struct xd_redis_settle *settle = (struct xd_redis_settle *)put_off;
    settle->callback(settle->arg, settle->code);
    free(settle);
}

static bool is_reached(const struct xd_redis_ledger *ledger, const struct xd_redis_settle *settle)
{
    for (uint16_t i = 0; i < ledger->options.partitions; i++) {
        const struct xd_rpart *p = &ledger->parts[i];
        if (p->answered < settle->targets[i].appended || p->out_records < settle->targets[i].made)
            return false;
    }
    return true;
}

void xd_redis_settle(struct xd_ledger *base, xd_done_cb *callback, void *arg)
{
    struct xd_redis_ledger *ledger = xd_redis_ledger_of(base);
    struct xd_redis_settle *settle =
        malloc(sizeof *settle + ledger->options.partitions * sizeof *settle->targets);
    if (!settle) {
        xd_redis_refuse_done(ledger, XD_NO_MEMORY, callback, arg);
        return;
    }
    *settle = (struct xd_redis_settle){.put_off.run = answer, .callback = callback, .arg = arg};
    for (uint16_t i = 0; i < ledger->options.partitions; i++)
        settle->targets[i] = (struct target){ledger->parts[i].appended, ledger->parts[i].made};
    struct xd_redis_settle **at = &ledger->settles;
    while (*at)
        at = &(*at)->next;
    *at = settle;
    xd_redis_settled(ledger, XD_OK);
}

void xd_redis_settled(struct xd_redis_ledger *ledger, enum xd_code code)
{
    struct xd_redis_settle **at = &ledger->settles;
    while (*at) {
        struct xd_redis_settle *settle = *at;
        if (code == XD_OK && !is_reached(ledger, settle)) {
            at = &settle->next;
            continue;
        }
        *at = settle->next;
        settle->code = code;
        xd_redis_put_off(ledger, &settle->put_off);
    }
}

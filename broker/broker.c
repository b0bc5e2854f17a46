#include "broker/broker.h"

#include "broker/session.h"

enum xd_code xd_broker_state(const struct xd_broker *broker)
{
    if (broker->draining) return XD_DRAINING;
    enum xd_code health = xd_ledger_health(broker->ledger);
    if (health != XD_OK) return health;
    if (broker->owning || broker->cluster) return XD_OK;
    return broker->owner_state != XD_OK ? broker->owner_state : XD_OVERLOADED;
}

/* Everything that waited when reading stopped has been stored. */
static void on_settled(void *arg, enum xd_code code)
{
    (void)code;
    struct xd_broker *broker = arg;
    if (!broker->congested) return;
    broker->congested = false;
    xd_sessions_resume(broker);
}

void xd_broker_appended(struct xd_broker *broker)
{
    if (broker->congested || xd_ledger_backlog(broker->ledger) <= xd_ledger_backlog_limit(broker->ledger) / 2)
        return;
    broker->congested = true;
    xd_ledger_settle(broker->ledger, on_settled, broker);
}

void xd_broker_stored(struct xd_broker *broker)
{
    if (!broker->congested ||
        xd_ledger_backlog(broker->ledger) >= xd_ledger_backlog_limit(broker->ledger) / 4)
        return;
    broker->congested = false;
    xd_sessions_resume(broker);
}

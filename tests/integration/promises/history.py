"""All events of an account from the start, for tests that judge what it can have heard."""

import itertools

from support import truck_request

serial = itertools.count()


def history(broker, account):
    """Every event that `account` was told until now. Ends with an order of its own, whose event comes last and is left out."""
    ref = "history-%d" % next(serial)
    with broker.client(account) as client:
        at = client.call("ping")["time"]
        client.call("submit", truck_request(ref, at=at, max_price=0.01, only=["nobody"]))
        client.call("subscribe", {"from": "start"})
        events = []
        while not events or events[-1].get("order", {}).get("ref") != ref:
            events.append(client.event())
        client.call("cancel", {"ref": ref})
    return [event for event in events if not event.get("order", {}).get("ref", "").startswith("history-")]

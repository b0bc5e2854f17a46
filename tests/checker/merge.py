"""The events of a cluster as one stream. Each partition tells its own in order, but one may be heard of before another
that it followed from, of another partition; the second is all that events say of their time. So an event waits while
the book that the checker has until then says that it cannot have come yet."""

import collections

from figures import DIMS, fixed

BEGINS = ("match.proposed", "match.confirmed")
ENDS = ("match.declined", "match.lapsed", "match.completed", "match.cancelled", "match.no_show")
CLOSES = ("order.cancelled", "order.expired")


def ids_of(event):
    if "match" not in event:
        return {event["order"]["id"]}
    return {event["match"]["offer"]["id"], event["match"]["request"]["id"]}


class Merge:
    """All events, in the order in which they were heard. To be taken one at a time, each judged before the next."""

    def __init__(self, events, book):
        self.book = book
        self.queues = {}
        for heard, event in enumerate(events):
            self.queues.setdefault(event["id"].split("-")[0], collections.deque()).append((heard, event))

    def _elsewhere(self, queue, kinds, event):
        """Whether one of these types, about the same orders, is still to come in this second, from elsewhere."""
        ids = ids_of(event)
        for other in self.queues.values():
            for _, coming in other if other is not queue else ():
                if coming["time"] > event["time"]:
                    break
                if coming["type"] in kinds and ids_of(coming) & ids:
                    return True
        return False

    def _waits(self, event, queue):
        if event["type"] in BEGINS and event["match"]["id"] not in self.book.matches:
            return self._is_taken(event["match"]) or self._elsewhere(queue, ENDS, event)
        if event["type"] == "order.filled":
            order = self.book.orders.get(event["order"]["id"])
            bound = [match for match in order.matches if match.state in ("confirmed", "completed")] if order else ()
            return order is None or sum(match.fit.part for match in bound) != order.amount
        return event["type"] in CLOSES and self._elsewhere(queue, BEGINS, event)

    def _is_taken(self, view):
        """Whether an order is not known yet, or another match still has what this one takes of the request."""
        offer, request = (self.book.orders.get(view[side]["id"]) for side in ("offer", "request"))
        if offer is None or request is None:
            return True
        part = request.amount if request.truck else fixed(view.get(request.main, 0), DIMS[request.main])
        return request.open < part

    def _next(self):
        heads = [queue for queue in self.queues.values() if queue]
        now = min(queue[0][1]["time"] for queue in heads)
        due = sorted((queue for queue in heads if queue[0][1]["time"] == now), key=lambda queue: queue[0][0])
        return next((queue for queue in due if not self._waits(queue[0][1], queue)), due[0])

    def __iter__(self):
        while any(self.queues.values()):
            yield self._next().popleft()[1]

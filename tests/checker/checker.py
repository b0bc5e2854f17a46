#!/usr/bin/python3
"""The independent checker: from the orders as submitted and the events as told, and nothing else, finds every
promise and rule that was broken. It shares no code with the engine.

    checker.py [options] ORDERS EVENTS

ORDERS: JSON Lines, orders as submitted, each with `account` and, if known, `time`. EVENTS: JSON Lines of all
accounts from the beginning (crossdock --account '*' watch --all --json). Prints each violation as "name:
where: what"; exit status 1 if there is any, 2 if a file cannot be read."""

import argparse
import json
import re
import sys

import amend
from book import HOLD, ORDER, Book
from figures import DIMS, Malformed, fixed
from greedy import Greedy
from matches import STATES, Matches
from orders import Order

ORDER_STATES = {"order.accepted": "open", "order.amended": None, "order.rejected": "rejected", "order.filled": "filled",
                "order.cancelled": "cancelled", "order.expired": "expired"}
EVENT_ID = re.compile(r"e(\d+)-(\d+)-(\d+)")
OVERDUE = {HOLD: "lapse-missing", ORDER: "expiry-missing"}
AFTER_ALL = 2  # what comes after holds and orders of the same second


class Checker:
    """`borders`: the events are those of several partitions (merge.py). What one of them has put aside for an order of
    another is not told, so a part may be smaller than what seems free. The home of a request that is matched elsewhere
    tells that it is filled when it hears so, which may be after that match has ended."""

    def __init__(self, orders, road_factor_e4=12500, storage=1, trucks=0, borders=False):
        self.book = Book(orders, road_factor_e4)
        self.greedy = Greedy(self.book, storage, trucks)
        self.matches = Matches(self.book, self.greedy, borders)
        self.borders = borders
        self.told_filled = set()
        self.next_offset = {}
        self.seen = 0
        self.pending_filled = {}

    @property
    def report(self):
        return self.book.report

    # --- the stream ---

    def event(self, event):
        self.seen += 1
        self.report.where = "event %d" % self.seen
        if isinstance(event, dict):
            self.report.where = event.get("id", self.report.where)
        try:
            self._in_stream(event)
            self._about(event)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            self.report("event-shape", "%s: %s in %s", type(error).__name__, error, str(event)[:200])

    def end(self):
        self.report.where = "the end"
        self._second_over()
        for request in self.book.orders.values():
            if not request.offer and not request.closed and self._is_elsewhere(request) and \
                    self._bound(request) == request.amount and request.id not in self.told_filled:
                self.report("filled-missing", "%r is filled and nobody was told", request)

    def _is_elsewhere(self, request):
        homes = {name[1:].split("-")[0] for name in (request.id, *(match.id for match in request.matches))}
        return self.borders and len(homes) > 1

    def _in_stream(self, event):
        found = EVENT_ID.fullmatch(event["id"])
        if not found:
            raise Malformed("id %r" % event["id"])
        partition, generation, offset = map(int, found.groups())
        wanted = self.next_offset.get((partition, generation), 0)
        if offset > wanted:
            self.report("event-gap", "%d events are missing before it", offset - wanted)
        elif offset < wanted:
            self.report("event-duplicate", "offset %d was told before", offset)
        self.next_offset[partition, generation] = max(wanted, offset + 1)
        if not self._is_behind(event["cursor"], partition, generation, offset):
            self.report("cursor", "cursor %s", event["cursor"])

    @staticmethod
    def _is_behind(cursor, partition, generation, offset):
        """A cursor of many partitions has the next offset of each, in their order."""
        if "_" not in cursor:
            return cursor == "%d.%d.%d" % (partition, generation, offset + 1)
        return generation > 1 or cursor.split("_")[partition] == str(offset + 1)

    def _about(self, event):
        time, kind = event["time"], event["type"]
        book = self.book
        if book.now is not None and time < book.now:
            self.report("time-backwards", "%s after %s", time, book.now)
        elif time != book.now:
            self._second_over()
            book.now = time
        subject = event["order"] if kind in ORDER_STATES else event["match"]
        ids = (subject["id"],) if kind in ORDER_STATES else (subject["offer"]["id"], subject["request"]["id"])
        if kind != "match.rescheduled":
            if kind != "order.filled":
                self.greedy.finish(ids)
            self._check_deadlines(kind, subject)
        if kind in ORDER_STATES:
            self._order(kind, event["account"], subject)
        elif kind in STATES or kind == "match.rescheduled":
            self.matches.event(event)
            if kind == "match.confirmed":
                self._note_filled(subject)
        else:
            raise Malformed("type %r" % kind)

    def _second_over(self):
        """Time moves on: what was to be told in this second has been."""
        self.matches.flush()
        self.greedy.finish(())
        later, self.book.later = self.book.later, []
        for check in later:
            check()
        # completions change nothing for anybody else: their order within a second is left open
        for match in self.book.incomplete():
            self.report("completion-missing", "%r was due", match)
        for request in self.pending_filled.values():
            if request.closed is None:
                self.report("filled-missing", "%r is filled and nobody was told", request)
        self.pending_filled.clear()

    def _check_deadlines(self, kind, subject):
        """What fell due before this event must have been told before it."""
        limit = (self.book.now, AFTER_ALL, 0)
        if kind == "order.expired":
            order = self.book.orders.get(subject["id"])
            if order and not order.offer and not order.open:
                return  # it had lapsed while all of it was held; this came with the end of that
            limit = (order.valid_until, ORDER, order.age) if order else limit
        elif kind == "match.lapsed":
            match = self.book.matches.get(subject["id"])
            limit = (min(part.hold_until for part in match.group), HOLD, 0) if match else limit
        elif kind == "match.completed" and not subject.get("by"):
            return
        for due, what in self.book.overdue(*limit):
            self.report(OVERDUE[due], "%r was due", what)

    # --- orders ---

    def _order(self, kind, account, view):
        if view["state"] != ORDER_STATES[kind] and kind != "order.amended":
            self.report("order-state", "%s has state %s", kind, view["state"])
        if view["account"] != account:
            self.report("not-a-party", "%s of %s is told to %s", kind, view["account"], account)
        if kind in ("order.accepted", "order.rejected"):
            self._order_in(kind, view)
            return
        order = self.book.orders.get(view["id"])
        if order is None or (order.account, order.ref) != (view["account"], view["ref"]):
            self.report("order-figures", "%s of %s, which was not accepted so", kind, view["id"])
            return
        if kind != "order.amended":
            self._check_figures(order, view)
        if order.closed in ("owner", "expired"):
            self.report("after-end", "%s of %r, which is closed (%s)", kind, order, order.closed)
        getattr(self, "_" + kind.split(".")[1])(order, view)

    def _order_in(self, kind, view):
        known = self.book.submitted.get((view["account"], view["ref"]), ())
        fresh = [order for order in known if order.id is None]
        if not known:
            self.report("not-submitted", "%s of %s/%s", kind, view["account"], view["ref"])
            return
        if kind == "order.rejected":
            code = view["error"]["code"]
            if code == "lapsed" and min(order.valid_until for order in known) > self.book.now:
                self.report("rejected-wrongly", "%r is valid until %s", known[0], known[0].valid_until)
            return
        if not fresh or view["id"] in self.book.orders:
            self.report("accepted-twice", "%s %s/%s", view["id"], view["account"], view["ref"])
            return
        order = next((order for order in fresh if self._like(order, view)), fresh[0])
        self.book.accept(order, view["id"])
        self._check_figures(order, view)
        if order.valid_until <= self.book.now:
            self.report("lapsed-order", "%r is accepted after %s", order, order.valid_until)
        if not order.offer and fixed(view["open"], DIMS[order.main]) != order.amount:
            self.report("order-open", "%r has %s open", order, view["open"])
        self.greedy.accepted(order)

    @staticmethod
    def _like(order, view):
        return (view["side"], view["kind"], view["valid_until"]) == \
            ("offer" if order.offer else "request", order.kind, order.valid_until) and \
            fixed(view["amount"], DIMS[order.main]) == order.amount

    def _check_figures(self, order, view):
        if not self._like(order, view):
            self.report("order-figures", "%r is told as %s", order, view)

    def _note_filled(self, subject):
        """A match has been told: its request may be filled now, and is told so within the second."""
        request = self.book.orders.get(subject["request"]["id"])
        if request is None or request.offer or request.closed:
            return
        if not request.filled and self._bound(request) == request.amount and not self._is_elsewhere(request):
            self.pending_filled[request.id] = request

    @staticmethod
    def _bound(request):
        return sum(match.fit.part for match in request.matches if match.state in ("confirmed", "completed"))

    def _filled(self, order, view):
        self.pending_filled.pop(order.id, None)
        self.told_filled.add(order.id)
        if self._is_elsewhere(order):
            order.filled = self._bound(order) == order.amount
            return
        if order.offer or order.filled or self._bound(order) != order.amount:
            self.report("filled-wrong", "%r: its matches are %s", order,
                        [(m.fit.part, m.state) for m in order.matches])
        order.filled = True

    def _amended(self, order, view):
        """New terms: they are ones that may be amended, and no live match loses anything."""
        book, report, changes = self.book, self.report, view["changes"]
        new = order.amended(changes)
        if not changes or set(changes) != amend.changed(order, new) & set(changes):
            report("amend-nothing", "%r is told to change %s", order, changes)
        if any(name in amend.ALWAYS for name in changes) or not amend.sound(new) or new.valid_until <= book.now:
            report("amend-field", "%r cannot become %s", order, changes)
        if order.fill != "rest" or order.closed:
            report("amend-state", "%r is amended, and it is closed or does not rest", order)
        live = [match for match in order.matches if match.state in ("proposed", "confirmed")]
        fault = amend.at_fault(order, new, live, book.now)
        if fault:
            report("amend-held", "%r becomes %s, and live matches hold its %s", order, changes, fault)
        easier, harder = amend.ease(order, new)
        if view["kept_priority"] == harder:
            report("amend-priority", "%r becomes %s: kept_priority %s", order, changes, view["kept_priority"])
        self.greedy.closed(order)
        amend.apply(order, new)
        if harder:
            order.age = book.next_age()
        book.expect(order.valid_until, ORDER, order.age, order)
        self._check_figures(order, view)
        if not order.offer and fixed(view["open"], DIMS[order.main]) != order.open:
            report("order-open", "%r has %s open, not %s", order, view["open"], order.open)
        if not order.offer and self._bound(order) == order.amount:
            self.pending_filled[order.id] = order
        self.greedy.amended(order, easier)

    def _cancelled(self, order, view):
        reason = view.get("reason")
        if reason == "fill_now":
            if order.fill == "rest":
                self.report("order-state", "%r is dropped, and it rests", order)
        elif order.filled:
            self.report("order-state", "%r is cancelled, and it was filled", order)
        else:
            self.book.later.append(lambda: self._check_no_proposals(order))
        self._close(order, "fill_now" if reason == "fill_now" else "owner")

    def _check_no_proposals(self, order):
        for match in order.matches:
            if match.state == "proposed":
                self.report("proposal-left", "%r outlives the cancelling of %r", match, order)

    def _expired(self, order, view):
        if order.valid_until > self.book.now:
            self.report("expiry-early", "%r is valid until %s", order, order.valid_until)
        if order.filled:
            self.report("order-state", "%r expires, and it was filled", order)
        self._close(order, "expired")

    def _close(self, order, how):
        order.closed = how
        order.open = 0
        self.greedy.closed(order)
# --- the command ---

def lines(path):
    with sys.stdin if path == "-" else open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def read_orders(path, currency):
    """The orders that can be read; what cannot be is none that a broker may accept."""
    for wrote in lines(path):
        try:
            yield Order(wrote, currency)
        except (KeyError, TypeError, ValueError):
            continue


def options():
    parser = argparse.ArgumentParser(description="Check Crossdock events against the orders submitted.")
    parser.add_argument("--road-factor", type=float, default=1.25)
    parser.add_argument("--currency", default="CNY", help="the market's")
    parser.add_argument("--storage", type=int, default=1, metavar="N",
                        help="check the choice of every N-th storage order (0: none)")
    parser.add_argument("--trucks", type=int, default=0, metavar="N",
                        help="the same for trucks, by brute force")
    parser.add_argument("--acks", metavar="FILE",
                        help="what crossdock submit printed: each order in it must have been told")
    parser.add_argument("orders")
    parser.add_argument("events")
    return parser.parse_args()


def check_acks(checker, path):
    """Every acknowledged order is in the events, under the id that was acknowledged."""
    for ack in lines(path):
        if "id" in ack and ack["id"] not in checker.book.orders:
            checker.report("ack-lost", "%s (%s) was acknowledged", ack["id"], ack.get("ref"))


def main():
    chosen = options()
    try:
        checker = Checker(read_orders(chosen.orders, chosen.currency), round(chosen.road_factor * 10000),
                          chosen.storage,
                          chosen.trucks)
        for event in lines(chosen.events):
            checker.event(event)
        checker.end()
        if chosen.acks:
            check_acks(checker, chosen.acks)
    except (OSError, ValueError) as error:
        print("checker: %s" % error, file=sys.stderr)
        return 2
    report = checker.report
    for line in report.lines:
        print(line)
    print("%d events, %d orders, %d matches, %d choices compared: %s"
          % (checker.seen, len(checker.book.orders), len(checker.book.matches), checker.greedy.looked,
             ", ".join("%d %s" % (count, name) for name, count in report.counts.most_common())
             or "nothing wrong"))
    return 1 if report.counts else 0


if __name__ == "__main__":
    sys.exit(main())

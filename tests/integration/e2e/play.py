"""Plays a market against a real broker through its protocol and collects every event, for the checker to
judge."""

import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[2] / "checker")]

from checker import Checker  # noqa: E402
from orders import Order  # noqa: E402
from support import Broker  # noqa: E402

# 1 is what ./test runs; programs under a sanitizer are given less to do
SCALE = float(os.environ.get("XD_TEST_SCALE") or ("0.2" if os.environ.get("XD_SANITIZE") else "1"))
SHARED = pathlib.Path(os.environ.get("CROSSDOCK_SHARED", HERE.parents[4] / "shared"))
BATCH = 200
COMMANDS = ("accept", "decline", "cancel_match", "complete", "no_show")


def scaled(count, least=1):
    return max(least, round(count * SCALE))


class Market:
    """An operator's two connections to a broker under --test-clock: one commands, the other hears every
    event. With a checker every event is judged as it is heard and none is kept."""

    def __init__(self, broker, checker=None):
        self.broker = broker
        self.checker = checker
        self.commands = broker.client("*")
        self.feed = broker.client("*")
        self.feed.call("subscribe", {"from": "start"})
        self.events = []
        self.cursor = "0.0.0"
        self.submitted = []
        self.results = []
        self.script = []  # everything that was asked, for the twin

    def close(self):
        self.commands.close()
        self.feed.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def clock(self, now):
        self.now = now
        self.commands.call("clock", {"set": now})
        self.script.append(("clock", now))

    def submit(self, orders, at=None):
        """Submits in batches, all on their way at once, after the clock was set to `at`; the results in
        order."""
        sent = []
        if at is not None:
            self.now = at
            clock = self.commands.send("clock", {"set": at})
        for first in range(0, len(orders), BATCH):
            batch = [{name: value for name, value in order.items() if name != "time"}
                     for order in orders[first:first + BATCH]]
            sent.append(self.commands.send("submit", {"orders": batch}))
        results = [result for number in sent for result in self.commands.result(number)["results"]]
        if at is not None:
            self.commands.result(clock)
        if self.checker:
            for order in orders:
                self.checker.book.submit(Order(order, "CNY"))
        else:
            self.submitted += orders
            self.script += [("submit", self.now, order) for order in orders]
        self.results += results
        return results

    def command(self, method, account, what):
        """One command; what it is refused with, or None. `what` is a match's id, or of cancel an (account,
        ref)."""
        return self.commands_at_once([(method, account, what)])[0]

    def commands_at_once(self, commands):
        """The same of many, all on their way at once. `what` of amend is ((account, ref), changes)."""
        sent = []
        for method, account, what in commands:
            if not self.checker:
                self.script.append((method, self.now, account, what))
            named = {"ref": what[1]} if method == "cancel" else \
                dict(what[1], ref=what[0][1]) if method == "amend" else {"match": what}
            sent.append(self.commands.send(method, dict(named, account=account)))
        return [error and error["code"] for error, _ in map(self.commands.response, sent)]

    def hear(self):
        """The events that have come since."""
        return self._take(self.feed.flush_events())

    def _take(self, heard):
        if heard:
            self.cursor = heard[-1]["cursor"]
        if self.checker:
            for event in heard:
                self.checker.event(event)
        else:
            self.events += heard
        return heard

    def hear_all(self):
        """Waits until every event that there is has come; those that came."""
        with self.broker.client("*") as client:
            head = offset_of(client.call("subscribe", {"from": "now"})["cursor"])
        heard = self.hear()
        while offset_of(self.cursor) < head:
            heard += self._take([self.feed.event()])
        return heard


def offset_of(cursor):
    return int(cursor.rsplit(".", 1)[1])


def play(market, mix):
    """A random market (tests/checker/mix.py) from beginning to end."""
    for now, orders in mix.rounds():
        market.clock(now)
        market.submit(orders)
        for event in market.hear_all():
            mix.hear(event)
        market.commands_at_once(mix.acts())
        for event in market.hear():
            mix.hear(event)
    market.hear_all()


def check(market, **options):
    """The checker's report on what the market submitted and heard."""
    checker = market.checker or Checker([Order(order, "CNY") for order in market.submitted], **options)
    for event in market.events:
        checker.event(event)
    checker.end()
    for result in market.results:
        if "id" in result and result["id"] not in checker.book.orders:
            checker.report("ack-lost", "%s was acknowledged for %s", result["id"], result["ref"])
    return checker


def start(*args, **more):
    return Broker("--test-clock", *args, **more)

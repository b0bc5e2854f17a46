"""A random market over the borders of a cluster, whose matchers and brokers come and go: the checker finds nothing
wrong with what clients are told. How good the choices are it does not judge: over a border they may be made of less
than there is."""

import os
import pathlib
import sys
import time
import unittest

import rig
import support

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[2] / "checker")]

from checker import Checker  # noqa: E402
from merge import Merge  # noqa: E402
from mix import Mix  # noqa: E402
from orders import Order  # noqa: E402

ROUNDS = 12 if os.environ.get("XD_SANITIZE") else 40
LEASE_S = 1
SETTLED_S = 5  # by then all gatherings have ended, and all claims have their answers


class Now(Mix):
    """All of it is submitted now, and nothing is amended."""

    def orders_of_round(self):
        self.now = support.now()
        self.step_s = 0
        return next(self.rounds())[1]

    def commands(self):
        return [act for act in self.acts() if act[0] != "amend"]


class Checked(unittest.TestCase):
    def setUp(self):
        self.cluster = rig.Cluster(matcher_args=["--lease", "%ds" % LEASE_S])
        self.addCleanup(self.cluster.stop)
        self.cluster.wait_owners([self.cluster.matcher(), self.cluster.matcher()])
        self.told, self.took = self.cluster.broker(), self.cluster.broker()
        self.feed, self.commands = self.told.client("*"), self.took.client("*")
        self.addCleanup(self.feed.close)
        self.addCleanup(lambda: self.commands.close())
        self.feed.call("subscribe", {"from": "start"})
        self.events, self.submitted, self.acknowledged = [], [], []

    def hear(self, mix):
        heard = self.feed.flush_events()
        for event in heard:
            mix.hear(event)
        self.events += heard

    def submit(self, orders):
        self.submitted += orders
        sent = [{name: value for name, value in order.items() if name != "time"} for order in orders]
        self.acknowledged += [result["id"] for result in self.commands.call("submit", {"orders": sent})["results"]]

    def act(self, acts):
        sent = []
        for method, account, what in acts:
            named = {"ref": what[1]} if method == "cancel" else {"match": what}
            sent.append(self.commands.send(method, dict(named, account=account)))
        for number in sent:
            self.commands.response(number)

    def disturb(self, number):
        if number == ROUNDS // 4:
            self.cluster.matchers[0].kill()
            self.cluster.matcher()
        if number == ROUNDS // 2:
            self.commands.close()
            self.took.kill()
            self.took = self.cluster.broker()
            self.commands = self.took.client("*")
        if number == 3 * ROUNDS // 4:
            self.cluster.matchers[1].stop()

    def hear_the_rest(self, mix):
        quiet_since, deadline = time.monotonic(), time.monotonic() + support.TIMEOUT
        while time.monotonic() - quiet_since < SETTLED_S:
            before = len(self.events)
            self.hear(mix)
            if len(self.events) > before:
                quiet_since = time.monotonic()
            self.assertLess(time.monotonic(), deadline, "events go on coming")
            time.sleep(0.05)

    def test_nothing_is_wrong_with_what_is_told(self):
        mix = Now(11, ROUNDS * 20, 10, accounts=20)
        for number in range(ROUNDS):
            self.submit(mix.orders_of_round())
            self.hear(mix)
            self.act(mix.commands())
            self.disturb(number)
        self.hear_the_rest(mix)
        checker = Checker([Order(order, "CNY") for order in self.submitted], storage=0, trucks=0, borders=True)
        for event in Merge(self.events, checker.book):
            checker.event(event)
        checker.end()
        lost = set(self.acknowledged) - set(checker.book.orders) - self.rejected()
        crossing = [match for match in checker.book.matches.values() if self.crosses(match)]
        print("%d orders, %d events, %d matches, %d over borders" % (
            len(self.submitted), len(self.events), len(checker.book.matches), len(crossing)))
        self.assertEqual((list(checker.report.lines), lost), ([], set()))
        self.assertGreater(len(crossing), ROUNDS / 4)

    def rejected(self):
        return {event["order"]["id"] for event in self.events if event["type"] == "order.rejected"}

    @staticmethod
    def crosses(match):
        return match.offer.id.split("-")[0] != match.request.id.split("-")[0]


if __name__ == "__main__":
    unittest.main(verbosity=1)

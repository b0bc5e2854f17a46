"""The checker must catch what is false: a good stream passes, and the same stream with one thing falsified is
reported, under the right name."""

import copy
import unittest

from checker import Checker
from falsify import FALSE, truck
from figures import DAY_S
from mix import Mix, play_twin
from orders import Order
from stream import GOOD_EVENTS, GOOD_ORDERS, Stream, renumber
from twin import Twin

GREEDY = ("better-offer", "unmatched-fit")


def check(orders, events, **more):
    checker = Checker([Order(order, "CNY") for order in orders], **more)
    for event in events:
        checker.event(event)
    checker.end()
    return checker


class Truth(unittest.TestCase):
    def test_good_stream_passes(self):
        checker = check(GOOD_ORDERS, GOOD_EVENTS, trucks=1)
        self.assertEqual(checker.report.lines, [])
        kinds = {event["type"] for event in GOOD_EVENTS}
        self.assertGreaterEqual(len(kinds), 12, "the stream should show nearly every type of event")
        self.assertGreater(len(checker.book.matches), 100)

    def test_other_seeds_pass(self):
        for seed in range(3):
            twin = Twin()
            orders = play_twin(twin, Mix(seed, 250))
            self.assertEqual(check(orders, twin.events, trucks=1).report.lines, [], "seed %d" % seed)


class Falsified(unittest.TestCase):
    def test_every_falsification_is_caught_by_name(self):
        for what, falsify, name in FALSE:
            with self.subTest(what):
                stream = Stream()
                falsify(stream)
                report = check(stream.orders, stream.events, storage=int(name in GREEDY)).report
                self.assertIn(name, report.counts, "\n".join(report.lines[:5]))

    def test_greedy_trucks_are_caught_on_demand(self):
        stream = Stream()
        pair = stream.pair("match.confirmed", lambda match, offer, request: truck(match, offer, request) and
                           "fill" not in request and "fill" not in offer)
        match = pair[0]["match"]
        stream.remove([event for event in stream.events
                       if ("match" in event and event["match"]["id"] == match["id"]) or
                       (event["type"] == "order.filled" and event["order"]["id"] == match["request"]["id"])])
        self.assertIn("unmatched-fit", check(stream.orders, stream.events, trucks=1).report.counts)


class Deadlines(unittest.TestCase):
    def test_thirty_days_complete_a_match(self):
        """By the clock, at the second after the last day and 30 more, not before, and not forgotten."""
        twin = Twin()
        place = {"lat": 31.2, "lon": 121.4}
        offer = {"side": "offer", "kind": "warehouse", "ref": "o", "account": "own", "at": place, "m2": 10,
                 "from_day": "2030-01-01", "until_day": "2030-03-01"}
        request = {"side": "request", "kind": "warehouse", "ref": "r", "account": "shop", "at": place,
                   "m2": 1, "radius_km": 1, "from_day": "2030-01-02", "until_day": "2030-01-03",
                   "max_price": 5}
        start = 1893456000
        twin.submit(start, offer)
        twin.submit(start, request)
        twin.clock(start + 32 * DAY_S - 1)
        twin.clock(start + 32 * DAY_S)
        twin.clock(start + 70 * DAY_S)
        self.assertEqual(check([offer, request], twin.events).report.lines, [])
        done = [event for event in twin.events if event["type"] == "match.completed"]
        self.assertEqual(done[0]["time"], start + 32 * DAY_S)
        events = copy.deepcopy([event for event in twin.events if event not in done])
        renumber(events)
        self.assertIn("completion-missing", check([offer, request], events).report.counts)
        events = copy.deepcopy(twin.events)
        for event in events:
            if event["type"] == "match.completed":
                event["time"] -= 1
        self.assertIn("completed-early", check([offer, request], events).report.counts)


if __name__ == "__main__":
    unittest.main()

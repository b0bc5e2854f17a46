"""A random market of all three kinds through the wire: no promise is broken, by the checker; and, played
again through the naive twin, the same comes of it."""

import unittest

import play
import random_mix
from amend import Held
from twin import Twin, WrongState


def twin_of(script):
    """What the twin makes of the same commands."""
    twin = Twin()
    for method, now, *rest in script:
        try:
            twin_command(twin, method, now, *rest)
        except (WrongState, Held):
            pass
    return twin


def twin_command(twin, method, now, account=None, what=None):
    if method == "clock":
        twin.clock(now)
    elif method == "submit":
        twin.submit(now, account)
    elif method == "cancel":
        twin.clock(now)
        if what in twin.by_ref:
            twin.cancel(now, twin.by_ref[what])
    elif method == "amend":
        twin.clock(now)
        if what[0] in twin.by_ref:
            twin.amend(now, twin.by_ref[what[0]], what[1])
    else:
        twin.clock(now)
        match = next((match for match in twin.matches if match.id == what), None)
        if match:
            getattr(twin, method)(now, account, match)


def told(events):
    """What was told, but for which of two events of one moment came first."""
    found = set()
    for event in events:
        match = event.get("match")
        if match is None:
            found.add((event["time"], event["type"], event["order"]["ref"], event["order"].get("reason")))
        elif event["type"] != "match.rescheduled":
            found.add((event["time"], event["type"], match["id"], match["offer"]["ref"],
                       match["request"]["ref"],
                       match["quote"], match["price"], match["km"], match.get("added_km"), match.get("by")))
    return found


class Random(unittest.TestCase):
    def test_small_books_and_the_twin(self):
        for seed in range(play.scaled(3)):
            with self.subTest(seed=seed):
                market, checker, _, _ = random_mix.run(800, seed, 5, trucks=1)
                self.assertEqual(checker.report.lines, [])
                self.assertGreater(len(checker.book.matches), 200)
                ours, theirs = told(market.events), told(twin_of(market.script).events)
                self.assertEqual((sorted(ours - theirs, key=str)[:5], sorted(theirs - ours, key=str)[:5]),
                                 ([], []))

    def test_larger_book(self):
        market, checker, played, checked = random_mix.run(play.scaled(4000), 77, 25)
        self.assertEqual(checker.report.lines, [])
        self.assertEqual(len(market.results), len(market.submitted))
        print("%d orders, %d events, %d matches, %d choices compared: played in %.1f s, checked in %.1f s"
              % (len(market.submitted), len(market.events), len(checker.book.matches), checker.greedy.looked,
                 played,
                 checked))


if __name__ == "__main__":
    unittest.main()

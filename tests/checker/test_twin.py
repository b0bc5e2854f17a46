"""The naive twin agrees with every worked case, so its figures can be trusted where a case was not worked
out."""

import json
import pathlib
import unittest

from figures import DIMS, MONEY, fixed, seconds
from amend import Held
from twin import Twin, WrongState

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
COMMANDS = ("accept", "decline", "cancel_match", "complete", "no_show")


def play(vector):
    """(twin, [(step, what became of it)])."""
    twin, outcomes = Twin(), []
    for order in vector["orders"]:
        twin.submit(seconds(vector["now"]), order)
    for step in vector.get("steps", ()):
        outcomes.append((step, play_step(twin, step, seconds(step["at"]))))
    return twin, outcomes


def play_step(twin, step, now):
    if "submit" in step:
        return "lapsed" if twin.submit(now, step["submit"]).state == "rejected" else "ok"
    if "clock" in step:
        twin.clock(now)
        return "ok"
    try:
        if "cancel" in step:
            twin.cancel(now, next(order for order in twin.orders if order.ref == step["cancel"]))
            return "ok"
        if "amend" in step:
            order = next(order for order in twin.orders if order.ref == step["amend"])
            kept = twin.amend(now, order, step["changes"])
            return "ok" if kept == step.get("kept", kept) else "kept_priority is %s" % kept
        return play_command(twin, step, now)
    except WrongState:
        return "wrong_state"
    except Held:
        return "held"


def play_command(twin, step, now):
    method = next(name for name in COMMANDS if name in step)
    twin.clock(now)
    match = [match for match in twin.matches if [match.offer.ref, match.request.ref] == step[method]][-1]
    if step["by"] not in (match.offer.account, match.request.account):
        return "not_found"
    getattr(twin, method)(now, step["by"], match)
    return "ok"


def carriers_stops(twin, ref):
    """[[action, request's ref, eta]] of the last event of that offer to its carrier."""
    refs = {order.id: order.ref for order in twin.orders}
    told = [event["match"]["stops"] for event in twin.events
            if "match" in event and event["match"]["offer"]["ref"] == ref and
            event["account"] == event["match"]["offer"]["account"]]
    return [[stop["action"], refs[stop["order"]], stop["eta"]] for stop in (told[-1] if told else [])]


class Vectors(unittest.TestCase):
    def check(self, vector):
        twin, outcomes = play(vector)
        for step, outcome in outcomes:
            self.assertEqual(outcome, step.get("error", "ok"), step)
        self.assertEqual([(match.offer.ref, match.request.ref) for match in twin.matches],
                         [(match["offer"], match["request"]) for match in vector["matches"]])
        for match, wanted in zip(twin.matches, vector["matches"]):
            main = match.request.main
            self.assertEqual(match.fit.part, fixed(wanted[main], DIMS[main]))
            for name in ("quote", "price", "surplus"):
                self.assertEqual(getattr(match.fit, name), fixed(wanted[name], MONEY), name)
            if "added_km" in wanted:
                self.assertEqual(match.fit.added_m, fixed(wanted["added_km"], 3))
            self.assertEqual(match.state, wanted.get("state", match.state))
        for ref, stops in vector.get("plans", {}).items():
            for got, wanted in zip(carriers_stops(twin, ref), stops):
                self.assertEqual(got[:2], wanted[:2])
                self.assertEqual(got[2], seconds(wanted[2]) if len(wanted) > 2 else got[2])
            self.assertEqual(len(carriers_stops(twin, ref)), len(stops))

    def test_all(self):
        paths = sorted(VECTORS.glob("*.json"))
        self.assertGreaterEqual(len(paths), 74)
        for path in paths:
            with self.subTest(path.stem):
                self.check(json.loads(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    unittest.main()

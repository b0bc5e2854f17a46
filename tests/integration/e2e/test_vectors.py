"""Every worked case of tests/vectors through the wire: orders and steps in; matches, figures, states and
plans out."""

import json
import unittest

import play
from figures import DIMS, MONEY, fixed, seconds
from orders import MAIN_DIM

VECTORS = play.HERE.parents[2] / "vectors"


class Case:
    """One vector, played."""

    def __init__(self, broker, vector):
        self.vector = vector
        self.owners = {}
        self.refused = []
        with play.Market(broker) as market:
            market.clock(seconds(vector["now"]))
            for order in vector["orders"]:
                self.submit(market, order)
            for step in vector.get("steps", ()):
                self.step(market, step)
            market.hear_all()
            self.events = market.events

    def submit(self, market, order):
        self.owners[order["ref"]] = order["account"]
        return market.submit([order])[0].get("error", {}).get("code", "ok")

    def step(self, market, step):
        market.clock(seconds(step["at"]))
        outcome = "ok"
        if "submit" in step:
            outcome = self.submit(market, step["submit"])
        elif "cancel" in step:
            outcome = market.command("cancel", self.owners[step["cancel"]], (None, step["cancel"])) or "ok"
        elif "amend" in step:
            outcome = market.command("amend", self.owners[step["amend"]],
                                     ((None, step["amend"]), step["changes"])) or "ok"
        elif "clock" not in step:
            method = next(name for name in play.COMMANDS if name in step)
            market.hear_all()
            outcome = market.command(method, step["by"], self.match_id(market, step[method])) or "ok"
        if outcome != step.get("error", "ok"):
            self.refused.append((step, outcome))

    @staticmethod
    def match_id(market, pair):
        """The latest match of a pair of refs."""
        return [event["match"]["id"] for event in market.events if "match" in event and
                [event["match"]["offer"]["ref"], event["match"]["request"]["ref"]] == pair][-1]

    def matches(self):
        """[(as first told, as last told)] in the order in which they were made."""
        first, last = {}, {}
        for event in self.events:
            if "match" in event:
                first.setdefault(event["match"]["id"], event["match"])
                last[event["match"]["id"]] = event["match"]
        return [(view, last[match_id]) for match_id, view in first.items()]

    def plan(self, ref):
        names = {event["order"]["id"]: event["order"]["ref"] for event in self.events if "order" in event}
        told = [event["match"]["stops"] for event in self.events if "match" in event and
                event["match"]["offer"]["ref"] == ref
                and event["account"] == event["match"]["offer"]["account"]]
        return [[stop["action"], names[stop["order"]], stop["eta"]] for stop in (told[-1] if told else [])]


class Vectors(unittest.TestCase):
    def check(self, case):
        self.assertEqual(case.refused, [])
        wanted = case.vector["matches"]
        self.assertEqual([(view["offer"]["ref"], view["request"]["ref"]) for view, _ in case.matches()],
                         [(match["offer"], match["request"]) for match in wanted])
        for (first, last), match in zip(case.matches(), wanted):
            main = MAIN_DIM[first["kind"]]
            self.assertEqual(fixed(first[main], DIMS[main]), fixed(match[main], DIMS[main]))
            for name in ("quote", "price", "surplus"):
                self.assertEqual(fixed(first[name], MONEY), fixed(match[name], MONEY), name)
            if "added_km" in match:
                self.assertEqual(fixed(first["added_km"], 3), fixed(match["added_km"], 3))
            self.assertEqual(last["state"], match.get("state", last["state"]))
        for ref, stops in case.vector.get("plans", {}).items():
            plan = case.plan(ref)
            self.assertEqual([stop[:2] for stop in plan], [stop[:2] for stop in stops])
            for got, stop in zip(plan, stops):
                self.assertEqual(got[2], seconds(stop[2]) if len(stop) > 2 else got[2])

    def test_all(self):
        for path in sorted(VECTORS.glob("*.json")):
            with self.subTest(path.stem), play.start() as broker:
                self.check(Case(broker, json.loads(path.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    unittest.main()

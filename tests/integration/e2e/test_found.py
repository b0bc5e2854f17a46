"""Faults that random play found, each as a case of its own."""

import unittest

import play

NOW = 1893369600  # 2029-12-31T00:00:00Z
PLACE = {"lat": 31.2304, "lon": 121.4737}


def floor(ref, m2, **more):
    return dict({"side": "offer", "kind": "warehouse", "ref": ref, "account": "own", "at": PLACE, "m2": m2,
                 "from_day": "2030-01-01", "until_day": "2030-03-01", "per_m2_day": 1}, **more)


def goods(ref, m2, **more):
    return dict({"side": "request", "kind": "warehouse", "ref": ref, "account": "shop", "at": PLACE, "m2": m2,
                 "radius_km": 10, "from_day": "2030-01-10", "until_day": "2030-01-20", "max_price": 5000},
                **more)


class Found(unittest.TestCase):
    def play(self, *steps):
        """Steps are (seconds after NOW, orders); the market after all of them, found good by the checker."""
        with play.start() as broker, play.Market(broker) as market:
            for after, orders in steps:
                market.clock(NOW + after)
                market.submit(orders)
            market.hear_all()
            self.assertEqual(play.check(market, trucks=1).report.lines, [])
            return market

    def test_hold_and_order_lapse_in_one_step_of_the_clock(self):
        """A request, partly matched and partly proposed, lapses once."""
        market = self.play((0, [floor("o1", 27), floor("o2", 18, confirm="manual", hold_s=600),
                                goods("r", 90, min_part=18, valid_until=NOW + 1000)]),
                           (5000, []))
        expired = [event for event in market.events if event["type"] == "order.expired"]
        self.assertEqual([event["order"]["ref"] for event in expired], ["r"])


if __name__ == "__main__":
    unittest.main()

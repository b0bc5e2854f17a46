"""Promise 2: an offer's live matches never exceed what it has, on any leg or day, and no request is served twice. Judged from
the orders as they were submitted and the events alone, after every single event."""

import collections
import random
import unittest

from support import NANJING, SHANGHAI, SUZHOU, Broker

START = 1893456000  # 2030-01-01T00:00:00Z
DAY = 86400
ROAD = [SHANGHAI, SUZHOU, NANJING, {"lat": 32.9, "lon": 117.4}, {"lat": 34.2, "lon": 117.28}, {"lat": 36.65, "lon": 117.0}]
ENDED = {"match.declined", "match.lapsed", "match.cancelled", "match.no_show"}


def trucks(draw, count):
    for i in range(count):
        yield {"account": "carrier%d" % i, "side": "offer", "kind": "truck", "ref": "t%d" % i, "from": ROAD[0],
               "to": ROAD[-1], "max_detour_km": 500, "kg": 10000, "pallets": draw.randrange(6, 14), "available_from": START,
               "available_until": START + 6 * DAY}


def loads(draw, count):
    for i in range(count):
        first, last = sorted(draw.sample(range(len(ROAD)), 2))
        yield {"account": "shipper%d" % (i % 17), "side": "request", "kind": "truck", "ref": "l%d" % i, "from": ROAD[first],
               "to": ROAD[last], "kg": draw.randrange(200, 5000), "pallets": draw.randrange(1, 7), "pickup_from": START,
               "pickup_until": START + 4 * DAY, "deliver_until": START + 6 * DAY, "max_price": 1000}


def day(number):
    return "2030-01-%02d" % (number + 1)


def chambers(count):
    for i in range(count):
        yield {"account": "store%d" % i, "side": "offer", "kind": "cold", "ref": "c%d" % i, "at": ROAD[i % 3], "pallets": 40,
               "kg": 20000, "from_day": day(2), "until_day": day(28), "temp_c": {"min": 2, "max": 6}}


def stays(draw, count):
    for i in range(count):
        first = draw.randrange(2, 26)
        order = {"account": "farm%d" % (i % 17), "side": "request", "kind": "cold", "ref": "s%d" % i, "at": SUZHOU,
                 "radius_km": 400, "pallets": draw.randrange(3, 25), "kg": draw.randrange(500, 12000), "from_day": day(first),
                 "until_day": day(draw.randrange(first + 1, 28)), "temp_c": {"min": 0, "max": 8}, "max_price": 1000}
        if draw.random() < 0.4:
            order["min_part"] = 2
        yield order


class Book:
    """What the events say is matched, and whether that is possible."""

    def __init__(self):
        self.orders = {}   # id: the order
        self.matches = {}  # id: match, while it is live
        self.plans = {}    # truck offer's id: its stops as last told, and amounts of those on board before the first of them
        self.wrong = []

    def hear(self, event):
        match = event.get("match")
        if match is None or event["account"] != match["offer"]["account"]:
            return
        if event["type"] in ENDED:
            self.matches.pop(match["id"], None)
        elif event["type"] in ("match.proposed", "match.confirmed"):
            self.matches[match["id"]] = match
            self.check_request(match["request"]["id"])
        (self.check_legs if match["kind"] == "truck" else self.check_days)(match)

    def matches_of(self, side, identity):
        return [match for match in self.matches.values() if match[side]["id"] == identity]

    def check_request(self, identity):
        wanted = self.orders[identity]
        taken = sum(match["pallets"] for match in self.matches_of("request", identity))
        if taken > wanted["pallets"]:
            self.wrong.append("%s: %g of %d pallets are matched" % (wanted["ref"], taken, wanted["pallets"]))

    def check_legs(self, match):
        offer = self.orders[match["offer"]["id"]]
        aboard = collections.Counter()
        for stop in match["stops"]:
            load = self.orders[stop["order"]]
            for unit in ("pallets", "kg"):
                aboard[unit] += load[unit] if stop["action"] == "pickup" else -load[unit]
                if aboard[unit] > offer[unit]:
                    self.wrong.append("%s: %g of %d %s aboard" % (offer["ref"], aboard[unit], offer[unit], unit))

    def check_days(self, match):
        offer = self.orders[match["offer"]["id"]]
        taken = collections.Counter()
        for one in self.matches_of("offer", match["offer"]["id"]):
            for number in range(int(one["from_day"][-2:]), int(one["until_day"][-2:])):
                for unit in ("pallets", "kg"):
                    taken[unit, number] += one[unit]
        for (unit, number), amount in taken.items():
            if amount > offer[unit] + 1e-9:
                self.wrong.append("%s: %g of %d %s on day %d" % (offer["ref"], amount, offer[unit], unit, number))


class Allocation(unittest.TestCase):
    def test_never_more_than_there_is(self):
        draw = random.Random(2)
        asked = [*trucks(draw, 12), *loads(draw, 120), *chambers(6), *stays(draw, 120)]
        draw.shuffle(asked)
        book = Book()
        with Broker("--test-clock") as broker, broker.client("*") as client:
            client.call("clock", {"set": START - DAY})
            client.call("subscribe", {"from": "start"})
            for order in asked:
                book.orders[client.call("submit", order)["id"]] = order
                self.follow(client, book)
                self.give_back(draw, client, book)
                self.follow(client, book)
        self.assertEqual(book.wrong[:5], [])
        kinds = collections.Counter(match["kind"] for match in book.matches.values())
        self.assertGreater(min(kinds["truck"], kinds["cold"]), 40, "too few were matched to tell")

    def follow(self, client, book):
        for event in client.flush_events():
            book.hear(event)

    def give_back(self, draw, client, book):
        """Now and then one side cancels, so that what was taken is free again and taken anew."""
        if book.matches and draw.random() < 0.15:
            match = draw.choice(list(book.matches.values()))
            side = draw.choice(("offer", "request"))
            client.call("cancel_match", {"match": match["id"], "account": match[side]["account"]})


if __name__ == "__main__":
    unittest.main()

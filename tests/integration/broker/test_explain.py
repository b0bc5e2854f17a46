"""explain and what_if: every reason, what is told of the nearest miss on both sides and for all kinds, and that it is true."""

import unittest

from support import Broker, Refused

START = "2030-01-01T00:00:00Z"


def place(lon, lat=0.0):
    return {"lat": lat, "lon": lon}


def chamber(lon, **more):
    order = {"side": "offer", "kind": "cold", "at": place(lon), "pallets": 40, "from_day": "2030-02-01",
             "until_day": "2030-03-01", "temp_c": {"min": -22, "max": -20}, "base": 100, "per_pallet_day": 2}
    order.update(more)
    return order


def goods(lon, **more):
    order = {"side": "request", "kind": "cold", "at": place(lon), "radius_km": 100, "pallets": 12,
             "from_day": "2030-02-10", "until_day": "2030-02-20", "temp_c": {"min": -25, "max": -18}, "max_price": 980}
    order.update(more)
    return order


def truck(lon, **more):
    order = {"side": "offer", "kind": "truck", "from": place(lon), "to": place(lon + 2), "max_detour_km": 50,
             "kg": 10000, "pallets": 20, "available_from": "2030-01-02T06:00:00Z",
             "available_until": "2030-01-02T18:00:00Z", "temp_c": {"min": -20, "max": 5}, "base": 200, "per_t_km": 0.5}
    order.update(more)
    return order


def load(lon, **more):
    order = {"side": "request", "kind": "truck", "from": place(lon), "to": place(lon + 2), "kg": 1000, "pallets": 4,
             "pickup_from": "2030-01-02T06:00:00Z", "pickup_until": "2030-01-02T12:00:00Z",
             "deliver_until": "2030-01-02T20:00:00Z", "max_price": 400}
    order.update(more)
    return order


# What rests, what is asked about (its side, kind and place are the other's), the reason, the sentence, and what it needs.
CASES = [
    (chamber, {"per_pallet_day": 9}, goods, {}, "price", "nearest would match at 1,180.00 (limit 980.00)",
     {"max_price": 1180}),
    (goods, {}, chamber, {"per_pallet_day": 9}, "price", "nearest would match at a quote of 980.00 (200.00 less)",
     {"base": 0, "per_pallet_day": 8.1667}),
    (chamber, {"from_day": "2030-02-12"}, goods, {}, "time", "nearest is free from 2030-02-12",
     {"from_day": "2030-02-12", "until_day": "2030-02-22"}),
    (chamber, {"until_day": "2030-02-18"}, goods, {}, "time", "nearest is free until 2030-02-18",
     {"from_day": "2030-02-08", "until_day": "2030-02-18"}),
    (goods, {}, chamber, {"until_day": "2030-02-18"}, "time", "nearest is wanted until 2030-02-20",
     {"until_day": "2030-02-20"}),
    (chamber, {"pallets": 10}, goods, {}, "capacity", "nearest would match with 2 pallets less", {"pallets": 10}),
    (goods, {}, chamber, {"pallets": 10}, "capacity", "nearest would match with 2 pallets more", {"pallets": 12}),
    (chamber, {"pallets": 10}, goods, {"min_part": 11}, "capacity", "nearest would match with min_part 10",
     {"min_part": 10}),
    (chamber, {"min_part": 15}, goods, {}, "capacity", "nearest would match with 3 pallets more", {"pallets": 15}),
    (chamber, {"temp_c": {"min": 0, "max": 4}}, goods, {}, "temperature", "nearest would match at -25..4 C",
     {"temp_c": {"min": -25, "max": 4}}),
    (goods, {}, chamber, {"temp_c": {"min": 0, "max": 4}}, "temperature", "nearest would match at -18..-18 C",
     {"temp_c": {"min": -18, "max": -18}}),
    (chamber, {"features": ["haccp"]}, goods, {"features": ["haccp", "halal"]}, "features", "nearest lacks halal",
     {"features": ["haccp"]}),
    (chamber, {}, goods, {"features": ["halal"]}, "features", "nearest lacks halal", {"features": None}),
    (goods, {"features": ["halal"]}, chamber, {}, "features", "nearest asks for halal", {"features": ["halal"]}),
    (chamber, {}, goods, {"min_credit": 700}, "credit", "nearest has a credit of 500 (min_credit 700)",
     {"min_credit": 500}),
    (chamber, {"min_credit": 700}, goods, {}, "credit", "nearest asks for a credit of 700 (yours is 500)", {}),
    (chamber, {}, goods, {"at": 1.0}, "distance", "nearest is 38.994 km beyond the radius", {"radius_km": 138.994}),
    (goods, {}, chamber, {"at": 1.0}, "distance", "nearest is 38.994 km beyond the radius", {}),
    (truck, {}, load, {"max_price": 250}, "price", "nearest would match at 338.99 (limit 250.00)", {"max_price": 338.99}),
    (load, {"max_price": 250}, truck, {}, "price", "nearest would match at a quote of 250.00 (88.99 less)",
     {"base": 111.01}),
    (load, {"max_price": 100}, truck, {}, "price", "nearest would match at a quote of 100.00 (238.99 less)",
     {"base": 0, "per_t_km": 0.3597}),
    (truck, {}, load, {"pickup_from": "2030-01-02T03:00:00Z", "pickup_until": "2030-01-02T04:00:00Z"}, "time",
     "nearest could load at 2030-01-02T06:00:00Z", {"pickup_until": 1893564000}),
    (load, {"pickup_from": "2030-01-02T03:00:00Z", "pickup_until": "2030-01-02T04:00:00Z"}, truck, {}, "time",
     "nearest would need the truck from 2030-01-02T04:00:00Z", {"available_from": 1893556800}),
    (truck, {}, load, {"pickup_from": "2030-01-02T15:00:00Z", "pickup_until": "2030-01-02T16:00:00Z"}, "time",
     "nearest could start loading at 2030-01-02T13:22:00Z", {"pickup_from": 1893590520}),
    (truck, {}, load, {"pallets": 23.5}, "capacity", "nearest would match with 3.5 pallets less", {"pallets": 20}),
    (load, {"pallets": 23.5, "kg": 12000, "max_price": 9000}, truck, {}, "capacity",
     "nearest would match with 3.5 pallets more, 2000 kg more", {"pallets": 23.5, "kg": 12000}),
    (truck, {}, load, {"temp_c": {"min": 7, "max": 9}}, "temperature", "nearest would match at 5..9 C",
     {"temp_c": {"min": 5, "max": 9}}),
    (load, {"temp_c": {"min": 7, "max": 9}}, truck, {}, "temperature", "nearest would match at -20..7 C",
     {"temp_c": {"min": -20, "max": 7}}),
    (truck, {"features": ["gps_tracking"]}, load, {"features": ["tail_lift", "gps_tracking"]}, "features",
     "nearest lacks tail_lift", {"features": ["gps_tracking"]}),
    (truck, {"max_detour_km": 0}, load, {"lat": 0.1}, "distance", "nearest would be 27.797 km beyond the detour", {}),
    (load, {"lat": 0.1}, truck, {"max_detour_km": 0}, "distance", "nearest would be 27.797 km beyond the detour",
     {"max_detour_km": 27.797}),
    (truck, {"currency": "USD"}, load, {}, "currency", None, None),
    (truck, {"never": ["asker"]}, load, {}, "excluded", None, None),
    (load, {"only": ["someone"]}, truck, {}, "excluded", None, None),
]


def made(maker, lon, fields):
    """The order, with what a case says of places in a short form."""
    fields = dict(fields)
    if "at" in fields:
        fields["at"] = place(lon + fields["at"])
    lat = fields.pop("lat", None)
    order = maker(lon, **fields)
    if lat is not None:
        order["from"], order["to"] = place(lon, lat), place(lon + 2, lat)
    return order


class Explain(unittest.TestCase):
    def setUp(self):
        self.broker = Broker("--test-clock")
        self.addCleanup(self.broker.__exit__, None, None, None)
        self.operator, self.asker, self.other = [self.client(name) for name in ("*", "asker", "other")]
        self.operator.call("clock", {"set": START})
        self.refs = 0

    def client(self, account):
        client = self.broker.client(account)
        self.addCleanup(client.close)
        return client

    def submit(self, client, order):
        self.refs += 1
        client.call("submit", dict(order, ref="r%d" % self.refs))
        return "r%d" % self.refs

    def hash(self):
        return self.operator.call("state_hash")["partitions"][0]["hash"]

    def test_every_reason(self):
        """Each case has a stretch of the equator for itself. What is told is the same of a resting order and of one that is only
        tried, and an order that is changed as told matches."""
        for i, (resting, its, asked, own, reason, text, needs) in enumerate(CASES):
            with self.subTest(i=i, reason=reason, asked=asked.__name__):
                lon = -170 + 10 * i
                self.submit(self.other, made(resting, lon, its))
                order = made(asked, lon, own)
                before = self.hash()
                tried = self.asker.call("what_if", order)
                self.assertEqual((tried["in_reach"], tried["complete"], tried["fits"], tried["matches"]),
                                 (1, True, 0, []))
                self.assertEqual(self.hash(), before)
                self.assertEqual([told["reason"] for told in tried["reasons"]], [reason])
                told = tried["reasons"][0]
                self.assertEqual((told["count"], told["alone"]), (1, 1))
                self.assertEqual(told.get("nearest", {}).get("text"), text)
                self.assertEqual(told.get("nearest", {}).get("needs"), needs)
                self.check_needs(order, needs)
                ref = self.submit(self.asker, order)
                explained = self.asker.call("explain", {"ref": ref})
                self.assertEqual((explained["ref"], explained["reasons"]), (ref, tried["reasons"]))

    def check_needs(self, order, needs):
        if not needs:
            return
        changed = {key: value for key, value in dict(order, **needs).items() if value is not None}
        self.assertEqual(len(self.asker.call("what_if", changed)["matches"]), 1, needs)

    def test_reasons_add_up(self):
        """Each order counts under every reason that it fails for; the nearest miss is of those that fail for one alone."""
        for per_day in (9, 11, 10):
            self.submit(self.other, chamber(0, per_pallet_day=per_day))
        self.submit(self.other, chamber(0, pallets=1, per_pallet_day=50))
        self.submit(self.other, chamber(1, per_pallet_day=8.5))
        self.submit(self.other, chamber(5))  # out of reach
        answer = self.asker.call("what_if", goods(0))
        self.assertEqual(answer["in_reach"], 5)
        self.assertEqual([(told["reason"], told["count"], told["alone"]) for told in answer["reasons"]],
                         [("price", 5, 3), ("capacity", 1, 0), ("distance", 1, 0)])
        self.assertEqual(answer["reasons"][0]["nearest"]["needs"], {"max_price": 1180})

    def test_own_and_barred(self):
        self.submit(self.asker, chamber(0))
        self.submit(self.other, chamber(0, confirm="manual"))
        ref = self.submit(self.asker, goods(0))
        match = self.other.call("matches")["matches"][0]["id"]
        self.other.call("decline", {"match": match})
        answer = self.asker.call("explain", {"ref": ref})
        self.assertEqual([(told["reason"], told["count"]) for told in answer["reasons"]],
                         [("barred", 1), ("own_account", 1)])

    def test_what_it_would_match_it_matches(self):
        for pallets, base in ((5, 10), (4, 20), (11, 30)):
            self.submit(self.other, chamber(0, pallets=pallets, base=base))
        order = goods(0, pallets=20, min_part=1, max_price=2000)
        told = self.asker.call("what_if", order)
        self.assertEqual((len(told["matches"]), told["remaining"], told["more"], told["fits"]), (3, 0, False, 3))
        self.submit(self.asker, order)
        matches = self.asker.call("matches")["matches"]
        for would, did in zip(told["matches"], matches):
            for key in ("state", "pallets", "quote", "price", "surplus", "km", "from_day", "until_day", "currency"):
                self.assertEqual(would[key], did[key], key)

    def test_a_truck_is_told_its_times(self):
        self.submit(self.other, load(0))
        told = self.asker.call("what_if", truck(0))
        self.submit(self.asker, truck(0))
        did = self.asker.call("matches")["matches"][0]
        self.assertEqual([told["matches"][0][name] for name in ("pickup", "delivery")],
                         [{"eta": stop["eta"], "leave": stop["leave"]} for stop in did["stops"]])

    def test_nothing_of_others_is_told(self):
        self.submit(self.other, chamber(0.5, pallets=1, note="hidden", per_pallet_day=77))
        self.submit(self.other, chamber(0.25, note="hidden", confirm="manual"))
        answer = repr(self.asker.call("what_if", goods(0)))
        for secret in ("other", "'r1'", "'r2'", "o0-", "hidden", "77", "0.25", "'lat'", "'lon'"):
            self.assertNotIn(secret, answer)

    def refused(self, method, params, client=None):
        with self.assertRaises(Refused) as caught:
            (client or self.asker).call(method, params)
        return caught.exception.code, caught.exception.field, caught.exception.message

    def test_what_cannot_be_explained(self):
        self.submit(self.other, chamber(0))
        filled = self.submit(self.asker, goods(0))
        self.assertEqual(self.refused("explain", {"ref": filled}),
                         ("wrong_state", "ref", "the order is filled: all of it is in matches"))
        gone = self.submit(self.asker, goods(50))
        self.asker.call("cancel", {"ref": gone})
        self.assertEqual(self.refused("explain", {"ref": gone}),
                         ("wrong_state", "ref", "the order has ended and has left the book"))
        open_ref = self.submit(self.asker, goods(50))
        self.assertEqual(self.refused("explain", {"ref": open_ref}, self.other)[:2], ("not_found", "ref"))
        self.assertEqual(self.refused("explain", {"id": "o0-4"}, self.other)[:2], ("not_found", "id"))
        self.assertEqual(self.refused("explain", {})[:2], ("bad_params", ""))
        self.assertEqual(self.refused("what_if", {})[:2], ("missing_field", "side"))
        self.assertEqual(self.refused("what_if", goods(0, pallets=0))[:2], ("out_of_range", "pallets"))
        self.assertEqual(self.refused("what_if", goods(0, from_day="2029-12-30"))[:2], ("lapsed", "valid_until"))

    def test_an_operator_asks_for_others(self):
        ref = self.submit(self.asker, goods(0))
        answer = self.operator.call("explain", {"ref": ref, "account": "asker"})
        self.assertEqual((answer["ref"], answer["in_reach"]), (ref, 0))
        self.assertEqual(self.operator.call("what_if", goods(0, account="asker"))["in_reach"], 0)


if __name__ == "__main__":
    unittest.main()

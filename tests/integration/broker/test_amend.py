"""amend: new terms for an open order, what it is refused for, and what survives."""

import unittest

import msgpack

from redis_server import Redis
from support import Broker, Refused, truck_offer, truck_request

START = 1893456000  # 2030-01-01T00:00:00Z
HALL = {"lat": 31.23, "lon": 121.47}


def offer(ref, **more):
    return dict({"side": "offer", "kind": "warehouse", "ref": ref, "at": HALL, "m2": 100, "from_day": "2030-01-05",
                 "until_day": "2030-03-01", "per_m2_day": 1}, **more)


def request(ref, **more):
    return dict({"side": "request", "kind": "warehouse", "ref": ref, "at": HALL, "radius_km": 50, "m2": 60,
                 "from_day": "2030-01-10", "until_day": "2030-01-20", "max_price": 1000}, **more)


class Amend(unittest.TestCase):
    def start(self):
        return Broker("--test-clock")

    def setUp(self):
        self.broker = self.start()
        self.addCleanup(lambda: self.broker.__exit__(None, None, None))
        self.own, self.shop = self.broker.client("own"), self.broker.client("shop")
        self.addCleanup(self.own.close)
        self.addCleanup(self.shop.close)
        self.own.call("clock", {"set": START})

    def refused(self, code, field, client, params, words=""):
        with self.assertRaises(Refused) as caught:
            client.call("amend", params)
        self.assertEqual((caught.exception.code, caught.exception.field), (code, field), caught.exception)
        self.assertIn(words, caught.exception.message)

    def matches(self):
        return self.shop.call("matches")["matches"]

    def test_matches_at_once_and_tells(self):
        self.own.call("subscribe", {"from": "now"})
        self.own.call("submit", offer("o", per_m2_day=5))
        order = self.shop.call("submit", request("r"))["id"]
        self.shop.call("subscribe", {"from": "now"})
        answer = self.shop.call("amend", {"ref": "r", "max_price": 4000, "note": "gate 4"})
        self.assertEqual(answer, {"id": order, "status": "amended", "kept_priority": True, "durability": "fsynced"})
        amended, confirmed = self.shop.event(), self.shop.event()
        self.assertEqual((amended["type"], confirmed["type"]), ("order.amended", "match.confirmed"))
        self.assertEqual(amended["order"]["changes"], {"max_price": 4000, "note": "gate 4"})
        self.assertTrue(amended["order"]["kept_priority"])
        self.assertEqual([self.own.event()["type"] for _ in range(2)], ["order.accepted", "match.confirmed"])
        self.assertEqual(self.matches()[0]["quote"], 3000)

    def test_says_whether_priority_is_kept(self):
        self.own.call("submit", offer("o"))
        call = self.own.call
        self.assertFalse(call("amend", {"ref": "o", "per_m2_day": 2})["kept_priority"])
        self.assertTrue(call("amend", {"ref": "o", "per_m2_day": 1.5})["kept_priority"])
        self.assertEqual(call("amend", {"ref": "o", "per_m2_day": "1.5"})["status"], "unchanged")
        self.assertFalse(call("amend", {"ref": "o", "m2": 90, "until_day": "2030-04-01"})["kept_priority"])

    def test_takes_nothing_from_live_matches(self):
        self.own.call("submit", offer("o"))
        self.shop.call("submit", request("r", min_part=10))
        self.assertEqual(len(self.matches()), 1)
        self.refused("held", "m2", self.own, {"ref": "o", "m2": 59.99}, "m2 59.99 is less than 60, which live matches hold")
        self.refused("held", "from_day", self.own, {"ref": "o", "from_day": "2030-01-11", "base": 5},
                     "from_day 2030-01-11 is later than 2030-01-10")
        self.refused("held", "until_day", self.own, {"ref": "o", "until_day": "2030-01-19"}, "2030-01-20")
        self.assertEqual(self.own.call("amend", {"ref": "o", "m2": 60})["status"], "amended")
        self.assertEqual(self.matches()[0]["price"], 800)

    def test_each_is_told_its_own(self):
        """Many at once, every third of them refused: what refuses one is not said of another."""
        self.own.call("submit", offer("o"))
        self.shop.call("submit", request("r", min_part=10))
        sent = [self.own.send("amend", {"ref": "o", "m2": 1 + n % 50 if n % 3 == 0 else 100 + n}) for n in range(300)]
        for n, number in enumerate(sent):
            error, result = self.own.response(number)
            if n % 3 == 0:
                self.assertIn("m2 %d is" % (1 + n % 50), error["message"])
            else:
                self.assertEqual(result["status"], "amended")

    def test_wrong_orders(self):
        self.own.call("submit", offer("o"))
        order = self.own.call("submit", truck_offer("t", at=START))["id"]
        self.refused("not_found", "ref", self.own, {"ref": "none", "note": "x"})
        self.refused("not_found", "id", self.own, {"id": "o0-999", "note": "x"})
        self.refused("not_found", "id", self.shop, {"id": order, "note": "x"})
        self.refused("not_found", "id", self.own, {"id": "o7-1", "note": "x"})
        self.own.call("cancel", {"ref": "o"})
        self.refused("wrong_state", "ref", self.own, {"ref": "o", "note": "x"})
        self.shop.call("submit", truck_request("s", at=START, confirm="manual", fill="now"))
        self.refused("wrong_state", "ref", self.shop, {"ref": "s", "max_price": 9999})

    def test_bad_input(self):
        self.own.call("submit", offer("o"))
        rows = [({}, "bad_params", ""), ({"ref": "o"}, "bad_params", ""), ({"note": "x"}, "bad_params", ""),
                ({"ref": "o", "id": "o0-1", "note": "x"}, "bad_params", ""),
                ({"ref": 5, "note": "x"}, "bad_params", "ref"), ({"ref": "a b", "note": "x"}, "bad_params", "ref"),
                ({"id": "m0-1", "note": "x"}, "bad_params", "id"),
                ({"ref": "o", "account": "shop", "note": "x"}, "forbidden", "account"),
                ({"ref": "o", "colour": "red"}, "unknown_field", "colour"),
                ({"ref": "o", "max_price": 5}, "unknown_field", "max_price"),
                ({"ref": "o", "temp_c": {"min": 1, "max": 2}}, "unknown_field", "temp_c"),
                ({"ref": "o", "kind": "cold"}, "not_amendable", "kind"),
                ({"ref": "o", "side": "request"}, "not_amendable", "side"),
                ({"ref": "o", "fill": "now"}, "not_amendable", "fill"),
                ({"ref": "o", "currency": "USD"}, "not_amendable", "currency"),
                ({"ref": "o", "at": HALL}, "not_amendable", "at"),
                ({"ref": "o", "m2": None}, "missing_field", "m2"),
                ({"ref": "o", "m2": 0}, "out_of_range", "m2"), ({"ref": "o", "m2": "1.234"}, "too_many_decimals", "m2"),
                ({"ref": "o", "m2": [5]}, "bad_type", "m2"), ({"ref": "o", "m2": "5 m2"}, "bad_value", "m2"),
                ({"ref": "o", "note": "x" * 257}, "too_long", "note"),
                ({"ref": "o", "until_day": "2029-01-01"}, "out_of_range", "until_day"),
                ({"ref": "o", "min_part": 100.01}, "out_of_range", "min_part"),
                ({"ref": "o", "valid_until": START}, "lapsed", "valid_until")]
        for params, code, field in rows:
            with self.subTest(params=params):
                self.refused(code, field, self.own, params)
        self.assertEqual(self.own.call("orders")["orders"][0]["amount"], 100)

    def test_a_field_given_twice(self):
        self.own.call("submit", offer("o"))
        pairs = [("ref", "o"), ("m2", 5), ("m2", 6)]
        body = b"\x83" + b"".join(msgpack.packb(name) + msgpack.packb(value) for name, value in pairs)
        self.own.send_bytes(b"\x94\x00\xcd\x7f\xff" + msgpack.packb("amend") + b"\x91" + body)
        error, _ = self.own.response(0x7fff)
        self.assertEqual((error["code"], error["field"]), ("duplicate_field", "m2"))

    def test_a_retry_of_the_submit_is_the_first_order(self):
        first = self.own.call("submit", offer("o"))
        self.own.call("amend", {"ref": "o", "m2": 80, "features": ["cctv"]})
        again = self.own.call("submit", offer("o"))
        self.assertEqual(again["id"], first["id"])
        orders = self.own.call("orders")["orders"]
        self.assertEqual([order["amount"] for order in orders], [80])
        with self.assertRaises(Refused) as caught:
            self.own.call("submit", offer("o", m2=80))
        self.assertEqual(caught.exception.code, "ref_conflict")

    def test_survives_a_restart(self):
        self.own.call("submit", offer("o"))
        self.own.call("amend", {"ref": "o", "m2": 40, "min_part": 40})
        with self.broker.client("*") as operator:
            before = operator.call("state_hash")
        self.broker.kill()
        self.broker.start()
        with self.broker.client("*") as operator, self.broker.client("shop") as shop:
            self.assertEqual(operator.call("state_hash")["partitions"][0]["hash"], before["partitions"][0]["hash"])
            shop.call("clock", {"set": START})
            shop.call("submit", request("r", m2=41))
            self.assertEqual(shop.call("matches")["matches"], [])
            shop.call("amend", {"ref": "r", "m2": 40})
            self.assertEqual(len(shop.call("matches")["matches"]), 1)


class OverRedis(Amend):
    """What the engine says of an amendment comes through as well."""

    def start(self):
        redis = Redis()
        self.addCleanup(redis.stop)
        return Broker("--test-clock", "--redis", redis.url, "--lease", "300ms")


if __name__ == "__main__":
    unittest.main()

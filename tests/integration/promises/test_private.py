"""Promise 7: an account sees its own orders and matches, and of others only what a match must disclose: a shipper its own stops
on a shared truck and never another shipper's, the carrier the whole plan; a stranger nothing, and it can do nothing."""

import unittest

from history import history
from support import NANJING, SHANGHAI, SUZHOU, Broker, Refused, truck_offer, truck_request

SHIPPERS = ("apples", "books", "cars")


def words(value):
    """Every string and number anywhere in a value."""
    if isinstance(value, dict):
        return set().union(*map(words, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(words, value)) if value else set()
    return {value}


class Private(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()
        cls.clients = {name: cls.broker.client(name) for name in (*SHIPPERS, "fleet", "stranger", "*")}
        places = {"apples": (SHANGHAI, NANJING), "books": (SUZHOU, NANJING), "cars": (SHANGHAI, SUZHOU)}
        cls.offer = cls.clients["fleet"].call("submit", truck_offer("secret-truck", only=list(SHIPPERS), max_detour_km=3000))
        cls.ids = {}
        for i, (name, (start, end)) in enumerate(places.items()):
            order = truck_request("secret-" + name, to=end, max_price=4000 + i, note="note of " + name)
            order["from"] = dict(start, lat=round(start["lat"] + 0.01 * (i + 1), 4))
            cls.ids[name] = cls.clients[name].call("submit", order)["id"]
        cls.matches = {match["request"]["account"]: match for match in cls.clients["fleet"].call("matches")["matches"]}

    @classmethod
    def tearDownClass(cls):
        for client in cls.clients.values():
            client.close()
        assert cls.broker.stop() == 0

    def seen(self, name):
        """All that an account can get at."""
        client = self.clients[name]
        return [history(self.broker, name), client.call("orders"), client.call("matches")]

    def test_all_are_on_one_truck(self):
        self.assertEqual(set(self.matches), set(SHIPPERS))
        stops = self.clients["fleet"].call("matches")["matches"][0]["stops"]
        self.assertEqual({stop["order"] for stop in stops}, set(self.ids.values()))

    def test_a_shipper_sees_its_own(self):
        for name in SHIPPERS:
            seen = self.seen(name)
            self.assertIn("secret-truck", words(seen))
            stops = seen[2]["matches"][0]["stops"]
            self.assertEqual([(stop["order"], stop["action"]) for stop in stops],
                             [(self.ids[name], "pickup"), (self.ids[name], "delivery")])

    def test_a_shipper_sees_nothing_of_another(self):
        for name in SHIPPERS:
            seen = words(self.seen(name))
            for other in SHIPPERS:
                if other != name:
                    hidden = {other, "secret-" + other, self.ids[other], "note of " + other, self.matches[other]["id"]}
                    self.assertEqual(seen & hidden, set(), "%s sees %s" % (name, other))

    def test_a_stranger_sees_nothing(self):
        events, orders, matches = self.seen("stranger")
        self.assertEqual((events, orders["orders"], matches["matches"]), ([], [], []))

    def test_a_stranger_can_do_nothing_and_learns_nothing(self):
        stranger = self.clients["stranger"]
        match = self.matches["apples"]["id"]
        for method, real, unreal in (("cancel", {"id": self.ids["apples"]}, {"id": "o0-999999"}),
                                     ("cancel", {"ref": "secret-apples"}, {"ref": "nothing"}),
                                     *((method, {"match": match}, {"match": "m0-999999"})
                                       for method in ("accept", "decline", "cancel_match", "complete", "no_show"))):
            answers = []
            for params in (real, unreal):
                with self.assertRaises(Refused) as caught:
                    stranger.call(method, params)
                answers.append((caught.exception.code, caught.exception.message, caught.exception.field))
            self.assertEqual(answers[0], answers[1], method)
            with self.assertRaises(Refused) as caught:
                stranger.call(method, {**real, "account": "apples"})
            self.assertEqual((caught.exception.code, caught.exception.field), ("forbidden", "account"))
        self.assertEqual(len(self.clients["fleet"].call("matches")["matches"]), 3)


if __name__ == "__main__":
    unittest.main()

"""The methods but for feeds: who may call what, parameters, orders, matches and what is said about them."""

import unittest

import msgpack

from support import Broker, Refused, now, truck_offer, truck_request


def setUpModule():
    global broker
    broker = Broker()


def tearDownModule():
    assert broker.stop() == 0, broker.log()


class Case(unittest.TestCase):
    def refused(self, code, client, method, params=None, field=None):
        with self.assertRaises(Refused) as caught:
            client.call(method, params)
        self.assertEqual(caught.exception.code, code, caught.exception)
        self.assertTrue(caught.exception.message)
        if field is not None:
            self.assertEqual(caught.exception.field, field)
        return caught.exception


class Hello(Case):
    def test_what_it_says(self):
        with broker.client() as client:
            hello = client.call("hello", {"account": "acme"})
            self.assertEqual(hello["server"], "crossdock-broker")
            self.assertEqual(hello["account"], "acme")
            self.assertEqual(hello["currency"], "CNY")
            self.assertEqual(hello["road_factor"], 1.25)
            self.assertEqual(hello["partitions"], 1)
            self.assertFalse(hello["test_clock"])
            self.assertAlmostEqual(hello["time"], now(), delta=60)
            self.assertEqual(hello["limits"], {"message_bytes": 1 << 20, "depth": 16, "elements": 65536,
                                               "orders": 1000, "outstanding": 1024})

    def test_comes_first(self):
        with broker.client() as client:
            for method in ("submit", "cancel", "orders", "matches", "subscribe", "ack", "state_hash", "accept"):
                self.refused("hello_first", client, method, {})
            self.assertIn("time", client.call("ping"))

    def test_accounts_that_are_none(self):
        with broker.client() as client:
            for account in ("", "a b", "x" * 65, "ü", "a/b", "**", 5, None, ["a"]):
                self.refused("bad_params", client, "hello", {"account": account}, "account")
            self.refused("bad_params", client, "hello", {}, "account")
            self.refused("bad_params", client, "hello", None, "account")
            for account in ("x" * 64, "A.b_c:d@e-9", "*"):
                self.assertEqual(client.call("hello", {"account": account})["account"], account)

    def test_may_be_said_again(self):
        with broker.client("one") as client:
            self.assertEqual(client.call("hello", {"account": "two"})["account"], "two")
            client.call("ping")
            self.assertEqual(client.call("hello", {"account": "three"})["account"], "three")
            client.call("orders")
            self.assertEqual(client.call("hello", {"account": "three"})["account"], "three")
            self.refused("forbidden", client, "hello", {"account": "four"}, "account")


class Methods(Case):
    def test_unknown(self):
        with broker.client("acme") as client:
            for method in ("", "Submit", "submit ", "x" * 1000, "submi", "clock", "submit\0"):
                self.refused("unknown_method", client, method)

    def test_unknown_notifications_are_ignored(self):
        with broker.client("acme") as client:
            client.notify("nvim_error_event", {"x": 1})
            client.send_bytes(msgpack.packb([2, "whatever", [1, 2, 3]]))
            client.send_bytes(msgpack.packb([2, "submit", 5]))
            self.assertIn("time", client.call("ping"))

    def test_a_known_method_as_notification(self):
        with broker.client("silent") as client:
            client.notify("submit", truck_request("quiet", max_price=1))
            client.notify("submit", {"nonsense": 1})
            client.notify("orders")
            self.assertEqual(client.call("submit", truck_request("loud", max_price=1))["status"], "accepted")
            self.assertEqual([order["ref"] for order in client.call("orders")["orders"]], ["quiet", "loud"])
            self.assertEqual(client.responses, {})

    def test_unknown_and_repeated_parameters(self):
        with broker.client("acme") as client:
            self.refused("bad_params", client, "orders", {"status": "open"}, "status")
            self.refused("bad_params", client, "ping", {"x": 1}, "x")
            self.refused("bad_params", client, "orders", {5: 1})
            client.send_bytes(b"\x94\x00\x63\xa6orders\x91\x82\xa5limit\x01\xa5limit\x02")
            error, _ = client.response(99)
            self.assertEqual((error["code"], error["field"]), ("bad_params", "limit"))

    def test_responses_name_nothing_else(self):
        with broker.client("acme") as client:
            client.send_bytes(msgpack.packb([0, 5, "ping", []]))
            message = client.receive()
            self.assertEqual(message[:3], [1, 5, None])
            client.send_bytes(msgpack.packb([0, 6, "nothing", []]))
            message = client.receive()
            self.assertEqual((message[0], message[1], message[3]), (1, 6, None))
            self.assertEqual(message[2], {"code": "unknown_method", "message": "no such method"})


class Submit(Case):
    def test_one(self):
        with broker.client("one") as client:
            result = client.call("submit", truck_request("r1", max_price=1))
            self.assertEqual(set(result), {"ref", "id", "status", "durability"})
            self.assertEqual((result["ref"], result["status"], result["durability"]), ("r1", "accepted", "fsynced"))
            self.assertRegex(result["id"], r"^o0-[1-9][0-9]*$")

    def test_retry_and_conflict(self):
        order = truck_request("again", max_price=1)
        with broker.client("retrier") as client:
            first = client.call("submit", order)
            self.assertEqual(client.call("submit", order), first)
            self.assertEqual(client.call("submit", dict(reversed(order.items()))), first)
            with broker.client("retrier") as other:
                self.assertEqual(other.call("submit", order), first)
            self.refused("ref_conflict", client, "submit", {**order, "kg": 1001}, "ref")
            numbers = [client.send("submit", order) for _ in range(50)]
            self.assertEqual([client.result(number) for number in numbers], [first] * 50)
            self.assertEqual(len(client.call("orders")["orders"]), 1)
        with broker.client("another") as other:
            self.assertNotEqual(other.call("submit", order)["id"], first["id"])

    def test_batch(self):
        with broker.client("batcher") as client:
            orders = [truck_request("b1", max_price=1), {"side": "request"}, truck_request("b1", max_price=1),
                      truck_request("b1", max_price=2), truck_request("b2", max_price=1), 5,
                      {"ref": "not a ref", "side": "x"}]
            results = client.call("submit", {"orders": orders})["results"]
            self.assertEqual(len(results), 7)
            self.assertEqual(results[0], results[2])
            self.assertEqual((results[1]["ref"], results[1]["error"]["code"], results[1]["error"]["field"]),
                             (None, "missing_field", "kind"))
            self.assertEqual((results[3]["ref"], results[3]["error"]["code"]), ("b1", "ref_conflict"))
            self.assertEqual((results[4]["ref"], results[4]["status"]), ("b2", "accepted"))
            self.assertEqual((results[5]["ref"], results[5]["error"]["code"]), (None, "bad_type"))
            self.assertEqual((results[6]["ref"], results[6]["error"]["code"]), (None, "bad_value"))
            self.assertEqual(client.call("submit", {"orders": []}), {"results": []})

    def test_batch_of_a_thousand(self):
        with broker.client("thousand") as client:
            orders = [truck_request("t%d" % i, max_price=1) for i in range(1000)]
            results = client.call("submit", {"orders": orders})["results"]
            self.assertEqual([result["ref"] for result in results], [order["ref"] for order in orders])
            self.assertEqual({result["status"] for result in results}, {"accepted"})
            small = {"side": "offer"}
            self.refused("too_many_orders", client, "submit", {"orders": [small] * 1001}, "orders")

    def test_not_an_order(self):
        with broker.client("acme") as client:
            self.refused("bad_params", client, "submit")
            self.refused("missing_field", client, "submit", {}, "side")
            self.refused("bad_params", client, "submit", {"orders": {}}, "orders")
            self.refused("bad_params", client, "submit", {"orders": [], "x": 1}, "orders")
            self.refused("unknown_field", client, "submit", truck_request("u", colour="red"), "colour")
            self.refused("bad_value", client, "submit", truck_request("a b"), "ref")

    def test_lapsed(self):
        past = now() - 30 * 86400
        with broker.client("late") as client:
            self.refused("lapsed", client, "submit", truck_request("old", at=past), "valid_until")
            self.assertEqual(client.call("orders")["orders"], [])
            client.call("submit", truck_request("old", max_price=1))

    def test_account_of_an_order(self):
        with broker.client("teller") as client, broker.client("told") as told, broker.client("*") as operator:
            client.call("submit", truck_request("x1", max_price=1, account="told"))
            self.assertEqual([order["ref"] for order in told.call("orders")["orders"]], ["x1"])
            self.assertEqual(client.call("orders")["orders"], [])
            for account in (5, None):
                self.refused("bad_type", client, "submit", truck_request("x2", account=account), "account")
            for account in ("", "*", "a b"):
                self.refused("bad_value", client, "submit", truck_request("x2", account=account), "account")
            self.refused("missing_field", operator, "submit", truck_request("x3"), "account")
            operator.call("submit", truck_request("x3", max_price=1, account="told"))
            self.assertEqual(len(told.call("orders")["orders"]), 2)

    def test_account_given_twice(self):
        order = msgpack.packb(truck_request("x2"))
        self.assertEqual(order[0] & 0xf0, 0x80)
        twice = bytes([order[0] + 2]) + b"\xa7account\xa1a\xa7account\xa1b" + order[1:]
        with broker.client("acme") as client:
            client.send_bytes(b"\x94\x00\x63\xa6submit\x91" + twice)
            error, _ = client.response(99)
            self.assertEqual((error["code"], error["field"]), ("duplicate_field", "account"))


class Commands(Case):
    def test_cancel(self):
        with broker.client("canceller") as client, broker.client("stranger") as stranger:
            ids = [client.call("submit", truck_request("c%d" % i, max_price=1))["id"] for i in range(2)]
            self.refused("not_found", stranger, "cancel", {"ref": "c0"}, "ref")
            self.assertIn(self.refused_code(stranger, "cancel", {"id": ids[0]}), ("not_found", "forbidden"))
            self.assertEqual(client.call("cancel", {"ref": "c0"}), {"id": ids[0], "status": "cancelled", "durability": "fsynced"})
            self.assertEqual(client.call("cancel", {"id": ids[1]}), {"id": ids[1], "status": "cancelled", "durability": "fsynced"})
            self.refused("wrong_state", client, "cancel", {"ref": "c0"}, "ref")
            self.refused("wrong_state", client, "cancel", {"id": ids[0]}, "id")
            self.refused("not_found", client, "cancel", {"ref": "none"}, "ref")
            self.refused("not_found", client, "cancel", {"id": "o0-999999"}, "id")
            self.refused("not_found", client, "cancel", {"id": "o5-1"}, "id")

    def refused_code(self, client, method, params):
        with self.assertRaises(Refused) as caught:
            client.call(method, params)
        return caught.exception.code

    def test_cancel_parameters(self):
        with broker.client("acme") as client:
            self.refused("bad_params", client, "cancel")
            self.refused("bad_params", client, "cancel", {"ref": "a", "id": "o0-1"})
            self.refused("bad_params", client, "cancel", {"ref": "a b"}, "ref")
            self.refused("bad_params", client, "cancel", {"ref": 5}, "ref")
            for text in ("17", "o0-0", "o0-01", "m0-1", "o0-1 ", "o65536-1", "o0-281474976710656"):
                self.refused("bad_params", client, "cancel", {"id": text}, "id")
            self.refused("bad_params", client, "accept", {}, "match")
            self.refused("bad_params", client, "accept", {"match": "o0-1"}, "match")
            self.refused("not_found", client, "accept", {"match": "m0-99999"}, "match")
            self.refused("forbidden", client, "accept", {"match": "m0-1", "account": "other"}, "account")

    def test_an_operator_acts_for_others(self):
        with broker.client("*") as operator, broker.client("client") as client:
            client.call("submit", truck_request("op", max_price=1))
            self.refused("bad_params", operator, "cancel", {"ref": "op"}, "account")
            self.refused("bad_params", operator, "cancel", {"ref": "op", "account": "*"}, "account")
            self.assertEqual(operator.call("cancel", {"ref": "op", "account": "client"})["status"], "cancelled")


class Matches(Case):
    """What the sides say about a match, at times of our choosing: a pickup has to be due before it can be complete."""

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker("--test-clock")

    @classmethod
    def tearDownClass(cls):
        assert cls.broker.stop() == 0, cls.broker.log()

    def test_match_from_proposal_to_completion(self):
        with self.broker.client("carrier") as carrier, self.broker.client("shipper") as shipper:
            at = carrier.call("ping")["time"]
            carrier.call("subscribe")
            offer = carrier.call("submit", truck_offer("o1", at=at, confirm="manual", only=["shipper"]))
            request = shipper.call("submit", truck_request("r1", at=at, confirm="manual", only=["carrier"]))
            proposed = carrier.event("match.proposed")["match"]
            self.assertEqual((proposed["offer"]["id"], proposed["request"]["id"]), (offer["id"], request["id"]))
            match = proposed["id"]
            self.refused("wrong_state", shipper, "complete", {"match": match}, "match")
            self.assertEqual(shipper.call("accept", {"match": match}), {"match": match, "status": "accepted", "durability": "fsynced"})
            self.assertEqual(shipper.call("matches")["matches"][0]["state"], "proposed")
            self.assertEqual(carrier.call("accept", {"match": match})["status"], "accepted")
            self.assertEqual(carrier.event("match.confirmed")["match"]["id"], match)
            self.assertEqual([(found["id"], found["state"]) for found in shipper.call("matches")["matches"]],
                             [(match, "confirmed")])
            self.assertEqual(carrier.call("matches", {"state": "confirmed"})["matches"][0]["id"], match)
            self.assertEqual(carrier.call("matches", {"state": "proposed"})["matches"], [])
            self.refused("wrong_state", carrier, "complete", {"match": match}, "match")
            carrier.call("clock", {"advance": 2 * 86400})
            self.assertEqual(shipper.call("complete", {"match": match})["status"], "completed")
            with self.assertRaises(Refused):
                carrier.call("no_show", {"match": match})

    def test_decline_cancel_and_no_show(self):
        with self.broker.client("carrier2") as carrier, self.broker.client("shipper2") as shipper:
            shipper.call("subscribe")
            for i, (method, said, confirm) in enumerate((("decline", "declined", "manual"),
                                                         ("cancel_match", "cancelled", "auto"),
                                                         ("no_show", "no_show", "auto"))):
                at = carrier.call("ping")["time"]
                carrier.call("submit", truck_offer("o%d" % i, at=at, only=["shipper2"], confirm=confirm))
                shipper.call("submit", truck_request("r%d" % i, at=at, only=["carrier2"]))
                kind = "match.proposed" if confirm == "manual" else "match.confirmed"
                match = shipper.event(kind)["match"]["id"]
                if method == "no_show":
                    carrier.call("clock", {"advance": 2 * 86400})
                self.assertEqual(carrier.call(method, {"match": match}),
                                 {"match": match, "status": said, "durability": "fsynced"})
                self.assertEqual(shipper.event("match." + said)["match"]["id"], match)
                carrier.call("cancel", {"ref": "o%d" % i})
                if method != "no_show":
                    shipper.call("cancel", {"ref": "r%d" % i})


class Listings(Case):
    def test_pages(self):
        with broker.client("pager") as client:
            client.call("submit", {"orders": [truck_request("l%d" % i, max_price=1) for i in range(250)]})
            refs, after, pages = [], None, 0
            while True:
                page = client.call("orders", {"limit": 100, **({"after": after} if after else {})})
                refs += [order["ref"] for order in page["orders"]]
                pages += 1
                after = page["next"]
                if after is None:
                    break
            self.assertEqual(refs, ["l%d" % i for i in range(250)])
            self.assertEqual(pages, 3)
            self.assertEqual(len(client.call("orders")["orders"]), 100)
            self.assertEqual(len(client.call("orders", {"state": "open", "limit": 1000})["orders"]), 250)
            self.assertEqual(client.call("orders", {"state": "filled"})["orders"], [])
            self.assertEqual(client.call("orders", {"state": None, "limit": 1})["orders"][0]["ref"], "l0")

    def test_parameters(self):
        with broker.client("acme") as client:
            for params, field in (({"limit": 0}, "limit"), ({"limit": 1001}, "limit"), ({"limit": "5"}, "limit"),
                                  ({"limit": 1.5}, "limit"), ({"state": "odd"}, "state"), ({"state": 5}, "state"),
                                  ({"after": "m0-1"}, "after"), ({"after": "x"}, "after")):
                self.refused("bad_params", client, "orders", params, field)
            self.refused("bad_params", client, "matches", {"after": "o0-1"}, "after")

    def test_one_account_never_sees_another(self):
        with broker.client("mine") as mine, broker.client("yours") as yours, broker.client("*") as operator:
            mine.call("submit", truck_request("secret", max_price=1))
            yours.call("submit", truck_request("other", max_price=1))
            self.assertEqual([order["ref"] for order in mine.call("orders")["orders"]], ["secret"])
            self.assertEqual([order["ref"] for order in yours.call("orders")["orders"]], ["other"])
            everything = operator.call("orders", {"limit": 1000})
            while everything["next"]:
                page = operator.call("orders", {"limit": 1000, "after": everything["next"]})
                everything = {"orders": everything["orders"] + page["orders"], "next": page["next"]}
            self.assertTrue({"secret", "other"} <= {order["ref"] for order in everything["orders"]})

    def test_state_hash(self):
        with broker.client("acme") as client:
            first = client.call("state_hash")["partitions"]
            self.assertEqual([part["partition"] for part in first], [0])
            self.assertRegex(first[0]["hash"], "^[0-9a-f]{16}$")
            client.call("submit", truck_request("hash", max_price=1))
            second = client.call("state_hash")["partitions"]
            self.assertGreater(second[0]["records"], first[0]["records"])
            self.assertNotEqual(second[0]["hash"], first[0]["hash"])


if __name__ == "__main__":
    unittest.main()

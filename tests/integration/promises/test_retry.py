"""Promise 6: a retry is the same order, however it comes: at once and many times, from several connections, after a kill that
left the first try unanswered, after the order was matched, lapsed or cancelled. The same ref for another order is refused."""

import collections
import unittest

from history import history
from support import Broker, Refused, truck_offer, truck_request

COUNT = 300


class Retry(unittest.TestCase):
    def test_many_times_at_once(self):
        with Broker() as broker, broker.client("acme") as one, broker.client("acme") as other:
            one.call("subscribe", {"from": "start"})
            order = truck_request("twin", max_price=1)
            sent = [(client, client.send("submit", order)) for _ in range(100) for client in (one, other)]
            sent += [(one, one.send("submit", {"orders": [order] * 50}))]
            results = [client.result(number) for client, number in sent]
            results += results.pop()["results"]
            self.assertEqual(len({result["id"] for result in results}), 1)
            self.assertEqual([order["ref"] for order in one.call("orders")["orders"]], ["twin"])
            self.assertEqual([event["type"] for event in one.flush_events()], ["order.accepted"])
            for field, value in (("kg", 1001), ("max_price", 2), ("note", "x"), ("confirm", "manual")):
                with self.assertRaises(Refused) as caught:
                    other.call("submit", {**order, field: value})
                self.assertEqual((caught.exception.code, caught.exception.field), ("ref_conflict", "ref"))

    def test_after_a_kill(self):
        orders = [truck_request("r%d" % i, max_price=1) for i in range(COUNT)]
        with Broker() as broker:
            with broker.client("acme") as client:
                sent = [client.send("submit", order) for order in orders]
                acknowledged = {order["ref"]: client.result(number)["id"] for order, number in zip(orders[:20], sent)}
                broker.kill()
            broker.start()
            with broker.client("acme") as client:
                again = {result["ref"]: result["id"] for result in client.call("submit", {"orders": orders})["results"]}
                self.assertEqual({ref: again[ref] for ref in acknowledged}, acknowledged)
                client.call("subscribe", {"from": "start"})
                accepted = collections.Counter(client.event()["order"]["ref"] for _ in orders)
                self.assertEqual(accepted, collections.Counter(again.keys()))
                self.assertEqual(client.flush_events(), [])

    def test_after_its_end(self):
        with Broker("--test-clock") as broker, broker.client("shipper") as client, broker.client("carrier") as carrier:
            at = client.call("ping")["time"]
            orders = [truck_request(name, at=at, max_price=1) for name in ("cancelled", "lapsed")]
            orders.append(truck_request("matched", at=at, max_price=5000))
            first = [client.call("submit", order) for order in orders]
            client.call("cancel", {"ref": "cancelled"})
            carrier.call("submit", truck_offer("o", at=at))
            for turn in range(2):
                client.call("clock", {"advance": 6 * 86400})
                self.assertEqual([client.call("submit", order) for order in orders], first, "turn %d" % turn)
            broker.kill()
            broker.start()
            with broker.client("shipper") as late:
                self.assertEqual([late.call("submit", order) for order in orders], first)
            told = collections.Counter(event["type"] for event in history(broker, "shipper"))
            self.assertEqual((told["order.accepted"], told["match.confirmed"]), (3, 1))


if __name__ == "__main__":
    unittest.main()

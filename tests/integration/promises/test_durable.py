"""Promise 1: an acknowledged order survives kill -9 at any instant. (Power loss: tests/ledger/test_powerloss.c.)"""

import random
import unittest

from support import Broker, truck_request

ROUNDS = 12
BATCHES = 4
BATCH = 500


def batch(name, count=BATCH):
    return {"orders": [truck_request("%s-%d" % (name, i), max_price=1) for i in range(count)]}


def all_orders(client):
    found, after = [], None
    while True:
        page = client.call("orders", {"limit": 1000, **({"after": after} if after else {})})
        found += page["orders"]
        after = page["next"]
        if not after:
            return {order["id"]: order["ref"] for order in found}


class Durable(unittest.TestCase):
    def test_kill_at_any_instant(self):
        """Dies while batches are on their way: each that was answered is there, whole, and the others may be."""
        draw = random.Random(1)
        acknowledged = {}
        with Broker() as broker:
            for turn in range(ROUNDS):
                acknowledged.update(self.submit_and_kill(broker, turn, draw.randrange(1, BATCHES + 1)))
                broker.start()
                with broker.client("acme") as client:
                    there = all_orders(client)
                lost = {ref for identity, ref in acknowledged.items() if there.get(identity) != ref}
                self.assertEqual(lost, set(), "acknowledged in round %d and gone" % turn)
        self.assertGreaterEqual(len(acknowledged), ROUNDS * BATCH)

    def submit_and_kill(self, broker, turn, answers):
        """Kills the broker as soon as it has answered so many of the batches; the orders that it had acknowledged."""
        with broker.client("acme") as client:
            numbers = [client.send("submit", batch("k%d-%d" % (turn, i))) for i in range(BATCHES)]
            results = [client.result(number)["results"] for number in numbers[:answers]]
            broker.kill()
        self.assertEqual({order["durability"] for answer in results for order in answer}, {"fsynced"})
        return {order["id"]: order["ref"] for answer in results for order in answer}


if __name__ == "__main__":
    unittest.main()

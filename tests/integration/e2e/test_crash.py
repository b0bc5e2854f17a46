"""kill -9 at random instants while several connections submit: every acknowledged order is there, the state
is that of a replay from the log's start, and a durable subscriber misses nothing."""

import os
import random
import shutil
import tempfile
import threading
import time
import unittest

import play
from mix import Mix, START
from support import Broker, Closed

ROUNDS = play.scaled(50, least=3)
CONNECTIONS = 3
OUTSTANDING = 32
ACK_EVERY = 40
ROUND_S = 4 * 3600  # so that old orders lapse and the book keeps its size


class Submitter(threading.Thread):
    """One connection with many calls on their way, until the broker is gone."""

    def __init__(self, broker, orders):
        super().__init__(daemon=True)
        self.client = broker.client("*")
        self.orders = orders
        self.sent = []
        self.acknowledged = []  # (order, id)

    def run(self):
        waiting = []
        try:
            for order in self.orders:
                wire = {name: value for name, value in order.items() if name != "time"}
                self.sent.append(order)
                waiting.append((self.client.send("submit", wire), order))
                if len(waiting) >= OUTSTANDING:
                    self.take(waiting.pop(0))
            for item in waiting:
                self.take(item)
        except (Closed, OSError):
            pass
        finally:
            self.client.close()

    def take(self, item):
        number, order = item
        error, result = self.client.response(number)
        if error is None:
            self.acknowledged.append((order, result["id"]))


class Watcher(threading.Thread):
    """A durable subscription: hears, acknowledges now and then, until the broker is gone."""

    def __init__(self, broker, heard):
        super().__init__(daemon=True)
        self.client = broker.client("*")
        self.heard = heard  # id -> event, of all sessions
        self.altered = []
        self.answer = self.client.call("subscribe", {"durable": "watcher", "from": "start"} if not heard else
                                       {"durable": "watcher"})

    def run(self):
        count = 0
        try:
            while True:
                event = self.client.event()
                known = self.heard.setdefault(event["id"], event)
                if known != event:
                    self.altered.append((known, event))
                count += 1
                if count % ACK_EVERY == 0:
                    self.client.send("ack", {"cursor": event["cursor"]})
        except (Closed, OSError):
            self.client.close()


class Crashes(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="crossdock-crash-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.data = os.path.join(self.directory, "data")
        self.random = random.Random(4711)
        self.mix = Mix(4711, 10 ** 9, round_size=5, days=5)
        self.sent, self.acknowledged, self.heard = {}, {}, {}

    def broker(self, data, *more):
        return Broker("--test-clock", "--keep-log", "--snapshot-every", "300", "--retain-events", "0", *more,
                      data=data)

    def start_and_kill(self, number):
        """Starts on the data there is, lets all loose, kills."""
        broker = self.broker(self.data)
        try:
            with broker.client("*") as client:
                self.mix.now = START + ROUND_S * number
                client.call("clock", {"set": self.mix.now})
            watcher = Watcher(broker, self.heard)
            self.assertTrue(watcher.answer["recovered"])
            submitters = [Submitter(broker, [self.mix.order() for _ in range(250)])
                          for _ in range(CONNECTIONS)]
            for thread in [watcher, *submitters]:
                thread.start()
            self.wait_acknowledged(submitters, self.random.randrange(12, 400))
            time.sleep(self.random.uniform(0, 0.005))
        finally:
            broker.kill()
        for thread in [watcher, *submitters]:
            thread.join(30)
        self.assertEqual(watcher.altered, [])
        return submitters

    @staticmethod
    def wait_acknowledged(submitters, count):
        """The instant goes by what was done, which in a given time may be nothing on a busy machine."""
        while sum(len(submitter.acknowledged) for submitter in submitters) < count and \
                any(submitter.is_alive() for submitter in submitters):
            time.sleep(0.001)

    def check_acknowledged(self, broker, submitters):
        """Retries: what was acknowledged keeps its id, what was not is taken now or was taken then."""
        with broker.client("*") as client:
            for submitter in submitters:
                acknowledged = {order["ref"]: order_id for order, order_id in submitter.acknowledged}
                orders = [{name: value for name, value in order.items() if name != "time"}
                          for order in submitter.sent]
                for first in range(0, len(orders), play.BATCH):
                    results = client.call("submit", {"orders": orders[first:first + play.BATCH]})["results"]
                    for order, result in zip(orders[first:], results):
                        self.note(order, result, acknowledged.get(order["ref"]))

    def note(self, order, result, acknowledged_id):
        if acknowledged_id:
            self.assertEqual(result.get("id"), acknowledged_id, (order, result))
        if "id" in result:
            self.acknowledged[order["account"], order["ref"]] = result["id"]

    def check_replay(self):
        """The state after the crash is that of a replay of the whole log."""
        copy = os.path.join(self.directory, "copy")
        shutil.copytree(self.data, copy)
        hashes = []
        for data, more in ((self.data, ()), (copy, ("--rebuild",))):
            with self.broker(data, *more) as broker, broker.client("*") as client:
                hashes.append(client.call("state_hash")["partitions"])
        shutil.rmtree(copy)
        self.assertEqual(hashes[0], hashes[1])
        return hashes[0][0]["records"]

    def check_orders(self, broker, events):
        """Every order that is open by the events is listed."""
        open_now = {}
        for event in events:
            if "order" in event:
                open_now[event["order"]["id"]] = event["type"] == "order.accepted"
        listed, after = set(), None
        with broker.client("*") as client:
            while True:
                page = client.call("orders", {"limit": 1000, **({"after": after} if after else {})})
                listed.update(order["id"] for order in page["orders"])
                after = page["next"]
                if after is None:
                    break
        missing = [order_id for order_id, is_open in open_now.items() if is_open and order_id not in listed]
        self.assertEqual(missing, [])

    def test_kill_at_random_instants(self):
        acknowledged = records = 0
        for number in range(ROUNDS):
            submitters = self.start_and_kill(number)
            for submitter in submitters:
                self.sent.update(((order["account"], order["ref"]), order) for order in submitter.sent)
            acknowledged += sum(len(submitter.acknowledged) for submitter in submitters)
            records = self.check_replay()
            with self.broker(self.data) as broker:
                self.check_acknowledged(broker, submitters)
        self.finish()
        print("%d kills, %d orders acknowledged before them, %d sent in all, %d records, %d events"
              % (ROUNDS, acknowledged, len(self.sent), records, len(self.heard)))
        self.assertGreater(acknowledged, 10 * ROUNDS)

    def finish(self):
        """Everything was told, once, and is right."""
        with self.broker(self.data) as broker:
            watcher = Watcher(broker, self.heard)
            with play.Market(broker) as market:
                market.hear_all()
                self.check_orders(broker, market.events)
            watcher.start()
            deadline = time.monotonic() + 30
            while len(self.heard) < len(market.events) and time.monotonic() < deadline:
                time.sleep(0.02)
        watcher.join(30)
        self.assertEqual(watcher.altered, [])
        self.assertEqual(sorted(self.heard), sorted(event["id"] for event in market.events))
        self.assertEqual([event for event in market.events if self.heard[event["id"]] != event], [])
        market.submitted = list(self.sent.values())
        self.assertEqual(play.check(market, storage=20).report.lines, [])
        told = {(event["account"], event["order"]["ref"]): event["order"]["id"] for event in market.events
                if event["type"] == "order.accepted"}
        self.assertEqual({key: told.get(key) for key in self.acknowledged}, self.acknowledged)


if __name__ == "__main__":
    unittest.main()

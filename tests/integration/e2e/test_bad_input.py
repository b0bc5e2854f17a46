"""Malformed orders, frames and command lines: each gets exactly the error that bad_input.jsonl says, and
everything goes on."""

import collections
import time
import unittest

import bad_input
import play
from cluster import rig
from redis_server import Redis

LATER_S = 20  # a broker looks for a newer generation for 5 s


class BadInput(unittest.TestCase):
    clock = True  # the time is set by hand
    cursors_wait = False

    @classmethod
    def start(cls):
        return play.start()

    @classmethod
    def setUpClass(cls):
        cls.broker = cls.start()
        if cls.clock:
            with cls.broker.client("*") as client:
                client.call("clock", {"set": bad_input.NOW})
        cls.sender = bad_input.Sender(cls.broker)

    @classmethod
    def tearDownClass(cls):
        cls.sender.close()
        assert cls.broker.stop() == 0, cls.broker.log()

    def settled(self, row):
        """What is answered in the end: over Redis a cursor of a newer generation is one that may come to be known."""
        until = time.monotonic() + LATER_S
        while True:
            got = self.sender.send(row)
            if self.cursors_wait and got.get("error", {}).get("code") == "storage_failed" and time.monotonic() < until:
                time.sleep(0.1)
                continue
            return got

    def test_every_row_gets_its_error(self):
        kinds = collections.Counter()
        for row in bad_input.rows():
            if row.get("clock") and not self.clock:
                continue
            with self.subTest(row["what"]):
                got = self.settled(row)
                self.assertEqual(got, {name: row[name] for name in got})
                kinds.update(name for name in ("order", "json", "json_hex", "frame", "command")
                             if name in row)
        self.assertGreaterEqual(sum(kinds.values()), 200)
        print("%d rows: %s" % (sum(kinds.values()), dict(kinds)))

    def test_nothing_of_it_was_taken(self):
        """No bad order is listed, and the connection that heard all the refusals takes a good one."""
        with self.broker.client("*") as client:
            refs = [order["ref"] for order in client.call("orders", {"limit": 1000})["orders"]]
        self.assertEqual([ref for ref in refs if not ref.startswith("good")], [])
        order = dict(bad_input.BASES["truck_offer"], ref="good-at-last")
        self.assertEqual(self.sender.client.call("submit", order)["status"], "accepted")


class OverRedis(BadInput):
    cursors_wait = True

    @classmethod
    def start(cls):
        redis = Redis()
        cls.addClassCleanup(redis.stop)
        return play.start("--redis", redis.url)


class OverCluster(BadInput):
    """A front knows no clock but Redis'."""
    clock = False
    cursors_wait = True

    @classmethod
    def start(cls):
        cluster = rig.Cluster()
        cls.addClassCleanup(cluster.stop)
        cluster.wait_owners([cluster.matcher()])
        return cluster.broker()


if __name__ == "__main__":
    unittest.main()

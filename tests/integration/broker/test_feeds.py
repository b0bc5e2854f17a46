"""Feeds: who gets which events, resuming, and readers that are slow."""

import contextlib
import json
import os
import sqlite3
import tempfile
import threading
import time
import unittest

from support import Broker, Refused, now, run, truck_offer, truck_request

# More events than kernel buffers can hold, each made long by its account and its ref.
MANY = 20000
LONG = "long-" + "x" * 55 + "-"


def submit_many(client, count, prefix="m", **more):
    """Requests that match nothing, in full batches: an order.accepted each."""
    for first in range(0, count, 1000):
        orders = [truck_request("%s%d" % (prefix, i), max_price=1, **more)
                  for i in range(first, min(first + 1000, count))]
        results = client.call("submit", {"orders": orders})["results"]
        assert all("id" in result for result in results), results[0]


def sqlite(path):
    return contextlib.closing(sqlite3.connect(path))


def offset_of(event):
    return int(event["id"].split("-")[2])


class Case(unittest.TestCase):
    def refused(self, code, client, method, params=None, field=None):
        with self.assertRaises(Refused) as caught:
            client.call(method, params)
        self.assertEqual(caught.exception.code, code, caught.exception)
        if field is not None:
            self.assertEqual(caught.exception.field, field)


class Feeds(Case):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker()

    @classmethod
    def tearDownClass(cls):
        assert cls.broker.stop() == 0, cls.broker.log()

    def test_event(self):
        with self.broker.client("watcher") as client:
            start = client.call("subscribe")
            self.assertTrue(start["recovered"])
            result = client.call("submit", truck_request("e1", max_price=1))
            event = client.event()
            self.assertEqual(event["type"], "order.accepted")
            self.assertEqual(event["account"], "watcher")
            self.assertEqual((event["order"]["ref"], event["order"]["id"]), ("e1", result["id"]))
            self.assertAlmostEqual(event["time"], now(), delta=60)
            partition, generation, offset = event["cursor"].split(".")
            self.assertEqual(event["id"], "e%s-%s-%d" % (partition, generation, int(offset) - 1))

    def test_the_answer_comes_before_the_event(self):
        with self.broker.client("ordered") as client:
            client.call("subscribe")
            number = client.send("submit", truck_request("first", max_price=1))
            self.assertEqual(client.receive()[:2], [1, number])
            self.assertEqual(client.receive()[1], "event")

    def test_both_sides_of_a_match_and_nobody_else(self):
        with self.broker.client("left") as left, self.broker.client("right") as right, \
                self.broker.client("outsider") as outsider, self.broker.client("*") as operator:
            for client in (left, right, outsider, operator):
                client.call("subscribe")
            left.call("submit", truck_offer("o", only=["right"], note="secret of left"))
            right.call("submit", truck_request("r", only=["left"]))
            of_left, of_right = left.event("match.confirmed"), right.event("match.confirmed")
            self.assertEqual(of_left["match"]["id"], of_right["match"]["id"])
            self.assertEqual((of_left["account"], of_right["account"]), ("left", "right"))
            self.assertEqual({operator.event("match.confirmed")["account"] for _ in range(2)}, {"left", "right"})
            self.assertEqual({event["account"] for event in left.flush_events()} - {"left"}, set())
            self.assertEqual(outsider.flush_events(), [])
            with self.broker.client("outsider") as late:
                late.call("subscribe", {"from": "start"})
                self.assertEqual(late.flush_events(), [])

    def test_hundreds_of_subscribers_each_hear_their_own(self):
        names = ["crowd%d" % i for i in range(250)]
        clients = [self.broker.client(name) for name in names]
        try:
            for client in clients:
                client.call("subscribe")
            for name, client in zip(names, clients):
                client.call("submit", truck_request("of-" + name, max_price=1))
            for name, client in zip(names, clients):
                self.assertEqual(client.event()["order"]["ref"], "of-" + name)
                self.assertEqual(client.flush_events(), [])
        finally:
            for client in clients:
                client.close()

    def test_from_the_start_and_from_a_cursor(self):
        with self.broker.client("resumer") as client:
            for i in range(10):
                client.call("submit", truck_request("s%d" % i, max_price=1))
        with self.broker.client("resumer") as client:
            self.assertEqual(client.call("subscribe", {"from": "start"})["recovered"], True)
            events = [client.event() for _ in range(10)]
            self.assertEqual([event["order"]["ref"] for event in events], ["s%d" % i for i in range(10)])
        with self.broker.client("resumer") as client:
            self.assertTrue(client.call("subscribe", {"from": events[6]["cursor"]})["recovered"])
            self.assertEqual([client.event() for _ in range(3)], events[7:])
            client.call("submit", truck_request("s10", max_price=1))
            self.assertEqual(client.event()["order"]["ref"], "s10")

    def test_cursors_that_are_none(self):
        with self.broker.client("cursor") as client:
            head = client.call("subscribe")["cursor"].split(".")
            beyond = "%s.%s.%d" % (head[0], head[1], int(head[2]) + 1000)
            self.refused("already_subscribed", client, "subscribe")
        with self.broker.client("cursor") as client:
            for cursor in (beyond, "x", "0", "0.1", "0.01.1", "1.1.0", "0.99.0", "e0-1-1", "0.1.-1", "Now"):
                self.refused("bad_cursor", client, "subscribe", {"from": cursor}, "from")
            self.refused("bad_params", client, "subscribe", {"from": 5}, "from")
            self.refused("bad_params", client, "subscribe", {"from": ""}, "from")
            self.refused("bad_params", client, "subscribe", {"durable": "a b"}, "durable")
            self.refused("bad_params", client, "ack", {"cursor": "0.1.0"})
            client.call("subscribe")
            self.refused("bad_params", client, "ack", {"cursor": "0.1.0"})

    def test_durable(self):
        with self.broker.client("durable") as client:
            start = client.call("subscribe", {"durable": "app"})
            for i in range(4):
                client.call("submit", truck_request("d%d" % i, max_price=1))
            events = [client.event() for _ in range(4)]
            acked = client.call("ack", {"cursor": events[1]["cursor"]})
            self.assertEqual(acked, {"cursor": events[1]["cursor"]})
            self.assertEqual(client.call("ack", {"cursor": events[0]["cursor"]}), acked)
            self.refused("bad_cursor", client, "ack", {"cursor": "0.1.999999"}, "cursor")
            self.refused("bad_cursor", client, "ack", {"cursor": "nonsense"}, "cursor")
            self.refused("bad_params", client, "ack", {}, "cursor")
        with self.broker.client("durable") as client:
            self.assertEqual(client.call("subscribe", {"durable": "app"}),
                             {"recovered": True, "cursor": events[1]["cursor"]})
            self.assertEqual([client.event() for _ in range(2)], events[2:])
        with self.broker.client("durable") as client:
            client.call("subscribe", {"durable": "other"})
            self.assertEqual(client.flush_events(), [])
        with self.broker.client("durable") as client:
            client.call("subscribe", {"durable": "app", "from": start["cursor"]})
            self.assertEqual([client.event() for _ in range(4)], events)
            self.assertEqual(client.call("ack", {"cursor": events[0]["cursor"]}), acked)
        with self.broker.client("stranger") as client:
            client.call("subscribe", {"durable": "app"})
            self.assertEqual(client.flush_events(), [])

    def test_durable_misses_nothing_before_its_first_ack(self):
        with self.broker.client("fresh") as client:
            client.call("subscribe", {"durable": "app"})
        with self.broker.client("fresh") as client:
            client.call("submit", truck_request("f1", max_price=1))
        with self.broker.client("fresh") as client:
            client.call("subscribe", {"durable": "app"})
            self.assertEqual(client.event()["order"]["ref"], "f1")

    def test_two_connections_of_an_account(self):
        with self.broker.client("twice") as one, self.broker.client("twice") as two:
            one.call("subscribe")
            two.call("subscribe")
            one.call("submit", truck_request("t", max_price=1))
            self.assertEqual(one.event(), two.event())

    def test_from_the_start_while_events_come(self):
        """A subscriber that catches up while others submit sees every event once, in order."""
        with self.broker.client("busy") as submitter, self.broker.client("busy") as late:
            submit_many(submitter, 3000, "a")
            late.call("subscribe", {"from": "start"})
            numbers = [submitter.send("submit", truck_request("b%d" % i, max_price=1)) for i in range(1000)]
            events = [late.event() for _ in range(4000)]
            for number in numbers:
                submitter.result(number)
            self.assertEqual([event["order"]["ref"] for event in events],
                             ["a%d" % i for i in range(3000)] + ["b%d" % i for i in range(1000)])
            self.assertEqual(late.flush_events(), [])


class Restart(Case):
    def test_resume_after_a_restart_and_after_kill(self):
        with Broker() as broker:
            with broker.client("acme") as client:
                client.call("subscribe", {"durable": "app"})
                client.call("submit", truck_request("r0", max_price=1))
                first = client.event()
                client.call("ack", {"cursor": first["cursor"]})
                client.call("submit", truck_request("r1", max_price=1))
                hashed = client.call("state_hash")
            for end in (broker.stop, broker.kill):
                end()
                broker.start()
                with broker.client("acme") as client:
                    start = client.call("subscribe", {"durable": "app"})
                    self.assertEqual(start, {"recovered": True, "cursor": first["cursor"]})
                    second = client.event()
                    self.assertEqual(second["order"]["ref"], "r1")
                    again = client.call("state_hash")["partitions"]
                    self.assertEqual(again[0]["hash"], hashed["partitions"][0]["hash"])
                    self.assertEqual([order["ref"] for order in client.call("orders")["orders"]], ["r0", "r1"])


class Restore(Case):
    """As docs/OPERATIONS.md says."""

    def test_a_client_that_knows_more_than_the_backup_is_told(self):
        with Broker() as broker, tempfile.TemporaryDirectory(prefix="crossdock-backup-") as backup:
            copy = os.path.join(backup, "ledger.db")
            with broker.client("acme") as client:
                client.call("subscribe")
                client.call("submit", truck_request("r0", max_price=1))
                before = client.event()
                with sqlite(os.path.join(broker.data, "ledger.db")) as ledger, sqlite(copy) as into:
                    ledger.backup(into)
                client.call("submit", truck_request("r1", max_price=1))
                lost = client.event()
            broker.stop()
            with sqlite(copy) as ledger, ledger:
                ledger.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")
            with Broker(data=backup) as restored, restored.client("acme") as client:
                answer = client.call("subscribe", {"from": lost["cursor"]})
                self.assertFalse(answer["recovered"])
                self.assertEqual(client.event()["order"]["ref"], "r0")
                client.call("submit", truck_request("r2", max_price=1))
                after = client.event()
                self.assertNotIn(after["id"], {before["id"], lost["id"]})
                self.assertEqual([order["ref"] for order in client.call("orders")["orders"]], ["r0", "r2"])
                told = [json.loads(line) for line in run("crossdock", "log", "--data", backup).stdout.splitlines()]
                self.assertEqual([line["event"] for line in told if "event" in line][-1], after["id"])


class Retention(Case):
    def test_a_resume_that_cannot_be_complete_says_so(self):
        with Broker("--test-clock", "--retain-events", "1h") as broker:
            with broker.client("acme") as client:
                at = client.call("ping")["time"]
                client.call("subscribe", {"durable": "app"})
                client.call("submit", truck_request("r0", at=at, max_price=1))
                first = client.event()
                for hours in range(1, 4):
                    client.call("clock", {"advance": 7200})
                    client.call("submit", truck_request("r%d" % hours, at=at + 7200 * hours, max_price=1))
                events = [first] + [client.event() for _ in range(3)]
            deadline = time.monotonic() + 60
            while True:
                with broker.client("acme") as client:
                    answer = client.call("subscribe", {"durable": "app"})
                    if not answer["recovered"]:
                        break
                    self.assertLess(time.monotonic(), deadline, "nothing was trimmed")
            with broker.client("acme") as client:
                answer = client.call("subscribe", {"from": first["cursor"]})
                self.assertFalse(answer["recovered"])
                rest = [event for event in events if offset_of(event) >= int(answer["cursor"].split(".")[2])]
                self.assertIn(events[-1], rest)
                self.assertEqual([client.event() for _ in rest], rest)
            with broker.client("acme") as client:
                self.assertFalse(client.call("subscribe", {"from": "start"})["recovered"])
            with broker.client("acme") as client:
                self.assertTrue(client.call("subscribe", {"from": events[-1]["cursor"]})["recovered"])


class SlowReaders(Case):
    REFS = [("m%d" % i).rjust(64, "-") for i in range(MANY)]

    def fill(self, client):
        for first in range(0, MANY, 1000):
            orders = [truck_request(ref, max_price=1) for ref in self.REFS[first:first + 1000]]
            client.call("submit", {"orders": orders})

    def test_a_slow_reader_is_not_cut_off_and_misses_nothing(self):
        """Reads only after far more has come than fits: the broker goes behind, catches up, is live again."""
        with Broker("--slow-timeout", "1m") as broker:
            with broker.client(LONG, receive_buffer=8192) as slow, broker.client(LONG) as submitter:
                slow.call("subscribe")
                self.fill(submitter)
                self.assertEqual([slow.event()["order"]["ref"] for _ in range(MANY)], self.REFS)
                submitter.call("submit", truck_request("last", max_price=1))
                self.assertEqual(slow.event()["order"]["ref"], "last")

    def test_a_reader_that_stops_is_cut_off_and_resumes_without_a_gap(self):
        with Broker("--slow-timeout", "300ms") as broker:
            with broker.client(LONG, receive_buffer=8192) as stuck, broker.client(LONG) as submitter:
                stuck.call("subscribe")
                filler = threading.Thread(target=self.fill, args=(submitter,))
                filler.start()
                broker.wait_log("code=slow_consumer")
                last = stuck.until_closed()
                filler.join()
                self.assertEqual(last[-1].method, "notice")
                self.assertEqual(last[-1].params["code"], "slow_consumer")
                events = [found.params for found in last[:-1]]
                self.assertLess(len(events), MANY)
            with broker.client(LONG) as again:
                self.assertTrue(again.call("subscribe", {"from": events[-1]["cursor"]})["recovered"])
                events += [again.event() for _ in range(MANY - len(events))]
                self.assertEqual([event["order"]["ref"] for event in events], self.REFS)
                offsets = [offset_of(event) for event in events]
                self.assertEqual(offsets, sorted(set(offsets)))

    def test_a_client_that_asks_and_never_reads(self):
        """Its requests are no longer read, then it is cut off; the broker's memory stays bounded and others are served."""
        with Broker("--slow-timeout", "500ms") as broker:
            with broker.client("filler") as client:
                submit_many(client, 1000)
            with broker.client("filler", receive_buffer=8192) as deaf, broker.client("other") as other:
                deaf.sock.settimeout(1)
                deadline = time.monotonic() + 60
                try:
                    while time.monotonic() < deadline:
                        deaf.send("orders", {"limit": 1000})
                    self.fail("the broker went on reading")
                except OSError:
                    pass
                broker.wait_log("code=slow_consumer")
                self.assertIn("time", other.call("ping"))
                with open("/proc/%d/status" % broker.process.pid, encoding="ascii") as status:
                    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
                self.assertLess(peak, 600 << 10)


if __name__ == "__main__":
    unittest.main()

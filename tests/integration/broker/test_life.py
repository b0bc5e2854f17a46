"""A broker's life: start, what is in flight at the end, connections that are too many, and the clock in one's hand."""

import os
import signal
import socket
import subprocess
import tempfile
import unittest

import msgpack

from support import Broker, Client, Refused, program, run, truck_request


class Start(unittest.TestCase):
    def test_says_what_it_is(self):
        with Broker() as broker:
            line = broker.wait_log("msg=starting")
            for part in ("version=", "listen=127.0.0.1:0", "data=" + broker.data, "durability=fsynced",
                         "authentication=none", "transport=plain"):
                self.assertIn(part, line)
            self.assertIn("level=warning", broker.wait_log("msg=no_authentication"))
            self.assertRegex(broker.wait_log("msg=ready"), r"msg=ready listen=127\.0\.0\.1:[1-9]\d*$")

    def test_ipv6(self):
        with Broker(listen="[::1]:0") as broker, broker.client("acme") as client:
            self.assertTrue(broker.address.startswith("[::1]:"))
            self.assertIn("time", client.call("ping"))

    def test_an_address_in_use(self):
        with Broker() as broker, tempfile.TemporaryDirectory() as data:
            result = run("crossdock-broker", "--listen", broker.address, "--data", data)
            self.assertEqual(result.returncode, 1)
            self.assertIn("level=error msg=failed", result.stderr)
            self.assertIn("Address already in use", result.stderr)

    def test_a_directory_in_use(self):
        with Broker() as broker:
            result = run("crossdock-broker", "--listen", "127.0.0.1:0", "--data", broker.data)
            self.assertEqual(result.returncode, 1)
            self.assertIn("level=error msg=failed", result.stderr)

    def test_the_market_is_fixed(self):
        with Broker("--currency", "EUR") as broker:
            self.assertEqual(broker.stop(), 0)
            result = run("crossdock-broker", "--listen", "127.0.0.1:0", "--data", broker.data, "--currency", "USD")
            self.assertEqual(result.returncode, 1)
            broker.args = []
            broker.start()
            with broker.client() as client:
                self.assertEqual(client.call("hello", {"account": "acme"})["currency"], "EUR")

    def test_log_level(self):
        with Broker("--log-level", "debug") as broker:
            broker.client("acme").close()
            broker.wait_log("msg=closed account=acme")


class Drain(unittest.TestCase):
    def test_clients_are_told_and_what_is_in_flight_is_answered(self):
        with Broker() as broker:
            with broker.client("acme") as client, broker.client("idle") as idle:
                client.call("subscribe")
                numbers = [client.send("submit", truck_request("d%d" % i, max_price=1)) for i in range(500)]
                client.result(numbers[0])
                broker.send_signal(signal.SIGTERM)
                notices = [found.params["code"] for found in client.until_closed() if found.method == "notice"]
                self.assertEqual(notices, ["draining"])
                accepted = [result["ref"] for error, result in client.responses.values() if not error]
                refused = {error["code"] for error, result in client.responses.values() if error}
                self.assertLessEqual(refused, {"draining"})
                self.assertEqual([found.params["code"] for found in idle.until_closed()], ["draining"])
            self.assertEqual(broker.wait(), 0, broker.log())
            self.assertIn("msg=stopped", broker.log())
            broker.start()
            with broker.client("acme") as client:
                found = client.call("orders", {"limit": 1000})["orders"]
                self.assertEqual({order["ref"] for order in found} - {"d0"}, set(accepted) - {"d0"})

    def test_events_of_what_was_accepted_are_still_told(self):
        with Broker() as broker:
            with broker.client("acme") as client:
                client.call("subscribe")
                numbers = [client.send("submit", truck_request("d%d" % i, max_price=1)) for i in range(200)]
                client.send("ping")
                client.response(numbers[0])
                broker.send_signal(signal.SIGTERM)
                found = client.until_closed()
                accepted = 1 + sum(1 for error, _ in client.responses.values() if not error and _ and "ref" in _)
                self.assertEqual(sum(1 for one in found if one.method == "event"), accepted)
            self.assertEqual(broker.wait(), 0)

    def test_a_client_that_reads_nothing_does_not_hold_it_up(self):
        with Broker("--drain-timeout", "1s") as broker:
            with broker.client("filler") as filler:
                filler.call("submit", {"orders": [truck_request("x%d" % i, max_price=1, note="n" * 250)
                                                  for i in range(1000)]})
            with broker.client("filler", receive_buffer=8192) as deaf:
                for _ in range(60):
                    deaf.send("orders", {"limit": 1000})
                with broker.client("other") as other:
                    other.call("ping")
                self.assertEqual(broker.stop(), 0, broker.log())

    def test_the_snapshot_is_made(self):
        with Broker() as broker:
            with broker.client("acme") as client:
                client.call("submit", truck_request("s", max_price=1))
            self.assertEqual(broker.stop(), 0)
            self.assertIn("msg=snapshot result=ok", broker.log())

    def test_at_any_moment_of_the_start(self):
        """A log without a snapshot takes a while to be replayed; the signal comes at the first sign of life, or later."""
        with Broker("--snapshot-every", "0") as broker:
            with broker.client("acme") as client:
                for first in range(0, 5000, 1000):
                    client.call("submit", {"orders": [truck_request("s%d" % i, max_price=1)
                                                      for i in range(first, first + 1000)]})
            broker.kill()
            for sign in ("msg=starting", "msg=no_authentication", "msg=ready"):
                broker.start(until=sign)
                self.assertEqual(broker.stop(), 0, broker.log())
            broker.start()
            with broker.client("acme") as client:
                self.assertEqual(len(client.call("orders", {"limit": 1000})["orders"]), 1000)

    def test_while_redis_does_not_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf, tempfile.TemporaryDirectory() as data:
            deaf.settimeout(30)
            url = "redis://127.0.0.1:%d" % deaf.getsockname()[1]
            for name, *own in (("crossdock-broker", "--listen", "127.0.0.1:0", "--data", data), ("crossdock-matcher",)):
                with subprocess.Popen([program(name), "--redis", url, "--redis-timeout", "1m", *own],
                                      stderr=subprocess.PIPE, text=True) as process:
                    connection, _ = deaf.accept()
                    with connection:
                        process.send_signal(signal.SIGTERM)
                        _, log = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 0, log)
                self.assertIn("msg=stopped", log)

    def test_while_snapshots_are_being_made(self):
        with Broker("--snapshot-every", "10") as broker:
            with broker.client("acme") as client:
                numbers = [client.send("submit", truck_request("s%d" % i, max_price=1)) for i in range(1000)]
                client.result(numbers[0])
                broker.send_signal(signal.SIGTERM)
                client.until_closed()
            self.assertEqual(broker.wait(), 0, broker.log())
            self.assertIn("msg=snapshot result=ok", broker.log())

    def test_interrupt_drains_too(self):
        with Broker() as broker:
            self.assertEqual(broker.stop(signal.SIGINT), 0)

    def test_a_second_signal_ends_at_once(self):
        with Broker("--drain-timeout", "1h") as broker:
            with broker.client("filler") as filler:
                filler.call("submit", {"orders": [truck_request("x%d" % i, max_price=1, note="n" * 250)
                                                  for i in range(1000)]})
            deaf = broker.client("filler", receive_buffer=8192)
            try:
                deaf.sock.settimeout(0.2)
                try:
                    while True:
                        deaf.send("orders", {"limit": 1000})
                except OSError:
                    pass
                broker.send_signal(signal.SIGTERM)
                broker.wait_log("msg=draining")
                broker.send_signal(signal.SIGTERM)
                self.assertEqual(broker.wait(), 1)
                self.assertIn("a second signal cut the end short", broker.log().splitlines()[-1])
            finally:
                deaf.close()
            broker.start()


class Connections(unittest.TestCase):
    def test_one_too_many(self):
        with Broker("--max-connections", "2") as broker:
            with broker.client("one") as one, broker.client("two"):
                with broker.client() as third:
                    self.assertEqual([found.params["code"] for found in third.until_closed()], ["overloaded"])
                one.call("ping")
            self.served_in_the_end(broker)

    def served_in_the_end(self, broker):
        """The broker may not have seen yet that others have gone."""
        for _ in range(1000):
            with broker.client() as client:
                client.send("ping")
                if client.receive()[0] == 1:
                    return
        self.fail("no room was made")

    def test_hundreds_at_once(self):
        """Each of 200 is served or told that it is one too many; none is left without a word."""
        with Broker("--max-connections", "50") as broker:
            clients = [Client((broker.host, broker.port)) for _ in range(200)]
            served = turned_away = 0
            for client in clients:
                client.send("ping")
            for client in clients:
                with client:
                    message = client.receive()
                    served += message[0] == 1
                    turned_away += message[:2] == [2, "notice"] and message[2][0]["code"] == "overloaded"
            self.assertGreaterEqual(served, 50)
            self.assertEqual(served + turned_away, 200)
            self.served_in_the_end(broker)

    def test_out_of_descriptors(self):
        """Accepting pauses while there are none, and goes on."""
        with Broker("--max-connections", "1000", start=False) as broker:
            broker.start()
            import resource
            in_use = len(os.listdir("/proc/%d/fd" % broker.process.pid))
            resource.prlimit(broker.process.pid, resource.RLIMIT_NOFILE, (in_use + 5, in_use + 5))
            clients = [socket.create_connection((broker.host, broker.port)) for _ in range(10)]
            broker.wait_log("msg=accept_paused")
            for client in clients:
                client.close()
            with broker.client("acme") as client:
                self.assertIn("time", client.call("ping"))


class Clock(unittest.TestCase):
    def test_moves_only_by_hand(self):
        with Broker("--test-clock") as broker, broker.client() as client:
            hello = client.call("hello", {"account": "acme"})
            self.assertTrue(hello["test_clock"])
            start = hello["time"]
            self.assertEqual(client.call("clock", {"advance": 3600}), {"time": start + 3600})
            self.assertEqual(client.call("ping"), {"time": start + 3600})
            self.assertEqual(client.call("clock", {"set": start + 7200})["time"], start + 7200)
            self.assertEqual(client.call("clock", {"set": "2190-01-01T00:00:00Z"})["time"], 6942585600)
            for params, code, field in (({"set": start}, "out_of_range", "set"),
                                        ({"advance": -1}, "out_of_range", "advance"),
                                        ({"advance": 1 << 62}, "out_of_range", "advance"),
                                        ({"set": 1, "advance": 1}, "bad_params", ""), ({}, "bad_params", ""),
                                        (None, "bad_params", ""), ({"set": "x"}, "bad_params", "set"),
                                        ({"advance": 1.5}, "bad_params", "advance")):
                with self.assertRaises(Refused) as caught:
                    client.call("clock", params)
                self.assertEqual((caught.exception.code, caught.exception.field), (code, field))

    def test_what_falls_due_has_happened_when_it_answers(self):
        with Broker("--test-clock") as broker, broker.client() as client:
            at = client.call("hello", {"account": "acme"})["time"]
            client.call("subscribe")
            client.call("submit", truck_request("lapse", at=at, max_price=1, valid_until=at + 100))
            self.assertEqual(client.event()["type"], "order.accepted")
            client.call("clock", {"advance": 99})
            self.assertEqual(len(client.call("orders")["orders"]), 1)
            client.call("clock", {"advance": 1})
            self.assertEqual(client.call("orders")["orders"], [])
            event = client.event()
            self.assertEqual((event["type"], event["time"]), ("order.expired", at + 100))

    def test_a_retry_after_the_lapse_is_still_the_same_order(self):
        with Broker("--test-clock") as broker, broker.client() as client:
            at = client.call("hello", {"account": "acme"})["time"]
            order = truck_request("lapse", at=at, max_price=1, valid_until=at + 100)
            first = client.call("submit", order)
            client.call("clock", {"advance": 1000})
            self.assertEqual(client.call("submit", order), first)
            with self.assertRaises(Refused) as caught:
                client.call("submit", {**order, "ref": "new"})
            self.assertEqual((caught.exception.code, caught.exception.field), ("lapsed", "valid_until"))
            with self.assertRaises(Refused) as caught:
                client.call("submit", {**order, "kg": 5})
            self.assertEqual(caught.exception.code, "ref_conflict")

    def test_goes_on_where_it_was(self):
        with Broker("--test-clock") as broker:
            with broker.client() as client:
                at = client.call("hello", {"account": "acme"})["time"] + 86400 * 400
                client.call("clock", {"set": at})
            broker.stop()
            broker.start()
            with broker.client() as client:
                self.assertGreaterEqual(client.call("ping")["time"], at)

    def test_is_unknown_without_the_option(self):
        with Broker() as broker, broker.client("acme") as client:
            with self.assertRaises(Refused) as caught:
                client.call("clock", {"advance": 1})
            self.assertEqual(caught.exception.code, "unknown_method")


class Books(unittest.TestCase):
    def test_a_full_book(self):
        with Broker("--max-orders", "3") as broker, broker.client("acme") as client:
            results = client.call("submit", {"orders": [truck_request("b%d" % i, max_price=1) for i in range(5)]})
            self.assertEqual([one.get("status") or one["error"]["code"] for one in results["results"]],
                             ["accepted"] * 3 + ["book_full"] * 2)
            client.call("cancel", {"ref": "b0"})
            self.assertEqual(client.call("submit", truck_request("b3", max_price=1))["status"], "accepted")

    def test_more_waits_for_the_disk_than_may(self):
        """Nothing is lost and everything is answered where the backlog is small: reading stops instead."""
        with Broker("--backlog", "1m") as broker:
            with broker.client("acme") as client:
                count = 0
                for first in range(0, 8000, 1000):
                    orders = [truck_request("w%d" % i, max_price=1, note="n" * 250) for i in range(first, first + 1000)]
                    client.send_bytes(msgpack.packb([0, 100 + first, "submit", [{"orders": orders}]]))
                for first in range(0, 8000, 1000):
                    for one in client.result(100 + first)["results"]:
                        self.assertIn(one.get("status") or one["error"]["code"], ("accepted", "overloaded"))
                        count += "status" in one
                listed, after = 0, None
                while True:
                    page = client.call("orders", {"limit": 1000, **({"after": after} if after else {})})
                    listed += len(page["orders"])
                    after = page["next"]
                    if not after:
                        break
                self.assertEqual(listed, count)


if __name__ == "__main__":
    unittest.main()

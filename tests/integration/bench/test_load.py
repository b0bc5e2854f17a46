"""crossdock-bench against a real broker: short loads verify clean, and its exit status says what went wrong."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

import msgpack

from redis_server import free_port
from support import Broker, make_certificates, program, run


def load(broker, *args, scheme="tcp"):
    """A load to its end; its result. Anything but a clean one fails the test."""
    done = run("crossdock-bench", *args, "--url", "%s://localhost:%d" % (scheme, broker.port), "--json", "--quiet",
               timeout=120)
    if done.returncode != 0:
        raise AssertionError("exit %d: %s%s" % (done.returncode, done.stdout, done.stderr))
    return json.loads(done.stdout)


class Load(unittest.TestCase):
    def assert_clean(self, result, orders):
        self.assertEqual(result["violations"], 0, result["samples"])
        self.assertEqual(result["refused"], 0)
        self.assertEqual(result["acknowledged"], orders)
        self.assertEqual(result["durability"], "fsynced")
        self.assertTrue(result["verified"])
        self.assertGreater(result["matches"], 0)
        self.assertGreaterEqual(result["events"], orders + 2 * result["matches"])
        for latency in (result["ack_us"], result["match_us"]):
            steps = [latency[name] for name in ("p50", "p90", "p99", "p99.9", "max")]
            self.assertEqual(steps, sorted(steps))
            self.assertGreater(steps[0], 0)

    def test_closed_loop(self):
        with Broker() as broker:
            result = load(broker, "market", "--orders", "3000", "--connections", "3", "--outstanding", "20")
            self.assert_clean(result, 3000)
            self.assertGreater(result["actions"], 0)

    def test_batches(self):
        with Broker() as broker:
            result = load(broker, "market", "--orders", "1001", "--batch", "50", "--outstanding", "100", "--seed", "2")
            self.assert_clean(result, 1001)

    def test_open_loop_keeps_its_rate(self):
        with Broker() as broker:
            result = load(broker, "market", "--rate", "600", "--orders", "1500")
            self.assert_clean(result, 1500)
            self.assertAlmostEqual(result["seconds"], 2.5, delta=0.5)

    def test_again_on_the_same_broker(self):
        with Broker() as broker:
            for _ in range(2):
                self.assert_clean(load(broker, "market", "--orders", "500"), 500)

    def test_book(self):
        with Broker() as broker:
            result = load(broker, "book", "--orders", "2000")
            self.assert_clean(result, 2000)

    def test_tls(self):
        with tempfile.TemporaryDirectory() as directory:
            make_certificates(directory)
            files = {name: os.path.join(directory, name) for name in ("ca.crt", "broker.crt", "broker.key")}
            with Broker("--tls-cert", files["broker.crt"], "--tls-key", files["broker.key"]) as broker:
                result = load(broker, "market", "--orders", "1000", "--tls-ca", files["ca.crt"], scheme="tls")
                self.assert_clean(result, 1000)

    def test_replay(self):
        with tempfile.TemporaryDirectory() as directory, Broker() as broker:
            path = os.path.join(directory, "orders.jsonl")
            printed = run("crossdock-bench", "--print", "--orders", "800")
            self.assertEqual(printed.returncode, 0, printed.stderr)
            with open(path, "w", encoding="utf-8") as file:
                file.write(printed.stdout)
            for _ in range(2):
                self.assert_clean(load(broker, "replay", path), 800)

    def test_replay_counts_what_is_refused(self):
        with tempfile.TemporaryDirectory() as directory, Broker() as broker:
            path = os.path.join(directory, "orders.jsonl")
            with open(path, "w", encoding="utf-8") as file:
                file.write('{"side":"offer","kind":"truck","kg":1}\n\n{"side":"request"}\n')
            result = load(broker, "replay", path)
            self.assertEqual((result["acknowledged"], result["refused"]), (0, 2))

    def test_nobody_watches(self):
        with Broker() as broker:
            result = load(broker, "book", "--orders", "500", "--no-watch")
            self.assertFalse(result["verified"])
            self.assertEqual((result["acknowledged"], result["events"]), (500, 0))


class Liar:
    """Stands between a load and the broker, and passes on what `falsify` makes of each event: a list of events."""

    def __init__(self, broker, falsify, answer=lambda result: result):
        self.broker = broker
        self.falsify = falsify
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection((self.broker.host, self.broker.port))
            self.sockets += [client, server]
            threading.Thread(target=self._pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=self._lie, args=(server, client), daemon=True).start()

    def _pass_on(self, client, server):
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _lie(self, server, client):
        unpacker = msgpack.Unpacker(raw=False)
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                unpacker.feed(data)
                for message in unpacker:
                    told = [message]
                    if message[0] == 2 and message[1] == "event":
                        told = [[2, "event", [event]] for event in self.falsify(message[2][0])]
                    if message[0] == 1:
                        told = [[1, message[1], message[2], self.answer(message[3])]]
                    client.sendall(b"".join(msgpack.packb(each) for each in told))
            client.shutdown(socket.SHUT_WR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.sockets:
            each.close()


class Once:
    """Falsifies the tenth event of a type, and that one only."""

    def __init__(self, kind, lie):
        self.kind, self.lie, self.seen = kind, lie, 0

    def __call__(self, event):
        self.seen += event["type"] == self.kind
        return self.lie(event) if self.seen == 10 and event["type"] == self.kind else [event]


def dearer(event):
    event["match"]["price"] += 1
    return [event]


class Falsified(unittest.TestCase):
    """One falsehood among the events of a load, and it ends with 1 and says what it noticed."""

    def assert_noticed(self, falsify, says):
        with Broker() as broker, Liar(broker, falsify) as liar:
            done = run("crossdock-bench", "market", "--orders", "400", "--url", "tcp://127.0.0.1:%d" % liar.port,
                       "--json", "--quiet", timeout=120)
        self.assertEqual(done.returncode, 1, done.stderr)
        result = json.loads(done.stdout)
        self.assertGreater(result["violations"], 0)
        self.assertTrue(any(says in sample for sample in result["samples"]), result["samples"])

    def test_nothing_falsified(self):
        with Broker() as broker, Liar(broker, lambda event: [event]) as liar:
            self.assertEqual(load(liar, "market", "--orders", "400")["violations"], 0)

    def test_order_never_told(self):
        self.assert_noticed(Once("order.accepted", lambda event: []), "never told of")

    def test_order_told_twice(self):
        self.assert_noticed(Once("order.accepted", lambda event: [event, event]), "told of twice")

    def test_match_told_to_one_side(self):
        self.assert_noticed(Once("match.confirmed", lambda event: []), "one side only")

    def test_match_told_twice(self):
        self.assert_noticed(Once("match.confirmed", lambda event: [event, event]), "told twice")

    def test_match_at_another_price(self):
        self.assert_noticed(Once("match.confirmed", dearer), "match")

    def test_no_event_at_all(self):
        self.assert_noticed(Once("match.confirmed", lambda event: [{"type": "match.confirmed"}]), "does not describe")


class Killer:
    """A load that goes on over brokers that are killed, over one data directory."""

    def __init__(self, port, *args, seconds=6):
        self.bench = subprocess.Popen([program("crossdock-bench"), "market", "--rate", "400", "--seconds", str(seconds),
                                       "--json", "--url", "tcp://127.0.0.1:%d" % port, *args],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def until_loaded(self):
        assert "orders/s" in self.bench.stderr.readline()

    def result(self):
        out, err = self.bench.communicate(timeout=60)
        assert out, err
        return self.bench.returncode, json.loads(out)


class OpenLoop(unittest.TestCase):
    def test_what_a_slow_broker_held_up_is_sent(self):
        """Though its time is over: left out, it would be missing from the latencies."""
        with Broker() as broker:
            load = Killer(broker.port, seconds=2)
            load.until_loaded()
            broker.send_signal(signal.SIGSTOP)
            for _ in range(2):
                load.until_loaded()
            broker.send_signal(signal.SIGCONT)
            status, result = load.result()
        self.assertEqual((status, result["violations"]), (0, 0), result["samples"])
        self.assertEqual((result["acknowledged"], result["refused"]), (800, 0))


class Reconnects(unittest.TestCase):
    def test_over_killed_brokers(self):
        with Broker(listen="127.0.0.1:%d" % free_port()) as broker:
            load = Killer(broker.port, "--reconnect", "20s")
            for _ in range(2):
                load.until_loaded()
                broker.kill()
                broker.start()
            status, result = load.result()
        self.assertEqual((status, result["violations"]), (0, 0), result["samples"])
        self.assertEqual((result["acknowledged"], result["refused"]), (2400, 0))
        self.assertEqual(result["reconnected"], 2 * 5)
        self.assertGreater(result["matches"], 0)

    def test_events_that_come_again_are_passed_over(self):
        """At least once: whoever resumes has to expect an event twice."""
        with Broker() as broker, Liar(broker, lambda event: [event, event]) as liar:
            load = Killer(liar.port, "--reconnect", "20s", seconds=1)
            status, result = load.result()
        self.assertEqual((status, result["violations"]), (0, 0), result["samples"])
        self.assertEqual(result["repeated"], result["events"])

    def test_a_resume_with_a_gap_is_noticed(self):
        def incomplete(result):
            return dict(result, recovered=False) if isinstance(result, dict) and "recovered" in result else result

        with Broker() as broker, Liar(broker, lambda event: [event], incomplete) as liar:
            status, result = Killer(liar.port, "--reconnect", "20s", seconds=1).result()
        self.assertEqual((status, result["samples"]), (1, ["events were lost: a resume was not complete"]))

    def test_not_for_ever(self):
        with Broker() as broker:
            load = Killer(broker.port, "--reconnect", "1s")
            load.until_loaded()
            broker.kill()
            broker.process.returncode = 0  # as it was meant
            load.bench.communicate(timeout=30)
            self.assertEqual(load.bench.returncode, 3)


class Ends(unittest.TestCase):
    def test_usage(self):
        for arguments, says in ((["bazaar"], "not a scenario"), (["replay"], "no file"), (["--rate", "x"], "--rate"),
                                (["--batch", "9", "--outstanding", "8"], "--outstanding")):
            done = run("crossdock-bench", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(says, done.stderr)

    def test_file_that_is_no_orders(self):
        with Broker() as broker, tempfile.NamedTemporaryFile("w") as file:
            file.write('{"side":"offer"}\n{"side":')
            file.flush()
            done = run("crossdock-bench", "replay", file.name, "--url", "tcp://127.0.0.1:%d" % broker.port)
            self.assertEqual(done.returncode, 2)
            self.assertIn("line 2", done.stderr)

    def test_no_broker(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            done = run("crossdock-bench", "--url", "tcp://127.0.0.1:%d" % taken.getsockname()[1])
        self.assertEqual(done.returncode, 3)
        self.assertIn("refused", done.stderr)

    def test_broker_dies(self):
        with Broker() as broker:
            bench = subprocess.Popen([program("crossdock-bench"), "--url", "tcp://127.0.0.1:%d" % broker.port],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            line = bench.stderr.readline()
            self.assertIn("orders/s", line)
            broker.kill()
            broker.process.returncode = 0  # as it was meant
            bench.communicate(timeout=30)
            self.assertEqual(bench.returncode, 3)

    def test_demo_ends_on_a_signal(self):
        with Broker() as broker:
            demo = subprocess.Popen([program("crossdock-bench"), "demo", "--rate", "200", "--url",
                                     "tcp://127.0.0.1:%d" % broker.port],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            line = demo.stdout.readline()
            self.assertRegex(line, r"orders .* matches, .* t, .* empty km saved")
            demo.send_signal(signal.SIGINT)
            out, _ = demo.communicate(timeout=30)
            self.assertEqual(demo.returncode, 0)
            self.assertTrue(re.search(r"verified: every acknowledged order", out), out)


if __name__ == "__main__":
    unittest.main()

"""A broker over Redis: orders match, a killed broker's orders are there again, weak settings are refused."""

import json
import signal
import time
import unittest

import support
from redis_server import Redis, free_port


class OverRedis(unittest.TestCase):
    def setUp(self):
        self.redis = Redis()
        self.addCleanup(self.redis.stop)

    def test_orders_match_and_survive_a_kill(self):
        with support.Broker("--redis", self.redis.url, "--lease", "300ms") as broker:
            with broker.client("carrier") as carrier, broker.client("shipper") as shipper:
                shipper.call("subscribe", {"from": "start"})
                answer = carrier.call("submit", support.truck_offer("offer-1"))
                self.assertEqual(answer["durability"], "fsynced")
                shipper.call("submit", support.truck_request("request-1"))
                types, cursor = [], None
                while "match.confirmed" not in types:
                    event = shipper.event()
                    types.append(event["type"])
                    cursor = event["cursor"]
                retried = support.truck_request("request-2", max_price=1)
                left = shipper.call("submit", retried)
            self.assertEqual(broker.kill(), -signal.SIGKILL)
            broker.start()
            with broker.client("shipper") as shipper:
                again = shipper.call("submit", retried)
                self.assertEqual(again["id"], left["id"])
                self.assertTrue(shipper.call("subscribe", {"from": cursor})["recovered"])
                self.assertEqual([order["ref"] for order in shipper.call("orders")["orders"]], ["request-1", "request-2"])
            self.assertEqual(broker.stop(), 0)

    def log(self, *args):
        done = support.run("crossdock", "log", "--redis", self.redis.url, *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines, [line for line in lines if "record" in line], [line for line in lines if "event" in line]

    def test_the_log_is_printed(self):
        """Each record before what came of it; from beside, and nothing of the ledger is touched."""
        with support.Broker("--redis", self.redis.url, "--keep-log") as broker:
            with broker.client("*") as client:
                client.call("subscribe", {"from": "start"})
                for batch in range(40):
                    orders = [support.truck_offer("o%d-%d" % (batch, i), account="carrier") for i in range(5)]
                    client.call("submit", {"orders": orders})
                client.call("submit", support.truck_request("r", account="shipper"))
                told = []
                while not told or told[-1]["type"] != "order.filled":
                    told.append(client.event())
            lines, records, events = self.log()
        self.assertEqual([record["record"] for record in records], list(range(201)))
        self.assertEqual([record["order"]["ref"] for record in records][-2:], ["o39-4", "r"])
        self.assertEqual([event["event"] for event in events], [event["id"] for event in told])
        self.assertEqual([event["type"] for event in events], [event["type"] for event in told])
        place = {line["id"]: at for at, line in enumerate(lines) if "record" in line}
        for at, line in enumerate(lines):
            if line.get("type") == "order.accepted":
                self.assertLess(place[line["order"]["id"]], at)
        state = self.redis.cli("HGETALL", "xd:{p0}:state")
        self.assertEqual(self.log("--partition", "0")[0][:len(lines)], lines)
        self.assertEqual(self.redis.cli("HGETALL", "xd:{p0}:state"), state)
        done = support.run("crossdock", "log", "--redis", self.redis.url, "--partition", "1")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("there is no partition 1", done.stderr)

    def replica(self):
        self.redis.cli("config", "set", "repl-diskless-sync-delay", "0")
        replica = Redis("--replicaof", "127.0.0.1 %d" % self.redis.port)
        self.addCleanup(replica.stop)
        while "state=online" not in self.redis.cli("info", "replication"):
            time.sleep(0.01)
        return replica

    def test_a_replica_that_does_not_answer(self):
        """The first write waits for it in vain, for longer than the lease, and the renewals do not wait behind it; those after
        it do not wait as long."""
        replica = self.replica()
        more = ("--redis", self.redis.url, "--lease", "300ms", "--durability", "replicated:1")
        with support.Broker(*more) as broker, broker.client("carrier") as carrier:
            second = support.Broker(*more, start=False)
            second.start(until="msg=not_owning ")
            with second:
                self.until_replicated(carrier, support.truck_offer("offer-0"))
                replica.process.send_signal(signal.SIGSTOP)
                stopped = time.monotonic()
                for number in range(20):
                    answer = carrier.call("submit", support.truck_offer("offer-%d" % (number + 1)))
                    self.assertEqual(answer["durability"], "fsynced")
                self.assertLess(time.monotonic() - stopped, 10)
                self.assertNotIn("not_owning", broker.log())
                self.assertNotIn("msg=ready", second.log())

    def until_replicated(self, client, order):
        """A replica that has just been attached may be late with its first answers."""
        deadline = time.monotonic() + support.TIMEOUT
        while client.call("submit", order)["durability"] != "replicated":
            self.assertLess(time.monotonic(), deadline, "the replica does not answer")

    def test_a_command_of_which_nobody_knows_what_came(self):
        """Its record is stored while another has the lease, and no one to apply it: it is not called done. The broker
        finds both commands before it can hear that it has lost the lease."""
        with support.Broker("--redis", self.redis.url, "--lease", "300ms") as broker, broker.client("carrier") as carrier:
            order = carrier.call("submit", support.truck_offer("offer-1"))
            broker.send_signal(signal.SIGSTOP)
            self.redis.cli("hset", "xd:{p0}:state", "nonce", "7")
            self.redis.cli("set", "xd:{p0}:lease", "another", "px", "3000")
            calls = {"cancel": {"id": order["id"]}, "amend": {"id": order["id"], "base": 5}}
            sent = [carrier.send(method, params) for method, params in calls.items()]
            broker.send_signal(signal.SIGCONT)
            codes = [carrier.response(number)[0]["code"] for number in sent]
            self.assertEqual(codes, ["unsettled", "unsettled"])
            carrier.call("subscribe", {"from": "start"})
            self.assertEqual(carrier.event("order.cancelled")["order"]["id"], order["id"])

    def test_a_cursor_of_a_broker_that_is_further(self):
        """A broker that was stopped, and resumes subscriptions before it has heard what another told meanwhile."""
        late = support.Broker("--redis", self.redis.url, "--lease", "300ms")
        further = support.Broker("--redis", self.redis.url, "--lease", "300ms", start=False,
                                 listen="127.0.0.1:%d" % free_port())
        with late:
            further.start(until="msg=not_owning ")
            late.send_signal(signal.SIGSTOP)
            further.host, further.port = "127.0.0.1", int(further.listen.split(":")[1])
            further.wait_log("msg=ready ")
            with further, further.client("carrier") as carrier:
                carrier.call("subscribe", {"from": "start"})
                for number in range(50):
                    carrier.call("submit", support.truck_offer("offer-%d" % number))
                for number in range(50):
                    cursor = carrier.event()["cursor"]
                resumed = [support.Client((late.host, late.port)) for _ in range(8)]
                waiting = [(client.send("hello", {"account": "carrier"}), client.send("subscribe", {"from": cursor}))
                           for client in resumed]
                late.send_signal(signal.SIGCONT)
                self.assertTrue(all(client.result(numbers[1])["recovered"] for client, numbers in zip(resumed, waiting)))
                carrier.call("submit", support.truck_offer("offer-51"))
                self.assertEqual({client.event()["order"]["ref"] for client in resumed}, {"offer-51"})
                with self.assertRaises(support.Refused) as refused, late.client("carrier") as client:
                    client.call("subscribe", {"from": "0.1.1000"})
                self.assertEqual(refused.exception.code, "bad_cursor")
                for client in resumed:
                    client.close()

    def resume(self, broker, cursor):
        """The answer's code, or whether it was `recovered`."""
        with broker.client("carrier") as carrier:
            try:
                return carrier.call("subscribe", {"from": cursor})["recovered"]
            except support.Refused as refused:
                return refused.code

    def test_events_wait_for_a_replica_that_is_away(self):
        replica = self.replica()
        with support.Broker("--redis", self.redis.url, "--durability", "replicated:1") as broker, \
                broker.client("carrier") as carrier:
            self.until_replicated(carrier, support.truck_offer("offer-0"))
            carrier.call("subscribe", {"from": "start"})
            self.assertEqual(carrier.event()["order"]["ref"], "offer-0")
            replica.process.send_signal(signal.SIGSTOP)
            self.assertEqual(carrier.call("submit", support.truck_offer("offer-1"))["durability"], "fsynced")
            broker.kill()
            broker.start()
            with broker.client("carrier") as again:
                again.call("subscribe", {"from": "start"})
                again.call("submit", support.truck_offer("offer-2"))
                again.call("cancel", {"ref": "offer-2"})
                again.sock.settimeout(1)
                with self.assertRaises(TimeoutError):
                    again.event()
                again.sock.settimeout(support.TIMEOUT)
                replica.process.send_signal(signal.SIGCONT)
                self.assertEqual([again.event()["order"]["ref"] for _ in range(4)],
                                 ["offer-0", "offer-1", "offer-2", "offer-2"])

    def test_a_cursor_of_a_new_line_at_a_broker_on_the_old_master(self):
        replica = self.replica()
        with support.Broker("--redis", self.redis.url, "--lease", "300ms") as late:
            while not replica.cli("hget", "xd:{p0}:state", "line"):
                time.sleep(0.01)
            replica.cli("replicaof", "no", "one")
            with support.Broker("--redis", replica.url, "--lease", "300ms") as further, further.client("carrier") as carrier:
                cursor = carrier.call("subscribe", {"from": "now"})["cursor"]
            self.assertEqual(self.resume(late, cursor), "storage_failed")
            deadline = time.monotonic() + support.TIMEOUT
            while (told := self.resume(late, cursor)) == "storage_failed":
                self.assertLess(time.monotonic(), deadline)
            self.assertEqual(told, "bad_cursor")  # of a backup that is older, perhaps

    def test_weak_settings_are_refused_with_words(self):
        self.redis.cli("config", "set", "appendfsync", "everysec")
        done = support.run("crossdock-broker", "--listen", "127.0.0.1:0", "--redis", self.redis.url)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("appendfsync must be always", done.stderr)
        with support.Broker("--redis", self.redis.url, "--accept-weak-redis") as broker, \
                broker.client("carrier") as carrier:
            self.assertEqual(carrier.call("submit", support.truck_offer("offer-1"))["durability"], "accepted")

    def test_a_password_is_not_shown(self):
        done = support.run("crossdock-broker", "--redis", "redis://app:secret@127.0.0.1", "--check-config")
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("secret", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()

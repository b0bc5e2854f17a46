"""A cluster of real processes over a real Redis: orders through one broker are matched and told through the other, matchers
hand over and take over, questions find their owner or say that there is none."""

import collections
import signal
import time
import unittest

import rig
import support


def place(city):
    return {"lat": rig.CITIES[city][1], "lon": rig.CITIES[city][2]}


def offer(ref, city, **more):
    return support.truck_offer(ref, **{"from": place(city), "max_detour_km": 300, **more})


def request(ref, city, **more):
    """A load that the offer of the same city carries, both within its partition."""
    near = place(city)
    return support.truck_request(ref, **{"from": near, "to": {"lat": near["lat"] + 0.1, "lon": near["lon"]}, **more})


class InCluster(unittest.TestCase):
    def setUp(self):
        self.cluster = rig.Cluster(matcher_args=["--lease", "1s"])
        self.addCleanup(self.cluster.stop)

    def start(self, matchers=2, brokers=2):
        made = [self.cluster.matcher() for _ in range(matchers)]
        self.cluster.wait_owners(made)
        return made, [self.cluster.broker() for _ in range(brokers)]


class Matching(InCluster):
    def test_through_one_told_through_the_other(self):
        _, (one, other) = self.start()
        with one.client("carrier") as carrier, other.client("shipper") as shipper, other.client("carrier") as told:
            self.assertEqual(carrier.call("hello", {"account": "carrier"})["partitions"], 12)
            told.call("subscribe", {"from": "now"})
            shipper.call("subscribe", {"from": "now"})
            homes = set()
            for city in range(len(rig.CITIES)):
                answer = carrier.call("submit", offer("o%d" % city, city))
                homes.add(answer["id"].split("-")[0])
                self.assertEqual(answer["durability"], "fsynced")
            for city in range(len(rig.CITIES)):
                shipper.call("submit", request("r%d" % city, city))
            matched = [shipper.event("match.confirmed") for _ in rig.CITIES]
            self.assertEqual({event["match"]["request"]["ref"] for event in matched},
                             {"r%d" % city for city in range(len(rig.CITIES))})
            also = [told.event("match.confirmed") for _ in rig.CITIES]
            self.assertEqual({event["match"]["id"] for event in also}, {event["match"]["id"] for event in matched})
            self.assertGreater(len(homes), 2)
            self.listings(shipper, matched)

    def listings(self, shipper, matched):
        """A page at a time over all partitions: everything once, in the order of ids."""
        seen, after, pages = [], None, 0
        while True:
            page = shipper.call("matches", {"limit": 5, **({"after": after} if after else {})})
            seen += [match["id"] for match in page["matches"]]
            pages += 1
            after = page["next"]
            if after is None:
                break
        self.assertEqual(sorted(seen), sorted(event["match"]["id"] for event in matched))
        self.assertGreater(pages, 1)

    def test_a_resume_at_another_broker_misses_nothing(self):
        _, (one, other) = self.start()
        with one.client("shipper") as shipper:
            begun = shipper.call("subscribe", {"from": "now"})
            for city in range(6):
                shipper.call("submit", request("r%d" % city, city, max_price=0.01))
            first = [shipper.event("order.accepted") for _ in range(3)]
        with other.client("shipper") as shipper:
            resumed = shipper.call("subscribe", {"from": first[-1]["cursor"]})
            self.assertTrue(resumed["recovered"])
            rest = [shipper.event("order.accepted") for _ in range(3)]
            self.assertEqual({event["order"]["ref"] for event in first + rest}, {"r%d" % city for city in range(6)})
        with other.client("shipper") as shipper:
            shipper.call("subscribe", {"from": begun["cursor"], "durable": "app"})
            events = [shipper.event() for _ in range(6)]
            shipper.call("ack", {"cursor": events[3]["cursor"]})
        with one.client("shipper") as shipper:
            self.assertTrue(shipper.call("subscribe", {"durable": "app"})["recovered"])
            again = {shipper.event()["id"] for _ in range(2)}  # of two partitions either may be heard first
            self.assertEqual(again, {event["id"] for event in events[4:]})

    def test_a_retry_at_another_broker_is_the_same_order(self):
        _, (one, other) = self.start()
        with one.client("carrier") as carrier:
            first = carrier.call("submit", offer("o", 3, at=1893456000))
        with other.client("carrier") as carrier:
            self.assertEqual(carrier.call("submit", offer("o", 3, at=1893456000))["id"], first["id"])
            with self.assertRaises(support.Refused) as refused:
                carrier.call("submit", offer("o", 4, at=1893456000))
            self.assertEqual(refused.exception.code, "ref_conflict")
            found = self.explained(carrier, "o")
            self.assertEqual(found["order"]["id"] if "order" in found else found["id"], first["id"])
            self.assertEqual(carrier.call("cancel", {"ref": "o"})["status"], "cancelled")

    @staticmethod
    def explained(client, ref):
        """The explanation of an order, as soon as it is not being matched over a border any more."""
        deadline = time.monotonic() + support.TIMEOUT
        while True:
            try:
                return client.call("explain", {"ref": ref})
            except support.Refused as refused:
                if refused.code != "claimed" or time.monotonic() > deadline:
                    raise


    def test_a_refusal_says_what_was_given(self):
        _, (one, _) = self.start()
        with one.client("carrier") as carrier:
            carrier.call("submit", offer("o", 0))
            with self.assertRaises(support.Refused) as refused:
                carrier.call("amend", {"ref": "o", "max_detour_km": -1})
            self.assertEqual(refused.exception.field, "max_detour_km")
            with self.assertRaises(support.Refused) as refused:
                carrier.call("amend", {"ref": "o", "valid_until": 1700000000})
            self.assertEqual((refused.exception.code, refused.exception.field), ("lapsed", "valid_until"))
            self.assertIn("2023-11-14", refused.exception.message)


class Borders(InCluster):
    def test_a_match_over_a_border(self):
        matchers, (one, other) = self.start()
        with one.client("carrier") as carrier, other.client("shipper") as shipper:
            shipper.call("subscribe", {"from": "now"})
            homes = {}
            for city in range(len(rig.CITIES)):
                homes.setdefault(shipper.call("submit", request("r%d" % city, city))["id"].split("-")[0], city)
            self.assertGreater(len(homes), 2)
            truck = carrier.call("submit", offer("truck", 0, max_detour_km=9000, per_detour_km=0, per_t_km=0,
                                                 available_until=support.now() + 20 * 86400))
            matched = {}
            while len(matched) < 2:
                match = shipper.event("match.confirmed")["match"]
                matched[match["request"]["id"].split("-")[0]] = match["id"]
            at_home = "m" + truck["id"].split("-")[0][1:] + "-"
            self.assertTrue(all(match.startswith(at_home) for match in matched.values()), matched)
            self.settled()
            matchers[0].kill()
            self.cluster.wait_owners([matchers[1]])
            shipper.call("cancel_match", {"match": next(iter(matched.values()))})
            self.assertEqual(shipper.event("match.cancelled")["match"]["id"], next(iter(matched.values())))
            self.settled()

    def settled(self):
        """Every message has been applied where it was for: all outboxes are empty in the end."""
        deadline = time.monotonic() + support.TIMEOUT
        while any(int(self.cluster.redis.cli("XLEN", "xd:{p%d}:outbox" % i)) for i in range(4)):
            self.assertLess(time.monotonic(), deadline, "outboxes do not empty")


class Questions(InCluster):
    def test_without_an_owner(self):
        broker = self.cluster.broker()
        with broker.client("carrier") as carrier:
            begun = time.monotonic()
            with self.assertRaises(support.Refused) as refused:
                carrier.call("orders")
            self.assertEqual(refused.exception.code, "no_owner")
            self.assertLess(time.monotonic() - begun, 1 + rig.BUSY_S)
            answer = carrier.call("submit", offer("o", 0))
            self.assertEqual(answer["status"], "accepted")
            matcher = self.cluster.matcher()
            self.cluster.wait_owners([matcher])
            matcher.wait_log("msg=owning partition=11 ")
            deadline = time.monotonic() + support.TIMEOUT
            found = []
            while not found and time.monotonic() < deadline:
                try:
                    found = carrier.call("orders")["orders"]
                except support.Refused as error:
                    self.assertEqual(error.code, "no_owner")
            self.assertEqual([order["ref"] for order in found], ["o"])

    def test_a_stopped_owner_is_waited_for_a_second(self):
        (matcher,), (broker,) = self.start(1, 1)
        with broker.client("carrier") as carrier:
            carrier.call("submit", offer("o", 0))
            matcher.send_signal(signal.SIGSTOP)
            self.addCleanup(matcher.send_signal, signal.SIGCONT)
            begun = time.monotonic()
            with self.assertRaises(support.Refused) as refused:
                carrier.call("orders")
            self.assertEqual(refused.exception.code, "no_owner")
            waited = time.monotonic() - begun
            self.assertGreater(waited, 0.9)
            self.assertLess(waited, 1 + rig.BUSY_S)


class Bounds(InCluster):
    def homes(self, carrier):
        """A city of each partition that has one, asked while nobody owns any."""
        orders = [offer("near%d" % city, city, max_detour_km=1) for city in range(len(rig.CITIES))]
        answers = carrier.call("submit", {"orders": orders})["results"]
        return {int(answer["id"].split("-")[0][1:]): city for city, answer in enumerate(answers)}

    def start_without(self, partition):
        """A matcher that owns all partitions but one."""
        matcher = self.cluster.matcher()
        self.wait_for(lambda: {owner for number, owner in enumerate(self.cluster.owners()) if number != partition},
                      {matcher.id})
        return matcher

    def wait_for(self, made, wanted):
        deadline = time.monotonic() + support.TIMEOUT
        while (last := made()) != wanted:
            self.assertLess(time.monotonic(), deadline, "%s, not %s" % (last, wanted))

    def test_a_full_outbox_refuses_new_orders(self):
        """One partition has no owner, so what another has for it is not seen, whoever owns that, until it has one."""
        def code(method, params):
            try:
                carrier.call(method, params)
            except support.Refused as refused:
                return refused.code
            return "ok"

        with self.cluster.broker("--outbox", "4k").client("carrier") as carrier:
            homes = self.homes(carrier)
            (_, full), (away, _), (_, other) = list(homes.items())[:3]
            self.cluster.redis.cli("SET", "xd:{p%d}:lease" % away, "0123456789abcdef", "PX", "600000")
            matcher = self.start_without(away)
            sent = 0
            while code("submit", offer("o%d" % sent, full, max_detour_km=9000)) == "ok":
                sent += 1
                self.assertLess(sent, 1000)
            self.assertGreater(sent, 3)
            self.assertEqual(code("submit", offer("more", full)), "overloaded")
            self.assertEqual(code("amend", {"ref": "o1", "max_detour_km": 8000}), "overloaded")
            self.assertEqual(code("submit", offer("elsewhere", other, max_detour_km=1)), "ok")
            self.assertEqual(code("cancel", {"ref": "o0"}), "ok")
            matcher.kill()
            matcher = self.start_without(away)
            self.assertEqual(code("cancel", {"ref": "o2"}), "ok")
            self.assertEqual(code("submit", offer("more", full)), "overloaded")
            matcher.kill()
            self.cluster.redis.cli("DEL", "xd:{p%d}:lease" % away)
            self.cluster.matcher()
            self.wait_for(lambda: code("submit", offer("more", full)), "ok")
            self.assertEqual(code("amend", {"ref": "o1", "max_detour_km": 8000}), "ok")


class ComingAndGoing(InCluster):
    def trade(self, broker, tag, cities=range(len(rig.CITIES))):
        """A match in each city; how long the slowest took to be told."""
        slowest = 0
        with broker.client("carrier") as carrier, broker.client("shipper") as shipper:
            shipper.call("subscribe", {"from": "now"})
            for city in cities:
                begun = time.monotonic()
                carrier.call("submit", offer("o%s-%d" % (tag, city), city, only=["shipper"]))
                shipper.call("submit", request("r%s-%d" % (tag, city), city))
                shipper.event("match.confirmed")
                slowest = max(slowest, time.monotonic() - begun)
        return slowest

    def test_members_share_and_hand_over(self):
        lease_s = 10
        self.cluster.matcher_args = ["--lease", "%ds" % lease_s]
        (one, other), (broker,) = self.start(2, 1)
        counts = collections.Counter(self.cluster.owners())
        self.assertLessEqual(max(counts.values()), 8)
        self.trade(broker, "a")
        members, _ = self.cluster.status()
        self.assertEqual({row["member"] for row in members}, {one.id, other.id})
        self.caught_up()
        begun = time.monotonic()
        one.send_signal(signal.SIGTERM)
        self.cluster.wait_owners([other])
        handed = time.monotonic() - begun
        took = self.trade(broker, "b")
        print("SIGTERM: handed over in %.0f ms, slowest trade then %.0f ms; lease %d s" % (handed * 1000, took * 1000, lease_s))
        self.assertLess(handed, lease_s / 2)  # it has not been waited for
        self.assertEqual(one.stop(), 0)
        third = self.cluster.matcher()
        self.cluster.wait_owners([other, third])
        self.trade(broker, "c")

    def caught_up(self):
        """Owners come to the end of their logs: messages over borders may still be coming after a trade."""
        deadline = time.monotonic() + support.TIMEOUT
        while sum(row["lag_records"] for row in self.cluster.status()[1]) > 0:
            self.assertLess(time.monotonic(), deadline, "owners stay behind their logs")

    def test_a_dead_member_is_replaced(self):
        (one, other), (broker,) = self.start(2, 1)
        self.trade(broker, "a")
        begun = time.monotonic()
        one.kill()
        took = self.trade(broker, "b")
        print("SIGKILL: slowest trade %.0f ms, lease 1000 ms" % (took * 1000))
        self.assertLess(took, 1 + rig.BUSY_S)
        self.cluster.wait_owners([other])  # those of storage too, which nobody traded in
        self.assertLess(time.monotonic() - begun, support.TIMEOUT)

    def test_a_paused_owner_commits_nothing(self):
        (one, other), (broker,) = self.start(2, 1)
        self.trade(broker, "a")
        one.send_signal(signal.SIGSTOP)
        self.cluster.wait_owners([other])
        self.trade(broker, "b")
        one.send_signal(signal.SIGCONT)
        one.wait_log("msg=lost")
        self.trade(broker, "c")
        self.cluster.wait_owners([one, other])
        self.trade(broker, "d")

    def test_drain(self):
        (one, other), (broker,) = self.start(2, 1)
        self.assertNotEqual(self.cluster.cli("cluster", "drain", "nobody").returncode, 0)
        done = self.cluster.cli("cluster", "drain", one.id)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.cluster.wait_owners([other])
        members, _ = self.cluster.status()
        self.assertEqual({row["member"]: row["draining"] for row in members}, {one.id: True, other.id: False})
        self.trade(broker, "a")
        self.assertEqual(one.stop(), 0)


class Layout(InCluster):
    def test_is_fixed_and_checked(self):
        again = self.cluster.cli("cluster", "init", "--partitions", "5")
        self.assertEqual(again.returncode, 1)
        self.assertIn("already", again.stderr)
        single = rig.Redis()
        self.addCleanup(single.stop)
        done = support.run("crossdock-matcher", "--redis", single.url)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no cluster has been initialised", done.stderr)
        with support.Broker("--redis", single.url) as broker, broker.client("a") as client:
            self.assertEqual(client.call("hello", {"account": "a"})["partitions"], 1)
        late = support.run("crossdock", "cluster", "init", "--partitions", "4", "--redis", single.url)
        self.assertNotEqual(late.returncode, 0)
        self.assertIn("partitions", late.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)

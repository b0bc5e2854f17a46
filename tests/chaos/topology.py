"""What runs: brokers, matchers if there are any, and a Redis of one of three shapes."""

import os
import subprocess

import paths  # noqa: F401
import support
from mix import CITIES
from processes import Program, Redis, wait_until

BROKER_PORT = 7400
DURABLE = ["appendonly yes", "appendfsync always", 'save ""', "repl-diskless-sync-delay 0"]
SLOTS = 16384


class Single:
    """One Redis, each write synced."""

    name = "single"
    level = "fsynced"

    def __init__(self, network, directory):
        self.redis = [Redis(network.host("r0"), os.path.join(directory, "r0"), *DURABLE)]
        self.others = []

    def start(self):
        for one in self.redis:
            one.start()
        for one in self.redis:
            wait_until(lambda one=one: one.ask("ping") == "PONG", text="%s's answer" % one.name)

    def url(self):
        return "redis://" + self.redis[0].place

    def programs(self):
        return [*self.redis, *self.others]

    def master(self):
        return self.redis[0]

    def whole(self):
        return self.redis[0].running()


class Replicated(Single):
    """A master, a replica, three sentinels."""

    name = "sentinel"
    level = "replicated:1"
    master_name = "market"

    def __init__(self, network, directory):
        super().__init__(network, directory)
        host = network.host("r1")
        self.redis.append(Redis(host, os.path.join(directory, "r1"), *DURABLE,
                                "replicaof %s %d" % (self.redis[0].host.address, self.redis[0].port)))
        watch = "sentinel monitor %s %s %d 2" % (self.master_name, self.redis[0].host.address, self.redis[0].port)
        for name in ("s0", "s1", "s2"):
            self.others.append(Redis(
                network.host(name), os.path.join(directory, name), watch,
                "sentinel down-after-milliseconds %s 1000" % self.master_name,
                "sentinel failover-timeout %s 4000" % self.master_name, usual=26379, sentinel=True))

    def start(self):
        super().start()
        wait_until(lambda: self.redis[1].field("replication", "master_link_status") == "up", text="the replica")
        for one in self.others:
            one.start()
        for one in self.others:
            wait_until(lambda one=one: one.field("sentinel", "master0").endswith("slaves=1,sentinels=3"),
                       text="%s's view" % one.name)

    def url(self):
        return "redis-sentinel://%s/%s" % (",".join(one.place for one in self.others), self.master_name)

    def master(self):
        """The one that most sentinels name."""
        named = [one.ask("sentinel", "get-master-addr-by-name", self.master_name, timeout=2).split()
                 for one in self.others]
        places = [":".join(words) for words in named if len(words) == 2]
        for one in self.redis:
            if places.count(one.place) >= 2:
                return one
        return None

    def whole(self):
        """A master that a replica follows, and sentinels that say so: ready for the next failover."""
        master = self.master()
        if not master or master.field("replication", "role") != "master":
            return False
        replica = self.redis[1 - self.redis.index(master)]
        views = [one.field("sentinel", "master0") for one in self.others]
        return replica.field("replication", "role") == "slave" and \
            replica.field("replication", "master_link_status") == "up" and \
            master.field("replication", "connected_slaves") == "1" and \
            all("status=ok" in view and "address=" + master.place in view for view in views)


class Cluster(Single):
    """A Redis Cluster of three masters."""

    name = "cluster"
    level = "fsynced"

    def __init__(self, network, directory):
        super().__init__(network, directory)
        lines = [*DURABLE, "cluster-enabled yes", "cluster-node-timeout 3000", "cluster-config-file nodes.conf"]
        self.redis = [self._node(network, os.path.join(directory, name), name, lines) for name in ("r0", "r1", "r2")]

    @staticmethod
    def _node(network, directory, name, lines):
        host = network.host(name)
        bus = 0 if network.real else host.port(0)
        node = Redis(host, directory, *lines, *(["cluster-port %d" % bus] if bus else []))
        node.bus = bus
        return node

    def start(self):
        super().start()
        first = self.redis[0]
        share = SLOTS // len(self.redis)
        for number, one in enumerate(self.redis):
            last = SLOTS - 1 if one is self.redis[-1] else (number + 1) * share - 1
            one.ask("cluster", "addslotsrange", number * share, last)
            one.ask("cluster", "set-config-epoch", number + 1)
        for one in self.redis[1:]:
            first.ask("cluster", "meet", one.host.address, one.port, *([one.bus] if one.bus else []))
        wait_until(self.whole, text="the cluster")

    def whole(self):
        return all("cluster_state:ok" in one.ask("cluster", "info") and
                   "cluster_known_nodes:%d" % len(self.redis) in one.ask("cluster", "info") for one in self.redis)

    def master(self):
        return self.redis[0]

    def node_of(self, slot):
        for one in self.redis:
            for line in one.ask("cluster", "nodes").splitlines():
                words = line.split()
                if "myself" in words[2] and any(has(word, slot) for word in words[8:]):
                    return one
        return None

    def reshard(self, key):
        """Moves the slot of a key, one key after the other, to the next node. Says what it did."""
        slot = int(self.redis[0].ask("cluster", "keyslot", key))
        source = self.node_of(slot)
        if source is None:
            return "slot %d has no node" % slot
        target = self.redis[(self.redis.index(source) + 1) % len(self.redis)]
        target.ask("cluster", "setslot", slot, "importing", source.ask("cluster", "myid"))
        source.ask("cluster", "setslot", slot, "migrating", target.ask("cluster", "myid"))
        moved = self._move_keys(slot, source, target)
        for one in (target, source, *self.redis):
            one.ask("cluster", "setslot", slot, "node", target.ask("cluster", "myid"))
        return "slot %d (%s), %d keys, from %s to %s" % (slot, key, moved, source.name, target.name)

    @staticmethod
    def _move_keys(slot, source, target):
        moved = 0
        while True:
            keys = source.ask("cluster", "getkeysinslot", slot, 1).split()
            if not keys:
                return moved
            done = source.ask("migrate", target.host.address, target.port, "", 0, 5000, "keys", *keys, timeout=10)
            if done not in ("OK", "NOKEY"):
                raise AssertionError("a key could not be moved: " + done)
            moved += 1


def has(words, slot):
    """Whether a slot is in "17" or "0-5460"."""
    if not words[0].isdigit():
        return False
    first, _, last = words.partition("-")
    return int(first) <= slot <= int(last or first)


SHAPES = {shape.name: shape for shape in (Single, Replicated, Cluster)}


class Front:
    """Where a broker can be reached, from its own host."""

    def __init__(self, broker, port):
        self.broker = broker
        self.name = broker.name
        self.port = port

    def connect(self, account, timeout):
        with self.broker.host.inside():
            client = support.Client(("127.0.0.1", self.port), timeout=timeout)
        try:
            client.call("hello", {"account": account})
        except BaseException:
            client.close()
            raise
        return client


class Topology:
    def __init__(self, network, directory, chosen):
        self.chosen = chosen
        self.directory = directory
        self.redis = SHAPES[chosen.redis](network, directory)
        self.level = chosen.level or self.redis.level
        self.fronts, self.matchers = [], []
        for number in range(chosen.brokers):
            host = network.host("b%d" % number)
            port = host.port(BROKER_PORT)
            own = os.path.join(directory, host.name)
            more = ["--listen", "127.0.0.1:%d" % port, "--data", own]
            more += [] if chosen.matchers else self._owning()
            self.fronts.append(Front(Program(host, [support.program("crossdock-broker"), *more, *self._link()], own), port))
        for number in range(chosen.matchers):
            host = network.host("m%d" % number)
            self.matchers.append(Program(host, [support.program("crossdock-matcher"), *self._link(), *self._owning()],
                                         os.path.join(directory, host.name)))

    def _link(self):
        return ["--redis", self.redis.url(), "--redis-timeout", "%dms" % self.chosen.redis_timeout_ms, "--durability",
                self.level]

    def _owning(self):
        return ["--lease", "%dms" % self.chosen.lease_ms, "--snapshot-every", "1500", "--keep-log"]

    def start(self):
        self.redis.start()
        if self.chosen.matchers:
            self._initialise(os.path.join(self.directory, "places"))
        for program in [*self.matchers, *self.brokers]:
            program.start()

    def _initialise(self, places):
        """From a broker's host; cut where the market's places are, so that every partition has its share."""
        with open(places, "w", encoding="ascii") as file:
            file.writelines("%s,%s\n" % (lat, lon) for lat, lon, weight in CITIES for _ in range(weight))
        command = [support.program("crossdock"), "cluster", "init", "--redis", self.redis.url(),
                   "--partitions", str(self.chosen.partitions), "--places", places]
        done = subprocess.run([*self.brokers[0].host.prefix, *command], env=support.environment(), check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        if done.returncode != 0:
            raise AssertionError("cluster init: " + done.stdout)

    @property
    def brokers(self):
        return [front.broker for front in self.fronts]

    def programs(self):
        return [*self.redis.programs(), *self.matchers, *self.brokers]

    def keep(self):
        for program in self.programs():
            program.keep()

    def end(self):
        for program in [*self.brokers, *self.matchers]:
            program.end()
        for program in self.redis.programs():
            program.kill()

    def wrong(self):
        return [line for program in self.programs() for line in program.wrong]

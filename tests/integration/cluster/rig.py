"""A cluster for tests: a Redis of its own, matchers and brokers that come and go."""

import collections
import json
import os
import re
import time

import support
from redis_server import Redis

CITIES = [("Shanghai", 31.23, 121.47), ("Suzhou", 31.30, 120.58), ("Nanjing", 32.06, 118.80), ("Beijing", 39.90, 116.40),
          ("Guangzhou", 23.13, 113.26), ("Chengdu", 30.66, 104.06), ("Wuhan", 30.58, 114.27), ("Harbin", 45.75, 126.65),
          ("Xi'an", 34.26, 108.94), ("Urumqi", 43.80, 87.60), ("Kunming", 25.04, 102.71), ("Shenyang", 41.79, 123.43)]

BUSY_S = 2  # a busy machine may add this to what is promised


class Matcher(support.Process):
    """A running crossdock-matcher."""

    def __init__(self, url, *args):
        super().__init__()
        self.launch("crossdock-matcher", "--redis", url, *args)
        self.id = re.search(r"member=(\w+)", self.wait_log("msg=ready ")).group(1)


class Cluster:
    """Redis, initialised for `ranges` partitions of each kind, cut by CITIES."""

    def __init__(self, ranges=4, synced=True, places=None, matcher_args=(), broker_args=()):
        self.redis = Redis(synced=synced)
        self.args = [] if synced else ["--accept-weak-redis", "--durability", "accepted"]
        self.matcher_args, self.broker_args = list(matcher_args), list(broker_args)
        self.matchers, self.brokers = [], []
        if places is None:
            places = os.path.join(self.redis.directory.name, "places.csv")
            with open(places, "w", encoding="ascii") as file:
                file.writelines("%s,%s\n" % (lat, lon) for _, lat, lon in CITIES)
        done = self.cli("cluster", "init", "--partitions", str(ranges), "--places", places,
                        *([] if synced else ["--accept-weak-redis"]))
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        self.partitions = 3 * ranges

    def cli(self, *args):
        return support.run("crossdock", *args, "--redis", self.redis.url)

    def matcher(self, *args):
        self.matchers.append(Matcher(self.redis.url, *self.args, *self.matcher_args, *args))
        return self.matchers[-1]

    def broker(self, *args):
        self.brokers.append(support.Broker("--redis", self.redis.url, *self.args, *self.broker_args, *args))
        return self.brokers[-1]

    def status(self):
        """Members, and partitions, as `crossdock cluster status --json` tells them."""
        done = self.cli("cluster", "status", "--json")
        if done.returncode != 0:
            raise AssertionError(done.stderr + done.stdout)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return [row for row in rows if "member" in row], [row for row in rows if "partition" in row]

    def owners(self):
        """The lease's holder of each partition, asked of Redis."""
        return self.redis.cli("MGET", *("xd:{p%d}:lease" % i for i in range(self.partitions))).split("\n")

    def wait_owners(self, allowed, timeout=support.TIMEOUT):
        """Until each partition is owned by one of these matchers, each of them owns some, and none more than its
        share."""
        ids = {matcher.id for matcher in allowed}
        share = -(-5 * self.partitions // (4 * len(ids)))
        deadline = time.monotonic() + timeout
        while True:
            counts = collections.Counter(self.owners())
            if counts.keys() == ids and max(counts.values()) <= share:
                return
            if time.monotonic() > deadline:
                raise AssertionError("owners are %s, not %s" % (counts, ids))

    def stop(self):
        for process in self.brokers + self.matchers:
            if process.process.poll() is None:
                process.kill()
        for broker in self.brokers:
            if broker.own_data:
                broker.own_data.cleanup()
        self.redis.stop()

"""A cluster for tests: a Redis of its own, matchers and brokers that come and go."""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time

import support

CITIES = [("Shanghai", 31.23, 121.47), ("Suzhou", 31.30, 120.58), ("Nanjing", 32.06, 118.80), ("Beijing", 39.90, 116.40),
          ("Guangzhou", 23.13, 113.26), ("Chengdu", 30.66, 104.06), ("Wuhan", 30.58, 114.27), ("Harbin", 45.75, 126.65),
          ("Xi'an", 34.26, 108.94), ("Urumqi", 43.80, 87.60), ("Kunming", 25.04, 102.71), ("Shenyang", 41.79, 123.43)]


class Redis:
    """A redis-server on a free port; `synced`: it fsyncs every write."""

    def __init__(self, synced=True):
        self.directory = tempfile.TemporaryDirectory(prefix="crossdock-redis-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = "redis://127.0.0.1:%d" % self.port
        self.command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.directory.name,
                        "--appendonly", "yes", "--appendfsync", "always" if synced else "everysec", "--save", ""]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        while "PONG" not in subprocess.run(["redis-cli", "-p", str(self.port), "ping"], stdout=subprocess.PIPE,
                                           stderr=subprocess.DEVNULL, text=True, check=False).stdout:
            if self.process.poll() is not None:
                raise AssertionError("redis-server ended")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.kill()
        self.directory.cleanup()

    def cli(self, *command):
        return subprocess.run(["redis-cli", "-p", str(self.port), *command], check=True, stdout=subprocess.PIPE,
                              text=True).stdout.strip()


class Matcher:
    """A running crossdock-matcher, its log read as it comes."""

    def __init__(self, url, *args):
        self.process = subprocess.Popen([support.program("crossdock-matcher"), "--redis", url, *args],
                                        env=support.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        self.id = re.search(r"member=(\w+)", self.wait_log("msg=ready ")).group(1)

    def _read(self, stream):
        with stream:
            for line in stream:
                with self.changed:
                    self.lines.append(line.rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def wait_log(self, text, timeout=support.TIMEOUT):
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                for line in self.lines:
                    if line and text in line:
                        return line
                left = deadline - time.monotonic()
                if left <= 0 or (self.lines and self.lines[-1] is None):
                    raise AssertionError("no %r in the matcher's log:\n%s" % (text, "\n".join(filter(None, self.lines))))
                self.changed.wait(left)

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(support.TIMEOUT)
        self.reader.join(support.TIMEOUT)
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)


class Cluster:
    """Redis, initialised for `ranges` partitions of each kind, cut by CITIES."""

    def __init__(self, ranges=4, synced=True, places=None, matcher_args=(), broker_args=()):
        self.redis = Redis(synced)
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
        """Until each partition is owned by one of these matchers, and each of them owns some."""
        ids = {matcher.id for matcher in allowed}
        deadline = time.monotonic() + timeout
        while set(self.owners()) != ids:
            if time.monotonic() > deadline:
                raise AssertionError("owners are %s, not %s" % (self.owners(), ids))
        return self.owners()

    def stop(self):
        for process in self.brokers + self.matchers:
            if process.process.poll() is None:
                process.kill()
        for broker in self.brokers:
            if broker.own_data:
                broker.own_data.cleanup()
        self.redis.stop()

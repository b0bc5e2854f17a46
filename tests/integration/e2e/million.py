#!/usr/bin/python3
"""Measures a broker that holds a large open book: what an order costs in memory and in the snapshot, how long a start takes
from the snapshot alone, and from the snapshot and a tail of log after kill -9, how long a ping waits while a snapshot is made.

    XD_BIN=build/release/bin PYTHONPATH=tests/integration tests/integration/e2e/million.py [--orders N] [--tail N] [--json]

The orders are truck, cold and warehouse offers and requests in equal parts, spread over a country, of which no two match
(no request can pay what any offer asks)."""

import argparse
import json
import os
import random
import sqlite3
import tempfile
import threading
import time

os.environ.setdefault("XD_TEST_TIMEOUT", "600")

from support import Broker  # noqa: E402

BATCH = 1000
IN_FLIGHT = 8
DAY = 86400


def place(draw):
    return {"lat": round(draw.uniform(22, 45), 5), "lon": round(draw.uniform(100, 122), 5)}


def truck(draw, side, at):
    start = at + draw.randrange(DAY, 20 * DAY)
    if side == "offer":
        return {"from": place(draw), "to": place(draw), "kg": 20000, "pallets": 33, "max_detour_km": 100, "base": 100000,
                "per_t_km": 0.4, "available_from": start, "available_until": start + 6 * DAY}
    return {"from": place(draw), "to": place(draw), "kg": draw.randrange(100, 9000), "pallets": draw.randrange(1, 20),
            "pickup_from": start, "pickup_until": start + 2 * DAY, "deliver_until": start + 5 * DAY, "max_price": 10}


def storage(draw, side, at, kind):
    unit, rate = ("pallets", "per_pallet_day") if kind == "cold" else ("m2", "per_m2_day")
    first = at // DAY + draw.randrange(2, 20)
    order = {"at": place(draw), unit: draw.randrange(10, 400), "from_day": day(first),
             "until_day": day(first + draw.randrange(7, 90))}
    if kind == "cold":
        order["temp_c"] = {"min": -25, "max": 12} if side == "request" else {"min": -20, "max": -18}
    order.update({"base": 100000, rate: 0.5} if side == "offer" else {"radius_km": 80, "max_price": 10})
    return order


def day(number):
    return time.strftime("%Y-%m-%d", time.gmtime(number * DAY))


def orders(count, first, at, seed=1):
    """`count` orders that do not match, numbered from `first` on."""
    draw = random.Random(seed + first)
    for number in range(first, first + count):
        side = ("offer", "request")[number & 1]
        kind = ("truck", "cold", "warehouse")[number // 2 % 3]
        order = truck(draw, side, at) if kind == "truck" else storage(draw, side, at, kind)
        order.update(side=side, kind=kind, ref="n%d" % number, account="account%d" % (number // 20))
        yield order


class Pinger(threading.Thread):
    """Asks once every few milliseconds; remembers the longest wait for an answer."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.client = broker.client()
        self.longest = 0
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.002):
            begun = time.monotonic()
            self.client.call("ping")
            self.longest = max(self.longest, time.monotonic() - begun)

    def stop(self):
        self.done.set()
        self.join()
        self.client.close()
        return self.longest


def submit(broker, wanted):
    """Submits them all, a few batches on their way at once; seconds until the last was acknowledged."""
    begun = time.monotonic()
    with broker.client("*") as client:
        waiting, batch = [], []

        def answered(number):
            for result in client.result(number)["results"]:
                if "id" not in result:
                    raise AssertionError(result)

        for order in wanted:
            batch.append(order)
            if len(batch) == BATCH:
                waiting.append(client.send("submit", {"orders": batch}))
                batch = []
            if len(waiting) == IN_FLIGHT:
                answered(waiting.pop(0))
        if batch:
            waiting.append(client.send("submit", {"orders": batch}))
        for number in waiting:
            answered(number)
    return time.monotonic() - begun


def memory(broker, name="VmRSS"):
    with open("/proc/%d/status" % broker.process.pid, encoding="ascii") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith(name + ":"))


def processor_seconds(broker):
    """That it has used since it was started."""
    with open("/proc/%d/stat" % broker.process.pid, encoding="ascii") as stat:
        user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def state(broker):
    with broker.client("*") as client:
        return client.call("state_hash")["partitions"]


def snapshot(data, column):
    ledger = sqlite3.connect("file:%s?mode=ro" % os.path.join(data, "ledger.db"), uri=True)
    try:
        return ledger.execute("SELECT snapshot_%s FROM partition" % column).fetchone()[0]
    finally:
        ledger.close()


def snapshot_waits(broker, data, every, numbered, at):
    """The next snapshot, made while nothing else is asked of the broker but pings: the seconds that it takes, the longest wait
    of a ping meanwhile, and, as this machine's own, in as many seconds after it."""
    last = snapshot(data, "record")
    missing = last + every - state(broker)[0]["records"]
    submit(broker, orders(missing - 1, numbered, at))
    state(broker)
    pinger = Pinger(broker)
    begun = time.monotonic()
    submit(broker, orders(1, numbered + missing - 1, at))
    while snapshot(data, "record") == last:
        if time.monotonic() - begun > 100:
            raise AssertionError("no snapshot")
        time.sleep(0.01)
    seconds, wait = time.monotonic() - begun, pinger.stop()
    pinger = Pinger(broker)
    time.sleep(seconds)
    return seconds, wait, pinger.stop()


def directory_bytes(data):
    return sum(os.path.getsize(os.path.join(data, name)) for name in os.listdir(data))


def started(broker):
    """Starts it; seconds until it says that it is ready."""
    begun = time.monotonic()
    broker.start()
    return time.monotonic() - begun


def measure(count, tail, *args, say=lambda *_: None):
    """The figures as (case, metric, value, unit); raises AssertionError where the state is not what it was."""
    at = int(time.time())
    figures = []

    def note(case, metric, value, unit):
        figures.append((case, metric, value, unit))
        say(case, metric, value, unit)

    with tempfile.TemporaryDirectory(prefix="crossdock-million-") as data:
        every = 2 * tail
        broker = Broker("--snapshot-every", str(every), *args, data=data)
        try:
            empty = memory(broker)
            pinger = Pinger(broker)
            seconds = submit(broker, orders(count, 0, at))
            note("load", "submitted", count / seconds, "orders/s")
            note("load", "longest wait of a ping", pinger.stop() * 1000, "ms")
            note("load", "memory an open order", (memory(broker) - empty) / count, "bytes")
            before = state(broker)

            begun = time.monotonic()
            if broker.stop() != 0:
                raise AssertionError(broker.log())
            note("stop", "until the process is gone", time.monotonic() - begun, "s")
            note("stop", "snapshot an open order", snapshot(data, "bytes") / count, "bytes")
            note("stop", "snapshot", snapshot(data, "bytes"), "bytes")
            note("stop", "data directory", directory_bytes(data), "bytes")

            note("restart", "until ready", started(broker), "s")
            note("restart", "processor time until ready", processor_seconds(broker), "s")
            note("restart", "memory an open order", (memory(broker) - empty) / count, "bytes")
            note("restart", "peak memory an open order", (memory(broker, "VmHWM") - empty) / count, "bytes")
            if state(broker) != before:
                raise AssertionError("the state is another after the restart")

            submit(broker, orders(tail, count, at))
            before = state(broker)
            broker.kill()
            note("kill", "records of log to replay", tail, "records")
            note("kill", "until ready", started(broker), "s")
            note("kill", "processor time until ready", processor_seconds(broker), "s")
            if state(broker) != before:
                raise AssertionError("the state is another after the kill")

            seconds, wait, idle = snapshot_waits(broker, data, every, count + tail, at)
            note("snapshot", "until stored", seconds, "s")
            note("snapshot", "longest wait of a ping", wait * 1000, "ms")
            note("snapshot", "longest wait without one", idle * 1000, "ms")
        finally:
            broker.kill()
    return figures


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--orders", type=int, default=1000000)
    options.add_argument("--tail", type=int, help="orders submitted between the restart and kill -9 (a twentieth)")
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    tail = asked.tail if asked.tail is not None else max(1, asked.orders // 20)

    def say(case, metric, value, unit):
        if asked.json:
            print(json.dumps({"bench": "restart", "case": case, "metric": metric, "value": value, "unit": unit,
                              "orders": asked.orders}), flush=True)
        else:
            print("%-8s %-28s %16s %s" % (case, metric, "{:,.{}f}".format(value, 0 if value >= 100 else 2), unit), flush=True)

    # Snapshots are made at the end only unless there is one due: the tail must still be there to be replayed.
    measure(asked.orders, tail, "--max-orders", str(2 * asked.orders + tail), say=say)


if __name__ == "__main__":
    main()

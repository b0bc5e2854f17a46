"""Clients: some submit at a steady rate, some listen, one answers what it hears. Each goes to another broker when its own
does not answer, tries again what was not answered, and writes down what it was told."""

import collections
import random
import socket
import threading
import time

import paths  # noqa: F401
from mix import Mix
from support import Closed, Refused

ANSWER_S = 2.5   # a client that waits longer goes elsewhere
SILENCE_S = 1.0  # then a listener asks whether its broker is still there
SWITCH_S = 6.0   # and moves to another broker every now and then
BATCH = 25
AGAIN_SHARE = 0.05
LATER = {"overloaded", "storage_full", "storage_failed", "fenced", "draining", "no_memory", "no_owner", "hello_first"}
GONE = (Closed, OSError, socket.timeout)


class Told:
    """What clients were told, all of them together."""

    def __init__(self, level, may_lose):
        self.level = level.split(":")[0]
        self.may_lose = may_lose
        self.lock = threading.Lock()
        self.sent = {}     # (account, ref): order
        self.acked = {}    # (account, ref): (id, durability)
        self.refused = {}  # (account, ref): code
        self.commands = []  # (method, account, what, answer or code, durability, front, time)
        self.codes = collections.Counter()
        self.wrong = []
        self.ack_times = []
        self.last_front = None

    def covers(self, durability):
        """Whether what was acknowledged so may not be lost by what is done."""
        return durability == self.level and not self.may_lose

    def complain(self, text, *values):
        with self.lock:
            self.wrong.append(text % values)

    def ack(self, front, order, result):
        key = order["account"], order["ref"]
        with self.lock:
            known = self.acked.setdefault(key, (result["id"], result["durability"]))
            if known[0] != result["id"] and self.covers(known[1]):  # else the judge counts it among the lost
                self.wrong.append("%s is %s, and was %s" % (key, result["id"], known[0]))
            self.ack_times.append(time.monotonic())
            self.last_front = front

    def refuse(self, order, error):
        key = order["account"], order["ref"]
        with self.lock:
            self.refused[key] = error["code"]
            if error["code"] in ("ref_conflict", "internal") or key in self.acked:
                self.wrong.append("%s was refused: %s" % (key, error))

    def longest_silence(self, since, until):
        """The longest time in which nothing was acknowledged, and when it began."""
        with self.lock:
            times = [since, *(t for t in self.ack_times if since < t < until), until]
        return max((later - earlier, earlier) for earlier, later in zip(times, times[1:]))


class Caller(threading.Thread):
    """A thread with a connection to one of the brokers."""

    def __init__(self, told, fronts, account, seed):
        super().__init__(daemon=True)
        self.told = told
        self.fronts = fronts
        self.account = account
        self.rng = random.Random(seed)
        self.stopping = threading.Event()
        self.client = None
        self.front = None

    def connect(self):
        """Tries a broker. None if that one is not to be had."""
        self.front = self.rng.choice(self.fronts)
        try:
            self.client = self.front.connect(self.account, ANSWER_S)
        except Refused as error:
            self.count(error.code)
        except GONE as error:
            self.count(type(error).__name__)
        if self.client is None:
            self.stopping.wait(0.03)
        return self.client

    def disconnect(self):
        if self.client:
            self.client.close()
        self.client = None

    def count(self, code):
        with self.told.lock:
            self.told.codes[code] += 1

    def stop(self):
        self.stopping.set()

    def run(self):
        try:
            self.work()
        except Exception as error:  # a thread that ends without a word would look like success
            self.told.complain("%s: %s: %s", type(self).__name__, type(error).__name__, error)
            raise
        finally:
            self.disconnect()


class Submitter(Caller):
    """Submits at a steady rate; what fell due while nothing was answered follows in batches."""

    def __init__(self, told, fronts, name, rate, seed):
        super().__init__(told, fronts, "*", seed)
        self.label = name
        self.mix = Mix(seed, 1, truck_share=0.4)
        self.rate = rate
        self.open = collections.deque()
        self.began = time.monotonic()
        self.made = 0
        self.finished = False

    def make_due(self):
        """Puts what is due by now into the queue. Seconds until the next."""
        while not self.stopping.is_set():
            wait = self.began + self.made / self.rate - time.monotonic()
            if wait > 0:
                return wait
            self.made += 1
            self.mix.now = int(time.time())
            order = self.mix.order()
            order["ref"] = "%s-%d" % (self.label, self.made)
            del order["time"]
            with self.told.lock:
                self.told.sent[order["account"], order["ref"]] = order
            self.open.append(order)
        return 0

    def work(self):
        while not (self.stopping.is_set() and not self.open):
            wait = self.make_due()
            if not self.open:
                self.stopping.wait(wait)
            elif self.client or self.connect():
                self.ask([self.open[i] for i in range(min(BATCH, len(self.open)))])
        self.finished = True

    def ask(self, batch):
        try:
            if len(batch) == 1:
                error, result = self.client.response(self.client.send("submit", batch[0]))
                results = [result if error is None else {"error": error}]
            else:
                results = self.client.call("submit", {"orders": batch})["results"]
        except Refused as error:
            self.count(error.code)
            if error.code not in LATER:
                self.told.complain("a batch was refused: %s", error)
            results = []
        except GONE as error:
            self.count(type(error).__name__)
            results = []
        if not all([self.take(order, result) for order, result in zip(batch, results)]) or not results:
            self.disconnect()
            self.stopping.wait(0.05)

    def take(self, order, result):
        """Whether the order has its answer, and is not to be sent again."""
        error = result.get("error")
        if error:
            self.count(error["code"])
        if error and error["code"] in LATER:
            return False
        self.open.remove(order)
        if error:
            self.told.refuse(order, error)
            return True
        self.told.ack(self.front, order, result)
        if self.rng.random() < AGAIN_SHARE:
            self.open.append(order)
        return True


class Listener(Caller):
    """A subscription that is taken up again at its cursor, wherever it has to be."""

    def __init__(self, told, fronts, account, seed, heard=None):
        super().__init__(told, fronts, account, seed)
        self.cursor = "start"
        self.events = {}  # id: event
        self.order = []   # ids, as first heard
        self.resumes = 0
        self.unrecovered = 0
        self.repeated = 0
        self.heard = heard
        self.until = 0

    def work(self):
        while not self.stopping.is_set():
            if self.client or (self.connect() and self.subscribe()):
                self.listen()

    def subscribe(self):
        try:
            answer = self.client.call("subscribe", {"from": self.cursor})
        except GONE as error:
            self.count(type(error).__name__)
            self.disconnect()
            return False
        except Refused as error:
            self.count(error.code)
            if error.code not in LATER:
                self.told.complain("%s at %s: resume from %s: %s", self.account, self.front.name, self.cursor, error)
            self.disconnect()
            self.stopping.wait(0.05)
            return False
        self.resumes += 1
        self.unrecovered += not answer["recovered"]
        self.cursor = answer["cursor"]
        self.until = time.monotonic() + self.rng.uniform(0.5, 1.5) * SWITCH_S
        self.client.sock.settimeout(SILENCE_S)
        return True

    def listen(self):
        try:
            self.take(self.client.event())
            if time.monotonic() < self.until:
                return
        except socket.timeout:
            if self.alive():
                return
        except GONE as error:
            self.count(type(error).__name__)
        self.disconnect()
        self.stopping.wait(0.02)

    def alive(self):
        try:
            self.client.call("ping")
            return time.monotonic() < self.until
        except GONE:
            return False

    def take(self, event):
        self.cursor = event["cursor"]
        if event["id"] in self.events:
            self.repeated += 1
            known = self.events[event["id"]]
            if known != event:
                self.told.complain("%s heard %s and then %s", self.account, known, event)
            return
        self.events[event["id"]] = event
        self.order.append(event["id"])
        if self.heard:
            self.heard(event)


class Owner(Caller):
    """Acts for all accounts on what an operator's listener hears: answers proposals, ends matches, cancels orders."""

    def __init__(self, told, fronts, seed, rate):
        super().__init__(told, fronts, "*", seed)
        self.rate = rate
        self.lock = threading.Lock()
        self.live = {}  # match id: match as last heard
        self.orders = {}  # order id: (account, ref), while open

    def hear(self, event):
        with self.lock:
            if "order" in event:
                order = event["order"]
                if event["type"] == "order.accepted":
                    self.orders[order["id"]] = order["account"]
                elif order["state"] not in ("open", "partly_filled"):
                    self.orders.pop(order["id"], None)
                return
            match = event["match"]
            if match["state"] in ("proposed", "confirmed"):
                self.live[match["id"]] = match
            else:
                self.live.pop(match["id"], None)

    def work(self):
        while not self.stopping.wait(self.rng.expovariate(self.rate)):
            acts = self.choose()
            if acts and (self.client or self.connect()):
                for act in acts:
                    self.do(*act)

    def choose(self):
        with self.lock:
            if self.orders and (self.rng.random() < 0.4 or not self.live):
                order = self.rng.choice(list(self.orders))
                return [("cancel", self.orders[order], order)]
            if not self.live:
                return []
            match = self.live[self.rng.choice(list(self.live))]
            sides = [(match[side]["account"], match["id"]) for side in ("offer", "request")]
            if match["state"] == "proposed":
                if self.rng.random() < 0.7:
                    return [("accept", *side) for side in sides]
                return [("decline", *self.rng.choice(sides))]
            return [(self.rng.choice(["cancel_match", "cancel_match", "complete", "no_show"]), *self.rng.choice(sides))]

    def do(self, method, account, what):
        if not self.client:
            return
        named = {"id" if method == "cancel" else "match": what, "account": account}
        answer, durability = "unknown", None
        try:
            result = self.client.call(method, named)
            answer, durability = result["status"], result["durability"]
        except Refused as error:
            self.count("%s: %s" % (method, error.code))
            answer = error.code
        except GONE as error:
            self.count(type(error).__name__)
            self.disconnect()
        with self.told.lock:
            front = self.front.name if self.front else ""
            self.told.commands.append((method, account, what, answer, durability, front, time.time()))

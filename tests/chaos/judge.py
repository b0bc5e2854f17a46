"""After a run: was anything lost that was acknowledged, given out twice, or not told?"""

import collections
import re

import allocation
import paths  # noqa: F401
from checker import Checker
from load import BATCH, GONE, LATER
from orders import Order
from processes import wait_until
from support import Closed, Refused

EVENT_ID = re.compile(r"e(\d+)-(\d+)-(\d+)")
IDLE_S = 2.0  # longer than events are waited for that replicas do not have
SHOWN = 12
ENDED_BY = {"decline": "match.declined", "cancel_match": "match.cancelled", "complete": "match.completed",
            "no_show": "match.no_show"}
CLOSED = {"order.cancelled", "order.filled", "order.expired"}


def history(front, account="*"):
    """Every event from the start up to now that this broker tells. Begun anew where the generation rises meanwhile: the
    last to come back may say only then what was lost."""
    def find():
        try:
            return (told_from_the_start(front, account),)
        except Closed:
            return None
    return wait_until(find, text="the history of %s" % front.name)[0]


def offsets(cursor):
    return [int(position.rpartition(".")[2] or 0) for position in cursor.split("_")]


def told_up_to_now(front, account):
    client = front.connect(account, 10)
    try:
        return offsets(client.call("subscribe")["cursor"])
    finally:
        client.close()


def told_from_the_start(front, account):
    """A market goes on by itself, so there may be no end of what is told."""
    now = told_up_to_now(front, account)
    client = front.connect(account, 10)
    try:
        client.call("subscribe", {"from": "start"})
        client.sock.settimeout(IDLE_S)
        events = []
        try:
            while not events or any(at < end for at, end in zip(offsets(events[-1]["cursor"]), now)):
                events.append(client.event())
        except TimeoutError:
            pass
        return events
    finally:
        client.close()


def time_of(front):
    client = front.connect("*", 10)
    try:
        return client.call("ping")["time"]
    finally:
        client.close()


def serving(fronts):
    """A broker that serves now."""
    def find():
        for front in fronts:
            try:
                client = front.connect("*", 5)
                client.call("orders", {"limit": 1})
                client.close()
                return front
            except (*GONE, Refused):
                continue
        return None
    return wait_until(find, 30, "a broker that serves")


def same_event(event):
    """What makes two tellings the same event, whatever the generation in which they are told."""
    partition, _, offset = EVENT_ID.fullmatch(event["id"]).groups()
    subject = event.get("order") or event.get("match")
    return partition, offset, event["account"], event["type"], event["time"], subject["id"]


class Judge:
    """`may_lose`: the level that was acknowledged does not cover what was done, so losses are counted, and wrong only where
    nobody was told of them."""

    def __init__(self, told, listeners, due, events, whole_until, partitions, may_lose):
        self.told = told
        self.whole_until = whole_until  # the second up to which every partition has told all
        self.due = due  # events (same_event) that every listener had the time to hear
        self.listeners = listeners
        self.events = events
        self.partitions = partitions
        self.may_lose = may_lose
        self.wrong = []
        self.figures = collections.Counter()
        self.kinds = collections.Counter(event["type"] for event in events)
        self.accepted = collections.defaultdict(list)
        for event in events:
            if event["type"] == "order.accepted":
                self.accepted[event["account"], event["order"]["ref"]].append(event["order"]["id"])

    def complain(self, text, *values):
        self.wrong.append(text % values)

    def run(self):
        self.check_ids()
        self.check_acknowledged()
        self.check_commands()
        for listener in self.listeners:
            self.check_listener(listener)
        self.wrong += allocation.check(self.told.sent, [one for one in self.events if one["time"] <= self.whole_until])
        if self.partitions == 1 and not self.figures["generations"] > 1:
            self.check_rules()
        return self.wrong

    # --- each promise ---

    def check_ids(self):
        """The history itself: no offset twice, none left out."""
        offsets = collections.defaultdict(list)
        generations = set()
        for event in self.events:
            partition, generation, offset = map(int, EVENT_ID.fullmatch(event["id"]).groups())
            offsets[partition].append(offset)
            generations.add((partition, generation))
        self.figures["generations"] = max(collections.Counter(p for p, _ in generations).values(), default=0)
        for partition, found in offsets.items():
            if found != list(range(len(found))):
                self.complain("the history of partition %d has offsets %s...", partition,
                              [o for i, o in enumerate(found) if o != i][:3])

    def check_acknowledged(self):
        lost, covered = [], []
        for key, (identity, durability) in self.told.acked.items():
            if self.accepted.get(key) != [identity]:
                lost.append("%s %s (%s): accepted as %s" % (*key, durability, self.accepted.get(key)))
                covered += lost[-1:] if self.told.covers(durability) else []
        self.figures["acknowledged lost"] = len(lost)
        if covered or (lost and not self.lost_was_told()):
            self.complain("%d acknowledged orders are lost or doubled: %s", len(lost), (covered or lost)[:SHOWN])
        for key, identities in self.accepted.items():
            if len(identities) > 1 and key not in self.told.acked:
                self.complain("%s was accepted as %s", key, identities)

    def lost_was_told(self):
        return all(listener.unrecovered for listener in self.listeners)

    def check_commands(self):
        """What was acknowledged of a command has been told as an event."""
        ended, closed = collections.defaultdict(set), set()
        for event in self.events:
            if "match" in event:
                ended[event["match"]["id"]].add(event["type"])
            elif event["type"] in CLOSED:
                closed.add(event["order"]["id"])
        accepts = collections.defaultdict(list)
        together = self.parts_of_a_whole()
        lost = []
        for method, _, what, answer, durability, *_ in self.told.commands:
            if method == "accept" and answer == "accepted":
                accepts[what].append(self.told.covers(durability))
            if (method == "cancel" and answer == "cancelled" and what not in closed) or \
                    (method in ENDED_BY and answer in ("declined", "cancelled", "completed", "no_show") and
                     ENDED_BY[method] not in ended[what]):
                lost.append((method, what, self.told.covers(durability)))
        lost += [("accept by both", what, all(covered)) for what, covered in accepts.items()
                 if len(covered) >= 2 and "match.confirmed" not in ended[what] and what not in together]
        covered = [one for one in lost if one[-1]]
        self.figures["commands"] = len(self.told.commands)
        self.figures["commands lost"] = len(lost)
        if covered or (lost and not self.lost_was_told()):
            self.complain("%d acknowledged commands are lost: %s", len(lost), (covered or lost)[:SHOWN])

    def parts_of_a_whole(self):
        """Matches that are confirmed only when other parts of their request are: of what asks for all or nothing."""
        wholes = {key for key, order in self.told.sent.items() if order.get("fill") == "all_now"}
        requests = [event["match"] for event in self.events if event["type"] == "match.proposed"]
        return {match["id"] for match in requests if (match["request"]["account"], match["request"]["ref"]) in wholes}

    def check_listener(self, listener):
        known = {same_event(event): event for event in self.events if listener.account in ("*", event["account"])}
        heard = {same_event(event): event for event in listener.events.values()}
        missed = [known[key]["id"] for key in (known.keys() & self.due) - heard.keys()]
        taken_back = [heard[key]["id"] for key in heard.keys() - known.keys()]
        excused = self.may_lose and listener.unrecovered
        self.figures["resumes"] += listener.resumes
        self.figures["told recovered false"] += listener.unrecovered
        self.figures["heard again"] += listener.repeated
        self.figures["told and taken back"] += len(taken_back)
        if missed and not excused:
            self.complain("%s missed %d events: %s", listener.account, len(missed), sorted(missed)[:SHOWN])
        if taken_back and not excused:
            self.complain("%s heard %d events that nobody can hear again: %s", listener.account, len(taken_back),
                          sorted(taken_back)[:SHOWN])
        self.check_order(listener)

    def check_order(self, listener):
        last = {}
        for identity in listener.order:
            partition, generation, offset = map(int, EVENT_ID.fullmatch(identity).groups())
            if offset <= last.get((partition, generation), -1):
                self.complain("%s heard %s after offset %d", listener.account, identity, last[partition, generation])
            last[partition, generation] = offset

    def check_rules(self):
        """All the rules of the market, by the independent checker."""
        checker = Checker([Order(order, "CNY") for order in self.told.sent.values()], storage=20)
        for event in self.events:
            partition, _, offset = EVENT_ID.fullmatch(event["id"]).groups()
            checker.event(event)
        checker.end()
        self.figures["checked by the rules"] = checker.seen
        self.wrong += checker.report.lines


def retry(front, told, keys):
    """Submits acknowledged orders once more: each has the id that it had."""
    client = front.connect("*", 10)
    try:
        for first in range(0, len(keys), BATCH):
            some = keys[first:first + BATCH]
            results = client.call("submit", {"orders": [told.sent[key] for key in some]})["results"]
            for key, result in zip(some, results):
                if result.get("error", {}).get("code") in LATER or result.get("id") == told.acked[key][0]:
                    continue
                if not told.covers(told.acked[key][1]):  # the judge counts it among the lost
                    continue
                told.complain("%s is %s, and a retry says %s", key, told.acked[key][0], result)
    finally:
        client.close()

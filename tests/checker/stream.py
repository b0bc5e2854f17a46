"""A good stream of events, played through the twin, and copies of it to falsify."""

import copy

from mix import Mix, play_twin
from twin import Twin

ORDERS = 800
SEED = 8


def good_stream():
    twin = Twin()
    orders = play_twin(twin, Mix(SEED, ORDERS))
    return orders, twin.events


GOOD_ORDERS, GOOD_EVENTS = good_stream()


def renumber(events):
    for offset, event in enumerate(events):
        event["id"], event["cursor"] = "e0-1-%d" % offset, "0.1.%d" % (offset + 1)


class Stream:
    """A copy of the good stream to falsify."""

    def __init__(self):
        self.orders = copy.deepcopy(GOOD_ORDERS)
        self.events = copy.deepcopy(GOOD_EVENTS)
        self.by_key = {(order["account"], order["ref"]): order for order in self.orders}

    def wrote(self, party):
        return self.by_key[party["account"], party["ref"]]

    def first(self, kind, wanted=lambda event: True):
        """The index of the first event of that type that is wanted."""
        for index, event in enumerate(self.events):
            if event["type"] == kind and wanted(event):
                return index
        raise AssertionError("no %s of that sort in the stream" % kind)

    def pair(self, kind, wanted=lambda match, offer, request: True):
        """The two events of the first match so told. Confirmed: without having been proposed."""
        proposed = {event["match"]["id"] for event in self.events
                    if kind == "match.confirmed" and event["type"] == "match.proposed"}
        index = self.first(kind, lambda event: event["match"]["id"] not in proposed and
                           wanted(event["match"], self.wrote(event["match"]["offer"]),
                                  self.wrote(event["match"]["request"])))
        match_id = self.events[index]["match"]["id"]
        return [event for event in self.events
                if event["type"] == kind and event["match"]["id"] == match_id]

    def every(self, match_id):
        """Every event of a match."""
        return [event for event in self.events if "match" in event and event["match"]["id"] == match_id]

    def set(self, events, name, change):
        for event in events:
            event["match"][name] = change(event["match"].get(name))

    def insert(self, index, *events):
        self.events[index:index] = events
        renumber(self.events)

    def remove(self, events):
        gone = {id(event) for event in events}
        self.events = [event for event in self.events if id(event) not in gone]
        renumber(self.events)

    def after_last(self, match_id):
        return max(k for k, event in enumerate(self.events) if "match" in event
                   and event["match"]["id"] == match_id) + 1

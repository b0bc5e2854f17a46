"""Was anything given out twice? From the orders as they were submitted and the events alone. Unlike the checker's rules this
needs no order between partitions: within a second, what ended is counted before what began."""

import collections

import paths  # noqa: F401
from figures import DIMS, day_number, fixed
from orders import Order

BEGINS = ("match.proposed", "match.confirmed")
ENDS = ("match.declined", "match.lapsed", "match.cancelled", "match.no_show")


class Life:
    """A match, as the two sides were told of it together."""

    def __init__(self, event):
        self.view = event["match"]
        self.began = event["time"]
        self.ended = None
        self.gives_from = None  # storage: the first day that its end gives back

    def amount(self, dim):
        return fixed(self.view[dim], DIMS[dim]) if dim in self.view else 0

    def days(self):
        return range(day_number(self.view["from_day"]), day_number(self.view["until_day"]))


def lives(events):
    """Every match, by its id."""
    found = {}
    for event in events:
        if "match" not in event:
            continue
        life = found.setdefault(event["match"]["id"], Life(event)) if event["type"] in BEGINS else \
            found.get(event["match"]["id"])
        if life and event["type"] in ENDS:
            life.ended = event["time"]
    return found


def peak(steps):
    """The greatest sum of (time, change), at any time; ends before beginnings within a second."""
    total = most = 0
    for _, change in sorted(steps):
        total += change
        most = max(most, total)
    return most


def steps_of(matches, dim):
    for life in matches:
        yield life.began, life.amount(dim)
        if life.ended is not None:
            yield life.ended, -life.amount(dim)


def check_requests(orders, by_request, wrong):
    for identity, matches in by_request.items():
        request = orders[identity]
        most = peak(steps_of(matches, request.main))
        if most > request.amount:
            wrong.append("%r (%s) was served %d of %d" % (request, identity, most, request.amount))


def check_days(offer, matches, wrong):
    """A day that has begun when a match ends stays taken; so only what ended before its first day is given back here."""
    for dim, has in offer.amounts.items():
        by_day = collections.defaultdict(list)
        for life in matches:
            for day in life.days():
                by_day[day].append(life)
        for day, those in by_day.items():
            most = peak(steps_of(those, dim))
            if most > has:
                wrong.append("%r: %d of %d %s on day %d" % (offer, most, has, dim, day))


def check_legs(orders, offer, events, wrong):
    """Every plan that the carrier was told. A load with one stop left was aboard before, or is none any more."""
    for event in events:
        stops = event["match"].get("stops", ())
        actions = collections.defaultdict(set)
        for stop in stops:
            actions[stop["order"]].add(stop["action"])
        for dim, has in offer.amounts.items():
            amounts = {identity: orders[identity].amounts.get(dim, 0) if identity in orders else 0 for identity in actions}
            aboard = sum(amounts[identity] for identity, what in actions.items() if what == {"delivery"})
            for stop in stops:
                if stop["action"] == "delivery":
                    aboard -= amounts[stop["order"]]
                elif len(actions[stop["order"]]) == 2:
                    aboard += amounts[stop["order"]]
                if aboard > has:
                    wrong.append("%s: %r has %d of %d %s aboard" % (event["id"], offer, aboard, has, dim))


def check(submitted, events):
    """What was given out twice, in words."""
    wrong = []
    orders = {}
    for event in events:
        if event["type"] == "order.accepted":
            wrote = submitted.get((event["account"], event["order"]["ref"]))
            if wrote:
                orders[event["order"]["id"]] = Order(wrote, "CNY")
    by_request, by_offer = collections.defaultdict(list), collections.defaultdict(list)
    for life in lives(events).values():
        for side, found in (("request", by_request), ("offer", by_offer)):
            identity = life.view[side]["id"]
            if identity in orders:
                found[identity].append(life)
            else:
                wrong.append("match %s is of %s, which nobody was told of" % (life.view["id"], identity))
    check_requests(orders, by_request, wrong)
    told = collections.defaultdict(list)
    for event in events:
        if "match" in event and event["account"] == event["match"]["offer"]["account"]:
            told[event["match"]["offer"]["id"]].append(event)
    for identity, matches in by_offer.items():
        offer = orders[identity]
        if offer.truck:
            check_legs(orders, offer, told[identity], wrong)
        else:
            check_days(offer, matches, wrong)
    return wrong

"""Checks of what is told about a truck's plan."""

import functools
import itertools

from figures import fixed
from plan import Stop


@functools.lru_cache(maxsize=1 << 16)
def degrees(value):
    return fixed(value, 7)


def told_stops(view):
    """[(action, order id, place, eta, leave)] of an event."""
    return [(stop["action"], stop["order"], (degrees(stop["lat"]), degrees(stop["lon"])), stop["eta"],
             stop["leave"])
            for stop in view["stops"]]


def check_own_stops(book, match, view):
    """A shipper's event: its own stops only, where it wants them, at the plan's times."""
    request, plan = match.request, match.offer.room
    for action, order_id, place, eta, leave in told_stops(view):
        if order_id != request.id:
            book.report("foreign-stop", "%r shows its shipper a stop of %s", match, order_id)
            continue
        if place != (request.to if action == "delivery" else request.start):
            book.report("stops", "%r has its %s at %s", match, action, place)
        stop = plan.stop_of(request, action == "delivery")
        if stop and (stop.eta, stop.leave) != (eta, leave):
            book.report("eta", "%r: its shipper is told %s at %s, the plan says %r", match, action, eta, stop)


def check_plan(book, match, view):
    """A carrier's event: the whole plan as it stands."""
    plan = match.offer.room
    told = told_stops(view)
    shown = plan.shown([stop[:2] for stop in told])
    if plan.changed is not None and [stop[:2] for stop in told] != [stop.name for stop in shown]:
        book.report("plan-order", "%r lists %s, the plan is %s", match, [stop[:2] for stop in told],
                    [stop.name for stop in shown])
        return
    for (action, order_id, place, eta, leave), stop in zip(told, shown):
        if place != stop.place:
            book.report("stops", "%r has %s of %s at %s", match, action, order_id, place)
        if (eta, leave) != (stop.eta, stop.leave):
            book.report("eta", "%r: the carrier is told %s of %s at %s to %s, the plan says %r", match,
                        action,
                        order_id, eta, leave, stop)


def insert(book, match, view):
    """Checks a load's insertion against rules 3 to 5 and takes it over. Returns the metres it added, or None
    if the event does not say where it went."""
    plan, now = match.offer.room, book.now
    stops, i, j = told_insertion(book, match, view)
    if stops is None:
        return None
    first = plan.fixed(now)
    if plan.closed(now):
        book.report("plan-end", "%r: the truck has left for its end", match)
    if i < first:
        book.report("before-fixed", "%r goes in at %d, and %d stops are fixed", match, i, first)
    first = min(i, first)
    settle_doubts(book, plan, view, stops, first)
    times = plan.times(stops, first, now)
    for name in plan.broken(stops, times, now):
        book.report(name, "%r cannot go in at %d and %d of %s", match, i, j, plan.offer)
    check_cheapest(book, match, first, i, j)
    added = max(0, plan.detour(stops) - plan.detour())
    check_fixed(book, match, view, first)
    plan.adopt(stops, now, match.request)
    return added


def told_insertion(book, match, view):
    """(all stops with the new load's among them, its pickup's position, its delivery's without the pickup).
    The event lists what has not ended: the rest must be the plan's last stops, in their order."""
    plan, request = match.offer.room, match.request
    names = [stop[:2] for stop in told_stops(view)]
    pickup, delivery = ("pickup", request.id), ("delivery", request.id)
    if names.count(pickup) != 1 or names.count(delivery) != 1 or names.index(pickup) > names.index(delivery):
        book.report("plan-order", "%r lists its own stops %s", match, names)
        return None, None, None
    others = [name for name in names if name[1] != request.id]
    begin = len(plan.stops) - len(others)
    if begin < 0 or others != [stop.name for stop in plan.stops[begin:]] or \
            any(stop.leave > book.now for stop in plan.stops[:begin]):
        book.report("plan-order", "%r lists %s, the plan was %s", match, names, plan.stops)
        return None, None, None
    if any(stop.leave < book.now for stop in plan.stops[begin:]):
        book.report("plan-order", "%r lists stops that are history", match)
    i = begin + names.index(pickup)
    j = begin + names.index(delivery) - 1
    return plan.inserted(request, i, j), i, j


def check_fixed(book, match, view, first):
    """What is fixed keeps its times."""
    told = {stop[:2]: stop for stop in told_stops(view)}
    for stop in match.offer.room.stops[:first]:
        found = told.get(stop.name)
        if found and found[3:] != (stop.eta, stop.leave):
            book.report("fixed-stop-moved", "%r moves %r to %s", match, stop, found)


def check_cheapest(book, match, first, i, j):
    """No pair of positions that adds less, or as much and earlier, was feasible."""
    plan = match.offer.room
    mine = (plan.length(plan.inserted(match.request, i, j)) - plan.length(), i, j)
    for better in plan.positions(match.request, first):
        if better >= mine:
            return
        stops = plan.inserted(match.request, *better[1:])
        if plan.feasible(stops, plan.times(stops, first, book.now), book.now):
            book.report("not-cheapest-insertion", "%r adds %d m at %d, %d; %d, %d adds %d m", match, *mine,
                        better[1],
                        better[2], better[0])
            return


def settle_doubts(book, plan, view, stops, first):
    """Where a leg lies within a micrometre of half a metre the engine may have rounded it the other way:
    finds out which way its times and kilometres are explained by."""
    roads = book.roads
    if not roads.doubtful:
        return
    here = plan.offer.start
    keys = set()
    for stop in stops + ([Stop(stops[-1].load, True)] if plan.offer.to else []):
        keys.add((min(here, stop.place), max(here, stop.place)))
        here = stop.place
    keys = [key for key in keys if key in roads.doubtful][:4]
    told = [(stop[3], stop[4]) for stop in told_stops(view)]
    added = fixed(view["added_km"], 3)
    for picked in itertools.product((False, True), repeat=len(keys)):
        swapped = [key for key, swap in zip(keys, picked) if swap]
        for key in swapped:
            roads.swap(key)
        times = [(eta, leave) for _, eta, leave in plan.times(stops, first, book.now)]
        if times[-len(told):] == told[-len(times):] and added == max(0, plan.detour(stops) - plan.detour()):
            return
        for key in swapped:
            roads.swap(key)


def check_rescheduled(book, match, view, mine):
    """A shipper is told that its times moved; the carrier knows from the event of what moved them."""
    if mine.offer:
        book.report("reschedule-needless", "%r: the carrier was told with the cause", match)
        return
    check_own_stops(book, match, view)
    times = match.offer.room.load_times(match.request)
    if match.told_times == times:
        book.report("reschedule-needless", "%r has not moved", match)
    match.told_times = times


def check_told(book, match):
    """All of a second has been told: the shipper knows its times."""
    if match.state in ("proposed", "confirmed") and \
            match.told_times != match.offer.room.load_times(match.request):
        book.report("reschedule-missing", "%r: its shipper was told %s, the plan says %s", match,
                    match.told_times,
                    match.offer.room.load_times(match.request))
        match.told_times = match.offer.room.load_times(match.request)

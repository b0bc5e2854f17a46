"""Checks of the life of matches: who, what, at which figures, and how they end."""

import trucks
from book import COMPLETE_AFTER_S, HOLD, Match
from figures import DIMS, MONEY, Malformed, day_number, fixed
from fits import objections, storage_figures, storage_limits, truck_figures
from storage import largest_part

STATES = {"match.proposed": "proposed", "match.confirmed": "confirmed", "match.declined": "declined",
          "match.lapsed": "lapsed", "match.completed": "completed", "match.cancelled": "cancelled",
          "match.no_show": "no_show"}
BEFORE = {"proposed": (None,), "confirmed": (None, "proposed"), "declined": ("proposed",),
          "lapsed": ("proposed",),
          "completed": ("confirmed",), "cancelled": ("confirmed",), "no_show": ("confirmed",)}
SAME = ("id", "kind", "state", "offer", "request", "currency", "quote", "price", "surplus", "access", "km",
        "added_km",
        "hold_until", "by", "reason", "from_day", "until_day", *DIMS)
FIGURES = ("kind", "offer", "request", "currency", "quote", "price", "surplus", "access", "km", "added_km",
           "from_day",
           "until_day", *DIMS)
KEPT = (*FIGURES, "hold_until")


class Matches:
    def __init__(self, book, greedy, borders=False):
        self.book = book
        self.borders = borders
        self.greedy = greedy
        self.halves = {}  # (match id, type): the event that one side was told, until the other is

    # --- telling both sides ---

    def event(self, event):
        view = event["match"]
        if event["type"] == "match.rescheduled":
            self._rescheduled(event, view)
            return
        key = (view["id"], event["type"])
        half = self.halves.pop(key, None)
        if half is None:
            self.halves[key] = event
            return
        accounts = {half["account"]: half["match"], event["account"]: view}
        wanted = (view["offer"]["account"], view["request"]["account"])
        if set(accounts) != set(wanted):
            self.book.report("not-a-party", "%s of %s is told to %s, its sides are %s", *reversed(key),
                             sorted(accounts), wanted)
        for name in SAME:
            if half["match"].get(name) != view.get(name):
                self.book.report("sides-differ", "%s of %s: %s is %s to one side, %s to the other",
                                 *reversed(key), name,
                                 half["match"].get(name), view.get(name))
        self._both(event["type"], accounts.get(wanted[0]), accounts.get(wanted[1]))

    def flush(self):
        """All of a second has been told: what only one side knows is a fault."""
        halves, self.halves = self.halves, {}
        for (match_id, kind), event in halves.items():
            self.book.report("one-sided", "%s of %s is told to %s only", kind, match_id, event["account"])
            carrier = event["account"] == event["match"]["offer"]["account"]
            self._both(kind, event["match"] if carrier else None, None if carrier else event["match"])

    def _both(self, kind, to_offer, to_request):
        """Both views of one happening; one of them is None if it was not told."""
        view = to_offer or to_request
        if view is None:
            return
        state = STATES[kind]
        if view["state"] != state:
            self.book.report("match-state", "%s has state %s", kind, view["state"])
        match = self.book.matches.get(view["id"])
        before = match.state if match else None
        if before not in BEFORE[state]:
            name = "match-state" if before in (None, "proposed", "confirmed") else "after-end"
            self.book.report(name, "%s of %s, which was %s", kind, view["id"], before)
            if match is None or before not in ("proposed", "confirmed") or state == "proposed":
                return
        if match is None:
            self._begin(view, state, to_offer, to_request)
            return
        self._check_same(match, view)
        self._move(match, state, view)
        if match.request.truck:
            self._check_stops(match, to_offer, to_request)

    def _check_same(self, match, view):
        for name in FIGURES:
            if view.get(name) != match.view.get(name):
                self.book.report("figures-changed", "%r: %s was %s, is %s", match, name, match.view.get(name),
                                 view.get(name))

    def _check_stops(self, match, to_offer, to_request):
        if to_offer:
            trucks.check_plan(self.book, match, to_offer)
        if to_request:
            trucks.check_own_stops(self.book, match, to_request)

    def _rescheduled(self, event, view):
        match = self.book.matches.get(view["id"])
        if match is None or match.state not in ("proposed", "confirmed") or not match.request.truck:
            self.book.report("match-state", "match.rescheduled of %s", view["id"])
            return
        sides = [side for side in (match.offer, match.request) if side.account == event["account"]]
        if not sides:
            self.book.report("not-a-party", "%r is told to %s", match, event["account"])
            return
        self._check_same(match, view)
        trucks.check_rescheduled(self.book, match, view, sides[0])

    # --- the beginning ---

    def _begin(self, view, state, to_offer, to_request):
        offer, request = self._parties(view)
        if offer is None:
            return
        match = Match(view, offer, request, None)
        self._check_who(match)
        self.greedy.matched(match)
        if request.truck:
            match.fit = self._truck(match, to_offer, to_request)
        else:
            match.fit = self._storage(match, view)
        if match.fit is None:
            return
        self._check_figures(match, view)
        if match.fit.part > request.open:
            self.book.report("overserved", "%r takes %d of %r, of which %d is open", match, match.fit.part,
                             request,
                             request.open)
        self.greedy.taken(match)
        request.open = max(0, request.open - match.fit.part)
        self._admit(match, state, view)

    def _parties(self, view):
        found = []
        for name in ("offer", "request"):
            told = view[name]
            order = self.book.orders.get(told["id"])
            if order is None or (order.ref, order.account) != (told["ref"], told["account"]) or \
                    order.offer != (name == "offer"):
                self.book.report("match-parties", "%s has as its %s %s", view["id"], name, told)
                return None, None
            if told["credit"] != order.credit:
                self.book.report("match-parties", "%s has %r at credit %s", view["id"], order, told["credit"])
            found.append(order)
        return found

    def _check_who(self, match):
        offer, request, report = match.offer, match.request, self.book.report
        for name in objections(offer, request):
            report(name, "%r", match)
        for order in (offer, request):
            if order.valid_until <= self.book.now:
                report("lapsed-order", "%r: %r lapsed at %s", match, order, order.valid_until)
            if order.closed and not (order is request and order.closed == "fill_now"):
                report("closed-order", "%r: %r is closed (%s)", match, order, order.closed)
        if (offer.id, request.id) in self.book.barred:
            report("barred", "%r: the pair has been parted before", match)
        if match.view["kind"] != offer.kind or match.view["currency"] != offer.currency:
            report("match-parties", "%r is told as %s in %s", match, match.view["kind"],
                   match.view["currency"])
    def _truck(self, match, to_offer, to_request):
        offer, request, roads = match.offer, match.request, self.book.roads
        view = match.view
        if not roads.settle(request.start, request.to, fixed(view["km"], 3)):
            self.book.report("km", "%r: %s km, not %s m", match, view["km"], offer.room.direct(request))
        if request.open < request.amount:
            self.book.report("overserved", "%r: %r is served already", match, request)
        added = trucks.insert(self.book, match, to_offer) if to_offer else None
        if added is None:
            return None
        if fixed(view["added_km"], 3) != added:
            self.book.report("added-km", "%r: %s km, the plans differ by %s m", match, view["added_km"],
                             added)
        offer.live[match.id] = match
        match.told_times = offer.room.load_times(request)
        self._check_stops(match, to_offer, to_request)
        self.book.later.append(lambda: self._check_loads(offer))
        return truck_figures(offer, request, offer.room.direct(request), added)

    def _check_loads(self, offer):
        for match in offer.live.values():
            trucks.check_told(self.book, match)

    def _storage(self, match, view):
        offer, request, report = match.offer, match.request, self.book.report
        if not self.book.roads.settle(offer.at, request.at, fixed(view["km"], 3)):
            report("km", "%r: %s km, not %s m", match, view["km"],
                   self.book.roads.metres(offer.at, request.at))
        km_m = self.book.roads.metres(offer.at, request.at)
        for name in storage_limits(offer, request, offer.room, km_m):
            report(name, "%r", match)
        days = day_number(view["from_day"]), day_number(view["until_day"])
        if days != (request.from_day, request.until_day):
            report("days", "%r: %s to %s", match, view["from_day"], view["until_day"])
        part = fixed(view.get(request.main, 0), DIMS[request.main])
        self._check_part(match, part)
        fit = storage_figures(offer, request, part, km_m)
        offer.room.add(request, fit.amounts)
        over = offer.room.overrun(request)
        if over:
            report("calendar", "%r takes more %s than there is", match, over)
        return fit

    def _check_part(self, match, part):
        offer, request, report = match.offer, match.request, self.book.report
        if not request.min_part and part != request.open:
            report("part-unsplit", "%r takes %d of one lot", match, part)
        if request.min_part and part < request.min_part and part != request.open:
            report("part-small", "%r takes %d, of which %d is the least", match, part, request.min_part)
        if part < offer.min_part:
            report("part-offer-min", "%r takes %d, of which %d is the least", match, part, offer.min_part)
        largest = largest_part(offer.room, request, request.open)
        if request.min_part and part < largest and not self.borders:
            report("part-not-largest", "%r takes %d where %d is free", match, part, largest)

    def _check_figures(self, match, view):
        fit, report = match.fit, self.book.report
        for name, value in (("quote", fit.quote), ("surplus", fit.surplus), ("price", fit.price),
                            ("access", fit.access)):
            try:
                told = fixed(view.get(name, 0), MONEY)
            except Malformed:
                told = view.get(name)
            if told != value:
                report(name, "%r: %s %s, not %d hundredths", match, name, view.get(name), value)
        if fit.surplus < 0:
            report("surplus-negative", "%r: %d", match, fit.surplus)
        for dim, scale in DIMS.items():
            told = fixed(view[dim], scale) if dim in view else None
            if told != fit.amounts.get(dim):
                report("amounts", "%r: %s %s, not %s", match, dim, told, fit.amounts.get(dim))

    def _admit(self, match, state, view):
        book, request = self.book, match.request
        book.matches[match.id] = match
        match.state = state
        match.began = book.now
        match.view = {name: view[name] for name in KEPT if name in view}
        request.matches.append(match)
        match.offer.matches.append(match)
        match.holds = [side.hold_s for side in (match.offer, request) if side.manual]
        manual = bool(match.holds)
        if state == "proposed":
            match.hold_until = view.get("hold_until", 0)
            book.expect(match.hold_until, HOLD, match.age, match)
        elif manual:
            book.report("confirmed-unasked", "%r: a manual side has not accepted", match)
        if request.fill == "all_now":
            match.group = [other for other in request.matches if other.began == book.now
                           and other.state == state]
            for other in match.group:
                other.group = match.group
            book.later.append(lambda: self._check_whole(match))
        if state == "proposed":
            book.later.append(lambda: self._check_hold(match))
        else:
            self._confirmed(match)

    def _check_whole(self, match):
        request, live = match.request, ("proposed", "confirmed", "completed")
        parts = sum(other.fit.part for other in match.group)
        if match.state in live and match is match.group[0] and parts != request.amount and request.open:
            self.book.report("all-or-nothing", "%r: %d is left over", match, request.open)

    def _check_hold(self, match):
        holds = [hold_s for part in match.group for hold_s in part.holds]
        if not holds:
            self.book.report("proposed-needlessly", "%r has no manual side", match)
        elif match.view.get("hold_until") != match.began + min(holds):
            self.book.report("hold", "%r: held until %s, not %s", match, match.view.get("hold_until"),
                             match.began + min(holds))

    def _confirmed(self, match):
        self.book.expect_completion(match)

    # --- what follows ---

    def _move(self, match, state, view):
        book = self.book
        was, match.state = match.state, state
        if was == "proposed" and len(match.group) > 1:
            group = match.group
            book.later.append(lambda: self._check_group(group))
        if state == "confirmed":
            if view.get("hold_until"):
                book.report("hold", "%r is confirmed and still held until %s", match, view["hold_until"])
            self._confirmed(match)
        elif state == "completed":
            self._check_completed(match, view)
        else:
            self._ended(match, state, view)

    def _check_group(self, group):
        if len({match.state for match in group}) > 1:
            self.book.report("group-broken", "parts of one proposal: %s", [(m.id, m.state) for m in group])

    def _check_completed(self, match, view):
        book = self.book
        if view.get("by"):
            if book.begins(match) > book.now:
                book.report("begun", "%r is completed before it began", match)
        elif book.last_moment(match) + COMPLETE_AFTER_S > book.now:
            book.report("completed-early", "%r is completed by the clock", match)

    def _ended(self, match, state, view):
        book, offer, request = self.book, match.offer, match.request
        request.filled = False
        hold_until = min(part.hold_until for part in match.group)
        by = view.get("by")
        if (by not in ("offer", "request")) != (state == "lapsed"):
            book.report("ended-by", "%r is %s by %s", match, state, by)
        if state == "lapsed" and match.hold_until > book.now:
            book.report("lapse-early", "%r is held until %s", match, match.hold_until)
        if state == "no_show":
            if book.begins(match) > book.now:
                book.report("begun", "%r is a no-show before it began", match)
        elif view.get("reason") not in ("group", "order_cancelled") and \
                not (state == "lapsed" and len(match.group) > 1):
            # of a group that lapsed only what a side had not accepted, and that is not told
            book.barred.add((offer.id, request.id))
        if request.truck:
            offer.room.remove(request, book.now)
            offer.live.pop(match.id, None)
            book.later.append(lambda: self._check_loads(offer))
        else:
            offer.room.give_back(request, match.fit.amounts, book.now)
        if state in ("declined", "lapsed") or (state == "cancelled" and by == "offer"):
            if book.reopens(request, hold_until if state == "lapsed" else book.now, state == "lapsed"):
                request.open += match.fit.part
                self.greedy.reopened(request)

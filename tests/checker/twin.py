"""A naive reading of the rules: commands in, events out. It scans everything, keeps everything, and shares no
code with the engine. The vectors' expectations and the checker's own tests come from it."""

import amend
from figures import DAY_S, DIMS, MONEY, Roads, day_text, number
from fits import fit_storage, fit_truck, objections
from orders import Order
from plan import Plan
from storage import Calendar

COMPLETE_AFTER_S = 30 * DAY_S
LIVE = ("proposed", "confirmed")


class WrongState(Exception):
    """The match or order is in no state for the command."""


class Match:
    def __init__(self, number_, fit, hold_until):
        self.number = number_
        self.id = "m0-%d" % number_
        self.fit = fit
        self.offer, self.request = fit.offer, fit.request
        self.state = "proposed" if hold_until else "confirmed"
        self.hold_until = hold_until
        self.accepted = set()
        self.group = [self]
        self._manual = [side for side in (self.offer, self.request) if side.manual]

    def manual_sides(self):
        """Those that were so when it was made."""
        return self._manual


class Twin:
    def __init__(self, currency="CNY", road_factor_e4=12500):
        self.roads = Roads(road_factor_e4)
        self.currency = currency
        self.now = 0
        self.lapsed = 0  # orders that are valid until then have lapsed
        self.orders = []
        self.ages = 0
        self.by_ref = {}
        self.matches = []
        self.barred = set()
        self.grown = set()
        self.events = []
        self.told = {}

    def _next_age(self):
        self.ages += 1
        return self.ages

    # --- commands: each is one record at time `now` ---

    def submit(self, now, wrote):
        self._begin(now)
        order = Order(wrote, self.currency)
        order.id = "o0-%d" % (len(self.orders) + 1)
        order.open, order.state = order.amount, "open"
        if order.offer:
            order.room = Plan(order, self.roads) if order.truck else Calendar(order)
        if order.valid_until <= now:
            order.state = "rejected"
            self._tell_order("order.rejected", order)
            return order
        order.age = self._next_age()
        self.orders.append(order)
        self.by_ref[order.account, order.ref] = order
        self._tell_order("order.accepted", order)
        self._treat(order)
        if order.offer and order.fill == "now":
            self._close(order, "cancelled", "order.cancelled", "fill_now")
        return order

    def cancel(self, now, order):
        self._begin(now)
        proposed = any(order in (m.offer, m.request) and m.state == "proposed" for m in self.matches)
        if order.state not in ("open", "partly_filled") or not (order.offer or order.open or proposed):
            raise WrongState
        side = "offer" if order.offer else "request"
        order.cancelled_by_owner = True
        order.open, order.state = 0, "cancelled"
        for match in list(self.matches):
            if order in (match.offer, match.request) and match.state == "proposed":
                self._end(match, "declined", side, "order_cancelled")
        self._tell_order("order.cancelled", order, "owner")
        self._settle()

    def amend(self, now, order, changes):
        """Whether it kept its age; None if nothing changed."""
        self._begin(now)
        proposed = any(order is m.request and m.state == "proposed" for m in self.matches)
        if order.state not in ("open", "partly_filled") or order.fill != "rest" or \
                not (order.offer or order.open or proposed) or order.valid_until <= now:
            raise WrongState
        new = order.amended(changes)
        changed = amend.changed(order, new)
        if not changed:
            return None
        live = [m for m in self.matches if order in (m.offer, m.request) and m.state in LIVE]
        if not amend.sound(new) or new.valid_until <= now:
            raise WrongState
        if amend.at_fault(order, new, live, now):
            raise amend.Held(amend.at_fault(order, new, live, now))
        easier, harder = amend.ease(order, new)
        amend.apply(order, new)
        if harder:
            order.age = self._next_age()
        self._tell_order("order.amended", order, changes=(changes, changed, not harder))
        if not order.offer:
            self._check_filled(order)
        if easier and order.state != "filled":
            self.grown.add(order)
        self._settle()
        return not harder

    def accept(self, now, account, match):
        self._begin(now)
        self._need(match, "proposed")
        if match.request.account == account:
            for part in match.group:
                part.accepted.add(part.request)
        else:
            match.accepted.add(match.offer)
        if all(side in part.accepted for part in match.group for side in part.manual_sides()):
            for part in match.group:
                part.state, part.hold_until = "confirmed", 0
                self._tell_match("match.confirmed", part)
            self._check_filled(match.request)
        self._settle()

    def decline(self, now, account, match):
        self._begin(now)
        self._need(match, "proposed")
        self._end(match, "declined", self._side(match, account))
        self._settle()

    def cancel_match(self, now, account, match):
        self._begin(now)
        self._need(match, "confirmed")
        self._end(match, "cancelled", self._side(match, account))
        self._settle()

    def no_show(self, now, account, match):
        self._begin(now)
        self._need(match, "confirmed")
        if not self.begun(match, now):
            raise WrongState
        self._end(match, "no_show", self._side(match, account))
        self._settle()

    def complete(self, now, account, match):
        self._begin(now)
        self._need(match, "confirmed")
        if not self.begun(match, now):
            raise WrongState
        self._finish(match, self._side(match, account))

    def clock(self, now):
        self._begin(now)

    # --- deadlines ---

    def _begin(self, now):
        self.now = now
        while True:
            due = min(self._deadlines(), key=lambda item: item[:3], default=None)
            if due is None or due[0] > now:
                break
            self.lapsed = due[0] - 1  # a hold lapses before an order of the same second
            due[3]()
        self.lapsed = now
        self._settle()

    def _deadlines(self):
        for match in self.matches:
            if match.state == "proposed":
                yield match.hold_until, 0, match.number, lambda match=match: self._end(match, "lapsed", None)
            elif match.state == "confirmed":
                yield self.last_moment(match) + COMPLETE_AFTER_S, 2, match.number, \
                    lambda match=match: self._finish(match, None)
        for order in self.orders:
            if order.state in ("open", "partly_filled") and (order.offer or order.open):
                yield order.valid_until, 1, order.age, \
                    lambda order=order: self._close(order, "expired", "order.expired", None)

    def last_moment(self, match):
        if match.request.truck:
            return match.offer.room.stop_of(match.request, True).leave
        return match.request.until_day * DAY_S

    def begun(self, match, now):
        if match.request.truck:
            return match.offer.room.stop_of(match.request, False).depart <= now
        return match.request.from_day * DAY_S <= now

    def _close(self, order, state, event, reason):
        order.open, order.state = 0, state
        self._tell_order(event, order, reason)

    # --- matching ---

    def _settle(self):
        """Treats what has grown, oldest first."""
        grown, self.grown = sorted(self.grown, key=lambda order: order.age), set()
        for order in grown:
            if order.state in ("open", "partly_filled"):
                self._treat(order)

    def _treat(self, order):
        if order.offer:
            self._offer_in(order)
        else:
            self._request_in(order)

    def fit(self, offer, request, remaining):
        if (offer, request) in self.barred or objections(offer, request):
            return None
        if offer.truck:
            return fit_truck(offer, request, offer.room, self.now)
        return fit_storage(offer, request, offer.room, remaining, self.roads)

    def best_offer(self, request, remaining):
        """The fit of the greatest surplus, on a tie with the older offer."""
        best = None
        for offer in self.orders:
            if offer.offer and offer.state == "open":
                fit = self.fit(offer, request, remaining)
                if fit and (best is None or (-fit.surplus, offer.age) < (-best.surplus, best.offer.age)):
                    best = fit
        return best

    def best_request(self, offer):
        best = None
        for request in self.orders:
            if not request.offer and request.open and request.fill == "rest":
                fit = self.fit(offer, request, request.open)
                if fit and (best is None or (-fit.surplus, request.age) < (-best.surplus, best.request.age)):
                    best = fit
        return best

    def _offer_in(self, offer):
        while True:
            fit = self.best_request(offer)
            if fit is None:
                return
            self._take(fit)
            self._announce([fit])

    def _request_in(self, request):
        fits, remaining = [], request.open
        while remaining:
            fit = self.best_offer(request, remaining)
            if fit is None:
                break
            self._take(fit)
            fits.append(fit)
            remaining -= fit.part
            if request.fill != "all_now":
                self._announce([fit])
        if request.fill == "all_now":
            if remaining:
                self._untake(fits)
            else:
                self._announce(fits)
        if request.fill != "rest" and request.open:
            self._close(request, "cancelled", "order.cancelled", "fill_now")

    def _take(self, fit):
        fit.request.open -= fit.part
        if fit.offer.truck:
            fit.offer.room.adopt(fit.stops, self.now, fit.request)
        else:
            fit.offer.room.add(fit.request, fit.amounts)

    def _untake(self, fits):
        for fit in fits:
            fit.request.open += fit.part
            if fit.offer.truck:
                fit.offer.room.remove(fit.request, self.now)
            else:
                fit.offer.room.give_back(fit.request, fit.amounts)

    def _announce(self, fits):
        manual = [side for fit in fits for side in (fit.offer, fit.request) if side.manual]
        hold_until = self.now + min(side.hold_s for side in manual) if manual else 0
        made = [Match(len(self.matches) + 1 + k, fit, hold_until) for k, fit in enumerate(fits)]
        for match in made:
            match.group = made
            self.matches.append(match)
            self._tell_match("match.proposed" if hold_until else "match.confirmed", match)
            if match.offer.truck:
                self._tell_moved(match.offer.room)
        if made:
            request = made[0].request
            request.state = "partly_filled" if request.open or hold_until else request.state
            self._check_filled(request)

    def _check_filled(self, request):
        bound = [match.fit.part for match in self.matches
                 if match.request is request and match.state in ("confirmed", "completed")]
        if sum(bound) < request.amount or request.state in ("cancelled", "expired"):
            return
        request.state = "filled"
        self._tell_order("order.filled", request)

    # --- the end of matches ---

    @staticmethod
    def _need(match, state):
        if match.state != state:
            raise WrongState

    @staticmethod
    def _side(match, account):
        return "offer" if match.offer.account == account else "request"

    def _end(self, match, state, by, reason=None):
        """Ends a match, and with a proposal all its parts. The pair is parted for good, of a group only what
        somebody did not want: what was declined, or not accepted until it lapsed."""
        parts = match.group if match.state == "proposed" else [match]
        for part in parts:
            unwanted = part is match if state == "declined" else \
                state == "cancelled" or any(side not in part.accepted for side in part.manual_sides())
            if state != "no_show" and reason != "order_cancelled" and unwanted:
                self.barred.add((part.offer, part.request))
            self._end_one(part, state, by, reason if part is match else reason or ("group" if by else None))

    def _end_one(self, match, state, by, reason):
        offer, request = match.offer, match.request
        reopens = state in ("declined", "lapsed") or (state == "cancelled" and by == "offer")
        match.state, match.hold_until = state, 0
        if offer.truck:
            given_back = offer.room.remove(request, self.now)
        else:
            offer.room.give_back(request, match.fit.amounts, self.now)
            given_back = (request.until_day - 1) * DAY_S > self.now
        self._tell_match("match." + state, match, by, reason)
        if offer.truck:
            self._tell_moved(offer.room)
        if given_back:
            self.grown.add(offer)
        if reopens and not self._alive(request) and request.state not in ("cancelled", "expired"):
            self._close(request, "expired", "order.expired", None)
        elif reopens and self._alive(request):
            request.open += match.fit.part
            live = any(other.request is request and other.state in LIVE for other in self.matches)
            request.state = "partly_filled" if live else "open"
            self.grown.add(request)

    def _alive(self, request):
        return not getattr(request, "cancelled_by_owner", False) and request.valid_until > self.lapsed

    def _finish(self, match, by):
        match.state = "completed"
        self._tell_match("match.completed", match, by)

    # --- events ---

    def _tell_moved(self, plan):
        """Tells every shipper whose times are not those that it was told."""
        for match in self.matches:
            if match.offer is plan.offer and match.state in LIVE and \
                    self.told[match.id] != plan.load_times(match.request):
                self._tell_match("match.rescheduled", match, sides=(match.request,))

    def _tell(self, account, kind, more):
        offset = len(self.events)
        event = {"id": "e0-1-%d" % offset, "cursor": "0.1.%d" % (offset + 1), "account": account,
                 "type": kind,
                 "time": self.now}
        event.update(more)
        self.events.append(event)

    def _tell_order(self, kind, order, reason=None, changes=None):
        scale = DIMS[order.main]
        view = {"ref": order.ref, "id": order.id, "account": order.account,
                "side": "offer" if order.offer else "request",
                "kind": order.kind, "state": order.state, "amount": number(order.amount, scale)}
        if not order.offer:
            view["open"] = number(order.open, scale)
        view["valid_until"] = order.valid_until
        if reason:
            view["reason"] = reason
        if order.state == "rejected":
            view["error"] = {"code": "lapsed", "message": ""}
        if changes:
            wanted, changed, view["kept_priority"] = changes
            view["changes"] = {name: wanted[name] for name in wanted if name in changed}
        self._tell(order.account, kind, {"order": view})

    def _tell_match(self, kind, match, by=None, reason=None, sides=None):
        if match.offer.truck:
            self.told[match.id] = match.offer.room.load_times(match.request)
        for mine in sides or (match.offer, match.request):
            other = match.request if mine.offer else match.offer
            self._tell(mine.account, kind, {"match": self._match_view(match, mine, other, by, reason)})

    def _match_view(self, match, mine, other, by, reason):
        fit = match.fit
        view = {"id": match.id, "kind": match.request.kind, "state": match.state}
        for name, order in (("offer", match.offer), ("request", match.request)):
            view[name] = {"ref": order.ref, "id": order.id, "account": order.account, "credit": order.credit}
        view.update((dim, number(amount, DIMS[dim])) for dim, amount in fit.amounts.items())
        view["currency"] = match.request.currency
        for name in ("quote", "price", "surplus"):
            view[name] = number(getattr(fit, name), MONEY)
        if fit.access:
            view["access"] = number(fit.access, MONEY)
        view["km"] = number(fit.km_m, 3)
        if fit.added_m is not None:
            view["added_km"] = number(fit.added_m, 3)
        more = {"hold_until": match.hold_until, "by": by, "reason": reason, "note": other.note}
        view.update((name, value) for name, value in more.items() if value)
        if not match.request.truck:
            view.update(from_day=day_text(match.request.from_day),
                        until_day=day_text(match.request.until_day))
            return view
        view["stops"] = [{"order": stop.load.id, "action": stop.name[0], "lat": number(stop.place[0], 7),
                          "lon": number(stop.place[1], 7), "eta": stop.eta, "leave": stop.leave}
                         for stop in match.offer.room.shown()
                         if mine.offer or (stop.load is match.request and not stop.gone)]
        return view

    # --- what came of it ---

    def plan(self, offer):
        """[(action, request's ref)] of everything that is or was on a truck's plan and was not taken off."""
        return [(stop.name[0], stop.load.ref) for stop in offer.room.stops if not stop.gone]

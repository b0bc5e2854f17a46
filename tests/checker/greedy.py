"""Checks that a choice was the best there was (rule 9): that nobody else fitted an incoming order better, and
that what fits does not stay apart. Storage orders are found by where they are; trucks are scanned, and so
only on demand."""

import collections
import math

from figures import MONEY, fixed
from fits import fit_storage, fit_truck, objections

CELL_E7 = 5_000_000
M_PER_CELL = 111_000 / 2
CELLS_AROUND = 720


class Grid:
    """Orders by half a degree, in classes of about the same radius."""

    def __init__(self):
        self.classes = collections.defaultdict(lambda: collections.defaultdict(dict))

    @staticmethod
    def _cell(place):
        return place[0] // CELL_E7, place[1] // CELL_E7 % CELLS_AROUND

    def put(self, order, radius_m):
        self.classes[max(10_000, radius_m).bit_length()][self._cell(order.at)][order.id] = order

    def drop(self, order, radius_m):
        self.classes[max(10_000, radius_m).bit_length()][self._cell(order.at)].pop(order.id, None)

    def near(self, place, radius_m):
        """Everything that may lie within radius_m, or within its own class's radius if that is None."""
        for bits, cells in self.classes.items():
            reach = 2 ** bits if radius_m is None else radius_m
            high = int(reach / M_PER_CELL) + 1
            shrunk = math.cos(math.radians(min(89.0, abs(place[0]) / 1e7 + high / 2)))
            wide = int(reach / M_PER_CELL / max(shrunk, 0.01)) + 1
            if 4 * high * wide > len(cells):
                found = cells.values()
            else:
                lat, lon = self._cell(place)
                found = [cells[a, b % CELLS_AROUND] for a in range(lat - high, lat + high + 1)
                         for b in range(lon - wide, lon + wide + 1) if (a, b % CELLS_AROUND) in cells]
            for cell in found:
                yield from cell.values()


class Greedy:
    """`storage` and `trucks`: check every n-th incoming order of that kind; 0: none."""

    def __init__(self, book, storage=1, trucks=0):
        self.book = book
        self.every = {"cold": storage, "warehouse": storage, "truck": trucks}
        self.offers = collections.defaultdict(Grid)
        self.requests = collections.defaultdict(Grid)
        self.truck_offers = {}
        self.truck_requests = {}
        self.incoming = None
        self.ended_with = None
        self.counts = collections.Counter()
        self.looked = 0

    # --- who rests ---

    def accepted(self, order):
        """Its order.accepted was told: what follows is its matching."""
        self.counts[order.kind] += 1
        every = self.every[order.kind]
        self.incoming = order
        order.checked = bool(every) and self.counts[order.kind] % every == 0
        if order.fill == "rest" or order.offer:
            self._put(order)

    def amended(self, order, easier):
        """Its order.amended was told; one that became easier to match comes in once more."""
        if easier:
            self.incoming = order
        if order.offer or order.open:
            self._put(order)

    def _put(self, order):
        if order.truck:
            (self.truck_offers if order.offer else self.truck_requests)[order.id] = order
        elif order.offer:
            self.offers[order.kind].put(order, 0)
        else:
            self.requests[order.kind].put(order, order.radius_m)

    def closed(self, order):
        if order.truck:
            (self.truck_offers if order.offer else self.truck_requests).pop(order.id, None)
        elif order.offer:
            self.offers[order.kind].drop(order, 0)
        else:
            self.requests[order.kind].drop(order, order.radius_m)

    def reopened(self, request):
        if request is self.incoming:  # it comes in once more, when older ones that were freed have
            self.incoming = None
        if request.fill == "rest" and request.open:
            self._put(request)

    def taken(self, match):
        """To be called before what is open of the request is lessened."""
        if match.request.open <= match.fit.part:
            self.closed(match.request)

    # --- comparing ---

    def fit(self, offer, request, least=0):
        """The fit of two resting orders now, if there is one with at least that surplus."""
        now = self.book.now
        if offer.closed or (request.closed and request.closed != "fill_now") or \
                min(offer.valid_until, request.valid_until) <= now or \
                (offer.id, request.id) in self.book.barred or objections(offer, request):
            return None
        self.looked += 1
        if offer.truck:
            return fit_truck(offer, request, offer.room, now, least)
        return fit_storage(offer, request, offer.room, request.open, self.book.roads)

    def rivals(self, order):
        """Those of the other side that may fit."""
        if order.truck:
            return list((self.truck_requests if order.offer else self.truck_offers).values())
        if order.offer:
            return self.requests[order.kind].near(order.at, None)
        return self.offers[order.kind].near(order.at, order.radius_m)

    def _better(self, order, chosen, surplus):
        """A rival of `chosen` that order ought to have taken instead, as a fit."""
        for rival in self.rivals(order):
            if rival is chosen:
                continue
            offer, request = (order, rival) if order.offer else (rival, order)
            if not request.open:
                continue
            fit = self.fit(offer, request, surplus)
            if fit and (fit.surplus > surplus or (fit.surplus == surplus and rival.age < chosen.age)):
                return fit
        return None

    def matched(self, match):
        """A match is told and not yet taken over: was it the best for the one that came in?"""
        offer, request = match.offer, match.request
        came = self.incoming
        if came is not offer and came is not request:
            if self.every[request.kind] == 1:
                self._check_freed(match)
            return
        if not came.checked:
            return
        chosen = request if came is offer else offer
        better = self._better(came, chosen, fixed(match.view["surplus"], MONEY))
        if better:
            self.book.report("better-request" if came is offer else "better-offer",
                             "%r, but %r would have given it a surplus of %d", match,
                             better.request if came is offer else better.offer, better.surplus)

    def _check_freed(self, match):
        """Either side may have been treated as incoming: one of the two must have chosen well."""
        surplus = fixed(match.view["surplus"], MONEY)
        for_request = self._better(match.request, match.offer, surplus)
        if for_request and self._better(match.offer, match.request, surplus):
            self.book.report("better-offer", "%r, but %r would have given a surplus of %d", match,
                             for_request.offer,
                             for_request.surplus)

    def finish(self, event_about):
        """Called with the ids of the orders that the next event is about: when it is none of the incoming
        one's, its matching is over, and nothing that fits it may rest."""
        came = self.incoming
        if came is None or came.id in event_about:
            return
        self.incoming = None
        if not came.checked or came.closed or (not came.offer and (came.fill != "rest" or not came.open)):
            return
        for rival in self.rivals(came):
            offer, request = (came, rival) if came.offer else (rival, came)
            if not request.open:
                continue
            fit = self.fit(offer, request)
            if fit:
                self.book.report("unmatched-fit", "%r and %r stay apart at a surplus of %d", offer, request,
                                 fit.surplus)
                return

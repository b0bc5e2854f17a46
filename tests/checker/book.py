"""What the checker knows so far: the report, orders submitted and accepted, matches, deadlines that must be
met."""
import collections
import heapq

from figures import DAY_S, Roads
from plan import Plan
from storage import Calendar

COMPLETE_AFTER_S = 30 * DAY_S
HOLD, ORDER = range(2)


class Report:
    """Violations, each with a name; the first of each name are kept in words."""

    KEPT = 20

    def __init__(self):
        self.counts = collections.Counter()
        self.lines = []
        self.where = ""

    def __call__(self, name, text, *values):
        self.counts[name] += 1
        if self.counts[name] <= self.KEPT:
            self.lines.append("%s: %s: %s" % (name, self.where, text % values if values else text))


class Match:
    """A match as first told; what followed is in `state` and, for a truck, in the offer's plan."""

    def __init__(self, view, offer, request, fit):
        self.id = view["id"]
        self.age = int(self.id.rsplit("-", 1)[-1])
        self.view = view
        self.offer, self.request, self.fit = offer, request, fit
        self.state = None
        self.hold_until = 0
        self.told_times = None
        self.group = [self]

    def __repr__(self):
        return "match %s of %r and %r" % (self.id, self.offer, self.request)


class Book:
    def __init__(self, submitted, road_factor_e4=12500):
        self.report = Report()
        self.roads = Roads(road_factor_e4)
        self.submitted = collections.defaultdict(list)
        for order in submitted:
            self.submit(order)
        self.orders = {}
        self.matches = {}
        self.ages = 0
        self.barred = set()
        self.now = None
        self.deadlines = []
        self.completions = []
        self.later = []  # checks to be made when all of this second has been told

    def next_age(self):
        self.ages += 1
        return self.ages

    def submit(self, order):
        self.submitted[order.account, order.ref].append(order)

    def accept(self, order, order_id):
        order.id, order.age = order_id, self.next_age()
        order.open, order.closed = order.amount, None
        order.matches = []
        order.filled = False
        if order.offer:
            order.room = Plan(order, self.roads) if order.truck else Calendar(order)
            order.live = {}
        self.orders[order_id] = order
        self.expect(order.valid_until, ORDER, order.age, order)

    # --- deadlines ---

    def expect(self, time, kind, age, what):
        heapq.heappush(self.deadlines, (time, kind, age, what.id, what))

    def expect_completion(self, match):
        heapq.heappush(self.completions, (self.last_moment(match) + COMPLETE_AFTER_S, match.age, match.id, match))

    def overdue(self, time, kind, limit_age):
        """Holds and orders with a deadline before that one that nobody has told of; each is given once."""
        while self.deadlines and self.deadlines[0][:3] < (time, kind, limit_age):
            due, was, age, _, what = heapq.heappop(self.deadlines)
            if self._must(due, was, age, what):
                yield was, what

    def incomplete(self):
        """Matches that the clock should have completed by now."""
        while self.now is not None and self.completions and self.completions[0][0] <= self.now:
            due, _, _, match = heapq.heappop(self.completions)
            if match.state != "confirmed":
                continue
            if self.last_moment(match) + COMPLETE_AFTER_S > due:
                self.expect_completion(match)
            else:
                yield match

    @staticmethod
    def _must(due, kind, age, what):
        if kind == ORDER:  # an amendment leaves old deadlines behind
            return (what.valid_until, what.age) == (due, age) and what.closed is None and (what.offer or what.open > 0)
        return what.state == "proposed" and what.hold_until <= due

    @staticmethod
    def last_moment(match):
        if not match.request.truck:
            return match.request.until_day * DAY_S
        stop = match.offer.room.stop_of(match.request, True)
        return stop.leave if stop else 0

    @staticmethod
    def begins(match):
        if not match.request.truck:
            return match.request.from_day * DAY_S
        stop = match.offer.room.stop_of(match.request, False)
        return stop.depart if stop else 0

    def reopens(self, request, ended_at, lapsed):
        """Whether what comes back of a request is open again. A proposal lapses at its own deadline, and at
        the same second before its order."""
        return request.closed in (None, "fill_now") and request.valid_until >= ended_at + (not lapsed)

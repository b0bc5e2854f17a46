"""The most surplus that a book of trucks can give, by exhaustive search.

Of each truck every order of stops that keeps the rules of a plan at one `now` is gone through, so every set of loads
that it can carry is known with the fewest kilometres of detour that it can carry them at. Two beginnings that have
picked up and delivered the same loads and stand at the same place go on alike: the one that is neither shorter nor
earlier is dropped (the label-setting algorithm for pickup and delivery; Dumas, Desrosiers and Soumis, 1991). The sets
are then given to the trucks in every way that gives a load to one truck only.

The detour of a plan is charged once, however its loads share it; each load pays its own base and loaded kilometres.
Surplus is counted before rounding, in 1e-8 hundredths."""

from figures import drive_s
from fits import objections, truck_figures
from plan import Plan, Stop

UNIT = 10 ** 8
SLACK_M = 50  # of the triangle inequality, where each of up to 22 legs is rounded to the metre


def alone(offer, request, km_m):
    """What the request is worth if it costs no detour, in UNIT."""
    return (request.max_price - offer.base) * UNIT - offer.per_t_km * request.amounts["kg"] * km_m


def detour_cost(offer, metres):
    return offer.per_detour_km * max(0, metres) * 1000


class Search:
    """All that one truck could carry of these requests."""

    def __init__(self, offer, requests, roads):
        self.offer, self.roads = offer, roads
        self.requests = [request for request in requests if not objections(offer, request) and
                         truck_figures(offer, request, self.direct(request), 0).surplus >= 0]
        count = len(self.requests)
        # place 0 is `from`, then the pickups, then the deliveries, at last `to`
        self.places = [offer.start] + [r.start for r in self.requests] + [r.to for r in self.requests]
        self.end = 2 * count + 1 if offer.to else None
        if offer.to:
            self.places.append(offer.to)
        self.metres = [[roads.metres(a, b) for b in self.places] for a in self.places]
        self.drive = [[drive_s(m, offer.speed) for m in row] for row in self.metres]
        self.best = {}  # set of loads -> (detour, label)

    def direct(self, request):
        return self.roads.metres(request.start, request.to)

    def carries(self, aboard, loads):
        """Whether so many loads fit into the truck at once, and all of them one set-point."""
        for dim, room in self.offer.amounts.items():
            if sum(r.amounts.get(dim, 0) for i, r in enumerate(self.requests) if aboard >> i & 1) > room:
                return False
        wanted = [r.temp for i, r in enumerate(self.requests) if loads >> i & 1 and r.temp]
        if wanted and not self.offer.temp:
            return False
        wanted.append(self.offer.temp or (-10 ** 6, 10 ** 6))
        return max(low for low, _ in wanted) <= min(high for _, high in wanted)

    def run(self):
        """A label is (metres, free from, the label before, place); a state is (picked up, delivered, place). All
        states of so many stops are known before any of one stop more."""
        states = {(0, 0, 0): [(0, self.offer.available_from, None, 0)]}
        while states:
            following = {}
            for (picked, delivered, here), labels in states.items():
                if picked == delivered and picked:
                    self.finish(picked, here, labels)
                for i in range(len(self.requests)):
                    self.step(picked, delivered, here, i, labels, following)
            states = {state: undominated(labels) for state, labels in following.items()}
        return self.best

    def step(self, picked, delivered, here, i, labels, following):
        request, count = self.requests[i], len(self.requests)
        if delivered >> i & 1:
            return
        if picked >> i & 1:
            state = (picked, delivered | 1 << i, 1 + count + i)
        else:
            state = (picked | 1 << i, delivered, 1 + i)
            if not self.carries(state[0] & ~delivered, state[0]):
                return
        place, drive, metres = state[2], self.drive[here][state[2]], self.metres[here][state[2]]
        found = []
        for label in labels:
            if picked >> i & 1:
                eta = label[1] + drive
                late, free = eta > request.deliver_until, eta + request.unload_s
            else:
                eta = max(label[1] + drive, request.pickup_from)
                late, free = eta > request.pickup_until, eta + request.load_s
            if not late and not self.hopeless(label[0] + metres, free, place):
                found.append((label[0] + metres, free, label, place))
        if found:
            following.setdefault(state, []).extend(found)

    def hopeless(self, metres, free, place):
        """Whether no way on from here could end in time, or with as little detour as is allowed."""
        if self.end is None:
            return free > self.offer.available_until
        if free + self.drive[place][self.end] > self.offer.available_until + SLACK_M:
            return True
        return metres + self.metres[place][self.end] - self.metres[0][self.end] > \
            self.offer.max_detour_m + SLACK_M

    def finish(self, loads, here, labels):
        for label in labels:
            metres, free = label[:2]
            if self.end is None:
                detour = metres - sum(self.direct(r) for i, r in enumerate(self.requests) if loads >> i & 1)
            else:
                detour = metres + self.metres[here][self.end] - self.metres[0][self.end]
                free += self.drive[here][self.end]
            if detour <= self.offer.max_detour_m and free <= self.offer.available_until and \
                    (loads not in self.best or detour < self.best[loads][0]):
                self.best[loads] = (detour, label)

    def value(self, loads, detour):
        return sum(alone(self.offer, r, self.direct(r)) for i, r in enumerate(self.requests)
                   if loads >> i & 1) - detour_cost(self.offer, detour)

    def stops(self, label):
        """The plan that a label ends: [(request, whether it is its delivery)]."""
        found, count = [], len(self.requests)
        while label[2]:
            place = label[3] - 1
            found.append((self.requests[place % count], place >= count))
            label = label[2]
        return found[::-1]


def undominated(labels):
    """Those of which no other is both as short and as early."""
    labels.sort(key=lambda label: label[:2])
    kept = []
    for label in labels:
        if not kept or label[1] < kept[-1][1]:
            kept.append(label)
    return kept


def optimum(offers, requests, roads):
    """[(offer, stops)] of an optimum: trucks that carry something."""
    bit = {request: 1 << i for i, request in enumerate(requests)}
    best = {0: (0, ())}  # requests given away -> (value, the plans)
    for offer in offers:
        search = Search(offer, requests, roads)
        choices = []
        for loads, (detour, label) in search.run().items():
            value = search.value(loads, detour)
            if value > 0:
                given = sum(bit[r] for i, r in enumerate(search.requests) if loads >> i & 1)
                choices.append((given, value, search, label))
        for taken, (value, plans) in list(best.items()):
            for given, more, *plan in choices:
                both = taken | given
                if not taken & given and (both not in best or best[both][0] < value + more):
                    best[both] = (value + more, plans + (plan,))
    _, plans = max(best.values(), key=lambda found: found[0])
    return [(search.offer, search.stops(label)) for search, label in plans]


# --- what an assignment is worth, and whether it may be ---


def plan_worth(offer, stops, roads):
    """The surplus of a plan in UNIT, by the checker's plan."""
    plan = Plan(offer, roads)
    listed = [Stop(request, delivery) for request, delivery in stops]
    return sum(alone(offer, request, plan.direct(request)) for request, delivery in stops if delivery) - \
        detour_cost(offer, plan.detour(listed))


def worth(plans, roads):
    """The surplus of an assignment, before rounding, in UNIT."""
    return sum(plan_worth(offer, stops, roads) for offer, stops in plans)


def broken(plans, roads, now):
    """What an assignment breaks, by the checker's rules alone: nothing of the search is used."""
    found, served = [], []
    for offer, stops in plans:
        plan = Plan(offer, roads)
        listed = [Stop(request, delivery) for request, delivery in stops]
        found += plan.broken(listed, plan.times(listed, 0, now), now)
        mine = [request for request, delivery in stops if not delivery]
        served += mine
        seen = set()
        for request, delivery in stops:
            found += objections(offer, request)
            if delivery != (request in seen):
                found.append("stop-order")
            seen.add(request)
        if sorted(map(id, mine)) != sorted(id(request) for request, delivery in stops if delivery):
            found.append("stops")
        if plan_worth(offer, stops, roads) < 0:
            found.append("surplus")
    if len(set(served)) != len(served):
        found.append("served-twice")
    return found

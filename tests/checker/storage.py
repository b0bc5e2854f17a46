"""The calendar of a storage offer, and how large a part of a request it can take (rules 6 and 7)."""

from figures import DAY_S, ceil_div


class Calendar:
    """What is taken of each dimension that the offer states, day by day."""

    def __init__(self, offer):
        self.offer = offer
        days = offer.until_day - offer.from_day
        self.taken = {dim: [0] * days for dim in offer.amounts}

    def covers(self, request):
        return self.offer.from_day <= request.from_day and request.until_day <= self.offer.until_day

    def _span(self, request):
        start = max(0, request.from_day - self.offer.from_day)
        return slice(start, max(start, request.until_day - self.offer.from_day))

    def free(self, dim, request):
        """What is free of a dimension on the worst of the request's days; None if the offer does not state
        it."""
        room = self.offer.amounts.get(dim)
        return None if room is None else room - max(self.taken[dim][self._span(request)], default=0)

    def add(self, request, amounts, sign=1, first_day=None):
        span = self._span(request)
        if first_day is not None:
            span = slice(max(span.start, first_day - self.offer.from_day), span.stop)
        for dim, taken in self.taken.items():
            amount = sign * amounts.get(dim, 0)
            if amount:
                taken[span] = [was + amount for was in taken[span]]

    def give_back(self, request, amounts, now=None):
        """Of the days that have not begun; of all without `now`."""
        first = None if now is None or request.from_day * DAY_S > now else now // DAY_S + 1
        self.add(request, amounts, -1, first)

    def held(self, today):
        """The days from today on of which something is taken."""
        return [day for day, taken in enumerate(self.taken[self.offer.main], self.offer.from_day)
                if taken and day >= today]

    def most_taken(self, dim, today):
        """The most that is taken of a dimension on a day from today on."""
        return max(self.taken[dim][max(0, today - self.offer.from_day):], default=0)

    def reshape(self, old_from, old_until):
        """The offer has other days or states other dimensions: what is taken stays so."""
        old, days = self.taken, range(self.offer.from_day, self.offer.until_day)
        self.taken = {dim: [old[dim][day - old_from] if dim in old and old_from <= day < old_until else 0
                            for day in days] for dim in self.offer.amounts}

    def overrun(self, request):
        """A dimension that is over its capacity on one of the request's days, or None."""
        for dim in self.offer.amounts:
            if self.free(dim, request) < 0:
                return dim
        return None


def scaled(request, part):
    """All amounts of a part of the request, each rounded up."""
    whole = request.amount
    return {dim: ceil_div(need * part, whole) for dim, need in request.amounts.items()}


def largest_part(calendar, request, remaining):
    """The largest part of what remains that is free on every day; 0 if none."""
    part = min(remaining, calendar.free(request.main, request))
    for dim, need in request.amounts.items():
        free = calendar.free(dim, request)
        if dim != request.main and free is not None:
            part = min(part, free * request.amount // need)
    return max(0, part)


def part_taken(calendar, request, remaining):
    """What the request takes here: (part, None), or (0, the name of what forbids it)."""
    part = largest_part(calendar, request, remaining)
    if not request.min_part:
        if part < remaining:
            return 0, "calendar"
    elif part == 0:
        return 0, "calendar"
    elif part < request.min_part and part != remaining:
        return 0, "part-small"
    if part < calendar.offer.min_part:
        return 0, "part-offer-min"
    return part, None

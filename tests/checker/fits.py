"""Whether an offer and a request fit, and at what figures (rules 2, 6, 7 and 8)."""

from figures import access_cost, limit_of, price_of, storage_quote, truck_quote
from storage import part_taken, scaled


class Fit:
    """The figures of a match that could be or was made."""

    __slots__ = ("offer", "request", "amounts", "km_m", "added_m", "quote", "access", "surplus", "stops")

    def __init__(self, offer, request, amounts, km_m):
        self.offer, self.request, self.amounts, self.km_m = offer, request, amounts, km_m
        self.added_m = None
        self.access = 0
        self.stops = None

    @property
    def part(self):
        return self.amounts[self.request.main]

    @property
    def price(self):
        return price_of(self.quote, self.surplus)


def objections(offer, request):
    """The names of the rules about who may deal with whom (rule 2) that speak against the pair."""
    found = []
    if offer.kind != request.kind:
        found.append("who-kind")
    if offer.currency != request.currency:
        found.append("who-currency")
    if offer.account == request.account:
        found.append("who-account")
    for one, other in ((offer, request), (request, offer)):
        if one.only and other.account not in one.only:
            found.append("who-only")
        if other.account in one.never:
            found.append("who-never")
        if other.credit < one.min_credit:
            found.append("who-credit")
    if not request.features <= offer.features:
        found.append("who-features")
    return found


def storage_figures(offer, request, part, km_m):
    fit = Fit(offer, request, scaled(request, part), km_m)
    days = request.until_day - request.from_day
    fit.quote = storage_quote(offer.base, offer.rate, part, days)
    fit.access = access_cost(request.per_access_km, km_m)
    fit.surplus = limit_of(request.max_price, part, request.amount) - fit.quote - fit.access
    return fit


def truck_figures(offer, request, km_m, added_m):
    fit = Fit(offer, request, dict(request.amounts), km_m)
    fit.added_m = added_m
    fit.quote = truck_quote(offer.base, offer.per_t_km, request.amounts["kg"], km_m, offer.per_detour_km,
                            added_m)
    fit.surplus = request.max_price - fit.quote
    return fit


def storage_limits(offer, request, calendar, km_m):
    """The names of the limits of rule 6 but the amounts that the pair breaks."""
    found = []
    if km_m > request.radius_m:
        found.append("radius")
    if not calendar.covers(request):
        found.append("days")
    if request.kind == "cold" and not (request.temp[0] <= offer.temp[0] and offer.temp[1] <= request.temp[1]):
        found.append("band")
    return found


def fit_storage(offer, request, calendar, remaining, roads):
    """The fit of a pair that nothing objects to, or None."""
    if request.radius_m < 0 or not calendar.covers(request):
        return None
    km_m = roads.metres(offer.at, request.at)
    if storage_limits(offer, request, calendar, km_m):
        return None
    part, _ = part_taken(calendar, request, remaining)
    if not part:
        return None
    fit = storage_figures(offer, request, part, km_m)
    return fit if fit.surplus >= 0 else None


def fit_truck(offer, request, plan, now, least=0):
    """The same for a truck; None also if the surplus is below `least`."""
    km_m = plan.direct(request)
    if truck_figures(offer, request, km_m, 0).surplus < max(0, least):
        return None
    found = plan.best(request, now)
    if found is None:
        return None
    added_m, stops, _ = found
    fit = truck_figures(offer, request, km_m, added_m)
    fit.stops = stops
    return fit if fit.surplus >= 0 else None

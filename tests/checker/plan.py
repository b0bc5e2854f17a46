"""The plan of a truck offer by rules 3 to 5: stops in order with their times, what is fixed, where a load may
go in, what it adds."""

from figures import drive_s

LOADS_MAX = 16
STOPS_MAX = 64


class Stop:
    """A pickup or delivery. `load` is its request's order; `gone`: the load was taken off, and this pickup,
    being fixed, stayed."""

    __slots__ = ("load", "delivery", "place", "depart", "eta", "leave", "gone")

    def __init__(self, load, delivery):
        self.load = load
        self.delivery = delivery
        self.place = load.to if delivery else load.start
        self.depart = self.eta = self.leave = None
        self.gone = False

    @property
    def name(self):
        return ("delivery" if self.delivery else "pickup", self.load.id)

    def __repr__(self):
        return "%s %s depart %s eta %s leave %s" % (*self.name, self.depart, self.eta, self.leave)


class Plan:
    def __init__(self, offer, roads):
        self.offer = offer
        self.roads = roads
        self.stops = []  # from the beginning, those that are history too
        self.changed = None
        self.added = None  # the load whose adding was the last change

    # --- the road ---

    def length(self, stops=None):
        """Metres from `from` over all the stops, and to `to` if there is one."""
        metres, here, total = self.roads.metres, self.offer.start, 0
        for stop in self.stops if stops is None else stops:
            total += metres(here, stop.place)
            here = stop.place
        return total + (metres(here, self.offer.to) if self.offer.to else 0)

    def detour(self, stops=None):
        stops = self.stops if stops is None else stops
        if self.offer.to:
            return self.length(stops) - self.roads.metres(self.offer.start, self.offer.to)
        return self.length(stops) - sum(self.direct(stop.load) for stop in stops if stop.delivery)

    def direct(self, request):
        return self.roads.metres(request.start, request.to)

    # --- time ---

    def fixed(self, now):
        """How many stops are fixed."""
        count = 0
        while count < len(self.stops) and self.stops[count].depart <= now:
            count += 1
        return count

    def end_departs(self, stops=None):
        """When the truck leaves for `to`; None without one."""
        if not self.offer.to:
            return None
        stops = self.stops if stops is None else stops
        here = stops[-1].place if stops else self.offer.start
        return self.offer.available_until - self._drive(here, self.offer.to)

    def closed(self, now):
        """True once the truck has left for `to`."""
        departs = self.end_departs()
        return departs is not None and departs <= now

    def times(self, stops, first, now):
        """(depart, eta, leave) of stops[first:], those before keeping theirs."""
        found = []
        free = stops[first - 1].leave if first else self.offer.available_from
        here = stops[first - 1].place if first else self.offer.start
        for stop in stops[first:]:
            drive = self._drive(here, stop.place)
            depart = max(free, now)
            if not stop.delivery:
                depart = max(depart, stop.load.pickup_from - drive)
            eta = depart + drive
            free = eta + (stop.load.unload_s if stop.delivery else stop.load.load_s)
            here = stop.place
            found.append((depart, eta, free))
        return found

    def _drive(self, a, b):
        return drive_s(self.roads.metres(a, b), self.offer.speed)

    # --- what is allowed ---

    def loads(self, stops):
        return [stop.load for stop in stops if stop.delivery]

    def undelivered(self, stops, times, now):
        """Requests whose unloading has not ended; `times` are those of the last stops."""
        old = len(stops) - len(times)
        leaves = [stop.leave for stop in stops[:old]] + [time[2] for time in times]
        return [stop.load for stop, leave in zip(stops, leaves) if stop.delivery and leave > now]

    def broken(self, stops, times, now):
        """The names of the limits that an insertion resulting in `stops` would break."""
        found = self._broken_windows(stops[len(stops) - len(times):], times)
        end = times[-1][2] if times else 0
        if self.offer.to:
            if end > self.end_departs(stops):
                found.append("plan-end")
        elif end > self.offer.available_until:
            found.append("plan-end")
        if self.detour(stops) > self.offer.max_detour_m:
            found.append("detour")
        if self.overloaded(stops, now):
            found.append("load")
        aboard = self.undelivered(stops, times, now)
        if len(aboard) > LOADS_MAX:
            found.append("too-many-loads")
        if sum(stop.leave is None or stop.leave > now for stop in stops) > STOPS_MAX:
            found.append("too-many-stops")
        if not self.common_temperature(aboard):
            found.append("temperature")
        return found

    def feasible(self, stops, times, now):
        """Whether nothing would be broken; the cheap questions first."""
        return not self._broken_windows(stops[len(stops) - len(times):],
                                        times) and not self.broken(stops, times, now)
    @staticmethod
    def _broken_windows(stops, times):
        found = []
        for stop, (_, eta, _) in zip(stops, times):
            if stop.gone:
                continue
            if stop.delivery and eta > stop.load.deliver_until:
                found.append("delivery-window")
            if not stop.delivery and not stop.load.pickup_from <= eta <= stop.load.pickup_until:
                found.append("pickup-window")
        return found

    def overloaded(self, stops, now):
        """True if on some leg to a stop not yet served some dimension that the offer states holds more than it
        has."""
        served = sum(stop.leave is not None and stop.leave <= now for stop in stops)
        for dim, room in self.offer.amounts.items():
            aboard = 0
            for i, stop in enumerate(stops):
                if stop.gone:
                    continue
                amount = stop.load.amounts.get(dim, 0)
                aboard += -amount if stop.delivery else amount
                if aboard > room and i + 1 >= served:
                    return True
        return False

    def common_temperature(self, loads):
        wanted = [load.temp for load in loads if load.temp]
        if not wanted:
            return True
        if not self.offer.temp:
            return False
        wanted.append(self.offer.temp)
        return max(low for low, _ in wanted) <= min(high for _, high in wanted)

    def most_aboard(self, dim, now):
        """The most that is on board on a leg to a stop not yet served."""
        aboard = most = 0
        for stop in self.stops:
            if stop.leave > now:
                most = max(most, aboard)
            if not stop.gone:
                amount = stop.load.amounts.get(dim, 0)
                aboard += -amount if stop.delivery else amount
        return most

    def ends(self, now):
        """When the plan ends, the drive to `to` included; 0 if all is served."""
        if not self.stops or self.stops[-1].leave <= now:
            return 0
        last = self.stops[-1]
        return last.leave + (self._drive(last.place, self.offer.to) if self.offer.to else 0)

    # --- changing it ---

    def positions(self, request, first):
        """(metres added to the length, pickup's position, delivery's position in the list without the pickup)
        of every pair not before `first`, the best first."""
        start, end = request.start, request.to
        around = [self._around(k) for k in range(first, len(self.stops) + 1)]
        deliveries = [self._via(before, after, end) for before, after in around]
        found = []
        for i, (before, after) in enumerate(around, first):
            found.append((self._via(before, after, start, end), i, i))
            pickup = self._via(before, after, start)
            found += [(pickup + deliveries[j - first], i, j) for j in range(i + 1, len(self.stops) + 1)]
        found.sort()
        return found

    def _around(self, k):
        """The places before and after position k; None where there is none."""
        before = self.stops[k - 1].place if k else self.offer.start
        return before, self.stops[k].place if k < len(self.stops) else self.offer.to

    def _via(self, before, after, *places):
        """Metres that going by these places adds between the two."""
        metres, here, total = self.roads.metres, before, 0
        for place in places:
            total += metres(here, place)
            here = place
        return total + metres(here, after) - metres(before, after) if after else total

    def inserted(self, request, i, j):
        stops = self.stops
        return stops[:i] + [Stop(request, False)] + stops[i:j] + [Stop(request, True)] + stops[j:]

    def best(self, request, now):
        """(added metres, stops, times) of the cheapest feasible insertion, or None."""
        if self.closed(now):
            return None
        first = self.fixed(now)
        before = self.detour()
        for _, i, j in self.positions(request, first):
            stops = self.inserted(request, i, j)
            if self.detour(stops) > self.offer.max_detour_m:
                return None
            times = self.times(stops, first, now)
            if self.feasible(stops, times, now):
                return max(0, self.detour(stops) - before), stops, times
        return None

    def adopt(self, stops, now, added=None):
        """Takes `stops` as the plan from now on, `added` being new on it, and gives what is not fixed its
        times."""
        first = self.fixed(now)
        times = self.times(stops, first, now)
        for stop, time in zip(stops[first:], times):
            stop.depart, stop.eta, stop.leave = time
        self.stops = stops
        self.changed, self.added = now, added

    def remove(self, request, now):
        """Takes a load off: what is not fixed goes, and the rest is remade. Its delivery fixed: both stay,
        and it is False."""
        mine = [(k, stop) for k, stop in enumerate(self.stops) if stop.load is request and not stop.gone]
        first = self.fixed(now)
        if not mine or mine[-1][0] < first:
            return False
        for k, stop in mine:
            stop.gone = k < first
        self.adopt([stop for stop in self.stops if stop.load is not request or stop.gone], now)
        return True

    def load_times(self, request):
        """((pickup's eta, leave), (delivery's eta, leave)) of a request on the plan."""
        return tuple((stop.eta, stop.leave) for stop in self.stops if stop.load is request and not stop.gone)

    def stop_of(self, request, delivery):
        for stop in self.stops:
            if stop.load is request and stop.delivery == delivery and not stop.gone:
                return stop
        return None

    def shown(self, told=()):
        """What an event lists: the stops whose service had not ended when the plan was last changed, and all
        of what was added then. Of what ends at that very second otherwise, those that were `told`: the change
        itself may have put them there."""
        return [stop for stop in self.stops if stop.leave > self.changed or stop.load is self.added or
                (stop.leave == self.changed and stop.name in told)]

"""Amending an order, by docs/RULES.md and the columns of docs/ORDERS.md: what has changed, which way, and what live matches
hold."""

from figures import DAY_S, DIMS

MORE, LESS = 1, -1
ALWAYS = ("side", "kind", "ref", "account", "fill", "currency", "from", "to", "at", "speed_kmh")  # never amended
NEUTRAL = ("valid_until", "confirm", "hold_s", "note")
NUMBERS = {"max_price": MORE, "base": LESS, "per_t_km": LESS, "per_detour_km": LESS, "rate": LESS, "per_access_km": LESS,
           "max_detour_m": MORE, "radius_m": MORE, "available_from": LESS, "available_until": MORE, "pickup_from": LESS,
           "pickup_until": MORE, "deliver_until": MORE, "load_s": LESS, "unload_s": LESS, "min_credit": LESS}
WAY = ("pickup_from", "pickup_until", "deliver_until", "load_s", "unload_s")
FOREVER = float("inf")


class Held(Exception):
    """Live matches hold what the amendment would take; says the field."""


def changed(order, new):
    """The names of the fields, as they are on the wire, that are written otherwise. Values are compared as they are read:
    order and new are Orders."""
    names = set(order.wrote) ^ set(new.wrote)
    return names | {name for name in new.wrote if name in order.wrote and
                    order.amended({name: new.wrote[name]}).terms() != order.terms()}


def sound(order):
    """Whether the terms agree with each other."""
    if order.truck:
        windows = order.available_until > order.available_from if order.offer else \
            min(order.pickup_until, order.deliver_until) >= order.pickup_from
    else:
        windows = 0 < order.until_day - order.from_day <= 731 and order.min_part <= order.amount
    return windows and order.valid_until <= order.latest


def ease(old, new):
    """(has become easier, has become harder) to match by any of its changes."""
    ways = [_way(getattr(old, name), getattr(new, name), sign)
            for name, sign in NUMBERS.items() if hasattr(old, name)]
    absent = FOREVER if old.offer else 0
    ways += [_way(old.amounts.get(dim, absent), new.amounts.get(dim, absent), MORE if old.offer else LESS)
             for dim in DIMS]
    absent = 0 if old.offer else FOREVER
    ways.append(_way(old.min_part or absent, new.min_part or absent, LESS))
    if not old.truck:
        wider = MORE if old.offer else LESS
        ways += [_way(old.from_day, new.from_day, -wider), _way(old.until_day, new.until_day, wider)]
    ways += _sets(old, new) + _temperature(old, new)
    return any(way > 0 for way in ways), any(way < 0 for way in ways)


def _way(before, after, sign):
    return sign * ((after > before) - (after < before))


def _set(before, after, sign):
    return [sign * bool(after - before), -sign * bool(before - after)]


def _sets(old, new):
    found = _set(old.features, new.features, MORE if old.offer else LESS) + _set(old.never, new.never, LESS)
    if old.only and new.only:
        return found + _set(old.only, new.only, MORE)
    return found + [_way(not old.only, not new.only, MORE)]


def _temperature(old, new):
    if old.temp and new.temp:
        wider = LESS if old.kind == "cold" and old.offer else MORE
        return [_way(old.temp[0], new.temp[0], -wider), _way(old.temp[1], new.temp[1], wider)]
    return [_way(bool(old.temp), bool(new.temp), MORE if old.offer else LESS)]


def at_fault(order, new, live, now):
    """A field by which the matches in `live` would lose what they have, or None."""
    if order.offer:
        checks = _truck_offer(order, new, now) if order.truck else _storage_offer(order, new, live, now)
        if any(not match.request.features <= new.features for match in live):
            return "features"
    else:
        checks = _load(order, new) if order.truck and live else () if order.truck else _storage_request(order, new, live)
        if any(not new.features <= match.offer.features for match in live):
            return "features"
    return next((name for name, held in checks if held), None)


def _truck_offer(order, new, now):
    plan = order.room
    for dim, room in new.amounts.items():
        yield dim, room < plan.most_aboard(dim, now)
    yield "available_from", new.available_from != order.available_from and \
        (plan.stops or now >= order.available_from)
    yield "available_until", new.available_until < min(order.available_until, plan.ends(now))
    wanted = [load.temp for load in plan.undelivered(plan.stops, [], now) if load.temp]
    yield "temp_c", wanted and (not new.temp or max(low for low, _ in wanted) > new.temp[1] or
                                min(high for _, high in wanted) < new.temp[0])


def _storage_offer(order, new, live, now):
    calendar, today = order.room, now // DAY_S
    held = calendar.held(today)
    for dim, room in new.amounts.items():
        yield dim, held and (dim not in order.amounts or room < calendar.most_taken(dim, today))
    days = held + [day for match in live for day in (match.request.from_day, match.request.until_day - 1)]
    yield "from_day", days and new.from_day > min(days)
    yield "until_day", days and new.until_day <= max(days)
    yield "temp_c", new.temp and any(new.temp[0] < match.request.temp[0] or new.temp[1] > match.request.temp[1]
                                     for match in live)


def _load(order, new):
    for name in ("amounts", "temp", *WAY):
        yield name, getattr(order, name) != getattr(new, name)


def _storage_request(order, new, live):
    for dim in DIMS:
        was, will = order.amounts.get(dim), new.amounts.get(dim)
        if was is None or will is None:
            yield dim, live and was != will
            continue
        held = order.amount - order.open if dim == order.main else sum(match.fit.amounts[dim] for match in live)
        yield dim, will < was and will < held
    yield "from_day", live and (new.from_day, new.until_day) != (order.from_day, order.until_day)
    yield "temp_c", new.temp and any(match.offer.temp[0] < new.temp[0] or match.offer.temp[1] > new.temp[1]
                                     for match in live)


def apply(order, new):
    """The order has the new terms; its open amount, plan and calendar follow."""
    if order.offer and not order.truck:
        window = order.from_day, order.until_day
        order.become(new)
        order.room.reshape(*window)
    elif order.offer:
        order.become(new)
    else:
        order.open += new.amount - order.amount
        order.become(new)

"""The pictures of a truck's plan: on the map, and through its days."""

import collections
import datetime
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "checker"))

from country import Map, label  # noqa: E402
from figures import Roads, drive_s, rounded, seconds  # noqa: E402  (from tests/checker)
from svg import BLUE, GREEN, GREY, INK, ORANGE, PALE, PURPLE, RED, TEAL, Drawing, tint  # noqa: E402

COLOURS = {"pears": GREEN, "vaccines": BLUE, "tofu": ORANGE, "tea-1": PURPLE}
TOWNS = {
    (31.2222, 121.4581): "Shanghai",
    (32.0617, 118.7778): "Nanjing",
    (33.5886, 119.0192): "Huai'an",
    (35.0631, 118.3428): "Linyi",
    (36.6683, 116.9972): "Jinan",
    (39.1422, 117.1767): "Tianjin",
    (39.9075, 116.3972): "Beijing",
}
SPEED_TENTHS = 600  # km/h: the default of a truck offer
HOUR = 3600

Stop = collections.namedtuple("Stop", "ref delivery place eta leave")


def place_of(order, field):
    return tuple(float(part) for part in order[field].split(","))


def plans_told(events, account):
    """[(the match's view, its plan's stops)] of every load that was put on the account's truck."""
    refs = {event["order"]["id"]: event["order"]["ref"] for event in events if "order" in event}
    found = []
    for event in events:
        if (
            event["account"] == account
            and event["type"] == "match.confirmed"
            and event["match"]["kind"] == "truck"
        ):
            found.append(
                (
                    event["match"],
                    [
                        Stop(
                            refs[stop["order"]],
                            stop["action"] == "delivery",
                            (stop["lat"], stop["lon"]),
                            stop["eta"],
                            stop["leave"],
                        )
                        for stop in event["match"]["stops"]
                    ],
                )
            )
    return found


# --- on the map -------------------------------------------------------------------------------------------------


def route(offer, stops):
    return [place_of(offer, "from")] + [stop.place for stop in stops] + [place_of(offer, "to")]


def numbers_at(drawing, ground, stops):
    """Each stop's number, coloured by its load: filled where it boards, ringed where it leaves."""
    seen = collections.Counter()
    for i, stop in enumerate(stops, 1):
        x, y = ground.at(*stop.place)
        x += 21 * seen[stop.place]
        seen[stop.place] += 1
        colour = COLOURS[stop.ref]
        drawing.circle(x, y, 9.5, fill="#ffffff" if stop.delivery else colour, stroke=colour, stroke_width=2)
        drawing.text(
            x, y + 4, i, size=11, anchor="middle", fill=colour if stop.delivery else "#ffffff", weight="bold"
        )
    return seen


def plan_panel(drawing, x, offer, before, match, stops):
    ground = Map(x, 74, 246, 400, 30.4, 40.7, 114.9)
    ground.ground(drawing)
    drawing.path(
        [ground.at(*place) for place in before], stroke=tint(INK, 0.35), stroke_width=1.6, stroke_dasharray="5 4"
    )
    drawing.path(
        [ground.at(*place) for place in route(offer, stops)], stroke=INK, stroke_width=2.2, stroke_linejoin="round"
    )
    seen = numbers_at(drawing, ground, stops)
    for place in (place_of(offer, "from"), place_of(offer, "to")):
        if place not in seen:
            px, py = ground.at(*place)
            drawing.rect(px - 5, py - 5, 10, 10, fill=INK)
    for place in dict.fromkeys(route(offer, stops)):
        last = place == place_of(offer, "from")
        shift = 14 + 21 * max(0, seen[place] - 1)
        label(
            drawing,
            ground.at(*place),
            TOWNS[place],
            dx=4 if last else shift,
            dy=20 if last else 4,
            anchor="end" if last else None,
        )
    ref = match["request"]["ref"]
    drawing.text(x, 46, ref, size=13, weight="bold", fill=COLOURS[ref])
    drawing.text(x, 64, "%g pallets, adds %g km" % (match["pallets"], match["added_km"]), size=11.5)


def plans(path, events, orders):
    offer = orders["home-run"][1]
    drawing = Drawing(800, 520, "The plan of a truck after each of three loads")
    drawing.text(20, 26, "Shanghai to Beijing: the plan after each load", size=14, weight="bold")
    before = route(offer, [])
    for i, (match, stops) in enumerate(plans_told(events, offer["account"])[:3]):
        plan_panel(drawing, 20 + i * 257, offer, before, match, stops)
        before = route(offer, stops)
    drawing.circle(30, 498, 7, fill=GREY)
    drawing.text(44, 502, "loads here", size=11.5)
    drawing.circle(126, 498, 6.5, fill="#ffffff", stroke=GREY, stroke_width=2)
    drawing.text(140, 502, "unloads here", size=11.5)
    drawing.line(236, 498, 266, 498, stroke=INK, stroke_width=2.2)
    drawing.text(274, 502, "plan", size=11.5)
    drawing.line(322, 498, 352, 498, stroke=tint(INK, 0.35), stroke_width=1.6, stroke_dasharray="5 4")
    drawing.text(360, 502, "plan before", size=11.5)
    drawing.text(780, 502, "Places: GeoNames", size=10.5, fill=GREY, anchor="end")
    drawing.save(path)


# --- through its days -------------------------------------------------------------------------------------------


class Trip:
    """All stops of the last plan told, those that lay behind it included, with the kilometres to each of them and
    the moment the truck leaves for it."""

    def __init__(self, offer, told):
        roads = Roads()
        last = told[-1][1]
        behind = [
            stop for stop in told[-2][1] if not any((stop.ref, stop.delivery) == other[:2] for other in last)
        ]
        self.stops = behind + last
        self.km, self.departs = [], []
        here, metres = place_of(offer, "from"), 0
        for stop in self.stops:
            leg = roads.metres(*(tuple(rounded(part, 7) for part in place) for place in (here, stop.place)))
            metres += leg
            self.km.append(metres / 1000)
            self.departs.append(stop.eta - drive_s(leg, SPEED_TENTHS))
            here = stop.place


class Axes:
    def __init__(self, start, hours, top, height, km):
        self.start, self.hours, self.top, self.height, self.km_max = start, hours, top, height, km
        self.left, self.width = 92, 680

    def x(self, moment):
        return self.left + (moment - self.start) / HOUR / self.hours * self.width

    def y(self, km):
        return self.top + self.height - km / self.km_max * self.height


def clock_lines(drawing, axes, bottom):
    for hour in range(0, axes.hours + 1, 6):
        moment = axes.start + hour * HOUR
        drawing.line(axes.x(moment), axes.top - 6, axes.x(moment), bottom, stroke=PALE)
        drawing.text(axes.x(moment), bottom + 15, "%02d:00" % (hour % 24), size=10.5, anchor="middle", fill=GREY)
        if hour % 24 == 0:
            date = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
            drawing.text(axes.x(moment), bottom + 30, "%d March" % date.day, size=11, anchor="middle")


def windows(drawing, axes, trip, orders):
    """When each load may board, as a bar beside its stop."""
    for stop, km in zip(trip.stops, trip.km):
        if stop.delivery:
            continue
        order = orders[stop.ref][1]
        first = max(axes.x(seconds(order["pickup_from"])), axes.left)
        last = min(axes.x(seconds(order["pickup_until"])), axes.left + axes.width)
        drawing.rect(first, axes.y(km) + 4, last - first, 7, fill=tint(COLOURS[stop.ref], 0.3), rx=2)


def journey(drawing, axes, trip, now):
    """Where the truck is: driving, waiting, being served."""
    free, here = axes.start, 0
    for stop, km, departs in zip(trip.stops, trip.km, trip.departs):
        colour = INK if departs <= now else tint(INK, 0.45)
        if departs > free:
            drawing.path(
                [(axes.x(free), axes.y(here)), (axes.x(departs), axes.y(here))],
                stroke=RED,
                stroke_width=2.4,
                stroke_dasharray="2 3",
            )
        drawing.path(
            [(axes.x(departs), axes.y(here)), (axes.x(stop.eta), axes.y(km))], stroke=colour, stroke_width=2.4
        )
        drawing.path(
            [(axes.x(stop.eta), axes.y(km)), (axes.x(stop.leave), axes.y(km))],
            stroke=COLOURS[stop.ref],
            stroke_width=7,
        )
        free, here = stop.leave, km


def names(drawing, axes, trip):
    drawing.text(axes.left - 10, axes.y(0) + 4, "Shanghai", size=11, anchor="end")
    for place in dict.fromkeys(stop.place for stop in trip.stops):
        km = next(km for stop, km in zip(trip.stops, trip.km) if stop.place == place)
        drawing.line(axes.left, axes.y(km), axes.left + axes.width, axes.y(km), stroke=PALE)
        drawing.text(axes.left - 10, axes.y(km) + 1, TOWNS[place], size=11, anchor="end")
        drawing.text(axes.left - 10, axes.y(km) + 13, "%.0f km" % km, size=9.5, anchor="end", fill=GREY)


def aboard(drawing, axes, trip, orders, top, height, places):
    """Pallets on board through the time, load upon load."""
    bottom = top + height
    moments = [axes.start] + [stop.leave if not stop.delivery else stop.eta for stop in trip.stops]
    loads = []
    for i, stop in enumerate(trip.stops):
        if stop.delivery:
            loads.remove(stop.ref)
        else:
            loads.append(stop.ref)
        if i + 1 == len(trip.stops):
            break
        x, until, used = axes.x(moments[i + 1]), axes.x(moments[i + 2]), 0
        for ref in loads:
            pallets = int(orders[ref][1]["pallets"])
            drawing.rect(
                x,
                bottom - (used + pallets) / places * height,
                until - x,
                pallets / places * height,
                fill=tint(COLOURS[ref], 0.75),
            )
            used += pallets
        if until - x > 20:
            drawing.text(
                (x + until) / 2,
                bottom - used / places * height + 13,
                used,
                size=11,
                anchor="middle",
                fill="#ffffff",
                weight="bold",
            )
    drawing.line(axes.left, top, axes.left + axes.width, top, stroke=INK, stroke_dasharray="4 3")
    drawing.text(axes.left - 10, top + 4, "%d pallets" % places, size=11, anchor="end")
    drawing.text(axes.left - 10, bottom - 40, "on board", size=11, anchor="end", fill=GREY)


def day(path, events, orders):
    offer = orders["home-run"][1]
    trip = Trip(offer, plans_told(events, offer["account"]))
    now = seconds("2027-03-02T17:00:00Z")
    drawing = Drawing(800, 560, "A truck through its days: driving, waiting, loading, and what is on board")
    drawing.text(20, 26, "home-run through its days", size=14, weight="bold")
    axes = Axes(seconds(offer["available_from"]), 36, 70, 300, trip.km[-1])
    clock_lines(drawing, axes, 510)
    names(drawing, axes, trip)
    windows(drawing, axes, trip, orders)
    journey(drawing, axes, trip, now)
    aboard(drawing, axes, trip, orders, 410, 100, int(offer["pallets"]))
    drawing.line(axes.x(now), 52, axes.x(now), 510, stroke=TEAL, stroke_width=1.5)
    drawing.text(axes.x(now) - 6, 62, "fixed: it has left for Linyi", size=11, anchor="end", fill=TEAL)
    drawing.text(axes.x(now) + 6, 62, "17:00, may still change", size=11, fill=TEAL)
    legend(drawing, 20)
    drawing.save(path)


def legend(drawing, y):
    x = 250
    for ref, colour in COLOURS.items():
        drawing.rect(x, y - 4, 11, 11, fill=colour)
        drawing.text(x + 16, y + 6, ref, size=11)
        x += 34 + 7 * len(ref)
    drawing.path([(x, y + 2), (x + 26, y + 2)], stroke=RED, stroke_width=2.4, stroke_dasharray="2 3")
    drawing.text(x + 32, y + 6, "waits", size=11)
    drawing.rect(x + 76, y - 2, 26, 7, fill=tint(GREY, 0.35), rx=2)
    drawing.text(x + 108, y + 6, "pickup window", size=11)

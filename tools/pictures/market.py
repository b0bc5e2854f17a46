"""The pictures of an order's way, of a price, and of a calendar."""

import datetime

import played
from svg import BLUE, GREEN, GREY, INK, ORANGE, PALE, PURPLE, RED, TEAL, Drawing, tint

DAY = datetime.timedelta(days=1)


# --- an order's way ---------------------------------------------------------------------------------------------

STEPS = (
    ("1", "checked, numbered,", "put into the log", BLUE),
    ("2", "the best counterpart", "is sought in the tree", TEAL),
    ("3", "checked exactly:", "who, where, when ...", PURPLE),
    ("4", "its capacity is taken:", "plan or calendar", ORANGE),
    ("5", "on disk: both sides", "are told", GREEN),
)


def flow(path):
    drawing = Drawing(800, 230, "An order's way through the broker")
    width, gap, top, height = 132, 22, 62, 84
    middles = []
    for i, (digit, first, second, colour) in enumerate(STEPS):
        x = 26 + i * (width + gap)
        middles.append(x + width / 2)
        drawing.rect(x, top, width, height, rx=7, fill=tint(colour, 0.1), stroke=colour, stroke_width=1.5)
        drawing.circle(x + width / 2, top, 12, fill=colour)
        drawing.text(x + width / 2, top + 4.5, digit, size=13, anchor="middle", fill="#ffffff", weight="bold")
        drawing.text(x + width / 2, top + 42, first, size=11.5, anchor="middle")
        drawing.text(x + width / 2, top + 59, second, size=11.5, anchor="middle")
        if i:
            drawing.arrow([(x - gap, top + height / 2), (x - 1, top + height / 2)])
    drawing.text(26, 32, "an order comes in: an offer or a request", size=14, weight="bold")
    low = top + height
    drawing.arrow(
        [(middles[4], low), (middles[4], low + 30), (middles[1] - 14, low + 30), (middles[1] - 14, low + 1)],
        stroke=GREEN,
    )
    drawing.text(
        (middles[1] + middles[4]) / 2 + 20,
        low + 24,
        "something is left of it: once more",
        size=11.5,
        fill=GREEN,
        anchor="middle",
    )
    drawing.arrow([(middles[1] - 40, low), (middles[1] - 40, low + 56)], stroke=GREY)
    drawing.text(
        middles[1] - 28,
        low + 62,
        "nothing fits (any more): what is left rests in the tree, until an order comes that fits it",
        size=11.5,
        fill=GREY,
    )
    drawing.save(path)


# --- a price ----------------------------------------------------------------------------------------------------


def alone(programs, orders, offer, request):
    """The match of the two if there were no others."""
    events = played.play(programs, [orders[offer][0], orders[request][0]])
    return next(event["match"] for event in events if event["type"] == "match.confirmed")


def bar(drawing, x, y, width, colour, text):
    drawing.rect(x, y, width, 26, fill=colour)
    if width > 40:
        drawing.text(x + width / 2, y + 17.5, text, size=11.5, anchor="middle", fill="#ffffff")
    else:
        drawing.text(x + width / 2, y - 4, text, size=10.5, anchor="middle", fill=colour)


def price(path, programs, orders):
    limit = float(orders["berries"][1]["max_price"])
    drawing = Drawing(800, 300, "Three stores that fit, and two that do not")
    left, scale = 180, 450 / limit
    drawing.text(20, 28, "20 pallets for 7 days near Nanjing, 1,800 at most", size=14, weight="bold")
    y = 62
    for ref, town in (("canal-1", "Changzhou"), ("lake-5", "Hefei"), ("quay-2", "Nanjing")):
        match = alone(programs, orders, ref, "berries")
        access = match.get("access", 0)
        best = ref == "canal-1"
        drawing.text(20, y + 12, "%s, %s" % (ref, town), weight="bold" if best else None)
        drawing.text(20, y + 26, "%.1f km" % match["km"], size=11, fill=GREY)
        x = left
        for value, colour in ((match["quote"], BLUE), (access, ORANGE), (match["surplus"], GREEN)):
            bar(drawing, x, y, value * scale, colour, "{:,.2f}".format(value))
            x += value * scale
        if best:
            drawing.rect(left - 2, y - 2, limit * scale + 4, 30, fill="none", stroke=INK, stroke_width=2, rx=3)
            drawing.text(left + limit * scale + 10, y + 10, "wins: the greatest", size=11.5, weight="bold")
            drawing.text(left + limit * scale + 10, y + 24, "surplus", size=11.5, weight="bold")
            drawing.text(
                left + limit * scale + 10, y + 42, "price {:,.2f}".format(match["price"]), size=11.5, fill=BLUE
            )
        y += 50
    for ref, town, why in (
        ("deep-9", "Nanjing", "-22 to -18 degrees: the berries want 0 to 6"),
        ("west-3", "Hangzhou", "farther than 200 km"),
    ):
        drawing.text(20, y + 12, "%s, %s" % (ref, town), fill=GREY)
        drawing.line(left, y + 8, left + 14, y + 8, stroke=RED, stroke_width=2.5)
        drawing.text(left + 22, y + 12, "does not fit: " + why, fill=RED)
        y += 24
    edge = left + limit * scale
    drawing.line(edge, 48, edge, 200, stroke=INK, stroke_dasharray="4 3")
    drawing.text(edge, 42, "limit {:,.0f}".format(limit), size=11, anchor="middle")
    for i, (name, colour) in enumerate(
        (
            ("quote: what the store asks", BLUE),
            ("access: the farm's own haulage", ORANGE),
            ("surplus: shared half and half", GREEN),
        )
    ):
        drawing.rect(180 + i * 205, 274, 11, 11, fill=colour)
        drawing.text(196 + i * 205, 284, name, size=11)
    drawing.save(path)


# --- a calendar -------------------------------------------------------------------------------------------------

COLOURS = {"apples": RED, "yogurt": BLUE, "grapes": PURPLE, "butter": ORANGE, "cheese": TEAL}


def day(text):
    return datetime.date.fromisoformat(text)


class Chamber:
    """Where the days and pallets of the calendar's picture lie on paper."""

    def __init__(self, offer, top):
        self.first, self.last = day(offer["from_day"]), day(offer["until_day"])
        self.places = int(offer["pallets"])
        self.left, self.top, self.cell, self.height = 120, top, 22.6, 110

    def x(self, date):
        return self.left + (date - self.first).days * self.cell

    def pallets(self, amount):
        return amount / self.places * self.height

    def days(self):
        return [self.first + DAY * i for i in range((self.last - self.first).days)]


def lots_of(events, chamber_ref, until):
    """(request, pallets, from, until) of the confirmed parts in the chamber, after the first `until` events that its
    owner was told of matches."""
    lots = {}
    told = 0
    for event in events:
        match = event.get("match")
        if not match or match["offer"]["ref"] != chamber_ref or event["account"] != match["offer"]["account"]:
            continue
        told += 1
        if told > until:
            break
        lots[match["id"]] = match
        if event["type"] == "match.cancelled":
            del lots[match["id"]]
    return [
        (lot["request"]["ref"], lot["pallets"], day(lot["from_day"]), day(lot["until_day"]))
        for lot in lots.values()
    ]


def lie_there(lots, date):
    """(lot, places below it) of each lot on a day, those that came first at the bottom."""
    used, found = 0, []
    for lot in sorted(lots, key=lambda lot: (lot[2], -lot[1])):
        if lot[2] <= date < lot[3]:
            found.append((lot, used))
            used += lot[1]
    return found, used


def days_used(drawing, chamber, lots):
    """The lots, each day's on top of one another, and below how many places are free."""
    bottom = chamber.top + chamber.height
    drawing.rect(chamber.left, chamber.top, chamber.x(chamber.last) - chamber.left, chamber.height, fill="#f4f7f9")
    for date in chamber.days():
        there, used = lie_there(lots, date)
        for (ref, pallets, _, _), below in there:
            drawing.rect(
                chamber.x(date) + 0.6,
                bottom - chamber.pallets(below + pallets),
                chamber.cell - 1.2,
                chamber.pallets(pallets) - 0.8,
                fill=tint(COLOURS[ref], 0.8),
            )
        free = chamber.places - used
        drawing.rect(
            chamber.x(date) + 0.6, bottom + 5, chamber.cell - 1.2, 17, fill=tint(GREEN, 0.08 + 0.5 * free / 100)
        )
        drawing.text(chamber.x(date) + chamber.cell / 2, bottom + 17.5, free, size=10.5, anchor="middle")
    for lot in lots:
        label_lot(drawing, chamber, lots, lot)
    drawing.text(chamber.left - 10, bottom + 17.5, "free", size=11, anchor="end", fill=GREY)
    drawing.text(
        chamber.left - 10, chamber.top + 9, "%d places" % chamber.places, size=11, anchor="end", fill=GREY
    )


def label_lot(drawing, chamber, lots, lot):
    """The lot's name on its days: where most of them have it at one height."""
    ref, pallets, first, last = lot
    heights = {}
    for i in range((last - first).days):
        below = next(below for other, below in lie_there(lots, first + DAY * i)[0] if other is lot)
        heights.setdefault(below, []).append(first + DAY * i)
    below, dates = max(heights.items(), key=lambda item: len(item[1]))
    y = chamber.top + chamber.height - chamber.pallets(below + pallets / 2)
    drawing.text(
        (chamber.x(dates[0]) + chamber.x(dates[-1] + DAY)) / 2,
        y + 4,
        "%s %d" % (ref, pallets),
        size=11.5,
        anchor="middle",
        fill="#ffffff",
        weight="bold",
    )


def waiting(drawing, chamber, lots, top):
    """What rests, as outlines over its days."""
    drawing.text(chamber.left - 10, top + 12, "rest", size=11, anchor="end", fill=GREY)
    for i, (ref, pallets, first, last) in enumerate(lots):
        x, width = chamber.x(first), chamber.x(last) - chamber.x(first)
        drawing.rect(
            x + 1,
            top + i * 20,
            width - 2,
            16,
            fill=tint(COLOURS[ref], 0.08),
            stroke=COLOURS[ref],
            stroke_dasharray="4 3",
            rx=3,
        )
        drawing.text(
            x + width / 2,
            top + i * 20 + 12,
            "%s %d" % (ref, pallets),
            size=10.5,
            anchor="middle",
            fill=COLOURS[ref],
        )


def resting(orders, amounts):
    """(ref, pallets, from, until) of requests of which so much is open."""
    return [
        (ref, pallets, day(orders[ref][1]["from_day"]), day(orders[ref][1]["until_day"]))
        for ref, pallets in amounts
    ]


def calendar(path, events, orders):
    drawing = Drawing(800, 512, "A chamber's calendar before and after a cancellation")
    offer = orders["hall-7"][1]
    told = [
        event
        for event in events
        if event.get("match", {}).get("offer", {}).get("ref") == "hall-7" and event["account"] == offer["account"]
    ]
    before = next(i for i, event in enumerate(told) if event["type"] == "match.cancelled")
    for top, title, count, rest in (
        (
            62,
            "hall-7: 100 pallet places, 8 March to 4 April",
            before,
            (("butter", 70), ("cheese", 70), ("grapes", 20)),
        ),
        (340, "after the apples were cancelled", len(told), (("cheese", 70),)),
    ):
        chamber = Chamber(offer, top)
        drawing.text(20, top - 34, title, size=14, weight="bold")
        for date in chamber.days():
            bold = date.weekday() == 0
            drawing.text(
                chamber.x(date) + chamber.cell / 2,
                top - 7,
                date.day,
                size=10,
                anchor="middle",
                fill=INK if bold else GREY,
                weight="bold" if bold else None,
            )
        days_used(drawing, chamber, lots_of(events, "hall-7", count))
        waiting(drawing, chamber, resting(orders, rest), top + chamber.height + 30)
    drawing.line(20, 280, 780, 280, stroke=PALE)
    drawing.save(path)

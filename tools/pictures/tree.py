"""The pictures of one search of the tree, from search.json (crossdock-picture-search)."""

import json
import pathlib

from country import Map, label
from svg import BLUE, GREEN, GREY, INK, ORANGE, PALE, PANEL, PURPLE, Drawing, tint

SEARCH = pathlib.Path(__file__).resolve().with_name("search.json")
ROAD_FACTOR, KM_A_DEGREE = 1.25, 111.195
TOWNS = {
    "Beijing": (39.9075, 116.3972),
    "Shanghai": (31.2222, 121.4581),
    "Guangzhou": (23.1167, 113.25),
    "Wuhan": (30.5833, 114.2667),
    "Nanjing": (32.0617, 118.7778),
    "Chengdu": (30.6667, 104.0667),
}
OPENED, WAITING, RULED_OUT, UNTOUCHED, JUDGED = range(5)
COLOURS = (tint(ORANGE, 0.55), tint(PURPLE, 0.5), tint(BLUE, 0.4), tint(GREY, 0.16), GREEN)
WORDS = (
    "{nodes} nodes opened: each had the greatest bound on the list",
    "{nodes} nodes and {orders} orders still on the list when the search ended",
    "{nodes} nodes and {orders} orders passed over: they cannot fit",
    "{nodes} nodes and their orders never looked at",
    "{orders} order checked exactly: the winner",
)


class Node:
    def __init__(self, told):
        self.depth, self.leaf = told["depth"], told["leaf"]
        self.bound, self.turn = told.get("bound"), told.get("turn", 0)
        self.orders, self.box = told.get("orders", 0), told.get("box")
        self.children = []
        self.passed, self.judged = told.get("passed", 0), told.get("judged", 0)
        self.fate = OPENED if self.turn else WAITING if self.bound else UNTOUCHED


def read():
    """(what was told, the root, every node from the root on)."""
    told = json.loads(SEARCH.read_text(encoding="utf-8"))
    nodes, way = [], []
    for item in told["nodes"]:
        node = Node(item)
        del way[node.depth :]
        if way:
            way[-1].children.append(node)
        way.append(node)
        nodes.append(node)
    for node in reversed(nodes):
        node.orders += sum(child.orders for child in node.children)
        for child in node.children:
            if node.turn and child.fate == UNTOUCHED:
                child.fate = RULED_OUT
    return told, nodes[0], nodes


# --- on the map -------------------------------------------------------------------------------------------------


def box(drawing, ground, node, **options):
    south, west, north, east = node.box
    x1, y1 = ground.at(north, west)
    x2, y2 = ground.at(south, east)
    x1, y1 = max(x1, ground.x), max(y1, ground.y)
    x2, y2 = min(x2, ground.x + ground.width), min(y2, ground.y + ground.height)
    if x2 > x1 and y2 > y1:
        drawing.rect(x1, y1, x2 - x1, y2 - y1, **options)


def map_panel(drawing, ground, told, nodes, towns):
    ground.ground(drawing)
    leaves = [node for node in nodes if node.leaf]
    for node in leaves:
        if not node.turn:
            box(drawing, ground, node, fill="none", stroke=tint(BLUE, 0.55), stroke_width=0.8)
    for node in leaves:
        if node.turn:
            box(drawing, ground, node, fill=ORANGE, fill_opacity=0.14, stroke=ORANGE, stroke_width=1.6)
    request, match = told["request"], told["match"]
    x, y = ground.at(request["lat"], request["lon"])
    radius = request["radius_km"] / ROAD_FACTOR / KM_A_DEGREE * ground.scale
    drawing.circle(x, y, radius, fill="none", stroke=INK, stroke_width=1.2, stroke_dasharray="5 4")
    for name in towns:
        point = ground.at(*TOWNS[name])
        east = point[0] > ground.x + ground.width - 60
        label(
            drawing, point, name, dx=-5 if east else 5, dy=-6, size=10.5, fill=GREY, anchor="end" if east else None
        )
    drawing.circle(x, y, 5, fill=INK)
    drawing.circle(*ground.at(match["lat"], match["lon"]), 5, fill=GREEN, stroke=PANEL, stroke_width=1.5)


def on_map(path):
    told, _, nodes = read()
    leaves = [node for node in nodes if node.leaf]
    opened = sum(node.turn > 0 for node in leaves)
    drawing = Drawing(800, 500, "The leaves of a tree over 5,000 cold stores, and one search")
    drawing.text(
        20,
        28,
        "{:,} cold stores in {} leaves: {} looked into".format(told["stores"], len(leaves), opened),
        size=14,
        weight="bold",
    )
    map_panel(
        drawing,
        Map(20, 46, 420, 400, 20.5, 42, 102),
        told,
        nodes,
        ("Beijing", "Shanghai", "Guangzhou", "Wuhan", "Chengdu"),
    )
    map_panel(drawing, Map(456, 46, 324, 400, 29.8, 35.2, 116.7), told, nodes, ("Nanjing", "Shanghai"))
    key(drawing, 474)
    drawing.save(path)


def key(drawing, y):
    drawing.rect(20, y - 10, 16, 12, fill="none", stroke=tint(BLUE, 0.55))
    drawing.text(42, y, "a leaf: the box of its places", size=11)
    drawing.rect(216, y - 10, 16, 12, fill=tint(ORANGE, 0.2), stroke=ORANGE, stroke_width=1.6)
    drawing.text(238, y, "looked into", size=11)
    drawing.circle(322, y - 4, 5, fill=INK)
    drawing.text(332, y, "request and its radius", size=11)
    drawing.circle(476, y - 4, 5, fill=GREEN)
    drawing.text(486, y, "the store that won", size=11)
    drawing.text(780, y, "Places: GeoNames", size=10.5, fill=GREY, anchor="end")


# --- in the tree ------------------------------------------------------------------------------------------------


def tally(nodes):
    """How many nodes, and how many orders, met each fate."""
    found = [[0, 0] for _ in COLOURS]
    for node in nodes:
        found[node.fate][0] += 1
        if node.leaf and node.turn:
            for fate, orders in orders_of(node):
                found[fate][1] += orders
    return found


def orders_of(leaf):
    """(fate, how many) of the orders of a leaf that was looked into."""
    return (
        (JUDGED, leaf.judged),
        (WAITING, leaf.passed - leaf.judged),
        (RULED_OUT, leaf.orders - leaf.passed),
    )


def icicle(drawing, node, x, scale, top, row):
    y = top + node.depth * row
    drawing.rect(x, y, max(node.orders * scale - 0.8, 0.6), row - 2, fill=COLOURS[node.fate])
    for child in node.children:
        icicle(drawing, child, x, scale, top, row)
        x += child.orders * scale
    if node.leaf and node.turn:
        for fate, orders in orders_of(node):
            drawing.rect(x, y + row, orders * scale, row - 2, fill=COLOURS[fate])
            x += orders * scale


def winner(drawing, node, x, scale, top, row):
    """A mark below the order that was judged."""
    if node.judged:
        drawing.rect(x - 0.6, top + (node.depth + 1) * row - 2, 2.4, row + 2, fill=GREEN)
    for child in node.children:
        winner(drawing, child, x, scale, top, row)
        x += child.orders * scale


def turns(drawing, told, nodes, top, height):
    """The bound of what was taken in each turn, down to the surplus that ended the search."""
    taken = [
        (node.turn, node.bound, ORANGE if node.leaf else PANEL, ORANGE)
        for node in nodes
        if node.turn and node.bound
    ]
    taken += [(order["turn"], order["bound"], GREEN, GREEN) for order in told["judged"]]
    taken.sort()
    surplus, high = told["match"]["surplus"], taken[0][1]
    left, step = 92, 640 / (taken[-1][0] + 1)

    def y(value):
        return top + height - (value - surplus) / ((high - surplus) * 1.15) * (height - 12)

    drawing.text(20, top - 8, "The same search, turn by turn: the bound of what was taken", weight="bold")
    drawing.line(left, y(surplus), left + 660, y(surplus), stroke=GREEN, stroke_width=1.6)
    drawing.text(left - 8, y(surplus) + 4, "{:,.2f}".format(surplus), size=11, anchor="end", fill=GREEN)
    drawing.text(left - 8, y(high) + 4, "{:,.2f}".format(high), size=11, anchor="end")
    drawing.path([(left + turn * step, y(bound)) for turn, bound, _, _ in taken], stroke=tint(ORANGE, 0.5))
    for turn, bound, fill, stroke in taken:
        drawing.circle(left + turn * step, y(bound), 5, fill=fill, stroke=stroke, stroke_width=1.5)
    drawing.text(
        left, y(surplus) + 18, "the winner's surplus: nothing left on the list can be better", size=11, fill=GREEN
    )
    x = 470
    for text, fill, stroke in (
        ("a branch", PANEL, ORANGE),
        ("a leaf", ORANGE, ORANGE),
        ("an order, checked exactly", GREEN, GREEN),
    ):
        drawing.circle(x, top - 12, 5, fill=fill, stroke=stroke, stroke_width=1.5)
        drawing.text(x + 9, top - 8, text, size=11)
        x += 28 + 6.2 * len(text)


def in_tree(path):
    told, root, nodes = read()
    depth = max(node.depth for node in nodes)
    row = 144 / (depth + 2)
    drawing = Drawing(800, 500, "One search of the tree, from the root to the leaves and their orders")
    drawing.text(
        20, 28, "The whole tree, the root on top: each node is as wide as it has orders", size=14, weight="bold"
    )
    icicle(drawing, root, 20, 760 / root.orders, 44, row)
    winner(drawing, root, 20, 760 / root.orders, 44, row)
    found = tally(nodes)
    for i, fate in enumerate((OPENED, JUDGED, WAITING, RULED_OUT, UNTOUCHED)):
        x, y = 20, 212 + i * 20
        drawing.rect(x, y - 10, 14, 12, fill=COLOURS[fate])
        drawing.text(x + 22, y, WORDS[fate].format(nodes=found[fate][0], orders=found[fate][1]), size=11.5)
    drawing.line(20, 308, 780, 308, stroke=PALE)
    turns(drawing, told, nodes, 340, 120)
    drawing.save(path)

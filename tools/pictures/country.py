"""A piece of China on paper, from the places that the load generator plays with."""

import csv
import math
import pathlib

from svg import GREY, INK, tint

PLACES = pathlib.Path(__file__).resolve().parents[2] / "clients" / "bench" / "data" / "cn_places.csv"


def places():
    """(name, lat, lon, people) of every place."""
    with open(PLACES, encoding="utf-8") as file:
        return [
            (row["name"], float(row["lat"]), float(row["lon"]), float(row["population"]))
            for row in csv.DictReader(file)
        ]


def nearest(lat, lon):
    """The name of the place nearest to a point."""

    def away(place):
        return (place[1] - lat) ** 2 + ((place[2] - lon) * math.cos(math.radians(lat))) ** 2

    return min(places(), key=away)[0]


class Map:
    """Latitude and longitude to a rectangle of paper: plate carree, true to scale in the middle latitude."""

    def __init__(self, x, y, width, height, south, north, west):
        self.x, self.y, self.width, self.height = x, y, width, height
        self.scale = height / (north - south)
        self.shrink = math.cos(math.radians((south + north) / 2))
        self.north, self.west = north, west

    def at(self, lat, lon):
        return self.x + (lon - self.west) * self.scale * self.shrink, self.y + (self.north - lat) * self.scale

    def holds(self, lat, lon):
        x, y = self.at(lat, lon)
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height

    def ground(self, drawing, colour="#f4f7f9"):
        """The panel, and every town on it as a dot by its size."""
        drawing.rect(self.x, self.y, self.width, self.height, fill=colour, rx=4)
        for low, high, radius in ((0, 3e5, 0.8), (3e5, 1e6, 1.3), (1e6, 1e9, 2.2)):
            seen = [
                self.at(lat, lon)
                for _, lat, lon, people in places()
                if low <= people < high and self.holds(lat, lon)
            ]
            drawing.dots(seen, radius, tint(GREY, 0.45))


def label(drawing, point, text, dx=7, dy=4, anchor=None, fill=INK, size=11, weight=None):
    drawing.text(point[0] + dx, point[1] + dy, text, size=size, anchor=anchor, fill=fill, halo=True, weight=weight)

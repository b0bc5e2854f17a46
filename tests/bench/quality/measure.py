"""One book: what continuous matching made of it, what could have been made of it, and whether both are right."""

import json
import os
import subprocess
import sys
import time
from fractions import Fraction

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
sys.path.insert(0, os.path.join(ROOT, "tests/checker"))

import books
import storage_optimum
import truck_optimum
from figures import Roads, fixed
from orders import Order

PROGRAM = "crossdock-bench-quality"
CURRENCY = "CNY"

# Of the storage optimum, in hundredths of the currency: what CBC's arithmetic leaves open. Trucks are exact.
TOLERANCE = 1
# Every so many books of storage are given to a second solver.
SECOND_OPINION = 10
# How far the surplus of a match as told may be from that before rounding, in hundredths: a quote and an access cost
# are rounded by half a hundredth, a limit by a whole one.
TOLD = 2


class Wrong(Exception):
    """Something that must hold of every book does not hold of this one."""


class Engine:
    """The engine in its own process, given books one after the other."""

    def __init__(self):
        path = os.path.join(os.environ.get("XD_BIN", os.path.join(ROOT, "build/release/bin")), PROGRAM)
        self.process = subprocess.Popen([path], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def play(self, book):
        orders = [{"account": account, "order": order} for account, order in book]
        self.process.stdin.write(json.dumps({"now": books.NOW, "orders": orders}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Wrong("the engine ended with %s" % self.process.wait())
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class Book:
    """The orders of a book as the rules read them."""

    def __init__(self, kind, load, seed):
        self.kind, self.load, self.seed = kind, load, seed
        self.written = books.make(kind, load, seed)
        self.roads = Roads()
        orders = [Order(dict(order, account=account), CURRENCY) for account, order in self.written]
        self.by_ref = {order.ref: order for order in orders}
        self.offers = [order for order in orders if order.offer]
        self.requests = [order for order in orders if not order.offer]
        self.truck = self.offers[0].truck

    def pair(self, match):
        return self.by_ref[match["offer"]["ref"]], self.by_ref[match["request"]["ref"]]

    def settle(self, match):
        """Where a distance is within a micrometre of a half, the engine's is taken."""
        offer, request = self.pair(match)
        ends = (request.start, request.to) if self.truck else (offer.at, request.at)
        if not self.roads.settle(*ends, fixed(match["km"], 3)):
            raise Wrong("%s is told as %s km" % (match["id"], match["km"]))


def served(parts):
    """How many requests, parts of them counted as parts."""
    return float(sum(Fraction(part, request.amount) for request, part in parts))


def storage_engine(book, matches):
    taken = [(*book.pair(match), fixed(match["m2" if book.kind.startswith("w") else "pallets"], 2))
             for match in matches]
    wrong = storage_optimum.broken(taken, book.roads)
    if wrong:
        raise Wrong("the engine broke %s" % ", ".join(wrong))
    return storage_optimum.worth(taken, book.roads), served((request, part) for _, request, part in taken)


def storage_best(book):
    taken = storage_optimum.optimum(book.offers, book.requests, book.roads)
    wrong = storage_optimum.broken(taken, book.roads)
    if wrong:
        raise Wrong("the optimum breaks %s" % ", ".join(wrong))
    value = storage_optimum.worth(taken, book.roads)
    if book.seed % SECOND_OPINION == 0:
        second = storage_optimum.second_opinion(book.offers, book.requests, book.roads)
        if second is not None and abs(second - value) > TOLERANCE:
            raise Wrong("CBC's optimum is %s, GLPK's %s" % (float(value), second))
    return value, served((request, part) for _, request, part in taken)


def truck_engine(book, matches):
    value = 0
    for match in matches:
        offer, request = book.pair(match)
        value += truck_optimum.alone(offer, request, book.roads.metres(request.start, request.to))
        value -= truck_optimum.detour_cost(offer, fixed(match["added_km"], 3))
    return Fraction(value, truck_optimum.UNIT), float(len(matches))


def truck_best(book):
    plans = truck_optimum.optimum(book.offers, book.requests, book.roads)
    wrong = truck_optimum.broken(plans, book.roads, books.NOW)
    if wrong:
        raise Wrong("the optimum breaks %s" % ", ".join(wrong))
    return Fraction(truck_optimum.worth(plans, book.roads), truck_optimum.UNIT), \
        sum(len(stops) for _, stops in plans) / 2


class Result:
    """Hundredths of the currency, and requests served; how long the optimum took."""

    def __init__(self, book, engine):
        matches = engine.play(book.written)
        for match in matches:
            book.settle(match)
        found, best, tolerance = (truck_engine, truck_best, 0) if book.truck else \
            (storage_engine, storage_best, TOLERANCE)
        self.engine, self.engine_served = found(book, matches)
        began = time.monotonic()
        self.optimum, self.optimum_served = best(book)
        self.seconds = time.monotonic() - began
        told = sum(fixed(match["surplus"], 2) for match in matches)
        if abs(told - self.engine) > TOLD * len(matches):
            raise Wrong("the engine told a surplus of %s, it is %s" % (told, float(self.engine)))
        if self.engine > self.optimum + tolerance:
            raise Wrong("the engine's %s are more than the optimum's %s" %
                        (float(self.engine), float(self.optimum)))

    @property
    def share(self):
        return float(self.engine / self.optimum)


def measure(kind, load, seed, engine):
    """The result of a book; Wrong names it."""
    try:
        return Result(Book(kind, load, seed), engine)
    except (Wrong, storage_optimum.Unsolved) as why:
        raise Wrong("%s, %s, book %d: %s" % (kind, load, seed, why)) from why

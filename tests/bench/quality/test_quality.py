#!/usr/bin/python3 -B
"""The short form of ./bench quality, and a check of its optima: on the smallest books every assignment there is is
tried, with nothing but the checker's rules. XD_BIN is where the programs are."""

import itertools
import unittest

import books
import measure
import storage_optimum
import truck_optimum
from figures import Roads
from fits import objections
from plan import Plan, Stop

BOOKS = 4  # of each kind and load
TINY = 16  # books of each kind tried out in full


def tiny(kind, seed, offers, requests):
    """A book cut down to so many offers and requests."""
    book = measure.Book(kind, "crowded", seed)
    return book.offers[:offers], book.requests[:requests], book.roads


def storage_by_trial(offers, requests, roads):
    """Every request to every offer or to none; requests that are not split."""
    best = 0
    for chosen in itertools.product([None, *offers], repeat=len(requests)):
        taken = [(offer, request, request.amount) for offer, request in zip(chosen, requests) if offer]
        if not storage_optimum.broken(taken, roads):
            best = max(best, storage_optimum.worth(taken, roads))
    return best


def parts_by_trial(offers, request, roads):
    """Every way to split one request by whole pallets, or four square metres."""
    best, step = 0, 100 if request.kind == "cold" else 400
    for parts in itertools.product(range(0, request.amount + 1, step), repeat=len(offers)):
        taken = [(offer, request, part) for offer, part in zip(offers, parts) if part]
        if sum(parts) <= request.amount and not storage_optimum.broken(taken, roads):
            best = max(best, storage_optimum.worth(taken, roads))
    return best


def truck_by_trial(offer, requests, roads):
    """The most one truck can earn: every order of the stops of every set of loads."""
    best = 0
    for count in range(1, len(requests) + 1):
        for loads in itertools.combinations(requests, count):
            stops = [(load, delivery) for load in loads for delivery in (False, True)]
            for order in itertools.permutations(stops):
                if in_order(order) and carried(offer, order, roads):
                    best = max(best, truck_optimum.plan_worth(offer, order, roads))
    return best


def in_order(stops):
    return all(stops.index((load, False)) < stops.index((load, True)) for load, _ in stops)


def carried(offer, stops, roads):
    plan = Plan(offer, roads)
    if any(objections(offer, load) or truck_optimum.alone(offer, load, plan.direct(load)) < 0
           for load, _ in stops):
        return False
    listed = [Stop(load, delivery) for load, delivery in stops]
    return plan.feasible(listed, plan.times(listed, 0, books.NOW), books.NOW)


class Optima(unittest.TestCase):
    def test_storage_is_what_trial_finds(self):
        gained = 0
        for kind in ("cold", "warehouse"):
            for seed in range(TINY):
                offers, requests, roads = tiny(kind, seed, 2, 6)
                found = storage_optimum.worth(storage_optimum.optimum(offers, requests, roads), roads)
                self.assertAlmostEqual(float(found), float(storage_by_trial(offers, requests, roads)), 3)
                gained += found > 0
        self.assertGreater(gained, TINY // 2)

    def test_parts_are_no_less_than_trial_finds(self):
        split = 0
        for kind in ("cold, parts", "warehouse, parts"):
            for seed in range(TINY):
                offers, requests, roads = tiny(kind, seed, 2, 4)
                for offer in offers:  # so small that requests must be split
                    offer.amounts = {dim: amount // 1200 * 400 for dim, amount in offer.amounts.items()}
                for request in requests:
                    taken = storage_optimum.optimum(offers, [request], roads)
                    self.assertEqual(storage_optimum.broken(taken, roads), [])
                    self.assertGreaterEqual(float(storage_optimum.worth(taken, roads)) + 1e-3,
                                            float(parts_by_trial(offers, request, roads)), (kind, seed))
                    split += len(taken) == 2
        self.assertGreater(split, 0)

    def test_labels_that_are_shorter_or_earlier_are_kept(self):
        labels = [(12, 3), (10, 5), (13, 4), (9, 9), (10, 6)]
        self.assertEqual(truck_optimum.undominated(labels), [(9, 9), (10, 5), (12, 3)])

    def test_trucks_are_what_trial_finds(self):
        gained = 0
        for kind in ("truck, lane", "truck, roaming"):
            for seed in range(TINY):
                offers, requests, roads = tiny(kind, seed, 1, 3)
                found = truck_optimum.worth(truck_optimum.optimum(offers, requests, roads), roads)
                self.assertEqual(found, truck_by_trial(offers[0], requests, roads), (kind, seed))
                gained += found > 0
        self.assertGreater(gained, TINY // 2)

    def test_trucks_share_the_loads(self):
        """Of two trucks: the best of every way to part the loads between them."""
        for seed in range(TINY):
            offers, requests, roads = tiny("truck, lane", seed, 2, 3)
            best = 0
            for chosen in itertools.product((0, 1), repeat=len(requests)):
                best = max(best, sum(
                    truck_by_trial(offer, [r for r, c in zip(requests, chosen) if c == i], roads)
                    for i, offer in enumerate(offers)))
            self.assertEqual(truck_optimum.worth(truck_optimum.optimum(offers, requests, roads), roads), best)


class Books(unittest.TestCase):
    def test_the_engine_gains_no_more_than_the_optimum(self):
        engine = measure.Engine()
        self.addCleanup(engine.close)
        for kind in books.KINDS:
            for load in books.LOADS:
                shares = [result.share for result in
                          (measure.measure(kind, load, seed, engine) for seed in range(BOOKS)) if result.optimum]
                self.assertGreater(max(shares), 0.3, (kind, load))


if __name__ == "__main__":
    unittest.main(verbosity=2)

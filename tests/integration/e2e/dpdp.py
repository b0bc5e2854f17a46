#!/usr/bin/python3
"""The order books of the ICAPS 2021 dynamic pickup and delivery competition (../shared/data/dpdp) as a day of
truck requests, and their vehicles as truck offers, played through the wire and checked.

    XD_BIN=build/release/bin dpdp.py [INSTANCE...]     all of them if none is named

Prints for each instance its orders, what was matched and the kilometres driven. Exit status 1 if any promise
was broken."""

import csv
import math
import sys
import time

import play

DATA = play.SHARED / "data" / "dpdp"
DAY_START = 1893456000  # 2030-01-01T00:00:00Z
DAY_S = 86400
KG_PER_PALLET = 500
VEHICLE_PALLETS = 15
HEAR_EVERY = 50  # orders
ALL_OVER = DAY_START + 40 * DAY_S  # the clock has completed every match


def available():
    return DATA.is_dir()


def instances(least=0, most=1000000):
    """The folders of so many orders, in the order of their numbers."""
    folders = sorted(DATA.glob("instance_*"), key=lambda path: int(path.name.split("_")[1]))
    return [folder for folder in folders if least <= int(book_of(folder).name.split("_")[0]) <= most]


def book_of(folder):
    """The file of its orders: ORDERS_NUMBER.csv."""
    (path,) = [path for path in folder.glob("*.csv") if not path.name.startswith("vehicle")]
    return path


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def factories():
    """The places, in the order of the file."""
    return {row["factory_id"]: {"lat": float(row["latitude"]), "lon": float(row["longitude"])}
            for row in rows(DATA / "factory_info.csv")}


def clock_s(text):
    hours, minutes, seconds = map(int, text.split(":"))
    return 3600 * hours + 60 * minutes + seconds


def requests_of(folder, places):
    """The orders as truck requests, in order of creation; `time` is when each is submitted."""
    found = []
    for row in rows(book_of(folder)):
        created = clock_s(row["creation_time"])
        done = clock_s(row["committed_completion_time"])
        done += DAY_S if done <= created else 0
        pallets = float(row["demand"])
        found.append({
            "side": "request", "kind": "truck", "ref": row["order_id"],
                      "account": "f-" + row["pickup_id"][:8],
            "time": DAY_START + created, "from": places[row["pickup_id"]], "to": places[row["delivery_id"]],
            "pallets": row["demand"], "kg": round(KG_PER_PALLET * pallets),
                      "pickup_from": DAY_START + created,
            "pickup_until": DAY_START + done, "deliver_until": DAY_START + done,
            "load_min": math.ceil(int(row["load_time"]) / 60),
                      "unload_min": math.ceil(int(row["unload_time"]) / 60),
            "max_price": 100000})
    return sorted(found, key=lambda order: order["time"])


def offers_of(folder, places):
    """The vehicles as truck offers: no end of their own, a generous detour; vehicle n starts at the n-th
    factory."""
    (path,) = folder.glob("vehicle_info_*.csv")
    starts = list(places.values())
    return [{"side": "offer", "kind": "truck", "ref": row["car_num"], "account": "fleet-" + row["car_num"],
             "time": DAY_START, "from": starts[number % len(starts)], "pallets": VEHICLE_PALLETS,
             "kg": KG_PER_PALLET * VEHICLE_PALLETS, "max_detour_km": 20000, "available_from": DAY_START,
             "available_until": DAY_START + 3 * DAY_S, "base": 10, "per_t_km": 0.5, "per_detour_km": 2}
            for number, row in enumerate(rows(path))]


def run(folder, **checks):
    """(market, checker) of an instance played to its end; market.seconds says how long that took."""
    started = time.monotonic()
    places = factories()
    requests, offers = requests_of(folder, places), offers_of(folder, places)
    checker = play.Checker([], **checks)
    with play.start() as broker, play.Market(broker, checker) as market:
        market.clock(DAY_START)
        market.submit(offers)
        first = 0
        while first < len(requests):
            now = requests[first]["time"]
            last = first
            while last < len(requests) and requests[last]["time"] == now:
                last += 1
            market.submit(requests[first:last], at=now)
            if last // HEAR_EVERY != first // HEAR_EVERY:
                market.hear()
            first = last
        market.clock(ALL_OVER)
        market.hear_all()
        play.check(market)
    market.seconds = time.monotonic() - started
    return market, checker


def kilometres(checker):
    """(driven, with at least one load's own way paid for) by all trucks."""
    plans = [order.room for order in checker.book.orders.values() if order.offer]
    driven = sum(plan.length() for plan in plans)
    loaded = sum(match.fit.km_m for match in checker.book.matches.values())
    return driven / 1000, loaded / 1000


def report(folder, checker, seconds):
    requests = [order for order in checker.book.orders.values() if not order.offer]
    driven, loaded = kilometres(checker)
    trucks = len(checker.book.orders) - len(requests)
    return "%-12s %5d orders %4d trucks %5d matched %9.0f km driven %9.0f km of loads  %s  %.1f s" % (
        folder.name, len(requests), trucks, len(checker.book.matches), driven, loaded,
        dict(checker.report.counts) or "nothing wrong", seconds)


def main():
    if not available():
        print("dpdp: no order books in %s" % DATA)
        return 0
    wrong = 0
    for folder in instances():
        if len(sys.argv) > 1 and folder.name not in sys.argv[1:]:
            continue
        market, checker = run(folder)
        for line in checker.report.lines:
            print(line)
        print(report(folder, checker, market.seconds), flush=True)
        wrong += bool(checker.report.counts)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

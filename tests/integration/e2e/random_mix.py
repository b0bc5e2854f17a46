#!/usr/bin/python3
"""A random market of all three kinds through the wire, then the checker.

    XD_BIN=build/release/bin random_mix.py [--orders 100000] [--seed 1] [--round 50] [--keep DIR]

Exit status 1 if any promise was broken. --keep leaves orders.jsonl and events.jsonl there."""

import argparse
import json
import pathlib
import sys
import time

import play
from checker import Checker
from mix import Mix


def run(orders, seed, round_size, days=12, truck_share=0.4, streamed=False, **checks):
    """(market, checker, seconds to play, seconds to check). Streamed: events are judged as they come and not
    kept."""
    started = time.monotonic()
    judge = Checker([], **checks) if streamed else None
    with play.start("--snapshot-every", "5000") as broker, play.Market(broker, judge) as market:
        play.play(market, Mix(seed, orders, round_size, days, accounts=max(40, orders // 100),
                              truck_share=truck_share))
        played = time.monotonic()
        checker = play.check(market, **checks)
    return market, checker, played - started, time.monotonic() - played


def keep(directory, market):
    path = pathlib.Path(directory)
    path.mkdir(parents=True, exist_ok=True)
    for name, rows in (("orders", market.submitted), ("events", market.events)):
        with open(path / (name + ".jsonl"), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def main():
    parser = argparse.ArgumentParser(description="Play a random market and check it.")
    parser.add_argument("--orders", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--round", type=int, default=50, help="orders that come at one second, about")
    parser.add_argument("--days", type=int, default=12, help="how long the market is open")
    parser.add_argument("--storage", type=int, default=1,
                        help="compare the choice of every N-th storage order")
    parser.add_argument("--trucks", type=int, default=0, help="and of every N-th truck order")
    parser.add_argument("--keep", metavar="DIR")
    chosen = parser.parse_args()
    market, checker, played, checked = run(chosen.orders, chosen.seed, chosen.round, chosen.days,
                                           streamed=not chosen.keep, storage=chosen.storage,
                                           trucks=chosen.trucks)
    if chosen.keep:
        keep(chosen.keep, market)
    for line in checker.report.lines:
        print(line)
    kinds = [match.request.kind for match in checker.book.matches.values()]
    shares = ", ".join("%s %d" % (kind, kinds.count(kind)) for kind in sorted(set(kinds)))
    print("%d orders, %d events, %d matches (%s), %d choices compared; played in %.0f s, checked in %.0f s: "
          "%s"
          % (len(market.results), checker.seen, len(kinds), shares, checker.greedy.looked, played, checked,
             dict(checker.report.counts) or "nothing wrong"))
    return 1 if checker.report.counts else 0


if __name__ == "__main__":
    sys.exit(main())

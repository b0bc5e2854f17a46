#!/usr/bin/python3 -B
"""The short form of ./bench engine --endure: the book keeps its size, memory stays flat, and what is there at the end
can be put away and loaded again. XD_BIN is where the programs are."""

import sys
import tempfile

import endure
import programs

RUNS = (("storage", 400000, 5000), ("truck", 200000, 1000))


def main():
    broken = []
    with tempfile.TemporaryDirectory() as programs.PLACE:
        for shape, commands, resting in RUNS:
            broken += endure.measure(commands, resting, (shape,), timed=False)[1]
    for what in broken:
        print(what)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

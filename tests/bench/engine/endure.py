"""Endurance: so many commands on a book that keeps its size, told in tenths, and what must be so of them."""

import json
import os
import subprocess

import programs
from programs import TREE, Failed, say
from report import Row, size

SHAPES = ("storage", "truck")
SEED, TURNS = 1, 3

LEAST_RATE = 0.9  # of the last tenth, over the first
MOST_RESIDENT = 1.1  # the same
MOST_HEAP = 1.03  # the most there was in the second half, over the most in the first
LEAST_BOOK = 0.99  # of the size it should keep


def call(path, commands):
    """The answers of one run: each tenth is told as it ends."""
    command = [
        os.path.join(programs.BIN, TREE), "endure", "--from", path, "--commands", str(commands)
    ]
    answers = []
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as running:
        for line in running.stdout:
            answers.append(json.loads(line))
            if "part" in answers[-1]:
                say("tenth %(part)d: %(rate).0f commands/s" % answers[-1])
    if running.returncode != 0:
        raise Failed("%s ended with %d" % (" ".join(command), running.returncode))
    return answers[:-1], answers[-1]


def processor_rate(part):
    """Submits and cancels for each second of processor time: on a machine that does other work beside, the clock
    tells of that work, not of the engine."""
    return (part["submits"] + part["cancels"]) / part["processor_s"]


def heap(part):
    return part["heap_bytes"] / part["orders"]


class Endurance:
    """A run of one shape."""

    def __init__(self, shape, commands, resting):
        self.case = "%s %s endurance" % (shape, size(resting))
        self.commands, self.resting = commands, resting
        say("%s commands on %s %s" % (size(commands), shape, size(resting)))
        self.parts, self.end = call(programs.book(shape, resting, TURNS, SEED), commands)
        first, last = self.parts[0], self.parts[-1]
        self.rate = processor_rate(last) / processor_rate(first)
        self.resident = last["resident_bytes"] / first["resident_bytes"]
        half = len(self.parts) // 2
        heaps = [part["heap_bytes"] for part in self.parts]
        self.heap = max(heaps[half:]) / max(heaps[:half])
        self.book = min(part["open_offers"] + part["open_requests"] for part in self.parts) / resting

    def rows(self):
        rows = [Row(self.case, "commands", [self.commands], "")]
        for metric, unit, of in (
            ("commands/s", "1/s", lambda part: part["rate"]),
            ("commands a processor second", "1/s", processor_rate),
            ("p99", "us", lambda part: part["p99_us"]),
            ("resident", "MB", lambda part: part["resident_bytes"] / 1e6),
            ("heap an order held", "B", heap),
        ):
            rows += [Row(self.case, "%s, tenth %d" % (metric, part["part"]), [of(part)], unit)
                     for part in self.parts]
        rows.append(Row(self.case, "commands a processor second, last tenth of first", [100 * self.rate], "%"))
        rows.append(Row(self.case, "resident, last tenth of first", [100 * self.resident], "%"))
        rows.append(Row(self.case, "most heap, second half of first", [100 * self.heap], "%"))
        rows.append(Row(self.case, "smallest book at the end of a tenth", [100 * self.book], "%"))
        return rows

    def broken(self, timed=True):
        """What should have been so and was not, in words. `timed`: of the throughput too."""
        found = []
        if timed and self.rate < LEAST_RATE:
            found.append("the last tenth ran at %.2f of the first" % self.rate)
        if self.resident > MOST_RESIDENT:
            found.append("resident memory grew to %.2f of the first tenth's" % self.resident)
        if self.heap > MOST_HEAP:
            found.append("the heap grew to %.3f of the first half's" % self.heap)
        if self.book < LEAST_BOOK:
            found.append("the book fell to %.2f of its size" % self.book)
        if self.end["state"] != self.end["restored"]:
            found.append("the state, put away and loaded, is another")
        return ["%s: %s" % (self.case, what) for what in found]


def measure(commands, resting, shapes=SHAPES, timed=True):
    """(rows, what was not as it should be)"""
    rows, broken = [], []
    for shape in shapes:
        run = Endurance(shape, commands, resting)
        rows += run.rows()
        broken += run.broken(timed)
    return rows, broken

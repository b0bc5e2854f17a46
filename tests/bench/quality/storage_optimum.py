"""The most surplus that a book of storage can give, as a mixed integer program (docs/BENCHMARKS.md, "quality").

Pairs that fit each other alone (the independent checker's rules) are its columns; CBC finds the optimum. Surplus is
counted before any rounding of money, in hundredths."""

import os
import subprocess
import tempfile
from fractions import Fraction

from fits import objections, storage_figures, storage_limits
from storage import Calendar, largest_part

# A surplus that the rules round to 0 is this much below it at most before rounding, in hundredths: a quote and an
# access cost give half a hundredth each. One that is so much below 0 is rounded to TOLD at least: the same once more,
# and a limit rounded down.
ROUNDING = 1
TOLD = -3
SECONDS = 300
SECOND_OPINION_S = 20


class Unsolved(Exception):
    """The solver did not prove an optimum."""


class Pair:
    """An offer and a request that fit, and what a part of the request is worth here."""

    def __init__(self, number, offer, request, km_m):
        self.number, self.offer, self.request, self.km_m = number, offer, request, km_m
        days = request.until_day - request.from_day
        # surplus of a part p: slope * p - fixed
        self.slope = Fraction(request.max_price, request.amount) - Fraction(offer.rate * days, 10 ** 4)
        self.fixed = offer.base + Fraction(request.per_access_km * km_m, 10 ** 5)

    def worth(self, part):
        return self.slope * part - self.fixed

    def most(self):
        """The largest part that the empty offer could take; 0 if it is too small for the offer, or for a request
        that may not be split."""
        part = largest_part(Calendar(self.offer), self.request, self.request.amount)
        whole = self.request.min_part or part == self.request.amount
        return part if whole and part >= self.offer.min_part else 0


def pairs_of(offers, requests, roads):
    """The pairs of which something could be matched if they were alone."""
    found = []
    for offer in offers:
        for request in requests:
            km_m = roads.metres(offer.at, request.at)
            if objections(offer, request) or storage_limits(offer, request, Calendar(offer), km_m):
                continue
            pair = Pair(len(found), offer, request, km_m)
            if pair.most() and pair.worth(pair.most()) >= -ROUNDING:
                found.append(pair)
    return found


# --- the program, in the LP format ---


class Program:
    """Collects rows and columns: y, 1 if the pair is matched; x, how much (requests that may be split); z, 1 if this
    part is all that remained, so that the request's min_part does not bind it; k, kilograms of a part, whole."""

    def __init__(self):
        self.gain, self.rows, self.binary, self.whole, self.bounds = [], [], [], [], []

    def row(self, terms, sense, bound):
        if terms:
            self.rows.append("%s %s %s" % (plus(terms), sense, number(bound)))

    def text(self):
        parts = ["maximize", " gain: " + plus(self.gain), "subject to"]
        parts += [" c%d: %s" % numbered for numbered in enumerate(self.rows)]
        parts += ["bounds"] + self.bounds
        for name, columns in (("general", self.whole), ("binary", self.binary)):
            if columns:
                parts += [name, " ".join(columns)]
        return "\n".join(parts + ["end", ""])


def number(value):
    return "%.12g" % float(value)


def plus(terms):
    """Broken into lines of ten: readers of the format have short ones."""
    words = ["%s %s %s" % ("-" if factor < 0 else "+", number(abs(factor)), name) for factor, name in terms]
    return "\n  ".join(" ".join(words[i:i + 10]) for i in range(0, len(words), 10))


def main_amount(pair):
    """How much of the offer's main unit the pair takes, as terms."""
    if pair.request.min_part:
        return [(1, "x%d" % pair.number)]
    return [(pair.request.amount, "y%d" % pair.number)]


def other_amount(pair, dim):
    need = pair.request.amounts.get(dim, 0)
    if not need:
        return []
    if pair.request.min_part:
        return [(1, "k%d_%s" % (pair.number, dim))]
    return [(need, "y%d" % pair.number)]


def add_pair(program, pair):
    request, offer = pair.request, pair.offer
    x, y, z = ("%s%d" % (letter, pair.number) for letter in "xyz")
    program.binary.append(y)
    if not request.min_part:
        program.gain.append((pair.worth(request.amount), y))
        return
    program.gain += [(pair.slope, x), (-pair.fixed, y)]
    program.binary.append(z)
    program.whole.append(x)
    program.bounds.append(" 0 <= %s <= %d" % (x, request.amount))
    program.row([(1, x), (-pair.most(), y)], "<=", 0)
    program.row([(1, x), (-offer.min_part, y)], ">=", 0)
    program.row([(1, x), (-request.min_part, y), (request.min_part, z)], ">=", 0)
    program.row([(1, z), (-1, y)], "<=", 0)
    program.row([(pair.slope, x), (ROUNDING - pair.fixed, y)], ">=", 0)
    for dim, need in request.amounts.items():
        if dim != request.main and dim in offer.amounts:
            k = "k%d_%s" % (pair.number, dim)
            program.whole.append(k)
            program.bounds.append(" 0 <= %s <= %d" % (k, need))
            program.row([(request.amount, k), (-need, x)], ">=", 0)


def add_request(program, request, pairs):
    mine = [pair for pair in pairs if pair.request is request]
    if not request.min_part:
        program.row([(1, "y%d" % pair.number) for pair in mine], "<=", 1)
        return
    lasts = [(1, "z%d" % pair.number) for pair in mine]
    parts = [(1, "x%d" % pair.number) for pair in mine]
    program.row(lasts, "<=", 1)
    program.row(parts, "<=", request.amount)
    program.row(parts + [(-request.amount, name) for _, name in lasts], ">=", 0)


def add_calendar(program, offer, pairs):
    """A row for each dimension and day; days on which no request begins have no more on them than the day before."""
    mine = [pair for pair in pairs if pair.offer is offer]
    for day in sorted({pair.request.from_day for pair in mine}):
        there = [pair for pair in mine if pair.request.from_day <= day < pair.request.until_day]
        for dim, room in offer.amounts.items():
            terms = []
            for pair in there:
                terms += main_amount(pair) if dim == pair.request.main else other_amount(pair, dim)
            program.row(terms, "<=", room)


def program_of(offers, requests, pairs):
    program = Program()
    for pair in pairs:
        add_pair(program, pair)
    for request in requests:
        add_request(program, request, pairs)
    for offer in offers:
        add_calendar(program, offer, pairs)
    return program


# --- solving ---


def solve(text):
    """{column: value} of a proven optimum."""
    with tempfile.TemporaryDirectory() as folder:
        model, solution = os.path.join(folder, "model.lp"), os.path.join(folder, "solution")
        with open(model, "w", encoding="ascii") as file:
            file.write(text)
        command = ["cbc", model, "ratio", "0", "allow", "0", "sec", str(SECONDS), "solve", "solution", solution]
        said = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True).stdout
        with open(solution, encoding="ascii") as file:
            lines = file.read().splitlines()
    if not lines[0].startswith("Optimal"):
        raise Unsolved(lines[0] + "\n" + said)
    return {line.split()[1]: float(line.split()[2]) for line in lines[1:]}


def second_opinion(offers, requests, roads):
    """What GLPK finds the same program to be worth, in hundredths; None if it does not finish."""
    pairs = pairs_of(offers, requests, roads)
    if not pairs:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        model, solution = os.path.join(folder, "model.lp"), os.path.join(folder, "solution")
        with open(model, "w", encoding="ascii") as file:
            file.write(program_of(offers, requests, pairs).text())
        command = ["glpsol", "--lp", model, "--mipgap", "0", "--tmlim", str(SECOND_OPINION_S), "--write", solution]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        with open(solution, encoding="ascii") as file:
            status = next(line.split() for line in file if line.startswith("s mip"))
    return float(status[5]) if status[4] == "o" else None


def optimum(offers, requests, roads):
    """[(offer, request, part)] of an optimum."""
    pairs = pairs_of(offers, requests, roads)
    if not pairs:
        return []
    values = solve(program_of(offers, requests, pairs).text())
    taken = []
    for pair in pairs:
        if values.get("y%d" % pair.number, 0) < 0.5:
            continue
        part = pair.request.amount
        if pair.request.min_part:
            part = round(values.get("x%d" % pair.number, 0))
        if part:
            taken.append((pair.offer, pair.request, part))
    return taken


# --- what an assignment is worth, and whether it may be ---


def worth(taken, roads):
    """The surplus of an assignment, before rounding, in hundredths."""
    return sum(Pair(0, offer, request, roads.metres(offer.at, request.at)).worth(part)
               for offer, request, part in taken)


def broken(taken, roads):
    """What an assignment breaks, by the checker's rules alone: nothing of the program is used."""
    found, calendars, parts = [], {}, {}
    for offer, request, part in taken:
        km_m = roads.metres(offer.at, request.at)
        calendar = calendars.setdefault(offer, Calendar(offer))
        found += objections(offer, request) + storage_limits(offer, request, calendar, km_m)
        fit = storage_figures(offer, request, part, km_m)
        if fit.surplus < TOLD:
            found.append("surplus")
        if part < offer.min_part:
            found.append("part-offer-min")
        calendar.add(request, fit.amounts)
        if calendar.overrun(request):
            found.append("calendar")
        parts.setdefault(request, []).append(part)
    for request, mine in parts.items():
        small = sum(part < request.min_part for part in mine)
        if sum(mine) > request.amount or (not request.min_part and mine != [request.amount]):
            found.append("amount")
        if small > (sum(mine) == request.amount):
            found.append("part-small")
    return found


"""What came of it: rows, as people and as programs read them."""

import json
import statistics


class Row:
    """A figure of a case, from one run or the median of several, beside the opponent's where there is one."""

    def __init__(self, case, metric, values, unit, against=None, theirs=(), better="more"):
        self.case, self.metric, self.unit, self.against = case, metric, unit, against
        self.values = [value for value in values if value is not None]
        self.theirs = list(theirs)
        self.value = statistics.median(self.values)
        self.their_value = statistics.median(self.theirs) if self.theirs else None
        self.better = better

    @property
    def ratio(self):
        """How many times better we are."""
        if not self.their_value or not self.value:
            return None
        return self.value / self.their_value if self.better == "more" else self.their_value / self.value

    def line(self):
        row = {
            "bench": "engine",
            "case": self.case,
            "metric": self.metric,
            "value": rounded(self.value),
            "unit": self.unit,
            "against": self.against,
            "ratio": rounded(self.ratio),
        }
        if len(self.values) > 1:
            row["low"], row["high"] = rounded(min(self.values)), rounded(max(self.values))
        if self.their_value is not None:
            row["against_value"] = rounded(self.their_value)
        return json.dumps(row)


def rounded(value):
    return value if value is None or isinstance(value, int) else float("%.5g" % value)


def text(value):
    """For people: 451,000 or 12.3 or 0.845."""
    if value is None:
        return "-"
    if abs(value) >= 1000:
        return "{:,.0f}".format(float("%.4g" % value))
    return "%.4g" % value


def spread(row):
    if len(row.values) < 2:
        return ""
    return "%s .. %s" % (text(min(row.values)), text(max(row.values)))


def cells(row):
    against = "" if row.against is None else "%s: %s" % (row.against, text(row.their_value))
    ratio = "" if row.ratio is None else "x " + text(row.ratio)
    return [
        row.case,
        row.metric,
        text(row.value) + (" " + row.unit if row.unit else ""),
        spread(row),
        against,
        ratio,
    ]


HEAD = ["case", "metric", "value", "lowest .. highest run", "against", "ratio"]


def table(rows):
    lines = [HEAD] + [cells(row) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    out, before = [], None
    for line in lines:
        if before not in (None, line[0]):
            out.append("")
        out.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
        before = line[0]
    return "\n".join(out)


def markdown(rows):
    lines = [HEAD, ["---"] * len(HEAD)] + [cells(row) for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def size(number):
    """10 k, 1 M: as in the names of cases."""
    for unit, name in ((1000000, "M"), (1000, "k")):
        if number >= unit and number % unit == 0:
            return "%d%s" % (number // unit, name)
    return str(number)

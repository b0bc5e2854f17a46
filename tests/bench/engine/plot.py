"""Lines on two logarithmic axes, as SVG."""

import math

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 130, 40, 50
COLOURS = ("#0b6e4f", "#c8553d", "#2e5eaa", "#8a6d3b")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Axis:
    """Whole decades, mapped to pixels."""

    def __init__(self, values, low, high):
        self.first = math.floor(math.log10(min(values)) + 1e-9)
        self.last = max(math.ceil(math.log10(max(values)) - 1e-9), self.first + 1)
        self.low, self.high = low, high

    def at(self, value):
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.low + share * (self.high - self.low)

    def decades(self):
        return range(self.first, self.last + 1)


def label(decade):
    if -3 <= decade <= 3:
        return "%g" % 10**decade
    return "10" + str(decade).translate(SUPERSCRIPTS)


def grid(across, up):
    out = []
    for decade in across.decades():
        x = across.at(10**decade)
        out.append('<path class="grid" d="M%.1f %d V%d"/>' % (x, TOP, HEIGHT - BOTTOM))
        out.append(
            '<text x="%.1f" y="%d" text-anchor="middle">%s</text>' % (x, HEIGHT - BOTTOM + 18, label(decade))
        )
    for decade in up.decades():
        y = up.at(10**decade)
        out.append('<path class="grid" d="M%d %.1f H%d"/>' % (LEFT, y, WIDTH - RIGHT))
        out.append('<text x="%d" y="%.1f" text-anchor="end">%s</text>' % (LEFT - 8, y + 4, label(decade)))
    return out


def curve(name, points, colour, across, up):
    places = [(across.at(x), up.at(y)) for x, y in sorted(points)]
    path = " ".join("%s%.1f %.1f" % ("L" if i else "M", x, y) for i, (x, y) in enumerate(places))
    out = ['<path d="%s" fill="none" stroke="%s" stroke-width="2"/>' % (path, colour)]
    out += ['<circle cx="%.1f" cy="%.1f" r="3.5" fill="%s"/>' % (x, y, colour) for x, y in places]
    x, y = places[-1]
    out.append('<text x="%.1f" y="%.1f" fill="%s">%s</text>' % (x + 9, y + 4, colour, name))
    return out


def svg(title, across_name, up_name, curves):
    """`curves`: a list of points (x, y) by name, all above 0; names without points are left out."""
    curves = {name: points for name, points in curves.items() if points}
    across = Axis([x for points in curves.values() for x, _ in points], LEFT, WIDTH - RIGHT)
    up = Axis([y for points in curves.values() for _, y in points], HEIGHT - BOTTOM, TOP)
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12"'
        ' fill="#333">' % (WIDTH, HEIGHT),
        '<style>.grid { stroke: #ddd; fill: none }</style>',
        '<rect width="%d" height="%d" fill="#fff"/>' % (WIDTH, HEIGHT),
        '<text x="%d" y="22" font-size="15">%s</text>' % (LEFT, title),
    ]
    out += grid(across, up)
    for (name, points), colour in zip(curves.items(), COLOURS):
        out += curve(name, points, colour, across, up)
    out.append(
        '<text x="%d" y="%d" text-anchor="middle">%s</text>'
        % ((LEFT + WIDTH - RIGHT) // 2, HEIGHT - 10, across_name)
    )
    out.append(
        '<text transform="translate(18 %d) rotate(-90)" text-anchor="middle">%s</text>'
        % ((TOP + HEIGHT - BOTTOM) // 2, up_name)
    )
    return "\n".join(out + ["</svg>", ""])

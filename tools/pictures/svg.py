"""A drawing as SVG: a panel of its own colour, so that it reads on light pages and dark ones."""

from xml.sax.saxutils import escape

INK, GREY, PALE, PANEL = "#1f2933", "#66737f", "#dfe4e8", "#ffffff"
BLUE, ORANGE, GREEN, PURPLE, RED, TEAL = "#2b6cb0", "#d9691e", "#2f855a", "#6b46c1", "#c0392b", "#2a8a8c"
FONT = "-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


def tint(colour, share):
    """The colour mixed with the panel's: share 1 is all colour."""
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join("%02x" % round(255 + (part - 255) * share) for part in parts)


def number(value):
    text = "%.1f" % value
    return text[:-2] if text.endswith(".0") else text


def style(options):
    return "".join(
        ' %s="%s"' % (name.replace("_", "-"), value) for name, value in options.items() if value is not None
    )


class Drawing:
    def __init__(self, width, height, title):
        self.width, self.height, self.title = width, height, title
        self.parts = []

    def add(self, tag, **options):
        self.parts.append("<%s%s/>" % (tag, style(options)))

    def rect(self, x, y, width, height, **options):
        self.add("rect", x=number(x), y=number(y), width=number(width), height=number(height), **options)

    def line(self, x1, y1, x2, y2, stroke=GREY, **options):
        self.add("path", d="M%s %sL%s %s" % tuple(map(number, (x1, y1, x2, y2))), stroke=stroke, **options)

    def path(self, points, stroke=INK, fill="none", **options):
        d = "M" + "L".join("%s %s" % (number(x), number(y)) for x, y in points)
        self.add("path", d=d, stroke=stroke, fill=fill, **options)

    def dots(self, points, radius, fill):
        """Many equal dots as one path."""
        d = "".join("M%s %sh0" % (number(x), number(y)) for x, y in points)
        self.add("path", d=d, stroke=fill, stroke_width=number(2 * radius), stroke_linecap="round", fill="none")

    def circle(self, x, y, radius, **options):
        self.add("circle", cx=number(x), cy=number(y), r=number(radius), **options)

    def text(self, x, y, text, size=12, fill=INK, anchor=None, weight=None, halo=False):
        if halo:
            self.parts.append(
                "<text%s>%s</text>"
                % (
                    style(
                        {
                            "x": number(x),
                            "y": number(y),
                            "font-size": size,
                            "text-anchor": anchor,
                            "font-weight": weight,
                            "stroke": PANEL,
                            "stroke-width": 4,
                            "stroke-linejoin": "round",
                            "fill": PANEL,
                        }
                    ),
                    escape(str(text)),
                )
            )
        self.parts.append(
            "<text%s>%s</text>"
            % (
                style(
                    {
                        "x": number(x),
                        "y": number(y),
                        "font-size": size if size != 12 else None,
                        "fill": fill if fill != INK else None,
                        "text-anchor": anchor,
                        "font-weight": weight,
                    }
                ),
                escape(str(text)),
            )
        )

    def arrow(self, points, stroke=INK, **options):
        """A line with a head at its last point."""
        (x1, y1), (x2, y2) = points[-2:]
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1
        dx, dy = (x2 - x1) / length * 8, (y2 - y1) / length * 8
        self.path(points[:-1] + [(x2 - dx * 0.8, y2 - dy * 0.8)], stroke=stroke, **options)
        self.path(
            [(x2, y2), (x2 - dx - dy / 2, y2 - dy + dx / 2), (x2 - dx + dy / 2, y2 - dy - dx / 2)],
            stroke="none",
            fill=stroke,
        )

    def save(self, path):
        head = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="%s" '
            'font-size="12" fill="%s" role="img">' % (self.width, self.height, self.width, self.height, FONT, INK)
        )
        panel = '<rect x="0.5" y="0.5" width="%d" height="%d" rx="8" fill="%s" stroke="%s"/>' % (
            self.width - 1,
            self.height - 1,
            PANEL,
            PALE,
        )
        with open(path, "w", encoding="utf-8") as file:
            file.write(
                "\n".join([head, "<title>%s</title>" % escape(self.title), panel, *self.parts, "</svg>"]) + "\n"
            )

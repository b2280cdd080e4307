"""Charts as SVG: plain text, light or dark as the reader's screen is."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

WIDTH = 720
LEFT, RIGHT = 72, 168
"""For the axis, and for the names at the ends of lines."""
TOP = 64
"""For the title and what it says below."""

SERIES = ("a", "b", "c")
"""The classes of a chart's series, as the style below colours them."""

STYLE = """
svg { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
.paper { fill: #ffffff; }
text { fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.quiet { fill: #59636e; }
.grid { stroke: #d1d9e0; }
.limit { stroke: #cf222e; stroke-dasharray: 2 4; }
.line { fill: none; stroke-width: 2; }
.line.lower { stroke-dasharray: 6 4; }
.line.a { stroke: #0969da; } .fill.a { fill: #0969da; }
.line.b { stroke: #bc4c00; } .fill.b { fill: #bc4c00; }
.line.c { stroke: #8250df; } .fill.c { fill: #8250df; }
.fill.others { fill: #818b98; }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117; }
text { fill: #f0f6fc; }
.quiet { fill: #9198a1; }
.grid { stroke: #3d444d; }
.limit { stroke: #f85149; }
.line.a { stroke: #4493f8; } .fill.a { fill: #4493f8; }
.line.b { stroke: #f0883e; } .fill.b { fill: #f0883e; }
.line.c { stroke: #ab7df8; } .fill.c { fill: #ab7df8; }
.fill.others { fill: #656c76; }
}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """Values over a number."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    """Which of `SERIES`."""
    lower: bool = False
    """Dashed: the lesser of two of one colour."""


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    value: float | None
    """None: there is none."""
    text: str
    """How it is written."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure of several things."""

    title: str
    bars: Sequence[Bar]


def line_chart(
    title: str,
    below: str,
    across: str,
    up: str,
    lines: Sequence[Line],
    limit: tuple[float, str],
) -> str:
    """Lines over a linear axis `across` and a logarithmic one `up`.

    `limit` is a value that they should stay below, and what it means.
    """
    height, bottom = 420, 360
    svg = _sheet(title, below, height)
    most = max(x for line in lines for x, _ in line.points)
    values = [y for line in lines for _, y in line.points] + [limit[0]]
    low, high = _decade(min(values)), max(values)
    marks = list(_one_two_five(low, high))

    def at_x(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * x / most

    def at_y(y: float) -> float:
        part = math.log(max(y, low) / low) / math.log(marks[-1] / low)
        return bottom - (bottom - TOP - 24) * part

    for mark in marks:
        _rule(svg, at_y(mark), "grid")
        _text(svg, LEFT - 8, at_y(mark) + 4, f"{mark:,.0f}", "quiet", anchor="end")
    for step in _steps(most):
        _text(svg, at_x(step), bottom + 20, f"{step:g}", "quiet", anchor="middle")
    _text(svg, (LEFT + WIDTH - RIGHT) / 2, bottom + 42, across, anchor="middle")
    _text(svg, LEFT - 8, TOP + 8, up, anchor="start").set("x", "16")
    _rule(svg, at_y(limit[0]), "limit")
    # Below its line: above the highest one stands what goes up.
    _text(svg, LEFT + 4, at_y(limit[0]) + 15, limit[1], "quiet")
    for line in lines:
        colour = SERIES[line.colour]
        places = [(at_x(x), at_y(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        lower = " lower" if line.lower else ""
        SubElement(svg, "polyline", {"class": f"line {colour}{lower}", "points": path})
        for (x, y), (number, value) in zip(places, line.points, strict=True):
            circle = SubElement(
                svg,
                "circle",
                {"class": f"fill {colour}", "cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "3"},
            )
            SubElement(circle, "title").text = f"{line.name}: {value:,.0f} at {number:g}"
    ends = [(at_y(line.points[-1][1]), line) for line in lines]
    for y, line in _apart(ends):
        x = at_x(line.points[-1][0]) + 10
        _text(svg, x, y + 4, line.name)
    return _written(svg)


def bar_chart(title: str, below: str, panels: Sequence[Panel]) -> str:
    """Each measure in a panel of its own, the first bar of each in colour."""
    each, names, values = 24, 152, 150
    heights = [44 + each * len(panel.bars) for panel in panels]
    svg = _sheet(title, below, TOP + sum(heights) + 8)
    top = float(TOP)
    for panel, height in zip(panels, heights, strict=True):
        _text(svg, 16, top + 22, panel.title)
        most = max((bar.value for bar in panel.bars if bar.value is not None), default=0) or 1
        for number, bar in enumerate(panel.bars):
            y = top + 32 + each * number
            _text(svg, names - 8, y + 14, bar.name, "quiet", anchor="end")
            length = max((WIDTH - names - values) * max(bar.value or 0, 0) / most, 1)
            colour = "others" if number else SERIES[0]
            SubElement(
                svg,
                "rect",
                {
                    "class": f"fill {colour}",
                    "x": f"{names}",
                    "y": f"{y:.1f}",
                    "width": f"{length:.1f}",
                    "height": f"{each - 6}",
                    "rx": "2",
                },
            )
            _text(svg, names + length + 8, y + 14, bar.text)
        top += height
    return _written(svg)


def _sheet(title: str, below: str, height: float) -> Element:
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {height:g}",
            "width": f"{WIDTH}",
            "height": f"{height:g}",
            "role": "img",
        },
    )
    SubElement(svg, "title").text = title
    SubElement(svg, "desc").text = below
    SubElement(svg, "style").text = STYLE
    SubElement(svg, "rect", {"class": "paper", "width": "100%", "height": "100%", "rx": "6"})
    _text(svg, 16, 28, title, "title")
    _text(svg, 16, 50, below, "quiet")
    return svg


def _text(
    svg: Element, x: float, y: float, said: str, style: str = "", anchor: str = "start"
) -> Element:
    text = SubElement(
        svg, "text", {"class": style, "x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    )
    text.text = said
    return text


def _rule(svg: Element, y: float, style: str) -> None:
    ends = {"x1": f"{LEFT}", "x2": f"{WIDTH - RIGHT}", "y1": f"{y:.1f}", "y2": f"{y:.1f}"}
    SubElement(svg, "line", {"class": style, **ends})


def _decade(value: float) -> float:
    """The power of ten at or below it, and no less than one."""
    return float(10 ** math.floor(math.log10(max(value, 1))))


def _one_two_five(low: float, high: float) -> Iterator[float]:
    """1, 2, 5, 10, 20, ... times `low`, until `high` is reached."""
    for power in count():
        for digit in (1, 2, 5):
            mark = low * digit * 10**power
            yield mark
            if mark >= high and mark > low:
                return


def _steps(most: float) -> Iterable[float]:
    """Round numbers from 0 up to `most`, some four to eight of them."""
    step = next(mark for mark in _one_two_five(_decade(most / 8), most) if most / mark <= 8)
    return (step * number for number in range(int(most / step) + 1))


def _apart(ends: Iterable[tuple[float, Line]]) -> Iterator[tuple[float, Line]]:
    """Where names go that would else be written over each other."""
    free = 0.0
    for y, line in sorted(ends, key=lambda end: end[0]):
        free = max(y, free)
        yield free, line
        free += 17


def _written(svg: Element) -> str:
    ElementTree.indent(svg)
    return ElementTree.tostring(svg, encoding="unicode") + "\n"

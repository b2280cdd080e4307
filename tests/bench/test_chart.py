"""Charts, read as a viewer reads them."""

from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from turnwire.bench.chart import WIDTH, Bar, Line, Panel, bar_chart, line_chart

SVG = "{http://www.w3.org/2000/svg}"


def read(svg: str) -> Element:
    return ElementTree.fromstring(svg)


def texts(svg: Element) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


def lines(*series: Sequence[tuple[float, float]]) -> Element:
    names = "abc"
    return read(
        line_chart(
            "How late",
            "a machine",
            "sessions",
            "milliseconds",
            [Line(names[i], points, i) for i, points in enumerate(series)],
            (1000.0, "in time"),
        )
    )


def test_it_says_what_it_shows() -> None:
    svg = lines([(1, 50.0), (32, 480.0)], [(1, 5.0), (32, 90.0)])
    assert {"How late", "a machine", "sessions", "milliseconds", "in time", "a", "b"} <= set(
        texts(svg)
    )
    assert {"1", "10", "100", "1,000"} <= set(texts(svg))


def test_more_is_further_right_and_higher() -> None:
    svg = lines([(1, 3.0), (8, 40.0), (32, 900.0), (64, 12_000.0)])
    (line,) = svg.iter(f"{SVG}polyline")
    places = [tuple(map(float, each.split(","))) for each in (line.get("points") or "").split()]
    assert len(places) == 4
    for (x, y), (further, higher) in pairwise(places):
        assert further > x
        assert higher < y


@pytest.mark.parametrize("value", [-20.0, 0.0, 0.3, 1.0, 7_000_000.0])
def test_any_value_stays_on_the_sheet(value: float) -> None:
    svg = lines([(1, value), (2, 500.0)])
    height = float(svg.get("height") or 0)
    for circle in svg.iter(f"{SVG}circle"):
        assert 0 < float(circle.get("cx") or 0) < WIDTH
        assert 0 < float(circle.get("cy") or 0) < height


def test_names_of_lines_that_end_together_are_not_written_over_each_other() -> None:
    svg = lines([(1, 5.0), (8, 100.0)], [(1, 6.0), (8, 101.0)], [(1, 7.0), (8, 102.0)])
    at = sorted(
        float(each.get("y") or 0) for each in svg.iter(f"{SVG}text") if each.text in ("a", "b", "c")
    )
    assert len(at) == 3
    assert all(below - above >= 13 for above, below in pairwise(at))


def test_it_is_dark_where_the_reader_s_screen_is() -> None:
    (style,) = lines([(1, 5.0)]).iter(f"{SVG}style")
    light, dark = (style.text or "").split("@media (prefers-color-scheme: dark)")
    for rule in (".paper", "text", ".quiet", ".line.a"):
        assert rule in light
        assert rule in dark


def test_bars_are_as_long_as_their_values_and_none_has_none() -> None:
    panel = Panel("CPU", [Bar("A", 50.0, "50 ms"), Bar("B", 200.0, "200 ms"), Bar("C", None, "-")])
    svg = read(bar_chart("Beside others", "a machine", [panel]))
    assert {"CPU", "A", "50 ms", "B", "200 ms", "C", "-"} <= set(texts(svg))
    ours, theirs, none = (
        float(each.get("width") or 0)
        for each in svg.iter(f"{SVG}rect")
        if (each.get("class") or "").startswith("fill")
    )
    assert theirs == pytest.approx(4 * ours, rel=0.01)
    assert none <= 1


def test_what_is_said_is_no_markup() -> None:
    panel = Panel('<script> & "', [Bar("A", 1.0, "1")])
    assert '<script> & "' in texts(read(bar_chart("t", "b", [panel])))

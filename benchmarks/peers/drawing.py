"""The comparison as a picture.

python -m benchmarks.peers.drawing JSON SVG
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from turnwire.bench.chart import Bar, Panel, bar_chart

Figures = dict[str, Any]

Measure = Callable[[Figures], float | None]


def draw(comparison: Figures) -> str:
    machine, peers = comparison["machine"], comparison["peers"]

    def panel(title: str, measure: Measure, unit: str) -> Panel:
        return Panel(title, [_bar(peer, measure(peer), unit) for peer in peers])

    panels = [
        panel("CPU per second of speech", lambda peer: peer["cpu_ms_per_speech_second"], "ms"),
        panel("Word error rate", lambda peer: _of(peer, "words", "percent"), "%"),
        panel("First text after speech starts, p50", _half("first_text"), "ms"),
        panel("All text after speech ends, p50", _half("all_text"), "ms"),
    ]
    if any(peer["sessions"] is not None for peer in peers):
        panels.append(
            panel("Sessions held at once, all speaking", lambda peer: peer["sessions"], "")
        )
    return bar_chart(
        "The same recordings, the same weights, one machine",
        f"Whisper {comparison['model']}; {comparison['clips']} recordings; "
        f"{machine['cpu']}, {machine['cores']} cores, {machine['date']}",
        panels,
    )


def _half(name: str) -> Measure:
    return lambda peer: _of(peer, name, "p50")


def _of(peer: Figures, name: str, part: str) -> float | None:
    figure = peer[name]
    return None if figure is None else float(figure[part])


def _bar(peer: Figures, value: float | None, unit: str) -> Bar:
    if value is None:
        return Bar(peer["name"], None, "none")
    # An error rate has decimals worth telling; milliseconds have none.
    written = f"{value:.1f}" if unit == "%" else f"{value:,.0f}"
    return Bar(peer["name"], value, f"{written} {unit}".strip())


def main() -> None:
    figures, svg = map(Path, sys.argv[1:])
    svg.write_text(draw(json.loads(figures.read_text())))


if __name__ == "__main__":
    main()
